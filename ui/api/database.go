package api

import (
	"cmp"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// database is a HANA database in answers of the API.
type database struct {
	ID         landscape.DatabaseID `json:"id"`
	SID        string               `json:"sid"`
	Health     landscape.Health     `json:"health"`
	StaleAt    *timestamp           `json:"stale_at"`
	InsertedAt timestamp            `json:"inserted_at"`
	UpdatedAt  timestamp            `json:"updated_at"`
	Tags       []tag                `json:"tags"`
	Instances  []databaseInstance   `json:"database_instances"`
}

// databaseInstance is an instance of a database. SAPSystemID repeats
// DatabaseID, for older clients.
type databaseInstance struct {
	DatabaseID  landscape.DatabaseID `json:"database_id"`
	SAPSystemID landscape.DatabaseID `json:"sap_system_id"`
	HostID      landscape.HostID     `json:"host_id"`
	SID         string               `json:"sid"`
	Number      string               `json:"instance_number"`
	landscape.InstanceFacts
	landscape.Replication
	ReplicationChangedAt *timestamp `json:"system_replication_changed_at"`
	instanceState
}

// instanceState are the members that application and database instances share.
// Health repeats the status in other words, for older clients.
type instanceState struct {
	Health     landscape.Health `json:"health"`
	AbsentAt   *timestamp       `json:"absent_at"`
	StaleAt    *timestamp       `json:"stale_at"`
	InsertedAt timestamp        `json:"inserted_at"`
	UpdatedAt  timestamp        `json:"updated_at"`
}

// databaseRecords are the records from which a database in a list is built.
// They are its key in a listCache.
type databaseRecords struct {
	database *landscape.Database
	tags     *store.Tag
}

// listDatabases answers GET /api/v1/databases with all databases, sorted by
// SID.
func (a *API) listDatabases(w http.ResponseWriter, r *http.Request) error {
	return a.databaseList.answer(a, w, r, a.deps.Lists.Databases, func(tx *store.Tx) ([]row[databaseRecords], error) {
		databases, err := sorted(tx.Databases(), func(x, y *landscape.Database) int {
			return cmp.Or(cmp.Compare(x.SID, y.SID), cmp.Compare(x.ID, y.ID))
		})
		if err != nil {
			return nil, err
		}
		rows := make([]row[databaseRecords], len(databases))
		for i, db := range databases {
			tags, err := tx.Tags(store.DatabaseTag, string(db.ID))
			if err != nil {
				return nil, err
			}
			rows[i] = row[databaseRecords]{
				key: databaseRecords{db, firstTag(tags)}, id: string(db.ID), name: db.SID,
				build: func() any { return newDatabase(db, tags) },
			}
		}
		return rows, nil
	})
}

func newDatabase(db *landscape.Database, tags []store.Tag) database {
	return database{
		ID: db.ID, SID: db.SID, Health: db.Health, StaleAt: timestampOf(db.StaleSince),
		InsertedAt: timestamp(db.RegisteredAt), UpdatedAt: timestamp(db.UpdatedAt),
		Tags: newTags(store.DatabaseTag, db.ID, tags), Instances: newDatabaseInstances(db),
	}
}

func newDatabaseInstances(db *landscape.Database) []databaseInstance {
	answer := make([]databaseInstance, len(db.Instances))
	for i := range db.Instances {
		instance := &db.Instances[i]
		answer[i] = databaseInstance{
			DatabaseID: db.ID, SAPSystemID: db.ID, HostID: instance.HostID, SID: instance.SID, Number: instance.Number,
			InstanceFacts: instance.InstanceFacts, Replication: instance.Replication, ReplicationChangedAt: timestampOf(instance.ReplicationChangedAt),
			instanceState: newInstanceState(instance.Status, &instance.InstanceTimes),
		}
	}
	return answer
}

func newInstanceState(status landscape.InstanceStatus, t *landscape.InstanceTimes) instanceState {
	return instanceState{
		Health: status.Health(), AbsentAt: timestampOf(t.AbsentSince), StaleAt: timestampOf(t.StaleSince),
		InsertedAt: timestamp(t.RegisteredAt), UpdatedAt: timestamp(t.UpdatedAt),
	}
}

// cleanUpDatabaseInstance answers DELETE
// /api/v1/databases/{id}/hosts/{host_id}/instances/{instance_number}. If it is
// the primary instance, the database is cleaned up as well.
func (a *API) cleanUpDatabaseInstance(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, host := pathID[landscape.DatabaseID](in, "id"), pathID[landscape.HostID](in, "host_id")
	if err := in.fault(); err != nil {
		return err
	}
	target := landscape.Target{Host: host, Database: id, Number: pathText(r, "instance_number")}
	if err := a.deps.Store.CleanUp(r.Context(), auth.From(r.Context()).Actor(), nil, target); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
