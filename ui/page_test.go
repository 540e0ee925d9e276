package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
	"trento/store/storetest"
)

// landscapeFixture is a console with a few hosts: hana01 is silent, hana02 is
// fine, app01 has an outdated agent and has never been heard.
func landscapeFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	f.host(1, "hana01")
	f.host(2, "hana02")
	old := facts(3, "app01")
	old.AgentVersion = "1.9.4"
	f.observe(3, landscape.Observation{Host: &old})
	f.observe(2, landscape.Observation{Cloud: &landscape.Cloud{Provider: "aws", AWS: &landscape.AWSVM{InstanceType: to("r6i.8xlarge"), Region: to("eu-central-1"), AvailabilityZone: to("eu-central-1a")}}})
	f.observe(3, landscape.Observation{Cloud: &landscape.Cloud{Provider: "kvm"}})
	f.observe(2, landscape.Observation{Subscriptions: []landscape.Subscription{{Identifier: "SLES_SAP", Version: "15.5", Arch: "x86_64", Status: "Registered"}}})
	f.beat(1)
	f.beat(2)
	f.silence(2)
	return f
}

// element is what a page has to have, or not.
type element struct {
	selector string
	text     string // a part of what one of them says
	absent   bool
}

func has(selector, text string) element { return element{selector: selector, text: text} }

func hasNot(selector string) element { return element{selector: selector, absent: true} }

