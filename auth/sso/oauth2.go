package sso

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OAuth2Options describe an OAuth 2.0 provider. All fields are required.
type OAuth2Options struct {
	Options
	ClientID, ClientSecret string
	// BaseURL is the address that relative addresses below are appended to.
	BaseURL                         string
	AuthorizeURL, TokenURL, UserURL string // absolute, or a path on BaseURL
	Scopes                          string // separated by spaces
	CallbackURL                     string
}

// OAuth2 signs people in with the authorization code of OAuth 2.0, and asks the
// user endpoint of the provider who they are.
type OAuth2 struct {
	client  *http.Client
	config  oauth2.Config
	userURL string
	health  health
}

// NewOAuth2 returns an OAuth2. It fails if an address cannot be parsed.
func NewOAuth2(o OAuth2Options) (*OAuth2, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("OAUTH2_BASE_URL: %w", err)
	}
	p := &OAuth2{client: newClient(), health: health{log: o.Log, now: o.Now}}
	p.config = oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: o.CallbackURL, Scopes: strings.Fields(o.Scopes),
		Endpoint: oauth2.Endpoint{AuthStyle: oauth2.AuthStyleInParams},
	}
	for _, address := range []struct {
		name, text string
		to         *string
	}{
		{"OAUTH2_AUTHORIZE_URL", o.AuthorizeURL, &p.config.Endpoint.AuthURL},
		{"OAUTH2_TOKEN_URL", o.TokenURL, &p.config.Endpoint.TokenURL},
		{"OAUTH2_USER_URL", o.UserURL, &p.userURL},
	} {
		if *address.to, err = resolveAddress(base, address.text); err != nil {
			return nil, fmt.Errorf("%s: %w", address.name, err)
		}
	}
	return p, nil
}

// resolveAddress returns an absolute address unchanged. The path of a relative
// address is appended to the path of the base, as existing configurations
// expect, instead of replacing it.
func resolveAddress(base *url.URL, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.IsAbs() {
		return address, nil
	}
	on := base.JoinPath(u.Path)
	on.RawQuery = u.RawQuery
	return on.String(), nil
}

// Name implements Provider.
func (*OAuth2) Name() string { return OAuth2Name }

// CallbackPath returns the path that the provider sends browsers back to.
func (p *OAuth2) CallbackPath() string { return pathOf(p.config.RedirectURL) }

// pathOf returns the path of an address, or "/" if it has none.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return "/"
	}
	return u.Path
}

// Begin implements Provider. It always uses PKCE; a provider that does not know
// PKCE ignores the parameter.
func (p *OAuth2) Begin(_ context.Context, a *Attempt) (Departure, error) {
	a.Verifier = oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(a.Verifier)}
	if slices.Contains(p.config.Scopes, oidc.ScopeOpenID) {
		// Some providers refuse a request of OpenID Connect without a nonce.
		// Nothing is compared with it, because the ID token is not used.
		options = append(options, oidc.Nonce(rand.Text()))
	}
	return Departure{URL: p.config.AuthCodeURL(a.State, options...)}, nil
}

// Finish implements Provider.
func (p *OAuth2) Finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.client)
	token, err := exchange(ctx, &p.config, a, answer)
	if err == nil {
		var claims userClaims
		if claims, err = userInfo(ctx, p.client, p.userURL, token); err == nil {
			p.health.recordResult(nil)
			return claims.person()
		}
	}
	p.health.recordResult(err)
	return nil, err
}

// Refresh implements Provider. It does nothing, because an OAuth 2.0 provider
// publishes no configuration.
func (*OAuth2) Refresh(context.Context) error { return nil }

// Problem implements Provider.
func (p *OAuth2) Problem() string { return p.health.problem() }

// Logout implements Provider. It returns "", because OAuth 2.0 has no logout.
func (*OAuth2) Logout(_, _ string) string { return "" }

// exchange exchanges the code in an answer for a token.
func exchange(ctx context.Context, config *oauth2.Config, a *Attempt, answer url.Values) (*oauth2.Token, error) {
	if code := answer.Get("error"); code != "" {
		return nil, refusalFailure(errorSentence(code), fmt.Errorf("error %q: %q", code, answer.Get("error_description")))
	}
	code := answer.Get("code")
	if code == "" {
		return nil, refusalFailure("The identity provider sent no code", errors.New("no parameter code"))
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		switch {
		case isClientRefusal(answer):
			return nil, unavailableFailure("The identity provider does not accept the client id and secret of this server", err)
		case answer.Response.StatusCode < http.StatusInternalServerError:
			return nil, refusalFailure("The identity provider did not accept the code that the browser brought", err)
		}
	}
	if err != nil {
		return nil, unavailableFailure("The identity provider did not give a token for the code", err)
	}
	return token, nil
}

