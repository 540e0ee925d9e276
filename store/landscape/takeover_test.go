package landscape_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/activity"
	"trento/store/landscape"
)

// everyInstance returns all instances of a landscape, as SID/number@host of their
// system; absent ones in brackets.
func (w *testLandscape) everyInstance() []string {
	list := []string{}
	add := func(system, own, number string, host landscape.HostID, t landscape.InstanceTimes) {
		text := fmt.Sprintf("%s %s/%s@%s", system, own, number, host)
		if t.AbsentSince != nil {
			text = "(" + text + ")"
		}
		list = append(list, text)
	}
	for _, db := range w.databases {
		for _, i := range db.Instances {
			add(db.SID, i.SID, i.Number, i.HostID, i.InstanceTimes)
		}
	}
	for _, s := range w.sapSystems {
		for _, i := range s.Instances {
			add(s.SID, i.SID, i.Number, i.HostID, i.InstanceTimes)
		}
	}
	slices.Sort(list)
	return list
}

// A number on a host belongs to one system: an instance that gets it makes the
// former one absent, so that it can be cleaned up.
func TestNumberIsTakenOver(t *testing.T) {
	const other = "10.1.0.20"
	for name, test := range map[string]struct {
		before, then func(*testLandscape) []string
		want         []string // instances
		waits        []string
	}{
		"database rebuilt": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("db", hana(key("rebuilt"), tenants("NEW"))) },
			[]string{"(ORE ORE/10@db)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"},
			[]string{"a/00", "b/01"}, // the rebuilt one does not have their tenant
		},
		"database rebuilt with its tenants": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("db", hana(key("rebuilt"))) },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "(ORE ORE/10@db)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, nil,
		},
		"tenants of a rebuilt database come later": {
			func(w *testLandscape) []string { return w.sap("db", hana(key("rebuilt"), tenants("NEW"))) },
			func(w *testLandscape) []string { return w.sap("db", hana(key("rebuilt"))) },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "(ORE ORE/10@db)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, nil,
		},
		"database back from a backup": {
			func(w *testLandscape) []string { return w.sap("db", hana(key("rebuilt"))) },
			func(w *testLandscape) []string { return w.sap("db", hana()) },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "(ORE ORE/10@db)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, nil,
		},
		"application on another database": {
			func(w *testLandscape) []string {
				w.host("new", other)
				return w.sap("new", hana(key("salt"), sid("SLT")))
			},
			func(w *testLandscape) []string { return w.sap("b", app("01", abap, on(other))) },
			[]string{"(LIM LIM/01@b)", " LIM/01@b", "LIM LIM/00@a", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"tenant moved to another database, which had it first": {
			func(w *testLandscape) []string {
				w.host("new", dbHost)
				return w.sap("new", hana(key("salt"), sid("SLT")))
			},
			func(w *testLandscape) []string { return w.sap("db", hana(tenants("SAL"))) },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"address moved to another host, which had it first": {
			func(w *testLandscape) []string {
				w.host("new", dbHost)
				return w.sap("new", hana(key("salt"), sid("SLT")))
			},
			func(w *testLandscape) []string { return w.host("db", "10.1.0.99") },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"address moved to another host, which has it later": {
			func(w *testLandscape) []string {
				w.sap("new", hana(key("salt"), sid("SLT")))
				w.host("new", "10.1.0.98")
				return w.host("db", "10.1.0.99")
			},
			func(w *testLandscape) []string { return w.host("new", dbHost) },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"host replaced by another one with its address": {
			func(w *testLandscape) []string {
				w.host("new", dbHost)
				return w.sap("new", hana(key("salt"), sid("SLT")))
			},
			func(w *testLandscape) []string { return w.loseHeartbeat("db") },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"silent host comes back beside the one that has its address": {
			func(w *testLandscape) []string {
				w.host("new", dbHost)
				w.sap("new", hana(key("salt"), sid("SLT")))
				return w.loseHeartbeat("db")
			},
			func(w *testLandscape) []string { return w.heartbeat("db") },
			[]string{"(LIM LIM/00@a)", "(LIM LIM/01@b)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SLT SLT/10@new"}, nil,
		},
		"another system": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("b", app("01", abap, sid("SAL"), tenant("SAL"))) },
			[]string{"(LIM LIM/01@b)", " SAL/01@b", "LIM LIM/00@a", "ORE ORE/10@db"}, nil,
		},
		"database where an application was": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("b", hana(key("salt"), sid("SLT"), number("01"))) },
			[]string{"(LIM LIM/01@b)", "LIM LIM/00@a", "ORE ORE/10@db", "SLT SLT/01@b"}, nil,
		},
		"application where a database was": {
			func(w *testLandscape) []string { w.host("d2", dbHost); return w.sap("d2", hana()) },
			func(w *testLandscape) []string { return w.sap("db", app("10", abap)) },
			[]string{"(ORE ORE/10@db)", "LIM LIM/00@a", "LIM LIM/01@b", "LIM LIM/10@db", "ORE ORE/10@d2"}, nil,
		},
		"one that waits takes nothing": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("b", app("01", abap, sid("NEW"), tenant("NEW"))) },
			[]string{"LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, []string{"b/01"},
		},
		"one that has waited": {
			func(w *testLandscape) []string { return w.sap("b", app("01", abap, sid("NEW"), tenant("NEW"))) },
			func(w *testLandscape) []string { return w.sap("db", hana(tenants("LIM", "NEW"))) },
			[]string{"(LIM LIM/01@b)", " NEW/01@b", "LIM LIM/00@a", "ORE ORE/10@db"}, nil,
		},
		"a secondary that waits takes nothing": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("b", secondary(key("salt"), sid("SLT"), number("01"))) },
			[]string{"LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, []string{"b/01"},
		},
		"a secondary that has waited": {
			func(w *testLandscape) []string {
				return w.sap("b", secondary(key("salt"), sid("SLT"), number("01")))
			},
			func(w *testLandscape) []string { return w.sap("c", primary(key("salt"), sid("SLT"))) },
			[]string{"(LIM LIM/01@b)", "LIM LIM/00@a", "ORE ORE/10@db", "SLT SLT/01@b", "SLT SLT/10@c"}, nil,
		},
		"application that waits because of the database it has replaced": {
			func(w *testLandscape) []string {
				return w.sap("db", hana(), hana(key("salt"), sid("SLT"), number("00")))
			},
			func(w *testLandscape) []string {
				return w.sap("db", hana(), app("00", abap+"|"+ascs, sid("SAL"), tenant("SAL")))
			},
			[]string{"(SLT SLT/00@db)", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db", "SAL SAL/00@db"}, nil,
		},
		"one that could not be read": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string {
				return w.sapUnread("b", []landscape.UnreadInstance{{SID: "LIM", Number: "01"}}, app("01", abap, sid("SAL"), tenant("SAL")))
			},
			[]string{" SAL/01@b", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, nil,
		},
		"one that could not be read, of another number or system": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string {
				return w.sapUnread("b", []landscape.UnreadInstance{{SID: "LIM"}, {SID: "LIM", Number: "02"}, {SID: "ORE", Number: "01"}},
					app("01", abap, sid("SAL"), tenant("SAL")))
			},
			[]string{"(LIM LIM/01@b)", " SAL/01@b", "LIM LIM/00@a", "ORE ORE/10@db"}, nil,
		},
		"one that could be read again": {
			func(w *testLandscape) []string {
				return w.sapUnread("b", []landscape.UnreadInstance{{SID: "LIM", Number: "01"}}, app("01", abap, sid("SAL"), tenant("SAL")))
			},
			func(w *testLandscape) []string { return w.sap("b", app("01", abap, sid("SAL"), tenant("SAL"))) },
			[]string{"(LIM LIM/01@b)", " SAL/01@b", "LIM LIM/00@a", "ORE ORE/10@db"}, nil,
		},
		"same number on another host": {
			func(w *testLandscape) []string { return nil },
			func(w *testLandscape) []string { return w.sap("c", app("01", abap, sid("SAL"), tenant("SAL"))) },
			[]string{" SAL/01@c", "LIM LIM/00@a", "LIM LIM/01@b", "ORE ORE/10@db"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.t = t
			test.before(w)
			test.then(w)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, w.everyInstance()); diff != "" {
				t.Errorf("instances (-want +got):\n%s", diff)
			}
			w.expectWaiting(test.waits...)
			for w.cleanUpSomething(0) { // absent instances can be removed
			}
		})
	}
}

