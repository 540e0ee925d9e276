package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"trento/auth/sso"
	"trento/packaging/config"
)

// The pages that providers send browsers back to by default.
const (
	oidcCallback   = "/auth/oidc_callback"
	oauth2Callback = "/auth/oauth2_callback"
)

// newProvider returns the identity provider of the configuration, or nil if
// single sign-on is off. origin is the scheme and host of the address that
// browsers come back to.
func (s *server) newProvider(ctx context.Context) (provider sso.Provider, origin string, err error) {
	c := s.config
	origin = "https://" + c.Origin
	options := sso.Options{Origin: origin, Now: time.Now, Log: s.log}
	switch {
	case c.EnableOIDC:
		callback := cmp.Or(c.OIDCCallbackURL, origin+oidcCallback)
		options.Origin = originOfAddress(callback)
		return sso.NewOIDC(sso.OIDCOptions{
			Options: options, ClientID: c.OIDCClientID, ClientSecret: string(c.OIDCClientSecret), BaseURL: c.OIDCBaseURL, CallbackURL: callback,
		}), originOfAddress(callback), nil
	case c.EnableOAuth2:
		callback := cmp.Or(c.OAuth2CallbackURL, origin+oauth2Callback)
		provider, err = sso.NewOAuth2(sso.OAuth2Options{
			Options: options, ClientID: c.OAuth2ClientID, ClientSecret: string(c.OAuth2ClientSecret), BaseURL: c.OAuth2BaseURL,
			AuthorizeURL: c.OAuth2AuthorizeURL, TokenURL: c.OAuth2TokenURL, UserURL: c.OAuth2UserURL, Scopes: c.OAuth2Scopes, CallbackURL: callback,
		})
		return provider, originOfAddress(callback), err
	case c.EnableSAML:
		provider, err = s.newSAML(ctx, options)
		return provider, origin, err
	}
	return nil, "", nil
}

// CheckProvider checks the configured identity provider. It does not affect a
// running server or its data.
func CheckProvider(ctx context.Context, c config.Config, log *slog.Logger) ([]sso.Finding, error) {
	s := &server{config: c, log: log}
	if c.EnableSAML {
		return sso.CheckSAML(ctx, samlOptions(c, sso.Options{Origin: "https://" + c.Origin, Now: time.Now, Log: log})), nil
	}
	provider, _, err := s.newProvider(ctx)
	if err != nil {
		return nil, err
	}
	switch p := provider.(type) {
	case *sso.OIDC:
		return p.Check(ctx), nil
	case *sso.OAuth2:
		return p.Check(ctx), nil
	}
	return nil, errors.New("no single sign-on is on: none of ENABLE_OIDC, ENABLE_OAUTH2 and ENABLE_SAML is true; name the configuration of the server with --config")
}

// originOfAddress returns the scheme and host of an address. Package config has
// checked that the address can be parsed.
func originOfAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// followProvider fetches the configuration of the identity provider regularly,
// until ctx is done. After a failure it waits less than usual. The start does
// not wait for the provider.
func (s *server) followProvider(ctx context.Context) error {
	for {
		wait := sso.RefreshInterval
		// The provider logs its failures itself, once.
		if err := s.auth.Provider().Refresh(ctx); err != nil {
			wait = sso.RetryInterval
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}
