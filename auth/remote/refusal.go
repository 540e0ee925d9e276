package remote

import (
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxRefusedNetworks is the number of addresses that are remembered.
	maxRefusedNetworks = 200
	// logInterval is the time between two log lines about one address and
	// reason. An agent with a wrong key sends about five requests every ten
	// seconds.
	logInterval = time.Minute
	// After SlowDown, attempts from an address are permitted at this rate.
	attemptsPerSecond = 20
	attemptsAtOnce    = 60
	slowDuration      = time.Minute
)

// Refusal describes the refused attempts from an address. Addresses of one IPv6
// network count as one.
type Refusal struct {
	Address     string
	Reason      string // of the last attempt
	Attempts    int
	First, Last time.Time
}

// Refusals remembers the addresses from which attempts of one sort were refused
// since the start. The zero value is ready to use.
type Refusals struct {
	mutex     sync.Mutex
	byNetwork map[netip.Prefix]*refusedNetwork
	total     int
}

// refusedNetwork is an address from which attempts were refused.
type refusedNetwork struct {
	Refusal
	limiter     *rate.Limiter // until slowedUntil
	slowedUntil time.Time
}

// Add records a refused attempt, and logs it as event, at most once a minute for
// each address. reason must not contain what was tried.
func (r *Refusals) Add(log *slog.Logger, event string, address netip.Addr, reason string, now time.Time) {
	network := NetworkOf(address)
	r.mutex.Lock()
	r.total++
	a := r.byNetwork[network]
	if a == nil {
		r.forgetOldest()
		a = &refusedNetwork{Refusal: Refusal{Address: address.String(), First: now}}
		r.byNetwork[network] = a
	}
	silent := a.Reason == reason && now.Sub(a.Last) < logInterval && a.Attempts%100 != 0
	a.Reason, a.Last = reason, now
	a.Attempts++
	attempts := a.Attempts
	r.mutex.Unlock()
	if !silent {
		log.Warn(event, "address", address, "reason", reason, "attempts", attempts)
	}
}

// forgetOldest makes room for one more address.
func (r *Refusals) forgetOldest() {
	if r.byNetwork == nil {
		r.byNetwork = make(map[netip.Prefix]*refusedNetwork)
	}
	if len(r.byNetwork) < maxRefusedNetworks {
		return
	}
	var oldest netip.Prefix
	for network, a := range r.byNetwork {
		if !oldest.IsValid() || a.Last.Before(r.byNetwork[oldest].Last) {
			oldest = network
		}
	}
	delete(r.byNetwork, oldest)
}

// SlowDown limits the rate of attempts from an address that was refused, for a
// while. They are delayed, not refused, because others behind the same address
// may be right.
func (r *Refusals) SlowDown(address netip.Addr, now time.Time) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if a := r.byNetwork[NetworkOf(address)]; a != nil {
		if a.limiter == nil {
			a.limiter = rate.NewLimiter(attemptsPerSecond, attemptsAtOnce)
		}
		a.slowedUntil = now.Add(slowDuration)
	}
}

// Limiter returns the limiter that attempts from an address have to wait for;
// nil if it is not slowed down.
func (r *Refusals) Limiter(address netip.Addr, now time.Time) *rate.Limiter {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if a := r.byNetwork[NetworkOf(address)]; a != nil && now.Before(a.slowedUntil) {
		return a.limiter
	}
	return nil
}

// List returns the addresses, the latest first, and the number of all refused
// attempts, so that a caller can tell whether there are new ones.
func (r *Refusals) List() (list []Refusal, total int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, a := range r.byNetwork {
		list = append(list, a.Refusal)
	}
	slices.SortFunc(list, func(a, b Refusal) int { return b.Last.Compare(a.Last) })
	return list, r.total
}
