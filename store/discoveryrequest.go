package store

import (
	"context"
	"errors"

	"trento/store/activity"
	"trento/store/landscape"
)

// LogHostDiscoveryRequest logs that the agent of a host is asked for reports.
// It fails with ErrNotFound if the host is not registered.
func (s *Store) LogHostDiscoveryRequest(ctx context.Context, by Actor, id landscape.HostID, kinds []landscape.Kind) error {
	return s.update(ctx, by, func(tx *Tx) error {
		if _, err := tx.Host(id); err != nil {
			return err
		}
		return tx.log(tx.by.Name, &activity.HostDiscoveryRequested{
			AboutHost: activity.AboutHost{HostID: string(id)}, Discoveries: toStrings(kinds),
		})
	})
}

// LogClusterDiscoveryRequest logs that the agents of a cluster are asked for
// reports. It fails with ErrNotFound if the cluster is not registered.
func (s *Store) LogClusterDiscoveryRequest(ctx context.Context, by Actor, id landscape.ClusterID, hosts []landscape.HostID, kinds []landscape.Kind) error {
	return s.update(ctx, by, func(tx *Tx) error {
		if _, err := tx.Cluster(id); err != nil {
			return err
		}
		return tx.log(tx.by.Name, &activity.ClusterDiscoveryRequested{
			AboutCluster: activity.AboutCluster{ClusterID: string(id)}, Discoveries: toStrings(kinds), HostIDs: toStrings(hosts),
		})
	})
}

// RegisteredMembers lists the registered hosts of a cluster, in the order of
// its members. It fails with ErrNotFound if the cluster is not registered.
func (tx *Tx) RegisteredMembers(id landscape.ClusterID) ([]landscape.HostID, error) {
	c, err := tx.Cluster(id)
	if err != nil {
		return nil, err
	}
	var hosts []landscape.HostID
	for _, m := range c.Members {
		_, err := tx.Host(m.HostID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, m.HostID)
	}
	return hosts, nil
}

// toStrings converts names of one type to strings.
func toStrings[T ~string](names []T) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = string(name)
	}
	return all
}
