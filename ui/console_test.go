package ui

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trento/packaging/servertest"
	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/store/storetest"
	"trento/ui/api"
	"trento/ui/execution"
)

func rowOf(n int) string { return "#row-" + string(hostID(n)) }

func exists(selector string) string { return fmt.Sprintf("document.querySelector(%q)", selector) }

func TestConsole(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	for _, tt := range []struct {
		name string
		test func(*tab)
	}{
		{"sign-in", testSigningIn}, {"sign-out", testSigningOut}, {"drawer", testDrawer}, {"health over time", testHealthOverTime}, {"refused picker", testRefusedPicker}, {"toasts", testToastsInTab}, {"returning", testReturning}, {"veil", testVeil}, {"filters", testFilters}, {"live hosts", testLiveHosts}, {"ages", testAges}, {"pressed", testPressed}, {"second click", testSecondClick},
		{"live log", testLiveLog}, {"held rows", testHeldRows}, {"reconnecting", testReconnecting}, {"entry", testEntryDialog}, {"theme", testTheme}, {"API documentation", testAPIDocumentation}, {"keys", testKeys}, {"walk by keys", testWalkByKeys}, {"palette", testPaletteKeys},
		{"many new", testManyNew}, {"live mode", testLiveMode}, {"hints", testHints}, {"flow", testFlowByKeyboard}, {"retention", testRetention},
		{"secret", testSecret}, {"applying filters", testApplyFilter}, {"without scripts", testWithoutScripts}, {"tags", testTagging}, {"choosing", testChoosing}, {"bulk tags", testBulkTags}, {"cleaning up", testCleaningUp}, {"customising", testCustomizing}, {"drawing", testDrawing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(newTab(t, chromium))
		})
	}
}

// TestEveryPage looks at all pages of one console, which no case changes.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	f := newFixtureAt(t, &clock{now: time.Now().Truncate(time.Second)})
	f.findings = testFindings
	f.user("ada", 1)
	pages := f.seeEverything()
	var lists, others []string
	for _, path := range pages {
		if address, _, _ := strings.Cut(path, "?"); slices.Contains([]string{"/hosts", "/clusters", "/databases", "/sap_systems"}, address) {
			lists = append(lists, path)
		} else {
			others = append(others, path)
		}
	}
	server := f.serve()
	// The long ones come first, so that they are not waited for in the end.
	for _, tt := range []struct {
		name string
		test func(*tab)
	}{
		{"menus of lists", func(tab *tab) { testMenus(tab, lists) }},
		{"menus of other pages", func(tab *tab) { testMenus(tab, others) }},
		{"accessibility of the first half", func(tab *tab) { testAccessibility(tab, pages[:len(pages)/2]) }},
		{"accessibility of the second half", func(tab *tab) { testAccessibility(tab, pages[len(pages)/2:]) }},
		{"accessibility of what opens", testAccessibilityOfWhatOpens},
		{"accessibility of the sign-in", testAccessibilityOfSignIn},
		{"filter line", testFilterLine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.test(newTabOn(t, chromium, f, server))
		})
	}
}

func testSigningIn(tab *tab) {
	tab.host(1, "hana01")
	tab.open("/hosts?q=hana")
	tab.wants("location.pathname", "/session/new")
	tab.wants("document.activeElement.id", "username")
	tab.run(chromedp.SendKeys(chromedp.CSS("#username"), "ada"+kb.Tab+"wrong"+kb.Enter))
	tab.until(exists("#failure"))
	tab.wants(exists("#username")+".value", "ada")
	tab.run(chromedp.SendKeys(chromedp.CSS("#password"), testPassword))
	tab.click("[data-reveal]")
	tab.wants(exists("#password")+".type", "text")
	tab.click("button[type=submit]")
	tab.until("location.pathname + location.search === '/hosts?q=hana'")
	tab.until(exists(rowOf(1)))
}

func testSigningOut(tab *tab) {
	tab.signedIn()
	tab.live("/hosts?health=unknown")
	u, err := userNamed(tab.store, "ada")
	if err != nil {
		tab.t.Fatal(err)
	}
	storetest.Disable(tab.t, tab.store, u.ID)
	tab.until(exists("[name=request_path]"))
	tab.wants("location.pathname", "/session/new")
	tab.wants(exists("[name=request_path]")+".value", "/hosts?health=unknown")
}

