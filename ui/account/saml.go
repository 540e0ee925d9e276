package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"trento/auth"
	"trento/auth/sso"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// samlPathPrefix begins the paths of SAML that identity providers know.
const samlPathPrefix = "/sso/"

// samlLandingPath is the path to which the browser is redirected after a
// successful sign-in.
const samlLandingPath = "/auth/saml_callback"

// samlRoutes returns the routes of SAML. {idp} is the id of the identity
// provider.
func (s *providerHandlers) samlRoutes() []api.Route {
	route := func(method, path string, handle func(http.ResponseWriter, *http.Request) error) api.Route {
		return api.Route{Method: method, Path: path, Access: auth.Public, Handle: handle}
	}
	return []api.Route{
		route("GET", "/sso/auth/signin/{idp}", s.onlyKnownProvider(s.beginSAML)),
		route("POST", "/sso/auth/signin/{idp}", s.onlyKnownProvider(s.beginSAML)),
		route("POST", "/sso/sp/consume/{idp}", page.ReadForm(s.consumeResponse)),
		route("GET", "/sso/sp/metadata/{idp}", s.onlyKnownProvider(s.showMetadata)),
		route("GET", "/sso/sp/logout/{idp}", s.onlyKnownProvider(s.receiveLogout)),
		route("POST", "/sso/sp/logout/{idp}", s.onlyKnownProvider(page.ReadForm(s.receiveLogout))),
		route("GET", "/sso/auth/signout/{idp}", s.onlyKnownProvider(s.askSignOut)),
		route("POST", "/sso/auth/signout/{idp}", s.onlyKnownProvider(s.signOut)),
		route("GET", "/sso/{rest:.*}", sendNotFound),
		route("POST", "/sso/{rest:.*}", sendNotFound),
		route("GET", samlLandingPath, s.showSAMLLanding),
	}
}

// SAMLInbox returns the paths to which the identity provider sends forms by way
// of the browser. Such forms come from another site, so they carry no token of
// ours; the signature of the message protects them.
func SAMLInbox() []string {
	return []string{"/sso/sp/consume/{idp}", "/sso/sp/logout/{idp}"}
}

// onlyKnownProvider refuses requests whose path names another identity provider
// than the configured one.
func (s *providerHandlers) onlyKnownProvider(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if page.PathVar(r, "idp") != s.Auth.SAML().IdentityProviderID() {
			return sendUnknownProvider(w)
		}
		return handle(w, r)
	}
}

// sendUnknownProvider answers that no such identity provider is configured. The
// text is the one that clients of SAML know.
func sendUnknownProvider(w http.ResponseWriter) error {
	return sendText(w, http.StatusForbidden, "invalid_request unknown IdP")
}

func sendNotFound(w http.ResponseWriter, _ *http.Request) error {
	return sendText(w, http.StatusNotFound, "not_found")
}

func sendText(w http.ResponseWriter, status int, text string) error {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := fmt.Fprintln(w, text)
	return page.IgnoreGone(err)
}

// beginSAML answers GET and POST /sso/auth/signin/{idp}.
func (s *providerHandlers) beginSAML(w http.ResponseWriter, r *http.Request) error {
	return s.redirectToProvider(w, r, r.URL.Query().Get("target_url"))
}

// repostField is the form field of a response that a page of this console has
// posted again.
const repostField = "posted_again"

// consumeResponse answers POST /sso/sp/consume/{idp}. Over plain HTTP, browsers
// send no cookies with a form of another site, so the attempt to sign in is
// unknown. Then a page of this console posts the same form again, and the
// cookies are sent.
func (s *providerHandlers) consumeResponse(w http.ResponseWriter, r *http.Request) error {
	if !s.Auth.SAML().TakesResponses(page.PathVar(r, "idp")) {
		return sendUnknownProvider(w)
	}
	answer := url.Values{"SAMLResponse": r.PostForm["SAMLResponse"], "RelayState": r.PostForm["RelayState"]}
	if !s.Auth.KnowsAttempt(r, answer) && !r.PostForm.Has(repostField) {
		return s.renderDeparture(w, r, departurePage{
			Sentence: "Your browser goes on by itself. If it does not, press the button.", Verb: "Go on", URL: r.URL.Path, UsesForm: true,
			Fields: append(page.HiddenInputs(answer), page.HiddenInput{Name: repostField, Value: "yes"}),
		})
	}
	target, err := s.completeSignIn(w, r, answer)
	if err != nil {
		return s.answerSignInFailure(w, r, target, err)
	}
	http.Redirect(w, r, WithTarget(samlLandingPath, target), http.StatusSeeOther)
	return nil
}

// showSAMLLanding answers GET /auth/saml_callback: it redirects to the page
// that the user asked for before signing in.
func (s *providerHandlers) showSAMLLanding(w http.ResponseWriter, r *http.Request) error {
	target := auth.LocalTarget(r.URL.Query().Get("request_path"))
	if auth.From(r.Context()) == nil {
		return s.answerSignInFailure(w, r, target, &sso.Failure{
			Reason: "Nobody is signed in. Your browser may have refused the cookie of this console",
			Err:    &fault.Error{Kind: fault.WrongCredentials, Detail: sso.NotAuthenticated, Cause: errors.New("the request has no session")},
		})
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// showMetadata answers GET /sso/sp/metadata/{idp}.
func (s *providerHandlers) showMetadata(w http.ResponseWriter, _ *http.Request) error {
	document, err := s.Auth.SAML().Metadata()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/xml; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write(document)
	return page.IgnoreGone(err)
}

// receiveLogout answers GET and POST /sso/sp/logout/{idp}: a request of the
// provider to end sessions, or its response to our request.
func (s *providerHandlers) receiveLogout(w http.ResponseWriter, r *http.Request) error {
	saml := s.Auth.SAML()
	request, asked, err := saml.ReadLogoutRequest(r)
	if err != nil {
		return s.answerSignInFailure(w, r, "/", err)
	}
	if !asked {
		http.Redirect(w, r, "/session/new", http.StatusSeeOther)
		return nil
	}
	if err := s.Auth.EndProviderSessions(r.Context(), request.Ends); err != nil {
		return err
	}
	answer, err := saml.AnswerLogout(request)
	if err != nil {
		s.Log.Warn("the identity provider cannot be told that its sign-ins have ended", "id", page.RequestID(r.Context()), "error", err)
		http.Redirect(w, r, "/session/new", http.StatusSeeOther)
		return nil
	}
	return s.sendToProvider(w, r, answer)
}

// askSignOut answers GET /sso/auth/signout/{idp} with a button to sign out. So
// a link on another site cannot sign anybody out.
func (s *providerHandlers) askSignOut(w http.ResponseWriter, r *http.Request) error {
	return s.renderDeparture(w, r, departurePage{
		Heading: "Sign out of " + page.Product + "?", Verb: "Sign out", URL: r.URL.Path, UsesForm: true, WaitsForButton: true,
	})
}
