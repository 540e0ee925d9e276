package landscape

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
)

// sharedIDWindow is the time within which machines that report in turns count as
// several machines with one id.
//
// Machines that were made from one image have the same machine id, and so the
// same host id. Each of them overwrites the reports of the others. A report
// counts as a report of another machine if all addresses differ, or if the name
// and some addresses differ. The id counts as shared when former machines have
// come back twice: A, B, A, B. A host that was renamed or got another address
// comes back at most once. A virtual address that appears or disappears does
// not count, a changed name alone does not count, and neither does a host
// without addresses, which is still starting.
const sharedIDWindow = time.Hour

// maxMachines is the largest number of former machines that are stored for one
// id.
const maxMachines = 16

// Machine holds the properties by which machines with the same id are
// distinguished.
type Machine struct {
	Hostname  string    `json:"hostname"`
	Addresses []Address `json:"addresses"`
}

// FormerMachine is a machine that has reported under the id of a host before.
type FormerMachine struct {
	Machine
	LeftAt time.Time `json:"left_at"` // when another machine reported
}

// MachineHistory holds the machines that have reported under one id.
type MachineHistory struct {
	// Former are the machines that have reported recently, except the machine
	// whose facts the host has. The latest machine is the last.
	Former []FormerMachine `json:"former,omitempty"`
	// ReturnedAt is the last time at which a former machine reported again.
	ReturnedAt *time.Time `json:"returned_at,omitempty"`
	// SharedSince is the time at which the id was found to be shared; nil if it
	// is not shared.
	SharedSince *time.Time `json:"shared_since,omitempty"`
}

// Shared reports whether several machines share the id of the host.
func (h *Host) Shared() bool { return h.MachineHistory != nil && h.MachineHistory.SharedSince != nil }

// Machines returns the machines that share the id of the host, by name.
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

// Machine returns the machine that has reported the facts.
func (f *HostFacts) Machine() Machine { return Machine{Hostname: f.Hostname, Addresses: f.Addresses} }

func (m Machine) hasAddress(ip netip.Addr) bool {
	return slices.ContainsFunc(m.Addresses, func(a Address) bool { return a.IP == ip })
}

// commonAddresses returns the number of addresses that both machines have.
func (m Machine) commonAddresses(other Machine) int {
	n := 0
	for _, a := range m.Addresses {
		if other.hasAddress(a.IP) {
			n++
		}
	}
	return n
}

// isEqual reports whether the machines have the same name and the same addresses.
func (m Machine) isEqual(other Machine) bool {
	common := m.commonAddresses(other)
	return m.Hostname == other.Hostname && common == len(m.Addresses) && common == len(other.Addresses)
}

// isDifferentMachine reports whether the machines cannot be the same machine with another
// name or address; see sharedIDWindow.
func (m Machine) isDifferentMachine(other Machine) bool {
	if len(m.Addresses) == 0 || len(other.Addresses) == 0 {
		return false
	}
	common := m.commonAddresses(other)
	return common == 0 || m.Hostname != other.Hostname && (common < len(m.Addresses) || common < len(other.Addresses))
}

// indexOf returns the index of a machine in Former; -1 if it is not in it.
func (h *MachineHistory) indexOf(m Machine) int {
	return slices.IndexFunc(h.Former, func(f FormerMachine) bool { return f.isEqual(m) })
}

// historyAfter returns the history of a host after a machine has reported that
// differs from the one whose facts the host has.
func (h *Host) historyAfter(seen Machine, now time.Time) *MachineHistory {
	after := MachineHistory{}
	if h.MachineHistory != nil {
		after = *h.MachineHistory
	}
	after.Former = slices.DeleteFunc(slices.Clone(after.Former), func(f FormerMachine) bool { return now.Sub(f.LeftAt) > sharedIDWindow })
	if after.ReturnedAt != nil && now.Sub(*after.ReturnedAt) > sharedIDWindow {
		after.ReturnedAt = nil
	}
	if i := after.indexOf(seen); i >= 0 {
		if after.ReturnedAt != nil {
			after.SharedSince = &now
			return &after // the host keeps the facts of the same machine
		}
		after.ReturnedAt = &now
		after.Former = slices.Delete(after.Former, i, i+1)
	}
	after.addFormer(h.Machine(), now)
	return &after
}

