package refresh_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/store/storetest"
	"trento/ui/refresh"
)

// bus is a message.Bus with agents that a test plays.
type bus struct {
	sent     []message.Request
	first    *message.Delivery // of the first request
	refused  error             // of Send
	presence message.Presence
}

func (b *bus) Send(_ context.Context, r message.Request) (*message.Delivery, error) {
	if b.refused != nil {
		return nil, b.refused
	}
	d := new(message.Delivery)
	if b.sent = append(b.sent, r); b.first == nil {
		b.first = d
	}
	return d, nil
}

func (*bus) Subscribe(message.Kind, func(context.Context, message.Envelope) error) {}

func (b *bus) Presence(string, message.Kind) message.Presence { return b.presence }

// fixture has a store with hosts, and a Refresher that asks them.
type fixture struct {
	*refresh.Refresher
	t     *testing.T
	now   time.Time
	store *store.Store
	bus   *bus
}

func newFixture(t *testing.T, hosts int) *fixture {
	f := &fixture{t: t, now: time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC), bus: &bus{presence: message.Connected}}
	f.store = storetest.OpenAt(t, func() time.Time { return f.now })
	for n := range hosts {
		f.report(n, landscape.Observation{Kind: landscape.HostDiscovery, Host: &landscape.HostFacts{Hostname: fmt.Sprintf("vega%02d", n), AgentVersion: "3.1.2"}})
	}
	f.Refresher = refresh.New(f.store, f.bus)
	f.now = f.now.Add(time.Minute)
	return f
}

func hostID(n int) landscape.HostID {
	return landscape.HostID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

func (f *fixture) report(n int, o landscape.Observation) {
	f.t.Helper()
	o.Agent = hostID(n)
	if err := f.store.Observe(f.t.Context(), store.Report{Observation: o, Body: fmt.Append(nil, o.Agent, o.Kind, f.now)}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) ask(n int) error {
	return f.AskHost(f.t.Context(), store.Actor{Name: "ada"}, hostID(n))
}

// state returns what became of the request for the host report of the n-th host.
func (f *fixture) state(n int) (state refresh.State) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		answers, err := f.Status(tx, []landscape.HostID{hostID(n)}, []landscape.Kind{landscape.HostDiscovery})
		if len(answers) > 0 {
			state = answers[0].State
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return state
}

// TestAsk checks what is sent to an agent, and what is written down.
func TestAsk(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	if err := f.ask(0); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range f.bus.sent {
		content := r.Content.(*wire.DiscoveryRequested)
		kinds = append(kinds, content.DiscoveryType)
		if r.Agent != string(hostID(0)) || len(content.Targets) != 1 || content.Targets[0] != r.Agent || !r.Durable || !r.ExpiresAt.Equal(f.now.Add(5*time.Minute)) {
			t.Errorf("sent %+v", r)
		}
	}
	want := []string{"host_discovery", "cloud_discovery", "subscription_discovery", "saptune_discovery", "ha_cluster_discovery", "sap_system_discovery"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	if err := f.ask(7); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a host that is not registered: %v", err)
	}
	if got := f.state(7); got != "" {
		t.Errorf("after a request that was not sent: %q", got)
	}
	logged := 0
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.EntriesBack(0, tx.Newest()) {
			if err != nil {
				return err
			}
			if e.Type == activity.TypeHostDiscoveryRequested && e.Actor == "ada" {
				logged++
			}
		}
		return nil
	})
	if err != nil || logged != 1 {
		t.Errorf("%d entries (%v)", logged, err)
	}
}

// TestPause checks that the same agent is not asked twice within ten seconds.
func TestPause(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 2)
	busy := func(err error) bool { kind, ok := fault.KindOf(err); return ok && kind == fault.Busy }
	for _, step := range []struct {
		host    int
		after   time.Duration
		refused bool
	}{{0, 0, false}, {0, 9 * time.Second, true}, {1, 0, false}, {0, time.Second, false}} {
		f.now = f.now.Add(step.after)
		if err := f.ask(step.host); busy(err) != step.refused || err != nil && !step.refused {
			t.Errorf("%+v: %v", step, err)
		}
	}
}

