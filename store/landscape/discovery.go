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

// discovery is what the server has to know about the reports of a kind. How
// they are read is written in package discovery.
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

// discoveries are the kinds of reports, in the order in which they are of most
// use to a server that does not know their host.
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

// Period is how often an agent reports, unless it is configured otherwise.
func (k Kind) Period() time.Duration { d, _ := k.discovery(); return d.period }

// NeedsHost reports whether a report is refused as long as its host is not
// registered.
func (k Kind) NeedsHost() bool { d, _ := k.discovery(); return d.needsHost }

// SaysMoreRepeated reports whether a report may change something although the
// one before it said the same: a cluster that is back counts as stopped only
// when a node is offline for the second time.
func (k Kind) SaysMoreRepeated() bool { d, _ := k.discovery(); return d.saysMoreRepeated }

// TurnsStale reports whether what is known from the reports turns stale when
// they stop, or cannot be used any more.
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

	// Omissions are what could not be read, at most MaxOmissions of them, in
	// the order in which it was come across.
	Omissions []Omission `json:"omissions,omitempty"`
}

// MaxOmissions bounds the omissions of one observation: a report that is wrong
// in a million places must not fill the store with what is wrong with it.
const MaxOmissions = 100

// Omission is a value or an element of a report that could not be read and
// was left out of the observation. What was known before is not taken to be
// gone for it.
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

// ofHost makes a rule about a registered host one about any report. Where
// several machines report under one id, nobody can say which of them a report
// is about: it changes nothing.
func ofHost(rule func(*Changeset, *Host, Observation) error) func(*Changeset, Observation) error {
	return func(cs *Changeset, o Observation) error {
		host, err := cs.editRegisteredHost(o.Agent)
		if err != nil || host.Shared() {
			return err
		}
		return rule(cs, host, o)
	}
}

// ReportsFailing returns what it means for the landscape that the reports of
// one kind from a host could not be used as a whole for some time: what is
// known from them turns stale, as it does when the host falls silent, and
// nothing else changes. Where the reports are used but for some elements, it is
// what is known from those. The next report that can be used makes it fresh.
//
// What other reports tell is shown with the host, and so is that they fail.
func ReportsFailing(state State, host HostID, kind Kind, refused bool, now time.Time) (*Changeset, error) {
	cs := newChangeset(state, now)
	if d, _ := kind.discovery(); d.failing != nil {
		return cs, cs.complete(d.failing(cs, host, refused))
	}
	return cs, nil
}

// clusterReportsFailing leaves everything fresh where a part could be read: of
// a cluster report that is used, all that could be read is new.
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

// markUnreadStale marks the instances on a host stale that its last report does
// not name, and that are not absent for it: they may be the elements that could
// not be read.
func (cs *Changeset) markUnreadStale(host HostID) error {
	last, err := cs.lastSAPReport(host)
	if err != nil {
		return err
	}
	return cs.markSAPStale(host, func(i *Instance) bool {
		return i.AbsentSince == nil && !last.names(i)
	})
}
