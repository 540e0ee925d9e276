package landscape

import (
	"fmt"
	"slices"
	"time"
)

// Kind names a discovery, in the words of the agent.
type Kind string

// The discoveries an agent reports.
const (
	HostDiscovery         Kind = "host_discovery"
	CloudDiscovery        Kind = "cloud_discovery"
	SubscriptionDiscovery Kind = "subscription_discovery"
	SaptuneDiscovery      Kind = "saptune_discovery"
	ClusterDiscovery      Kind = "ha_cluster_discovery"
	SAPSystemDiscovery    Kind = "sap_system_discovery"
)

// discovery is a row of the table of report kinds: the rules of the landscape
// for the kind. Package discovery has its decoder.
type discovery struct {
	kind      Kind
	period    time.Duration
	observe   func(*Changeset, Observation) error  // the rule: what a report changes
	failing   func(*Changeset, HostID, bool) error // the rule of ReportsFailing; nil: nothing turns stale
	needsHost bool
	// saysMoreRepeated: a report may change something although the one before
	// said the same.
	saysMoreRepeated bool
}

const (
	often  = 10 * time.Second
	seldom = 15 * time.Minute
)

// discoveries are all kinds of reports, in the order in which a server that does
// not know the host yet can use them.
var discoveries = []discovery{
	{kind: HostDiscovery, period: often, observe: (*Changeset).observeHost},
	{kind: CloudDiscovery, period: often, observe: ofHost((*Changeset).observeCloud), needsHost: true},
	{kind: SubscriptionDiscovery, period: seldom, observe: ofHost((*Changeset).observeSubscriptions), needsHost: true},
	{kind: SaptuneDiscovery, period: seldom, observe: ofHost((*Changeset).observeSaptune), needsHost: true},
	{kind: ClusterDiscovery, period: often, observe: (*Changeset).observeCluster, failing: (*Changeset).clusterReportsFailing, saysMoreRepeated: true},
	{kind: SAPSystemDiscovery, period: often, observe: (*Changeset).observeSAP, failing: (*Changeset).sapReportsFailing},
}

// Kinds are all discoveries, in the order of the table.
var Kinds = func() (kinds []Kind) {
	for _, d := range discoveries {
		kinds = append(kinds, d.kind)
	}
	return kinds
}()

func (k Kind) discovery() (discovery, bool) {
	i := slices.IndexFunc(discoveries, func(d discovery) bool { return d.kind == k })
	if i < 0 {
		return discovery{kind: k, period: often}, false
	}
	return discoveries[i], true
}

// Known reports whether there is a discovery of the kind.
func (k Kind) Known() bool { _, known := k.discovery(); return known }

// Period returns the time between two reports of an agent, unless it is
// configured otherwise.
func (k Kind) Period() time.Duration { d, _ := k.discovery(); return d.period }

// NeedsHost reports whether a report is refused as long as its host is not
// registered.
func (k Kind) NeedsHost() bool { d, _ := k.discovery(); return d.needsHost }

// SaysMoreRepeated reports whether a report may change something although the
// one before it said the same: a cluster that is back counts as stopped only
// when a node is offline for the second time.
func (k Kind) SaysMoreRepeated() bool { d, _ := k.discovery(); return d.saysMoreRepeated }

// TurnsStale reports whether what is known from the reports turns stale when
// there are no more that can be used.
func (k Kind) TurnsStale() bool { d, _ := k.discovery(); return d.failing != nil }

// Observation is what one report says, decoded and checked, in the terms of
// the landscape. Exactly one of the members is set, the one of Kind; an empty
// list of subscriptions is nil.
type Observation struct {
	Agent         HostID         `json:"agent"`
	Kind          Kind           `json:"kind"`
	Host          *HostFacts     `json:"host,omitempty"`
	Cloud         *Cloud         `json:"cloud,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Saptune       *SaptuneReport `json:"saptune,omitempty"`
	Cluster       *ClusterReport `json:"cluster,omitempty"`
	SAP           *SAPReport     `json:"sap,omitempty"`

	// Omissions are what could not be read, at most MaxOmissions of them, in the
	// order in which they were found.
	Omissions []Omission `json:"omissions,omitempty"`
}

// MaxOmissions limits the omissions of one observation: a report that is wrong in
// a million places must not fill the store with them.
const MaxOmissions = 100

// Omission is a value or an element of a report that could not be read, and was
// left out of the observation. What is known from former reports stays.
type Omission struct {
	Pointer string `json:"pointer"` // where it stands in the payload, with indexes: /0/Instances/1/SAPControl
	Detail  string `json:"detail"`  // what is wrong with it, in words
	Read    string `json:"read"`    // what was read there, the beginning of its JSON text; empty where nothing stands there
}

// Observe returns what one report changes. ErrNotRegistered means that its
// host is not part of the landscape.
func Observe(state State, o Observation, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	d, known := o.Kind.discovery()
	if !known {
		return cs, fmt.Errorf("landscape: no rule for %s", o.Kind)
	}
	return cs, cs.complete(d.observe(cs, o))
}

// ofHost returns a rule that applies another one to a registered host. Where
// several machines report under the id of the host, nobody can say which of them
// a report is about: it changes nothing.
func ofHost(rule func(*Changeset, *Host, Observation) error) func(*Changeset, Observation) error {
	return func(cs *Changeset, o Observation) error {
		host, err := cs.editRegisteredHost(o.Agent)
		if err != nil || host.Shared() {
			return err
		}
		return rule(cs, host, o)
	}
}

// ReportsFailing returns what changes because the reports of one kind from a
// host could not be used, or not as a whole, for some time: what is known from
// them turns stale, as it does when the host falls silent. Where the reports are
// not refused, that is only what is known from the elements that could not be
// read. The next report that can be used makes it fresh.
//
// Of most kinds nothing turns stale: the host itself is shown with what they
// tell, and with the reports that fail.
func ReportsFailing(state State, host HostID, kind Kind, refused bool, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	if d, _ := kind.discovery(); d.failing != nil {
		return cs, cs.complete(d.failing(cs, host, refused))
	}
	return cs, nil
}

// clusterReportsFailing marks nothing stale where the reports are not refused: what
// could be read of them is fresh.
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

// markUnreadStale marks the instances on a host stale that may be the elements
// that could not be read: they are not absent, although the last report does not
// name them.
func (cs *Changeset) markUnreadStale(host HostID) error {
	last, err := cs.LastSAPReports.get(host)
	if err != nil {
		return err
	}
	return cs.markSAPStale(host, func(i *Instance) bool {
		return i.AbsentSince == nil && !last.names(i)
	})
}
