package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// listedIncident is what the tests look at of an incident.
type listedIncident struct {
	ID, Kind, Severity string
	Since, Reason      *string
	Root               struct{ Type, ID, Name, Console string }
	Together, Symptoms []struct{ Name string }
}

func (i listedIncident) String() string {
	text := i.Severity + " " + i.Kind + " " + i.Root.Name
	for _, other := range i.Together {
		text += " + " + other.Name
	}
	for _, symptom := range i.Symptoms {
		text += " > " + symptom.Name
	}
	return text
}

func (f *fixture) incidents(as, query string) (all []listedIncident) {
	f.t.Helper()
	got := f.get(as, "/api/v1/incidents"+query)
	if got.status != http.StatusOK {
		f.t.Fatalf("incidents%s: %d %s", query, got.status, got.body)
	}
	got.decode(f.t, &all)
	return all
}

// TestIncidents checks that what follows from the silence of a host is in its
// incident, before what is less severe.
func TestIncidents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	f.build()
	for _, id := range []string{db1ID, db2ID, app1ID} {
		f.post(agent, "/api/v1/hosts/"+id+"/heartbeat", "").expect(t, http.StatusNoContent, "")
	}
	f.clock.pass(time.Minute)
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	const unregistered = "33333333-0000-5000-8000-000000000009"
	f.post(agent, collectPath, strings.Replace(hostReport(unregistered, "x"), `"hostname"`, `"nohostname"`, 1))
	f.signIn("root")
	f.signIn("ann")
	for query, want := range map[string]string{
		"":                              "[critical silence qax01 critical silence qdb01 + qdb02 > QDB > pier_hana warning health QAX warning health qax02]",
		"?filter[kind]=silence":         "[critical silence qax01 critical silence qdb01 + qdb02 > QDB > pier_hana]",
		"?filter[severity]=info":        "[]",
		"?filter[type]=sap_system":      "[warning health QAX]",
		"?q=qdb02":                      "[critical silence qdb01 + qdb02 > QDB > pier_hana]",
		"?sort=-name&filter[type]=host": "[critical silence qdb01 + qdb02 > QDB > pier_hana warning health qax02 critical silence qax01]",
		"?limit=1":                      "[critical silence qax01]",
	} {
		if got := fmt.Sprint(f.incidents("ann", query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if all := f.incidents("root", "?filter[type]=agent"); len(all) != 1 || all[0].Root.ID != unregistered || all[0].Root.Console != "/agents?q="+unregistered {
		t.Errorf("of agents: %v", all)
	}
	for _, i := range f.incidents("ann", "") {
		if i.Since == nil || i.Root.Console == "" {
			t.Errorf("%s: %+v", i, i)
		}
	}
	f.get("ann", "/api/v1/incidents?filter[kind]=none").expect(t, 422, problems("/filter[kind]/0", "none is unknown; there are health, silence, report, shared_id, stale"))
}
