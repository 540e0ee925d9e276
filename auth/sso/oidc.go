package sso

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// OIDCOptions describe an OpenID Connect provider. All fields are required.
type OIDCOptions struct {
	Options
	ClientID, ClientSecret string
	BaseURL                string // the issuer
	CallbackURL            string
}

// OIDC signs people in with the authorization code of OpenID Connect. It takes
// the claims of the ID token, and asks the user information endpoint only for
// claims that the token lacks.
type OIDC struct {
	options OIDCOptions
	client  *http.Client
	health  health

	discovery singleflight.Group // one request for all callers that wait

	mu                sync.Mutex
	lastConfiguration *providerConfiguration // nil until the provider has answered
}

// providerConfiguration is the configuration that a provider publishes, with the objects
// made from it.
type providerConfiguration struct {
	oidc.ProviderConfig
	EndSessionURL string   `json:"end_session_endpoint"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	// SendsIssuer: the provider adds its issuer to every answer (RFC 9207).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`

	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// NewOIDC returns an OIDC. It sends no request to the provider yet.
func NewOIDC(o OIDCOptions) *OIDC {
	return &OIDC{options: o, client: newClient(), health: health{log: o.Log, now: o.Now}}
}

// Name implements Provider.
func (*OIDC) Name() string { return OIDCName }

// CallbackPath is where the provider sends browsers back to.
func (p *OIDC) CallbackPath() string { return pathOf(p.options.CallbackURL) }

// Begin implements Provider.
func (p *OIDC) Begin(ctx context.Context, a *Attempt) (Departure, error) {
	found, err := p.configuration(ctx)
	if err != nil {
		return Departure{}, err
	}
	a.Nonce, a.Verifier = rand.Text(), oauth2.GenerateVerifier()
	return Departure{URL: found.config.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier))}, nil
}

// Finish implements Provider.
func (p *OIDC) Finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error) {
	person, err := p.finish(ctx, a, answer)
	p.health.recordResult(err)
	return person, err
}

