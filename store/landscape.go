package store

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"trento/store/activity"
	"trento/store/kv"
	"trento/store/landscape"
)

// landscapeState implements landscape.State with the records of a transaction.
type landscapeState struct{ tx *Tx }

// asLandscapeError replaces ErrNotFound by landscape.ErrUnknown.
func asLandscapeError[T any](record *T, err error) (*T, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", landscape.ErrUnknown, err)
	}
	return record, err
}

func (s landscapeState) Host(id landscape.HostID) (*landscape.Host, error) {
	return asLandscapeError(s.tx.storedHost(id))
}

func (s landscapeState) Cluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	return asLandscapeError(s.tx.storedCluster(id))
}

func (s landscapeState) Database(id landscape.DatabaseID) (*landscape.Database, error) {
	return asLandscapeError(s.tx.storedDatabase(id))
}

func (s landscapeState) SAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	return asLandscapeError(s.tx.storedSAPSystem(id))
}

func (s landscapeState) LastSAPReport(id landscape.HostID) (*landscape.LastSAPReport, error) {
	return asLandscapeError(s.tx.s.lastSAPReports.Get(s.tx.kv, []byte(id)))
}

func (s landscapeState) DatabasesOn(id landscape.HostID) ([]landscape.DatabaseID, error) {
	return relatedIDs[landscape.DatabaseID](s.tx, databaseOnHost, string(id)), nil
}

func (s landscapeState) SAPSystemsOn(id landscape.HostID) ([]landscape.SAPSystemID, error) {
	return relatedIDs[landscape.SAPSystemID](s.tx, sapSystemOnHost, string(id)), nil
}

func (s landscapeState) SAPSystemsOf(id landscape.DatabaseID) ([]landscape.SAPSystemID, error) {
	return relatedIDs[landscape.SAPSystemID](s.tx, sapSystemOfDatabase, string(id)), nil
}

func (s landscapeState) HostsWith(ip netip.Addr) ([]landscape.HostID, error) {
	return relatedIDs[landscape.HostID](s.tx, hostWithAddress, ip.String()), nil
}

func (s landscapeState) AgentsWaiting() ([]landscape.HostID, error) {
	return relatedIDs[landscape.HostID](s.tx, waitingAgent, ""), nil
}

func (s landscapeState) HeardRecently(id landscape.HostID) bool {
	last, ever := s.tx.s.lastHeartbeat(id)
	if ever && last.elapsed >= 0 && s.tx.s.options.Elapsed()-last.elapsed < s.tx.s.options.HeartbeatInterval {
		return true
	}
	host, err := s.tx.storedHost(id)
	return err == nil && s.tx.HeartbeatPending(host)
}

// The names of the relations in the bucket relation. Each finds the ids of the
// first thing by the id of the second.
const (
	databaseOnHost      = "database on host"
	sapSystemOnHost     = "sap system on host"
	sapSystemOfDatabase = "sap system of database"
	hostWithAddress     = "host with address"
	waitingAgent        = "waiting"
)

func relationKey(name, from, to string) string { return name + "\x00" + from + "\x00" + to }

// relatedIDs lists the ids that a relation finds by from, in ascending order.
func relatedIDs[ID ~string](tx *Tx, name, from string) []ID {
	var ids []ID
	prefix := []byte(relationKey(name, from, ""))
	for k := range tx.s.relations.ScanPrefix(tx.kv, prefix) {
		ids = append(ids, ID(k[len(prefix):]))
	}
	return ids
}

func hostRelations(h *landscape.Host) (keys []string) {
	for _, a := range h.Addresses {
		keys = append(keys, relationKey(hostWithAddress, a.IP.String(), string(h.ID)))
	}
	return keys
}

func databaseRelations(db *landscape.Database) (keys []string) {
	for _, i := range db.Instances {
		keys = append(keys, relationKey(databaseOnHost, string(i.HostID), string(db.ID)))
	}
	return keys
}

func sapSystemRelations(s *landscape.SAPSystem) (keys []string) {
	for _, i := range s.Instances {
		keys = append(keys, relationKey(sapSystemOnHost, string(i.HostID), string(s.ID)))
	}
	return append(keys, relationKey(sapSystemOfDatabase, string(s.DatabaseID), string(s.ID)))
}

func lastSAPReportRelations(k *landscape.LastSAPReport) []string {
	if slices.ContainsFunc(k.Elements, func(e landscape.StoredElement) bool { return e.Waiting }) {
		return []string{relationKey(waitingAgent, "", string(k.Agent))}
	}
	return nil
}

// applyChanges stores the records of a changeset, and a log entry for each event.
func (tx *Tx) applyChanges(changes *landscape.Changeset) error {
	err := errors.Join(
		putRecords(tx, tx.s.hosts, changes.Hosts.Changed),
		putRecords(tx, tx.s.clusters, changes.Clusters.Changed),
		putRecords(tx, tx.s.databases, changes.Databases.Changed),
		putRecords(tx, tx.s.sapSystems, changes.SAPSystems.Changed),
		putRecords(tx, tx.s.lastSAPReports, changes.LastSAPReports.Changed),
	)
	for agent := range changes.LastSAPReports.Changed {
		// The last SAP report decides how an identical SAP report is answered.
		// It also tells whether SAP runs on the host, which the rules for
		// saptune use.
		tx.invalidateReport(agent, landscape.SAPSystemDiscovery)
		tx.invalidateReport(agent, landscape.SaptuneDiscovery)
	}
	for i, e := range changes.Events {
		if slices.Contains(changes.RetryStarts, i) {
			tx.by.Correlation = "" // the following events have another cause
		}
		err = errors.Join(err, tx.log(activity.System, e))
	}
	return err
}

// putRecords stores records in the order of their ids, so that the same
// changeset always produces the same writes.
func putRecords[ID ~string, T any](tx *Tx, table *kv.Table[T], records map[ID]*T) error {
	for _, id := range slices.Sorted(maps.Keys(records)) {
		if err := table.Put(tx.kv, []byte(id), records[id]); err != nil {
			return err
		}
	}
	return nil
}

// onlyRegistered walks the records that are part of the landscape.
func onlyRegistered[T any](records iter.Seq2[*T, error], isRegistered func(*T) bool) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for record, err := range records {
			if err == nil && !isRegistered(record) {
				continue
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// ifRegistered returns ErrNotFound for a record that is not part of the
// landscape.
func ifRegistered[T any](record *T, err error, isRegistered func(*T) bool) (*T, error) {
	if err == nil && !isRegistered(record) {
		return nil, ErrNotFound
	}
	return record, err
}
