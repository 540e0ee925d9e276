package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/failure"
)

// SessionKind is the kind of client that a session is for.
type SessionKind string

// The kinds of sessions: of a browser, and of an API client with a refresh
// token.
const (
	ConsoleSession SessionKind = "console"
	APISession     SessionKind = "api"
)

// The methods by which a user can prove who they are.
const (
	MethodPassword = "password" // with a second factor if the user has one
	MethodToken    = "pat"      // a personal access token
	MethodOIDC     = "oidc"     // single sign-on, as are the next two
	MethodOAuth2   = "oauth2"
	MethodSAML     = "saml"
)

// Session is a sign-in that has not ended. Only the hash of the secret that the
// client holds is stored.
type Session struct {
	Hash       [32]byte    `json:"-"`
	ID         string      `json:"id"` // identifies the session to its user; not a secret
	UserID     int64       `json:"user_id"`
	Kind       SessionKind `json:"kind"`
	Method     string      `json:"method"`             // how the user proved who they are, such as MethodPassword
	TokenID    string      `json:"token_id,omitempty"` // with MethodToken: the id of the token
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
	LastSeenAt time.Time   `json:"last_seen_at"` // accurate to within touchInterval
	Address    string      `json:"address"`      // IP address of the client
	UserAgent  string      `json:"user_agent"`
	// LogoutToken ends the sign-in at the identity provider when the session
	// ends. It is encrypted by package auth.
	LogoutToken []byte `json:"logout_token,omitempty"`
}

// touchInterval is the minimum time between two writes of a session's last use.
const touchInterval = 5 * time.Minute

// maxUserAgentBytes is the largest stored length of the User-Agent header.
const maxUserAgentBytes = 512

// idleTolerance is how much longer than Options.SessionIdle an idle session can
// live, because its last use is not written with every request.
func (s *Store) idleTolerance() time.Duration { return min(touchInterval, s.options.SessionIdle/20) }

// hasEnded reports whether a session has expired or, with Options.SessionIdle, was
// idle for too long.
func (s *Store) hasEnded(session *Session, now time.Time) bool {
	if !now.Before(session.ExpiresAt) {
		return true
	}
	idle := s.options.SessionIdle
	return idle > 0 && session.Kind == ConsoleSession && now.Sub(session.LastSeenAt) >= idle+s.idleTolerance()
}

// Session returns the session with the hash, or ErrNotFound if there is none or
// it has ended. The session is shared and must not be modified.
func (tx *Tx) Session(hash [32]byte) (*Session, error) {
	session, ended := tx.s.unwrittenSignIns.session(hash)
	if session == nil {
		var err error
		if session, err = tx.s.sessions.Get(tx.kv, hash[:]); err != nil {
			return nil, err
		}
	}
	if ended || tx.s.hasEnded(session, tx.now) {
		return nil, fmt.Errorf("session: %w", ErrNotFound)
	}
	return session, nil
}

func (tx *Tx) putSession(session *Session) error {
	return tx.s.sessions.Put(tx.kv, session.Hash[:], session)
}

// SignIn is a sign-in to be stored: its session, and its proofs that can be
// used only once.
type SignIn struct {
	Session
	// CodeAt is the time of the TOTP code that was the second factor; nil
	// without a second factor.
	CodeAt *time.Time
	// Person is the person that an identity provider has confirmed; nil without
	// single sign-on. With a Person, Session.UserID is ignored: the store finds
	// or creates the person's user.
	Person *Person
	// Provider is the identity provider that the activity log names for a
	// sign-in without a Person that depends on an earlier one with a Person; ""
	// for any other sign-in.
	Provider string
}

// codeLifetime is how long a TOTP code is valid.
const codeLifetime = 30 * time.Second

// CodeUsed reports whether the TOTP code of that time, or a later one, was used
// before.
func (u *User) CodeUsed(at time.Time) bool {
	return u.TOTPLastUsedAt != nil && !at.Truncate(codeLifetime).After(u.TOTPLastUsedAt.Truncate(codeLifetime))
}