// isClientRefusal reports whether a provider refuses this server itself: its
// client id or its secret.
func isClientRefusal(answer *oauth2.RetrieveError) bool {
	return answer.ErrorCode == "invalid_client" || answer.ErrorCode == "unauthorized_client" || answer.Response.StatusCode == http.StatusUnauthorized
}

// errorSentence explains an error code of OAuth 2.0 to the person who signs in
// (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6).
func errorSentence(code string) string {
	switch code {
	case "access_denied":
		return "The identity provider did not let you in, or you have cancelled"
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return "The identity provider wanted to ask you something, and could not"
	case "invalid_scope":
		return "The identity provider does not know the scopes that this server asks for"
	case "temporarily_unavailable", "server_error":
		return "The identity provider has a problem at this moment"
	}
	return "The identity provider answered with an error"
}

// userInfo asks the provider who a token belongs to.
func userInfo(ctx context.Context, client *http.Client, address string, token *oauth2.Token) (userClaims, error) {
	const reason = "The identity provider did not say who has signed in"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, unavailableFailure(reason, err)
	}
	token.SetAuthHeader(request)
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return nil, unavailableFailure(reason, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, unavailableFailure(reason, fmt.Errorf("GET %s: %s", address, answer.Status))
	}
	var claims userClaims
	if err := decodeJSON(answer.Body, &claims); err != nil {
		return nil, unavailableFailure(reason, fmt.Errorf("GET %s: %w", address, err))
	}
	return claims, nil
}

// decodeJSON decodes one JSON document. Numbers become json.Number, so that
// long ids are not rounded.
func decodeJSON(from io.Reader, to any) error {
	decoder := json.NewDecoder(from)
	decoder.UseNumber()
	return decoder.Decode(to)
}

// userClaims are the claims of a provider about a person, by name.
type userClaims map[string]any

// text returns the first of the named claims that is not empty. It accepts
// numbers, because some providers use them as ids.
func (c userClaims) text(names ...string) string {
	for _, name := range names {
		switch v := c[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// person returns the person that the claims describe (OpenID Connect Core 5.1).
func (c userClaims) person() (*Person, error) {
	p := &Person{
		Subject: c.text("sub", "id"), Username: c.text("preferred_username", "username", "nickname"),
		Fullname: c.text("name"), Email: c.text("email"),
	}
	for _, missing := range []struct{ text, claim string }{{p.Subject, "sub"}, {p.Username, "preferred_username"}} {
		if missing.text == "" {
			return nil, incompleteFailure("The identity provider did not send the claim "+missing.claim, "The claim "+missing.claim+" is missing")
		}
	}
	if p.Fullname == "" {
		p.Fullname = "Trento IDP User " + p.Username
	}
	for _, text := range []string{p.Subject, p.Username, p.Fullname, p.Email} {
		if len(text) > maxTextLength {
			return nil, incompleteFailure("The identity provider sent a claim that is too long", "A claim is too long")
		}
	}
	return p, nil
}

// health remembers whether the last request to a provider succeeded.
type health struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	reason string    // why the last request failed; "" if it succeeded
	since  time.Time // time of the first failure in a row
}

// recordResult records the result of a request to the provider. It ignores errors that
// are not the fault of the provider.
func (h *health) recordResult(err error) {
	failure, ok := errors.AsType[*Failure](err)
	if err != nil && (!ok || failure.isCallersFault()) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && h.reason != "":
		h.log.Info("the identity provider can be used again")
		h.reason = ""
	case err != nil && h.reason == "":
		h.log.Warn("the identity provider cannot be used", "error", err)
		h.since = h.now()
		fallthrough
	case err != nil:
		h.reason = failure.Reason
	}
}

// problem returns a sentence that says why the provider cannot be used, or "".
func (h *health) problem() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reason == "" {
		return ""
	}
	return fmt.Sprintf("%s, since %s.", h.reason, h.since.UTC().Format("2006-01-02 15:04 MST"))
}
