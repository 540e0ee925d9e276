package ui

import (
	"fmt"
	"testing"
	"time"

	"trento/store/landscape"
)

// TestMoreAttention: what the dashboard has no room for is in the list of its
// kind, and each kind is told.
func TestMoreAttention(t *testing.T) {
	f := newFixture(t)
	f.user("plain")
	for n := range maxAttention + 2 {
		f.host(n+1, fmt.Sprintf("app%02d", n))
		f.beat(n + 1)
	}
	f.silence()
	report := hanaClusterReport()
	f.discover(1, landscape.Observation{Cluster: report})
	page := parseMarkup(t, f.do(call{target: "/", as: "plain"}).Body.String())
	if shown := len(page.all("#attention .attention li")); shown != maxAttention {
		t.Errorf("%d things are shown", shown)
	}
	has(".more-line a[href=/hosts]", "more hosts need attention").check(t, page)
	has(".more-line a[href=/cleanup]", "12 things can be cleaned up").check(t, page)
	rest := more([]attentionItem{{path: "/clusters"}, {path: "/databases"}, {path: "/databases"}, {path: "/hosts"}, {path: "/sap_systems"}})
	want := []actionLink{
		{"1 more SAP system needs attention", "/sap_systems"}, {"2 more HANA databases need attention", "/databases"},
		{"1 more cluster needs attention", "/clusters"}, {"1 more host needs attention", "/hosts"},
	}
	if fmt.Sprint(rest) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rest, want)
	}
}

// TestNeedWords: what needs attention says why.
func TestNeedWords(t *testing.T) {
	silent := time.Now()
	for _, tt := range []struct {
		item attentionItem
		want string
	}{
		{attentionItem{health: landscape.HealthCritical, cause: "instance 00"}, "is critical because of instance 00"},
		{attentionItem{health: landscape.HealthWarning, cause: "saptune", silent: &silent}, "has a warning because of saptune and does not report"},
		{attentionItem{health: landscape.HealthCritical}, "is critical"},
		{attentionItem{health: landscape.HealthPassing, silent: &silent}, "does not report"},
		{attentionItem{health: landscape.HealthWarning, report: "sends what cannot be read"}, "sends what cannot be read"},
	} {
		if got := needWords(tt.item); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
