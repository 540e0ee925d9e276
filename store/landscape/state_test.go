package landscape_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// memory is a landscape in memory. Its records were written and read back, like
// those of the store.
type memory struct {
	hosts      map[landscape.HostID]*landscape.Host
	clusters   map[landscape.ClusterID]*landscape.Cluster
	databases  map[landscape.DatabaseID]*landscape.Database
	sapSystems map[landscape.SAPSystemID]*landscape.SAPSystem
	kept       map[landscape.HostID]*landscape.LastSAPReport
	live       map[landscape.HostID]bool
	told       map[[2]string]landscape.HealthState // health state of each thing by kind and id, as events tell it
}

func newMemory() *memory {
	return &memory{
		hosts: map[landscape.HostID]*landscape.Host{}, clusters: map[landscape.ClusterID]*landscape.Cluster{},
		databases: map[landscape.DatabaseID]*landscape.Database{}, sapSystems: map[landscape.SAPSystemID]*landscape.SAPSystem{},
		kept: map[landscape.HostID]*landscape.LastSAPReport{}, told: map[[2]string]landscape.HealthState{},
	}
}

func lookup[ID comparable, T any](records map[ID]*T, id ID) (*T, error) {
	if record, ok := records[id]; ok {
		return record, nil
	}
	return nil, landscape.ErrUnknown
}

func (m *memory) Host(id landscape.HostID) (*landscape.Host, error) { return lookup(m.hosts, id) }
func (m *memory) Cluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	return lookup(m.clusters, id)
}
func (m *memory) Database(id landscape.DatabaseID) (*landscape.Database, error) {
	return lookup(m.databases, id)
}
func (m *memory) SAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	return lookup(m.sapSystems, id)
}
func (m *memory) LastSAPReport(id landscape.HostID) (*landscape.LastSAPReport, error) {
	return lookup(m.kept, id)
}

func scan[ID ~string, T any](records map[ID]*T, holds func(*T) bool) ([]ID, error) {
	var ids []ID
	for id, record := range records {
		if holds(record) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (m *memory) DatabasesOn(host landscape.HostID) ([]landscape.DatabaseID, error) {
	return scan(m.databases, func(db *landscape.Database) bool {
		return slices.ContainsFunc(db.Instances, func(i landscape.DatabaseInstance) bool { return i.HostID == host })
	})
}

func (m *memory) SAPSystemsOn(host landscape.HostID) ([]landscape.SAPSystemID, error) {
	return scan(m.sapSystems, func(s *landscape.SAPSystem) bool {
		return slices.ContainsFunc(s.Instances, func(i landscape.ApplicationInstance) bool { return i.HostID == host })
	})
}

func (m *memory) SAPSystemsOf(db landscape.DatabaseID) ([]landscape.SAPSystemID, error) {
	return scan(m.sapSystems, func(s *landscape.SAPSystem) bool { return s.DatabaseID == db })
}

func (m *memory) HostsWith(ip netip.Addr) ([]landscape.HostID, error) {
	return scan(m.hosts, func(h *landscape.Host) bool {
		return slices.ContainsFunc(h.Addresses, func(a landscape.Address) bool { return a.IP == ip })
	})
}

func (m *memory) HeardRecently(id landscape.HostID) bool { return m.live[id] }

func (m *memory) AgentsWaiting() ([]landscape.HostID, error) {
	return scan(m.kept, func(k *landscape.LastSAPReport) bool {
		return slices.ContainsFunc(k.Elements, func(e landscape.StoredElement) bool { return e.Waiting })
	})
}

// text returns all that is stored.
func (m *memory) text(t testingT) string {
	t.Helper()
	text, err := json.Marshal([]any{m.hosts, m.clusters, m.databases, m.sapSystems, m.kept})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

// testingT is what *testing.T and *rapid.T have in common.
type testingT interface {
	Helper()
	Fatalf(format string, args ...any)
}

// apply stores the records of a changeset.
func (m *memory) apply(t testingT, cs *landscape.Changeset) {
	t.Helper()
	store(t, m.hosts, cs.Hosts.Changed)
	store(t, m.clusters, cs.Clusters.Changed)
	store(t, m.databases, cs.Databases.Changed)
	store(t, m.sapSystems, cs.SAPSystems.Changed)
	store(t, m.kept, cs.LastSAPReports.Changed)
}

// store puts records into a landscape in their stored form, which must not
// lose anything.
func store[ID comparable, T any](t testingT, into, records map[ID]*T) {
	for id, record := range records {
		document, err := json.Marshal(record)
		if err != nil {
			t.Fatalf("%v: %v", id, err)
		}
		back := new(T)
		if err := json.Unmarshal(document, back); err != nil {
			t.Fatalf("%v: %v", id, err)
		}
		if !reflect.DeepEqual(record, back) {
			t.Fatalf("%v changes in the store (-before +after):\n%s", id, cmp.Diff(record, back, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })))
		}
		into[id] = back
	}
}

// testLandscape is a landscape in which each step takes one minute.
type testLandscape struct {
	t testingT
	*memory
	now time.Time
	// blocked and retryStarts are those of the last changeset, events are those of
	// all.
	blocked     error
	retryStarts []int
	events      []activity.Event
	// early is what was reported before its host.
	early []landscape.Observation
}

// startTime is when a world begins.
var startTime = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)

