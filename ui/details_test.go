package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// discover stores what the agent of the n-th host says about its cluster or
// its instances, and reports whether all of it fitted.
func (f *fixture) discover(n int, seen landscape.Observation) bool {
	f.t.Helper()
	seen.Agent, seen.Kind = hostID(n), landscape.SAPSystemDiscovery
	switch {
	case seen.Cluster != nil:
		seen.Kind = landscape.ClusterDiscovery
	case seen.Cloud != nil:
		seen.Kind = landscape.CloudDiscovery
	case seen.Saptune != nil:
		seen.Kind = landscape.SaptuneDiscovery
	}
	f.clock.pass(time.Millisecond)
	body := fmt.Appendf(nil, "%d %s %v", n, seen.Kind, f.clock.Now())
	err := f.store.Observe(context.Background(), store.Report{Observation: seen, Body: body})
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, landscape.ErrNoDatabase) {
		f.t.Fatal(err)
	}
	return err == nil
}

func to[T any](value T) *T { return &value }

// The systems of a systemsFixture.
var (
	prdID = landscape.DatabaseIDFromKey("prd")
	nwpID = landscape.SAPSystemIDOn(prdID, "NWP")
)

func facets(features string, status landscape.InstanceStatus, hostname string) landscape.InstanceFacts {
	return landscape.InstanceFacts{Features: features, Status: status, StartPriority: "0.3", Hostname: &hostname, HTTPPort: to(50013), TLSPort: to(50014)}
}

func hanaElement(role, site, source string, tier, siteID int, status landscape.InstanceStatus) landscape.Element {
	e := landscape.Element{SID: "PRD", Number: "00", InstanceFacts: facets("HDB|HDB_WORKER", status, "vhana"), Database: &landscape.DatabaseElement{
		ID: prdID, Tenants: []string{"NWP", "PRD"},
		Replication: landscape.Replication{Role: &role, Site: &site, SiteID: &siteID, Tier: &tier, Mode: to("sync"), OperationMode: to("logreplay")},
	}}
	if role == landscape.PrimaryRole {
		e.Database.ReplicationStatus, e.Database.Mode = to("ACTIVE"), to("primary")
	} else {
		e.Database.SourceSite = &source
	}
	return e
}

func applicationElement(number, features string, status landscape.InstanceStatus) landscape.Element {
	return landscape.Element{SID: "NWP", Number: number, InstanceFacts: facets(features, status, "vnwp"+number), Application: &landscape.ApplicationElement{
		DBHost: "10.0.0.2", Tenant: "NWP", ENSA: landscape.ENSA2,
	}}
}

func clusterResource(id, kind, node string, parent *landscape.ResourceParent) landscape.ClusterResource {
	return landscape.ClusterResource{ID: id, Type: kind, Role: "Started", Status: to("Active"), FailCount: to(0), Managed: to(true), Node: &node, Parent: parent}
}

func hanaClusterReport() *landscape.ClusterReport {
	clone := &landscape.ResourceParent{ID: "msl_PRD", Managed: to(true), MultiState: to(true)}
	group := &landscape.ResourceParent{ID: "g_ip", Managed: to(true)}
	failed := clusterResource("rsc_ip", "ocf::heartbeat:IPaddr2", "hana01", group)
	failed.Status, failed.FailCount, failed.Managed = to("Failed"), to(3), to(false)
	return &landscape.ClusterReport{ID: landscape.ClusterIDFromKey("hana"), Name: to("hana_cluster"), Online: true, CIBLastWritten: to("Mon Aug 17 09:14:05 2026"), Facts: &landscape.ClusterFacts{
		Type: landscape.HANAScaleUp, Provider: "azure", State: "S_IDLE", ResourcesNumber: to(5), HostsNumber: to(2),
		SAPInstances: []landscape.ClusteredInstance{{Name: "PRD", SID: "PRD", Number: "00", ResourceType: landscape.DatabaseResource}},
		HANA: &landscape.HANADetails{
			Architecture: landscape.AngiArchitecture, Scenario: landscape.PerformanceOptimized, ReplicationMode: "sync", OperationMode: "logreplay",
			SecondarySyncState: "SFAIL", SRHealthState: "1", FencingType: to("external/sbd"), MaintenanceMode: true,
			SBDDevices: []landscape.SBDDevice{{Device: "/dev/sdb", Status: landscape.SBDHealthy}, {Device: "/dev/sdc", Status: landscape.SBDUnhealthy}},
			Sites:      []landscape.HANASite{{Name: "WEST", State: "Failed", SRHealthState: "1"}, {Name: "EAST", State: "Primary", SRHealthState: "4"}},
			Nodes: []landscape.HANANode{
				{Name: "hana01", Site: to("EAST"), Status: "Online", NameserverRole: to("master1"), IndexserverRole: to("master"), VirtualIP: to("10.9.0.1"),
					Attributes: map[string]string{"hana_prd_roles": "4:P:master1", "lpa": "30"}, Resources: []landscape.ClusterResource{failed}},
				{Name: "hana02", Site: to("WEST"), Status: "Standby", Attributes: map[string]string{}},
				{Name: "mm01", Status: "Online", MajorityMaker: true, Attributes: map[string]string{}},
			},
			Resources: []landscape.ClusterResource{
				clusterResource("stonith-sbd", "stonith:external/sbd", "hana01", nil), clusterResource("rsc_hana", "ocf::suse:SAPHana", "hana01", clone),
				failed, clusterResource("rsc_hana", "ocf::suse:SAPHana", "hana02", clone),
			},
			StoppedResources: []landscape.ClusterResource{{ID: "rsc_exporter", Type: "systemd:exporter", Role: "Stopped"}},
		},
	}}
}

