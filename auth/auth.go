package auth

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gorilla/securecookie"

	"trento/auth/remote"
	"trento/auth/sso"
	"trento/store"
	"trento/store/fault"
)

// The errors that callers of this package receive. The texts say no more than
// necessary: a refused sign-in must not tell whether the name or the password
// was wrong.
var (
	// ErrSignedOut: no user could be identified, or the route requires an agent
	// and the API key is wrong.
	ErrSignedOut = fault.New(fault.SignedOut, "not signed in")
	// ErrForbidden: the user lacks the ability.
	ErrForbidden = fault.New(fault.Forbidden, "not permitted")
	// ErrCredentials: a sign-in was refused, for any reason.
	ErrCredentials = &fault.Error{Kind: fault.WrongCredentials, Detail: "Invalid credentials."}
	// ErrCodeMissing: name and password are right, but a code is needed as
	// well.
	ErrCodeMissing = &fault.Error{Detail: "TOTP code missing."}
	// ErrProtected: the user is the default admin, whom only the configuration
	// can change.
	ErrProtected = fault.New(fault.Forbidden, "the default admin is changed by the configuration")
	// ErrTOTPEnabled: the user has a second factor already.
	ErrTOTPEnabled = &fault.Error{Detail: "TOTP already enabled, could not process the enrollment procedure"}
	// ErrTOTPCode: the code does not match the secret of the enrollment.
	ErrTOTPCode = &fault.Error{Detail: "TOTP code not valid for the enrollment procedure."}
	// ErrRefresh: a refresh token was refused, for any reason.
	ErrRefresh = &fault.Error{Kind: fault.WrongCredentials, Detail: "Invalid refresh token."}
	// ErrBusy: too many passwords are being checked. The caller can try again
	// soon.
	ErrBusy = fault.New(fault.Busy, "too many sign-ins at this moment")
)

// Secrets are the keys that cookies and tokens are signed and encrypted with.
type Secrets struct {
	Base    []byte // key material for cookies and second factors, at least 32 bytes
	Access  []byte // signs access tokens and the API key
	Refresh []byte // signs refresh tokens; differs from Access
}

// minBaseSecret is the smallest size of Secrets.Base, in bytes.
const minBaseSecret = 32

// Options are the settings of an Auth, and what it works with.
type Options struct {
	Store           *store.Store
	Secrets         Secrets
	SessionLifetime time.Duration  // lifetime of console sessions, from sign-in
	TrustedProxies  []netip.Prefix // proxies whose forwarding headers are believed
	EnableAPIKey    bool           // false: agents need no API key
	AdminUser       string         // name of the default admin; "" means "admin"
	// MessageUser and MessagePassword are the credential of agents for messages.
	// "" means the stored one, which is generated if there is none.
	MessageUser, MessagePassword string
	// Alerts are the configured settings of alerts; nil means the stored ones.
	Alerts *AlertSettings
	// StrictPasswords refuses passwords that PasswordWarning warns of.
	StrictPasswords bool
	// Operations are the operations of the API, which scopes of tokens can
	// name.
	Operations []Operation
	// Introspectors are the networks that may use token introspection. This
	// machine always may.
	Introspectors []netip.Prefix
	// TokenRateLimit is how often each personal access token may be used in a
	// minute; 0 means that there is no limit.
	TokenRateLimit int
	// Monitoring says who may read the metrics.
	Monitoring Monitoring
	// Provider is the identity provider that is in charge of the accounts; nil:
	// this server is in charge of them.
	Provider sso.Provider
	Origin   string           // scheme and host of the addresses that a provider sends browsers back to
	HashCost HashCost         // cost of new password hashes; a stored hash names its own cost
	Now      func() time.Time // nil: the clock of the store
	Log      *slog.Logger     // nil: nothing is logged
}

