package store

import (
	"cmp"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/fault"
)

// Token is a personal access token: a text that a program sends instead of the
// name and password of its owner. The text itself is not stored.
type Token struct {
	ID          string     `json:"id"` // UUID
	UserID      int64      `json:"user_id"`
	Name        string     `json:"name"` // unique among the tokens of the user, including expired ones; names that look alike count as equal
	Description string     `json:"description,omitempty"`
	Scopes      []string   `json:"scopes"` // as defined in package auth; ascending, never empty
	Hash        TokenHash  `json:"hash"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"` // nil: the token never expires
	// MayGrantAdministration allows a token that manages users to make them
	// administrators or user managers. A token with the scope "full" always
	// may.
	MayGrantAdministration bool `json:"may_grant_administration,omitempty"`
}

// MaxTokens is the largest number of tokens of a user, including expired ones.
const MaxTokens = 100

// Expired reports whether the token has expired.
func (t *Token) Expired(now time.Time) bool { return t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) }

// TokenHash is the SHA-512 of the text of a token. The text has 512 random bits
// and cannot be guessed, so the hash needs no salt and need not be slow.
type TokenHash [sha512.Size]byte

// MarshalText returns the hash in base64.
func (h TokenHash) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, h[:]), nil
}

// UnmarshalText reads the text that MarshalText returns.
func (h *TokenHash) UnmarshalText(text []byte) error {
	hash, err := base64.RawStdEncoding.DecodeString(string(text))
	if err != nil || len(hash) != len(h) {
		return errors.New("not the hash of a token")
	}
	copy(h[:], hash)
	return nil
}

// ErrTokensDisabled means that the settings do not allow personal access
// tokens.
var ErrTokensDisabled = &fault.Error{Kind: fault.Forbidden, Detail: "Personal access tokens are disabled."}

// tokenKey returns the key of a token. It begins with the id of the owner, so
// that the tokens of a user are adjacent.
func tokenKey(userID int64, id string) []byte { return append(userKey(userID), id...) }

// Token returns a token of a user, or ErrNotFound if the user has no token with
// the id. The token is shared and must not be modified.
func (tx *Tx) Token(userID int64, id string) (*Token, error) {
	return tx.s.tokens.Get(tx.kv, tokenKey(userID, id))
}

// TokenOf returns the token whose text has the hash, expired or not, or
// ErrNotFound. The duration of the lookup can depend on the hash, but the hash
// reveals nothing about the text.
func (tx *Tx) TokenOf(hash TokenHash) (*Token, error) {
	key := tx.s.tokenHashes.Get(tx.kv, hash[:])
	if key == nil {
		return nil, fmt.Errorf("token: %w", ErrNotFound)
	}
	return tx.s.tokens.Get(tx.kv, key)
}

// Tokens returns the tokens of a user, newest first. They are shared and must
// not be modified.
func (tx *Tx) Tokens(userID int64) ([]*Token, error) {
	var tokens []*Token
	for t, err := range tx.s.tokens.WithPrefix(tx.kv, userKey(userID)) {
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	slices.SortFunc(tokens, compareTokens)
	return tokens, nil
}

// compareTokens orders tokens from the newest to the oldest.
func compareTokens(a, b *Token) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.ID, b.ID))
}

// AllTokens walks the tokens of all users, by user id.
func (tx *Tx) AllTokens() iter.Seq2[*Token, error] { return tx.s.tokens.All(tx.kv) }

// NewToken is a token to be created. Package auth has already brought it into
// its stored form.
type NewToken struct {
	Name, Description string
	Scopes            []string
	Hash              TokenHash
	ExpiresAt         *time.Time // nil: the token never expires
	// MayGrantAdministration has the meaning of Token.MayGrantAdministration.
	MayGrantAdministration bool
}

