package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

const agent landscape.HostID = "6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01"

// report returns a report of the test's agent. Its body is the observation as
// JSON, because the store treats bodies as plain bytes.
func report(seen landscape.Observation) Report {
	seen.Agent = agent
	body, err := json.Marshal(seen)
	if err != nil {
		panic(err)
	}
	return Report{Observation: seen, Body: body}
}

func hostReport(hostname string) Report {
	return report(landscape.Observation{Kind: landscape.HostDiscovery, Host: &landscape.HostFacts{
		Hostname: hostname, AgentVersion: "3.1.2", Arch: "x86_64", PrometheusMode: "pull",
		Addresses:    []landscape.Address{{IP: netip.MustParseAddr("10.1.2.3")}},
		SystemdUnits: []landscape.SystemdUnit{},
	}})
}

func cloudReport(provider string) Report {
	return report(landscape.Observation{Kind: landscape.CloudDiscovery, Cloud: &landscape.Cloud{Provider: provider}})
}

func subscriptionReport() Report {
	return report(landscape.Observation{Kind: landscape.SubscriptionDiscovery, Subscriptions: []landscape.Subscription{{Identifier: "SLES_SAP"}}})
}

func saptuneReport() Report {
	return report(landscape.Observation{Kind: landscape.SaptuneDiscovery, Saptune: &landscape.SaptuneReport{}})
}

func observe(t testing.TB, s *Store, r Report) {
	t.Helper()
	if err := s.Observe(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func theHost(t testing.TB, s *Store) (host *landscape.Host) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) { host, err = tx.Host(agent); return err })
	return host
}

