package fleet

import (
	"time"
)

// change applies a change to a host at now. It returns false if the change does
// not apply to the host.
type change func(f *Fleet, h *Host, now time.Time) bool

// Step advances the landscape to now. It makes small changes: a host reboots, a
// package is updated, an address moves, an agent is silent for some minutes, a
// new host appears. It also starts failures, which end some minutes later:
// central services fail over, a secondary site takes over, a node leaves its
// cluster, an instance stops. A step makes at least one change, and more in a
// large landscape. The first step only sets the dates in the landscape to the
// past. The same steps at the same times give the same history.
func (f *Fleet) Step(now time.Time) {
	if !f.started {
		f.started = true
		f.setDates(now)
		return
	}
	f.now = now
	f.runDueEffects(now)
	if len(f.hosts) == 0 {
		return
	}
	for range 1 + len(f.hosts)/200 {
		f.applyRandomChange(now)
	}
}

// applyRandomChange changes one host. It ignores hosts that are down, and hosts
// whose agent is silent on purpose.
func (f *Fleet) applyRandomChange(now time.Time) {
	// Changes that are listed more than once happen more often.
	changes := []change{
		toggleTuning, toggleTuning, toggleTuning,
		moveAddress, moveAddress, moveAddress,
		updatePackage, updatePackage,
		reboot, reboot,
		stopReporting,
		resize,
		toggleAutostart,
		renewSubscription,
		addApplicationServer,
		addTenant, addSystem,
		failInstance, failInstance, failInstance,
		hideInstance, hideInstance,
		failOver, failOver, failOver,
		takeOver, takeOver,
		loseSync, loseDisk, stopNode, stopNode, startMaintenance,
	}
	const attempts = 20 // in a small landscape, a change may apply to no host
	for range attempts {
		h := f.hosts[f.random.IntN(len(f.hosts))]
		if h.heartbeatPattern != alwaysSends || !now.After(h.downUntil) {
			continue
		}
		if changes[f.random.IntN(len(changes))](f, h, now) {
			return
		}
	}
}

// failAddress adds a failure to the virtual address of a host's cluster.
func failAddress(_ *Fleet, h *Host, _ time.Time) bool {
	if h.cluster == nil || h.offline {
		return false
	}
	h.cluster.addressFailures++
	return true
}

// toggleStatus changes the status of an instance from green to yellow, or back.
func toggleStatus(_ *Fleet, h *Host, _ time.Time) bool {
	for _, i := range h.instances {
		if i.sid() == diagnosticsSID || i.unresponsive || i.state() == gray || i.state() == red {
			continue
		}
		if i.status == green {
			i.status = yellow
		} else {
			i.status = green
		}
		return true
	}
	return false
}

func toggleTuning(_ *Fleet, h *Host, now time.Time) bool {
	if h.tuning.version == "" || h.tuning.version == saptuneTooOld || h.tuning.solution == "" {
		return false
	}
	if h.tuning.state == compliant {
		h.tuning.state = notCompliant
	} else {
		h.tuning.state = compliant
	}
	h.tuning.since = now
	return true
}

// moveAddress adds a virtual address to a host, or removes it.
func moveAddress(_ *Fleet, h *Host, _ time.Time) bool {
	if !h.floatingAddress.IsValid() {
		if h.location.isFull() {
			return false
		}
		h.floatingAddress = h.location.nextAddress()
	}
	h.hasFloatingAddress = !h.hasFloatingAddress
	return true
}

// updatePackage updates a package: the agent, or saptune.
func updatePackage(_ *Fleet, h *Host, now time.Time) bool {
	switch {
	case h.agent != currentAgentVersion:
		h.agent = currentAgentVersion
	case h.tuning.version != saptuneCurrent:
		h.tuning.version, h.tuning.since = saptuneCurrent, now
		if h.tuning.state == "" {
			fresh := newTuning(h.Role, h.System)
			h.tuning.state, h.tuning.solution = fresh.state, fresh.solution
		}
	default:
		return false
	}
	return true
}

// reboot restarts a host and its instances. It leaves out hosts of a cluster,
// which have other failures.
func reboot(f *Fleet, h *Host, now time.Time) bool {
	if h.cluster != nil {
		return false
	}
	down := time.Duration(30+f.random.IntN(60)) * time.Second
	h.downUntil = now.Add(down)
	h.bootedAt = h.downUntil.Add(-10 * time.Second).Truncate(time.Second)
	f.runAfter(down+time.Second, h, func(time.Time) {}) // it reports again
	for _, i := range h.instances {
		i.restart(h.bootedAt)
	}
	return true
}

func stopReporting(f *Fleet, h *Host, now time.Time) bool {
	h.downUntil = now.Add(time.Duration(2+f.random.IntN(4)) * time.Minute)
	return true
}

// resize moves a host in a cloud to a larger machine, or back to a smaller one.
// The host reboots.
func resize(f *Fleet, h *Host, now time.Time) bool {
	if _, cloud := regions[h.location.provider]; !cloud || h.cluster != nil {
		return false
	}
	if h.size == largest {
		h.size = medium
	} else {
		h.size++
	}
	return reboot(f, h, now)
}

func attachDisk(_ *Fleet, h *Host, _ time.Time) bool {
	if _, cloud := regions[h.location.provider]; !cloud {
		return false
	}
	const most = 12
	h.disks = h.disks%most + 1
	return true
}

func toggleAutostart(_ *Fleet, h *Host, _ time.Time) bool {
	if h.cluster == nil {
		return false
	}
	h.noAutostart = !h.noAutostart
	return true
}

// renewSubscription registers a host again, starting now.
func renewSubscription(_ *Fleet, h *Host, now time.Time) bool {
	h.registration = registered
	h.subscribedAt = now.Truncate(time.Second)
	return true
}

// mayGrow reports whether another host may be added. A landscape grows by at
// most a tenth.
func (f *Fleet) mayGrow(at *location) bool {
	return !at.isFull() && len(f.hosts) < f.plannedHosts+max(1, f.plannedHosts/10)
}

// addApplicationServer adds an application server to the system of a host.
func addApplicationServer(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.mayGrow(h.location) {
		return false
	}
	fresh := f.addHost(h.System, h.location, Application)
	f.startServer(h.System, fresh)
	fresh.markInstalled(now)
	return true
}

// addTenant adds a tenant to a database on a host.
func addTenant(f *Fleet, h *Host, _ time.Time) bool {
	const most = 4
	for _, i := range h.instances {
		if db := i.database; db != nil && len(db.tenants) < most {
			f.addTenant(db)
			return true
		}
	}
	return false
}

// addSystem adds a system. It uses the database of the host if that has a free
// tenant; otherwise it adds a small system with its own database.
func addSystem(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.mayGrow(h.location) {
		return false
	}
	known := len(f.hosts)
	if db := h.System.database; db.hasFreeTenant() {
		p := systemPlan{product: extendedWarehouse, ensa: 2, services: withFirstServer, servers: 1}
		f.installSystem(f.newSystem(h.System.Stage, h.location, &p), db, &p)
	} else {
		f.build(&sandbox)
	}
	for _, fresh := range f.hosts[known:] {
		fresh.markInstalled(now)
	}
	return true
}

// markInstalled gives a host the dates of a host that was installed just now.
func (h *Host) markInstalled(now time.Time) {
	h.bootedAt = now.Add(-5 * time.Minute)
	h.tuning.since = now
	h.subscribedAt = now.Truncate(24 * time.Hour)
	for _, i := range h.instances {
		i.restart(now.Add(-time.Minute))
	}
}
