package landscape

import (
	"errors"
	"slices"
)

// retryPending applies the waiting elements that fit after the changes of the
// changeset. It repeats this until no further element fits. Elements that still
// do not fit continue to wait and cause no event.
func (cs *Changeset) retryPending() error {
	for first := true; ; first = false {
		t, err := cs.findRetryTriggers()
		if err != nil {
			return err
		}
		if err := cs.makeMisplacedInstancesWait(t); err != nil {
			return err
		}
		if first { // later passes are about other elements
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

// pendingElement is a waiting element that is to be applied again.
type pendingElement struct {
	reportedElement
	index int // in the elements of its report
}

// unblockedElements returns the waiting elements that may fit after the
// changes. Elements of databases come first, then the order is by agent and
// index.
func (cs *Changeset) unblockedElements(t retryTriggers) ([]pendingElement, error) {
	if len(t.changedDatabases)+len(t.changedAddresses) == 0 {
		return nil, nil
	}
	stored, err := cs.state.AgentsWaiting()
	if err != nil {
		return nil, err
	}
	agents, err := cs.LastSAPReports.idsWhere(stored, (*LastSAPReport).hasWaitingElement)
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
			p := pendingElement{reportedElement{agent: agent, reportedAt: last.ReceivedAt, retried: true, shared: host.Shared(), Element: e.Element}, i}
			switch {
			case !e.Waiting:
			case e.Database != nil && t.changedDatabases[e.Database.ID]:
				databases = append(databases, p)
			case e.Application != nil && t.changedAddresses[e.Application.DBHost]:
				applications = append(applications, p)
			}
		}
	}
	return append(databases, applications...), nil
}

// retryTriggers are the changes of a changeset for which elements may have
// waited.
type retryTriggers struct {
	changedDatabases map[DatabaseID]bool
	changedAddresses map[string]bool // the addresses of the changed hosts, and of the hosts of changed databases
	// affectedDatabases are the changed databases and the databases on changed
	// hosts.
	affectedDatabases map[DatabaseID]bool
}

// findRetryTriggers returns the changes of the changeset for which elements may have
// waited.
func (cs *Changeset) findRetryTriggers() (retryTriggers, error) {
	t := retryTriggers{map[DatabaseID]bool{}, map[string]bool{}, map[DatabaseID]bool{}}
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
		t.changedDatabases[id], t.affectedDatabases[id] = true, true
		for _, host := range slices.Concat(hostsOf(before), hostsOf(after)) {
			if err := cs.addHostTriggers(t, host); err != nil {
				return t, err
			}
		}
	}
	for id, after := range cs.Hosts.Changed {
		before, err := cs.Hosts.stored(id)
		if err != nil {
			return t, err
		}
		if before.Registered() == after.Registered() && isEqual(before.Addresses, after.Addresses) &&
			(before.StaleSince == nil) == (after.StaleSince == nil) {
			continue
		}
		if err := cs.addHostTriggers(t, id); err != nil {
			return t, err
		}
	}
	return t, nil
}

// sameListing reports whether two values are the same instance and both or
// neither are listed by its host.
func sameListing(a, b DatabaseInstance) bool {
	return a.HostID == b.HostID && a.Number == b.Number && (a.AbsentSince == nil) == (b.AbsentSince == nil)
}

// addHostTriggers adds the former and current addresses of a host, and the
// databases on it.
func (cs *Changeset) addHostTriggers(t retryTriggers, id HostID) error {
	databases, err := cs.databasesOn(id)
	if err != nil {
		return err
	}
	for _, db := range databases {
		t.affectedDatabases[db] = true
	}
	for _, read := range []func(HostID) (*Host, error){cs.Hosts.stored, cs.Hosts.get} {
		host, err := read(id)
		if err != nil {
			return err
		}
		for _, a := range host.Addresses {
			t.changedAddresses[a.IP.String()] = true
		}
	}
	return nil
}