// addFormer adds a machine to the former machines.
func (h *MachineHistory) addFormer(m Machine, now time.Time) {
	if len(h.Former) == maxMachines {
		h.Former = slices.Delete(h.Former, 0, 1)
	}
	h.Former = append(h.Former, FormerMachine{m, now})
}

// observeMachine applies a report of a registered host if the report comes from
// another machine than the one whose facts the host has. If it may come from
// the same machine, observeMachine returns false and changes nothing.
func (cs *Changeset) observeMachine(host *Host, facts HostFacts) (applied bool) {
	seen := facts.Machine()
	if shown := host.Machine(); !shown.isDifferentMachine(seen) {
		return false
	}
	if host.Shared() {
		host.MachineHistory = host.MachineHistory.withReport(seen, cs.now)
		return true
	}
	host.MachineHistory = host.historyAfter(seen, cs.now)
	if host.Shared() {
		cs.addEvent(&activity.HostIDShared{AboutHost: host.aboutHost(), Machines: host.machinesForLog()})
		return true
	}
	cs.changeFacts(host, facts)
	return true
}

// withReport returns the history of a shared id after a report of a new
// machine, or of a known one with a new name or address.
func (h *MachineHistory) withReport(seen Machine, now time.Time) *MachineHistory {
	after := *h
	after.Former = slices.Clone(h.Former)
	i := slices.IndexFunc(after.Former, func(f FormerMachine) bool { return !f.isDifferentMachine(seen) })
	switch {
	case i < 0 && len(after.Former) == maxMachines, i >= 0 && after.Former[i].isEqual(seen):
		return h
	case i < 0:
		after.addFormer(seen, now)
	default:
		after.Former[i].Machine = seen
	}
	return &after
}

// machinesForLog returns the machines that share the id of a host, as the
// activity log shows them.
func (h *Host) machinesForLog() []activity.Machine {
	var machines []activity.Machine
	for _, m := range h.Machines() {
		machines = append(machines, activity.Machine{Hostname: m.Hostname, Addresses: addressTexts(m.Addresses)})
	}
	return machines
}

// EndIDSharing returns the changes that follow when only one machine has
// reported under a shared id for some time. The next reports of that machine
// are applied in full.
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
	cs.addEvent(&activity.HostIDUnshared{AboutHost: host.aboutHost()})
	return cs.invalidateSAPReport(id)
}

// worseOf returns the worse of two statuses of an instance.
func worseOf(a, b InstanceStatus) InstanceStatus {
	order := []InstanceStatus{Green, Gray, Yellow, Red}
	return order[max(slices.Index(order, a), slices.Index(order, b), 0)]
}

// mergeSharedFacts returns the facts of a known instance after a report of one of
// several machines that share an id. Only a worse status is taken from the
// report: it says nothing about the instances of the other machines. While the
// id is shared, no instance becomes absent or better and no host leaves its
// cluster, because the next report of another machine would undo that.
func (seen reportedElement) mergeSharedFacts(known InstanceFacts) InstanceFacts {
	known.Status = worseOf(known.Status, seen.Status)
	return known
}

// mergeSharedDatabase returns the element of a known database instance after a
// report of one of several machines that share an id, with the known data; see
// mergeSharedFacts.
func (seen reportedElement) mergeSharedDatabase(known *DatabaseInstance) reportedElement {
	database := *seen.Database
	database.Replication, database.ActivePrimarySite = known.Replication, known.ActivePrimarySite
	seen.SID, seen.InstanceFacts, seen.Database = known.SID, seen.mergeSharedFacts(known.InstanceFacts), &database
	return seen
}
