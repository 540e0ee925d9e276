package landscape

import (
	"fmt"
	"testing"

	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// TestLinksToMore checks that there is a link for each kind with things that
// are not shown.
func TestLinksToMore(t *testing.T) {
	affected := func(kind activity.ThingKind) landscape.Affected {
		return landscape.Affected{Thing: landscape.Thing{Kind: kind, ID: "x"}}
	}
	rest := linksToRest([]*landscape.Incident{
		{Root: affected(activity.ClusterThing), Symptoms: []landscape.Affected{affected(activity.DatabaseThing)}},
		{Root: affected(activity.DatabaseThing), Together: []landscape.Affected{affected(activity.HostThing)}}, {Root: affected(activity.SAPSystemThing)}, {Root: affected(agentThing)},
	})
	want := []page.ActionLink{
		{Label: "1 more SAP system needs attention", URL: "/sap_systems"}, {Label: "2 more HANA databases need attention", URL: "/databases"},
		{Label: "1 more cluster needs attention", URL: "/clusters"}, {Label: "1 more host needs attention", URL: "/hosts"}, {Label: "1 more agent needs attention", URL: "/agents"},
	}
	if fmt.Sprint(rest) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", rest, want)
	}
}

// TestSymptomsLabel checks the words for what an incident contains.
func TestSymptomsLabel(t *testing.T) {
	for _, tt := range []struct {
		together, symptoms int
		want               string
	}{
		{0, 0, ""}, {0, 1, "and 1 thing because of it"}, {0, 5, "and 5 things because of it"},
		{1, 0, "the other host"}, {2, 3, "the 2 other hosts, and 3 things because of them"},
	} {
		i := &landscape.Incident{Together: make([]landscape.Affected, tt.together), Symptoms: make([]landscape.Affected, tt.symptoms)}
		if got := symptomsLabel(i); got != tt.want {
			t.Errorf("%d and %d: %q, want %q", tt.together, tt.symptoms, got, tt.want)
		}
	}
}
