package auth

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"trento/store"
)

// tokenLimit limits how often each personal access token is used. A token may
// be used as often at once as in a whole minute; each use comes back after its
// part of the minute.
type tokenLimit struct {
	perMinute int // 0: no limit
	now       func() time.Time

	mu       sync.Mutex
	limiters map[string]*rate.Limiter // by the id of the token
}

// maxIdleTokens is how many tokens are remembered before those whose uses have
// all come back are forgotten.
const maxIdleTokens = 1000

// newTokenLimit returns a limit; 0 uses in a minute means that there is none.
func newTokenLimit(perMinute int, now func() time.Time) *tokenLimit {
	return &tokenLimit{perMinute: perMinute, now: now, limiters: make(map[string]*rate.Limiter)}
}

// TokenQuota is what a personal access token has left.
type TokenQuota struct {
	PerMinute int
	Remaining int // uses that are possible at once
	// FullAfter is after how many seconds all uses of a minute are possible
	// again.
	FullAfter int
	// RetryAfter is after how many seconds the next use is possible; 0 if this
	// one was.
	RetryAfter int
}

// UseToken counts a use of the personal access token that a request showed. ok
// is false if the request showed none, or there is no limit. A refused use does
// not count.
func (a *Auth) UseToken(id *Identity) (quota TokenQuota, ok bool) {
	if id == nil || id.Via != ViaPersonalToken || a.tokenLimit.perMinute == 0 {
		return TokenQuota{}, false
	}
	return a.tokenLimit.use(id.Token), true
}

func (l *tokenLimit) use(t *store.Token) TokenQuota {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	uses := l.limiters[t.ID]
	if uses == nil {
		l.forgetIdle(now)
		uses = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.limiters[t.ID] = uses
	}
	allowed := uses.AllowN(now, 1)
	left := uses.TokensAt(now)
	quota := TokenQuota{PerMinute: l.perMinute, Remaining: int(math.Max(0, left)), FullAfter: l.secondsFor(float64(l.perMinute) - left)}
	if !allowed {
		quota.RetryAfter = max(1, l.secondsFor(1-left))
	}
	return quota
}

// secondsFor returns after how many whole seconds a number of uses has come
// back.
func (l *tokenLimit) secondsFor(uses float64) int {
	return int(math.Ceil(uses * 60 / float64(l.perMinute)))
}

// forgetIdle forgets the tokens whose uses have all come back, if there are many
// tokens.
func (l *tokenLimit) forgetIdle(now time.Time) {
	if len(l.limiters) < maxIdleTokens {
		return
	}
	for id, uses := range l.limiters {
		if uses.TokensAt(now) >= float64(l.perMinute) {
			delete(l.limiters, id)
		}
	}
}
