package store

import (
	"context"

	"trento/store/activity"
	"trento/store/landscape"
)

// LogFactsRequest logs that the agent of a host is asked for facts, which are
// named as in activity.FactsRequested. It fails with ErrNotFound if the host is
// not registered.
func (s *Store) LogFactsRequest(ctx context.Context, by Actor, id landscape.HostID, facts []string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		if _, err := tx.Host(id); err != nil {
			return err
		}
		return tx.log(tx.by.Name, &activity.FactsRequested{AboutHost: activity.AboutHost{HostID: string(id)}, Facts: facts})
	})
}
