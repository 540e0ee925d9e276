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

	"trento/store"
	"trento/store/fault"
)

// What a caller of this package can be told. None says more than its text:
// which of a name and a password was wrong is nobody's business.
var (
	// ErrSignedOut: nobody has been identified, or not as an agent.
	ErrSignedOut = fault.New(fault.SignedOut, "not signed in")
	// ErrForbidden: who has been identified lacks the ability.
	ErrForbidden = fault.New(fault.Forbidden, "not permitted")
	// ErrCredentials: a sign-in was refused, for whatever reason.
	ErrCredentials = &fault.Error{Kind: fault.WrongCredentials, Detail: "Invalid credentials."}
	// ErrCodeMissing: name and password are right, and a code is needed, too.
	ErrCodeMissing = &fault.Error{Detail: "TOTP code missing."}
	// ErrProtected: the default admin cannot be changed like this.
	ErrProtected = fault.New(fault.Forbidden, "the default admin is changed by the configuration")
	// ErrTOTPEnabled: there is a second factor already.
	ErrTOTPEnabled = &fault.Error{Detail: "TOTP already enabled, could not process the enrollment procedure"}
	// ErrTOTPCode: this code does not enable the second factor.
	ErrTOTPCode = &fault.Error{Detail: "TOTP code not valid for the enrollment procedure."}
	// ErrRefresh: a refresh token was refused, for whatever reason.
	ErrRefresh = &fault.Error{Kind: fault.WrongCredentials, Detail: "Invalid refresh token."}
	// ErrBusy: more passwords are being checked than the machine can bear.
	// Trying again soon helps.
	ErrBusy = fault.New(fault.Busy, "too many sign-ins at this moment")
)

// Secrets are the keys behind everything that is signed here.
type Secrets struct {
	Base    []byte // key material for cookies, at least 32 bytes
	Access  []byte // signs access tokens and the API key
	Refresh []byte // signs refresh tokens; differs from Access
}

// minBase is the least key material that keys are derived from, in bytes.
const minBase = 32

// Options of New.
type Options struct {
	Store           *store.Store
	Secrets         Secrets
	SessionLifetime time.Duration  // of console sessions, from sign-in
	TrustedProxies  []netip.Prefix // whose forwarding headers are believed
	EnableAPIKey    bool           // false: everybody may report as an agent
	AdminUser       string         // name of the default admin; "admin" where empty
	// StrictPasswords refuses passwords that PasswordWarning has something to say
	// about.
	StrictPasswords bool
	// Operations are what scopes of tokens can name: what the API offers.
	Operations []Operation
	// Introspectors may ask who a token belongs to, beside this machine itself.
	Introspectors []netip.Prefix
	HashCost      HashCost         // of passwords that are set from now on; stored hashes name their own
	Now           func() time.Time // the store's clock where nil
	Log           *slog.Logger     // discarded where nil
}

// Auth identifies and decides. It is safe for concurrent use.
type Auth struct {
	store           *store.Store
	now             func() time.Time
	log             *slog.Logger
	proxies         []netip.Prefix
	enableAPIKey    bool
	strictPasswords bool
	admin           string // the default admin's name, in its normal form

	sessions *sessionStore
	access   *signer
	refresh  *signer
	apiKey   []byte
	// presentKey is the API key that was asked for last.
	presentKey atomic.Pointer[keyText]
	// initialPassword is the file of the generated password of the default
	// admin, as long as it is there.
	initialPassword atomic.Pointer[string]
	hasher          *hasher
	limiter         *limiter
	sealer          cipher.AEAD // of the secrets of second factors
	cursors         cipher.AEAD // of the places browsers are handed, see SealCursor
	scopes          *scopes
	// introspectors may ask about tokens from another machine.
	introspectors      []netip.Prefix
	pendingSignInCodec *securecookie.SecureCookie
	devices            *securecookie.SecureCookie
	untrusted          untrustedProxies
}

