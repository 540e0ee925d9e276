package fleet

import (
	"maps"
	"testing"
	"time"

	"trento/store/landscape"
)

func TestExpectedCounts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		e := New(seed, 1000).Expected()
		if n := len(e.Clusters); n < 140 || n > 160 {
			t.Errorf("seed %d: %d clusters of 1000 hosts", seed, n)
		}
		if n := len(e.Databases) + len(e.SAPSystems); n < 290 || n > 320 {
			t.Errorf("seed %d: %d databases and SAP systems of 1000 hosts", seed, n)
		}
		for what, things := range map[string][]Thing{"hosts": e.Hosts, "clusters": e.Clusters, "databases": e.Databases, "SAP systems": e.SAPSystems} {
			_, healths := Count(things)
			// Most things have no problem, and some have one.
			if healths[landscape.HealthPassing]*10 < len(things)*7 || healths[landscape.HealthPassing] == len(things) {
				t.Errorf("seed %d: %s: %v", seed, what, healths)
			}
		}
	}
}

// TestExpectedOfReports checks that the reports of a landscape lead to what
// Expected says.
func TestExpectedOfReports(t *testing.T) {
	t.Parallel()
	for seed, hosts := range map[uint64]int{1: 50, 2: 100, 3: 333, 4: 1, 5: 7} {
		f := New(seed, hosts)
		e := f.Expected()
		var (
			clusters  = make(map[string]Thing)
			databases = make(map[string]landscape.Health)
			systems   = make(map[string]landscape.Health)
			ensa      = make(map[string]string)
			providers = make(map[string]int)
			found     Expected
		)
		health := func(s landscape.InstanceStatus) landscape.Health { return s.Health() }
		add := func(to map[string]landscape.Health, id string, h landscape.Health) {
			if was, known := to[id]; known {
				h = landscape.Worst(was, h)
			}
			to[id] = h
		}
		for _, r := range allReports(f) {
			seen := decodeReport(t, r)
			switch {
			case seen.Cloud != nil:
				providers[seen.Cloud.Provider]++
			case seen.Cluster != nil && seen.Cluster.Facts != nil:
				name := ""
				if seen.Cluster.Name != nil {
					name = *seen.Cluster.Name
				}
				id := string(seen.Cluster.ID)
				clusters[id] = Thing{id, name, string(seen.Cluster.Facts.Type), expectedHealth(seen.Cluster.Facts)}
			case seen.SAP != nil:
				for _, i := range seen.SAP.Elements {
					if i.Database != nil {
						found.DatabaseInstances++
						add(databases, string(i.Database.ID), health(i.Status))
					}
				}
			}
		}
		address := make(map[string]string) // of a database
		for _, s := range f.Systems() {
			address[s.database.address.String()] = s.database.id().String()
		}
		for _, h := range f.Hosts() {
			for _, i := range sapReport(t, h).Elements {
				if a := i.Application; a != nil {
					found.ApplicationInstances++
					db := address[a.DBHost]
					id := string(landscape.SAPSystemIDOn(landscape.DatabaseID(db), a.Tenant))
					add(systems, id, landscape.Worst(health(i.Status), databases[db]))
					if a.ENSA != landscape.NoENSA {
						ensa[id] = string(a.ENSA)
					}
				}
			}
		}
		kinds, _ := Count(e.Hosts)
		if !maps.Equal(kinds, providers) {
			t.Errorf("%d hosts: %v, want %v", hosts, providers, kinds)
		}
		for _, c := range e.Clusters {
			if clusters[c.ID] != c {
				t.Errorf("%d hosts: %+v, want %+v", hosts, clusters[c.ID], c)
			}
		}
		for _, db := range e.Databases {
			if databases[db.ID] != db.Health {
				t.Errorf("%d hosts: %s, want %+v", hosts, databases[db.ID], db)
			}
		}
		for _, s := range e.SAPSystems {
			if systems[s.ID] != s.Health || ensa[s.ID] != s.Kind {
				t.Errorf("%d hosts: %s, %s, want %+v", hosts, systems[s.ID], ensa[s.ID], s)
			}
		}
		if len(clusters) != len(e.Clusters) || len(databases) != len(e.Databases) || len(systems) != len(e.SAPSystems) ||
			found.DatabaseInstances != e.DatabaseInstances || found.ApplicationInstances != e.ApplicationInstances {
			t.Errorf("%d hosts: %d clusters, %d databases, %d systems, %+v", hosts, len(clusters), len(databases), len(systems), found)
		}
	}
}

// TestLargeLandscape checks that a landscape of ten thousand hosts needs little
// memory, and does not grow with time. BenchmarkNew measures the time.
func TestLargeLandscape(t *testing.T) {
	var f *Fleet
	if n := testing.AllocsPerRun(1, func() { f = New(1, 10_000) }); n > 400_000 {
		t.Errorf("10,000 hosts took %.0f allocations", n)
	}
	for step := range 300 {
		f.Step(testTime.Add(time.Duration(step) * 10 * time.Second))
	}
	checkInvariants(t, f)
	if n := len(f.hosts); n > 11_000 {
		t.Errorf("%d hosts", n)
	}
}
