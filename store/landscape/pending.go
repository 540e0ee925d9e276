package landscape

import (
	"errors"
	"slices"
)

// retryPending applies the elements of earlier reports that have waited for what
// the changeset has brought, until none fits any more. Those that still do not
// fit go on waiting, without any event.
func (cs *Changeset) retryPending() error {
	for first := true; ; first = false {
		t, err := cs.triggers()
		if err != nil {
			return err
		}
		if err := cs.makeMisplacedWait(t); err != nil {
			return err
		}
		if first { // what follows has to do with other elements
			if err := cs.emitLostSystems(); err != nil {
				return err
			}
		}
		unblocked, err := cs.unblockedElements(t)
		if err != nil {
			return err
		}
		again := false
		for _, p := range unblocked {
			begin := len(cs.Events)
			fits, err := cs.applyElement(p.reportedElement)
			if err != nil {
				return err
			}
			if !fits {
				continue
			}
			again = true
			if len(cs.Events) > begin {
				cs.RetryStarts = append(cs.RetryStarts, begin)
			}
			last, err := cs.LastSAPReports.edit(p.agent)
			if err != nil {
				return err
			}
			last.Elements[p.index].Waiting = false
		}
		if !again {
			return nil
		}
	}
}

// pendingElement is an element that is to be applied again.
type pendingElement struct {
	reportedElement
	index int // among the elements of its report
}

// unblockedElements returns the waiting elements that may fit by now: those of
// databases first, then by agent and index.
func (cs *Changeset) unblockedElements(t triggers) ([]pendingElement, error) {
	if len(t.databases)+len(t.addresses) == 0 {
		return nil, nil
	}
	stored, err := cs.state.AgentsWaiting()
	if err != nil {
		return nil, err
	}
	agents, err := cs.LastSAPReports.related(stored, (*LastSAPReport).hasWaiting)
	if err != nil {
		return nil, err
	}
	var databases, applications []pendingElement
	for _, agent := range agents {
		last, err := cs.LastSAPReports.get(agent)
		if err != nil {
			return nil, err
		}
		host, err := cs.Hosts.get(agent)
		if err != nil {
			return nil, err
		}
		for i, e := range last.Elements {
			p := pendingElement{reportedElement{agent: agent, at: last.ReceivedAt, retried: true, shared: host.Shared(), Element: e.Element}, i}
			switch {
			case !e.Waiting:
			case e.Database != nil && t.databases[e.Database.ID]:
				databases = append(databases, p)
			case e.Application != nil && t.addresses[e.Application.DBHost]:
				applications = append(applications, p)
			}
		}
	}
	return append(databases, applications...), nil
}

// triggers is what a changeset has changed that elements may have waited for.
type triggers struct {
	databases map[DatabaseID]bool
	addresses map[string]bool // of hosts that have changed, and of the hosts of databases that have
	// around are the databases that have changed, and those on hosts that have.
	around map[DatabaseID]bool
}

func (cs *Changeset) triggers() (triggers, error) {
	t := triggers{map[DatabaseID]bool{}, map[string]bool{}, map[DatabaseID]bool{}}
	for id, after := range cs.Databases.Changed {
		before, err := cs.state.Database(id)
		if errors.Is(err, ErrUnknown) {
			before, err = &Database{DeregisteredAt: &cs.now}, nil
		}
		if err != nil {
			return t, err
		}
		if before.Registered() == after.Registered() && slices.Equal(before.Tenants, after.Tenants) &&
			slices.EqualFunc(before.Instances, after.Instances, sameListing) {
			continue
		}
		t.databases[id], t.around[id] = true, true
		for _, host := range slices.Concat(hostsOf(before), hostsOf(after)) {
			if err := cs.addTrigger(t, host); err != nil {
				return t, err
			}
		}
	}
	for id, after := range cs.Hosts.Changed {
		before, err := cs.Hosts.stored(id)
		if err != nil {
			return t, err
		}
		if before.Registered() == after.Registered() && same(before.Addresses, after.Addresses) &&
			(before.StaleSince == nil) == (after.StaleSince == nil) {
			continue
		}
		if err := cs.addTrigger(t, id); err != nil {
			return t, err
		}
	}
	return t, nil
}

// sameListing reports whether two instances are the same one, and both listed
// by its host or both not.
func sameListing(a, b DatabaseInstance) bool {
	return a.HostID == b.HostID && a.Number == b.Number && (a.AbsentSince == nil) == (b.AbsentSince == nil)
}

// addTrigger adds the addresses of a host, those it had and those it has, and
// the databases on it.
func (cs *Changeset) addTrigger(t triggers, id HostID) error {
	databases, err := cs.databasesOn(id)
	if err != nil {
		return err
	}
	for _, db := range databases {
		t.around[db] = true
	}
	for _, read := range []func(HostID) (*Host, error){cs.Hosts.stored, cs.Hosts.get} {
		host, err := read(id)
		if err != nil {
			return err
		}
		for _, a := range host.Addresses {
			t.addresses[a.IP.String()] = true
		}
	}
	return nil
}
