package fleet

import (
	"math/rand/v2"
	"slices"
	"time"
)

// trouble is something that will be over, or take its next turn.
type trouble struct {
	until time.Time
	then  func(now time.Time)
}

// after lets something happen in a Step some time from now.
func (f *Fleet) after(d time.Duration, then func(now time.Time)) {
	f.troubles = append(f.troubles, trouble{f.now.Add(d), then})
}

// endTroubles lets happen what is due.
func (f *Fleet) endTroubles(now time.Time) {
	var due []trouble
	f.troubles = slices.DeleteFunc(f.troubles, func(t trouble) bool {
		if t.until.After(now) {
			return false
		}
		due = append(due, t)
		return true
	})
	for _, t := range due {
		t.then(now)
	}
}

// minutes is a random time span.
func (f *Fleet) minutes(least, most int) time.Duration {
	return time.Duration(60*least+f.random.IntN(60*(most-least)+1)) * time.Second
}

// changeStatus lets an instance run badly, or not at all, for some minutes.
func changeStatus(f *Fleet, h *Host, now time.Time) bool {
	states := [...]status{yellow, red, gray}
	s := states[f.random.IntN(len(states))]
	i := f.anyInstance(h)
	if i == nil || !i.can(s) {
		return false
	}
	i.status, i.troubled = s, true
	f.after(f.minutes(1, 5), func(now time.Time) {
		if i.status == gray {
			i.restart(now)
		}
		i.status, i.troubled = green, false
	})
	return true
}

// vanish lets the service of an instance not answer the agent for some
// minutes. A cluster would start it again.
func vanish(f *Fleet, h *Host, now time.Time) bool {
	i := f.anyInstance(h)
	if i == nil || i.troubled || i.absent || i.clustered {
		return false
	}
	i.absent, i.troubled = true, true
	f.after(f.minutes(1, 5), func(time.Time) { i.absent, i.troubled = false, false })
	return true
}

// anyInstance is an instance on a host; nil where there is none.
func (f *Fleet) anyInstance(h *Host) *instance {
	list := slices.DeleteFunc(slices.Clone(h.instances), func(i *instance) bool { return i.sid() == diagnosticsSID })
	if len(list) == 0 {
		return nil
	}
	return list[f.random.IntN(len(list))]
}

// quiet reports whether a cluster is one that something can happen to.
func (c *cluster) quiet() bool { return c != nil && !c.troubled }

// trouble lets something be wrong with a cluster for some time.
func (f *Fleet) trouble(c *cluster, d time.Duration, now time.Time, end func(now time.Time)) {
	c.troubled, c.written = true, now
	f.after(d, func(now time.Time) {
		c.troubled, c.written = false, now
		end(now)
	})
}

// failOver moves central services to the other node of their cluster, and
// back some minutes later.
func failOver(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() || len(c.systems) == 0 {
		return false
	}
	s := c.systems[f.random.IntN(len(c.systems))]
	back := f.minutes(4, 12)
	f.trouble(c, back+2*replicaFollows, now, func(time.Time) {})
	f.exchange(s, now)
	f.after(back, func(now time.Time) { f.exchange(s, now) })
	return true
}

// replicaFollows is how long the replica of the locks stays beside the
// central services that came to its node: they need it to take the locks
// over.
const replicaFollows = 40 * time.Second

// exchange lets the central services and their replica change places.
func (f *Fleet) exchange(s *System, now time.Time) {
	from, to := s.ascs.host, s.ers.host
	s.ascs.move(to, now)
	from.cluster.written = now
	f.after(replicaFollows, func(now time.Time) {
		s.ers.move(from, now)
		from.cluster.written = now
	})
}

// takeOver makes the second site of a database the primary. The first one is
// down until it replicates from the new primary.
func takeOver(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() || c.database == nil || c.second != nil || !c.database.inSync() {
		return false
	}
	db := c.database
	old := db.sites[0]
	db.sites[0], db.sites[1] = db.sites[1], db.sites[0]
	old.detached = true
	f.trouble(c, f.minutes(1, 4), now, func(now time.Time) {
		old.detached = false
		for _, i := range old.instances {
			i.restart(now)
		}
	})
	return true
}

// loseSync lets the second site of a database fall behind.
func loseSync(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() || c.database == nil {
		return false
	}
	c.database.outOfSync = true
	f.trouble(c, f.minutes(1, 6), now, func(time.Time) { c.database.outOfSync = false })
	return true
}

// loseDisk lets the nodes of a cluster lose sight of a disk.
func loseDisk(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() || len(c.disks) == 0 {
		return false
	}
	d := &c.disks[f.random.IntN(len(c.disks))]
	d.broken = true
	f.trouble(c, f.minutes(1, 6), now, func(time.Time) { d.broken = false })
	return true
}

// maintain puts a cluster into maintenance mode.
func maintain(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() {
		return false
	}
	c.maintenance = true
	f.trouble(c, f.minutes(2, 10), now, func(time.Time) { c.maintenance = false })
	return true
}

// stopNode takes a node out of its cluster for some minutes.
func stopNode(f *Fleet, h *Host, now time.Time) bool {
	c := h.cluster
	if !c.quiet() {
		return false
	}
	node := c.expendable(f.random)
	c.stop(node, now)
	f.trouble(c, f.minutes(2, 8), now, func(now time.Time) { c.join(node, now) })
	return true
}

// expendable is a node that can leave without the primary site of a database
// having to move.
func (c *cluster) expendable(random *rand.Rand) *Host {
	nodes := slices.Clone(c.nodes)
	if c.database != nil {
		nodes = slices.DeleteFunc(nodes, func(node *Host) bool {
			i := c.instance(node)
			return i != nil && i.site == c.database.primary()
		})
	}
	return nodes[random.IntN(len(nodes))]
}

// stop takes a node out of the cluster. Central services go to the other
// node; a database there stops.
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

// join takes a node into the cluster again, and everything back to where it
// was at home.
func (c *cluster) join(node *Host, now time.Time) {
	node.offline = false
	for _, s := range c.systems {
		s.ascs.move(s.ascs.home, now)
		s.ers.move(s.ers.home, now)
	}
	for _, i := range node.instances {
		if i.database != nil && i.clustered {
			i.restart(now)
		}
	}
}
