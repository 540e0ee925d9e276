package alert

import (
	"cmp"
	"time"

	"trento/store/activity"
	"trento/store/outbox"
)

// Form is the form of a delivery.
type Form string

// The forms of deliveries.
const (
	Single   Form = "single"    // a message about one alert
	Digest   Form = "digest"    // a message about several alerts
	Recovery Form = "recovery"  // a message that troubles have ended
	HeldBack Form = "held_back" // no message: the record that alerts were not sent
)

// Delivery is a message about alerts, or the record that alerts were held back.
type Delivery struct {
	Sequence uint64    `json:"-"`
	At       time.Time `json:"at"` // when it was decided
	Form     Form      `json:"form"`
	Subject  string    `json:"subject"`
	Items    []Item    `json:"items"`
	// Reason says why the alerts were held back.
	Reason string `json:"reason,omitempty"`
	// Interruptions is how many short troubles were held back since the last
	// digest. Only digests have it.
	Interruptions int `json:"interruptions,omitempty"`
	// Thread is the sequence of the first delivery about the same alert; 0: this
	// is the first one, or there are several alerts.
	Thread  uint64         `json:"thread,omitempty"`
	Mail    outbox.Channel `json:"mail,omitzero"`
	Webhook outbox.Channel `json:"webhook,omitzero"`
}

// Item is an alert as it was when a delivery was decided.
type Item struct {
	Kind     Kind      `json:"kind"`
	Thing    Thing     `json:"thing"`
	Since    time.Time `json:"since"`
	Ended    time.Time `json:"ended,omitzero"`
	Removed  bool      `json:"removed,omitempty"`
	Health   string    `json:"health,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Before   string    `json:"before,omitempty"` // health before the trouble
	Deadline time.Time `json:"deadline,omitzero"`
	// Entry is the entry of the activity log about it; 0 if there is none.
	Entry activity.Position `json:"entry,omitempty"`
	// Begins is how often the trouble has begun within ten minutes, if the thing
	// counts as unstable; otherwise 0.
	Begins int `json:"begins,omitempty"`
}

// Unstable reports whether the trouble of the item comes and goes.
func (i *Item) Unstable() bool { return i.Begins > 0 }

// lateAfter is the age at which a message says how late it is.
const lateAfter = time.Hour

// Open reports whether the delivery is pending in a channel.
func (d *Delivery) Open() bool {
	return d.Mail.State == outbox.Pending || d.Webhook.State == outbox.Pending
}

// Lateness returns how late a delivery is; 0 if it is not worth mentioning.
func (d *Delivery) Lateness(now time.Time) time.Duration {
	if late := now.Sub(d.At); late > lateAfter {
		return late
	}
	return 0
}

// Severity returns the severity of the delivery as webhooks name it.
func (d *Delivery) Severity() string {
	if d.Form == Recovery {
		return "info"
	}
	for i := range d.Items {
		if d.Items[i].Kind.changesQuickly() || d.Items[i].Kind == BackupFailed {
			return "critical"
		}
	}
	return "warning"
}

// Type returns the type of the delivery as webhooks name it: the kind of trouble
// if there is only one thing, with ".ended" if it has ended, or "digest".
func (d *Delivery) Type() string {
	kind := string(Digest)
	if len(d.Items) == 1 {
		kind = string(d.Items[0].Kind)
	}
	if d.Form == Recovery {
		kind += ".ended"
	}
	return kind
}

// Failure returns why the last attempt has failed, by mail or else by webhook; ""
// if none has.
func (d *Delivery) Failure() string { return cmp.Or(d.Mail.Failure, d.Webhook.Failure) }

// Tried returns the time of the last attempt; zero if there was none.
func (d *Delivery) Tried() time.Time {
	if d.Mail.Tried.After(d.Webhook.Tried) {
		return d.Mail.Tried
	}
	return d.Webhook.Tried
}
