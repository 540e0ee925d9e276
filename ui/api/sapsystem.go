package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// sapSystem is an SAP system in answers of the API.
type sapSystem struct {
	ID                   landscape.SAPSystemID `json:"id"`
	SID                  string                `json:"sid"`
	Tenant               string                `json:"tenant"`
	DBHost               string                `json:"db_host"`
	Health               landscape.Health      `json:"health"`
	ENSA                 landscape.ENSAVersion `json:"ensa_version"`
	DatabaseID           landscape.DatabaseID  `json:"database_id"`
	DatabaseSID          string                `json:"database_sid"`
	DatabaseHealth       landscape.Health      `json:"database_health"`
	DatabaseStaleAt      *timestamp            `json:"database_stale_at"`
	StaleAt              *timestamp            `json:"stale_at"`
	InsertedAt           timestamp             `json:"inserted_at"`
	UpdatedAt            timestamp             `json:"updated_at"`
	Tags                 []tag                 `json:"tags"`
	ApplicationInstances []applicationInstance `json:"application_instances"`
	DatabaseInstances    []databaseInstance    `json:"database_instances"`
}

// applicationInstance is an instance of an SAP system.
type applicationInstance struct {
	SAPSystemID landscape.SAPSystemID `json:"sap_system_id"`
	HostID      landscape.HostID      `json:"host_id"`
	SID         string                `json:"sid"`
	Number      string                `json:"instance_number"`
	landscape.InstanceFacts
	instanceState
}

// sapSystemRecords are the records from which an SAP system in a list is built.
// They are its key in a listCache.
type sapSystemRecords struct {
	system   *landscape.SAPSystem
	database *landscape.Database
	tags     *store.Tag
}

// listSAPSystems answers GET /api/v1/sap_systems with all SAP systems, sorted
// by SID.
func (a *API) listSAPSystems(w http.ResponseWriter, r *http.Request) error {
	return a.sapSystemList.answer(a, w, r, a.deps.Lists.SAPSystems, func(tx *store.Tx) ([]row[sapSystemRecords], error) {
		systems, err := sapSystemsBySID(tx)
		if err != nil {
			return nil, err
		}
		rows := make([]row[sapSystemRecords], len(systems))
		for i, s := range systems {
			db, err := databaseOf(tx, s)
			if err != nil {
				return nil, err
			}
			tags, err := tx.Tags(store.SAPSystemTag, string(s.ID))
			if err != nil {
				return nil, err
			}
			rows[i] = row[sapSystemRecords]{
				key: sapSystemRecords{s, db, firstTag(tags)}, id: string(s.ID), name: s.SID,
				build: func() any { return newSAPSystem(s, db, tags) },
			}
		}
		return rows, nil
	})
}

// sapSystemsBySID returns the SAP systems of the landscape, sorted by SID and
// then by id.
func sapSystemsBySID(tx *store.Tx) ([]*landscape.SAPSystem, error) {
	return sorted(tx.SAPSystems(), func(x, y *landscape.SAPSystem) int {
		return cmp.Or(cmp.Compare(x.SID, y.SID), cmp.Compare(x.ID, y.ID))
	})
}

// databaseOf returns the database of a registered SAP system. It turns "not
// found" into an internal error, because the store guarantees that the database
// is registered as well.
func databaseOf(tx *store.Tx, s *landscape.SAPSystem) (*landscape.Database, error) {
	db, err := tx.Database(s.DatabaseID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("SAP system %s: database %s is not registered", s.ID, s.DatabaseID)
	}
	return db, err
}

func newSAPSystem(s *landscape.SAPSystem, db *landscape.Database, tags []store.Tag) sapSystem {
	answer := sapSystem{
		ID: s.ID, SID: s.SID, Tenant: s.Tenant, DBHost: s.DBHost, Health: s.Health, ENSA: s.ENSA,
		DatabaseID: s.DatabaseID, DatabaseSID: db.SID, DatabaseHealth: s.DatabaseHealth, DatabaseStaleAt: timestampOf(s.DatabaseStaleSince),
		StaleAt: timestampOf(s.StaleSince), InsertedAt: timestamp(s.RegisteredAt), UpdatedAt: timestamp(s.UpdatedAt), Tags: newTags(store.SAPSystemTag, s.ID, tags),
		ApplicationInstances: make([]applicationInstance, len(s.Instances)), DatabaseInstances: newDatabaseInstances(db),
	}
	for i := range s.Instances {
		instance := &s.Instances[i]
		answer.ApplicationInstances[i] = applicationInstance{
			SAPSystemID: s.ID, HostID: instance.HostID, SID: instance.SID, Number: instance.Number,
			InstanceFacts: instance.InstanceFacts, instanceState: newInstanceState(instance.Status, &instance.InstanceTimes),
		}
	}
	return answer
}

// cleanUpApplicationInstance answers DELETE
// /api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}. If the
// SAP system cannot exist without the instance, it is cleaned up as well.
func (a *API) cleanUpApplicationInstance(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, host := pathID[landscape.SAPSystemID](in, "id"), pathID[landscape.HostID](in, "host_id")
	if err := in.fault(); err != nil {
		return err
	}
	target := landscape.Target{Host: host, SAPSystem: id, Number: pathText(r, "instance_number")}
	if err := a.deps.Store.CleanUp(r.Context(), auth.From(r.Context()).Actor(), nil, target); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
