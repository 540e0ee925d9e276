package store

import (
	"crypto/sha256"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trento/store/activity"
	"trento/store/failure"
	"trento/store/fault"
)

// openOnFullDisk opens a store whose disk is full while *full is true.
func openOnFullDisk(t *testing.T, c *clock) (s *Store, full *bool) {
	t.Helper()
	full = new(bool)
	s, err := Open(t.TempDir(), Options{Now: c.Now, NoSync: true, BeforeCommit: func() error {
		if *full {
			return syscall.ENOSPC
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s, full
}

func entryTypes(t *testing.T, s *Store) (types []activity.Type) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for e, err := range tx.Entries(0, ^activity.Position(0)) {
			if err != nil {
				return err
			}
			types = append(types, e.Type)
		}
		return nil
	})
	return types
}

// TestSignInOnFullDisk checks that people can sign in and out while the disk is
// full, and that this is stored and logged as soon as possible.
func TestSignInOnFullDisk(t *testing.T) { synctest.Test(t, testSignInOnFullDisk) }

func testSignInOnFullDisk(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	s, full := openOnFullDisk(t, c)
	user, err := s.CreateUser(t.Context(), System(), NewUser{Username: "ann", Fullname: "Ann", Email: "ann@example.com", PasswordHash: "x", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(name string, code *time.Time) error {
		now := c.Now()
		_, err := s.SignIn(t.Context(), SignIn{CodeAt: code, Session: Session{
			Hash: sha256.Sum256([]byte(name)), UserID: user.ID, Kind: ConsoleSession, Method: MethodPassword, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(6 * time.Hour),
		}})
		return err
	}
	signedIn := func(name string) (ok bool) {
		view(t, s, func(tx *Tx) error {
			_, err := tx.Session(sha256.Sum256([]byte(name)))
			ok = err == nil
			return nil
		})
		return ok
	}
	if err := signIn("before", nil); err != nil {
		t.Fatal(err)
	}
	before := len(entryTypes(t, s))

	*full = true
	code := c.Now()
	if err := errors.Join(signIn("during", &code), signIn("left", nil), s.SignInFailed(t.Context(), "bob"), s.SignOut(t.Context(), sha256.Sum256([]byte("left"))), s.SignOut(t.Context(), sha256.Sum256([]byte("before")))); err != nil {
		t.Fatal(err)
	}
	if err := signIn("code again", &code); !errors.Is(err, ErrStale) {
		t.Errorf("the same code again: %v", err)
	}
	if !signedIn("during") || signedIn("left") || signedIn("before") || signedIn("code again") {
		t.Error("the sessions are not those of the people who are signed in")
	}
	if _, err := s.CreateUser(t.Context(), System(), NewUser{Username: "eve", Email: "eve@example.com", Enabled: true}); !isUnwritable(err) {
		t.Errorf("another change: %v", err)
	}
	c.advance(4 * time.Minute)
	if err := s.WriteUnwritten(t.Context()); !isUnwritable(err) {
		t.Errorf("the disk is still full: %v", err)
	}
	if !s.Failures().Has(failure.Writing) || len(entryTypes(t, s)) != before {
		t.Error("something was stored")
	}

	*full = false
	time.Sleep(time.Minute) // simulated time, in which small changes could be stored
	if err := s.WriteUnwritten(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []activity.Type{activity.TypeWritingInterruption, activity.TypeLoginAttempt, activity.TypeLoginAttempt}
	if got := entryTypes(t, s)[before:]; !slices.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}
	if s.Failures().Has(failure.Writing) || len(s.unwrittenSignIns.signIns)+len(s.unwrittenSignIns.endedSessions)+len(s.unwrittenSignIns.refused) > 0 {
		t.Error("something is still kept in memory")
	}
	if !signedIn("during") || signedIn("left") || signedIn("before") {
		t.Error("the sessions have changed")
	}
	if err := s.WriteUnwritten(t.Context()); err != nil || len(entryTypes(t, s)) != before+3 {
		t.Errorf("logged again (%v)", err)
	}
}

// TestSessionsInMemoryEnd checks that a session that is only in memory ends
// with the other sessions of its user, and that it is not stored if the user
// was disabled.
func TestSessionsInMemoryEnd(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	s, full := openOnFullDisk(t, c)
	user, err := s.CreateUser(t.Context(), System(), NewUser{Username: "ann", Fullname: "Ann", Email: "ann@example.com", PasswordHash: "x", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	*full = true
	hash := sha256.Sum256([]byte("x"))
	if _, err := s.SignIn(t.Context(), SignIn{Session: Session{Hash: hash, UserID: user.ID, Kind: ConsoleSession, Method: MethodPassword, ExpiresAt: c.Now().Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if sessions, err := tx.Sessions(user.ID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions (%v), want 1", len(sessions), err)
		}
		return nil
	})
	*full = false
	if err := s.EndOtherSessions(t.Context(), System(), user.ID, [32]byte{}); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteUnwritten(t.Context()); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if _, err := tx.Session(hash); !errors.Is(err, ErrNotFound) {
			t.Errorf("the session: %v", err)
		}
		return nil
	})
}

// TestTokenUsesOnFullDisk checks that uses of tokens that could not be stored
// are stored later.
func TestTokenUsesOnFullDisk(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	s, full := openOnFullDisk(t, c)
	*full = true
	s.NoteTokenUse(TokenUse{UserID: 1, At: c.Now(), TokenID: "00000000-0000-4000-8000-00000000000a", Method: "GET", Path: "/one"})
	if err := s.FlushTokenUses(t.Context()); !isUnwritable(err) {
		t.Fatalf("%v", err)
	}
	s.NoteTokenUse(TokenUse{UserID: 1, At: c.Now(), TokenID: "00000000-0000-4000-8000-00000000000a", Method: "GET", Path: "/two"})
	*full = false
	if err := s.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if n := tx.countTokenUses(1); n != 2 {
			t.Errorf("%d uses are stored, want 2", n)
		}
		return nil
	})
}

// TestDamagedEntry checks that a damaged entry of the activity log does not
// hide other entries.
func TestDamagedEntry(t *testing.T) {
	c := &clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	s := open(t, t.TempDir(), c)
	for range 3 {
		if err := s.SignInFailed(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
	}
	all := entryTypes(t, s)
	var damaged activity.Position
	change := func(value func(old []byte) []byte) {
		err := s.update(t.Context(), System(), func(tx *Tx) error {
			damaged = tx.Newest()
			old := slices.Clone(s.entries.Get(tx.kv, damaged.Key()))
			return s.entries.Put(tx.kv, damaged.Key(), value(old))
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.entryCache {
			s.entryCache[i].Store(nil)
		}
	}
	var whole []byte
	change(func(old []byte) []byte { whole = old; return old[:3] })
	if got := entryTypes(t, s); len(got) != len(all)-1 || !s.Failures().Has(failure.Data) {
		t.Errorf("%d entries, want %d and a failure", len(got), len(all)-1)
	}
	err := s.View(func(tx *Tx) error { _, err := tx.Entry(damaged); return err })
	if kind, _ := fault.KindOf(err); kind != fault.Damaged {
		t.Errorf("the damaged entry itself: %v", err)
	}
	change(func([]byte) []byte { return whole }) // shut verifies the store
}
