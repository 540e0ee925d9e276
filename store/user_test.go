package store

import (
	"errors"
	"testing"
	"time"

	"trento/store/fault"
	"trento/store/kv"
)

func newUser(name string) NewUser {
	return NewUser{Username: name, Fullname: "Test " + name, Email: name + "@example.com", PasswordHash: "hash", Enabled: true}
}

// disable disables a user. It assumes that only sign-ins have changed the user
// since u was read.
func disable(t testing.TB, s *Store, u *User) {
	t.Helper()
	if _, err := s.ChangeUser(t.Context(), System(), u.ID, u.LockVersion, UserChange{Enabled: new(false)}); err != nil {
		t.Fatal(err)
	}
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
			if !clash(err, test.field) {
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
	if _, err := s.SignIn(t.Context(), session(s, u.ID, 1)); err != nil {
		t.Fatal(err)
	}
	before := lastChange(t, s)
	if u = ensure("", false); u.PasswordHash != "first" || !hasSession(t, s, 1) || lastChange(t, s) != before {
		t.Errorf("a start without a password changes the admin: %+v", u)
	}
	if u = ensure("second", false); u.PasswordHash != "second" || hasSession(t, s, 1) {
		t.Error("a new password must replace the old one and end the sessions")
	}
	disable(t, s, u)
	if u = ensure("", false); !u.Enabled() {
		t.Error("the admin of the configuration stays disabled")
	}
	other := newUser("other")
	other.Email = "taken@example.com"
	if _, err := s.CreateUser(t.Context(), System(), other); err != nil {
		t.Fatal(err)
	}
	admin.Username, admin.Email = "root", "taken@example.com"
	if _, err := s.EnsureAdmin(t.Context(), admin); !clash(err, "email") {
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
		if _, err := s.SignIn(t.Context(), session(s, user, hash)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SignOut(t.Context(), [32]byte{2}); err != nil {
		t.Fatal(err)
	}
	if !hasSession(t, s, 1) || hasSession(t, s, 2) {
		t.Error("sign-out ends one session")
	}
	disable(t, s, ann)
	if hasSession(t, s, 1) || !hasSession(t, s, 3) {
		t.Error("disabling a user ends that user's sessions, and no others")
	}
	if _, err := s.SignIn(t.Context(), session(s, ann.ID, 4)); !errors.Is(err, ErrNotFound) {
		t.Errorf("sign-in of a disabled user: %v", err)
	}
	c.advance(6 * time.Hour)
	if hasSession(t, s, 3) {
		t.Error("a session outlives its end")
	}
	if err := s.PruneSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if n := tx.s.sessions.Count(tx.kv); n != 0 {
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
	if _, err := s.SignIn(t.Context(), session(s, ann.ID, 1)); err != nil {
		t.Fatal(err)
	}
	var first *Session // as read by an earlier request of the same page
	view(t, s, func(tx *Tx) (err error) { first, err = tx.Session([32]byte{1}); return err })
	for _, step := range []struct {
		wait, want time.Duration
	}{{time.Minute, 0}, {4 * time.Minute, 5 * time.Minute}, {time.Minute, 5 * time.Minute}} {
		c.advance(step.wait)
		var found *Session
		view(t, s, func(tx *Tx) (err error) { found, err = tx.Session([32]byte{1}); return err })
		if err := s.TouchSession(t.Context(), found, true); err != nil {
			t.Fatal(err)
		}
		view(t, s, func(tx *Tx) (err error) { found, err = tx.Session([32]byte{1}); return err })
		if got := found.LastSeenAt.Sub(noon); got != step.want {
			t.Errorf("%v on: last seen at %v, want %v", step.wait, got, step.want)
		}
	}
	if err := s.TouchSession(t.Context(), first, true); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		found, err := tx.Session([32]byte{1})
		if err == nil && found.LastSeenAt.Sub(noon) != 5*time.Minute {
			t.Errorf("last seen at %v, though somebody has just noted it", found.LastSeenAt.Sub(noon))
		}
		return err
	})
}

func TestChangeUser(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	ann, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateUser(t.Context(), System(), newUser("bob")); err != nil {
		t.Fatal(err)
	}
	before := lastChange(t, s)
	if _, err := s.ChangeUser(t.Context(), System(), ann.ID, 2, UserChange{Email: new("bob@example.com")}); !errors.Is(err, ErrStale) {
		t.Errorf("another version: %v", err)
	}
	_, err = s.ChangeUser(t.Context(), System(), ann.ID, 1, UserChange{Email: new("bob@example.com"), Enabled: new(false)})
	if !clash(err, "email") {
		t.Errorf("an address that is taken: %v", err)
	}
	if _, err := s.ChangeUser(t.Context(), System(), 99, 1, UserChange{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if lastChange(t, s) != before {
		t.Error("a refused change has written something")
	}
	c.advance(time.Minute)
	u, err := s.ChangeUser(t.Context(), System(), ann.ID, 1, UserChange{Email: new("new@example.com"), Abilities: &[]int{9, 3, 9}})
	if err != nil || u.Email != "new@example.com" || len(u.Abilities) != 2 || u.Abilities[0] != 3 || u.LockVersion != 2 || !u.UpdatedAt.Equal(noon.Add(time.Minute)) {
		t.Fatalf("%+v, %v", u, err)
	}
	// The former e-mail address is free, the new one is not.
	other := newUser("cat")
	other.Email = "ann@example.com"
	if _, err := s.CreateUser(t.Context(), System(), other); err != nil {
		t.Errorf("the former address: %v", err)
	}
	other.Username, other.Email = "dan", "new@example.com"
	if _, err := s.CreateUser(t.Context(), System(), other); !clash(err, "email") {
		t.Errorf("the present address: %v", err)
	}
	// A sign-in does not count as a change of the user, so it causes no conflict.
	if _, err := s.SignIn(t.Context(), session(s, ann.ID, 1)); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		u, err := tx.User(ann.ID)
		if err == nil && (u.LockVersion != 2 || u.LastLoginAt == nil || !u.UpdatedAt.Equal(noon.Add(time.Minute))) {
			t.Errorf("after a sign-in: %+v", u)
		}
		return err
	})
}

// TestDeleteUser checks that only the id and the name of a deleted user stay.
func TestDeleteUser(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	ann, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SignIn(t.Context(), session(s, ann.ID, 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveView(t.Context(), ann.ID, SavedView{Screen: "hosts", Name: "mine"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateToken(t.Context(), Actor{Name: "ann"}, ann.ID, NewToken{Name: "ci", Scopes: []string{"full"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteUser(t.Context(), System(), ann.ID); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if _, err := tx.User(ann.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("User() = %v", err)
		}
		for u := range tx.Users() {
			t.Errorf("there is still %+v", u)
		}
		tombstone, err := tx.storedUser(ann.ID)
		if err != nil || tombstone.Username != "ann" || tombstone.DeletedAt == nil || tombstone.Fullname+tombstone.Email+tombstone.PasswordHash != "" {
			t.Errorf("left %+v, %v", tombstone, err)
		}
		for name, bucket := range map[string]*kv.Bucket{"sessions": tx.s.sessions.Bucket, "views": tx.s.views.Bucket, "tokens": tx.s.tokens.Bucket} {
			if n := bucket.Count(tx.kv); n != 0 {
				t.Errorf("%d %s", n, name)
			}
		}
		return nil
	})
	for name, do := range map[string]func() error{
		"delete": func() error { return s.DeleteUser(t.Context(), System(), ann.ID) },
		"change": func() error { _, err := s.ChangeUser(t.Context(), System(), ann.ID, 2, UserChange{}); return err },
		"profile": func() error {
			_, err := s.ChangeProfile(t.Context(), System(), ann.ID, ProfileChange{}, [32]byte{})
			return err
		},
		"sign in":       func() error { _, err := s.SignIn(t.Context(), session(s, ann.ID, 2)); return err },
		"second factor": func() error { return s.OfferTOTP(t.Context(), System(), ann.ID, nil) },
	} {
		if err := do(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if again, err := s.CreateUser(t.Context(), System(), newUser("ann")); err != nil || again.ID == ann.ID {
		t.Errorf("the name again: %+v, %v", again, err)
	}
}

func TestListSessions(t *testing.T) {
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
	for hash, user := range []int64{ann.ID, bob.ID, ann.ID, ann.ID} {
		if _, err := s.SignIn(t.Context(), session(s, user, byte(hash+1))); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Hour)
	}
	list := func() (hashes []byte, ids []string) {
		view(t, s, func(tx *Tx) error {
			sessions, err := tx.Sessions(ann.ID)
			for _, session := range sessions {
				hashes, ids = append(hashes, session.Hash[0]), append(ids, session.ID)
			}
			return err
		})
		return hashes, ids
	}
	hashes, ids := list()
	if string(hashes) != "\x04\x03\x01" || ids[0] == "" || ids[0] == ids[1] {
		t.Fatalf("sessions %v %v", hashes, ids)
	}
	for name, err := range map[string]error{
		"of somebody else": s.EndSession(t.Context(), Actor{Name: "bob"}, bob.ID, ids[0]),
		"of no name":       s.EndSession(t.Context(), Actor{Name: "ann"}, ann.ID, ""),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.EndSession(t.Context(), Actor{Name: "ann"}, ann.ID, ids[1]); err != nil {
		t.Fatal(err)
	}
	if hashes, _ := list(); string(hashes) != "\x04\x01" {
		t.Errorf("after one was ended: %v", hashes)
	}
	if err := s.EndOtherSessions(t.Context(), Actor{Name: "ann"}, ann.ID, [32]byte{1}); err != nil {
		t.Fatal(err)
	}
	if hashes, _ := list(); string(hashes) != "\x01" || !hasSession(t, s, 2) {
		t.Errorf("after the others were ended: %v", hashes)
	}
	c.advance(2 * time.Hour)
	if hashes, _ := list(); len(hashes) != 0 {
		t.Errorf("expired and listed: %v", hashes)
	}
}

func TestTOTPRecords(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	ann, err := s.CreateUser(t.Context(), System(), newUser("ann"))
	if err != nil {
		t.Fatal(err)
	}
	enable := func(secret string) error {
		_, err := s.EnableTOTP(t.Context(), System(), ann.ID, EnableTOTP{Secret: []byte(secret), CodeAt: s.Now()})
		return err
	}
	if err := enable(""); !errors.Is(err, ErrStale) {
		t.Errorf("without an offer: %v", err)
	}
	for _, secret := range []string{"one", "two"} {
		if err := s.OfferTOTP(t.Context(), System(), ann.ID, []byte(secret)); err != nil {
			t.Fatal(err)
		}
	}
	if err := enable("one"); !errors.Is(err, ErrStale) {
		t.Errorf("an offer that was replaced: %v", err)
	}
	if err := enable("two"); err != nil {
		t.Fatal(err)
	}
	if err := enable("two"); !errors.Is(err, ErrConflict) {
		t.Errorf("twice: %v", err)
	}
	if err := s.OfferTOTP(t.Context(), System(), ann.ID, []byte("three")); !errors.Is(err, ErrConflict) {
		t.Errorf("another one: %v", err)
	}
	in := session(s, ann.ID, 1)
	if _, err := s.SignIn(t.Context(), in); !errors.Is(err, ErrStale) {
		t.Errorf("without a code: %v", err)
	}
	for _, test := range []struct {
		after time.Duration
		want  error
	}{{0, ErrStale}, {29 * time.Second, ErrStale}, {-time.Hour, ErrStale}, {30 * time.Second, nil}, {59 * time.Second, ErrStale}, {60 * time.Second, nil}} {
		at := noon.Add(test.after)
		in.CodeAt = &at
		if _, err := s.SignIn(t.Context(), in); !errors.Is(err, test.want) {
			t.Errorf("a code of %v later: %v, want %v", test.after, err, test.want)
		}
	}
}

// clash reports whether an error says that another user already has the value
// of a field.
func clash(err error, field string) bool {
	wrong := fault.Fields(err)
	return len(wrong) == 1 && wrong[0].Field == field
}
