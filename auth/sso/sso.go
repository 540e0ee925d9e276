// Package sso signs people in through an identity provider, by OpenID Connect,
// OAuth 2.0 or SAML. It speaks with the provider and believes what it can
// verify. It decides nothing about accounts and keeps nothing: package auth
// does.
//
// A sign-in is an Attempt. It begins with a browser that is sent to the
// provider (Provider.Begin) and ends with the answer which the provider has the
// browser bring back (Provider.Finish). In between the browser holds the
// attempt, sealed by package auth.
//
// The provider may be down at any time, at the start too. What it publishes is
// fetched when it is needed, kept, and fetched again in the background
// (Provider.Refresh).
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
	// Name is what the paths of the API and the accounts of people call it:
	// OIDCName, OAuth2Name or SAMLName.
	Name() string
	// Begin says where a browser is sent, and adds to the attempt what the answer
	// has to fit. It fails with a Failure.
	Begin(ctx context.Context, a *Attempt) (Departure, error)
	// Finish verifies the answer to an attempt and says who has signed in. It
	// fails with a Failure. That the attempt is not too old and was not finished
	// before, and that it is the browser's own, is for the caller to see to.
	Finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error)
	// Refresh fetches anew what the provider publishes about itself. What was
	// fetched before stays in use where that fails. It is called at the start
	// and every RefreshInterval.
	Refresh(ctx context.Context) error
	// Problem is why the provider cannot be used at this moment, as a sentence
	// for people; empty where it can be, as far as is known.
	Problem() string
	// Logout is the address that ends the sign-in at the provider, too, after
	// which the browser comes to back; empty where the provider has none.
	Logout(logoutToken, back string) string
}

// The names of the providers, which are part of addresses.
const (
	OIDCName   = "oidc_local"
	OAuth2Name = "oauth2_local"
	SAMLName   = "saml_local"
)

// RefreshInterval is how often Provider.Refresh is to be called. While the
// provider has a problem, it is RetryInterval.
const (
	RefreshInterval = time.Hour
	RetryInterval   = 30 * time.Second
)

// Person is whom a provider vouches for. No text is longer than maxText.
type Person struct {
	Subject  string // names the person for ever, at this provider
	Username string
	Fullname string
	Email    string // empty where the provider tells none
	// LogoutToken is for Provider.Logout: an ID token, or how SAML names the sign-in.
	// It is empty where the protocol has none.
	LogoutToken string
}

// maxText bounds what a provider says about a person, in bytes.
const maxText = 1024

// Attempt is a sign-in under way.
type Attempt struct {
	State     string    `json:"state"`              // random; the answer brings it back
	Nonce     string    `json:"nonce,omitempty"`    // OpenID Connect: the ID token has it
	Verifier  string    `json:"verifier,omitempty"` // of PKCE
	RequestID string    `json:"request,omitempty"`  // SAML: the request that the response answers
	Target    string    `json:"target"`             // the page that the person wanted
	Until     time.Time `json:"until"`              // the answer must have come by then
}

// AttemptLifetime is how long a person may take to sign in at the provider.
const AttemptLifetime = 10 * time.Minute

// NewAttempt is a new attempt of somebody who wants to see the page target.
func NewAttempt(target string, now time.Time) *Attempt {
	return &Attempt{State: rand.Text(), Target: target, Until: now.UTC().Add(AttemptLifetime)}
}

// Departure is how a browser is sent to the provider: to an address, or with a
// form that it posts there.
type Departure struct {
	URL  string
	Form url.Values // nil: the browser is just sent there
}

// Options of all providers.
type Options struct {
	Origin string // scheme and host of our own addresses, such as https://trento.example.com
	Now    func() time.Time
	Log    *slog.Logger
}

// clockTolerance is how much the provider's clock and ours may differ.
const clockTolerance = time.Minute

// Failure is why nobody was signed in.
type Failure struct {
	// Reason is a sentence for people, and for the activity log. There is
	// nothing secret in it, and nothing that whoever sent the answer could
	// choose.
	Reason string
	// Err has the details for the log. It is a fault of the caller (package
	// fault), unless the provider or the configuration is to blame.
	Err error
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Err.Error() }

// Unwrap returns the details.
func (f *Failure) Unwrap() error { return f.Err }

// refused is the failure of an answer that is not to be believed. cause is for
// the log.
func refused(reason string, cause error) *Failure {
	return &Failure{Reason: reason, Err: &fault.Error{Kind: fault.WrongCredentials, Detail: NotAuthenticated, Cause: cause}}
}

// NotAuthenticated is what the API says of an answer that is not to be believed.
const NotAuthenticated = "User not authenticated."

// incomplete is the failure of an answer that can be believed but lacks
// something. detail is what the API says.
func incomplete(reason, detail string) *Failure {
	return &Failure{Reason: reason, Err: &fault.Error{Detail: detail}}
}

// unavailable is the failure of a provider that cannot be used.
func unavailable(reason string, cause error) *Failure { return &Failure{Reason: reason, Err: cause} }

// callersFault reports whether the provider has nothing to do with a failure.
func (f *Failure) callersFault() bool {
	_, callers := fault.KindOf(f.Err)
	return callers
}