func (e element) check(t *testing.T, page markup) {
	t.Helper()
	texts := page.texts(e.selector)
	switch {
	case e.absent && len(texts) > 0:
		t.Errorf("%s is there: %q", e.selector, texts)
	case !e.absent && !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, e.text) }):
		t.Errorf("no %s says %q: %q", e.selector, e.text, texts)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	f := landscapeFixture(t)
	host2 := "/hosts/" + string(hostID(2))
	tests := []struct {
		name   string
		call   call
		status int
		to     string // where it redirects to
		page   []element
	}{
		{"sign-in page", call{target: "/session/new?request_path=/hosts%3Fhealth%3Dcritical"}, 200, "", []element{
			has("h1", "Login to Trento"), has("button[type=submit]", "Login"), has("input[autocomplete=username]", ""),
			has("input[autocomplete=current-password]", ""), has("input[name=request_path][value=/hosts?health=critical]", ""), hasNot("nav")}},
		{"sign-in page, signed in", call{target: "/session/new?request_path=/about", as: "plain"}, 303, "/about", nil},
		{"sign-in page to elsewhere", call{target: "/session/new?request_path=//evil.example", as: "plain"}, 303, "/", nil},
		{"front page", call{target: "/", as: "plain"}, 200, "", []element{
			has("h1", "At a glance"), has("h2", "No SAP system has been found yet"), has("#attention", "hana01"), has("#attention", "2 things can be cleaned up"), has("nav a[aria-current=page]", "Dashboard")}},
		{"front page of nobody", call{target: "/"}, 303, "/session/new", nil},
		{"page of nobody", call{target: "/hosts?health=critical&q=a+b"}, 303, "/session/new?request_path=%2Fhosts%3Fhealth%3Dcritical%26q%3Da%2Bb", nil},
		{"fragment of nobody", call{target: "/hosts", header: http.Header{"X-Fragment": {"frame"}}}, 401, "", nil},
		{"unknown page of nobody", call{target: "/nowhere"}, 404, "", []element{has("h1", "Not Found"), hasNot("nav"), has("a[href=/session/new]", "")}},

		{"map", call{target: "/map", as: "plain"}, 200, "", []element{
			has("h1", "Map of hosts 3"), has("nav a[aria-current=page]", "Dashboard"), has(".counter[href=/hosts?health=unknown]", "hosts unknown"),
			has("tr.group", "AWS"), has("th.col-site a[href=/hosts?provider=aws&site=eu-central-1a]", "eu-central-1a"), has("th.col-site a[href=/hosts?provider=kvm&site=10.0.0.0%2F24]", "10.0.0.0/24"),
			has("a.cell[href=/hosts/"+string(hostID(2))+"]", "hana02"), has("a.cell.unknown[data-stale]", "hana01"),
			has("a.site-count.unknown[href=/hosts?health=unknown&provider=aws&site=eu-central-1a]", "1 unknown")}},
		{"map of nobody", call{target: "/map"}, 303, "/session/new?request_path=%2Fmap", nil},
		{"hosts", call{target: "/hosts", as: "plain"}, 200, "", []element{
			has("title", "Hosts – Trento"), has("h1", "Hosts 3"), has("nav a[aria-current=page]", "Hosts"), has("header .profile-name", "plain"),
			has("#host-"+string(hostID(1))+" a[href=/hosts/"+string(hostID(1))+"]", "hana01"),
			has("tr[data-stale] .heartbeat", "Not reporting"), has("tr[data-stale] [data-health-state=unknown][data-stale]", ""),
			has(".range", "Showing 1–3 of 3"), has("td.col-address", "10.0.0.2/24"), has("td.col-provider", "AWS"),
			has("td .pill.warning", "1.9.4"), has("span[data-testid=next-page][aria-disabled=true]", "")}},
		{"hosts, fragment", call{target: "/hosts", as: "plain", header: http.Header{"X-Fragment": {"frame"}}}, 200, "", []element{
			has("#frame #rows", "hana01"), hasNot("head title")}},
		{"hosts, filtered", call{target: "/hosts?provider=aws", as: "plain"}, 200, "", []element{
			has("#rows tbody", "hana02"), hasNot("#row-" + string(hostID(1))), has("a.chip", "Provider: AWS"), has("a.chip[href=/hosts]", ""),
			has(".count", "3"), has("[data-testid=filter-Provider] input[checked]", "")}},
		{"hosts, words", call{target: "/hosts?q=HANA+kvm", as: "plain"}, 200, "", []element{has("h2", "No host matches"), hasNot("#rows")}},
		{"hosts, stale", call{target: "/hosts?stale=true", as: "plain"}, 200, "", []element{has("#rows tbody", "hana01"), hasNot("#row-" + string(hostID(2)))}},
		{"hosts, ordered", call{target: "/hosts?sort=-hostname", as: "plain"}, 200, "", []element{
			has("th[aria-sort=descending]", "Hostname"), has(".head", "Ordered by Hostname")}},
		{"hosts, beyond the end", call{target: "/hosts?page=9&sort=hostname", as: "plain"}, 303, "/hosts?sort=hostname", nil},
		{"hosts, empty parameters", call{target: "/hosts?q=&sort=hostname&stale=", as: "plain"}, 303, "/hosts?sort=hostname", nil},
		{"hosts, odd parameters", call{target: "/hosts?page=x&per_page=-1&sort=nothing&health=blue", as: "plain"}, 200, "", []element{has("h2", "No host matches"), has("a.chip", "Unknown")}},

		{"host", call{target: host2, as: "plain"}, 200, "", []element{
			has("title", "hana02 – Hosts – Trento"), has("h1", "Host Details: hana02"), has("a[href=/hosts]", "Back to Hosts"),
			has(".pill", "Agent: Reporting"), has(".facts", "r6i.8xlarge"), has(".facts", "eu-central-1 (eu-central-1a)"),
			has("#subscriptions", "SLES_SAP"), has("#saptune", "Not installed"), has("#activity", "A new host was registered"),
			has("nav a[aria-current=page]", "Hosts"), hasNot("[role=alert]")}},
		{"silent host", call{target: "/hosts/" + string(hostID(1)), as: "plain"}, 200, "", []element{
			has("[role=alert]", "The agent in this host is not responding since 20 Aug 2026"), has(".pill", "Agent: Not reporting"),
			has("h1 [role=img][data-stale]", ""), has("#subscriptions", "No registration")}},
		{"host with old agent", call{target: "/hosts/" + string(hostID(3)), as: "plain"}, 200, "", []element{has(".banner.warning", "older than 2.0.0"), has(".pill", "Agent: Unknown")}},
		{"unknown host", call{target: "/hosts/" + string(hostID(99)), as: "plain"}, 404, "", []element{has("h1", "Not Found"), has("nav[aria-label=Main]", "")}},
		{"no host id", call{target: "/hosts/1", as: "plain"}, 404, "", []element{has("h1", "Not Found")}},

		{"settings", call{target: "/settings", as: "plain"}, 200, "", []element{
			has("h1", "Settings"), has("#api-key a[href=/settings/api_key]", "API key"), has("#api-key .subject-state", "Key will never expire"), hasNot("#backup"), hasNot("#webhooks"), hasNot("#forwarding"), hasNot("#single-sign-on")}},
		{"settings of everything", call{target: "/settings", as: "admin"}, 200, "", []element{
			has("#backup .subject-state", "No regular backups"), has("#webhooks", "None yet"), has("#forwarding", "Off"), has("#single-sign-on", "with a password")}},
		{"settings, searched", call{target: "/settings?q=Midnight+entries", as: "admin"}, 200, "", []element{
			has("#activity-log a", "Retention of the activity log"), hasNot("#api-key"), has("input[name=q][value]", "")}},
		{"settings, nothing found", call{target: "/settings?q=nowhere", as: "admin"}, 200, "", []element{has("h2", "Nothing found")}},
		{"API key", call{target: "/settings/api_key", as: "admin"}, 200, "", []element{
			has("h1", "API key"), has("nav a[aria-current=page]", "Settings"), has(".subject-links a[aria-current=page]", "API key"), has("#api-key", "Key will never expire"), has(".effect", "every agent is refused"), has("#api-key details #api-key-text", "ey")}},
		{"settings without the key", call{target: "/settings/api_key", as: "plain"}, 200, "", []element{
			has("#api-key", "Key will never expire"), hasNot("#api-key-text"), has("#api-key", "all:api_key_settings")}},
		{"about", call{target: "/about", as: "plain"}, 200, "", []element{
			has("h1", "About Trento Console"), has(".facts", "1.2.3"), has(".facts", "1 found"), has(".facts", "go1.")}},

		{"unknown page", call{target: "/nowhere", as: "plain"}, 404, "", []element{has("h1", "Not Found"), has("nav[aria-label=Main]", "")}},
		{"former address of the password for messages", call{target: "/settings/message_credential", as: "plain"}, 301, "/settings/messages", nil},
		{"former address of the settings of tokens", call{target: "/settings/personal_access_tokens", as: "plain"}, 301, "/settings/tokens", nil},
		{"wrong method", call{method: "DELETE", target: "/hosts", as: "plain"}, 405, "", []element{has("h1", "Not possible here"), has("nav[aria-label=Main]", "")}},
		{"unknown file", call{target: "/static/x/none.js"}, 404, "", nil},
		{"directory", call{target: "/static/"}, 404, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			w := f.do(tt.call)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d\n%s", w.Code, tt.status, w.Body)
			}
			if to := w.Header().Get("Location"); to != tt.to {
				t.Errorf("redirects to %q, want %q", to, tt.to)
			}
			page := parseMarkup(t, w.Body.String())
			for _, e := range tt.page {
				e.check(t, page)
			}
		})
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	post := func(username, password, target string) *httptest.ResponseRecorder {
		return f.do(call{method: "POST", target: "/session", form: url.Values{"username": {username}, "password": {password}, "request_path": {target}}})
	}

	w := post("ada", "wrong", "/hosts?q=a")
	if w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 {
		t.Fatalf("wrong password: status %d, cookies %v", w.Code, w.Result().Cookies())
	}
	page := parseMarkup(t, w.Body.String())
	has("[role=alert]", "Invalid credentials").check(t, page)
	has("input[name=username][value=ada][aria-invalid=true]", "").check(t, page)
	has("input[name=request_path][value=/hosts?q=a]", "").check(t, page)

	w = post("ada", testPassword, "/hosts?q=a")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/hosts?q=a" {
		t.Fatalf("right password: status %d, to %s\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	f.cookies["ada"] = w.Result().Cookies()[0]
	if w := f.do(call{target: "/hosts", as: "ada"}); w.Code != http.StatusOK {
		t.Errorf("after the sign-in /hosts answers %d", w.Code)
	}
	if w := post("ada", testPassword, "https://evil.example/"); w.Header().Get("Location") != "/" {
		t.Errorf("sign-in leads to %s", w.Header().Get("Location"))
	}

	if w := f.do(call{method: "POST", target: "/session/end", as: "ada"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/session/new" {
		t.Errorf("sign-out: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	if w := f.do(call{target: "/hosts", as: "ada"}); w.Code != http.StatusSeeOther {
		t.Errorf("after the sign-out /hosts answers %d", w.Code)
	}
}

func TestDisabledUserIsSignedOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	u := f.user("ada")
	storetest.Disable(t, f.store, u.ID)
	if w := f.do(call{target: "/hosts", as: "ada"}); w.Code != http.StatusSeeOther {
		t.Errorf("status %d", w.Code)
	}
}

// TestRoutes calls every route without a user and with a user without
// abilities, and checks that only public routes answer without a user.
func TestRoutes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	s := f.server(t)
	for _, route := range s.routes() {
		if route.Access == auth.Agent || route.Path == "/events" {
			continue
		}
		target := strings.NewReplacer("{id}", "x", "{hash}", "x", "{file}", "app.css", "{token}", "x").Replace(route.Path)
		w := f.do(call{method: route.Method, target: target})
		toSignIn := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/session/new")
		if refused := toSignIn && !strings.HasPrefix(target, "/session/"); refused != (route.Access != auth.Public) {
			t.Errorf("%s %s, which demands %v, answers nobody with %d", route.Method, target, route.Access, w.Code)
		}
		if route.Access > 0 {
			if w := f.do(call{method: route.Method, target: target, as: "plain"}); w.Code != http.StatusForbidden {
				t.Errorf("%s %s, which demands %v, answers a user without it with %d", route.Method, target, route.Access, w.Code)
			}
		}
	}
}

