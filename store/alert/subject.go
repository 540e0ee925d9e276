package alert

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// labels are the words for the types of things in subjects.
var labels = map[ThingType]string{
	Host: "Host", Cluster: "Cluster", Database: "Database", SAPSystem: "Sap System",
	APIKey: "Api key", Certificate: "Certificate", Backups: "Backups",
}

// maxName is the largest length of a name in a subject, in characters.
const maxName = 64

// CleanName returns the name of a thing for one line of text: agents report
// names, so they can contain anything.
func CleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, " "))
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName-1]) + "…"
	}
	return name
}

// Title returns the name of the item's thing with its type.
func (i *Item) Title() string {
	switch i.Thing.Type {
	case APIKey, Certificate, Backups:
		return CleanName(i.Thing.Name)
	}
	return labels[i.Thing.Type] + " " + cmp.Or(CleanName(i.Thing.Name), CleanName(i.Thing.ID))
}

// Component returns the type of the item's thing in words.
func (i *Item) Component() string { return labels[i.Thing.Type] }

// Trouble says in words what is wrong, after the title.
func (i *Item) Trouble(now time.Time) string {
	switch i.Kind {
	case HeartbeatLost:
		if i.Unstable() {
			return fmt.Sprintf("is unstable: it stopped reporting %d times within 10 minutes", i.Begins)
		}
		return "stopped reporting"
	case BackupFailed:
		return "could not be made"
	case APIKeyExpiry, CertificateExpiry:
		if days, expired := i.DaysLeft(now); !expired {
			return fmt.Sprintf("will expire in %d days", days)
		}
		return "expired"
	}
	if i.Unstable() {
		return fmt.Sprintf("is unstable: it became critical %d times within 10 minutes", i.Begins)
	}
	return "needs attention"
}

// DaysLeft returns the number of whole days until the deadline of the item.
func (i *Item) DaysLeft(now time.Time) (days int, expired bool) {
	left := i.Deadline.Sub(now)
	return int(left / day), left <= 0
}

// subject returns the subject of a delivery.
func (d *Delivery) subject() string {
	if d.Form == HeldBack {
		if len(d.Items) == 1 {
			return d.Items[0].Title() + " " + d.Items[0].Trouble(d.At)
		}
		return fmt.Sprintf("%d alerts", len(d.Items))
	}
	if d.Form == Recovery {
		return "Trento: " + d.recovery() + "."
	}
	if len(d.Items) > 1 {
		return fmt.Sprintf("Trento Alert: %d things need attention.", len(d.Items))
	}
	i := &d.Items[0]
	switch i.Kind {
	case APIKeyExpiry: // without a full stop, as the existing server has it
		return "Trento Alert: Api key " + i.Trouble(d.At)
	case CertificateExpiry:
		return "Trento Alert: " + i.Title() + " " + i.Trouble(d.At)
	}
	if i.Unstable() {
		return "Trento Alert: " + i.Title() + " is unstable."
	}
	return "Trento Alert: " + i.Title() + " " + i.Trouble(d.At) + "."
}

// recovery says which things are well again.
func (d *Delivery) recovery() string {
	if len(d.Items) > 1 {
		return fmt.Sprintf("%d things are well again", len(d.Items))
	}
	return d.Items[0].Title() + " " + d.Items[0].Relief()
}

// Relief says in words how the trouble has ended, after the title.
func (i *Item) Relief() string {
	switch {
	case i.Removed:
		return "was cleaned up"
	case i.Kind == BackupFailed:
		return "can be made again"
	case i.Kind == APIKeyExpiry || i.Kind == CertificateExpiry:
		return "was replaced"
	case i.Health == "" || i.Health == "passing":
		return "is well again"
	}
	return "is no longer critical"
}
