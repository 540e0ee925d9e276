package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"trento/store/outbox"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

// standard is the default alert policy.
var standard = Policy{Mail: true, Delay: time.Minute, Repeat: 30 * time.Minute}

// desk stores alerts and deliveries like package store, and runs the plan when
// it is due.
type desk struct {
	policy     Policy
	now        time.Time
	alerts     map[string]*Alert
	deliveries []*Delivery // newest first
	last       uint64
	next       time.Time
	waiting    []Waiting
}

func newDesk(p Policy) *desk { return &desk{policy: p, now: start, alerts: map[string]*Alert{}} }

func (d *desk) signal(s Signal, cause string) {
	key := string(KeyOf(s.Kind, s.Thing.ID))
	after := End(d.alerts[key], s, d.now)
	if s.Effect == Starts {
		after = Begin(d.alerts[key], s, 1, cause, d.now)
	}
	if after != nil {
		d.alerts[key] = after
		d.plan()
	}
}

func host(name string) Thing { return Thing{Host, name, name} }

func (d *desk) lose(name string) {
	d.signal(Signal{Effect: Starts, Kind: HeartbeatLost, Thing: host(name)}, "")
}
func (d *desk) regain(name string) {
	d.signal(Signal{Effect: Ends, Kind: HeartbeatLost, Thing: host(name)}, "")
}
func (d *desk) cleanUp(name string) {
	d.signal(Signal{Effect: Remove, Kind: HeartbeatLost, Thing: host(name)}, "")
}

func (d *desk) plan() {
	for range 10 {
		alerts := slices.Collect(maps.Values(d.alerts))
		slices.SortFunc(alerts, func(a, b *Alert) int { return strings.Compare(string(a.Key()), string(b.Key())) })
		p := Decide(alerts, d.deliveries, d.last, d.policy, d.now)
		for _, a := range p.Changed {
			d.alerts[string(a.Key())] = a
		}
		for _, a := range p.Forgotten {
			delete(d.alerts, string(a.Key()))
		}
		for _, made := range p.Deliveries {
			if made.Sequence != d.last+1 {
				panic("a sequence is missing")
			}
			d.last = made.Sequence
			d.deliveries = slices.Insert(d.deliveries, 0, made)
		}
		d.next, d.waiting = p.Next, p.Waiting
		if p.Empty() {
			return
		}
	}
	panic("the plan does not end")
}

// pass advances the clock, and runs the plan at the times that the last plan
// has returned.
func (d *desk) pass(period time.Duration) {
	until := d.now.Add(period)
	for !d.next.IsZero() && !d.next.After(until) {
		if d.next.After(d.now) {
			d.now = d.next
		}
		d.plan()
	}
	d.now = until
}

// log returns the sent messages with their times, oldest first.
func (d *desk) log() (lines []string) {
	for _, m := range slices.Backward(d.deliveries) {
		line := m.At.Sub(start).String() + " " + m.Subject
		if m.Form == HeldBack {
			line += " (" + m.Reason + ")"
		}
		if m.Interruptions > 0 {
			line += fmt.Sprintf(" [%d]", m.Interruptions)
		}
		lines = append(lines, line)
	}
	return lines
}

func (d *desk) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.log()); diff != "" {
		t.Error(diff)
	}
}

const stopped = " stopped reporting."

func TestHeldBackAndSettled(t *testing.T) {
	d := newDesk(standard)
	d.lose("vega01")
	d.pass(10 * time.Second)
	if len(d.waiting) != 1 || !d.waiting[0].Until.Equal(start.Add(time.Minute)) {
		t.Errorf("waiting %+v", d.waiting)
	}
	d.lose("vega02")
	d.pass(20 * time.Second)
	d.regain("vega02")
	d.pass(time.Hour)
	d.expect(t, "1m0s Host vega02 stopped reporting (It was over before the alert was due.)", "1m0s Trento Alert: Host vega01"+stopped)
	if len(d.alerts) != 1 {
		t.Errorf("alerts that are stored: %v", slices.Sorted(maps.Keys(d.alerts)))
	}
	d.regain("vega01")
	d.pass(time.Hour)
	if len(d.alerts) != 0 || len(d.deliveries) != 2 {
		t.Errorf("alerts %v, messages %v", d.alerts, d.log())
	}
}