func userNamed(s *store.Store, name string) (u *store.User, err error) {
	err = s.View(func(tx *store.Tx) (err error) {
		u, err = tx.UserNamed(name)
		return err
	})
	return u, err
}

func testFilters(tab *tab) {
	tab.host(1, "hana01")
	tab.host(2, "app01")
	tab.observe(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "aws"}})
	tab.observe(2, landscape.Observation{Cloud: &landscape.Cloud{Provider: "kvm"}})
	tab.signedIn()
	tab.live("/hosts")
	before := tab.ask("history.length")
	tab.click("#filter-provider > summary")
	tab.click("#filter-provider [value=aws]")
	tab.until("location.search === '?provider=aws'")
	tab.until("!" + exists(rowOf(2)))
	tab.wants(exists("#filter-provider")+".open", "true")
	tab.wants("history.length", before)
	tab.press(kb.Escape)
	tab.wants(exists("#filter-provider")+".open", "false")
	tab.click("a.chip")
	tab.until("location.search === ''")
	tab.until(exists(rowOf(2)))
	tab.run(chromedp.SendKeys(chromedp.CSS("#q"), "app"))
	tab.until("location.search === '?q=app'")
	tab.until("!" + exists(rowOf(1)))
	tab.wants("document.activeElement.id", "q")
	tab.wants(exists("#q")+".value", "app")
	tab.click(".rows thead .col-hostname a")
	tab.until(exists("th.col-hostname[aria-sort=ascending]"))
}

func testLiveHosts(tab *tab) {
	tab.host(1, "hana01")
	tab.beat(1)
	tab.signedIn()
	tab.live("/hosts")
	tab.ask("window.same = " + exists(rowOf(1)))
	tab.host(2, "app01")
	tab.until(exists(rowOf(2)))
	tab.until("document.querySelector('.count').textContent === '2'")
	tab.until(`document.querySelector('.toast')?.textContent.includes('app01 is new')`)
	tab.silence()
	tab.until(exists(rowOf(1) + "[data-stale]"))
	tab.wants("window.same === "+exists(rowOf(1)), "true")
	tab.until("!" + exists("#notices-count") + ".hidden")
	tab.click("#notices > summary")
	tab.until("document.querySelectorAll('#notices-list li').length === 2 && " + exists("#notices-count") + ".hidden")
}

// testAges checks that a page that stays open updates the ages of times
// although nothing happens.
func testAges(tab *tab) {
	tab.host(1, "hana01")
	tab.beat(1)
	tab.silence()
	tab.signedIn()
	// Make timers of the page run a hundred times faster.
	const short = "(set => { window.setInterval = (call, ms) => set(call, ms / 100) })(setInterval)"
	command(tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: short})
	tab.live("/hosts")
	tab.clock.pass(2 * time.Hour)
	tab.until("document.querySelector('.rows .heartbeat .ago').textContent === '2 h ago'")
}

// testPressed checks that no element moves between the press and the release of
// the mouse, so that a click hits the element under the pointer.
func testPressed(tab *tab) {
	tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/hosts")
	tab.element(exists(".rows thead .col-hostname a")).hold()
	tab.host(2, "app01")
	tab.until("performance.getEntriesByType('resource').some((r) => r.initiatorType === 'fetch' && r.name.endsWith('/hosts') && r.responseEnd)")
	tab.paint()
	tab.wants("Boolean("+exists(rowOf(2))+")", "false")
	tab.releaseAt(exists(".rows thead .col-hostname"))
	tab.until(exists(rowOf(2)))
	// The menu of the browser takes the release of the other button, here below the
	// table.
	command(tab, input.DispatchMouseEvent, input.DispatchMouseEventParams{
		Type: input.DispatchMouseEventTypeMousePressed, X: 700, Y: 850, Button: input.MouseButtonRight, Buttons: 2, ClickCount: 1,
	})
	tab.host(3, "app02")
	tab.until(exists(rowOf(3)))
}

