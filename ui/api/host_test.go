package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// TestHosts compares the list with the text it is to be, to the byte: clients
// rely on every member, and people on their order.
func TestHosts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.get("ann", "/api/v1/hosts").expect(t, http.StatusOK, "[]")

	f.register(otherID, "vega02")
	f.clock.pass(time.Minute)
	f.register(agentID, "vega01")
	f.clock.pass(time.Minute)
	f.post(agent, "/api/v1/hosts/"+agentID+"/heartbeat", "").expect(t, http.StatusNoContent, "")
	for kind, payload := range map[string]string{
		"cloud_discovery": `{"Provider":"gcp","Metadata":{"disk_number":3,"image":"","instance_name":"vega01","machine_type":"n2",` +
			`"network":"net","project_id":"p","zone":"z"}}`,
		"subscription_discovery": `[{"identifier":"SLES_SAP","version":"15.6","arch":"x86_64","status":"Registered",` +
			`"subscription_status":"ACTIVE","type":"internal","starts_at":"2026-01-01 00:00:00 UTC","expires_at":"2027-01-01 00:00:00 UTC"},` +
			`{"identifier":"sle-module","version":"15.6","arch":"x86_64","status":"Registered"}]`,
		"saptune_discovery": `{"saptune_installed":true,"package_version":"3.1.2","status":{"result":{"package_version":"3.1.2",` +
			`"configured version":"3","tuning state":"compliant","services":{"saptune":["enabled","active"],"sapconf":[]},` +
			`"Notes enabled":["941735"],"Notes applied":["941735"],"Notes enabled additionally":[],"Solution enabled":["HANA"],` +
			`"Notes enabled by Solution":[{"Solution ID":"HANA","Note list":["941735"]}],"Solution applied":[{"Solution ID":"HANA","applied partially":false}],` +
			`"Notes applied by Solution":[{"Solution ID":"HANA","Note list":["941735"]}],` +
			`"staging":{"staging enabled":false,"Notes staged":[],"Solutions staged":[]}}}}`,
	} {
		f.post(agent, collectPath, report(agentID, kind, payload)).expect(t, http.StatusAccepted, "{}")
	}
	f.user("root", admin)
	f.collect(reported(t, "cluster_offline", agentID))
	f.post("root", "/api/v1/hosts/"+agentID+"/checks", `{"checks":["156F64","00081D"]}`).expect(t, http.StatusAccepted, "{}")
	f.clock.pass(time.Second)
	f.post("root", "/api/v1/hosts/"+agentID+"/tags", `{"value":"production"}`).expect(t, http.StatusCreated, `{"value":"production"}`)
	f.post("root", "/api/v1/hosts/"+agentID+"/tags", `{"value":"berlin"}`).expect(t, http.StatusCreated, `{"value":"berlin"}`)

	first := `{"id":"` + agentID + `","hostname":"vega01","ip_addresses":["10.1.2.3","192.168.7.1"],"netmasks":[24,16],` +
		`"agent_version":"3.1.2","arch":"x86_64","heartbeat":"passing","stale_at":null,"health":"passing","selected_checks":["00081D","156F64"],` +
		`"provider":"gcp","provider_data":{"disk_number":3,"image":null,"instance_name":"vega01","machine_type":"n2",` +
		`"network":"net","project_id":"p","zone":"z"},` +
		`"saptune_status":{"package_version":"3.1.2","configured_version":"3","tuning_state":"compliant",` +
		`"services":[{"name":"sapconf","enabled":null,"active":null},{"name":"saptune","enabled":"enabled","active":"active"}],` +
		`"enabled_notes":[{"id":"941735","additionally_enabled":false}],"applied_notes":[{"id":"941735","additionally_enabled":false}],` +
		`"enabled_solution":{"id":"HANA","notes":["941735"],"partial":false},"applied_solution":{"id":"HANA","notes":["941735"],"partial":false},` +
		`"staging":{"enabled":false,"notes":[],"solutions_ids":[]}},` +
		`"systemd_units":[{"name":"pacemaker.service","unit_file_state":"enabled"}],"last_boot_timestamp":"2026-08-01T07:30:00Z",` +
		`"cluster_id":"` + string(clusterID) + `","cluster_host_status":"offline",` +
		`"sles_subscriptions":[{"host_id":"` + agentID + `","identifier":"sle-module","version":"15.6","arch":"x86_64","status":"Registered",` +
		`"subscription_status":null,"type":null,"starts_at":null,"expires_at":null},` +
		`{"host_id":"` + agentID + `","identifier":"SLES_SAP","version":"15.6","arch":"x86_64","status":"Registered",` +
		`"subscription_status":"ACTIVE","type":"internal","starts_at":"2026-01-01 00:00:00 UTC","expires_at":"2027-01-01 00:00:00 UTC"}],` +
		`"tags":[` + tagged(2, "berlin", agentID, "host", "2026-08-20T10:17:31.123456Z") + `,` +
		tagged(1, "production", agentID, "host", "2026-08-20T10:17:31.123456Z") + `],` +
		`"deregistered_at":null,"inserted_at":"2026-08-20T10:16:30.123456Z","updated_at":"2026-08-20T10:17:30.123456Z",` +
		`"last_heartbeat_timestamp":"2026-08-20T10:17:30.123456Z"}`
	second := `{"id":"` + otherID + `","hostname":"vega02","ip_addresses":["10.1.2.3","192.168.7.1"],"netmasks":[24,16],` +
		`"agent_version":"3.1.2","arch":"x86_64","heartbeat":"unknown","stale_at":null,"health":"unknown","selected_checks":[],` +
		`"provider":null,"provider_data":null,"saptune_status":null,` +
		`"systemd_units":[{"name":"pacemaker.service","unit_file_state":"enabled"}],"last_boot_timestamp":"2026-08-01T07:30:00Z",` +
		`"cluster_id":null,"cluster_host_status":null,"sles_subscriptions":[],` +
		`"tags":[],"deregistered_at":null,"inserted_at":"2026-08-20T10:15:30.123456Z","updated_at":"2026-08-20T10:15:30.123456Z",` +
		`"last_heartbeat_timestamp":null}`
	lines := func(text string) []string { return strings.Split(strings.ReplaceAll(text, `,"`, ",\n\""), "\n") }
	got := f.get("ann", "/api/v1/hosts")
	if diff := cmp.Diff(lines("["+first+","+second+"]"), lines(got.body)); diff != "" {
		t.Error(diff)
	}
}

