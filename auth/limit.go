package auth

import (
	"container/list"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"trento/auth/remote"
)

// limitRule says how failed sign-ins are slowed down. The first failures are
// free, so a user who mistypes notices nothing. After more of them, the next
// attempt has to wait. The wait is limited, so nobody is ever locked out.
type limitRule struct {
	freeFailures int           // failures before the first delay
	maxDelay     time.Duration // the delay doubles from firstDelay up to maxDelay
	maxPending   int           // largest number of attempts under way
}

// longestWait returns the longest time that an accepted attempt waits. It stays
// below the timeout of a request.
func (r limitRule) longestWait() time.Duration { return time.Duration(r.maxPending) * r.maxDelay }

// passwordRule is the rule for the passwords of one user name from one address,
// and addressRule the rule for the passwords of all names from one address.
// Wrong passwords do not slow down the same name from other addresses. Attempts
// from a known device are slowed down by failures of that device only, whatever
// its address.
//
// This allows about 450 guesses an hour for one name from one address, and
// about 1800 for many names.
func passwordRule() limitRule {
	return limitRule{freeFailures: 3, maxDelay: 8 * time.Second, maxPending: 3}
}

func addressRule() limitRule {
	return limitRule{freeFailures: 20, maxDelay: 2 * time.Second, maxPending: 12}
}

// codeRule is the rule for the codes of one user, from any address. Codes are
// only checked after the right password, so strangers cannot slow the user
// down. There are only a million codes, so the rule is stricter: about 240
// guesses an hour.
func codeRule() limitRule {
	return limitRule{freeFailures: 3, maxDelay: 15 * time.Second, maxPending: 2}
}

const (
	firstDelay = time.Second // shortest delay after more than the free failures
	// warnAfterFailures is the number of failures in a row after which a warning is
	// logged.
	warnAfterFailures = 10
	// forgetAfter is the time without attempts after which failures are
	// forgotten.
	forgetAfter = 30 * time.Minute
	// maxLimitEntries limits the number of entries. Beyond it the least recently
	// used entry is forgotten. An entry takes about 200 bytes.
	maxLimitEntries = 20_000
)

// errTooManyAttempts is ErrBusy for an attempt that was refused because too many
// others for the same secret are under way.
var errTooManyAttempts = fmt.Errorf("%w: for one secret", ErrBusy)

// limiter counts failed sign-ins. It keeps them in memory only: a restart
// forgets them.
type limiter struct {
	now func() time.Time
	log *slog.Logger

	mu              sync.Mutex
	entries         map[limitKey]*list.Element
	recentFirst     *list.List // the entries as *limitEntry, most recently used first
	refusedAttempts refusedAttempts
}

// secretKind is the kind of secret that an attempt may be guessing.
type secretKind string

const (
	guessedPassword        secretKind = "password"         // password of one name, from one address
	guessedAnyPassword     secretKind = "passwords"        // passwords of all names, from one address
	guessedCode            secretKind = "code"             // code of the second factor of a name
	guessedAnswer          secretKind = "answer"           // answer of the identity provider, from one address
	guessedDisplayCode     secretKind = "display code"     // code that makes a browser a screen on a wall, from one address
	guessedCurrentPassword secretKind = "current password" // password of a user who is signed in
)

// guessedSecret is a secret that an attempt may be guessing, with the rule for it. One
// attempt can be a guess at several secrets.
type guessedSecret struct {
	kind    secretKind
	name    string
	address netip.Addr
	device  deviceID
	rule    limitRule
}

// limitKey identifies what failures are counted for: a name, an address, a name
// at an address, or a name on a known device. Parts that do not apply are zero.
// Names are hashed because attackers choose their length.
type limitKey struct {
	kind    secretKind
	name    [sha256.Size]byte
	address netip.Prefix
	device  deviceID
}

type limitEntry struct {
	key           limitKey
	rule          limitRule
	failures      int
	pending       int       // attempts under way
	nextCheckAt   time.Time // when the secret of the next attempt may be checked
	lastAttemptAt time.Time // time of the last attempt
}

func newLimiter(now func() time.Time, log *slog.Logger) *limiter {
	return &limiter{now: now, log: log, entries: map[limitKey]*list.Element{}, recentFirst: list.New()}
}