// CreateToken creates a token of a user. It fails with ErrNotFound if the user
// was disabled or deleted, with ErrTokensDisabled, with a fault of name if the
// name is taken or the user has MaxTokens tokens, and with a fault of
// expires_at if the settings do not allow the token to live that long.
func (s *Store) CreateToken(ctx context.Context, by Actor, userID int64, n NewToken) (*Token, error) {
	var created *Token
	err := s.update(ctx, by, func(tx *Tx) error {
		if err := tx.checkMayHaveTokens(userID); err != nil {
			return err
		}
		if err := tx.checkTokenName(userID, "", n.Name); err != nil {
			return err
		}
		if err := tx.checkTokenEnd(n.ExpiresAt); err != nil {
			return err
		}
		created = &Token{
			ID: uuid.NewString(), UserID: userID, Name: n.Name, Description: n.Description, Scopes: n.Scopes, Hash: n.Hash,
			CreatedAt: tx.now, UpdatedAt: tx.now, ExpiresAt: n.ExpiresAt, MayGrantAdministration: n.MayGrantAdministration,
		}
		if err := tx.putToken(created); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.PersonalAccessTokenCreation{
			ID: created.ID, Name: created.Name, Scopes: created.Scopes,
			MayGrantAdministration: n.MayGrantAdministration, ExpiresAt: inUTC(n.ExpiresAt),
		})
	})
	return created, err
}

// TokenChange is a change of a token. Fields that are nil stay as they are.
type TokenChange struct {
	Name, Description *string
	Scopes            []string
	ExpiresAt         *time.Time // earlier than the present end
	Endless           bool       // never expire; allowed only if the token never expires now
}

// ChangeToken changes a token of a user. It fails with ErrNotFound, with a
// fault of name if the name is taken, and with a fault of expires_at if the
// token would live longer than before.
func (s *Store) ChangeToken(ctx context.Context, by Actor, userID int64, id string, c TokenChange) (*Token, error) {
	return s.editToken(ctx, by, userID, id, func(tx *Tx, t *Token) (activity.Event, error) {
		before, event := *t, &activity.PersonalAccessTokenModification{ID: id}
		if c.Name != nil && *c.Name != t.Name {
			if err := tx.checkTokenName(userID, id, *c.Name); err != nil {
				return nil, err
			}
			t.Name = *c.Name
		}
		if c.Description != nil && *c.Description != t.Description {
			t.Description, event.Description = *c.Description, c.Description
		}
		if c.Scopes != nil && !slices.Equal(c.Scopes, t.Scopes) {
			t.Scopes, event.Scopes = c.Scopes, c.Scopes
		}
		if t.ExpiresAt != nil && (c.Endless || c.ExpiresAt != nil && c.ExpiresAt.After(*t.ExpiresAt)) {
			return nil, fault.Field("expires_at", "cannot be extended")
		}
		if c.ExpiresAt != nil && (t.ExpiresAt == nil || !c.ExpiresAt.Equal(*t.ExpiresAt)) {
			if err := tx.checkFuture(*c.ExpiresAt); err != nil {
				return nil, err
			}
			t.ExpiresAt, event.ExpiresAt = c.ExpiresAt, inUTC(c.ExpiresAt)
		}
		if reflect.DeepEqual(before, *t) {
			return nil, nil
		}
		event.Name = t.Name
		return event, nil
	})
}

// editToken changes a token of a user, or fails with ErrNotFound.
func (s *Store) editToken(ctx context.Context, by Actor, userID int64, id string, change func(*Tx, *Token) (activity.Event, error)) (*Token, error) {
	return editDocument(ctx, s, by, func(tx *Tx) (*Token, error) { return tx.Token(userID, id) }, change, func(tx *Tx, _, t *Token) error {
		t.UpdatedAt = tx.now
		return tx.putToken(t)
	})
}

// RegenerateToken replaces the text of a user's token and, unless keepEnd is
// set, its end. The previous text, and the sessions that began with it, are no
// longer valid. It fails with ErrNotFound, and for the reasons of CreateToken.
func (s *Store) RegenerateToken(ctx context.Context, by Actor, userID int64, id string, hash TokenHash, keepEnd bool, expiresAt *time.Time) (*Token, error) {
	return s.editToken(ctx, by, userID, id, func(tx *Tx, t *Token) (activity.Event, error) {
		if err := tx.checkMayHaveTokens(userID); err != nil {
			return nil, err
		}
		if t.Hash = hash; !keepEnd {
			t.ExpiresAt = expiresAt
		}
		if err := tx.checkTokenEnd(t.ExpiresAt); err != nil {
			return nil, err
		}
		return &activity.PersonalAccessTokenRegeneration{ID: id, Name: t.Name, ExpiresAt: inUTC(t.ExpiresAt)}, tx.endTokenSessions(t)
	})
}

