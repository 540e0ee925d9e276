package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trento/store"
	"trento/store/landscape"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	for kind, id := range map[store.TagKind]string{store.HostTag: string(hostID(5)), store.DatabaseTag: string(prdID)} {
		if err := f.store.AddTag(t.Context(), store.System(), kind, id, "env:Live"); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 12 {
		f.host(20+n, fmt.Sprintf("many%02d", n))
	}
	host := func(n int) string { return "/hosts/" + string(hostID(n)) }
	database, system := "/databases/"+string(prdID), "/sap_systems/"+string(nwpID)
	tests := []struct {
		name, words string
		page        []element
	}{
		{"nothing asked", "", []element{has("h1", "Search"), has(".empty", "By name, SID"), hasNot("section")}},
		{"blanks", "  ", []element{has(".empty", "By name, SID")}},
		{"host", "HANA01", []element{has("#hosts a[href="+host(1)+"]", "hana01"), has("#hosts li .meta", "10.0.0.2"), hasNot("#clusters"), hasNot("#databases"), hasNot(".empty")}},
		{"address", "10.0.0.2", []element{has("#hosts a[href="+host(1)+"]", "hana01"), has("#sap_systems a", "NWP")}},
		{"domain name", "hana02.example.com", []element{has("#hosts a[href="+host(2)+"]", "hana02")}},
		{"SID", "prd", []element{
			has("#databases a[href="+database+"]", "PRD"), has("#clusters a[href="+clusterPath("hana")+"]", "hana_cluster"), has("#sap_systems li", "on PRD"), has("#hosts li", "hana01")}},
		{"tenant", "nwp", []element{has("#sap_systems a[href="+system+"]", "NWP"), has("#databases a[href="+database+"]", "PRD")}},
		{"tag", "env:live", []element{has("#hosts a[href="+host(5)+"]", "app01"), has("#databases li", "env:Live"), hasNot("#clusters")}},
		{"several words", "hana azure", []element{has("#hosts .count", "1"), hasNot("#hosts .more-link")}},
		{"id", string(nwpID), []element{has("#sap_systems a[href="+system+"]", "NWP"), hasNot("#hosts")}},
		{"more than are shown", "many", []element{has("#hosts .count", "12"), has("#hosts a[href=/hosts?q=many]", "Show all 12")}},
		{"nothing found", "no such thing", []element{has(".empty h2", "Nothing found"), has(".empty", "no such thing"), has("main .meta a", "activity log")}},
		{"hostile", hostile, []element{has(".empty h2", "Nothing found"), has("input[name=q]", "")}},
		{"too long", strings.Repeat("ש", maxSearchLength), []element{has(".empty h2", "Nothing found")}},
	}
	f.observe(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "azure"}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			w := f.do(call{target: "/search?" + url.Values{"q": {tt.words}}.Encode(), as: "plain"})
			for w.Code == http.StatusSeeOther {
				w = f.do(call{target: w.Header().Get("Location"), as: "plain"})
			}
			if w.Code != http.StatusOK {
				t.Fatalf("status %d", w.Code)
			}
			checkMarkup(t, w.Body.String())
			page := parseMarkup(t, w.Body.String())
			for _, e := range tt.page {
				e.check(t, page)
			}
		})
	}
	// Users are for those who manage them.
	for who, e := range map[string]element{"admin": has("#users a", "plain"), "plain": has(".empty h2", "Nothing found")} {
		e.check(t, parseMarkup(t, f.do(call{target: "/search?q=plain%40example.com", as: who}).Body.String()))
	}
	w := f.do(call{target: "/search?q=" + strings.Repeat("ש", maxSearchLength), as: "plain"})
	if value, _ := attribute(parseMarkup(t, w.Body.String()).one("#words"), "value"); value != strings.Repeat("ש", maxSearchLength/2) {
		t.Errorf("looks for %d bytes", len(value))
	}
}

// TestSearchOrder checks that a thing whose name is the search comes first,
// whatever its health is.
func TestSearchOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	for n, name := range []string{"a-db1", "db10", "db1", "b-db1"} {
		f.host(n+1, name)
	}
	f.beat(1)
	f.silence()
	page := parseMarkup(t, f.do(call{target: "/search?q=DB1", as: "plain"}).Body.String())
	if got := strings.Join(page.texts("#hosts li a.name"), " "); got != "db1 db10 a-db1 b-db1" {
		t.Errorf("found in the order %s", got)
	}
}
