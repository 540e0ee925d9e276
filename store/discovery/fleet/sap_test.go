package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"trento/store/landscape"
)

// sapReport returns the decoded SAP report of a host.
func sapReport(t *testing.T, h *Host) *landscape.SAPReport {
	t.Helper()
	r, _ := h.report(landscape.SAPSystemDiscovery)
	return decodeReport(t, r).SAP
}

// TestSAPReportsMatchInstances checks that the decoded SAP reports have the
// values of the instances that they were generated from.
func TestSAPReportsMatchInstances(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		for _, f := range landscapesAtStartAndLater(t, seed, 100) {
			for _, h := range f.Hosts() {
				var want []*instance
				for _, i := range h.instances {
					if !i.unresponsive && i.sid() != diagnosticsSID {
						want = append(want, i)
					}
				}
				elements := sapReport(t, h).Elements
				if len(elements) != len(want) {
					t.Errorf("%s: %d instances, want %d", h.Name, len(elements), len(want))
					continue
				}
				for _, i := range want {
					n := slices.IndexFunc(elements, func(e landscape.Element) bool { return e.SID == i.sid() && e.Number == i.number })
					if n < 0 {
						t.Errorf("%s: no %s %s", h.Name, i.sid(), i.number)
						continue
					}
					i.check(t, elements[n])
				}
			}
		}
	}
}

func (i *instance) check(t *testing.T, e landscape.Element) {
	t.Helper()
	if *e.Hostname != i.hostname || e.Features != i.software.features || *e.HTTPPort != i.httpPort() || *e.TLSPort != i.httpPort()+1 ||
		e.StartPriority != i.software.priority || string(e.Status) != toLower(string(i.state())) {
		t.Errorf("%s %s: %+v", i.sid(), i.number, e)
	}
	switch {
	case i.system != nil:
		i.checkApplication(t, e.Application)
	case !i.database.isReplicated():
		if e.Database.Role != nil || *e.Database.Mode != "none" || e.Database.Tier != nil {
			t.Errorf("%s: %+v", i.sid(), e.Database)
		}
	default:
		i.checkReplication(t, e.Database)
	}
}

func (i *instance) checkApplication(t *testing.T, a *landscape.ApplicationElement) {
	t.Helper()
	ensa := landscape.NoENSA
	if i.software.isCentral() {
		ensa = map[int]landscape.ENSAVersion{1: landscape.ENSA1, 2: landscape.ENSA2}[i.system.ensa]
	}
	if a.DBHost != i.system.database.address.String() || a.Tenant != i.system.tenant || a.ENSA != ensa {
		t.Errorf("%s %s: %+v", i.sid(), i.number, a)
	}
}

func (i *instance) checkReplication(t *testing.T, d *landscape.DatabaseElement) {
	t.Helper()
	db := i.database
	of := db.siteIndex(i.site)
	role, mode := landscape.SecondaryRole, db.modeOf(of)
	if of == 0 || i.site.unregistered {
		role, mode = landscape.PrimaryRole, "primary"
	}
	if string(d.ID) != db.id().String() || len(d.Tenants) != len(db.tenants) || *d.Role != role || *d.Mode != mode ||
		*d.Site != i.site.name || *d.SiteID != i.site.id {
		t.Errorf("%s at %s: %+v", db.sid, i.site.name, d)
	}
	if i.state() == gray {
		return // a stopped instance does not report the rest
	}
	if *d.Tier != db.tierOf(of) || (d.SourceSite == nil) != (of == 0) || of > 0 && *d.SourceSite != db.sourceOf(of).name {
		t.Errorf("%s at %s replicates as tier %d from %v", db.sid, i.site.name, *d.Tier, d.SourceSite)
	}
	if of == 0 && *d.ReplicationStatus != db.overallStatus() || of > 0 && (d.ReplicationStatus != nil || *d.ActivePrimarySite != db.primary().id) {
		t.Errorf("%s at %s: %+v", db.sid, i.site.name, d)
	}
}

// TestThreeSites checks databases with three sites: a chain, and two
// secondaries that replicate from the primary.
func TestThreeSites(t *testing.T) {
	for fan, want := range map[bool]string{
		false: "primary 1, sync 2 from 0, async 3 from 1",
		true:  "primary 1, sync 2 from 0, async 2 from 0",
	} {
		f := New(2, 50)
		n := slices.IndexFunc(f.databases, func(db *database) bool { return len(db.sites) == 3 && db.multitargetReplication == fan })
		db := f.databases[n]
		var parts []string
		for _, s := range db.sites {
			i := s.instances[0]
			d := sapReport(t, i.host).Elements[0].Database
			part := fmt.Sprintf("%s %d", *d.Mode, *d.Tier)
			if d.SourceSite != nil {
				part += fmt.Sprintf(" from %d", slices.IndexFunc(db.sites, func(s *site) bool { return s.name == *d.SourceSite }))
			}
			parts = append(parts, part)
		}
		if got := strings.Join(parts, ", "); got != want {
			t.Errorf("%s: %s, want %s", db.sid, got, want)
		}
	}
}

