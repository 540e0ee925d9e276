package discovery

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// accept decodes a payload and fails the test if it is refused.
func accept(t *testing.T, kind landscape.Kind, payload string) landscape.Observation {
	t.Helper()
	seen, err := Decode(Envelope{Agent: someAgent, Type: string(kind), Payload: json.RawMessage(payload)})
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return seen
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		addresses, masks string
		want             []string
	}{
		{`["127.0.0.1","10.0.0.1"]`, `[8,24]`, []string{"10.0.0.1/24"}},
		{`["127.0.0.1","10.0.0.1"]`, `["8","24"]`, []string{"10.0.0.1/24"}},
		{`["127.0.0.1","10.0.0.1"]`, `null`, []string{"10.0.0.1"}},
		{`["10.0.0.1","10.0.0.2"]`, `[24]`, []string{"10.0.0.1/24", "10.0.0.2"}},
		{`["10.0.0.1"]`, `[24,16]`, []string{"10.0.0.1/24"}},
		{`["10.0.0.1"]`, `[]`, []string{"10.0.0.1"}},
		{`["10.0.0.1","10.0.0.2"]`, `["all",33]`, []string{"10.0.0.1", "10.0.0.2"}},
		{`["10.0.0.1","10.0.0.2"]`, `[null," "]`, []string{"10.0.0.1", "10.0.0.2"}},
		{`["::1","fe80::1","10.0.0.1","::ffff:10.0.0.9"]`, `[128,64,16,96]`, []string{"10.0.0.1/16"}},
		{`["","x","10.0.0","10.0.0.256",null,"10.0.0.7"]`, `[1,2,3,4,5,6]`, []string{"10.0.0.7/6"}},
		{`["127.0.0.2","169.254.3.4","10.0.0.2","10.0.0.1"]`, `[8,16,24,24]`, []string{"127.0.0.2/8", "169.254.3.4/16", "10.0.0.2/24", "10.0.0.1/24"}},
	} {
		seen := accept(t, landscape.HostDiscovery, changed(t, goodHost, map[string]string{"ip_addresses": c.addresses, "netmasks": c.masks}))
		got := []string{}
		for _, a := range seen.Host.Addresses {
			got = append(got, a.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.addresses, c.masks, diff)
		}
	}
}

