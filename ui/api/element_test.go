package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestReportsAreJudgedElementByElement sends reports of which something cannot
// be read, and finds the rest of them in the answers, which are what
// openapi.yaml says.
func TestReportsAreJudgedElementByElement(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.build()
	const another = `{"Id":"x","SID":"SYB","Type":2,"DBAddress":"","Profile":{"dbms/type":"syb"},"Instances":[]}`
	red := strings.Replace(databaseReport(db1ID, primary("ERROR")), "SAPControl-GREEN", "SAPControl-RED", 1)
	for _, test := range []struct{ name, body, path, has string }{
		{
			"a red database beside a system on another one", strings.Replace(red, `"payload":[`, `"payload":[`+another+`,`, 1),
			"/api/v1/databases", `"health":"critical"`,
		},
		{
			"a list with something else in it", strings.Replace(databaseReport(db1ID, primary("ACTIVE")), `"payload":[`, `"payload":[null,`, 1),
			"/api/v1/databases", `"health":"passing"`,
		},
		{
			"an instance without processes, ports and a host name",
			strings.NewReplacer(`"Processes":[{"name":"disp+work"}]`, `"Processes":[]`, `,"httpPort":50113`, ``, `,{"property":"SAPLOCALHOST","value":"qaxapp"}`, ``).
				Replace(sapReport(app2ID, applicationServer("RED"))),
			"/api/v1/sap_systems", `"instance_hostname":null`,
		},
		{
			"half of AWS", report(db1ID, "cloud_discovery", `{"Provider":"aws","Metadata":{"ami_id":"a","availability_zone":"z","data_disk_number":1,"instance_id":"i","instance_type":"t","region":"r"}}`),
			"/api/v1/hosts", `{"account_id":null,"ami_id":"a","availability_zone":"z","data_disk_number":1,"instance_id":"i","instance_type":"t","region":"r","vpc_id":null}`,
		},
		{
			"a subscription without a status", report(db1ID, "subscription_discovery", `[{"identifier":"SLES_SAP","version":"15.6","arch":"x86_64"},{"version":"1"}]`),
			"/api/v1/hosts", `"identifier":"SLES_SAP","version":"15.6","arch":"x86_64","status":"unknown"`,
		},
		{
			"a mode of a new kind", strings.Replace(builtHost(db2ID, "renamed"), `"arch"`, `"prometheus_mode":"telepathy","arch"`, 1),
			"/api/v1/hosts", `"hostname":"renamed"`,
		},
		{
			"a device in a state of a new kind", strings.Replace(reported(t, "cluster_hana_scale_up", db1ID), `"healthy"`, `"degraded"`, 1),
			"/api/v2/clusters", `"status":"unknown"`,
		},
		{
			"a provider of a new kind", strings.Replace(reported(t, "cluster_hana_scale_up", db1ID), `"kvm"`, `"heroku"`, 1),
			"/api/v2/clusters", `"provider":"unknown"`,
		},
		{"a cluster that tells no numbers", report(db1ID, "ha_cluster_discovery", `{"Id":"c72e2158c941635b8ab6c33abcadf6da","DC":true}`), "/api/v2/clusters", `"health":"unknown"`},
	} {
		f.clock.pass(time.Second)
		f.post(agent, collectPath, test.body).expect(t, http.StatusAccepted, "{}")
		got := f.get("ann", test.path)
		got.expect(t, http.StatusOK, "*")
		if !strings.Contains(got.body, test.has) {
			t.Errorf("%s: %s\nis without %s", test.name, got.body, test.has)
		}
		for _, path := range []string{"/api/v1/databases", "/api/v1/sap_systems"} {
			if body := f.get("ann", path).body; strings.Contains(body, `"absent_at":"`) {
				t.Errorf("%s: something is absent: %s", test.name, body)
			}
		}
	}
}
