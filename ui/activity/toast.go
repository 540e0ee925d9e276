package activity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// Toast is a short message about an entry, shown in a corner of the screen.
type Toast struct {
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	URL      string    `json:"url"`
	Weight   int       `json:"weight"` // importance, see weightLow
	At       time.Time `json:"at"`
	Time     string    `json:"time"` // At, as text
}

// The importance of a toast. A more important one is shown earlier and longer,
// and stays longer in the list of toasts.
const (
	toastWeightLow     = iota // information
	toastWeightNormal         // something new, or a warning
	toastWeightHigh           // somebody should look at it
	toastWeightRemoved        // something was removed
)

// NewToast returns the message about an entry. It returns false for entries
// that need no message, as most do not.
func NewToast(e *activity.Entry) (Toast, bool) {
	event := e.Event()
	things := activity.Things(event)
	if len(things) == 0 {
		return Toast{}, false
	}
	about := things[0]
	kind, ok := toastKinds[about.Kind]
	if !ok {
		return Toast{}, false
	}
	t := Toast{
		Severity: e.Severity.String(), URL: kind.path + "/" + about.ID,
		At: e.OccurredOn(), Time: page.Timestamp{At: e.OccurredOn()}.Text(),
	}
	about.Name = cmp.Or(about.Name, page.ShortID(about.ID))
	t.Text, t.Weight = toastSentence(event, kind.noun+about.Name)
	if t.Text == "" {
		t.Text, t.Weight = instanceSentence(event, about.Name)
	}
	if t.Weight == toastWeightRemoved {
		t.URL = kind.path // the thing has no page any more
	}
	return t, t.Text != ""
}

// toastKinds are the kinds of things that toasts are about: the path of their
// pages, and the noun before their names.
var toastKinds = map[activity.ThingKind]struct{ path, noun string }{
	activity.HostThing:      {page.HostTags.Path, ""},
	activity.ClusterThing:   {page.ClusterTags.Path, "the cluster "},
	activity.DatabaseThing:  {page.DatabaseTags.Path, "the HANA database "},
	activity.SAPSystemThing: {page.SAPSystemTags.Path, "the SAP System "},
}

// toastSentence says what has happened to a host, a cluster or a system, and
// how important that is. The text is empty for events without a toast.
func toastSentence(e activity.Event, thing string) (text string, weight int) {
	health := func(health string, change activity.Change) (string, int) {
		return change.Sentence("The health of "+thing, health) + ".", weightOf(health)
	}
	start := thing // the begin of a sentence
	if rest, ok := strings.CutPrefix(thing, "the "); ok {
		start = "The " + rest
	}
	switch e := e.(type) {
	case *activity.HostRegistered:
		return start + " is new: its agent has reported for the first time.", toastWeightNormal
	case *activity.ClusterRegistered:
		return start + " is new.", weightOf(e.Health)
	case *activity.DatabaseRegistered:
		return start + " is new.", weightOf(e.Health)
	case *activity.SAPSystemRegistered:
		return start + " is new.", weightOf(e.Health)
	case *activity.HostRestored, *activity.ClusterRestored:
		return start + " is back after it had been removed.", toastWeightNormal
	case *activity.DatabaseRestored:
		return start + " is back after it had been removed.", weightOf(e.Health)
	case *activity.SAPSystemRestored:
		return start + " is back after it had been removed.", weightOf(e.Health)
	case *activity.HostDeregistered:
		return start + " has been removed.", toastWeightRemoved
	case *activity.ClusterDeregistered, *activity.DatabaseDeregistered, *activity.SAPSystemDeregistered:
		return start + " has been deregistered.", toastWeightRemoved
	case *activity.HostHealthChanged:
		return health(e.Health, e.Change)
	case *activity.ClusterHealthChanged:
		return health(e.Health, e.Change)
	case *activity.DatabaseHealthChanged:
		return health(e.Health, e.Change)
	case *activity.SAPSystemHealthChanged:
		return health(e.Health, e.Change)
	case *activity.HeartbeatFailed:
		return "The host " + thing + " heartbeat is failing.", toastWeightHigh
	case *activity.HeartbeatSucceeded:
		return "The agent of " + thing + " is reporting.", toastWeightLow
	case *activity.HostIDShared:
		return "Several machines report under the id of " + thing + ".", toastWeightNormal
	}
	return "", 0
}

// instanceSentence says what has happened to an instance of a system, and how
// important that is. The text is empty for other events.
func instanceSentence(e activity.Event, sid string) (text string, weight int) {
	absent := func(number string) (string, int) {
		return fmt.Sprintf("The instance %s of %s is now absent.", number, sid), toastWeightHigh
	}
	deregistered := func(number string) (string, int) {
		return fmt.Sprintf("The instance %s has been deregistered from %s.", number, sid), toastWeightHigh
	}
	switch e := e.(type) {
	case *activity.DatabaseInstanceMarkedAbsent:
		return absent(e.InstanceNumber)
	case *activity.ApplicationInstanceMarkedAbsent:
		return absent(e.InstanceNumber)
	case *activity.DatabaseInstanceDeregistered:
		return deregistered(e.InstanceNumber)
	case *activity.ApplicationInstanceDeregistered:
		return deregistered(e.InstanceNumber)
	case *activity.ApplicationInstanceMoved:
		return fmt.Sprintf("The instance %s of %s has been moved.", e.InstanceNumber, sid), toastWeightNormal
	}
	return "", 0
}

// weightOf returns the importance of a change to a health.
func weightOf(health string) int {
	switch landscape.Health(health) {
	case landscape.HealthCritical:
		return toastWeightHigh
	case landscape.HealthPassing:
		return toastWeightLow
	}
	return toastWeightNormal
}

// MostImportant returns the n most important toasts, in the order in which they
// happened. Among equally important ones it prefers the newest.
func MostImportant(toasts []Toast, n int) []Toast {
	for len(toasts) > n {
		lightest := 0
		for i, t := range toasts {
			if t.Weight < toasts[lightest].Weight {
				lightest = i
			}
		}
		toasts = slices.Delete(toasts, lightest, lightest+1)
	}
	return toasts
}