// SignIn stores the session of a successful sign-in, records the sign-in in the
// user and in the activity log, and returns the user. A session that began with
// a token expires with the token at the latest.
//
// It fails with ErrNotFound if the user was disabled or deleted meanwhile, or
// if the token has expired or was deleted. It fails with ErrStale if the second
// factor was enabled meanwhile, or if its code was used before. With a Person,
// it also fails with ErrStale, ErrDisabled, ErrLinked, and faults of username
// and email; see accountOf.
//
// If changes cannot be stored, the sign-in is kept in memory; see
// WriteUnwritten.
func (s *Store) SignIn(ctx context.Context, in SignIn) (user *User, err error) {
	in.ID = uuid.NewString()
	in.UserAgent = MaskTokens(in.UserAgent)
	in.UserAgent = strings.ToValidUTF8(in.UserAgent[:min(len(in.UserAgent), maxUserAgentBytes)], "")
	err = s.update(ctx, System(), func(tx *Tx) error {
		user, err = tx.signIn(in)
		return err
	})
	if isUnwritable(err) {
		return s.signInUnwritten(in, err)
	}
	return user, err
}

// signIn stores a sign-in.
func (tx *Tx) signIn(in SignIn) (user *User, err error) {
	event := &activity.LoginAttempt{TokenID: in.TokenID, Provider: in.Provider}
	if in.Person != nil {
		if user, err = tx.accountOf(in.Person); err != nil {
			return nil, err
		}
		in.UserID, event.Provider = user.ID, in.Person.Provider
	} else if user, err = tx.userSigningIn(&in); err != nil {
		return nil, err
	}
	if err := tx.endWithToken(&in.Session); err != nil {
		return nil, err
	}
	if err := tx.putSession(&in.Session); err != nil {
		return nil, err
	}
	return user, tx.log(user.Username, event)
}

// endWithToken makes a session that began with a token end with it. It fails with
// ErrNotFound if the token has expired or was deleted.
func (tx *Tx) endWithToken(session *Session) error {
	if session.TokenID == "" {
		return nil
	}
	token, err := tx.Token(session.UserID, session.TokenID)
	if err != nil {
		return err
	}
	if token.Expired(tx.now) {
		return fmt.Errorf("token %s: %w", token.ID, ErrNotFound)
	}
	if token.ExpiresAt != nil && token.ExpiresAt.Before(session.ExpiresAt) {
		session.ExpiresAt = *token.ExpiresAt
	}
	return nil
}

// checkSignIn returns the user of a sign-in without an identity provider, if the
// user may sign in with it.
func (tx *Tx) checkSignIn(in *SignIn) (*User, error) {
	user, err := tx.User(in.UserID)
	if err != nil {
		return nil, err
	}
	if !user.Enabled() {
		return nil, fmt.Errorf("user %d: %w", user.ID, ErrNotFound)
	}
	if in.Method == MethodPassword && user.TOTPEnabledAt != nil && (in.CodeAt == nil || user.CodeUsed(*in.CodeAt)) {
		return nil, fmt.Errorf("second factor of user %d: %w", user.ID, ErrStale)
	}
	return user, nil
}

// userSigningIn returns the user of a sign-in without an identity provider, and
// records the sign-in in the user.
func (tx *Tx) userSigningIn(in *SignIn) (*User, error) {
	user, err := tx.checkSignIn(in)
	if err != nil || in.Method != MethodPassword {
		return user, err
	}
	after := *user
	after.LastLoginAt = tx.timestamp()
	if in.CodeAt != nil {
		after.TOTPLastUsedAt = in.CodeAt
	}
	return &after, tx.putUser(&after)
}

