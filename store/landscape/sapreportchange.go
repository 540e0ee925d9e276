package landscape

import (
	"errors"
	"time"
)

// ErrNoDatabase means that it is not known which database an application
// instance works on, or that it could be one of several. The report is not
// lost: the instance waits for its database.
var ErrNoDatabase = errors.New("no database for an application instance")

// observeSAP applies an SAP report: instances that are not in it turn absent,
// the others are applied one by one. What does not fit yet waits, and
// cs.Blocked says so. The host itself need not have been reported yet.
func (cs *Changeset) observeSAP(o Observation) error {
	r := &SAPReport{Elements: onePerNumber(o.SAP.Elements), Unread: o.SAP.Unread}
	before, err := cs.LastSAPReports.get(o.Agent)
	if err != nil {
		return err
	}
	if !before.Invalidated && before.says(r) {
		cs.Blocked = before.Blocked()
		return nil
	}
	host, err := cs.Hosts.get(o.Agent)
	if err != nil {
		return err
	}
	if !host.Shared() {
		err := cs.markAbsent(o.Agent, func(_ system, i *Instance) bool { return !r.mayHave(i) })
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
		fits, err := cs.applyElement(reportedElement{agent: o.Agent, at: cs.now, shared: host.Shared(), Element: e})
		if err != nil {
			return err
		}
		last.Elements[i].Waiting = !fits
	}
	cs.Blocked = last.Blocked()
	return nil
}

// reportedElement is an element of an SAP report, with where it comes from.
type reportedElement struct {
	agent   HostID
	at      time.Time // when it was reported
	retried bool      // it has waited since an earlier report
	shared  bool      // the id of the agent is that of several machines
	Element
}

// applyElement applies one element, if it fits into the landscape.
func (cs *Changeset) applyElement(seen reportedElement) (fits bool, err error) {
	if seen.Database != nil {
		return cs.applyDatabaseElement(seen)
	}
	return cs.applyApplicationElement(seen)
}

// staleSince returns since when an instance is stale once an element about it
// has been applied; before is since when it was. An element that has waited is
// as old as its report: where its host fell silent later, it is stale since
// then.
func (cs *Changeset) staleSince(seen reportedElement, before *time.Time) (*time.Time, error) {
	if !seen.retried {
		return nil, nil // what was reported just now is not stale
	}
	if before != nil && !seen.at.After(*before) {
		return before, nil
	}
	host, err := cs.Hosts.get(seen.agent)
	if err != nil || host.StaleSince == nil || seen.at.After(*host.StaleSince) {
		return nil, err
	}
	return host.StaleSince, nil
}

// markAllSAPStale notes that a host has fallen silent: what is known through it
// turns stale, and with it its systems. Neither the data nor the health change.
func (cs *Changeset) markAllSAPStale(host HostID) error {
	return errors.Join(cs.markSAPStale(host, func(*Instance) bool { return true }), cs.invalidateSAPReport(host))
}
