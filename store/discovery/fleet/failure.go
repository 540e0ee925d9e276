package fleet

import (
	"math/rand/v2"
	"slices"
	"time"
)

// timedEffect is a change at a later time, such as the end of a failure.
type timedEffect struct {
	at           time.Time
	affectedHost *Host // one of the hosts whose reports change
	run          func(now time.Time)
}

// forever is how long a failure lasts that does not end by itself.
const forever = time.Duration(1<<63 - 1)

// runAfter calls then in the first Step that is at least d from now. The effect
// changes the reports of a host and of its neighbours. After forever means
// never.
func (f *Fleet) runAfter(d time.Duration, on *Host, then func(now time.Time)) {
	if d < forever {
		f.effects = append(f.effects, timedEffect{f.now.Add(d), on, then})
	}
}

// runDueEffects runs the effects that are due.
func (f *Fleet) runDueEffects(now time.Time) {
	var due []timedEffect
	f.effects = slices.DeleteFunc(f.effects, func(t timedEffect) bool {
		if t.at.After(now) {
			return false
		}
		due = append(due, t)
		return true
	})
	for _, t := range due {
		f.touch(t.affectedHost)
		t.run(now)
		f.touch(t.affectedHost)
	}
}

// randomMinutes returns a random time between two numbers of minutes.
func (f *Fleet) randomMinutes(least, most int) time.Duration {
	return time.Duration(60*least+f.random.IntN(60*(most-least)+1)) * time.Second
}

// failInstance gives an instance a bad status, or stops it, for some minutes.
func failInstance(f *Fleet, h *Host, now time.Time) bool {
	states := [...]status{yellow, red, gray}
	s := states[f.random.IntN(len(states))]
	i := f.randomInstance(h)
	if i == nil || !i.canBecome(s) {
		return false
	}
	f.failInstanceFor(i, s, f.randomMinutes(1, 5))
	return true
}

func (f *Fleet) failInstanceFor(i *instance, s status, d time.Duration) {
	i.status, i.failing = s, true
	f.runAfter(d, i.host, func(now time.Time) {
		if i.status == gray {
			i.restart(now)
		}
		i.status, i.failing = green, false
	})
}

// hideInstance makes the service of an instance stop answering the agent for
// some minutes. It leaves out instances of a cluster, which would restart them.
func hideInstance(f *Fleet, h *Host, now time.Time) bool {
	i := f.randomInstance(h)
	if i == nil || i.failing || i.unresponsive || i.clustered {
		return false
	}
	i.unresponsive, i.failing = true, true
	f.runAfter(f.randomMinutes(1, 5), h, func(time.Time) { i.unresponsive, i.failing = false, false })
	return true
}

// randomInstance returns an instance on a host; nil if the host has none.
func (f *Fleet) randomInstance(h *Host) *instance {
	list := slices.DeleteFunc(slices.Clone(h.instances), func(i *instance) bool { return i.sid() == diagnosticsSID })
	if len(list) == 0 {
		return nil
	}
	return list[f.random.IntN(len(list))]
}

// canFail reports whether a cluster can be given a failure. It cannot if
// another failure has not ended.
func (c *cluster) canFail() bool { return c != nil && !c.failing }

// startFailure marks a cluster as failing for a time, and then calls end.
func (f *Fleet) startFailure(c *cluster, d time.Duration, now time.Time, end func(now time.Time)) {
	c.failing, c.writtenAt = true, now
	f.runAfter(d, c.nodes[0], func(now time.Time) {
		c.failing, c.writtenAt = false, now
		end(now)
	})
}

// failOver moves central services to the other node of their cluster, and
// back some minutes later.
func failOver(f *Fleet, h *Host, now time.Time) bool {
	return failOverFor(f, h, f.randomMinutes(4, 12), now)
}

func failOverFor(f *Fleet, h *Host, back time.Duration, now time.Time) bool {
	c := h.cluster
	if !c.canFail() || len(c.systems) == 0 {
		return false
	}
	s := c.systems[f.random.IntN(len(c.systems))]
	f.startFailure(c, back+2*replicaDelay, now, func(time.Time) {})
	f.swapCentralServices(s, now)
	f.runAfter(back, h, func(now time.Time) { f.swapCentralServices(s, now) })
	return true
}

// replicaDelay is how long the enqueue replicator stays on the node to which
// the central services have moved. They read the locks from it.
const replicaDelay = 40 * time.Second

