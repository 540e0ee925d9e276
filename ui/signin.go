package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"trento/auth"
)

// signInPage asks who is there, or for the code of a pending sign-in.
type signInPage struct {
	Frame
	RequestPath string // where to go afterwards
	Username    string // as typed before, or whose sign-in is pending
	Code        bool   // the second step
	Failure     string
}

// newSession answers GET /session/new.
func (s *server) newSession(w http.ResponseWriter, r *http.Request) error {
	target := auth.LocalTarget(r.URL.Query().Get("request_path"))
	if auth.From(r.Context()) != nil {
		http.Redirect(w, r, target, http.StatusSeeOther)
		return nil
	}
	return s.render(w, r, http.StatusOK, pageSignIn, &signInPage{Frame: s.newFrame(r, "Sign in"), RequestPath: target})
}

// createSession answers POST /session.
func (s *server) createSession(w http.ResponseWriter, r *http.Request) error {
	username, target := r.PostForm.Get("username"), auth.LocalTarget(r.PostForm.Get("request_path"))
	err := s.options.Auth.SignInWithPassword(w, r, username, r.PostForm.Get("password"))
	if errors.Is(err, auth.ErrCodeMissing) {
		http.Redirect(w, r, withTarget("/session/totp", target), http.StatusSeeOther)
		return nil
	}
	return s.signedIn(w, r, err, &signInPage{RequestPath: target, Username: username})
}

// code answers GET and POST /session/totp, the second step of signing in.
func (s *server) code(w http.ResponseWriter, r *http.Request) error {
	target := auth.LocalTarget(r.FormValue("request_path"))
	user, err := s.options.Auth.PendingSignIn(r)
	if errors.Is(err, auth.ErrSignedOut) {
		http.Redirect(w, r, withTarget("/session/new", target), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	p := signInPage{RequestPath: target, Username: user.Username, Code: true}
	if r.Method != http.MethodPost {
		p.Frame = s.newFrame(r, "Sign in")
		p.User = nil // who may be signed in already is not who is signing in
		return s.render(w, r, http.StatusOK, pageSignIn, &p)
	}
	return s.signedIn(w, r, s.options.Auth.SignInWithCode(w, r, strings.TrimSpace(r.PostForm.Get("code"))), &p)
}

// signedIn goes on to where somebody wanted to go, or shows the step again
// that has failed.
func (s *server) signedIn(w http.ResponseWriter, r *http.Request, err error, p *signInPage) error {
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
	p.Frame = s.newFrame(r, "Sign in")
	p.User = nil
	return s.render(w, r, status, pageSignIn, p)
}

// withTarget is a page of the sign-in that leads on to target.
func withTarget(page, target string) string {
	if target == "/" {
		return page
	}
	return withQuery(page, url.Values{"request_path": {target}})
}

// endSession answers POST /session/end.
func (s *server) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := s.options.Auth.SignOutConsole(w, r); err != nil {
		return err
	}
	if id := auth.From(r.Context()); id != nil {
		s.answers.forget(id.SessionHash)
		s.secrets.forget(id.SessionHash)
	}
	http.Redirect(w, r, "/session/new", http.StatusSeeOther)
	return nil
}
