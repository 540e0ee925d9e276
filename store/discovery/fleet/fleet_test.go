package fleet

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trento/store/discovery"
	"trento/store/landscape"
)

var testTime = time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC)

// allReports returns the reports of all hosts.
func allReports(f *Fleet) (all []Report) {
	for _, h := range f.Hosts() {
		all = append(all, h.Reports()...)
	}
	return all
}

// decodeReport decodes a report as a server does.
func decodeReport(t *testing.T, r Report) landscape.Observation {
	t.Helper()
	e, err := discovery.Open(r.Body)
	if err != nil {
		t.Fatalf("%s of %s: %v", r.Kind, r.Agent, err)
	}
	seen, err := discovery.Decode(e)
	if err != nil {
		t.Fatalf("%s of %s: %v\n%s", r.Kind, r.Agent, err, r.Body)
	}
	if seen.Agent != r.Agent || seen.Kind != r.Kind {
		t.Fatalf("%s of %s came out as %s of %s", r.Kind, r.Agent, seen.Kind, seen.Agent)
	}
	return seen
}

func TestReportsDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seed  uint64
		hosts int
	}{{1, 1}, {2, 3}, {3, 10}, {4, 50}, {5, 50}, {6, 51}, {^uint64(0), 120}} {
		f := New(c.seed, c.hosts)
		if len(f.Hosts()) != c.hosts {
			t.Errorf("seed %d: %d hosts, want %d", c.seed, len(f.Hosts()), c.hosts)
		}
		for step := range 40 {
			if step == 0 || step == 39 {
				for _, r := range allReports(f) {
					decodeReport(t, r)
				}
			}
			f.Step(testTime.Add(time.Duration(step) * 10 * time.Second))
		}
	}
}

// TestHostReportsMatchHosts checks that the decoded host reports have the
// values of the hosts that they were generated from.
func TestHostReportsMatchHosts(t *testing.T) {
	f := New(11, 50)
	f.Step(testTime)
	for _, h := range f.Hosts() {
		for _, r := range h.Reports() {
			seen := decodeReport(t, r)
			switch r.Kind {
			case landscape.HostDiscovery:
				want := landscape.HostFacts{
					Hostname: h.Name, FQDN: h.fqdn(), AgentVersion: h.agent, Arch: h.arch(),
					OSVersion: h.os, InstallationSource: "suse", PrometheusMode: "pull",
					CPUCount: machines[h.size].cpus, SocketCount: machines[h.size].sockets, MemoryMB: machines[h.size].memoryMB,
					SystemdUnits:      []landscape.SystemdUnit{{Name: "pacemaker.service", UnitFileState: h.pacemakerState()}},
					PrometheusTargets: map[string]string{"node_exporter": h.addresses[0].String() + ":9100"},
				}
				boot, mask := h.bootedAt.Truncate(time.Second), 24
				want.LastBoot = &boot
				want.Addresses = []landscape.Address{{IP: h.addresses[0], Prefix: &mask}}
				for _, a := range h.virtualAddresses() {
					mask := 32
					want.Addresses = append(want.Addresses, landscape.Address{IP: a, Prefix: &mask})
				}
				if h.cluster != nil {
					want.PrometheusTargets["ha_cluster_exporter"] = h.addresses[0].String() + ":9664"
				}
				switch h.agent {
				case middleAgentVersion:
					want.InstallationSource = "unknown"
					want.PrometheusTargets, want.LastBoot = nil, nil
				case oldAgentVersion:
					want.Arch, want.InstallationSource = "unknown", "community"
					want.SystemdUnits = []landscape.SystemdUnit{}
					for i := range want.Addresses {
						want.Addresses[i].Prefix = nil
					}
					want.PrometheusTargets, want.LastBoot = nil, nil
				}
				if diff := cmp.Diff(&want, seen.Host, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
					t.Errorf("%s (-want +got):\n%s", h.Name, diff)
				}
			case landscape.CloudDiscovery:
				c := seen.Cloud
				told := map[string]bool{azure: c.Azure != nil, aws: c.AWS != nil, gcp: c.GCP != nil}
				if h.location.provider != power && c.Provider != h.location.provider || told[h.location.provider] != (regions[h.location.provider] != nil) {
					t.Errorf("%s on %q: %+v", h.Name, h.location.provider, c)
				}
				if c.Azure != nil && (c.Azure.VMName == nil || *c.Azure.VMName != h.Name || c.Azure.DataDiskNumber != h.disks || c.Azure.AdminUsername == nil) {
					t.Errorf("%s: %+v", h.Name, c.Azure)
				}
			case landscape.SaptuneDiscovery:
				s := seen.Saptune
				if s.Installed != (h.tuning.version != "") || s.PackageVersion != h.tuning.version {
					t.Errorf("%s: %+v, want %+v", h.Name, s, h.tuning)
				}
				if s.Status != nil && *s.Status.TuningState != h.tuning.state {
					t.Errorf("%s: %s, want %s", h.Name, *s.Status.TuningState, h.tuning.state)
				}
			case landscape.SubscriptionDiscovery:
				if s := seen.Subscriptions[0]; s.Identifier != "SLES_SAP" || (s.Status == "Registered") != (h.registration != unregistered) {
					t.Errorf("%s: %+v", h.Name, s)
				}
			}
		}
	}
}