// TestHostsOfOldAgents checks what is said of hosts that report little.
func TestHostsOfOldAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.post(agent, collectPath, report(agentID, "host_discovery", `{"hostname":"a<b>","ip_addresses":["10.1.2.3","::1"],"agent_version":"1.0",`+
		`"cpu_count":0,"total_memory_mb":1,"socket_count":0,"os_version":"15"}`)).expect(t, http.StatusAccepted, "{}")
	got := f.get("ann", "/api/v1/hosts")
	for _, part := range []string{
		`"hostname":"a<b>"`, `"ip_addresses":["10.1.2.3"],"netmasks":[null]`, `"arch":"unknown"`,
		`"systemd_units":[],"last_boot_timestamp":null`,
	} {
		if !strings.Contains(got.body, part) {
			t.Errorf("%s is not in %s", part, got.body)
		}
	}
}

// tagged is a tag in a list.
func tagged(id int, value, resource, kind, at string) string {
	return fmt.Sprintf(`{"id":%d,"value":%q,"resource_id":%q,"resource_type":%q,"inserted_at":%q,"updated_at":%[5]q}`, id, value, resource, kind, at)
}

// TestDeregisterHost goes through the table of the clean-up of a host.
func TestDeregisterHost(t *testing.T) {
	t.Parallel()
	const path = "/api/v1/hosts/"
	live := sentence("Requested operation not allowed for live hosts.")
	beat := func(f *fixture) {
		f.post(agent, path+agentID+"/heartbeat", "").expect(f.t, http.StatusNoContent, "")
	}
	for name, test := range map[string]struct {
		before func(*fixture)
		as     string
		id     string
		status int
		want   string
	}{
		"never heard":        {nil, "cleaner", agentID, 204, ""},
		"all abilities":      {nil, "root", agentID, 204, ""},
		"in capitals":        {nil, "cleaner", strings.ToUpper(agentID), 204, ""},
		"encoded":            {nil, "cleaner", "%36" + agentID[1:], 204, ""},
		"heard just now":     {beat, "cleaner", agentID, 422, live},
		"heard a while ago":  {func(f *fixture) { beat(f); f.clock.pass(5*time.Second - time.Microsecond) }, "cleaner", agentID, 422, live},
		"heard an age ago":   {func(f *fixture) { beat(f); f.clock.pass(5 * time.Second) }, "cleaner", agentID, 204, ""},
		"unknown":            {nil, "cleaner", otherID, 404, notFound},
		"known by a cluster": {func(f *fixture) { f.collect(reported(f.t, "cluster_offline", otherID)) }, "cleaner", otherID, 404, notFound},
		"gone already": {func(f *fixture) {
			f.do(call{as: "root", method: "DELETE", path: path + agentID}).expect(f.t, 204, "")
		}, "cleaner", agentID, 404, notFound},
		"no UUID":                     {nil, "cleaner", "here", 422, problems("/id", "Invalid format. Expected :uuid")},
		"no UUID, forbidden":          {nil, "plain", "here", 403, forbidden},
		"forbidden":                   {nil, "plain", agentID, 403, forbidden},
		"operations are no clean-up":  {nil, "operator", agentID, 403, forbidden},
		"other clean-ups are not it":  {nil, "other cleaner", agentID, 403, forbidden},
		"agents do not clean up":      {nil, agent, agentID, 401, signedOut},
		"nobody":                      {nil, nobody, agentID, 401, signedOut},
		"live, forbidden":             {beat, "plain", agentID, 403, forbidden},
		"a slash too many at the end": {nil, "cleaner", agentID + "/", 404, notFound},
		"dots at the end":             {nil, "cleaner", agentID + "/tags/..", 403, forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			const cleanupHost, cleanupApplication, cleanupDatabase, operations = 11, 12, 13, 35
			f.user("root", admin)
			f.user("cleaner", cleanupHost)
			f.user("other cleaner", cleanupApplication, cleanupDatabase)
			f.user("operator", operations)
			f.user("plain")
			f.register(agentID, "vega01")
			if test.before != nil {
				test.before(f)
			}
			before := len(f.entries(activity.TypeHostDeregistered))
			f.do(call{as: test.as, method: "DELETE", path: path + test.id}).expect(t, test.status, test.want)
			removed := len(f.entries(activity.TypeHostDeregistered)) - before
			if (removed == 1) != (test.status == 204) {
				t.Errorf("%d hosts removed", removed)
			}
			if asked := f.entries(activity.TypeHostCleanupRequested); test.status == 204 && (len(asked) != 1 || asked[0].Actor != test.as) {
				t.Errorf("asked for by %v", asked)
			}
		})
	}
}

