package landscape

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
)

// Two machines that were made from one image have the same machine id, and
// with it the same host id: what one of them says is undone by the other. They
// are told by taking turns. A host counts as another machine when its name and
// its addresses have changed, or all of its addresses; and its id as shared by
// several when one that has reported before comes back for the second time
// within sharedWindow: A, B, A, B. A host that was renamed, or got another
// address, and gets back what it had before, does so once. An address that
// comes and goes beside others (of a cluster) means nothing, and neither does
// a name alone, nor a host without any address, which has only just started.
const sharedWindow = time.Hour

// maxMachines bounds the machines that are remembered of one id.
const maxMachines = 16

// Machine is what tells a machine from another one with the same id.
type Machine struct {
	Hostname  string    `json:"hostname"`
	Addresses []Address `json:"addresses"`
}

// FormerMachine is a machine that has reported under the id of a host.
type FormerMachine struct {
	Machine
	LeftAt time.Time `json:"left_at"` // when another one reported
}

// MachineHistory is what is known of the machines that take turns under one id.
type MachineHistory struct {
	// Former are those that have reported under the id lately, beside the one
	// that the host is shown as; the last one comes last.
	Former []FormerMachine `json:"former,omitempty"`
	// ReturnedAt is when one of them came back last.
	ReturnedAt *time.Time `json:"returned_at,omitempty"`
	// SharedSince is when it was found that several machines have the id; nil
	// while it is the id of one.
	SharedSince *time.Time `json:"shared_since,omitempty"`
}

// Shared reports whether several machines have the id of the host.
func (h *Host) Shared() bool { return h.MachineHistory != nil && h.MachineHistory.SharedSince != nil }

// Machines lists the machines with the id of a shared host, by name.
func (h *Host) Machines() []Machine {
	machines := []Machine{h.Machine()}
	if h.MachineHistory != nil {
		for _, m := range h.MachineHistory.Former {
			machines = append(machines, m.Machine)
		}
	}
	slices.SortStableFunc(machines, func(a, b Machine) int { return strings.Compare(a.Hostname, b.Hostname) })
	return machines
}

// Machine is what tells the machine that reports the facts from others.
func (f *HostFacts) Machine() Machine { return Machine{Hostname: f.Hostname, Addresses: f.Addresses} }

func (m Machine) has(ip netip.Addr) bool {
	return slices.ContainsFunc(m.Addresses, func(a Address) bool { return a.IP == ip })
}

// common is how many addresses two machines have both.
func (m Machine) common(other Machine) int {
	n := 0
	for _, a := range m.Addresses {
		if other.has(a.IP) {
			n++
		}
	}
	return n
}

// equal reports whether nothing tells one machine from the other.
func (m Machine) equal(other Machine) bool {
	common := m.common(other)
	return m.Hostname == other.Hostname && common == len(m.Addresses) && common == len(other.Addresses)
}

// differs reports whether one machine cannot be the other, with its name or an
// address changed; see sharedWindow.
func (m Machine) differs(other Machine) bool {
	if len(m.Addresses) == 0 || len(other.Addresses) == 0 {
		return false
	}
	common := m.common(other)
	return common == 0 || m.Hostname != other.Hostname && (common < len(m.Addresses) || common < len(other.Addresses))
}

// former is the place of a machine among the former ones; -1 where it is none
// of them.
func (t *MachineHistory) former(m Machine) int {
	return slices.IndexFunc(t.Former, func(f FormerMachine) bool { return f.equal(m) })
}

// historyAfter returns the history of a host after another machine than the
// shown one has reported under its id.
func (h *Host) historyAfter(seen Machine, now time.Time) *MachineHistory {
	after := MachineHistory{}
	if h.MachineHistory != nil {
		after = *h.MachineHistory
	}
	after.Former = slices.DeleteFunc(slices.Clone(after.Former), func(f FormerMachine) bool { return now.Sub(f.LeftAt) > sharedWindow })
	if after.ReturnedAt != nil && now.Sub(*after.ReturnedAt) > sharedWindow {
		after.ReturnedAt = nil
	}
	if i := after.former(seen); i >= 0 {
		if after.ReturnedAt != nil {
			after.SharedSince = &now
			return &after // the host stays as it is shown
		}
		after.ReturnedAt = &now
		after.Former = slices.Delete(after.Former, i, i+1)
	}
	after.add(h.Machine(), now)
	return &after
}

