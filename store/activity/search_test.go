package activity

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// examples are entries with every kind of value a search can meet.
var examples = []struct {
	name     string
	metadata string
}{
	{"A", `{"resource_id":"5f1c2a90-7c1e-4a55-9b0e-0d6f3a8e1111","resource_type":"host","added_tag":"prod_eu.1","hostname":"hana01"}`},
	{"B", `{"correlation_id":"c0ffee00-1111-4222-8333-444455556666","operation_id":"c0ffee00-1111-4222-8333-444455556666","operation":"saptune_solution_apply","host_id":"77aa77aa-0000-4000-8000-00000000b0b0","hostname":"hana02","result":"FAILED","failed_step":"commit","params":{"solution":"HANA"},"errors":{"hana02":"exit status 1"}}`},
	{"C", `{"host_id":"5f1c2a90-7c1e-4a55-9b0e-0d6f3a8e1111","hostname":"HANA01","cpu_count":4,"total_memory_mb":16384,"ip_addresses":["10.1.0.5","10.1.0.6"],"os_version":"15-SP5","arch":"x86_64","fully_qualified_domain_name":null,"systemd_units":[{"name":"pacemaker.service","unit_file_state":"enabled"}],"correlation_id":"0badf00d-1111-4222-8333-444455556666"}`},
	{"D", `{"username":"jane@example.com","reason":"Invalid credentials."}`},
	{"E", `{"check_id":"DA114A","group_id":"99bb99bb-0000-4000-8000-00000000c1c1","target_type":"cluster","name":"hana_cluster","custom_values":[{"name":"expected","value":20},{"name":"strict","value":true},{"name":"ratio","value":20.5},{"name":"label","value":"20"}]}`},
	{"F", `{}`},
	{"G", `{"url":"https://smlm.example.com","username":"svc_trento","password":"REDACTED","ca_cert":null,"correlation_id":"facade00-1111-4222-8333-444455556666"}`},
}

// found runs a search over the examples and names those it finds.
func found(t *testing.T, query string) string {
	t.Helper()
	search, err := ParseSearch(query)
	if err != nil {
		t.Fatalf("ParseSearch(%q): %v", query, err)
	}
	var names []string
	for _, e := range examples {
		if search.Match(json.RawMessage(e.metadata)) {
			names = append(names, e.name)
		}
	}
	return strings.Join(names, " ")
}

