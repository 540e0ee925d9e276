package landscape_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// What each event tells. Names that belong to ids are added where it is
// logged.
const (
	databaseInstanceKey    = "database_id host_id instance_number "
	applicationInstanceKey = "sap_system_id host_id instance_number "
	instanceKeys           = "sid instance_hostname features http_port https_port start_priority status "
	replicationKeys        = "system_replication system_replication_status system_replication_site system_replication_site_id system_replication_mode " +
		"system_replication_operation_mode system_replication_source_site system_replication_tier"
)

var eventKeys = map[activity.Type]string{
	activity.TypeDatabaseRegistered:                       "database_id sid health",
	activity.TypeDatabaseInstanceRegistered:               databaseInstanceKey + instanceKeys + replicationKeys,
	activity.TypeDatabaseTenantsUpdated:                   "database_id tenants previous_tenants",
	activity.TypeDatabaseInstanceStatusChanged:            databaseInstanceKey + "status old",
	activity.TypeDatabaseInstanceSystemReplicationChanged: databaseInstanceKey + replicationKeys + " old",
	activity.TypeDatabaseHealthChanged:                    "database_id health old",
	activity.TypeDatabaseInstanceMarkedAbsent:             databaseInstanceKey + "absent_at",
	activity.TypeDatabaseInstanceMarkedPresent:            databaseInstanceKey,
	activity.TypeDatabaseInstanceDataMarkedStale:          databaseInstanceKey + "stale_at",
	activity.TypeDatabaseInstanceDataMarkedInSync:         databaseInstanceKey,
	activity.TypeDatabaseDataMarkedStale:                  "database_id stale_at",
	activity.TypeDatabaseDataMarkedInSync:                 "database_id",
	activity.TypeDatabaseInstanceDeregistered:             databaseInstanceKey + "deregistered_at",
	activity.TypeDatabaseDeregistered:                     "database_id deregistered_at",
	activity.TypeDatabaseRestored:                         "database_id health",

	activity.TypeApplicationInstanceRegistered:       applicationInstanceKey + instanceKeys,
	activity.TypeApplicationInstanceMoved:            "sap_system_id instance_number old_host_id new_host_id",
	activity.TypeApplicationInstanceStatusChanged:    applicationInstanceKey + "status old",
	activity.TypeApplicationInstanceMarkedAbsent:     applicationInstanceKey + "absent_at",
	activity.TypeApplicationInstanceMarkedPresent:    applicationInstanceKey,
	activity.TypeApplicationInstanceDataMarkedStale:  applicationInstanceKey + "stale_at",
	activity.TypeApplicationInstanceDataMarkedInSync: applicationInstanceKey,
	activity.TypeApplicationInstanceDeregistered:     applicationInstanceKey + "deregistered_at",
	activity.TypeSAPSystemRegistered:                 "sap_system_id sid tenant db_host database_id health database_health database_stale_at ensa_version",
	activity.TypeSAPSystemUpdated:                    "sap_system_id ensa_version",
	activity.TypeSAPSystemHealthChanged:              "sap_system_id health old",
	activity.TypeSAPSystemDatabaseHealthChanged:      "sap_system_id database_health old",
	activity.TypeSAPSystemDataMarkedStale:            "sap_system_id stale_at",
	activity.TypeSAPSystemDataMarkedInSync:           "sap_system_id",
	activity.TypeSAPSystemDeregistered:               "sap_system_id deregistered_at",
	activity.TypeSAPSystemRestored:                   "sap_system_id tenant db_host health database_health database_stale_at",
}

// eventful is a world in which everything has happened.
func eventful(t *testing.T) *world {
	w := clustered(t)
	w.sap("db", primary(status(landscape.Yellow)))
	w.sap("b", app("00", ascs, status(landscape.Red), ensa(landscape.ENSA1)), app("01", abap)) // has moved
	w.silent("b")
	w.silent("db")
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

func TestEventKeys(t *testing.T) {
	missing := maps.Clone(eventKeys)
	for _, e := range eventful(t).events {
		keys, ours := eventKeys[e.Type]
		if !ours {
			continue
		}
		delete(missing, e.Type)
		got := maps.Clone(e.Metadata)
		delete(got, "cause") // where one is known
		want := strings.Fields(keys)
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Type, diff)
		}
		checkIDs(t, e)
	}
	for kind := range missing {
		t.Errorf("%s has not happened", kind)
	}
}

// checkIDs: the store knows by the types of ids whose names to add.
func checkIDs(t *testing.T, e landscape.Event) {
	t.Helper()
	for name, value := range e.Metadata {
		ok := true
		switch name {
		case "host_id", "old_host_id", "new_host_id":
			_, ok = value.(landscape.HostID)
		case "database_id":
			_, ok = value.(landscape.DatabaseID)
		case "sap_system_id":
			_, ok = value.(landscape.SAPSystemID)
		case "absent_at", "stale_at", "deregistered_at":
			_, ok = value.(time.Time)
		}
		if !ok {
			t.Errorf("%s: %s is a %T", e.Type, name, value)
		}
	}
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
		if _, ok := want[e.Type]; !ok {
			continue
		}
		got, err := json.Marshal(e.Metadata)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[e.Type], string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.Type, diff)
		}
		delete(want, e.Type)
	}
	if len(want) > 0 {
		t.Errorf("did not happen: %v", want)
	}
}
