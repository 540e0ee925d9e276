// Package alert decides what people are alerted to, and when. It is pure: it
// neither reads nor writes files and sends nothing. Package store keeps its
// values, in the transactions that log the events, and the server sends the
// messages.
//
// An Alert is one thing in one kind of trouble, such as a host that has stopped
// reporting. SignalsOf says which events of the activity log begin and end
// alerts. Decide turns the alerts that wait into messages: it holds them back
// for a while, drops those that are over by then, groups those that belong
// together, and limits how many messages there are. A Delivery is such a
// message on its way through the channels, or the record that alerts were held
// back.
package alert

import (
	"slices"
	"time"

	"trento/store/activity"
)

// Kind is a kind of trouble.
type Kind string

// The kinds of trouble.
const (
	HeartbeatLost     Kind = "heartbeat_lost"
	HostCritical      Kind = "host_critical"
	DatabaseCritical  Kind = "database_critical"
	SAPSystemCritical Kind = "sap_system_critical"
	ClusterCritical   Kind = "cluster_critical"
	APIKeyExpiry      Kind = "api_key_expiry"
	CertificateExpiry Kind = "certificate_expiry"
	BackupFailed      Kind = "backup_failed"
)

// kinds are all kinds, in the order in which a digest lists them.
var kinds = []Kind{HeartbeatLost, HostCritical, DatabaseCritical, SAPSystemCritical, ClusterCritical, BackupFailed, CertificateExpiry, APIKeyExpiry}

// changesQuickly reports whether trouble of the kind can be over within a
// minute, and can come and go.
func (k Kind) changesQuickly() bool {
	switch k {
	case APIKeyExpiry, CertificateExpiry, BackupFailed:
		return false
	}
	return true
}

// ThingType is the type of a thing that can be in trouble.
type ThingType string

// The types of things.
const (
	Host        ThingType = "host"
	Cluster     ThingType = "cluster"
	Database    ThingType = "database"
	SAPSystem   ThingType = "sap_system"
	APIKey      ThingType = "api_key"
	Certificate ThingType = "certificate"
	Backups     ThingType = "backups"
)

// Thing is what is in trouble.
type Thing struct {
	Type ThingType `json:"type"`
	ID   string    `json:"id"`
	Name string    `json:"name"`
}

// Alert is one thing in one kind of trouble. It exists from the moment at which
// the trouble begins until some time after its end.
type Alert struct {
	Kind  Kind  `json:"kind"`
	Thing Thing `json:"thing"`
	// Since is when the trouble began, the last time if it comes and goes.
	Since time.Time `json:"since"`
	// Begins are the last times at which the trouble began, oldest first.
	Begins []time.Time `json:"begins"`
	// Ended is when the trouble ended; zero while it lasts.
	Ended time.Time `json:"ended,omitzero"`
	// Removed is true if the trouble ended because the thing was cleaned up.
	Removed bool `json:"removed,omitempty"`
	// Health is the health of the thing after the end; "" if it has none.
	Health string `json:"health,omitempty"`
	// Detail is the cause of the trouble in words; "" if it is not known.
	Detail string `json:"detail,omitempty"`
	// Before is the health before the trouble began; "" if it is not known.
	Before string `json:"before,omitempty"`
	// Deadline is when the key or certificate expires; zero for other kinds.
	// Step is how near the deadline was when the alert began; see StepOf.
	Deadline time.Time `json:"deadline,omitzero"`
	Step     int       `json:"step,omitempty"`
	// Entry is the entry of the activity log that says that the trouble began; 0
	// if there is none. Correlation is the correlation id of that entry.
	Entry       activity.Position `json:"entry,omitempty"`
	Correlation string            `json:"correlation,omitempty"`

	// WaitingSince is when the trouble began that nobody was told about yet;
	// zero if nothing waits.
	WaitingSince time.Time `json:"waiting_since,omitzero"`
	// Hurried is true if a user wants the alert to be sent at once.
	Hurried bool `json:"hurried,omitempty"`
	// Told is when the last message about the alert was made; zero: never.
	Told time.Time `json:"told,omitzero"`
	// FirstDelivery is the sequence of the first message about the alert; 0:
	// there was none.
	FirstDelivery uint64 `json:"first_delivery,omitempty"`
	// EndTold is true if nothing more will be said about the end.
	EndTold bool `json:"end_told,omitempty"`
}

// Key is the key under which an alert is stored. No two alerts have the same.
func (a *Alert) Key() []byte { return KeyOf(a.Kind, a.Thing.ID) }

// KeyOf returns the key of the alert about a thing.
func KeyOf(kind Kind, id string) []byte { return []byte(string(kind) + "/" + id) }

// Waits reports whether it is not decided yet whether a message about the alert
// is sent.
func (a *Alert) Waits() bool { return !a.WaitingSince.IsZero() }

// Over reports whether the trouble has ended.
func (a *Alert) Over() bool { return !a.Ended.IsZero() }

const (
	// unstableOnsets is how often trouble begins within unstablePeriod until the
	// thing counts as unstable.
	unstableOnsets = 3
	unstablePeriod = 10 * time.Minute
	// calmPeriod is how long a thing must be well until new trouble is new, and not
	// the same trouble again.
	calmPeriod = 5 * time.Minute
)

// Begin says that trouble begins now. entry is the entry of the activity log that
// says so, and correlation its correlation id. before is the alert about the same trouble of the
// same thing; nil if there is none.
func Begin(before *Alert, s Signal, entry activity.Position, correlation string, now time.Time) *Alert {
	a := &Alert{Kind: s.Kind}
	if before != nil && !(before.Over() && now.Sub(before.Ended) >= calmPeriod) {
		*a = *before
	}
	if before != nil {
		a.Begins = before.Begins
	}
	a.Thing, a.Since, a.Ended, a.Removed, a.Health, a.Detail, a.Before = s.Thing, now, time.Time{}, false, "", s.Detail, s.Before
	a.Deadline, a.Step = s.Deadline, s.Step
	a.Entry, a.Correlation, a.EndTold = entry, correlation, false
	a.Begins = append(slices.DeleteFunc(slices.Clone(a.Begins), func(t time.Time) bool { return now.Sub(t) >= unstablePeriod }), now)
	a.Begins = a.Begins[max(0, len(a.Begins)-maxOnsets):]
	if !a.Waits() {
		a.WaitingSince = now
	}
	return a
}

// maxOnsets is how many times an alert remembers.
const maxOnsets = 50

// End says that the trouble ends now. It returns nil if that changes nothing.
func End(before *Alert, s Signal, now time.Time) *Alert {
	if before == nil || before.Over() && !(s.Effect == Remove && !before.Removed) {
		return nil
	}
	a := *before
	if !a.Over() {
		a.Ended = now
	}
	a.Removed, a.Health = s.Effect == Remove, s.Health
	return &a
}

// countOnsets returns how often the trouble has begun within a period.
func (a *Alert) countOnsets(period time.Duration, now time.Time) (n int) {
	for _, t := range a.Begins {
		if now.Sub(t) < period {
			n++
		}
	}
	return n
}
