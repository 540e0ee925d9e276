package discovery

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// The least that has to be said of a database and of an application instance.
const (
	goodDatabase = `[{"Id":"0f1e2d3c","SID":"ORE","Type":1,"Profile":{},"Databases":[{"Database":"LIM"}],"Instances":[{
		"Host":"basalt01","Name":"HDB10","Type":1,
		"SAPControl":{
			"Properties":[{"property":"SAPSYSTEM","value":"10"}],
			"Instances":[{"hostname":"basalt01","instanceNr":10,"features":"HDB","startPriority":"0.3","dispstatus":"SAPControl-GREEN","currentInstance":true}],
			"Processes":[{"name":"hdbdaemon"}]}}]}]`
	goodApplication = `[{"Id":"1c2d","SID":"LIM","Type":2,"Profile":{"dbs/hdb/dbname":"LIM"},"Instances":[{
		"Host":"granite01","Name":"ASCS00","Type":2,
		"SAPControl":{
			"Properties":[{"property":"SAPSYSTEM","value":"00"},{"property":"SAPLOCALHOST","value":"limascs"}],
			"Instances":[{"hostname":"limascs","instanceNr":0,"features":"MESSAGESERVER","startPriority":"1","dispstatus":"SAPControl-GREEN","currentInstance":true}],
			"Processes":[{"name":"msg_server"}]}}]}]`
)

