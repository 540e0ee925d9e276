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

	"github.com/felixge/httpsnoop"

	"trento/store"
)

// The ways to show a personal access token, as the log of its uses calls them.
const (
	viaBearer    = "bearer"
	viaBasic     = "basic"     // as the password of HTTP Basic
	viaParameter = "parameter" // in the query or the form
	viaLogin     = "login"     // as the password of a sign-in
)

// TokenParameter is the parameter of a query or a form that may hold a token.
const TokenParameter = "session"

// anyOwner is the user name of those who show a token and need no other.
const anyOwner = "$token"

// shownToken is a personal access token as a request shows it.
type shownToken struct {
	text, via string
	username  string // what stands beside it, with viaBasic and viaLogin
}

// showsToken finds the token that a request shows. Tokens are for programs:
// the pages of the console take none. A header goes before a parameter.
func showsToken(r *http.Request) (shownToken, bool) {
	if !strings.HasPrefix(path.Clean(r.URL.Path), "/api/") {
		return shownToken{}, false
	}
	if text, ok := bearerToken(r.Header.Get("Authorization")); ok {
		return shownToken{text: text, via: viaBearer}, isAccessToken(text)
	}
	if username, password, ok := r.BasicAuth(); ok && isAccessToken(password) {
		return shownToken{text: password, via: viaBasic, username: username}, true
	}
	if text := tokenParameter(r); isAccessToken(text) {
		return shownToken{text: text, via: viaParameter}, true
	}
	return shownToken{}, false
}

// maxTokenForm is the largest form that is searched for a token, in bytes.
const maxTokenForm = 16 << 10

// tokenParameter is the parameter of the query, else of the form, which can be
// read again afterwards.
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
		return "" // too large, or it broke off, which whoever reads on will see
	}
	form, err := url.ParseQuery(read.String())
	if err != nil {
		return ""
	}
	return form.Get(TokenParameter)
}

// seenToken is a token that a text belongs to or, where text says so, did
// belong to once.
type seenToken struct {
	*store.Token        // nil: none; of a deleted one only the ids and the name
	text         string // store.TextReplaced, store.TextDeleted or empty
}