// TestManyAtOnce checks the messages if forty hosts stop reporting within ten
// seconds.
func TestManyAtOnce(t *testing.T) {
	d := newDesk(standard)
	d.lose("short")
	d.pass(10 * time.Second)
	d.regain("short")
	d.pass(2 * time.Minute)
	for i := range 40 {
		d.lose(fmt.Sprintf("vega%02d", i))
		d.pass(250 * time.Millisecond)
	}
	d.pass(time.Hour)
	d.expect(t, "1m0s Host short stopped reporting (It was over before the alert was due.)", "3m10s Trento Alert: 40 things need attention. [1]")
}

func TestGroups(t *testing.T) {
	d := newDesk(standard)
	d.signal(Signal{Effect: Starts, Kind: SAPSystemCritical, Thing: Thing{SAPSystem, "s", "NWP"}}, "cause")
	d.signal(Signal{Effect: Starts, Kind: DatabaseCritical, Thing: Thing{Database, "d", "PRD"}}, "cause")
	d.signal(Signal{Effect: Starts, Kind: HostCritical, Thing: host("vega01")}, "cause")
	d.signal(Signal{Effect: Starts, Kind: HeartbeatLost, Thing: host("vega01")}, "cause")
	d.signal(Signal{Effect: Starts, Kind: ClusterCritical, Thing: Thing{Cluster, "c", "hana_ha"}}, "another")
	d.pass(time.Hour)
	d.expect(t, "1m0s Trento Alert: Cluster hana_ha needs attention.", "1m0s Trento Alert: 4 things need attention.")
	var order []Kind
	for _, i := range d.deliveries[0].Items {
		order = append(order, i.Kind)
	}
	if diff := cmp.Diff([]Kind{HeartbeatLost, HostCritical, DatabaseCritical, SAPSystemCritical}, order); diff != "" {
		t.Error(diff)
	}
}

// TestFlapping checks the messages about an agent that is silent for ten of
// every twenty seconds, for an hour.
func TestFlapping(t *testing.T) {
	d := newDesk(standard)
	for range 180 {
		d.lose("vega01")
		d.pass(10 * time.Second)
		d.regain("vega01")
		d.pass(10 * time.Second)
	}
	d.expect(t, "1m0s Trento Alert: Host vega01 is unstable.", "31m0s Trento Alert: Host vega01 is unstable.")
	d.pass(2 * time.Hour)
	d.expect(t, "1m0s Trento Alert: Host vega01 is unstable.", "31m0s Trento Alert: Host vega01 is unstable.",
		"1h1m0s Trento Alert: Host vega01 is unstable.")
}

// TestThreeTimes checks that several short problems within ten minutes count as
// one.
func TestThreeTimes(t *testing.T) {
	d := newDesk(standard)
	for range 3 {
		d.lose("vega01")
		d.pass(20 * time.Second)
		d.regain("vega01")
		d.pass(100 * time.Second)
	}
	d.expect(t, "1m0s Host vega01 stopped reporting (It was over before the alert was due.)",
		"3m0s Host vega01 stopped reporting (It was over before the alert was due.)", "5m0s Trento Alert: Host vega01 is unstable.")
	if i := d.deliveries[0].Items[0]; i.Begins != 3 || i.Ended.IsZero() {
		t.Errorf("item %+v", i)
	}
}

