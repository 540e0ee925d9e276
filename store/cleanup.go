package store

import (
	"context"
	"errors"
	"fmt"

	"trento/store/activity"
	"trento/store/landscape"
)

// CleanUp removes all targets from the landscape, with everything that cannot
// exist without them, or changes nothing. It fails with a fault, or several
// joined faults, if a target cannot be cleaned up; with ErrNotFound if a target
// does not exist. If agreed is not nil, it is called in the same transaction
// with the planned changes, and an error that it returns prevents them.
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
		if err := tx.applyChanges(changes); err != nil {
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

// PlanCleanUp returns the changes that CleanUp would make now.
func (tx *Tx) PlanCleanUp(targets ...landscape.Target) (*landscape.Changeset, error) {
	changes, err := landscape.CleanUp(landscapeState{tx}, tx.now, targets...)
	if errors.Is(err, landscape.ErrUnknown) || errors.Is(err, landscape.ErrNotRegistered) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return changes, err
}

// logCleanUpRequest logs the request of the user. The events that follow from
// the request are logged after it.
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