func newWorld(t testingT) *testLandscape {
	return &testLandscape{t: t, memory: newMemory(), now: startTime}
}

// decide applies a changeset and returns its events in short.
func (w *testLandscape) decide(rule func(now time.Time) (*landscape.Changeset, error)) []string {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	cs, err := rule(w.now)
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	w.apply(w.t, cs)
	w.check()
	w.checkHealthSteps(cs.Events)
	w.blocked, w.retryStarts, w.events = cs.Blocked, cs.RetryStarts, append(w.events, cs.Events...)
	return describe(w.t, cs.Events)
}

func (w *testLandscape) observe(seen landscape.Observation) []string {
	w.t.Helper()
	return w.decide(func(now time.Time) (*landscape.Changeset, error) { return landscape.Observe(w, seen, now) })
}

// host reports a host with addresses.
func (w *testLandscape) host(id landscape.HostID, addresses ...string) []string {
	w.t.Helper()
	f := landscape.HostFacts{
		Hostname: string(id), Arch: "x86_64", OSVersion: "15-SP6", AgentVersion: "3.1.2", InstallationSource: "suse",
		PrometheusMode: "pull", Addresses: []landscape.Address{}, SystemdUnits: []landscape.SystemdUnit{},
	}
	for _, a := range addresses {
		f.Addresses = append(f.Addresses, landscape.Address{IP: netip.MustParseAddr(a)})
	}
	return w.report(landscape.Observation{Agent: id, Kind: landscape.HostDiscovery, Host: &f})
}

// report observes a report that may come before its host. It is then applied
// after the host has come, as the store does.
func (w *testLandscape) report(seen landscape.Observation) []string {
	w.t.Helper()
	switch host := w.hosts[seen.Agent]; seen.Kind {
	case landscape.CloudDiscovery, landscape.SubscriptionDiscovery, landscape.SaptuneDiscovery:
		if host == nil || !host.Registered() {
			w.early = append(w.early, seen)
			return nil
		}
	}
	events := w.observe(seen)
	if seen.Kind == landscape.HostDiscovery {
		early := w.early
		w.early = nil
		for _, e := range early {
			events = append(events, w.report(e)...)
		}
	}
	return events
}

// sap reports the instances on a host.
func (w *testLandscape) sap(id landscape.HostID, elements ...landscape.Element) []string {
	w.t.Helper()
	return w.observe(landscape.Observation{Agent: id, Kind: landscape.SAPSystemDiscovery, SAP: sapReport(elements...)})
}

func sapReport(elements ...landscape.Element) *landscape.SAPReport {
	return &landscape.SAPReport{Elements: append([]landscape.Element{}, elements...)}
}

// cluster reports that a host is in a cluster that runs instances, given as
// SID and number, together with their file systems.
func (w *testLandscape) cluster(id landscape.HostID, key string, mounted ...string) []string {
	w.t.Helper()
	hosts, resources, written := 2, 4, "Mon Aug  3 10:00:00 2026"
	facts := &landscape.ClusterFacts{
		Type: landscape.ClusterUnknown, Provider: "kvm", State: "S_IDLE", ResourcesNumber: &resources, HostsNumber: &hosts,
		SAPInstances: []landscape.ClusteredInstance{},
	}
	yes := true
	for _, instance := range mounted {
		facts.SAPInstances = append(facts.SAPInstances, landscape.ClusteredInstance{
			Name: "ASCS" + instance[3:], SID: instance[:3], Number: instance[3:], ResourceType: landscape.InstanceResource, Mounted: &yes,
		})
	}
	return w.observe(landscape.Observation{Agent: id, Kind: landscape.ClusterDiscovery, Cluster: &landscape.ClusterReport{
		ID: landscape.ClusterIDFromKey(key), Name: &key, Online: true, CIBLastWritten: &written, Facts: facts,
	}})
}

func (w *testLandscape) heartbeat(id landscape.HostID) []string {
	w.t.Helper()
	return w.decide(func(now time.Time) (*landscape.Changeset, error) { return landscape.HeartbeatReceived(w, id, now) })
}

