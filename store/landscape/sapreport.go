package landscape

import (
	"fmt"
	"slices"
	"time"
)

// SAPReport is what a sap_system_discovery says: all database and application
// instances on a host, in the order of the report. Values that change all the
// time, such as the age of processes, are not part of it.
type SAPReport struct {
	Elements []Element `json:"elements"`
	// Unread are instances that the agent lists and that could not be read. They
	// are not absent.
	Unread []UnreadInstance `json:"unread,omitempty"`
}

// UnreadInstance is what could be read of an instance that cannot be an element.
// A field is empty where it could not be read.
type UnreadInstance struct {
	SID    string `json:"sid,omitempty"`
	Number string `json:"number,omitempty"`
}

// mayBe reports whether an instance may be the one that could not be read.
func (u UnreadInstance) mayBe(i *Instance) bool {
	return (u.SID == "" || u.SID == i.SID) && (u.Number == "" || u.Number == i.Number)
}

// mayHave reports whether an instance may be in the report: as an element with
// its number, whatever the system, or unread. Where the number belongs to another
// system by now, takeNumber finds out.
func (r *SAPReport) mayHave(i *Instance) bool {
	return slices.ContainsFunc(r.Elements, func(e Element) bool { return e.Number == i.Number }) ||
		slices.ContainsFunc(r.Unread, func(u UnreadInstance) bool { return u.mayBe(i) })
}

// Element is one instance of a report. Exactly one of Database and
// Application is set.
type Element struct {
	SID    string `json:"sid"`
	Number string `json:"number"`
	InstanceFacts
	Database    *DatabaseElement    `json:"database,omitempty"`
	Application *ApplicationElement `json:"application,omitempty"`
}

// DatabaseElement is what a database instance reports about its database.
type DatabaseElement struct {
	ID      DatabaseID `json:"id"`
	Tenants []string   `json:"tenants"` // in alphabetical order
	// TenantsUnread: there may be other tenants that could not be read.
	TenantsUnread bool `json:"tenants_unread,omitzero"`
	Replication
	ActivePrimarySite *int `json:"active_primary_site,omitempty"`
	// ReplicationUnread: the role of the instance could not be read.
	ReplicationUnread bool `json:"replication_unread,omitzero"`
}

// follows reports whether the instance follows another one, or may follow one.
// Such an instance does not register its database.
func (e *DatabaseElement) follows() bool { return e.isSecondary() || e.ReplicationUnread }

// ApplicationElement is what an application instance reports about its system.
type ApplicationElement struct {
	DBHost string      `json:"db_host,omitempty"` // the address of its database; empty where it does not know it
	Tenant string      `json:"tenant"`
	ENSA   ENSAVersion `json:"ensa_version"`
}

// LastSAPReport is the last SAP report of an agent, and which of its elements
// wait for something that is not known yet.
type LastSAPReport struct {
	Agent      HostID          `json:"agent"`
	ReceivedAt time.Time       `json:"received_at"`
	Elements   []StoredElement `json:"elements"`
	// Unread are the instances that could not be read.
	Unread []UnreadInstance `json:"unread,omitempty"`
	// Invalidated: the next report is applied in full, also if it says the same,
	// since the landscape has changed in another way.
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

// says reports whether a report says the same.
func (l *LastSAPReport) says(r *SAPReport) bool {
	if len(l.Elements) != len(r.Elements) || !slices.Equal(l.Unread, r.Unread) {
		return false
	}
	for i := range r.Elements {
		if !same(&l.Elements[i].Element, &r.Elements[i]) {
			return false
		}
	}
	return true
}

// names reports whether the report names an instance.
func (l *LastSAPReport) names(i *Instance) bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.SID == i.SID && e.Number == i.Number })
}

// Blocked says why the last element that waits does so: ErrNotRegistered or
// ErrNoDatabase; nil where none waits.
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

// hasWaiting reports whether an element waits.
func (l *LastSAPReport) hasWaiting() bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.Waiting })
}

// invalidate has the next report applied in full, also if it says the same. An
// empty report need not be applied again.
func (l *LastSAPReport) invalidate() { l.Invalidated = l.Invalidated || len(l.Elements) > 0 }

// invalidateSAPReport has the next SAP report of an agent applied in full.
func (cs *Changeset) invalidateSAPReport(agent HostID) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err == nil {
		last.invalidate()
	}
	return err
}

// deleteWaiting deletes the elements that wait to become an instance that is
// cleaned up.
func (cs *Changeset) deleteWaiting(agent HostID, sid, number string) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err != nil {
		return err
	}
	last.invalidate() // before: also where nothing is left, the host may list another instance with this number
	last.Elements = slices.DeleteFunc(last.Elements, func(e StoredElement) bool {
		return e.Waiting && e.SID == sid && e.Number == number
	})
	return nil
}

// clearSAPReport deletes what an agent has reported, so that only a new report
// can bring something back.
func (cs *Changeset) clearSAPReport(agent HostID) error {
	last, err := cs.LastSAPReports.edit(agent)
	if err == nil {
		last.Elements, last.Unread, last.Invalidated = []StoredElement{}, nil, false
	}
	return err
}

// makeSecondariesWait makes the secondaries of a deregistered database wait for
// it: agents go on reporting them, and would be refused. The other instances
// may bring it back, so their next report is applied in full.
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
			case e.Database.follows():
				e.Waiting = true
			default:
				last.Invalidated = true
			}
		}
	}
	return nil
}