// add adds a machine to the former ones.
func (t *MachineHistory) add(m Machine, now time.Time) {
	if len(t.Former) == maxMachines {
		t.Former = slices.Delete(t.Former, 0, 1)
	}
	t.Former = append(t.Former, FormerMachine{m, now})
}

// observeMachine applies a report of a registered host that is not from the
// machine that the host is shown as. It reports false, and changes nothing,
// where the report may be from that machine.
func (cs *Changeset) observeMachine(host *Host, facts HostFacts) (applied bool) {
	seen := facts.Machine()
	if shown := host.Machine(); !shown.differs(seen) {
		return false
	}
	if host.Shared() {
		host.MachineHistory = host.MachineHistory.with(seen, cs.now)
		return true
	}
	host.MachineHistory = host.historyAfter(seen, cs.now)
	if host.Shared() {
		cs.emit(&activity.HostIDShared{AboutHost: host.about(), Machines: host.loggedMachines()})
		return true
	}
	cs.changeFacts(host, facts)
	return true
}

// with returns the history of a shared id after a machine has reported that is
// new, or that has another name or address now.
func (h *MachineHistory) with(seen Machine, now time.Time) *MachineHistory {
	after := *h
	after.Former = slices.Clone(h.Former)
	i := slices.IndexFunc(after.Former, func(f FormerMachine) bool { return !f.differs(seen) })
	switch {
	case i < 0 && len(after.Former) == maxMachines, i >= 0 && after.Former[i].equal(seen):
		return h
	case i < 0:
		after.add(seen, now)
	default:
		after.Former[i].Machine = seen
	}
	return &after
}

// loggedMachines returns the machines with the id of a host as the activity log
// has them.
func (h *Host) loggedMachines() []activity.Machine {
	var machines []activity.Machine
	for _, m := range h.Machines() {
		machines = append(machines, activity.Machine{Hostname: m.Hostname, Addresses: addressTexts(m.Addresses)})
	}
	return machines
}

// EndIDSharing returns what changes because only one machine has reported under
// a shared id for a while. Its next reports tell which one that is: they are
// applied in full.
func EndIDSharing(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	return cs, cs.complete(cs.endIDSharing(id))
}

func (cs *Changeset) endIDSharing(id HostID) error {
	host, err := cs.editRegisteredHost(id)
	if err != nil || !host.Shared() {
		return err
	}
	host.MachineHistory = nil
	cs.emit(&activity.HostIDUnshared{AboutHost: host.about()})
	return cs.invalidateSAPReport(id)
}

// worse returns the more alarming of two states of an instance.
func worse(a, b InstanceStatus) InstanceStatus {
	order := []InstanceStatus{Green, Gray, Yellow, Red}
	return order[max(slices.Index(order, a), slices.Index(order, b), 0)]
}

// keeping returns what is known of an instance after one of several machines
// with the same id has reported it: the known facts, unless the instance is
// worse now. What one of the machines says does not hold for the others: as long
// as they take turns nothing turns absent, leaves its cluster or gets better,
// since the next report would undo it.
func (seen reportedElement) keeping(known InstanceFacts) InstanceFacts {
	known.Status = worse(known.Status, seen.Status)
	return known
}

// keepingDatabase returns the element with what is known of a database instance
// after one of several machines has reported it.
func (seen reportedElement) keepingDatabase(known *DatabaseInstance) reportedElement {
	database := *seen.Database
	database.Replication, database.ActivePrimarySite = known.Replication, known.ActivePrimarySite
	seen.SID, seen.InstanceFacts, seen.Database = known.SID, seen.keeping(known.InstanceFacts), &database
	return seen
}
