package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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

// BenchmarkObserve is a changed report from the decoded observation to the
// disk: host, journal, two entries of the log.
func BenchmarkObserve(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(writers, " agents"), func(b *testing.B) {
			s := openForBenchmark(b)
			var n atomic.Int64
			b.SetParallelism(max(1, writers/2)) // goroutines per core; two cores
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

func BenchmarkUnchanged(b *testing.B) {
	s := openForBenchmark(b)
	r := hostReport("bench")
	r.Body = append(r.Body, make([]byte, 3000)...)
	observe(b, s, r)
	for b.Loop() {
		if !s.Unchanged(r.Body) {
			b.Fatal("not known")
		}
	}
}

func BenchmarkHeartbeat(b *testing.B) {
	s := openForBenchmark(b)
	observe(b, s, hostReport("bench"))
	for b.Loop() {
		if err := s.Heartbeat(b.Context(), agent); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHosts is what a page over all hosts reads.
func BenchmarkHosts(b *testing.B) {
	for _, hosts := range []int{1000, 10000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			s := open(b, b.TempDir(), newClock())
			for i := range hosts {
				observe(b, s, numberedHost(i, 1))
			}
			for b.Loop() {
				n := 0
				view(b, s, func(tx *Tx) error {
					for _, err := range tx.Hosts() {
						if err != nil {
							return err
						}
						n++
					}
					return nil
				})
				if n != hosts {
					b.Fatal(n)
				}
			}
		})
	}
}
