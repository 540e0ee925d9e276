package store

import (
	"context"
	"errors"

	"trento/store/kv"
)

// errChangeInRead reports a mistake in the program: a change was requested with
// the context of a read. The change and the read would wait for each other.
var errChangeInRead = errors.New("store: a change within a read")

type sharedReadKey struct{}

// sharedRead is the read transaction that all reads for one response share.
type sharedRead struct {
	tx        *Tx
	callbacks []func(context.Context)
}

// Reading runs do with a context in which every ViewIn uses the same read. All
// data of a response is therefore from one moment. A change of the store fails
// if it is called with that context. Only one goroutine at a time may use the
// context for reading.
func (s *Store) Reading(ctx context.Context, do func(context.Context) error) error {
	var r sharedRead
	err := s.View(func(tx *Tx) error {
		r.tx = tx
		return do(context.WithValue(ctx, sharedReadKey{}, &r))
	})
	for _, fn := range r.callbacks {
		fn(ctx)
	}
	return err
}

// Views returns how many reads have begun since the start. Tests use it to
// check that a response needs only one read.
func (s *Store) Views() int { return s.db.Views() }

// ViewIn runs fn in the read of the context, or in a new read if the context
// has none.
func (s *Store) ViewIn(ctx context.Context, fn func(*Tx) error) error {
	if r, ok := ctx.Value(sharedReadKey{}).(*sharedRead); ok {
		err := kv.Guard(func() error { return fn(r.tx) })
		if err != nil {
			r.tx.kv.NoteDamage(err)
		}
		return err
	}
	return s.View(fn)
}

// AfterReading runs fn after the read of the context has ended, with the
// context that was passed to Reading. If the context has no read, it runs fn at
// once.
func AfterReading(ctx context.Context, fn func(context.Context)) {
	if r, ok := ctx.Value(sharedReadKey{}).(*sharedRead); ok {
		r.callbacks = append(r.callbacks, fn)
		return
	}
	fn(ctx)
}

// IsReading reports whether the context has a read.
func IsReading(ctx context.Context) bool { return ctx.Value(sharedReadKey{}) != nil }

// refuseInRead returns an error if the context has a read.
func refuseInRead(ctx context.Context) error {
	if IsReading(ctx) {
		return errChangeInRead
	}
	return nil
}
