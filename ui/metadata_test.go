package ui

import (
	"testing"
)

// TestThingsAreLinks checks that the log of a thing links to the other things,
// and does not repeat the thing's own name.
func TestThingsAreLinks(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	database, system := "/databases/"+string(prdID), "/sap_systems/"+string(nwpID)
	tests := []struct {
		target string
		want   []element
	}{
		{database, []element{has("#activity .thing a[href=/hosts/"+string(hostID(1))+"]", "hana01"), hasNot("#activity .thing a[href=" + database + "]")}},
		{system, []element{has("#activity .thing a[href=/hosts/"+string(hostID(5))+"]", "app01"), hasNot("#activity .thing a[href=" + system + "]")}},
		{"/hosts/" + string(hostID(1)), []element{has("#activity .thing a[href="+database+"]", "PRD"), has("#activity .thing a[href="+clusterPath("hana")+"]", "hana_cluster")}},
		{"/hosts/" + string(hostID(5)), []element{has("#activity .thing a[href="+system+"]", "NWP")}},
		{"/", []element{has("#latest .thing a", "")}},
	}
	for _, tt := range tests {
		page := parseMarkup(t, f.do(call{target: tt.target, as: "admin"}).Body.String())
		for _, e := range tt.want {
			e.check(t, page)
		}
	}
}
