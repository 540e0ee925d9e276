package alert

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

func TestSignalsOf(t *testing.T) {
	host, cluster := activity.AboutHost{HostID: "h1", Hostname: "vega01"}, activity.AboutCluster{ClusterID: "c1", Name: new("hana_ha")}
	db, system := activity.AboutDatabase{DatabaseID: "d1", SID: "PRD"}, activity.AboutSAPSystem{SAPSystemID: "s1", SID: "NWP"}
	vega, ha := Thing{Host, "h1", "vega01"}, Thing{Cluster, "c1", "hana_ha"}
	prd, nwp := Thing{Database, "d1", "PRD"}, Thing{SAPSystem, "s1", "NWP"}
	for name, c := range map[string]struct {
		event activity.Event
		want  []Signal
	}{
		"heartbeat lost":            {&activity.HeartbeatFailed{AboutHost: host}, []Signal{{Effect: Starts, Kind: HeartbeatLost, Thing: vega}}},
		"heartbeat back":            {&activity.HeartbeatSucceeded{AboutHost: host}, []Signal{{Effect: Ends, Kind: HeartbeatLost, Thing: vega}}},
		"host critical":             {&activity.HostHealthChanged{AboutHost: host, Health: "critical", Change: activity.Change{Cause: "saptune is not compliant"}}, []Signal{{Effect: Starts, Kind: HostCritical, Thing: vega, Detail: "saptune is not compliant"}}},
		"host warning":              {&activity.HostHealthChanged{AboutHost: host, Health: "warning"}, []Signal{{Effect: Ends, Kind: HostCritical, Thing: vega, Health: "warning"}}},
		"host unknown":              {&activity.HostHealthChanged{AboutHost: host, Health: "unknown"}, []Signal{{Effect: Ends, Kind: HostCritical, Thing: vega, Health: "unknown"}}},
		"host cleaned up":           {&activity.HostDeregistered{AboutHost: host}, []Signal{{Effect: Remove, Kind: HeartbeatLost, Thing: vega}, {Effect: Remove, Kind: HostCritical, Thing: vega}}},
		"host without a name":       {&activity.HeartbeatFailed{AboutHost: activity.AboutHost{HostID: "h1"}}, []Signal{{Effect: Starts, Kind: HeartbeatLost, Thing: Thing{Host, "h1", "h1"}}}},
		"saptune alone":             {&activity.HostSaptuneHealthChanged{AboutHost: host, Health: "critical"}, nil},
		"registered as critical":    {&activity.HostRegistered{AboutHost: host, Health: new("critical")}, nil},
		"cluster critical":          {&activity.ClusterHealthChanged{AboutCluster: cluster, Health: "critical"}, []Signal{{Effect: Starts, Kind: ClusterCritical, Thing: ha}}},
		"cluster without a name":    {&activity.ClusterHealthChanged{AboutCluster: activity.AboutCluster{ClusterID: "c1"}, Health: "critical"}, []Signal{{Effect: Starts, Kind: ClusterCritical, Thing: Thing{Cluster, "c1", "c1"}}}},
		"cluster passing":           {&activity.ClusterHealthChanged{AboutCluster: cluster, Health: "passing"}, []Signal{{Effect: Ends, Kind: ClusterCritical, Thing: ha, Health: "passing"}}},
		"part of a cluster":         {&activity.ClusterSBDHealthChanged{AboutCluster: cluster, Health: "critical"}, nil},
		"cluster cleaned up":        {&activity.ClusterDeregistered{AboutCluster: cluster}, []Signal{{Effect: Remove, Kind: ClusterCritical, Thing: ha}}},
		"database critical":         {&activity.DatabaseHealthChanged{AboutDatabase: db, Health: "critical"}, []Signal{{Effect: Starts, Kind: DatabaseCritical, Thing: prd}}},
		"database cleaned up":       {&activity.DatabaseDeregistered{AboutDatabase: db}, []Signal{{Effect: Remove, Kind: DatabaseCritical, Thing: prd}}},
		"system critical":           {&activity.SAPSystemHealthChanged{AboutSAPSystem: system, Health: "critical"}, []Signal{{Effect: Starts, Kind: SAPSystemCritical, Thing: nwp}}},
		"its database critical":     {&activity.SAPSystemDatabaseHealthChanged{AboutSAPSystem: system, Health: "critical"}, nil},
		"system cleaned up":         {&activity.SAPSystemDeregistered{AboutSAPSystem: system}, []Signal{{Effect: Remove, Kind: SAPSystemCritical, Thing: nwp}}},
		"backup failed":             {&activity.BackupFailure{Destination: "/b", Reason: "disk full"}, []Signal{{Effect: Starts, Kind: BackupFailed, Thing: backups(), Detail: "disk full"}}},
		"backup made":               {&activity.BackupCreation{Destination: "/b/x"}, []Signal{{Effect: Ends, Kind: BackupFailed, Thing: backups()}}},
		"backup downloaded":         {&activity.BackupCreation{Destination: activity.BackupDownload}, nil},
		"new API key":               {&activity.APIKeyGeneration{}, []Signal{{Effect: Ends, Kind: APIKeyExpiry, Thing: APIKeyThing()}}},
		"an alert that is given up": {&activity.AlertGivenUp{}, nil},
	} {
		if diff := cmp.Diff(c.want, SignalsOf(c.event)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestExpiry checks the messages about a key on each day of its life.
func TestExpiry(t *testing.T) {
	deadline := time.Date(2026, 12, 31, 1, 0, 0, 0, time.UTC)
	e := Expiry{APIKeyExpiry, APIKeyThing(), deadline}
	var a *Alert
	var told []string
	for now := deadline.Add(-40*day - time.Hour); now.Before(deadline.Add(23 * day)); now = now.Add(day) {
		s, ok := CheckExpiry(a, e, now)
		if !ok {
			continue
		}
		a = Begin(a, s, 0, "", now)
		plan := Decide([]*Alert{a}, nil, 0, Policy{Mail: true}, now)
		told = append(told, plan.Deliveries[0].Subject)
		a = plan.Changed[0]
	}
	want := []string{
		"Trento Alert: Api key will expire in 29 days", "Trento Alert: Api key will expire in 13 days", "Trento Alert: Api key will expire in 6 days",
		"Trento Alert: Api key will expire in 2 days", "Trento Alert: Api key will expire in 1 days", "Trento Alert: Api key will expire in 0 days",
		"Trento Alert: Api key expired", "Trento Alert: Api key expired", "Trento Alert: Api key expired", "Trento Alert: Api key expired",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if s, ok := CheckExpiry(a, Expiry{APIKeyExpiry, APIKeyThing(), deadline.Add(365 * day)}, deadline); !ok || s.Effect != Ends {
		t.Errorf("another key: %+v, %t", s, ok)
	}
	if s, ok := CheckExpiry(a, Expiry{APIKeyExpiry, APIKeyThing(), deadline.Add(day)}, deadline); !ok || s.Effect != Starts {
		t.Errorf("another key that expires soon: %+v, %t", s, ok)
	}
	if s, ok := CheckExpiry(nil, Expiry{Kind: APIKeyExpiry, Thing: APIKeyThing()}, deadline); ok {
		t.Errorf("a key that never expires: %+v", s)
	}
}