func TestRepeat(t *testing.T) {
	for name, c := range map[string]struct {
		away time.Duration // how long the host has no problem in between
		want string
	}{
		"the same trouble": {4 * time.Minute, "31m0s Trento Alert: Host vega01" + stopped},
		"new trouble":      {6 * time.Minute, "9m0s Trento Alert: Host vega01" + stopped},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(standard)
			d.lose("vega01")
			d.pass(2 * time.Minute)
			d.regain("vega01")
			d.pass(c.away)
			d.lose("vega01")
			d.pass(3 * time.Hour)
			d.expect(t, "1m0s Trento Alert: Host vega01"+stopped, c.want)
			if again := d.deliveries[0].Thread; (again == 1) != (name == "the same trouble") {
				t.Errorf("thread %d", again)
			}
		})
	}
	t.Run("over before it is repeated", func(t *testing.T) {
		d := newDesk(standard)
		for range 2 {
			d.lose("vega01")
			d.pass(2 * time.Minute)
			d.regain("vega01")
			d.pass(time.Minute)
		}
		d.pass(3 * time.Hour)
		d.expect(t, "1m0s Trento Alert: Host vega01"+stopped, "10m0s Host vega01 stopped reporting (It was over before the alert was due.)")
	})
}

// TestCeiling checks the number of messages if another host stops reporting
// every minute, for four hours.
func TestCeiling(t *testing.T) {
	d := newDesk(standard)
	told := map[string]int{}
	for i := range 240 {
		d.lose(fmt.Sprintf("vega%03d", i))
		d.pass(time.Minute)
	}
	d.pass(time.Hour)
	for _, m := range d.deliveries {
		for _, i := range m.Items {
			told[i.Thing.Name]++
		}
	}
	for i := range 240 {
		if name := fmt.Sprintf("vega%03d", i); told[name] != 1 {
			t.Errorf("%s is in %d messages", name, told[name])
		}
	}
	for _, m := range d.deliveries {
		n := 0
		for _, other := range d.deliveries {
			if age := m.At.Sub(other.At); age >= 0 && age < time.Hour {
				n++
			}
		}
		if n > maxPerHour+int(time.Hour/digestInterval) {
			t.Errorf("%d messages in the hour before %s", n, m.At)
		}
	}
	d.lose("last")
	d.pass(time.Minute)
	if d.deliveries[0].Subject != "Trento Alert: Host last"+stopped {
		t.Errorf("after the flood: %s", d.deliveries[0].Subject)
	}
}

func TestRecovery(t *testing.T) {
	policy := standard
	policy.NotifyRecovery = true
	d := newDesk(policy)
	d.lose("vega01")
	d.lose("vega02")
	d.pass(2 * time.Minute)
	d.regain("vega01")
	d.cleanUp("vega02")
	d.pass(4 * time.Minute)
	d.lose("vega01") // healthy for less than five minutes, so the alert has not ended
	d.pass(time.Minute)
	d.regain("vega01")
	d.pass(time.Hour)
	d.expect(t, "1m0s Trento Alert: Host vega01"+stopped, "1m0s Trento Alert: Host vega02"+stopped,
		"12m0s Host vega01 stopped reporting (It was over before the alert was due.)", "12m0s Trento: Host vega01 is well again.")
}

func TestHealthAfterRecovery(t *testing.T) {
	policy := standard
	policy.NotifyRecovery = true
	for health, want := range map[string]string{
		"passing": "7m0s Trento: Cluster ha is well again.", "warning": "7m0s Trento: Cluster ha is no longer critical.",
		"unknown": "7m0s Trento: Cluster ha is no longer critical.",
	} {
		d := newDesk(policy)
		ha := Thing{Cluster, "c", "ha"}
		d.signal(Signal{Effect: Starts, Kind: ClusterCritical, Thing: ha}, "")
		d.pass(2 * time.Minute)
		d.signal(Signal{Effect: Ends, Kind: ClusterCritical, Thing: ha, Health: health}, "")
		d.pass(time.Hour)
		d.expect(t, "1m0s Trento Alert: Cluster ha needs attention.", want)
	}
}

