package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
)

const keyAPIKey = "api_key"

// APIKey is what is known of the key the agents use. The key itself is a
// signed text that can be made from it at any time.
type APIKey struct {
	ID        string     `json:"jti"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: never
}

// Expired reports whether the key is worth nothing any more.
func (k *APIKey) Expired(now time.Time) bool { return k.ExpiresAt != nil && !now.Before(*k.ExpiresAt) }

// DaysLeft is how many whole days the key has left; negative once it has
// expired. ok is false of a key that never expires.
func (k *APIKey) DaysLeft(now time.Time) (days int, ok bool) {
	switch {
	case k.ExpiresAt == nil:
		return 0, false
	case k.Expired(now):
		return -1, true
	}
	return int(k.ExpiresAt.Sub(now) / (24 * time.Hour)), true
}

// APIKey returns the present key of the agents.
func (tx *Tx) APIKey() (*APIKey, error) {
	return getSetting[APIKey](tx, keyAPIKey)
}

// ensureAPIKey makes the first key, so that agents can be connected from the
// first start.
func (s *Store) ensureAPIKey() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		_, err := tx.APIKey()
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.putSetting(keyAPIKey, &APIKey{ID: uuid.NewString(), CreatedAt: tx.now.UTC()})
	})
}

// RegenerateAPIKey makes a new key, which never expires where expires is nil.
// The one before is worth nothing from this moment.
func (s *Store) RegenerateAPIKey(ctx context.Context, by Actor, expires *time.Time) (*APIKey, error) {
	var key *APIKey
	err := s.update(ctx, by, func(tx *Tx) error {
		key = &APIKey{ID: uuid.NewString(), CreatedAt: tx.now.UTC(), ExpiresAt: expires}
		if err := tx.putSetting(keyAPIKey, key); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.APIKeyGeneration{ExpireAt: expires})
	})
	return key, err
}
