package store

import (
	"context"
	"time"

	"trento/store/activity"
	"trento/store/failure"
)

// The clock can be set, by a person, by a time server after a long time without
// one, or because a machine was suspended. How much time has passed is therefore
// measured with Options.Elapsed, which nobody can set. The positions of the
// activity log only grow, whatever the clock says.

const (
	// minClockChange is the smallest change of the clock that is noticed.
	// Corrections by a time server are smaller.
	minClockChange = time.Minute
	// clockTrustDelay is how long after the clock went forward nothing is deleted
	// because of its age. A clock that went wrong is corrected meanwhile.
	clockTrustDelay = time.Hour
)

// elapsedSince returns a function that tells the time since now. The clock of a
// test is never set, unless the test says so with Options.Elapsed.
func elapsedSince(now func() time.Time) func() time.Duration {
	start := now()
	return func() time.Duration { return now().Sub(start) }
}

// CheckClock logs if the clock was set since the last call.
func (s *Store) CheckClock(ctx context.Context) error {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	now, elapsed := s.Now().Round(0), s.options.Elapsed()
	expected := s.clock.checkedAt.Add(elapsed - s.clock.checkedElapsed)
	change := now.Sub(expected)
	s.clock.checkedAt, s.clock.checkedElapsed = now, elapsed
	if change.Abs() < minClockChange {
		return nil
	}
	if change > 0 {
		s.clock.trustedFrom = elapsed + clockTrustDelay
	}
	s.options.Log.Warn("the clock of the machine was set; times in the activity log before and after cannot be compared", "before", expected.UTC(), "after", now.UTC())
	err := s.AppendActivity(ctx, System(), &activity.ClockChange{Before: expected.UTC().Truncate(time.Second), After: now.UTC().Truncate(time.Second)})
	if isUnwritable(err) && s.failures.Has(failure.Writing) {
		return nil // the log of the server has it
	}
	return err
}

// TrustsClock reports whether old data may be deleted because of its age. It may
// not for an hour after the clock went forward.
func (s *Store) TrustsClock(ctx context.Context) (bool, error) {
	err := s.CheckClock(ctx)
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	return s.options.Elapsed() >= s.clock.trustedFrom, err
}