func TestSAPRefusals(t *testing.T) {
	blank := func(pointers ...string) (all []Problem) {
		for _, pointer := range pointers {
			all = append(all, problem("can't be blank", pointer))
		}
		return all
	}
	invalid := func(pointer string) []Problem { return []Problem{problem("is invalid", pointer)} }
	cases := map[string][]Problem{
		`null`: unableProblem, `{}`: unableProblem, `"x"`: unableProblem, `[1]`: unableProblem, // of which the last cannot come out of Open
		`[]`: nil, goodDatabase: nil, goodApplication: nil,
		`[{}]`: blank("/Id", "/Profile", "/SID", "/Type"),
		`[{"Id":"-","SID":"PUM","Type":0,"Profile":{},"Instances":[]}]`: nil,
		`[{"Id":"x","SID":"DAA","Type":3,"Profile":{}}]`:                nil,
		// One that is wrong spoils all.
		goodDatabase[:len(goodDatabase)-1] + `,{}]`: blank("/Id", "/Profile", "/SID", "/Type"),
	}
	both := func(path, v string, want []Problem) {
		cases[edited(t, goodDatabase, edits{path: v})] = want
		cases[edited(t, goodApplication, edits{path: v})] = want
	}
	texts := map[string]string{
		"0/Id": "/Id", "0/SID": "/SID", "0/Instances/0/Host": "/Instances/Host", "0/Instances/0/Name": "/Instances/Name",
		"0/Instances/0/SAPControl/Instances/0/hostname":      "/Instances/SAPControl/Instances/hostname",
		"0/Instances/0/SAPControl/Instances/0/features":      "/Instances/SAPControl/Instances/features",
		"0/Instances/0/SAPControl/Instances/0/startPriority": "/Instances/SAPControl/Instances/startPriority",
		"0/Instances/0/SAPControl/Instances/0/dispstatus":    "/Instances/SAPControl/Instances/dispstatus",
		"0/Instances/0/SAPControl/Processes/0/name":          "/Instances/SAPControl/Processes/name",
		"0/Instances/0/SAPControl/Properties/0/property":     "/Instances/SAPControl/Properties/property",
	}
	for path, pointer := range texts {
		for _, v := range []string{"", `null`, `""`, `"  "`} {
			both(path, v, blank(pointer))
		}
		both(path, `5`, invalid(pointer))
	}
	for _, path := range []string{"0/Type", "0/Instances/0/Type", "0/Instances/0/SAPControl/Instances/0/instanceNr"} {
		pointer := regexp.MustCompile(`^0|/0`).ReplaceAllString(path, "")
		both(path, `null`, blank(pointer))
		both(path, ``, blank(pointer))
		both(path, `"two"`, invalid(pointer))
		both(path, `1.5`, invalid(pointer))
	}
	for _, v := range []string{`4`, `-1`} {
		both("0/Type", v, invalid("/Type"))
	}
	both("0/Instances/0/SAPControl/Instances/0/dispstatus", `"SAPControl-BLUE"`, invalid("/Instances/SAPControl/Instances/dispstatus"))
	both("0/Instances/0/SAPControl/Instances/0/dispstatus", `"GREEN"`, invalid("/Instances/SAPControl/Instances/dispstatus"))
	both("0/Instances", `null`, blank("/Instances"))
	both("0/Instances", `{}`, invalid("/Instances"))
	both("0/Instances", `[1]`, invalid("/Instances"))
	both("0/Instances", `[]`, nil)
	both("0/Instances/0/SAPControl", `null`, blank("/Instances/SAPControl"))
	both("0/Instances/0/SAPControl", `[]`, invalid("/Instances/SAPControl"))
	both("0/Instances/0/SAPControl", `{}`, blank("/Instances/SAPControl/Instances", "/Instances/SAPControl/Processes", "/Instances/SAPControl/Properties"))
	for _, list := range []string{"Instances", "Processes", "Properties"} {
		for _, v := range []string{"", `null`, `[]`} {
			both("0/Instances/0/SAPControl/"+list, v, blank("/Instances/SAPControl/"+list))
		}
		both("0/Instances/0/SAPControl/"+list, `[1]`, invalid("/Instances/SAPControl/"+list))
		both("0/Instances/0/SAPControl/"+list, `"x"`, invalid("/Instances/SAPControl/"+list))
	}
	const current = "0/Instances/0/SAPControl/Instances/0/currentInstance"
	both(current, `null`, blank("/Instances/SAPControl/Instances/currentInstance"))
	both(current, `"yes"`, invalid("/Instances/SAPControl/Instances/currentInstance"))
	both(current, `false`, unableProblem)
	for _, port := range []string{"httpPort", "httpsPort"} {
		both("0/Instances/0/SAPControl/Instances/0/"+port, `"many"`, invalid("/Instances/SAPControl/Instances/"+port))
		for _, v := range []string{`null`, `""`, `"50013"`, `50013`} {
			both("0/Instances/0/SAPControl/Instances/0/"+port, v, nil)
		}
	}
	both("0/DBAddress", `7`, invalid("/DBAddress"))
	both("0/Profile", `null`, blank("/Profile"))
	both("0/Profile", `[]`, invalid("/Profile"))
	for _, profile := range []string{`{}`, `{"dbs/hdb/dbname":null}`, `{"dbs/hdb/dbname":" "}`} {
		cases[edited(t, goodApplication, edits{"0/Profile": profile})] = blank("/Profile/dbs/hdb/dbname")
		cases[edited(t, goodDatabase, edits{"0/Profile": profile})] = nil
	}
	cases[edited(t, goodApplication, edits{"0/Profile": `{"dbs/hdb/dbname":5}`})] = invalid("/Profile/dbs/hdb/dbname")
	both("0/Databases", `{}`, invalid("/Databases"))
	both("0/Databases", `[{"Database":" "}]`, blank("/Databases/Database"))
	for _, v := range []string{"", `null`, `[]`} {
		cases[edited(t, goodApplication, edits{"0/Databases": v})] = nil
		cases[edited(t, goodDatabase, edits{"0/Databases": v})] = blank("/tenants")
		cases[edited(t, goodDatabase, edits{"0/Databases": v, "0/Instances": `[]`})] = nil
	}
	// The number and the name of the instance are among its properties.
	const properties = "0/Instances/0/SAPControl/Properties"
	unnamed := func(property string) []Problem {
		return []Problem{problem("can't be blank for property "+property, "/Instances/SAPControl/Properties/value")}
	}
	both(properties, `[{"property":"SAPSYSTEM","value":" "},{"property":"SAPLOCALHOST","value":"x"}]`, unnamed("SAPSYSTEM"))
	both(properties, `[{"property":"SAPSYSTEM","value":"00"},{"property":"SAPLOCALHOST"}]`, unnamed("SAPLOCALHOST"))
	both(properties, `[{"property":"SAPSYSTEM","value":7},{"property":"SAPLOCALHOST","value":"x"}]`, invalid("/Instances/SAPControl/Properties/value"))
	both(properties, `[{"property":"SAPLOCALHOST","value":"x"}]`, blank("/instance_number"))
	both(properties, `[{"property":"SAPLOCALHOST","value":"x"},{"property":"SAPSYSTEM","value":"10"},{"property":"ICM","value":null},{"property":"IGS"}]`, nil)
	cases[edited(t, goodApplication, edits{properties: `[{"property":"SAPSYSTEM","value":"00"}]`})] = blank("/instance_hostname")
	cases[edited(t, goodDatabase, edits{properties: `[{"property":"SAPSYSTEM","value":"00"}]`})] = nil
	// What the two tools say about the replication.
	for _, v := range []string{"", `null`, `{}`} {
		both("0/Instances/0/SystemReplication", v, nil)
		both("0/Instances/0/HdbnsutilSRstate", v, nil)
	}
	both("0/Instances/0/SystemReplication", `"x"`, invalid("/Instances/SystemReplication"))
	both("0/Instances/0/SystemReplication", `{"overall_replication_status":"ACTIVE"}`, blank("/Instances/SystemReplication/local_site_id"))
	both("0/Instances/0/HdbnsutilSRstate", `[]`, invalid("/Instances/HdbnsutilSRstate"))
	both("0/Instances/0/HdbnsutilSRstate", `{"mode":1}`, invalid("/Instances/HdbnsutilSRstate/mode"))
	both("0/Instances/0/HdbnsutilSRstate", `{"siteMapping/A":{}}`, invalid("/Instances/HdbnsutilSRstate/siteMapping/A"))
	for _, state := range []string{`{"site_id":"first"}`, `{"active_primary_site":1.5}`, `{"siteTier/A":"first"}`, `{"site_id":[1]}`} {
		cases[edited(t, goodDatabase, edits{"0/Instances/0/HdbnsutilSRstate": state})] = unableProblem
		cases[edited(t, goodApplication, edits{"0/Instances/0/HdbnsutilSRstate": state})] = nil // is not read
	}
	refusals(t, landscape.SAPSystemDiscovery, cases)
}

