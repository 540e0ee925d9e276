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

// apiKeyHeader is the header in which agents send the API key.
const apiKeyHeader = "X-Trento-apiKey"

// endlessAPIKeyLifetime is the lifetime in the claims of an API key that never expires.
// Claims must have an expiry.
const endlessAPIKeyLifetime = 36500 * 24 * time.Hour

// signedAPIKey is an API key with its signed text.
type signedAPIKey struct {
	key  *store.APIKey
	text string
}

// APIKeyText returns the API key as it is entered into the configuration of
// agents. The text is not stored: the same record and secret always give the
// same text, because the claims of a map are encoded in alphabetical order.
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

// RegenerateAPIKey replaces the API key of the agents. The new key never
// expires if expires is nil. Agents with the former key are refused from now
// on. With rotate, it replaces the credential for messages as well, as
// RotateMessageCredential does. It fails with a fault of expire_at if the time
// has passed.
func (a *Auth) RegenerateAPIKey(ctx context.Context, by *Identity, expires *time.Time, rotate bool) (*store.APIKey, error) {
	if expires != nil {
		// The signed text holds whole seconds.
		whole := expires.UTC().Truncate(time.Second)
		if !whole.After(a.now()) {
			return nil, fault.Field("expire_at", "should be in the future")
		}
		expires = &whole
	}
	if !rotate {
		return a.store.RegenerateAPIKey(ctx, by.Actor(), expires, nil)
	}
	if a.messages.password != "" {
		return nil, ErrMessageCredentialConfigured
	}
	credential := a.newMessageCredential()
	return a.store.RegenerateAPIKey(ctx, by.Actor(), expires, &credential)
}

func apiKeyExpiry(key *store.APIKey) time.Time {
	if key.ExpiresAt != nil {
		return *key.ExpiresAt
	}
	return key.CreatedAt.Add(endlessAPIKeyLifetime)
}

// CheckAPIKey checks the API key that an agent sent. It fails with ErrSignedOut
// if the text is not the present key or the key has expired. If the API key is
// switched off in the configuration, any text is accepted.
//
// A key from the future is accepted: the clock was set back since it was made.
//
// Only one key exists, so comparing with its text checks signature and claims
// at once.
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
	// The store returns the same record until another one is written. Without
	// this cache, signing the text would take most of the time of an unchanged
	// report.
	present := a.signedAPIKey.Load()
	if present == nil || present.key != key {
		present = &signedAPIKey{key, a.APIKeyText(key)}
		a.signedAPIKey.Store(present)
	}
	now := a.now().Unix()
	switch {
	case text == "":
		return noAPIKey
	case subtle.ConstantTimeCompare([]byte(text), []byte(present.text)) != 1:
		return wrongAPIKey
	case now >= apiKeyExpiry(key).Unix():
		return expiredAPIKey
	}
	return nil
}
