package auth

import (
	"context"
	"maps"
	"slices"

	"trento/store"
)

// maxRefusedNames bounds how many names and addresses a summary has.
const maxRefusedNames = 10

// refusedAttempts is what was refused, since there were too many at once, after the last summary.
type refusedAttempts struct {
	refused          int
	names, addresses map[string]bool
}

// add counts an attempt that was refused.
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

// refuse counts an attempt that the limiter has let pass, but nobody had time
// for.
func (l *limiter) refuse(guesses []guess) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused.add(guesses)
}

// LogRefusedSignIns writes one entry of the activity log about the sign-ins that were
// refused unseen since it was called last, if there were any. One entry each
// would let whoever floods the sign-in flood the log as well.
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