// testSecondClick checks that the answer to one click in a filter does not undo
// a second click, however late the answer comes.
func testSecondClick(tab *tab) {
	tab.host(1, "hana01")
	tab.observe(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "aws"}})
	tab.signedIn()
	// Timers are late, and the first answer comes when the test lets it.
	const slow = `(() => {
		const { setTimeout: later, fetch } = window;
		const first = new Promise((done) => { window.answer = done; });
		window.asked = [];
		window.setTimeout = (call, ms, ...rest) => later(call, ms + 300, ...rest);
		window.fetch = async (url, how) => {
			const response = await fetch(url, how);
			if (window.asked.push(url) === 1) await first;
			return response;
		};
	})()`
	command(tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: slow})
	tab.live("/hosts")
	tab.click("#filter-provider > summary")
	tab.click("#filter-provider [value=aws]")
	tab.until("asked.length === 1")
	tab.ask("document.querySelector('#filter-provider [value=aws]').click(), document.activeElement.blur(), answer()")
	tab.until("asked.length === 2")
	tab.wants("asked.join(' ')", "/hosts?provider=aws /hosts")
	tab.until("location.search === '' && !" + exists("#filter-provider [value=aws]") + ".checked")
}

// testToastsInTab checks that of too many toasts the important ones stay on the
// screen and in the list.
func testToastsInTab(tab *tab) {
	tab.host(99, "old01")
	tab.beat(99)
	tab.silence()
	tab.signedIn()
	tab.live("/about")
	agreed := func(*store.Tx, *landscape.Changeset) error { return nil }
	if err := tab.store.CleanUp(tab.t.Context(), store.System(), agreed, landscape.Target{Host: hostID(99)}); err != nil {
		tab.t.Fatal(err)
	}
	const gone = "old01 has been removed."
	tab.says(gone)
	for n := range 60 {
		tab.host(n, fmt.Sprintf("new%02d", n))
		if n%10 == 9 {
			tab.until(fmt.Sprintf("document.querySelectorAll('#notices-list li').length === %d", min(n+2, 50)))
		}
	}
	tab.says("new59 is new")
	tab.wants("document.querySelectorAll('#toasts .toast').length", "3")
	tab.says(gone)
	tab.openMenu("Notifications")
	tab.wants("[...document.querySelectorAll('#notices-list li')].filter(l => l.textContent.includes('"+gone+"')).length", "1")
}

// testReturning checks that closing a dialog that was opened from a list
// returns to the list and to the button that opened it.
func testReturning(tab *tab) {
	tab.host(1, "hana01")
	tab.host(2, "hana02")
	tab.beat(1)
	tab.beat(2)
	tab.silence()
	tab.signedIn()
	tab.live("/hosts?q=hana&sort=hostname")
	tab.row(2).click(aLink, "Clean up")
	tab.until(exists("dialog#cleanup:modal"))
	tab.press(kb.Escape)
	tab.until("location.pathname + location.search === '/hosts?q=hana&sort=hostname'")
	tab.until("document.activeElement === " + exists(rowOf(2)+" .col-do a"))
	tab.row(1).click(aLink, "Clean up")
	tab.until(exists("dialog#cleanup:modal"))
	tab.in("#cleanup").click(aButton, "Clean up host")
	tab.until("location.pathname + location.search === '/hosts?q=hana&sort=hostname' && !" + exists(rowOf(1)))
	tab.says("Host hana01 was cleaned up.")
}

// testFilterLine checks that the filters of every list fit on one line of an
// ordinary screen.
func testFilterLine(tab *tab) {
	tab.signedIn()
	for _, path := range []string{"/hosts", "/clusters", "/databases", "/sap_systems", "/cleanup", "/activity_log", "/users", "/tokens"} {
		tab.open(path)
		tab.wants(fmt.Sprintf("%q + ' ' + new Set([...document.querySelectorAll('#filters > *')].filter(e => e.checkVisibility()).map(e => (r => Math.round((r.top + r.bottom) / 4))(e.getBoundingClientRect()))).size", path), path+" 1")
	}
}

// testRefusedPicker checks that permissions that cannot be changed can be
// reached with the keyboard, and explain why.
func testRefusedPicker(tab *tab) {
	admin := tab.user("admin", 1)
	tab.signedIn()
	tab.live(editPath(admin.ID, "edit"))
	tab.in("main").tabTo("group", "Permissions. Admin user cannot be edited")
	tab.wants("document.activeElement.getAttribute('aria-disabled')", "true")
}

