package landscape

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"trento/store/activity"
)

// observeCluster decides what a cluster report changes: about the cluster it
// speaks of, about the one the host has left for it, and about the place of
// the host in both. The host itself need not have been reported yet.
func (cs *Changeset) observeCluster(agent HostID, r *ClusterReport) error {
	host, err := cs.hostOrStub(agent)
	if err != nil {
		return err
	}
	if host.Shared() && host.ClusterID != "" && (r.ID != host.ClusterID || !r.Online) {
		return nil // of another of the machines, perhaps
	}
	if host.ClusterID != r.ID {
		if err := cs.leaveCluster(agent); err != nil {
			return err
		}
	}
	if r.ID == "" {
		return nil
	}
	before, err := cs.cluster(r.ID)
	if errors.Is(err, ErrUnknown) {
		return cs.registerCluster(agent, r)
	}
	if err != nil {
		return err
	}
	return cs.updateCluster(before, agent, r)
}

// updateCluster decides what a report changes about a cluster that is known,
// even if it has been gone meanwhile.
func (cs *Changeset) updateCluster(before *Cluster, agent HostID, r *ClusterReport) error {
	after := before.copy()
	if !before.Registered() {
		after.DeregisteredAt = nil
		cs.event(activity.TypeClusterRestored, map[string]any{"cluster_id": after.ID})
	}
	if err := cs.enterCluster(after, agent, r.Online); err != nil {
		return err
	}
	cs.clusterHeard(after, agent)
	switch {
	case !r.Online:
		// The report that brings a cluster back does not stop it at once.
		if before.Registered() && after.stopped() {
			cs.stopCluster(after)
		}
	case r.Facts != nil:
		cs.describeCluster(after, r)
	case r.Unread:
		cs.judgeCluster(after, after.lost())
	case !after.described() && after.State == ClusterStateStopped:
		// No controller will tell that the cluster runs again, since none has
		// ever spoken: without this, what is known about the cluster would
		// depend on the order in which its nodes report.
		after.State = ClusterStateUnknown
		cs.event(activity.TypeClusterDetailsUpdated, after.details())
	}
	// Equal parts are shared with the copy, so that comparing costs little.
	if reflect.DeepEqual(before, after) {
		return nil
	}
	if r.Online {
		after.CIBLastWritten = cs.lastWritten(before.CIBLastWritten, r.CIBLastWritten)
	}
	after.UpdatedAt = cs.now
	cs.Clusters[after.ID] = after
	return nil
}

// hostOrStub is a host; one that only its cluster knows by now has just an id.
func (cs *Changeset) hostOrStub(id HostID) (*Host, error) {
	host, err := cs.host(id)
	if errors.Is(err, ErrUnknown) {
		return &Host{ID: id}, nil
	}
	return host, err
}

// clusterOf is a host, and its cluster; nil where it is in none.
func (cs *Changeset) clusterOf(id HostID) (*Host, *Cluster, error) {
	host, err := cs.hostOrStub(id)
	if err != nil || host.ClusterID == "" {
		return host, nil, err
	}
	c, err := cs.cluster(host.ClusterID)
	if err != nil {
		return host, nil, fmt.Errorf("cluster %s of host %s: %w", host.ClusterID, id, err)
	}
	return host, c, nil
}

// copy is a cluster whose own fields and members may be changed.
func (c *Cluster) copy() *Cluster {
	after := *c
	after.Members = slices.Clone(c.Members)
	return &after
}

// changeCluster begins a change of a cluster: the copy is the one to be stored.
func (cs *Changeset) changeCluster(before *Cluster) *Cluster {
	after := before.copy()
	after.UpdatedAt = cs.now
	cs.Clusters[after.ID] = after
	return after
}

func (cs *Changeset) registerCluster(agent HostID, r *ClusterReport) error {
	c := &Cluster{
		ID: r.ID, Name: r.Name, ClusterFacts: undescribed(), CIBLastWritten: r.CIBLastWritten,
		Health: HealthUnknown, Inputs: ClusterInputs{Checks: HealthUnknown},
		Members: []ClusterMember{}, SelectedChecks: []string{},
		RegisteredAt: cs.now, UpdatedAt: cs.now,
	}
	if r.Facts != nil {
		c.ClusterFacts = *r.Facts
		c.Inputs = c.reported(r)
		c.Health = c.Inputs.Overall()
	}
	cs.Clusters[c.ID] = c
	metadata := c.details()
	metadata["health"], metadata["health_details"] = c.Health, c.Inputs.record()
	cs.event(activity.TypeClusterRegistered, metadata)
	return cs.enterCluster(c, agent, r.Online)
}

