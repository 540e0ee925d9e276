package fleet

import (
	"time"
)

// change changes a host at now. It reports whether this host can be changed so.
type change func(f *Fleet, h *Host, now time.Time) bool

// Step advances the landscape to now. There are small changes: a host reboots, a
// package is updated, an address moves, an agent is silent for some minutes, a
// new host appears. There are failures, which end some minutes later: central
// services fail over, a secondary site takes over, a node leaves its cluster, an
// instance stops. A step makes at least one change, more in large landscapes. The
// first step only sets the dates of the past. The same steps at the same times
// make the same history.
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

// applyRandomChange changes one host. Hosts that are away, or whose agent is
// silent on purpose, are left alone.
func (f *Fleet) applyRandomChange(now time.Time) {
	// Changes that are listed more than once are more frequent.
	changes := []change{
		flipTuning, flipTuning, flipTuning,
		moveAddress, moveAddress, moveAddress,
		updatePackage, updatePackage,
		reboot, reboot,
		stopReporting,
		resize,
		flipAutostart,
		renewSubscription,
		addApplicationServer,
		addTenant, addSystem,
		changeStatus, changeStatus, changeStatus,
		hideInstance, hideInstance,
		failOver, failOver, failOver,
		takeOver, takeOver,
		loseSync, loseDisk, stopNode, stopNode, startMaintenance,
	}
	const attempts = 20 // a landscape may be too small for any of them
	for range attempts {
		h := f.hosts[f.random.IntN(len(f.hosts))]
		if h.presence != present || !now.After(h.awayUntil) {
			continue
		}
		if changes[f.random.IntN(len(changes))](f, h, now) {
			return
		}
	}
}

// failAddress adds a failure of the virtual address of a host's cluster.
func failAddress(_ *Fleet, h *Host, _ time.Time) bool {
	if h.cluster == nil || h.offline {
		return false
	}
	h.cluster.addressFailures++
	return true
}

// flipStatus turns an instance from green to yellow, or back.
func flipStatus(_ *Fleet, h *Host, _ time.Time) bool {
	for _, i := range h.instances {
		if i.sid() == diagnosticsSID || i.unanswering || i.state() == gray || i.status == red {
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

func flipTuning(_ *Fleet, h *Host, now time.Time) bool {
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
		if h.location.full() {
			return false
		}
		h.floatingAddress = h.location.address()
	}
	h.hasFloating = !h.hasFloating
	return true
}

// updatePackage brings a package up to date: the agent, or saptune.
func updatePackage(_ *Fleet, h *Host, now time.Time) bool {
	switch {
	case h.agent != currentAgent:
		h.agent = currentAgent
	case h.tuning.version != saptuneCurrent:
		h.tuning.version, h.tuning.since = saptuneCurrent, now
		if h.tuning.state == "" {
			fresh := newTuning(h.Role)
			h.tuning.state, h.tuning.solution = fresh.state, fresh.solution
		}
	default:
		return false
	}
	return true
}

// reboot restarts a host and its instances. Hosts in a cluster are left alone:
// they have failures of their own.
func reboot(f *Fleet, h *Host, now time.Time) bool {
	if h.cluster != nil {
		return false
	}
	down := time.Duration(30+f.random.IntN(60)) * time.Second
	h.awayUntil = now.Add(down)
	h.booted = h.awayUntil.Add(-10 * time.Second).Truncate(time.Second)
	for _, i := range h.instances {
		i.restart(h.booted)
	}
	return true
}

func stopReporting(f *Fleet, h *Host, now time.Time) bool {
	h.awayUntil = now.Add(time.Duration(2+f.random.IntN(4)) * time.Minute)
	return true
}

// resize moves a host of a cloud to a larger machine, or back to a smaller
// one. That takes a reboot.
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

func flipAutostart(_ *Fleet, h *Host, _ time.Time) bool {
	if h.cluster == nil {
		return false
	}
	h.noAutostart = !h.noAutostart
	return true
}

// renewSubscription registers a host anew, from today on.
func renewSubscription(_ *Fleet, h *Host, now time.Time) bool {
	h.registration = registered
	h.subscribed = now.Truncate(time.Second)
	return true
}

// mayGrow reports whether another host may appear. In the long run a landscape
// grows by a tenth.
func (f *Fleet) mayGrow(at *location) bool {
	return !at.full() && len(f.hosts) < f.plannedHosts+max(1, f.plannedHosts/10)
}

// addApplicationServer adds an application server to the system of a host.
func addApplicationServer(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.mayGrow(h.location) {
		return false
	}
	fresh := f.addHost(h.System, h.location, Application)
	f.startServer(h.System, fresh)
	fresh.setUp(now)
	return true
}

// addTenant adds a tenant to a database of a host.
func addTenant(f *Fleet, h *Host, _ time.Time) bool {
	const most = 4
	for _, i := range h.instances {
		if db := i.database; db != nil && len(db.tenants) < most {
			db.addTenant(f.names.sid(f.random, "T"))
			return true
		}
	}
	return false
}

// addSystem adds a system: on the database of the host where that has a free
// tenant, else a small one with a database of its own.
func addSystem(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.mayGrow(h.location) {
		return false
	}
	known := len(f.hosts)
	if db := h.System.database; db.hasFreeTenant() {
		p := systemPlan{ensa: 2, services: withServer, servers: 1}
		f.installSystem(f.newSystem(h.System.Stage, h.location, &p), db, &p)
	} else {
		f.build(&sandbox)
	}
	for _, fresh := range f.hosts[known:] {
		fresh.setUp(now)
	}
	return true
}

// setUp dates a host as one that was installed just now.
func (h *Host) setUp(now time.Time) {
	h.booted = now.Add(-5 * time.Minute)
	h.tuning.since = now
	h.subscribed = now.Truncate(24 * time.Hour)
	for _, i := range h.instances {
		i.restart(now.Add(-time.Minute))
	}
}
