package landscape

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"trento/store/activity"
)

// observeCluster applies a cluster report to the reported cluster, to the
// cluster that the host has left, and to the membership of the host. The host
// itself need not have been reported yet.
func (cs *Changeset) observeCluster(o Observation) error {
	r := o.Cluster
	host, err := cs.Hosts.get(o.Agent)
	if err != nil {
		return err
	}
	if host.Shared() && host.ClusterID != "" && (r.ID != host.ClusterID || !r.Online) {
		return nil // the report may come from another of the machines that share the id
	}
	if host.ClusterID != r.ID {
		if err := cs.leaveCluster(o.Agent); err != nil {
			return err
		}
	}
	if r.ID == "" {
		return nil
	}
	before, err := cs.Clusters.get(r.ID)
	if errors.Is(err, ErrUnknown) {
		return cs.registerCluster(o.Agent, r)
	}
	if err != nil {
		return err
	}
	return cs.updateCluster(before, o.Agent, r)
}

// aboutCluster returns the fields that all events about the cluster have in common.
func (c *Cluster) aboutCluster() activity.AboutCluster {
	return activity.AboutCluster{ClusterID: string(c.ID)}
}

// updateCluster applies a report to a known cluster, registered or not.
func (cs *Changeset) updateCluster(before *Cluster, agent HostID, r *ClusterReport) error {
	c, err := cs.Clusters.edit(before.ID)
	if err != nil {
		return err
	}
	if !before.Registered() {
		c.DeregisteredAt = nil
		cs.addEvent(&activity.ClusterRestored{AboutCluster: c.aboutCluster()})
	}
	if err := cs.joinCluster(c, agent, r.Online); err != nil {
		return err
	}
	cs.markMemberFresh(c, agent)
	switch {
	case !r.Online:
		// The report that restores a cluster does not also stop it.
		if before.Registered() && c.isStopped() {
			cs.stopCluster(c)
		}
	case r.Facts != nil:
		cs.describeCluster(c, r)
	case r.Unread:
		cs.evaluateCluster(c, c.inputsWhenStopped())
	case !c.isDescribed() && c.State == ClusterStateStopped:
		// This cluster never had a designated controller, so none will report
		// that the cluster runs again. Without this case, the state of the
		// cluster would depend on the order in which its nodes report.
		c.State = ClusterStateUnknown
		cs.emitClusterDetails(c)
	}
	if r.Online && !isEqual(before, c) {
		c.CIBLastWritten = cs.laterLastWritten(before.CIBLastWritten, r.CIBLastWritten)
	}
	return nil
}

// clusterOf returns the cluster of a host; nil if it is in none.
func (cs *Changeset) clusterOf(id HostID) (*Cluster, error) {
	host, err := cs.Hosts.get(id)
	if err != nil || host.ClusterID == "" {
		return nil, err
	}
	c, err := cs.Clusters.get(host.ClusterID)
	if err != nil {
		return nil, fmt.Errorf("cluster %s of host %s: %w", host.ClusterID, id, err)
	}
	return c, nil
}

func (cs *Changeset) registerCluster(agent HostID, r *ClusterReport) error {
	c := &Cluster{
		ID: r.ID, Name: r.Name, ClusterFacts: initialClusterFacts(), CIBLastWritten: r.CIBLastWritten,
		Health: HealthUnknown, Inputs: ClusterInputs{Checks: HealthUnknown},
		Members: []ClusterMember{}, SelectedChecks: []string{}, RegisteredAt: cs.now,
	}
	if r.Facts != nil {
		c.ClusterFacts = *r.Facts
		c.Inputs = c.inputsFrom(r)
		c.Health = c.Inputs.Overall()
	}
	cs.Clusters.Changed[c.ID] = c
	about := c.aboutCluster()
	about.Name = c.Name
	cs.addEvent(&activity.ClusterRegistered{
		AboutCluster: about, ClusterFacts: c.forLog(), Health: string(c.Health),
		HealthDetails: activity.Document{Value: c.Inputs.forLog()},
	})
	return cs.joinCluster(c, agent, r.Online)
}

// joinCluster makes a host a member of a cluster or updates its membership, and
// stores the membership in the record of the host.
func (cs *Changeset) joinCluster(c *Cluster, id HostID, online bool) error {
	i, known := c.memberIndex(id)
	if !known {
		c.Members = slices.Insert(c.Members, i, ClusterMember{HostID: id})
	}
	member := &c.Members[i]
	if known && member.Offline != online {
		return nil
	}
	old := member.Status()
	member.Offline = !online
	host, err := cs.Hosts.edit(id)
	if err != nil {
		return err
	}
	host.ClusterID, host.ClusterHostStatus = c.ID, member.Status()
	about := activity.AboutHost{HostID: string(id)}
	if known {
		cs.addEvent(&activity.ClusterHostStatusChanged{AboutCluster: c.aboutCluster(), AboutHost: about, Status: member.Status(), Change: changeFrom(old, "")})
	} else {
		cs.addEvent(&activity.HostAddedToCluster{AboutCluster: c.aboutCluster(), AboutHost: about, Status: member.Status()})
	}
	return nil
}

