package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"

	"trento/auth/sso"
	"trento/store"
	"trento/store/fault"
)

// ErrExternal: the request manages accounts of this server, but an identity
// provider is in charge of the accounts.
var ErrExternal = fault.New(fault.NotImplemented, "an identity provider is in charge of the accounts")

// sessionMethods are the methods in records of sessions, by the name of the
// provider.
var sessionMethods = map[string]string{
	sso.OIDCName: store.MethodOIDC, sso.OAuth2Name: store.MethodOAuth2, sso.SAMLName: store.MethodSAML,
}

// Provider returns the identity provider that is in charge of the accounts, or
// nil if none is configured.
func (a *Auth) Provider() sso.Provider { return a.provider }

// While a person signs in at the identity provider, the attempt is kept in an
// encrypted cookie of the browser. Each attempt has its own cookie, because a
// person may begin one in each of two tabs. So attempts that are never finished
// take no space on the server, and an answer of the provider is only valid in
// the browser that began the attempt.
const (
	attemptCookiePrefix = "trento-sign-in-"
	// maxTargetLength is the largest length of the address that a person comes
	// back to, in bytes. A longer one would not fit into the cookie.
	maxTargetLength = 2000
)

// BeginSingleSignOn begins a sign-in at the identity provider and returns where
// to send the browser. target is the page that the person wants to see. It
// fails with an sso.Failure, and with store.ErrNotFound if no provider is
// configured.
func (a *Auth) BeginSingleSignOn(w http.ResponseWriter, r *http.Request, target string) (sso.Departure, error) {
	if a.provider == nil {
		return sso.Departure{}, fmt.Errorf("identity provider: %w", store.ErrNotFound)
	}
	if target = LocalTarget(target); len(target) > maxTargetLength {
		target = LocalTarget("")
	}
	attempt := sso.NewAttempt(target, a.now())
	var departure sso.Departure
	err := a.limitProviderFailures(r, func() (err error) {
		departure, err = a.provider.Begin(r.Context(), attempt)
		return err
	})
	if err == nil {
		err = a.putAttempt(w, r, attempt)
	}
	return departure, err
}

// ProveByProvider verifies the answer that a browser brings from the provider
// and deletes the cookie of the attempt. target is the page that the person
// wanted to see. It fails with an sso.Failure, which it has written to the
// activity log.
func (a *Auth) ProveByProvider(w http.ResponseWriter, r *http.Request, answer url.Values) (proof *Proof, target string, err error) {
	if a.provider == nil {
		return nil, "", fmt.Errorf("identity provider: %w", store.ErrNotFound)
	}
	err = a.limitProviderFailures(r, func() error {
		attempt, err := a.attemptOfAnswer(r, answer)
		if err != nil {
			return err
		}
		target = attempt.Target
		a.setAttemptCookie(w, r, attempt.State, "", -1)
		person, err := a.provider.Finish(r.Context(), attempt, answer)
		if err == nil {
			proof, err = a.proofOfPerson(person, attempt)
		}
		return err
	})
	return proof, target, err
}

// KnowsAttempt reports whether the browser itself began the attempt that it
// brings an answer to.
func (a *Auth) KnowsAttempt(r *http.Request, answer url.Values) bool {
	_, err := a.attemptOfAnswer(r, answer)
	return err == nil
}

// limitProviderFailures calls do for a client that is not signed in. It slows
// down an address with many failures, and writes each failure to the activity
// log.
func (a *Auth) limitProviderFailures(r *http.Request, do func() error) error {
	attempt, err := a.limiter.beginAttempt(r.Context(), guessedSecret{kind: guessedAnswer, address: a.ClientAddress(r), rule: addressRule()})
	if err != nil {
		return err
	}
	outcome := outcomeUnchecked
	defer func() { attempt.recordOutcome(outcome) }()
	err = do()
	failure, ok := errors.AsType[*sso.Failure](err)
	if !ok {
		return err
	}
	outcome = outcomeFailed
	return a.logProviderFailure(r.Context(), "", failure)
}

// logProviderFailure writes a failure to the activity log, even if the client
// has gone meanwhile, and returns it.
func (a *Auth) logProviderFailure(ctx context.Context, username string, failure *sso.Failure) error {
	if err := a.store.ProviderSignInFailed(context.WithoutCancel(ctx), a.provider.Name(), username, failure.Reason+"."); err != nil {
		return err
	}
	return failure
}