// Nothing is asked of what nobody reads: the entries of other instances, and
// most of a process.
func TestSAPLeniency(t *testing.T) {
	for name, changes := range map[string]edits{
		"other instances": {"0/Instances/0/SAPControl/Instances": `[{"currentInstance":false},{},{"dispstatus":"BLUE","hostname":7,"instanceNr":{}},
			{"hostname":"x","instanceNr":10,"features":"HDB","startPriority":"0.3","dispstatus":"SAPControl-GREEN","currentInstance":true},{"currentInstance":true}]`},
		"processes":      {"0/Instances/0/SAPControl/Processes": `[{"name":"x","pid":null,"dispstatus":"BLUE","description":7}]`},
		"numbers":        {"0/Type": `"1"`, "0/Instances/0/Type": `"7"`, "0/Instances/0/SAPControl/Instances/0/instanceNr": `"10"`},
		"other features": {"0/Databases/0/Host": `5`, "0/Unheard": `[]`, "0/Instances/0/HostConfiguration": `"x"`},
	} {
		t.Run(name, func(t *testing.T) {
			seen := accept(t, landscape.SAPSystemDiscovery, edited(t, goodDatabase, changes))
			if e := seen.SAP.Elements; len(e) != 1 || e[0].Status != landscape.Green || e[0].StartPriority != "0.3" || e[0].HTTPPort != nil {
				t.Errorf("elements %+v", e)
			}
		})
	}
}