// New fails on secrets that are missing, too short, or used twice.
func New(o Options) (*Auth, error) {
	if o.Now == nil {
		o.Now = o.Store.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(o.Secrets.Base) < minBase:
		return nil, fmt.Errorf("auth: %d bytes of key material, need %d", len(o.Secrets.Base), minBase)
	case len(o.Secrets.Access) == 0 || len(o.Secrets.Refresh) == 0:
		return nil, errors.New("auth: a secret for tokens is missing")
	case string(o.Secrets.Access) == string(o.Secrets.Refresh):
		return nil, errors.New("auth: access and refresh tokens have the same secret")
	case o.SessionLifetime < time.Second:
		return nil, fmt.Errorf("auth: sessions of %v end before they begin", o.SessionLifetime)
	}
	// Each use has a key of its own, so that nothing signed for one purpose
	// can serve another.
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
	deviceKey, err := hkdf.Key(sha256.New, o.Secrets.Base, nil, "trento device cookie", 64)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	a := &Auth{
		admin: store.NormalUsername(cmp.Or(o.AdminUser, "admin")), sealer: sealer, cursors: cursors,
		store: o.Store, now: o.Now, log: o.Log, proxies: o.TrustedProxies, enableAPIKey: o.EnableAPIKey,
		strictPasswords: o.StrictPasswords,
		access:          newSigner(o.Secrets.Access, typeAccess, o.Now),
		refresh:         newSigner(o.Secrets.Refresh, typeRefresh, o.Now),
		apiKey:          o.Secrets.Access,
		hasher:          newHasher(o.HashCost),
		limiter:         newLimiter(o.Now, o.Log),
		scopes:          newScopes(o.Operations), introspectors: o.Introspectors,
		pendingSignInCodec: newPendingSignInCodec(pendingSignInKey), devices: newDeviceCodec(deviceKey),
	}
	a.sessions = newSessionStore(a, cookieKey, o.SessionLifetime)
	return a, nil
}

// Via is how somebody showed who they are.
type Via string

// The ways.
const (
	ViaSession Via = "session" // the cookie of a console session
	ViaToken   Via = "token"   // an access token
	// ViaPersonalToken is a personal access token, in the request itself.
	ViaPersonalToken Via = "personal token"
)

// Identity is who a request comes from: a user who exists and is enabled. A
// nil Identity is nobody; its methods may be called.
type Identity struct {
	User        *store.User // shared, not to be modified
	Via         Via
	SessionHash [32]byte // the session's key in the store; zero with a personal access token
	// Token is the personal access token that was shown, now or when the
	// session began; nil for a person. It is shared, not to be modified.
	Token *store.Token
	// confirmation is the password that was shown once more; see Confirming.
	confirmation *string
	// abilities are what is left of the user's within the token's scopes.
	abilities []int
	// until is when an access token ends; zero for all else, which the store
	// knows.
	until time.Time
}

// May reports whether the identity meets a demand. The demand for an agent is
// met by no user.
func (id *Identity) May(need Access) bool {
	if id == nil {
		return need == Public
	}
	return need.metBy(id.abilitiesNow())
}

// abilitiesNow are the abilities the identity can make use of.
func (id *Identity) abilitiesNow() []int {
	if id.Token != nil {
		return id.abilities
	}
	return id.User.Abilities
}

// Can is May for the name of an ability. It panics where there is none of
// that name.
func (id *Identity) Can(ability string) bool { return id.May(Needs(ability)) }

// Actor is the identity as the author of a change.
func (id *Identity) Actor() store.Actor { return store.Actor{Name: id.User.Username} }

// identified is what Identify found out: somebody, nobody, or that it could
// not find out.
type identified struct {
	identity *Identity
	err      error
}

type identifiedKey struct{}