func TestLastBoot(t *testing.T) {
	want := time.Date(2026, 7, 3, 7, 41, 17, 0, time.UTC)
	for _, text := range []string{
		"2026-07-03T07:41:17Z", "2026-07-03T09:41:17+02:00", "2026-07-03T07:41:17.999999999Z", "2026-07-03T07:41:17",
		"2026-07-03T07:41:17.5", "2026-07-03 07:41:17", "2026-07-03 02:11:17-05:30", "2026-07-03T07:41:17,25Z",
	} {
		seen := accept(t, landscape.HostDiscovery, changed(t, goodHost, map[string]string{"last_boot_timestamp": `"` + text + `"`}))
		if got := seen.Host.LastBoot; got == nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestHostDefaults(t *testing.T) {
	type defaults struct{ Arch, Source, Mode string }
	for _, c := range []struct {
		arch, source, mode string
		want               defaults
	}{
		{``, ``, ``, defaults{"unknown", "unknown", "pull"}},
		{`null`, `null`, `null`, defaults{"unknown", "unknown", "pull"}},
		{`""`, `" "`, `""`, defaults{"unknown", "unknown", "pull"}},
		{`"X86_64"`, `"Suse"`, `"push"`, defaults{"x86_64", "suse", "push"}},
		{`"s390x"`, `"COMMUNITY"`, `"pull"`, defaults{"s390x", "community", "pull"}},
		{`"aarch64"`, `"devel"`, `"pull"`, defaults{"unknown", "unknown", "pull"}},
	} {
		host := accept(t, landscape.HostDiscovery, changed(t, goodHost, map[string]string{
			"arch": c.arch, "installation_source": c.source, "prometheus_mode": c.mode,
		})).Host
		if got := (defaults{host.Arch, host.InstallationSource, host.PrometheusMode}); got != c.want {
			t.Errorf("%s, %s, %s: %v, want %v", c.arch, c.source, c.mode, got, c.want)
		}
	}
}

func TestPrometheusTargets(t *testing.T) {
	for text, want := range map[string]map[string]string{
		``: nil, `null`: nil, `{}`: {},
		`{"node_exporter":"10.0.0.1:9100","other":"10.0.0.1:9200"}`: {"node_exporter": "10.0.0.1:9100", "other": "10.0.0.1:9200"},
		`{"a":null,"b":5,"c":{},"d":"","e":"x:1"}`:                  {"e": "x:1"},
		`{"a":"old","a":"new"}`:                                     {"a": "new"},
	} {
		host := accept(t, landscape.HostDiscovery, changed(t, goodHost, map[string]string{"prometheus_targets": text})).Host
		if diff := cmp.Diff(want, host.PrometheusTargets); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestHostileTexts checks that characters that are not allowed in names are
// replaced by visible ones, and the report is not refused.
func TestHostileTexts(t *testing.T) {
	for sent, want := range map[string]string{
		"\"quay\xff01\"":         "quay\ufffd01",
		`"quay\u000001"`:         "quay\ufffd01",
		`"quay\u001b[31m"`:       "quay\ufffd[31m",
		"\"quay\x7f\"":           "quay\ufffd",
		`"quay\u0085"`:           "quay\ufffd",
		`"\ud800quay"`:           "\ufffdquay",
		`" quay\t01\n"`:          " quay\t01\n",
		`"k\u00e4i\ud83d\ude00"`: "käi😀",
		`"<script>\"\\\/"`:       `<script>"\/`,
	} {
		payload := `{"hostname":` + sent + goodHost[len(`{"hostname":"quay"`):]
		if got := accept(t, landscape.HostDiscovery, payload).Host.Hostname; got != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
}

func TestRepeatedMembers(t *testing.T) {
	payload := `{"hostname":5,"cpu_count":"x",` + goodHost[1:len(goodHost)-1] + `,"hostname":"last","cpu_count":9}`
	if host := accept(t, landscape.HostDiscovery, payload).Host; host.Hostname != "last" || host.CPUCount != 9 {
		t.Errorf("host: %+v", host)
	}
}

func TestNamesOfHostAreExact(t *testing.T) {
	payload := goodHost[:len(goodHost)-1] + `,"Hostname":"other","HOSTNAME":7}`
	if host := accept(t, landscape.HostDiscovery, payload).Host; host.Hostname != "quay" {
		t.Errorf("hostname %q", host.Hostname)
	}
}

func TestSpellingsOfCloud(t *testing.T) {
	for _, c := range []struct{ provider, metadata, compute, profile, user string }{
		{"Provider", "Metadata", "compute", "osProfile", "adminUsername"},
		{"provider", "metadata", "Compute", "os_profile", "admin_username"},
		{"PROVIDER", "MetaData", "compute", "OSProfile", "AdminUserName"},
	} {
		payload := fmt.Sprintf(`{%q:"azure",%q:{%q:{%q:{%q:"skipper"}}}}`, c.provider, c.metadata, c.compute, c.profile, c.user)
		vm := accept(t, landscape.CloudDiscovery, payload).Cloud.Azure
		if vm == nil || vm.AdminUsername == nil || *vm.AdminUsername != "skipper" {
			t.Errorf("%s: %+v", payload, vm)
		}
	}
}

func TestSaptuneSolutions(t *testing.T) {
	solution := func(id string, partial bool, notes ...string) *landscape.SaptuneSolution {
		return &landscape.SaptuneSolution{ID: id, Notes: notes, Partial: partial}
	}
	const rest = `"package version":"3.1.3","services":{},"Notes enabled":[],"Notes applied":[],
		"staging":{"staging enabled":true,"Notes staged":["7"," "],"Solutions staged":["BOBJ"]}`
	for _, c := range []struct {
		parts            string
		enabled, applied *landscape.SaptuneSolution
	}{
		{``, nil, nil},
		{`,"Solution enabled":["HANA"]`, nil, nil},
		{`,"Solution enabled":["HANA"],"Notes enabled by Solution":[{"Solution ID":"HANA","Note list":["1","2"]}]`, solution("HANA", false, "1", "2"), nil},
		{`,"Solution enabled":["HANA","BOBJ"],"Notes enabled by Solution":[{"Solution ID":"HANA","Note list":["1"]}]`, nil, nil},
		{`,"Solution enabled":["HANA"],"Notes enabled by Solution":[{"Note list":["1"]},{"Note list":["2"]}]`, nil, nil},
		{
			`,"Solution applied":[{"Solution ID":"HANA","applied partially":true}],"Notes applied by Solution":[{"Note list":["1"]}]`,
			nil, solution("HANA", true, "1"),
		},
		{
			`,"Solution applied":[{"Solution ID":"HANA","applied partially":false}],"Notes applied by Solution":[{"Note list":null}]`,
			nil, &landscape.SaptuneSolution{ID: "HANA", Notes: []string{}},
		},
		{`,"Solution applied":[{"Solution ID":"HANA","applied partially":false}],"Notes applied by Solution":[]`, nil, nil},
		{`,"Solution applied":[],"Notes applied by Solution":[{"Note list":["1"]}]`, nil, nil},
	} {
		status := accept(t, landscape.SaptuneDiscovery,
			`{"saptune_installed":true,"package_version":"3.1.3","status":{"result":{`+rest+c.parts+`}}}`).Saptune.Status
		want := &landscape.Saptune{
			PackageVersion: status.PackageVersion, Services: []landscape.SaptuneService{},
			EnabledNotes: []landscape.SaptuneNote{}, AppliedNotes: []landscape.SaptuneNote{},
			EnabledSolution: c.enabled, AppliedSolution: c.applied,
			Staging: &landscape.SaptuneStaging{Enabled: true, Notes: []string{"7"}, SolutionsIDs: []string{"BOBJ"}},
		}
		if diff := cmp.Diff(want, status); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.parts, diff)
		}
	}
}
