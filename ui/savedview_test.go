package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"trento/auth"
	"trento/store/activity"
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
