package fleet

import "slices"

// breakInstances lets some instances run badly, or not at all.
func (f *Fleet) breakInstances() {
	if len(f.hosts) < enough {
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
			if i := list[n]; i.can(trouble.status) {
				i.status, i.troubled = trouble.status, true
				trouble.count--
			}
		}
	}
}

// can reports whether an instance can get into a status just like that. What
// is kept available does not simply stop.
func (i *instance) can(s status) bool {
	if i.troubled || i.absent || i.state() != green {
		return false
	}
	return s != gray || !i.clustered && (i.database == nil || !i.database.replicated())
}

// breakClusters deals out what is wrong with clusters: to each one trouble at
// most, and each trouble to one at least where there are enough of them.
func (f *Fleet) breakClusters() {
	if len(f.hosts) < enough {
		return
	}
	order := f.random.Perm(len(f.clusters))
	deal := func(fits func(*cluster) bool, trouble func(*cluster)) {
		count := max(1, len(f.clusters)*2/100)
		order = slices.DeleteFunc(order, func(n int) bool {
			c := f.clusters[n]
			if count == 0 || !fits(c) {
				return false
			}
			trouble(c)
			c.troubled = true
			count--
			return true
		})
	}
	every := func(*cluster) bool { return true }
	deal(every, func(c *cluster) { c.name = "" })
	deal(every, func(c *cluster) { c.failed, c.failures = true, 3 })
	if len(f.hosts) < 2*enough {
		return
	}
	deal(func(c *cluster) bool { return len(c.disks) > 0 }, func(c *cluster) { c.disks[0].broken = true })
	deal(func(c *cluster) bool { return c.database != nil }, func(c *cluster) { c.database.outOfSync = true })
	deal(every, func(c *cluster) { c.stop(c.expendable(f.random), moment) })
	deal(every, func(c *cluster) { c.maintenance = true })
}
