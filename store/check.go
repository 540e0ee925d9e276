package store

import (
	"context"
	"slices"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

// maxChecks is the largest number of checks selected for one thing, and
// maxCheckID the largest length of a check id, in bytes.
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
	_, err = edit(ctx, s, by, func(tx *Tx) (*landscape.Host, error) { return tx.Host(id) },
		func(_ *Tx, h *landscape.Host) (activity.Event, error) {
			if !slices.Equal(h.SelectedChecks, selected) {
				h.SelectedChecks = selected
			}
			return &activity.HostChecksSelected{AboutHost: activity.AboutHost{HostID: string(id)}, Checks: checks}, nil
		},
		func(tx *Tx, _, h *landscape.Host) error {
			h.UpdatedAt = tx.now
			return tx.s.hosts.Put(tx.kv, []byte(id), h)
		})
	return err
}

// SelectClusterChecks is SelectHostChecks for a cluster.
func (s *Store) SelectClusterChecks(ctx context.Context, by Actor, id landscape.ClusterID, checks []string) error {
	selected, err := checkSelection(checks)
	if err != nil {
		return err
	}
	_, err = edit(ctx, s, by, func(tx *Tx) (*landscape.Cluster, error) { return tx.Cluster(id) },
		func(_ *Tx, c *landscape.Cluster) (activity.Event, error) {
			if !slices.Equal(c.SelectedChecks, selected) {
				c.SelectedChecks = selected
			}
			return &activity.ClusterChecksSelected{AboutCluster: activity.AboutCluster{ClusterID: string(id)}, Checks: checks}, nil
		},
		func(tx *Tx, _, c *landscape.Cluster) error {
			c.UpdatedAt = tx.now
			return tx.s.clusters.Put(tx.kv, []byte(id), c)
		})
	return err
}