func (w *testLandscape) loseHeartbeat(id landscape.HostID) []string {
	w.t.Helper()
	return w.decide(func(now time.Time) (*landscape.Changeset, error) { return landscape.HeartbeatLost(w, id, now) })
}

// cleanUp cleans things up together.
func (w *testLandscape) cleanUp(targets ...landscape.Target) []string {
	w.t.Helper()
	return w.decide(func(now time.Time) (*landscape.Changeset, error) { return landscape.CleanUp(w, now, targets...) })
}

func (w *testLandscape) removeHost(id landscape.HostID) []string {
	w.t.Helper()
	return w.cleanUp(landscape.Target{Host: id})
}

func (w *testLandscape) removeDatabaseInstance(id landscape.DatabaseID, host landscape.HostID, number string) []string {
	w.t.Helper()
	return w.cleanUp(landscape.Target{Database: id, Host: host, Number: number})
}

func (w *testLandscape) removeApplicationInstance(id landscape.SAPSystemID, host landscape.HostID, number string) []string {
	w.t.Helper()
	return w.cleanUp(landscape.Target{SAPSystem: id, Host: host, Number: number})
}

// check tests what is always true. It runs after every changeset, and does not
// call Helper, which would cost as much as the rest.
func (w *testLandscape) check() {
	for id, db := range w.databases {
		w.checkDatabase(id, db)
	}
	for id, s := range w.sapSystems {
		w.checkSAPSystem(id, s)
	}
	w.checkOwners()
	w.checkMembers()
}

// checkHealthSteps: the events tell the health state of every record.
func (w *testLandscape) checkHealthSteps(events []activity.Event) {
	for _, e := range events {
		if step, ok := landscape.HealthStepOf(e); ok {
			key := [2]string{string(step.Kind), step.ID}
			w.told[key] = step.After(w.told[key])
		}
	}
	check := func(kind activity.ThingKind, id string, is landscape.HealthState) {
		if told, known := w.told[[2]string{string(kind), id}]; told != is && (known || is.Registered) {
			w.t.Fatalf("%s %s is %+v, the events told %+v", kind, id, is, told)
		}
	}
	for id, h := range w.hosts {
		check(activity.HostThing, string(id), h.HealthState())
	}
	for id, c := range w.clusters {
		check(activity.ClusterThing, string(id), c.HealthState())
	}
	for id, db := range w.databases {
		check(activity.DatabaseThing, string(id), db.HealthState())
	}
	for id, s := range w.sapSystems {
		check(activity.SAPSystemThing, string(id), s.HealthState())
	}
}

// checkOwners: a host has an instance number in one system at a time.
func (w *testLandscape) checkOwners() {
	owners := map[string]string{}
	own := func(system string, host landscape.HostID, number string, t landscape.InstanceTimes) {
		key := string(host) + "/" + number
		if t.AbsentSince != nil || len(w.kept[host].Unread) > 0 || w.kept[host].Invalidated || w.isShared(host) {
			return
		}
		if other, taken := owners[key]; taken {
			w.t.Fatalf("instance %s belongs to %s and to %s", key, other, system)
		}
		owners[key] = system
	}
	for id, db := range w.databases {
		for _, i := range db.Instances {
			own("database "+string(id), i.HostID, i.Number, i.InstanceTimes)
		}
	}
	for id, s := range w.sapSystems {
		for _, i := range s.Instances {
			own("SAP system "+string(id), i.HostID, i.Number, i.InstanceTimes)
		}
	}
}

// checkMembers: a host is a member of the cluster that it says it is in, and
// of no other.
func (w *testLandscape) checkMembers() {
	for id, c := range w.clusters {
		for _, m := range c.Members {
			if host := w.hosts[m.HostID]; host == nil || host.ClusterID != id {
				w.t.Fatalf("cluster %s has the member %s: %+v", id, m.HostID, host)
			}
		}
	}
	for id, host := range w.hosts {
		if host.ClusterID != "" && !slices.ContainsFunc(w.clusters[host.ClusterID].Members, func(m landscape.ClusterMember) bool { return m.HostID == id }) {
			w.t.Fatalf("cluster %s does not have its member %s", host.ClusterID, id)
		}
	}
}

func (w *testLandscape) checkDatabase(id landscape.DatabaseID, db *landscape.Database) {
	var healths []landscape.Health
	stale := false
	for i, instance := range db.Instances {
		healths = append(healths, instance.Status.Health())
		stale = stale || instance.StaleSince != nil
		if i > 0 && db.Instances[i-1].Number+string(db.Instances[i-1].HostID) >= instance.Number+string(instance.HostID) {
			w.t.Fatalf("instances of %s are out of order: %+v", id, db.Instances)
		}
		w.checkListed(instance.HostID, instance.Number, instance.AbsentSince)
	}
	if len(db.Instances) > 0 && !slices.ContainsFunc(db.Instances, func(i landscape.DatabaseInstance) bool { return i.SID == db.SID }) {
		w.t.Fatalf("no instance has the SID of database %s: %+v", id, db)
	}
	if db.ID != id || !slices.IsSorted(db.Tenants) || stale != (db.StaleSince != nil) {
		w.t.Fatalf("database %s: %+v", id, db)
	}
	if db.Registered() && (len(db.Instances) == 0 || db.Health != landscape.Worst(healths...)) {
		w.t.Fatalf("registered database %s: %+v", id, db)
	}
}

