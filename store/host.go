package store

import (
	"iter"

	"trento/store/landscape"
)

// Host returns a registered host, or ErrNotFound. The host is shared and must
// not be modified.
func (tx *Tx) Host(id landscape.HostID) (*landscape.Host, error) {
	host, err := tx.storedHost(id)
	return ifRegistered(host, err, (*landscape.Host).Registered)
}

// storedHost returns a host, registered or not.
func (tx *Tx) storedHost(id landscape.HostID) (*landscape.Host, error) {
	return tx.s.hosts.Get(tx.kv, []byte(id))
}

// Hosts walks the registered hosts in the order of their ids.
func (tx *Tx) Hosts() iter.Seq2[*landscape.Host, error] {
	return onlyRegistered(tx.s.hosts.All(tx.kv), (*landscape.Host).Registered)
}