func centralServicesReport() *landscape.ClusterReport {
	system := func(sid, ascs, ers string, distributed bool) landscape.ClusterSAPSystem {
		return landscape.ClusterSAPSystem{SID: sid, Distributed: distributed, FilesystemResourceBased: true, Nodes: []landscape.ASCSERSNode{
			{Name: "ascs01", Status: "Online", Roles: []string{ascs}, VirtualIPs: []*string{to("10.9.1.1"), nil}, Filesystems: []*string{to("/usr/sap/" + sid)}, Attributes: map[string]string{"runs": sid}},
			{Name: "ascs02", Status: "Online", Roles: []string{ers}, Attributes: map[string]string{}},
		}}
	}
	return &landscape.ClusterReport{ID: landscape.ClusterIDFromKey("ascs"), Online: true, CIBLastWritten: to("Mon"), Facts: &landscape.ClusterFacts{
		Type: landscape.ASCSERS, Provider: "kvm", State: "S_TRANSITION_ENGINE", ResourcesNumber: to(4), HostsNumber: to(2),
		SAPInstances: []landscape.ClusteredInstance{{SID: "NWP", Number: "00", ResourceType: landscape.InstanceResource}, {SID: "NWQ", Number: "20", ResourceType: landscape.InstanceResource}},
		ASCSERS: &landscape.ASCSERSDetails{SAPSystems: []landscape.ClusterSAPSystem{
			system("NWP", landscape.ASCSRole, landscape.ERSRole, true), system("NWQ", landscape.ERSRole, landscape.ASCSRole, false),
		}},
	}}
}

// systemsFixture is a console with a replicated database PRD, an SAP system
// NWP on it, and a cluster of every type. All agents have been heard.
func systemsFixture(t testing.TB) *fixture {
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	for n, name := range []string{"hana01", "hana02", "ascs01", "ascs02", "app01", "odd01", "mix01"} {
		f.host(n+1, name)
		f.beat(n + 1)
	}
	f.fillSystems()
	return f
}

// fillSystems reports what runs on the hosts 1 to 7.
func (f *fixture) fillSystems() {
	f.t.Helper()
	hana, services := hanaClusterReport(), centralServicesReport()
	for _, cluster := range []struct {
		host   int
		report *landscape.ClusterReport
	}{
		{1, hana},
		{2, &landscape.ClusterReport{ID: hana.ID, Name: hana.Name, Online: true, CIBLastWritten: hana.CIBLastWritten}},
		{3, services},
		{4, &landscape.ClusterReport{ID: services.ID, Online: true, CIBLastWritten: services.CIBLastWritten}},
		{6, &landscape.ClusterReport{ID: landscape.ClusterIDFromKey("odd"), Name: to("odd_cluster")}},
		{7, &landscape.ClusterReport{ID: landscape.ClusterIDFromKey("mix"), Name: to("mix_cluster"), Online: true, CIBLastWritten: to("Tue"), Facts: &landscape.ClusterFacts{
			Type: landscape.HANAASCSERS, Provider: "aws", State: "S_POLICY_ENGINE", ResourcesNumber: to(9), HostsNumber: to(1),
			SAPInstances: []landscape.ClusteredInstance{{SID: "XYZ", Number: "00", ResourceType: landscape.DatabaseResource}},
		}}},
	} {
		f.discover(cluster.host, landscape.Observation{Cluster: cluster.report})
	}
	for _, sap := range []struct {
		host     int
		elements []landscape.Element
	}{
		{1, []landscape.Element{hanaElement(landscape.PrimaryRole, "EAST", "", 1, 1, landscape.Green)}},
		{2, []landscape.Element{hanaElement(landscape.SecondaryRole, "WEST", "EAST", 2, 2, landscape.Yellow)}},
		{3, []landscape.Element{applicationElement("00", "MESSAGESERVER|ENQUE", landscape.Green)}},
		{4, []landscape.Element{applicationElement("10", "ENQREP", landscape.Gray)}},
		{5, []landscape.Element{applicationElement("01", "ABAP|GATEWAY|ICMAN|IGS", landscape.Red), applicationElement("02", "J2EE|IGS", landscape.Green)}},
	} {
		if !f.discover(sap.host, landscape.Observation{SAP: &landscape.SAPReport{Elements: sap.elements}}) {
			f.t.Fatalf("the instances on host %d do not fit", sap.host)
		}
	}
}

