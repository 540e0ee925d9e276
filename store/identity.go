package store

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/fault"
)

// Identity links a user with a person at an identity provider.
type Identity struct {
	Provider string `json:"provider"`
	Subject  string `json:"subject"` // the provider's permanent id of the person
}

// ErrDisabled means that the user of the person is disabled.
var ErrDisabled = errors.New("the account is disabled")

// ErrLinked means that the user with the name of the person is linked with
// another person of the same provider.
var ErrLinked = errors.New("the account is linked with somebody else")

// Person is a person whose identity an identity provider has confirmed.
type Person struct {
	Identity
	Username, Fullname, Email string // in their normal form; Email may be empty
	// Abilities replace the abilities of the user; nil keeps them.
	Abilities []int
	// LoggedAbilities are the Abilities as the activity log shows them.
	LoggedAbilities *[]activity.Ability
	// Attempt is the hash of the sign-in at the provider, which can be used
	// only once. AttemptEnds is when the sign-in expires.
	Attempt     [32]byte
	AttemptEnds time.Time
}

// UsedAttempt is a sign-in at an identity provider that was used.
type UsedAttempt struct {
	Hash [32]byte  `json:"-"`
	Ends time.Time `json:"ends"` // when the sign-in expires, so that it need not be stored any longer
}

// identityKeysOf returns the keys of a user in the index of identities.
func identityKeysOf(u *User) []string {
	if u.DeletedAt != nil {
		return nil
	}
	keys := make([]string, len(u.Identities))
	for i, id := range u.Identities {
		keys[i] = id.key()
	}
	return keys
}

// key returns the index key of the identity. It is unique because the names of
// providers are ours and contain no zero byte.
func (id Identity) key() string { return id.Provider + "\x00" + id.Subject }

// isLinkedWith reports whether the user is linked with a person of the
// provider.
func (u *User) isLinkedWith(provider string) bool {
	for _, id := range u.Identities {
		if id.Provider == provider {
			return true
		}
	}
	return false
}

// accountOf returns the user of a person: the user that is linked with the
// person, or else the user with the person's name, or else a new user. The
// latter two are now linked with the person. A user is never found by e-mail
// address: a person who may choose their address at the provider could choose
// the address of somebody else. Only the provider assigns names. accountOf
// fails with ErrStale if the attempt was used before, with ErrDisabled, with
// ErrLinked, and with faults of username and email if a new user cannot be
// created.
func (tx *Tx) accountOf(p *Person) (*User, error) {
	if err := tx.useAttempt(p); err != nil {
		return nil, err
	}
	before, err := tx.linkedUser(p.Identity)
	if errors.Is(err, ErrNotFound) {
		before, err = tx.UserNamed(p.Username)
		if err == nil && before.isLinkedWith(p.Provider) {
			return nil, fmt.Errorf("user %d: %w", before.ID, ErrLinked)
		}
	}
	if errors.Is(err, ErrNotFound) {
		return tx.createAccountOf(p)
	}
	if err != nil {
		return nil, err
	}
	if !before.Enabled() {
		return nil, fmt.Errorf("user %d: %w", before.ID, ErrDisabled)
	}
	return tx.updateFromProvider(before, p)
}

// linkedUser returns the user that is linked with an identity, or ErrNotFound.
func (tx *Tx) linkedUser(id Identity) (*User, error) {
	key := tx.s.identities.Get(tx.kv, []byte(id.key()))
	if key == nil {
		return nil, fmt.Errorf("user of %s: %w", id.Provider, ErrNotFound)
	}
	return tx.s.users.Get(tx.kv, key)
}

// createAccountOf creates a user for a person, with only the abilities that the
// person has been given.
func (tx *Tx) createAccountOf(p *Person) (*User, error) {
	u, err := tx.createUser(NewUser{
		Username: p.Username, Fullname: p.Fullname, Email: p.Email, Abilities: normalizeAbilities(p.Abilities), Enabled: true, Timezone: DefaultTimezone,
	})
	if err != nil {
		return nil, err
	}
	u.Identities = []Identity{p.Identity}
	if err := tx.putUser(u); err != nil {
		return nil, err
	}
	return u, tx.log(tx.by.Name, &activity.UserCreation{AboutUser: u.aboutUser(), Abilities: p.LoggedAbilities, Provider: p.Provider})
}

// updateFromProvider updates the user of a person with the data from the
// provider. It ignores an e-mail address that another user has: that is no
// reason to refuse the sign-in.
func (tx *Tx) updateFromProvider(before *User, p *Person) (*User, error) {
	after := *before
	event := &activity.UserModification{AboutUser: before.aboutUser(), Provider: p.Provider}
	if !before.isLinkedWith(p.Provider) {
		after.Identities = append([]Identity{p.Identity}, before.Identities...)
	}
	if p.Fullname != before.Fullname {
		after.Fullname, event.Fullname = p.Fullname, &p.Fullname
	}
	if p.Email != before.Email && p.Email != "" {
		err := tx.checkEmail(before.ID, p.Email)
		if err == nil {
			after.Email, event.Email = p.Email, &p.Email
		} else if fault.Fields(err) == nil {
			return nil, err
		}
	}
	if p.Abilities != nil {
		after.Abilities = normalizeAbilities(p.Abilities)
	}
	if !slices.Equal(after.Abilities, before.Abilities) {
		event.Abilities = p.LoggedAbilities
	}
	if reflect.DeepEqual(before, &after) {
		return before, nil
	}
	if err := tx.changeUser(before, &after); err != nil {
		return nil, err
	}
	return &after, tx.log(tx.by.Name, event)
}

// useAttempt stores that the attempt was used. It fails with ErrStale if it was
// used before.
func (tx *Tx) useAttempt(p *Person) error {
	_, err := tx.s.usedAttempts.Get(tx.kv, p.Attempt[:])
	if err == nil {
		return fmt.Errorf("sign-in at the identity provider: %w: it was used before", ErrStale)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	return tx.s.usedAttempts.Put(tx.kv, p.Attempt[:], &UsedAttempt{Hash: p.Attempt, Ends: p.AttemptEnds})
}

// pruneUsedAttempts deletes the used attempts that have expired.
func (tx *Tx) pruneUsedAttempts() error {
	_, err := tx.s.usedAttempts.DeleteWhere(tx.kv, func(used *UsedAttempt) bool { return !tx.now.Before(used.Ends) })
	return err
}
