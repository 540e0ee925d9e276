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

// signInByProvider answers POST /api/session/{provider}/callback: what an
// identity provider gave to the browser that has begun the sign-in, for tokens.
func (a *API) signInByProvider(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.looseObject()
	answer := url.Values{"code": {given.looseText("code")}, "state": {given.looseText("session_state")}}
	if issuer := given.looseText("iss"); issuer != "" {
		answer.Set("iss", issuer)
	}
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.checkProvider(r); err != nil {
		return err
	}
	if a.deps.Auth.SAML() != nil { // its answers come elsewhere
		return fmt.Errorf("callback of SAML: %w", store.ErrNotFound)
	}
	proof, _, err := a.deps.Auth.ProveByProvider(w, r, answer)
	if err != nil {
		return a.signInFailed(w, err)
	}
	tokens, err := a.deps.Auth.SignInAPI(r, proof)
	if err != nil {
		return a.signInFailed(w, err)
	}
	return send(w, http.StatusOK, tokens)
}

// signInBySession answers GET /api/session/{provider}/saml_callback: tokens for a
// browser that has signed in to the console by SAML.
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

// checkProvider fails with store.ErrNotFound where the path names another identity
// provider than the one that is in charge.
func (a *API) checkProvider(r *http.Request) error {
	name, provider := mux.Vars(r)["provider"], a.deps.Auth.Provider()
	if provider == nil || provider.Name() != name {
		return fmt.Errorf("identity provider %q: %w", name, store.ErrNotFound)
	}
	return nil
}

// signInFailed logs why nobody was signed in, where Fail does not, and returns it.
func (a *API) signInFailed(w http.ResponseWriter, err error) error {
	if failure, ok := errors.AsType[*sso.Failure](err); ok && Status(err) != http.StatusInternalServerError {
		LogFailure(a.deps.Log, w, failure)
	}
	return err
}

// maxLoggedFailure bounds what is logged of a failure, in bytes: providers
// choose some of the words.
const maxLoggedFailure = 2000

// LogFailure logs why nobody was signed in, under the id of the request, which is
// what the person can tell an administrator.
func LogFailure(log *slog.Logger, w http.ResponseWriter, failure *sso.Failure) {
	level, cause := slog.LevelWarn, failure.Err.Error()
	if Status(failure) >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if len(cause) > maxLoggedFailure {
		cause = cause[:maxLoggedFailure] + "…"
	}
	log.Log(context.Background(), level, "nobody was signed in through the identity provider", "id", w.Header().Get(RequestIDHeader), "reason", failure.Reason, "error", cause)
}

// SendProblems answers with what the API says of an error.
func SendProblems(w http.ResponseWriter, err error) error {
	return send(w, Status(err), newProblems(err))
}

// publicKey is a certificate that others check our signatures with.
type publicKey struct {
	Name    string `json:"name"`
	Content string `json:"content"` // PEM
}

// samlKeyName is what existing clients know the certificate of SAML by.
const samlKeyName = "Trento SAML SP"

// listPublicKeys answers GET /api/public_keys: the certificates others check our
// signatures with.
func (a *API) listPublicKeys(w http.ResponseWriter, _ *http.Request) error {
	keys := []publicKey{}
	if saml := a.deps.Auth.SAML(); saml != nil {
		keys = append(keys, publicKey{samlKeyName, string(saml.CertificatePEM())})
	}
	return send(w, http.StatusOK, keys)
}
