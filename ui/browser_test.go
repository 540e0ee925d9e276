package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"trento/packaging/servertest"
)

// patience is how long a test waits for the browser to show something. Tests
// never wait longer than they must.
const patience = 20 * time.Second

// TestMain makes the garbage collector run less often, because the tests
// produce much garbage, and ends the browser after the tests.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	code := m.Run()
	endBrowser()
	os.Exit(code)
}

// endBrowser ends the browser of the tests where one was started.
var endBrowser = func() {}

// chromium starts the browser that all tests share. Each tab has its own
// browser context, so tabs share no cookies.
var chromium = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromiumPath()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir), chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		// The address bar of every new window loads two pages of its own, which no
		// test sees. With RenderDocument each navigation builds a new frame, which
		// costs a quarter of the time to open a page.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,WebUIOmniboxPopup,WebUIOmniboxAimPopup,RenderDocument"),
		// No page lives long enough to gain from optimised scripts.
		chromedp.Flag("js-flags", "--no-opt"))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	endBrowser = func() {
		end()
		chromedp.FromContext(ctx).Allocator.Wait()
		os.RemoveAll(dir)
	}
	return ctx, chromedp.Do(ctx)
})

// chromiumPath returns the path of Chromium; "" if it is not installed. It
// prefers the build without a screen (headless shell), which takes half the
// processor time. The second name is used by Fedora.
func chromiumPath() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium-headless-shell", "/usr/lib64/chromium-browser/headless_shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// startBrowser returns the browser for the tests.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	if chromiumPath() == "" {
		servertest.Need(t, "no Chromium found: install it, or name it in the variable CHROMIUM")
	}
	ctx, err := chromium()
	if err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}

// tab is a tab of a new browser context that shows a console of its own.
type tab struct {
	*fixture
	t      *testing.T
	ctx    context.Context
	server *httptest.Server
	end    context.CancelCauseFunc // of ctx
	plain  bool                    // scripts are off

	mu     sync.Mutex
	faults []string // errors that the browser has reported
}

func newTab(t *testing.T, chromium context.Context) *tab {
	t.Helper()
	f := newFixtureAt(t, &clock{now: time.Now().Truncate(time.Second)})
	f.user("ada", 1)
	return newTabOn(t, chromium, f, f.serve())
}

// newTabOn is newTab with an existing console.
func newTabOn(t *testing.T, chromium context.Context, f *fixture, server *httptest.Server) *tab {
	t.Helper()
	tab := &tab{fixture: f, t: t, server: server}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab.ctx, tab.end = context.WithCancelCause(ctx)
	t.Cleanup(func() { tab.end(nil) })
	if err := chromedp.Do(tab.ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(tab.ctx, tab.listen); err != nil {
		t.Fatal(err)
	}
	command(tab, log.Enable, cdp.Empty{})
	command(tab, inspector.Enable, cdp.Empty{})
	command(tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	t.Cleanup(func() {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, fault := range tab.faults {
			t.Errorf("the browser says: %s", fault)
		}
	})
	return tab
}

// listen records exceptions in our scripts, violations of the content security
// policy, and other errors of the browser.
func (tab *tab) listen(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *inspector.EventTargetCrashed:
		// Nothing answers from now on.
		tab.end(errors.New("the tab has crashed"))
	case *runtime.EventExceptionThrown:
		tab.faults = append(tab.faults, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// A page may cause answers with an error status on purpose.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			tab.faults = append(tab.faults, e.Entry.Text)
		}
	}
}

func (tab *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	for _, action := range actions {
		err := chromedp.Do(ctx, action)
		// The console may replace an element after it was found and before it
		// is clicked. A person would then click on the new element.
		for isElementGone(err) {
			err = chromedp.Do(ctx, action)
		}
		if err != nil {
			tab.fail("", err)
		}
	}
}

// fail ends the test, with the reason if the tab has ended.
func (tab *tab) fail(what string, err error) {
	tab.t.Helper()
	tab.t.Fatal(what, cmp.Or(context.Cause(tab.ctx), err))
}

// isElementGone reports whether an error of the browser means that an element
// has been removed after it was found.
func isElementGone(err error) bool {
	return err != nil && slices.ContainsFunc([]string{
		"node with given id", "Node is detached", "Could not compute box model", "does not have a layout object", "Cannot find context",
	}, func(words string) bool { return strings.Contains(err.Error(), words) })
}

// command sends a command of the browser's own protocol.
func command[P, R any](tab *tab, cmd cdp.Command[P, R], params P) {
	tab.t.Helper()
	if _, err := chromedp.Call(tab.ctx, cmd, params); err != nil {
		tab.fail("", err)
	}
}

// signedIn puts the session of the fixture into the browser.
func (tab *tab) signedIn() {
	tab.t.Helper()
	cookie := tab.cookies["ada"]
	command(tab, network.SetCookie, network.SetCookieParams{Name: cookie.Name, Value: cookie.Value, URL: tab.server.URL})
}

// withoutScripts makes the browser run no scripts from now on.
func (tab *tab) withoutScripts() {
	tab.t.Helper()
	tab.plain = true
	command(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

func (tab *tab) open(path string) {
	tab.t.Helper()
	tab.run(chromedp.Navigate(tab.server.URL + path))
}

// live opens a page and waits until it is live.
func (tab *tab) live(path string) {
	tab.t.Helper()
	tab.open(path)
	tab.until(`document.querySelector('#live')?.dataset.state === 'live'`)
}

// until waits until an expression is true, on this page or a later one.
func (tab *tab) until(expression string) {
	tab.t.Helper()
	tab.wants("Boolean("+expression+")", "true")
}

// wants waits until an expression has a value, on this page or a later one. It
// always waits, because scripts and the browser finish some things a moment
// later, such as moving the focus when a page opens.
func (tab *tab) wants(expression, want string) {
	tab.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for {
		// An error means that the browser is leaving the page.
		got, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string]("String("+expression+")"))
		if err == nil && got == want {
			return
		}
		select {
		case <-again.C:
		case <-tab.ctx.Done():
			tab.t.Fatalf("waiting for %s: %v", expression, context.Cause(tab.ctx))
		case <-late:
			tab.t.Fatalf("%s is %q, want %q (%v)\nat %s\n%s", expression, got, want, err, tab.ask("location.href"), tab.ask("document.body.innerText"))
		}
	}
}

// ask evaluates an expression and returns its value as a text.
func (tab *tab) ask(expression string) string {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	if err != nil {
		tab.fail(expression, err)
	}
	return answer
}

// click clicks on the text of the first element that matches a selector. For
// elements with a role and a name, region.click is more readable.
func (tab *tab) click(selector string) {
	tab.t.Helper()
	if tab.plain {
		tab.run(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		return
	}
	tab.until(fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", selector))
	tab.element(fmt.Sprintf("document.querySelector(%q)", selector)).click()
}

// element returns the element that an expression evaluates to.
func (tab *tab) element(expression string) target {
	tab.t.Helper()
	again := func() (runtime.RemoteObjectID, error) { return tab.object(expression) }
	object, err := again()
	if err != nil {
		tab.fail(expression, err)
	}
	return target{tab, expression, object, again}
}

func (tab *tab) press(keys string) {
	tab.t.Helper()
	tab.run(chromedp.KeyEvent(keys))
}
