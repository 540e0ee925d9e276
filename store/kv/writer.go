package kv

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"trento/store/failure"
	"trento/store/fault"
)

// maxChangesPerCommit is the largest number of changes in one transaction. It
// limits the memory of a transaction.
const maxChangesPerCommit = 256

const (
	// slowCommit is how long a commit may take before the disk counts as slow.
	slowCommit = 5 * time.Second
	// maxWait is how long a change waits for its turn. On a disk that hangs,
	// changes would otherwise gather without limit.
	maxWait = 20 * time.Second
	// settleTime is how long no commit may have been refused until changes count
	// as possible again. On a disk that is nearly full, small commits succeed
	// between large ones that do not.
	settleTime = 5 * time.Second
)

// job is a change that waits for the writer, or that the writer runs.
type job struct {
	ctx  context.Context
	fn   func(*Tx) error
	tx   *Tx
	err  error
	done chan struct{}
}

// errUnchanged rolls back a transaction that has written nothing, so that it
// needs no sync.
var errUnchanged = errors.New("nothing has changed")

// Update runs a change and returns when the change is on disk. fn may run more
// than once, so it must set its results anew each time. If fn returns an error,
// all writes of fn are undone, and Update returns the error unchanged. A change
// that writes nothing causes no commit.
//
// Update fails with a fault of the kind fault.Unwritable if the disk refuses to
// write the change, or is so slow that the turn of the change does not come. In
// both cases nothing was changed.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	turn := time.NewTimer(maxWait)
	defer turn.Stop()
	select {
	case db.jobs <- j:
		<-j.done // wait for the outcome even if ctx ends
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-db.closing:
		return ErrClosed
	case <-turn.C:
		return &fault.Error{Kind: fault.Unwritable, Detail: "The disk of the server is too slow at the moment.", Cause: errors.New("commits take too long")}
	}
}

// runWriter is the single writer. It commits all waiting changes at once,
// without a timer: while one group is synced, the next group gathers.
// BenchmarkObserve of package store: with 64 concurrent callers, a change takes
// an eighth of the time.
func (db *DB) runWriter() {
	defer close(db.closed)
	for {
		select {
		case j := <-db.jobs:
			db.commitJobs(db.waitingJobs(j))
		case <-db.closing:
			return
		}
	}
}

// waitingJobs returns the first job and all jobs that are waiting.
func (db *DB) waitingJobs(first *job) []*job {
	group := []*job{first}
	for len(group) < maxChangesPerCommit {
		select {
		case j := <-db.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// commitJobs runs a group of jobs in one transaction. If a job fails after it has
// written, its writes cannot be undone separately. The transaction is then
// rolled back, and the other jobs run again without it. If the commit meets a
// damaged page, each job runs alone, because only some of them need the page.
func (db *DB) commitJobs(group []*job) {
	waiting := group
	for {
		failed, err := db.tryCommit(waiting)
		if failed == nil {
			if errors.Is(err, ErrDamaged) && len(group) > 1 {
				for _, j := range group {
					db.commitJobs([]*job{j})
				}
				return
			}
			db.finishJobs(group, err)
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

// tryCommit runs the jobs in one transaction. It returns the job that failed
// after it had written, or else the error of the commit.
func (db *DB) tryCommit(jobs []*job) (failed *job, err error) {
	var committing time.Time // when the commit began; zero before
	var slow *time.Timer
	err = db.updateWithoutWriter(func(tx *Tx) error {
		dirty := false
		for _, j := range jobs {
			if j.err = j.ctx.Err(); j.err != nil {
				continue
			}
			j.tx = db.newTx(tx.bolt)
			j.err = db.noteDamage(runJob(j))
			if j.err != nil && j.tx.hasWritten {
				failed = j
				return j.err
			}
			dirty = dirty || j.tx.hasWritten
		}
		if !dirty {
			return errUnchanged
		}
		committing = time.Now()
		slow = time.AfterFunc(slowCommit, db.reportSlowDisk)
		if db.beforeCommit != nil {
			return db.beforeCommit()
		}
		return nil
	})
	if committing.IsZero() {
		if failed != nil || errors.Is(err, errUnchanged) {
			return failed, nil
		}
		return nil, err
	}
	slow.Stop()
	took := time.Since(committing)
	if db.onCommit != nil {
		db.onCommit(took, err)
	}
	if took < slowCommit {
		db.failures.End(failure.SlowDisk)
	} else {
		db.reportSlowDisk()
	}
	return nil, db.commitError(err)
}

func (db *DB) reportSlowDisk() {
	db.failures.Begin(failure.SlowDisk, failure.Cause{}, fmt.Errorf("a commit has taken longer than %v", slowCommit))
}

// commitError returns the fault for an error of a commit, and tells the failures
// whether changes can be stored.
func (db *DB) commitError(err error) error {
	switch {
	case err == nil:
		if db.refusedAt.IsZero() || time.Since(db.refusedAt) >= settleTime {
			db.failures.End(failure.Writing)
		}
		return nil
	case errors.Is(err, ErrDamaged):
		return db.noteDamage(err)
	}
	db.refusedAt = time.Now()
	cause := failure.DiskCause(err)
	db.failures.Begin(failure.Writing, cause, err)
	return &fault.Error{Kind: fault.Unwritable, Detail: cause.Text, Cause: err}
}

// runJob runs a job and turns a panic into its error, so that the other jobs and
// the writer continue.
func runJob(j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a change: %v\n%s", p, debug.Stack())
		}
	}()
	return Guard(func() error { return j.fn(j.tx) })
}

// finishJobs runs the functions that the jobs have registered, notifies the
// watchers, and ends the waiting of the callers.
func (db *DB) finishJobs(group []*job, err error) {
	changed := false
	for _, j := range group {
		// A change that wrote nothing may have read what others wrote.
		if err != nil && j.err == nil {
			j.err = fmt.Errorf("commit: %w", err)
		}
		if j.err == nil {
			for _, fn := range j.tx.afterCommit {
				fn()
			}
			changed = changed || j.tx.hasWritten
		}
	}
	if changed {
		db.watchers.notifyAll()
	}
	for _, j := range group {
		close(j.done)
	}
}