// enterCluster makes a host a member of a cluster, online or not. The host's
// own record says so, too.
func (cs *Changeset) enterCluster(c *Cluster, id HostID, online bool) error {
	i, known := c.member(id)
	if !known {
		c.Members = slices.Insert(c.Members, i, ClusterMember{HostID: id})
	}
	member := &c.Members[i]
	event := activity.TypeHostAddedToCluster
	if known {
		if member.Offline != online {
			return nil
		}
		event = activity.TypeClusterHostStatusChanged
	}
	old := member.Status()
	member.Offline = !online
	status := member.Status()
	metadata := map[string]any{"host_id": id, "cluster_host_status": status}
	if known {
		metadata["old"] = old
	}
	cs.clusterEvent(c, event, metadata)

	host, err := cs.hostOrStub(id)
	if err != nil {
		return err
	}
	after := cs.changeHost(host)
	after.ClusterID, after.ClusterHostStatus = c.ID, status
	return nil
}

// clusterHeard notes that a member has reported: what is known through it is
// not stale any more.
func (cs *Changeset) clusterHeard(c *Cluster, host HostID) {
	if i, known := c.member(host); known {
		c.Members[i].Stale = false
	}
	cs.refreshCluster(c)
}

// refreshCluster ends the staleness of a cluster with that of its last stale
// member.
func (cs *Changeset) refreshCluster(c *Cluster) {
	if c.StaleSince != nil && !c.stale() {
		c.StaleSince = nil
		cs.event(activity.TypeClusterDataMarkedInSync, map[string]any{"cluster_id": c.ID})
	}
}

// stopCluster notes that no node of a cluster is online any more. It keeps
// what is known about its inside.
func (cs *Changeset) stopCluster(c *Cluster) {
	if c.State != ClusterStateStopped {
		c.State = ClusterStateStopped
		cs.event(activity.TypeClusterDetailsUpdated, c.details())
	}
	cs.judgeCluster(c, c.lost())
}

// describeCluster takes over what the designated controller says.
func (cs *Changeset) describeCluster(c *Cluster, r *ClusterReport) {
	if !same(c.Name, r.Name) || !same(c.ClusterFacts, *r.Facts) {
		c.Name, c.ClusterFacts = r.Name, *r.Facts
		cs.event(activity.TypeClusterDetailsUpdated, c.details())
	}
	cs.judgeCluster(c, c.reported(r))
}

// reported are the inputs of a cluster that has taken over a report.
func (c *Cluster) reported(r *ClusterReport) ClusterInputs {
	if r.Unread {
		return c.discovered().doubted()
	}
	return c.discovered()
}

// lastWritten is the later of the known and the reported time at which the
// configuration of a cluster was written, so that it does not depend on the
// order in which nodes report. Where that cannot be told, or the known time
// comes from a clock that was ahead, it is the reported one.
func (cs *Changeset) lastWritten(known, reported *string) *string {
	switch {
	case reported == nil:
		return known
	case known == nil:
		return reported
	}
	const allZones = 24 * time.Hour // the times have no zone
	before, errBefore := time.Parse(time.ANSIC, *known)
	after, errAfter := time.Parse(time.ANSIC, *reported)
	if errBefore == nil && errAfter == nil && after.Before(before) && before.Before(cs.now.Add(allZones)) {
		return known
	}
	return reported
}

// leaveCluster takes a host out of its cluster, if it is in one. Nothing else
// is judged anew: that is for the nodes that stay. A cluster ends with its
// last member.
func (cs *Changeset) leaveCluster(id HostID) error {
	host, before, err := cs.clusterOf(id)
	if err != nil || before == nil {
		return err
	}
	c := cs.changeCluster(before)
	if i, known := c.member(id); known {
		c.Members = slices.Delete(c.Members, i, i+1)
	}
	outside := cs.changeHost(host)
	outside.ClusterID, outside.ClusterHostStatus = "", ""
	cs.event(activity.TypeHostRemovedFromCluster, map[string]any{"cluster_id": c.ID, "host_id": id, "deregistered_at": nil})
	if len(c.Members) > 0 {
		cs.refreshCluster(c)
		return nil
	}
	c.DeregisteredAt = &cs.now
	c.StaleSince = nil // nobody would ever end it
	cs.event(activity.TypeClusterDeregistered, map[string]any{"cluster_id": c.ID, "deregistered_at": cs.now})
	return nil
}

// markClusterStale notes that a host has fallen silent: what its cluster is known
// by through it turns stale. That changes neither data nor health.
func (cs *Changeset) markClusterStale(id HostID) error {
	_, before, err := cs.clusterOf(id)
	if err != nil || before == nil {
		return err
	}
	i, known := before.member(id)
	if !known || before.Members[i].Stale {
		return nil
	}
	c := cs.changeCluster(before)
	c.Members[i].Stale = true
	if c.StaleSince == nil {
		c.StaleSince = &cs.now
		cs.event(activity.TypeClusterDataMarkedStale, map[string]any{"cluster_id": c.ID, "stale_at": cs.now})
	}
	return nil
}

// details are the facts of the cluster in the words of the activity log.
func (c *Cluster) details() map[string]any {
	return map[string]any{
		"cluster_id": c.ID, "name": c.Name, "type": c.Type, "provider": c.Provider, "state": c.State,
		"sap_instances": c.SAPInstances, "resources_number": c.ResourcesNumber, "hosts_number": c.HostsNumber,
		"details": c.Details(),
	}
}
