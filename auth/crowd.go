package auth

import (
	"context"
	"maps"
	"slices"

	"trento/store"
)

// maxCrowdNames bounds how many names and addresses a summary has.
const maxCrowdNames = 10

// crowd is what was refused for crowding since the last summary.
type crowd struct {
	refused          int
	names, addresses map[string]bool
}

// add counts an attempt that was refused.
func (c *crowd) add(guesses []guess) {
	if c.names == nil {
		c.names, c.addresses = map[string]bool{}, map[string]bool{}
	}
	c.refused++
	for _, g := range guesses {
		if g.name != "" && len(c.names) < maxCrowdNames {
			c.names[g.name] = true
		}
		if g.address.IsValid() && len(c.addresses) < maxCrowdNames {
			c.addresses[networkOf(g.address).String()] = true
		}
	}
}

// refuse counts an attempt that the limiter has let pass, but nobody had time
// for.
func (l *limiter) refuse(guesses []guess) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crowd.add(guesses)
}

// LogCrowding writes one entry of the activity log about the sign-ins that were
// refused unseen since it was called last, if there were any. One entry each
// would let whoever floods the sign-in flood the log as well.
func (a *Auth) LogCrowding(ctx context.Context) error {
	a.limiter.mu.Lock()
	c := a.limiter.crowd
	a.limiter.crowd = crowd{}
	a.limiter.mu.Unlock()
	if c.refused == 0 {
		return nil
	}
	return a.store.SignInsRefused(ctx, store.RefusedSignIns{
		Count: c.refused, Usernames: slices.Sorted(maps.Keys(c.names)), Addresses: slices.Sorted(maps.Keys(c.addresses)),
	})
}