// loses reports that nothing runs on a host any more.
func (f *fixture) loses(n int, kept ...landscape.Element) {
	f.t.Helper()
	f.discover(n, landscape.Observation{SAP: &landscape.SAPReport{Elements: kept}})
}

func clusterPath(key string) string { return "/clusters/" + string(landscape.ClusterIDFromKey(key)) }

func TestDetails(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	database, system := "/databases/"+string(prdID), "/sap_systems/"+string(nwpID)
	host := func(n int) string { return "/hosts/" + string(hostID(n)) }
	tests := []struct {
		name   string
		target string
		status int
		page   []element
	}{
		{"HANA cluster", clusterPath("hana"), 200, []element{
			has("title", "hana_cluster – Clusters"), has("h1", "Pacemaker Cluster Details: hana_cluster"), has("[data-testid=cluster-state]", "State: Idle"),
			has(".reason", "Critical since 20 Aug 2026, 10:15:30 UTC : system replication is not in sync (SFAIL, sr_health_state 1) and SBD device /dev/sdc is unhealthy."), has(".pill.warning", "Maintenance mode"),
			has(".facts", "HANA Scale Up Perf. Opt."), has(".facts", "Angi architecture"), has(".facts", "SFAIL"), has(".facts", "Azure"), has(".facts", "17 Aug 2026, 09:14:05"),
			has(".facts a[href="+database+"]", "PRD"), has("#site-0 h3", "EAST"), has("#site-0 h3 .pill", "Primary"), has("#site-1 h3 .pill", "Failed"),
			has("#site-2 h3", "Other"), has("#site-2 tbody", "Majority maker"), has("#site-2 .lost", "mm01 (Host currently not registered.)"),
			has("#site-0 tbody a[href="+host(1)+"]", "hana01"), has("#site-0 tbody", "Master1"), has("#site-0 tbody", "10.9.0.1"), has("#site-0 tbody", "10.0.0.2"),
			has("#site-0 tbody", "1 unmanaged resource"), has("#site-1 tbody", "Standby"), has("#resources .parent", "msl_PRD ocf::suse:SAPHana"), has("#resources .parent", "g_ip Group"),
			has("#resources .member", "Failed False 3"), has("#stopped", "rsc_exporter"), has("#fencing", "/dev/sdc Unhealthy"), hasNot("#hosts"), hasNot("dialog#node"),
			has("nav[aria-label=Breadcrumb] a[href=/clusters]", ""), has("#activity", "of this cluster")}},
		{"attributes of a node", clusterPath("hana") + "?node=hana01", 200, []element{
			has("dialog#node h2", "hana01"), has("dialog#node tbody", "hana_prd_roles 4:P:master1"), has("dialog#node a[href="+clusterPath("hana")+"]", "Close")}},
		{"attributes of no node", clusterPath("hana") + "?node=nobody", 404, []element{has("h1", "Not Found")}},
		{"central services", clusterPath("ascs"), 200, []element{
			has("h1", string(landscape.ClusterIDFromKey("ascs"))[:8]+"…"), has("h1 [title="+string(landscape.ClusterIDFromKey("ascs"))+"]", ""), has("[data-testid=cluster-state]", "Transition Engine"), has(".reason", "ASCS and ERS of NWQ do not run on two healthy nodes"),
			has("#system-0 .facts", "ENSA2"), has("#system-0 .facts", "distributed Yes"), has("#system-1 .facts", "distributed No"), has("#system-0 .facts a[href="+system+"]", "NWP"),
			has("#system-1 .lost", "NWQ (SAP system currently not registered)"), has("#system-0 tbody", "ASCS"), has("#system-0 tbody", "ERS"), has("#system-0 tbody", "/usr/sap/NWP"),
			has("#fencing", "No fencing is configured"), has("#resources", "No resource"), hasNot("#stopped")}},
		{"attributes of a node of central services", clusterPath("ascs") + "?node=ascs01", 200, []element{has("dialog#node tbody", "runs")}},
		{"combined cluster", clusterPath("mix"), 200, []element{
			has(".banner", "together with central services"), has(".facts .lost", "XYZ (System currently not registered)"), has("[data-testid=cluster-state]", "Policy Engine"),
			has("#hosts a[href="+host(7)+"]", "mix01"), hasNot("#resources")}},
		{"unknown kind of cluster", clusterPath("odd"), 200, []element{
			has("h1", "odd_cluster"), has(".banner", "Nothing more is known yet"), has(".facts", "Cluster type Unknown"), has("[data-testid=cluster-state]", "Unknown"), has("#hosts", "odd01")}},

		{"database", database, 200, []element{
			has("title", "PRD – HANA Databases"), has("h1", "HANA Database Details: PRD"), has(".reason", "Warning since 20 Aug 2026, 10:15:30 UTC (was passing): instance 00 on vhana is yellow"), has(".reason a[href="+host(2)+"]", "instance 00 on vhana"), has(".facts", "System Replication True"),
			has("#site-0 h2", "EAST Primary"), has("#site-0 .facts", "Tier 1"), has("#site-0 .facts", "ACTIVE"), has("#site-1 .facts", "Replicating EAST"), has("#site-1 .facts", "Replication Mode sync"),
			has("#site-1 .facts", "Operation Mode logreplay"), has("#site-0 tbody", "Green"), has("#site-0 tbody .pill", "HDB_WORKER"), has("#site-0 tbody a[href="+host(1)+"]", "vhana"),
			has("#site-0 tbody", "on hana01"), has("#site-0 tbody", "50014"), has("#tenants tbody a[href="+system+"]", "NWP"), has("#hosts a[href="+clusterPath("hana")+"]", "hana_cluster"), hasNot(".col-do a")}},
		{"SAP system", system, 200, []element{
			has("h1", "SAP System Details: NWP"), has(".reason", "Unknown since 20 Aug 2026, 10:15:30 UTC : instance 10 on vnwp10 is gray"), has(".reason a[href="+database+"]", "the database PRD has a warning: instance 00 on vhana is yellow"), has(".facts a[href="+database+"]", "PRD"), has(".facts", "Type ABAP+JAVA"), has(".facts", "ENSA version ENSA2"),
			has(".facts", "Tenant NWP"), has(".facts [data-health-state=warning]", "Warning"), has("#site-0 tbody", "Gray"), has("#site-0 .pill", "MESSAGESERVER"),
			has("#hosts a[href="+host(5)+"]", "app01"), has("#hosts", "10.0.0.6"), hasNot("#tenants")}},
		{"SAP system with an id in capitals", "/sap_systems/" + strings.ToUpper(string(nwpID)), 200, []element{has("h1", "NWP")}},

		{"host", host(1), 200, []element{
			has(".facts a[href="+clusterPath("hana")+"]", "hana_cluster"), has("#instances a[href="+database+"]", "PRD"), has("#instances tbody", "Database"), has("#instances .pill", "HDB"), hasNot(".actions a")}},
		{"host of applications", host(5), 200, []element{has("#instances tbody", "NWP Application ABAP GATEWAY ICMAN IGS 01"), has(".facts", "Cluster –")}},
		{"host without instances", host(6), 200, []element{has("#instances", "has found no SAP instance"), has(".facts", "odd_cluster offline")}},

		{"unknown cluster", clusterPath("none"), 404, []element{has("h1", "Not Found"), has("main a[href=/clusters]", "Clusters"), has("nav[aria-label=Main]", "")}},
		{"unknown database", "/databases/" + string(hostID(1)), 404, []element{has("h1", "Not Found"), has("main a[href=/databases]", "HANA Databases")}},
		{"unknown SAP system", "/sap_systems/x", 404, []element{has("h1", "Not Found"), has("main a[href=/sap_systems]", "SAP Systems")}},
		{"a database is no SAP system", "/sap_systems/" + string(prdID), 404, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			w := f.do(call{target: tt.target, as: "plain"})
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d\n%s", w.Code, tt.status, w.Body)
			}
			checkMarkup(t, w.Body.String())
			page := parseMarkup(t, w.Body.String())
			for _, e := range tt.page {
				e.check(t, page)
			}
		})
	}
}

