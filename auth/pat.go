package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trento/store"
	"trento/store/fault"
)

// A personal access token is tokenPrefix and 64 random bytes.
const (
	tokenPrefix   = store.TokenPrefix
	tokenBytes    = 64
	tokenTextSize = len(tokenPrefix) + (tokenBytes*8+5)/6
)

// MaxTokenDescription is the length of a description in characters.
const MaxTokenDescription = 1000

// newTokenText makes up the text of a token. The store has only its hash.
func newTokenText() string {
	secret := make([]byte, tokenBytes)
	rand.Read(secret)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

// isAccessToken reports whether a text claims to be a personal access token.
func isAccessToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

func tokenHash(text string) store.TokenHash { return sha512.Sum512([]byte(text)) }

// NewToken is what a person says about a token that is to be made.
type NewToken struct {
	Name, Description string
	Scopes            []string   // nil: full
	ExpiresAt         *time.Time // nil: never
	// MayGrantAdministration lets a token that manages users make administrators,
	// too.
	MayGrantAdministration bool
	// Wrong is what the caller found wrong already, to be reported with the
	// rest.
	Wrong fault.Errors
}

// TokenChange is what is to change of a token; nil stays as it is.
type TokenChange struct {
	Name, Description *string
	Scopes            []string
	ExpiresAt         *time.Time // not later than now set
	Endless           bool       // never to end; possible only where it never did
	// Wrong is what the caller found wrong already, to be reported with the
	// rest.
	Wrong fault.Errors
}

// CreateToken makes a token of whoever asks, and returns the text to show
// once. It fails with ErrForbidden for somebody who has shown a token
// themselves, with store.ErrTokensDisabled, and with what is wrong with the
// fields.
func (a *Auth) CreateToken(ctx context.Context, id *Identity, n NewToken) (t *store.Token, text string, err error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, "", err
	}
	if n.Scopes == nil {
		n.Scopes = defaultScopes()
	}
	wrong := fieldFaults{slices.Clone(n.Wrong)}
	n.Name = tokenName(n.Name, &wrong)
	n.Description = tokenDescription(n.Description, &wrong)
	n.Scopes = a.scopes.normal(n.Scopes, &wrong)
	n.ExpiresAt = a.tokenEnd(n.ExpiresAt, &wrong)
	if n.MayGrantAdministration && len(wrong.Errors) == 0 && !a.scopes.changeUsers(n.Scopes) {
		wrong.Add("may_grant_administration", "has no effect: with these scopes the token cannot change users")
	}
	if err := a.confirmToken(ctx, id, &wrong); err != nil {
		return nil, "", err
	}
	if err := wrong.Err(); err != nil {
		return nil, "", err
	}
	text = newTokenText()
	t, err = a.store.CreateToken(ctx, id.Actor(), id.User.ID, store.NewToken{
		Name: n.Name, Description: n.Description, Scopes: n.Scopes, Hash: tokenHash(text), ExpiresAt: n.ExpiresAt,
		MayGrantAdministration: n.MayGrantAdministration,
	})
	return t, text, err
}

// ChangeToken changes a token of whoever asks. It fails with ErrForbidden for
// somebody who has shown a token themselves, with store.ErrNotFound, and with
// what is wrong with the fields.
func (a *Auth) ChangeToken(ctx context.Context, id *Identity, tokenID string, c TokenChange) (*store.Token, error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, err
	}
	wrong := fieldFaults{slices.Clone(c.Wrong)}
	if c.Name != nil {
		name := tokenName(*c.Name, &wrong)
		c.Name = &name
	}
	if c.Description != nil {
		description := tokenDescription(*c.Description, &wrong)
		c.Description = &description
	}
	if c.Scopes != nil {
		c.Scopes = a.scopes.normal(c.Scopes, &wrong)
	}
	c.ExpiresAt = a.tokenEnd(c.ExpiresAt, &wrong)
	if err := a.confirmToken(ctx, id, &wrong); err != nil {
		return nil, err
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return a.store.ChangeToken(ctx, id.Actor(), id.User.ID, tokenID, store.TokenChange{Name: c.Name, Description: c.Description, Scopes: c.Scopes, ExpiresAt: c.ExpiresAt, Endless: c.Endless})
}

