package api

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// The limits of bodies, in bytes.
const (
	maxBody = 8_000_000
	// maxSmallBody is the largest body of somebody who has proven nothing, and
	// the largest form.
	maxSmallBody = 64 << 10
	// The budgets are what bodies may hold together until their requests are
	// answered. Those of strangers have one of their own, so that agents and
	// users do not wait for them.
	knownBudget     = 48 << 20
	strangersBudget = 16 << 20
	// firstReserve is what is set aside for a body whose length nobody knows; what
	// it needs beyond that is doubled step by step.
	firstReserve = 64 << 10
)

// The limits of bodies in time.
const (
	// bodyTime is how long a small body may take to arrive. A larger one of
	// somebody who is known may take a second more for every slowestRate bytes.
	bodyTime    = 5 * time.Second
	slowestRate = 160 << 10
	// budgetWait is how long a body waits for its part of the budget.
	budgetWait = 10 * time.Second
	// knownGrace is how long a body of somebody who is known may take before it
	// is closed in favour of another one.
	knownGrace = 2 * time.Second
)

// ExpectBody gives a request the time of a small body from now on.
func ExpectBody(w http.ResponseWriter) { setReadDeadline(w, time.Now().Add(bodyTime)) }

// setReadDeadline ends the reading of a request at a time; the zero time stands for
// none. Not all writers can do that: those of tests have no connection.
func setReadDeadline(w http.ResponseWriter, end time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(end)
}

// bodies reads the bodies of one kind of clients.
type bodies struct {
	limit  int64 // of one body
	budget *budget
}

// budget is the memory that bodies may hold together.
type budget struct {
	size  int64
	grace time.Duration // how long a body may be read before it has to make room
	free  *semaphore.Weighted

	mu      sync.Mutex
	reading list.List // of *body, the oldest first
}

func newBudget(size int64, grace time.Duration) *budget {
	return &budget{size: size, grace: grace, free: semaphore.NewWeighted(size)}
}

// body is a body of a request and what it holds of the budget.
type body struct {
	text   bodyBytes
	budget *budget
	w      http.ResponseWriter
	begun  time.Time
	cancel context.CancelFunc // ends the wait for the budget

	// Guarded by the budget while the body is read:
	place  *list.Element
	held   int64
	closed bool // in favour of another one
}

// receive reads the body of a request and makes it the body that handlers
// find. It fails with errTooLarge, with errBadRequest where it broke off or did
// not come in time, and with errBusy where there was no room for it. The body
// is to be done with whether receive fails or not.
func (bs bodies) receive(w http.ResponseWriter, r *http.Request) (*body, error) {
	if r.ContentLength > bs.limit {
		return nil, tooLarge(w)
	}
	if r.ContentLength == 0 {
		r.Body = bodyBytes(nil)
		return &body{}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), budgetWait)
	defer cancel()
	b := &body{budget: bs.budget, begun: time.Now(), cancel: cancel, w: w}
	bs.budget.add(b)
	err := b.read(ctx, r, bs.limit)
	if bs.budget.remove(b) {
		return b, errBusy
	}
	if err != nil { // what is left of it still has to come in time
		return b, err
	}
	setReadDeadline(w, time.Time{})
	r.Body = b.text
	return b, nil
}

// tooLarge refuses the rest of a body with its connection.
func tooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return errTooLarge
}

// read reads the body step by step, never more than was set aside for it.
func (b *body) read(ctx context.Context, r *http.Request, limit int64) error {
	// One byte more than the body shows that it ends.
	step := r.ContentLength + 1
	if r.ContentLength < 0 {
		step = min(firstReserve, limit+1)
	}
	var text bytes.Buffer
	for {
		if err := b.reserve(ctx, step); err != nil {
			return err
		}
		if limit > maxSmallBody {
			setReadDeadline(b.w, b.begun.Add(bodyTime+time.Duration(b.held/slowestRate)*time.Second))
		}
		text.Grow(int(step) + bytes.MinRead)
		_, err := io.CopyN(&text, r.Body, step)
		switch {
		case int64(text.Len()) > limit:
			return tooLarge(b.w)
		case errors.Is(err, io.EOF):
			b.text = text.Bytes()
			return nil
		case err != nil: // it broke off
			return errBadRequest
		}
		step = min(b.held, limit+1-b.held)
	}
}

// reserve sets memory aside for the body. Where there is none left, the oldest
// body that is still being read makes room.
func (b *body) reserve(ctx context.Context, size int64) error {
	if !b.budget.free.TryAcquire(size) {
		b.budget.closeOldest(b, size)
		if b.budget.free.Acquire(ctx, size) != nil {
			return errBusy
		}
	}
	b.budget.mu.Lock()
	defer b.budget.mu.Unlock()
	b.held += size
	return nil
}

// done gives back what the body holds. There may be no body.
func (b *body) done() {
	if b == nil || b.held == 0 {
		return
	}
	b.budget.free.Release(b.held)
	b.held = 0
}

func (g *budget) add(b *body) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.place = g.reading.PushBack(b)
}

// remove says that a body is not read any more, and reports whether it was
// closed.
func (g *budget) remove(b *body) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reading.Remove(b.place)
	return b.closed
}

// closeOldest closes bodies that are being read for too long, the oldest first,
// until they hold enough for another one.
func (g *budget) closeOldest(forBody *body, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for place := g.reading.Front(); place != nil && size > 0; place = place.Next() {
		b := place.Value.(*body)
		if b == forBody || time.Since(b.begun) < g.grace {
			return // whoever comes behind has begun later
		}
		if b.held == 0 {
			continue
		}
		if !b.closed {
			b.closed = true
			b.cancel()
			setReadDeadline(b.w, time.Now())
		}
		size -= b.held
	}
}
