package api_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

func TestPlatform(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.get(nobody, "/api/healthz").expect(t, http.StatusOK, `{"database":"pass"}`)
	f.get(nobody, "/api/readyz").expect(t, http.StatusOK, `{"ready":true}`)
	f.get(nobody, "/api/public_keys").expect(t, http.StatusOK, `[]`)
	f.get("ann", "/api/v1/about").expect(t, http.StatusOK, `{"version":"`+version+`","sles_subscriptions":0,`+aboutOthers)
}

// TestCertificateHealth checks what a monitor is told about the certificate.
func TestCertificateHealth(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var faults []string
	f.serve(api.Deps{Store: f.store, Auth: f.auth, Index: f.index, Log: slog.New(slog.DiscardHandler), CertificateFaults: func() []string { return faults }})
	f.get(nobody, "/api/healthz").expect(t, http.StatusOK, `{"database":"pass","certificate":"pass"}`)
	faults = []string{"it has expired"}
	f.get(nobody, "/api/healthz").expect(t, http.StatusOK, `{"database":"pass","certificate":"fail"}`)
}

// TestAbout counts the subscriptions for SAP systems, and no others.
func TestAbout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	subscription := func(identifier string) string {
		return `{"identifier":"` + identifier + `","version":"15.6","arch":"x86_64","status":"Registered"}`
	}
	for _, id := range []string{agentID, otherID} {
		f.register(id, "vega"+id[:2])
		f.post(agent, collectPath, report(id, "subscription_discovery", `[`+subscription("SLES_SAP")+`,`+subscription("sle-module")+`]`)).
			expect(t, http.StatusAccepted, "{}")
	}
	f.get("ann", "/api/v1/about").expect(t, http.StatusOK, `{"version":"`+version+`","sles_subscriptions":2,`+aboutOthers)
}

func TestAbilities(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	var got []struct {
		ID                    int
		Name, Resource, Label string
	}
	answer := f.get("ann", "/api/v1/abilities")
	answer.decode(t, &got)
	if len(got) != len(auth.Abilities()) {
		t.Errorf("%d abilities", len(got))
	}
	if first := `[{"id":1,"name":"all","resource":"all","label":"Permits all operations on all the resources"},`; !strings.HasPrefix(answer.body, first) {
		t.Errorf("begins with %.120s", answer.body)
	}
	for i, a := range got {
		if a.ID != i+1 {
			t.Errorf("ability %d is at place %d", a.ID, i)
		}
	}
}

// TestAPIKey checks who sees the text of the agents' key.
func TestAPIKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const all, users, apiKeySettings, operations = 1, 2, 14, 35
	f.clock.pass(time.Hour)
	for name, test := range map[string]struct {
		abilities []int
		sees      bool
	}{
		"plain": {nil, false}, "admin": {[]int{all}, true}, "holder": {[]int{apiKeySettings}, true},
		"manager": {[]int{users}, false}, "operator": {[]int{operations}, false},
	} {
		key := "null"
		if test.sees {
			key = `"` + f.agentKey() + `"`
		}
		f.get(f.user(name, test.abilities...), "/api/v1/settings/api_key").
			expect(t, http.StatusOK, `{"created_at":"2026-08-20T10:15:30.123456Z","generated_api_key":`+key+`,"expire_at":null}`)
	}
}

// TestFaults checks that a fault of ours tells nobody anything, and is logged
// once under the number of its request.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := &clock{time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)}
	s, err := store.Open(t.TempDir(), store.Options{Now: c.Now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixtureOn(t, s, c, func(o *auth.Options) { o.EnableAPIKey = false })
	f.user("ann")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		as, method, path, body string
		status                 int
		want                   string
	}{
		{"ann", "GET", "/api/v1/hosts", "", 500, ourFault},
		{nobody, "GET", "/api/v1/prometheus/targets", "", 500, ourFault},
		{nobody, "POST", collectPath, hostReport(agentID, "vega01"), 500, ourFault},
		{nobody, "POST", collectPath, report(agentID, "weather_discovery", "{}"), 500, ourFault},
		{nobody, "POST", "/api/v1/hosts/" + agentID + "/heartbeat", "", 500, ourFault},
		{nobody, "GET", "/api/healthz", "", 500, `{"database":"fail"}`},
		{nobody, "GET", "/api/readyz", "", 503, `{"ready":false}`},
	} {
		f.log.Reset()
		f.do(call{as: test.as, method: test.method, path: test.path, body: test.body}).expect(t, test.status, test.want)
		lines := strings.Count(f.log.String(), "\n")
		if test.status == http.StatusInternalServerError && (lines != 1 || !strings.Contains(f.log.String(), requestID)) {
			t.Errorf("%s %s: logged %q", test.method, test.path, f.log)
		}
	}
}

// aboutOthers is what GET /api/v1/about says about other programs.
const aboutOthers = `"flavor":"Community","wanda_version":null,"postgres_version":null,"rabbitmq_version":null,"prometheus_version":null}`