// TestLandscape checks that a landscape contains something of everything.
func TestLandscape(t *testing.T) {
	for seed := range uint64(5) {
		f := New(seed, 50)
		if n := len(f.Systems()); n != 13 {
			t.Errorf("seed %d: %d systems", seed, n)
		}
		count := make(map[string]int)
		for _, h := range f.Hosts() {
			count["provider "+h.location.provider]++
			count["role "+string(h.Role)]++
			count["agent "+h.agent]++
			count["saptune "+h.tuning.version]++
			count["tuning "+h.tuning.state]++
			switch h.registration {
			case unregistered:
				count["unregistered"]++
			case expired:
				count["expired"]++
			}
			switch h.heartbeatPattern {
			case stopsSending:
				count["falls silent"]++
			case neverSends:
				count["never heard"]++
			case sendsAtTimes:
				count["comes and goes"]++
			}
		}
		for _, what := range []string{
			"provider azure", "provider aws", "provider gcp", "provider kvm", "provider nutanix", "provider vmware", "provider ",
			"role db", "role cs", "role ap", "role sb", "role mm", "role nf", "role ut", "agent 1.2.0", "agent 2.5.0", "agent 3.1.2",
			"saptune ", "saptune 3.0.2", "saptune 3.1.3", "tuning compliant", "tuning not compliant", "tuning not tuned",
			"unregistered", "expired", "falls silent", "never heard", "comes and goes",
		} {
			if count[what] == 0 {
				t.Errorf("seed %d: no host with %q", seed, what)
			}
		}
		for _, what := range []string{"falls silent", "never heard", "comes and goes"} {
			if count[what] != 1 {
				t.Errorf("seed %d: %d × %q, want 1", seed, count[what], what)
			}
		}
	}
}

func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	f := New(3, 10_000)
	for step := range 200 {
		f.Step(testTime.Add(time.Duration(step) * time.Minute))
	}
	if len(f.Hosts()) <= 10_000 {
		t.Error("no host has appeared in 200 minutes")
	}
	seen := make(map[string]string)
	once := func(what string, h *Host) {
		if other, ok := seen[what]; ok {
			t.Fatalf("%s of %s is that of %s", what, h.Name, other)
		}
		seen[what] = h.Name
	}
	for _, h := range f.Hosts() {
		once("id "+string(h.ID), h)
		once("name "+h.Name, h)
		if len(h.Name) > 13 {
			t.Errorf("%s is too long for an SAP host", h.Name)
		}
		for _, a := range append(h.virtualAddresses(), h.addresses...) {
			once(a.String(), h)
		}
		if h.hasFloatingAddress {
			once(h.floatingAddress.String(), h)
		}
	}
	sid := func(sid string, h *Host) {
		once("SID "+sid, h)
		if len(sid) != 3 || sid[0] < 'A' || sid[0] > 'Z' {
			t.Errorf("SID %q", sid)
		}
	}
	for _, s := range f.Systems() {
		sid(s.SID, s.instances[0].host)
		once("key "+s.key, s.instances[0].host)
		once("tenant "+s.database.key+s.tenant, s.instances[0].host)
	}
	for _, db := range f.databases {
		sid(db.sid, db.sites[0].instances[0].host)
		once("key "+db.key, db.sites[0].instances[0].host)
	}
	for _, c := range f.clusters {
		once("key "+c.key, c.nodes[0])
	}
	for _, h := range f.Hosts() {
		numbers := make(map[string]bool)
		for _, i := range h.instances {
			if numbers[i.number] {
				t.Errorf("%s has two instances with the number %s", h.Name, i.number)
			}
			numbers[i.number] = true
		}
	}
}

// runSteps advances a landscape by some steps and returns all its reports.
func runSteps(seed uint64, hosts, steps int) (bodies [][]byte) {
	f := New(seed, hosts)
	for step := range steps {
		f.Step(testTime.Add(time.Duration(step) * 7 * time.Second))
		for _, r := range allReports(f) {
			bodies = append(bodies, r.Body)
		}
	}
	return bodies
}

func TestDeterminism(t *testing.T) {
	t.Parallel()
	if !slices.EqualFunc(runSteps(9, 40, 20), runSteps(9, 40, 20), bytes.Equal) {
		t.Error("the same seed and steps make two landscapes")
	}
	if slices.EqualFunc(runSteps(9, 40, 1), runSteps(10, 40, 1), bytes.Equal) {
		t.Error("two seeds make the same landscape")
	}
}

