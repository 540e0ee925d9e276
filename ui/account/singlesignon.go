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

// providerHandlers answer what has to do with the identity provider.
type providerHandlers struct {
	*signInHandlers // whose pages lead there
}

// isExternal reports whether an identity provider is in charge of the accounts.
func (s *shared) isExternal() bool { return s.Auth.Provider() != nil }

// callbackTaker is a provider that sends browsers back to an address of the
// configuration.
type callbackTaker interface{ CallbackPath() string }

// routes are the ways to the identity provider and back; none where
// accounts are kept here.
func (s *providerHandlers) routes() []api.Route {
	if !s.isExternal() {
		return nil
	}
	routes := []api.Route{{Method: "GET", Path: beginPath, Access: auth.Public, Handle: s.beginSignIn}}
	if s.Auth.SAML() != nil {
		routes = append(routes, s.samlRoutes()...)
	}
	if path := s.CallbackPath(); path != "" {
		routes = append(routes, api.Route{Method: "GET", Path: path, Access: auth.Public, Handle: s.finishSignIn})
	}
	return routes
}

// CallbackPath is where the provider sends browsers back to, which is a matter of
// the configuration; empty where it is not.
func (s *shared) CallbackPath() string {
	if p, ok := s.Auth.Provider().(callbackTaker); ok {
		return p.CallbackPath()
	}
	return ""
}

// beginPath is where a sign-in at the identity provider begins. Browsers are sent
// on from there, and a policy for forms would not let them go: so it is a link
// that leads there, and no form.
const beginPath = "/session/provider"

// NeedsOwnReads reports whether a path is one of single sign-on, whose requests
// change something: also those that look as if they only read.
func (s *shared) NeedsOwnReads(path string) bool {
	return path == beginPath || path == s.CallbackPath() || strings.HasPrefix(path, samlPath)
}

// beginSignIn answers GET /session/provider.
func (s *providerHandlers) beginSignIn(w http.ResponseWriter, r *http.Request) error {
	return s.depart(w, r, r.URL.Query().Get("request_path"))
}

// depart sends a browser that wants to see the page target to the identity
// provider, unless somebody is signed in already.
func (s *providerHandlers) depart(w http.ResponseWriter, r *http.Request, target string) error {
	target = auth.LocalTarget(target)
	if auth.From(r.Context()) != nil {
		http.Redirect(w, r, target, http.StatusSeeOther)
		return nil
	}
	departure, err := s.Auth.BeginSingleSignOn(w, r, target)
	if err != nil {
		return s.signInFailed(w, r, target, err)
	}
	return s.sendToProvider(w, r, departure)
}

// finishSignIn answers the GET that a provider has the browser make: the callback
// of OpenID Connect and OAuth 2.0.
func (s *providerHandlers) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	target, err := s.finish(w, r, r.URL.Query())
	if err != nil {
		return s.signInFailed(w, r, target, err)
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// finish begins the console session of whom the provider vouches for, and returns
// the page that was wanted.
func (s *providerHandlers) finish(w http.ResponseWriter, r *http.Request, answer url.Values) (target string, err error) {
	proof, target, err := s.Auth.ProveByProvider(w, r, answer)
	if err == nil {
		err = s.Auth.SignInConsole(w, r, proof)
	}
	return target, err
}

// failedPage says why nobody was signed in.
type failedPage struct {
	page.Frame
	Reason    string
	Advice    string
	RequestID string
	SignInURL string
}

// Template implements page.Page.
func (*failedPage) Template() string { return "failed" }

// signInFailed answers where a sign-in at the provider has failed: programs with
// what the API says.
func (s *providerHandlers) signInFailed(w http.ResponseWriter, r *http.Request, target string, err error) error {
	failure, ok := errors.AsType[*sso.Failure](err)
	if !ok {
		return err
	}
	api.LogFailure(s.Log, w, failure)
	if prefersJSON(r) {
		return api.SendProblems(w, err)
	}
	p := failedPage{
		Frame: s.NewFrame(r, "Login Failed"), Reason: failure.Reason + ".", RequestID: page.RequestID(r.Context()),
		SignInURL: WithTarget(beginPath, cmp.Or(target, "/")), Advice: "You can try again.",
	}
	p.User = nil // who may be signed in already is not who is signing in
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

// departurePage sends a browser on, by itself where it can.
type departurePage struct {
	page.Frame
	Heading, Sentence string
	Verb              string // of the button or the link
	URL               string
	Posts             bool // with a form of the fields below
	Fields            []page.HiddenInput
	Stays             bool // until the button is pressed
	Back              bool // there is a way to the sign-in page
}

// Template implements page.Page.
func (*departurePage) Template() string { return "departure" }

// sendToProvider sends a browser to the provider, with a form where that is what
// the provider takes.
func (s *providerHandlers) sendToProvider(w http.ResponseWriter, r *http.Request, d sso.Departure) error {
	if d.Form == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, d.URL, http.StatusSeeOther)
		return nil
	}
	allowFormTo(w, d.URL)
	return s.renderDeparture(w, r, departurePage{
		Sentence: "Your browser goes on to the identity provider by itself. If it does not, press the button.",
		Verb:     "Go to the identity provider", URL: d.URL, Posts: true, Fields: page.HiddenInputs(d.Form),
	})
}

func (s *shared) renderDeparture(w http.ResponseWriter, r *http.Request, p departurePage) error {
	p.Heading = cmp.Or(p.Heading, "Loading...")
	p.Frame = s.NewFrame(r, p.Heading)
	p.User = nil
	return s.Render(w, r, http.StatusOK, &p)
}

// allowFormTo lets the forms of this answer, of which there is one, be sent to an
// address. Browsers hold every redirect behind it to the same policy, and a
// provider may have sign-in pages on other hosts: so the scheme is all that
// counts.
func allowFormTo(w http.ResponseWriter, address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return
	}
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self' "+u.Scheme+":", 1))
}

// signOut answers POST /session/end. Where the identity provider has a way to be
// signed out of, the browser is sent on there, which a redirect could not: the
// policy for forms holds for where redirects lead, too.
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
		Heading: "You are signed out of " + page.Product, Back: true,
		Sentence: "Your browser goes on to the identity provider, to sign you out there, too. If it does not, follow the link.",
		Verb:     "Sign out of the identity provider", URL: away,
	})
}
