package store

import (
	"errors"
	"testing"
	"time"
)

func newUser(name string) NewUser {
	return NewUser{Username: name, Fullname: "Test " + name, Email: name + "@example.com", PasswordHash: "hash", Enabled: true}
}

func session(s *Store, user int64, hash byte) SignIn {
	return SignIn{Session: Session{
		Hash: [32]byte{hash}, UserID: user, Kind: ConsoleSession, Method: "password",
		CreatedAt: s.Now(), LastSeenAt: s.Now(), ExpiresAt: s.Now().Add(6 * time.Hour),
	}}
}

func hasSession(t testing.TB, s *Store, hash byte) bool {
	t.Helper()
	err := s.View(func(tx *Tx) error {
		_, err := tx.Session([32]byte{hash})
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestCreateUser(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u, err := s.CreateUser(t.Context(), System(), newUser("  Ann "))
	if err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.UserNamed("ANN")
		if err == nil && (got.ID != u.ID || got.Username != "ann" || got.Timezone != "Etc/UTC" || !got.Enabled()) {
			t.Errorf("%+v", got)
		}
		return err
	})
	for name, test := range map[string]struct {
		change func(*NewUser)
		field  string
	}{
		"name taken":    {func(n *NewUser) { n.Username = "ann" }, "username"},
		"both taken":    {func(n *NewUser) { n.Username, n.Email = "ann", u.Email }, "username"},
		"address taken": {func(n *NewUser) { n.Email = u.Email }, "email"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newUser("bob")
			test.change(&n)
			before := lastChange(t, s)
			_, err := s.CreateUser(t.Context(), System(), n)
			if clash := new(TakenError); !errors.As(err, &clash) || clash.Field != test.field || !errors.Is(err, ErrConflict) {
				t.Errorf("error %v, want a clash of %s", err, test.field)
			}
			if lastChange(t, s) != before {
				t.Error("something was written")
			}
		})
	}
}

func TestEnsureAdmin(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	admin := NewUser{Username: "admin", Fullname: "Default Admin", Email: "admin@example.com", PasswordHash: "first", Abilities: []int{1}, Enabled: true}
	ensure := func(hash string, wantCreated bool) *User {
		t.Helper()
		admin.PasswordHash = hash
		created, err := s.EnsureAdmin(t.Context(), admin)
		if err != nil || created != wantCreated {
			t.Fatalf("created = %v, err = %v", created, err)
		}
		var u *User
		view(t, s, func(tx *Tx) (err error) { u, err = tx.UserNamed("admin"); return err })
		return u
	}
	u := ensure("first", true)
	if err := s.SignIn(t.Context(), session(s, u.ID, 1)); err != nil {
		t.Fatal(err)
	}
	before := lastChange(t, s)
	if u = ensure("", false); u.PasswordHash != "first" || !hasSession(t, s, 1) || lastChange(t, s) != before {
		t.Errorf("a start without a password changes the admin: %+v", u)
	}
	if u = ensure("second", false); u.PasswordHash != "second" || hasSession(t, s, 1) {
		t.Error("a new password must replace the old one and end the sessions")
	}
	if err := s.DisableUser(t.Context(), System(), u.ID); err != nil {
		t.Fatal(err)
	}
	if u = ensure("", false); !u.Enabled() {
		t.Error("the admin of the configuration stays disabled")
	}
	other := newUser("other")
	other.Email = "taken@example.com"
	if _, err := s.CreateUser(t.Context(), System(), other); err != nil {
		t.Fatal(err)
	}
	admin.Username, admin.Email = "root", "taken@example.com"
	if _, err := s.EnsureAdmin(t.Context(), admin); !errors.Is(err, ErrConflict) {
		t.Errorf("an address that is taken: %v", err)
	}
}

func TestSessions(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	ann, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := s.CreateUser(t.Context(), System(), newUser("bob"))
	if err != nil {
		t.Fatal(err)
	}
	for hash, user := range map[byte]int64{1: ann.ID, 2: ann.ID, 3: bob.ID} {
		if err := s.SignIn(t.Context(), session(s, user, hash)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SignOut(t.Context(), [32]byte{2}); err != nil {
		t.Fatal(err)
	}
	if !hasSession(t, s, 1) || hasSession(t, s, 2) {
		t.Error("sign-out ends one session")
	}
	if err := s.DisableUser(t.Context(), System(), ann.ID); err != nil {
		t.Fatal(err)
	}
	if hasSession(t, s, 1) || !hasSession(t, s, 3) {
		t.Error("disabling a user ends that user's sessions, and no others")
	}
	if err := s.SignIn(t.Context(), session(s, ann.ID, 4)); !errors.Is(err, ErrNotFound) {
		t.Errorf("sign-in of a disabled user: %v", err)
	}
	c.advance(6 * time.Hour)
	if hasSession(t, s, 3) {
		t.Error("a session outlives its end")
	}
	if err := s.ExpireSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if n := count(tx.btx.Bucket(bucketSession)); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		return nil
	})
}

func TestTouchSession(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	ann, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SignIn(t.Context(), session(s, ann.ID, 1)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		wait, want time.Duration
	}{{time.Minute, 0}, {4 * time.Minute, 5 * time.Minute}, {time.Minute, 5 * time.Minute}} {
		c.advance(step.wait)
		var found *Session
		view(t, s, func(tx *Tx) (err error) { found, err = tx.Session([32]byte{1}); return err })
		if err := s.TouchSession(t.Context(), found); err != nil {
			t.Fatal(err)
		}
		view(t, s, func(tx *Tx) (err error) { found, err = tx.Session([32]byte{1}); return err })
		if got := found.LastSeenAt.Sub(noon); got != step.want {
			t.Errorf("%v on: last seen at %v, want %v", step.wait, got, step.want)
		}
	}
}
