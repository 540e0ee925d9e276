package auth

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// rule is how failed sign-ins are slowed down. The first few failures cost
// nothing, so that a person who mistypes notices nothing. However many follow,
// the next attempt is looked at after a wait that has a bound: attempts are
// slowed down, nobody is locked out.
type rule struct {
	free     int           // failures before the first delay
	maxDelay time.Duration // the delay doubles from firstDelay up to this
	pending  int           // attempts that may be under way at once
}

// longestWait is how long an attempt that is admitted waits at most. It stays
// below the time a request may take.
func (r rule) longestWait() time.Duration { return time.Duration(r.pending) * r.maxDelay }

// The rules: for a user name from one address, and for all names from one
// address. A name from other addresses is not affected by wrong passwords. A
// device that has signed in before is affected by its own failures only,
// whatever its address: see knownDevices.
//
// Guessing one name from one address comes to about 450 guesses an hour,
// guessing many names to about 1800.
func passwordRule() rule { return rule{free: 3, maxDelay: 8 * time.Second, pending: 3} }

func addressRule() rule { return rule{free: 20, maxDelay: 2 * time.Second, pending: 12} }

// codeRule is for the codes of a name, whatever the address: to guess codes
// takes the password, so nobody else can slow the user down. There are only a
// million codes, so it is stricter: about 240 guesses an hour.
func codeRule() rule { return rule{free: 3, maxDelay: 15 * time.Second, pending: 2} }

const (
	firstDelay = time.Second
	// warnAfter is how many failures of one kind in a row get into the log.
	warnAfter = 10
	// forgetAfter is when failures no longer count.
	forgetAfter = 30 * time.Minute
	// maxTracked bounds the memory: beyond it the entry that was used longest
	// ago is forgotten. An entry takes about 200 bytes.
	maxTracked = 20_000
	// sameNetwork is the part of an IPv6 address that counts: who has one
	// address has all of its network.
	sameNetwork = 64
)

// errCrowded refuses an attempt whose password is not looked at, because too
// many others are waiting.
var errCrowded = errors.New("auth: too many sign-ins under way")

// limiter remembers failed sign-ins, in memory only: a restart forgets them.
type limiter struct {
	now func() time.Time
	log *slog.Logger

	mu      sync.Mutex
	entries map[limitKey]*list.Element
	recent  *list.List // of *limitEntry, the last used one in front
	refused refusedAttempts
}

// guessed is what somebody may be guessing.
type guessed string

const (
	ofPassword        guessed = "password"         // of a name, from one address
	ofAnyPassword     guessed = "passwords"        // of all names, from one address
	ofCode            guessed = "code"             // of the second factor of a name
	ofCurrentPassword guessed = "current password" // of a user who is signed in
)

// guess is one thing an attempt could be a guess of.
type guess struct {
	of      guessed
	name    string
	address netip.Addr
	device  deviceID
	rule    rule
}

// limitKey is a name, an address, a name at an address, or a name on a known
// device; what is not part of it is zero. Names are hashed because attackers
// choose their length.
type limitKey struct {
	of      guessed
	name    [sha256.Size]byte
	address netip.Prefix
	device  deviceID
}

type limitEntry struct {
	key      limitKey
	rule     rule
	failures int
	pending  int       // attempts under way
	next     time.Time // when the next attempt may look at its password
	last     time.Time // of the last attempt
}

func newLimiter(now func() time.Time, log *slog.Logger) *limiter {
	return &limiter{now: now, log: log, entries: map[limitKey]*list.Element{}, recent: list.New()}
}

// attempt is a sign-in under way. It must be ended exactly once.
type attempt struct {
	limiter *limiter
	entries []*limitEntry
}

// outcome of an attempt.
type outcome int

const (
	abandoned outcome = iota // no password was looked at
	failed
	succeeded
)

// begin waits until an attempt may look at its password. It fails with
// errCrowded at once where too many are waiting, and with the error of ctx if
// that is done first.
//
// Attempts that arrive together wait in turn: asking in parallel is no faster.
func (l *limiter) begin(ctx context.Context, guesses ...guess) (*attempt, error) {
	l.mu.Lock()
	now := l.now()
	a := &attempt{limiter: l}
	crowded := false
	for _, g := range guesses {
		key := limitKey{of: g.of, address: networkOf(g.address), device: g.device}
		if g.name != "" {
			key.name = sha256.Sum256([]byte(g.name))
		}
		e := l.entry(key, g.rule, now)
		crowded = crowded || e.pending >= e.rule.pending
		a.entries = append(a.entries, e)
	}
	if crowded {
		l.refused.add(guesses)
		l.mu.Unlock()
		return nil, errCrowded
	}
	var wait time.Duration
	for _, e := range a.entries {
		e.pending++
		wait = max(wait, e.turn(now))
	}
	l.mu.Unlock()

	if err := sleep(ctx, wait); err != nil {
		a.end(abandoned)
		return nil, err
	}
	return a, nil
}

// end settles an attempt.
func (a *attempt) end(o outcome) {
	a.limiter.mu.Lock()
	defer a.limiter.mu.Unlock()
	now := a.limiter.now()
	for _, e := range a.entries {
		e.pending--
		switch {
		case o == succeeded && e.key.of != ofAnyPassword:
			// Who knows the secret is not guessing. For the address this holds
			// for the one attempt only: it may have more than one user.
			e.failures = 0
			e.next = time.Time{}
		case o == failed:
			e.failures++
			e.last = now
			if e.failures == warnAfter {
				a.limiter.log.Warn("many failed sign-ins; they are slowed down. If the address is that of a reverse proxy, TRUSTED_PROXIES should name it",
					"guessed", e.key.of, "address", e.key.address)
			}
		}
	}
}

// turn takes the next turn and returns how far away it is.
func (e *limitEntry) turn(now time.Time) time.Duration {
	turn := now
	if e.next.After(now) {
		turn = e.next
	}
	e.next = turn.Add(e.rule.delay(e.failures + e.pending))
	return turn.Sub(now)
}

// delay is what follows the given number of attempts.
func (r rule) delay(attempts int) time.Duration {
	if attempts < r.free {
		return 0
	}
	delay := firstDelay
	for range attempts - r.free {
		if delay *= 2; delay >= r.maxDelay {
			return r.maxDelay
		}
	}
	return delay
}

// entry returns the entry of a key, a fresh one where there is none or the
// one there is has been idle for long.
func (l *limiter) entry(key limitKey, r rule, now time.Time) *limitEntry {
	element, ok := l.entries[key]
	if !ok {
		element = l.recent.PushFront(&limitEntry{key: key, rule: r})
		l.entries[key] = element
		if l.recent.Len() > maxTracked {
			oldest := l.recent.Remove(l.recent.Back()).(*limitEntry)
			delete(l.entries, oldest.key)
		}
	}
	l.recent.MoveToFront(element)
	e := element.Value.(*limitEntry)
	if now.Sub(e.last) > forgetAfter {
		e.failures = 0
	}
	e.last = now
	return e
}

func networkOf(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = sameNetwork
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // connections without an address share one
	}
	return network
}

// sleep waits for a while or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