// All events of a number that is taken over are in one changeset.
func TestTakeOverEvents(t *testing.T) {
	w := running(t)
	w.expect(w.sap("b", app("01", abap, sid("SAL"), tenant("SAL"))),
		"application_instance_marked_absent b/01", "application_instance_registered b/01 green")
	w.expect(w.sap("b", app("01", abap, sid("SAL"), tenant("SAL"))))
	w.expect(w.sap("b", app("01", abap)),
		"application_instance_marked_absent b/01", "application_instance_marked_present b/01")
	w.expect(w.sap("db", hana(key("rebuilt"), tenants("NEW"))),
		"database_instance_marked_absent db/10", "database_registered passing", "database_instance_registered db/10 green", "database_tenants_updated")
	w.expect(w.removeDatabaseInstance(ore, "db", "10"),
		"database_instance_deregistered db/10", "database_deregistered", "sap_system_deregistered",
		"host_saptune_health_changed a passing", "host_health_changed a passing",
		"application_instance_system_lost a/00", "application_instance_system_lost b/01")
	for _, e := range w.events[len(w.events)-2:] {
		if lost, ok := e.(*activity.ApplicationInstanceSystemLost); !ok || lost.WaitsFor != activity.WaitsForDatabase {
			t.Errorf("event %+v", e)
		}
	}
}

