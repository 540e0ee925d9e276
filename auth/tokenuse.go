package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/felixge/httpsnoop"

	"trento/store"
)

// The ways to send a personal access token, as the log of token uses names
// them.
const (
	viaBearer    = "bearer"
	viaBasic     = "basic"     // as the password of HTTP Basic
	viaParameter = "parameter" // as a parameter of the query or form
	viaLogin     = "login"     // as the password of a sign-in
)

// TokenParameter is the parameter of a query or form that can hold a token.
const TokenParameter = "session"

// assistantPath is the address to which assistants connect.
const assistantPath = "/mcp"

// anyOwnerName is the user name that clients may send with a token instead of the
// name of its owner.
const anyOwnerName = "$token"

// presentedToken is a personal access token that a request presents.
type presentedToken struct {
	text, sentVia string
	username      string // the user name sent with it, for viaBasic and viaLogin
}

// programPaths are the first segments of the addresses that are for programs.
var programPaths = []string{"api", "wanda", "mcp", "metrics"}

// IsProgramRoom reports whether addresses with this first segment are for
// programs.
func IsProgramRoom(segment string) bool { return slices.Contains(programPaths, segment) }

// IsForPrograms reports whether the address with this path is for programs: it
// is in one of their rooms, or the console answers there with a file or an
// event stream instead of a page.
func IsForPrograms(address string) bool {
	clean := path.Clean(address)
	switch path.Ext(clean) {
	case ".csv", ".jsonl":
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(clean, "/"), "/")
	return clean == "/events" || IsProgramRoom(first)
}

// tokenInRequest returns the token that a request presents. Pages of the console
// accept no tokens: tokens are for programs. A header takes precedence over a
// parameter. Assistants send it in a header only.
func tokenInRequest(r *http.Request) (presentedToken, bool) {
	isAssistant := r.URL.Path == assistantPath
	if !IsForPrograms(r.URL.Path) {
		return presentedToken{}, false
	}
	if text, ok := bearerToken(r.Header.Get("Authorization")); ok {
		return presentedToken{text: text, sentVia: viaBearer}, isPersonalToken(text)
	}
	if isAssistant {
		return presentedToken{}, false
	}
	if username, password, ok := r.BasicAuth(); ok && isPersonalToken(password) {
		return presentedToken{text: password, sentVia: viaBasic, username: username}, true
	}
	if text := tokenParameter(r); isPersonalToken(text) {
		return presentedToken{text: text, sentVia: viaParameter}, true
	}
	return presentedToken{}, false
}

// maxTokenForm is the largest form that is searched for a token, in bytes.
const maxTokenForm = 16 << 10

// tokenParameter returns the token in the query or else in the form. The form
// can be read again afterwards.
func tokenParameter(r *http.Request) string {
	if strings.Contains(r.URL.RawQuery, TokenParameter+"=") {
		if text := r.URL.Query().Get(TokenParameter); text != "" {
			return text
		}
	}
	if !strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/x-www-form-urlencoded") {
		return ""
	}
	var read bytes.Buffer
	_, err := io.CopyN(&read, r.Body, maxTokenForm)
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(read.Bytes()), r.Body), r.Body}
	if !errors.Is(err, io.EOF) {
		return "" // too large or broken off; the handler reports that
	}
	form, err := url.ParseQuery(read.String())
	if err != nil {
		return ""
	}
	return form.Get(TokenParameter)
}

// matchedToken is the token that a text belongs to, or belonged to before the
// text was replaced or the token deleted.
type matchedToken struct {
	*store.Token        // nil: no token matches; only ids and name are set for a deleted token
	textState    string // store.TextReplaced, store.TextDeleted, or "" for a valid text
}

