package fleet

import "time"

// Incident is something that happens to a host or its cluster in a story: a
// landscape whose changes are told, and not left to chance as in Step.
type Incident int

// The incidents. All but Update, Restart and Repair end after some time.
const (
	Drift       Incident = iota // parameters are no longer as saptune's notes want them
	Silence                     // the agent sends nothing
	Restart                     // the host restarts
	Update                      // saptune and the agent are updated, and the host restarts
	Slowness                    // an instance of an application turns yellow
	Crash                       // an instance of an application that no cluster restarts turns red
	FailOver                    // central services move to the other node
	TakeOver                    // the secondary site of a database becomes the primary
	LoseSync                    // the secondary site of a database dies
	LoseDisk                    // an SBD disk cannot be read
	Maintenance                 // the cluster does not manage its resources
	Expiry                      // the subscription has expired
	Repair                      // everything on the host and in its cluster is well again
)

// Forever is how long an incident lasts that a story does not end.
const Forever = forever

// Cause lets an incident happen at now. It returns false, and changes nothing, if
// the incident cannot happen to the host.
func (f *Fleet) Cause(what Incident, h *Host, lasts time.Duration, now time.Time) bool {
	f.touch(h)
	happened := f.cause(what, h, lasts, now)
	f.touch(h)
	return happened
}

func (f *Fleet) cause(what Incident, h *Host, lasts time.Duration, now time.Time) bool {
	switch what {
	case Drift:
		return f.drift(h, lasts, now)
	case Silence:
		return f.silence(h, lasts, now)
	case Restart:
		return reboot(f, h, now)
	case Update:
		updatePackage(f, h, now)
		updatePackage(f, h, now)
		return h.cluster != nil || reboot(f, h, now)
	case Slowness:
		return f.failApplication(h, yellow, lasts)
	case Crash:
		return f.failApplication(h, red, lasts)
	case FailOver:
		return failOverFor(f, h, lasts, now)
	case TakeOver:
		return takeOverFor(f, h, lasts, now)
	case LoseSync:
		return loseSyncFor(f, h, lasts, now)
	case LoseDisk:
		return loseDiskFor(f, h, lasts, now)
	case Maintenance:
		return startMaintenanceFor(f, h, lasts, now)
	case Expiry:
		h.registration = expired
		h.subscribedAt = now.Truncate(24*time.Hour).AddDate(-subscriptionYears, 0, 0)
	case Repair:
		h.repair(now)
	}
	return true
}

// Advance moves the time to now, and ends what ends by then. Unlike Step it does
// not change anything by chance. It returns the hosts whose reports may have
// changed since the last call.
func (f *Fleet) Advance(now time.Time) (changed []*Host) {
	if !f.started {
		f.started, f.touchedHosts = true, make(map[*Host]bool)
		f.setDates(now)
	}
	f.now = now
	f.runDueEffects(now)
	for _, h := range f.hosts {
		if f.touchedHosts[h] {
			changed = append(changed, h)
		}
	}
	clear(f.touchedHosts)
	return changed
}

// NextChange returns when Advance changes something next. ok is false if it never
// does.
func (f *Fleet) NextChange() (at time.Time, ok bool) {
	for _, e := range f.effects {
		if !ok || e.at.Before(at) {
			at, ok = e.at, true
		}
	}
	return at, ok
}

// Sends reports whether the agent of a host sends heartbeats and reports at now.
func (f *Fleet) Sends(h *Host, now time.Time) (heartbeats, reports bool) {
	return f.sendsHeartbeat(h, now), f.sendsReports(h, now)
}

// Remove removes a host without SAP software from the landscape.
func (f *Fleet) Remove(h *Host) {
	for n := range f.hosts {
		if f.hosts[n] == h {
			f.hosts = append(f.hosts[:n:n], f.hosts[n+1:]...)
			return
		}
	}
}

// touch remembers that the reports of a host and of its neighbours may have
// changed: the nodes of its cluster, and the hosts of its databases.
func (f *Fleet) touch(h *Host) {
	if f.touchedHosts == nil {
		return
	}
	f.touchedHosts[h] = true
	if h.cluster != nil {
		for _, node := range h.cluster.nodes {
			f.touchedHosts[node] = true
		}
	}
	for _, i := range h.instances {
		if i.database == nil {
			continue
		}
		for _, s := range i.database.sites {
			for _, other := range s.instances {
				f.touchedHosts[other.host] = true
			}
		}
	}
}

// drift makes a tuned host differ from its notes for a time.
func (f *Fleet) drift(h *Host, lasts time.Duration, now time.Time) bool {
	if h.tuning.solution == "" || h.tuning.version == saptuneTooOld || h.tuning.state != compliant {
		return false
	}
	h.tuning.state, h.tuning.since = notCompliant, now
	f.runAfter(lasts, h, func(now time.Time) { h.tuning.state, h.tuning.since = compliant, now })
	return true
}

// silence stops the agent of a host for a time.
func (f *Fleet) silence(h *Host, lasts time.Duration, now time.Time) bool {
	if h.heartbeatPattern != alwaysSends || !now.After(h.downUntil) {
		return false
	}
	if lasts == forever {
		h.heartbeatPattern = stopsSending
		return true
	}
	h.downUntil = now.Add(lasts)
	f.runAfter(lasts+time.Second, h, func(time.Time) {})
	return true
}

// failApplication gives an application server on the host a status for a time.
func (f *Fleet) failApplication(h *Host, s status, lasts time.Duration) bool {
	for _, i := range h.instances {
		if i.system != nil && !i.software.isCentral() && i.canBecome(s) {
			f.failInstanceFor(i, s, lasts)
			return true
		}
	}
	return false
}

// repair ends everything that is wrong with a host and its cluster.
func (h *Host) repair(now time.Time) {
	if h.registration != registered {
		renewSubscription(nil, h, now)
	}
	h.heartbeatPattern = alwaysSends
	if h.tuning.solution == "" && h.Role != Utility && h.Role != Storage && h.Role != Tiebreaker || h.tuning.version == "" {
		h.tuning = newTuning(h.Role, h.System)
	}
	if h.tuning.solution != "" {
		h.tuning.version, h.tuning.state, h.tuning.since = saptuneCurrent, compliant, now
	}
	for _, i := range h.instances {
		if i.status == gray {
			i.restart(now)
		}
		i.status, i.failing, i.unresponsive = green, false, false
	}
	c := h.cluster
	if c == nil {
		return
	}
	for n := range c.disks {
		c.disks[n].broken = false
	}
	for _, node := range c.nodes {
		if node.offline {
			c.join(node, now)
		}
	}
	if c.database != nil {
		c.database.outOfSync = false
	}
	if c.name == "" {
		c.name = toLower(c.shortName()) + "_cluster"
	}
	c.maintenance, c.addressFailed, c.addressFailures, c.failing, c.writtenAt = false, false, 0, false, now
}
