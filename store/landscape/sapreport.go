package landscape

import (
	"fmt"
	"slices"
	"time"
)

// SAPReport is what a sap_system_discovery says: all database and application
// instances on a host, in the order in which the agent lists them. What
// changes all the time and means nothing, like the age of processes, is no
// part of it.
type SAPReport struct {
	Elements []Element `json:"elements"`
	// Unread are instances that the agent listed and that could not be read:
	// they are not gone.
	Unread []UnreadInstance `json:"unread,omitempty"`
}

// UnreadInstance is what could be read of an instance that is no element. An
// empty member could be anything.
type UnreadInstance struct {
	SID    string `json:"sid,omitempty"`
	Number string `json:"number,omitempty"`
}

// mayBe reports whether an instance may be the one that could not be read.
func (u UnreadInstance) mayBe(i *Instance) bool {
	return (u.SID == "" || u.SID == i.SID) && (u.Number == "" || u.Number == i.Number)
}

// mayHave reports whether an instance may be in the report: with its number,
// whatever the system, or among what could not be read. Where the number is
// that of another system by now, takeNumber notes it as soon as that is known.
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

// DatabaseElement is what a database instance says about its database.
type DatabaseElement struct {
	ID      DatabaseID `json:"id"`
	Tenants []string   `json:"tenants"` // in alphabetical order
	// TenantsUnread: there may be others, which could not be read.
	TenantsUnread bool `json:"tenants_unread,omitzero"`
	Replication
	ActivePrimarySite *int `json:"active_primary_site,omitempty"`
	// ReplicationUnread: which part the instance has could not be read.
	ReplicationUnread bool `json:"replication_unread,omitzero"`
}

// follows reports whether the instance follows another one, or may: it then
// brings no database into the landscape.
func (e *DatabaseElement) follows() bool { return e.secondary() || e.ReplicationUnread }

// ApplicationElement is what an application instance says about its system.
type ApplicationElement struct {
	DBHost string      `json:"db_host,omitempty"` // the address of its database; empty where it does not know it
	Tenant string      `json:"tenant"`
	ENSA   ENSAVersion `json:"ensa_version"`
}

// LastSAPReport is what is kept of the last SAP report of an agent: what it said, and
// which of its elements wait for something that is not known yet.
type LastSAPReport struct {
	Agent      HostID          `json:"agent"`
	ReceivedAt time.Time       `json:"received_at"`
	Elements   []StoredElement `json:"elements"`
	// Unread are the instances of the report that could not be read.
	Unread []UnreadInstance `json:"unread,omitempty"`
	// Forget: the next report is judged in full, even if it says the same,
	// since what is kept does not speak for the landscape any more.
	Forget bool `json:"forget,omitzero"`
}

// StoredElement is an element of a kept report.
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
	return slices.EqualFunc(l.Elements, r.Elements, func(stored StoredElement, e Element) bool { return same(stored.Element, e) }) &&
		slices.Equal(l.Unread, r.Unread)
}

// names reports whether the report names an instance.
func (l *LastSAPReport) names(i *Instance) bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.SID == i.SID && e.Number == i.Number })
}

// Blocked is the answer to a report that says what is kept: ErrNotRegistered
// or ErrNoDatabase where an element waits, by the last one that does.
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

// waiting reports whether an element waits.
func (l *LastSAPReport) waiting() bool {
	return slices.ContainsFunc(l.Elements, func(e StoredElement) bool { return e.Waiting })
}

// invalidate has the next report applied in full, also if it says the same.
// Where nothing was said, nothing can come of it.
func (l *LastSAPReport) invalidate() { l.Forget = l.Forget || len(l.Elements) > 0 }

// invalidateSAPReport has the next SAP report of an agent applied in full.
func (cs *Changeset) invalidateSAPReport(agent HostID) error {
	last, err := cs.editSAPReport(agent)
	if err == nil {
		last.invalidate()
	}
	return err
}

// deleteWaiting deletes the elements that wait to become an instance that is
// cleaned up.
func (cs *Changeset) deleteWaiting(agent HostID, sid, number string) error {
	last, err := cs.editSAPReport(agent)
	if err != nil {
		return err
	}
	last.Elements = slices.DeleteFunc(last.Elements, func(e StoredElement) bool {
		return e.Waiting && e.SID == sid && e.Number == number
	})
	last.invalidate()
	return nil
}

// clearSAPReport deletes all that an agent has said: only a new report may
// bring something back.
func (cs *Changeset) clearSAPReport(agent HostID) error {
	last, err := cs.editSAPReport(agent)
	if err == nil {
		last.Elements, last.Unread, last.Forget = []StoredElement{}, nil, false
	}
	return err
}

// makeSecondariesWait makes the secondaries of a deregistered database wait for
// it: agents go on reporting them, and would be refused. The other instances
// may bring it back, so their next report is applied in full.
func (cs *Changeset) makeSecondariesWait(db *Database) error {
	for _, instance := range db.Instances {
		last, err := cs.editSAPReport(instance.HostID)
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
				last.Forget = true
			}
		}
	}
	return nil
}
