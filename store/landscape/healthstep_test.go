package landscape_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// TestHealthStepOf checks what events say about a health state. That the events
// of all changes tell the state of all records is checked by checkHealthSteps.
func TestHealthStepOf(t *testing.T) {
	host, cluster := activity.AboutHost{HostID: "h"}, activity.AboutCluster{ClusterID: "c"}
	db, system := activity.AboutDatabase{DatabaseID: "d"}, activity.AboutSAPSystem{SAPSystemID: "s"}
	change := activity.Change{Old: "warning"}
	passing := landscape.HealthState{Health: landscape.HealthPassing, Registered: true}
	with := func(change func(*landscape.HealthState)) landscape.HealthState {
		after := passing
		change(&after)
		return after
	}
	stale := with(func(s *landscape.HealthState) { s.Stale = true })
	critical := with(func(s *landscape.HealthState) { s.Health = landscape.HealthCritical })
	unknown := with(func(s *landscape.HealthState) { s.Health = landscape.HealthUnknown })
	gone := with(func(s *landscape.HealthState) { s.Registered = false })
	tests := []struct {
		event  activity.Event
		before landscape.HealthState
		kind   activity.ThingKind // "": the event says nothing
		after  landscape.HealthState
	}{
		{&activity.HostRegistered{AboutHost: host}, landscape.HealthState{}, activity.HostThing, unknown},
		{&activity.HostRestored{AboutHost: host}, gone, activity.HostThing, passing},
		{&activity.HostDeregistered{AboutHost: host}, passing, activity.HostThing, gone},
		{&activity.HostHealthChanged{AboutHost: host, Health: "critical", Change: change}, passing, activity.HostThing, critical},
		{&activity.HostHealthChanged{AboutHost: host, Health: "not_set"}, passing, activity.HostThing, unknown},
		{&activity.HeartbeatFailed{AboutHost: host}, passing, activity.HostThing, stale},
		{&activity.HeartbeatSucceeded{AboutHost: host}, stale, activity.HostThing, passing},
		{&activity.HostSaptuneHealthChanged{AboutHost: host, Health: "critical"}, passing, "", passing},
		{&activity.ClusterRegistered{AboutCluster: cluster, Health: "passing"}, landscape.HealthState{}, activity.ClusterThing, passing},
		{&activity.ClusterRestored{AboutCluster: cluster}, gone, activity.ClusterThing, passing},
		{&activity.ClusterDeregistered{AboutCluster: cluster}, stale, activity.ClusterThing, gone},
		{&activity.ClusterHealthChanged{AboutCluster: cluster, Health: "critical"}, passing, activity.ClusterThing, critical},
		{&activity.ClusterDataMarkedStale{AboutCluster: cluster}, passing, activity.ClusterThing, stale},
		{&activity.ClusterDataMarkedInSync{AboutCluster: cluster}, stale, activity.ClusterThing, passing},
		{&activity.HostAddedToCluster{AboutCluster: cluster, AboutHost: host}, passing, "", passing},
		{&activity.DatabaseRegistered{AboutDatabase: db, Health: "critical"}, landscape.HealthState{}, activity.DatabaseThing, critical},
		{&activity.DatabaseRestored{AboutDatabase: db, Health: "critical"}, gone, activity.DatabaseThing, critical},
		{&activity.DatabaseDeregistered{AboutDatabase: db}, passing, activity.DatabaseThing, gone},
		{&activity.DatabaseHealthChanged{AboutDatabase: db, Health: "critical"}, passing, activity.DatabaseThing, critical},
		{&activity.DatabaseDataMarkedStale{AboutDatabase: db}, passing, activity.DatabaseThing, stale},
		{&activity.DatabaseDataMarkedInSync{AboutDatabase: db}, stale, activity.DatabaseThing, passing},
		{&activity.SAPSystemRegistered{AboutSAPSystem: system, Health: "passing"}, landscape.HealthState{}, activity.SAPSystemThing, passing},
		{&activity.SAPSystemRegistered{AboutSAPSystem: system, Health: "passing", DatabaseStaleAt: new(time.Time)}, landscape.HealthState{}, activity.SAPSystemThing, stale},
		{&activity.SAPSystemRestored{AboutSAPSystem: system, Health: "passing"}, gone, activity.SAPSystemThing, passing},
		{&activity.SAPSystemDeregistered{AboutSAPSystem: system}, passing, activity.SAPSystemThing, gone},
		{&activity.SAPSystemHealthChanged{AboutSAPSystem: system, Health: "critical"}, passing, activity.SAPSystemThing, critical},
		{&activity.SAPSystemDatabaseHealthChanged{AboutSAPSystem: system, Health: "critical"}, passing, "", passing},
		{&activity.SAPSystemDataMarkedStale{AboutSAPSystem: system}, passing, activity.SAPSystemThing, stale},
		{&activity.SAPSystemDataMarkedInSync{AboutSAPSystem: system}, stale, activity.SAPSystemThing, passing},
	}
	ids := map[activity.ThingKind]string{activity.HostThing: "h", activity.ClusterThing: "c", activity.DatabaseThing: "d", activity.SAPSystemThing: "s"}
	for _, test := range tests {
		step, ok := landscape.HealthStepOf(test.event)
		if ok != (test.kind != "") || step.Kind != test.kind || step.ID != ids[test.kind] {
			t.Errorf("%T: step %+v, %t", test.event, step, ok)
		}
		if diff := cmp.Diff(test.after, step.After(test.before)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", test.event, diff)
		}
	}
	step, _ := landscape.HealthStepOf(&activity.HostHealthChanged{AboutHost: host, Health: "critical", Change: change})
	if step.OldHealth == nil || *step.OldHealth != landscape.HealthWarning {
		t.Errorf("the health before is %v", step.OldHealth)
	}
}
