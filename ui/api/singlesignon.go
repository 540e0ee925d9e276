package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"trento/auth/sso"
	"trento/store"
)

// signInByProvider answers POST /api/session/{provider}/callback. The body has
// the answer that the identity provider gave to the browser. signInByProvider
// verifies it and answers with tokens.
func (a *API) signInByProvider(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.lenientObject()
	answer := url.Values{"code": {given.lenientText("code")}, "state": {given.lenientText("session_state")}}
	if issuer := given.lenientText("iss"); issuer != "" {
		answer.Set("iss", issuer)
	}
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.checkProvider(r); err != nil {
		return err
	}
	if a.deps.Auth.SAML() != nil { // answers of SAML come to another address
		return fmt.Errorf("callback of SAML: %w", store.ErrNotFound)
	}
	proof, _, err := a.deps.Auth.ProveByProvider(w, r, answer)
	if err != nil {
		return a.logSignInFailure(w, err)
	}
	tokens, err := a.deps.Auth.SignInAPI(r, proof)
	if err != nil {
		return a.logSignInFailure(w, err)
	}
	return send(w, http.StatusOK, tokens)
}

// signInBySession answers GET /api/session/{provider}/saml_callback with tokens
// for a browser that has signed in to the console by SAML.
func (a *API) signInBySession(w http.ResponseWriter, r *http.Request) error {
	if err := a.checkProvider(r); err != nil {
		return err
	}
	if a.deps.Auth.SAML() == nil {
		return fmt.Errorf("callback of SAML: %w", store.ErrNotFound)
	}
	tokens, err := a.deps.Auth.SignInAPIFromConsole(r)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, tokens)
}

// checkProvider fails with store.ErrNotFound if the path does not name the
// configured identity provider.
func (a *API) checkProvider(r *http.Request) error {
	name, provider := mux.Vars(r)["provider"], a.deps.Auth.Provider()
	if provider == nil || provider.Name() != name {
		return fmt.Errorf("identity provider %q: %w", name, store.ErrNotFound)
	}
	return nil
}

// logSignInFailure logs an sso.Failure unless Fail will log it, and returns the
// error.
func (a *API) logSignInFailure(w http.ResponseWriter, err error) error {
	if failure, ok := errors.AsType[*sso.Failure](err); ok && Status(err) != http.StatusInternalServerError {
		LogFailure(a.deps.Log, w, failure)
	}
	return err
}

// maxLoggedCause is the largest length of a cause in the log, in bytes. It is
// limited because it can contain texts of the provider.
const maxLoggedCause = 2000

// LogFailure logs why a sign-in at the identity provider failed, with the id of
// the request. The person sees that id as well and can tell it to an
// administrator.
func LogFailure(log *slog.Logger, w http.ResponseWriter, failure *sso.Failure) {
	level, cause := slog.LevelWarn, failure.Err.Error()
	if Status(failure) >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if len(cause) > maxLoggedCause {
		cause = cause[:maxLoggedCause] + "…"
	}
	log.Log(context.Background(), level, "nobody was signed in through the identity provider", "id", w.Header().Get(RequestIDHeader), "reason", failure.Reason, "error", cause)
}

// SendProblems answers with an error in the form of the API.
func SendProblems(w http.ResponseWriter, err error) error {
	return send(w, Status(err), newProblems(err))
}

// publicKey is a certificate with which others verify our signatures.
type publicKey struct {
	Name    string `json:"name"`
	Content string `json:"content"` // PEM
}

// samlKeyName is the name by which existing clients find the certificate for
// SAML.
const samlKeyName = "Trento SAML SP"

// listPublicKeys answers GET /api/public_keys with the certificates with which
// others verify our signatures.
func (a *API) listPublicKeys(w http.ResponseWriter, _ *http.Request) error {
	keys := []publicKey{}
	if saml := a.deps.Auth.SAML(); saml != nil {
		keys = append(keys, publicKey{samlKeyName, string(saml.CertificatePEM())})
	}
	return send(w, http.StatusOK, keys)
}
