package landscape

import (
	"errors"
	"time"
)

// ErrNoDatabase means that the database of an application instance is not
// known, or could be one of several. The instance waits for its database.
var ErrNoDatabase = errors.New("no database for an application instance")

// observeSAP applies an SAP report. Instances that are not in the report become
// absent. The others are applied one by one. Elements that do not fit wait, and
// cs.Blocked holds the reason. The host itself need not have been reported yet.
func (cs *Changeset) observeSAP(o Observation) error {
	r := &SAPReport{Elements: uniqueByNumber(o.SAP.Elements), Unread: o.SAP.Unread}
	before, err := cs.LastSAPReports.get(o.Agent)
	if err != nil {
		return err
	}
	if !before.Invalidated && before.isSameAs(r) {
		cs.Blocked = before.Blocked()
		return nil
	}
	host, err := cs.Hosts.get(o.Agent)
	if err != nil {
		return err
	}
	if !host.Shared() {
		err := cs.markAbsent(o.Agent, func(_ system, i *Instance) bool { return !r.mayContain(i) })
		if err != nil {
			return err
		}
	}
	last := &LastSAPReport{Agent: o.Agent, ReceivedAt: cs.now, Elements: make([]StoredElement, len(r.Elements)), Unread: r.Unread}
	cs.LastSAPReports.Changed[o.Agent] = last
	for i, e := range r.Elements {
		last.Elements[i].Element = e
	}
	for i, e := range r.Elements {
		fits, err := cs.applyElement(reportedElement{agent: o.Agent, reportedAt: cs.now, shared: host.Shared(), Element: e})
		if err != nil {
			return err
		}
		last.Elements[i].Waiting = !fits
	}
	cs.Blocked = last.Blocked()
	return nil
}

// reportedElement is an element of an SAP report with its origin.
type reportedElement struct {
	agent      HostID
	reportedAt time.Time // when it was reported
	retried    bool      // true if it has waited since an earlier report
	shared     bool      // true if several machines share the id of the agent
	Element
}

// applyElement applies an element if it fits into the landscape.
func (cs *Changeset) applyElement(seen reportedElement) (fits bool, err error) {
	if seen.Database != nil {
		return cs.applyDatabaseElement(seen)
	}
	return cs.applyApplicationElement(seen)
}

// staleSinceAfter returns the time since which an instance is stale after an
// element was applied to it; before is that time before the element. A retried
// element is as old as its report: if the heartbeat of the host was lost after
// the report, the instance is stale since the loss.
func (cs *Changeset) staleSinceAfter(seen reportedElement, before *time.Time) (*time.Time, error) {
	if !seen.retried {
		return nil, nil // a new report makes the instance up to date
	}
	if before != nil && !seen.reportedAt.After(*before) {
		return before, nil
	}
	host, err := cs.Hosts.get(seen.agent)
	if err != nil || host.StaleSince == nil || seen.reportedAt.After(*host.StaleSince) {
		return nil, err
	}
	return host.StaleSince, nil
}

// markAllSAPStale marks all instances on a host, and with them their systems,
// as stale. The data and the health stay.
func (cs *Changeset) markAllSAPStale(host HostID) error {
	return errors.Join(cs.markSAPStale(host, func(*Instance) bool { return true }), cs.invalidateSAPReport(host))
}
