package landscape

import (
	"fmt"
	"slices"
	"time"
)

// Kind is the kind of a report, by the agent's name for its discovery.
type Kind string

// The kinds of reports that agents send.
const (
	HostDiscovery         Kind = "host_discovery"
	CloudDiscovery        Kind = "cloud_discovery"
	SubscriptionDiscovery Kind = "subscription_discovery"
	SaptuneDiscovery      Kind = "saptune_discovery"
	ClusterDiscovery      Kind = "ha_cluster_discovery"
	SAPSystemDiscovery    Kind = "sap_system_discovery"
)

// kindRules is a row of the table of report kinds. It holds the rules of the
// landscape for the kind. Package discovery holds the decoders.
type kindRules struct {
	kind           Kind
	interval       time.Duration                        // default time between two reports
	observe        func(*Changeset, Observation) error  // the rule for a report
	reportsFailing func(*Changeset, HostID, bool) error // the rule of ReportsFailing; nil: nothing becomes stale
	needsHost      bool
	// repetitionMatters is true if a report may change something although it is
	// identical to the previous one.
	repetitionMatters bool
}

// The default intervals between two reports of an agent.
const (
	shortInterval = 10 * time.Second
	longInterval  = 15 * time.Minute
)

// rulesOfKinds are all kinds of reports. The host comes first, so that reports
// that arrive in this order can all be used.
var rulesOfKinds = []kindRules{
	{kind: HostDiscovery, interval: shortInterval, observe: (*Changeset).observeHost},
	{kind: CloudDiscovery, interval: shortInterval, observe: onRegisteredHost((*Changeset).observeCloud), needsHost: true},
	{kind: SubscriptionDiscovery, interval: longInterval, observe: onRegisteredHost((*Changeset).observeSubscriptions), needsHost: true},
	{kind: SaptuneDiscovery, interval: longInterval, observe: onRegisteredHost((*Changeset).observeSaptune), needsHost: true},
	{kind: ClusterDiscovery, interval: shortInterval, observe: (*Changeset).observeCluster, reportsFailing: (*Changeset).clusterReportsFailing, repetitionMatters: true},
	{kind: SAPSystemDiscovery, interval: shortInterval, observe: (*Changeset).observeSAP, reportsFailing: (*Changeset).sapReportsFailing},
}

// Kinds are the kinds of all reports, in the order of the table.
var Kinds = func() (kinds []Kind) {
	for _, d := range rulesOfKinds {
		kinds = append(kinds, d.kind)
	}
	return kinds
}()

func (k Kind) rules() (kindRules, bool) {
	i := slices.IndexFunc(rulesOfKinds, func(d kindRules) bool { return d.kind == k })
	if i < 0 {
		return kindRules{kind: k, interval: shortInterval}, false
	}
	return rulesOfKinds[i], true
}

// Known reports whether the kind is one of Kinds.
func (k Kind) Known() bool { _, known := k.rules(); return known }

// Period returns the default time between two reports of an agent.
func (k Kind) Period() time.Duration { d, _ := k.rules(); return d.interval }

// NeedsHost reports whether a report of the kind is refused until its host is
// registered.
func (k Kind) NeedsHost() bool { d, _ := k.rules(); return d.needsHost }

// RepetitionMatters reports whether a report of the kind may change something
// although it is identical to the previous one. A restored cluster, for
// example, counts as stopped only when a node reports for the second time that
// it is offline.
func (k Kind) RepetitionMatters() bool { d, _ := k.rules(); return d.repetitionMatters }

// TurnsStale reports whether the data from reports of the kind becomes stale
// when no more usable reports come.
func (k Kind) TurnsStale() bool { d, _ := k.rules(); return d.reportsFailing != nil }

// Observation is a decoded and validated report. Only the field that belongs to
// Kind is set. An empty list of subscriptions is nil.
type Observation struct {
	Agent         HostID         `json:"agent"`
	Kind          Kind           `json:"kind"`
	Host          *HostFacts     `json:"host,omitempty"`
	Cloud         *Cloud         `json:"cloud,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Saptune       *SaptuneReport `json:"saptune,omitempty"`
	Cluster       *ClusterReport `json:"cluster,omitempty"`
	SAP           *SAPReport     `json:"sap,omitempty"`

	// Omissions are the values that could not be read, in the order in which
	// they were found; at most MaxOmissions.
	Omissions []Omission `json:"omissions,omitempty"`
}

// MaxOmissions is the largest number of omissions of an observation. It bounds
// what the store holds of a report with a million errors.
const MaxOmissions = 100

// Omission is a value or an element of a report that could not be read and was
// left out of the observation. The value from earlier reports stays.
type Omission struct {
	Pointer string `json:"pointer"` // its place in the payload as a JSON pointer with indexes, such as /0/Instances/1/SAPControl
	Detail  string `json:"detail"`  // the reason, in words
	Read    string `json:"read"`    // the beginning of its JSON text; "" if the value is missing
}

// Observe returns the changes that follow from one report. It fails with
// ErrNotRegistered if the host is not registered.
func Observe(state State, o Observation, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	d, known := o.Kind.rules()
	if !known {
		return cs, fmt.Errorf("landscape: no rule for %s", o.Kind)
	}
	return cs, cs.complete(d.observe(cs, o))
}

// onRegisteredHost returns a rule that applies another rule to a registered
// host. If several machines share the id of the host, the machine that sent the
// report is not known, so the report changes nothing.
func onRegisteredHost(rule func(*Changeset, *Host, Observation) error) func(*Changeset, Observation) error {
	return func(cs *Changeset, o Observation) error {
		host, err := cs.editRegisteredHost(o.Agent)
		if err != nil || host.Shared() {
			return err
		}
		return rule(cs, host, o)
	}
}

// ReportsFailing returns the changes that follow if the reports of one kind
// from a host could not be used, or only in part, for some time. The data from
// the reports becomes stale, as it does when the heartbeat of the host is lost.
// If the reports are not refused, only the data from the elements that could
// not be read becomes stale. The next report that can be used ends the
// staleness.
//
// Only the kinds with TurnsStale are affected. The data of the other kinds
// belongs to the host, and the host's page shows which of its reports fail.
func ReportsFailing(state State, host HostID, kind Kind, refused bool, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	if d, _ := kind.rules(); d.reportsFailing != nil {
		return cs, cs.complete(d.reportsFailing(cs, host, refused))
	}
	return cs, nil
}

// clusterReportsFailing marks the cluster as stale if the reports are refused.
// If they could be read in part, that part is up to date.
func (cs *Changeset) clusterReportsFailing(host HostID, refused bool) error {
	if !refused {
		return nil
	}
	return cs.markClusterStale(host)
}

func (cs *Changeset) sapReportsFailing(host HostID, refused bool) error {
	if refused {
		return cs.markAllSAPStale(host)
	}
	return cs.markUnreadStale(host)
}

// markUnreadStale marks the instances as stale that may be the unread elements
// of the last SAP report: those that are not absent although the report does
// not name them.
func (cs *Changeset) markUnreadStale(host HostID) error {
	last, err := cs.LastSAPReports.get(host)
	if err != nil {
		return err
	}
	return cs.markSAPStale(host, func(i *Instance) bool {
		return i.AbsentSince == nil && !last.contains(i)
	})
}
