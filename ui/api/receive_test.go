package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// receiver is a server that reads bodies and answers with their length. Those
// that begin with h are held until release is closed.
func receiver(t *testing.T, bs bodyReader) (address string, release chan struct{}) {
	t.Helper()
	release = make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ExpectBody(w)
		b, err := bs.receive(w, r)
		defer b.releaseMemory()
		if err != nil {
			w.WriteHeader(Status(err))
			return
		}
		if strings.HasPrefix(string(b.text), "h") {
			<-release
		}
		fmt.Fprint(w, len(b.text))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), release
}

// beginBody sends the head of a request and a part of its body.
func beginBody(t *testing.T, address string, length, sent int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", length, strings.Repeat("x", sent))
	return c
}

func post(address, text string) string {
	response, err := http.Post("http://"+address, "text/plain", strings.NewReader(text))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", response.StatusCode, said)
}

// until waits until a number of bodies is being read.
func (g *memoryBudget) until(t *testing.T, reading int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for n := -1; n != reading; runtime.Gosched() {
		g.mu.Lock()
		n = g.openBodies.Len()
		g.mu.Unlock()
		if ctx.Err() != nil {
			t.Fatalf("%d bodies are being read, want %d", n, reading)
		}
	}
}

// Strangers who begin bodies and do not end them hold no more than the budget,
// however many they are, and somebody with a small body is served beside them.
func TestUnfinishedBodiesMakeRoom(t *testing.T) {
	t.Parallel()
	const places = 4
	bs := bodyReader{limit: maxSmallBody, budget: newBudget(places*(maxSmallBody+1), 0)}
	address, _ := receiver(t, bs)
	var first net.Conn
	for i := range 40 {
		c := beginBody(t, address, maxSmallBody, maxSmallBody-1)
		if i == 0 {
			first = c
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(first), nil)
	if err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the body that came first: %v, %v", response, err)
	}
	for range 10 {
		if said := post(address, "small"); said != "200 5" {
			t.Errorf("beside the flood: %s", said)
		}
	}
	bs.budget.mu.Lock()
	held := int64(0)
	for place := bs.budget.openBodies.Front(); place != nil; place = place.Next() {
		if b := place.Value.(*body); !b.closed {
			held += b.heldBytes
		}
	}
	bs.budget.mu.Unlock()
	if held > bs.budget.size {
		t.Errorf("%d bytes are held, more than %d", held, bs.budget.size)
	}
}

// Of those who are known nobody is closed before the grace is over: who comes
// later waits.
func TestKnownBodiesWait(t *testing.T) {
	t.Parallel()
	bs := bodyReader{limit: 1000, budget: newBudget(1001, time.Hour)}
	address, release := receiver(t, bs)
	go post(address, "h"+strings.Repeat("x", 999))
	for held := int64(0); held == 0; runtime.Gosched() {
		if bs.budget.free.TryAcquire(1001) {
			bs.budget.free.Release(1001)
		} else {
			held = 1
		}
	}
	answered := make(chan string)
	go func() { answered <- post(address, "later") }()
	bs.budget.until(t, 1)
	select {
	case said := <-answered:
		t.Errorf("it did not wait: %s", said)
	default:
	}
	close(release)
	if said := <-answered; said != "200 5" {
		t.Errorf("after the wait: %s", said)
	}
}

// What bodies have held is given back, whatever became of them.
func TestBudgetIsGivenBack(t *testing.T) {
	t.Parallel()
	bs := bodyReader{limit: 1000, budget: newBudget(5000, 0)}
	receive := func(length int64, from io.Reader) error {
		r := httptest.NewRequest(http.MethodPost, "/", from)
		r.ContentLength = length
		b, err := bs.receive(httptest.NewRecorder(), r)
		b.releaseMemory()
		return err
	}
	broken := io.MultiReader(strings.NewReader("x"), errorReader{})
	for name, err := range map[string]error{
		"whole":              receive(3, strings.NewReader("abc")),
		"none":               receive(0, nil),
		"length not known":   receive(-1, strings.NewReader(strings.Repeat("x", 1000))),
		"too large":          receive(1001, strings.NewReader("x")),
		"too large, unknown": receive(-1, strings.NewReader(strings.Repeat("x", 1001))),
		"broken":             receive(10, broken),
	} {
		want := map[string]error{"too large": errTooLarge, "too large, unknown": errTooLarge, "broken": errBadRequest}[name]
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if bs.budget.openBodies.Len() != 0 || !bs.budget.free.TryAcquire(5000) {
		t.Error("something is held for ever")
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// deadlines is an answer whose connection notes until when it may be read.
type deadlines struct {
	*httptest.ResponseRecorder
	ends []time.Time
}

func (w *deadlines) SetReadDeadline(end time.Time) error {
	w.ends = append(w.ends, end)
	return nil
}

// A body has a few seconds, a large one of somebody who is known more; and
// once it is there, nothing ends the request.
func TestBodiesHaveTheirTime(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	for _, test := range []struct {
		limit  int64
		length int64
		want   time.Duration
	}{
		{maxSmallBody, 1000, bodyTimeout}, {maxSmallBody, maxSmallBody, bodyTimeout}, {maxBody, 1000, bodyTimeout}, {maxBody, maxBody, bodyTimeout + 48*time.Second},
	} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, test.length))
		r.ContentLength = test.length
		ExpectBody(w)
		b, err := bodyReader{limit: test.limit, budget: newBudget(permittedBudget, 0)}.receive(w, r)
		b.releaseMemory()
		if err != nil || !w.ends[len(w.ends)-1].IsZero() {
			t.Errorf("%d bytes: %v, the last end is %v", test.length, err, w.ends)
		}
		latest := w.ends[len(w.ends)-2].Sub(begun)
		if latest < test.want || latest > test.want+time.Second {
			t.Errorf("%d bytes may take %v, want %v", test.length, latest, test.want)
		}
	}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodPost, "/", errorReader{})
	if _, err := (bodyReader{limit: maxBody, budget: newBudget(permittedBudget, 0)}).receive(w, r); err == nil || len(w.ends) == 0 || w.ends[len(w.ends)-1].IsZero() {
		t.Errorf("a body that broke off: %v, ends %v", err, w.ends)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
