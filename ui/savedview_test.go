package ui

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
)

func TestSavedViews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.user("bob")
	f.host(1, "hana01")
	post := func(path, as string, form url.Values, want int) {
		t.Helper()
		if w := f.do(call{method: "POST", target: path, as: as, form: form}); w.Code != want {
			t.Errorf("POST %s %v as %q: status %d, want %d", path, form, as, w.Code, want)
		}
	}
	links := func(path, as string) (all []string) {
		for _, link := range f.page(t, path, as).all(".view-list a") {
			href, _ := attribute(link, "href")
			all = append(all, text(link)+" "+href)
		}
		return all
	}
	// What the page of a filtered list offers to save leads back to it.
	form := f.page(t, "/hosts?q=hana&sort=-hostname&page=1", "ann")
	query, _ := attribute(form.one(".view-save input[name=query]"), "value")
	post("/views", "ann", url.Values{"screen": {"/hosts"}, "name": {"<b>mine</b>"}, "query": {query}, "return_to": {"/hosts"}}, http.StatusSeeOther)
	want := []string{"<b>mine</b> /hosts?q=hana&sort=-hostname"}
	if got := links("/hosts", "ann"); !slices.Equal(got, want) {
		t.Errorf("views %q, want %q", got, want)
	}
	if current := f.page(t, "/hosts?q=hana&sort=-hostname", "ann").all(".view-list a[aria-current]"); len(current) != 1 {
		t.Error("the view that is shown is not marked")
	}
	for _, other := range []struct{ path, as string }{{"/hosts", "bob"}, {"/clusters", "ann"}} {
		if got := links(other.path, other.as); len(got) != 0 {
			t.Errorf("%s of %s has views: %q", other.path, other.as, got)
		}
	}
	post("/views", "", url.Values{"screen": {"/hosts"}, "name": {"x"}}, http.StatusSeeOther) // to sign in
	post("/views", "ann", url.Values{"screen": {"//elsewhere"}, "name": {"x"}}, http.StatusBadRequest)
	post("/views", "ann", url.Values{"screen": {"/hosts"}, "name": {"x"}, "query": {"%zz"}}, http.StatusBadRequest)
	post("/views", "ann", url.Values{"screen": {"/hosts"}, "name": {" "}}, http.StatusSeeOther)
	if got := links("/hosts", "ann"); !slices.Equal(got, want) {
		t.Errorf("views %q after what was refused", got)
	}
	post("/views/remove", "ann", url.Values{"screen": {"/hosts"}, "name": {"<b>mine</b>"}}, http.StatusSeeOther)
	if got := links("/hosts", "ann"); len(got) != 0 {
		t.Errorf("views %q after they were removed", got)
	}
}

// TestEveryListSavesViews saves what the page of a list offers to save: its
// filters, but not the place in the list nor what is open.
func TestEveryListSavesViews(t *testing.T) {
	t.Parallel()
	f := catalogueFixture(t)
	boss := f.user("boss", 1)
	if _, _, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: boss}, auth.NewToken{Name: "export"}); err != nil {
		t.Fatal(err)
	}
	f.host(1, "hana01")
	f.silence()
	f.indexed()
	cursor := activity.PositionAt(f.clock.Now()).Cursor()
	for path, query := range map[string]string{
		"/hosts":        "q=hana&page=3&peek=" + string(hostID(1)),
		"/cleanup":      "sort=-name",
		"/availability": "kind=host&page=2",
		"/agents":       "q=hana",
		"/catalog":      "q=a&severity=critical&page=2",
		"/activity_log": "from_date=7d&severity=critical&severity=info&first=50&rows=entries&refreshRate=live&open=x&after=" + cursor,
		"/users":        "q=boss&page=1",
		"/tokens":       "",
	} {
		w := f.do(call{target: path + "?" + query, as: "boss"})
		for w.Code == http.StatusSeeOther { // the page does not exist
			w = f.do(call{target: w.Header().Get("Location"), as: "boss"})
		}
		shown := parseMarkup(t, w.Body.String())
		if len(shown.all(".view-save")) == 0 {
			t.Errorf("%s: no view can be saved", path)
			continue
		}
		saved, _ := attribute(shown.one(".view-save input[name=query]"), "value")
		values, err := url.ParseQuery(saved)
		if err != nil || values.Has("page") || values.Has("after") || values.Has("entry") || values.Has("open") || values.Has("peek") || values.Has("refreshRate") {
			t.Errorf("%s?%s: the view keeps %q", path, query, saved)
		}
		if strings.Contains(query, "q=") && !values.Has("q") || path == "/activity_log" && saved != "first=50&from_date=7d&rows=entries&severity=critical&severity=info" {
			t.Errorf("%s?%s: the view keeps %q", path, query, saved)
		}
		form := url.Values{"screen": {path}, "name": {"mine"}, "query": {saved}, "return_to": {path}}
		if w := f.do(call{method: "POST", target: "/views", as: "boss", form: form}); w.Code != http.StatusSeeOther {
			t.Errorf("%s: the view was not saved: %d", path, w.Code)
		}
		link, _ := attribute(f.page(t, path, "boss").one(".view-list a"), "href")
		if current := f.page(t, link, "boss").all(".view-list a[aria-current]"); len(current) != 1 {
			t.Errorf("%s: the view %s is not marked", path, link)
		}
	}
}