func TestWhileWaiting(t *testing.T) {
	d := newDesk(standard)
	d.lose("vega01")
	d.lose("vega02")
	d.lose("vega03")
	d.pass(20 * time.Second)
	d.cleanUp("vega01")
	d.expect(t, "20s Host vega01 stopped reporting (It was cleaned up before the alert was due.)")
	d.policy.Mail = false
	d.pass(20 * time.Second)
	d.plan()
	d.expect(t, "20s Host vega01 stopped reporting (It was cleaned up before the alert was due.)", "40s 2 alerts (Alerts were switched off.)")
	d.policy.Mail = true
	d.pass(time.Hour)
	d.lose("vega04")
	d.signal(Signal{Effect: Starts, Kind: HeartbeatLost, Thing: host("vega05")}, "")
	d.policy.Webhook = true
	d.pass(time.Hour)
	if m := d.deliveries[0]; m.Mail.State != outbox.Pending || m.Webhook.State != outbox.Pending {
		t.Errorf("channels %+v", m)
	}
}

// TestWithoutDelay checks that without a delay each alert is sent alone and at
// once, as by the existing server.
func TestWithoutDelay(t *testing.T) {
	d := newDesk(Policy{Mail: true})
	for i := range 7 {
		d.signal(Signal{Effect: Starts, Kind: HeartbeatLost, Thing: host(fmt.Sprint("vega0", i))}, "cause")
	}
	for range 3 {
		d.regain("vega00")
		d.lose("vega00")
	}
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprint("0s Trento Alert: Host vega0", i, stopped))
	}
	for range 3 {
		want = append(want, "0s Trento Alert: Host vega00"+stopped)
	}
	d.expect(t, want...)

	// An alert that ends before the sender wakes is sent as well.
	a := Begin(nil, Signal{Effect: Starts, Kind: HeartbeatLost, Thing: host("vega01")}, 0, "", start)
	a = End(a, Signal{Effect: Ends, Kind: HeartbeatLost, Thing: host("vega01")}, start)
	if p := Decide([]*Alert{a}, nil, 0, Policy{Mail: true}, start); len(p.Deliveries) != 1 || p.Deliveries[0].Form != Single {
		t.Errorf("plan %+v", p)
	}
}

func TestClockSetBack(t *testing.T) {
	d := newDesk(standard)
	d.lose("vega01")
	d.pass(2 * time.Minute)
	d.lose("vega02")
	d.now = d.now.Add(-24 * time.Hour)
	d.plan()
	d.regain("vega01")
	d.lose("vega01")
	d.pass(2 * time.Minute)
	var subjects []string
	for _, m := range slices.Backward(d.deliveries) {
		subjects = append(subjects, m.Subject)
	}
	if diff := cmp.Diff([]string{"Trento Alert: Host vega01" + stopped, "Trento Alert: Host vega02" + stopped, "Trento Alert: Host vega01" + stopped}, subjects); diff != "" {
		t.Error(diff)
	}
	if late := (&Delivery{At: start}).Lateness(d.now); late != 0 {
		t.Errorf("late by %s", late)
	}
	if c := (&outbox.Channel{State: outbox.Pending, Tried: start, Next: start.Add(time.Hour)}); !c.Due(start.Add(-time.Hour)) || c.Due(start.Add(time.Minute)) {
		t.Error("the next attempt does not follow the clock")
	}
}

func TestHurryAndDiscard(t *testing.T) {
	d := newDesk(standard)
	d.lose("vega01")
	d.pass(2 * time.Minute)
	d.regain("vega01")
	d.pass(time.Minute)
	d.lose("vega01") // waits for half an hour
	d.lose("vega02")
	for key, a := range d.alerts {
		hurried := *a
		hurried.Hurried = true
		d.alerts[key] = &hurried
	}
	d.plan()
	d.expect(t, "1m0s Trento Alert: Host vega01"+stopped, "3m0s Trento Alert: Host vega01"+stopped, "3m0s Trento Alert: Host vega02"+stopped)

	d.lose("vega03")
	p := Discard([]*Alert{d.alerts["heartbeat_lost/vega03"]}, d.last, "ann", d.now)
	if len(p.Changed) != 1 || p.Changed[0].Waits() || p.Deliveries[0].Reason != "It was discarded by ann." {
		t.Errorf("plan %+v", p)
	}
}

