package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"trento/store"
)

// The names of the session cookie. Browsers accept the __Host- name over HTTPS
// only, and only from the host itself. Over plain HTTP the other name is used.
const (
	cookieName       = "trento-session"
	secureCookieName = "__Host-trento-session"
)

// sessionIDSize is the size of the random id in the cookie, in bytes. The store
// keeps only its hash.
const sessionIDSize = 32

// sessionStore implements sessions.Store of gorilla with the sessions of
// package store. The cookie holds the signed id of the session and nothing
// else. The lifetime of a session is in its record, not in the cookie.
type sessionStore struct {
	auth     *Auth
	codec    *securecookie.SecureCookie
	lifetime time.Duration
}

func newSessionStore(a *Auth, key []byte, lifetime time.Duration) *sessionStore {
	codec := securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).MaxAge(0)
	return &sessionStore{auth: a, codec: codec, lifetime: lifetime}
}

// The keys of session.Values while a request is served.
type (
	identityKey struct{} // the *Identity of a session that was found
	signInKey   struct{} // the store.SignIn of a session to be saved
)

// Get returns the session of the request. Later calls return the same one.
func (s *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New returns the session that the cookie of the request names. If the cookie
// is missing or invalid, or the session has ended, it returns a new session. It
// fails only with errors of the store.
func (s *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.IsNew = true
	session.Options = s.cookieOptions(r)
	cookie, err := r.Cookie(name)
	if err != nil {
		return session, nil
	}
	var id []byte
	if err := s.codec.Decode(name, cookie.Value, &id); err != nil {
		return session, nil
	}
	identity, err := s.findIdentity(r, sha256.Sum256(id))
	if errors.Is(err, ErrSignedOut) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	session.IsNew = false
	session.Values[identityKey{}] = identity
	return session, nil
}

// Save stores a new session under a new id and sets the cookie. If MaxAge is
// negative, it ends the session instead. It must be called before the first
// byte of the answer.
func (s *sessionStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		if identity, ok := session.Values[identityKey{}].(*Identity); ok {
			if err := s.auth.store.SignOut(r.Context(), identity.SessionHash); err != nil {
				return err
			}
		}
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return nil
	}
	record, ok := session.Values[signInKey{}].(store.SignIn)
	if !ok {
		return errors.New("auth: this session is not one to be saved")
	}
	id := make([]byte, sessionIDSize)
	rand.Read(id)
	record.Hash = sha256.Sum256(id)
	value, err := s.codec.Encode(session.Name(), id)
	if err != nil {
		return fmt.Errorf("auth: session cookie: %w", err)
	}
	if _, err := s.auth.signIn(r.Context(), record); err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), value, session.Options))
	return nil
}

func (s *sessionStore) cookieOptions(r *http.Request) *sessions.Options {
	return &sessions.Options{
		Path:     "/",
		MaxAge:   int(s.lifetime / time.Second),
		Secure:   s.auth.IsHTTPS(r),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// cookieNameFor returns the name of the cookie for the connection of the request.
func (s *sessionStore) cookieNameFor(r *http.Request) string {
	if s.auth.IsHTTPS(r) {
		return secureCookieName
	}
	return cookieName
}

// identity returns the identity of the session of the request, or ErrSignedOut.
func (s *sessionStore) identity(r *http.Request) (*Identity, error) {
	session, err := s.Get(r, s.cookieNameFor(r))
	if err != nil {
		return nil, err
	}
	if identity, ok := session.Values[identityKey{}].(*Identity); ok {
		return identity, nil
	}
	return nil, ErrSignedOut
}

// findIdentity returns the identity of the session with a hash.
func (s *sessionStore) findIdentity(r *http.Request, hash [32]byte) (*Identity, error) {
	var id *Identity
	var session *store.Session
	err := s.auth.store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		id, session, err = s.auth.sessionIdentity(tx, hash, ViaSession)
		return err
	})
	if err != nil {
		return nil, err
	}
	store.AfterReading(r.Context(), func(ctx context.Context) { s.auth.recordSessionUse(ctx, session, isByPerson(r)) })
	return id, nil
}