// TestSharedViews shares a view with everybody, replaces it and removes it, each
// after a question where others lose something.
func TestSharedViews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2) // all:users
	f.user("ada")
	f.user("auditor", 17) // activity_log:users
	f.host(1, "hana01")
	f.indexed()
	post := func(path, as string, form url.Values) *httptest.ResponseRecorder {
		t.Helper()
		form.Set("return_to", "/hosts?q=hana")
		return f.do(call{method: "POST", target: path, as: as, form: form})
	}
	shared := func(path, as string) (all []string) {
		for _, link := range f.page(t, path, as).all("ul[aria-labelledby=shared-views] a") {
			href, _ := attribute(link, "href")
			all = append(all, text(link)+" "+href)
		}
		return all
	}
	view := func(screen, name, query string) url.Values {
		return url.Values{"screen": {screen}, "name": {name}, "query": {query}}
	}
	if w := post("/views/shared", "ada", view("/hosts", "x", "")); w.Code != http.StatusForbidden || len(f.page(t, "/hosts", "ada").all("[formaction]")) != 0 {
		t.Errorf("somebody without the permission can share: %d", w.Code)
	}
	if w := post("/views/shared", "boss", view("/hosts", "<b>HANA</b>", "q=hana")); w.Header().Get("Location") != "/hosts?q=hana" {
		t.Fatalf("sharing: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	want := "<b>HANA</b> by boss, " + f.clock.Now().UTC().Format("02 Jan 2006") + " /hosts?q=hana"
	for _, as := range []string{"boss", "ada"} {
		if got := shared("/hosts", as); !slices.Equal(got, []string{want}) {
			t.Errorf("%s sees %q, want %q", as, got, want)
		}
	}
	if got := shared("/clusters", "ada"); len(got) != 0 {
		t.Errorf("clusters have %q", got)
	}
	w := post("/views/shared", "boss", view("/hosts", "<B>HANA</B>", "q=x"))
	if got := f.do(call{target: "/hosts", as: "boss", cookies: w.Result().Cookies()}).Body.String(); !strings.Contains(html.UnescapeString(got), "The view was not shared: its name has already been taken by another spelling: <b>HANA</b>.") {
		t.Errorf("a name that looks alike is taken: %v", shared("/hosts", "boss"))
	}

	// Replacing asks, and asks again if somebody else was faster.
	id := f.sharedViewIDs()[0]
	question := post("/views/shared", "boss", view("/hosts", "<b>HANA</b>", "health=critical"))
	asked := parseMarkup(t, question.Body.String())
	has("h1 bdi", "<b>HANA</b>").check(t, asked)
	has("dl.facts", "q: hana").check(t, asked)
	has("dl.facts", "health: critical").check(t, asked)
	plan, _ := attribute(asked.one("main input[name=confirmed]"), "value")
	confirmed := view("/hosts", "", "health=critical")
	confirmed.Set("confirmed", "shows something else")
	if w := post("/views/shared/"+id+"/replace", "boss", confirmed); w.Code != http.StatusOK {
		t.Errorf("replacing what has changed meanwhile: status %d", w.Code)
	}
	confirmed.Set("confirmed", plan)
	post("/views/shared/"+id+"/replace", "boss", confirmed)
	if got := shared("/hosts", "ada"); len(got) != 1 || !strings.HasSuffix(got[0], "/hosts?health=critical") {
		t.Errorf("after it was replaced: %q", got)
	}

	// Views that somebody cannot open are not offered.
	post("/views/shared", "boss", view("/activity_log", "What ada does", "actor=ada"))
	for as, want := range map[string]int{"auditor": 1, "ada": 1, "boss": 1} {
		if got := shared("/activity_log", as); len(got) != want {
			t.Errorf("%s sees %q", as, got)
		}
	}
	post("/views/shared", "boss", view("/activity_log", "What boss does", "actor=boss"))
	if got := shared("/activity_log", "ada"); len(got) != 1 {
		t.Errorf("ada sees %q", got)
	}

	asked = parseMarkup(t, post("/views/shared/"+id+"/remove", "boss", url.Values{}).Body.String())
	has("main", "Everybody loses it, not only you.").check(t, asked)
	plan, _ = attribute(asked.one("main input[name=confirmed]"), "value")
	if w := post("/views/shared/"+id+"/remove", "ada", url.Values{"confirmed": {plan}}); w.Code != http.StatusForbidden || len(shared("/hosts", "ada")) != 1 {
		t.Errorf("somebody without the permission can remove it: %d", w.Code)
	}
	for range 2 { // the second time it is gone
		if w := post("/views/shared/"+id+"/remove", "boss", url.Values{"confirmed": {plan}}); w.Code != http.StatusSeeOther || len(shared("/hosts", "ada")) != 0 {
			t.Errorf("removing: status %d", w.Code)
		}
	}
}

func (f *fixture) sharedViewIDs() (ids []string) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) error {
		all, err := tx.SharedViews()
		for _, v := range all {
			ids = append(ids, v.ID)
		}
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
	return ids
}