// Of several instances with one number on a host, the one that runs counts.
func TestNumberListedTwice(t *testing.T) {
	here, there := app("01", abap), app("01", abap, sid("SAL"), tenant("SAL"))
	stopped := status(landscape.Gray)
	for name, test := range map[string]struct {
		elements []landscape.Element
		want     string
	}{
		"both run":          {[]landscape.Element{here, there}, " SAL/01@b"},
		"the other way":     {[]landscape.Element{there, here}, "LIM LIM/01@b"},
		"first one stopped": {[]landscape.Element{with(there, stopped), here}, "LIM LIM/01@b"},
		"last one stopped":  {[]landscape.Element{here, with(there, stopped)}, "LIM LIM/01@b"},
		"both stopped":      {[]landscape.Element{with(here, stopped), with(there, stopped)}, " SAL/01@b"},
		"same one twice":    {[]landscape.Element{here, with(here, stopped)}, "LIM LIM/01@b"},
		"a database":        {[]landscape.Element{here, hana(key("salt"), number("01"))}, "ORE ORE/01@b"},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.sap("b", test.elements...)
			present := slices.DeleteFunc(w.everyInstance(), func(i string) bool { return i[0] == '(' })
			want := []string{test.want, "LIM LIM/00@a", "ORE ORE/10@db"}
			slices.Sort(want)
			if diff := cmp.Diff(want, present); diff != "" {
				t.Errorf("present instances (-want +got):\n%s", diff)
			}
			w.expect(w.sap("b", test.elements...))
		})
	}
}

// A system with another SID is the same system.
func TestRenamed(t *testing.T) {
	w := running(t)
	w.expect(w.sap("db", hana(sid("ORX"))), "database_updated")
	if db := w.databases[ore]; db.SID != "ORX" || db.Instances[0].SID != "ORX" {
		t.Errorf("database %+v", db)
	}
	w.expect(w.sap("b", app("01", abap, sid("LIX")))) // is not the message server
	w.expect(w.sap("a", app("00", ascs, sid("LIX"))), "sap_system_updated")
	if s := w.sapSystems[lim]; s.SID != "LIX" || s.Instances[0].SID != "LIX" || s.Instances[1].SID != "LIX" {
		t.Errorf("system %+v", s)
	}
	if got, ok := w.events[len(w.events)-1].(*activity.SAPSystemUpdated); !ok || got.SID != "LIX" || got.PreviousSID != "LIM" {
		t.Errorf("event %+v", w.events[len(w.events)-1])
	}

	// A database has the SID of an instance that is listed and follows no other.
	w = newWorld(t)
	w.sap("x", primary())
	w.sap("y", secondary(number("00")))
	w.expect(w.sap("y", secondary(number("00"), sid("ORX"))))
	w.expect(w.sap("x", primary(sid("ORX"))), "database_updated")
	w.expect(w.sap("x", primary(number("20"), sid("ORY")))[2:], "database_updated")
	if db := w.databases[ore]; db.SID != "ORY" {
		t.Errorf("database %+v", db)
	}
}

