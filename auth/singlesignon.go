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

// ErrExternal: the accounts are those of the identity provider, so what was
// asked for is its business.
var ErrExternal = fault.New(fault.NotImplemented, "an identity provider is in charge of the accounts")

// methods are how the sign-ins at providers are called in sessions.
var methods = map[string]string{
	sso.OIDCName: store.MethodOIDC, sso.OAuth2Name: store.MethodOAuth2, sso.SAMLName: store.MethodSAML,
}

// Provider is the identity provider that is in charge of the accounts; nil where
// none is.
func (a *Auth) Provider() sso.Provider { return a.provider }

// A sign-in at the identity provider is kept in the browser meanwhile, sealed, in
// a cookie of its own for each: a person may begin in two tabs. So a sign-in that
// is begun and not finished costs us nothing, and its answer is worth something
// only in the browser that has begun it.
const (
	attemptCookie = "trento-sign-in-"
	// maxTarget bounds the address that a person comes back to: a cookie has room
	// for no more.
	maxTarget = 2000
)

// BeginSingleSignOn begins a sign-in of a person who wants to see the page
// target, and says where to send the browser. It fails with an sso.Failure, and
// with store.ErrNotFound where no provider is in charge.
func (a *Auth) BeginSingleSignOn(w http.ResponseWriter, r *http.Request, target string) (sso.Departure, error) {
	if a.provider == nil {
		return sso.Departure{}, fmt.Errorf("identity provider: %w", store.ErrNotFound)
	}
	if target = LocalTarget(target); len(target) > maxTarget {
		target = LocalTarget("")
	}
	attempt := sso.NewAttempt(target, a.now())
	var departure sso.Departure
	err := a.atProvider(r, func() (err error) {
		departure, err = a.provider.Begin(r.Context(), attempt)
		return err
	})
	if err == nil {
		err = a.putAttempt(w, r, attempt)
	}
	return departure, err
}

// ProveByProvider verifies the answer that a browser brings from the provider
// and ends the attempt in the browser. target is the page that the person wanted
// to see. It fails with an sso.Failure, which is in the activity log then.
func (a *Auth) ProveByProvider(w http.ResponseWriter, r *http.Request, answer url.Values) (proof *Proof, target string, err error) {
	if a.provider == nil {
		return nil, "", fmt.Errorf("identity provider: %w", store.ErrNotFound)
	}
	err = a.atProvider(r, func() error {
		attempt, err := a.attempt(r, answer)
		if err != nil {
			return err
		}
		target = attempt.Target
		a.setAttemptCookie(w, r, attempt.State, "", -1)
		person, err := a.provider.Finish(r.Context(), attempt, answer)
		if err == nil {
			proof, err = a.proofOf(person, attempt)
		}
		return err
	})
	return proof, target, err
}

// KnowsAttempt reports whether the browser has begun the sign-in that it brings
// an answer to.
func (a *Auth) KnowsAttempt(r *http.Request, answer url.Values) bool {
	_, err := a.attempt(r, answer)
	return err == nil
}

// atProvider does something for somebody who is nobody yet. Failures from one
// address are slowed down, and each is logged.
func (a *Auth) atProvider(r *http.Request, do func() error) error {
	attempt, err := a.limiter.begin(r.Context(), guess{kind: guessedAnswer, address: a.ClientAddress(r), rule: addressRule()})
	if errors.Is(err, errTooManyAttempts) {
		return ErrBusy
	}
	if err != nil {
		return err
	}
	outcome := abandoned
	defer func() { attempt.end(outcome) }()
	err = do()
	failure, ok := errors.AsType[*sso.Failure](err)
	if !ok {
		return err
	}
	outcome = failed
	return a.providerSignInFailed(r.Context(), "", failure)
}

// providerSignInFailed logs a failure, also when whoever tried has gone
// meanwhile, and returns it.
func (a *Auth) providerSignInFailed(ctx context.Context, username string, failure *sso.Failure) error {
	if err := a.store.ProviderSignInFailed(context.WithoutCancel(ctx), a.provider.Name(), username, failure.Reason+"."); err != nil {
		return err
	}
	return failure
}

// proofOf is a person as the proof that a sign-in is made of.
func (a *Auth) proofOf(person *sso.Person, attempt *sso.Attempt) (*Proof, error) {
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
	if known.Username == a.admin {
		known.Abilities = []int{allAll}
		known.LoggedAbilities = loggedAbilities(&known.Abilities)
	}
	return &Proof{Method: methods[a.provider.Name()], person: known, logoutToken: person.LogoutToken}, nil
}