// TestForbidden checks that every route that needs an ability tells a user
// without it which one is missing, and who can grant it.
func TestForbidden(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	demanding := 0
	for _, route := range f.server(t).routes() {
		if route.Access == auth.Public || route.Access == auth.SignedIn || route.Access == auth.OnWall {
			continue
		}
		demanding++
		target := strings.NewReplacer("{id}", "x", "{host}", "x", "{number}", "00").Replace(route.Path)
		w := f.do(call{method: route.Method, target: target, as: "plain"})
		if w.Code != http.StatusForbidden {
			t.Errorf("%s %s answers with %d", route.Method, target, w.Code)
			continue
		}
		page := parseMarkup(t, w.Body.String())
		has("h1", "Access to this page is forbidden").check(t, page)
		has("main p", "you need the permission "+route.Access.String()+". Somebody with the permission all:users can grant it to you.").check(t, page)
		has("main p", "Nothing was changed.").check(t, page)
	}
	if demanding == 0 {
		t.Error("no route demands anything")
	}
}

func TestHostsCSV(t *testing.T) {
	t.Parallel()
	f := landscapeFixture(t)
	f.host(4, "=cmd|' /C calc'!A0")
	w := f.do(call{target: "/hosts.csv?sort=hostname", as: "plain"})
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\r\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "Health,Hostname,Why,IP,") {
		t.Fatalf("table of %d lines: %q", len(lines), lines)
	}
	if !strings.HasPrefix(lines[1], "Unknown,'=cmd|") {
		t.Errorf("a formula stays one: %s", lines[1])
	}
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename=hosts.csv" {
		t.Errorf("Content-Disposition: %s", got)
	}
	if marked := f.do(call{target: "/hosts.csv?sort=hostname&bom=true", as: "plain"}).Body.String(); marked != "\uFEFF"+w.Body.String() {
		t.Errorf("with a byte-order mark: %.40q", marked)
	}
	page := parseMarkup(t, f.do(call{target: "/hosts?provider=aws", as: "plain"}).Body.String())
	has("a[download][href=/hosts.csv?provider=aws&bom=true]", "CSV for Excel").check(t, page)
	filtered := f.do(call{target: "/hosts.csv?provider=aws", as: "plain"}).Body.String()
	if !strings.Contains(filtered, "hana02") || strings.Contains(filtered, "hana01") {
		t.Errorf("the filter does not hold: %s", filtered)
	}
}

