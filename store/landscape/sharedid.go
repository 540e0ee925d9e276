package landscape

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
)

// sharedWindow is the time within which machines that take turns count as
// several machines with one id.
//
// Machines that were made from one image have the same machine id, and so the
// same host id: each of them undoes what the other has reported. A report counts
// as one of another machine where all addresses have changed, or the name and
// some addresses. The id is shared once a former machine has come back twice: A,
// B, A, B. A host that was renamed, or got another address, comes back at most
// once. A virtual address that comes and goes beside others means nothing, nor
// does a name alone, nor a host without addresses, which is still starting.
const sharedWindow = time.Hour

// maxMachines limits the former machines that are kept of one id.
const maxMachines = 16

// Machine is what distinguishes machines with the same id.
type Machine struct {
	Hostname  string    `json:"hostname"`
	Addresses []Address `json:"addresses"`
}

// FormerMachine is a machine that has reported under the id of a host.
type FormerMachine struct {
	Machine
	LeftAt time.Time `json:"left_at"` // when another one reported
}

// MachineHistory is what is known of the machines that report under one id.
type MachineHistory struct {
	// Former are those that have reported lately, without the one that the host
	// is shown as; the latest one is the last.
	Former []FormerMachine `json:"former,omitempty"`
	// ReturnedAt is the last time one of them came back.
	ReturnedAt *time.Time `json:"returned_at,omitempty"`
	// SharedSince is when several machines were found to have the id; nil while
	// one machine has it.
	SharedSince *time.Time `json:"shared_since,omitempty"`
}

// Shared reports whether several machines have the id of the host.
func (h *Host) Shared() bool { return h.MachineHistory != nil && h.MachineHistory.SharedSince != nil }

// Machines returns the machines with the id of the host, by name.
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

// Machine returns what distinguishes the machine that has reported the facts.
func (f *HostFacts) Machine() Machine { return Machine{Hostname: f.Hostname, Addresses: f.Addresses} }

func (m Machine) hasAddress(ip netip.Addr) bool {
	return slices.ContainsFunc(m.Addresses, func(a Address) bool { return a.IP == ip })
}

// commonAddresses returns how many addresses both machines have.
func (m Machine) commonAddresses(other Machine) int {
	n := 0
	for _, a := range m.Addresses {
		if other.hasAddress(a.IP) {
			n++
		}
	}
	return n
}

// equal reports whether nothing distinguishes the machines.
func (m Machine) equal(other Machine) bool {
	common := m.commonAddresses(other)
	return m.Hostname == other.Hostname && common == len(m.Addresses) && common == len(other.Addresses)
}

// differs reports whether one machine cannot be the other one with another name
// or address; see sharedWindow.
func (m Machine) differs(other Machine) bool {
	if len(m.Addresses) == 0 || len(other.Addresses) == 0 {
		return false
	}
	common := m.commonAddresses(other)
	return common == 0 || m.Hostname != other.Hostname && (common < len(m.Addresses) || common < len(other.Addresses))
}

// indexOf returns the index of a machine among the former ones; -1 where it is
// not one of them.
func (h *MachineHistory) indexOf(m Machine) int {
	return slices.IndexFunc(h.Former, func(f FormerMachine) bool { return f.equal(m) })
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
	if i := after.indexOf(seen); i >= 0 {
		if after.ReturnedAt != nil {
			after.SharedSince = &now
			return &after // the host is still shown as the same machine
		}
		after.ReturnedAt = &now
		after.Former = slices.Delete(after.Former, i, i+1)
	}
	after.add(h.Machine(), now)
	return &after
}

// add adds a machine to the former ones.
func (h *MachineHistory) add(m Machine, now time.Time) {
	if len(h.Former) == maxMachines {
		h.Former = slices.Delete(h.Former, 0, 1)
	}
	h.Former = append(h.Former, FormerMachine{m, now})
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

// keepKnown returns the facts of a known instance after one of several machines
// with the same id has reported it: they stay, but for a worse status. What one
// machine reports is not true of the others. While they take turns, nothing
// turns absent, leaves its cluster or gets better, since the next report would
// undo it.
func (seen reportedElement) keepKnown(known InstanceFacts) InstanceFacts {
	known.Status = worse(known.Status, seen.Status)
	return known
}

// keepKnownDatabase returns the element with what stays of a known database
// instance after one of several machines with the same id has reported it.
func (seen reportedElement) keepKnownDatabase(known *DatabaseInstance) reportedElement {
	database := *seen.Database
	database.Replication, database.ActivePrimarySite = known.Replication, known.ActivePrimarySite
	seen.SID, seen.InstanceFacts, seen.Database = known.SID, seen.keepKnown(known.InstanceFacts), &database
	return seen
}
