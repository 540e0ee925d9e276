package store

import (
	"context"
	"errors"
)

// errReading is a mistake of ours: a change that waits for the read that waits
// for it.
var errReading = errors.New("store: a change within a read")

type readingKey struct{}

// reading is a read that all that is done for one answer has in common.
type reading struct {
	tx    *Tx
	after []func(context.Context)
}

// Reading runs do with a context in which every ViewIn is one and the same
// read, so that what an answer says was all true at one moment. Nothing can be
// changed with that context, and one goroutine at a time may read with it.
func (s *Store) Reading(ctx context.Context, do func(context.Context) error) error {
	var r reading
	err := s.View(func(tx *Tx) error {
		r.tx = tx
		return do(context.WithValue(ctx, readingKey{}, &r))
	})
	for _, fn := range r.after {
		fn(ctx)
	}
	return err
}

// Views is how many reads have begun since the start. Tests hold answers to one.
func (s *Store) Views() int { return s.db.Views() }

// ViewIn runs fn in the read of a context, or in one of its own where the
// context has none.
func (s *Store) ViewIn(ctx context.Context, fn func(*Tx) error) error {
	if r, ok := ctx.Value(readingKey{}).(*reading); ok {
		return fn(r.tx)
	}
	return s.View(fn)
}

// AfterReading runs fn after the read of a context, with the context that the
// read began with; at once where it has none.
func AfterReading(ctx context.Context, fn func(context.Context)) {
	if r, ok := ctx.Value(readingKey{}).(*reading); ok {
		r.after = append(r.after, fn)
		return
	}
	fn(ctx)
}

// IsReading reports whether a context has a read.
func IsReading(ctx context.Context) bool { return ctx.Value(readingKey{}) != nil }

// refuseReading refuses a change with the context of a read.
func refuseReading(ctx context.Context) error {
	if IsReading(ctx) {
		return errReading
	}
	return nil
}
