// Package fleet generates a landscape and the reports that its agents would
// send. It is the counterpart of package discovery. The same seed always gives
// the same landscape, byte for byte. Feed sends the reports to a server, as
// fast as agents would or faster, and answers the messages of the server to the
// agents. It is used for demonstrations and load tests. No data is copied from a
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
	// last sign of life of a database. Without Still, Step and Pass advance the
	// clocks, as in real reports, so a host hardly ever repeats the same bytes.
	// With Still, a host that has not changed repeats its report byte for byte.
	Still bool

	random       *rand.Rand
	systems      []*System
	databases    []*database
	clusters     []*cluster
	hosts        []*Host
	names        nameGenerator
	started      bool
	start        time.Time // time of the first Step
	now          time.Time
	effects      []timedEffect  // effects that are not due yet
	touchedHosts map[*Host]bool // hosts whose reports may have changed since Advance; nil: nobody asks
	plannedHosts int            // number of hosts at the start; limits the growth
}

// defaultStart is the time in reports before the first Step.
var defaultStart = time.Date(2026, time.August, 3, 6, 0, 0, 0, time.UTC)

// New generates a landscape with a number of hosts. The same arguments give the
// same landscape. A landscape of at least ten hosts contains faults: agents of
// old versions, hosts that saptune does not tune, expired subscriptions, an
// agent that stops, one that never sends a heartbeat and one that sends them
// only at times, instances that are stopped or have a bad status, and clusters
// with all kinds of faults.
func New(seed uint64, hosts int) *Fleet {
	f := &Fleet{
		random:       rand.New(rand.NewPCG(seed, 0x666c656574)),
		names:        newNames(),
		plannedHosts: hosts,
	}
	for len(f.hosts) < hosts {
		f.addRound(hosts)
	}
	f.addHostFaults()
	f.addInstanceFaults()
	f.addClusterFaults()
	f.setDates(defaultStart)
	return f
}

// Hosts returns the hosts in an order in which a server can process their
// reports: each host comes after the hosts it depends on. A Step that adds a
// host makes the slice longer.
func (f *Fleet) Hosts() []*Host { return f.hosts }

// Systems returns the SAP systems of the landscape.
func (f *Fleet) Systems() []*System { return f.systems }

// Pass advances the time to now without any change. Only the clocks in reports
// advance.
func (f *Fleet) Pass(now time.Time) { f.now = now }

// shownTime returns the time of the clocks in reports.
func (f *Fleet) shownTime() time.Time {
	if f.Still {
		return f.start
	}
	return f.now
}

// addRound builds every blueprint once, as long as there is room for it.
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

// minHostsForFaults is the smallest number of hosts of a landscape with faults.
const minHostsForFaults = 10

// addHostFaults gives hosts their faults. Each host has at most one fault, and
// each fault occurs at least once.
func (f *Fleet) addHostFaults() {
	n := len(f.hosts)
	if n < minHostsForFaults {
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
	give(1, func(h *Host) { h.heartbeatPattern = stopsSending })
	give(1, func(h *Host) { h.heartbeatPattern = neverSends })
	give(1, func(h *Host) { h.heartbeatPattern = sendsAtTimes })
	give(share(4), func(h *Host) { h.agent = oldAgentVersion })
	give(share(6), func(h *Host) { h.tuning = tuning{} })
	give(share(3), func(h *Host) { h.tuning.version = saptuneTooOld })
	give(share(8), func(h *Host) { h.tuning.state = notCompliant })
	give(share(5), func(h *Host) { h.tuning.state = notTuned })
	if n < 2*minHostsForFaults {
		return
	}
	give(share(3), func(h *Host) { h.registration = unregistered })
	give(share(2), func(h *Host) { h.registration = expired })
	give(share(10), func(h *Host) { h.agent = middleAgentVersion })
}

// setDates moves all dates in the landscape to before now.
func (f *Fleet) setDates(now time.Time) {
	f.start, f.now = now, now
	for _, h := range f.hosts {
		h.bootedAt = now.Add(-h.uptime)
		h.tuning.since = now.Add(-h.uptime + 2*time.Minute)
		h.subscribedAt = now.Truncate(24*time.Hour).AddDate(0, -4, -int(h.uptime.Hours())%90)
		if h.registration == expired {
			h.subscribedAt = h.subscribedAt.AddDate(-subscriptionYears, 0, 0)
		}
		for n, i := range h.instances {
			i.startedAt = h.bootedAt.Truncate(time.Second).Add(time.Duration(1+n) * 10 * time.Second)
		}
	}
	for _, c := range f.clusters {
		c.writtenAt = c.nodes[0].bootedAt.Add(45 * time.Second)
	}
}
