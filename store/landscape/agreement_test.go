package landscape_test

import (
	"strings"
	"testing"
	"time"

	"trento/store/discovery/fleet"
	"trento/store/landscape"
)

// TestHealthsAgree checks that what is shown of an invented landscape does not
// contradict itself, as it is made and after many changes: the cluster of a
// database, the replication, the colours of the instances and the health of the
// SAP systems say the same.
func TestHealthsAgree(t *testing.T) {
	t.Parallel()
	start, broken := time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC), 0
	for seed := range uint64(3) {
		f := fleet.New(seed, 50)
		for step := range 40 {
			if step%10 == 0 {
				w := newWorld(t)
				for _, seen := range fleetReports(t, f) {
					w.report(seen)
				}
				broken += w.checkAgreement(t)
			}
			f.Step(start.Add(time.Duration(step) * time.Minute))
		}
	}
	if broken < 5 {
		t.Errorf("only %d databases had a broken replication", broken)
	}
}

// checkAgreement checks the databases of a landscape, and returns the number of
// those with a broken replication.
func (w *testLandscape) checkAgreement(t *testing.T) (broken int) {
	t.Helper()
	for _, db := range w.databases {
		failed := false     // an instance is red or stopped
		inError := false    // the primary says that the replication is broken
		var failedSites int // among the two that a cluster runs
		for _, i := range db.Instances {
			down := i.Status == landscape.Red || i.Status == landscape.Gray
			failed = failed || down
			if down && i.SiteID != nil && *i.SiteID <= 2 {
				failedSites++
			}
			inError = inError || i.ReplicationStatus != nil && *i.ReplicationStatus == "ERROR"
		}
		replicated := db.Instances[0].Role != nil
		if replicated && failed != inError {
			t.Errorf("%s: an instance does not work: %t, the replication is in error: %t", db.SID, failed, inError)
		}
		if bad := db.Health == landscape.HealthCritical || db.Health == landscape.HealthUnknown; bad != failed {
			t.Errorf("%s is %s, and an instance does not work: %t", db.SID, db.Health, failed)
		}
		if c := w.clusterOf(db); c != nil && c.HANA != nil && c.Inputs.Replication != "" {
			if (c.Inputs.Replication == landscape.HealthCritical) != (failedSites > 0) {
				t.Errorf("the cluster of %s is %s (%s, %s), and %d instances of its sites do not work", db.SID, c.Health, c.HANA.SRHealthState, c.HANA.SecondarySyncState, failedSites)
			}
		}
		for _, s := range w.sapSystems {
			if s.DatabaseID == db.ID && landscape.Worst(s.Health, db.Health) != s.Health {
				t.Errorf("%s is %s, but its database %s is %s", s.SID, s.Health, db.SID, db.Health)
			}
		}
		if inError {
			broken++
		}
	}
	return broken
}

// clusterOf returns the HANA cluster of a database; nil if there is none.
func (w *testLandscape) clusterOf(db *landscape.Database) *landscape.Cluster {
	for _, c := range w.clusters {
		if c.HANA != nil && strings.EqualFold(c.SID(), db.SID) {
			return c
		}
	}
	return nil
}