// Old agents do not say which entry is that of the instance itself.
func TestCurrentInstance(t *testing.T) {
	const path = "0/Instances/0/SAPControl/Instances"
	entry := func(hostname, number, features, more string) string {
		return `{"hostname":"` + hostname + `","instanceNr":` + number + `,"features":"` + features + `","startPriority":"1","dispstatus":"SAPControl-GREEN"` + more + `}`
	}
	for name, test := range map[string]struct{ entries, want string }{
		"by host and number":   {entry("other", "0", "A", "") + "," + entry("limascs", "1", "B", "") + "," + entry("limascs", "0", "C", ""), "C"},
		"number as text":       {entry("limascs", `"0"`, "A", ""), "A"},
		"told beats derived":   {entry("limascs", "0", "A", `,"currentInstance":false`) + "," + entry("other", "7", "B", `,"currentInstance":true`), "B"},
		"the first one counts": {entry("x", "0", "A", `,"currentInstance":true`) + "," + entry("y", "0", "B", `,"currentInstance":true`), "A"},
		"none":                 {entry("other", "0", "A", ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			payload := edited(t, goodApplication, edits{path: "[" + test.entries + "]"})
			if test.want == "" {
				refusals(t, landscape.SAPSystemDiscovery, map[string][]Problem{payload: unableProblem})
				return
			}
			if got := accept(t, landscape.SAPSystemDiscovery, payload).SAP.Elements[0].Features; got != test.want {
				t.Errorf("read entry %s, want %s", got, test.want)
			}
		})
	}
}

func TestColours(t *testing.T) {
	for colour, want := range map[string]landscape.InstanceStatus{
		"GREEN": landscape.Green, "YELLOW": landscape.Yellow, "RED": landscape.Red, "GRAY": landscape.Gray,
	} {
		payload := edited(t, goodDatabase, edits{"0/Instances/0/SAPControl/Instances/0/dispstatus": `"SAPControl-` + colour + `"`})
		if got := accept(t, landscape.SAPSystemDiscovery, payload).SAP.Elements[0].Status; got != want {
			t.Errorf("%s is %s, want %s", colour, got, want)
		}
	}
}

func TestENSA(t *testing.T) {
	for processes, want := range map[string]landscape.ENSAVersion{
		`[{"name":"msg_server"}]`:                           landscape.NoENSA,
		`[{"name":"msg_server"},{"name":"enserver"}]`:       landscape.ENSA1,
		`[{"name":"enrepserver"}]`:                          landscape.ENSA1,
		`[{"name":"enq_server"}]`:                           landscape.ENSA2,
		`[{"name":"enq_replicator"}]`:                       landscape.ENSA2,
		`[{"name":"enq_replicator"},{"name":"enserver"}]`:   landscape.ENSA2, // the first one counts
		`[{"name":"enserver"},{"name":"enq_server"}]`:       landscape.ENSA1,
		`[{"name":"ENSERVER"},{"name":"enq_server_watch"}]`: landscape.NoENSA,
	} {
		payload := edited(t, goodApplication, edits{"0/Instances/0/SAPControl/Processes": processes})
		if got := accept(t, landscape.SAPSystemDiscovery, payload).SAP.Elements[0].Application.ENSA; got != want {
			t.Errorf("%s is %s, want %s", processes, got, want)
		}
	}
}

func TestTenantNames(t *testing.T) {
	payload := edited(t, goodDatabase, edits{"0/Databases": `[{"Database":"ZAR"},{"Database":"LIM"},{"Database":"ZAR"},{"Database":"lim"}]`})
	got := accept(t, landscape.SAPSystemDiscovery, payload).SAP.Elements[0].Database.Tenants
	if diff := cmp.Diff([]string{"LIM", "ZAR", "lim"}, got); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
}

