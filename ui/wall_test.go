package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

var (
	codeOfScreen = regexp.MustCompile(`[A-Z2-9]{4}-[A-Z2-9]{4}`)
	codeOnPage   = regexp.MustCompile(`class="mono">(` + codeOfScreen.String() + `)<`)
)

// addScreen adds a screen as a person does, and returns its code.
func (f *fixture) addScreen(as, name string) (code string) {
	f.t.Helper()
	if status, _, to := f.post(as, "/settings/displays", "name", name); status != http.StatusSeeOther || !strings.HasPrefix(to, "/settings/displays") {
		f.t.Fatalf("adding a screen: status %d, to %s", status, to)
	}
	found := codeOnPage.FindStringSubmatch(f.do(call{target: "/settings/displays", as: as}).Body.String())
	if found == nil {
		f.t.Fatal("there is no code")
	}
	return found[1]
}

// connectScreen types a code into the browser of a screen, and returns its
// cookie; nil if the code was refused.
func (f *fixture) connectScreen(code string) *http.Cookie {
	f.t.Helper()
	w := f.do(call{method: "POST", target: "/wall/connect", form: url.Values{"code": {code}}})
	switch {
	case w.Code == http.StatusUnauthorized && len(w.Result().Cookies()) == 0:
		return nil
	case w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/wall" || len(w.Result().Cookies()) != 1:
		f.t.Fatalf("status %d, to %s, cookies %v", w.Code, w.Header().Get("Location"), w.Result().Cookies())
	}
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge < 300*24*3600 {
		f.t.Errorf("the cookie is %v", cookie)
	}
	return cookie
}

func (f *fixture) wall(cookie *http.Cookie) *httptest.ResponseRecorder {
	return f.do(call{target: "/wall", cookies: []*http.Cookie{cookie}})
}