// TestVerbsWrite checks which log entries and how many journal entries each
// change writes, and that the same change made again writes nothing.
func TestVerbsWrite(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	created := new(User)
	for _, step := range []struct {
		name    string
		do      func() error
		want    []activity.Type
		records uint64
	}{
		{"register", func() error { return s.Observe(t.Context(), hostReport("vega01")) }, []activity.Type{activity.TypeHostRegistered}, 1},
		{"register again", func() error { return s.Observe(t.Context(), hostReport("vega01")) }, nil, 0},
		{"rename", func() error { return s.Observe(t.Context(), hostReport("vega02")) }, []activity.Type{activity.TypeHostDetailsUpdated}, 1},
		{"cloud", func() error { return s.Observe(t.Context(), cloudReport("aws")) }, []activity.Type{activity.TypeProviderUpdated}, 1},
		{"cloud again", func() error { return s.Observe(t.Context(), cloudReport("aws")) }, nil, 0},
		{"subscriptions", func() error { return s.Observe(t.Context(), subscriptionReport()) }, []activity.Type{activity.TypeSLESSubscriptionsUpdated}, 1},
		{"saptune", func() error { return s.Observe(t.Context(), saptuneReport()) }, []activity.Type{activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged}, 1},
		{"saptune again", func() error { return s.Observe(t.Context(), saptuneReport()) }, nil, 0},
		{"cluster", func() error {
			return s.Observe(t.Context(), report(landscape.Observation{Kind: landscape.ClusterDiscovery, Cluster: &landscape.ClusterReport{}}))
		}, nil, 0},
		{"heartbeat", func() error { return s.Heartbeat(t.Context(), agent) }, []activity.Type{activity.TypeHeartbeatSucceeded}, 1},
		{"heartbeat again", func() error { return s.Heartbeat(t.Context(), agent) }, nil, 0},
		{"sweep in time", func() error { c.advance(6 * time.Second); return s.MarkLostHosts(t.Context()) }, nil, 0},
		{"sweep", func() error { c.advance(time.Second); return s.MarkLostHosts(t.Context()) }, []activity.Type{activity.TypeHeartbeatFailed}, 1},
		{"sweep again", func() error { c.advance(time.Second); return s.MarkLostHosts(t.Context()) }, nil, 0},
		{"heartbeat back", func() error { return s.Heartbeat(t.Context(), agent) }, []activity.Type{activity.TypeHeartbeatSucceeded}, 1},
		{"user", func() (err error) {
			created, err = s.CreateUser(t.Context(), Actor{Name: "admin"}, newUser("ann"))
			return err
		}, []activity.Type{activity.TypeUserCreation}, 1},
		{"sign in", func() error { _, err := s.SignIn(t.Context(), session(s, created.ID, 1)); return err }, []activity.Type{activity.TypeLoginAttempt}, 1},
		{"sign out", func() error { return s.SignOut(t.Context(), [32]byte{1}) }, nil, 0},
		{"sign in failed", func() error { return s.SignInFailed(t.Context(), "ann") }, []activity.Type{activity.TypeLoginAttempt}, 0},
		{"sign in again", func() error { _, err := s.SignIn(t.Context(), session(s, created.ID, 2)); return err }, []activity.Type{activity.TypeLoginAttempt}, 1},
		{"end the others", func() error { return s.EndOtherSessions(t.Context(), Actor{Name: "ann"}, created.ID, [32]byte{9}) }, []activity.Type{activity.TypeProfileUpdate}, 0},
		{"end none", func() error { return s.EndOtherSessions(t.Context(), Actor{Name: "ann"}, created.ID, [32]byte{9}) }, nil, 0},
		{"change", func() error {
			_, err := s.ChangeUser(t.Context(), Actor{Name: "admin"}, created.ID, 1, UserChange{Fullname: new("Ann")})
			return err
		}, []activity.Type{activity.TypeUserModification}, 1},
		{"change nothing", func() error {
			_, err := s.ChangeUser(t.Context(), Actor{Name: "admin"}, created.ID, 2, UserChange{Fullname: new("Ann")})
			return err
		}, []activity.Type{activity.TypeUserModification}, 0},
		{"profile", func() error {
			_, err := s.ChangeProfile(t.Context(), Actor{Name: "ann"}, created.ID, ProfileChange{AnalyticsEnabled: new(true)}, [32]byte{})
			return err
		}, []activity.Type{activity.TypeProfileUpdate}, 1},
		{"offer a second factor", func() error { return s.OfferTOTP(t.Context(), Actor{Name: "ann"}, created.ID, []byte("sealed")) }, nil, 1},
		{"enable it", func() error {
			_, err := s.EnableTOTP(t.Context(), Actor{Name: "ann"}, created.ID, EnableTOTP{Secret: []byte("sealed"), CodeAt: s.Now()})
			return err
		}, []activity.Type{activity.TypeProfileUpdate}, 1},
		{"drop it", func() error { return s.DisableTOTP(t.Context(), Actor{Name: "ann"}, created.ID) }, []activity.Type{activity.TypeProfileUpdate}, 1},
		{"drop nothing", func() error { return s.DisableTOTP(t.Context(), Actor{Name: "ann"}, created.ID) }, nil, 0},
		{"API key", func() error {
			_, err := s.RegenerateAPIKey(t.Context(), Actor{Name: "admin"}, nil, nil)
			return err
		}, []activity.Type{activity.TypeAPIKeyGeneration}, 1},
		{"disable", func() error {
			_, err := s.ChangeUser(t.Context(), Actor{Name: "admin"}, created.ID, 4, UserChange{Enabled: new(false)})
			return err
		}, []activity.Type{activity.TypeUserModification}, 1},
		{"delete", func() error { return s.DeleteUser(t.Context(), Actor{Name: "admin"}, created.ID) }, []activity.Type{activity.TypeUserDeletion}, 1},
		{"refused report", func() error { return s.RefuseReport(t.Context(), refused(landscape.CloudDiscovery, "/Provider")) }, []activity.Type{activity.TypeAgentReportFaulty}, 1},
		{"refused again", func() error { return s.RefuseReport(t.Context(), refused(landscape.CloudDiscovery, "/Provider")) }, nil, 0},
		{"usable again", func() error { return s.Observe(t.Context(), cloudReport("aws")) }, []activity.Type{activity.TypeAgentReportRecovered}, 1},
	} {
		log, sequence := len(entries(t, s)), lastChange(t, s)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, typesOf(entries(t, s)[log:])); diff != "" {
			t.Errorf("%s: entries (-want +got):\n%s", step.name, diff)
		}
		if got := lastChange(t, s) - sequence; got != step.records {
			t.Errorf("%s: %d records written, want %d", step.name, got, step.records)
		}
	}
}

