package store

import (
	"context"
	"errors"
	"fmt"

	"trento/store/activity"
	"trento/store/landscape"
)

// CleanUp cleans up all of the targets, with everything that cannot be without
// them, or none. It fails with a fault, or with several joined, where a target
// cannot be cleaned up, which is ErrNotFound where that does not exist. Where agreed is not nil, it is shown in
// the same transaction what will go, and its error keeps everything as it is.
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

// PlanCleanUp returns what CleanUp would change now.
func (tx *Tx) PlanCleanUp(targets ...landscape.Target) (*landscape.Changeset, error) {
	changes, err := landscape.CleanUp(state{tx}, tx.now, targets...)
	if errors.Is(err, landscape.ErrUnknown) || errors.Is(err, landscape.ErrNotRegistered) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return changes, err
}

// logCleanUpRequest logs what a person has asked for, before the events that
// follow from it.
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
