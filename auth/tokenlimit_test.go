package auth

import (
	"fmt"
	"testing"
	"time"

	"trento/store"
)

func TestTokenLimit(t *testing.T) {
	now := time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	l := newTokenLimit(60, func() time.Time { return now })
	a, b := &store.Token{ID: "a"}, &store.Token{ID: "b"}
	for _, step := range []struct {
		name string
		uses int // of a, before the one that is looked at
		pass time.Duration
		want TokenQuota
	}{
		{"the first", 0, 0, TokenQuota{60, 59, 1, 0}},
		{"the last one", 58, 0, TokenQuota{60, 0, 60, 0}},
		{"one too many", 0, 0, TokenQuota{60, 0, 60, 1}},
		{"and another", 0, 0, TokenQuota{60, 0, 60, 1}},
		{"half a second later", 0, time.Second / 2, TokenQuota{60, 0, 60, 1}},
		{"a second later", 0, time.Second / 2, TokenQuota{60, 0, 60, 0}},
		{"half a minute later", 0, 30 * time.Second, TokenQuota{60, 29, 31, 0}},
		{"an hour later", 0, time.Hour, TokenQuota{60, 59, 1, 0}},
	} {
		now = now.Add(step.pass)
		for range step.uses {
			l.use(a)
		}
		if got := l.use(a); got != step.want {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
	if got := l.use(b); got.Remaining != 59 {
		t.Errorf("another token: %+v", got)
	}
	for i := range 3 * maxIdleTokens {
		l.use(&store.Token{ID: fmt.Sprint(i)})
		now = now.Add(10 * time.Millisecond)
	}
	if len(l.limiters) > maxIdleTokens {
		t.Errorf("%d tokens are remembered", len(l.limiters))
	}
}

// TestWhoIsLimited checks that only personal access tokens are limited, and none
// without a limit.
func TestWhoIsLimited(t *testing.T) {
	f := newFixture(t)
	token, _ := f.token(f.user("ann"), "a")
	for _, via := range []Via{ViaSession, ViaToken, ViaPersonalToken, ViaLocal} {
		id := &Identity{User: f.user(string(via)), Via: via, Token: token}
		f.tokenLimit = newTokenLimit(100, f.now)
		if _, ok := f.UseToken(id); ok != (via == ViaPersonalToken) {
			t.Errorf("%s: limited: %v", via, ok)
		}
		f.tokenLimit = newTokenLimit(0, f.now)
		if _, ok := f.UseToken(id); ok {
			t.Errorf("%s: limited without a limit", via)
		}
	}
	if _, ok := f.UseToken(nil); ok {
		t.Error("nobody is limited")
	}
}
