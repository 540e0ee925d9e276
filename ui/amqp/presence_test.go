package amqp

import (
	"slices"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
)

// TestPresence follows an agent from before its first connection to after its
// last one, and checks that those who watch are told of each step.
func TestPresence(t *testing.T) {
	e := newEndpoint(t)
	changed, stop := e.Watch()
	defer stop()
	last := e.ChangedAfter(0).Last
	// told waits until a change of an agent is told.
	told := func(agent string) {
		t.Helper()
		for {
			next(t, changed)
			since := e.ChangedAfter(last)
			if last = since.Last; slices.Contains(since.Agents, agent) {
				return
			}
		}
	}
	expect := func(want message.Presence) {
		t.Helper()
		if got := e.Presence(ada, message.Discoveries); got != want {
			t.Errorf("presence %d, want %d", got, want)
		}
	}
	expect(message.NeverConnected)
	c := dial(t, e.url())
	ch := openChannel(t, c)
	queue := declare(t, ch, message.Discoveries, ada)
	told(ada)
	expect(message.Away) // its queue waits, but nobody takes from it
	if _, err := ch.Consume(queue, "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	told(ada)
	expect(message.Connected)
	if got := e.Presence(bob, message.Discoveries); got != message.NeverConnected {
		t.Errorf("another agent: %d", got)
	}
	c.Close()
	told(ada)
	expect(message.Away)
	servertest.Soon(t, "the connection is gone", func() bool { return len(e.ConnectionsOf(ada)) == 0 })

	if _, err := rabbitmq.Dial("amqp://trento:wrong@" + e.address); err == nil {
		t.Fatal("a wrong password was accepted")
	}
	servertest.Soon(t, "the refusal is told", func() bool { return e.ChangedAfter(last).Refused })
}

// TestConnectionsOf checks that the connections of one agent are those of the
// list of all, the oldest first.
func TestConnectionsOf(t *testing.T) {
	clock := newClock()
	e := openEndpoint(t, clock.store(t), Options{Now: clock.now})
	for _, kind := range []message.Kind{message.Operations, message.Checks, message.Discoveries} {
		ch := openChannel(t, dial(t, e.url()))
		if _, err := ch.Consume(declare(t, ch, kind, ada), "", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		declare(t, openChannel(t, dial(t, e.url())), kind, bob)
		clock.pass(time.Second)
	}
	var kinds []message.Kind
	for _, c := range e.ConnectionsOf(ada) {
		kinds = append(kinds, c.Receives...)
	}
	if want := []message.Kind{message.Operations, message.Checks, message.Discoveries}; !slices.Equal(kinds, want) {
		t.Errorf("they receive %v, want %v", kinds, want)
	}
	if n := len(e.ConnectionsByAgent()[bob]); n != 3 {
		t.Errorf("%d connections of the other agent", n)
	}
	if n := len(e.ConnectionsOf("nobody")); n != 0 {
		t.Errorf("%d connections of nobody", n)
	}
}

// TestChanges checks what is remembered of changes, and that a reader who is too
// far behind is told so.
func TestChanges(t *testing.T) {
	b := &Broker{}
	start := time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)
	at := func(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }
	for second, agent := range []string{ada, bob, ada, ""} {
		b.changes.add(agent, at(second))
	}
	for number, want := range map[uint64]Changes{
		0: {Last: 4, Agents: []string{ada, bob}, Refused: true},
		2: {Last: 4, Agents: []string{ada}, Refused: true},
		3: {Last: 4, Refused: true},
		4: {Last: 4},
	} {
		got := b.ChangedAfter(number)
		if got.Last != want.Last || !slices.Equal(got.Agents, want.Agents) || got.All || got.Refused != want.Refused {
			t.Errorf("after %d: %+v, want %+v", number, got, want)
		}
	}
	for second, want := range map[int]uint64{-1: 0, 0: 0, 1: 1, 3: 3, 4: 4, 9: 4} {
		if got := b.LastChangeBefore(at(second)); got != want {
			t.Errorf("the last change before second %d is number %d, want %d", second, got, want)
		}
	}
	for second := 4; second < maxChanges; second++ {
		b.changes.add(bob, at(second))
	}
	if got := b.ChangedAfter(0); got.All || len(got.Agents) != 2 {
		t.Errorf("all that are remembered: %+v", got)
	}
	b.changes.add(bob, at(maxChanges))
	if got := b.ChangedAfter(0); !got.All || !got.Refused || got.Last != maxChanges+1 {
		t.Errorf("more than are remembered: %+v", got)
	}
	if got := b.ChangedAfter(b.LastChangeBefore(at(1))); !got.All {
		t.Errorf("since a forgotten time: %+v", got)
	}
}
