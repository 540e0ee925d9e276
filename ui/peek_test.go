package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// TestPeek checks that a list shows a thing beside it where the address says so,
// and that nothing else of the list is affected.
func TestPeek(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.host(1, "hana01")
	f.host(2, "hana02")
	for n := 3; n <= 7; n++ {
		f.host(n, fmt.Sprintf("app%02d", n))
	}
	f.fillSystems()
	id := string(hostID(2))
	for _, tt := range []struct {
		target string
		want   []string // texts of the title; empty: nothing is shown
	}{
		{"/hosts?peek=" + id, []string{"host hana02"}},
		{"/hosts?peek=" + id + "&q=hana01&sort=-hostname", []string{"host hana02"}},
		{"/hosts?peek=nonsense", nil},
		{"/hosts", nil},
		{"/clusters?peek=" + id, nil},
	} {
		page := f.page(t, tt.target, "ann")
		if got := page.texts("#peek-title"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q is beside the list, want %q", tt.target, got, tt.want)
		}
		without, _ := url.Parse(tt.target)
		q := without.Query()
		q.Del("peek")
		without.RawQuery = q.Encode()
		if got, want := page.texts("#rows tbody tr th"), f.page(t, without.String(), "ann").texts("#rows tbody tr th"); !slices.Equal(got, want) {
			t.Errorf("%s: rows %q, want %q", tt.target, got, want)
		}
		for _, link := range page.all("#peek header [data-peek]") {
			if href, _ := attribute(link, "href"); href != without.String() {
				t.Errorf("%s: the link that closes leads to %s", tt.target, href)
			}
		}
	}
	saved, _ := attribute(f.page(t, "/hosts?peek="+id, "ann").one(".view-save input[name=query]"), "value")
	csv, _ := attribute(f.page(t, "/hosts?peek="+id, "ann").all("#pager a[download]")[0], "href")
	if saved != "" || csv != "/hosts.csv" {
		t.Errorf("a saved view has the query %q, the CSV the address %s", saved, csv)
	}
	for _, list := range []string{"/hosts", "/clusters", "/databases", "/sap_systems"} {
		for _, link := range f.page(t, list, "ann").all("#rows tbody [data-peek]") {
			href, _ := attribute(link, "href")
			if w := f.do(call{target: href, as: "ann"}); w.Code != http.StatusOK || len(parseMarkup(t, w.Body.String()).all("#peek .facts")) != 1 {
				t.Errorf("%s: status %d, or no facts", href, w.Code)
			}
		}
	}
}
