package auth

import (
	"context"
	"maps"
	"slices"

	"trento/store"
)

// maxRefusedNames limits the number of names and addresses in a summary.
const maxRefusedNames = 10

// refusedAttempts counts the attempts that were refused because of too many
// others, since the last summary.
type refusedAttempts struct {
	refused          int
	names, addresses map[string]bool
}

// add counts a refused attempt.
func (c *refusedAttempts) add(guesses []guess) {
	if c.names == nil {
		c.names, c.addresses = map[string]bool{}, map[string]bool{}
	}
	c.refused++
	for _, g := range guesses {
		if g.name != "" && len(c.names) < maxRefusedNames {
			c.names[g.name] = true
		}
		if g.address.IsValid() && len(c.addresses) < maxRefusedNames {
			c.addresses[networkOf(g.address).String()] = true
		}
	}
}

// refuse counts an attempt that the limiter has accepted but that found no free
// hasher.
func (l *limiter) refuse(guesses []guess) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused.add(guesses)
}

// LogRefusedSignIns writes one entry to the activity log about the sign-ins
// that were refused unchecked since its last call. Without any it writes
// nothing. With an entry for each, a flood of sign-ins would flood the log as
// well.
func (a *Auth) LogRefusedSignIns(ctx context.Context) error {
	a.limiter.mu.Lock()
	c := a.limiter.refused
	a.limiter.refused = refusedAttempts{}
	a.limiter.mu.Unlock()
	if c.refused == 0 {
		return nil
	}
	return a.store.SignInsRefused(ctx, store.RefusedSignIns{
		Count: c.refused, Usernames: slices.Sorted(maps.Keys(c.names)), Addresses: slices.Sorted(maps.Keys(c.addresses)),
	})
}
