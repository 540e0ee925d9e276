package account

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
	"trento/auth/sso"
	"trento/ui/api"
	"trento/ui/page"
)

// providerHandlers answer requests for signing in at the identity provider.
type providerHandlers struct {
	*signInHandlers // they show the pages for signing in
}

// isExternal reports whether an identity provider is in charge of the accounts.
func (s *handlerBase) isExternal() bool { return s.Auth.Provider() != nil }

// callbackProvider is an identity provider that sends browsers back to a
// configured path. With OpenID Connect and OAuth 2.0 there is one, with SAML
// there is none.
type callbackProvider interface{ CallbackPath() string }

// routes returns the routes to the identity provider and back; none if no
// provider is configured.
func (s *providerHandlers) routes() []api.Route {
	if !s.isExternal() {
		return nil
	}
	routes := []api.Route{{Method: "GET", Path: beginSignInPath, Access: auth.Public, Handle: s.beginSignIn}}
	if s.Auth.SAML() != nil {
		routes = append(routes, s.samlRoutes()...)
	}
	if path := s.CallbackPath(); path != "" {
		routes = append(routes, api.Route{Method: "GET", Path: path, Access: auth.Public, Handle: s.finishSignIn})
	}
	return routes
}

// CallbackPath returns the configured path to which the identity provider sends
// browsers back; "" if there is none.
func (s *handlerBase) CallbackPath() string {
	if p, ok := s.Auth.Provider().(callbackProvider); ok {
		return p.CallbackPath()
	}
	return ""
}

// beginSignInPath is the path that begins a sign-in at the identity provider.
// It redirects to the provider. The pages use a link and not a form, because
// the content security policy forbids forms to be redirected to other sites.
const beginSignInPath = "/session/provider"

// NeedsOwnReads reports whether the requests of a path change the store even if
// they are GETs. Such requests belong to single sign-on. They cannot run inside
// one read.
func (s *handlerBase) NeedsOwnReads(path string) bool {
	return path == beginSignInPath || path == s.CallbackPath() || strings.HasPrefix(path, samlPathPrefix)
}

// beginSignIn answers GET /session/provider.
func (s *providerHandlers) beginSignIn(w http.ResponseWriter, r *http.Request) error {
	return s.redirectToProvider(w, r, r.URL.Query().Get("request_path"))
}

// redirectToProvider sends a browser that asks for the page target to the
// identity provider. If somebody is signed in, it redirects to target.
func (s *providerHandlers) redirectToProvider(w http.ResponseWriter, r *http.Request, target string) error {
	target = auth.LocalTarget(target)
	if auth.From(r.Context()) != nil {
		http.Redirect(w, r, target, http.StatusSeeOther)
		return nil
	}
	departure, err := s.Auth.BeginSingleSignOn(w, r, target)
	if err != nil {
		return s.answerSignInFailure(w, r, target, err)
	}
	return s.sendToProvider(w, r, departure)
}

