package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func testLimiter() *limiter { return newLimiter(time.Now, slog.New(slog.DiscardHandler)) }

// guesses returns the guesses of a sign-in with a password.
func guesses(name string, address netip.Addr) []guessedSecret {
	return []guessedSecret{
		{kind: guessedPassword, name: name, address: address, rule: passwordRule()},
		{kind: guessedAnyPassword, address: address, rule: addressRule()},
	}
}

// try makes one attempt and returns how long it waited.
func try(t *testing.T, l *limiter, name, address string, o outcome) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	a, err := l.beginAttempt(t.Context(), guesses(name, netip.MustParseAddr(address))...)
	if err == nil {
		a.recordOutcome(o)
	}
	return time.Since(start), err
}

// One address that tries many names is slowed down as a whole, which other
// addresses do not notice. It is never refused.
func TestLimitPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for i := range 300 {
			want := time.Duration(0)
			switch {
			case i == 20:
				want = time.Second
			case i > 20:
				want = 2 * time.Second
			}
			if took, err := try(t, l, fmt.Sprint("user", i), "192.0.2.1", outcomeFailed); took != want || err != nil {
				t.Fatalf("attempt %d took %v: %v; want %v", i+1, took, err, want)
			}
		}
		if took, err := try(t, l, "ann", "192.0.2.2", outcomeSucceeded); err != nil || took != 0 {
			t.Errorf("another address: %v, %v", took, err)
		}
		if took, err := try(t, l, "ann", "192.0.2.1", outcomeSucceeded); err != nil || took != 2*time.Second {
			t.Errorf("after 300 failures: %v, %v", took, err)
		}
	})
}

// A success clears the failures of its own name only. Otherwise somebody with
// one account could guess the passwords of others.
func TestLimitSuccessClearsOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 4 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		try(t, l, "eve", "192.0.2.1", outcomeSucceeded)
		if took, _ := try(t, l, "ann", "192.0.2.1", outcomeFailed); took != 2*time.Second {
			t.Errorf("the next guess took %v, want 2s", took)
		}
		try(t, l, "ann", "192.0.2.1", outcomeSucceeded)
		for range 3 {
			if took, _ := try(t, l, "ann", "192.0.2.1", outcomeFailed); took != 0 {
				t.Errorf("after a success a mistake took %v", took)
			}
		}
	})
}

// Attempts in parallel wait in turn, and only a few may wait.
func TestLimitParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 6 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		start := time.Now()
		var mu sync.Mutex
		var crowded int
		var waits []time.Duration
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				a, err := l.beginAttempt(t.Context(), guesses("ann", netip.MustParseAddr("192.0.2.1"))...)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, errTooManyAttempts) {
					crowded++
					return
				}
				waits = append(waits, time.Since(start))
				a.recordOutcome(outcomeFailed)
			})
		}
		all.Wait()
		if crowded != 47 || len(waits) != 3 || waits[0] != 8*time.Second || waits[1] != 16*time.Second || waits[2] != 24*time.Second {
			t.Errorf("%d were refused at once, the others waited %v", crowded, waits)
		}
	})
}

// A burst before the first failure is counted must not allow many guesses.
func TestLimitBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		admitted := 0
		for range 1000 {
			if _, err := l.beginAttempt(t.Context(), guesses("ann", someAddress)...); err == nil {
				admitted++
			}
		}
		if admitted != passwordRule().maxPending {
			t.Errorf("%d attempts at once, want %d", admitted, passwordRule().maxPending)
		}
	})
}

// By all rules, an accepted attempt is checked within the timeout of a request,
// with the code after the password.
func TestLimitWaitsAreBounded(t *testing.T) {
	const requestTime = time.Minute
	password := max(passwordRule().longestWait(), addressRule().longestWait())
	if longest := password + codeRule().longestWait(); longest >= requestTime {
		t.Errorf("a sign-in can take %v, and its request %v", longest, requestTime)
	}
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 100 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		for range passwordRule().maxPending - 1 {
			go try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		synctest.Wait()
		if took, err := try(t, l, "ann", "192.0.2.1", outcomeSucceeded); err != nil || took > passwordRule().longestWait() {
			t.Errorf("the last that is admitted waits %v: %v", took, err)
		}
	})
}

func TestLimitForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 5 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		time.Sleep(forgetAfter + time.Second)
		for range 3 {
			if took, _ := try(t, l, "ann", "192.0.2.1", outcomeFailed); took != 0 {
				t.Errorf("after half an hour a mistake took %v", took)
			}
		}
	})
}

// An attempt whose client goes away while it waits is no failure.
func TestLimitAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 9 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := l.beginAttempt(ctx, guesses("ann", netip.MustParseAddr("192.0.2.1"))...); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("begin() = %v", err)
			}
			cancel()
		}
		if _, err := try(t, l, "ann", "192.0.2.1", outcomeSucceeded); err != nil {
			t.Errorf("five who gave up have locked the name: %v", err)
		}
	})
}

func TestLimitMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter()
		for range 5 {
			try(t, l, "ann", "192.0.2.1", outcomeFailed)
		}
		for i := range maxLimitEntries {
			address := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			if a, err := l.beginAttempt(t.Context(), guesses("x", address)...); err == nil {
				a.recordOutcome(outcomeFailed)
			}
			if i%1000 == 0 { // ann keeps coming, and stays known
				try(t, l, "ann", "192.0.2.1", outcomeUnchecked)
			}
		}
		if len(l.entries) != maxLimitEntries || l.recentFirst.Len() != maxLimitEntries {
			t.Errorf("%d entries, %d in order, want %d", len(l.entries), l.recentFirst.Len(), maxLimitEntries)
		}
		if took, err := try(t, l, "ann", "192.0.2.1", outcomeFailed); took == 0 && err == nil {
			t.Error("a flood has made us forget who was guessing")
		}
	})
}
