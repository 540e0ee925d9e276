package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"trento/store"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
	"trento/store/message"
)

// connectPath is the address of the page "Connect an agent" that was opened now.
func (f *fixture) connectPath() string {
	return "/agents/connect?" + url.Values{"since": {f.clock.Now().UTC().Format(time.RFC3339)}}.Encode()
}

// apiKey returns the present API key.
func (f *fixture) apiKey() (text string) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		key, err := tx.APIKey()
		if err == nil {
			text = f.auth.APIKeyText(key)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// TestConnectSince checks that the page keeps in its address when it was opened.
func TestConnectSince(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	for _, target := range []string{"/agents/connect", "/agents/connect?since=", "/agents/connect?since=yesterday", "/agents/connect?since=2199-01-01T00:00:00Z"} {
		w := f.do(call{target: target, as: "plain"})
		if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/agents/connect?since=2026-08-20T10%3A15%3A30Z" {
			t.Errorf("%s: %d to %q", target, w.Code, to)
		}
	}
	if w := f.do(call{target: "/agents/connect"}); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/session/new") {
		t.Errorf("signed out: %d", w.Code)
	}
	has("#waiting h2", "Waiting for the first agent…").check(t, f.page(t, f.connectPath(), "plain"))
	f.host(1, "vega01")
	f.clock.pass(time.Hour)
	has("#waiting h2", "Waiting for a new agent…").check(t, f.page(t, f.connectPath(), "plain"))
	has("#waiting .arrived li", "vega01").check(t, f.page(t, "/agents/connect?since=2026-08-20T10:15:30Z", "plain"))
}

// TestConnectLines checks the lines for the configuration of an agent: with the
// real values for readers who may see them, masked where they are shown first,
// and without them for others.
func TestConnectLines(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.user("plain")
	key, password := f.apiKey(), f.messageCredential().Password
	target := "http://trento.example.com:4000" + f.connectPath()
	page := parseMarkup(t, f.do(call{target: target, as: "keeper"}).Body.String())
	lines := func(id, server, key, password, host string) {
		t.Helper()
		want := "server-url: " + server + " api-key: " + key + " facts-service-url: amqp://trento:" + password + "@" + host + ":5672/"
		if got := page.texts("#" + id); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	lines("agent-config", "http://trento.example.com:4000", key, password, "trento.example.com")
	lines("agent-shown", "http://trento.example.com:4000", "••••••••••••", "••••••••••••", "trento.example.com")
	has("button[data-copy=agent-config]", "").check(t, page)
	has("#configure li", "The host must reach this server on the ports 4000 and 5672.").check(t, page)
	for _, e := range []element{hasNot("#configure .banner"), hasNot("#configure .notice"), has("#install code", "zypper install trento-agent"), has("#start code", "systemctl enable --now trento-agent")} {
		e.check(t, page)
	}

	w := f.do(call{target: target, as: "plain"})
	if body := w.Body.String(); strings.Contains(body, key) || strings.Contains(body, password) {
		t.Error("everybody sees the key or the password")
	}
	page = parseMarkup(t, w.Body.String())
	lines("agent-shown", "http://trento.example.com:4000", "<the API key>", "<the password>", "trento.example.com")
	has("#configure .notice", "Only users with the permission all:api_key_settings can see the key and the password. Ask one of them").check(t, page)
	hasNot("#agent-config").check(t, page)

	signedIn := f.do(call{method: http.MethodPost, target: "https://127.0.0.1/session", form: url.Values{"username": {"keeper"}, "password": {testPassword}}})
	page = parseMarkup(t, f.do(call{target: "https://127.0.0.1" + f.connectPath(), cookies: signedIn.Result().Cookies()}).Body.String())
	lines("agent-config", "https://127.0.0.1", key, password, "127.0.0.1")
	has("#configure .banner", "You have opened this page under an address that only this machine can use.").check(t, page)
	has("#configure li", "443 and 5672").check(t, page)
	has("#configure li", "The host must trust the certificate of this server.").check(t, page)

	f.options.Endpoint, f.options.Messages = nil, new(agentBus)
	f.restart(f.options)
	has("#configure", "Messages go over another broker ( AMQP_URL in").check(t, f.page(t, f.connectPath(), "keeper"))
	f.options.Messages = nil
	f.restart(f.options)
	has("#configure", "Messages to agents are switched off on this server ( ENABLE_AMQP ).").check(t, f.page(t, f.connectPath(), "keeper"))
}

// TestConnectArrivals follows agents on their way to a registered host.
func TestConnectArrivals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.user("plain")
	e := f.messages(t)
	path := f.connectPath()
	both := func(check element) {
		t.Helper()
		check.check(t, f.page(t, path, "keeper"))
		check.check(t, f.page(t, path, "plain"))
	}
	// told checks what only those are told who may see all agents.
	told := func(selector, want string) {
		t.Helper()
		has(selector, want).check(t, f.page(t, path, "keeper"))
		hasNot(selector).check(t, f.page(t, path, "plain"))
	}
	both(has("#waiting h2", "Waiting for the first agent…"))
	both(hasNot("#waiting .banner"))

	e.refuse()
	told("#refused", "An agent was refused. 127.0.0.1 , just now . Connections for messages: wrong user or password. Copy the line facts-service-url again, then start the agent: it has ended.")
	if words := strings.Join(f.page(t, path, "keeper").texts("#refused"), ""); strings.Contains(words, "api-key") {
		t.Errorf("the key counts as wrong: %s", words)
	}
	connection := e.connect(1, message.Checks)
	connected, faulty := "#connected-"+string(hostID(1)), "#faulty-"+string(hostID(1))
	told(connected, "An agent is connected for messages from 127.0.0.1 , but has not reported yet. Connected just now . Its first report comes within ten seconds.")
	both(has("#waiting h2", "Waiting for the first agent…"))
	r := call{method: http.MethodPost, target: "/api/v1/collect", header: http.Header{"X-Trento-Apikey": {"former"}}}
	if w := f.do(r); w.Code != http.StatusUnauthorized {
		t.Fatalf("a wrong key: %d", w.Code)
	}
	told("#refused", "Reports and heartbeats: the API key is not the present one.")
	told("#refused", "Copy the line api-key again, then systemctl restart trento-agent .")

	f.refuse(1, landscape.HostDiscovery, store.ReportProblem{Pointer: "/hostname", Detail: "can't be blank", Read: `""`})
	told(faulty, "An agent reports, but its host cannot be registered. The last host report could not be used: /hostname can't be blank")
	f.host(1, "vega01")
	both(has("#waiting h2 [role=status]", "A new host has registered"))
	both(has("#waiting .arrived a[href=/hosts/"+string(hostID(1))+"]", "vega01"))
	both(hasNot(connected))
	both(hasNot(faulty))
	connection.Close()
	for n := 2; n < 15; n++ {
		f.host(n, "rigel")
	}
	both(has("#waiting h2", "New hosts have registered"))
	both(has("#waiting .arrived", "and 4 more, on Hosts"))

	f.clock.pass(time.Minute)
	path = f.connectPath()
	both(has("#waiting h2", "Waiting for a new agent…"))
	both(hasNot("#waiting .banner"))
}

