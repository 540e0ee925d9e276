package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

// maxGroup is how many changes share one commit at most. It bounds what a
// single transaction holds in memory.
const maxGroup = 256

// job is one change on its way through the writer.
type job struct {
	ctx  context.Context
	by   Actor
	fn   func(*Tx) error
	tx   *Tx
	err  error
	done chan struct{}
}

// errUnchanged rolls a transaction back that has nothing to write, so that it
// costs no sync.
var errUnchanged = errors.New("nothing has changed")

// update runs a change and returns when it is on disk. fn may be run more than
// once: it must set its results anew each time. An error of fn undoes
// all that fn wrote and is returned as it is.
func (s *Store) update(ctx context.Context, by Actor, fn func(*Tx) error) error {
	j := &job{ctx: ctx, by: by, fn: fn, done: make(chan struct{})}
	select {
	case s.jobs <- j:
		<-j.done // the outcome must be known, whatever becomes of ctx
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
}

// write is the single writer. It commits whatever is queued, without a timer:
// while one group is being synced, the next one gathers.
func (s *Store) write() {
	defer close(s.closed)
	for {
		select {
		case j := <-s.jobs:
			s.commit(s.gather(j))
		case <-s.closing:
			return
		}
	}
}

func (s *Store) gather(first *job) []*job {
	group := []*job{first}
	yielded := false
	for len(group) < maxGroup {
		select {
		case j := <-s.jobs:
			group, yielded = append(group, j), false
		default:
			if yielded {
				return group
			}
			// Those whose changes have just been committed may be about to
			// bring the next ones.
			runtime.Gosched()
			yielded = true
		}
	}
	return group
}

// commit runs a group in one transaction. A change that fails after it has
// written something cannot be undone alone: the transaction is rolled back,
// and the others run again without it.
func (s *Store) commit(group []*job) {
	waiting := group
	for {
		failed, err := s.try(waiting)
		if failed == nil {
			s.finish(group, err)
			return
		}
		rest := make([]*job, 0, len(waiting)-1)
		for _, j := range waiting {
			if j != failed {
				rest = append(rest, j)
			}
		}
		waiting = rest
	}
}

// try runs the jobs in one transaction. It returns the job that spoilt it, if
// one did, and else what became of the commit.
func (s *Store) try(jobs []*job) (failed *job, err error) {
	err = s.db.Update(func(btx *bolt.Tx) error {
		dirty := false
		for _, j := range jobs {
			if j.err = j.ctx.Err(); j.err != nil {
				continue
			}
			j.tx = &Tx{s: s, btx: btx, by: j.by, now: s.Now().UTC()}
			j.err = run(j)
			if j.err != nil && j.tx.dirty {
				failed = j
				return j.err
			}
			dirty = dirty || j.tx.dirty
		}
		if !dirty {
			return errUnchanged
		}
		return nil
	})
	if failed != nil || errors.Is(err, errUnchanged) {
		return failed, nil
	}
	return nil, err
}

// run turns a panic of one change into its error, so that it cannot take the
// others, or the writer, with it.
func run(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in a change: %v\n%s", p, debug.Stack())
		}
	}()
	return j.fn(j.tx)
}

// finish lets the rest of the process know: first what the changes asked for,
// then those who watch, then the callers.
func (s *Store) finish(group []*job, err error) {
	changed := false
	for _, j := range group {
		if err != nil && j.err == nil {
			j.err = fmt.Errorf("store: commit: %w", err)
		}
		if j.err == nil {
			for _, after := range j.tx.after {
				after()
			}
			changed = changed || j.tx.dirty
		}
	}
	if changed {
		s.watchers.poke()
	}
	for _, j := range group {
		close(j.done)
	}
}
