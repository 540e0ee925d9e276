package ui

import (
	"fmt"
	"testing"

	"trento/store/landscape"
)

// TestClusterLeadsToWhatIsListed: of a rebuilt database and the one it has
// replaced, which have the same SID, the cluster leads to the one that its
// hosts list, whichever has the lower id; the other one can be cleaned up.
func TestClusterLeadsToWhatIsListed(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	former, lower := prdID, 0
	for n := range 4 {
		rebuilt := landscape.DatabaseIDFromKey(fmt.Sprint("prd rebuilt ", n))
		if rebuilt < former {
			lower++
		}
		for host, e := range map[int]landscape.Element{
			1: hanaElement(landscape.PrimaryRole, "EAST", "", 1, 1, landscape.Green),
			2: hanaElement(landscape.SecondaryRole, "WEST", "EAST", 2, 2, landscape.Green),
		} {
			e.Database.ID = rebuilt
			f.discover(host, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{e}}})
		}
		now, then := "a[href=/databases/"+string(rebuilt)+"]", "a[href=/databases/"+string(former)+"]"
		page := f.page(t, clusterPath("hana"), "admin")
		has("[aria-labelledby=facts-title] "+now, "PRD").check(t, page)
		hasNot("[aria-labelledby=facts-title] "+then).check(t, page)
		page = f.page(t, "/clusters", "admin")
		has("#row-"+string(landscape.ClusterIDFromKey("hana"))+" "+now, "PRD").check(t, page)
		page = f.page(t, "/cleanup?per_page=100", "admin")
		has("[value=database/"+string(former)+"/"+string(hostID(1))+"/00]", "").check(t, page)
		hasNot("[value=database/"+string(rebuilt)+"/"+string(hostID(1))+"/00]").check(t, page)
		former = rebuilt
	}
	if lower == 0 || lower == 4 {
		t.Fatal("the ids of the databases are all in one order")
	}
}