func TestSearchExamples(t *testing.T) {
	tests := []struct{ query, want string }{
		{`hana01`, "A C"},
		{`HANA01`, "A C"},
		{`hana`, "B"},
		{`hana*`, "A B C E"},
		{`*01`, "A C"},
		{`*hana*`, "A B C E"},
		{`hana0*1`, "A C"},
		{`*`, "A B C D E G"},
		{`**hana01`, "A C"},
		{`hostname`, ""},
		{`host`, "A"},
		{`prod_eu.1`, "A"},
		{`*eu.1`, "A"},
		{`10.1.0.5`, "C"},
		{`*.0.6`, "C"},
		{`FAILED`, "B"},
		{`failed`, "B"},
		{`exit*`, "B"},
		{`*status*`, "B"},
		{`"exit status 1"`, "B"},
		{`Invalid*`, "D"},
		{`*credentials.`, "D"},
		{`Invalid credentials.`, ""},
		{`"Invalid credentials."`, "D"},
		{`jane*`, "D"},
		{`jane@example.com`, "D"},
		{`*example.com`, "D G"},
		{`*.*`, "A C D G"},
		{`c0ffee00-1111-4222-8333-444455556666`, "B"},
		{`4`, "C"},
		{`==4`, "C"},
		{`20`, "E"},
		{`==20`, "E"},
		{`20.5`, "E"},
		{`>20`, "C E"},
		{`>=20`, "C E"},
		{`>4 AND <20000`, "C E"},
		{`>20 AND <21`, "E"},
		{`!=20`, "C E"},
		{`==007`, ""},
		{`true`, "E"},
		{`null`, ""},
		{`hana01 hana02`, "A B C"},
		{`hana01 OR hana02`, "A B C"},
		{`hana01 AND host`, "A"},
		{`hana01 AND hana02`, ""},
		{`hana02 AND FAILED AND HANA`, "B"},
		{`hana01 and host`, "A C"},
		{`hana01   AND    host`, "A"},
		{`hana01 AND host OR DA114A`, "A E"},
		{`HANA01 OR hana02 AND FAILED`, "B"},
		{`hana01 OR hana02 AND DA114A`, ""},
		{`hana01 AND`, "A C"},
		{`hana01 AND AND host`, "A"},
		{`NOT hana01`, "A C"},
		{`==4 AND HANA01`, "C"},
		{`HANA01 OR ==20`, "A C E"},
		{`(hana01)`, ""},
		{"hana01\thana02", "A B C"},
		{`*_*`, "A B C E G"},
		{`ca_cert`, ""},
		{`username:svc_trento`, ""},

		// What the examples above leave open.
		{`TRUE`, "E"},
		{`"20.5"`, "E"},
		{`20*`, "E"},
		{`==20.50`, "E"},
		{`==0020`, "E"},
		{`<5`, "C"},
		{`<=4`, "C"},
		{`<4`, ""},
		{`>-1 AND <5`, "C"},
		{`==4 AND ==16384`, ""},
		{`==4 AND ==16384 AND hana01`, "C"},
		{`==4 OR ==20`, "C E"},
		{`"==4"`, ""},
		{`=4`, ""},
		{`"hana01" AND "host"`, "A"},
		{`hana01 "AND" host`, "A C"},
		{`h"ana"0*`, "A B C"},
		{`"*01"`, "A C"},
		{`hana0\*`, ""},
		{`exit\ status\ 1`, "B"},
		{`"exit status`, ""},
		{`"exit status*`, "B"},
		{`hana01\`, ""},
		{"hana01\u2003host", "A C"},
	}
	for _, test := range tests {
		if got := found(t, test.query); got != test.want {
			t.Errorf("%s finds %q, want %q", test.query, got, test.want)
		}
	}
}

func TestSearchBlank(t *testing.T) {
	for _, query := range []string{"", " ", "\t\n", "\u00a0 \u3000"} {
		search, err := ParseSearch(query)
		if err != nil || !search.Blank() {
			t.Errorf("ParseSearch(%q) is not blank (%v)", query, err)
		}
		if !search.Match(json.RawMessage(`{}`)) {
			t.Errorf("a blank search does not find everything")
		}
	}
	if search, _ := ParseSearch(`""`); search.Blank() {
		t.Error(`"" asks for the empty text, but counts as blank`)
	}
}

func TestSearchLeaves(t *testing.T) {
	tests := []struct {
		query, metadata string
		want            bool
	}{
		{`""`, `{"a":""}`, true},
		{`""`, `{"a":"x"}`, false},
		{`""`, `{}`, false},
		{`*`, `{"a":""}`, true},
		{`*`, `{"a":1,"b":null,"c":true,"d":[],"e":{}}`, false},
		{`\*`, `{"a":"*"}`, true},
		{`\*`, `{"a":"x"}`, false},
		{`"\""`, `{"a":"\""}`, true},
		{`a\\b`, `{"a":"a\\b"}`, true},
		{`a/b`, `{"a":"a\/b"}`, true},
		{`zoë`, `{"a":"ZO\u00cb"}`, true},
		{`"a	b"`, `{"a":"a\tb"}`, true},
		{`a`, `{"a":{"a":["b",{"a":"c"}]}}`, false},
		{`c`, `{"a":{"a":["b",{"a":"c"}]}}`, true},
		{`c`, " { \"a\" : [ \"b\" , \"c\" ] } ", true},
		{`a`, `{"a" : 1}`, false},
		{`ab*ba`, `{"a":"aba"}`, false},
		{`ab*ba`, `{"a":"abba"}`, true},
		{`*a*a*`, `{"a":"xay"}`, false},
		{`*a*a*`, `{"a":"xaya"}`, true},
		{`straße`, `{"a":"STRASSE"}`, false},
		{`straße`, `{"a":"STRA\u1e9eE"}`, true},
		{`Σ*ς`, `{"a":"σοφός"}`, true},
		{`kelvin`, `{"a":"\u212aelvin"}`, true},
		{`istanbul`, `{"a":"\u0130stanbul"}`, false},
		{`1e3`, `{"a":1E3}`, true},
		{`==1000`, `{"a":1E3}`, true},
		{`==0`, `{"a":-0.0}`, true},
		{`==-0`, `{"a":0}`, true},
		{`<0`, `{"a":-0.0}`, false},
		{`!=0`, `{"a":0}`, false},
		{`!=1`, `{"a":"0","b":null,"c":true}`, false},
		{`>1`, `{"a":1.0000000000000002}`, true},
		{`>99999999999999999999`, `{"a":1e300}`, true},
		{`1 2`, `{"a":2}`, true},
		{`==1 ==2`, `{"a":2}`, true},
		{`!=1 AND !=2`, `{"a":1,"b":2}`, false},
		{`!=1 AND !=2`, `{"a":3}`, true},
		{`>5 AND <3`, `{"a":4,"b":6,"c":2}`, false},
		{`>5 AND <3 OR ==4`, `{"a":4}`, true},
	}
	for _, test := range tests {
		search, err := ParseSearch(test.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := search.Match(json.RawMessage(test.metadata)); got != test.want {
			t.Errorf("%s on %s is %v, want %v", test.query, test.metadata, got, test.want)
		}
	}
}

func TestSearchTooLong(t *testing.T) {
	tests := []struct {
		name, query string
		want        error
	}{
		{"1024 characters", strings.Repeat("é", 1024), nil},
		{"1025 characters", strings.Repeat("a", 1025), ErrSearchTooLong},
		{"64 terms", strings.Repeat("a ", 64), nil},
		{"64 terms and operators", strings.Repeat("a AND ", 63) + "a", nil},
		{"65 terms", strings.Repeat("a ", 65), ErrSearchTooLong},
	}
	for _, test := range tests {
		if _, err := ParseSearch(test.query); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
}

func TestLeavesOfBrokenMetadata(t *testing.T) {
	for _, metadata := range []string{``, `"`, `"a`, `{"a`, `{"a"`, `{"a":`, `{"a":"\`, `{"a":"\u12"}`, `{"a":-`, `nul`, `}}}`, `{"a":"b\"`, "\xff\"\xff"} {
		for range Leaves(json.RawMessage(metadata)) { // must end, without a panic
			continue
		}
	}
}

func BenchmarkSearchMatch(b *testing.B) {
	metadata := json.RawMessage(examples[2].metadata)
	for _, query := range []string{"absent", "*absent*", "absent AND *missing* OR >100000", ">100000"} {
		search, err := ParseSearch(query)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(metadata)))
			for b.Loop() {
				if search.Match(metadata) {
					b.Fatal("found")
				}
			}
		})
	}
}
