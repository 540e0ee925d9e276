package api

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// The limits of bodies, in bytes.
const (
	maxBody = 8_000_000
	// maxSmallBody is the largest body of a client that may not use the route,
	// or of a public route, and the largest form.
	maxSmallBody = 64 << 10
	// maxMessage is the largest form with a message of an identity provider.
	maxMessage = 512 << 10
	// The budgets limit the memory of all bodies together, until their requests
	// are answered. Clients that are not permitted have their own budget, so
	// that agents and users do not wait for them.
	permittedBudget     = 48 << 20
	unknownClientBudget = 16 << 20
	// firstReserve is the memory that is reserved first for a body of unknown
	// length. Each further step doubles it.
	firstReserve = 64 << 10
)

// The limits of bodies in time.
const (
	// bodyTimeout is how long a small body may take to arrive. A larger body of
	// an agent or user may take a second more for every slowestRate bytes.
	bodyTimeout = 5 * time.Second
	slowestRate = 160 << 10
	// budgetTimeout is how long a body waits for memory of its budget.
	budgetTimeout = 10 * time.Second
	// permittedGrace is how long a body of an agent or user is read before it
	// may be closed to make room for another body.
	permittedGrace = 2 * time.Second
)

// ExpectBody sets the read deadline of a request to bodyTimeout from now.
func ExpectBody(w http.ResponseWriter) { setReadDeadline(w, time.Now().Add(bodyTimeout)) }

// setReadDeadline sets the read deadline of a request; the zero time removes
// it. An error is ignored: it only occurs in tests, where requests have no
// connection.
func setReadDeadline(w http.ResponseWriter, end time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(end)
}

// bodyReader reads the bodies of one kind of clients.
type bodyReader struct {
	limit  int64 // largest size of a body
	budget *memoryBudget
}

// memoryBudget limits the memory of several bodies together.
type memoryBudget struct {
	size  int64
	grace time.Duration // how long a body is read before it may be closed for another one
	free  *semaphore.Weighted
	inUse atomic.Int64 // what is not free

	mu         sync.Mutex
	openBodies list.List // bodies being read, as *body, oldest first
}

func newBudget(size int64, grace time.Duration) *memoryBudget {
	return &memoryBudget{size: size, grace: grace, free: semaphore.NewWeighted(size)}
}

// BodyBytes returns the memory that the bodies of requests use now: those of
// agents and users, and those of others.
func (a *API) BodyBytes() (known, unknown int64) {
	return a.permittedBodies.budget.inUse.Load(), a.unknownBodies.budget.inUse.Load()
}

// body is the body of a request, with its share of the budget.
type body struct {
	text    bodyBytes
	budget  *memoryBudget
	w       http.ResponseWriter
	begunAt time.Time
	cancel  context.CancelFunc // ends the wait for memory

	// While the body is being read, budget.mu guards the fields below.
	element   *list.Element
	heldBytes int64
	closed    bool // closed to make room for another body
}

// receive reads the body of a request and puts it back into the request. It
// fails with errTooLarge, with errBadRequest if the body broke off or was too
// slow, and with errBusy if the budget had no memory for it. The caller must
// call done on the returned body in any case.
func (bs bodyReader) receive(w http.ResponseWriter, r *http.Request) (*body, error) {
	if r.ContentLength > bs.limit {
		return nil, refuseTooLarge(w)
	}
	if r.ContentLength == 0 {
		r.Body = bodyBytes(nil)
		return &body{}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), budgetTimeout)
	defer cancel()
	b := &body{budget: bs.budget, begunAt: time.Now(), cancel: cancel, w: w}
	bs.budget.add(b)
	err := b.read(ctx, r, bs.limit)
	if bs.budget.remove(b) {
		return b, errBusy
	}
	if err != nil { // the deadline stays, for the rest of the body
		return b, err
	}
	setReadDeadline(w, time.Time{})
	r.Body = b.text
	return b, nil
}

// refuseTooLarge refuses a body. It closes the connection, so that the rest of the
// body is not read.
func refuseTooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return errTooLarge
}

// read reads the body step by step. It reserves memory before each step.
func (b *body) read(ctx context.Context, r *http.Request, limit int64) error {
	// Trying to read one more byte shows whether the body ends where it should.
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
			setReadDeadline(b.w, b.begunAt.Add(bodyTimeout+time.Duration(b.heldBytes/slowestRate)*time.Second))
		}
		text.Grow(int(step) + bytes.MinRead)
		_, err := io.CopyN(&text, r.Body, step)
		switch {
		case int64(text.Len()) > limit:
			return refuseTooLarge(b.w)
		case errors.Is(err, io.EOF):
			b.text = text.Bytes()
			return nil
		case err != nil: // the body broke off
			return errBadRequest
		}
		step = min(b.heldBytes, limit+1-b.heldBytes)
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
	b.budget.inUse.Add(size)
	b.budget.mu.Lock()
	defer b.budget.mu.Unlock()
	b.heldBytes += size
	return nil
}

// releaseMemory returns the memory of the body to the budget. It can be called on nil.
func (b *body) releaseMemory() {
	if b == nil || b.heldBytes == 0 {
		return
	}
	b.budget.inUse.Add(-b.heldBytes)
	b.budget.free.Release(b.heldBytes)
	b.heldBytes = 0
}

func (g *memoryBudget) add(b *body) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b.element = g.openBodies.PushBack(b)
}

// remove takes a body off the list of the bodies that are being read, and
// reports whether closeOldest has closed it.
func (g *memoryBudget) remove(b *body) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.openBodies.Remove(b.element)
	return b.closed
}

// closeOldest closes bodies until they hold size bytes, so that their memory is
// enough for another body. It closes the oldest first, and none that has been
// read for less than the grace.
func (g *memoryBudget) closeOldest(forBody *body, size int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for place := g.openBodies.Front(); place != nil && size > 0; place = place.Next() {
		b := place.Value.(*body)
		if b == forBody || time.Since(b.begunAt) < g.grace {
			return // the following ones have begun later
		}
		if b.heldBytes == 0 {
			continue
		}
		if !b.closed {
			b.closed = true
			b.cancel()
			setReadDeadline(b.w, time.Now())
		}
		size -= b.heldBytes
	}
}
