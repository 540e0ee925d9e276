package landscape

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trento/store/activity"
)

// describe returns incidents in one line each: the root, what fell silent
// together with it, the place, and the symptoms.
func describe(all []*Incident) []string {
	names := func(things []Affected) string {
		var texts []string
		for _, a := range things {
			texts = append(texts, cmp.Or(a.Name, a.Thing.ID))
		}
		return strings.Join(texts, ",")
	}
	var lines []string
	for _, i := range all {
		line := string(i.Kind) + " " + i.Root.Name
		if len(i.Together) > 0 {
			line += "+" + names(i.Together) + " (" + i.Place + ")"
		}
		if len(i.Symptoms) > 0 {
			line += " > " + names(i.Symptoms)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// incidentFixture is two hosts of a HANA cluster with a database, and a host
// with an SAP system on it. All is well.
func incidentFixture() *Landscape {
	name, app := "hana_cluster", "app01"
	instance := func(host HostID, number, sid string) Instance {
		hostname := string(host)
		return Instance{HostID: host, Number: number, SID: sid, InstanceFacts: InstanceFacts{Hostname: &hostname, Status: Green}}
	}
	host := func(id HostID, cluster ClusterID, zone string) *Host {
		return &Host{
			ID: id, HostFacts: HostFacts{Hostname: string(id)}, Health: HealthPassing, ClusterID: cluster,
			Inputs: HealthInputs{Checks: HealthUnknown, Saptune: HealthPassing, SoftwareUpdates: HealthNotSet}, Cloud: &Cloud{Provider: "aws", AWS: &AWSVM{AvailabilityZone: &zone}},
		}
	}
	return &Landscape{
		Hosts: []*Host{host("app01", "", "a"), host("hana01", "c", "a"), host("hana02", "c", "b"), host("other", "", "c")},
		Clusters: []*Cluster{{
			ID: "c", Name: &name, Health: HealthPassing, Inputs: ClusterInputs{Replication: HealthPassing}, Members: []ClusterMember{{HostID: "hana01"}, {HostID: "hana02"}},
			ClusterFacts: ClusterFacts{Type: HANAScaleUp, HANA: &HANADetails{SecondarySyncState: "SOK", SRHealthState: "4"}, SAPInstances: []ClusteredInstance{{SID: "PRD", ResourceType: DatabaseResource}}},
		}},
		Databases: []*Database{{ID: "d", SID: "PRD", Health: HealthPassing, Instances: []DatabaseInstance{
			{Instance: instance("hana01", "00", "PRD")}, {Instance: instance("hana02", "00", "PRD")},
		}}},
		SAPSystems: []*SAPSystem{{ID: "s", SID: "NWP", DatabaseID: "d", Health: HealthPassing, DatabaseHealth: HealthPassing, Instances: []ApplicationInstance{
			{Instance: instance(HostID(app), "01", "NWP")},
		}}},
		Faults: map[HostID]ReportFault{},
	}
}

// silence makes a host and everything on it stale.
func (l *Landscape) silence(n int, at time.Time) {
	h := l.Hosts[n]
	h.StaleSince, h.Heartbeat = &at, HeartbeatCritical
	l.makeStale(h.ID, at)
}

// makeStale makes everything on a host stale.
func (l *Landscape) makeStale(id HostID, at time.Time) {
	for _, c := range l.Clusters {
		for i := range c.Members {
			if c.Members[i].HostID == id {
				c.Members[i].Stale, c.StaleSince = true, &at
			}
		}
	}
	for _, db := range l.Databases {
		for _, i := range db.instances() {
			if i.HostID == id {
				i.StaleSince, db.StaleSince = &at, &at
			}
		}
	}
	for _, s := range l.SAPSystems {
		for _, i := range s.instances() {
			if i.HostID == id {
				i.StaleSince, s.StaleSince = &at, &at
			}
		}
		for _, db := range l.Databases {
			if db.ID == s.DatabaseID && db.StaleSince != nil {
				s.DatabaseStaleSince, s.StaleSince = db.StaleSince, cmp.Or(s.StaleSince, db.StaleSince)
			}
		}
	}
}

// evaluate computes the health of everything from its parts.
func (l *Landscape) evaluate() {
	for _, h := range l.Hosts {
		h.Health = h.Inputs.Overall()
	}
	for _, c := range l.Clusters {
		c.Inputs.Replication, c.Inputs.SBD = c.HANA.health(), sbdHealth(c.HANA.SBDDevices)
		c.Health = c.Inputs.Overall()
	}
	for _, db := range l.Databases {
		db.Health = Worst(instanceHealths(db)...)
	}
	for _, s := range l.SAPSystems {
		for _, db := range l.Databases {
			if db.ID == s.DatabaseID {
				s.DatabaseHealth = db.Health
			}
		}
		s.Health = Worst(append(instanceHealths(s), s.DatabaseHealth)...)
	}
}

func TestIncidents(t *testing.T) {
	at := time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)
	replication := func(l *Landscape) {
		l.Clusters[0].HANA.SecondarySyncState, l.Clusters[0].HANA.SRHealthState = "SFAIL", "1"
	}
	for name, test := range map[string]struct {
		change func(*Landscape)
		want   []string
	}{
		"all is well": {func(*Landscape) {}, nil},
		"saptune is its own incident": {func(l *Landscape) {
			l.Hosts[0].Inputs.Saptune, l.Hosts[3].Inputs.Saptune = HealthCritical, HealthWarning
		}, []string{"health app01", "health other"}},
		"a silent host and what is stale": {func(l *Landscape) { l.silence(2, at) }, []string{"silence hana02 > NWP,PRD,hana_cluster"}},
		"replication is lost with a host": {func(l *Landscape) { l.silence(2, at); replication(l) }, []string{"silence hana02 > hana_cluster,NWP,PRD"}},
		"replication is lost":             {replication, []string{"health hana_cluster"}},
		"a red secondary":                 {func(l *Landscape) { l.Databases[0].Instances[1].Status = Red; replication(l) }, []string{"health PRD > NWP,hana_cluster"}},
		"a red instance of a silent host": {func(l *Landscape) { l.silence(2, at); l.Databases[0].Instances[1].Status = Red }, []string{"silence hana02 > NWP,PRD,hana_cluster"}},
		"a red instance beside a silent host": {func(l *Landscape) { l.silence(2, at); l.Databases[0].Instances[0].Status = Red },
			[]string{"health PRD > NWP", "silence hana02 > hana_cluster"}},
		"SBD beside a red database": {func(l *Landscape) {
			l.Databases[0].Instances[1].Status = Red
			replication(l)
			l.Clusters[0].HANA.SBDDevices = []SBDDevice{{"/dev/sdb", SBDUnhealthy}}
		}, []string{"health PRD > NWP", "health hana_cluster"}},
		"an own instance is worse than the database": {func(l *Landscape) {
			l.Databases[0].Instances[1].Status, l.SAPSystems[0].Instances[0].Status = Yellow, Red
		}, []string{"health NWP", "health PRD"}},
		"an own instance as bad as the database": {func(l *Landscape) {
			l.Databases[0].Instances[1].Status, l.SAPSystems[0].Instances[0].Status = Red, Red
		}, []string{"health PRD > NWP"}},
		"two hosts of a cluster at once":    {func(l *Landscape) { l.silence(2, at); l.silence(1, at.Add(30*time.Second)) }, []string{"silence hana02+hana01 (cluster hana_cluster) > NWP,PRD,hana_cluster"}},
		"two hosts of a cluster, one later": {func(l *Landscape) { l.silence(2, at); l.silence(1, at.Add(2*time.Minute)) }, []string{"silence hana01 > NWP,PRD,hana_cluster", "silence hana02"}},
		"two hosts of a zone":               {func(l *Landscape) { l.silence(0, at); l.silence(1, at) }, []string{"silence app01+hana01 (aws a) > NWP,PRD,hana_cluster"}},
		"a zone and a cluster have a host":  {func(l *Landscape) { l.silence(0, at); l.silence(1, at); l.silence(2, at) }, []string{"silence app01+hana01,hana02 () > NWP,PRD,hana_cluster"}},
		"two hosts with nothing in common":  {func(l *Landscape) { l.silence(0, at); l.silence(3, at) }, []string{"silence app01 > NWP", "silence other"}},
		"a silent host that is critical":    {func(l *Landscape) { l.Hosts[3].Inputs.Saptune = HealthCritical; l.silence(3, at) }, []string{"silence other"}},
		"a report that cannot be used":      {func(l *Landscape) { l.Faults["hana01"] = ReportFault{"is odd", at}; l.makeStale("hana01", at) }, []string{"report hana01 > NWP,PRD,hana_cluster"}},
		"a fault of a silent host":          {func(l *Landscape) { l.Faults["other"] = ReportFault{"is odd", at}; l.silence(3, at) }, []string{"silence other"}},
		"stale data without a cause":        {func(l *Landscape) { l.makeStale("app01", at) }, []string{"stale NWP"}},
		"a shared id, and saptune of the host": {func(l *Landscape) {
			l.Hosts[3].MachineHistory = &MachineHistory{SharedSince: &at}
			l.Hosts[3].Inputs.Saptune = HealthWarning
		}, []string{"health other", "shared_id other"}},
	} {
		l := incidentFixture()
		test.change(l)
		l.evaluate()
		got := describe(Incidents(*l))
		// The healths of the fixture decide the order of the symptoms, names do otherwise.
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, test.want)
		}
	}
}

