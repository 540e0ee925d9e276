package landscape

import (
	"errors"
	"slices"
	"time"
)

// ReportsFailing decides what it means that the reports of one kind about a
// host could not be used as a whole for some time: what they have told before
// turns stale, as it does where the host falls silent, and as little else
// changes by it. Where the reports are used but for some elements, it is what
// those have told before. The next report that can be used makes it fresh.
func ReportsFailing(state State, host HostID, kind Kind, refused bool, now time.Time) (*Changeset, error) {
	cs := NewChangeset(state, now)
	switch {
	case kind == SAPSystemDiscovery && refused:
		return cs, cs.markAllSAPStale(host)
	case kind == SAPSystemDiscovery:
		return cs, cs.markUnreadStale(host)
	case kind == ClusterDiscovery && refused:
		return cs, cs.markClusterStale(host)
	}
	// What other reports tell is shown with the host, and so is that they fail.
	// Of a cluster report everything that could be read is as new as the report.
	return cs, nil
}

// markUnreadStale marks stale the instances on a host that its last report
// does not name, and that are not absent for it: an element that could not be
// read has protected them.
func (cs *Changeset) markUnreadStale(host HostID) error {
	k, err := cs.kept(host)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	err = cs.markSAPStale(host, func(sid, number string, absent bool) bool {
		return !absent && !slices.ContainsFunc(k.Elements, func(e StoredElement) bool { return e.SID == sid && e.Number == number })
	})
	return errors.Join(err, cs.finish())
}
