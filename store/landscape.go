package store

import (
	"context"
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

// state is the landscape of a transaction as its rules see it.
type state struct{ tx *Tx }

// asLandscapeError turns the store's word for nothing into that of the landscape.
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

// The relations of the relation bucket: from the second to the first.
const (
	databaseOn  = "database on host"
	sapSystemOn = "sap system on host"
	sapSystemOf = "sap system of database"
	hostWith    = "host with address"
	waiting     = "waiting"
)

func relation(name, from, to string) string { return name + "\x00" + from + "\x00" + to }

// related lists what stands in a relation to something, in rising order.
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

// apply stores what was decided: the records, their relations, and an entry
// for each event.
func (tx *Tx) apply(changes *landscape.Changeset) error {
	err := errors.Join(
		putAll(tx, tx.s.hosts, changes.Hosts),
		putAll(tx, tx.s.clusters, changes.Clusters),
		putAll(tx, tx.s.databases, changes.Databases),
		putAll(tx, tx.s.sapSystems, changes.SAPSystems),
		putAll(tx, tx.s.lastSAPReports, changes.LastSAPReports),
	)
	for agent := range changes.LastSAPReports {
		// What was kept decides how an equal report is answered; and whether
		// SAP runs on a host, how its tuning is judged.
		tx.invalidateReport(agent, landscape.SAPSystemDiscovery)
		tx.invalidateReport(agent, landscape.SaptuneDiscovery)
	}
	for i, e := range changes.Events {
		if slices.Contains(changes.RetryStarts, i) {
			tx.by.Correlation = "" // another story begins
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

// CleanUp cleans things up, each named once, with all that cannot be
// without them; all of them or none. A landscape.CleanUpError says of which
// that is refused, and is ErrNotFound where one is not there. Where agreed is
// not nil it is shown what will go, in the same transaction, and its error
// keeps everything as it is.
func (s *Store) CleanUp(ctx context.Context, by Actor, agreed func(*Tx, *landscape.Changeset) error, targets ...landscape.Target) error {
	return s.update(ctx, by, func(tx *Tx) error {
		changes, err := tx.PlanCleanUp(targets...)
		if err == nil && agreed != nil {
			err = agreed(tx, changes)
		}
		if err != nil {
			return err
		}
		for _, t := range targets {
			if err := tx.logCleanUpRequest(t); err != nil {
				return err
			}
		}
		if err := tx.apply(changes); err != nil {
			return err
		}
		for _, t := range targets {
			if !t.IsHost() {
				continue
			}
			if err := tx.deleteReports(t.Host); err != nil {
				return err
			}
		}
		return nil
	})
}

// PlanCleanUp is what CleanUp would change now, without doing it.
func (tx *Tx) PlanCleanUp(targets ...landscape.Target) (*landscape.Changeset, error) {
	changes, err := landscape.CleanUp(state{tx}, tx.now, targets...)
	if errors.Is(err, landscape.ErrUnknown) || errors.Is(err, landscape.ErrNotRegistered) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return changes, err
}

// logCleanUpRequest logs what a person has asked for, ahead of what it brings
// about.
func (tx *Tx) logCleanUpRequest(t landscape.Target) error {
	host := activity.AboutHost{HostID: string(t.Host)}
	switch {
	case t.IsHost():
		return tx.log(tx.by.Name, &activity.HostCleanupRequested{AboutHost: host})
	case t.Database != "":
		return tx.log(tx.by.Name, &activity.DatabaseCleanupRequested{
			AboutDatabaseInstance: activity.AboutDatabaseInstance{
				AboutDatabase: activity.AboutDatabase{DatabaseID: string(t.Database)}, AboutHost: host, InstanceNumber: t.Number,
			},
			SAPSystemID: string(t.Database),
		})
	}
	return tx.log(tx.by.Name, &activity.SAPSystemCleanupRequested{AboutApplicationInstance: activity.AboutApplicationInstance{
		AboutSAPSystem: activity.AboutSAPSystem{SAPSystemID: string(t.SAPSystem)}, AboutHost: host, InstanceNumber: t.Number,
	}})
}

// registered walks the records of a bucket that are part of the landscape.
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

// ifRegistered turns a record that is no part of the landscape into nothing.
func ifRegistered[T any](record *T, err error, is func(*T) bool) (*T, error) {
	if err == nil && !is(record) {
		return nil, ErrNotFound
	}
	return record, err
}

func (tx *Tx) storedCluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	return tx.s.clusters.Get(tx.kv, []byte(id))
}

// Cluster returns a registered cluster, or ErrNotFound. What this and the
// following methods return is shared and must not be modified.
func (tx *Tx) Cluster(id landscape.ClusterID) (*landscape.Cluster, error) {
	c, err := tx.storedCluster(id)
	return ifRegistered(c, err, (*landscape.Cluster).Registered)
}

// Clusters walks the registered clusters in the order of their ids.
func (tx *Tx) Clusters() iter.Seq2[*landscape.Cluster, error] {
	return registered(tx.s.clusters.All(tx.kv), (*landscape.Cluster).Registered)
}

func (tx *Tx) storedDatabase(id landscape.DatabaseID) (*landscape.Database, error) {
	return tx.s.databases.Get(tx.kv, []byte(id))
}

// Database returns a registered database, or ErrNotFound.
func (tx *Tx) Database(id landscape.DatabaseID) (*landscape.Database, error) {
	db, err := tx.storedDatabase(id)
	return ifRegistered(db, err, (*landscape.Database).Registered)
}

// Databases walks the registered databases in the order of their ids.
func (tx *Tx) Databases() iter.Seq2[*landscape.Database, error] {
	return registered(tx.s.databases.All(tx.kv), (*landscape.Database).Registered)
}

func (tx *Tx) storedSAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	return tx.s.sapSystems.Get(tx.kv, []byte(id))
}

// SAPSystem returns a registered SAP system, or ErrNotFound.
func (tx *Tx) SAPSystem(id landscape.SAPSystemID) (*landscape.SAPSystem, error) {
	s, err := tx.storedSAPSystem(id)
	return ifRegistered(s, err, (*landscape.SAPSystem).Registered)
}

// SAPSystems walks the registered SAP systems in the order of their ids.
func (tx *Tx) SAPSystems() iter.Seq2[*landscape.SAPSystem, error] {
	return registered(tx.s.sapSystems.All(tx.kv), (*landscape.SAPSystem).Registered)
}

// DatabasesOn lists the databases, registered or not, with an instance on a
// host.
func (tx *Tx) DatabasesOn(id landscape.HostID) []landscape.DatabaseID {
	return related[landscape.DatabaseID](tx, databaseOn, string(id))
}

// SAPSystemsOn lists the SAP systems, registered or not, with an instance on
// a host.
func (tx *Tx) SAPSystemsOn(id landscape.HostID) []landscape.SAPSystemID {
	return related[landscape.SAPSystemID](tx, sapSystemOn, string(id))
}

// SAPSystemsOf lists the SAP systems, registered or not, on the tenants of a
// database.
func (tx *Tx) SAPSystemsOf(id landscape.DatabaseID) []landscape.SAPSystemID {
	return related[landscape.SAPSystemID](tx, sapSystemOf, string(id))
}

// ReportedOn lists the instances that the last SAP report of an agent has
// named, also those that belong to nothing registered; none without a report.
func (tx *Tx) ReportedOn(id landscape.HostID) ([]landscape.StoredElement, error) {
	kept, err := tx.s.lastSAPReports.Get(tx.kv, []byte(id))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return kept.Elements, nil
}

// deleteReports discards what is kept of the reports of an agent: only a new
// one may bring back what was cleaned up.
func (tx *Tx) deleteReports(agent landscape.HostID) error {
	if err := tx.deleteAgentReports(agent); err != nil {
		return err
	}
	for _, kind := range landscape.Kinds {
		tx.invalidateReport(agent, kind)
		if err := tx.s.reports.Delete(tx.kv, reportKey(agent, kind)); err != nil {
			return err
		}
	}
	return nil
}

// invalidateReport makes the next report of an agent be judged, even if it says nothing
// new.
func (tx *Tx) invalidateReport(agent landscape.HostID, kind landscape.Kind) {
	tx.kv.AfterCommit(func() { tx.s.reportHashes.forget(agentKind{agent, kind}) })
}