// SignInFailed logs a refused sign-in with the user name that was entered.
func (s *Store) SignInFailed(ctx context.Context, username string) error {
	by := Actor{Name: activity.CutActor(username)}
	return s.logRefused(ctx, by, &activity.LoginAttempt{Username: activity.CutActor(username), Reason: "Invalid credentials."})
}

// ProviderSignInFailed logs a failed sign-in through an identity provider, with
// the reason. username is "" if the person is unknown.
func (s *Store) ProviderSignInFailed(ctx context.Context, provider, username, reason string) error {
	by := Actor{Name: activity.CutActor(username)}
	return s.logRefused(ctx, by, &activity.LoginAttempt{Username: by.Name, Reason: reason, Provider: provider})
}

// RefusedSignIns are sign-ins that were refused before their passwords were
// checked, because too many came at once.
type RefusedSignIns struct {
	Count                int
	Usernames, Addresses []string // some of those that came
}

// SignInsRefused logs refused sign-ins in one log entry.
func (s *Store) SignInsRefused(ctx context.Context, refused RefusedSignIns) error {
	names := make([]string, len(refused.Usernames))
	for i, name := range refused.Usernames {
		names[i] = activity.CutActor(name)
	}
	return s.logRefused(ctx, System(), &activity.LoginAttempt{
		Reason: "Too many sign-ins at once.", Refused: refused.Count, Usernames: names, Addresses: refused.Addresses,
	})
}

// AppendActivity logs an event that makes no other change in the file.
func (s *Store) AppendActivity(ctx context.Context, by Actor, e activity.Event) error {
	return s.update(ctx, by, func(tx *Tx) error { return tx.log(by.Name, e) })
}

// SignOut ends a session. It is no error if the session has ended already. If
// changes cannot be stored, the session is ended in memory; see WriteUnwritten.
func (s *Store) SignOut(ctx context.Context, hash [32]byte) error {
	if session, _ := s.unwrittenSignIns.session(hash); session != nil && s.unwrittenSignIns.end(hash) {
		return nil
	}
	err := s.update(ctx, System(), func(tx *Tx) error {
		return tx.s.sessions.Delete(tx.kv, hash[:])
	})
	if isUnwritable(err) && s.unwrittenSignIns.end(hash) {
		return nil
	}
	return err
}

// TouchSession records that a session is in use, but only once in a few
// minutes. byPerson is true if a person has caused the request. If idle
// sessions end, a request of a page that updates itself does not keep the
// session alive.
func (s *Store) TouchSession(ctx context.Context, used *Session, byPerson bool) error {
	interval := touchInterval
	if s.options.SessionIdle > 0 && used.Kind == ConsoleSession {
		interval = s.idleTolerance()
		if !byPerson {
			return nil
		}
	}
	if s.Now().Sub(used.LastSeenAt) < interval {
		return nil
	}
	if session, _ := s.unwrittenSignIns.session(used.Hash); session != nil || s.failures.Has(failure.Writing) {
		return nil // a later use will be recorded
	}
	err := s.update(ctx, System(), func(tx *Tx) error {
		before, err := tx.Session(used.Hash)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if tx.now.Sub(before.LastSeenAt) < interval {
			return nil // another request of the same page has recorded it
		}
		after := *before
		after.LastSeenAt = tx.now.UTC()
		return tx.putSession(&after)
	})
	if isUnwritable(err) {
		return nil
	}
	return err
}

// PruneSessions deletes the sessions that have ended, and the used sign-ins at
// identity providers that have expired.
func (s *Store) PruneSessions(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		_, err := tx.deleteSessions(func(session *Session) bool { return s.hasEnded(session, tx.now) })
		return errors.Join(err, tx.pruneUsedAttempts())
	})
}

