package store

import (
	"context"
	"slices"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

// maxChecks is the largest number of checks that can be selected for a host or
// cluster. maxCheckIDBytes is the largest length of a check id in bytes.
const (
	maxChecks       = 1000
	maxCheckIDBytes = 255
)

// normalizeChecks returns selected checks in their stored form: sorted, and
// each only once. It fails with a fault of the field checks.
func normalizeChecks(checks []string) ([]string, error) {
	if len(checks) > maxChecks {
		return nil, fault.Field("checks", "has too many items")
	}
	if slices.ContainsFunc(checks, func(id string) bool { return id == "" || len(id) > maxCheckIDBytes }) {
		return nil, fault.Field("checks", "is invalid")
	}
	return slices.Compact(slices.Sorted(slices.Values(checks))), nil
}

// SelectHostChecks replaces the checks that are selected for a host. The
// selection stays when the host is cleaned up. If it is empty, the host has no
// result of checks any more.
func (s *Store) SelectHostChecks(ctx context.Context, by Actor, id landscape.HostID, checks []string) error {
	selected, err := normalizeChecks(checks)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Host(id)
		if err != nil {
			return err
		}
		if !slices.Equal(before.SelectedChecks, selected) {
			h := *before
			h.SelectedChecks, h.UpdatedAt = selected, tx.now
			if err := tx.s.hosts.Put(tx.kv, []byte(id), &h); err != nil {
				return err
			}
		}
		e := &activity.HostChecksSelected{AboutHost: activity.AboutHost{HostID: string(id)}, Checks: checks}
		e.Added, e.Removed = differences(before.SelectedChecks, selected)
		if err := tx.log(by.Name, e); err != nil || len(selected) > 0 {
			return err
		}
		changes, err := landscape.SetHostChecksHealth(landscapeState{tx}, id, landscape.HealthUnknown, tx.now)
		if err != nil {
			return err
		}
		return tx.applyChanges(changes)
	})
}

// SelectClusterChecks replaces the checks that are selected for a cluster. The
// selection stays when the cluster leaves the landscape. If it is empty, the
// cluster has no result of checks any more.
func (s *Store) SelectClusterChecks(ctx context.Context, by Actor, id landscape.ClusterID, checks []string) error {
	selected, err := normalizeChecks(checks)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Cluster(id)
		if err != nil {
			return err
		}
		if !slices.Equal(before.SelectedChecks, selected) {
			c := *before
			c.SelectedChecks, c.UpdatedAt = selected, tx.now
			if err := tx.s.clusters.Put(tx.kv, []byte(id), &c); err != nil {
				return err
			}
		}
		e := &activity.ClusterChecksSelected{AboutCluster: activity.AboutCluster{ClusterID: string(id)}, Checks: checks}
		e.Added, e.Removed = differences(before.SelectedChecks, selected)
		if err := tx.log(by.Name, e); err != nil || len(selected) > 0 {
			return err
		}
		changes, err := landscape.SetClusterChecksHealth(landscapeState{tx}, id, landscape.HealthUnknown, tx.now)
		if err != nil {
			return err
		}
		return tx.applyChanges(changes)
	})
}

// differences returns what a selection has gained and lost.
func differences(before, after []string) (added, removed []string) {
	without := func(all, others []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(others, id) })
	}
	return without(after, before), without(before, after)
}
