package auth

import (
	"context"
	"maps"
	"slices"

	"trento/auth/remote"
	"trento/store"
)

// maxRefusedNames limits the number of names and addresses in a summary.
const maxRefusedNames = 10

// refusedAttempts counts the attempts that were refused since the last summary
// because too many others were waiting.
type refusedAttempts struct {
	count            int // number of attempts
	names, addresses map[string]bool
}

// add counts a refused attempt.
func (c *refusedAttempts) add(guesses []guessedSecret) {
	if c.names == nil {
		c.names, c.addresses = map[string]bool{}, map[string]bool{}
	}
	c.count++
	for _, g := range guesses {
		if g.name != "" && len(c.names) < maxRefusedNames {
			c.names[g.name] = true
		}
		if g.address.IsValid() && len(c.addresses) < maxRefusedNames {
			c.addresses[remote.NetworkOf(g.address).String()] = true
		}
	}
}

// countRefused counts an attempt that the limiter accepted but that found no
// place in the queue of the hasher.
func (l *limiter) countRefused(guesses []guessedSecret) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusedAttempts.add(guesses)
}

// LogRefusedSignIns writes one entry to the activity log about all sign-ins
// since its last call that were refused unchecked. If none were refused, it
// writes nothing. With an entry for each, a flood of sign-ins would flood the
// log as well.
func (a *Auth) LogRefusedSignIns(ctx context.Context) error {
	a.limiter.mu.Lock()
	c := a.limiter.refusedAttempts
	a.limiter.refusedAttempts = refusedAttempts{}
	a.limiter.mu.Unlock()
	if c.count == 0 {
		return nil
	}
	return a.store.SignInsRefused(ctx, store.RefusedSignIns{
		Count: c.count, Usernames: slices.Sorted(maps.Keys(c.names)), Addresses: slices.Sorted(maps.Keys(c.addresses)),
	})
}
