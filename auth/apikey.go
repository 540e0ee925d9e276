package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"trento/store"
	"trento/store/fault"
)

// apiKeyHeader is where agents show the API key.
const apiKeyHeader = "X-Trento-apiKey"

// foreverAPIKey is how long a key lives that never expires.
const foreverAPIKey = 36500 * 24 * time.Hour

// keyText is a key and its text.
type keyText struct {
	key  *store.APIKey
	text string
}

// APIKeyText is the key of the agents, as it is entered into their
// configuration. It is stored nowhere: from the same record and the same
// secret comes the same text each time, because the claims of a map are
// written in alphabetical order.
func (a *Auth) APIKeyText(key *store.APIKey) string {
	created := key.CreatedAt.Unix()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"aud": apiKeyAudience,
		"exp": apiKeyExpiry(key).Unix(),
		"iat": created,
		"iss": tokenIssuer,
		"jti": key.ID,
		"nbf": created,
		"typ": typeAccess,
	}).SignedString(a.apiKey)
	if err != nil {
		panic(fmt.Sprintf("auth: texts and numbers could not be signed: %v", err))
	}
	return text
}

// RegenerateAPIKey makes a new key of the agents, which never expires where
// expires is nil. Agents with the one before are refused from this moment. It
// fails with a fault of expire_at where the time has passed.
func (a *Auth) RegenerateAPIKey(ctx context.Context, by *Identity, expires *time.Time) (*store.APIKey, error) {
	if expires != nil {
		// The text of the key holds whole seconds.
		whole := expires.UTC().Truncate(time.Second)
		if !whole.After(a.now()) {
			return nil, fault.Field("expire_at", "should be in the future")
		}
		expires = &whole
	}
	return a.store.RegenerateAPIKey(ctx, by.Actor(), expires)
}

func apiKeyExpiry(key *store.APIKey) time.Time {
	if key.ExpiresAt != nil {
		return *key.ExpiresAt
	}
	return key.CreatedAt.Add(foreverAPIKey)
}

// CheckAPIKey checks the text an agent shows: ErrSignedOut unless it is the
// present key and that one is valid now. Where agents need no key, every text
// will do.
//
// There is only one key and its text is known, so comparing the two proves
// signature and claims at once.
func (a *Auth) CheckAPIKey(text string) error {
	if !a.enableAPIKey {
		return nil
	}
	var key *store.APIKey
	err := a.store.View(func(tx *store.Tx) (err error) {
		key, err = tx.APIKey()
		return err
	})
	if err != nil {
		return err
	}
	// The store hands out the same record until another one is written, and
	// signing the text anew would be most of what an unchanged report costs.
	present := a.presentKey.Load()
	if present == nil || present.key != key {
		present = &keyText{key, a.APIKeyText(key)}
		a.presentKey.Store(present)
	}
	now := a.now().Unix()
	if subtle.ConstantTimeCompare([]byte(text), []byte(present.text)) != 1 ||
		now < key.CreatedAt.Unix() || now >= apiKeyExpiry(key).Unix() {
		return ErrSignedOut
	}
	return nil
}
