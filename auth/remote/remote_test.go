package remote

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNetworkOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1":        "192.0.2.1/32",
		"::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1":      "2001:db8::/64",
		"2001:db8:0:1::1":  "2001:db8:0:1::/64",
		"fe80::1%eth0":     "fe80::/64",
	} {
		if got := NetworkOf(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if NetworkOf(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("a connection without an address has a network")
	}
}

func TestRefusals(t *testing.T) {
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var r Refusals
	for _, attempt := range []struct {
		after           time.Duration
		address, reason string
		logged          int
	}{
		{0, "192.0.2.1", "wrong key", 1},
		{10 * time.Second, "192.0.2.1", "wrong key", 1},
		{20 * time.Second, "2001:db8::1", "no key", 2},
		{30 * time.Second, "2001:db8::2", "no key", 2},
		{40 * time.Second, "192.0.2.1", "expired key", 3},
		{99 * time.Second, "192.0.2.1", "expired key", 3},
		{159 * time.Second, "192.0.2.1", "expired key", 4},
	} {
		r.Add(log, "refused", netip.MustParseAddr(attempt.address), attempt.reason, start.Add(attempt.after))
		if got := strings.Count(lines.String(), "\n"); got != attempt.logged {
			t.Errorf("after %v: %d lines are logged, want %d", attempt.after, got, attempt.logged)
		}
	}
	list, total := r.List()
	want := []Refusal{
		{"192.0.2.1", "expired key", 5, start, start.Add(159 * time.Second)},
		{"2001:db8::1", "no key", 2, start.Add(20 * time.Second), start.Add(30 * time.Second)},
	}
	if diff := cmp.Diff(want, list); diff != "" || total != 7 {
		t.Errorf("%d in total (-want +got):\n%s", total, diff)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var r Refusals
	for n := range maxRefusedNetworks + 2 {
		now = now.Add(time.Second)
		r.Add(slog.New(slog.DiscardHandler), "refused", netip.AddrFrom4([4]byte{10, 0, byte(n / 256), byte(n)}), "no key", now)
	}
	if list, total := r.List(); len(list) != maxRefusedNetworks || list[len(list)-1].Address != "10.0.0.2" || total != maxRefusedNetworks+2 {
		t.Errorf("%d addresses of %d attempts, the oldest is %s", len(list), total, list[len(list)-1].Address)
	}
}

func TestSlowDown(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	slow, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	var r Refusals
	r.SlowDown(slow, now) // nobody was refused yet
	if r.Limiter(slow, now) != nil {
		t.Error("an address that was never refused is slowed down")
	}
	r.Add(slog.New(slog.DiscardHandler), "refused", slow, "wrong key", now)
	if r.Limiter(slow, now) != nil {
		t.Error("a refused address is slowed down without being asked")
	}
	r.SlowDown(slow, now)
	limiter := r.Limiter(slow, now)
	if limiter == nil || r.Limiter(other, now) != nil {
		t.Fatalf("the limiter is %v, that of another address %v", limiter, r.Limiter(other, now))
	}
	if !limiter.AllowN(now, attemptsAtOnce) || limiter.AllowN(now, 1) || !limiter.AllowN(now.Add(time.Second), attemptsPerSecond) {
		t.Error("the rate is not the limit")
	}
	if r.SlowDown(slow, now.Add(30*time.Second)); r.Limiter(slow, now.Add(70*time.Second)) != limiter {
		t.Error("a second wrong attempt gets a fresh limiter, or does not extend the time")
	}
	if r.Limiter(slow, now.Add(90*time.Second)) != nil {
		t.Error("it is slowed down for longer than it should be")
	}
}