// tokenOwner returns the owner of a presented token. It fails with ErrSignedOut
// if the token is not valid for this request; even then it returns the token
// that matches, if any, for the log.
func (a *Auth) tokenOwner(shown presentedToken) (user *store.User, token matchedToken, err error) {
	if len(shown.text) != tokenTextSize {
		return nil, token, ErrSignedOut
	}
	hash := tokenHash(shown.text)
	err = a.store.View(func(tx *store.Tx) (err error) {
		token.Token, err = tx.TokenOf(hash)
		if errors.Is(err, store.ErrNotFound) {
			former, err := tx.FormerTextOf(hash)
			if err == nil {
				token = matchedToken{&store.Token{ID: former.TokenID, UserID: former.UserID, Name: former.Name}, former.State}
			}
			if err == nil || errors.Is(err, store.ErrNotFound) {
				return ErrSignedOut
			}
			return err
		}
		if err != nil {
			return err
		}
		settings, err := tx.TokenSettings()
		if err != nil {
			return err
		}
		if user, err = enabledUser(tx, token.UserID); err != nil {
			return err
		}
		if token.Expired(a.now()) || !settings.Enabled || !shown.isAccepted(user, settings) {
			return ErrSignedOut
		}
		return nil
	})
	return user, token, err
}

// isAccepted reports whether the settings permit sending a token in this way,
// and whether a user name sent with it is that of the owner or anyOwnerName.
func (s presentedToken) isAccepted(owner *store.User, settings *store.TokenSettings) bool {
	nameMatches := s.username == anyOwnerName || store.NormalUsername(s.username) == store.NormalUsername(owner.Username)
	switch s.sentVia {
	case viaBasic:
		return settings.AllowBasic && nameMatches
	case viaLogin:
		return settings.AllowSignIn && nameMatches
	case viaParameter:
		return settings.AllowInQuery
	}
	return true
}

// identifyToken returns the identity behind a presented token.
func (a *Auth) identifyToken(shown presentedToken) (*Identity, matchedToken, error) {
	user, token, err := a.tokenOwner(shown)
	if err != nil {
		return nil, token, err
	}
	return &Identity{User: user, Via: ViaPersonalToken, Token: token.Token}, token, nil
}

// sessionToken returns the token that a session was started with; nil for a
// session started with a password. It fails with ErrSignedOut if the token is
// not valid any more.
func (a *Auth) sessionToken(tx *store.Tx, session *store.Session) (*store.Token, error) {
	if session.TokenID == "" {
		return nil, nil
	}
	token, settings, err := a.validToken(tx, session.UserID, session.TokenID)
	if err == nil && !settings.AllowSignIn {
		return nil, ErrSignedOut
	}
	return token, err
}

// validToken returns a token and the settings of tokens, or ErrSignedOut if the
// token is not valid now.
func (a *Auth) validToken(tx *store.Tx, userID int64, id string) (*store.Token, *store.TokenSettings, error) {
	token, err := tx.Token(userID, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, ErrSignedOut
	}
	if err != nil {
		return nil, nil, err
	}
	settings, err := tx.TokenSettings()
	if err == nil && (token.Expired(a.now()) || !settings.Enabled) {
		err = ErrSignedOut
	}
	if err != nil {
		return nil, nil, err
	}
	return token, settings, nil
}

// checkTokenCredentials is checkCredentials for a token in the place of the
// password. It bypasses the second factor, so the settings forbid it by
// default.
func (a *Auth) checkTokenCredentials(ctx context.Context, c Credentials) (*Proof, error) {
	user, token, err := a.tokenOwner(presentedToken{text: c.Password, sentVia: viaLogin, username: c.Username})
	if used, ok := ctx.Value(signInTokenKey{}).(*signInTokenHolder); ok {
		used.token = token
	}
	if errors.Is(err, ErrSignedOut) {
		return nil, ErrCredentials
	}
	if err != nil {
		return nil, err
	}
	return &Proof{User: user, Method: store.MethodToken, TokenID: token.ID}, nil
}

