// Package sso signs people in through an identity provider, by OpenID Connect,
// OAuth 2.0 or SAML. It exchanges messages with the provider and verifies them.
// Package auth decides about accounts and stores them.
//
// A sign-in is an Attempt. It begins when the browser is sent to the provider
// (Provider.Begin). It ends with the answer that the browser brings back from
// the provider (Provider.Finish). In between the browser holds the attempt in a
// cookie, encrypted by package auth.
//
// The provider may be down at any time, also when this server starts. The
// configuration that it publishes is fetched when it is needed first, kept, and
// fetched again in the background (Provider.Refresh).
package sso

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"time"

	"trento/store/fault"
)

// Provider is the identity provider of the configuration.
type Provider interface {
	// Name returns the name of the provider in paths of the API and in
	// accounts: OIDCName, OAuth2Name or SAMLName.
	Name() string
	// Begin returns where to send the browser, and adds to the attempt the
	// values that Finish compares the answer with. It fails with a Failure.
	Begin(ctx context.Context, a *Attempt) (Departure, error)
	// Finish verifies the answer to an attempt and returns the person who has
	// signed in. It fails with a Failure. The caller must have checked that the
	// attempt belongs to the browser, is not too old and was not finished
	// before.
	Finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error)
	// Refresh fetches the configuration of the provider again. If that fails,
	// the former one stays in use. Refresh is to be called at the start and
	// every RefreshInterval.
	Refresh(ctx context.Context) error
	// Problem returns a sentence for people that says why the provider cannot
	// be used at present, or "" if no problem is known.
	Problem() string
	// Logout returns the address that ends the sign-in at the provider as well,
	// or "" if the provider has none. The provider sends the browser on to the
	// address back.
	Logout(logoutToken, back string) string
}

// The names of the providers, which are part of addresses.
const (
	OIDCName   = "oidc_local"
	OAuth2Name = "oauth2_local"
	SAMLName   = "saml_local"
)

// RefreshInterval is the time between two calls of Provider.Refresh. While the
// provider has a problem, it is RetryInterval.
const (
	RefreshInterval = time.Hour
	RetryInterval   = 30 * time.Second
)

// Person is a person who has signed in at the provider. No text is longer than
// maxTextLength.
type Person struct {
	Subject  string // permanent id of the person at this provider
	Username string
	Fullname string
	Email    string // "" if the provider sends none
	// LogoutToken is the argument for Provider.Logout: the ID token, or the
	// name of the sign-in in SAML. It is "" if the protocol has none.
	LogoutToken string
}

// maxTextLength is the largest length of a text about a person, in bytes.
const maxTextLength = 1024

// Attempt is a sign-in under way.
type Attempt struct {
	State     string    `json:"state"`              // random id of the attempt, which the answer repeats
	Nonce     string    `json:"nonce,omitempty"`    // OpenID Connect: random text that the ID token repeats
	Verifier  string    `json:"verifier,omitempty"` // PKCE: the secret that proves who began the attempt
	RequestID string    `json:"request,omitempty"`  // SAML: id of the request that the response answers
	Target    string    `json:"target"`             // page that the person wants to see
	Until     time.Time `json:"until"`              // end of the attempt
}

// AttemptLifetime is the time that a person has to sign in at the provider.
const AttemptLifetime = 10 * time.Minute

// NewAttempt returns an attempt of a person who wants to see the page target.
func NewAttempt(target string, now time.Time) *Attempt {
	return &Attempt{State: rand.Text(), Target: target, Until: now.UTC().Add(AttemptLifetime)}
}

// Departure says how to send a browser to the provider: by a redirect, or by a
// form that it posts.
type Departure struct {
	URL  string
	Form url.Values // fields of the form; nil: a redirect
}

// Options are the options that all providers have.
type Options struct {
	Origin string // scheme and host of our own addresses, such as https://trento.example.com
	Now    func() time.Time
	Log    *slog.Logger
}

// clockTolerance is the accepted difference between the provider's clock and
// ours.
const clockTolerance = time.Minute

// Failure is the error of a sign-in that failed.
type Failure struct {
	// Reason is a sentence for people and for the activity log. It contains
	// nothing secret, and nothing that the sender of the answer could choose.
	Reason string
	// Err contains the details for the log. If the provider or the
	// configuration caused the failure, it is a plain error, else a fault of
	// the caller (package fault).
	Err error
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Err.Error() }

// Unwrap returns the details.
func (f *Failure) Unwrap() error { return f.Err }

// refusalFailure returns the failure of an answer that could not be verified. cause is
// only logged.
func refusalFailure(reason string, cause error) *Failure {
	return &Failure{Reason: reason, Err: &fault.Error{Kind: fault.WrongCredentials, Detail: NotAuthenticated, Cause: cause}}
}

// NotAuthenticated is the text of the API for an answer that could not be
// verified.
const NotAuthenticated = "User not authenticated."

// incompleteFailure returns the failure of a verified answer that lacks something.
// detail is the text of the API.
func incompleteFailure(reason, detail string) *Failure {
	return &Failure{Reason: reason, Err: &fault.Error{Detail: detail}}
}

// unavailableFailure returns the failure of a provider that cannot be used.
func unavailableFailure(reason string, cause error) *Failure {
	return &Failure{Reason: reason, Err: cause}
}

// isCallersFault reports whether the failure was caused by the sender of the
// answer, not by the provider or the configuration.
func (f *Failure) isCallersFault() bool {
	_, callers := fault.KindOf(f.Err)
	return callers
}
