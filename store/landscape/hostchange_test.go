package landscape_test

import (
	"encoding/json"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

const agent landscape.HostID = "6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01"

var (
	noon  = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	later = noon.Add(time.Hour)
)

func facts(change func(*landscape.HostFacts)) landscape.HostFacts {
	prefix := 24
	boot := noon.Add(-24 * time.Hour)
	f := landscape.HostFacts{
		Hostname: "vega01", FQDN: "vega01.example.net", AgentVersion: "3.1.2", Arch: "x86_64",
		Addresses: []landscape.Address{{IP: netip.MustParseAddr("10.1.2.3"), Prefix: &prefix}},
		CPUCount:  8, SocketCount: 1, MemoryMB: 32768, OSVersion: "15-SP6", InstallationSource: "suse",
		PrometheusMode: "pull", SystemdUnits: []landscape.SystemdUnit{}, LastBoot: &boot,
	}
	if change != nil {
		change(&f)
	}
	return f
}

func seenHost(change func(*landscape.HostFacts)) landscape.Observation {
	f := facts(change)
	return landscape.Observation{Agent: agent, Kind: landscape.HostDiscovery, Host: &f}
}

// registered returns a host that has been reported once, as it is read back from
// the store.
func registered(t *testing.T, change func(*landscape.Host)) *landscape.Host {
	t.Helper()
	host, _, changed, err := observeOne(nil, seenHost(nil), false, noon)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	if change != nil {
		change(&host)
	}
	return readBack(t, host)
}

func readBack(t *testing.T, host landscape.Host) *landscape.Host {
	t.Helper()
	document, err := json.Marshal(host)
	if err != nil {
		t.Fatal(err)
	}
	var back landscape.Host
	if err := json.Unmarshal(document, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

// observeOne observes a report in a landscape of one host, or of none. With sap,
// there is an instance on the host.
func observeOne(before *landscape.Host, seen landscape.Observation, sap bool, now time.Time) (after landscape.Host, events []activity.Event, changed bool, err error) {
	m := newMemory()
	if before != nil {
		m.hosts[before.ID] = before
		after = *before
	}
	if sap {
		m.databases["db"] = &landscape.Database{ID: "db", Instances: []landscape.DatabaseInstance{{Instance: landscape.Instance{HostID: seen.Agent, Number: "00"}}}}
	}
	cs, err := landscape.Observe(m, seen, now)
	if h, ok := cs.Hosts.Changed[seen.Agent]; ok {
		after = *h
	}
	return after, cs.Events, cs.Changed(), err
}

func types(events []activity.Event) []activity.Type {
	var ts []activity.Type
	for _, e := range events {
		ts = append(ts, e.Type())
	}
	return ts
}

func TestObserveHost(t *testing.T) {
	gone := func(h *landscape.Host) { h.DeregisteredAt = &noon }
	withoutFQDN := func(f *landscape.HostFacts) { f.FQDN = "" }
	reboot := func(f *landscape.HostFacts) { f.LastBoot = &later }
	for name, test := range map[string]struct {
		before *landscape.Host
		seen   landscape.Observation
		want   []activity.Type
	}{
		"first report":             {nil, seenHost(nil), []activity.Type{activity.TypeHostRegistered, activity.TypeSoftwareUpdatesDiscoveryRequested}},
		"first report, no domain":  {nil, seenHost(withoutFQDN), []activity.Type{activity.TypeHostRegistered}},
		"same again":               {registered(t, nil), seenHost(nil), nil},
		"rebooted":                 {registered(t, nil), seenHost(reboot), []activity.Type{activity.TypeHostDetailsUpdated}},
		"renamed":                  {registered(t, nil), seenHost(func(f *landscape.HostFacts) { f.Hostname = "vega02" }), []activity.Type{activity.TypeHostDetailsUpdated}},
		"domain lost":              {registered(t, nil), seenHost(withoutFQDN), []activity.Type{activity.TypeHostDetailsUpdated, activity.TypeSoftwareUpdatesDiscoveryCleared}},
		"domain changed":           {registered(t, nil), seenHost(func(f *landscape.HostFacts) { f.FQDN = "a.example.org" }), []activity.Type{activity.TypeHostDetailsUpdated, activity.TypeSoftwareUpdatesDiscoveryRequested}},
		"targets none, not absent": {registered(t, nil), seenHost(func(f *landscape.HostFacts) { f.PrometheusTargets = map[string]string{} }), []activity.Type{activity.TypeHostDetailsUpdated}},
		"back, same":               {registered(t, gone), seenHost(nil), []activity.Type{activity.TypeHostRestored, activity.TypeSoftwareUpdatesDiscoveryRequested}},
		"back, rebooted":           {registered(t, gone), seenHost(reboot), []activity.Type{activity.TypeHostRestored, activity.TypeSoftwareUpdatesDiscoveryRequested}},
		"back, changed":            {registered(t, gone), seenHost(func(f *landscape.HostFacts) { f.CPUCount++ }), []activity.Type{activity.TypeHostRestored, activity.TypeHostDetailsUpdated}},
	} {
		t.Run(name, func(t *testing.T) {
			after, events, changed, err := observeOne(test.before, test.seen, false, later)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, types(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if changed != (len(test.want) > 0) {
				t.Errorf("changed = %v", changed)
			}
			if diff := cmp.Diff(*test.seen.Host, after.HostFacts, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if after.DeregisteredAt != nil {
				t.Error("still deregistered")
			}
			for _, e := range events {
				if metadata := metadataOf(t, e); metadata["host_id"] != string(agent) || metadata["hostname"] != after.Hostname {
					t.Errorf("%s does not name its host: %v", e.Type(), metadata)
				}
			}
		})
	}
}

func TestRegisteredMetadata(t *testing.T) {
	_, events, _, err := observeOne(nil, seenHost(nil), false, noon)
	if err != nil {
		t.Fatal(err)
	}
	got, err := activity.Encode(events[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"agent_version":"3.1.2","arch":"x86_64","cpu_count":8,"fully_qualified_domain_name":"vega01.example.net","health":null,"heartbeat":"unknown","host_id":"6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01","hostname":"vega01","installation_source":"suse","ip_addresses":["10.1.2.3/24"],"last_boot_timestamp":"2026-08-19T12:00:00Z","os_version":"15-SP6","prometheus_mode":"pull","prometheus_targets":null,"socket_count":1,"systemd_units":[],"total_memory_mb":32768}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func text(s string) *string { return &s }

func seenSaptune(r landscape.SaptuneReport) landscape.Observation {
	return landscape.Observation{Agent: agent, Kind: landscape.SaptuneDiscovery, Saptune: &r}
}

func saptuneStatus(version, tuning string) *landscape.Saptune {
	return &landscape.Saptune{PackageVersion: &version, TuningState: &tuning}
}

func TestObserveSaptune(t *testing.T) {
	updated, health, host := activity.TypeSaptuneStatusUpdated, activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged
	with := func(s *landscape.Saptune) func(*landscape.Host) {
		return func(h *landscape.Host) {
			h.Saptune = s
			h.Inputs.Saptune, h.Health = landscape.HealthPassing, landscape.HealthPassing
		}
	}
	onlyVersion := &landscape.Saptune{
		PackageVersion: text("3.1.0"), Services: []landscape.SaptuneService{},
		EnabledNotes: []landscape.SaptuneNote{}, AppliedNotes: []landscape.SaptuneNote{},
	}
	for name, test := range map[string]struct {
		before *landscape.Host
		seen   landscape.SaptuneReport
		sap    bool
		want   []activity.Type
		status *landscape.Saptune
		health landscape.Health
	}{
		"not installed, no SAP": {registered(t, nil), landscape.SaptuneReport{}, false, []activity.Type{health, host}, nil, "passing"},
		"not installed, SAP":    {registered(t, nil), landscape.SaptuneReport{}, true, []activity.Type{health, host}, nil, "warning"},
		"first status":          {registered(t, nil), landscape.SaptuneReport{Installed: true, PackageVersion: "3.1.0", Status: saptuneStatus("3.1.0", "not compliant")}, true, []activity.Type{updated, health, host}, saptuneStatus("3.1.0", "not compliant"), "critical"},
		"version only":          {registered(t, nil), landscape.SaptuneReport{Installed: true, PackageVersion: "3.1.0"}, true, []activity.Type{updated}, onlyVersion, "unknown"},
		"no version, no status": {registered(t, nil), landscape.SaptuneReport{Installed: true}, true, []activity.Type{updated, health, host}, &landscape.Saptune{
			Services: []landscape.SaptuneService{}, EnabledNotes: []landscape.SaptuneNote{}, AppliedNotes: []landscape.SaptuneNote{},
		}, "warning"},
		"same version, no status":  {registered(t, with(saptuneStatus("3.1.0", "compliant"))), landscape.SaptuneReport{Installed: true, PackageVersion: "3.1.0"}, true, nil, saptuneStatus("3.1.0", "compliant"), "passing"},
		"other version, no status": {registered(t, with(saptuneStatus("3.0.9", "compliant"))), landscape.SaptuneReport{Installed: true, PackageVersion: "3.1.0"}, false, []activity.Type{updated}, onlyVersion, "passing"},
		"same status":              {registered(t, with(saptuneStatus("3.1.0", "compliant"))), landscape.SaptuneReport{Installed: true, PackageVersion: "3.1.0", Status: saptuneStatus("3.1.0", "compliant")}, true, nil, saptuneStatus("3.1.0", "compliant"), "passing"},
		"removed":                  {registered(t, with(saptuneStatus("3.1.0", "compliant"))), landscape.SaptuneReport{}, false, []activity.Type{updated}, nil, "passing"},
	} {
		t.Run(name, func(t *testing.T) {
			after, events, changed, err := observeOne(test.before, seenSaptune(test.seen), test.sap, later)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, types(events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if changed != (test.want != nil) {
				t.Errorf("changed = %v", changed)
			}
			if diff := cmp.Diff(test.status, after.Saptune); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if after.Health != test.health {
				t.Errorf("health = %s, want %s", after.Health, test.health)
			}
		})
	}
}

// TestRegisteredAfterSAP: a host whose instances were reported before the host
// itself has the same health as one whose instances were reported later.
func TestRegisteredAfterSAP(t *testing.T) {
	after, events, _, err := observeOne(nil, seenHost(nil), true, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []activity.Type{activity.TypeHostRegistered, activity.TypeSoftwareUpdatesDiscoveryRequested, activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged}
	if diff := cmp.Diff(want, types(events)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if after.Health != landscape.HealthWarning {
		t.Errorf("health %s", after.Health)
	}
}

func TestObserveCloudAndSubscriptions(t *testing.T) {
	cloud := landscape.Observation{Agent: agent, Kind: landscape.CloudDiscovery, Cloud: &landscape.Cloud{Provider: "kvm"}}
	products := landscape.Observation{Agent: agent, Kind: landscape.SubscriptionDiscovery, Subscriptions: []landscape.Subscription{{Identifier: "SLES_SAP", Version: "15.6"}}}
	none := landscape.Observation{Agent: agent, Kind: landscape.SubscriptionDiscovery}
	host := registered(t, nil)
	for _, step := range []struct {
		name string
		seen landscape.Observation
		want []activity.Type
	}{
		{"no subscriptions at first", none, nil},
		{"provider", cloud, []activity.Type{activity.TypeProviderUpdated}},
		{"provider again", cloud, nil},
		{"subscriptions", products, []activity.Type{activity.TypeSLESSubscriptionsUpdated}},
		{"subscriptions again", products, nil},
		{"subscriptions gone", none, []activity.Type{activity.TypeSLESSubscriptionsUpdated}},
		{"subscriptions gone again", none, nil},
	} {
		after, events, _, err := observeOne(host, step.seen, false, later)
		if err != nil {
			t.Fatal(step.name, err)
		}
		if diff := cmp.Diff(step.want, types(events)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		host = readBack(t, after)
	}
}

func TestObserveUnregistered(t *testing.T) {
	gone := registered(t, func(h *landscape.Host) { h.DeregisteredAt = &noon })
	for _, before := range []*landscape.Host{nil, gone} {
		for _, seen := range []landscape.Observation{
			{Agent: agent, Kind: landscape.CloudDiscovery, Cloud: &landscape.Cloud{Provider: "aws"}},
			{Agent: agent, Kind: landscape.SubscriptionDiscovery},
			seenSaptune(landscape.SaptuneReport{}),
		} {
			if _, _, changed, err := observeOne(before, seen, false, noon); !errors.Is(err, landscape.ErrNotRegistered) || changed {
				t.Errorf("%s: changed = %v, err = %v", seen.Kind, changed, err)
			}
		}
	}
}

func TestHeartbeat(t *testing.T) {
	host := registered(t, nil)
	m := newMemory()
	m.hosts[agent] = host
	step := func(name string, rule func(landscape.State, landscape.HostID, time.Time) (*landscape.Changeset, error), now time.Time, want ...activity.Type) *landscape.Host {
		t.Helper()
		cs, err := rule(m, agent, now)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(want, types(cs.Events)); diff != "" || cs.Changed() != (len(want) > 0) {
			t.Errorf("%s: changed = %v, events (-want +got):\n%s", name, cs.Changed(), diff)
		}
		m.apply(t, cs)
		return m.hosts[agent]
	}
	heard := step("first heartbeat", landscape.HeartbeatReceived, noon, activity.TypeHeartbeatSucceeded)
	if heard.Heartbeat != landscape.HeartbeatPassing || heard.StaleSince != nil {
		t.Errorf("heard: %+v", heard)
	}
	step("second heartbeat", landscape.HeartbeatReceived, later)
	lost := step("silence", landscape.HeartbeatLost, later, activity.TypeHeartbeatFailed)
	if lost.Heartbeat != landscape.HeartbeatCritical || !lost.StaleSince.Equal(later) {
		t.Errorf("silent: %+v", lost)
	}
	if lost.Health != heard.Health {
		t.Error("silence changes the health")
	}
	step("silence goes on", landscape.HeartbeatLost, later.Add(time.Hour))
	if host.Heartbeat != landscape.HeartbeatUnknown {
		t.Error("a rule has modified what it was given")
	}
}

func TestDeregisterBareHost(t *testing.T) {
	m := newMemory()
	m.hosts[agent] = registered(t, nil)
	cs, err := landscape.CleanUp(m, later, landscape.Target{Host: agent})
	if err != nil {
		t.Fatal(err)
	}
	want := []activity.Type{activity.TypeHostDeregistrationRequested, activity.TypeSoftwareUpdatesDiscoveryCleared, activity.TypeHostDeregistered}
	if diff := cmp.Diff(want, types(cs.Events)); diff != "" {
		t.Error(diff)
	}
	m.apply(t, cs)
	if m.hosts[agent].Registered() {
		t.Error("still registered")
	}
	if _, err := landscape.CleanUp(m, later, landscape.Target{Host: agent}); !errors.Is(err, landscape.ErrNotRegistered) {
		t.Errorf("a second time: %v", err)
	}
}

// TestNothingSubscribed checks that a report without subscriptions changes
// nothing if none were known.
func TestNothingSubscribed(t *testing.T) {
	seen := landscape.Observation{Agent: agent, Kind: landscape.SubscriptionDiscovery}
	if _, events, changed, err := observeOne(registered(t, nil), seen, false, later); err != nil || changed || len(events) > 0 {
		t.Errorf("changed %v: %v (%v)", changed, types(events), err)
	}
}
