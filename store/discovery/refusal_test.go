package discovery

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// problem is a refusal of a field; without a pointer, of the whole payload.
func problem(detail, pointer string) Problem {
	if pointer == "" {
		return Problem{"Unprocessable Entity", detail, ""}
	}
	return Problem{"Invalid value", detail, pointer}
}

// changed is a good object with some members replaced; removed where the
// replacement is empty.
func changed(t *testing.T, object string, members map[string]string) string {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &parts); err != nil {
		t.Fatal(err)
	}
	for name, v := range members {
		if delete(parts, name); v != "" {
			parts[name] = json.RawMessage(v)
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// refusals compares what is wrong with each payload; nothing means that it is
// accepted.
func refusals(t *testing.T, kind landscape.Kind, cases map[string][]Problem) {
	t.Helper()
	for payload, want := range cases {
		_, err := Decode(Envelope{Agent: someAgent, Type: string(kind), Payload: json.RawMessage(payload)})
		if want == nil {
			if err != nil {
				t.Errorf("%s: %v", payload, err)
			}
			continue
		}
		var refused *Error
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want a refusal", payload, err)
			continue
		}
		if diff := cmp.Diff(&Error{StagePayload, want}, refused); diff != "" {
			t.Errorf("%s (-want +got):\n%s", payload, diff)
		}
	}
}

var unableProblem = []Problem{problem("Unable to handle discovery.", "")}

func TestUnknownType(t *testing.T) {
	for _, kind := range []landscape.Kind{"", "host", "HOST_DISCOVERY", "host_discovery "} {
		refusals(t, kind, map[string][]Problem{`{}`: {problem("Unknown discovery type.", "")}})
	}
}

func TestOuterShape(t *testing.T) {
	refusals(t, landscape.SAPSystemDiscovery, map[string][]Problem{
		`[]`: nil, `null`: unableProblem, `{}`: unableProblem, `[[]]`: unableProblem, `7`: unableProblem, ``: unableProblem,
	})
}

const goodHost = `{"hostname":"quay","ip_addresses":["10.0.0.1"],"agent_version":"3.1.2","cpu_count":4,
	"socket_count":1,"total_memory_mb":4096,"os_version":"15-SP6"}`

func TestHostRefusals(t *testing.T) {
	blank := func(names ...string) (all []Problem) {
		for _, name := range names {
			all = append(all, problem("can't be blank", "/"+name))
		}
		return all
	}
	invalid := func(name string) []Problem { return []Problem{problem("is invalid", "/"+name)} }
	cases := map[string][]Problem{
		`null`: unableProblem, `[]`: unableProblem, `[{}]`: unableProblem,
		`{}`:     blank("agent_version", "cpu_count", "hostname", "ip_addresses", "os_version", "socket_count", "total_memory_mb"),
		goodHost: nil,
	}
	with := func(name, v string, want []Problem) {
		cases[changed(t, goodHost, map[string]string{name: v})] = want
	}
	for _, name := range []string{"hostname", "agent_version", "os_version"} {
		for _, v := range []string{"", `null`, `""`, `" \t\n\u00a0"`} {
			with(name, v, blank(name))
		}
		for _, v := range []string{`5`, `true`, `[]`, `{}`, `["a"]`} {
			with(name, v, invalid(name))
		}
	}
	for _, name := range []string{"cpu_count", "socket_count", "total_memory_mb"} {
		for _, v := range []string{"", `null`, `""`, `"  "`} {
			with(name, v, blank(name))
		}
		for _, v := range []string{`1.0`, `1e3`, `"4 "`, `"four"`, `"1.5"`, `true`, `[4]`, `9223372036854775808`} {
			with(name, v, invalid(name))
		}
		for _, v := range []string{`0`, `"12"`, `9223372036854775807`} {
			with(name, v, nil)
		}
	}
	for _, name := range []string{"arch", "installation_source", "prometheus_mode", "fully_qualified_domain_name", "last_boot_timestamp"} {
		for _, v := range []string{"", `null`, `""`, `"  "`} {
			with(name, v, nil)
		}
		for _, v := range []string{`1`, `false`, `{}`, `["x86_64"]`} {
			with(name, v, invalid(name))
		}
	}
	for _, v := range []string{`"Pull"`, `"none"`, `" pull"`} {
		with("prometheus_mode", v, invalid("prometheus_mode"))
	}
	for _, v := range []string{
		`"soon"`, `"2026-07-03"`, `"2026-13-03T09:41:17Z"`, `"2026-07-03T09:41:17+25"`, `"1783064477"`,
		`"0000-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`,
	} {
		with("last_boot_timestamp", v, invalid("last_boot_timestamp"))
	}
	with("ip_addresses", `null`, blank("ip_addresses"))
	with("ip_addresses", `""`, blank("ip_addresses"))
	with("ip_addresses", ``, blank("ip_addresses"))
	with("ip_addresses", `[]`, nil)
	for _, v := range []string{`"10.0.0.1"`, `{}`, `[1]`, `["10.0.0.1",{}]`} {
		with("ip_addresses", v, invalid("ip_addresses"))
	}
	for _, v := range []string{`"24"`, `{}`, `["a"]`, `[24.0]`, `[true]`, `[[24]]`, `[24,"x"]`} {
		with("netmasks", v, invalid("netmasks"))
	}
	for _, v := range []string{`null`, `[]`, `[24]`, `["24"]`, `[null]`, `[""]`, `[8,24,24]`} {
		with("netmasks", v, nil)
	}
	for _, v := range []string{`[]`, `"node_exporter"`, `9100`} {
		with("prometheus_targets", v, invalid("prometheus_targets"))
	}
	for _, v := range []string{`"pacemaker"`, `{}`, `["pacemaker"]`, `[null]`, `[{"name":"a","unit_file_state":"b"},1]`} {
		with("systemd_units", v, invalid("systemd_units"))
	}
	with("systemd_units", `[{"name":"a","unit_file_state":"b"},{"name":" ","unit_file_state":7},{}]`, []Problem{
		problem("can't be blank", "/systemd_units/1/name"), problem("is invalid", "/systemd_units/1/unit_file_state"),
		problem("can't be blank", "/systemd_units/2/name"), problem("can't be blank", "/systemd_units/2/unit_file_state"),
	})
	refusals(t, landscape.HostDiscovery, cases)
}

func TestCloudRefusals(t *testing.T) {
	const (
		goodAWS = `{"account_id":"1","ami_id":"a","availability_zone":"z","data_disk_number":1,"instance_id":"i","instance_type":"t","region":"r","vpc_id":"v"}`
		goodGCP = `{"disk_number":1,"image":"i","instance_name":"n","machine_type":"m","network":"n","project_id":"p","zone":"z"}`
	)
	cases := map[string][]Problem{
		`null`: unableProblem, `[]`: unableProblem,
		`{}`: nil, `{"Provider":null}`: nil, `{"Provider":" ","Metadata":{}}`: nil, `{"provider":"vmware","metadata":{"a":1}}`: nil,
		`{"Provider":"oracle"}`:                 {problem("is invalid", "/provider")},
		`{"Provider":"Azure"}`:                  {problem("is invalid", "/provider")},
		`{"Provider":5}`:                        {problem("is invalid", "/provider")},
		`{"Provider":"kvm","Metadata":"x"}`:     {problem("is invalid", "/metadata")},
		`{"Provider":"azure","Metadata":[]}`:    {problem("is invalid", "/metadata")},
		`{"Provider":"azure","Metadata":null}`:  nil,
		`{"Provider":"azure","Metadata":{}}`:    nil,
		`{"Provider":"kvm","Metadata":{"a":1}}`: nil, `{"Provider":"nutanix"}`: nil, `{"Provider":"unknown"}`: nil,
		`{"Provider":"aws"}`:                            nil,
		`{"Provider":"gcp","Metadata":null}`:            nil,
		`{"Provider":"oracle","Metadata":5}`:            {problem("is invalid", "/metadata"), problem("is invalid", "/provider")},
		`{"Provider":"aws","Metadata":` + goodAWS + `}`: nil,
		`{"Provider":"gcp","Metadata":` + goodGCP + `}`: nil,
		`{"Provider":"azure","Metadata":{"compute":{"name":1,"vmSize":true,"osProfile":"x","storageProfile":{"dataDisks":{}}}}}`: {
			problem("is invalid", "/metadata/compute/name"), problem("is invalid", "/metadata/compute/os_profile"),
			problem("is invalid", "/metadata/compute/storage_profile/data_disks"), problem("is invalid", "/metadata/compute/vm_size"),
		},
		`{"Provider":"azure","Metadata":{"compute":[]}}`: {problem("is invalid", "/metadata/compute")},
		`{"Provider":"gcp","Metadata":{"disk_number":"many"}}`: {
			problem("is invalid", "/metadata/disk_number"), problem("can't be blank", "/metadata/instance_name"),
			problem("can't be blank", "/metadata/machine_type"), problem("can't be blank", "/metadata/network"),
			problem("can't be blank", "/metadata/project_id"), problem("can't be blank", "/metadata/zone"),
		},
	}
	for _, name := range []string{"account_id", "ami_id", "availability_zone", "data_disk_number", "instance_id", "instance_type", "region", "vpc_id"} {
		for _, v := range []string{"", `null`, `" "`} {
			cases[`{"Provider":"aws","Metadata":`+changed(t, goodAWS, map[string]string{name: v})+`}`] = []Problem{problem("can't be blank", "/metadata/"+name)}
		}
		cases[`{"Provider":"aws","Metadata":`+changed(t, goodAWS, map[string]string{name: `{}`})+`}`] = []Problem{problem("is invalid", "/metadata/"+name)}
	}
	for _, v := range []string{"", `null`, `""`} {
		cases[`{"Provider":"gcp","Metadata":`+changed(t, goodGCP, map[string]string{"image": v})+`}`] = nil
	}
	refusals(t, landscape.CloudDiscovery, cases)
}

func TestSubscriptionRefusals(t *testing.T) {
	const good = `{"identifier":"SLES_SAP","version":"15.6","arch":"x86_64","status":"Registered"}`
	cases := map[string][]Problem{
		`null`: unableProblem, good: unableProblem, `[]`: nil, `[` + good + `]`: nil,
		`{"identifier":"a","version":"b"}`: {problem("can't be blank", "/arch"), problem("can't be blank", "/status")},
		`[` + good + `,{"identifier":" ","version":1,"arch":"x","status":"s"},{"version":"1","arch":"x","status":"s","type":9}]`: {
			problem("can't be blank", "/identifier"), problem("can't be blank", "/identifier"),
			problem("is invalid", "/type"), problem("is invalid", "/version"),
		},
		`[` + good + `,5]`: unableProblem, // cannot come out of Open
	}
	for _, name := range []string{"subscription_status", "type", "starts_at", "expires_at"} {
		cases[`[`+changed(t, good, map[string]string{name: `null`})+`]`] = nil
		cases[`[`+changed(t, good, map[string]string{name: `[]`})+`]`] = []Problem{problem("is invalid", "/"+name)}
	}
	refusals(t, landscape.SubscriptionDiscovery, cases)
}

func TestSaptuneRefusals(t *testing.T) {
	const (
		result = `{"package version":"3.1.3","configured version":"3","tuning state":"compliant","services":{"saptune":["enabled","active"],"tuned":[]},
			"Notes enabled":["1"],"Notes applied":["1"],"Notes enabled additionally":[],
			"Solution enabled":["HANA"],"Notes enabled by Solution":[{"Solution ID":"HANA","Note list":["1"]}],
			"Solution applied":[{"Solution ID":"HANA","applied partially":false}],"Notes applied by Solution":[{"Solution ID":"HANA","Note list":["1"]}],
			"staging":{"staging enabled":false,"Notes staged":[],"Solutions staged":[]}}`
		staging = `{"staging enabled":false,"Notes staged":[],"Solutions staged":[]}`
	)
	wrap := func(result string) string {
		return `{"saptune_installed":true,"package_version":"3.1.3","status":{"result":` + result + `}}`
	}
	cases := map[string][]Problem{
		`null`: unableProblem, `[]`: unableProblem, `{}`: unableProblem,
		`{"saptune_installed":true,"package_version":"3.1.3"}`:                      unableProblem,
		`{"saptune_installed":true,"status":null}`:                                  unableProblem,
		`{"package_version":"","status":null}`:                                      unableProblem,
		`{"saptune_installed":null,"package_version":"","status":null}`:             {problem("can't be blank", "/saptune_installed")},
		`{"saptune_installed":"maybe","package_version":3,"status":"ok"}`:           {problem("is invalid", "/package_version"), problem("is invalid", "/saptune_installed"), problem("is invalid", "/status")},
		`{"saptune_installed":"true","package_version":"3.1.3","status":null}`:      nil,
		`{"saptune_installed":"0","package_version":null,"status":null}`:            nil,
		`{"saptune_installed":false,"package_version":"","status":{"result":null}}`: nil,
		`{"saptune_installed":true,"package_version":"3.1.3","status":{}}`:          {problem("can't be blank", "/result")},
		wrap(`null`): {problem("can't be blank", "/result")},
		wrap(`[]`):   {problem("is invalid", "/result")},
		wrap(`{}`):   unableProblem,
		wrap(result): nil,
		`{"saptune_installed":true,"package_version":"3.1.2","status":{"result":` + result + `}}`: unableProblem,
		`{"saptune_installed":true,"package_version":"","status":{"result":` + result + `}}`:      unableProblem,
	}
	with := func(members map[string]string, want []Problem) { cases[wrap(changed(t, result, members))] = want }
	one := func(name, v string, want []Problem) { with(map[string]string{name: v}, want) }
	one("package version", `null`, unableProblem)
	one("services", ``, unableProblem)
	one("services", `null`, unableProblem)
	one("services", `[]`, []Problem{problem("is invalid", "/result/services")})
	one("services", `{}`, nil)
	for _, v := range []string{`["enabled"]`, `["a","b","c"]`, `"enabled"`, `null`, `[1,2]`, `[null,null]`} {
		one("services", `{"saptune":`+v+`}`, unableProblem)
	}
	one("staging", ``, unableProblem)
	one("staging", `[]`, []Problem{problem("is invalid", "/result/staging")})
	for _, name := range []string{"staging enabled", "Notes staged", "Solutions staged"} {
		one("staging", changed(t, staging, map[string]string{name: ``}), unableProblem)
		one("staging", changed(t, staging, map[string]string{name: `null`}), unableProblem)
		one("staging", changed(t, staging, map[string]string{name: `5`}), []Problem{problem("is invalid", "/result/staging/"+saptuneName(name))})
	}
	for _, name := range []string{"Notes enabled", "Notes applied", "Notes enabled additionally"} {
		one(name, ``, unableProblem)
		one(name, `null`, unableProblem)
		one(name, `"1"`, []Problem{problem("is invalid", "/result/"+saptuneName(name))})
		one(name, `[1]`, []Problem{problem("is invalid", "/result/"+saptuneName(name))})
	}
	with(map[string]string{"Notes enabled": `[]`, "Notes applied": `[]`, "Notes enabled additionally": ``}, nil)
	for _, name := range []string{"Solution enabled", "Notes enabled by Solution", "Solution applied", "Notes applied by Solution"} {
		one(name, ``, nil)
		one(name, `null`, nil)
		one(name, `{}`, []Problem{problem("is invalid", "/result/"+saptuneName(name))})
		one(name, `[5]`, []Problem{problem("is invalid", "/result/"+saptuneName(name))})
	}
	one("Solution applied", `[{}]`, []Problem{
		problem("can't be blank", "/result/solution_applied/0/applied_partially"),
		problem("can't be blank", "/result/solution_applied/0/solution_id"),
	})
	one("configured version", `3`, []Problem{problem("is invalid", "/result/configured_version")})
	one("tuning state", `null`, nil)
	refusals(t, landscape.SaptuneDiscovery, cases)
}