// Auth identifies users and decides what they may do. It is safe for concurrent
// use.
type Auth struct {
	store           *store.Store
	now             func() time.Time
	log             *slog.Logger
	proxies         []netip.Prefix
	enableAPIKey    bool
	strictPasswords bool
	adminName       string // name of the default admin, normalized

	sessions      *sessionStore
	accessSigner  *signer
	refreshSigner *signer
	apiKey        []byte
	// signedAPIKey caches the API key with its signed text.
	signedAPIKey atomic.Pointer[signedAPIKey]
	// initialPassword is the path of the file with the generated password of
	// the default admin; nil once it is deleted.
	initialPassword atomic.Pointer[string]
	hasher          *hasher
	limiter         *limiter
	totpSealer      cipher.AEAD // encrypts the secrets of second factors
	cursorSealer    cipher.AEAD // encrypts positions in the journal for browsers, see SealCursor
	scopes          *scopes
	// introspectors are the networks that may use token introspection, beside
	// this machine.
	introspectors      []netip.Prefix
	monitoring         Monitoring
	pendingSignInCodec *securecookie.SecureCookie
	deviceCodec        *securecookie.SecureCookie
	provider           sso.Provider
	origin             string
	messages           messageCredentials
	alerts             alertSettings
	webhooks           webhookSealer
	attemptSealer      cipher.AEAD // encrypts sign-ins at the provider and logout tokens
	untrustedProxies   untrustedProxies
	agentRefusals      remote.Refusals
	tokenLimit         *tokenLimit
}

// New returns an Auth. It fails if a secret is missing, too short or used
// twice.
func New(o Options) (*Auth, error) {
	if o.Now == nil {
		o.Now = o.Store.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(o.Secrets.Base) < minBaseSecret:
		return nil, fmt.Errorf("auth: %d bytes of key material, need %d", len(o.Secrets.Base), minBaseSecret)
	case len(o.Secrets.Access) == 0 || len(o.Secrets.Refresh) == 0:
		return nil, errors.New("auth: a secret for tokens is missing")
	case string(o.Secrets.Access) == string(o.Secrets.Refresh):
		return nil, errors.New("auth: access and refresh tokens have the same secret")
	case o.SessionLifetime < time.Second:
		return nil, fmt.Errorf("auth: sessions of %v end before they begin", o.SessionLifetime)
	}
	// Each use has a key of its own, so that nothing signed for one purpose is
	// valid for another.
	cookieKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento session cookie", 64)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	totpKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento second factor", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	sealer, err := newSealer(totpKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	cursorKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento cursor", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	cursors, err := newSealer(cursorKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	pendingSignInKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento pending sign-in cookie", 64)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	attemptKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento single sign-on", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	attempts, err := newSealer(attemptKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	messageKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento message credential", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	messages, err := newSealer(messageKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	alertKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento alert settings", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	alerts, err := newSealer(alertKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	webhookKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento webhooks", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	webhooks, err := newSealer(webhookKey)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	deviceKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento device cookie", 64)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	a := &Auth{
		adminName: store.NormalUsername(cmp.Or(o.AdminUser, "admin")), totpSealer: sealer, cursorSealer: cursors,
		store: o.Store, now: o.Now, log: o.Log, proxies: o.TrustedProxies, enableAPIKey: o.EnableAPIKey,
		strictPasswords: o.StrictPasswords,
		accessSigner:    newSigner(o.Secrets.Access, typeAccess, o.Now),
		refreshSigner:   newSigner(o.Secrets.Refresh, typeRefresh, o.Now),
		apiKey:          o.Secrets.Access,
		hasher:          newHasher(o.HashCost),
		limiter:         newLimiter(o.Now, o.Log),
		scopes:          newScopes(o.Operations), introspectors: o.Introspectors, monitoring: o.Monitoring,
		pendingSignInCodec: newPendingSignInCodec(pendingSignInKey), deviceCodec: newDeviceCodec(deviceKey),
		tokenLimit: newTokenLimit(o.TokenRateLimit, o.Now),
		provider:   o.Provider, origin: o.Origin, attemptSealer: attempts,
		messages: messageCredentials{user: o.MessageUser, password: o.MessagePassword, sealer: messages},
		alerts:   alertSettings{configured: o.Alerts, sealer: alerts},
		webhooks: webhookSealer{webhooks},
	}
	a.sessions = newSessionStore(a, cookieKey, o.SessionLifetime)
	return a, nil
}