func TestSortIncidents(t *testing.T) {
	at := time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)
	incident := func(name string, h Health, symptoms ...Health) *Incident {
		i := &Incident{Kind: HealthIncident, Root: Affected{Thing: Thing{ID: name}, Name: name, Health: h}}
		for _, h := range symptoms {
			i.Symptoms = append(i.Symptoms, Affected{Health: h})
		}
		return i
	}
	silent := &Incident{Kind: SilenceIncident, Since: at, Root: Affected{Thing: Thing{activity.HostThing, "h"}, Name: "silent", Health: HealthPassing, StaleSince: &at}}
	shared := &Incident{Kind: SharedIDIncident, Root: Affected{Name: "shared", Health: HealthPassing}}
	all := []*Incident{shared, incident("warning", HealthWarning), incident("Beta", HealthCritical), silent, incident("alpha", HealthCritical), incident("through a symptom", HealthWarning, HealthCritical)}
	since := map[string]time.Time{"through a symptom": at.Add(time.Minute)}
	SortIncidents(all, func(thing Thing) time.Time { return since[thing.ID] })
	var names []string
	for _, i := range all {
		names = append(names, i.Root.Name)
	}
	if got, want := strings.Join(names, ", "), "through a symptom, silent, alpha, Beta, shared, warning"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestEveryTroubleIsInOneIncident checks with random landscapes that everything
