package landscape

import (
	"fmt"
	"slices"
	"time"
)

// judge evaluates the state of the replication to a site. The first of these
// that applies decides: the site is down, its cluster says that it is not in
// sync, its source is down, the primary says how the replication is.
func (b *chainBuilder) judge(s *ReplicationSite) {
	source := b.sources[s]
	switch {
	case s.isCircular:
		s.setState(ReplicationUnknown, "", nil, "the sites say that they replicate in a circle, so one of the reports is out of date")
		return
	case source == nil && s.Role == PrimaryRole, s.Spokesman == nil && s.Role == "":
		return
	case source == nil && s.Role == "":
		s.setState(ReplicationUnknown, "", nil, s.title()+" reports no system replication")
		return
	}
	word, inSync, failed, since := s.clusterView()
	switch {
	case s.IsDown():
		s.setState(ReplicationBroken, word, firstAbsentSince(s.Instances), s.title()+" does not run")
	case failed:
		s.setState(ReplicationBroken, word, since, "the cluster says that "+s.title()+" is not in sync")
	case source == nil:
		s.setState(ReplicationUnknown, word, nil, s.title()+" does not say from which site it replicates")
	case source.IsDown():
		s.setState(ReplicationBroken, word, firstAbsentSince(source.Instances), source.title()+", from which it replicates, does not run")
	default:
		b.judgeByPrimary(s, word, inSync)
	}
}

// judgeByPrimary evaluates the state from what the primary says. The primary
// has one word for all sites. If a replication is broken and the cluster says
// that a site is in sync, it is the replication to another site.
func (b *chainBuilder) judgeByPrimary(s *ReplicationSite, word string, inSync bool) {
	root, secondaries := b.rootOf(s), 0
	for _, o := range b.ordered {
		if o != root && b.rootOf(o) == root {
			secondaries++
		}
	}
	primary := root.Spokesman
	if primary == nil {
		switch {
		case inSync:
			s.setState(ReplicationActive, word, nil, "")
		case root.cluster != nil:
			s.setState(ReplicationUnknown, word, nil, "the cluster does not say whether "+s.title()+" is in sync")
		default:
			s.setState(ReplicationUnknown, word, nil, "no agent reports from "+root.title())
		}
		return
	}
	status, since := emptyIfNil(primary.ReplicationStatus), primary.ReplicationChangedAt
	switch {
	case status == "ERROR" && secondaries > 1 && inSync:
		s.setState(ReplicationActive, word, nil, "")
	case status == "ERROR" && secondaries > 1:
		s.setState(ReplicationBroken, status, since, root.title()+" reports an error, and does not say for which of its sites")
	case status == "ERROR":
		s.setState(ReplicationBroken, status, since, root.title()+" reports an error")
	case primary.StaleSince != nil || primary.AbsentSince != nil:
		s.setState(ReplicationUnknown, status, earlierOf(primary.StaleSince, primary.AbsentSince), "what "+root.title()+" reported is out of date")
	case status == "ACTIVE":
		s.setState(ReplicationActive, status, since, "")
	case status == "SYNCING" || status == "INITIALIZING":
		s.setState(ReplicationCatchingUp, status, since, s.title()+" does not have all data yet")
	case inSync:
		s.setState(ReplicationActive, word, nil, "")
	default:
		s.setState(ReplicationUnknown, status, since, root.title()+" does not report the state of the replication")
	}
}

func (s *ReplicationSite) setState(state ReplicationState, status string, since *time.Time, reason string) {
	s.State, s.Status, s.Since, s.Reason = state, status, since, reason
}

// rootOf returns the site in which the data of a site originates.
func (b *chainBuilder) rootOf(s *ReplicationSite) *ReplicationSite {
	for s.Source >= 0 {
		s = b.ordered[s.Source]
	}
	return s
}

// clusterView returns what the cluster says of a site: its word, whether the
// site is in sync or has failed, and since when. A cluster that is stopped or
// out of date says nothing.
func (s *ReplicationSite) clusterView() (word string, inSync, failed bool, since *time.Time) {
	c := s.cluster
	if c == nil || c.State == ClusterStateStopped || c.StaleSince != nil {
		return "", false, false, nil
	}
	// The cluster has one word for its secondary site. With several secondary
	// sites it is not known whose word it is.
	secondaries := slices.DeleteFunc(slices.Clone(c.HANA.Sites), func(o HANASite) bool { return o.State == PrimaryRole })
	if len(secondaries) == 1 && secondaries[0].Name == s.Name && c.HANA.SecondarySyncState != "Unknown" {
		word = c.HANA.SecondarySyncState
	}
	return word, s.inCluster.State == SecondaryRole, s.inCluster.State == "Failed" || word == "SFAIL", c.SyncChangedAt
}

// markSecondPrimaries marks the sites that say that they are the primary beside
// another one. After a takeover, that is the former primary site.
func (b *chainBuilder) markSecondPrimaries() {
	first := slices.IndexFunc(b.ordered, func(s *ReplicationSite) bool { return s.Role == PrimaryRole })
	if first < 0 {
		return
	}
	for _, s := range b.ordered[first+1:] {
		if s.Role != PrimaryRole {
			continue
		}
		reason := fmt.Sprintf("%s and %s both say that they are the primary site", b.ordered[first].title(), s.title())
		if s.IsDown() {
			reason = fmt.Sprintf("%s does not run, and does not replicate from %s yet", s.title(), b.ordered[first].title())
		}
		var since *time.Time
		if newest := b.ordered[first].Spokesman; newest != nil {
			since = newest.ReplicationChangedAt
		}
		s.setState(ReplicationBroken, "", since, reason)
	}
}

// firstAbsentSince returns the time at which the first of the instances became
// absent; nil if none is.
func firstAbsentSince(instances []*DatabaseInstance) *time.Time {
	var since *time.Time
	for _, i := range instances {
		since = earlierOf(since, i.AbsentSince)
	}
	return since
}

// hasSameReplicationState reports whether two reports of an instance have the
// same role, source, mode and status.
func (r *Replication) hasSameReplicationState(other *Replication) bool {
	return isEqual(r.Role, other.Role) && isEqual(r.ReplicationStatus, other.ReplicationStatus) &&
		isEqual(r.Mode, other.Mode) && isEqual(r.SourceSite, other.SourceSite)
}

// hasSameSyncState reports whether two reports of a cluster say the same about
// the replication between its sites. A report without details says nothing.
func (f *ClusterFacts) hasSameSyncState(other *ClusterFacts) bool {
	if f.HANA == nil || other.HANA == nil {
		return true
	}
	return f.HANA.SecondarySyncState == other.HANA.SecondarySyncState && slices.EqualFunc(f.HANA.Sites, other.HANA.Sites, func(a, b HANASite) bool {
		return a.Name == b.Name && a.State == b.State
	})
}
