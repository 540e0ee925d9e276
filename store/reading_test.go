package store_test

import (
	"context"
	"testing"

	"trento/store"
	"trento/store/storetest"
)

// TestReading checks that all reads for one response use the same transaction,
// that changes are refused during it, and that callbacks run after it.
func TestReading(t *testing.T) {
	s := storetest.Open(t)
	var steps []string
	before := s.Views()
	err := s.Reading(t.Context(), func(ctx context.Context) error {
		store.AfterReading(ctx, func(ctx context.Context) {
			steps = append(steps, "after")
			if err := s.AddTag(ctx, store.System(), store.HostTag, "h", "after"); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			if err := s.ViewIn(ctx, func(tx *store.Tx) error {
				steps = append(steps, "read")
				return nil
			}); err != nil {
				return err
			}
		}
		if err := s.AddTag(ctx, store.System(), store.HostTag, "h", "within"); err == nil {
			t.Error("a change within a read: it may wait for itself")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Views() - before; n != 1 || len(steps) != 3 || steps[2] != "after" {
		t.Errorf("%d reads, %v", n, steps)
	}
}
