package store

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/fault"
	"trento/store/kv"
)

// queuedMessages returns all stored messages, in order.
func queuedMessages(t testing.TB, s *Store) (all []QueuedMessage) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		return tx.QueuedMessages(func(m *QueuedMessage) error {
			all = append(all, *m)
			return nil
		})
	})
	return all
}

func queues(t testing.TB, s *Store) (all []Queue) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for q, err := range tx.Queues() {
			if err != nil {
				return err
			}
			all = append(all, *q)
		}
		return nil
	})
	return all
}

func putQueue(t testing.TB, s *Store, name string, bindings ...Binding) {
	t.Helper()
	if err := s.PutQueue(t.Context(), Queue{Name: name, Bindings: bindings}); err != nil {
		t.Fatal(err)
	}
}

// addMessage stores a message and sets its sequence.
func addMessage(t testing.TB, s *Store, m *QueuedMessage) {
	t.Helper()
	var err error
	if m.Sequence, err = s.AddQueuedMessage(t.Context(), *m); err != nil {
		t.Fatal(err)
	}
}

func TestQueuedMessagesOutliveARestart(t *testing.T) {
	dir, clock := t.TempDir(), newClock()
	s := open(t, dir, clock)
	agents := Binding{"trento.checks", "agents"}
	putQueue(t, s, "b", agents)
	putQueue(t, s, "a")
	putQueue(t, s, "ab", agents, Binding{"x", "#"})
	first := QueuedMessage{Queue: "b", ExpiresAt: noon.Add(5 * time.Minute), Exchange: "trento.checks", RoutingKey: "agents", ContentType: "application/x-protobuf", Body: []byte{0, 1, 0xff}}
	second := QueuedMessage{Queue: "b", Body: []byte{}}
	other := QueuedMessage{Queue: "ab", ExpiresAt: noon.Add(time.Microsecond), Body: []byte("body")}
	last := QueuedMessage{Queue: "a", Body: []byte("x")}
	for _, m := range []*QueuedMessage{&first, &other, &second, &last} {
		addMessage(t, s, m)
	}
	shut(t, s)

	s = open(t, dir, clock)
	if diff := cmp.Diff([]QueuedMessage{last, other, first, second}, queuedMessages(t, s)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	want := []Queue{{Name: "a"}, {Name: "ab", Bindings: []Binding{agents, {"x", "#"}}}, {Name: "b", Bindings: []Binding{agents}}}
	if diff := cmp.Diff(want, queues(t, s)); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	next := QueuedMessage{Queue: "a"}
	addMessage(t, s, &next)
	if sequences := []uint64{first.Sequence, other.Sequence, second.Sequence, last.Sequence, next.Sequence}; !slices.IsSorted(sequences) || len(slices.Compact(sequences)) != 5 {
		t.Errorf("sequences %d", sequences)
	}
	if log := entries(t, s); len(log) != 0 {
		t.Errorf("logged %v", typesOf(log))
	}
}

func TestDeleteQueuedMessages(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	putQueue(t, s, "q")
	putQueue(t, s, "q2")
	var ms [4]QueuedMessage
	for i, queue := range []string{"q", "q", "q", "q2"} {
		ms[i] = QueuedMessage{Queue: queue, Body: []byte{byte(i)}}
		addMessage(t, s, &ms[i])
	}
	// The third message is in another queue, and 99 does not exist.
	if err := s.DeleteQueuedMessages(t.Context(), "q", []uint64{ms[0].Sequence, ms[2].Sequence, ms[3].Sequence, 99}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]QueuedMessage{ms[1], ms[3]}, queuedMessages(t, s)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	// The sequence of the last message is not used again after its deletion.
	if err := s.DeleteQueuedMessages(t.Context(), "q2", []uint64{ms[3].Sequence}); err != nil {
		t.Fatal(err)
	}
	next := QueuedMessage{Queue: "q2"}
	if addMessage(t, s, &next); next.Sequence <= ms[3].Sequence {
		t.Errorf("sequence %d after %d", next.Sequence, ms[3].Sequence)
	}
}

func TestDeleteQueue(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	putQueue(t, s, "q")
	putQueue(t, s, "q2")
	gone, kept := QueuedMessage{Queue: "q", Body: []byte("gone")}, QueuedMessage{Queue: "q2", Body: []byte("kept")}
	addMessage(t, s, &gone)
	addMessage(t, s, &kept)
	for range 2 { // the second time it is gone already
		if err := s.DeleteQueue(t.Context(), "q"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]QueuedMessage{kept}, queuedMessages(t, s)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Queue{{Name: "q2"}}, queues(t, s)); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if _, err := s.AddQueuedMessage(t.Context(), gone); !errors.Is(err, ErrNotFound) {
		t.Errorf("a message to a deleted queue: %v", err)
	}
}

func TestPruneQueuedMessages(t *testing.T) {
	clock := newClock()
	s := open(t, t.TempDir(), clock)
	putQueue(t, s, "q")
	soon := QueuedMessage{Queue: "q", ExpiresAt: noon.Add(time.Minute), Body: []byte("soon")}
	late := QueuedMessage{Queue: "q", ExpiresAt: noon.Add(time.Hour), Body: []byte("late")}
	never := QueuedMessage{Queue: "q", Body: []byte("never")}
	for _, m := range []*QueuedMessage{&soon, &late, &never} {
		addMessage(t, s, m)
	}
	for _, step := range []struct {
		after time.Duration
		want  []QueuedMessage
	}{
		{time.Minute - 1, []QueuedMessage{soon, late, never}},
		{1, []QueuedMessage{late, never}},
		{1e6 * time.Hour, []QueuedMessage{never}},
	} {
		clock.advance(step.after)
		if err := s.PruneQueuedMessages(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, queuedMessages(t, s)); diff != "" {
			t.Errorf("%v on (-want +got):\n%s", step.after, diff)
		}
	}
}

// TestUnchangedQueuesWriteNothing checks that calls that change nothing write
// no transaction and so wake no watcher.
func TestUnchangedQueuesWriteNothing(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	binding := Binding{"trento.checks", "agents"}
	putQueue(t, s, "q", binding)
	addMessage(t, s, &QueuedMessage{Queue: "q"})
	changed, stop := s.Watch()
	defer stop()
	select { // ignore earlier changes
	case <-changed:
	default:
	}
	putQueue(t, s, "q", binding)
	for name, err := range map[string]error{
		"delete no messages": s.DeleteQueuedMessages(t.Context(), "q", nil),
		"delete gone ones":   s.DeleteQueuedMessages(t.Context(), "q", []uint64{77}),
		"delete no queue":    s.DeleteQueue(t.Context(), "other"),
		"prune":              s.PruneQueuedMessages(t.Context()),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	select {
	case <-changed:
		t.Error("something was written")
	default:
	}
	putQueue(t, s, "q", binding, Binding{"trento.checks", "other"})
	select {
	case <-changed:
	default:
		t.Error("another binding was not written")
	}
}

func TestNamesOfQueues(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	long := strings.Repeat("q", 255)
	putQueue(t, s, long, Binding{long, long})
	addMessage(t, s, &QueuedMessage{Queue: long, Exchange: long, RoutingKey: long})
	for name, err := range map[string]error{
		"empty queue":         s.PutQueue(t.Context(), Queue{}),
		"long queue":          s.PutQueue(t.Context(), Queue{Name: long + "q"}),
		"zero byte":           s.PutQueue(t.Context(), Queue{Name: "a\x00b"}),
		"no text":             s.PutQueue(t.Context(), Queue{Name: "\xff"}),
		"long exchange":       s.PutQueue(t.Context(), Queue{Name: "a", Bindings: []Binding{{long + "q", ""}}}),
		"long key":            s.PutQueue(t.Context(), Queue{Name: "a", Bindings: []Binding{{"", long + "q"}}}),
		"message's key":       errorOf(s.AddQueuedMessage(t.Context(), QueuedMessage{Queue: long, RoutingKey: long + "q"})),
		"message's exchange":  errorOf(s.AddQueuedMessage(t.Context(), QueuedMessage{Queue: long, Exchange: "\x00"})),
		"message's body type": errorOf(s.AddQueuedMessage(t.Context(), QueuedMessage{Queue: long, ContentType: "\xff"})),
	} {
		if f := fault.Of(err); len(f) != 1 || f[0].Field != "queue" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(queues(t, s)) + len(queuedMessages(t, s)); n != 2 {
		t.Errorf("%d queues and messages", n)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func TestQueuedMessagesEndsWithTheFirstError(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	putQueue(t, s, "q")
	addMessage(t, s, &QueuedMessage{Queue: "q"})
	addMessage(t, s, &QueuedMessage{Queue: "q"})
	calls, wrong := 0, errors.New("wrong")
	view(t, s, func(tx *Tx) error {
		if err := tx.QueuedMessages(func(*QueuedMessage) error { calls++; return wrong }); !errors.Is(err, wrong) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
		return nil
	})
}

// TestAddQueuedMessageAtOnce checks that messages that are added concurrently
// are all stored, each with its own sequence.
func TestAddQueuedMessageAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	putQueue(t, s, "q")
	var group sync.WaitGroup
	var sequences sync.Map
	for i := range 50 {
		group.Go(func() {
			sequence, err := s.AddQueuedMessage(t.Context(), QueuedMessage{Queue: "q", Body: []byte{byte(i)}})
			if _, twice := sequences.LoadOrStore(sequence, byte(i)); twice || err != nil {
				t.Errorf("sequence %d: twice %v, %v", sequence, twice, err)
			}
		})
	}
	group.Wait()
	all := queuedMessages(t, s)
	for _, m := range all {
		if i, ok := sequences.Load(m.Sequence); !ok || m.Body[0] != i {
			t.Errorf("message %+v, want body %v", m, i)
		}
	}
	if len(all) != 50 {
		t.Errorf("%d messages", len(all))
	}
}

func TestVerifyQueuedMessages(t *testing.T) {
	value, err := (&QueuedMessage{Body: []byte("b")}).encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(*Tx) error{
		"no queue":       func(tx *Tx) error { return tx.s.queuedMessages.Put(tx.kv, messageKey("other", 1), value) },
		"later sequence": func(tx *Tx) error { return tx.s.queuedMessages.Put(tx.kv, messageKey("q", math.MaxUint64), value) },
		"short key":      func(tx *Tx) error { return tx.s.queuedMessages.Put(tx.kv, []byte("q"), value) },
		"short value":    func(tx *Tx) error { return tx.s.queuedMessages.Put(tx.kv, messageKey("q", 1), value[:13]) },
		"no JSON": func(tx *Tx) error {
			return tx.s.queuedMessages.Put(tx.kv, messageKey("q", 1), append(kv.Key64(0), 0, 0, 0, 1, '{'))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), newClock())
			putQueue(t, s, "q")
			addMessage(t, s, &QueuedMessage{Queue: "q"})
			if err := s.update(t.Context(), System(), damage); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(); err == nil {
				t.Error("nothing is found")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMigrationOfMessageQueues opens v6.db, which has an API key and a user of
// an identity provider.
func TestMigrationOfMessageQueues(t *testing.T) {
	s := open(t, oldFile(t, "v6.db.gz"), newClock())
	if len(queues(t, s))+len(queuedMessages(t, s)) != 0 {
		t.Error("there are queues or messages")
	}
	putQueue(t, s, "q")
	addMessage(t, s, &QueuedMessage{Queue: "q", Body: []byte("body")})
	view(t, s, func(tx *Tx) error {
		key, err := tx.APIKey()
		if err != nil || key.ExpiresAt == nil || !key.ExpiresAt.Equal(noon.Add(365*24*time.Hour)) {
			t.Errorf("API key %+v, %v", key, err)
		}
		u, err := tx.UserNamed("ann")
		if err != nil || len(u.Identities) != 1 {
			t.Errorf("user %+v, %v", u, err)
		}
		return nil
	})
}

// BenchmarkAddQueuedMessage measures storing a message for one agent on disk.
// Concurrent messages share a commit.
func BenchmarkAddQueuedMessage(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprint(writers, " at once"), func(b *testing.B) {
			s := openForBenchmark(b)
			for i := range 1000 {
				putQueue(b, s, fmt.Sprintf("trento.checks.agents.%04d", i))
			}
			body := make([]byte, 500)
			var n atomic.Int64
			b.SetParallelism(max(1, writers/2)) // goroutines per core; two cores
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					m := QueuedMessage{Queue: fmt.Sprintf("trento.checks.agents.%04d", n.Add(1)%1000), ExpiresAt: time.Now().Add(5 * time.Minute), Exchange: "trento.checks", RoutingKey: "agents", ContentType: "application/x-protobuf", Body: body}
					if _, err := s.AddQueuedMessage(b.Context(), m); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