func (w *testLandscape) checkSAPSystem(id landscape.SAPSystemID, s *landscape.SAPSystem) {
	db := w.databases[s.DatabaseID]
	healths := []landscape.Health{s.DatabaseHealth}
	stale := s.DatabaseStaleSince != nil
	for i, instance := range s.Instances {
		healths = append(healths, instance.Status.Health())
		stale = stale || instance.StaleSince != nil
		if i > 0 && s.Instances[i-1].Number+string(s.Instances[i-1].HostID) >= instance.Number+string(instance.HostID) {
			w.t.Fatalf("instances of %s are out of order: %+v", id, s.Instances)
		}
		w.checkListed(instance.HostID, instance.Number, instance.AbsentSince)
	}
	if s.ID != id || s.ID != landscape.SAPSystemIDOn(s.DatabaseID, s.Tenant) || db == nil {
		w.t.Fatalf("SAP system %s: %+v", id, s)
	}
	if !s.Registered() {
		return
	}
	if !db.Registered() || !slices.Contains(db.Tenants, s.Tenant) || s.DatabaseHealth != db.Health ||
		!reflect.DeepEqual(s.DatabaseStaleSince, db.StaleSince) || stale != (s.StaleSince != nil) || s.Health != landscape.Worst(healths...) {
		w.t.Fatalf("registered SAP system %s: %+v\non database %+v", id, s, db)
	}
}

// isShared reports whether several machines have the id of a host.
func (w *testLandscape) isShared(id landscape.HostID) bool {
	host := w.hosts[id]
	return host != nil && host.Shared()
}

// checkListed: an instance is absent unless its host has last listed its
// number, or something that could not be read and may have it. An invalidated
// report does not tell: a clean-up deletes an element that waits, and the host
// may list another instance with its number. The next report is applied in full,
// and checked again.
func (w *testLandscape) checkListed(host landscape.HostID, number string, absentSince *time.Time) {
	kept := w.kept[host]
	unread := func(u landscape.UnreadInstance) bool { return u.Number == "" || u.Number == number }
	if w.isShared(host) || kept != nil && (kept.Invalidated || slices.ContainsFunc(kept.Unread, unread)) {
		return
	}
	if absentSince != nil || kept != nil && slices.ContainsFunc(kept.Elements, func(e landscape.StoredElement) bool { return e.Number == number }) {
		return
	}
	w.t.Fatalf("instance %s on %s is present, but its host has said %+v", number, host, kept)
}

// waiting returns the waiting elements, as host/number.
func (w *testLandscape) waiting() []string {
	list := []string{}
	for id, k := range w.kept {
		for _, e := range k.Elements {
			if e.Waiting {
				list = append(list, fmt.Sprintf("%s/%s", id, e.Number))
			}
		}
	}
	slices.Sort(list)
	return list
}

// describe returns events in short: the type, the host and number, and the new
// value.
func describe(t testingT, events []activity.Event) []string {
	list := []string{}
	for _, e := range events {
		text := string(e.Type())
		metadata := metadataOf(t, e)
		if host, ok := metadata["host_id"]; ok {
			text += fmt.Sprintf(" %v", host)
		}
		if from, ok := metadata["old_host_id"]; ok {
			text += fmt.Sprintf(" %v>%v", from, metadata["new_host_id"])
		}
		if number, ok := metadata["instance_number"]; ok {
			text += fmt.Sprintf("/%v", number)
		}
		for _, key := range []string{"status", "health", "database_health", "saptune_health", "ensa_version"} {
			if value, ok := metadata[key]; ok && value != nil {
				text += fmt.Sprintf(" %v", value)
			}
		}
		list = append(list, text)
	}
	return list
}

// expect compares events with the expected ones.
func (w *testLandscape) expect(got []string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		w.t.Fatalf("events (-want +got):\n%s", diff)
	}
}

// expectAnswer compares the answer to the last report with the expected one.
func (w *testLandscape) expectAnswer(want error) {
	w.t.Helper()
	if !errors.Is(w.blocked, want) || want == nil && w.blocked != nil {
		w.t.Fatalf("answered %v, want %v", w.blocked, want)
	}
}