// Sessions returns the sessions of a user that have not ended, the newest
// first.
func (tx *Tx) Sessions(userID int64) ([]*Session, error) {
	var sessions []*Session
	for session, err := range tx.s.sessions.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		if session.UserID == userID && !tx.s.hasEnded(session, tx.now) {
			sessions = append(sessions, session)
		}
	}
	sessions = append(sessions, tx.s.unwrittenSignIns.sessionsOf(userID)...)
	slices.SortFunc(sessions, func(a, b *Session) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return sessions, nil
}

// SessionOf returns the session of a user with the id, or ErrNotFound.
func (tx *Tx) SessionOf(userID int64, id string) (*Session, error) {
	sessions, err := tx.Sessions(userID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sessions, func(session *Session) bool { return session.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("session %s of user %d: %w", id, userID, ErrNotFound)
	}
	return sessions[i], nil
}

// EndSession ends a session of a user, or fails with ErrNotFound.
func (s *Store) EndSession(ctx context.Context, by Actor, userID int64, id string) error {
	return s.endSessionsOf(ctx, by, userID, func(session *Session) bool { return session.ID == id }, true)
}

// EndOtherSessions ends all sessions of a user except the session with the hash
// keep.
func (s *Store) EndOtherSessions(ctx context.Context, by Actor, userID int64, keep [32]byte) error {
	return s.endSessionsOf(ctx, by, userID, func(session *Session) bool { return session.Hash != keep }, false)
}

// endSessionsOf ends the sessions of a user for which ends returns true, and
// logs how many. If mustExist is true, it fails with ErrNotFound if there is
// none.
func (s *Store) endSessionsOf(ctx context.Context, by Actor, userID int64, ends func(*Session) bool, mustExist bool) error {
	return s.update(ctx, by, func(tx *Tx) error {
		user, err := tx.User(userID)
		if err != nil {
			return err
		}
		n, err := tx.deleteSessions(func(session *Session) bool { return session.UserID == userID && ends(session) })
		switch {
		case err != nil:
			return err
		case n == 0 && mustExist:
			return fmt.Errorf("session: %w", ErrNotFound)
		case n == 0:
			return nil
		}
		if by.Name == user.Username {
			return tx.log(by.Name, &activity.ProfileUpdate{AboutUser: user.aboutUser(), SessionsEnded: n})
		}
		return tx.log(by.Name, &activity.UserModification{AboutUser: user.aboutUser(), SessionsEnded: n})
	})
}

// EndSessions ends the sessions of all users for which ends returns true.
func (s *Store) EndSessions(ctx context.Context, by Actor, ends func(*Session) bool) error {
	return s.update(ctx, by, func(tx *Tx) error {
		counts := make(map[int64]int) // by user
		_, err := tx.deleteSessions(func(session *Session) bool {
			match := ends(session)
			if match {
				counts[session.UserID]++
			}
			return match
		})
		for _, id := range slices.Sorted(maps.Keys(counts)) {
			if err != nil {
				return err
			}
			var user *User
			if user, err = tx.User(id); err == nil {
				err = tx.log(by.Name, &activity.UserModification{AboutUser: user.aboutUser(), SessionsEnded: counts[id]})
			}
		}
		return err
	})
}

// endSessions ends the sessions of a user, except those with a hash in keep.
func (tx *Tx) endSessions(userID int64, keep ...[32]byte) error {
	_, err := tx.deleteSessions(func(session *Session) bool {
		return session.UserID == userID && !slices.Contains(keep, session.Hash)
	})
	return err
}

// verifySessions checks that only enabled users have sessions, and that the
// token with which a session began is still stored.
func (tx *Tx) verifySessions() error {
	var faults []error
	for session, err := range tx.s.sessions.All(tx.kv) {
		if err != nil {
			return err
		}
		u, err := tx.User(session.UserID)
		if err == nil && !u.Enabled() {
			err = errors.New("the user is disabled")
		}
		if err == nil && session.TokenID != "" {
			_, err = tx.Token(u.ID, session.TokenID)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("session of user %d: %w", session.UserID, err))
		}
	}
	return errors.Join(faults...)
}
