package ui

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
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
