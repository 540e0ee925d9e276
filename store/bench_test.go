package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/s2"

	"trento/store/activity"
	"trento/store/discovery"
	"trento/store/discovery/fleet"
	"trento/store/kv"
	"trento/store/landscape"
)

// openForBenchmark opens a store that waits for the disk, as in production.
func openForBenchmark(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.TempDir(), Options{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func numberedHost(i, revision int) Report {
	r := hostReport(fmt.Sprintf("bench%05d", i))
	r.Observation.Agent = landscape.HostID(fmt.Sprintf("%08d%s", i, agent[8:]))
	r.Observation.Host.CPUCount = revision
	r.Body = fmt.Append(nil, i, "/", revision)
	return r
}

// BenchmarkObserve measures a changed report, from the decoded observation to
// the disk: a host, its journal entry and two log entries.
func BenchmarkObserve(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers, " agents"), func(b *testing.B) {
			s := openForBenchmark(b)
			var n atomic.Int64
			b.SetParallelism(max(1, writers/2)) // goroutines per core, on two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := int(n.Add(1))
					if err := s.Observe(b.Context(), numberedHost(i%1000, i)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// fleetReports returns the reports of a fleet, one host after the other.
func fleetReports(b *testing.B, f *fleet.Fleet) (reports []Report) {
	b.Helper()
	for _, h := range f.Hosts() {
		for _, r := range h.Reports() {
			reports = append(reports, decodeReport(b, r.Body))
		}
	}
	return reports
}

func decodeReport(b *testing.B, body []byte) Report {
	envelope, err := discovery.Open(body)
	if err != nil {
		b.Fatal(err)
	}
	seen, err := discovery.Decode(envelope)
	if err != nil {
		b.Fatal(err)
	}
	return Report{seen, body}
}

// BenchmarkUnchanged measures an unchanged report, recognised by the hash of
// its body or by its content.
func BenchmarkUnchanged(b *testing.B) {
	s := openForBenchmark(b)
	reports := fleetReports(b, fleet.New(1, 50))
	for range 2 { // reports that came too early are accepted the second time
		for _, r := range reports {
			if err := s.Observe(b.Context(), r); err != nil && !errors.Is(err, ErrNotFound) {
				b.Fatal(err)
			}
		}
	}
	reports = slices.DeleteFunc(reports, func(r Report) bool { return !s.Unchanged(r.Body) })
	b.Run("hash", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if !s.Unchanged(reports[i%len(reports)].Body) {
				b.Fatal("not known")
			}
		}
	})
	b.Run("decoded", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := s.Observe(b.Context(), decodeReport(b, reports[i%len(reports)].Body)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHeartbeat measures a heartbeat that is kept in memory, and one that
// is written.
func BenchmarkHeartbeat(b *testing.B) {
	s := openForBenchmark(b)
	observe(b, s, hostReport("bench"))
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			if err := s.Heartbeat(b.Context(), agent); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("written", func(b *testing.B) {
		for b.Loop() {
			if err := s.update(b.Context(), System(), func(tx *Tx) error { return tx.putHeartbeat(agent, tx.now) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHealthChange measures an entry of the log that changes the health of
// one of 1,000 hosts, beside one that changes nothing, the history of a host
// with 10,000 changes, and the seek that tells since when a host has its health.
func BenchmarkHealthChange(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	id := func(i int) string { return fmt.Sprintf("%08d%s", i%1000, agent[8:]) }
	log := func(b *testing.B, eventOf func(i int) activity.Event) {
		changes := 0
		for b.Loop() {
			changes++
			if err := s.update(b.Context(), System(), func(tx *Tx) error { return tx.log(activity.System, eventOf(changes)) }); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("no change", func(b *testing.B) {
		log(b, func(i int) activity.Event {
			return &activity.HostSaptuneHealthChanged{AboutHost: activity.AboutHost{HostID: id(i)}, Health: []string{"warning", "critical"}[i/1000%2]}
		})
	})
	b.Run("change", func(b *testing.B) {
		log(b, func(i int) activity.Event {
			return &activity.HostHealthChanged{AboutHost: activity.AboutHost{HostID: id(i)}, Health: []string{"warning", "critical"}[i/1000%2]}
		})
	})
	b.Run("10000 changes of one host", func(b *testing.B) {
		err := s.update(b.Context(), System(), func(tx *Tx) error {
			thing, _ := healthThingOf(activity.HostThing, string(agent))
			for i := range 10_000 {
				c := HealthChange{Position: tx.Newest() + activity.Position(i)<<20, HealthState: landscape.HealthState{Health: healthFlags[1+i%3], Registered: true}}
				if err := tx.s.healthChanges.Put(tx.kv, thing.key(c.Position), c.encode()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		view(b, s, func(tx *Tx) error {
			for b.Loop() {
				all := tx.HealthIntervals(activity.HostThing, string(agent), noon, noon.Add(30*24*time.Hour))
				landscape.AvailabilityOf(all)
				landscape.HealthStrip(all, 96)
			}
			return nil
		})
	})
	b.Run("since", func(b *testing.B) {
		view(b, s, func(tx *Tx) error {
			for i := 0; b.Loop(); i++ {
				tx.HealthSince(activity.HostThing, id(i))
			}
			return nil
		})
	})
}

// BenchmarkHosts measures the read of a page over all hosts.
func BenchmarkHosts(b *testing.B) {
	for _, hosts := range []int{1000, 10000} {
		s := open(b, b.TempDir(), newClock())
		for i := range hosts {
			observe(b, s, numberedHost(i, 1))
		}
		cachedAndNot(b, s, fmt.Sprint(hosts, " hosts "), func(tx *Tx) error {
			n := 0
			for _, err := range tx.Hosts() {
				if err != nil {
					return err
				}
				n++
			}
			if n != hosts {
				b.Fatal(n)
			}
			return nil
		})
	}
}

// cachedAndNot measures a read with the caches and without them. It runs the
// second one inside a change, which does not use the caches.
func cachedAndNot(b *testing.B, s *Store, name string, read func(*Tx) error) {
	repeat := func(b *testing.B) func(*Tx) error {
		return func(tx *Tx) error {
			for b.Loop() {
				if err := read(tx); err != nil {
					return err
				}
			}
			return nil
		}
	}
	b.Run(name+"decoded", func(b *testing.B) {
		if err := s.update(b.Context(), System(), repeat(b)); err != nil {
			b.Fatal(err)
		}
	})
	b.Run(name+"cached", func(b *testing.B) {
		view(b, s, read)
		view(b, s, repeat(b))
	})
}

func benchmarkUser(b *testing.B, s *Store) *User {
	b.Helper()
	u, err := s.CreateUser(b.Context(), System(), newUser("ada"))
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// BenchmarkSession measures the read of a session, as every request of a
// browser does it.
func BenchmarkSession(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	in := session(s, benchmarkUser(b, s).ID, 1)
	if _, err := s.SignIn(b.Context(), in); err != nil {
		b.Fatal(err)
	}
	cachedAndNot(b, s, "", func(tx *Tx) error {
		_, err := tx.Session(in.Hash)
		return err
	})
}

// BenchmarkEntries measures the read of the first page of the log.
func BenchmarkEntries(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	for i := range 100 {
		observe(b, s, numberedHost(i, 1))
	}
	cachedAndNot(b, s, "", func(tx *Tx) error {
		n := 0
		for _, err := range tx.EntriesBack(0, tx.Newest()) {
			if err != nil {
				return err
			}
			if n++; n == 20 {
				break
			}
		}
		return nil
	})
}

// BenchmarkEntrySize measures the size of an entry in bytes: as it is stored,
// with each part of the encoding switched off in turn, and as JSON.
func BenchmarkEntrySize(b *testing.B) {
	c := newClock()
	s := open(b, b.TempDir(), c)
	f := fleet.New(1, 50)
	for range 20 {
		for _, r := range fleetReports(b, f) {
			if err := s.Observe(b.Context(), r); err != nil && !errors.Is(err, ErrNotFound) {
				b.Fatal(err)
			}
		}
		c.advance(10 * time.Second)
		f.Step(c.Now())
	}
	log, noIDs := entries(b, s), s2.MakeDict(metadataDictionary1, nil)
	head := make(map[*activity.Entry]int) // bytes in front of the metadata
	view(b, s, func(tx *Tx) error {
		for _, e := range log {
			head[e] = len(s.entries.Get(tx.kv, e.Position.Key())) - len(s.metadataDictionary.Encode(nil, e.Metadata))
		}
		return nil
	})
	for name, size := range map[string]func(*activity.Entry) int{
		"stored":        func(e *activity.Entry) int { return head[e] + len(s.metadataDictionary.Encode(nil, e.Metadata)) },
		"ids as text":   func(e *activity.Entry) int { return head[e] + len(noIDs.Encode(nil, e.Metadata)) },
		"no dictionary": func(e *activity.Entry) int { return head[e] + len(kv.Compress(nil, e.Metadata)) },
		"type as text": func(e *activity.Entry) int {
			return head[e] + len(e.Type) + len(s.metadataDictionary.Encode(nil, e.Metadata))
		},
		"JSON": func(e *activity.Entry) int {
			document, err := json.Marshal(e)
			if err != nil {
				b.Fatal(err)
			}
			return len(document)
		},
	} {
		b.Run(name, func(b *testing.B) {
			total := 0
			for b.Loop() {
				total = 0
				for _, e := range log {
					total += size(e)
				}
			}
			b.ReportMetric(float64(total)/float64(len(log)), "B/entry")
		})
	}
}

// BenchmarkChangedAfter measures how long it takes to find the last change of
// many records: with the journal, and by reading all records.
func BenchmarkChangedAfter(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	for i := range 10000 {
		observe(b, s, numberedHost(i, 1))
	}
	last := lastChange(b, s)
	b.Run("journal", func(b *testing.B) {
		for b.Loop() {
			view(b, s, func(tx *Tx) error {
				changes, err := tx.ChangedAfter(last-1, 100)
				if len(changes) != 1 {
					b.Fatal(changes)
				}
				return err
			})
		}
	})
	b.Run("records", func(b *testing.B) {
		for b.Loop() {
			view(b, s, func(tx *Tx) error {
				n := 0
				for _, stored := range s.hosts.Scan(tx.kv, nil, nil) {
					if binary.BigEndian.Uint64(stored) >= last {
						n++
					}
				}
				if n != 1 {
					b.Fatal(n)
				}
				return nil
			})
		}
	})
}

// BenchmarkTokenUses reads and counts the uses of one token among many.
func BenchmarkTokenUses(b *testing.B) {
	s := open(b, b.TempDir(), newClock())
	user := benchmarkUser(b, s)
	other := uuid.NewString()
	for i := range 20000 {
		u := TokenUse{UserID: user.ID, At: s.Now(), TokenID: other, TokenName: "other", Method: "GET", Path: "/api/v1/hosts", Status: 200, Via: "bearer"}
		s.NoteTokenUse(u)
		if i%5000 == 4999 {
			if err := s.FlushTokenUses(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	count := func(name string, read func(*Tx) error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				view(b, s, read)
			}
		})
	}
	count("of one token", func(tx *Tx) error { _, _, err := tx.TokenUses(user.ID, uuid.NewString(), 0, 20); return err })
	count("of one token decoded", func(tx *Tx) error {
		for key, value := range s.tokenUses.ScanPrefix(tx.kv, tokenUseKey(user.ID, 0)[:userKeySize]) {
			if len(key) != userKeySize {
				if _, err := decodeTokenUse(key, value); err != nil {
					return err
				}
			}
		}
		return nil
	})
	count("counted", func(tx *Tx) error { tx.countTokenUses(user.ID); return nil })
	count("walked", func(tx *Tx) error { s.tokenUses.Count(tx.kv); return nil })
}