// signInTokenHolder is put into the context of a sign-in. The handler stores
// the token in it if one is used as the password, so that Identify can log the
// use.
type signInTokenHolder struct{ token matchedToken }

type signInTokenKey struct{}

// isSignIn reports whether a request is a sign-in with a password.
func isSignIn(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	clean := path.Clean(r.URL.Path)
	return clean == "/api/session" || clean == "/session"
}

// serveAndLogUse serves a request and records the use of a token. tokenOf is
// called afterwards; its token can be nil.
func (a *Auth) serveAndLogUse(w http.ResponseWriter, r *http.Request, next http.Handler, via string, tokenOf func() matchedToken) {
	at, answer, finished := a.now(), httpsnoop.Metrics{Code: http.StatusOK}, false
	logUse := sync.OnceFunc(func() {
		token := tokenOf()
		if token.Token == nil {
			return
		}
		if !finished && answer.Written == 0 {
			answer.Code = http.StatusInternalServerError // the status of the answer to a panic
		}
		a.store.NoteTokenUse(store.TokenUse{
			UserID: token.UserID, At: at, TokenID: token.ID, TokenName: token.Name,
			Method: r.Method, Path: r.URL.Path, Status: answer.Code, Address: a.clientAddressText(r), UserAgent: r.UserAgent(), Via: via, Text: token.textState,
		})
	})
	defer logUse()
	// An answer that is sent piece by piece can take days.
	w = httpsnoop.Wrap(w, httpsnoop.Hooks{Flush: func(flush httpsnoop.FlushFunc) httpsnoop.FlushFunc {
		return func() {
			flush()
			logUse()
		}
	}})
	answer.CaptureMetrics(w, func(w http.ResponseWriter) { next.ServeHTTP(w, r) })
	finished = true
}

// clientAddressText returns the address of the client as text; "" if it is unknown.
func (a *Auth) clientAddressText(r *http.Request) string {
	if client := a.ClientAddress(r); client.IsValid() {
		return client.String()
	}
	return ""
}

// forwardingHeaders are headers that proxies add.
var forwardingHeaders = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// MayIntrospect reports whether a request may use token introspection. It must
// come directly from this machine or from a configured network, or through
// trusted proxies from a configured network.
func (a *Auth) MayIntrospect(r *http.Request) bool {
	client, proxies := a.clientAndProxies(r)
	named := slices.ContainsFunc(a.introspectors, func(n netip.Prefix) bool { return n.Contains(client) })
	if isForwarded(r) {
		return proxies > 0 && named
	}
	return client.IsLoopback() || named
}

// Introspection is what introspection tells about a valid token.
type Introspection struct {
	User *store.User
	// Abilities are those that the token permits to use for changes. The
	// receiver lets the bearer do everything that an ability stands for, so
	// abilities that the token permits for reading only are left out.
	Abilities []Ability
	Scopes    []string // nil: no limit
	Access    *Claims  // claims of an access token; nil for a personal one
}

// Introspect returns what is known about an access token or a personal access
// token. It fails with ErrSignedOut if the token is not valid.
func (a *Auth) Introspect(text string) (*Introspection, error) {
	var id *Identity
	var claims *Claims
	var err error
	if isPersonalToken(text) {
		id, _, err = a.identifyToken(presentedToken{text: text, sentVia: viaBearer})
	} else {
		id, claims, err = a.tokenIdentity(text)
	}
	if err != nil {
		return nil, err
	}
	found := &Introspection{User: id.User, Access: claims}
	held := id.User.Abilities
	if id.Token != nil {
		held = a.scopes.abilitiesWithin(id.Token, held, false)
		if !slices.Contains(id.Token.Scopes, scopeFull) {
			found.Scopes = id.Token.Scopes
		}
	}
	for _, ability := range abilities {
		if slices.Contains(held, ability.ID) {
			found.Abilities = append(found.Abilities, ability)
		}
	}
	return found, nil
}