// TestStates follows a request in each way that it can go.
func TestStates(t *testing.T) {
	t.Parallel()
	type step func(f *fixture)
	pass := func(d time.Duration) step { return func(f *fixture) { f.now = f.now.Add(d) } }
	is := func(p message.Presence) step { return func(f *fixture) { f.bus.presence = p } }
	delivery := func(s message.DeliveryState) step { return func(f *fixture) { f.bus.first.Set(s) } }
	reports := func(f *fixture) {
		f.report(0, landscape.Observation{Kind: landscape.HostDiscovery, Host: &landscape.HostFacts{Hostname: "vega00", AgentVersion: "3.1.2"}})
	}
	refuses := func(f *fixture) {
		if err := f.store.RefuseReport(t.Context(), store.RefusedReport{Agent: hostID(0), Kind: landscape.HostDiscovery}); err != nil {
			t.Error(err)
		}
	}
	for name, test := range map[string]struct {
		refused error
		steps   []step
		want    refresh.State
	}{
		"just asked":               {want: refresh.Asked},
		"has the message":          {steps: []step{delivery(message.Delivered)}, want: refresh.Asked},
		"reported":                 {steps: []step{pass(time.Second), reports}, want: refresh.Reported},
		"reported, of no use":      {steps: []step{pass(time.Second), refuses}, want: refresh.Unusable},
		"cannot do it":             {steps: []step{delivery(message.Refused)}, want: refresh.Refused},
		"did it, no report":        {steps: []step{delivery(message.Acknowledged)}, want: refresh.NothingToReport},
		"away":                     {steps: []step{is(message.Away), pass(4 * time.Minute)}, want: refresh.Away},
		"away for too long":        {steps: []step{is(message.Away), pass(5 * time.Minute)}, want: refresh.NoAnswer},
		"expired":                  {steps: []step{delivery(message.Expired)}, want: refresh.NoAnswer},
		"lost":                     {steps: []step{delivery(message.Lost)}, want: refresh.NoAnswer},
		"silent":                   {steps: []step{pass(time.Minute)}, want: refresh.NoAnswer},
		"another broker, silent":   {steps: []step{is(message.PresenceUnknown), delivery(message.HandedOver), pass(time.Minute)}, want: refresh.NoAnswer},
		"never connected":          {refused: message.ErrNoQueue, want: refresh.NeverConnected},
		"too many messages":        {refused: message.ErrQueueFull, want: refresh.NotSent},
		"forgotten":                {steps: []step{pass(10 * time.Minute)}, want: ""},
		"reported after no answer": {steps: []step{pass(2 * time.Minute), reports}, want: refresh.Reported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, 1)
			f.bus.refused = test.refused
			if err := f.ask(0); err != nil {
				t.Fatal(err)
			}
			for _, step := range test.steps {
				step(f)
			}
			if got := f.state(0); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestUnsent checks that an error of the store or the broker is not taken for
// an answer.
func TestUnsent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	f.bus.refused = errors.New("the broker cannot be reached")
	if err := f.ask(0); !errors.Is(err, f.bus.refused) {
		t.Errorf("asking: %v", err)
	}
	if got := f.state(0); got != refresh.NotSent {
		t.Errorf("%q", got)
	}
}

// TestPresence checks what is known of an agent before it is asked.
func TestPresence(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 1)
	for _, p := range []message.Presence{message.Connected, message.Away, message.NeverConnected, message.PresenceUnknown} {
		f.bus.presence = p
		if got := f.Presence(hostID(0)); got != p {
			t.Errorf("%v, want %v", got, p)
		}
	}
	off := refresh.New(f.store, nil)
	if !off.Off() || off.Presence(hostID(0)) != message.PresenceUnknown {
		t.Error("messages are off, and something is known")
	}
	if err := off.AskHost(t.Context(), store.System(), hostID(0)); !errors.Is(err, refresh.ErrOff) {
		t.Errorf("asking: %v", err)
	}
}
