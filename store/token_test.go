package store

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/fault"
)

// hashOf returns the hash of a text.
func hashOf(text string) TokenHash { return sha512.Sum512([]byte(text)) }

// owner creates a user who can have tokens.
func owner(t testing.TB, s *Store, name string) *User {
	t.Helper()
	u, err := s.CreateUser(t.Context(), System(), newUser(name))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func makeToken(t testing.TB, s *Store, u *User, name string) *Token {
	t.Helper()
	token, err := s.CreateToken(t.Context(), Actor{Name: u.Username}, u.ID, NewToken{Name: name, Scopes: []string{"full"}, Hash: hashOf(u.Username + name)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestTokenVerbsWrite checks the entries and the number of records that each
// change writes, that the index is updated, and that a repeated change writes
// nothing.
func TestTokenVerbsWrite(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	u, by := owner(t, s, "ann"), Actor{Name: "ann"}
	token := makeToken(t, s, u, "first")
	other := makeToken(t, s, u, "second")
	name, description, soon := "new name", "why", c.Now().Add(time.Hour)
	days := 100
	for _, step := range []struct {
		name    string
		do      func() error
		want    []activity.Type
		records uint64
		err     error
	}{
		{"create", func() error { makeToken(t, s, u, "third"); return nil }, []activity.Type{activity.TypePersonalAccessTokenCreation}, 1, nil},
		{"nothing", func() error { _, err := s.ChangeToken(t.Context(), by, u.ID, token.ID, TokenChange{}); return err }, nil, 0, nil},
		{"change", func() error {
			_, err := s.ChangeToken(t.Context(), by, u.ID, token.ID, TokenChange{Name: &name, Description: &description, Scopes: []string{"tags"}, ExpiresAt: &soon})
			return err
		}, []activity.Type{activity.TypePersonalAccessTokenModification}, 1, nil},
		{"change again", func() error {
			_, err := s.ChangeToken(t.Context(), by, u.ID, token.ID, TokenChange{Name: &name, Description: &description, Scopes: []string{"tags"}, ExpiresAt: &soon})
			return err
		}, nil, 0, nil},
		{"regenerate", func() error {
			_, err := s.RegenerateToken(t.Context(), by, u.ID, token.ID, hashOf("another"), true, nil)
			return err
		}, []activity.Type{activity.TypePersonalAccessTokenRegeneration}, 1, nil},
		{"expire", func() error { _, err := s.ExpireToken(t.Context(), by, u.ID, token.ID); return err }, []activity.Type{activity.TypePersonalAccessTokenExpiration}, 1, nil},
		{"expire again", func() error { _, err := s.ExpireToken(t.Context(), by, u.ID, token.ID); return err }, nil, 0, nil},
		{"somebody else's", func() error { _, err := s.ExpireToken(t.Context(), by, u.ID+1, token.ID); return err }, nil, 0, ErrNotFound},
		{"delete some of which one is unknown", func() error { return s.DeleteTokens(t.Context(), by, u.ID, []string{token.ID, "x"}) }, nil, 0, ErrNotFound},
		{"delete", func() error { return s.DeleteTokens(t.Context(), by, u.ID, []string{token.ID, token.ID}) }, []activity.Type{activity.TypePersonalAccessTokenDeletion}, 1, nil},
		{"delete for the owner", func() error { return s.DeleteTokenOf(t.Context(), Actor{Name: "admin"}, u.ID, other.ID) }, []activity.Type{activity.TypePersonalAccessTokenAdminDeletion}, 1, nil},
		{"delete all", func() error { return s.DeleteAllTokens(t.Context(), by, u.ID) }, []activity.Type{activity.TypePersonalAccessTokenDeletion}, 1, nil},
		{"delete all again", func() error { return s.DeleteAllTokens(t.Context(), by, u.ID) }, nil, 0, nil},
		{"settings", func() error {
			settings := defaultTokenSettings
			settings.MaxLifetimeDays = &days
			return s.ChangeTokenSettings(t.Context(), by, settings)
		}, []activity.Type{activity.TypePersonalAccessTokenSettingsUpdate}, 1, nil},
		{"settings again", func() error {
			settings, same := defaultTokenSettings, 100
			settings.MaxLifetimeDays = &same
			return s.ChangeTokenSettings(t.Context(), by, settings)
		}, nil, 0, nil},
	} {
		log, sequence := len(entries(t, s)), lastChange(t, s)
		if err := step.do(); !errors.Is(err, step.err) {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, typesOf(entries(t, s)[log:])); diff != "" {
			t.Errorf("%s: entries (-want +got):\n%s", step.name, diff)
		}
		if got := lastChange(t, s) - sequence; got != step.records {
			t.Errorf("%s: %d records written, want %d", step.name, got, step.records)
		}
		if err := s.Verify(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

// TestTokenNames checks that a name is unique among the tokens of a user, also
// with concurrent requests.
func TestTokenNames(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u, other := owner(t, s, "ann"), owner(t, s, "ben")
	makeToken(t, s, other, "ci")
	errs := make(chan error)
	for i := range 8 {
		go func() {
			_, err := s.CreateToken(context.Background(), Actor{Name: "ann"}, u.ID, NewToken{Name: "ci", Scopes: []string{"full"}, Hash: hashOf(fmt.Sprint(i))})
			errs <- err
		}()
	}
	made := 0
	for range 8 {
		if err := <-errs; err == nil {
			made++
		} else if taken, ok := errors.AsType[*fault.Error](err); !ok || taken.Field != "name" {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d tokens of one name", made)
	}
}

// TestTokensGoWithTheirUser checks that the tokens of a deleted user are
// deleted, and that a disabled user can get no new tokens.
func TestTokensGoWithTheirUser(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u := owner(t, s, "ann")
	token := makeToken(t, s, u, "a")
	use(t, s, token, "/api/v1/hosts")
	disable(t, s, u)
	if _, err := s.CreateToken(t.Context(), System(), u.ID, NewToken{Name: "b"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a token of a disabled user: %v", err)
	}
	view(t, s, func(tx *Tx) error {
		if found, err := tx.TokenOf(token.Hash); err != nil || found.ID != token.ID {
			t.Errorf("the token of a disabled user is gone: %v", err)
		}
		return nil
	})
	if err := s.DeleteUser(t.Context(), System(), u.ID); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if _, err := tx.TokenOf(token.Hash); !errors.Is(err, ErrNotFound) {
			t.Errorf("the token of a deleted user: %v", err)
		}
		if at := tx.TokenLastUsed(token.ID); at != nil {
			t.Errorf("last used at %v", at)
		}
		return nil
	})
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestTokensEndSessions checks that a session ends with the token it was begun
// with.
func TestTokensEndSessions(t *testing.T) {
	for name, end := range map[string]func(s *Store, u *User, token *Token) error{
		"delete": func(s *Store, u *User, k *Token) error {
			return s.DeleteTokens(t.Context(), System(), u.ID, []string{k.ID})
		},
		"delete all": func(s *Store, u *User, k *Token) error { return s.DeleteAllTokens(t.Context(), System(), u.ID) },
		"by admin":   func(s *Store, u *User, k *Token) error { return s.DeleteTokenOf(t.Context(), System(), u.ID, k.ID) },
		"expire": func(s *Store, u *User, k *Token) error {
			_, err := s.ExpireToken(t.Context(), System(), u.ID, k.ID)
			return err
		},
		"regenerate": func(s *Store, u *User, k *Token) error {
			_, err := s.RegenerateToken(t.Context(), System(), u.ID, k.ID, hashOf("new"), true, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), newClock())
			u := owner(t, s, "ann")
			token := makeToken(t, s, u, "a")
			for i, method := range []string{MethodToken, MethodPassword} {
				in := SignIn{Session: session(s, u.ID, byte(i+1)).Session}
				if in.Method = method; method == MethodToken {
					in.TokenID = token.ID
				}
				if _, err := s.SignIn(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			if err := end(s, u, token); err != nil {
				t.Fatal(err)
			}
			if hasSession(t, s, 1) || !hasSession(t, s, 2) {
				t.Errorf("sessions: by token %v, by password %v", hasSession(t, s, 1), hasSession(t, s, 2))
			}
		})
	}
}

// TestSignInNeedsItsToken checks that a session cannot begin with an ended
// token, and does not outlive its token.
func TestSignInNeedsItsToken(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	u := owner(t, s, "ann")
	token := makeToken(t, s, u, "a")
	soon := c.Now().Add(time.Hour)
	if _, err := s.ChangeToken(t.Context(), System(), u.ID, token.ID, TokenChange{ExpiresAt: &soon}); err != nil {
		t.Fatal(err)
	}
	in := SignIn{Session: session(s, u.ID, 1).Session}
	in.Method, in.TokenID = MethodToken, token.ID
	if _, err := s.SignIn(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if hasSession(t, s, 1) {
		t.Error("a session outlives its token")
	}
	in.Hash = [32]byte{2}
	if _, err := s.SignIn(t.Context(), in); !errors.Is(err, ErrNotFound) {
		t.Errorf("a sign-in with an expired token: %v", err)
	}
}

// use notes a use of a token and writes it to the file.
func use(t testing.TB, s *Store, token *Token, path string) {
	t.Helper()
	s.NoteTokenUse(TokenUse{UserID: token.UserID, At: s.Now(), TokenID: token.ID, TokenName: token.Name, Method: "GET", Path: path, Status: 200, Via: "bearer"})
	if err := s.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// usesOf returns the paths of the uses of a user's tokens, newest first.
func usesOf(t testing.TB, s *Store, user int64, token string) (paths []string) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		uses, next, err := tx.TokenUses(user, token, 0, math.MaxInt)
		for _, u := range uses {
			paths = append(paths, u.Path)
		}
		if next != 0 {
			t.Errorf("there are more than all, from %d", next)
		}
		return err
	})
	return paths
}

// TestTokenUses follows the log of uses: order, limits of what a client makes
// us store, pruning, and that all is written when the store is closed.
func TestTokenUses(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	s := open(t, dir, c)
	ann, ben := owner(t, s, "ann"), owner(t, s, "ben")
	first, second, third := makeToken(t, s, ann, "a"), makeToken(t, s, ann, "b"), makeToken(t, s, ben, "c")
	use(t, s, first, "/1")
	use(t, s, third, "/2")
	c.advance(time.Minute)
	use(t, s, second, "/3")
	c.advance(-2 * time.Minute) // a clock that goes back does not change the order
	use(t, s, first, strings.Repeat("/", 1000))
	c.advance(2 * time.Minute)
	if diff := cmp.Diff([]string{strings.Repeat("/", maxUsePathBytes), "/3", "/1"}, usesOf(t, s, ann.ID, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/3"}, usesOf(t, s, ann.ID, second.ID)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := usesOf(t, s, ann.ID, "no id"); got != nil {
		t.Errorf("%q", got)
	}
	s.NoteTokenUse(TokenUse{UserID: ben.ID, At: c.Now(), TokenID: third.ID, Path: "/last"})
	shut(t, s)
	s = open(t, dir, c)
	if diff := cmp.Diff([]string{"/last", "/2"}, usesOf(t, s, ben.ID, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.PruneTokenUsesBefore(t.Context(), c.Now()); err != nil {
		t.Fatal(err)
	}
	if got := len(usesOf(t, s, ann.ID, "")); got != 2 {
		t.Errorf("%d uses of one minute", got)
	}
	if err := s.PruneTokenUsesBefore(t.Context(), c.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := append(usesOf(t, s, ann.ID, ""), usesOf(t, s, ben.ID, "")...); got != nil {
		t.Errorf("%q are left", got)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestTokenUsesAreCapped checks that the number of stored uses is limited.
func TestTokenUsesAreCapped(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, t.TempDir(), c)
	token := makeToken(t, s, owner(t, s, "ann"), "a")
	const extra = 123
	for noted := 0; noted < maxTokenUses+extra; {
		for ; noted < maxTokenUses+extra && noted%maxPendingUses != maxPendingUses-1; noted++ {
			s.NoteTokenUse(TokenUse{UserID: token.UserID, At: c.Now(), TokenID: token.ID, Path: fmt.Sprint(noted)})
		}
		noted++
		use(t, s, token, fmt.Sprint(noted-1))
	}
	paths := usesOf(t, s, token.UserID, "")
	if len(paths) != maxTokenUses || paths[len(paths)-1] == "0" {
		t.Errorf("%d uses, the oldest is %s", len(paths), paths[len(paths)-1])
	}
	if err := s.PruneTokenUsesBefore(t.Context(), c.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if left := usesOf(t, s, token.UserID, ""); left != nil {
		t.Errorf("%d are left", len(left))
	}
}

// TestTokenUsesAreDropped checks that uses are dropped and counted if there are
// too many, and that no request waits.
func TestTokenUsesAreDropped(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, err := Open(t.TempDir(), Options{Now: newClock().Now, NoSync: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, s)
	token := makeToken(t, s, owner(t, s, "ann"), "a")
	s.pendingUses.flushMutex.Lock() // nothing is written while this is held
	for range maxPendingUses + 7 {
		s.NoteTokenUse(TokenUse{UserID: token.UserID, At: s.Now(), TokenID: token.ID})
	}
	s.pendingUses.flushMutex.Unlock()
	if err := s.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(usesOf(t, s, token.UserID, "")); got != maxPendingUses || !strings.Contains(log.String(), "dropped=7") {
		t.Errorf("%d uses; %s", got, log.String())
	}
}

// TestUseOfADeletedToken checks that a use is logged even if its token was
// deleted meanwhile.
func TestUseOfADeletedToken(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u := owner(t, s, "ann")
	token := makeToken(t, s, u, "a")
	if err := s.DeleteAllTokens(t.Context(), System(), u.ID); err != nil {
		t.Fatal(err)
	}
	use(t, s, token, "/late")
	if got := usesOf(t, s, u.ID, token.ID); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestTokenChangesAreTold checks which changes of tokens are in the journal.
func TestTokenChangesAreTold(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u := owner(t, s, "ann")
	token := makeToken(t, s, u, "a")
	seq := lastChange(t, s)
	told := func() (changes []string) {
		view(t, s, func(tx *Tx) error {
			list, err := tx.ChangedAfter(seq, 100)
			for _, c := range list {
				changes = append(changes, c.Kind+" "+c.ID)
				seq = c.Seq
			}
			return err
		})
		return changes
	}
	if _, err := s.ExpireToken(t.Context(), System(), u.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"token " + token.ID}, told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := s.DeleteAllTokens(t.Context(), System(), u.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{fmt.Sprint("user ", u.ID)}, told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTokensAreCapped checks that a user can have at most 100 tokens, including
// expired ones.
func TestTokensAreCapped(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	u, err := s.CreateUser(t.Context(), System(), NewUser{Username: "ann", Fullname: "A", Email: "ann@example.com", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	var last *Token
	for i := range MaxTokens + 1 {
		token, err := s.CreateToken(t.Context(), System(), u.ID, NewToken{Name: fmt.Sprintf("token number %03d", i+200), Scopes: []string{"full"}, Hash: TokenHash{byte(i), 1}})
		wrong, refused := errors.AsType[*fault.Error](err)
		if i < MaxTokens {
			if last = token; err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !refused || wrong.Field != "name" || wrong.Detail != "is one too many: a user has at most 100 tokens; delete one that is not needed" {
			t.Errorf("token %d: %v", i+1, err)
		}
	}
	name := "another name"
	if _, err := s.ChangeToken(t.Context(), System(), u.ID, last.ID, TokenChange{Name: &name}); err != nil {
		t.Errorf("the last one cannot be changed: %v", err)
	}
	if err := s.DeleteTokens(t.Context(), System(), u.ID, []string{last.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateToken(t.Context(), System(), u.ID, NewToken{Name: "again", Scopes: []string{"full"}, Hash: TokenHash{255, 2}}); err != nil {
		t.Errorf("after one was deleted: %v", err)
	}
}
