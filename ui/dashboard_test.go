package ui

import (
	"fmt"
	"testing"

	"trento/store/landscape"
)

// TestMoreAttention checks that there is a link for each kind with things that
// do not fit on the dashboard.
func TestMoreAttention(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	for n := range 10 + 2 {
		f.host(n+1, fmt.Sprintf("app%02d", n))
		f.beat(n + 1)
	}
	f.silence()
	report := hanaClusterReport()
	f.discover(1, landscape.Observation{Cluster: report})
	page := parseMarkup(t, f.do(call{target: "/", as: "plain"}).Body.String())
	if shown := len(page.all("#attention .incident")); shown != 10 {
		t.Errorf("%d things are shown", shown)
	}
	has(".more-line a[href=/hosts]", "more hosts need attention").check(t, page)
	has(".more-line a[href=/cleanup]", "12 things can be cleaned up").check(t, page)
}