// finishSignIn answers the GET of the callback path of OpenID Connect and OAuth
// 2.0, to which the provider has sent the browser.
func (s *providerHandlers) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	target, err := s.completeSignIn(w, r, r.URL.Query())
	if err != nil {
		return s.answerSignInFailure(w, r, target, err)
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// completeSignIn begins the console session of the user whom the provider
// names. It returns the path of the page that the user asked for.
func (s *providerHandlers) completeSignIn(w http.ResponseWriter, r *http.Request, answer url.Values) (target string, err error) {
	proof, target, err := s.Auth.ProveByProvider(w, r, answer)
	if err == nil {
		err = s.Auth.SignInConsole(w, r, proof)
	}
	return target, err
}

// signInFailurePage says why a sign-in at the identity provider has failed.
type signInFailurePage struct {
	page.Frame
	Reason    string
	Advice    string
	RequestID string
	SignInURL string
}

// Template implements page.Page.
func (*signInFailurePage) Template() string { return "failed" }

// answerSignInFailure answers a failed sign-in at the provider: with a page, or with a
// problem of the API if a program asks.
func (s *providerHandlers) answerSignInFailure(w http.ResponseWriter, r *http.Request, target string, err error) error {
	failure, ok := errors.AsType[*sso.Failure](err)
	if !ok {
		return err
	}
	api.LogFailure(s.Log, w, failure)
	if prefersJSON(r) {
		return api.SendProblems(w, err)
	}
	p := signInFailurePage{
		Frame: s.NewFrame(r, "Login Failed"), Reason: failure.Reason + ".", RequestID: page.RequestID(r.Context()),
		SignInURL: WithTarget(beginSignInPath, cmp.Or(target, "/")), Advice: "You can try again.",
	}
	p.User = nil // a signed-in user need not be the one who is signing in
	status := api.Status(err)
	if status >= http.StatusInternalServerError {
		p.Advice = "The fault is not yours. You can try again in a minute."
	}
	return s.Render(w, r, status, &p)
}

// prefersJSON reports whether a request comes from a program.
func prefersJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// departurePage leads the browser to the identity provider, automatically if
// possible.
type departurePage struct {
	page.Frame
	Heading, Sentence string
	Verb              string // label of the button or link
	URL               string
	UsesForm          bool // the page sends a form with Fields
	Fields            []page.HiddenInput
	WaitsForButton    bool // the page waits until the button is pressed
	HasSignInLink     bool // the page has a link to the sign-in page
}

// Template implements page.Page.
func (*departurePage) Template() string { return "departure" }

// sendToProvider sends a browser to the provider: with a redirect, or with a
// form if the provider requires one.
func (s *providerHandlers) sendToProvider(w http.ResponseWriter, r *http.Request, d sso.Departure) error {
	if d.Form == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, d.URL, http.StatusSeeOther)
		return nil
	}
	allowFormTo(w, d.URL)
	return s.renderDeparture(w, r, departurePage{
		Sentence: "Your browser goes on to the identity provider by itself. If it does not, press the button.",
		Verb:     "Go to the identity provider", URL: d.URL, UsesForm: true, Fields: page.HiddenInputs(d.Form),
	})
}

func (s *handlerBase) renderDeparture(w http.ResponseWriter, r *http.Request, p departurePage) error {
	p.Heading = cmp.Or(p.Heading, "Loading...")
	p.Frame = s.NewFrame(r, p.Heading)
	p.User = nil
	return s.Render(w, r, http.StatusOK, &p)
}

// allowFormTo allows the form of this answer to be sent to an address. Browsers
// apply the policy to every redirect that follows, and a provider may have
// sign-in pages on other hosts. So it allows all hosts with the scheme of the
// address.
func allowFormTo(w http.ResponseWriter, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return
	}
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self' "+u.Scheme+":", 1))
}

// signOut answers POST /session/end. If the identity provider has a logout
// page, the browser goes there by way of a page of ours: the policy for forms
// would block a redirect to another site.
func (s *signInHandlers) signOut(w http.ResponseWriter, r *http.Request) error {
	away, err := s.Auth.LogoutAddress(r, "/session/new")
	if err == nil {
		err = s.Auth.SignOutConsole(w, r)
	}
	if err != nil {
		return err
	}
	if id := auth.From(r.Context()); id != nil {
		s.Answers.Forget(id.SessionHash)
		s.secrets.forget(id.SessionHash)
	}
	if away == "" {
		http.Redirect(w, r, "/session/new", http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Refresh", "0; url="+away)
	return s.renderDeparture(w, r, departurePage{
		Heading: "You are signed out of " + page.Product, HasSignInLink: true,
		Sentence: "Your browser goes on to the identity provider, to sign you out there, too. If it does not, follow the link.",
		Verb:     "Sign out of the identity provider", URL: away,
	})
}
