package ui

import (
	"net/netip"
	"testing"

	"trento/store"
	"trento/store/landscape"
)

// TestRowOfOneLine checks that a row of a list shows the first of several values,
// and that the others are in the menu behind their number.
func TestRowOfOneLine(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("tagger", 7)
	f.user("plain")
	known := facts(1, "hana01")
	for _, ip := range []string{"10.9.0.1", "10.9.0.2"} {
		known.Addresses = append(known.Addresses, landscape.Address{IP: netip.MustParseAddr(ip)})
	}
	f.observe(1, landscape.Observation{Host: &known})
	f.host(2, "hana02")
	for _, tag := range []string{"a", "b", "c"} {
		if err := f.store.AddTag(t.Context(), store.System(), store.HostTag, string(hostID(1)), tag); err != nil {
			t.Fatal(err)
		}
	}
	for _, reader := range []string{"plain", "tagger"} {
		list := f.page(t, "/hosts", reader)
		row := "#row-" + string(hostID(1)) + " "
		for _, want := range []struct{ selector, text, title string }{
			{".col-address .value", "10.0.0.2/24", "10.0.0.2/24"},
			{".col-address details summary", "+2 IP of host hana01", "10.9.0.1, 10.9.0.2"},
			{".col-address details ul", "10.9.0.1 10.9.0.2", ""},
			{".col-tags .rest summary", "+2 tags of host hana01", "b, c"},
			{".col-tags .rest div", "b c", ""},
		} {
			found := list.one(row + want.selector)
			title, _ := attribute(found, "title")
			if text(found) != want.text || title != want.title {
				t.Errorf("%s: %q with the title %q, want %q with %q", want.selector, text(found), title, want.text, want.title)
			}
		}
		if row := "#row-" + string(hostID(2)) + " "; len(list.all(row+".col-address details"))+len(list.all(row+".tag-list")) > 0 {
			t.Error("a row with one address and no tag has a menu")
		}
		if removable := len(list.all(row+".tag button[name=value]")) - len(list.all(row+".tag button[aria-disabled]")); (removable == 3) != (reader == "tagger") {
			t.Errorf("%s can remove %d tags", reader, removable)
		}
	}
}