// TestInstancesOfNothing checks that the page of a host lists instances whose
// system is not registered.
func TestInstancesOfNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.host(1, "hana01")
	f.host(2, "app01")
	application := applicationElement("01", "ABAP", landscape.Green)
	secondary := hanaElement(landscape.SecondaryRole, "WEST", "EAST", 2, 2, landscape.Green)
	instances := func(n int) markup {
		return parseMarkup(t, f.do(call{target: "/hosts/" + string(hostID(n)), as: "admin"}).Body.String())
	}
	f.discover(2, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{application}}})
	has("#instances .lost", "NWP (SAP system currently not registered)").check(t, instances(2))
	has("#instances tbody", "The database it uses has not been found yet. Application ABAP 01").check(t, instances(2))

	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{secondary}}})
	has("#instances tbody", "PRD (HANA database currently not registered)").check(t, instances(1))
	has("#instances tbody", "once the primary has been found").check(t, instances(1))

	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{hanaElement(landscape.PrimaryRole, "WEST", "", 1, 1, landscape.Green)}}})
	hasNot("#instances .lost").check(t, instances(1))
	has("#instances tbody", "once a message server and an ABAP or Java instance have been found").check(t, instances(2))

	f.discover(2, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{application, applicationElement("00", "MESSAGESERVER|ENQUE", landscape.Green)}}})
	hasNot("#instances .lost").check(t, instances(2))
	has("#instances a[href=/sap_systems/"+string(nwpID)+"]", "NWP").check(t, instances(2))
}