// proofOfPerson checks what the provider says about a person and returns it as the
// proof for a session.
func (a *Auth) proofOfPerson(person *sso.Person, attempt *sso.Attempt) (*Proof, error) {
	var wrong fieldFaults
	wrong.checkUsername(person.Username)
	fullname, email := store.NormalName(person.Fullname), store.NormalText(person.Email)
	if fullname == "" {
		fullname = person.Username
	}
	if utf8.RuneCountInString(fullname) > MaxName {
		fullname = string([]rune(fullname)[:MaxName])
	}
	if email != "" && len(EmailFaults(email)) > 0 {
		a.log.Warn("the identity provider tells an e-mail address that is none; it is left out", "username", person.Username)
		email = ""
	}
	if err := wrong.Err(); err != nil {
		return nil, &sso.Failure{Reason: "The identity provider sent a user name that cannot be used here", Err: err}
	}
	known := &store.Person{
		Identity: store.Identity{Provider: a.provider.Name(), Subject: person.Subject},
		Username: store.NormalUsername(person.Username), Fullname: fullname, Email: email,
		Attempt: sha256.Sum256([]byte(attempt.State)), AttemptEnds: attempt.Until,
	}
	if known.Username == a.adminName {
		known.Abilities = []int{abilityAll}
		known.LoggedAbilities = abilitiesForLog(&known.Abilities)
	}
	return &Proof{Method: sessionMethods[a.provider.Name()], person: known, logoutToken: person.LogoutToken}, nil
}

// explainRefusal turns the error of the store that refused a person's sign-in
// into an sso.Failure, and logs it.
func (a *Auth) explainRefusal(ctx context.Context, person *store.Person, err error) error {
	var reason string
	switch {
	case errors.Is(err, store.ErrStale):
		reason, err = "This sign-in was used before", ErrCredentials
	case errors.Is(err, store.ErrDisabled):
		reason, err = "The account "+person.Username+" is disabled in this console", ErrCredentials
	case errors.Is(err, store.ErrLinked):
		reason = "The account " + person.Username + " belongs to another person of the identity provider"
		err = &fault.Error{Detail: "The user name belongs to another person of the identity provider", Cause: err}
	case len(fault.Fields(err)) > 0 && fault.Fields(err)[0].Field == "email":
		reason = "Another account here has the e-mail address of " + person.Username
	case len(fault.Fields(err)) > 0:
		reason = "Another account here has a name that looks like " + person.Username
	default:
		return err
	}
	return a.logProviderFailure(ctx, person.Username, &sso.Failure{Reason: reason, Err: err})
}

// putAttempt sets the cookie of an attempt.
func (a *Auth) putAttempt(w http.ResponseWriter, r *http.Request, attempt *sso.Attempt) error {
	text, err := json.Marshal(attempt)
	if err != nil {
		return fmt.Errorf("auth: cookie of a sign-in: %w", err)
	}
	sealed := a.attemptSealer.Seal(nil, nil, text, []byte(attemptCookiePrefix))
	a.setAttemptCookie(w, r, attempt.State, base64.RawURLEncoding.EncodeToString(sealed), int(sso.AttemptLifetime.Seconds()))
	return nil
}

// attemptOfAnswer returns the attempt that an answer of the provider belongs to, from
// the cookie of the browser. The answer names it in the parameter state (OAuth)
// or RelayState (SAML).
func (a *Auth) attemptOfAnswer(r *http.Request, answer url.Values) (*sso.Attempt, error) {
	fail := func(reason, cause string) (*sso.Attempt, error) {
		return nil, &sso.Failure{Reason: reason, Err: &fault.Error{Kind: fault.WrongCredentials, Detail: sso.NotAuthenticated, Cause: errors.New(cause)}}
	}
	const reason = "The answer of the identity provider is for no sign-in that this browser has begun"
	state := answer.Get("state")
	if a.provider.Name() == sso.SAMLName {
		state = answer.Get("RelayState")
	}
	if state == "" {
		return fail(reason, "it names no sign-in")
	}
	cookie, err := r.Cookie(attemptCookieName(state))
	if err != nil {
		return fail(reason, "the browser has no cookie of it")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return fail(reason, "its cookie is no base64")
	}
	text, err := a.attemptSealer.Open(nil, nil, sealed, []byte(attemptCookiePrefix))
	if err != nil {
		return fail(reason, "its cookie was not made here")
	}
	attempt := new(sso.Attempt)
	if err := json.Unmarshal(text, attempt); err != nil || attempt.State != state {
		return fail(reason, "its cookie is that of another")
	}
	if !a.now().Before(attempt.Until) {
		return fail("The sign-in took too long", "it had to end by "+attempt.Until.String())
	}
	return attempt, nil
}