// testHeldRows checks that the rows under the pointer do not move.
func testHeldRows(tab *tab) {
	tab.host(2, "beta")
	tab.signedIn()
	tab.live("/hosts?sort=hostname")
	box, err := chromedp.Run(tab.ctx, chromedp.Evaluate[[]float64]("(b => [b.x + 200, b.y + 10])(document.querySelector('tbody tr').getBoundingClientRect())"))
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, box[0], box[1]))
	tab.until(exists("tbody:hover"))
	tab.host(1, "alpha")
	tab.until("!" + exists("#news") + ".hidden")
	tab.wants(exists("#news-text")+".textContent", "1 new row.")
	tab.wants("document.querySelectorAll('tbody tr').length", "1")
	tab.click("[data-refresh-now]")
	tab.until(exists(rowOf(1)))
	tab.wants(exists("#news")+".hidden", "true")
	tab.wants("[...document.querySelectorAll('tbody tr')].map(r => r.id).join()", "row-"+string(hostID(1))+",row-"+string(hostID(2)))
}

// testReconnecting checks that changes while the event stream is interrupted
// are not missed.
func testReconnecting(tab *tab) {
	tab.signedIn()
	tab.live("/hosts")
	tab.server.CloseClientConnections()
	tab.until("document.querySelector('#live').dataset.state === 'lost'")
	tab.host(1, "hana01")
	tab.until("document.querySelector('#live').dataset.state === 'live'")
	tab.until(exists(rowOf(1)))
}

func testLiveLog(tab *tab) {
	tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/activity_log")
	rows := tab.ask("document.querySelectorAll('tbody tr').length")
	tab.host(2, "app01")
	tab.until("!" + exists("#news") + ".hidden")
	tab.wants(exists("#news-text")+".textContent", "1 new entry.")
	tab.wants("document.querySelectorAll('tbody tr').length", rows)
	tab.click("#news [data-refresh-now]")
	tab.until("document.querySelector('tbody .thing').textContent === 'app01'")
}

func testEntryDialog(tab *tab) {
	tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/activity_log?type=host_registered")
	tab.click("tbody a.message")
	tab.until(exists("dialog#entry:modal"))
	tab.until("location.search.includes('entry=')")
	tab.press(kb.Escape)
	tab.until("!location.search.includes('entry=')")
	tab.until("!" + exists("dialog#entry"))
	tab.run(chromedp.NavigateBack())
	tab.until(exists("dialog#entry:modal"))
	address := tab.ask("location.pathname + location.search")
	tab.open(address)
	tab.until(exists("dialog#entry:modal"))
	tab.click("#entry .dialog-end a")
	tab.until("!" + exists("dialog#entry"))
}