// The parts of a replication, one by one: what is written, and what is read
// out of it.
func TestSystemReplication(t *testing.T) {
	type part struct{ role, mode, source, tier, site, primary string }
	show := func(d *landscape.DatabaseElement) part {
		text := func(s *string) string {
			if s == nil {
				return "-"
			}
			return *s
		}
		number := func(n *int) string {
			if n == nil {
				return "-"
			}
			return strconv.Itoa(*n)
		}
		return part{text(d.Role), text(d.Mode), text(d.SourceSite), number(d.Tier), number(d.SiteID), number(d.ActivePrimarySite)}
	}
	for state, want := range map[string]part{
		`{}`:                                         {"-", "-", "-", "-", "-", "-"},
		`{"mode":"none","site_id":null}`:             {"-", "none", "-", "-", "-", "-"},
		`{"mode":" ","site_id":" "}`:                 {"-", "-", "-", "-", "-", "-"},
		`{"mode":"primary","site_id":"1"}`:           {"Primary", "primary", "-", "1", "1", "-"},
		`{"mode":"sync","site_id":2}`:                {"Secondary", "sync", "-", "-", "2", "-"},
		`{"mode":"syncmem"}`:                         {"Secondary", "syncmem", "-", "-", "-", "-"},
		`{"mode":"async","active_primary_site":"1"}`: {"Secondary", "async", "-", "-", "-", "1"},
		`{"mode":"unknown"}`:                         {"Secondary", "unknown", "-", "-", "-", "-"},
		`{"mode":"PRIMARY"}`:                         {"-", "PRIMARY", "-", "-", "-", "-"},
		// Where any tier is told, that of the own site counts.
		`{"mode":"primary","site_name":"A","siteTier/B":"2"}`:                                           {"Primary", "primary", "-", "-", "-", "-"},
		`{"mode":"primary","site_name":"A","siteTier/A":"3"}`:                                           {"Primary", "primary", "-", "3", "-", "-"},
		`{"mode":"sync","site_name":"B","siteTier/A":1,"siteTier/B":2}`:                                 {"Secondary", "sync", "-", "2", "-", "-"},
		`{"mode":"sync","siteTier/A":1}`:                                                                {"Secondary", "sync", "-", "-", "-", "-"},
		`{"mode":"sync","site_name":"B","siteTier/B":null}`:                                             {"Secondary", "sync", "-", "-", "-", "-"},
		`{"mode":"sync","site_name":"B","siteMapping/A":"B"}`:                                           {"Secondary", "sync", "A", "-", "-", "-"},
		`{"mode":"sync","site_name":"B","siteMapping/A":["C","B"]}`:                                     {"Secondary", "sync", "A", "-", "-", "-"},
		`{"mode":"sync","site_name":"B","siteMapping/Z":"B","siteMapping/A":"B","siteMapping/M":["B"]}`: {"Secondary", "sync", "Z", "-", "-", "-"},
		`{"mode":"sync","site_name":"B","siteMapping/B":"C","siteMapping/A":null}`:                      {"Secondary", "sync", "-", "-", "-", "-"},
		`{"mode":"sync","siteMapping/A":"B"}`:                                                           {"Secondary", "sync", "-", "-", "-", "-"},
	} {
		payload := edited(t, goodDatabase, edits{"0/Instances/0/HdbnsutilSRstate": state})
		got := show(accept(t, landscape.SAPSystemDiscovery, payload).SAP.Elements[0].Database)
		if got != want {
			t.Errorf("%s is %v, want %v", state, got, want)
		}
	}
}

// What changes from report to report of a running host is no part of what is
// read.
func TestSAPReportsRepeat(t *testing.T) {
	volatile := regexp.MustCompile(`"(elapsedtime|starttime|pid|service/[^"]*|site/[^"]*)": ("[^"]*"|\d+)`)
	differ := 0
	for name, body := range reports(t) {
		if !bytes.Contains(body, []byte(`"sap_system_discovery"`)) {
			continue
		}
		later := volatile.ReplaceAll(body, []byte(`"$1": "1"`))
		if !bytes.Equal(body, later) {
			differ++
		}
		first, err := decode(body)
		if err != nil {
			t.Fatal(name, err)
		}
		then, err := decode(later)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(first, then); diff != "" {
			t.Errorf("%s (-first +later):\n%s", name, diff)
		}
	}
	if differ < 10 {
		t.Errorf("only %d reports differ from their later ones", differ)
	}
}
