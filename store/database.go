package store

import (
	"iter"

	"trento/store/landscape"
)

func (tx *Tx) storedDatabase(id landscape.DatabaseID) (*landscape.Database, error) {
	return tx.s.databases.Get(tx.kv, []byte(id))
}

// Database returns a registered database, or ErrNotFound. The database is shared
// and must not be modified.
func (tx *Tx) Database(id landscape.DatabaseID) (*landscape.Database, error) {
	db, err := tx.storedDatabase(id)
	return ifRegistered(db, err, (*landscape.Database).Registered)
}

// Databases walks the registered databases in the order of their ids.
func (tx *Tx) Databases() iter.Seq2[*landscape.Database, error] {
	return onlyRegistered(tx.s.databases.All(tx.kv), (*landscape.Database).Registered)
}

// DatabasesOn lists the databases, registered or not, with an instance on a
// host.
func (tx *Tx) DatabasesOn(id landscape.HostID) []landscape.DatabaseID {
	return relatedIDs[landscape.DatabaseID](tx, databaseOnHost, string(id))
}
