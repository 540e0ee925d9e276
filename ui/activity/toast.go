package activity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// Toast is news for the corner of the screen.
type Toast struct {
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	URL      string    `json:"url"`
	Weight   int       `json:"weight"` // how much it matters, see weigh
	At       time.Time `json:"at"`
	Time     string    `json:"time"` // at, for a person
}

// entryFacts is what an entry of the log says about things of the landscape.
type entryFacts struct {
	HostID      string  `json:"host_id"`
	Hostname    string  `json:"hostname"`
	ClusterID   string  `json:"cluster_id"`
	Name        *string `json:"name"`
	DatabaseID  string  `json:"database_id"`
	SAPSystemID string  `json:"sap_system_id"`
	SID         string  `json:"sid"`
	Number      string  `json:"instance_number"`
	Health      string  `json:"health"`
	Old         string  `json:"old"`   // what the health was
	Cause       string  `json:"cause"` // of the health
}

func FactsOf(e *activity.Entry) (entryFacts, error) {
	var f entryFacts
	err := json.Unmarshal(e.Metadata, &f)
	return f, err
}

// About is the id of the thing that an entry of a type is about.
func (f *entryFacts) About(t activity.Type) string {
	switch t {
	case activity.TypeClusterHealthChanged:
		return f.ClusterID
	case activity.TypeDatabaseHealthChanged:
		return f.DatabaseID
	case activity.TypeSAPSystemHealthChanged:
		return f.SAPSystemID
	}
	return f.HostID
}

func (f *entryFacts) cluster() string {
	if f.Name == nil || *f.Name == "" {
		return page.ShortID(f.ClusterID)
	}
	return *f.Name
}

// NewToast says in words what an entry means for somebody who watches; most
// entries are not worth interrupting anyone.
func NewToast(e *activity.Entry) (Toast, bool) {
	f, err := FactsOf(e)
	if err != nil {
		return Toast{}, false
	}
	t := Toast{Severity: e.Severity.String(), At: e.OccurredOn(), Time: page.Timestamp{At: e.OccurredOn()}.Text()}
	for _, say := range []func(activity.Type, *entryFacts) (text, url string){hostNews, clusterNews, databaseNews, sapSystemNews} {
		if t.Text, t.URL = say(e.Type, &f); t.Text != "" {
			t.Weight = weigh(e, &f)
			return t, true
		}
	}
	return Toast{}, false
}

// What matters more is on the screen before what matters less, and longer, and
// stays on the list of what was news.
const (
	goodNews     = iota // somebody may like to know
	ordinaryNews        // something has come, or has a warning
	badNews             // somebody should look
	finalNews           // something is gone
)

// weigh says how much an entry that makes a toast matters.
func weigh(e *activity.Entry, f *entryFacts) int {
	switch e.Type {
	case activity.TypeHostDeregistered, activity.TypeClusterDeregistered, activity.TypeDatabaseDeregistered, activity.TypeSAPSystemDeregistered:
		return finalNews
	case activity.TypeHeartbeatFailed, activity.TypeDatabaseInstanceDeregistered, activity.TypeApplicationInstanceDeregistered,
		activity.TypeDatabaseInstanceMarkedAbsent, activity.TypeApplicationInstanceMarkedAbsent:
		return badNews
	case activity.TypeHeartbeatSucceeded:
		return goodNews
	}
	switch f.Health {
	case string(landscape.HealthCritical):
		return badNews
	case string(landscape.HealthPassing):
		return goodNews
	}
	return ordinaryNews
}

