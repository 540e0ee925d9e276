package account

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// signInHandlers answer requests for signing in and out.
type signInHandlers struct{ handlerBase }

func (s *signInHandlers) routes() []api.Route {
	local := auth.TokenRule{}.ForLocalAccounts()
	return []api.Route{
		{Method: "GET", Path: "/session/new", Access: auth.Public, Handle: api.Uncompressed(s.showSignIn)},
		{Method: "POST", Path: "/session", Access: auth.Public, Tokens: local, Handle: page.ReadForm(s.signIn)},
		{Method: "GET", Path: "/session/totp", Access: auth.Public, Tokens: local, Handle: api.Uncompressed(s.submitCode)},
		{Method: "POST", Path: "/session/totp", Access: auth.Public, Tokens: local, Handle: page.ReadForm(s.submitCode)},
		{Method: "POST", Path: "/session/end", Access: auth.Public, Handle: s.signOut},
	}
}

// signInPage asks for name and password, or for the code of a pending sign-in.
type signInPage struct {
	page.Frame
	RequestPath string // path to redirect to after signing in
	Username    string // as typed, or of the user whose sign-in is pending
	Code        bool   // the page asks for the code
	Failure     string
	SignInURL   string // address of the sign-in at the identity provider; empty without one
	Problem     string // why the identity provider cannot be used
}

// Template implements page.Page.
func (*signInPage) Template() string { return "signin" }

// showSignIn answers GET /session/new.
func (s *signInHandlers) showSignIn(w http.ResponseWriter, r *http.Request) error {
	target := auth.LocalTarget(r.URL.Query().Get("request_path"))
	if auth.From(r.Context()) != nil {
		http.Redirect(w, r, target, http.StatusSeeOther)
		return nil
	}
	p := signInPage{Frame: s.NewFrame(r, "Sign in"), RequestPath: target}
	if provider := s.Auth.Provider(); provider != nil {
		p.SignInURL, p.Problem = WithTarget(beginSignInPath, target), provider.Problem()
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// signIn answers POST /session.
func (s *signInHandlers) signIn(w http.ResponseWriter, r *http.Request) error {
	username, target := r.PostForm.Get("username"), auth.LocalTarget(r.PostForm.Get("request_path"))
	err := s.Auth.SignInWithPassword(w, r, username, r.PostForm.Get("password"))
	if errors.Is(err, auth.ErrCodeMissing) {
		http.Redirect(w, r, WithTarget("/session/totp", target), http.StatusSeeOther)
		return nil
	}
	return s.answerSignIn(w, r, err, &signInPage{RequestPath: target, Username: username})
}

// submitCode answers GET and POST /session/totp, the second step of signing in.
func (s *signInHandlers) submitCode(w http.ResponseWriter, r *http.Request) error {
	target := auth.LocalTarget(r.FormValue("request_path"))
	user, err := s.Auth.PendingSignIn(r)
	if errors.Is(err, auth.ErrSignedOut) {
		http.Redirect(w, r, WithTarget("/session/new", target), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	p := signInPage{RequestPath: target, Username: user.Username, Code: true}
	if r.Method != http.MethodPost {
		p.Frame = s.NewFrame(r, "Sign in")
		p.User = nil // the page is for the user of the pending sign-in, not for a signed-in user
		return s.Render(w, r, http.StatusOK, &p)
	}
	return s.answerSignIn(w, r, s.Auth.SignInWithCode(w, r, strings.TrimSpace(r.PostForm.Get("code"))), &p)
}

// answerSignIn redirects to the target of the sign-in. If the sign-in has failed,
// it shows the form again.
func (s *signInHandlers) answerSignIn(w http.ResponseWriter, r *http.Request, err error, p *signInPage) error {
	status := http.StatusUnauthorized
	switch {
	case errors.Is(err, auth.ErrCredentials):
		p.Failure = "Invalid credentials"
	case errors.Is(err, auth.ErrBusy):
		p.Failure, status = "Too many people are signing in at this moment. Nothing was checked; try again.", http.StatusServiceUnavailable
	case err != nil:
		return err
	default:
		http.Redirect(w, r, p.RequestPath, http.StatusSeeOther)
		return nil
	}
	p.Frame = s.NewFrame(r, "Sign in")
	p.User = nil
	return s.Render(w, r, status, p)
}

// WithTarget returns the address of a sign-in page that leads to target
// afterwards.
func WithTarget(path, target string) string {
	if target == "/" {
		return path
	}
	return page.WithQuery(path, url.Values{"request_path": {target}})
}