// ExpireToken ends a token of a user now. The token stays in the lists. A token
// that has already expired stays as it is. It fails with ErrNotFound.
func (s *Store) ExpireToken(ctx context.Context, by Actor, userID int64, id string) (*Token, error) {
	return s.editToken(ctx, by, userID, id, func(tx *Tx, t *Token) (activity.Event, error) {
		if t.Expired(tx.now) {
			return nil, nil
		}
		end := tx.now.Truncate(time.Microsecond) // in the precision that clients see, so that they can send the time back
		t.ExpiresAt = &end
		event := &activity.PersonalAccessTokenExpiration{ID: id, Name: t.Name}
		owner, err := tx.User(userID)
		if err != nil {
			return nil, err
		}
		if owner.Username != by.Name {
			event.TokenOwner = activity.TokenOwner{UserID: userID, Username: owner.Username}
		}
		return event, tx.endTokenSessions(t)
	})
}

// DeleteTokens deletes tokens of a user and logs an entry for each. If one of
// them does not exist, it fails with ErrNotFound and deletes none.
func (s *Store) DeleteTokens(ctx context.Context, by Actor, userID int64, ids []string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		var toDelete []*Token
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			t, err := tx.Token(userID, id)
			if err != nil {
				return err
			}
			toDelete = append(toDelete, t)
		}
		return tx.deleteOwnTokens(userID, toDelete)
	})
}

// DeleteAllTokens deletes all tokens of a user.
func (s *Store) DeleteAllTokens(ctx context.Context, by Actor, userID int64) error {
	return s.update(ctx, by, func(tx *Tx) error {
		tokens, err := tx.Tokens(userID)
		if err != nil {
			return err
		}
		return tx.deleteOwnTokens(userID, tokens)
	})
}

// DeleteTokenOf deletes a token of another user, on behalf of a user who
// manages users. It fails with ErrNotFound.
func (s *Store) DeleteTokenOf(ctx context.Context, by Actor, userID int64, id string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		owner, err := tx.User(userID)
		if err != nil {
			return err
		}
		t, err := tx.Token(userID, id)
		if err != nil {
			return err
		}
		if err := tx.deleteTokens(userID, []*Token{t}); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.PersonalAccessTokenAdminDeletion{AboutUser: owner.aboutUser(), ID: id, Name: t.Name})
	})
}

// deleteOwnTokens deletes tokens on behalf of their owner and logs an entry for
// each.
func (tx *Tx) deleteOwnTokens(userID int64, tokens []*Token) error {
	if len(tokens) == 0 {
		return nil
	}
	if err := tx.deleteTokens(userID, tokens); err != nil {
		return err
	}
	for _, t := range tokens {
		if err := tx.log(tx.by.Name, &activity.PersonalAccessTokenDeletion{TokenID: t.ID, Name: t.Name}); err != nil {
			return err
		}
	}
	return nil
}

// deleteTokensOf deletes the tokens and former texts of a user who is being
// deleted.
func (tx *Tx) deleteTokensOf(userID int64) error {
	tokens, err := tx.Tokens(userID)
	if err != nil {
		return err
	}
	if err := tx.deleteTokens(userID, tokens); err != nil {
		return err
	}
	_, err = tx.s.formerTexts.DeleteWhere(tx.kv, func(f *FormerText) bool { return f.UserID == userID }) // nobody can read the log of the token uses any more
	return err
}

