package kv

import (
	"testing"
)

// BenchmarkAppend measures the bytes of the file for each appended value, with
// a few values in each commit.
func BenchmarkAppend(b *testing.B) {
	value := make([]byte, 160)
	for name, put := range map[string]func(*Bucket, *Tx, []byte, []byte) error{"Append": (*Bucket).Append, "Put": (*Bucket).Put} {
		b.Run(name, func(b *testing.B) {
			f := open(b, newPath(b))
			n := uint64(0)
			for b.Loop() {
				err := f.Update(b.Context(), func(tx *Tx) error {
					for range 10 {
						n++
						if err := put(f.plain, tx, Key64(n), value); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			var pages int
			f.view(b, func(tx *Tx) error {
				stats := f.plain.boltBucket(tx).Stats()
				pages = stats.BranchAlloc + stats.LeafAlloc
				return nil
			})
			b.ReportMetric(float64(pages)/float64(n), "B/value")
		})
	}
}
