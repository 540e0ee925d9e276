package landscape

import (
	"errors"
	"slices"
)

// judgeWaiting ends a changeset: what it has brought about may be what elements
// of earlier reports have waited for. They are judged again until none fits
// any more. Those that still do not fit go on waiting without a trace.
func (cs *Changeset) judgeWaiting() error {
	for first := true; ; first = false {
		n, err := cs.news()
		if err != nil {
			return err
		}
		if err := cs.unsettle(n); err != nil {
			return err
		}
		if first { // what follows is told as other stories
			if err := cs.tellLostSystems(); err != nil {
				return err
			}
		}
		woken, err := cs.unblockedElements(n)
		if err != nil {
			return err
		}
		settled := false
		for _, w := range woken {
			begin := len(cs.Events)
			fits, err := cs.judge(w.reportedElement)
			if err != nil {
				return err
			}
			if !fits {
				continue
			}
			settled = true
			if len(cs.Events) > begin {
				cs.RetryStarts = append(cs.RetryStarts, begin)
			}
			k, err := cs.changeKept(w.agent)
			if err != nil {
				return err
			}
			k.Elements[w.place].Waiting = false
		}
		if !settled {
			return cs.finish()
		}
	}
}

// pendingElement is an element that is to be judged again.
type pendingElement struct {
	reportedElement
	place int // among the elements of its report
}

// unblockedElements lists the waiting elements that something has changed for: those of
// databases first, then by agent and place.
func (cs *Changeset) unblockedElements(news news) ([]pendingElement, error) {
	if len(news.databases)+len(news.addresses) == 0 {
		return nil, nil
	}
	stored, err := cs.state.AgentsWaiting()
	if err != nil {
		return nil, err
	}
	agents, err := related(stored, cs.LastSAPReports, cs.kept, (*LastSAPReport).waiting)
	if err != nil {
		return nil, err
	}
	var databases, applications []pendingElement
	for _, agent := range agents {
		k, err := cs.kept(agent)
		if err != nil {
			return nil, err
		}
		shared, err := cs.shared(agent)
		if err != nil {
			return nil, err
		}
		for i, e := range k.Elements {
			w := pendingElement{reportedElement{agent: agent, at: k.ReceivedAt, again: true, shared: shared, Element: e.Element}, i}
			switch {
			case !e.Waiting:
			case e.Database != nil && news.databases[e.Database.ID]:
				databases = append(databases, w)
			case e.Application != nil && news.addresses[e.Application.DBHost]:
				applications = append(applications, w)
			}
		}
	}
	return append(databases, applications...), nil
}

// news is what a changeset has changed that elements wait for.
type news struct {
	databases map[DatabaseID]bool
	addresses map[string]bool // of hosts, and of the hosts of databases
	// around are the databases that changed, and those on the hosts that did.
	around map[DatabaseID]bool
}

func (cs *Changeset) news() (news, error) {
	n := news{map[DatabaseID]bool{}, map[string]bool{}, map[DatabaseID]bool{}}
	for id, after := range cs.Databases {
		before, err := cs.state.Database(id)
		if errors.Is(err, ErrUnknown) {
			before, err = &Database{DeregisteredAt: &cs.now}, nil
		}
		if err != nil {
			return n, err
		}
		if before.Registered() == after.Registered() && slices.Equal(before.Tenants, after.Tenants) &&
			slices.EqualFunc(before.Instances, after.Instances, sameListing) {
			continue
		}
		n.databases[id], n.around[id] = true, true
		for _, host := range slices.Concat(before.hosts(), after.hosts()) {
			if err := n.of(cs, host); err != nil {
				return n, err
			}
		}
	}
	for id, after := range cs.Hosts {
		before, err := cs.state.Host(id)
		if errors.Is(err, ErrUnknown) {
			before, err = &Host{ID: id}, nil
		}
		if err != nil {
			return n, err
		}
		if before.Registered() == after.Registered() && same(before.Addresses, after.Addresses) &&
			(before.StaleSince == nil) == (after.StaleSince == nil) {
			continue
		}
		if err := n.of(cs, id); err != nil {
			return n, err
		}
	}
	return n, nil
}

// sameListing reports whether two instances are the same one, and both listed
// by its host or both not.
func sameListing(a, b DatabaseInstance) bool {
	return a.HostID == b.HostID && a.Number == b.Number && (a.AbsentSince == nil) == (b.AbsentSince == nil)
}

// of notes the addresses of a host, those it had and those it has, and the
// databases on it.
func (n news) of(cs *Changeset, id HostID) error {
	databases, err := cs.databasesOn(id)
	if err != nil {
		return err
	}
	for _, db := range databases {
		n.around[db] = true
	}
	for _, host := range []func(HostID) (*Host, error){cs.state.Host, cs.host} {
		h, err := host(id)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		for _, a := range h.Addresses {
			n.addresses[a.IP.String()] = true
		}
	}
	return nil
}
