package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"trento/store/activity"
	"trento/store/landscape"
)

// User is an account. Ids are never used twice.
type User struct {
	ID           int64  `json:"id"`
	Username     string `json:"username"` // trimmed, lower case, unique
	Fullname     string `json:"fullname"`
	Email        string `json:"email"` // unique
	PasswordHash string `json:"password_hash,omitempty"`
	Abilities    []int  `json:"abilities,omitempty"` // ids, ascending
	Timezone     string `json:"timezone"`            // IANA name

	LockedAt                  *time.Time `json:"locked_at,omitempty"` // set: disabled
	DeletedAt                 *time.Time `json:"deleted_at,omitempty"`
	PasswordChangeRequestedAt *time.Time `json:"password_change_requested_at,omitempty"`
	LastLoginAt               *time.Time `json:"last_login_at,omitempty"` // sign-ins with a password

	LockVersion int       `json:"lock_version"` // grows with every change a person makes
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Enabled reports whether the user may do anything at all.
func (u *User) Enabled() bool { return u.LockedAt == nil && u.DeletedAt == nil }

// NewUser is what it takes to make a user.
type NewUser struct {
	Username, Fullname, Email string
	PasswordHash              string
	Abilities                 []int
	Enabled                   bool
	Timezone                  string // Etc/UTC where empty
}

// MaxName is the length of a user name or full name in characters.
const MaxName = 255

// reservedNames are actors of the activity log that are nobody.
var reservedNames = []string{activity.System, activity.NoUsername}

// NormalUsername is the form in which user names are stored and compared.
func NormalUsername(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// normalize brings a new user into its stored form, or says what is wrong.
func (u *NewUser) normalize() error {
	u.Username = NormalUsername(u.Username)
	u.Fullname = strings.TrimSpace(u.Fullname)
	if u.Timezone == "" {
		u.Timezone = "Etc/UTC"
	}
	slices.Sort(u.Abilities)
	u.Abilities = slices.Compact(u.Abilities)
	for field, value := range map[string]string{"username": u.Username, "fullname": u.Fullname} {
		switch {
		case value == "":
			return &landscape.InvalidError{Field: field, Detail: "can't be blank"}
		case utf8.RuneCountInString(value) > MaxName:
			return &landscape.InvalidError{Field: field, Detail: "should be at most 255 character(s)"}
		case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			return &landscape.InvalidError{Field: field, Detail: "is invalid"}
		}
	}
	if slices.Contains(reservedNames, u.Username) {
		return &landscape.InvalidError{Field: "username", Detail: "is reserved"}
	}
	return nil
}

// User returns a user who was not deleted, or ErrNotFound. The user is shared
// and must not be modified.
func (tx *Tx) User(id int64) (*User, error) {
	u, err := tx.anyUser(id)
	if err == nil && u.DeletedAt != nil {
		return nil, fmt.Errorf("user %d: %w", id, ErrNotFound)
	}
	return u, err
}

func (tx *Tx) anyUser(id int64) (*User, error) {
	return get(tx, bucketUser, &tx.s.users, key64(uint64(id)))
}

// UserNamed returns the user of that name who was not deleted, or ErrNotFound.
// The name may be given in any form.
func (tx *Tx) UserNamed(username string) (*User, error) {
	id := tx.btx.Bucket(bucketUsername).Get([]byte(NormalUsername(username)))
	if id == nil {
		return nil, fmt.Errorf("user %q: %w", username, ErrNotFound)
	}
	return tx.User(int64(binary.BigEndian.Uint64(id)))
}

// Users walks the users who were not deleted, by id.
func (tx *Tx) Users() iter.Seq2[*User, error] {
	return func(yield func(*User, error) bool) {
		for u, err := range scan(tx, bucketUser, &tx.s.users) {
			if err == nil && u.DeletedAt != nil {
				continue
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

// CreateUser makes a user. It fails with ErrConflict, wrapped in an
// InvalidError's field name, where the name or the address is taken.
func (s *Store) CreateUser(ctx context.Context, by Actor, n NewUser) (*User, error) {
	if err := n.normalize(); err != nil {
		return nil, err
	}
	var created *User
	err := s.update(ctx, by, func(tx *Tx) (err error) {
		created, err = tx.createUser(n)
		if err != nil {
			return err
		}
		created.PasswordChangeRequestedAt = &tx.now
		if err := tx.recordUser(created); err != nil {
			return err
		}
		return tx.log(by.Name, activity.UserCreation, map[string]any{
			"user_id": created.ID, "username": created.Username, "fullname": created.Fullname, "email": created.Email,
			"enabled": created.Enabled(), "timezone": created.Timezone, "abilities": created.Abilities,
		})
	})
	return created, err
}

// createUser gives a new user its id and takes the name and address for it.
func (tx *Tx) createUser(n NewUser) (*User, error) {
	for _, taken := range []struct {
		bucket []byte
		key    string
		field  string
	}{{bucketUsername, n.Username, "username"}, {bucketEmail, n.Email, "email"}} {
		if taken.key != "" && tx.btx.Bucket(taken.bucket).Get([]byte(taken.key)) != nil {
			return nil, fmt.Errorf("%s %w", taken.field, ErrConflict)
		}
	}
	id, err := tx.btx.Bucket(bucketUser).NextSequence()
	if err != nil {
		return nil, err
	}
	u := &User{
		ID: int64(id), Username: n.Username, Fullname: n.Fullname, Email: n.Email, PasswordHash: n.PasswordHash,
		Abilities: n.Abilities, Timezone: n.Timezone, LockVersion: 1, CreatedAt: tx.now.UTC(), UpdatedAt: tx.now.UTC(),
	}
	if !n.Enabled {
		u.LockedAt = &tx.now
	}
	return u, nil
}

// recordUser stores a user and keeps the indexes of names and addresses.
func (tx *Tx) recordUser(u *User) error {
	key := key64(uint64(u.ID))
	if before, err := tx.anyUser(u.ID); err == nil {
		if err := tx.delete(bucketUsername, []byte(before.Username)); err != nil {
			return err
		}
		if err := tx.delete(bucketEmail, []byte(before.Email)); err != nil {
			return err
		}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if u.DeletedAt == nil {
		if err := tx.put(bucketUsername, []byte(u.Username), key); err != nil {
			return err
		}
		if u.Email != "" {
			if err := tx.put(bucketEmail, []byte(u.Email), key); err != nil {
				return err
			}
		}
	}
	return tx.record(bucketUser, key, u)
}

// EnsureAdmin makes sure that the administrator the configuration names exists
// and has the given abilities. An empty password hash leaves the password of
// an existing one alone; any other replaces it and ends all sessions of the
// administrator. It fails with ErrConflict where another user has the address.
func (s *Store) EnsureAdmin(ctx context.Context, n NewUser) (created bool, err error) {
	if err := n.normalize(); err != nil {
		return false, err
	}
	err = s.update(ctx, System(), func(tx *Tx) error {
		created = false
		before, err := tx.UserNamed(n.Username)
		if errors.Is(err, ErrNotFound) {
			created = true
			u, err := tx.createUser(n)
			if err != nil {
				return err
			}
			return tx.recordUser(u)
		}
		if err != nil {
			return err
		}
		after := *before
		after.Abilities = slices.Compact(slices.Sorted(slices.Values(slices.Concat(before.Abilities, n.Abilities))))
		after.LockedAt = nil
		if n.PasswordHash != "" {
			after.PasswordHash = n.PasswordHash
			if err := tx.endSessions(after.ID); err != nil {
				return err
			}
		}
		if after.PasswordHash == before.PasswordHash && after.LockedAt == before.LockedAt && slices.Equal(after.Abilities, before.Abilities) {
			return nil
		}
		after.LockVersion++
		after.UpdatedAt = tx.now.UTC()
		return tx.recordUser(&after)
	})
	return created, err
}

// DisableUser bars a user. All sessions of the user end in the same
// transaction.
func (s *Store) DisableUser(ctx context.Context, by Actor, id int64) error {
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.User(id)
		if err != nil || before.LockedAt != nil {
			return err
		}
		after := *before
		after.LockedAt = &tx.now
		after.LockVersion++
		after.UpdatedAt = tx.now.UTC()
		if err := tx.endSessions(id); err != nil {
			return err
		}
		if err := tx.recordUser(&after); err != nil {
			return err
		}
		return tx.log(by.Name, activity.UserModification, map[string]any{"user_id": id, "username": before.Username, "enabled": false})
	})
}