// Heaviest are at most n of the toasts, those that matter most and of equals
// the newest, in the order in which they happened.
func Heaviest(toasts []Toast, n int) []Toast {
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

// change says what a health has become, from what, and why.
func (f *entryFacts) change() string {
	var words string
	if f.Old != "" {
		words = " from " + f.Old
	}
	words += " to " + f.Health
	if f.Cause != "" {
		words += " because of " + f.Cause
	}
	return words
}

func hostNews(t activity.Type, f *entryFacts) (text, url string) {
	url = "/hosts/" + f.HostID
	switch t {
	case activity.TypeHostRegistered:
		return f.Hostname + " is new: its agent has reported for the first time.", url
	case activity.TypeHostRestored:
		return f.Hostname + " is back after it had been removed.", url
	case activity.TypeHostDeregistered:
		return f.Hostname + " has been removed.", "/hosts"
	case activity.TypeHeartbeatFailed:
		return fmt.Sprintf("The host %s heartbeat is failing.", f.Hostname), url
	case activity.TypeHeartbeatSucceeded:
		return fmt.Sprintf("The agent of %s is reporting.", f.Hostname), url
	case activity.TypeHostIDShared:
		return fmt.Sprintf("Several machines report under the id of %s.", f.Hostname), url
	case activity.TypeHostHealthChanged:
		return fmt.Sprintf("The health of %s changed%s.", f.Hostname, f.change()), url
	}
	return "", ""
}

func clusterNews(t activity.Type, f *entryFacts) (text, url string) {
	url = "/clusters/" + f.ClusterID
	switch t {
	case activity.TypeClusterRegistered:
		return fmt.Sprintf("The cluster %s is new.", f.cluster()), url
	case activity.TypeClusterRestored:
		return fmt.Sprintf("The cluster %s is back after it had been removed.", f.cluster()), url
	case activity.TypeClusterDeregistered:
		return fmt.Sprintf("The cluster %s has been deregistered.", f.cluster()), "/clusters"
	case activity.TypeClusterHealthChanged:
		return fmt.Sprintf("The health of the cluster %s changed%s.", f.cluster(), f.change()), url
	}
	return "", ""
}

func databaseNews(t activity.Type, f *entryFacts) (text, url string) {
	url = "/databases/" + f.DatabaseID
	switch t {
	case activity.TypeDatabaseRegistered:
		return fmt.Sprintf("The HANA database %s is new.", f.SID), url
	case activity.TypeDatabaseRestored:
		return fmt.Sprintf("The HANA database %s is back after it had been removed.", f.SID), url
	case activity.TypeDatabaseDeregistered:
		return fmt.Sprintf("The HANA database %s has been deregistered.", f.SID), "/databases"
	case activity.TypeDatabaseHealthChanged:
		return fmt.Sprintf("The health of the HANA database %s changed%s.", f.SID, f.change()), url
	case activity.TypeDatabaseInstanceMarkedAbsent:
		return fmt.Sprintf("The instance %s of %s is now absent.", f.Number, f.SID), url
	case activity.TypeDatabaseInstanceDeregistered:
		return fmt.Sprintf("The instance %s has been deregistered from %s.", f.Number, f.SID), url
	}
	return "", ""
}

func sapSystemNews(t activity.Type, f *entryFacts) (text, url string) {
	url = "/sap_systems/" + f.SAPSystemID
	switch t {
	case activity.TypeSAPSystemRegistered:
		return fmt.Sprintf("The SAP System %s is new.", f.SID), url
	case activity.TypeSAPSystemRestored:
		return fmt.Sprintf("The SAP System %s is back after it had been removed.", f.SID), url
	case activity.TypeSAPSystemDeregistered:
		return fmt.Sprintf("The SAP System %s has been deregistered.", f.SID), "/sap_systems"
	case activity.TypeSAPSystemHealthChanged:
		return fmt.Sprintf("The health of the SAP System %s changed%s.", f.SID, f.change()), url
	case activity.TypeApplicationInstanceMarkedAbsent:
		return fmt.Sprintf("The instance %s of %s is now absent.", f.Number, f.SID), url
	case activity.TypeApplicationInstanceMoved:
		return fmt.Sprintf("The instance %s of %s has been moved.", f.Number, f.SID), url
	case activity.TypeApplicationInstanceDeregistered:
		return fmt.Sprintf("The instance %s has been deregistered from %s.", f.Number, f.SID), url
	}
	return "", ""
}
