package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
)

const settingAPIKey = "api_key"

// APIKey is the stored part of the key that the agents use. The key itself is a
// signed text that is generated from it when needed.
type APIKey struct {
	ID        string     `json:"jti"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: the key never expires
}

// Expired reports whether the key has expired.
func (k *APIKey) Expired(now time.Time) bool { return k.ExpiresAt != nil && !now.Before(*k.ExpiresAt) }

// DaysLeft returns the number of whole days until the key expires; -1 if it has
// expired. ok is false if the key never expires.
func (k *APIKey) DaysLeft(now time.Time) (days int, ok bool) {
	switch {
	case k.ExpiresAt == nil:
		return 0, false
	case k.Expired(now):
		return -1, true
	}
	return int(k.ExpiresAt.Sub(now) / (24 * time.Hour)), true
}

// keyWarningDays is the number of days before its expiry from which on a key
// is warned of.
const keyWarningDays = 30

// EndsSoon reports whether the key has expired or expires so soon that somebody
// has to be told, and the number of days left as DaysLeft counts them.
func (k *APIKey) EndsSoon(now time.Time) (days int, soon bool) {
	days, ends := k.DaysLeft(now)
	return days, ends && days < keyWarningDays
}

// APIKey returns the current key of the agents.
func (tx *Tx) APIKey() (*APIKey, error) {
	return getSetting[APIKey](tx, settingAPIKey)
}

// ensureAPIKey creates the first key, so that agents can be connected right
// after the first start.
func (s *Store) ensureAPIKey() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		_, err := tx.APIKey()
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.putSetting(settingAPIKey, &APIKey{ID: uuid.NewString(), CreatedAt: tx.now.UTC()})
	})
}

// RegenerateAPIKey creates a new key. The key never expires if expires is nil.
// The previous key is invalid from this moment. Unless credential is nil, it
// replaces the credential for messages as well.
func (s *Store) RegenerateAPIKey(ctx context.Context, by Actor, expires *time.Time, credential *NewMessageCredential) (*APIKey, error) {
	var key *APIKey
	err := s.update(ctx, by, func(tx *Tx) error {
		key = &APIKey{ID: uuid.NewString(), CreatedAt: tx.now.UTC(), ExpiresAt: expires}
		if err := tx.putSetting(settingAPIKey, key); err != nil {
			return err
		}
		if err := tx.log(by.Name, &activity.APIKeyGeneration{ExpireAt: expires}); err != nil || credential == nil {
			return err
		}
		_, err := tx.rotateMessageCredential(*credential)
		return err
	})
	return key, err
}