// TestListsOfViews compares the lists that can have views with the routes: who
// may not open a list is not offered its shared views.
func TestListsOfViews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	routes := map[string]auth.Access{}
	for _, route := range f.server(t).routes() {
		if route.Method == "GET" {
			routes[route.Path] = route.Access
		}
	}
	for path, ability := range api.ViewScreens() {
		access := auth.SignedIn
		if ability != "" {
			access = auth.Needs(ability)
		}
		if got, ok := routes[path]; !ok || got != access {
			t.Errorf("%s needs %q for its views, and %v for its page", path, ability, got)
		}
	}
}

// testWalkByKeys goes through a list without a mouse: to it, along its rows, into
// what is beside it, choosing some, and to a shared view and back.
func testWalkByKeys(tab *tab) {
	for n, name := range []string{"app01", "hana01", "hana02"} {
		tab.host(n+1, name)
	}
	if _, err := tab.store.ShareView(context.Background(), store.Actor{Name: "boss"}, 7, store.SavedView{Screen: "/hosts", Name: "HANA", Query: "q=hana"}); err != nil {
		tab.t.Fatal(err)
	}
	tab.loadAxe()
	tab.signedIn()
	tab.live("/")
	focused := func(want string) { tab.t.Helper(); tab.wants("document.activeElement.textContent.trim()", want) }
	for _, key := range []string{"g", "h"} {
		tab.press(key)
	}
	tab.until("location.pathname === '/hosts'")
	tab.until("document.querySelector('#live')?.dataset.state === 'live'")
	focused("Hosts 3")
	tab.press(kb.ArrowDown)
	focused("app01")
	tab.press(kb.ArrowDown)
	focused("hana01")

	tab.press(kb.ArrowRight)
	focused("hana01") // its title beside the list
	tab.until("document.activeElement.closest('aside, [role=complementary], #peek')")
	tab.press(kb.Escape)
	tab.until("document.activeElement.closest('tr') && !" + exists("#peek"))
	focused("hana01")

	tab.press(" ")
	tab.press(kb.ArrowDown)
	focused("hana02")
	tab.press(" ")
	tab.wants("[...document.querySelectorAll('main tbody input[type=checkbox]:checked')].map((box) => box.closest('tr').querySelector('th').innerText.trim()).join()", "hana01,hana02")

	tab.page().tabTo(aMenu, "Views")
	tab.press(kb.Enter)
	tab.page().tabTo(aLink, "HANA by boss")
	tab.press(kb.Enter)
	tab.until("location.search === '?q=hana'")
	tab.wants("[...document.querySelectorAll('main tbody tr')].map((row) => row.querySelector('th').innerText.trim()).join()", "hana01,hana02")
	tab.until("document.activeElement.matches('#views > summary') && !document.querySelector('#views').open") // the focus does not vanish with the link
	tab.ask("history.back()")
	tab.until("location.search === ''")
	tab.wants("document.querySelectorAll('main tbody tr').length", "3")

	tab.openMenu("Views").click(aButton, "Remove the shared view HANA…")
	tab.until("location.pathname.endsWith('/remove')")
	tab.findsNoBarrierInAnyLook("removing a shared view")
	tab.fitsScreen("removing a shared view")
}
