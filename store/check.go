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
// selection stays when the host is cleaned up.
func (s *Store) SelectHostChecks(ctx context.Context, by Actor, id landscape.HostID, checks []string) error {
	selected, err := normalizeChecks(checks)
	if err != nil {
		return err
	}
	_, err = editDocument(ctx, s, by, func(tx *Tx) (*landscape.Host, error) { return tx.Host(id) },
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

// SelectClusterChecks replaces the checks that are selected for a cluster. The
// selection stays when the cluster leaves the landscape.
func (s *Store) SelectClusterChecks(ctx context.Context, by Actor, id landscape.ClusterID, checks []string) error {
	selected, err := normalizeChecks(checks)
	if err != nil {
		return err
	}
	_, err = editDocument(ctx, s, by, func(tx *Tx) (*landscape.Cluster, error) { return tx.Cluster(id) },
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
