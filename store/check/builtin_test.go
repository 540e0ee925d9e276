package check

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"trento/store/check/script"
)

// builtinTests has facts for each built-in check with which it passes, and with
// which it does not. A list of facts is of several hosts.
var builtinTests = map[string]struct {
	environment Environment
	good, bad   []string
	want        Result // with the bad facts
}{
	"7A0101": {Environment{"provider": "azure"}, []string{`{"token":30000}`, `{"token":30000}`}, []string{`{"token":30000}`, `{"token":5000}`}, Critical},
	"7A0102": {nil, []string{`{"token":30000,"consensus":36000}`}, []string{`{"token":30000,"consensus":30000}`}, Critical},
	"7A0103": {nil, []string{`{"secauth":"on"}`}, []string{`{"secauth":"off"}`}, Warning},
	"7A0104": {nil, []string{`{"nodes":[{"nodeid":1},{"nodeid":2}]}`, `{"nodes":[{"nodeid":1},{"nodeid":2}]}`}, []string{`{"nodes":[{"nodeid":1},{"nodeid":2}]}`, `{"nodes":[{"nodeid":1},{"nodeid":3}]}`}, Critical},
	"7A0105": {nil, []string{`{"nodes":[{"ring0_addr":"10.0.0.1","ring1_addr":"10.1.0.1"}]}`}, []string{`{"nodes":[{"ring0_addr":"10.0.0.1","ring1_addr":"10.1.0.1"},{"ring0_addr":"10.0.0.2"}]}`}, Warning},
	"7A0201": {nil, []string{`{"properties":[{"nvpair":[{"name":"stonith-enabled","value":true}]}]}`}, []string{`{"properties":[{"nvpair":[{"name":"cluster-name","value":"hana"}]},{"nvpair":[{"name":"stonith-enabled","value":false}]}]}`}, Critical},
	"7A0202": {Environment{"provider": "aws"}, []string{`{"properties":[{"nvpair":[{"name":"stonith-timeout","value":600}]}]}`}, []string{`{"properties":[{"nvpair":[]}]}`}, Warning},
	"7A0203": {Environment{"cluster_type": "hana_scale_up"}, []string{`{"defaults":[{"nvpair":[{"name":"resource-stickiness","value":1000}]}]}`}, []string{`{"defaults":[{"nvpair":[{"name":"resource-stickiness","value":1}]}]}`}, Warning},
	"7A0204": {nil, []string{`{"pacemaker":{"unit_file_state":"enabled"}}`}, []string{`{"pacemaker":{"unit_file_state":"disabled"}}`}, Warning},
	"7A0205": {nil, []string{`{"weak":false}`}, []string{`{"weak":true}`}, Critical},
	"7A0301": {nil, []string{`{"device":"/dev/watchdog"}`}, []string{`{"device":""}`}, Critical},
	"7A0302": {nil, []string{`{"mode":"always"}`}, []string{`{"mode":"clean"}`}, Warning},
	"7A0303": {nil, []string{`{"devices":{"/dev/sdc":{"timeout watchdog":15,"timeout msgwait":30}}}`}, []string{`{"devices":{"/dev/sdb":{"timeout watchdog":15,"timeout msgwait":30},"/dev/sdc":{"timeout watchdog":15,"timeout msgwait":20}}}`}, Critical},
	"7A0304": {nil, []string{`{"sbd":{"unit_file_state":"enabled"}}`}, []string{`{"sbd":{"unit_file_state":"disabled"}}`}, Critical},
	"7A0401": {nil, []string{`{"agents":[{"version":"0.162.1"}]}`, `{"agents":[{"version":"0.162.1"}]}`}, []string{`{"agents":[{"version":"0.162.1"}]}`, `{"agents":[{"version":"0.155.0"}]}`}, Critical},
	"7A0402": {nil, []string{`{"systems":{"PRD":{"profiles":[{"content":{"Autostart":0}},{"content":{}}]}}}`}, []string{`{"systems":{"PRD":{"profiles":[{"content":{}},{"content":{"Autostart":1}}]}}}`}, Warning},
	"7A0403": {nil, []string{`{"rules":[{"no_password":true,"command":"/usr/sbin/crm_attribute -n hana_prd_site_srHook_*"}]}`}, []string{`{"rules":[{"no_password":false,"command":"/usr/sbin/crm_attribute"}]}`}, Critical},
	"7A0501": {nil, []string{`{"systems":{"HA1":{"instances":[{"name":"ASCS00"},{"name":"ERS10"}]}}}`}, []string{`{"systems":{"HA1":{"instances":[{"name":"ASCS00"}]}}}`}, Critical},
	"7A0502": {nil, []string{`{"systems":{"HA1":{"ensa_version":"ensa2"}}}`}, []string{`{"systems":{"HA1":{"ensa_version":"ensa1"}}}`}, Warning},
	"7A0503": {nil, []string{`{"services":[{"kind":"systemctl"}]}`}, []string{`{"services":[{"kind":"systemctl"},{"kind":"sapstartsrv"}]}`}, Warning},
	"7A0601": {nil, []string{`{"status":{"result":{"tuning_state":"compliant"}}}`}, []string{`{"status":{"result":{"tuning_state":"not compliant"}}}`}, Warning},
	"7A0602": {nil, []string{`{"release":{"ID":"sles_sap","VERSION_ID":"15.6","PRETTY_NAME":"SUSE Linux Enterprise Server for SAP 15 SP6"}}`}, []string{`{"release":{"ID":"sles","VERSION_ID":"12.5","PRETTY_NAME":"SUSE Linux Enterprise Server 12 SP5"}}`}, Critical},
	"7A0603": {nil, []string{`{"names":{"localhost":["127.0.0.1"],"hana01":["10.0.0.1"]}}`}, []string{`{"names":{"localhost":["127.0.0.1"],"hana01":["127.0.0.2"]}}`}, Warning},
	"7A0604": {nil, []string{`{"usage":[{"capacity":20},{"capacity":84}]}`}, []string{`{"usage":[{"capacity":20},{"capacity":96}]}`}, Critical},
}