// deleteTokens deletes tokens with the data that belongs to them. A deletion
// leaves no entry in the journal. The user is therefore written again, so that
// followers of the journal update the user's pages.
func (tx *Tx) deleteTokens(userID int64, tokens []*Token) error {
	for _, t := range tokens {
		if err := tx.s.tokens.Delete(tx.kv, tokenKey(userID, t.ID)); err != nil {
			return err
		}
		if err := tx.s.tokenLastUses.Delete(tx.kv, []byte(t.ID)); err != nil {
			return err
		}
		if err := tx.putFormerText(t, TextDeleted); err != nil {
			return err
		}
	}
	if len(tokens) == 0 {
		return nil
	}
	if err := tx.endTokenSessions(tokens...); err != nil {
		return err
	}
	owner, err := tx.storedUser(userID)
	if err != nil {
		return err
	}
	return tx.putUser(owner)
}

// endTokenSessions ends the sessions that began with one of the tokens.
func (tx *Tx) endTokenSessions(tokens ...*Token) error {
	_, err := tx.deleteSessions(func(session *Session) bool {
		return slices.ContainsFunc(tokens, func(t *Token) bool { return t.ID == session.TokenID })
	})
	return err
}

// inUTC returns a time in UTC, as the activity log shows it; nil stays nil.
func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

// putToken stores a token. If its text has changed, it also stores the former
// text.
func (tx *Tx) putToken(t *Token) error {
	before, err := tx.Token(t.UserID, t.ID)
	switch {
	case err == nil && before.Hash != t.Hash:
		if err := tx.putFormerText(before, TextReplaced); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	return tx.s.tokens.Put(tx.kv, tokenKey(t.UserID, t.ID), t)
}

// tokenHashKeysOf returns the key of a token in the index of token hashes.
func tokenHashKeysOf(t *Token) []string { return []string{string(t.Hash[:])} }

// verifyTokens checks that each token has an owner who was not deleted.
func (tx *Tx) verifyTokens() error {
	var faults []error
	for t, err := range tx.AllTokens() {
		if err == nil {
			_, err = tx.User(t.UserID)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("token of nobody: %w", err))
		}
	}
	return errors.Join(faults...)
}

// checkMayHaveTokens refuses a token for a user who is disabled, and any token
// while the settings do not allow tokens.
func (tx *Tx) checkMayHaveTokens(userID int64) error {
	owner, err := tx.User(userID)
	if err != nil {
		return err
	}
	if !owner.Enabled() {
		return fmt.Errorf("user %d: %w", userID, ErrNotFound)
	}
	settings, err := tx.TokenSettings()
	if err == nil && !settings.Enabled {
		err = ErrTokensDisabled
	}
	return err
}

// checkTokenName refuses a name that another token of the user has, or that
// looks like one. id is the id of the token; "" for a new token, which is also
// refused if the user has too many.
func (tx *Tx) checkTokenName(userID int64, id, name string) error {
	tokens, err := tx.Tokens(userID)
	if err != nil {
		return err
	}
	if id == "" && len(tokens) >= MaxTokens {
		return fault.Field("name", fmt.Sprintf("is one too many: a user has at most %d tokens; delete one that is not needed", MaxTokens))
	}
	wanted := appearanceOf(name)
	for _, t := range tokens {
		if t.ID != id && wanted.looksLike(appearanceOf(t.Name)) {
			return fault.Field("name", takenDetail(name, t.Name))
		}
	}
	return nil
}

// checkTokenEnd refuses an end that has passed or is later than the settings
// allow.
func (tx *Tx) checkTokenEnd(expiresAt *time.Time) error {
	if expiresAt != nil {
		if err := tx.checkFuture(*expiresAt); err != nil {
			return err
		}
	}
	settings, err := tx.TokenSettings()
	if err != nil || settings.MaxLifetimeDays == nil {
		return err
	}
	if expiresAt == nil || expiresAt.After(tx.now.AddDate(0, 0, *settings.MaxLifetimeDays)) {
		return fault.Field("expires_at", fmt.Sprintf("should be at most %d day(s) from now", *settings.MaxLifetimeDays))
	}
	return nil
}

func (tx *Tx) checkFuture(expiresAt time.Time) error {
	if !expiresAt.After(tx.now) {
		return fault.Field("expires_at", "must be in the future")
	}
	return nil
}