// attempt is a sign-in under way. The caller must call end exactly once.
type attempt struct {
	limiter *limiter
	entries []*limitEntry
}

// outcome is the result of an attempt.
type outcome int

const (
	outcomeUnchecked outcome = iota // the secret was not checked
	outcomeFailed
	outcomeSucceeded
)

// beginAttempt waits until the secret of an attempt may be checked. It fails with
// errTooManyAttempts at once if too many are waiting, and with the error of ctx
// if ctx is done first.
//
// Concurrent attempts wait one after the other, so trying in parallel is no
// faster.
func (l *limiter) beginAttempt(ctx context.Context, guesses ...guessedSecret) (*attempt, error) {
	l.mu.Lock()
	now := l.now()
	a := &attempt{limiter: l}
	crowded := false
	for _, g := range guesses {
		key := limitKey{kind: g.kind, address: remote.NetworkOf(g.address), device: g.device}
		if g.name != "" {
			key.name = sha256.Sum256([]byte(g.name))
		}
		e := l.entryOf(key, g.rule, now)
		crowded = crowded || e.pending >= e.rule.maxPending
		a.entries = append(a.entries, e)
	}
	if crowded {
		l.refusedAttempts.add(guesses)
		l.mu.Unlock()
		return nil, errTooManyAttempts
	}
	var wait time.Duration
	for _, e := range a.entries {
		e.pending++
		wait = max(wait, e.reserveSlot(now))
	}
	l.mu.Unlock()

	if err := sleepFor(ctx, wait); err != nil {
		a.recordOutcome(outcomeUnchecked)
		return nil, err
	}
	return a, nil
}

// recordOutcome records the outcome of an attempt.
func (a *attempt) recordOutcome(o outcome) {
	a.limiter.mu.Lock()
	defer a.limiter.mu.Unlock()
	now := a.limiter.now()
	for _, e := range a.entries {
		e.pending--
		switch {
		case o == outcomeSucceeded && e.key.kind != guessedAnyPassword && e.key.kind != guessedAnswer && e.key.kind != guessedDisplayCode:
			// The user knows the secret, so former failures are forgotten.
			// Failures of the address are kept, because others may use it too.
			e.failures = 0
			e.nextCheckAt = time.Time{}
		case o == outcomeFailed:
			e.failures++
			e.lastAttemptAt = now
			if e.failures == warnAfterFailures {
				a.limiter.log.Warn("many failed sign-ins; they are slowed down. If the address is that of a reverse proxy, TRUSTED_PROXIES should name it",
					"guessed", e.key.kind, "address", e.key.address)
			}
		}
	}
}

// reserveSlot reserves the next time slot for an attempt and returns how long it
// has to wait for it.
func (e *limitEntry) reserveSlot(now time.Time) time.Duration {
	turn := now
	if e.nextCheckAt.After(now) {
		turn = e.nextCheckAt
	}
	e.nextCheckAt = turn.Add(e.rule.delayAfter(e.failures + e.pending))
	return turn.Sub(now)
}

// delayAfter returns how long the attempt after a number of failures has to wait.
func (r limitRule) delayAfter(attempts int) time.Duration {
	if attempts < r.freeFailures {
		return 0
	}
	delay := firstDelay
	for range attempts - r.freeFailures {
		if delay *= 2; delay >= r.maxDelay {
			return r.maxDelay
		}
	}
	return delay
}

// entryOf returns the entry of a key. It creates one if there is none or the
// existing one is older than forgetAfter.
func (l *limiter) entryOf(key limitKey, r limitRule, now time.Time) *limitEntry {
	element, ok := l.entries[key]
	if !ok {
		element = l.recentFirst.PushFront(&limitEntry{key: key, rule: r})
		l.entries[key] = element
		if l.recentFirst.Len() > maxLimitEntries {
			oldest := l.recentFirst.Remove(l.recentFirst.Back()).(*limitEntry)
			delete(l.entries, oldest.key)
		}
	}
	l.recentFirst.MoveToFront(element)
	e := element.Value.(*limitEntry)
	if now.Sub(e.lastAttemptAt) > forgetAfter {
		e.failures = 0
	}
	e.lastAttemptAt = now
	return e
}

// sleepFor waits for d, or until ctx is done.
func sleepFor(ctx context.Context, d time.Duration) error {
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