// markMemberFresh marks a member that has reported as not stale.
func (cs *Changeset) markMemberFresh(c *Cluster, host HostID) {
	if i, known := c.memberIndex(host); known {
		c.Members[i].Stale = false
	}
	cs.markClusterFresh(c)
}

// markClusterFresh marks a cluster as not stale if none of its members is
// stale.
func (cs *Changeset) markClusterFresh(c *Cluster) {
	if c.StaleSince != nil && !c.hasStaleMember() {
		c.StaleSince = nil
		cs.addEvent(&activity.ClusterDataMarkedInSync{AboutCluster: c.aboutCluster()})
	}
}

// stopCluster marks a cluster as stopped, because all of its nodes are offline.
// The details of the cluster stay.
func (cs *Changeset) stopCluster(c *Cluster) {
	if c.State != ClusterStateStopped {
		c.State = ClusterStateStopped
		cs.emitClusterDetails(c)
	}
	cs.evaluateCluster(c, c.inputsWhenStopped())
}

// describeCluster applies the facts that the designated controller reports.
func (cs *Changeset) describeCluster(c *Cluster, r *ClusterReport) {
	if !isEqual(c.Name, r.Name) || !isEqual(&c.ClusterFacts, r.Facts) {
		if !c.hasSameSyncState(r.Facts) {
			c.SyncChangedAt = &cs.now
		}
		c.Name, c.ClusterFacts = r.Name, *r.Facts
		cs.emitClusterDetails(c)
	}
	cs.evaluateCluster(c, c.inputsFrom(r))
}

// laterLastWritten returns the later of two times at which the cluster configuration
// was written: the known and the reported one. The result therefore does not
// depend on the order in which nodes report. It returns the reported time if
// one of the times cannot be parsed, or if the known time is in the future
// because a clock was wrong.
func (cs *Changeset) laterLastWritten(known, reported *string) *string {
	switch {
	case reported == nil:
		return known
	case known == nil:
		return reported
	}
	const maxZoneDifference = 24 * time.Hour // the times are in unknown time zones
	before, errBefore := time.Parse(time.ANSIC, *known)
	after, errAfter := time.Parse(time.ANSIC, *reported)
	if errBefore == nil && errAfter == nil && after.Before(before) && before.Before(cs.now.Add(maxZoneDifference)) {
		return known
	}
	return reported
}

// leaveCluster removes a host from its cluster, if it is in one. The health of
// the cluster stays until a remaining node reports. A cluster without members
// is deregistered.
func (cs *Changeset) leaveCluster(id HostID) error {
	c, err := cs.clusterOf(id)
	if err != nil || c == nil {
		return err
	}
	if c, err = cs.Clusters.edit(c.ID); err != nil {
		return err
	}
	if i, known := c.memberIndex(id); known {
		c.Members = slices.Delete(c.Members, i, i+1)
	}
	host, err := cs.Hosts.edit(id)
	if err != nil {
		return err
	}
	host.ClusterID, host.ClusterHostStatus = "", ""
	cs.addEvent(&activity.HostRemovedFromCluster{AboutCluster: c.aboutCluster(), AboutHost: activity.AboutHost{HostID: string(id)}})
	if len(c.Members) > 0 {
		cs.markClusterFresh(c)
		return nil
	}
	c.DeregisteredAt = &cs.now
	c.StaleSince = nil // no report would ever end the staleness
	cs.addEvent(&activity.ClusterDeregistered{AboutCluster: c.aboutCluster(), DeregisteredAt: cs.now})
	return nil
}

// markClusterStale marks the membership of a host, and its cluster, as stale.
// The data and the health of the cluster stay.
func (cs *Changeset) markClusterStale(id HostID) error {
	c, err := cs.clusterOf(id)
	if err != nil || c == nil {
		return err
	}
	if c, err = cs.Clusters.edit(c.ID); err != nil {
		return err
	}
	i, known := c.memberIndex(id)
	if !known {
		return nil
	}
	c.Members[i].Stale = true
	if c.StaleSince == nil {
		c.StaleSince = &cs.now
		cs.addEvent(&activity.ClusterDataMarkedStale{AboutCluster: c.aboutCluster(), StaleAt: cs.now})
	}
	return nil
}

// emitClusterDetails emits an event with all facts of a cluster.
func (cs *Changeset) emitClusterDetails(c *Cluster) {
	about := c.aboutCluster()
	about.Name = c.Name
	cs.addEvent(&activity.ClusterDetailsUpdated{AboutCluster: about, ClusterFacts: c.forLog()})
}

// forLog returns the facts as the activity log shows them.
func (f *ClusterFacts) forLog() activity.ClusterFacts {
	return activity.ClusterFacts{
		Kind: string(f.Type), Provider: f.Provider, State: f.State, SAPInstances: activity.Document{Value: f.SAPInstances},
		ResourcesNumber: f.ResourcesNumber, HostsNumber: f.HostsNumber, Details: activity.Document{Value: f.Details()},
	}
}