// TestBuiltin checks that each built-in check has no finding of Lint, passes with
// good facts, and says with bad ones what is wrong.
func TestBuiltin(t *testing.T) {
	files := Builtin()
	for _, file := range files {
		if broken, mistakes := Lint(file); broken != nil || len(mistakes) > 0 {
			t.Errorf("%s: %v %v", file.Name, broken, mistakes)
		}
	}
	catalogue := NewCatalogue(files)
	for _, c := range catalogue.Checks {
		test, ok := builtinTests[c.ID]
		if !ok {
			t.Errorf("%s has no facts to be tested with", c.ID)
			continue
		}
		for want, facts := range map[Result][]string{Passing: test.good, test.want: test.bad} {
			result := c.Evaluate(t.Context(), test.environment, nil, hostsWith(t, c, facts))
			if result.Result != want {
				t.Errorf("%s (%s): %s with %v, want %s: %+v", c.ID, c.Name, result.Result, facts, want, result.Hosts)
			}
			for _, h := range result.Hosts {
				for _, e := range h.Evaluations {
					if e.Error != nil || e.Failed == notMetMessage {
						t.Errorf("%s (%s) with %v: %s: %v %q", c.ID, c.Name, facts, e.Name, e.Error, e.Failed)
					}
				}
			}
		}
	}
	if len(catalogue.Checks) != len(builtinTests) || len(catalogue.Broken) > 0 {
		t.Errorf("%d checks, %d tests, broken: %v", len(catalogue.Checks), len(builtinTests), catalogue.Broken)
	}
}

// hostsWith returns a host for each object with the facts of a check.
func hostsWith(t *testing.T, c *Check, facts []string) []Host {
	t.Helper()
	var hosts []Host
	for i, text := range facts {
		var values map[string]any
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			t.Fatal(err)
		}
		h := Host{AgentID: string(rune('a' + i)), Facts: make(map[string]Answer)}
		for name, value := range values {
			h.Facts[name] = Answer{Value: script.FromJSON(value)}
		}
		for _, f := range c.Facts {
			if _, ok := h.Facts[f.Name]; !ok {
				t.Errorf("%s: the test has no fact %s, but %v", c.ID, f.Name, slices.Collect(maps.Keys(values)))
			}
		}
		hosts = append(hosts, h)
	}
	return hosts
}
