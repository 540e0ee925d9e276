package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
)

// TestLandscape compares the lists of a landscape in which a bit of everything
// has happened with files, to the letter.
func TestLandscape(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	lists := map[string]string{
		"databases": "/api/v1/databases", "sap_systems": "/api/v1/sap_systems", "health": "/api/v1/sap_systems/health",
		"clusters": "/api/v2/clusters", "clusters_v1": "/api/v1/clusters",
	}
	for _, path := range lists {
		f.get("root", path).expect(t, http.StatusOK, "[]")
	}
	f.build()
	for path, id := range map[string]string{"databases": string(databaseID), "sap_systems": string(sapSystemID), "clusters": string(clusterID)} {
		f.post("root", "/api/v1/"+path+"/"+id+"/tags", `{"value":"production"}`).expect(t, http.StatusCreated, "*")
		f.do(call{as: "root", method: "DELETE", path: "/api/v1/" + path + "/" + id + "/tags/production"}).expect(t, http.StatusNoContent, "")
	}
	f.post("root", "/api/v1/databases/"+string(databaseID)+"/tags", `{"value":"production"}`).expect(t, http.StatusCreated, "*")
	f.post("root", "/api/v1/sap_systems/"+string(sapSystemID)+"/tags", `{"value":"quality"}`).expect(t, http.StatusCreated, "*")
	f.post("root", "/api/v1/clusters/"+string(clusterID)+"/tags", `{"value":"west"}`).expect(t, http.StatusCreated, "*")
	f.post("root", "/api/v1/clusters/"+string(clusterID)+"/checks", `{"checks":["156F64"]}`).expect(t, http.StatusAccepted, "{}")

	f.collect(sapReport(app2ID)) // lists nothing any more
	f.collect(sapReport(app1ID, messageServer("RED")))
	f.post(agent, "/api/v1/hosts/"+db2ID+"/heartbeat", "").expect(t, http.StatusNoContent, "")
	f.clock.pass(time.Minute)
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, path := range lists {
		f.get("root", path).golden(t, name)
	}
}

// TestOrderOfSAPSystems checks that systems are listed by SID, and instances by
// number.
func TestOrderOfSAPSystems(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.build()
	f.collect(sapReport(app1ID, application("02", "qaxold", "ABAP", "3", "disp+work", "GRAY"), messageServer("GREEN")))
	second := strings.NewReplacer(`"QAX"`, `"AAA"`, tenant, "SPARE")
	f.collect(sapReport(app2ID, applicationServer("GREEN"),
		second.Replace(application("30", "aaaascs", "MESSAGESERVER", "1", "enserver", "GREEN")),
		second.Replace(application("31", "aaaapp", "J2EE", "1", "jstart", "GREEN"))))
	var systems []struct {
		SID       string
		Instances []struct {
			Number string `json:"instance_number"`
		} `json:"application_instances"`
	}
	f.get("ann", "/api/v1/sap_systems").decode(t, &systems)
	var got []string
	for _, s := range systems {
		for _, i := range s.Instances {
			got = append(got, s.SID+i.Number)
		}
	}
	if text := strings.Join(got, " "); text != "AAA30 AAA31 QAX00 QAX01 QAX02" {
		t.Errorf("order: %s", text)
	}
}