func TestEventsOfAChangeAreCorrelated(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	observe(t, s, hostReport("vega01"))
	observe(t, s, saptuneReport())
	var ids []string
	for _, e := range entries(t, s) {
		var metadata struct {
			CorrelationID string `json:"correlation_id"`
			Hostname      string `json:"hostname"`
		}
		if err := json.Unmarshal(e.Metadata, &metadata); err != nil {
			t.Fatal(err)
		}
		if metadata.Hostname != "vega01" {
			t.Errorf("%s does not name the host: %s", e.Type, e.Metadata)
		}
		ids = append(ids, metadata.CorrelationID)
	}
	if len(ids) != 3 || ids[0] == "" || ids[0] == ids[1] || ids[1] != ids[2] {
		t.Errorf("correlation ids %q: want the first alone, the second and third together", ids)
	}
}

// TestEarlyReports sends the reports of an agent before its host is registered.
// None of them may be lost: subscriptions are reported only every 15 minutes.
func TestEarlyReports(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	for _, r := range []Report{cloudReport("kvm"), cloudReport("gcp"), subscriptionReport(), saptuneReport()} {
		for range 2 {
			if err := s.Observe(t.Context(), r); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s before its host: %v", r.Observation.Kind, err)
			}
			if s.Unchanged(r.Body) {
				t.Errorf("%s counts as accepted", r.Observation.Kind)
			}
		}
	}
	if err := s.Heartbeat(t.Context(), agent); !errors.Is(err, ErrNotFound) {
		t.Errorf("heartbeat of an unknown host: %v", err)
	}
	shut(t, s)
	s = open(t, dir, c)
	observe(t, s, hostReport("vega01"))
	host := theHost(t, s)
	if host.Cloud == nil || host.Cloud.Provider != "gcp" || len(host.Subscriptions) != 1 || host.Health != landscape.HealthPassing {
		t.Errorf("early reports were not applied: %+v", host)
	}
	// They are applied only once, so they do not undo later reports.
	observe(t, s, cloudReport("azure"))
	observe(t, s, hostReport("vega02"))
	if host := theHost(t, s); host.Cloud.Provider != "azure" {
		t.Errorf("provider is %s again", host.Cloud.Provider)
	}
}

func TestUnchanged(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	first, second := hostReport("vega01"), hostReport("vega02")
	if s.Unchanged(first.Body) {
		t.Error("a body nobody has sent is unchanged")
	}
	observe(t, s, first)
	if !s.Unchanged(first.Body) {
		t.Error("the first body is not known")
	}
	observe(t, s, second)
	if s.Unchanged(first.Body) || !s.Unchanged(second.Body) {
		t.Error("only the newest body may count as unchanged")
	}
	// A body with other bytes but the same meaning changes nothing, and its hash
	// is known afterwards.
	same := Report{second.Observation, append(second.Body, ' ')}
	observe(t, s, same)
	if !s.Unchanged(same.Body) || s.Unchanged(second.Body) {
		t.Error("the newest body is not the known one")
	}
	shut(t, s)
	s = open(t, dir, c)
	if s.Unchanged(same.Body) {
		t.Error("a body is known after a start, though the program may be another one")
	}
}