// TestConnectIsLinked checks that the places where hosts are missing lead to the
// page.
func TestConnectIsLinked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14)
	for _, target := range []string{"/", "/hosts", "/clusters", "/agents", "/settings/api_key"} {
		has("main a[href=/agents/connect]", "Connect an agent").check(t, f.page(t, target, "keeper"))
	}
	f.host(1, "vega01")
	for _, target := range []string{"/agents", "/settings/api_key"} {
		has("main a[href=/agents/connect]", "Connect an agent").check(t, f.page(t, target, "keeper"))
	}
}

// TestConnectInBrowser opens the page on an empty server, copies the lines, and
// connects a simulated agent with what was copied: first with a wrong key.
func TestConnectInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	f := newFixtureAt(t, &clock{now: time.Now().Truncate(time.Second)})
	f.user("ada", 1)
	e := f.messages(t)
	tab := newTabOn(t, startBrowser(t), f, f.serve())
	for _, permission := range []string{"clipboard-write", "clipboard-read"} {
		granted := browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: permission}, Setting: browser.PermissionSettingGranted,
			BrowserContextID: chromedp.FromContext(tab.ctx).BrowserContextID,
		}
		if _, err := chromedp.CallBrowser(tab.ctx, browser.SetPermission, granted); err != nil {
			t.Fatal(err)
		}
	}
	tab.loadAxe()
	tab.signedIn()
	tab.open("/")
	tab.clickOn(aLink, "Connect an agent")
	tab.until("location.pathname === '/agents/connect' && location.search.startsWith('?since=')")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.wants(exists("#waiting h2")+".textContent", "Waiting for the first agent…")
	tab.findsNoBarrierInAnyLook("/agents/connect, waiting")

	tab.wants("document.getElementById('agent-config').checkVisibility()", "false")
	tab.wants("document.getElementById('agent-shown').textContent.includes('••••')", "true")
	tab.clickOn(aButton, "Copy with the real values")
	tab.says("Copied to clipboard")
	key := f.apiKey()
	copied, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(copied, "\napi-key: "+key+"\n") || !strings.Contains(copied, "server-url: "+tab.server.URL+"\n") || !strings.Contains(copied, ":"+f.messageCredential().Password+"@") {
		t.Errorf("copied %q", copied)
	}

	e.refuse()
	tab.until("document.getElementById('refused')?.textContent.includes('wrong user or password')")
	feed := fleet.FeedOptions{Server: tab.server.URL, APIKey: "former", Seed: 1, Hosts: 1, Once: true}
	if err := fleet.Feed(t.Context(), feed); err == nil {
		t.Error("a wrong key was accepted")
	}
	e.connect(1, message.Checks) // which is noticed at once, and the refused requests with it
	tab.until("document.getElementById('refused')?.textContent.includes('the API key is not the present one')")
	tab.until(exists("#connected-" + string(hostID(1))))
	tab.findsNoBarrierInAnyLook("/agents/connect, refused")

	feed.APIKey = key
	if err := fleet.Feed(t.Context(), feed); err != nil {
		t.Fatal(err)
	}
	tab.until(exists("#waiting .arrived a"))
	tab.wants(exists("#waiting h2")+".textContent", "A new host has registered")
	tab.findsNoBarrierInAnyLook("/agents/connect, registered")
	name := tab.ask(exists("#waiting .arrived a") + ".textContent")
	tab.clickOn(aLink, name)
	tab.until("location.pathname.startsWith('/hosts/')")
}

// TestConnectWithoutScripts waits for an agent in a browser without scripts.
func TestConnectWithoutScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a browser")
	}
	f := newFixture(t)
	f.user("ada", 1)
	tab := newTabOn(t, startBrowser(t), f, f.serve())
	tab.signedIn()
	tab.withoutScripts()
	tab.open("/agents/connect")
	tab.click("#agent-secrets > summary")
	tab.run(chromedp.WaitVisible(chromedp.CSS("#agent-config")))
	f.host(1, "vega01")
	tab.click("#waiting a.plain-only")
	tab.run(chromedp.WaitVisible(chromedp.CSS("#waiting .arrived a")))
}