func testTheme(tab *tab) {
	tab.signedIn()
	tab.live("/about")
	background := "getComputedStyle(document.body).backgroundColor"
	light := tab.ask(background)
	tab.click("#profile > summary")
	tab.click("button[name=theme][value=dark]")
	tab.until(exists("html[data-theme=dark]"))
	dark := tab.ask(background)
	if light == dark {
		tab.t.Errorf("both themes have the background %s", light)
	}
	tab.live("/settings")
	tab.wants(background, dark)
	tab.click("[name=sidebar][value=closed]")
	tab.until(exists("html[data-sidebar=closed]"))
	tab.wants("document.querySelector('.sidebar').offsetWidth", "56")
	tab.live("/settings")
	tab.wants("document.querySelector('.sidebar').offsetWidth", "56")

	command(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	tab.click("#profile > summary")
	tab.click("button[name=theme][value=light]")
	tab.until(background + " === '" + light + "'")
	tab.click("button[name=theme][value='']")
	tab.until(background + " === '" + dark + "'")
}

// testAPIDocumentation follows the link of a scope, and checks that the
// documentation opens at the operation and can load everything it needs.
func testAPIDocumentation(tab *tab) {
	var doc string
	for _, o := range api.Operations() {
		if o.String() == "DELETE /api/v1/hosts/{id}" {
			doc = o.Doc
		}
	}
	command(tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.refusals = []; addEventListener('securitypolicyviolation', e => refusals.push(e.violatedDirective + ' ' + e.blockedURI))`,
	})
	tab.open(doc)
	tab.until(`document.querySelector('.opblock.is-open .opblock-summary-path')?.textContent.replaceAll('\u200b', '') === '/api/v1/hosts/{id}'`)
	if refusals := tab.ask(`refusals.join()`); refusals != "" {
		tab.t.Errorf("the policy refuses %s", refusals)
	}
}

func testKeys(tab *tab) {
	tab.host(1, "hana01")
	tab.host(2, "hana02")
	tab.signedIn()
	tab.live("/hosts")
	tab.press("?")
	tab.until(exists("dialog#keys:modal"))
	tab.press(kb.Escape)
	tab.until("!" + exists("dialog#keys[open]"))
	tab.press("f")
	tab.wants("document.activeElement.id", "q")
	tab.wants("document.activeElement.value = ''", "") // the driver types the letter, too, which a keyboard does not
	tab.press(kb.ArrowDown)
	tab.wants("document.activeElement.textContent", "hana01")
	tab.press(kb.ArrowDown)
	tab.wants("document.activeElement.textContent", "hana02")
	tab.press(kb.ArrowUp)
	tab.wants("document.activeElement.textContent", "hana01")
	tab.press(kb.Enter)
	tab.until("location.pathname === '/hosts/" + string(hostID(1)) + "'")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.press("g")
	tab.press("a")
	tab.until("location.pathname === '/activity_log'")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.press("g")
	tab.press("h")
	tab.until("location.pathname === '/hosts'")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.until("document.activeElement.matches('main h1')")
	tab.wants("document.activeElement.textContent.startsWith('Hosts')", "true")
	tab.live("/hosts")
	tab.press(kb.Tab)
	tab.wants("document.activeElement.className", "skip")
	tab.wants("getComputedStyle(document.activeElement).outlineStyle", "solid")
}

func testSecret(tab *tab) {
	granted := browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "clipboard-write"}, Setting: browser.PermissionSettingGranted}
	if _, err := chromedp.CallBrowser(tab.ctx, browser.SetPermission, granted); err != nil {
		tab.t.Fatal(err)
	}
	tab.signedIn()
	tab.live("/settings/api_key")
	tab.wants(exists("#api-key-text")+".checkVisibility()", "false")
	tab.click("#api-key-secret > summary")
	tab.until(exists("#api-key-text") + ".checkVisibility()")
	tab.click("[data-copy=api-key-text]")
	tab.until(`document.querySelector('.toast')?.textContent.includes('Copied to clipboard')`)
}

func testApplyFilter(tab *tab) {
	tab.host(1, "hana01")
	tab.signedIn()
	tab.live("/activity_log")
	tab.wants(exists("#apply")+".disabled", "true")
	tab.click("#filter-type > summary")
	tab.run(chromedp.SendKeys(chromedp.CSS("#filter-type [data-narrow]"), "host regis"))
	tab.wants("[...document.querySelectorAll('#filter-type label')].filter(l => l.checkVisibility()).length", "1")
	tab.click("#filter-type [value=host_registered]")
	tab.wants(exists("#apply")+".disabled", "false")
	tab.wants("location.search", "")
	tab.press(kb.Escape)
	tab.click("#apply")
	tab.until("new URLSearchParams(location.search).get('type') === 'host_registered'")
	tab.wants("location.search.includes('search=')", "false")
	tab.until("document.querySelectorAll('tbody tr:not(.day)').length === 1")
	tab.wants(exists("#apply")+".disabled", "true")
	tab.click("#date-from_date > summary")
	tab.click("#date-from_date [value='1h']")
	tab.click("#apply")
	tab.until("new URLSearchParams(location.search).get('from_date') === '1h'")
}

// testWithoutScripts reads and uses the console as a browser without scripts.
func testWithoutScripts(tab *tab) {
	for n := range 12 {
		tab.host(n, fmt.Sprintf("hana%02d", n))
	}
	tab.withoutScripts()
	tab.open("/hosts?q=hana")
	tab.run(chromedp.SendKeys(chromedp.CSS("#username"), "ada"), chromedp.SendKeys(chromedp.CSS("#password"), testPassword+kb.Enter))
	read := func(want string) {
		tab.t.Helper()
		tab.run(chromedp.WaitVisible(chromedp.CSS(want)))
	}
	read(rowOf(1))
	tab.click("#filter-hostname > summary")
	tab.click("#filter-hostname [value=hana03]")
	tab.click("#filter-hostname .plain-only")
	read(".chips li:nth-child(2)")
	if at, err := chromedp.Run(tab.ctx, chromedp.Location()); err != nil || at != tab.server.URL+"/hosts?q=hana&hostname=hana03" {
		tab.t.Errorf("the filter leads to %s, %v", at, err)
	}
	tab.open("/activity_log?type=host_registered")
	tab.click("tbody a.message")
	read("#entry .tree")
	tab.click("#entry .dialog-end a")
	tab.run(chromedp.WaitNotPresent(chromedp.CSS("#entry")))
	tab.click("#profile > summary")
	tab.click("button[name=theme][value=dark]")
	read("html[data-theme=dark]")
	tab.open("/settings/api_key")
	tab.click("#api-key-secret > summary")
	read("#api-key-text")
	tab.click("#profile > summary")
	tab.click("form[action='/session/end'] button")
	read("#username")
}

// testCleaningUp opens the dialog of a clean-up, types a wrong text, cancels,
// and then confirms.
func testCleaningUp(tab *tab) {
	for n, name := range []string{"hana01", "hana02", "ascs01", "ascs02", "app01", "odd01", "mix01"} {
		tab.host(n+1, name)
		tab.beat(n + 1)
	}
	tab.fillSystems()
	tab.silence(2)
	tab.signedIn()
	tab.live("/hosts/" + string(hostID(1)))
	tab.click(".head .actions a")
	tab.until(exists("dialog#cleanup:modal"))
	tab.wants("location.pathname", hostCleanup(1))
	tab.wants("document.activeElement.textContent", "Cancel")
	tab.press(kb.Escape)
	tab.until("location.pathname === '/hosts/" + string(hostID(1)) + "'")
	tab.until("!" + exists("dialog#cleanup"))
	tab.click(".head .actions a")
	tab.run(chromedp.SendKeys(chromedp.CSS("#confirm"), "hana02"+kb.Enter))
	tab.until(exists("#cleanup-failure"))
	tab.until(exists("dialog#cleanup:modal"))
	tab.ask(exists("#confirm") + ".value = ''")
	tab.run(chromedp.SendKeys(chromedp.CSS("#confirm"), "hana01"))
	tab.click("#cleanup .danger")
	tab.until("location.pathname === '/hosts'")
	tab.until(`document.querySelector('.toast')?.textContent === 'Host hana01 was cleaned up.'`)
}

// seeEverything fills a console with ordinary and hostile names, and returns
// the paths of its pages.
func (f *fixture) seeEverything() []string {
	runner, bus := f.checking(2)
	names := []string{"hana01", strings.Repeat("long-", 40), "שלום-مرحبا", "🚀🚀", "<b>bold</b>", strings.Repeat("w", 200)}
	for n, name := range names {
		f.host(n, name)
	}
	f.observe(0, landscape.Observation{Saptune: sampleSaptune()})
	f.observe(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "aws", AWS: &landscape.AWSVM{InstanceID: &names[1]}}})
	f.observe(0, landscape.Observation{Subscriptions: []landscape.Subscription{{Identifier: "SLES_SAP", Version: "15.5", Arch: "x86_64", Status: "Registered"}}})
	f.host(6, "odd01")
	f.host(7, "mix01")
	f.fillSystems()
	f.loses(5, applicationElement("01", "ABAP|GATEWAY|ICMAN|IGS", landscape.Red))
	for _, n := range []int{0, 9} {
		f.refuse(n, landscape.HostDiscovery, store.ReportProblem{Pointer: "/" + names[4], Detail: "is invalid", Read: names[2]})
	}
	f.seeChecks(runner, bus, 0)
	f.beat(0)
	f.beat(1)
	f.silence(0)
	log := parseMarkup(f.t, f.do(call{target: "/activity_log", as: "ada"}).Body.String())
	entry, _ := attribute(log.all("a[data-entry]")[0], "href")
	_, flow := f.flowOf(f.t.(*testing.T), "type=host_registered", "ada")
	f.seeAlerts()
	hook := f.seeWebhooks()
	return append(f.seePeople(), []string{
		"/settings/webhooks", "/settings/webhooks/new", hook, hook + "/edit", hook + "/delete",
		"/alerts", "/alerts?discard=ask", "/alerts?outcome=failed",
		"/", "/clusters", "/databases?open=" + string(prdID), "/sap_systems?open=" + string(nwpID), "/cleanup", "/availability",
		"/agents", "/agents/connect", "/map", "/catalog", "/catalog/waivers", "/hosts/" + string(hostID(0)) + "/settings", "/hosts/" + string(hostID(0)) + "/settings/AAAA00/values", "/hosts/" + string(hostID(0)) + "/settings/AAAA00/values/reset",
		"/hosts/" + string(hostID(0)) + "/executions/last", "/hosts/" + string(hostID(0)) + "/executions/diff", "/hosts/" + string(hostID(0)) + "/facts", "/hosts/" + string(hostID(0)) + "/executions/last/AAAA01/host/hana01", "/wall", "/settings/displays", "/search", "/search?q=a", "/search?q=" + url.QueryEscape(hostile), "/hosts", "/hosts?health=unknown&stale=true", "/hosts?q=nothing", "/hosts?peek=" + string(hostID(1)) + "&columns=fqdn&columns=id&columns=memory&columns=tags", "/clusters?peek=" + string(landscape.ClusterIDFromKey("hana")), "/databases?peek=" + string(prdID), "/hosts/" + string(hostID(0)), "/hosts/" + string(hostID(1)),
		clusterPath("hana"), clusterPath("hana") + "?node=hana01", clusterPath("ascs"), clusterPath("mix"), "/databases/" + string(prdID), "/sap_systems/" + string(nwpID),
		"/hosts/" + string(hostID(5)), hostCleanup(1), applicationCleanup(5, "02"),
		"/activity_log", "/activity_log?search=nothing+AND", entry, flow, "/settings", "/settings?q=nothing", "/settings/activity_log/edit", "/about", "/nowhere",
	}...)
}

// seeChecks runs two checks on a host: one passes thanks to a customised value,
// and one fails.
func (f *fixture) seeChecks(r *execution.Runner, bus *agentBus, n int) {
	f.t.Helper()
	id, ctx := hostID(n), f.t.Context()
	_, err := f.store.CustomizeCheck(ctx, store.System(), string(id), "AAAA00", r.Catalogue().Find("AAAA00"), []store.CustomValue{{Name: "wanted", Value: int64(4)}})
	if err == nil {
		err = f.store.SelectHostChecks(ctx, store.System(), id, []string{"AAAA00", "AAAA01", "GONE"})
	}
	if err == nil {
		_, err = r.Start(ctx, store.System(), check.HostSubject, string(id))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.gather(r, bus, string(id), 4)
}

func sampleSaptune() *landscape.SaptuneReport {
	version, state, on := "3.1.2", "not compliant", "enabled"
	return &landscape.SaptuneReport{Installed: true, PackageVersion: version, Status: &landscape.Saptune{
		PackageVersion: &version, TuningState: &state, Services: []landscape.SaptuneService{{Name: "saptune", Enabled: &on}, {Name: "tuned"}},
		EnabledNotes: []landscape.SaptuneNote{{ID: "941735", AdditionallyEnabled: true}}, AppliedNotes: []landscape.SaptuneNote{},
		EnabledSolution: &landscape.SaptuneSolution{ID: "HANA", Notes: []string{"941735"}, Partial: true}, Staging: &landscape.SaptuneStaging{Enabled: true},
	}}
}

// testDrawer checks that the sidebar is a drawer on a small screen.
func testDrawer(tab *tab) {
	tab.signedIn()
	tab.run(chromedp.EmulateViewport(390, 844))
	tab.live("/hosts")
	tab.wants("document.querySelector('#sidebar').checkVisibility()", "false")
	tab.click(".drawer-button")
	tab.until("document.querySelector('#sidebar').checkVisibility()")
	tab.click("#sidebar a[href='/about']")
	tab.until("location.pathname === '/about'")
}

// fitsScreen checks that nothing of a page, nor of its menus, is wider than the
// screen.
func (tab *tab) fitsScreen(where string) {
	tab.t.Helper()
	// What an element cuts off is not wider than that element.
	const right = "(e => { let r = e.getBoundingClientRect().right; for (let p = e.parentElement; p; p = p.parentElement) if (['hidden', 'clip'].includes(getComputedStyle(p).overflowX)) r = Math.min(r, p.getBoundingClientRect().right); return r; })"
	if wide := tab.ask("[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('pre, .options, .visually-hidden') && e.getBoundingClientRect().right > innerWidth + 1 && " + right + "(e) > innerWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 5).join(' ')"); wide != "" {
		tab.t.Errorf("%s: wider than the screen: %s", where, wide)
	}
	tab.wants("document.documentElement.scrollWidth <= innerWidth", "true")
	const outside = "(m => { const was = m.open; m.open = true; const box = m.lastElementChild.getBoundingClientRect(); m.open = was; return box.left < 0 || box.right > innerWidth; })"
	tab.wants("[...document.querySelectorAll('details.menu')].filter("+outside+").map(m => location.pathname + ' ' + (m.id || m.className)).join(', ')", "")
}

// look is how a page is shown.
type look struct {
	theme         string
	width, height int64
}

// Colours depend only on the theme and the layout only on the width, so two of
// the four combinations cover everything.
var (
	narrow = look{"dark", 390, 844}
	looks  = []look{narrow, {"light", 1440, 900}}
)

// showAs shows this page and the next ones with a theme and a size.
func (tab *tab) showAs(l look) {
	tab.t.Helper()
	command(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	tab.run(chromedp.EmulateViewport(l.width, l.height))
	tab.until(fmt.Sprintf("innerWidth === %d && matchMedia('(prefers-color-scheme: %s)').matches", l.width, l.theme))
}

// loadAxe loads axe into the next pages, for findsNoBarrier.
func (tab *tab) loadAxe() {
	tab.t.Helper()
	path := os.Getenv("AXE_CORE")
	if path == "" {
		servertest.Need(tab.t, "the variable AXE_CORE does not name axe.min.js of the npm package axe-core")
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		tab.t.Fatal(err)
	}
	command(tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: string(axe)})
}

// testAccessibility checks pages with axe in each theme and size, and checks
// that they fit on a narrow screen.
func testAccessibility(tab *tab, pages []string) {
	tab.loadAxe()
	tab.signedIn()
	for _, path := range pages {
		tab.showAs(narrow)
		tab.open(path)
		tab.fitsScreen(path)
		tab.findsNoBarrierInAnyLook(path)
	}
}

func testAccessibilityOfSignIn(tab *tab) {
	tab.loadAxe()
	tab.showAs(narrow)
	tab.open("/session/new")
	tab.fitsScreen("/session/new")
	tab.findsNoBarrierInAnyLook("/session/new")
	tab.open("/wall/connect")
	tab.fitsScreen("/wall/connect")
	tab.findsNoBarrierInAnyLook("/wall/connect")
	tab.showPassword()
	tab.open("/session/totp")
	tab.findsNoBarrierInAnyLook("/session/totp")
}

// testAccessibilityOfWhatOpens asks axe about menus and dialogs that scripts
// open.
func testAccessibilityOfWhatOpens(tab *tab) {
	tab.loadAxe()
	tab.signedIn()
	for _, look := range looks {
		tab.showAs(look)
		tab.live("/hosts")
		tab.click("#profile > summary")
		tab.findsNoBarrier("profile menu, " + look.theme)
		tab.click("#filter-health > summary")
		tab.findsNoBarrier("filter menu, " + look.theme)
		tab.press(kb.Escape)
		tab.press("?")
		tab.until(exists("dialog#keys:modal"))
		tab.findsNoBarrier("keys, " + look.theme)
		tab.press(kb.Escape)
		tab.opensPalette()
		tab.findsNoBarrier("palette, " + look.theme)
		tab.typed("#palette input", "ada")
		tab.until(exists("#palette [role=option][href='/users/1/edit']"))
		tab.findsNoBarrier("answer of the palette, " + look.theme)
		tab.fitsScreen("palette")
	}
}

// findsNoBarrierInAnyLook is findsNoBarrier in each look of the page.
func (tab *tab) findsNoBarrierInAnyLook(where string) {
	tab.t.Helper()
	for _, look := range looks {
		tab.showAs(look)
		tab.findsNoBarrier(where + ", " + look.theme)
	}
}

// findsNoBarrier checks the page with axe. If a modal dialog is open it checks
// only the dialog, because the rest of the page is inert then and is checked at
// its own address.
func (tab *tab) findsNoBarrier(where string) {
	tab.t.Helper()
	type violation struct {
		ID, Help string
		Nodes    []string
	}
	tab.until("document.title && !document.querySelector('dialog[data-modal]:not(:modal)')")
	violations, err := chromedp.Run(tab.ctx, chromedp.Evaluate[[]violation](`
		axe.run(document.querySelector('dialog:modal') ?? document, {resultTypes: ['violations']}).then(r => r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => n.html + ' ' + n.failureSummary).slice(0, 3)})))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatal(err)
	}
	for _, v := range violations {
		tab.t.Errorf("%s: %s: %s\n\t%s", where, v.ID, v.Help, strings.Join(v.Nodes, "\n\t"))
	}
}