// TestDeregisterInstance goes through the table of the clean-up of instances,
// which is the same for both kinds.
func TestDeregisterInstance(t *testing.T) {
	t.Parallel()
	const (
		cleanupHost, cleanupApplication, cleanupDatabase, operations = 11, 12, 13, 35

		unknownID = "33333333-0000-5000-8000-000000000003"
	)
	application := "/api/v1/sap_systems/" + string(sapSystemID) + "/hosts/" + app2ID + "/instances/01"
	database := "/api/v1/databases/" + string(databaseID) + "/hosts/" + db2ID + "/instances/10"
	present := sentence("Requested operation not allowed for present SAP instances.")
	noUUID := "Invalid format. Expected :uuid"
	absent := func(f *fixture) { f.collect(sapReport(app2ID)); f.collect(sapReport(db2ID)) }
	rebuiltID := landscape.DatabaseIDFromKey("rebuilt")
	rebuilt := func(f *fixture) { f.collect(strings.Replace(databaseReport(db1ID, ""), dbKey, "rebuilt", 1)) }
	another := func(f *fixture) {
		f.collect(sapReport(app2ID, strings.Replace(applicationServer("GREEN"), `"dbs/hdb/dbname":"`+tenant, `"dbs/hdb/dbname":"NONE`, 1)))
	}
	for name, test := range map[string]struct {
		before   func(*fixture)
		as, path string
		status   int
		want     string
	}{
		"application instance":          {absent, "application cleaner", application, 204, ""},
		"database instance":             {absent, "database cleaner", database, 204, ""},
		"all abilities":                 {absent, "root", application, 204, ""},
		"all abilities, database":       {absent, "root", database, 204, ""},
		"in capitals":                   {absent, "root", strings.Replace(application, app2ID, strings.ToUpper(app2ID), 1), 204, ""},
		"encoded":                       {absent, "root", application[:len(application)-2] + "%30%31", 204, ""},
		"present":                       {nil, "root", application, 422, present},
		"present, database":             {nil, "root", database, 422, present},
		"unknown system":                {absent, "root", strings.Replace(application, string(sapSystemID), unknownID, 1), 404, notFound},
		"unknown database":              {absent, "root", strings.Replace(database, string(databaseID), unknownID, 1), 404, notFound},
		"a database is no system":       {absent, "root", strings.Replace(database, "databases", "sap_systems", 1), 404, notFound},
		"a system is no database":       {absent, "root", strings.Replace(application, "sap_systems", "databases", 1), 404, notFound},
		"unknown host":                  {absent, "root", strings.Replace(application, app2ID, unknownID, 1), 404, notFound},
		"another host":                  {absent, "root", strings.Replace(application, app2ID, app1ID, 1), 404, notFound},
		"unknown number":                {absent, "root", application + "1", 404, notFound},
		"not quite the number":          {absent, "root", application[:len(application)-2] + "1", 404, notFound},
		"a strange number":              {absent, "root", application[:len(application)-2] + "%2F%00%ff", 404, notFound},
		"a slash too many at the end":   {absent, "root", application + "/", 404, notFound},
		"no UUIDs":                      {absent, "root", "/api/v1/sap_systems/a/hosts/b/instances/01", 422, problems("/host_id", noUUID, "/id", noUUID)},
		"host is no UUID":               {absent, "root", "/api/v1/databases/" + string(databaseID) + "/hosts/b/instances/10", 422, problems("/host_id", noUUID)},
		"id is no UUID":                 {absent, "root", "/api/v1/databases/a/hosts/" + db2ID + "/instances/10", 422, problems("/id", noUUID)},
		"no UUIDs, forbidden":           {absent, "plain", "/api/v1/sap_systems/a/hosts/b/instances/01", 403, forbidden},
		"forbidden":                     {absent, "plain", application, 403, forbidden},
		"forbidden, present":            {nil, "plain", application, 403, forbidden},
		"clean-up of databases only":    {absent, "database cleaner", application, 403, forbidden},
		"clean-up of applications only": {absent, "application cleaner", database, 403, forbidden},
		"clean-up of hosts only":        {absent, "host cleaner", database, 403, forbidden},
		"operations are no clean-up":    {absent, "operator", database, 403, forbidden},
		"nobody":                        {absent, nobody, application, 401, signedOut},
		"agents do not clean up":        {absent, agent, database, 401, signedOut},
		"gone already":                  {func(f *fixture) { absent(f); f.remove(application) }, "root", application, 404, notFound},
		"of a system that is gone":      {func(f *fixture) { absent(f); f.remove(application); f.collect(sapReport(app1ID)) }, "root", strings.Replace(application[:len(application)-2], app2ID, app1ID, 1) + "00", 204, ""},
		// A number that passes to another system leaves an instance that can go, and one that cannot.
		"database rebuilt":              {rebuilt, "root", strings.Replace(database, db2ID, db1ID, 1), 204, ""},
		"the rebuilt database":          {rebuilt, "root", strings.NewReplacer(db2ID, db1ID, string(databaseID), string(rebuiltID)).Replace(database), 422, present},
		"application on the rebuilt":    {rebuilt, "root", application, 204, ""},
		"application, where it is":      {rebuilt, "root", strings.Replace(application, string(sapSystemID), string(landscape.SAPSystemIDOn(rebuiltID, tenant)), 1), 422, present},
		"another system that is waited": {another, "root", application, 422, present},
		"of a database that is gone": {func(f *fixture) {
			absent(f)
			f.collect(sapReport(db1ID))
			f.remove(strings.Replace(database, db2ID, db1ID, 1))
		}, "root", database, 204, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.user("root", admin)
			f.user("application cleaner", cleanupApplication)
			f.user("database cleaner", cleanupDatabase)
			f.user("host cleaner", cleanupHost)
			f.user("operator", operations)
			f.user("plain")
			f.build()
			if test.before != nil {
				test.before(f)
			}
			before := len(f.entries(activity.TypeApplicationInstanceDeregistered, activity.TypeDatabaseInstanceDeregistered))
			f.do(call{as: test.as, method: "DELETE", path: test.path}).expect(t, test.status, test.want)
			removed := len(f.entries(activity.TypeApplicationInstanceDeregistered, activity.TypeDatabaseInstanceDeregistered)) - before
			if (removed == 1) != (test.status == 204) {
				t.Errorf("%d instances removed", removed)
			}
		})
	}
}

// remove cleans something up.
func (f *fixture) remove(path string) {
	f.t.Helper()
	f.do(call{as: "root", method: "DELETE", path: path}).expect(f.t, http.StatusNoContent, "")
}

// TestReplicationChangedAt checks that a database instance tells since when its
// replication is as it is, once that has changed.
func TestReplicationChangedAt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.build()
	changed := func() (at []*string) {
		var list []struct {
			Instances []struct {
				HostID string  `json:"host_id"`
				At     *string `json:"system_replication_changed_at"`
			} `json:"database_instances"`
		}
		f.get("root", "/api/v1/databases").decode(t, &list)
		for _, i := range list[0].Instances {
			if i.HostID == db1ID {
				at = append(at, i.At)
			}
		}
		return at
	}
	if at := changed(); len(at) != 1 || at[0] != nil {
		t.Errorf("as first reported: %v", at)
	}
	f.clock.pass(time.Minute)
	f.collect(databaseReport(db1ID, primary("ERROR")))
	want := f.clock.Now().UTC()
	f.clock.pass(time.Minute)
	f.collect(databaseReport(db1ID, primary("ERROR")))
	at := changed()
	if len(at) != 1 || at[0] == nil {
		t.Fatalf("after a change: %v", at)
	}
	if got, err := time.Parse(time.RFC3339, *at[0]); err != nil || got.Sub(want).Abs() > time.Second {
		t.Errorf("changed at %s, want %s (%v)", *at[0], want, err)
	}
}