func TestNoHostYet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	page := parseMarkup(t, f.do(call{target: "/hosts", as: "admin"}).Body.String())
	has("h2", "No host has reported yet").check(t, page)
	has(".empty a[href=/agents/connect]", "Connect an agent").check(t, page)
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	w := f.do(call{method: "POST", target: "/preferences", as: "ada", form: url.Values{"theme": {"dark"}, "return_to": {"/about?x=1"}}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/about?x=1" {
		t.Fatalf("status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Result().Cookies()[0]
	page := parseMarkup(t, f.do(call{target: "/about", as: "ada", cookies: []*http.Cookie{cookie}}).Body.String())
	has("html[data-theme=dark]", "").check(t, page)
	has("button[name=theme][value=dark][aria-pressed=true]", "").check(t, page)

	w = f.do(call{method: "POST", target: "/preferences", as: "ada", form: url.Values{"theme": {""}, "sidebar": {"closed"}}})
	cookies := w.Result().Cookies()
	if len(cookies) != 2 || cookies[0].MaxAge >= 0 || cookies[1].Name != "trento-sidebar" || cookies[1].Value != "closed" {
		t.Errorf("cookies %v", cookies)
	}
	w = f.do(call{method: "POST", target: "/preferences", as: "ada", form: url.Values{"theme": {"dark"}, "rows": {"<b>"}}})
	if cookies := w.Result().Cookies(); w.Code != http.StatusUnprocessableEntity || len(cookies) != 0 {
		t.Errorf("an unknown density: status %d, cookies %v", w.Code, cookies)
	}
	page = parseMarkup(t, f.do(call{target: "/about", as: "ada", cookies: []*http.Cookie{{Name: "trento-theme", Value: "pink"}}}).Body.String())
	hasNot("html[data-theme]").check(t, page)
}

func TestPageSizeIsRemembered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	for n := range 25 {
		f.host(n, "h"+string(rune('a'+n)))
	}
	w := f.do(call{target: "/hosts?per_page=20", as: "ada"})
	has(".range", "Showing 1–20 of 25").check(t, parseMarkup(t, w.Body.String()))
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	has(".range", "Showing 1–20 of 25").check(t, parseMarkup(t, f.do(call{target: "/hosts", as: "ada", cookies: cookies}).Body.String()))
	has(".range", "Showing 21–25 of 25").check(t, parseMarkup(t, f.do(call{target: "/hosts?page=2", as: "ada", cookies: cookies}).Body.String()))
	has("a[data-testid=next-page][href=/hosts?page=2]", "").check(t, parseMarkup(t, f.do(call{target: "/hosts", as: "ada"}).Body.String()))
}

func TestExpiredKeyIsSaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	end := f.clock.Now().Add(time.Hour)
	if _, err := f.store.RegenerateAPIKey(t.Context(), store.System(), &end, nil); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(2 * time.Hour)
	has("#api-key .inline-mark.critical", "Agents are refused").check(t, f.page(t, "/settings/api_key", "ada"))
}