// transition returns the landscape before and after a large part of it was
// rebuilt.
func transition() (before, after agents) {
	before = ownLandscape()
	salt := func(changes ...func(*landscape.Element)) landscape.Element {
		return hana(append([]func(*landscape.Element){key("salt"), sid("SLT"), number("22"), tenants("SLT")}, changes...)...)
	}
	before["k1"] = agentSays{addresses: []string{"10.1.0.71"}, elements: []landscape.Element{app("05", "ABAP|"+ascs, sid("KAB"), tenant("GDB"), on("10.1.0.30"))}}
	before["m1"] = agentSays{addresses: []string{"10.1.0.72"}, elements: []landscape.Element{app("90", abap), app("91", abap)}}
	after = maps.Clone(before)
	set := func(id landscape.HostID, change func(*agentSays)) {
		says := after[id]
		change(&says)
		after[id] = says
	}
	elements := func(id landscape.HostID, list ...landscape.Element) {
		set(id, func(s *agentSays) { s.elements = list })
	}
	// ORE is renamed; its tenant SAL has moved to the rebuilt SLT, which has it, KAB's and a new one.
	orx := []func(*landscape.Element){sid("ORX"), tenants("LIM")}
	elements("o1", primary(orx...))
	elements("o2", hana(append(orx, replicating(landscape.SecondaryRole, "MID", 2, 0, 1))...))
	elements("o3", hana(append(orx, replicating(landscape.SecondaryRole, "DOWN", 3, 0, 2))...))
	for _, id := range []landscape.HostID{"s1", "s2", "s3"} {
		elements(id, salt(key("salt 2"), tenants("GDB", "NEW", "SAL", "SLT")))
	}
	elements("j1", app("81", "GATEWAY|"+ascs, sid("SAL"), tenant("SAL"), on("10.1.0.41")), app("80", java, sid("SAL"), tenant("SAL"), on("10.1.0.41")))
	// GDB is rebuilt; the host of KAB's database has lost an address to one of SLT.
	set("g1", func(s *agentSays) {
		s.addresses = []string{"10.1.0.31"}
		s.elements = []landscape.Element{
			app("00", abap+"|"+ascs, sid("GAB"), tenant("GAB"), on("10.1.0.31")),
			hana(key("gab 2"), sid("GDB"), number("01"), tenants("GAB", "GDB")),
		}
	})
	set("s2", func(s *agentSays) { s.addresses = append(slices.Clone(s.addresses), "10.1.0.30") })
	// Another SID is installed.
	elements("l3", app("01", abap), app("02", abap+"|"+ascs, sid("NEW"), tenant("NEW"), on("10.1.0.42")))
	// One waits on the number of LIM.
	elements("m1", app("90", abap, tenant("NONE")), app("91", abap))
	return before, after
}

// A rebuilt landscape is the same after each agent has reported once, in whatever
// order. After absent instances have been cleaned up, it is as if it had always
// been like that.
func TestOrderOfChangesDoesNotMatter(t *testing.T) {
	t.Parallel()
	before, after := transition()
	// An instance that a waiting element protects from turning absent is not there
	// in a landscape that has always been like that.
	fresh := maps.Clone(after)
	fresh["m1"] = agentSays{addresses: after["m1"].addresses, elements: []landscape.Element{app("90", abap), app("91", abap)}}
	want := fresh.settled(t)
	rapid.Check(t, func(t *rapid.T) {
		w := before.settled(t)
		var reports []func()
		for _, id := range slices.Sorted(maps.Keys(after)) {
			reports = append(reports, after.says(w, id)...)
		}
		again := rapid.SliceOfN(rapid.SampledFrom(reports), 0, len(reports)).Draw(t, "again")
		for _, report := range rapid.Permutation(append(reports, again...)).Draw(t, "order") {
			report()
		}
		stored := w.memory.text(t)
		for _, report := range reports {
			report()
		}
		if again := w.memory.text(t); stored != again {
			t.Fatalf("a repeated round changes something (-before +after):\n%s", cmp.Diff(stored, again))
		}
		w.expectWaiting("m1/90", "w1/70", "w2/10")
		for w.cleanUpSomething(0) {
		}
		if diff := cmp.Diff(want.lists(), w.lists()); diff != "" {
			t.Fatalf("order matters (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.hostHealths(), w.hostHealths()); diff != "" {
			t.Fatalf("order matters to hosts (-want +got):\n%s", diff)
		}
	})
}
