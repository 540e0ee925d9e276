package landscape_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/discovery"
	"trento/store/landscape"
)

const scenarios = "../../../shared/fixtures/scenarios"

// scenario reads the reports of a folder of real ones, where it lies beside
// the project.
func scenario(t *testing.T, folder string) []landscape.Observation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(scenarios, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	var reports []landscape.Observation
	for _, file := range files {
		reports = append(reports, readReport(t, file))
	}
	return reports
}

func readReport(t *testing.T, file string) landscape.Observation {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := discovery.Open(body)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	seen, err := discovery.Decode(envelope)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return seen
}

func dash[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}

// systems is what is shown of the systems of a world, a line for each and
// for each of their instances.
func (w *world) systems() []string {
	lines := []string{}
	for id, db := range w.databases {
		if !db.Registered() {
			continue
		}
		line := fmt.Sprintf("%s %s %s %s", db.SID, id, strings.Join(db.Tenants, ","), db.Health)
		for _, i := range db.Instances {
			line += fmt.Sprintf("\n  %s %s %s %s/%s %s %s %s", w.hosts[i.HostID].Hostname, i.Number, i.Features, dash(i.HTTPPort), dash(i.TLSPort), i.StartPriority, i.Status, dash(i.Role))
			if i.Role != nil {
				line += fmt.Sprintf(" %s %s %s %s/%s %s", dash(i.Site), dash(i.Tier), dash(i.ReplicationStatus), dash(i.Mode), dash(i.OperationMode), dash(i.SourceSite))
			}
			line += absent(i.AbsentSince != nil)
		}
		lines = append(lines, line)
	}
	for id, s := range w.sapSystems {
		if !s.Registered() {
			continue
		}
		line := fmt.Sprintf("%s %s %s %s %s %s", s.SID, id, s.Tenant, s.DBHost, s.ENSA, s.Health)
		for _, i := range s.Instances {
			line += fmt.Sprintf("\n  %s %s %s %s", w.hosts[i.HostID].Hostname, i.Number, i.Features, i.Status) + absent(i.AbsentSince != nil)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func absent(is bool) string {
	if is {
		return " absent"
	}
	return ""
}

// nw is one of the three SAP systems of the largest scenario: they look alike.
func nw(sid, id, tenant, address, stage string) string {
	return fmt.Sprintf(`%s %s %s %s ensa1 passing
  vmnw%s01 00 MESSAGESERVER|ENQUE green
  vmnw%s03 01 ABAP|GATEWAY|ICMAN|IGS green
  vmnw%s04 02 ABAP|GATEWAY|ICMAN|IGS green
  vmnw%s02 10 ENQREP green`, sid, id, tenant, address, stage, stage, stage, stage)
}

// hd is one of their databases. Its instances come by host id, so that either
// may be the first.
func hd(sid, id, stage string, primaryFirst bool) string {
	first := fmt.Sprintf("\n  vmhdb%s01 10 HDB|HDB_WORKER 51013/51014 0.3 green Primary NBG 1 ACTIVE primary/primary -", stage)
	second := fmt.Sprintf("\n  vmhdb%s02 10 HDB|HDB_WORKER 51013/51014 0.3 green Secondary WDF 2 - sync/logreplay NBG", stage)
	if !primaryFirst {
		first, second = second, first
	}
	return fmt.Sprintf("%s %s %s passing", sid, id, sid) + first + second
}

// What the landscapes of real agents turn out to be, and how many hosts and
// clusters they have.
var scenarioTables = map[string]struct {
	hosts, clusters int
	systems         []string
}{
	"healthy-27-node-SAP-cluster": {27, 9, []string{
		hd("HDD", "f534a4ad-cef7-5234-b196-e67082ffb50c", "dev", false),
		hd("HDP", "6c9208eb-a5bb-57ef-be5c-6422dedab602", "prd", true),
		hd("HDQ", "cd52e571-c897-5bba-b0f9-e155ceca1fff", "qas", true),
		nw("NWD", "67b247e4-ab5b-5094-993a-a4fd70d0e8d1", "HDD", "10.100.1.13", "dev"),
		nw("NWP", "eb7bc03e-166f-5ed0-b22d-79672d110d04", "HDP", "10.80.1.13", "prd"),
		nw("NWQ", "6748d2dd-b5a1-5599-895c-d1308b2d6541", "HDQ", "10.90.1.13", "qas"),
	}},
	"aws-landscape": {6, 2, []string{
		hd("HDD", "f534a4ad-cef7-5234-b196-e67082ffb50c", "dev", false),
		nw("NWD", "67b247e4-ab5b-5094-993a-a4fd70d0e8d1", "HDD", "10.100.1.13", "dev"),
	}},
	"multi-tenant": {5, 0, []string{
		`HN1 38b6e21e-c93c-58ae-8535-4c212444c781 DB1,DB2,HTJ passing
  hanadb3 03 HDB|HDB_STANDBY 50313/50314 0.3 green -
  hanadb2 03 HDB|HDB_WORKER 50313/50314 0.3 green -
  hanadb1 03 HDB|HDB_WORKER 50313/50314 0.3 green -`,
		`NW1 99a0cb5f-a4e4-5b25-b4d9-af0dea659775 DB1 10.17.0.4 ensa1 passing
  vmnwhso01 20 ABAP|GATEWAY|ICMAN|IGS green
  vmnwhso01 21 MESSAGESERVER|ENQUE green`,
		`NW2 4431895a-870d-5ed4-a504-bad8d0bb4d04 DB2 10.17.0.4 ensa1 passing
  vmnwhso02 00 ABAP|GATEWAY|ICMAN|IGS green
  vmnwhso02 01 MESSAGESERVER|ENQUE green`,
	}},
	"hana-scale-out": {6, 1, []string{
		`H4P 788e82b2-04d8-59ad-9da3-c46f2efe0646 H4P passing
  vms4prdhdb04 00 HDB|HDB_WORKER 50013/50014 0.3 green Primary TWO 1 ACTIVE primary/primary -
  vms4prdhdb03 00 HDB|HDB_WORKER 50013/50014 0.3 green Primary TWO 1 ACTIVE primary/primary -
  vms4prdhdb02 00 HDB|HDB_WORKER 50013/50014 0.3 green Secondary ONE 2 - sync/logreplay TWO
  vms4prdhdb01 00 HDB|HDB_WORKER 50013/50014 0.3 green Secondary ONE 2 - sync/logreplay TWO`,
	}},
}

// Real agents, in any order, with any report repeated.
func TestSAPScenarios(t *testing.T) {
	for folder, want := range scenarioTables {
		t.Run(folder, func(t *testing.T) {
			reports := scenario(t, folder)
			var first *world
			for seed := range uint64(8) {
				w := newWorld(t)
				random := rand.New(rand.NewPCG(seed, 7))
				order := reports
				if seed > 0 { // beside the order of the names
					order = append(slices.Clone(reports), reports[:len(reports)/3]...)
					random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				}
				for _, seen := range order {
					w.report(seen)
				}
				if diff := cmp.Diff(want.systems, w.systems()); diff != "" {
					t.Fatalf("systems in order %d (-want +got):\n%s", seed, diff)
				}
				if len(w.hosts) != want.hosts || len(w.clusters) != want.clusters {
					t.Errorf("%d hosts and %d clusters, want %d and %d", len(w.hosts), len(w.clusters), want.hosts, want.clusters)
				}
				w.waits()
				if first == nil {
					first = w
				}
				if diff := cmp.Diff(first.lists(), w.lists()); diff != "" {
					t.Fatalf("order %d matters (-first +then):\n%s", seed, diff)
				}
			}
		})
	}
}

// after is the largest scenario after some more reports, in the order in which
// they are given; those without a folder are the agents' usual ones.
func after(t *testing.T, files ...string) *world {
	t.Helper()
	w := newWorld(t)
	usual := scenario(t, "healthy-27-node-SAP-cluster")
	for _, seen := range usual {
		w.report(seen)
	}
	for _, file := range files {
		if strings.Contains(file, "/") {
			w.report(readReport(t, filepath.Join(scenarios, file)))
			continue
		}
		for _, seen := range usual {
			if seen.Kind == landscape.SAPSystemDiscovery && strings.HasPrefix(string(seen.Agent), file) {
				w.report(seen)
			}
		}
	}
	return w
}

const (
	nwd = landscape.SAPSystemID("67b247e4-ab5b-5094-993a-a4fd70d0e8d1")
	hdd = landscape.DatabaseID("f534a4ad-cef7-5234-b196-e67082ffb50c")
)

// instances are those of the system NWD, by host and number.
func (w *world) instances() []string {
	list := []string{}
	for _, i := range w.sapSystems[nwd].Instances {
		list = append(list, fmt.Sprintf("%s/%s", w.hosts[i.HostID].Hostname, i.Number)+absent(i.AbsentSince != nil))
	}
	slices.Sort(list)
	return list
}

// What the reports do that differ from the usual ones.
func TestSAPScenarioChanges(t *testing.T) {
	const (
		details  = "sap-system-details/1b0e9297-97dd-55d6-9874-8efde4d84c90_sap_system_discovery_"
		overview = "sap-systems-overview/"
		gone     = "_sap_system_discovery_absent.json"
		dev1     = "7269ee51-5007-5849-aaa7-7c4a98b0c9ce"
		dev2     = "fb2c6b8a-9915-5969-a6b7-8b5a42de1971"
		dev3     = "9a3ec76a-dd4f-5013-9cf0-5eb4cf89898f"
	)
	usual := []string{"vmnwdev01/00", "vmnwdev02/10", "vmnwdev03/01", "vmnwdev04/02"}
	moved := []string{"vmnwdev02/00", "vmnwdev02/10", "vmnwdev03/01", "vmnwdev04/02"}
	for name, test := range map[string]struct {
		files  []string
		health landscape.Health
		want   []string
	}{
		"green":    {[]string{details + "GREEN.json"}, landscape.HealthPassing, usual},
		"yellow":   {[]string{details + "YELLOW.json"}, landscape.HealthWarning, usual},
		"red":      {[]string{details + "RED.json"}, landscape.HealthCritical, usual},
		"gray":     {[]string{details + "GRAY.json"}, landscape.HealthUnknown, usual},
		"and back": {[]string{details + "GRAY.json", details + "GREEN.json"}, landscape.HealthPassing, usual},
		"another instance": {[]string{details + "new.json"}, landscape.HealthUnknown,
			[]string{"vmnwdev01/00", "vmnwdev02/10", "vmnwdev03/01", "vmnwdev04/02 absent", "vmnwdev04/99"}},
		"application server gone": {[]string{overview + dev3 + gone}, landscape.HealthPassing,
			[]string{"vmnwdev01/00", "vmnwdev02/10", "vmnwdev03/01 absent", "vmnwdev04/02"}},
		"message server gone": {[]string{overview + dev1 + gone}, landscape.HealthPassing,
			[]string{"vmnwdev01/00 absent", "vmnwdev02/10", "vmnwdev03/01", "vmnwdev04/02"}},
		"moved":                        {[]string{overview + dev2 + "_sap_system_discovery_MOVED.json"}, landscape.HealthPassing, moved},
		"moved, others report":         {[]string{overview + dev2 + "_sap_system_discovery_MOVED.json", "1b0e9297", "9a3ec76a", "13e8c25c"}, landscape.HealthPassing, moved},
		"moved, with a failing server": {[]string{overview + dev2 + "_sap_system_discovery_MOVED.json", details + "RED.json"}, landscape.HealthCritical, moved},
		"gone, then moved":             {[]string{overview + dev1 + gone, overview + dev2 + "_sap_system_discovery_MOVED.json"}, landscape.HealthPassing, moved},
		"moved, then gone":             {[]string{overview + dev2 + "_sap_system_discovery_MOVED.json", overview + dev1 + gone}, landscape.HealthPassing, moved},
		"moved back within a period":   {[]string{overview + dev2 + "_sap_system_discovery_MOVED.json", "7269ee51"}, landscape.HealthPassing, usual},
		"not clustered": {[]string{overview + dev3 + "_sap_system_discovery_NOT_MOVED.json"}, landscape.HealthPassing,
			[]string{"vmnwdev01/00", "vmnwdev02/10", "vmnwdev03/01", "vmnwdev03/02", "vmnwdev04/02"}},
		"diagnostics agent":     {[]string{overview + "2ace860d-38e9-55f4-b051-faf4336e71d6_sap_system_discovery_DAA.json"}, landscape.HealthPassing, usual},
		"database fails":        {[]string{overview + "13e8c25c-3180-5a9a-95c8-51ec38e50cfc_sap_system_discovery_RED.json"}, landscape.HealthCritical, usual},
		"database primary gone": {[]string{overview + "13e8c25c-3180-5a9a-95c8-51ec38e50cfc" + gone}, landscape.HealthPassing, usual},
	} {
		t.Run(name, func(t *testing.T) {
			w := after(t, test.files...)
			if got := w.sapSystems[nwd].Health; got != test.health {
				t.Errorf("health %s, want %s", got, test.health)
			}
			if diff := cmp.Diff(test.want, w.instances()); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSAPScenarioCleanUp(t *testing.T) {
	const overview, gone = "sap-systems-overview/", "_sap_system_discovery_absent.json"
	w := after(t, overview+"7269ee51-5007-5849-aaa7-7c4a98b0c9ce"+gone)
	w.removeApplicationInstance(nwd, "7269ee51-5007-5849-aaa7-7c4a98b0c9ce", "00")
	if w.sapSystems[nwd].Registered() || !w.databases[hdd].Registered() || len(w.systems()) != 5 {
		t.Errorf("systems after the clean-up of the message server: %v", w.systems())
	}
	w = after(t, overview+"13e8c25c-3180-5a9a-95c8-51ec38e50cfc"+gone)
	w.removeDatabaseInstance(hdd, "13e8c25c-3180-5a9a-95c8-51ec38e50cfc", "10")
	if w.sapSystems[nwd].Registered() || w.databases[hdd].Registered() || len(w.systems()) != 4 {
		t.Errorf("systems after the clean-up of the primary: %v", w.systems())
	}
	// All comes back with the primary.
	before := w.systems()
	for _, seen := range scenario(t, "healthy-27-node-SAP-cluster") {
		if seen.Kind == landscape.SAPSystemDiscovery && strings.HasPrefix(string(seen.Agent), "13e8c25c") {
			w.report(seen)
		}
	}
	if got := w.systems(); len(got) != len(before)+2 {
		t.Errorf("systems after the return of the primary: %v", got)
	}
	w.waits()
}
