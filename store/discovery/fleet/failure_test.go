package fleet

import (
	"slices"
	"testing"
	"time"

	"trento/store/landscape"
)

// landscapeState is the state of everything in a landscape at one time.
type landscapeState struct {
	hostOf   map[*instance]*Host
	absent   map[*instance]bool
	status   map[*instance]status
	primary  map[*database]*site
	sync     map[*database]bool
	tenants  map[*database]int
	offline  map[*Host]bool
	broken   map[*cluster]int
	maintain map[*cluster]bool
	silent   map[*Host]bool
	systems  int
	hosts    int
}

func readState(f *Fleet, now time.Time) landscapeState {
	w := landscapeState{
		map[*instance]*Host{}, map[*instance]bool{}, map[*instance]status{}, map[*database]*site{}, map[*database]bool{}, map[*database]int{},
		map[*Host]bool{}, map[*cluster]int{}, map[*cluster]bool{}, map[*Host]bool{}, len(f.systems), len(f.hosts),
	}
	for _, h := range f.hosts {
		w.offline[h], w.silent[h] = h.offline, !f.sendsReports(h, now) && h.heartbeatPattern == alwaysSends
		for _, i := range h.instances {
			w.hostOf[i], w.absent[i], w.status[i] = h, i.unresponsive, i.state()
		}
	}
	for _, db := range f.databases {
		w.primary[db], w.tenants[db] = db.primary(), len(db.tenants)
		w.sync[db] = !db.isReplicated() || db.isInSync()
	}
	for _, c := range f.clusters {
		w.maintain[c] = c.maintenance
		for _, d := range c.disks {
			if d.broken {
				w.broken[c]++
			}
		}
	}
	return w
}

// TestHistory runs the steps of four hours and checks which changes happen.
func TestHistory(t *testing.T) {
	f := New(6, 100)
	f.Step(testTime)
	before, began := readState(f, testTime), testTime
	happened := make(map[string]int)
	note := func(what string, yes bool) {
		if yes {
			happened[what]++
		}
	}
	for step := 1; step <= 1440; step++ {
		now := began.Add(time.Duration(step) * 10 * time.Second)
		f.Step(now)
		is := readState(f, now)
		for i, h := range is.hostOf {
			was, known := before.hostOf[i]
			if !known {
				continue
			}
			note("failed over", was != h && h != i.homeHost)
			note("back at home", was != h && h == i.homeHost)
			note("absent", is.absent[i] && !before.absent[i])
			note("present", !is.absent[i] && before.absent[i])
			note("better", is.status[i] == green && before.status[i] != green)
			note(string(is.status[i]), is.status[i] != before.status[i])
		}
		for db, s := range is.primary {
			note("took over", before.primary[db] != nil && before.primary[db] != s)
			note("took over, back", before.primary[db] != nil && before.primary[db] != s && s.id == 1)
			note("lost sync", before.sync[db] && !is.sync[db])
			note("in sync", before.primary[db] != nil && !before.sync[db] && is.sync[db])
			note("tenant", before.tenants[db] != 0 && before.tenants[db] != is.tenants[db])
		}
		for h := range is.offline {
			note("offline", is.offline[h] && !before.offline[h])
			note("online", !is.offline[h] && before.offline[h])
			note("silent", is.silent[h] && !before.silent[h])
			note("heard", !is.silent[h] && before.silent[h])
		}
		for c := range is.maintain {
			note("disk lost", is.broken[c] > before.broken[c])
			note("disk back", is.broken[c] < before.broken[c])
			note("maintained", is.maintain[c] && !before.maintain[c])
		}
		note("system", is.systems > before.systems)
		note("host", is.hosts > before.hosts)
		checkInvariants(t, f)
		before = is
	}
	t.Log(happened)
	for _, what := range []string{"failed over", "back at home", "absent", "present", "better", "GREEN", "YELLOW", "RED", "GRAY", "took over", "took over, back",
		"lost sync", "in sync", "tenant", "offline", "online", "silent", "heard", "disk lost", "disk back", "maintained", "system", "host"} {
		if happened[what] == 0 {
			t.Errorf("never: %s", what)
		}
	}
	if n := len(f.hosts); n > 110 {
		t.Errorf("%d hosts", n)
	}
}

// checkInvariants checks what must be true of a landscape at any time.
func checkInvariants(t *testing.T, f *Fleet) {
	t.Helper()
	where := make(map[*instance]bool)
	for _, h := range f.hosts {
		for _, i := range h.instances {
			if where[i] || i.host != h {
				t.Fatalf("%s %s is in two places", i.sid(), i.number)
			}
			where[i] = true
		}
		if h.Role == Application && len(h.instances) == 0 {
			t.Fatalf("%s does nothing", h.Name)
		}
	}
	for _, c := range f.clusters {
		lead := c.controller()
		if lead == nil || lead.offline || c.firstOnline().offline {
			t.Fatalf("%s has no designated controller", c.name)
		}
		for _, s := range c.systems {
			if s.ascs.host.offline || s.ers.host.offline || s.ascs.host.cluster != c || s.ers.host.cluster != c {
				t.Fatalf("%s: %s runs where it cannot", c.name, s.SID)
			}
		}
		if db := c.database; db != nil && (db.primary().unregistered || !db.primary().isUp()) {
			t.Fatalf("%s: the primary of %s does not run", c.name, db.sid)
		}
	}
	if most := len(f.hosts) + len(f.clusters)*5; len(f.effects) > most {
		t.Fatalf("%d troubles", len(f.effects))
	}
}

