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
	// maxSmallBody is the largest body of a client that is not permitted or on a
	// public route, and the largest form.
	maxSmallBody = 64 << 10
	// maxMessage is the largest form that brings a message of an identity provider.
	maxMessage = 512 << 10
	// The budgets limit the memory of all bodies together, until their requests
	// are answered. Strangers have a budget of their own, so that agents and users
	// do not wait for them.
	knownBudget     = 48 << 20
	strangersBudget = 16 << 20
	// firstReserve is the memory reserved first for a body of unknown length. Each
	// further step doubles it.
	firstReserve = 64 << 10
)

// The limits of bodies in time.
const (
	// bodyTime is how long a small body may take to arrive. A larger one of an
	// agent or user may take a second more for every slowestRate bytes.
	bodyTime    = 5 * time.Second
	slowestRate = 160 << 10
	// budgetWait is how long a body waits for its part of the budget.
	budgetWait = 10 * time.Second
	// knownGrace is how long a body of an agent or user is read before it can be
	// closed to make room for another one.
	knownGrace = 2 * time.Second
)

// ExpectBody sets the read deadline of a request to bodyTime from now.
func ExpectBody(w http.ResponseWriter) { setReadDeadline(w, time.Now().Add(bodyTime)) }

// setReadDeadline sets the read deadline of a request; the zero time removes it.
// It has no effect on the recorders of tests, which have no connection.
func setReadDeadline(w http.ResponseWriter, end time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(end)
}

// bodies reads the bodies of one kind of clients.
type bodies struct {
	limit  int64 // largest size of a body
	budget *budget
}

// budget limits the memory that bodies hold together.
type budget struct {
	size  int64
	grace time.Duration // how long a body is read before it can be closed for another one
	free  *semaphore.Weighted

	mu      sync.Mutex
	reading list.List // of *body, the oldest first
}

func newBudget(size int64, grace time.Duration) *budget {
	return &budget{size: size, grace: grace, free: semaphore.NewWeighted(size)}
}

// body is the body of a request, with its share of the budget.
type body struct {
	text   bodyBytes
	budget *budget
	w      http.ResponseWriter
	begun  time.Time
	cancel context.CancelFunc // ends the wait for the budget

	// The budget guards the members below while the body is read.
	place  *list.Element
	held   int64
	closed bool // to make room for another one
}

// receive reads the body of a request and puts it into the request. It fails
// with errTooLarge, with errBadRequest if the body broke off or was too slow, and
// with errBusy if there was no memory for it. The caller calls done on the
// returned body in any case.
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
	if err != nil { // the deadline stays, for what is left of the body
		return b, err
	}
	setReadDeadline(w, time.Time{})
	r.Body = b.text
	return b, nil
}

// tooLarge refuses a body. The connection is closed, so its rest is not read.
func tooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return errTooLarge
}

// read reads the body step by step. It reserves memory before each step.
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
		case err != nil: // the body broke off
			return errBadRequest
		}
		step = min(b.held, limit+1-b.held)
	}
}

// reserve reserves memory for the body. If none is left, it closes the oldest
// bodies that are still being read, and waits.
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

// done returns the memory of the body to the budget. It can be called on nil.
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

// remove takes a body off the list of those being read, and reports whether it
// was closed.
func (g *budget) remove(b *body) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reading.Remove(b.place)
	return b.closed
}

// closeOldest closes bodies that have been read for longer than the grace, the
// oldest first, until they hold enough memory for another one.
func (g *budget) closeOldest(forBody *body, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for place := g.reading.Front(); place != nil && size > 0; place = place.Next() {
		b := place.Value.(*body)
		if b == forBody || time.Since(b.begun) < g.grace {
			return // those that follow have begun later
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
