package ui

import (
	"errors"
	"net/http"

	"trento/auth"
)

// signInPage asks who is there.
type signInPage struct {
	Frame
	RequestPath string // where to go afterwards
	Username    string // as typed before
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
	c := auth.Credentials{Username: username, Password: r.PostForm.Get("password")}
	proof, err := s.options.Auth.CheckPassword(r.Context(), c, s.options.Auth.ClientAddress(r))
	if err == nil {
		err = s.options.Auth.SignInConsole(w, r, proof)
	}
	p := signInPage{Frame: s.newFrame(r, "Sign in"), RequestPath: target, Username: username}
	p.User = nil // who may be signed in already is not who is signing in
	switch {
	case errors.Is(err, auth.ErrCredentials):
		p.Failure = "Invalid credentials"
		return s.render(w, r, http.StatusUnauthorized, pageSignIn, &p)
	case errors.Is(err, auth.ErrBusy):
		p.Failure = "Too many people are signing in at this moment. Nothing was checked; try again."
		return s.render(w, r, http.StatusServiceUnavailable, pageSignIn, &p)
	case err != nil:
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// endSession answers POST /session/end.
func (s *server) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := s.options.Auth.SignOutConsole(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/session/new", http.StatusSeeOther)
	return nil
}
