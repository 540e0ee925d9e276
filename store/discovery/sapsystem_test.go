package discovery

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// The smallest valid descriptions of a database instance and of an application
// instance.
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

// TestSAPLeniency checks that values which are not used need not be valid: the
// entries of other instances, and most values of a process.
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
				seen := accept(t, landscape.SAPSystemDiscovery, payload)
				if len(seen.SAP.Elements) > 0 || !cmp.Equal(seen.SAP.Unread, []landscape.UnreadInstance{{SID: "LIM", Number: "00"}}) || len(seen.Omissions) != 1 {
					t.Errorf("%+v, omissions %v", seen.SAP, seen.Omissions)
				}
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
		`[{"name":"enq_replicator"},{"name":"enserver"}]`:   landscape.ENSA2, // the first process decides
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

// TestSystemReplication checks how each value of a system replication is
// decoded.
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
		// If the report has tiers, the tier of the own site is used.
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

// TestSAPReportsRepeat checks that values that differ in every report of a
// running host are not decoded.
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
