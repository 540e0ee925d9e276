package landscape

import (
	"fmt"
	"slices"
	"time"
)

// SAPReport is the content of a sap_system_discovery: all database and
// application instances on a host, in the order of the report. It leaves out
// values that change with every report, such as the age of processes.
type SAPReport struct {
	Elements []Element `json:"elements"`
	// Unread are the instances that the agent lists but that could not be read.
	// They are not absent.
	Unread []UnreadInstance `json:"unread,omitempty"`
}

// UnreadInstance holds the readable part of an instance that cannot be an
// element. A field is "" if it could not be read.
type UnreadInstance struct {
	SID    string `json:"sid,omitempty"`
	Number string `json:"number,omitempty"`
}

// mayBeInstance reports whether the unread instance may be the instance i.
func (u UnreadInstance) mayBeInstance(i *Instance) bool {
	return (u.SID == "" || u.SID == i.SID) && (u.Number == "" || u.Number == i.Number)
}

// mayContain reports whether an instance may be in the report: an element has the
// same number, of whatever system, or an unread instance may be it. If the
// number now belongs to another system, takeInstanceNumber makes the instance
// absent.
func (r *SAPReport) mayContain(i *Instance) bool {
	return slices.ContainsFunc(r.Elements, func(e Element) bool { return e.Number == i.Number }) ||
		slices.ContainsFunc(r.Unread, func(u UnreadInstance) bool { return u.mayBeInstance(i) })
}

// Element is one instance of a report. Either Database or Application is set.
type Element struct {
	SID    string `json:"sid"`
	Number string `json:"number"`
	InstanceFacts
	Database    *DatabaseElement    `json:"database,omitempty"`
	Application *ApplicationElement `json:"application,omitempty"`
}

// DatabaseElement is the part of an element that only database instances have.
type DatabaseElement struct {
	ID      DatabaseID `json:"id"`
	Tenants []string   `json:"tenants"` // in alphabetical order
	// TenantsUnread is true if further tenants may exist that could not be
	// read.
	TenantsUnread bool `json:"tenants_unread,omitzero"`
	Replication
	ActivePrimarySite *int `json:"active_primary_site,omitempty"`
	// ReplicationUnread is true if the role of the instance could not be read.
	ReplicationUnread bool `json:"replication_unread,omitzero"`
}

// mayBeSecondary reports whether the instance is a secondary or may be one.
// Such an instance does not register its database.
func (e *DatabaseElement) mayBeSecondary() bool { return e.isSecondary() || e.ReplicationUnread }

// ApplicationElement is the part of an element that only application instances
// have.
type ApplicationElement struct {
	DBHost string      `json:"db_host,omitempty"` // the address of its database; "" if the instance does not report it
	Tenant string      `json:"tenant"`
	ENSA   ENSAVersion `json:"ensa_version"`
}

// LastSAPReport is the last SAP report of an agent. It says which of its
// elements wait because they do not fit into the landscape yet.
type LastSAPReport struct {
	Agent      HostID          `json:"agent"`
	ReceivedAt time.Time       `json:"received_at"`
	Elements   []StoredElement `json:"elements"`
	// Unread are the instances that could not be read.
	Unread []UnreadInstance `json:"unread,omitempty"`
	// Invalidated is true if the next report must be applied in full even if it
	// is equal to this one, because the landscape was changed for another
	// reason.
	Invalidated bool `json:"forget,omitzero"`
}

// StoredElement is an element of the last report of an agent.
type StoredElement struct {
	Element
	Waiting bool `json:"waiting,omitzero"`
}

// clone returns a copy whose own fields and elements may be modified.
func (l *LastSAPReport) clone() *LastSAPReport {
	after := *l
	after.Elements = slices.Clone(l.Elements)
	return &after
}

// isSameAs reports whether a report has the same content.
func (l *LastSAPReport) isSameAs(r *SAPReport) bool {
	if len(l.Elements) != len(r.Elements) || !slices.Equal(l.Unread, r.Unread) {
		return false
	}
	for i := range r.Elements {
		if !isEqual(&l.Elements[i].Element, &r.Elements[i]) {
			return false
		}
	}
	return true
}

// contains reports whether an instance is among the elements of the report.
func (l *LastSAPReport) contains(i *Instance) bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.SID == i.SID && e.Number == i.Number })
}

// Blocked returns the reason why the last waiting element waits:
// ErrNotRegistered or ErrNoDatabase; nil if no element waits.
func (l *LastSAPReport) Blocked() error {
	for _, e := range slices.Backward(l.Elements) {
		switch {
		case e.Waiting && e.Database != nil:
			return fmt.Errorf("database %s: %w", e.Database.ID, ErrNotRegistered)
		case e.Waiting:
			return fmt.Errorf("instance %s of %s on host %s: %w", e.Number, e.SID, l.Agent, ErrNoDatabase)
		}
	}
	return nil
}

// hasWaitingElement reports whether an element waits.
func (l *LastSAPReport) hasWaitingElement() bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.Waiting })
}

// invalidate causes the next report to be applied in full even if it is equal
// to this one. An empty report need not be applied again.
func (l *LastSAPReport) invalidate() { l.Invalidated = l.Invalidated || len(l.Elements) > 0 }

// invalidateSAPReport causes the next SAP report of an agent to be applied in
// full.
func (cs *Changeset) invalidateSAPReport(agent HostID) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err == nil {
		last.invalidate()
	}
	return err
}

// deleteWaitingElements deletes the waiting elements of an instance that is cleaned up.
func (cs *Changeset) deleteWaitingElements(agent HostID, sid, number string) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err != nil {
		return err
	}
	last.invalidate() // Invalidate first, even if no element is left: the host may list another instance with this number.
	last.Elements = slices.DeleteFunc(last.Elements, func(e StoredElement) bool {
		return e.Waiting && e.SID == sid && e.Number == number
	})
	return nil
}

// clearSAPReport deletes the last SAP report of an agent, so that only a new
// report can restore instances.
func (cs *Changeset) clearSAPReport(agent HostID) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err == nil {
		last.Elements, last.Unread, last.Invalidated = []StoredElement{}, nil, false
	}
	return err
}

// makeSecondariesWait makes the secondaries of a deregistered database wait for
// it. They are applied again when it is restored. Until then, their unchanged
// reports are refused as new ones would be. The next reports of the other
// instances are applied in full, because they may restore the database.
func (cs *Changeset) makeSecondariesWait(db *Database) error {
	for _, instance := range db.Instances {
		last, err := cs.LastSAPReports.edit(instance.HostID)
		if err != nil {
			return err
		}
		for i := range last.Elements {
			e := &last.Elements[i]
			switch {
			case e.Database == nil || e.Database.ID != db.ID || e.Number != instance.Number:
			case e.Database.mayBeSecondary():
				e.Waiting = true
			default:
				last.Invalidated = true
			}
		}
	}
	return nil
}
