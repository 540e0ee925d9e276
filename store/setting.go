package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

var keyAPIKey = []byte("api_key")

// APIKey is what is known of the key the agents use. The key itself is a
// signed text that can be made from it at any time.
type APIKey struct {
	ID        string     `json:"jti"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil: never
}

// APIKey returns the present key of the agents.
func (tx *Tx) APIKey() (*APIKey, error) {
	return get(tx, bucketSetting, &tx.s.apiKeys, keyAPIKey)
}

// ensureAPIKey makes the first key, so that agents can be connected from the
// first start.
func (s *Store) ensureAPIKey() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		_, err := tx.APIKey()
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.record(bucketSetting, keyAPIKey, &APIKey{ID: uuid.NewString(), CreatedAt: tx.now.UTC()})
	})
}