// TestClassicCluster checks that the page of a classic cluster links to the
// guide for its replacement.
func TestClassicCluster(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	f.host(1, "hana01")
	report := hanaClusterReport()
	report.Facts.HANA.Architecture = landscape.ClassicArchitecture
	f.discover(1, landscape.Observation{Cluster: report})
	page := parseMarkup(t, f.do(call{target: clusterPath("hana"), as: "plain"}).Body.String())
	has(".facts", "Classic architecture").check(t, page)
	has(".facts a[href="+"https://www.suse.com/c/how-to-upgrade-to-saphanasr-angi/"+"]", "Angi").check(t, page)
}

// TestStaleDetails checks that the data of a silent agent are marked as stale.
func TestStaleDetails(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.silence(2, 4, 5, 6, 7)
	for target, want := range map[string][]element{
		clusterPath("hana"):             {has("[role=alert]", "An agent in one of the cluster hosts is not reporting since"), has("h1 [data-stale]", "")},
		"/databases/" + string(prdID):   {has("[role=alert]", "An agent in one of the database hosts is not reporting since"), has("#site-0 tr[data-stale] [data-stale]", ""), has(".panel.stale", "EAST"), has("#hosts tr[data-stale]", "hana01")},
		"/sap_systems/" + string(nwpID): {has("[role=alert]", "An agent in one of the SAP system hosts is not reporting since"), has("tr[data-stale]", "on ascs01"), hasNot(".panel.stale")},
		"/hosts/" + string(hostID(1)):   {has("[role=alert]", "The agent in this host is not responding since"), has("#instances tr[data-stale]", "PRD")},
	} {
		page := parseMarkup(t, f.do(call{target: target, as: "plain"}).Body.String())
		for _, e := range want {
			e.check(t, page)
		}
	}
}

// TestWholeClusterOffline checks that all nodes of a stopped cluster are shown
// as offline, although no node reports so.
func TestWholeClusterOffline(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	hana := hanaClusterReport()
	for n := range 2 {
		f.discover(n+1, landscape.Observation{Cluster: &landscape.ClusterReport{ID: hana.ID, Name: hana.Name}})
	}
	page := parseMarkup(t, f.do(call{target: clusterPath("hana"), as: "plain"}).Body.String())
	has("[data-testid=cluster-state]", "Stopped").check(t, page)
	has("#site-0 tbody", "Offline").check(t, page)
}

