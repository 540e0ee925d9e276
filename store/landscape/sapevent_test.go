package landscape_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// sapEvents are the types of the events about databases and SAP systems.
var sapEvents = []activity.Type{
	activity.TypeDatabaseRegistered,
	activity.TypeDatabaseInstanceRegistered,
	activity.TypeDatabaseTenantsUpdated,
	activity.TypeDatabaseInstanceStatusChanged,
	activity.TypeDatabaseInstanceSystemReplicationChanged,
	activity.TypeDatabaseHealthChanged,
	activity.TypeDatabaseInstanceMarkedAbsent,
	activity.TypeDatabaseInstanceMarkedPresent,
	activity.TypeDatabaseInstanceDataMarkedStale,
	activity.TypeDatabaseInstanceDataMarkedInSync,
	activity.TypeDatabaseDataMarkedStale,
	activity.TypeDatabaseDataMarkedInSync,
	activity.TypeDatabaseInstanceDeregistered,
	activity.TypeDatabaseDeregistered,
	activity.TypeDatabaseRestored,
	activity.TypeApplicationInstanceRegistered,
	activity.TypeApplicationInstanceMoved,
	activity.TypeApplicationInstanceStatusChanged,
	activity.TypeApplicationInstanceMarkedAbsent,
	activity.TypeApplicationInstanceMarkedPresent,
	activity.TypeApplicationInstanceDataMarkedStale,
	activity.TypeApplicationInstanceDataMarkedInSync,
	activity.TypeApplicationInstanceDeregistered,
	activity.TypeSAPSystemRegistered,
	activity.TypeSAPSystemUpdated,
	activity.TypeSAPSystemHealthChanged,
	activity.TypeSAPSystemDatabaseHealthChanged,
	activity.TypeSAPSystemDataMarkedStale,
	activity.TypeSAPSystemDataMarkedInSync,
	activity.TypeSAPSystemDeregistered,
	activity.TypeSAPSystemRestored,
}

// worldWithAllEvents returns a landscape in which every event has happened.
func worldWithAllEvents(t *testing.T) *testLandscape {
	w := clustered(t)
	w.sap("db", primary(status(landscape.Yellow)))
	w.sap("b", app("00", ascs, status(landscape.Red), ensa(landscape.ENSA1)), app("01", abap)) // has moved
	w.loseHeartbeat("b")
	w.loseHeartbeat("db")
	w.sap("b", app("00", ascs, status(landscape.Red)), app("01", abap))
	w.sap("db")
	w.sap("db", primary())
	w.sap("b", app("01", abap))
	w.sap("b", app("00", ascs), app("01", abap))
	w.sap("db")
	w.removeDatabaseInstance(ore, "db", "10")
	w.sap("db", primary())
	w.sap("b", app("01", abap))
	w.removeApplicationInstance(lim, "b", "00")
	return w
}

// TestEventsNameWhatTheyAreAbout checks that each event has the ids of the
// things that it is about, and its times.
func TestEventsNameWhatTheyAreAbout(t *testing.T) {
	missing := slices.Clone(sapEvents)
	for _, e := range worldWithAllEvents(t).events {
		missing = slices.DeleteFunc(missing, func(kind activity.Type) bool { return kind == e.Type() })
		for name, value := range metadataOf(t, e) {
			switch {
			case strings.HasSuffix(name, "_id") && !strings.Contains(name, "site"), name == "instance_number":
				if value == "" {
					t.Errorf("%s: %s is empty", e.Type(), name)
				}
			case strings.HasSuffix(name, "_at") && value != nil:
				if text, _ := value.(string); !strings.HasPrefix(text, "2026-") {
					t.Errorf("%s: %s is %v", e.Type(), name, value)
				}
			}
		}
	}
	for _, kind := range missing {
		t.Errorf("%s has not happened", kind)
	}
}

// metadataOf returns the metadata of an event as it is stored.
func metadataOf(t testingT, e activity.Event) (metadata map[string]any) {
	t.Helper()
	document, err := activity.Encode(e)
	if err == nil {
		err = json.Unmarshal(document, &metadata)
	}
	if err != nil {
		t.Fatalf("%s: %v", e.Type(), err)
	}
	return metadata
}

func TestEventMetadata(t *testing.T) {
	w := newWorld(t)
	w.host("db", dbHost)
	w.sap("db", secondary(key("salt")), primary())
	w.sap("a", app("00", ascs+"|"+abap, ensa(landscape.ENSA2)))
	want := map[activity.Type]string{
		activity.TypeDatabaseRegistered: `{"database_id":"` + string(ore) + `","health":"passing","sid":"ORE"}`,
		activity.TypeDatabaseInstanceRegistered: `{"database_id":"` + string(ore) + `","features":"HDB|HDB_WORKER","host_id":"db","http_port":50013,"https_port":50014,` +
			`"instance_hostname":"oredb","instance_number":"10","sid":"ORE","start_priority":"0.3","status":"green","system_replication":"Primary",` +
			`"system_replication_mode":"sync","system_replication_operation_mode":"sync","system_replication_site":"UP","system_replication_site_id":1,` +
			`"system_replication_source_site":null,"system_replication_status":"ACTIVE","system_replication_tier":1}`,
		activity.TypeDatabaseTenantsUpdated: `{"database_id":"` + string(ore) + `","previous_tenants":[],"tenants":[{"name":"LIM"},{"name":"SAL"}]}`,
		activity.TypeApplicationInstanceRegistered: `{"features":"MESSAGESERVER|ENQUE|ABAP|GATEWAY|ICMAN|IGS","host_id":"a","http_port":50013,"https_port":50014,` +
			`"instance_hostname":"lim00","instance_number":"00","sap_system_id":"` + string(lim) + `","sid":"LIM","start_priority":"1","status":"green"}`,
		activity.TypeSAPSystemRegistered: `{"database_health":"passing","database_id":"` + string(ore) + `","database_stale_at":null,"db_host":"10.1.0.10",` +
			`"ensa_version":"ensa2","health":"passing","sap_system_id":"` + string(lim) + `","sid":"LIM","tenant":"LIM"}`,
	}
	for _, e := range w.events {
		if _, ok := want[e.Type()]; !ok {
			continue
		}
		got, err := activity.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[e.Type()], string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Type(), diff)
		}
		delete(want, e.Type())
	}
	if len(want) > 0 {
		t.Errorf("did not happen: %v", want)
	}
}
