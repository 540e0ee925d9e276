package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// palette returns what the palette offers for a query: the label of each group,
// followed by its options.
func (f *fixture) palette(t *testing.T, as string, query url.Values) (groups []string, m markup) {
	t.Helper()
	w := f.do(call{target: "/palette?" + query.Encode(), as: as})
	if w.Code != http.StatusOK {
		t.Fatalf("%v: status %d", query, w.Code)
	}
	checkMarkup(t, `<!doctype html><html lang=en><body><dialog id="keys"></dialog><form id="preferences"></form><form id="sign-out"></form>`+w.Body.String()+"</body></html>")
	m = parseMarkup(t, w.Body.String())
	for _, group := range m.all("[role=group]") {
		inside := markup{t, group}
		groups = append(groups, strings.Join(inside.texts(".palette-label"), "")+": "+strings.Join(inside.texts(".palette-name"), ", "))
	}
	return groups, m
}

func TestPalette(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.user("root", 1)
	f.user("cleaner", 11) // cleanup:host
	f.silence(1)
	const elsewhere = " | Search: Search everywhere for"
	tests := []struct {
		name, as, words, want string // what the answer begins with
	}{
		{"exact name", "plain", "HANA01", "Hosts: hana01 | "},
		{"exact SID before what belongs to it", "plain", "prd", "HANA Databases: PRD | "},
		{"names that begin before names that contain", "plain", "hana", "Hosts: hana02, hana01 | Clusters: hana_cluster, mix_cluster | Pages: HANA Databases"},
		{"only in other columns", "plain", "10.0.0.2", "Hosts: hana01 | SAP Systems: NWP"},
		{"page", "plain", "activity", "Pages: Activity Log, Retention of the activity log | Commands: Export activity log as CSV" + elsewhere},
		{"page by another name", "plain", "totp", "Pages: Profile" + elsewhere},
		{"setting", "plain", "smtp", "Pages: E-mail alerts" + elsewhere},
		{"setting that is not permitted", "plain", "syslog", "Search: Search everywhere for"},
		{"setting that is permitted", "root", "syslog", "Pages: Forwarding of the activity log" + elsewhere},
		{"page that is not permitted", "plain", "users", "Search: Search everywhere for"},
		{"page that is permitted", "root", "users", "Pages: Users, Tokens of all users | Commands: Export users as CSV"},
		{"command", "root", "create user", "Commands: Create a user" + elsewhere},
		{"command that is not permitted", "plain", "create user", "Search: Search everywhere for"},
		{"words of a command in any order", "plain", "token new", "Commands: Create a personal access token" + elsewhere},
		{"theme", "plain", "dark", "Commands: Use the dark theme" + elsewhere},
		{"sign out", "plain", "log out", "Commands: Sign out" + elsewhere},
		{"user", "root", "plain@", "Users: plain" + elsewhere},
		{"user, not permitted", "plain", "plain@", "Search: Search everywhere for"},
		{"clean-up", "root", "clean up hana02", "Actions: Clean up host hana02" + elsewhere},
		{"clean-up, one ability", "cleaner", "hana02 clean", "Actions: Clean up host hana02" + elsewhere},
		{"clean-up of what reports", "root", "clean up hana01", "Search: Search everywhere for"},
		{"clean-up, not permitted", "plain", "clean up hana02", "Search: Search everywhere for"},
		{"tag", "root", "tag prd", "Actions: Add a tag to HANA database PRD" + elsewhere},
		{"actions of what is named", "root", "nwp", "SAP Systems: NWP | Actions: Add a tag to SAP system NWP | "},
		{"nothing", "root", "no such thing", "Search: Search everywhere for “no such thing”, Look for “no such thing” in the activity log"},
		{"hostile", "plain", hostile, "Search: Search everywhere for “" + hostile[:maxSearchLength/2]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			groups, m := f.palette(t, tt.as, url.Values{"q": {tt.words}})
			if got := strings.Join(groups, " | "); !strings.HasPrefix(got, tt.want) {
				t.Errorf("%q offers\n%s, want\n%s", tt.words, got, tt.want)
			}
			for i, option := range m.all("[role=option]") {
				if id, _ := attribute(option, "id"); id == "" || i > 0 && m.one("#"+id) == nil {
					t.Errorf("option %d has no id of its own", i)
				}
			}
		})
	}
}

// TestPaletteBeforeTyping checks that recent things are shown with their present
// names, without what is gone or not a thing.
func TestPaletteBeforeTyping(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	recent := []string{"/sap_systems/" + string(nwpID), "/hosts/" + string(hostID(2)), "/hosts/" + string(hostID(99)), "/users/1", hostile, "/databases/" + string(prdID), clusterPath("hana")}
	groups, m := f.palette(t, "plain", url.Values{"recent": recent})
	if want := "Opened last: NWP, hana02, PRD, hana_cluster"; groups[0] != want {
		t.Errorf("got %s, want %s", groups[0], want)
	}
	has("a[href=/databases/"+string(prdID)+"] .health", "").check(t, m)
	has("button[form=sign-out][role=option]", "Sign out").check(t, m)
	has("button[data-open=keys]", "Keyboard shortcuts").check(t, m)
	groups, _ = f.palette(t, "plain", nil)
	if got := strings.Join(groups, " | "); !strings.HasPrefix(got, "Commands: Connect an agent, ") || strings.Contains(got, "Users") || !strings.Contains(got, "Pages: Dashboard, Hosts, ") {
		t.Errorf("without anything: %s", got)
	}
	many := make([]string, 50)
	for n := range many {
		f.host(100+n, "many")
		many[n] = "/hosts/" + string(hostID(100+n))
	}
	if groups, _ = f.palette(t, "plain", url.Values{"recent": many}); strings.Count(groups[0], "many") != maxRecentThings {
		t.Errorf("recent things: %s", groups[0])
	}
	if w := f.do(call{target: "/palette"}); w.Code != http.StatusSeeOther && w.Code != http.StatusUnauthorized {
		t.Errorf("nobody gets status %d", w.Code)
	}
}