// Via is the way a user was identified.
type Via string

// The ways to be identified.
const (
	ViaSession Via = "session" // the cookie of a console session
	ViaToken   Via = "token"   // an access token
	// ViaPersonalToken is a personal access token sent with the request.
	ViaPersonalToken Via = "personal token"
	ViaLocal         Via = "local" // a command on this machine, see WithLocalCaller
)

// Identity is the user that a request comes from. The user exists and is
// enabled. A nil Identity means that nobody was identified; its methods can be
// called.
type Identity struct {
	User        *store.User // shared, not to be modified
	Via         Via
	SessionHash [32]byte // key of the session in the store; zero with a personal access token
	// Token is the personal access token of the request, or the one that its
	// session was started with; nil if the user signed in with a password. It
	// is shared, not to be modified.
	Token *store.Token
	// repeatedPassword is the password that the request repeats, see Confirming.
	repeatedPassword *string
	// abilities are the abilities of the user that the scopes of the token
	// permit.
	abilities []int
	// providerInCharge: an identity provider is in charge of the accounts.
	providerInCharge bool
	// expiresAt is the expiry of an access token. It is zero for sessions and
	// personal access tokens, whose expiry is in the store.
	expiresAt time.Time
}

// May reports whether the identity meets a demand. No user meets the demand for
// an agent.
func (id *Identity) May(need Access) bool {
	if id == nil {
		return need == Public
	}
	return need.isSatisfiedBy(id.effectiveAbilities())
}

// effectiveAbilities returns the abilities that the identity can use.
func (id *Identity) effectiveAbilities() []int {
	if id.Token != nil {
		return id.abilities
	}
	return id.User.Abilities
}

// Can reports whether the identity has an ability, given by its name. It panics
// if no ability has that name.
func (id *Identity) Can(ability string) bool { return id.May(Needs(ability)) }

// Actor returns the identity as the author of a change.
func (id *Identity) Actor() store.Actor { return store.Actor{Name: id.User.Username} }

// identifyResult is the result of Identify: an identity, none (nil), or the error
// that prevented the check.
type identifyResult struct {
	identity *Identity
	err      error
}

type identifyResultKey struct{}

