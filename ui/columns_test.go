package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestChosenColumns checks which columns a list shows for an address and for the
// columns that a browser remembers.
func TestChosenColumns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.host(1, "hana01")
	usual := f.page(t, "/hosts", "ann").texts("#heads th a")
	for _, tt := range []struct {
		name, target, remembered string
		want                     []string
		cookie                   string // value of the cookie that is set; "-" deletes it, "" means none
	}{
		{"remembered", "/hosts", "memory.os", []string{"Hostname", "OS", "Memory"}, ""},
		{"in the address", "/hosts?columns=health&columns=cpu", "", []string{"Health", "Hostname", "CPUs"}, "health.hostname.cpu"},
		{"address before memory", "/hosts?columns=cpu", "memory", []string{"Hostname", "CPUs"}, "hostname.cpu"},
		{"unknown", "/hosts?columns=nonsense", "", usual, ""},
		{"unknown, remembered", "/hosts", "nonsense.of.long.ago", usual, ""},
		{"usual again", "/hosts?columns=usual", "memory", usual, "-"},
		{"a page", "/hosts?columns=cpu&page=1&sort=memory", "", []string{"Hostname", "CPUs"}, "hostname.cpu"},
	} {
		header := make(http.Header)
		if tt.remembered != "" {
			header.Set("Cookie", "trento-columns-hosts="+tt.remembered)
		}
		w := f.do(call{target: tt.target, as: "ann", header: header})
		page := parseMarkup(t, w.Body.String())
		if got := page.texts("#heads th a"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: columns %q, want %q", tt.name, got, tt.want)
		}
		var labels []string
		for _, kind := range []string{"#rows tbody th[data-label]", "#rows tbody td[data-label]"} {
			labels = append(labels, page.texts(kind)...)
		}
		if len(labels) != len(tt.want) {
			t.Errorf("%s: %d cells in a row, want %d", tt.name, len(labels), len(tt.want))
		}
		var cookie string
		for _, c := range w.Result().Cookies() {
			if c.Name == "trento-columns-hosts" {
				cookie = c.Value
				if c.MaxAge < 0 {
					cookie = "-"
				}
			}
		}
		if cookie != tt.cookie {
			t.Errorf("%s: the cookie is set to %q, want %q", tt.name, cookie, tt.cookie)
		}
	}
	// A view that is saved contains the columns, also those that were remembered.
	w := f.do(call{target: "/hosts?q=hana", as: "ann", header: http.Header{"Cookie": {"trento-columns-hosts=cpu"}}})
	query, _ := attribute(parseMarkup(t, w.Body.String()).one(".view-save input[name=query]"), "value")
	if q, err := url.ParseQuery(query); err != nil || !slices.Equal(q["columns"], []string{"hostname", "cpu"}) {
		t.Errorf("the saved view is %q, %v", query, err)
	}
	// What can be chosen is what the CSV has, without the name, which is always shown.
	header, _, _ := strings.Cut(f.do(call{target: "/hosts.csv?columns=cpu", as: "ann"}).Body.String(), "\n")
	columns := strings.Split(strings.TrimSpace(header), ",")
	options := f.page(t, "/hosts", "ann").texts("#columns .options label")
	if want := slices.DeleteFunc(columns, func(label string) bool { return label == "Hostname" }); !slices.Equal(options, want) {
		t.Errorf("%q can be chosen, the CSV has %q", options, want)
	}
}