// TestPaletteLeadsToWhatIsPermitted checks that each command demands what its
// page demands, and that the forms and dialogs of buttons are on every page.
func TestPaletteLeadsToWhatIsPermitted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", 1)
	s := f.server(t)
	f.user("plain")
	frame := f.page(t, "/about", "plain")
	var reader page.Reader
	for _, c := range s.permittedCommands(reader) {
		if c.requiredAbility != "" {
			t.Errorf("%s is offered to somebody without abilities", c.Name)
		}
	}
	root := f.do(call{target: "/palette", as: "root"})
	if root.Code != http.StatusOK {
		t.Fatal(root.Code)
	}
	for _, c := range s.allCommands() {
		if c.URL == "" {
			selector := "dialog#" + c.Dialog
			if c.Form != "" {
				selector = "form#" + c.Form
			}
			has(selector, "").check(t, frame)
			if c.Field != "" {
				has(selector+" button[name="+c.Field+"][value="+c.Value+"]", "").check(t, frame)
			}
			continue
		}
		want := auth.SignedIn
		if c.requiredAbility != "" {
			want = auth.Needs(c.requiredAbility)
		}
		if !strings.HasPrefix(c.URL, "/api/") && !slices.ContainsFunc(s.routes(), func(r api.Route) bool {
			return r.Method == "GET" && r.Path == c.URL && (r.Access == want || r.Access == auth.OnWall && want == auth.SignedIn)
		}) {
			t.Errorf("%s: no page at %s demands %v", c.Name, c.URL, want)
		}
		if w := f.do(call{target: c.URL, as: "root"}); w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
			t.Errorf("%s: %s answers %d", c.Name, c.URL, w.Code)
		}
	}
}

// TestPaletteRate checks that one user cannot keep the server busy, and that
// others do not notice.
func TestPaletteRate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("hasty")
	f.user("calm")
	statuses := make(map[int]int)
	for range paletteBurst + 20 {
		statuses[f.do(call{target: "/palette?q=" + strings.Repeat("x", 3000), as: "hasty"}).Code]++
	}
	if statuses[http.StatusOK] < paletteBurst || statuses[http.StatusTooManyRequests] == 0 || len(statuses) != 2 {
		t.Errorf("statuses %v", statuses)
	}
	if w := f.do(call{target: "/palette", as: "calm"}); w.Code != http.StatusOK {
		t.Errorf("another user gets %d", w.Code)
	}
}

// opensPalette opens the palette with the keyboard, and waits until it offers
// something.
func (tab *tab) opensPalette() {
	tab.t.Helper()
	tab.run(chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	tab.until(exists("dialog#palette:modal [role=option][aria-selected=true]"))
}

// testPaletteKeys walks through the palette with the keyboard, and with a
// pointer on a small screen.
func testPaletteKeys(tab *tab) {
	chosen := exists("#palette [aria-selected=true] .palette-name") + "?.textContent"
	tab.host(1, "hana01")
	tab.host(2, "hana02")
	tab.signedIn()
	tab.live("/hosts")
	tab.press("/")
	tab.wants("document.activeElement.getAttribute('role')", "combobox")
	tab.wants("document.activeElement.value = ''", "") // the driver types the sign, too, which a keyboard does not
	tab.press("hana0")
	tab.wants(chosen, "hana01")
	tab.press(kb.ArrowDown)
	tab.wants(chosen, "hana02")
	tab.wants("document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent.trim().startsWith('hana02')", "true")
	tab.press(kb.End)
	tab.wants(chosen, "Look for “hana0” in the activity log")
	tab.press(kb.ArrowDown)
	tab.wants(chosen, "hana01")
	tab.press(kb.ArrowUp)
	tab.press(kb.Home)
	tab.press(kb.Enter)
	tab.until("location.pathname === '/hosts/" + string(hostID(1)) + "'")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	tab.live("/about")
	tab.opensPalette()
	tab.wants(exists("#palette [role=group]")+".innerText.trim().split(/\\s+/).slice(0, 3).join(' ')", "Opened last hana01")
	tab.press("tag hana02" + kb.Enter) // the answer comes after the key
	tab.until("location.hash")
	tab.wants("document.activeElement.getAttribute('aria-label')", "New tag of host hana02")
	tab.opensPalette()
	tab.press("dark")
	tab.wants(chosen, "Use the dark theme")
	tab.press(kb.Enter)
	tab.wants("document.documentElement.dataset.theme", "dark")
	tab.until("!" + exists("#palette[open]"))

	tab.run(chromedp.EmulateViewport(390, 844))
	tab.clickOn(aLink, "Search everywhere")
	tab.until(exists("dialog#palette:modal"))
	tab.press("sign out")
	tab.wants(chosen, "Sign out")
	tab.wants("Boolean(sessionStorage.getItem('trento-recent'))", "true")
	tab.click("#palette [role=option]")
	tab.until("location.pathname === '/session/new'")
	tab.wants("sessionStorage.getItem('trento-recent')", "null")
}