func TestObservationsSurviveReopening(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	observe(t, s, hostReport("vega01"))
	if err := s.Heartbeat(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	c.advance(3 * time.Second)
	if err := s.Heartbeat(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	want, beat := theHost(t, s), c.Now()
	shut(t, s)
	s = open(t, dir, c)
	if diff := cmp.Diff(want, theHost(t, s), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if got, ok := s.LastHeartbeat(agent); !ok || !got.Equal(beat) {
		t.Errorf("last heartbeat %v, want %v", got, beat)
	}
}

// TestMarkLostHostsAfterDowntime checks that no heartbeat counts as lost
// because the server was stopped.
func TestMarkLostHostsAfterDowntime(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	observe(t, s, hostReport("vega01"))
	if err := s.Heartbeat(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	c.advance(time.Hour)
	s = open(t, dir, c)
	for _, step := range []struct {
		wait time.Duration
		want landscape.Heartbeat
	}{{0, landscape.HeartbeatPassing}, {6 * time.Second, landscape.HeartbeatPassing}, {time.Second, landscape.HeartbeatCritical}} {
		c.advance(step.wait)
		if err := s.MarkLostHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := theHost(t, s).Heartbeat; got != step.want {
			t.Errorf("%v on: %s, want %s", step.wait, got, step.want)
		}
	}
}

func TestMarkLostHostsSparesTheNeverHeard(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	observe(t, s, hostReport("vega01"))
	c.advance(time.Hour)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := theHost(t, s).Heartbeat; got != landscape.HeartbeatUnknown {
		t.Errorf("heartbeat is %s", got)
	}
}

func TestHosts(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	var want []landscape.HostID
	for i := range 3 {
		r := hostReport(fmt.Sprint("vega0", i))
		r.Observation.Agent = landscape.HostID(fmt.Sprintf("%08d%s", i, agent[8:]))
		r.Body = append(r.Body, byte(i))
		observe(t, s, r)
		want = append(want, r.Observation.Agent)
	}
	for range 2 { // the second time from the cache
		var got []landscape.HostID
		view(t, s, func(tx *Tx) error {
			for host, err := range tx.Hosts() {
				if err != nil {
					return err
				}
				got = append(got, host.ID)
			}
			return nil
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestChangedAfter(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	start := lastChange(t, s)
	observe(t, s, hostReport("vega01"))
	u, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	observe(t, s, hostReport("vega02"))
	view(t, s, func(tx *Tx) error {
		got, err := tx.ChangedAfter(start, 10)
		want := []Change{{Seq: start + 2, Kind: "user", ID: fmt.Sprint(u.ID)}, {Seq: start + 3, Kind: "host", ID: string(agent)}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err != nil {
			return err
		}
		got, err = tx.ChangedAfter(start, 1)
		if diff := cmp.Diff(want[:1], got); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

func TestDiscards(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	discard := func(body []byte, reason string) {
		t.Helper()
		if err := s.update(t.Context(), System(), func(tx *Tx) error { return tx.putDiscard(body, reason) }); err != nil {
			t.Fatal(err)
		}
	}
	kept := func() (all []*Discard) {
		view(t, s, func(tx *Tx) error {
			for d, err := range tx.Discards() {
				if err != nil {
					return err
				}
				all = append(all, d)
			}
			return nil
		})
		return all
	}
	for i := range maxDiscards + 2 {
		discard(fmt.Append(nil, "body ", i), fmt.Sprint("reason ", i))
	}
	// An agent that sends the same body again and again does not displace others.
	discard([]byte("body 2"), "again")
	all := kept()
	if len(all) != maxDiscards {
		t.Fatalf("%d payloads are kept", len(all))
	}
	if diff := cmp.Diff(&Discard{At: noon, Reason: "reason 2", Body: []byte("body 2")}, all[0]); diff != "" {
		t.Error(diff)
	}
	c.advance(11 * 24 * time.Hour)
	discard(make([]byte, maxDiscardBytes+1), "long")
	if all = kept(); len(all) != 1 || len(all[0].Body) != maxDiscardBytes {
		t.Errorf("%d payloads are kept after 11 days", len(all))
	}
	for days, want := range []int{1, 0} {
		if err := s.PruneDiscards(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all = kept(); len(all) != want {
			t.Errorf("%d payloads are kept %d days later", len(all), 11*days)
		}
		c.advance(11 * 24 * time.Hour)
	}
}
