package store

import (
	"context"
	"slices"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

// maxChecks is how many checks can be selected for one thing, and maxCheckID
// the length of the id of one in bytes.
const (
	maxChecks  = 1000
	maxCheckID = 255
)

// checkSelection brings a selection of checks into its stored form.
func checkSelection(checks []string) ([]string, error) {
	if len(checks) > maxChecks {
		return nil, fault.Field("checks", "has too many items")
	}
	if slices.ContainsFunc(checks, func(id string) bool { return id == "" || len(id) > maxCheckID }) {
		return nil, fault.Field("checks", "is invalid")
	}
	return slices.Compact(slices.Sorted(slices.Values(checks))), nil
}

// SelectHostChecks replaces the checks that are selected for a host. The
// selection outlives the clean-up of the host.
func (s *Store) SelectHostChecks(ctx context.Context, by Actor, id landscape.HostID, checks []string) error {
	selected, err := checkSelection(checks)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Host(id)
		if err != nil {
			return err
		}
		if !slices.Equal(before.SelectedChecks, selected) {
			after := *before
			after.SelectedChecks, after.UpdatedAt = selected, tx.now
			if err := tx.s.hosts.Put(tx.kv, []byte(id), &after); err != nil {
				return err
			}
		}
		return tx.log(tx.by.Name, &activity.HostChecksSelected{AboutHost: activity.AboutHost{HostID: string(id)}, Checks: checks})
	})
}

// SelectClusterChecks is SelectHostChecks for a cluster.
func (s *Store) SelectClusterChecks(ctx context.Context, by Actor, id landscape.ClusterID, checks []string) error {
	selected, err := checkSelection(checks)
	if err != nil {
		return err
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Cluster(id)
		if err != nil {
			return err
		}
		if !slices.Equal(before.SelectedChecks, selected) {
			after := *before
			after.SelectedChecks, after.UpdatedAt = selected, tx.now
			if err := tx.s.clusters.Put(tx.kv, []byte(id), &after); err != nil {
				return err
			}
		}
		return tx.log(tx.by.Name, &activity.ClusterChecksSelected{AboutCluster: activity.AboutCluster{ClusterID: string(id)}, Checks: checks})
	})
}