// that needs attention is in exactly one incident, and nothing else is.
func TestEveryTroubleIsInOneIncident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := randomLandscape(t)
		want := map[Thing]int{}
		need := func(thing Thing, h Health, stale *time.Time) {
			if needsAttention(h, stale) {
				want[thing] = 1
			}
		}
		for _, h := range l.Hosts {
			need(h.Thing(), h.Health, h.StaleSince)
		}
		for _, c := range l.Clusters {
			need(c.Thing(), c.Health, c.StaleSince)
		}
		for _, db := range l.Databases {
			need(db.Thing(), db.Health, db.StaleSince)
		}
		for _, s := range l.SAPSystems {
			need(s.Thing(), s.Health, s.StaleSince)
		}
		got := map[Thing]int{}
		for _, i := range Incidents(l) {
			if i.Kind != ReportIncident && i.Kind != SharedIDIncident {
				got[i.Root.Thing]++
			}
			for _, a := range append(slices.Clone(i.Together), i.Symptoms...) {
				got[a.Thing]++
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in incidents %v, need attention %v", got, want)
		}
		if again := describe(Incidents(l)); fmt.Sprint(again) != fmt.Sprint(describe(Incidents(l))) {
			t.Fatal("the order is not always the same")
		}
	})
}

// randomLandscape returns a landscape in which anything can be wrong.
func randomLandscape(t *rapid.T) Landscape {
	l, at := incidentFixture(), time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)
	health := rapid.SampledFrom([]Health{HealthPassing, HealthWarning, HealthCritical, HealthUnknown})
	status := rapid.SampledFrom([]InstanceStatus{Green, Yellow, Red, Gray})
	sometimes := rapid.IntRange(0, 3)
	for n, h := range l.Hosts {
		h.Inputs.Saptune = health.Draw(t, "saptune")
		switch sometimes.Draw(t, "what is wrong") {
		case 1:
			l.silence(n, at.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds"))*time.Second))
		case 2:
			l.Faults[h.ID] = ReportFault{"is odd", at}
			l.makeStale(h.ID, at)
		case 3:
			h.MachineHistory = &MachineHistory{SharedSince: &at}
		}
	}
	for _, i := range append(l.Databases[0].instances(), l.SAPSystems[0].instances()...) {
		i.Status = status.Draw(t, "status")
	}
	l.Clusters[0].HANA.SecondarySyncState = rapid.SampledFrom([]string{"SOK", "SFAIL"}).Draw(t, "sync state")
	l.Clusters[0].HANA.SBDDevices = []SBDDevice{{"/dev/sdb", rapid.SampledFrom([]string{SBDHealthy, SBDUnhealthy}).Draw(t, "SBD")}}
	l.evaluate()
	return *l
}