// attemptCookieName returns the name of the cookie for the attempt with a
// state.
func attemptCookieName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return attemptCookiePrefix + hex.EncodeToString(sum[:8])
}

// setAttemptCookie sets the cookie of an attempt. With SAML, the browser comes
// back with a POST from another site. Browsers then send only cookies with
// SameSite=None, which require HTTPS.
func (a *Auth) setAttemptCookie(w http.ResponseWriter, r *http.Request, state, value string, maxAge int) {
	cookie := &http.Cookie{
		Name: attemptCookieName(state), Value: value, Path: "/", MaxAge: maxAge,
		Secure: a.IsHTTPS(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if cookie.Secure && a.provider.Name() == sso.SAMLName {
		cookie.SameSite = http.SameSiteNoneMode
	}
	http.SetCookie(w, cookie)
}

// LogoutAddress returns the address at which the browser signs out of the
// provider as well. The provider then sends it to the page back. It returns ""
// if the provider has no such address, or if the session was not begun at the
// provider. Call it before the session ends.
func (a *Auth) LogoutAddress(r *http.Request, back string) (string, error) {
	id := From(r.Context())
	if a.provider == nil || id == nil || id.Via != ViaSession {
		return "", nil
	}
	session, err := a.providerSession(r.Context(), id)
	if err != nil || session == nil {
		return "", err
	}
	token, _ := a.openLogoutToken(session) // "" if SECRET_KEY_BASE was changed meanwhile
	return a.provider.Logout(token, a.origin+back), nil
}

// providerSession returns the console session of an identity, or nil if it was
// not begun at the provider.
func (a *Auth) providerSession(ctx context.Context, id *Identity) (session *store.Session, err error) {
	err = a.store.ViewIn(ctx, func(tx *store.Tx) error {
		session, err = tx.Session(id.SessionHash)
		return err
	})
	if err != nil || session.Method != sessionMethods[a.provider.Name()] {
		return nil, err
	}
	return session, nil
}

// logoutTokenLabel is the additional data of encrypted logout tokens. So
// nothing else that is encrypted with the same key can be taken for one.
const logoutTokenLabel = "logout token"

// sealLogoutToken encrypts a logout token for the store. It returns nil for "".
func (a *Auth) sealLogoutToken(token string) []byte {
	if token == "" {
		return nil
	}
	return a.attemptSealer.Seal(nil, nil, []byte(token), []byte(logoutTokenLabel))
}

// openLogoutToken decrypts the logout token of a session. ok is false if it has
// none, or if it was encrypted with another key.
func (a *Auth) openLogoutToken(session *store.Session) (token string, ok bool) {
	text, err := a.attemptSealer.Open(nil, nil, session.LogoutToken, []byte(logoutTokenLabel))
	return string(text), err == nil
}

// SAML returns the identity provider if it speaks SAML, else nil.
func (a *Auth) SAML() *sso.SAML {
	provider, _ := a.provider.(*sso.SAML)
	return provider
}

// SignInAPIFromConsole starts a session of the API for a browser whose console
// session was started by SAML. Such a browser has no other proof that it could
// send to the API. The provider can end this session together with the one of
// the console. It fails with ErrNoAssertion for everybody else.
func (a *Auth) SignInAPIFromConsole(r *http.Request) (Tokens, error) {
	id := From(r.Context())
	if a.SAML() == nil || id == nil || id.Via != ViaSession || id.Token != nil {
		return Tokens{}, ErrNoAssertion
	}
	session, err := a.providerSession(r.Context(), id)
	if err != nil {
		return Tokens{}, err
	}
	if session == nil {
		return Tokens{}, ErrNoAssertion
	}
	token, _ := a.openLogoutToken(session)
	return a.SignInAPI(r, &Proof{User: id.User, Method: session.Method, logoutToken: token, provider: a.provider.Name()})
}

// ErrNoAssertion: the request has no console session that was started by SAML.
var ErrNoAssertion = &fault.Error{Kind: fault.WrongCredentials, Detail: sso.NotAuthenticated}

// EndProviderSessions ends the sessions that were started at the provider and
// whose logout token ends returns true for.
func (a *Auth) EndProviderSessions(ctx context.Context, ends func(logoutToken string) bool) error {
	return a.store.EndSessions(ctx, store.System(), func(session *store.Session) bool {
		if a.provider == nil || session.Method != sessionMethods[a.provider.Name()] {
			return false
		}
		token, ok := a.openLogoutToken(session)
		return ok && ends(token)
	})
}
