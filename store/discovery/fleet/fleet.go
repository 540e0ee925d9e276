// Package fleet invents a landscape and speaks for it as its agents would: it
// is package discovery the other way round. One seed makes one landscape, to
// the byte. Feed sends it to a server, at the pace of agents or faster; that
// is the demonstration and the load generator. Nothing here is a copy of a
// real landscape.
package fleet

import (
	"math/rand/v2"
	"time"
)

// Fleet is a landscape with an agent on every host. It is not safe for
// concurrent use.
type Fleet struct {
	random  *rand.Rand
	systems []*System
	hosts   []*Host
	names   names
	started bool
	start   time.Time // the moment of the first Step
	planned int       // number of hosts at the start; growth is measured against it
}

// moment is the clock of a fleet that has not been stepped.
var moment = time.Date(2026, time.August, 3, 6, 0, 0, 0, time.UTC)

// New invents a landscape of a number of hosts. The same arguments give the
// same landscape. From ten hosts on some of it is broken on purpose: agents
// of old versions, hosts that saptune does not tune, subscriptions that have
// run out, a host whose agent falls silent, one that is never heard and one
// that is heard now and then.
func New(seed uint64, hosts int) *Fleet {
	f := &Fleet{
		random:  rand.New(rand.NewPCG(seed, 0x666c656574)),
		names:   newNames(),
		planned: hosts,
	}
	for len(f.hosts) < hosts {
		f.addRound(hosts - len(f.hosts))
	}
	f.breakThings()
	f.layOut(moment)
	return f
}

// Hosts are the hosts of the landscape in the order of their appearance. The
// slice grows when a Step lets a new host appear.
func (f *Fleet) Hosts() []*Host { return f.hosts }

// Systems are the SAP systems of the landscape.
func (f *Fleet) Systems() []*System { return f.systems }

// addRound adds the systems of all blueprints once, and the hosts beside
// them, until room is used up. Every kind of place is used in a round.
func (f *Fleet) addRound(room int) {
	places := f.random.Perm(len(providerOfSystem))
	for i, b := range blueprints {
		if room == 0 {
			return
		}
		roles := b.roles[:min(room, len(b.roles))]
		room -= len(roles)
		system := &System{Stage: b.stage, location: f.newLocation(providerOfSystem[places[i]])}
		system.SID = f.names.sid(f.random, string(b.stage[0]))
		system.DatabaseSID = f.names.sid(f.random, "H")
		for _, role := range roles {
			f.addHost(system, system.location, role)
		}
		f.systems = append(f.systems, system)
	}
	beside := f.newLocation(kvm)
	for range min(room, hostsBesideSystems) {
		f.addHost(nil, beside, Utility)
	}
}

func (f *Fleet) addHost(system *System, at *location, role Role) *Host {
	h := newHost(f, system, at, role)
	if system != nil {
		system.Hosts = append(system.Hosts, h)
	}
	f.hosts = append(f.hosts, h)
	return h
}

// breakThings deals out what is wrong in the landscape: to each host one
// trouble at most, and each trouble to one host at least.
func (f *Fleet) breakThings() {
	const enough = 10
	n := len(f.hosts)
	if n < enough {
		return
	}
	order := f.random.Perm(n)
	deal := func(count int, trouble func(*Host)) {
		for _, i := range order[:min(count, len(order))] {
			trouble(f.hosts[i])
		}
		order = order[min(count, len(order)):]
	}
	share := func(percent int) int { return max(1, n*percent/100) }
	deal(1, func(h *Host) { h.presence = fallsSilent })
	deal(1, func(h *Host) { h.presence = neverHeard })
	deal(1, func(h *Host) { h.presence = comesAndGoes })
	deal(share(4), func(h *Host) { h.agent = oldAgent })
	deal(share(6), func(h *Host) { h.tuning = tuning{} })
	deal(share(3), func(h *Host) { h.tuning.version = saptuneTooOld })
	deal(share(8), func(h *Host) { h.tuning.state = notCompliant })
	deal(share(5), func(h *Host) { h.tuning.state = notTuned })
	if n < 2*enough {
		return
	}
	deal(share(3), func(h *Host) { h.registration = unregistered })
	deal(share(2), func(h *Host) { h.registration = expired })
	deal(share(10), func(h *Host) { h.agent = middleAgent })
}

// layOut moves everything that has a date to before now.
func (f *Fleet) layOut(now time.Time) {
	f.start = now
	for _, h := range f.hosts {
		h.booted = now.Add(-h.uptime)
		h.tuning.since = now.Add(-h.uptime + 2*time.Minute)
		h.subscribed = now.Truncate(24*time.Hour).AddDate(0, -4, -int(h.uptime.Hours())%90)
		if h.registration == expired {
			h.subscribed = h.subscribed.AddDate(-subscriptionYears, 0, 0)
		}
	}
}
