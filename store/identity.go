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

// Identity links an account with a person at an identity provider.
type Identity struct {
	Provider string `json:"provider"`
	Subject  string `json:"subject"` // names the person for ever, at this provider
}

// ErrDisabled: the account is disabled.
var ErrDisabled = errors.New("the account is disabled")

// ErrLinked: an account has the name of the person but belongs to another
// person of the same provider.
var ErrLinked = errors.New("the account is linked with somebody else")

// Person is whom an identity provider vouches for.
type Person struct {
	Identity
	Username, Fullname, Email string // in their normal form; Email may be empty
	// Abilities replace those of the account; nil leaves them.
	Abilities []int
	// LoggedAbilities are Abilities as the activity log shows them.
	LoggedAbilities *[]activity.Ability
	// Attempt is the hash of the sign-in at the provider, which can be made use of
	// once. It counts until AttemptEnds.
	Attempt     [32]byte
	AttemptEnds time.Time
}

// UsedAttempt is a sign-in at an identity provider that was made use of.
type UsedAttempt struct {
	Hash [32]byte  `json:"-"`
	Ends time.Time `json:"ends"` // from when the attempt would be too old anyway
}

// identityKeysOf are the keys by which a user is found.
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

// key cannot be that of another identity: the names of providers are ours and
// have no zero byte.
func (id Identity) key() string { return id.Provider + "\x00" + id.Subject }

// isLinkedWith reports whether the user is linked with somebody of a provider.
func (u *User) isLinkedWith(provider string) bool {
	for _, id := range u.Identities {
		if id.Provider == provider {
			return true
		}
	}
	return false
}

// accountOf returns the account of a person: the one that is linked with the
// person, else the one with the person's name, which is linked now, else a new
// one. Never is an account found by its e-mail address: who may choose an
// address at the provider could choose somebody else's. Names are the provider's
// to give. It fails with ErrStale where the attempt was made use of before, with
// ErrDisabled, with ErrLinked, and with faults of username and email where a new
// account cannot be made.
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

// linkedUser is the user that is linked with a person, or ErrNotFound.
func (tx *Tx) linkedUser(id Identity) (*User, error) {
	key := tx.s.identities.Get(tx.kv, []byte(id.key()))
	if key == nil {
		return nil, fmt.Errorf("user of %s: %w", id.Provider, ErrNotFound)
	}
	return tx.s.users.Get(tx.kv, key)
}

// createAccountOf makes an account that may do nothing, unless the person is the
// default admin.
func (tx *Tx) createAccountOf(p *Person) (*User, error) {
	u, err := tx.createUser(NewUser{
		Username: p.Username, Fullname: p.Fullname, Email: p.Email, Abilities: abilitySet(p.Abilities), Enabled: true, Timezone: DefaultTimezone,
	})
	if err != nil {
		return nil, err
	}
	u.Identities = []Identity{p.Identity}
	if err := tx.putUser(u); err != nil {
		return nil, err
	}
	return u, tx.log(tx.by.Name, &activity.UserCreation{AboutUser: u.about(), Abilities: p.LoggedAbilities, Provider: p.Provider})
}

// updateFromProvider takes over what the provider says about a person who has an
// account. An address that somebody else has here is not taken over: it is no
// reason to lock the person out.
func (tx *Tx) updateFromProvider(before *User, p *Person) (*User, error) {
	after := *before
	event := &activity.UserModification{AboutUser: before.about(), Provider: p.Provider}
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
		after.Abilities = abilitySet(p.Abilities)
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

// useAttempt notes that an attempt was made use of, or fails with ErrStale where
// it was before.
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

// pruneUsedAttempts deletes the attempts that are too old by now anyway.
func (tx *Tx) pruneUsedAttempts() error {
	_, err := tx.s.usedAttempts.DeleteWhere(tx.kv, func(used *UsedAttempt) bool { return !tx.now.Before(used.Ends) })
	return err
}
