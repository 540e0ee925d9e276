package fleet

import "slices"

// addInstanceFaults gives some instances a bad status, or stops them.
func (f *Fleet) addInstanceFaults() {
	if len(f.hosts) < minHostsForFaults {
		return
	}
	var list []*instance
	for _, h := range f.hosts {
		for _, i := range h.instances {
			if i.sid() != diagnosticsSID {
				list = append(list, i)
			}
		}
	}
	share := max(1, len(list)/200)
	for _, trouble := range []struct {
		status
		count int
	}{{gray, share}, {red, share}, {yellow, 2 * share}} {
		for _, n := range f.random.Perm(len(list)) {
			if trouble.count == 0 {
				break
			}
			if i := list[n]; i.canBecome(trouble.status) {
				i.status, i.failing = trouble.status, true
				trouble.count--
			}
		}
	}
}

// canBecome reports whether a healthy instance can be given a status. A cluster
// restarts an instance that stops or dies, and replicated databases do not
// simply stop.
func (i *instance) canBecome(s status) bool {
	switch {
	case i.failing || i.unresponsive || i.state() != green:
		return false
	case s == gray && i.database != nil && i.database.isReplicated():
		return false
	}
	return s == yellow || !i.clustered
}

// addClusterFaults gives clusters their faults. Each cluster has at most one
// fault. If there are enough clusters, each fault occurs at least once.
func (f *Fleet) addClusterFaults() {
	if len(f.hosts) < minHostsForFaults {
		return
	}
	order := f.random.Perm(len(f.clusters))
	give := func(fits func(*cluster) bool, fault func(*cluster)) {
		count := max(1, len(f.clusters)*2/100)
		order = slices.DeleteFunc(order, func(n int) bool {
			c := f.clusters[n]
			if count == 0 || !fits(c) {
				return false
			}
			fault(c)
			c.failing = true
			count--
			return true
		})
	}
	every := func(*cluster) bool { return true }
	// An address that does not work would be felt by applications.
	give(func(c *cluster) bool { return c.database == nil && len(c.systems) == 0 }, func(c *cluster) { c.addressFailed, c.addressFailures = true, 3 })
	give(every, func(c *cluster) { c.name = "" })
	if len(f.hosts) < 2*minHostsForFaults {
		return
	}
	give(func(c *cluster) bool { return len(c.disks) > 0 }, func(c *cluster) { c.disks[0].broken = true })
	give(func(c *cluster) bool { return c.database != nil }, func(c *cluster) { c.database.outOfSync = true })
	give(every, func(c *cluster) { c.stop(c.stoppableNode(f.random), defaultStart) })
	give(every, func(c *cluster) { c.maintenance = true })
}
