package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/kv"
)

// User is an account. Ids are never used twice.
type User struct {
	ID           int64  `json:"id"`
	Username     string `json:"username"` // in the form of NormalUsername; unique, see looks
	Fullname     string `json:"fullname"`
	Email        string `json:"email"` // unique without letter case
	PasswordHash string `json:"password_hash,omitempty"`
	Abilities    []int  `json:"abilities,omitempty"` // ids, ascending
	Timezone     string `json:"timezone"`            // IANA name

	LockedAt                  *time.Time `json:"locked_at,omitempty"` // set: disabled
	DeletedAt                 *time.Time `json:"deleted_at,omitempty"`
	PasswordChangeRequestedAt *time.Time `json:"password_change_requested_at,omitempty"` // set: by somebody else
	LastLoginAt               *time.Time `json:"last_login_at,omitempty"`                // sign-ins with a password

	// The second factor. There may be a secret that is not in force yet.
	TOTPSecret     []byte     `json:"totp_secret,omitempty"` // sealed by package auth
	TOTPEnabledAt  *time.Time `json:"totp_enabled_at,omitempty"`
	TOTPLastUsedAt *time.Time `json:"totp_last_used_at,omitempty"` // no code of this time or before is taken again

	// Identities are whom the user is at identity providers.
	Identities []Identity `json:"identities,omitempty"`

	AnalyticsEnabledAt      *time.Time `json:"analytics_enabled_at,omitempty"`
	AnalyticsEULAAcceptedAt *time.Time `json:"analytics_eula_accepted_at,omitempty"`

	// LockVersion starts at 1 and grows with every change of name, address,
	// password, abilities, time zone, and of whether the user is enabled and
	// has a second factor.
	LockVersion int       `json:"lock_version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Enabled reports whether the user may do anything at all.
func (u *User) Enabled() bool { return u.LockedAt == nil && u.DeletedAt == nil }

// DefaultTimezone is the time zone of users who have chosen none.
const DefaultTimezone = "Etc/UTC"

// NewUser is what it takes to make a user.
type NewUser struct {
	Username, Fullname, Email string
	PasswordHash              string
	Abilities                 []int
	Enabled                   bool
	Timezone                  string // DefaultTimezone where empty
	// Logged is what the activity log shows of the request. The store adds whom
	// it is about.
	Logged activity.UserCreation
}

// NormalUsername is the form in which user names are stored and compared: that
// of NormalName, in lower case.
func NormalUsername(name string) string { return NormalName(strings.ToLower(name)) }

// normalize brings a new user into its stored form. Whether the values make
// sense is package auth's to say.
func (u *NewUser) normalize() {
	u.Username = NormalUsername(u.Username)
	if u.Timezone == "" {
		u.Timezone = DefaultTimezone
	}
	u.Abilities = abilitySet(u.Abilities)
}

// abilitySet is a list of abilities as it is stored.
func abilitySet(ids []int) []int { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// User returns a user who was not deleted, or ErrNotFound. The user is shared
// and must not be modified.
func (tx *Tx) User(id int64) (*User, error) {
	u, err := tx.storedUser(id)
	if err == nil && u.DeletedAt != nil {
		return nil, fmt.Errorf("user %d: %w", id, ErrNotFound)
	}
	return u, err
}

// userKey is the key of a user, and what the keys of the user's tokens begin with.
func userKey(id int64) []byte { return kv.Key64(uint64(id)) }

const userKeySize = 8

// usernamesOf is the name by which a user is found.
func usernamesOf(u *User) []string {
	if u.DeletedAt != nil {
		return nil
	}
	return []string{u.Username}
}

func (tx *Tx) storedUser(id int64) (*User, error) {
	return tx.s.users.Get(tx.kv, userKey(id))
}

// UserNamed returns the user of that name who was not deleted, or ErrNotFound.
// The name may be given in any form. Two users of older versions can have names
// that have one normal form; then each goes by the name as it was written.
func (tx *Tx) UserNamed(username string) (*User, error) {
	id := tx.s.usernames.Get(tx.kv, []byte(strings.ToLower(strings.TrimSpace(username))))
	if id == nil {
		id = tx.s.usernames.Get(tx.kv, []byte(NormalUsername(username)))
	}
	if id == nil {
		return nil, fmt.Errorf("user %q: %w", username, ErrNotFound)
	}
	return tx.User(int64(binary.BigEndian.Uint64(id)))
}

// Users walks the users who were not deleted, by id.
func (tx *Tx) Users() iter.Seq2[*User, error] {
	return func(yield func(*User, error) bool) {
		for u, err := range tx.s.users.All(tx.kv) {
			if err == nil && u.DeletedAt != nil {
				continue
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

// CreateUser makes a user whose password ought to be changed. It fails with a
// fault of username or email where another user has that.
func (s *Store) CreateUser(ctx context.Context, by Actor, n NewUser) (*User, error) {
	n.normalize()
	var created *User
	err := s.update(ctx, by, func(tx *Tx) (err error) {
		created, err = tx.createUser(n)
		if err != nil {
			return err
		}
		created.PasswordChangeRequestedAt = tx.timestamp()
		if err := tx.putUser(created); err != nil {
			return err
		}
		event := n.Logged
		event.AboutUser = created.about()
		return tx.log(by.Name, &event)
	})
	return created, err
}

// about names the user in an event.
func (u *User) about() activity.AboutUser {
	return activity.AboutUser{UserID: u.ID, Username: u.Username}
}

// createUser gives a new user its id and takes the name and address for it.
func (tx *Tx) createUser(n NewUser) (*User, error) {
	if err := tx.checkUsername(n.Username); err != nil {
		return nil, err
	}
	if err := tx.checkEmail(0, n.Email); err != nil {
		return nil, err
	}
	id, err := tx.s.users.NextSequence(tx.kv)
	if err != nil {
		return nil, err
	}
	u := &User{
		ID: int64(id), Username: n.Username, Fullname: n.Fullname, Email: n.Email, PasswordHash: n.PasswordHash,
		Abilities: n.Abilities, Timezone: n.Timezone, LockVersion: 1, CreatedAt: tx.now.UTC(), UpdatedAt: tx.now.UTC(),
	}
	if !n.Enabled {
		u.LockedAt = tx.timestamp()
	}
	return u, nil
}

// checkUsername refuses a name that another user has, or one that looks like it.
// What a name looks like is not kept in an index: it is known better with each
// version of Unicode, and users are made rarely.
func (tx *Tx) checkUsername(username string) error {
	wanted := looksOf(username)
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		if wanted.match(looksOf(u.Username)) {
			return fault.Field("username", takenDetail(username, u.Username))
		}
	}
	return nil
}

// checkEmail refuses an address that another user than the one with the id has,
// in whatever letter case.
func (tx *Tx) checkEmail(id int64, address string) error {
	if address == "" {
		return nil
	}
	wanted := fold(address)
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		if u.ID != id && fold(u.Email) == wanted {
			return fault.Field("email", takenDetail("", ""))
		}
	}
	return nil
}

// UserChange is what somebody who manages users changes of one. What is nil
// stays as it is.
type UserChange struct {
	Fullname, Email, Timezone *string
	PasswordHash              *string
	Abilities                 *[]int
	Enabled                   *bool
	DisableTOTP               bool
	// Logged is what the activity log shows of the request. The store adds whom
	// it is about.
	Logged activity.UserModification
}

// ChangeUser changes a user. It fails with ErrNotFound, with ErrStale where
// the user is no longer of that LockVersion, and with a fault of
// email where another user has that. A user who
// is disabled or gets another password is signed out everywhere in the same
// transaction. A change that changes nothing is logged all the same: somebody
// asked for it.
func (s *Store) ChangeUser(ctx context.Context, by Actor, id int64, version int, c UserChange) (*User, error) {
	return s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		if u.LockVersion != version {
			return nil, fmt.Errorf("user %d: %w: it is %d by now", id, ErrStale, u.LockVersion)
		}
		setIfGiven(&u.Fullname, c.Fullname)
		setIfGiven(&u.Email, c.Email)
		setIfGiven(&u.Timezone, c.Timezone)
		if c.Abilities != nil {
			u.Abilities = abilitySet(*c.Abilities)
		}
		if c.PasswordHash != nil {
			u.PasswordHash, u.PasswordChangeRequestedAt = *c.PasswordHash, tx.timestamp()
		}
		if c.DisableTOTP {
			u.deleteTOTP()
		}
		switch {
		case c.Enabled == nil:
		case *c.Enabled:
			u.LockedAt = nil
		case u.LockedAt == nil:
			u.LockedAt = tx.timestamp()
		}
		c.Logged.AboutUser = u.about()
		if c.PasswordHash != nil || u.LockedAt != nil {
			return &c.Logged, tx.endSessions(id)
		}
		return &c.Logged, nil
	})
}

// editUser changes a user, or fails with ErrNotFound.
func (s *Store) editUser(ctx context.Context, by Actor, id int64, change func(*Tx, *User) (activity.Event, error)) (*User, error) {
	return edit(ctx, s, by, func(tx *Tx) (*User, error) { return tx.User(id) }, change, (*Tx).changeUser)
}

// setIfGiven sets a value where there is a new one.
func setIfGiven[T any](value *T, to *T) {
	if to != nil {
		*value = *to
	}
}

// changeUser stores a user who was changed, if anything was, and raises the
// version where that counts.
func (tx *Tx) changeUser(before, after *User) error {
	if reflect.DeepEqual(before, after) {
		return nil
	}
	if after.Email != before.Email {
		if err := tx.checkEmail(after.ID, after.Email); err != nil {
			return err
		}
	}
	after.UpdatedAt = tx.now.UTC()
	if after.Fullname != before.Fullname || after.Email != before.Email || after.Timezone != before.Timezone ||
		after.PasswordHash != before.PasswordHash || !slices.Equal(after.Abilities, before.Abilities) ||
		after.Enabled() != before.Enabled() || (after.TOTPEnabledAt == nil) != (before.TOTPEnabledAt == nil) {
		after.LockVersion++
	}
	return tx.putUser(after)
}

// DeleteUser deletes a user, or fails with ErrNotFound. Of the account a
// tombstone is left, id and name, so that the activity log can be read; the
// name and the address can be given to somebody else at once. Sessions, saved
// views and tokens go in the same transaction.
func (s *Store) DeleteUser(ctx context.Context, by Actor, id int64) error {
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.User(id)
		if err != nil {
			return err
		}
		if err := tx.endSessions(id); err != nil {
			return err
		}
		if err := tx.deleteTokensOf(id); err != nil {
			return err
		}
		if err := tx.s.views.Delete(tx.kv, userKey(id)); err != nil {
			return err
		}
		err = tx.putUser(&User{
			ID: id, Username: before.Username, Timezone: before.Timezone, DeletedAt: tx.timestamp(),
			LockVersion: before.LockVersion + 1, CreatedAt: before.CreatedAt, UpdatedAt: tx.now.UTC(),
		})
		if err != nil {
			return err
		}
		return tx.log(by.Name, &activity.UserDeletion{AboutUser: before.about()})
	})
}

func (tx *Tx) putUser(u *User) error { return tx.s.users.Put(tx.kv, userKey(u.ID), u) }

// EnsureAdmin makes sure that the administrator the configuration names exists,
// is enabled, has the given abilities and needs no second factor. An empty
// password hash leaves the password of an existing one alone; any other
// replaces it and ends all sessions of the administrator. It fails with a
// fault of email where another user has the address.
func (s *Store) EnsureAdmin(ctx context.Context, n NewUser) (created bool, err error) {
	n.normalize()
	err = s.update(ctx, System(), func(tx *Tx) error {
		created = false
		before, err := tx.UserNamed(n.Username)
		if errors.Is(err, ErrNotFound) {
			created = true
			u, err := tx.createUser(n)
			if err != nil {
				return err
			}
			if err := tx.putUser(u); err != nil {
				return err
			}
			return tx.log(tx.by.Name, &activity.UserCreation{AboutUser: u.about()})
		}
		if err != nil {
			return err
		}
		after := *before
		after.Abilities = abilitySet(slices.Concat(before.Abilities, n.Abilities))
		after.LockedAt = nil
		after.deleteTOTP()
		event := &activity.UserModification{AboutUser: before.about()}
		if n.PasswordHash != "" {
			after.PasswordHash, after.PasswordChangeRequestedAt = n.PasswordHash, nil
			event.Password = true
			if err := tx.endSessions(after.ID); err != nil {
				return err
			}
		}
		if reflect.DeepEqual(before, &after) {
			return nil
		}
		if err := tx.changeUser(before, &after); err != nil {
			return err
		}
		return tx.log(tx.by.Name, event)
	})
	return created, err
}