// TestAbsentInstances checks that reports leave out instances whose service
// does not answer. If no service on a host answers, the agent cannot tell the
// type of the system.
func TestAbsentInstances(t *testing.T) {
	f := New(4, 50)
	n := slices.IndexFunc(f.hosts, func(h *Host) bool { return h.Role == Everything })
	h := f.hosts[n]
	types := func() (list []int) {
		for _, p := range h.sapPayload() {
			list = append(list, p.Type, len(p.Instances))
			if (p.ID == "-") != (p.Type == unknownType) {
				t.Errorf("%s is called %s", p.SID, p.ID)
			}
		}
		return list
	}
	for absent, want := range [][]int{{databaseType, 1, applicationType, 2}, {unknownType, 0, applicationType, 2}, {unknownType, 0, applicationType, 1}, {unknownType, 0, unknownType, 0}} {
		if absent > 0 {
			h.instances[absent-1].unresponsive = true
		}
		if got := types(); !slices.Equal(got, want) {
			t.Errorf("%d are absent: %v, want %v", absent, got, want)
		}
		if got := len(sapReport(t, h).Elements); got != 3-absent {
			t.Errorf("%d are absent: %d are read", absent, got)
		}
	}
	n = slices.IndexFunc(f.hosts, func(h *Host) bool { return h.diagnostics != "" })
	h = f.hosts[n]
	if got := types(); !slices.Equal(got[:2], []int{diagnosticsType, 1}) {
		t.Errorf("beside a diagnostics agent: %v", got)
	}
}

// TestSystemKinds checks that a landscape made by New contains all kinds of
// systems.
func TestSystemKinds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		f := New(seed, 100)
		found := make(map[string]int)
		for _, s := range f.Systems() {
			found[[]string{abap: "abap", java: "java", dual: "dual"}[s.stack]]++
		}
		for _, db := range f.databases {
			for what, is := range map[string]bool{
				"alone": !db.isReplicated(), "pair": len(db.sites) == 2, "chain": len(db.sites) == 3 && !db.multitargetReplication, "fan": len(db.sites) == 3 && db.multitargetReplication,
				"several hosts": len(db.sites[0].instances) > 1, "several tenants": len(db.tenants) > 1, "a tenant to spare": db.hasFreeTenant(),
			} {
				if is {
					found[what]++
				}
			}
		}
		for _, h := range f.Hosts() {
			if h.diagnostics != "" {
				found["diagnostics agent"]++
			}
			for _, i := range h.instances {
				found[string(i.status)]++
				if i.software == standbySoftware {
					found["standby"]++
				}
			}
		}
		for _, what := range []string{"abap", "java", "dual", "alone", "pair", "chain", "fan", "several hosts", "several tenants", "a tenant to spare",
			"diagnostics agent", "GREEN", "YELLOW", "RED", "GRAY", "standby"} {
			if found[what] == 0 {
				t.Errorf("seed %d: nothing is %q", seed, what)
			}
		}
	}
}

// TestSystemsFindTheirDatabases checks that the database address of every
// application instance belongs to exactly one host, and that an instance of the
// database runs there.
func TestSystemsFindTheirDatabases(t *testing.T) {
	for _, f := range landscapesAtStartAndLater(t, 3, 300) {
		at := make(map[string][]*Host)
		for _, h := range f.Hosts() {
			for _, a := range append(h.virtualAddresses(), h.addresses...) {
				at[a.String()] = append(at[a.String()], h)
			}
		}
		for _, s := range f.Systems() {
			hosts := at[s.database.address.String()]
			if len(hosts) != 1 || !slices.ContainsFunc(hosts[0].instances, func(i *instance) bool { return i.database == s.database }) {
				t.Errorf("%s finds its database %s at %d hosts", s.SID, s.DatabaseSID, len(hosts))
			}
			message, server := false, false
			for _, i := range s.instances {
				message = message || i.software == ascsSoftware || i.software == scsSoftware
				server = server || !i.software.isCentral()
			}
			if !message || !server {
				t.Errorf("%s is not complete", s.SID)
			}
		}
	}
}
