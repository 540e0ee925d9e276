package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"trento/store/activity"
	"trento/store/fault"
)

// personSignIn returns the n-th sign-in of a person at an identity provider.
func personSignIn(s *Store, subject, username, email string, n byte) SignIn {
	now := s.Now()
	return SignIn{
		Session: Session{Hash: [32]byte{n}, Kind: ConsoleSession, Method: MethodOIDC, CreatedAt: now, ExpiresAt: now.Add(time.Hour), LastSeenAt: now},
		Person: &Person{
			Identity: Identity{"oidc_local", subject}, Username: username, Fullname: "Name of " + username, Email: email,
			Attempt: [32]byte{n}, AttemptEnds: now.Add(10 * time.Minute),
		},
	}
}

func TestAccountsOfPersons(t *testing.T) {
	clock := newClock()
	s := open(t, t.TempDir(), clock)
	create := func(name string) *User {
		u, err := s.CreateUser(t.Context(), System(), NewUser{Username: name, Fullname: name, Email: name + "@example.com", PasswordHash: "hash", Abilities: []int{5}, Enabled: true})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	local, off := create("local"), create("off")
	if _, err := s.ChangeUser(t.Context(), System(), off.ID, off.LockVersion, UserChange{Enabled: new(bool)}); err != nil {
		t.Fatal(err)
	}
	var n byte
	for _, tt := range []struct {
		name                     string
		subject, username, email string
		id                       int64
		err                      error
		field                    string
	}{
		{"new", "1", "ann", "ann@idp.example", 3, nil, ""},
		{"known", "1", "ann", "ann@idp.example", 3, nil, ""},
		{"renamed at the provider", "1", "anna", "anna@idp.example", 3, nil, ""},
		{"another person of the same name", "2", "ann", "", 0, ErrLinked, ""},
		{"local account of the name", "3", "local", "", local.ID, nil, ""},
		{"once more", "3", "local", "other@idp.example", local.ID, nil, ""},
		{"address of somebody else", "3", "local", "anna@idp.example", local.ID, nil, ""},
		{"new with the address of somebody else", "4", "eve", "local@example.com", 4, nil, ""},
		{"new with a present address of somebody else", "5", "mallory", "ANNA@idp.example", 0, nil, "email"},
		{"name that looks like another", "6", "l\u043ecal", "", 0, nil, "username"},
		{"disabled", "7", "off", "", 0, ErrDisabled, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n++
			in := personSignIn(s, tt.subject, tt.username, tt.email, n)
			u, err := s.SignIn(t.Context(), in)
			if tt.field != "" {
				if f := fault.Fields(err); len(f) != 1 || f[0].Field != tt.field {
					t.Errorf("%v, want a fault of %s", err, tt.field)
				}
				return
			}
			if !errors.Is(err, tt.err) {
				t.Fatalf("%v, want %v", err, tt.err)
			}
			view(t, s, func(tx *Tx) error {
				session, found := tx.Session(in.Hash)
				if tt.err != nil {
					if !errors.Is(found, ErrNotFound) {
						t.Errorf("a session without a user: %+v, %v", session, found)
					}
					return nil
				}
				if found != nil || session.UserID != tt.id || u.ID != tt.id {
					t.Errorf("session %+v of user %+v, %v; want user %d", session, u, found, tt.id)
				}
				return nil
			})
			if tt.err == nil {
				if _, err := s.SignIn(t.Context(), in); !errors.Is(err, ErrStale) {
					t.Errorf("the same attempt again: %v", err)
				}
			}
		})
	}
	view(t, s, func(tx *Tx) error {
		ann, err := tx.User(3)
		if err != nil || ann.Username != "ann" || ann.Fullname != "Name of anna" || ann.Email != "anna@idp.example" || len(ann.Abilities) != 0 || ann.PasswordHash != "" || ann.LastLoginAt != nil {
			t.Errorf("%+v, %v", ann, err)
		}
		u, err := tx.User(local.ID)
		if err != nil || u.Email != "other@idp.example" || !reflect.DeepEqual(u.Abilities, []int{5}) || len(u.Identities) != 1 {
			t.Errorf("%+v, %v", u, err)
		}
		return nil
	})
}

// TestPersonIsAdmin checks that the person with the name of the default admin
// gets all abilities at every sign-in.
func TestPersonIsAdmin(t *testing.T) {
	clock := newClock()
	s := open(t, t.TempDir(), clock)
	shown := &[]activity.Ability{{ID: 1, Name: "all", Resource: "all"}}
	for n := byte(1); n <= 3; n++ {
		in := personSignIn(s, "1", "admin", "", n)
		in.Person.Abilities, in.Person.LoggedAbilities = []int{1}, shown
		u, err := s.SignIn(t.Context(), in)
		if err != nil || !reflect.DeepEqual(u.Abilities, []int{1}) {
			t.Fatalf("%+v, %v", u, err)
		}
		if n == 2 {
			if _, err := s.ChangeUser(t.Context(), System(), u.ID, u.LockVersion, UserChange{Abilities: &[]int{7}}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDeletedPerson checks that a person whose user was deleted gets a new user
// without abilities.
func TestDeletedPerson(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	first, err := s.SignIn(t.Context(), personSignIn(s, "1", "ann", "ann@idp.example", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(t.Context(), System(), first.ID); err != nil {
		t.Fatal(err)
	}
	second, err := s.SignIn(t.Context(), personSignIn(s, "1", "ann", "ann@idp.example", 2))
	if err != nil || second.ID == first.ID || len(second.Abilities) != 0 {
		t.Errorf("%+v, %v", second, err)
	}
}

func TestPruneUsedAttempts(t *testing.T) {
	clock := newClock()
	s := open(t, t.TempDir(), clock)
	in := personSignIn(s, "1", "ann", "", 1)
	in.ExpiresAt = in.ExpiresAt.Add(time.Hour)
	if _, err := s.SignIn(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if err := s.PruneSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		view(t, s, func(tx *Tx) error {
			if n := tx.s.usedAttempts.Count(tx.kv); n != want {
				t.Errorf("%d attempts, want %d", n, want)
			}
			return nil
		})
		clock.advance(10 * time.Minute)
	}
}

func TestMigrationOfIdentities(t *testing.T) {
	s := open(t, oldFile(t, "v5.db.gz"), newClock())
	u, err := s.SignIn(t.Context(), personSignIn(s, "1", "ann", "", 1))
	if err != nil || u.ID != 2 || len(u.Identities) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestUsedAttemptsOutliveARestart checks that a used sign-in at a provider is
// refused also after a restart.
func TestUsedAttemptsOutliveARestart(t *testing.T) {
	dir, clock := t.TempDir(), newClock()
	s := open(t, dir, clock)
	in := personSignIn(s, "1", "ann", "", 1)
	if _, err := s.SignIn(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir, clock).SignIn(t.Context(), in); !errors.Is(err, ErrStale) {
		t.Errorf("after a restart: %v", err)
	}
}
