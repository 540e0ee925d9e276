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

// User is a user account. Ids are never reused.
type User struct {
	ID           int64  `json:"id"`
	Username     string `json:"username"` // in the form of NormalUsername; unique, and names that look alike count as equal
	Fullname     string `json:"fullname"`
	Email        string `json:"email"` // unique without regard to letter case
	PasswordHash string `json:"password_hash,omitempty"`
	Abilities    []int  `json:"abilities,omitempty"` // ability ids, ascending
	Timezone     string `json:"timezone"`            // IANA name

	LockedAt                  *time.Time `json:"locked_at,omitempty"` // not nil: the user is disabled
	DeletedAt                 *time.Time `json:"deleted_at,omitempty"`
	PasswordChangeRequestedAt *time.Time `json:"password_change_requested_at,omitempty"` // not nil: another user has set the password
	LastLoginAt               *time.Time `json:"last_login_at,omitempty"`                // the last sign-in with a password

	// The second factor. A secret without TOTPEnabledAt was offered but is not
	// enabled.
	TOTPSecret     []byte     `json:"totp_secret,omitempty"` // encrypted by package auth
	TOTPEnabledAt  *time.Time `json:"totp_enabled_at,omitempty"`
	TOTPLastUsedAt *time.Time `json:"totp_last_used_at,omitempty"` // no code of this time or earlier is accepted

	// Identities are the persons at identity providers that are linked with the
	// user.
	Identities []Identity `json:"identities,omitempty"`

	AnalyticsEnabledAt      *time.Time `json:"analytics_enabled_at,omitempty"`
	AnalyticsEULAAcceptedAt *time.Time `json:"analytics_eula_accepted_at,omitempty"`

	// FirstStepsHiddenAt is when the user hid the list of what to set up next; nil
	// if it is shown.
	FirstStepsHiddenAt *time.Time `json:"first_steps_hidden_at,omitempty"`

	// LockVersion starts at 1 and grows with every change of the name, e-mail
	// address, password, abilities or time zone, and when the user is enabled
	// or disabled or the second factor is enabled or disabled.
	LockVersion int       `json:"lock_version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Enabled reports whether the user can sign in.
func (u *User) Enabled() bool { return u.LockedAt == nil && u.DeletedAt == nil }

// DefaultTimezone is the time zone of users who have chosen none.
const DefaultTimezone = "Etc/UTC"

// NewUser is a user to be created.
type NewUser struct {
	Username, Fullname, Email string
	PasswordHash              string
	Abilities                 []int
	Enabled                   bool
	Timezone                  string // "" means DefaultTimezone
	// Logged is what the activity log shows of the request. The store adds the
	// user.
	Logged activity.UserCreation
}

// NormalUsername returns the form in which user names are stored and compared:
// NormalName in lower case.
func NormalUsername(name string) string { return NormalName(strings.ToLower(name)) }

// normalize brings a new user into its stored form. Package auth has checked
// the values.
func (u *NewUser) normalize() {
	u.Username = NormalUsername(u.Username)
	if u.Timezone == "" {
		u.Timezone = DefaultTimezone
	}
	u.Abilities = normalizeAbilities(u.Abilities)
}

// normalizeAbilities returns ability ids in their stored form: ascending, and each only
// once.
func normalizeAbilities(ids []int) []int { return slices.Compact(slices.Sorted(slices.Values(ids))) }

// User returns a user who was not deleted, or ErrNotFound. The user is shared
// and must not be modified.
func (tx *Tx) User(id int64) (*User, error) {
	u, err := tx.storedUser(id)
	if err == nil && u.DeletedAt != nil {
		return nil, fmt.Errorf("user %d: %w", id, ErrNotFound)
	}
	return u, err
}

// userKey returns the key of a user. The keys of the user's tokens begin with
// it.
func userKey(id int64) []byte { return kv.Key64(uint64(id)) }

const userKeySize = 8

// usernameKeysOf returns the key of a user in the index of user names.
func usernameKeysOf(u *User) []string {
	if u.DeletedAt != nil {
		return nil
	}
	return []string{u.Username}
}

func (tx *Tx) storedUser(id int64) (*User, error) {
	return tx.s.users.Get(tx.kv, userKey(id))
}

// UserNamed returns the user with that name who was not deleted, or
// ErrNotFound. The name may be given in any form. Files of older versions can
// contain two users whose names have the same normal form. Each of them is then
// found by the name as it was written.
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

// CreateUser creates a user, who should change the password at the first
// sign-in. It fails with a fault of username or email if another user has it.
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
		event.AboutUser = created.aboutUser()
		return tx.log(by.Name, &event)
	})
	return created, err
}

// aboutUser returns the user as an activity log event names it.
func (u *User) aboutUser() activity.AboutUser {
	return activity.AboutUser{UserID: u.ID, Username: u.Username}
}

// createUser returns a new user with its id, after it has checked that the name
// and the address are free. The caller stores the user.
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

// checkUsername refuses a name that another user has, or that looks like one.
// There is no index of appearances: they change with every version of Unicode,
// and users are rarely created.
func (tx *Tx) checkUsername(username string) error {
	wanted := appearanceOf(username)
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		if wanted.looksLike(appearanceOf(u.Username)) {
			return fault.Field("username", takenDetail(username, u.Username))
		}
	}
	return nil
}

// checkEmail refuses an address that a user other than id has, without regard
// to letter case.
func (tx *Tx) checkEmail(id int64, address string) error {
	if address == "" {
		return nil
	}
	wanted := foldCase(address)
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		if u.ID != id && foldCase(u.Email) == wanted {
			return fault.Field("email", takenDetail("", ""))
		}
	}
	return nil
}

// UserChange is a change of a user by another user who manages users. Fields
// that are nil stay as they are.
type UserChange struct {
	Fullname, Email, Timezone *string
	PasswordHash              *string
	Abilities                 *[]int
	Enabled                   *bool
	DisableTOTP               bool
	// Logged is what the activity log shows of the request. The store adds the
	// user.
	Logged activity.UserModification
}

// ChangeUser changes a user. A user who is disabled or gets a new password is
// signed out everywhere in the same transaction. A change that has no effect is
// logged too, because somebody requested it. It fails with ErrNotFound, with
// ErrStale if version is not the current LockVersion, and with a fault of email
// if another user has the address.
func (s *Store) ChangeUser(ctx context.Context, by Actor, id int64, version int, c UserChange) (*User, error) {
	return s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		if u.LockVersion != version {
			return nil, fmt.Errorf("user %d: %w: it is %d by now", id, ErrStale, u.LockVersion)
		}
		setIfGiven(&u.Fullname, c.Fullname)
		setIfGiven(&u.Email, c.Email)
		setIfGiven(&u.Timezone, c.Timezone)
		if c.Abilities != nil {
			u.Abilities = normalizeAbilities(*c.Abilities)
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
		c.Logged.AboutUser = u.aboutUser()
		if c.PasswordHash != nil || u.LockedAt != nil {
			return &c.Logged, tx.endSessions(id)
		}
		return &c.Logged, nil
	})
}

// editUser changes a user, or fails with ErrNotFound.
func (s *Store) editUser(ctx context.Context, by Actor, id int64, change func(*Tx, *User) (activity.Event, error)) (*User, error) {
	return editDocument(ctx, s, by, func(tx *Tx) (*User, error) { return tx.User(id) }, change, (*Tx).changeUser)
}

// setIfGiven sets a value if to is not nil.
func setIfGiven[T any](value *T, to *T) {
	if to != nil {
		*value = *to
	}
}

// changeUser stores a changed user. It increases LockVersion if one of the
// fields that LockVersion counts has changed.
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

// DeleteUser deletes a user with the sessions, saved views and tokens, or fails
// with ErrNotFound. A record with only the id and the name stays, so that the
// activity log can be read. Another user can use the name and the address at
// once.
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
		return tx.log(by.Name, &activity.UserDeletion{AboutUser: before.aboutUser()})
	})
}

func (tx *Tx) putUser(u *User) error { return tx.s.users.Put(tx.kv, userKey(u.ID), u) }

// EnsureAdmin ensures that the administrator from the configuration exists, is
// enabled, has the given abilities, and has no second factor. An empty password
// hash keeps the password of an existing administrator. Any other hash replaces
// the password and ends all sessions of the administrator. It fails with a
// fault of email if another user has the address.
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
			return tx.log(tx.by.Name, &activity.UserCreation{AboutUser: u.aboutUser()})
		}
		if err != nil {
			return err
		}
		after := *before
		after.Abilities = normalizeAbilities(slices.Concat(before.Abilities, n.Abilities))
		after.LockedAt = nil
		after.deleteTOTP()
		event := &activity.UserModification{AboutUser: before.aboutUser()}
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
