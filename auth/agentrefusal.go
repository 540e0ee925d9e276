package auth

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// maxAgentRefusals is the number of addresses that are remembered.
	maxAgentRefusals = 200
	// refusalWarnInterval is the time between two warnings about one address.
	// An agent with a wrong key sends about five requests every ten seconds.
	refusalWarnInterval = time.Minute
)

// AgentRefusal describes the requests of agents from one address that were
// refused because of their API key. Addresses of one IPv6 network count as one.
type AgentRefusal struct {
	Address     string
	Reason      string // of the last request
	Requests    int
	First, Last time.Time
}

// agentRefusals remembers the refused requests of agents since the start.
type agentRefusals struct {
	mutex     sync.Mutex
	byNetwork map[netip.Prefix]*AgentRefusal
	total     int
}

// keyRefusal is the error of CheckAPIKey: why an API key is refused. It is an
// ErrSignedOut.
type keyRefusal string

const (
	noAPIKey      keyRefusal = "the request has no API key"
	wrongAPIKey   keyRefusal = "the API key is not the present one"
	expiredAPIKey keyRefusal = "the API key has expired"
)

func (r keyRefusal) Error() string { return "auth: " + string(r) }

func (keyRefusal) Is(target error) bool { return target == ErrSignedOut }

// permitAgent decides whether a request of an agent is permitted, and records
// why it is not.
func (a *Auth) permitAgent(r *http.Request) error {
	err := a.CheckAPIKey(r.Header.Get(apiKeyHeader))
	if reason, refused := errors.AsType[keyRefusal](err); refused {
		a.agentRefusals.add(a.log, a.ClientAddress(r), string(reason), a.now())
		return ErrSignedOut // the agent is not told the reason
	}
	return err
}

// add records a refused request, and logs at most one a minute for each
// address. The key itself is recorded nowhere.
func (l *agentRefusals) add(log *slog.Logger, address netip.Addr, reason string, now time.Time) {
	network := networkOf(address)
	l.mutex.Lock()
	l.total++
	r := l.byNetwork[network]
	if r == nil {
		l.forgetOldest()
		r = &AgentRefusal{Address: address.String(), First: now}
		l.byNetwork[network] = r
	}
	silent := r.Reason == reason && now.Sub(r.Last) < refusalWarnInterval && r.Requests%100 != 0
	r.Reason, r.Last = reason, now
	r.Requests++
	requests := r.Requests
	l.mutex.Unlock()
	if !silent {
		log.Warn("request of an agent refused", "address", address, "reason", reason, "requests", requests)
	}
}

// forgetOldest makes room for one more address.
func (l *agentRefusals) forgetOldest() {
	if l.byNetwork == nil {
		l.byNetwork = make(map[netip.Prefix]*AgentRefusal)
	}
	if len(l.byNetwork) < maxAgentRefusals {
		return
	}
	var oldest netip.Prefix
	for network, r := range l.byNetwork {
		if !oldest.IsValid() || r.Last.Before(l.byNetwork[oldest].Last) {
			oldest = network
		}
	}
	delete(l.byNetwork, oldest)
}

// AgentRefusals lists the addresses from which requests of agents were refused
// since the start, the latest first. total is the number of all such requests,
// so that a caller can tell whether there are new ones.
func (a *Auth) AgentRefusals() (list []AgentRefusal, total int) {
	l := &a.agentRefusals
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, r := range l.byNetwork {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b AgentRefusal) int { return b.Last.Compare(a.Last) })
	return list, l.total
}
