package activity

import (
	"fmt"
	"slices"
	"testing"

	"trento/store/activity"
	"trento/ui/page"
)

func TestToasts(t *testing.T) {
	host := activity.AboutHost{HostID: "h1", Hostname: "hana01"}
	cluster := activity.AboutCluster{ClusterID: "c1", Name: new("hana_cluster")}
	database := activity.AboutDatabase{DatabaseID: "d1", SID: "PRD"}
	system := activity.AboutSAPSystem{SAPSystemID: "s1", SID: "NWP"}
	primary := activity.AboutDatabaseInstance{AboutDatabase: database, AboutHost: host, InstanceNumber: "00"}
	dialog := activity.AboutApplicationInstance{AboutSAPSystem: system, AboutHost: host, InstanceNumber: "01"}
	worse := activity.Change{Old: "passing", Cause: "saptune is not compliant"}
	for _, tt := range []struct {
		event activity.Event
		text  string // empty: no toast
		url   string
		how   int
	}{
		{&activity.HostRegistered{AboutHost: host}, "hana01 is new: its agent has reported for the first time.", "/hosts/h1", toastWeightNormal},
		{&activity.HostRestored{AboutHost: host}, "hana01 is back after it had been removed.", "/hosts/h1", toastWeightNormal},
		{&activity.HostDeregistered{AboutHost: host}, "hana01 has been removed.", "/hosts", toastWeightRemoved},
		{&activity.HeartbeatFailed{AboutHost: host}, "The host hana01 heartbeat is failing.", "/hosts/h1", toastWeightHigh},
		{&activity.HeartbeatSucceeded{AboutHost: host}, "The agent of hana01 is reporting.", "/hosts/h1", toastWeightLow},
		{&activity.HostIDShared{AboutHost: host}, "Several machines report under the id of hana01.", "/hosts/h1", toastWeightNormal},
		{&activity.HostHealthChanged{AboutHost: host, Health: "critical", Change: worse}, "The health of hana01 changed from passing to critical: saptune is not compliant.", "/hosts/h1", toastWeightHigh},
		{&activity.HostHealthChanged{AboutHost: host, Health: "passing"}, "The health of hana01 changed to passing.", "/hosts/h1", toastWeightLow},

		{&activity.ClusterRegistered{AboutCluster: cluster, Health: "passing"}, "The cluster hana_cluster is new.", "/clusters/c1", toastWeightLow},
		{&activity.ClusterRestored{AboutCluster: cluster}, "The cluster hana_cluster is back after it had been removed.", "/clusters/c1", toastWeightNormal},
		{&activity.ClusterDeregistered{AboutCluster: cluster}, "The cluster hana_cluster has been deregistered.", "/clusters", toastWeightRemoved},
		{&activity.ClusterHealthChanged{AboutCluster: cluster, Health: "warning"}, "The health of the cluster hana_cluster changed to warning.", "/clusters/c1", toastWeightNormal},
		{&activity.ClusterHealthChanged{AboutCluster: activity.AboutCluster{ClusterID: "0123456789abcdef"}, Health: "warning"},
			"The health of the cluster " + page.ShortID("0123456789abcdef") + " changed to warning.", "/clusters/0123456789abcdef", toastWeightNormal},

		{&activity.DatabaseRegistered{AboutDatabase: database, Health: "critical"}, "The HANA database PRD is new.", "/databases/d1", toastWeightHigh},
		{&activity.DatabaseRestored{AboutDatabase: database, Health: "passing"}, "The HANA database PRD is back after it had been removed.", "/databases/d1", toastWeightLow},
		{&activity.DatabaseDeregistered{AboutDatabase: database}, "The HANA database PRD has been deregistered.", "/databases", toastWeightRemoved},
		{&activity.DatabaseHealthChanged{AboutDatabase: database, Health: "unknown"}, "The health of the HANA database PRD changed to unknown.", "/databases/d1", toastWeightNormal},
		{&activity.DatabaseInstanceMarkedAbsent{AboutDatabaseInstance: primary}, "The instance 00 of PRD is now absent.", "/databases/d1", toastWeightHigh},
		{&activity.DatabaseInstanceDeregistered{AboutDatabaseInstance: primary}, "The instance 00 has been deregistered from PRD.", "/databases/d1", toastWeightHigh},

		{&activity.SAPSystemRegistered{AboutSAPSystem: system, Health: "warning"}, "The SAP System NWP is new.", "/sap_systems/s1", toastWeightNormal},
		{&activity.SAPSystemRestored{AboutSAPSystem: system, Health: "critical"}, "The SAP System NWP is back after it had been removed.", "/sap_systems/s1", toastWeightHigh},
		{&activity.SAPSystemDeregistered{AboutSAPSystem: system}, "The SAP System NWP has been deregistered.", "/sap_systems", toastWeightRemoved},
		{&activity.SAPSystemHealthChanged{AboutSAPSystem: system, Health: "passing"}, "The health of the SAP System NWP changed to passing.", "/sap_systems/s1", toastWeightLow},
		{&activity.ApplicationInstanceMarkedAbsent{AboutApplicationInstance: dialog}, "The instance 01 of NWP is now absent.", "/sap_systems/s1", toastWeightHigh},
		{&activity.ApplicationInstanceDeregistered{AboutApplicationInstance: dialog}, "The instance 01 has been deregistered from NWP.", "/sap_systems/s1", toastWeightHigh},
		{&activity.ApplicationInstanceMoved{AboutSAPSystem: system, InstanceNumber: "01"}, "The instance 01 of NWP has been moved.", "/sap_systems/s1", toastWeightNormal},

		{event: &activity.LoginAttempt{}}, {event: &activity.ProviderUpdated{AboutHost: host}}, {event: &activity.UserDeletion{}},
	} {
		news, ok := NewToast(newEntry(t, tt.event))
		if !ok {
			news.URL, news.Weight = "", 0
		}
		if ok != (tt.text != "") || news.Text != tt.text || news.URL != tt.url || news.Weight != tt.how {
			t.Errorf("%s: %q to %q with weight %d, want %q to %q with weight %d", tt.event.Type(), news.Text, news.URL, news.Weight, tt.text, tt.url, tt.how)
		}
	}
}