// Identify wraps a handler so that From and Permit know who a request comes
// from. It refuses nothing: what does not prove anything, such as an expired
// token or a forged cookie, is nobody. A token is looked at instead of the
// cookie, not beside it. What is done with a personal access token gets into
// the log of its uses, be it permitted or not.
func (a *Auth) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.noticeProxy(r)
		if shown, ok := showsToken(r); ok {
			identity, token, err := a.byToken(shown)
			a.serveNoted(w, a.knowing(r, identity, err), next, shown.via, func() seenToken { return token })
			return
		}
		identity, err := a.identify(r)
		r = a.knowing(r, identity, err)
		if isSignIn(r) {
			var used signInToken
			r = r.WithContext(context.WithValue(r.Context(), signInKey{}, &used))
			a.serveNoted(w, r, next, viaLogin, func() seenToken { return used.token })
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knowing is the request with what was found out about who it comes from.
func (a *Auth) knowing(r *http.Request, id *Identity, err error) *http.Request {
	if errors.Is(err, ErrSignedOut) {
		return r
	}
	if id != nil && id.Token != nil {
		id.abilities = a.scopes.narrow(id.Token, id.User.Abilities, reads(r))
	}
	return r.WithContext(context.WithValue(r.Context(), identifiedKey{}, identified{id, err}))
}

// reads reports whether a request changes nothing.
func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// identify returns ErrSignedOut for nobody.
func (a *Auth) identify(r *http.Request) (*Identity, error) {
	if token, ok := bearerToken(r.Header.Get("Authorization")); ok {
		identity, _, err := a.tokenIdentity(token)
		return identity, err
	}
	return a.sessions.identity(r)
}

// Revalidate looks whether an identity that was found earlier still holds, and what
// its user may do now. ErrSignedOut says that it does not.
func (a *Auth) Revalidate(tx *store.Tx, id *Identity) (*Identity, error) {
	if id.Via == ViaToken && !a.now().Before(id.until) {
		return nil, ErrSignedOut
	}
	now := *id
	var err error
	if id.Via == ViaPersonalToken {
		if now.Token, _, err = a.liveToken(tx, id.User.ID, id.Token.ID); err == nil {
			now.User, err = enabledUser(tx, id.User.ID)
		}
	} else {
		var present *Identity
		if present, _, err = a.inSession(tx, id.SessionHash, id.Via); err == nil {
			now.User, now.Token = present.User, present.Token
		}
	}
	if err != nil {
		return nil, err
	}
	if now.Token != nil {
		now.abilities = a.scopes.narrow(now.Token, now.User.Abilities, true)
	}
	return &now, nil
}

// From returns who the request of the context comes from, nil for nobody.
func From(ctx context.Context) *Identity {
	found, _ := ctx.Value(identifiedKey{}).(identified)
	return found.identity
}

// Permit decides whether a request may use a route, which says who may and
// which tokens of theirs may: nil, ErrSignedOut or ErrForbidden, or the fault
// that kept Identify from finding out. operation is the route as scopes name
// it, "GET /api/v1/hosts"; it is empty for what is not part of the API, such as
// the pages of the console.
func (a *Auth) Permit(r *http.Request, need Access, tokens TokenRule, operation string) error {
	switch need {
	case Public:
		return nil
	case Agent:
		return a.CheckAPIKey(r.Header.Get(apiKeyHeader))
	}
	found, _ := r.Context().Value(identifiedKey{}).(identified)
	switch {
	case found.err != nil:
		return found.err
	case found.identity == nil:
		return ErrSignedOut
	case !admits(found.identity, need, tokens, operation):
		return ErrForbidden
	}
	return nil
}

// admits decides for somebody. With a token it takes both: what the owner may
// do now, and what the route says about scopes.
func admits(id *Identity, need Access, tokens TokenRule, operation string) bool {
	t := id.Token
	switch {
	case t == nil:
		return id.May(need)
	case operation == "" && !opensConsole(t):
		return false
	}
	return need.metBy(id.User.Abilities) && tokens.permits(t, operation)
}

// enabledUser reads a user who may act, or returns ErrSignedOut.
func enabledUser(tx *store.Tx, id int64) (*store.User, error) {
	user, err := tx.User(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !user.Enabled() {
		return nil, ErrSignedOut
	}
	return user, err
}