// explainPerson turns what the store says against a person's sign-in into a
// failure, and logs it.
func (a *Auth) explainPerson(ctx context.Context, person *store.Person, err error) error {
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
	return a.providerSignInFailed(ctx, person.Username, &sso.Failure{Reason: reason, Err: err})
}

// putAttempt hands an attempt to the browser.
func (a *Auth) putAttempt(w http.ResponseWriter, r *http.Request, attempt *sso.Attempt) error {
	text, err := json.Marshal(attempt)
	if err != nil {
		return fmt.Errorf("auth: cookie of a sign-in: %w", err)
	}
	sealed := a.attempts.Seal(nil, nil, text, []byte(attemptCookie))
	a.setAttemptCookie(w, r, attempt.State, base64.RawURLEncoding.EncodeToString(sealed), int(sso.AttemptLifetime.Seconds()))
	return nil
}

// attempt is the sign-in of the browser that an answer is for. OAuth calls what
// comes back state, SAML RelayState.
func (a *Auth) attempt(r *http.Request, answer url.Values) (*sso.Attempt, error) {
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
	text, err := a.attempts.Open(nil, nil, sealed, []byte(attemptCookie))
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

// attemptCookieName tells the sign-ins of a browser apart.
func attemptCookieName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return attemptCookie + hex.EncodeToString(sum[:8])
}

// setAttemptCookie sets the cookie of a sign-in. SAML sends the browser back with
// a form of another site, to which browsers add only cookies that say so, and
// only over HTTPS.
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

// LogoutAddress is where a browser that has signed out here signs out of the
// provider, too, and comes from to the page back; empty where it cannot, or where
// its session was not begun there. It must be asked for before the session ends.
func (a *Auth) LogoutAddress(r *http.Request, back string) (string, error) {
	id := From(r.Context())
	if a.provider == nil || id == nil || id.Via != ViaSession {
		return "", nil
	}
	var session *store.Session
	err := a.store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		session, err = tx.Session(id.SessionHash)
		return err
	})
	if err != nil || session.Method != methods[a.provider.Name()] {
		return "", err
	}
	token, err := a.attempts.Open(nil, nil, session.LogoutToken, []byte(logoutTokenLabel))
	if err != nil {
		token = nil // SECRET_KEY_BASE was changed meanwhile
	}
	return a.provider.Logout(string(token), a.origin+back), nil
}

// logoutTokenLabel tells sealed logout tokens from other things that are sealed
// with the same key.
const logoutTokenLabel = "logout token"

// sealLogoutToken is what is stored of a logout token; nil of none.
func (a *Auth) sealLogoutToken(token string) []byte {
	if token == "" {
		return nil
	}
	return a.attempts.Seal(nil, nil, []byte(token), []byte(logoutTokenLabel))
}

// SAML is the identity provider where it is one of SAML, else nil.
func (a *Auth) SAML() *sso.SAML {
	provider, _ := a.provider.(*sso.SAML)
	return provider
}

// SignInAPIFromConsole begins a session of the API for a browser whose console session
// began by SAML, which has nothing to show to the API but that. It fails with
// ErrNoAssertion for everybody else.
func (a *Auth) SignInAPIFromConsole(r *http.Request) (Tokens, error) {
	id := From(r.Context())
	if a.SAML() == nil || id == nil || id.Via != ViaSession || id.Token != nil {
		return Tokens{}, ErrNoAssertion
	}
	return a.SignInAPI(r, &Proof{User: id.User, Method: store.MethodSAML})
}

// ErrNoAssertion: the identity provider has not vouched for anybody here.
var ErrNoAssertion = &fault.Error{Kind: fault.WrongCredentials, Detail: sso.NotAuthenticated}

// EndProviderSessions ends the sessions of sign-ins at the provider which it says
// have ended: those whose logout tokens ends says true of.
func (a *Auth) EndProviderSessions(ctx context.Context, ends func(logoutToken string) bool) error {
	return a.store.EndSessions(ctx, store.System(), func(session *store.Session) bool {
		if a.provider == nil || session.Method != methods[a.provider.Name()] {
			return false
		}
		token, err := a.attempts.Open(nil, nil, session.LogoutToken, []byte(logoutTokenLabel))
		return err == nil && ends(string(token))
	})
}