// TestDatabaseWithoutReplication checks that the page has one table of
// instances and no sites.
func TestDatabaseWithoutReplication(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	f.host(1, "hana01")
	e := hanaElement(landscape.PrimaryRole, "EAST", "", 1, 1, landscape.Green)
	e.Database.Replication = landscape.Replication{Mode: to("none")}
	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{e}}})
	page := parseMarkup(t, f.do(call{target: "/databases/" + string(prdID), as: "plain"}).Body.String())
	has(".facts", "System Replication False").check(t, page)
	has("[data-testid=layout] h2", "Layout").check(t, page)
	hasNot("#site-0 .facts").check(t, page)
	has("#tenants tbody", "PRD – – –").check(t, page)
}

// TestDetailsForNobody checks which access each route of the details needs.
func TestDetailsForNobody(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.user("cleaner", 11, 12, 13)
	for _, route := range f.server(t).routes() {
		if !strings.Contains(route.Path, "{id}") || !strings.Contains(route.Path, "cleanup") {
			continue
		}
		target := strings.NewReplacer("{id}", string(hostID(9)), "{host}", string(hostID(9)), "{number}", "00").Replace(route.Path)
		for user, status := range map[string]int{"plain": http.StatusForbidden, "cleaner": http.StatusNotFound, "admin": http.StatusNotFound} {
			if w := f.do(call{method: route.Method, target: target, as: user}); w.Code != status {
				t.Errorf("%s %s answers %s with %d, want %d", route.Method, route.Path, user, w.Code, status)
			}
		}
		if route.Access == auth.SignedIn || route.Access == auth.Public {
			t.Errorf("%s %s demands only %v", route.Method, route.Path, route.Access)
		}
	}
}

// TestHostileDetails puts a hostile text into every text of clusters and
// systems, and reads their pages.
func TestHostileDetails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	h := hostile
	for n := 1; n <= 3; n++ {
		f.host(n, h)
	}
	for n, report := range map[int]*landscape.ClusterReport{1: hanaClusterReport(), 2: centralServicesReport()} {
		id, kind := report.ID, report.Facts.Type
		fill(reflect.ValueOf(report).Elem(), h, 5)
		report.ID, report.Online, report.Facts.Type = id, true, kind
		if kind == landscape.HANAScaleUp {
			report.Facts.ASCSERS = nil
			report.Facts.HANA.Nodes[0].Attributes = map[string]string{h: h}
		} else {
			report.Facts.HANA = nil
		}
		f.discover(n, landscape.Observation{Cluster: report})
	}
	prd := hanaElement(landscape.PrimaryRole, h, h, 1, 1, landscape.Green)
	prd.SID, prd.Database.Tenants, prd.Database.ReplicationStatus = h, []string{"NWP", h}, &h
	prd.InstanceFacts = facets(h+"|"+h, landscape.Green, h)
	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{prd}}})
	var elements []landscape.Element
	for number, features := range map[string]string{"00": "MESSAGESERVER|" + h, "01": "ABAP"} {
		e := applicationElement(number, features, landscape.Red)
		e.SID, e.Hostname, e.StartPriority = h, &h, h
		elements = append(elements, e)
	}
	f.discover(3, landscape.Observation{SAP: &landscape.SAPReport{Elements: elements}})
	f.loses(3)
	f.loses(1)
	pages := []string{
		clusterPath("hana"), clusterPath("hana") + "?node=" + url.QueryEscape(h), clusterPath("ascs"),
		"/databases/" + string(prdID), "/sap_systems/" + string(nwpID), "/hosts/" + string(hostID(1)), "/hosts/" + string(hostID(3)),
		hostCleanup(1), hostCleanup(3), databaseCleanup(1), applicationCleanup(3, "00"),
	}
	nowhere := []string{clusterPath("hana") + "?node=" + url.QueryEscape(h+"x"), "/clusters/" + url.PathEscape(h), "/databases/" + url.PathEscape(h) + "/hosts/x/instances/y/cleanup"}
	for i, target := range append(pages, nowhere...) {
		w, want := f.do(call{target: target, as: "admin"}), http.StatusOK
		if i >= len(pages) {
			want = http.StatusNotFound
		}
		if w.Code != want {
			t.Errorf("%.60s: status %d, want %d", target, w.Code, want)
		}
		checkMarkup(t, w.Body.String())
		if page := parseMarkup(t, w.Body.String()); len(page.all("script")) != 1 {
			t.Errorf("%.60s: %d scripts", target, len(page.all("script")))
		}
	}
	f.wantNews(t, f.cleanUp(applicationCleanup(3, "00"), h), "/sap_systems", "was cleaned up")
}