// BenchmarkIncidents groups what is wrong among 10,000 hosts, of which a tenth
// is silent and a fifth is not tuned.
func BenchmarkIncidents(b *testing.B) {
	at := time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)
	var all Landscape
	for n := range 2500 {
		l := incidentFixture()
		suffix := fmt.Sprintf("%04d", n)
		for _, h := range l.Hosts {
			h.ID += HostID(suffix)
			if h.ClusterID != "" {
				h.ClusterID += ClusterID(suffix)
			}
		}
		l.Clusters[0].ID += ClusterID(suffix)
		for i := range l.Clusters[0].Members {
			l.Clusters[0].Members[i].HostID += HostID(suffix)
		}
		for _, i := range append(l.Databases[0].instances(), l.SAPSystems[0].instances()...) {
			i.HostID += HostID(suffix)
		}
		l.Databases[0].ID += DatabaseID(suffix)
		l.SAPSystems[0].ID, l.SAPSystems[0].DatabaseID = l.SAPSystems[0].ID+SAPSystemID(suffix), l.Databases[0].ID
		if n%5 < 2 {
			l.silence(n%5, at.Add(time.Duration(n)*time.Second))
			l.Hosts[2].Inputs.Saptune, l.Hosts[3].Inputs.Saptune = HealthCritical, HealthWarning
		}
		if n%7 == 0 {
			l.Databases[0].Instances[1].Status, l.Clusters[0].HANA.SecondarySyncState = Red, "SFAIL"
		}
		l.evaluate()
		all.Hosts, all.Clusters = append(all.Hosts, l.Hosts...), append(all.Clusters, l.Clusters...)
		all.Databases, all.SAPSystems = append(all.Databases, l.Databases...), append(all.SAPSystems, l.SAPSystems...)
	}
	for b.Loop() {
		Incidents(all)
	}
}