// TestHostReturns follows a host that is cleaned up and reports again.
func TestHostReturns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	f.post("root", "/api/v1/hosts/"+agentID+"/tags", `{"value":"production"}`).expect(t, http.StatusCreated, "*")
	f.post("root", "/api/v1/hosts/"+agentID+"/checks", `{"checks":["156F64"]}`).expect(t, http.StatusAccepted, "{}")
	before := f.get("root", "/api/v1/hosts")
	f.do(call{as: "root", method: "DELETE", path: "/api/v1/hosts/" + agentID}).expect(t, http.StatusNoContent, "")
	f.get("root", "/api/v1/hosts").expect(t, http.StatusOK, "[]")
	f.get(nobody, "/api/v1/prometheus/targets").expect(t, http.StatusOK, "[]")
	f.register(agentID, "vega01")
	f.get("root", "/api/v1/hosts").expect(t, http.StatusOK, before.body)
}

// TestPrometheusTargets goes through the kinds of hosts Prometheus can be sent
// to.
func TestPrometheusTargets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.get(nobody, "/api/v1/prometheus/targets").expect(t, http.StatusOK, "[]")
	for i, h := range []struct{ name, addresses, rest string }{
		{"d-two", `["10.0.0.1"]`, `,"prometheus_targets":{"node_exporter":"10.0.0.1:9100","ha_cluster_exporter":"10.0.0.1:9664"}`},
		{"c-old", `["10.0.0.2"]`, ``},
		{"b-old", `[]`, `,"prometheus_targets":null,"prometheus_mode":"pull"`},
		{"a-none", `["10.0.0.3"]`, `,"prometheus_targets":{}`},
		{"e-push", `["10.0.0.4"]`, `,"prometheus_targets":{"grafana_alloy":"http://x"},"prometheus_mode":"push"`},
	} {
		id := "00000000-0000-5000-8000-00000000000" + string(rune('1'+i))
		f.post(agent, collectPath, report(id, "host_discovery", `{"hostname":"`+h.name+`","ip_addresses":`+h.addresses+
			`,"agent_version":"3.1.2","cpu_count":1,"total_memory_mb":1,"socket_count":1,"os_version":"15-SP6"`+h.rest+`}`)).expect(t, http.StatusAccepted, "{}")
	}
	f.get(nobody, "/api/v1/prometheus/targets").expect(t, http.StatusOK, `[`+
		`{"targets":["b-old:9100"],"labels":{"agentID":"00000000-0000-5000-8000-000000000003","hostname":"b-old","exporter_name":"node_exporter"}},`+
		`{"targets":["10.0.0.2:9100"],"labels":{"agentID":"00000000-0000-5000-8000-000000000002","hostname":"c-old","exporter_name":"node_exporter"}},`+
		`{"targets":["10.0.0.1:9664"],"labels":{"agentID":"00000000-0000-5000-8000-000000000001","hostname":"d-two","exporter_name":"ha_cluster_exporter"}},`+
		`{"targets":["10.0.0.1:9100"],"labels":{"agentID":"00000000-0000-5000-8000-000000000001","hostname":"d-two","exporter_name":"node_exporter"}}]`)
}
