package landscape

import (
	"fmt"
	"testing"
	"time"

	"trento/store/landscape"
	"trento/ui/page"
)

// TestAttentionText checks that each thing that needs attention says why.
func TestAttentionText(t *testing.T) {
	silent := time.Now()
	for _, tt := range []struct {
		item attentionItem
		want string
	}{
		{attentionItem{health: landscape.HealthCritical, cause: "instance 00 is red"}, "is critical: instance 00 is red"},
		{attentionItem{health: landscape.HealthWarning, cause: "saptune is not installed", silentSince: &silent}, "does not report and has a warning: saptune is not installed"},
		{attentionItem{health: landscape.HealthCritical}, "is critical"},
		{attentionItem{health: landscape.HealthPassing, silentSince: &silent}, "does not report"},
		{attentionItem{health: landscape.HealthWarning, report: "sends what cannot be read"}, "sends what cannot be read"},
	} {
		if got := attentionText(tt.item); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestLinksToMore checks that there is a link for each kind with things that
// are not shown.
func TestLinksToMore(t *testing.T) {
	rest := linksToRest([]attentionItem{{path: "/clusters"}, {path: "/databases"}, {path: "/databases"}, {path: "/hosts"}, {path: "/sap_systems"}})
	want := []page.ActionLink{
		{Label: "1 more SAP system needs attention", URL: "/sap_systems"}, {Label: "2 more HANA databases need attention", URL: "/databases"},
		{Label: "1 more cluster needs attention", URL: "/clusters"}, {Label: "1 more host needs attention", URL: "/hosts"},
	}
	if fmt.Sprint(rest) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rest, want)
	}
}
