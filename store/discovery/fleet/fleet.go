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
	// Still stops the clocks that reports show: run times, log positions, the
	// last sign of life of a database. They advance with Step and Pass
	// otherwise, as they do in real reports, so that a host hardly ever reports
	// the same bytes twice. With Still, a host that does not change does.
	Still bool

	random       *rand.Rand
	systems      []*System
	databases    []*database
	clusters     []*cluster
	hosts        []*Host
	names        names
	started      bool
	start        time.Time // the moment of the first Step
	now          time.Time
	effects      []timedEffect // that are not due yet
	plannedHosts int           // number of hosts at the start; growth is measured against it
}

// defaultStart is the time in reports before the first Step.
var defaultStart = time.Date(2026, time.August, 3, 6, 0, 0, 0, time.UTC)

// New invents a landscape of a number of hosts. The same arguments give the
// same landscape. From ten hosts on some of it is broken on purpose: agents
// of old versions, hosts that saptune does not tune, subscriptions that have
// run out, a host whose agent falls silent, one that is never heard and one
// that is heard now and then; instances that do not run or not well; and
// clusters with all that can be wrong with a cluster.
func New(seed uint64, hosts int) *Fleet {
	f := &Fleet{
		random:       rand.New(rand.NewPCG(seed, 0x666c656574)),
		names:        newNames(),
		plannedHosts: hosts,
	}
	for len(f.hosts) < hosts {
		f.addRound(hosts)
	}
	f.breakHosts()
	f.breakInstances()
	f.breakClusters()
	f.setDates(defaultStart)
	return f
}

// Hosts are the hosts of the landscape in the order of their appearance. The
// slice grows when a Step lets a new host appear. A server that has the
// reports of one host after the other finds what it needs for each.
func (f *Fleet) Hosts() []*Host { return f.hosts }

// Systems are the SAP systems of the landscape.
func (f *Fleet) Systems() []*System { return f.systems }

// Pass lets time pass until now without anything happening: nothing but the
// clocks that reports show advances.
func (f *Fleet) Pass(now time.Time) { f.now = now }

// shownTime is the time on the clocks that reports show.
func (f *Fleet) shownTime() time.Time {
	if f.Still {
		return f.start
	}
	return f.now
}

// addRound builds every blueprint once that there is still room for.
func (f *Fleet) addRound(hosts int) {
	for i := range blueprints {
		if b := &blueprints[i]; len(f.hosts)+b.size() <= hosts {
			f.build(b)
		}
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

// minBroken is the number of hosts from which on some are broken.
const minBroken = 10

// breakHosts gives hosts their faults: each host has one fault at most, and each
// fault is given to at least one host.
func (f *Fleet) breakHosts() {
	n := len(f.hosts)
	if n < minBroken {
		return
	}
	order := f.random.Perm(n)
	give := func(count int, fault func(*Host)) {
		for _, i := range order[:min(count, len(order))] {
			fault(f.hosts[i])
		}
		order = order[min(count, len(order)):]
	}
	share := func(percent int) int { return max(1, n*percent/100) }
	give(1, func(h *Host) { h.presence = fallsSilent })
	give(1, func(h *Host) { h.presence = neverHeard })
	give(1, func(h *Host) { h.presence = intermittent })
	give(share(4), func(h *Host) { h.agent = oldAgent })
	give(share(6), func(h *Host) { h.tuning = tuning{} })
	give(share(3), func(h *Host) { h.tuning.version = saptuneTooOld })
	give(share(8), func(h *Host) { h.tuning.state = notCompliant })
	give(share(5), func(h *Host) { h.tuning.state = notTuned })
	if n < 2*minBroken {
		return
	}
	give(share(3), func(h *Host) { h.registration = unregistered })
	give(share(2), func(h *Host) { h.registration = expired })
	give(share(10), func(h *Host) { h.agent = middleAgent })
}

// setDates moves everything that has a date to before now.
func (f *Fleet) setDates(now time.Time) {
	f.start, f.now = now, now
	for _, h := range f.hosts {
		h.booted = now.Add(-h.uptime)
		h.tuning.since = now.Add(-h.uptime + 2*time.Minute)
		h.subscribed = now.Truncate(24*time.Hour).AddDate(0, -4, -int(h.uptime.Hours())%90)
		if h.registration == expired {
			h.subscribed = h.subscribed.AddDate(-subscriptionYears, 0, 0)
		}
		for n, i := range h.instances {
			i.started = h.booted.Truncate(time.Second).Add(time.Duration(1+n) * 10 * time.Second)
		}
	}
	for _, c := range f.clusters {
		c.writtenAt = c.nodes[0].booted.Add(45 * time.Second)
	}
}