// swapCentralServices exchanges the nodes of the central services and of their
// enqueue replicator.
func (f *Fleet) swapCentralServices(s *System, now time.Time) {
	from, to := s.ascs.host, s.ers.host
	s.ascs.move(to, now)
	from.cluster.writtenAt = now
	f.runAfter(replicaDelay, to, func(now time.Time) {
		s.ers.move(from, now)
		from.cluster.writtenAt = now
	})
}

// takeOver makes the second site of a database the primary. The former primary
// is down until it replicates from the new one.
func takeOver(f *Fleet, h *Host, now time.Time) bool {
	return takeOverFor(f, h, f.randomMinutes(1, 4), now)
}

func takeOverFor(f *Fleet, h *Host, d time.Duration, now time.Time) bool {
	c := h.cluster
	if !c.canFail() || c.database == nil || c.secondDatabase != nil || !c.database.isInSync() {
		return false
	}
	db := c.database
	old := db.sites[0]
	db.sites[0], db.sites[1] = db.sites[1], db.sites[0]
	old.unregistered = true
	f.startFailure(c, d, now, func(now time.Time) {
		old.unregistered = false
		for _, i := range old.instances {
			i.restart(now)
		}
	})
	return true
}

// loseSync makes the second site of a database fall behind.
func loseSync(f *Fleet, h *Host, now time.Time) bool {
	return loseSyncFor(f, h, f.randomMinutes(1, 6), now)
}

func loseSyncFor(f *Fleet, h *Host, d time.Duration, now time.Time) bool {
	c := h.cluster
	if !c.canFail() || c.database == nil {
		return false
	}
	c.database.outOfSync = true
	f.startFailure(c, d, now, func(time.Time) { c.database.outOfSync = false })
	return true
}

// loseDisk takes a disk away from the nodes of a cluster.
func loseDisk(f *Fleet, h *Host, now time.Time) bool {
	return loseDiskFor(f, h, f.randomMinutes(1, 6), now)
}

func loseDiskFor(f *Fleet, h *Host, lasts time.Duration, now time.Time) bool {
	c := h.cluster
	if !c.canFail() || len(c.disks) == 0 {
		return false
	}
	d := &c.disks[f.random.IntN(len(c.disks))]
	d.broken = true
	f.startFailure(c, lasts, now, func(time.Time) { d.broken = false })
	return true
}

// startMaintenance puts a cluster into maintenance mode.
func startMaintenance(f *Fleet, h *Host, now time.Time) bool {
	return startMaintenanceFor(f, h, f.randomMinutes(2, 10), now)
}

func startMaintenanceFor(f *Fleet, h *Host, d time.Duration, now time.Time) bool {
	c := h.cluster
	if !c.canFail() {
		return false
	}
	c.maintenance = true
	f.startFailure(c, d, now, func(time.Time) { c.maintenance = false })
	return true
}

// stopNode takes a node out of its cluster for some minutes.
func stopNode(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.canFail() {
		return false
	}
	node := c.stoppableNode(f.random)
	c.stop(node, now)
	f.startFailure(c, f.randomMinutes(2, 8), now, func(now time.Time) { c.join(node, now) })
	return true
}

// stoppableNode returns a node that can leave the cluster without a takeover of
// the database.
func (c *cluster) stoppableNode(random *rand.Rand) *Host {
	nodes := slices.Clone(c.nodes)
	if c.database != nil {
		nodes = slices.DeleteFunc(nodes, func(node *Host) bool {
			i := c.instance(node)
			return i != nil && i.site == c.database.primary()
		})
	}
	return nodes[random.IntN(len(nodes))]
}

// stop takes a node out of the cluster. Its central services move to the other
// node, and its database stops.
func (c *cluster) stop(node *Host, now time.Time) {
	node.offline = true
	for _, s := range c.systems {
		switch node {
		case s.ascs.host:
			s.ascs.move(s.ers.host, now)
		case s.ers.host:
			s.ers.move(s.ascs.host, now)
		}
	}
}

// join lets a node join the cluster again, and moves everything back to its
// home host.
func (c *cluster) join(node *Host, now time.Time) {
	node.offline = false
	for _, s := range c.systems {
		s.ascs.move(s.ascs.homeHost, now)
		s.ers.move(s.ers.homeHost, now)
	}
	for _, i := range node.instances {
		if i.database != nil && i.clustered {
			i.restart(now)
		}
	}
}