func TestUnchangedHostsReportTheSameBytes(t *testing.T) {
	f := New(21, 50)
	f.Still = true
	f.Step(testTime)
	before := allReports(f)
	f.Pass(testTime.Add(time.Hour))
	for i, r := range allReports(f) {
		if !bytes.Equal(r.Body, before[i].Body) {
			t.Errorf("%s of %s differs though nothing happened", r.Kind, r.Agent)
		}
	}
	f.Step(testTime.Add(time.Hour))
	after := allReports(f)
	changed := 0
	for i := range before {
		if !bytes.Equal(before[i].Body, after[i].Body) {
			changed++
		}
	}
	// A step makes one change. It changes at most the reports of all hosts of
	// one cluster and one system.
	if changed == 0 || changed > 20 {
		t.Errorf("%d reports have changed in one step", changed)
	}
	for _, r := range after {
		var compact bytes.Buffer
		if err := json.Compact(&compact, r.Body); err != nil || !bytes.Equal(compact.Bytes(), r.Body) {
			t.Fatalf("%s of %s is not written as agents write: %v", r.Kind, r.Agent, err)
		}
	}
}

// TestRunTimesAdvance checks that with time only the run times in reports
// change.
func TestRunTimesAdvance(t *testing.T) {
	f := New(21, 50)
	f.Step(testTime)
	before := allReports(f)
	f.Pass(testTime.Add(10 * time.Second))
	for i, r := range allReports(f) {
		was, is := decodeReport(t, before[i]), decodeReport(t, r)
		if diff := cmp.Diff(was, is, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s of %s means something else (-before +after):\n%s", r.Kind, r.Agent, diff)
		}
		running := bytes.Contains(r.Body, []byte("elapsedtime"))
		if r.Kind == landscape.SAPSystemDiscovery && bytes.Equal(r.Body, before[i].Body) == running {
			t.Errorf("%s of %s: the same bytes %v", r.Kind, r.Agent, running)
		}
	}
}

// TestEveryKindOfChangeHappens checks that the steps of an hour contain every
// kind of change.
func TestEveryKindOfChangeHappens(t *testing.T) {
	f := New(8, 50)
	f.Step(testTime)
	past := make(map[landscape.HostID]Host)
	for _, h := range f.Hosts() {
		past[h.ID] = *h
	}
	happened := make(map[string]bool)
	for step := 1; step <= 360; step++ {
		now := testTime.Add(time.Duration(step) * 10 * time.Second)
		f.Step(now)
		for _, h := range f.Hosts() {
			was, known := past[h.ID]
			happened["a host appeared"] = happened["a host appeared"] || !known
			if known {
				happened["rebooted"] = happened["rebooted"] || !h.bootedAt.Equal(was.bootedAt)
				happened["agent updated"] = happened["agent updated"] || h.agent != was.agent
				happened["saptune updated"] = happened["saptune updated"] || h.tuning.version != was.tuning.version
				happened["tuning flipped"] = happened["tuning flipped"] || h.tuning.state != was.tuning.state
				happened["address moved"] = happened["address moved"] || h.hasFloatingAddress != was.hasFloatingAddress
				happened["resized"] = happened["resized"] || h.size != was.size
				happened["autostart flipped"] = happened["autostart flipped"] || h.noAutostart != was.noAutostart
				happened["renewed"] = happened["renewed"] || !h.subscribedAt.Equal(was.subscribedAt)
				happened["silent"] = happened["silent"] || !f.sendsReports(h, now) && h.heartbeatPattern == alwaysSends
				happened["back"] = happened["back"] || f.sendsReports(h, now) && !was.downUntil.IsZero() && h.downUntil.Equal(was.downUntil)
			}
			past[h.ID] = *h
		}
	}
	for what, yes := range happened {
		if !yes {
			t.Errorf("never: %s", what)
		}
	}
	if n := len(f.Hosts()); n != 55 {
		t.Errorf("%d hosts in the end, want 55", n)
	}
}

func TestHeartbeatPatterns(t *testing.T) {
	f := New(5, 50)
	f.Step(testTime)
	for _, h := range f.Hosts() {
		beats := ""
		for _, second := range []int{0, 10, 20, 50, 100} {
			now := testTime.Add(time.Duration(second) * time.Second)
			if f.sendsHeartbeat(h, now) {
				beats += "♥"
			} else if f.sendsReports(h, now) {
				beats += "-"
			} else {
				beats += "."
			}
		}
		want := map[heartbeatPattern]string{alwaysSends: "♥♥♥♥♥", stopsSending: "♥♥...", neverSends: "-----", sendsAtTimes: "♥♥♥-♥"}[h.heartbeatPattern]
		if beats != want {
			t.Errorf("%s: %s, want %s", h.Name, beats, want)
		}
	}
}

func TestTouchChangesTheReport(t *testing.T) {
	f := New(14, 50)
	f.Step(testTime)
	for _, h := range f.Hosts() {
		for _, r := range h.Reports() {
			touched := discoveries[r.Kind].change(f, h, testTime.Add(time.Minute))
			again, _ := h.report(r.Kind)
			decodeReport(t, again)
			if bytes.Equal(r.Body, again.Body) == touched && h.registration != unregistered {
				t.Errorf("%s of %s: touched %v", r.Kind, h.Name, touched)
			}
		}
	}
}