// tokenOwner is who shows a token. ErrSignedOut says that it is worth nothing
// here; the token is returned nevertheless, where there is or was such a one.
func (a *Auth) tokenOwner(shown shownToken) (user *store.User, token seenToken, err error) {
	if len(shown.text) != tokenTextSize {
		return nil, token, ErrSignedOut
	}
	hash := tokenHash(shown.text)
	err = a.store.View(func(tx *store.Tx) (err error) {
		token.Token, err = tx.TokenOf(hash)
		if errors.Is(err, store.ErrNotFound) {
			former, err := tx.FormerTextOf(hash)
			if err == nil {
				token = seenToken{&store.Token{ID: former.TokenID, UserID: former.UserID, Name: former.Name}, former.State}
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
		if token.Expired(a.now()) || !settings.Enabled || !shown.fits(user, settings) {
			return ErrSignedOut
		}
		return nil
	})
	return user, token, err
}

// fits reports whether a token may be shown in this way.
func (s shownToken) fits(owner *store.User, settings *store.TokenSettings) bool {
	named := s.username == anyOwner || store.NormalUsername(s.username) == store.NormalUsername(owner.Username)
	switch s.via {
	case viaBasic:
		return settings.AllowBasic && named
	case viaLogin:
		return settings.AllowSignIn && named
	case viaParameter:
		return settings.AllowInQuery
	}
	return true
}

// byToken is tokenOwner for a request.
func (a *Auth) byToken(shown shownToken) (*Identity, seenToken, error) {
	user, token, err := a.tokenOwner(shown)
	if err != nil {
		return nil, token, err
	}
	return &Identity{User: user, Via: ViaPersonalToken, Token: token.Token}, token, nil
}

// sessionToken is the token that a session was begun with, nil for a session
// that was begun in person. ErrSignedOut says that the session has ended with
// its token.
func (a *Auth) sessionToken(tx *store.Tx, session *store.Session) (*store.Token, error) {
	if session.TokenID == "" {
		return nil, nil
	}
	token, settings, err := a.liveToken(tx, session.UserID, session.TokenID)
	if err == nil && !settings.AllowSignIn {
		return nil, ErrSignedOut
	}
	return token, err
}

// liveToken is a token that is worth something now, else ErrSignedOut.
func (a *Auth) liveToken(tx *store.Tx, userID int64, id string) (*store.Token, *store.TokenSettings, error) {
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

// proveByToken is prove for a token in the place of the password. It goes
// around the second factor, which is why the settings forbid it at first.
func (a *Auth) proveByToken(ctx context.Context, c Credentials) (*Proof, error) {
	user, token, err := a.tokenOwner(shownToken{text: c.Password, via: viaLogin, username: c.Username})
	if used, ok := ctx.Value(signInKey{}).(*signInToken); ok {
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

// signInToken is where a sign-in leaves the token it was tried with, so that
// Identify can log what became of it.
type signInToken struct{ token seenToken }

type signInKey struct{}

// isSignIn reports whether a request is one of those that show a password.
func isSignIn(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	clean := path.Clean(r.URL.Path)
	return clean == "/api/session" || clean == "/session"
}

// serveNoted serves a request and notes that it was made with a token, which
// is asked for afterwards and may be nil.
func (a *Auth) serveNoted(w http.ResponseWriter, r *http.Request, next http.Handler, via string, tokenOf func() seenToken) {
	at, answer, finished := a.now(), httpsnoop.Metrics{Code: http.StatusOK}, false
	defer func() {
		token := tokenOf()
		if token.Token == nil {
			return
		}
		if !finished && answer.Written == 0 {
			answer.Code = http.StatusInternalServerError // what a panic is answered with
		}
		a.store.NoteTokenUse(store.TokenUse{
			UserID: token.UserID, At: at, TokenID: token.ID, TokenName: token.Name,
			Method: r.Method, Path: r.URL.Path, Status: answer.Code, Address: a.addressOf(r), UserAgent: r.UserAgent(), Via: via, Text: token.text,
		})
	}()
	answer.CaptureMetrics(w, func(w http.ResponseWriter) { next.ServeHTTP(w, r) })
	finished = true
}

// addressOf is the address of the client as text; empty where there is none.
func (a *Auth) addressOf(r *http.Request) string {
	if client := a.ClientAddress(r); client.IsValid() {
		return client.String()
	}
	return ""
}

// forwardingHeaders are what proxies leave behind.
var forwardingHeaders = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// MayIntrospect reports whether a request may ask whom a token belongs to. It
// must come straight from this machine or from one that the configuration
// names, or through trusted proxies from one that the configuration names.
func (a *Auth) MayIntrospect(r *http.Request) bool {
	client, proxies := a.client(r)
	named := slices.ContainsFunc(a.introspectors, func(n netip.Prefix) bool { return n.Contains(client) })
	forwarded := slices.ContainsFunc(forwardingHeaders, func(name string) bool { return r.Header.Get(name) != "" })
	if forwarded {
		return proxies > 0 && named
	}
	return client.IsLoopback() || named
}

// Introspection is what there is to know about a token that is good.
type Introspection struct {
	User *store.User
	// Abilities are what the token lets its bearer change. Whoever is told of
	// an ability lets the bearer do all of it, so what the token may only read
	// is not among them.
	Abilities []Ability
	Scopes    []string // nil: no limit
	Access    *Claims  // of an access token, nil for a personal one
}

// Introspect returns what there is to know about an access token or a personal
// access token, or ErrSignedOut where it is good for nothing.
func (a *Auth) Introspect(text string) (*Introspection, error) {
	var id *Identity
	var claims *Claims
	var err error
	if isAccessToken(text) {
		id, _, err = a.byToken(shownToken{text: text, via: viaBearer})
	} else {
		id, claims, err = a.tokenIdentity(text)
	}
	if err != nil {
		return nil, err
	}
	found := &Introspection{User: id.User, Access: claims}
	held := id.User.Abilities
	if id.Token != nil {
		held = a.scopes.narrow(id.Token, held, false)
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