// newEntry is an entry as the log would have it.
func newEntry(t *testing.T, e activity.Event) *activity.Entry {
	t.Helper()
	metadata, err := activity.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	return &activity.Entry{Type: e.Type(), Metadata: metadata}
}

// TestMostImportant checks that of many toasts those about removed things are
// kept first.
func TestMostImportant(t *testing.T) {
	var toasts []Toast
	for i, health := range []string{"passing", "critical", "warning", "passing", "critical"} {
		for _, of := range []activity.Type{activity.TypeHostHealthChanged, activity.TypeDatabaseDeregistered} {
			if of == activity.TypeDatabaseDeregistered && i != 1 {
				continue
			}
			news, ok := NewToast(&activity.Entry{Type: of, Metadata: fmt.Appendf(nil, `{"hostname":"h%d","sid":"PRD","health":%q}`, i, health)})
			if !ok {
				t.Fatal(of)
			}
			toasts = append(toasts, news)
		}
	}
	for _, tt := range []struct {
		most int
		want []string
	}{
		{1, []string{"The HANA database PRD has been deregistered."}},
		{3, []string{"The health of h1 changed to critical.", "The HANA database PRD has been deregistered.", "The health of h4 changed to critical."}},
		{4, []string{"The health of h1 changed to critical.", "The HANA database PRD has been deregistered.", "The health of h2 changed to warning.", "The health of h4 changed to critical."}},
	} {
		var got []string
		for _, news := range MostImportant(slices.Clone(toasts), tt.most) {
			got = append(got, news.Text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("the %d heaviest are %q, want %q", tt.most, got, tt.want)
		}
	}
}
