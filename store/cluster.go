package store

import (
	"iter"

	"trento/store/landscape"
)

func (tx *Tx) storedCluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	return tx.s.clusters.Get(tx.kv, []byte(id))
}

// Cluster returns a registered cluster, or ErrNotFound. The cluster is shared
// and must not be modified.
func (tx *Tx) Cluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	c, err := tx.storedCluster(id)
	return ifRegistered(c, err, (*landscape.Cluster).Registered)
}

// Clusters walks the registered clusters in the order of their ids.
func (tx *Tx) Clusters() iter.Seq2[*landscape.Cluster, error] {
	return onlyRegistered(tx.s.clusters.All(tx.kv), (*landscape.Cluster).Registered)
}
