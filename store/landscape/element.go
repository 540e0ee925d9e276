package landscape

import (
	"errors"
	"fmt"
	"reflect"
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

// couldBe reports whether the instance is, for all that is known of it, the
// one with a number in a system.
func (u UnreadInstance) couldBe(sid, number string) bool {
	return (u.SID == "" || u.SID == sid) && (u.Number == "" || u.Number == number)
}

// unread reports whether an instance may be one that could not be read.
func (r *SAPReport) unread(sid, number string) bool {
	return slices.ContainsFunc(r.Unread, func(u UnreadInstance) bool { return u.couldBe(sid, number) })
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

// says reports whether a report says what is kept.
func (k *LastSAPReport) says(r *SAPReport) bool {
	return slices.EqualFunc(k.Elements, r.Elements, func(kept StoredElement, seen Element) bool { return reflect.DeepEqual(kept.Element, seen) }) &&
		slices.Equal(k.Unread, r.Unread)
}

// Blocked is the answer to a report that says what is kept: ErrNotRegistered
// or ErrNoDatabase where an element waits, by the last one that does.
func (k *LastSAPReport) Blocked() error {
	for _, e := range slices.Backward(k.Elements) {
		switch {
		case e.Waiting && e.Database != nil:
			return fmt.Errorf("database %s: %w", e.Database.ID, ErrNotRegistered)
		case e.Waiting:
			return fmt.Errorf("instance %s of %s on host %s: %w", e.Number, e.SID, k.Agent, ErrNoDatabase)
		}
	}
	return nil
}

// waiting reports whether an element waits.
func (k *LastSAPReport) waiting() bool {
	return slices.ContainsFunc(k.Elements, func(e StoredElement) bool { return e.Waiting })
}

// changeKept begins a change of what is kept of an agent: the copy may be
// changed until the changeset is finished. It fails with ErrUnknown.
func (cs *Changeset) changeKept(agent HostID) (*LastSAPReport, error) {
	if k, ok := cs.LastSAPReports[agent]; ok {
		return k, nil
	}
	before, err := cs.state.LastSAPReport(agent)
	if err != nil {
		return nil, err
	}
	after := *before
	after.Elements = slices.Clone(before.Elements)
	cs.LastSAPReports[agent] = &after
	return &after, nil
}

// withKept changes what is kept of an agent, if there is anything.
func (cs *Changeset) withKept(agent HostID, change func(*LastSAPReport) error) error {
	k, err := cs.changeKept(agent)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kept report of %s: %w", agent, err)
	}
	return change(k)
}

// forget makes the next report of an agent be judged in full.
func (cs *Changeset) forget(agent HostID) error { return cs.withKept(agent, (*LastSAPReport).forget) }

// forget does nothing where nothing was said: then nothing can come of it.
func (k *LastSAPReport) forget() error {
	k.Forget = k.Forget || len(k.Elements) > 0
	return nil
}

// discard drops what waits to be the instance that is cleaned up.
func (cs *Changeset) discard(agent HostID, sid, number string) error {
	return cs.withKept(agent, func(k *LastSAPReport) error {
		k.Elements = slices.DeleteFunc(k.Elements, func(e StoredElement) bool {
			return e.Waiting && e.SID == sid && e.Number == number
		})
		return k.forget()
	})
}

// discardAll drops all that an agent has said.
func (cs *Changeset) discardAll(agent HostID) error {
	return cs.withKept(agent, func(k *LastSAPReport) error {
		k.Elements, k.Unread, k.Forget = []StoredElement{}, nil, false
		return nil
	})
}

// awaitReturn makes the secondaries of a database that has gone wait for it:
// agents go on reporting them, and would be refused. The other instances may
// bring it back: what they say next is judged.
func (cs *Changeset) awaitReturn(db *Database) error {
	for _, instance := range db.Instances {
		err := cs.withKept(instance.HostID, func(k *LastSAPReport) error {
			for i := range k.Elements {
				e := &k.Elements[i]
				switch {
				case e.Database == nil || e.Database.ID != db.ID || e.Number != instance.Number:
				case e.Database.follows():
					e.Waiting = true
				default:
					k.Forget = true
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