// sessionIdentity returns the identity of a session that has not ended, or
// ErrSignedOut. It reads session and user in one transaction, so a user who is
// disabled is signed out with the very next request.
func (a *Auth) sessionIdentity(tx *store.Tx, hash [32]byte, via Via) (*Identity, *store.Session, error) {
	kind := store.ConsoleSession
	if via == ViaToken {
		kind = store.APISession
	}
	session, err := tx.Session(hash)
	if errors.Is(err, store.ErrNotFound) || err == nil && (session.Kind != kind || !a.acceptsMethod(session.Method)) {
		err = ErrSignedOut
	}
	if err != nil {
		return nil, nil, err
	}
	id := &Identity{Via: via, SessionHash: hash, providerInCharge: a.provider != nil}
	if id.Token, err = a.sessionToken(tx, session); err != nil {
		return nil, nil, err
	}
	if id.User, err = enabledUser(tx, session.UserID); err != nil {
		return nil, nil, err
	}
	return id, session, nil
}

// acceptsMethod reports whether the present configuration accepts sessions that
// were started by a method. Passwords are only accepted without an identity
// provider, and answers of a provider only while the same kind of provider is
// configured. Tokens are always accepted.
func (a *Auth) acceptsMethod(method string) bool {
	switch {
	case method == store.MethodToken:
		return true
	case a.provider == nil:
		return method == store.MethodPassword
	}
	return method == sessionMethods[a.provider.Name()]
}

// SignInConsole starts a session of the console and sets its cookie. It ends
// the former session of the browser, so a stolen old cookie does not open the
// new session. It fails with ErrCredentials if the user was disabled meanwhile
// or the code was used.
func (a *Auth) SignInConsole(w http.ResponseWriter, r *http.Request, proof *Proof) error {
	before, err := a.sessions.Get(r, a.sessions.cookieNameFor(r))
	if err != nil {
		return err
	}
	if identity, ok := before.Values[identityKey{}].(*Identity); ok {
		if err := a.store.SignOut(r.Context(), identity.SessionHash); err != nil {
			return err
		}
	}
	session := sessions.NewSession(a.sessions, a.sessions.cookieNameFor(r))
	session.Options = a.sessions.cookieOptions(r)
	session.Values[signInKey{}] = a.newSession(r, proof, store.ConsoleSession, a.sessions.lifetime)
	return session.Save(r, w)
}

// SignOutConsole ends the session of the request, if there is one, and deletes
// its cookie.
func (a *Auth) SignOutConsole(w http.ResponseWriter, r *http.Request) error {
	session, err := a.sessions.Get(r, a.sessions.cookieNameFor(r))
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	return session.Save(r, w)
}

// newSession returns the record of a sign-in at the present time. The caller
// sets its hash.
func (a *Auth) newSession(r *http.Request, proof *Proof, kind store.SessionKind, lifetime time.Duration) store.SignIn {
	now := a.now().UTC()
	address := ""
	if client := a.ClientAddress(r); client.IsValid() {
		address = client.String()
	}
	var userID int64
	if proof.User != nil {
		userID = proof.User.ID
	}
	return store.SignIn{CodeAt: proof.CodeAt, Person: proof.person, Provider: proof.provider, Session: store.Session{
		UserID: userID, Kind: kind, Method: proof.Method, TokenID: proof.TokenID,
		CreatedAt: now, ExpiresAt: now.Add(lifetime), LastSeenAt: now,
		Address: address, UserAgent: r.UserAgent(), LogoutToken: a.sealLogoutToken(proof.logoutToken),
	}}
}

// signIn stores a session and returns its user.
func (a *Auth) signIn(ctx context.Context, in store.SignIn) (*store.User, error) {
	user, err := a.store.SignIn(ctx, in)
	switch {
	case err == nil:
		a.deleteInitialPassword(in)
		return user, nil
	case in.Person != nil:
		return nil, a.explainRefusal(ctx, in.Person, err)
	case errors.Is(err, store.ErrStale):
		var username string
		err := a.store.View(func(tx *store.Tx) error {
			user, err := tx.User(in.UserID)
			if err == nil {
				username = user.Username
			}
			return err
		})
		if err == nil {
			return nil, a.logFailedSignIn(ctx, username)
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrCredentials
	}
	return nil, err
}

// UnattendedHeader marks requests that a page makes to keep itself current.
const UnattendedHeader = "X-Unattended"

// isByPerson reports whether a person has caused a request. The stream of
// events and requests with UnattendedHeader are not caused by a person.
func isByPerson(r *http.Request) bool {
	return r.Header.Get(UnattendedHeader) == "" && !strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream")
}

// recordSessionUse records that a session was used now. byPerson tells whether a person
// caused the request. An error is logged and does not fail the request.
func (a *Auth) recordSessionUse(ctx context.Context, session *store.Session, byPerson bool) {
	if err := a.store.TouchSession(ctx, session, byPerson); err != nil && ctx.Err() == nil {
		a.log.Warn("the last use of a session could not be noted", "error", err)
	}
}