// TestScreenOnWall follows a screen from its code to its removal.
func TestScreenOnWall(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2) // all:users
	f.user("other", 2)
	f.user("ada")
	f.host(1, "hana01")
	if w := f.do(call{target: "/settings/displays", as: "ada"}); w.Code != http.StatusForbidden {
		t.Errorf("somebody else may see the screens: %d", w.Code)
	}
	code := f.addScreen("boss", "Control room")
	if text := f.do(call{target: "/settings/displays", as: "other"}).Body.String(); strings.Contains(text, code) || !strings.Contains(text, "Waits for its code") {
		t.Error("another user sees the code")
	}
	for _, wrong := range []string{"", "AAAA-AAAA", code[1:]} {
		if f.connectScreen(wrong) != nil {
			t.Errorf("the code %q was taken", wrong)
		}
	}
	screen := f.connectScreen(" " + strings.ToLower(strings.Replace(code, "-", " ", 1)))
	if screen == nil {
		t.Fatal("the code was refused")
	}
	if f.connectScreen(code) != nil {
		t.Error("the code was taken twice")
	}
	w := f.wall(screen)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Needs attention") || strings.Contains(w.Body.String(), `href="/hosts`) {
		t.Errorf("status %d\n%.3000s", w.Code, w.Body)
	}
	if text := f.do(call{target: "/settings/displays", as: "other"}).Body.String(); !strings.Contains(text, "Connected") || strings.Contains(text, code) {
		t.Error("the settings do not say that it is connected")
	}

	id := f.screens()[0].ID
	if status, _, _ := f.post("boss", "/settings/displays/"+id+"/remove"); status != http.StatusOK || len(f.screens()) != 1 {
		t.Errorf("it is removed without a question: status %d", status)
	}
	if status, _, to := f.post("boss", "/settings/displays/"+id+"/remove", "confirmed", "yes"); status != http.StatusSeeOther || to != "/settings/displays" {
		t.Errorf("removing: status %d, to %s", status, to)
	}
	if w := f.wall(screen); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/session/new") {
		t.Errorf("a removed screen: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	f.indexed()
	for _, text := range []string{"Screen &#34;Control room&#34; was added", "was connected from", "was removed"} {
		if page := f.do(call{target: "/activity_log", as: "boss"}).Body.String(); !strings.Contains(page, text) {
			t.Errorf("the log has no entry %q", text)
		}
	}
}

func (f *fixture) screens() (all []*store.Display) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) {
		all, err = tx.Displays()
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
	return all
}

// TestCodeOfScreenExpires checks that a code is good for ten minutes.
func TestCodeOfScreenExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2)
	code := f.addScreen("boss", "Hall")
	f.clock.pass(store.DisplayCodeLifetime)
	if f.connectScreen(code) != nil {
		t.Error("an old code was taken")
	}
	if text := f.do(call{target: "/settings/displays", as: "boss"}).Body.String(); !strings.Contains(text, "Its code has expired") || strings.Contains(text, code) {
		t.Error("the settings do not say that the code has expired")
	}
}

// TestScreenReadsTheWallOnly tries all routes with the cookie of a screen. For
// all but the wall it is nobody.
func TestScreenReadsTheWallOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2)
	screen := f.connectScreen(f.addScreen("boss", "Hall"))
	open := map[string]bool{"/wall": true, "/wall/events": true}
	for _, route := range f.server(t).routes() {
		if route.Access == auth.Public || route.Path == "/wall/events" {
			continue
		}
		target := strings.NewReplacer("{id}", "x", "{host}", "x", "{number}", "00", "{token}", "x", "{session}", "x").Replace(route.Path)
		w := f.do(call{method: route.Method, target: target, cookies: []*http.Cookie{screen}})
		if refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/session/new"); refused == open[route.Path] {
			t.Errorf("%s %s: status %d, to %s", route.Method, route.Path, w.Code, w.Header().Get("Location"))
		}
	}
	for _, path := range []string{"/api/v1/hosts", "/api/v1/events", "/api/v1/displays"} {
		if w := f.do(call{target: path, cookies: []*http.Cookie{screen}}); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

// TestEventsOfWall checks that a screen is told of changes, but not of what has
// changed, and that its stream ends with it.
func TestEventsOfWall(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.user("boss", 2)
	f.cookies["screen"] = f.connectScreen(f.addScreen("boss", "Hall"))
	server := f.serve()
	s := f.subscribe(t, server.URL+"/wall/events", "screen")
	person := f.subscribe(t, server.URL+"/wall/events", "boss")
	for _, stream := range []*subscription{s, person} {
		if e := stream.next(); e.name != "change" {
			t.Fatalf("the first event is %+v", e)
		}
	}
	f.host(1, "hana01")
	if e := s.next(); e.name != "change" || strings.Contains(e.data, string(hostID(1))) {
		t.Errorf("after a change comes %+v", e)
	}
	if err := f.store.DeleteDisplay(t.Context(), store.Actor{Name: boss.Username}, f.screens()[0].ID); err != nil {
		t.Fatal(err)
	}
	s.wants("signed-out")
	if e := s.next(); e.name != "" {
		t.Errorf("after the end comes %+v", e)
	}
}

// TestWallInBrowser adds a screen in one browser and connects it in another,
// which then shows what happens until it is removed.
func TestWallInBrowser(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	f := newFixtureAt(t, &clock{now: time.Now().Truncate(time.Second)})
	f.user("ada", 1)
	f.host(1, "hana01")
	server := f.serve()
	person, screen := newTabOn(t, chromium, f, server), newTabOn(t, chromium, f, server)
	person.signedIn()
	person.live("/settings/displays")
	person.page().find(aField, "Name of the screen").click()
	person.press("Control room")
	person.clickOn(aButton, "Add Screen")
	person.until("/[A-Z2-9]{4}-[A-Z2-9]{4}/.test(document.body.innerText)")
	code := codeOfScreen.FindString(person.ask("document.body.innerText"))

	screen.open("/wall/connect")
	screen.page().find(aField, "Code").click()
	screen.press(strings.ToLower(code) + "\r")
	screen.until("location.pathname === '/wall' && document.getElementById('live')?.dataset.state === 'live'")
	screen.until("/Nothing needs attention/.test(document.body.innerText)")
	f.silence(1)
	f.observe(1, landscape.Observation{})
	f.beat(1)
	f.silence()
	screen.until("/hana01[\\s\\S]*does not report/.test(document.body.innerText)")

	person.until("/Connected/.test(document.body.innerText)")
	person.clickOn(aLink, "Remove Control room")
	person.clickOn(aButton, "Remove Screen")
	screen.until("location.pathname === '/wall/connect'")

	person.live("/wall")
	person.press("\x1b")
	person.until("location.pathname === '/'")
}
