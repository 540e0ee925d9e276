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

// turned are the turns after a machine has reported where another one is
// shown.
func (h *Host) turned(seen Machine, now time.Time) *MachineHistory {
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
	after.remember(h.Machine(), now)
	return &after
}

// remember adds a machine to the former ones.
func (t *MachineHistory) remember(m Machine, now time.Time) {
	if len(t.Former) == maxMachines {
		t.Former = slices.Delete(t.Former, 0, 1)
	}
	t.Former = append(t.Former, FormerMachine{m, now})
}

// observeMachine decides what the report of a registered host changes, where
// it is not by the machine that the host is shown as. It reports false where
// the report may be taken as one of that machine.
func (cs *Changeset) observeMachine(before *Host, facts HostFacts) (taken bool) {
	seen := facts.Machine()
	if shown := before.Machine(); !shown.differs(seen) {
		return false
	}
	if before.Shared() {
		cs.observeOtherMachine(before, seen)
		return true
	}
	turns := before.turned(seen, cs.now)
	after := cs.changeHost(before)
	after.MachineHistory = turns
	if turns.SharedSince != nil {
		cs.hostEvent(after, activity.TypeHostIDShared, map[string]any{"machines": after.machineDetails()})
		return true
	}
	cs.changeFacts(after, before, facts)
	return true
}

// observeOtherMachine remembers a machine that reports under a shared id, or
// what it is called now.
func (cs *Changeset) observeOtherMachine(before *Host, seen Machine) {
	turns := *before.MachineHistory
	turns.Former = slices.Clone(turns.Former)
	i := slices.IndexFunc(turns.Former, func(f FormerMachine) bool { return !f.differs(seen) })
	switch {
	case i < 0 && len(turns.Former) == maxMachines, i >= 0 && turns.Former[i].equal(seen):
		return
	case i < 0:
		turns.remember(seen, cs.now)
	default:
		turns.Former[i].Machine = seen
	}
	cs.changeHost(before).MachineHistory = &turns
}

// machineDetails are the machines with the id of a host in the words of the
// activity log.
func (h *Host) machineDetails() []map[string]any {
	var details []map[string]any
	for _, m := range h.Machines() {
		addresses := make([]string, len(m.Addresses))
		for i, a := range m.Addresses {
			addresses[i] = a.String()
		}
		details = append(details, map[string]any{"hostname": m.Hostname, "ip_addresses": addresses})
	}
	return details
}

// EndIDSharing decides what it changes that only one machine has reported under a
// shared id for a while. Which one it is, its next reports will tell: they are
// judged in full.
func EndIDSharing(state State, id HostID, now time.Time) (*Changeset, error) {
	cs := NewChangeset(state, now)
	before, err := cs.registeredHost(id)
	if err != nil || !before.Shared() {
		return cs, err
	}
	after := cs.changeHost(before)
	after.MachineHistory = nil
	cs.hostEvent(after, activity.TypeHostIDUnshared, nil)
	if err := cs.forget(id); err != nil {
		return cs, err
	}
	return cs, cs.finish()
}

// shared reports whether several machines have the id of an agent. What one of
// them says does not hold for the others: while they take turns, nothing turns
// absent, leaves its cluster or gets better, since it would be undone with the
// next report.
func (cs *Changeset) shared(agent HostID) (bool, error) {
	host, err := cs.hostOrStub(agent)
	return err == nil && host.Shared(), err
}

// worse is the more alarming of two states of an instance.
func worse(a, b InstanceStatus) InstanceStatus {
	order := []InstanceStatus{Green, Gray, Yellow, Red}
	return order[max(slices.Index(order, a), slices.Index(order, b), 0)]
}

// beside is what is known of an instance after one of several machines has
// reported it: what was known, unless it is worse now.
func (s reportedElement) beside(before InstanceFacts) InstanceFacts {
	before.Status = worse(before.Status, s.Status)
	return before
}

// besideDatabase is the sighting with what is known of a database instance
// after one of several machines has reported it.
func (s reportedElement) besideDatabase(before *DatabaseInstance) reportedElement {
	database := *s.Database
	database.Replication, database.ActivePrimarySite = before.Replication, before.ActivePrimarySite
	s.SID, s.InstanceFacts, s.Database = before.SID, s.beside(before.InstanceFacts), &database
	return s
}
