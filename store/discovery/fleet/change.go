package fleet

import (
	"time"
)

// change is something that happens to a host at now. It reports whether it
// could happen to this one.
type change func(f *Fleet, h *Host, now time.Time) bool

// Step lets time pass until now. Small things happen: a host reboots, a
// package is updated, an address moves, an agent is not heard for some
// minutes, a new host appears. Larger ones happen too: central services fail
// over, a secondary site takes over, a node leaves its cluster, an instance
// stops, or is not found; they are over some minutes later. There is at least
// one of all these a step, more in large landscapes. The first step happens
// at the start of the landscape: it only lays out the past. The same steps at
// the same times make the same history.
func (f *Fleet) Step(now time.Time) {
	if !f.started {
		f.started = true
		f.layOut(now)
		return
	}
	f.now = now
	f.endTroubles(now)
	if len(f.hosts) == 0 {
		return
	}
	for range 1 + len(f.hosts)/200 {
		f.happen(now)
	}
}

// happen lets one thing happen somewhere. Hosts that are away or whose
// presence is a matter of its own are left alone.
func (f *Fleet) happen(now time.Time) {
	// What is listed more than once happens more often.
	changes := []change{
		flipTuning, flipTuning, flipTuning,
		moveAddress, moveAddress, moveAddress,
		update, update,
		reboot, reboot,
		fallSilent,
		resize,
		flipAutostart,
		renew,
		grow,
		open, appear,
		changeStatus, changeStatus, changeStatus,
		vanish, vanish,
		failOver, failOver, failOver,
		takeOver, takeOver,
		loseSync, loseDisk, stopNode, stopNode, maintain,
	}
	const attempts = 20 // a landscape may be so small that nothing can happen
	for range attempts {
		h := f.hosts[f.random.IntN(len(f.hosts))]
		if h.presence != present || !now.After(h.away) {
			continue
		}
		if changes[f.random.IntN(len(changes))](f, h, now) {
			return
		}
	}
}

// failOnce lets a virtual address of the cluster of a host fail, once more.
func failOnce(_ *Fleet, h *Host, _ time.Time) bool {
	if h.cluster == nil || h.offline {
		return false
	}
	h.cluster.failures++
	return true
}

// flipStatus lets an instance do a little worse, or better.
func flipStatus(_ *Fleet, h *Host, _ time.Time) bool {
	for _, i := range h.instances {
		if i.sid() == diagnosticsSID || i.absent || i.state() == gray || i.status == red {
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

// moveAddress lets a virtual address arrive at a host, or leave it.
func moveAddress(_ *Fleet, h *Host, _ time.Time) bool {
	if !h.floating.IsValid() {
		if h.at.full() {
			return false
		}
		h.floating = h.at.address()
	}
	h.floats = !h.floats
	return true
}

// update brings a package up to date: the agent, or saptune.
func update(_ *Fleet, h *Host, now time.Time) bool {
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

// reboot restarts a host and all that is on it. Those in a cluster are left
// alone: what happens there is a story of its own.
func reboot(f *Fleet, h *Host, now time.Time) bool {
	if h.cluster != nil {
		return false
	}
	down := time.Duration(30+f.random.IntN(60)) * time.Second
	h.away = now.Add(down)
	h.booted = h.away.Add(-10 * time.Second).Truncate(time.Second)
	for _, i := range h.instances {
		i.restart(h.booted)
	}
	return true
}

func fallSilent(f *Fleet, h *Host, now time.Time) bool {
	h.away = now.Add(time.Duration(2+f.random.IntN(4)) * time.Minute)
	return true
}

// resize moves a host of a cloud to a larger machine, or back to a smaller
// one. That takes a reboot.
func resize(f *Fleet, h *Host, now time.Time) bool {
	if _, cloud := regions[h.at.provider]; !cloud || h.cluster != nil {
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
	if _, cloud := regions[h.at.provider]; !cloud {
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
	h.byHand = !h.byHand
	return true
}

// renew registers a host anew, from today on.
func renew(_ *Fleet, h *Host, now time.Time) bool {
	h.registration = registered
	h.subscribed = now.Truncate(time.Second)
	return true
}

// room reports whether another host may appear. In the long run a landscape
// grows by a tenth.
func (f *Fleet) room(at *location) bool {
	return !at.full() && len(f.hosts) < f.planned+max(1, f.planned/10)
}

// grow adds an application server to the system of a host.
func grow(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.room(h.at) {
		return false
	}
	fresh := f.addHost(h.System, h.at, Application)
	f.startServer(h.System, fresh)
	fresh.begin(now)
	return true
}

// open adds a tenant to a database of a host.
func open(f *Fleet, h *Host, _ time.Time) bool {
	const most = 4
	for _, i := range h.instances {
		if db := i.database; db != nil && len(db.tenants) < most {
			db.open(f.names.sid(f.random, "T"))
			return true
		}
	}
	return false
}

// appear adds a system: to the database of another one where that has a
// tenant to spare, else a small one with all of its own.
func appear(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || !f.room(h.at) {
		return false
	}
	known := len(f.hosts)
	if db := h.System.database; db.spare() {
		p := plan{ensa: 2, services: withServer, servers: 1}
		f.place(f.newSystem(h.System.Stage, h.at, &p), db, &p)
	} else {
		f.build(&sandbox)
	}
	for _, fresh := range f.hosts[known:] {
		fresh.begin(now)
	}
	return true
}

// begin makes a host one that has just been set up.
func (h *Host) begin(now time.Time) {
	h.booted = now.Add(-5 * time.Minute)
	h.tuning.since = now
	h.subscribed = now.Truncate(24 * time.Hour)
	for _, i := range h.instances {
		i.restart(now.Add(-time.Minute))
	}
}