func (p *OIDC) finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error) {
	found, err := p.configuration(ctx)
	if err != nil {
		return nil, err
	}
	if issuer := answer.Get("iss"); issuer != found.IssuerURL && (issuer != "" || found.SendsIssuer) {
		return nil, refusalFailure("The answer came from another identity provider", fmt.Errorf("parameter iss is %q, not %q", issuer, found.IssuerURL))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := exchange(ctx, &found.config, a, answer)
	if err != nil {
		return nil, err
	}
	text, _ := token.Extra("id_token").(string)
	claims, err := found.verify(ctx, text, a.Nonce, p.options.ClientID, p.options.Now())
	if err != nil {
		return nil, err
	}
	if err := p.addMissingClaims(ctx, found, token, claims); err != nil {
		return nil, err
	}
	person, err := claims.person()
	if err == nil {
		person.LogoutToken = text
	}
	return person, err
}

// verify verifies an ID token (OpenID Connect Core 3.1.3.7) and returns its
// claims. It fails with a Failure.
func (d *providerConfiguration) verify(ctx context.Context, text, nonce, clientID string, now time.Time) (userClaims, error) {
	if text == "" {
		return nil, refusalFailure("The identity provider sent no ID token", errors.New("no id_token beside the access token"))
	}
	const reason = "The ID token of the identity provider cannot be believed"
	token, err := d.verifier.Verify(ctx, text)
	if expired, ok := errors.AsType[*oidc.TokenExpiredError](err); ok {
		return nil, refusalFailure("The ID token of the identity provider has expired: the clocks may differ", expired)
	}
	if algorithm := signatureAlgorithm(text); err != nil && (algorithm == "none" || strings.HasPrefix(algorithm, "HS")) {
		return nil, refusalFailure("The identity provider does not sign the ID token with a private key, as it does with RS256", err)
	}
	if err != nil {
		return nil, refusalFailure(reason, err)
	}
	var claims userClaims
	var party struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := errors.Join(token.Claims(&claims), token.Claims(&party)); err != nil {
		return nil, refusalFailure(reason, err)
	}
	switch {
	case token.Subject == "":
		err = errors.New("it names no subject")
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		err = errors.New("its nonce is not the one of this sign-in")
	case party.AuthorizedParty != "" && party.AuthorizedParty != clientID:
		err = fmt.Errorf("it was issued for %q", party.AuthorizedParty)
	case len(token.Audience) > 1 && party.AuthorizedParty == "":
		err = errors.New("it has several audiences and does not say for whom it was issued")
	case token.IssuedAt.IsZero():
		err = errors.New("it does not say when it was issued")
	case token.IssuedAt.After(now.Add(clockTolerance)):
		return nil, refusalFailure("The ID token of the identity provider is from the future: the clocks differ", fmt.Errorf("issued at %s", token.IssuedAt.UTC()))
	}
	if err != nil {
		return nil, refusalFailure(reason, err)
	}
	return claims, nil
}

// signatureAlgorithm returns the algorithm that a token names, without verifying
// anything, or "" if the token cannot be read.
func signatureAlgorithm(token string) string {
	text, err := base64.RawURLEncoding.DecodeString(token[:max(0, strings.IndexByte(token, '.'))])
	var header struct {
		Algorithm string `json:"alg"`
	}
	if err != nil || json.Unmarshal(text, &header) != nil {
		return ""
	}
	return header.Algorithm
}

// addMissingClaims adds claims of the user information endpoint that the ID token
// lacks. Many providers put few claims into the token. Claims of the token are
// not replaced.
func (p *OIDC) addMissingClaims(ctx context.Context, found *providerConfiguration, token *oauth2.Token, claims userClaims) error {
	says := claims.text("preferred_username", "username", "nickname") != "" && claims.text("name") != "" && claims.text("email") != ""
	if says || found.UserInfoURL == "" {
		return nil
	}
	more, err := userInfo(ctx, p.client, found.UserInfoURL, token)
	if err != nil {
		return err
	}
	if more.text("sub") != claims.text("sub") {
		return refusalFailure("The user information of the identity provider is about somebody else", fmt.Errorf("sub %q, not %q", more.text("sub"), claims.text("sub")))
	}
	for name, value := range more {
		if _, told := claims[name]; !told {
			claims[name] = value
		}
	}
	return nil
}

// Refresh implements Provider.
func (p *OIDC) Refresh(ctx context.Context) error {
	found, err := p.discover(ctx)
	p.health.recordResult(err)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastConfiguration = found
	return nil
}

// Problem implements Provider.
func (p *OIDC) Problem() string { return p.health.problem() }

// Logout implements Provider (OpenID Connect RP-Initiated Logout 1.0).
func (p *OIDC) Logout(logoutToken, back string) string {
	found := p.currentConfiguration()
	if found == nil || found.EndSessionURL == "" {
		return ""
	}
	u, err := url.Parse(found.EndSessionURL)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", p.options.ClientID)
	query.Set("post_logout_redirect_uri", back)
	if logoutToken != "" {
		query.Set("id_token_hint", logoutToken)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// configuration returns the configuration of the provider, and fetches it if it
// is not known yet.
func (p *OIDC) configuration(ctx context.Context) (*providerConfiguration, error) {
	if found := p.currentConfiguration(); found != nil {
		return found, nil
	}
	// Other callers may wait for the same request, so it must not be cancelled
	// together with this caller.
	answer := p.discovery.DoChan("", func() (any, error) { return nil, p.Refresh(context.WithoutCancel(ctx)) })
	select {
	case result := <-answer:
		if result.Err != nil {
			return nil, result.Err
		}
		return p.currentConfiguration(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// currentConfiguration returns the configuration that was fetched last, or nil if none was.
func (p *OIDC) currentConfiguration() *providerConfiguration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastConfiguration
}

// configurationAddress returns the address of the provider's configuration.
func (p *OIDC) configurationAddress() string { return p.issuer() + "/.well-known/openid-configuration" }

// issuer returns the configured issuer without a slash at the end, because
// people often leave the slash out.
func (p *OIDC) issuer() string { return strings.TrimSuffix(p.options.BaseURL, "/") }

// discover fetches the configuration of the provider (OpenID Connect Discovery
// 4).
func (p *OIDC) discover(ctx context.Context) (*providerConfiguration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.configurationAddress(), nil)
	if err != nil {
		return nil, unavailableFailure("The address of the identity provider cannot be read", err)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, unavailableFailure("The identity provider cannot be reached", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, unavailableFailure("The identity provider does not publish its configuration", fmt.Errorf("GET %s: %s", request.URL, answer.Status))
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, unavailableFailure("The identity provider cannot be reached", err)
	}
	return p.readConfiguration(body)
}

// readConfiguration parses and checks a configuration, and prepares it for
// sign-ins.
func (p *OIDC) readConfiguration(text []byte) (*providerConfiguration, error) {
	found := new(providerConfiguration)
	if err := json.Unmarshal(text, found); err != nil {
		return nil, unavailableFailure("The configuration of the identity provider cannot be read", err)
	}
	// Only the comparison with our configuration ignores the slash. Tokens must
	// name the issuer exactly as the provider publishes it.
	if strings.TrimSuffix(found.IssuerURL, "/") != p.issuer() {
		return nil, unavailableFailure("The identity provider calls itself by another address than the configured one", fmt.Errorf("issuer is %q", found.IssuerURL))
	}
	if err := found.check(); err != nil {
		return nil, unavailableFailure("The configuration of the identity provider is not usable", err)
	}
	p.prepare(found)
	return found, nil
}

// acceptedAlgorithms are the algorithms that an ID token may be signed with:
// only those with a private key, which this server does not have.
var acceptedAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// check checks that the configuration has all required addresses, and removes
// algorithms that are not accepted.
func (d *providerConfiguration) check() error {
	secure := strings.HasPrefix(d.IssuerURL, "https://")
	for name, address := range map[string]string{
		"authorization_endpoint": d.AuthURL, "token_endpoint": d.TokenURL, "jwks_uri": d.JWKSURL,
		"userinfo_endpoint": d.UserInfoURL, "end_session_endpoint": d.EndSessionURL,
	} {
		optional := name == "userinfo_endpoint" || name == "end_session_endpoint"
		u, err := url.Parse(address)
		switch {
		case address == "" && optional:
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			return fmt.Errorf("%s is %q", name, address)
		case secure && u.Scheme != "https":
			return fmt.Errorf("%s is not an address with https: %q", name, address)
		}
	}
	d.Algorithms = slices.DeleteFunc(d.Algorithms, func(a string) bool { return !slices.Contains(acceptedAlgorithms, a) })
	if len(d.Algorithms) == 0 {
		// Every provider must support RS256 (OpenID Connect Discovery 3).
		d.Algorithms = []string{oidc.RS256}
	}
	return nil
}

// prepare sets the OAuth 2.0 client and the verifier of a configuration.
func (p *OIDC) prepare(d *providerConfiguration) {
	style := oauth2.AuthStyleInHeader
	if len(d.AuthMethods) > 0 && !slices.Contains(d.AuthMethods, "client_secret_basic") && slices.Contains(d.AuthMethods, "client_secret_post") {
		style = oauth2.AuthStyleInParams
	}
	d.config = oauth2.Config{
		ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret, RedirectURL: p.options.CallbackURL,
		Scopes:   []string{oidc.ScopeOpenID, "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: d.AuthURL, TokenURL: d.TokenURL, AuthStyle: style},
	}
	// The verifier fetches the keys again if a token names an unknown key. The
	// context only passes the HTTP client to it.
	d.verifier = d.NewProvider(oidc.ClientContext(context.Background(), p.client)).Verifier(&oidc.Config{
		ClientID: p.options.ClientID, SupportedSigningAlgs: d.Algorithms,
		Now: func() time.Time { return p.options.Now().Add(-clockTolerance) },
	})
}
