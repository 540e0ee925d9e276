package landscape

import (
	"errors"
	"slices"
)

// judgeWaiting ends a decision: what it has brought about may be what elements
// of earlier reports have waited for. They are judged again until none fits
// any more. Those that still do not fit go on waiting without a trace.
func (d *Decision) judgeWaiting() error {
	for first := true; ; first = false {
		n, err := d.news()
		if err != nil {
			return err
		}
		if err := d.unsettle(n); err != nil {
			return err
		}
		if first { // what follows is told as other stories
			if err := d.tellLostSystems(); err != nil {
				return err
			}
		}
		woken, err := d.unblockedElements(n)
		if err != nil {
			return err
		}
		settled := false
		for _, w := range woken {
			begin := len(d.Events)
			fits, err := d.judge(w.reportedElement)
			if err != nil {
				return err
			}
			if !fits {
				continue
			}
			settled = true
			if len(d.Events) > begin {
				d.Again = append(d.Again, begin)
			}
			k, err := d.changeKept(w.agent)
			if err != nil {
				return err
			}
			k.Elements[w.place].Waiting = false
		}
		if !settled {
			return d.finish()
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
func (d *Decision) unblockedElements(news news) ([]pendingElement, error) {
	if len(news.databases)+len(news.addresses) == 0 {
		return nil, nil
	}
	stored, err := d.state.Waiting()
	if err != nil {
		return nil, err
	}
	agents, err := related(stored, d.Kept, d.kept, (*LastSAPReport).waiting)
	if err != nil {
		return nil, err
	}
	var databases, applications []pendingElement
	for _, agent := range agents {
		k, err := d.kept(agent)
		if err != nil {
			return nil, err
		}
		shared, err := d.shared(agent)
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

// news is what a decision has changed that elements wait for.
type news struct {
	databases map[DatabaseID]bool
	addresses map[string]bool // of hosts, and of the hosts of databases
	// around are the databases that changed, and those on the hosts that did.
	around map[DatabaseID]bool
}

func (d *Decision) news() (news, error) {
	n := news{map[DatabaseID]bool{}, map[string]bool{}, map[DatabaseID]bool{}}
	for id, after := range d.Databases {
		before, err := d.state.Database(id)
		if errors.Is(err, ErrUnknown) {
			before, err = &Database{DeregisteredAt: &d.now}, nil
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
			if err := n.of(d, host); err != nil {
				return n, err
			}
		}
	}
	for id, after := range d.Hosts {
		before, err := d.state.Host(id)
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
		if err := n.of(d, id); err != nil {
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
func (n news) of(d *Decision, id HostID) error {
	databases, err := d.databasesOn(id)
	if err != nil {
		return err
	}
	for _, db := range databases {
		n.around[db] = true
	}
	for _, host := range []func(HostID) (*Host, error){d.state.Host, d.host} {
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
