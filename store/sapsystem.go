package store

import (
	"iter"

	"trento/store/landscape"
)

func (tx *Tx) storedSAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	return tx.s.sapSystems.Get(tx.kv, []byte(id))
}

// SAPSystem returns a registered SAP system, or ErrNotFound. The system is shared
// and must not be modified.
func (tx *Tx) SAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	s, err := tx.storedSAPSystem(id)
	return ifRegistered(s, err, (*landscape.SAPSystem).Registered)
}

// SAPSystems walks the registered SAP systems in the order of their ids.
func (tx *Tx) SAPSystems() iter.Seq2[*landscape.SAPSystem, error] {
	return onlyRegistered(tx.s.sapSystems.All(tx.kv), (*landscape.SAPSystem).Registered)
}

// SAPSystemsOn lists the SAP systems, registered or not, with an instance on
// a host.
func (tx *Tx) SAPSystemsOn(id landscape.HostID) []landscape.SAPSystemID {
	return relatedIDs[landscape.SAPSystemID](tx, sapSystemOnHost, string(id))
}

// SAPSystemsOf lists the SAP systems, registered or not, on the tenants of a
// database.
func (tx *Tx) SAPSystemsOf(id landscape.DatabaseID) []landscape.SAPSystemID {
	return relatedIDs[landscape.SAPSystemID](tx, sapSystemOfDatabase, string(id))
}
