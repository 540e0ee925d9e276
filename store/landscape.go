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

// state shows the landscape of a transaction to the rules of package landscape.
type state struct{ tx *Tx }

// asLandscapeError turns ErrNotFound into landscape.ErrUnknown.
func asLandscapeError[T any](record *T, err error) (*T, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", landscape.ErrUnknown, err)
	}
	return record, err
}

func (s state) Host(id landscape.HostID) (*landscape.Host, error) {
	return asLandscapeError(s.tx.storedHost(id))
}

func (s state) Cluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	return asLandscapeError(s.tx.storedCluster(id))
}

func (s state) Database(id landscape.DatabaseID) (*landscape.Database, error) {
	return asLandscapeError(s.tx.storedDatabase(id))
}

func (s state) SAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	return asLandscapeError(s.tx.storedSAPSystem(id))
}

func (s state) LastSAPReport(id landscape.HostID) (*landscape.LastSAPReport, error) {
	return asLandscapeError(s.tx.s.lastSAPReports.Get(s.tx.kv, []byte(id)))
}

func (s state) DatabasesOn(id landscape.HostID) ([]landscape.DatabaseID, error) {
	return related[landscape.DatabaseID](s.tx, databaseOn, string(id)), nil
}

func (s state) SAPSystemsOn(id landscape.HostID) ([]landscape.SAPSystemID, error) {
	return related[landscape.SAPSystemID](s.tx, sapSystemOn, string(id)), nil
}

func (s state) SAPSystemsOf(id landscape.DatabaseID) ([]landscape.SAPSystemID, error) {
	return related[landscape.SAPSystemID](s.tx, sapSystemOf, string(id)), nil
}

func (s state) HostsWith(ip netip.Addr) ([]landscape.HostID, error) {
	return related[landscape.HostID](s.tx, hostWith, ip.String()), nil
}

func (s state) AgentsWaiting() ([]landscape.HostID, error) {
	return related[landscape.HostID](s.tx, waiting, ""), nil
}

func (s state) HeardRecently(id landscape.HostID) bool {
	last, ever := s.tx.s.LastHeartbeat(id)
	if ever && s.tx.now.Before(last.Add(s.tx.s.options.HeartbeatInterval)) {
		return true
	}
	host, err := s.tx.storedHost(id)
	return err == nil && s.tx.HeartbeatPending(host)
}

// The names in the bucket of relations. Each finds the first by the second.
const (
	databaseOn  = "database on host"
	sapSystemOn = "sap system on host"
	sapSystemOf = "sap system of database"
	hostWith    = "host with address"
	waiting     = "waiting"
)

func relation(name, from, to string) string { return name + "\x00" + from + "\x00" + to }

// related lists what a relation finds by something, in rising order.
func related[ID ~string](tx *Tx, name, from string) []ID {
	var ids []ID
	prefix := []byte(relation(name, from, ""))
	for k := range tx.s.relations.ScanPrefix(tx.kv, prefix) {
		ids = append(ids, ID(k[len(prefix):]))
	}
	return ids
}

func hostRelations(h *landscape.Host) (keys []string) {
	for _, a := range h.Addresses {
		keys = append(keys, relation(hostWith, a.IP.String(), string(h.ID)))
	}
	return keys
}

func databaseRelations(db *landscape.Database) (keys []string) {
	for _, i := range db.Instances {
		keys = append(keys, relation(databaseOn, string(i.HostID), string(db.ID)))
	}
	return keys
}

func sapSystemRelations(s *landscape.SAPSystem) (keys []string) {
	for _, i := range s.Instances {
		keys = append(keys, relation(sapSystemOn, string(i.HostID), string(s.ID)))
	}
	return append(keys, relation(sapSystemOf, string(s.DatabaseID), string(s.ID)))
}

func lastSAPReportRelations(k *landscape.LastSAPReport) []string {
	if slices.ContainsFunc(k.Elements, func(e landscape.StoredElement) bool { return e.Waiting }) {
		return []string{relation(waiting, "", string(k.Agent))}
	}
	return nil
}

// apply stores a changeset: the records, and an entry of the log for each event.
func (tx *Tx) apply(changes *landscape.Changeset) error {
	err := errors.Join(
		putAll(tx, tx.s.hosts, changes.Hosts.Changed),
		putAll(tx, tx.s.clusters, changes.Clusters.Changed),
		putAll(tx, tx.s.databases, changes.Databases.Changed),
		putAll(tx, tx.s.sapSystems, changes.SAPSystems.Changed),
		putAll(tx, tx.s.lastSAPReports, changes.LastSAPReports.Changed),
	)
	for agent := range changes.LastSAPReports.Changed {
		// How an equal report is answered depends on the last SAP report; how
		// tuning is evaluated, on whether SAP runs on the host.
		tx.invalidateReport(agent, landscape.SAPSystemDiscovery)
		tx.invalidateReport(agent, landscape.SaptuneDiscovery)
	}
	for i, e := range changes.Events {
		if slices.Contains(changes.RetryStarts, i) {
			tx.by.Correlation = "" // what follows has another cause
		}
		err = errors.Join(err, tx.log(activity.System, e))
	}
	return err
}

// putAll stores records in the order of their ids, so that the same changeset
// always writes the same.
func putAll[ID ~string, T any](tx *Tx, table *kv.Table[T], records map[ID]*T) error {
	for _, id := range slices.Sorted(maps.Keys(records)) {
		if err := table.Put(tx.kv, []byte(id), records[id]); err != nil {
			return err
		}
	}
	return nil
}

// registered walks the records that are part of the landscape.
func registered[T any](records iter.Seq2[*T, error], is func(*T) bool) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for record, err := range records {
			if err == nil && !is(record) {
				continue
			}
			if !yield(record, err) {
				return
			}
		}
	}
}

// ifRegistered turns a record that is not part of the landscape into ErrNotFound.
func ifRegistered[T any](record *T, err error, is func(*T) bool) (*T, error) {
	if err == nil && !is(record) {
		return nil, ErrNotFound
	}
	return record, err
}
