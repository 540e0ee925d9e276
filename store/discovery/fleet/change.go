package fleet

import (
	"time"

	"trento/store/landscape"
)

// change is something that happens to a host at now. It reports whether it
// could happen to this one.
type change func(f *Fleet, h *Host, now time.Time) bool

// Step lets time pass until now. Small things happen: a host reboots, a
// package is updated, a tuning state flips, an address moves, an agent is not
// heard for some minutes, a new host appears. There is at least one of them a
// step, more in large landscapes. The first step happens at the start of the
// landscape: it only lays out the past. The same steps at the same times make
// the same history.
func (f *Fleet) Step(now time.Time) {
	if !f.started {
		f.started = true
		f.layOut(now)
		return
	}
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
		flipCluster,
		renew,
		grow,
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

// touch changes what a host says in one of its reports. It does nothing where
// the report has nothing that could change.
func (f *Fleet) touch(h *Host, kind landscape.Kind, now time.Time) bool {
	switch kind {
	case landscape.HostDiscovery:
		return moveAddress(f, h, now)
	case landscape.CloudDiscovery:
		return attachDisk(f, h, now)
	case landscape.SubscriptionDiscovery:
		return renew(f, h, now)
	case landscape.SaptuneDiscovery:
		return flipTuning(f, h, now)
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

func reboot(f *Fleet, h *Host, now time.Time) bool {
	down := time.Duration(30+f.random.IntN(60)) * time.Second
	h.away = now.Add(down)
	h.booted = h.away.Add(-10 * time.Second).Truncate(time.Second)
	return true
}

func fallSilent(f *Fleet, h *Host, now time.Time) bool {
	h.away = now.Add(time.Duration(2+f.random.IntN(4)) * time.Minute)
	return true
}

// resize moves a host of a cloud to a larger machine, or back to a smaller
// one. That takes a reboot.
func resize(f *Fleet, h *Host, now time.Time) bool {
	if _, cloud := regions[h.at.provider]; !cloud {
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

func flipCluster(_ *Fleet, h *Host, _ time.Time) bool {
	if h.Role != Database && h.Role != CentralServices {
		return false
	}
	h.clustered = !h.clustered
	return true
}

// renew registers a host anew, from today on.
func renew(_ *Fleet, h *Host, now time.Time) bool {
	h.registration = registered
	h.subscribed = now.Truncate(time.Second)
	return true
}

// grow adds an application server to the system of a host. In the long run a
// landscape grows by a tenth.
func grow(f *Fleet, h *Host, now time.Time) bool {
	if h.System == nil || h.at.full() || len(f.hosts) >= f.planned+max(1, f.planned/10) {
		return false
	}
	fresh := f.addHost(h.System, h.at, Application)
	fresh.booted = now.Add(-5 * time.Minute)
	fresh.tuning.since = now
	fresh.subscribed = now.Truncate(24 * time.Hour)
	return true
}