// RegenerateToken gives a token of whoever asks another text, which is to be
// shown once; the one before is dead. The token ends at expiresAt, never
// where that is nil, and where keepEnd is set when it would have ended before.
// It fails as ChangeToken does, and with store.ErrTokensDisabled.
func (a *Auth) RegenerateToken(ctx context.Context, id *Identity, tokenID string, keepEnd bool, expiresAt *time.Time) (t *store.Token, text string, err error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, "", err
	}
	var wrong fieldFaults
	expiresAt = a.tokenEnd(expiresAt, &wrong)
	if err := a.confirmToken(ctx, id, &wrong); err != nil {
		return nil, "", err
	}
	if err := wrong.Err(); err != nil {
		return nil, "", err
	}
	text = newTokenText()
	t, err = a.store.RegenerateToken(ctx, id.Actor(), id.User.ID, tokenID, tokenHash(text), keepEnd, expiresAt)
	return t, text, err
}

// ExpireToken ends a token of whoever asks, and keeps it in the list. It fails
// with store.ErrNotFound and, as all that follows, with a fault of current_password where the
// password has to be shown again and is not.
func (a *Auth) ExpireToken(ctx context.Context, id *Identity, tokenID string) (*store.Token, error) {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return nil, err
	}
	return a.store.ExpireToken(ctx, id.Actor(), id.User.ID, tokenID)
}

// ExpireTokenOf is ExpireToken for the token of any user. It is for those who
// manage users.
func (a *Auth) ExpireTokenOf(ctx context.Context, id *Identity, userID int64, tokenID string) (*store.Token, error) {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return nil, err
	}
	return a.store.ExpireToken(ctx, id.Actor(), userID, tokenID)
}

// DeleteTokens removes tokens of whoever asks: all of them or, with
// store.ErrNotFound, none.
func (a *Auth) DeleteTokens(ctx context.Context, id *Identity, tokenIDs ...string) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteTokens(ctx, id.Actor(), id.User.ID, tokenIDs)
}

// DeleteAllTokens removes all tokens of whoever asks.
func (a *Auth) DeleteAllTokens(ctx context.Context, id *Identity) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteAllTokens(ctx, id.Actor(), id.User.ID)
}

// DeleteTokenOf removes the token of any user. It is for those who manage
// users. It fails with store.ErrNotFound.
func (a *Auth) DeleteTokenOf(ctx context.Context, id *Identity, userID int64, tokenID string) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteTokenOf(ctx, id.Actor(), userID, tokenID)
}

// ChangeTokenSettings replaces the settings of personal access tokens. It
// fails with ErrForbidden for somebody who has shown a token themselves, and
// with a fault.Error.
func (a *Auth) ChangeTokenSettings(ctx context.Context, id *Identity, s store.TokenSettings) error {
	if err := id.RequireNoToken(); err != nil {
		return err
	}
	return a.store.ChangeTokenSettings(ctx, id.Actor(), s)
}

func tokenName(name string, wrong *fieldFaults) string {
	name = store.NormalName(name)
	wrong.name("name", name)
	return name
}

func tokenDescription(text string, wrong *fieldFaults) string {
	text = store.NormalText(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
	// The rules of names, over several lines.
	detail := store.CheckName(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))
	if utf8.RuneCountInString(text) > MaxTokenDescription {
		detail = fmt.Sprintf("should be at most %d character(s)", MaxTokenDescription)
	}
	if detail != "" {
		wrong.Add("description", detail)
	}
	return text
}

// normal brings scopes into the form in which they are stored.
func (s *scopes) normal(given []string, wrong *fieldFaults) []string {
	given = slices.Compact(slices.Sorted(slices.Values(given)))
	detail := ""
	switch {
	case len(given) == 0:
		detail = "can't be blank"
	case len(given) > maxScopes:
		detail = fmt.Sprintf("should have at most %d item(s)", maxScopes)
	default:
		if i := slices.IndexFunc(given, func(scope string) bool { return !s.known(scope) }); i >= 0 {
			runes := []rune(given[i])
			detail = "has an unknown scope: " + string(runes[:min(len(runes), 80)])
		}
	}
	if detail != "" {
		wrong.Add("scopes", detail)
	}
	if slices.Contains(given, scopeFull) {
		return defaultScopes()
	}
	return given
}

// tokenEnd refuses an end that is over. The store knows best what time it is
// and asks again.
func (a *Auth) tokenEnd(end *time.Time, wrong *fieldFaults) *time.Time {
	if end != nil && !end.After(a.now()) {
		wrong.Add("expires_at", "must be in the future")
	}
	return whole(end)
}

// whole is a time in UTC, to the microsecond: as it is shown.
func whole(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	cut := t.UTC().Truncate(time.Microsecond)
	return &cut
}

// RequireNoToken is ErrForbidden for whoever has shown a token: a token that leaks
// must not be able to outlive itself, nor take over the account.
func (id *Identity) RequireNoToken() error {
	if id.Token != nil {
		return ErrForbidden
	}
	return nil
}
