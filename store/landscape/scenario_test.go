package landscape_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/discovery"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fleetReports returns what all agents of a landscape report, decoded.
func fleetReports(t *testing.T, f *fleet.Fleet) []landscape.Observation {
	t.Helper()
	var reports []landscape.Observation
	for _, h := range f.Hosts() {
		reports = append(reports, hostReports(t, h)...)
	}
	return reports
}

func hostReports(t *testing.T, h *fleet.Host) []landscape.Observation {
	t.Helper()
	var reports []landscape.Observation
	for _, r := range h.Reports() {
		envelope, err := discovery.Open(r.Body)
		if err != nil {
			t.Fatalf("%s of %s: %v", r.Kind, h.Name, err)
		}
		seen, err := discovery.Decode(envelope)
		if err != nil {
			t.Fatalf("%s of %s: %v", r.Kind, h.Name, err)
		}
		reports = append(reports, seen)
	}
	return reports
}

func orDash[T any](value *T) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprint(*value)
}

func orAbsent(since *time.Time) string {
	if since == nil {
		return ""
	}
	return " absent"
}

// systems returns what is shown of the systems of a world: a line for each, and
// one for each of their instances.
func (w *testLandscape) systems() []string {
	lines := []string{}
	for id, db := range w.databases {
		if !db.Registered() {
			continue
		}
		line := fmt.Sprintf("database %s %s tenants %s: %s", db.SID, id, strings.Join(db.Tenants, ","), db.Health)
		for _, i := range db.Instances {
			line += fmt.Sprintf("\n  %s %s %s %s/%s %s %s %s", w.hosts[i.HostID].Hostname, i.Number, i.Features, orDash(i.HTTPPort), orDash(i.TLSPort), i.StartPriority, i.Status, orDash(i.Role))
			if i.Role != nil {
				line += fmt.Sprintf(" %s tier %s %s %s/%s from %s", orDash(i.Site), orDash(i.Tier), orDash(i.ReplicationStatus), orDash(i.Mode), orDash(i.OperationMode), orDash(i.SourceSite))
			}
			line += orAbsent(i.AbsentSince)
		}
		lines = append(lines, line)
	}
	for id, s := range w.sapSystems {
		if !s.Registered() {
			continue
		}
		line := fmt.Sprintf("SAP system %s %s tenant %s at %s %s: %s", s.SID, id, s.Tenant, s.DBHost, s.ENSA, s.Health)
		for _, i := range s.Instances {
			line += fmt.Sprintf("\n  %s %s %s %s", w.hosts[i.HostID].Hostname, i.Number, i.Features, i.Status) + orAbsent(i.AbsentSince)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// clusterLines returns what is shown of the clusters, a line for each.
func (w *testLandscape) clusterLines() []string {
	lines := []string{}
	for _, c := range w.clusters {
		sid := c.SID()
		if c.Type == landscape.ASCSERS {
			sid = strings.Join(c.AdditionalSIDs(), "+")
		}
		var members []string
		for _, m := range c.Members {
			members = append(members, w.hosts[m.HostID].Hostname)
		}
		slices.Sort(members)
		lines = append(lines, fmt.Sprintf("cluster %s %s %s %s: %s\n  %s", orDash(c.Name), c.ID, c.Type, sid, c.Health, strings.Join(members, " ")))
	}
	slices.Sort(lines)
	return lines
}

// Whole landscapes are as in testdata, in whatever order they are reported, and
// whatever report is repeated.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, hosts := range []int{6, 50, 100} {
		t.Run(fmt.Sprint(hosts, " hosts"), func(t *testing.T) {
			t.Parallel()
			reports := fleetReports(t, fleet.New(1, hosts))
			var want string
			var first *testLandscape
			for seed := range uint64(6) {
				w := newWorld(t)
				order := reports
				if seed > 0 { // beside the order of the hosts
					random := rand.New(rand.NewPCG(seed, 7))
					order = append(slices.Clone(reports), reports[:len(reports)/3]...)
					random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				}
				for _, seen := range order {
					w.report(seen)
				}
				w.expectWaiting()
				got := fmt.Sprintf("%d hosts\n%s\n%s\n", len(w.hosts), strings.Join(w.clusterLines(), "\n"), strings.Join(w.systems(), "\n"))
				if first == nil {
					first, want = w, scenarioGolden(t, hosts, got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("landscape in order %d (-want +got):\n%s", seed, diff)
				}
				if diff := cmp.Diff(first.lists(), w.lists()); diff != "" {
					t.Fatalf("order %d matters (-first +then):\n%s", seed, diff)
				}
				if diff := cmp.Diff(first.hostHealths(), w.hostHealths()); diff != "" {
					t.Fatalf("order %d matters to hosts (-first +then):\n%s", seed, diff)
				}
			}
		})
	}
}

// scenarioGolden returns what a landscape should be.
func scenarioGolden(t *testing.T, hosts int, got string) string {
	t.Helper()
	golden := fmt.Sprintf("testdata/scenario-%d.golden", hosts)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	return string(want)
}

// scenario is a world with one SAP system: a message server and a replica of
// its locks on the two hosts of a cluster, two application servers, and the
// two sites of its database, which are a cluster too.
type scenario struct {
	*testLandscape
	names  map[landscape.HostID]string // of hosts: cs1, cs2, ap1, ap2, db1, db2
	usual  map[string]landscape.Observation
	system landscape.SAPSystemID
	db     landscape.DatabaseID
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	s := &scenario{testLandscape: newWorld(t), names: make(map[landscape.HostID]string), usual: make(map[string]landscape.Observation)}
	roles := make(map[fleet.Role]int)
	for _, h := range fleet.New(1, 6).Hosts() {
		roles[h.Role]++
		s.names[h.ID] = fmt.Sprint(h.Role, roles[h.Role])
		for _, seen := range hostReports(t, h) {
			if seen.Kind == landscape.SAPSystemDiscovery {
				s.usual[s.names[h.ID]] = seen
			}
			s.report(seen)
		}
	}
	for id := range s.sapSystems {
		s.system = id
	}
	for id := range s.databases {
		s.db = id
	}
	if len(s.hosts) != 6 || len(s.sapSystems) != 1 || len(s.databases) != 1 || len(s.clusters) != 2 {
		t.Fatalf("not the landscape that was meant: %v", s.systems())
	}
	return s
}

// change is something that the agent of a host reports in a scenario.
type change func(s *scenario)

// lists lets a host report instances that other hosts report, given as
// host/number.
func lists(host string, instances ...string) change {
	return func(s *scenario) {
		seen := s.usual[host]
		seen.SAP = sapReport()
		for _, i := range instances {
			from, number, _ := strings.Cut(i, "/")
			for _, e := range s.usual[from].SAP.Elements {
				if e.Number == number {
					seen.SAP.Elements = append(seen.SAP.Elements, e)
				}
			}
		}
		s.report(seen)
	}
}

// says lets a host report its own instances, with changes.
func says(host string, changes ...func(*landscape.Element)) change {
	return func(s *scenario) {
		seen := s.usual[host]
		elements := slices.Clone(seen.SAP.Elements)
		for _, c := range changes {
			c(&elements[0])
		}
		seen.SAP = sapReport(elements...)
		s.report(seen)
	}
}

// instances returns the instances of the system, by host and number.
func (s *scenario) instances() []string {
	list := []string{}
	for _, i := range s.sapSystems[s.system].Instances {
		list = append(list, s.names[i.HostID]+"/"+i.Number+orAbsent(i.AbsentSince))
	}
	slices.Sort(list)
	return list
}

// What changed reports lead to.
func TestScenarioChanges(t *testing.T) {
	t.Parallel()
	usual := []string{"ap1/02", "ap2/03", "cs1/00", "cs2/10"}
	moved := []string{"ap1/02", "ap2/03", "cs2/00", "cs2/10"}
	moves := lists("cs2", "cs1/00", "cs2/10")
	for name, test := range map[string]struct {
		changes []change
		health  landscape.Health
		want    []string
	}{
		"nothing":  {nil, landscape.HealthPassing, usual},
		"green":    {[]change{says("ap2", status(landscape.Green))}, landscape.HealthPassing, usual},
		"yellow":   {[]change{says("ap2", status(landscape.Yellow))}, landscape.HealthWarning, usual},
		"red":      {[]change{says("ap2", status(landscape.Red))}, landscape.HealthCritical, usual},
		"gray":     {[]change{says("ap2", status(landscape.Gray))}, landscape.HealthUnknown, usual},
		"and back": {[]change{says("ap2", status(landscape.Gray)), says("ap2")}, landscape.HealthPassing, usual},
		"another instance": {[]change{says("ap2", number("99"), status(landscape.Gray))}, landscape.HealthUnknown,
			[]string{"ap1/02", "ap2/03 absent", "ap2/99", "cs1/00", "cs2/10"}},
		"application server gone": {[]change{lists("ap1")}, landscape.HealthPassing,
			[]string{"ap1/02 absent", "ap2/03", "cs1/00", "cs2/10"}},
		"message server gone": {[]change{lists("cs1")}, landscape.HealthPassing,
			[]string{"ap1/02", "ap2/03", "cs1/00 absent", "cs2/10"}},
		"moved":                        {[]change{moves}, landscape.HealthPassing, moved},
		"moved, others report":         {[]change{moves, says("ap1"), says("ap2"), says("db1")}, landscape.HealthPassing, moved},
		"moved, with a failing server": {[]change{moves, says("ap2", status(landscape.Red))}, landscape.HealthCritical, moved},
		"gone, then moved":             {[]change{lists("cs1"), moves}, landscape.HealthPassing, moved},
		"moved, then gone":             {[]change{moves, lists("cs1")}, landscape.HealthPassing, moved},
		"moved back within a period":   {[]change{moves, says("cs1")}, landscape.HealthPassing, usual},
		"not clustered, so not moved": {[]change{lists("ap1", "ap1/02", "ap2/03")}, landscape.HealthPassing,
			[]string{"ap1/02", "ap1/03", "ap2/03", "cs1/00", "cs2/10"}},
		"a host without any":    {[]change{lists("somewhere")}, landscape.HealthPassing, usual},
		"database fails":        {[]change{says("db1", status(landscape.Red))}, landscape.HealthCritical, usual},
		"database primary gone": {[]change{lists("db1")}, landscape.HealthPassing, usual},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t)
			s.usual["somewhere"] = landscape.Observation{Agent: "somewhere", Kind: landscape.SAPSystemDiscovery}
			for _, c := range test.changes {
				c(s)
			}
			if got := s.sapSystems[s.system].Health; got != test.health {
				t.Errorf("health %s, want %s", got, test.health)
			}
			if diff := cmp.Diff(test.want, s.instances()); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScenarioCleanUp(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	lists("cs1")(s)
	s.removeApplicationInstance(s.system, s.usual["cs1"].Agent, "00")
	if s.sapSystems[s.system].Registered() || !s.databases[s.db].Registered() {
		t.Errorf("systems after the clean-up of the message server: %v", s.systems())
	}

	s = newScenario(t)
	before := s.systems()
	lists("db1")(s)
	s.removeDatabaseInstance(s.db, s.usual["db1"].Agent, s.usual["db1"].SAP.Elements[0].Number)
	if s.sapSystems[s.system].Registered() || s.databases[s.db].Registered() {
		t.Errorf("systems after the clean-up of the primary: %v", s.systems())
	}
	says("db1")(s)
	if diff := cmp.Diff(before, s.systems()); diff != "" {
		t.Errorf("systems after the return of the primary (-before +after):\n%s", diff)
	}
	s.expectWaiting()
}

// TestLivedLandscape lets instances move, databases be taken over and nodes
// leave and return for five hours. After every agent has reported once more, the
// landscape must equal one that has seen only these last reports.
func TestLivedLandscape(t *testing.T) {
	t.Parallel()
	const seed, hosts, moments, steps = 3, 30, 8, 40
	random := rand.New(rand.NewPCG(seed, 3))
	f := fleet.New(seed, hosts)
	w := newWorld(t)
	round := func(w *testLandscape) {
		reports := fleetReports(t, f)
		random.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		for _, seen := range reports {
			w.report(seen)
		}
	}
	for moment := range moments {
		for step := range steps {
			f.Step(startTime.Add(time.Duration(moment*steps+step) * time.Minute))
		}
		round(w)
	}
	happened := make(map[activity.Type]bool)
	for _, e := range w.events {
		happened[e.Type()] = true
	}
	for _, kind := range []activity.Type{
		activity.TypeApplicationInstanceMoved, activity.TypeApplicationInstanceMarkedAbsent, activity.TypeClusterHostStatusChanged,
		activity.TypeDatabaseInstanceSystemReplicationChanged,
	} {
		if !happened[kind] {
			t.Errorf("the landscape has not lived: no %s", kind)
		}
	}
	for w.cleanUpSomething(0) {
	}
	round(w)
	fresh := newWorld(t)
	round(fresh)
	if diff := cmp.Diff(fresh.lists(), w.lists()); diff != "" {
		t.Errorf("landscape (-fresh +lived):\n%s", diff)
	}
	if diff := cmp.Diff(fresh.clusterLines(), w.clusterLines()); diff != "" {
		t.Errorf("clusters (-fresh +lived):\n%s", diff)
	}
}