// TestEverythingRecovers checks that all failures end after some time, except
// the faults that New has added.
func TestEverythingRecovers(t *testing.T) {
	for seed := range uint64(5) {
		f := New(seed, 100)
		fresh := f.Expected()
		f.Step(testTime)
		now := testTime
		for range 500 {
			now = now.Add(10 * time.Second)
			f.Step(now)
		}
		for range 6 { // a failure may have several phases
			now = now.Add(time.Hour)
			f.runDueEffects(now)
		}
		if len(f.effects) > 0 {
			t.Errorf("%d troubles are left", len(f.effects))
		}
		is := f.Expected()
		for _, kind := range []struct{ was, is []Thing }{{fresh.Clusters, is.Clusters}, {fresh.Databases, is.Databases}, {fresh.SAPSystems, is.SAPSystems}} {
			for n, thing := range kind.was {
				if kind.is[n] != thing {
					t.Errorf("seed %d: %+v has become %+v", seed, thing, kind.is[n])
				}
			}
		}
		for _, h := range f.hosts {
			if slices.ContainsFunc(h.instances, func(i *instance) bool { return i.unresponsive || i.host != i.homeHost && h.cluster.canFail() }) {
				t.Errorf("%s: something is not where it belongs", h.Name)
			}
		}
	}
}

// TestFailOver checks the reports during a fail-over: the central services move
// to the node of the enqueue replicator, which then leaves that node, and both
// return.
func TestFailOver(t *testing.T) {
	f := New(1, 100)
	f.Step(testTime)
	n := slices.IndexFunc(f.clusters, func(c *cluster) bool { return len(c.systems) == 1 && c.database == nil && c.canFail() })
	s := f.clusters[n].systems[0]
	home, away := s.ascs.host, s.ers.host
	listed := func(h *Host) string {
		names := ""
		for _, e := range sapReport(t, h).Elements {
			names += " " + e.Features
		}
		return names
	}
	moments := map[time.Duration][2]string{
		0:                {" MESSAGESERVER|ENQUE", " ENQREP"},
		time.Second:      {"", " ENQREP MESSAGESERVER|ENQUE"},
		41 * time.Second: {" ENQREP", " MESSAGESERVER|ENQUE"},
		time.Hour:        {" MESSAGESERVER|ENQUE", " MESSAGESERVER|ENQUE ENQREP"},
	}
	for _, after := range []time.Duration{0, time.Second, 41 * time.Second} {
		f.now = testTime.Add(after)
		if after == time.Second && !failOver(f, home, f.now) {
			t.Fatal("it does not fail over")
		}
		f.runDueEffects(f.now)
		if got := [2]string{listed(home), listed(away)}; got != moments[after] {
			t.Errorf("after %s: %q, want %q", after, got, moments[after])
		}
		if on := slices.Contains(s.ascs.host.virtualAddresses(), s.ascs.address); !on {
			t.Errorf("after %s: the address has stayed behind", after)
		}
	}
	for range 4 {
		f.now = f.now.Add(time.Hour)
		f.runDueEffects(f.now)
	}
	if got := [2]string{listed(home), listed(away)}; got != moments[0] || !f.clusters[n].canFail() {
		t.Errorf("in the end: %q", got)
	}
}

// TestTakeover checks the reports during a takeover: the sites change roles,
// and the former primary is down in between.
func TestTakeover(t *testing.T) {
	f := New(1, 50)
	f.Step(testTime)
	for _, c := range f.clusters {
		if c.database == nil || len(c.systems) > 0 || !takeOver(f, c.nodes[0], f.now) {
			continue
		}
		db := c.database
		old, fresh := db.sites[1].instances[0], db.sites[0].instances[0]
		part := func(i *instance) *landscape.DatabaseElement {
			for _, e := range sapReport(t, i.host).Elements {
				if e.Database != nil {
					return e.Database
				}
			}
			t.Fatalf("%s has no database", i.host.Name)
			return nil
		}
		c.checkHANA(t, clusterReport(t, c.controller()).Facts)
		if d := part(fresh); *d.Role != "Primary" || *d.ReplicationStatus != "ERROR" || *d.Tier != 1 {
			t.Errorf("%s: the new primary says %+v", c.name, d)
		}
		if d := part(old); *d.Role != "Primary" || d.ReplicationStatus != nil || old.state() != gray {
			t.Errorf("%s: the old primary says %+v", c.name, d)
		}
		f.now = f.now.Add(time.Hour)
		f.runDueEffects(f.now)
		c.checkHANA(t, clusterReport(t, c.controller()).Facts)
		if d := part(fresh); *d.ReplicationStatus != "ACTIVE" {
			t.Errorf("%s: the primary says %+v", c.name, d)
		}
		if d := part(old); *d.Role != "Secondary" || *d.Tier != 2 || *d.SourceSite != fresh.site.name || old.state() == gray {
			t.Errorf("%s: the old primary says %+v", c.name, d)
		}
	}
}