// TestNothingLost checks with random events that each lasting problem is sent,
// and that no message is about a problem that did not exist.
func TestNothingLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := standard
		policy.NotifyRecovery = rapid.Bool().Draw(t, "notify")
		d := newDesk(policy)
		bad := map[string]time.Time{}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			name := fmt.Sprint("vega", rapid.IntRange(0, 11).Draw(t, "host"))
			switch _, isBad := bad[name]; {
			case !isBad:
				bad[name] = d.now
				d.lose(name)
			case rapid.IntRange(0, 9).Draw(t, "gone") == 0:
				delete(bad, name)
				d.cleanUp(name)
			default:
				delete(bad, name)
				d.regain(name)
			}
			d.pass(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
		}
		d.pass(3 * time.Hour)
		if len(d.waiting) > 0 {
			t.Fatalf("waits on: %+v", d.waiting)
		}
		for name := range bad {
			if newest := d.newestAbout(name); newest == nil || newest.Form == Recovery || newest.Form == HeldBack {
				t.Fatalf("%s is away, and the last message is %+v; all: %v", name, newest, d.log())
			}
		}
		if len(d.alerts) != len(bad) {
			t.Fatalf("%d alerts are stored, %d hosts are away", len(d.alerts), len(bad))
		}
	})
}

func (d *desk) newestAbout(name string) *Delivery {
	for _, m := range d.deliveries {
		if slices.ContainsFunc(m.Items, func(i Item) bool { return i.Thing.Name == name }) {
			return m
		}
	}
	return nil
}

func TestLateness(t *testing.T) {
	if d := (&Delivery{At: start}); d.Lateness(start.Add(time.Hour)) != 0 || d.Lateness(start.Add(2*time.Hour)) != 2*time.Hour {
		t.Error("lateness")
	}
}

func TestSubjects(t *testing.T) {
	item := func(kind Kind, thing Thing) Delivery {
		return Delivery{Form: Single, At: start, Items: []Item{{Kind: kind, Thing: thing, Deadline: start.Add(28*day + time.Hour)}}}
	}
	for _, c := range []struct {
		delivery Delivery
		want     string
	}{
		{item(HostCritical, host("vega01")), "Trento Alert: Host vega01 needs attention."},
		{item(ClusterCritical, Thing{Cluster, "c", "hana_ha"}), "Trento Alert: Cluster hana_ha needs attention."},
		{item(DatabaseCritical, Thing{Database, "d", "PRD"}), "Trento Alert: Database PRD needs attention."},
		{item(SAPSystemCritical, Thing{SAPSystem, "s", "NWP"}), "Trento Alert: Sap System NWP needs attention."},
		{item(HeartbeatLost, host("vega01")), "Trento Alert: Host vega01 stopped reporting."},
		{item(APIKeyExpiry, APIKeyThing()), "Trento Alert: Api key will expire in 28 days"},
		{item(CertificateExpiry, CertificateThing("TLS")), "Trento Alert: TLS certificate will expire in 28 days"},
		{item(BackupFailed, backups()), "Trento Alert: Backup could not be made."},
		{item(HostCritical, host("a\r\nBcc: x@y\u202e<script>"+strings.Repeat("z", 300))), "Trento Alert: Host a Bcc: x@y <script>" + strings.Repeat("z", 44) + "… needs attention."},
		{item(HostCritical, Thing{Host, "h1", "\xff\xfe"}), "Trento Alert: Host h1 needs attention."},
	} {
		if got := c.delivery.subject(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