// Identify wraps a handler so that From and Permit know the identity behind a
// request. It refuses nothing: an expired token or a forged cookie identifies
// nobody. If a request has a token, its cookie is ignored. Each use of a
// personal access token is logged, whether it was permitted or not.
func (a *Auth) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.logUntrustedProxy(r)
		if shown, ok := tokenInRequest(r); ok {
			identity, token, err := a.identifyToken(shown)
			a.serveAndLogUse(w, a.withIdentity(r, identity, err), next, shown.sentVia, func() matchedToken { return token })
			return
		}
		identity, err := a.identify(r)
		r = a.withIdentity(r, identity, err)
		if isSignIn(r) {
			var used signInTokenHolder
			r = r.WithContext(context.WithValue(r.Context(), signInTokenKey{}, &used))
			a.serveAndLogUse(w, r, next, viaLogin, func() matchedToken { return used.token })
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withIdentity returns the request with the result of Identify in its context.
func (a *Auth) withIdentity(r *http.Request, id *Identity, err error) *http.Request {
	if errors.Is(err, ErrSignedOut) {
		return r
	}
	if id != nil && id.Token != nil {
		id.abilities = a.scopes.abilitiesWithin(id.Token, id.User.Abilities, isRead(r))
	}
	return r.WithContext(context.WithValue(r.Context(), identifyResultKey{}, identifyResult{id, err}))
}

// isRead reports whether a request changes nothing, by its method.
func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// identify returns the identity behind a request, or ErrSignedOut.
func (a *Auth) identify(r *http.Request) (*Identity, error) {
	if token, ok := bearerToken(r.Header.Get("Authorization")); ok {
		identity, _, err := a.tokenIdentity(token)
		return identity, err
	}
	if isLocalCaller(r) {
		return a.identifyLocalCaller(r)
	}
	return a.sessions.identity(r)
}

// Revalidate returns the identity with the abilities that its user has now. It
// fails with ErrSignedOut if the identity is not valid any more.
func (a *Auth) Revalidate(tx *store.Tx, id *Identity) (*Identity, error) {
	switch {
	case id.Via == ViaToken && !a.now().Before(id.expiresAt):
		return nil, ErrSignedOut
	case id.Via == ViaLocal:
		return a.localIdentity(tx)
	}
	now := *id
	var err error
	if id.Via == ViaPersonalToken {
		if now.Token, _, err = a.validToken(tx, id.User.ID, id.Token.ID); err == nil {
			now.User, err = enabledUser(tx, id.User.ID)
		}
	} else {
		var present *Identity
		if present, _, err = a.sessionIdentity(tx, id.SessionHash, id.Via); err == nil {
			now.User, now.Token = present.User, present.Token
		}
	}
	if err != nil {
		return nil, err
	}
	if now.Token != nil {
		now.abilities = a.scopes.abilitiesWithin(now.Token, now.User.Abilities, true)
	}
	return &now, nil
}

// PermitAgain returns the identity with the abilities that its user has now, if
// it may still use a route; see Permit. It fails with ErrSignedOut or
// ErrForbidden. It is for answers that take long.
func (a *Auth) PermitAgain(tx *store.Tx, id *Identity, need Access, tokens TokenRule, operation string) (*Identity, error) {
	now, err := a.Revalidate(tx, id)
	if err == nil && !isPermitted(now, need, tokens, operation) {
		err = ErrForbidden
	}
	return now, err
}

// From returns the identity behind the request of a context; nil for nobody.
func From(ctx context.Context) *Identity {
	found, _ := ctx.Value(identifyResultKey{}).(identifyResult)
	return found.identity
}

// Permit decides whether a request may use a route. need is what the route
// demands of its callers, and tokens which tokens may use it. It returns nil,
// ErrSignedOut, ErrForbidden, or the error that prevented Identify from
// checking. operation is the route in the form of scopes, "GET /api/v1/hosts";
// it is "" for routes outside the API, such as pages of the console.
func (a *Auth) Permit(r *http.Request, need Access, tokens TokenRule, operation string) error {
	external := tokens.LocalAccounts && a.provider != nil
	switch {
	case need == Public && external:
		return ErrExternal
	case need == Public:
		return nil
	case need == Agent:
		return a.permitAgent(r)
	case tokens.Monitoring && a.monitoring == MonitoringOff:
		return store.ErrNotFound
	case tokens.Monitoring && a.isMonitor(r):
		return nil
	}
	found, _ := r.Context().Value(identifyResultKey{}).(identifyResult)
	switch {
	case found.err != nil:
		return found.err
	case found.identity == nil && need == OnWall:
		return a.permitDisplay(r)
	case found.identity == nil:
		return ErrSignedOut
	case external:
		return ErrExternal
	case !isPermitted(found.identity, need, tokens, operation):
		return ErrForbidden
	}
	return nil
}

// isPermitted decides for a known user. A request with a token must meet two
// conditions: the owner has the ability now, and the scopes of the token permit
// the route. A session that was started with a token must be one that may see
// the console.
func isPermitted(id *Identity, need Access, tokens TokenRule, operation string) bool {
	t := id.Token
	switch {
	case t == nil:
		return id.May(need)
	case operation == "" && id.Via != ViaPersonalToken && !opensConsole(t):
		return false
	}
	return need.isSatisfiedBy(id.User.Abilities) && tokens.permits(t, operation)
}

// MayUse reports whether the identity may use an operation of the API.
func (id *Identity) MayUse(o Operation) bool {
	return id != nil && isPermitted(id, o.Access, o.Tokens, o.String())
}

// enabledUser returns a user who is enabled, or ErrSignedOut.
func enabledUser(tx *store.Tx, id int64) (*store.User, error) {
	user, err := tx.User(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !user.Enabled() {
		return nil, ErrSignedOut
	}
	return user, err
}
