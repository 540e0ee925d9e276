package ui

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/account"
	"trento/ui/api"
	"trento/ui/page"
)

// errorPage says what failed, that nothing was changed, and what to do.
type errorPage struct {
	page.Frame
	Status    int
	Heading   string
	Sentences []string
	RequestID string // set for internal errors; their cause is in the log under this id
	Ways      []page.ActionLink
}

// Template implements page.Page.
func (*errorPage) Template() string { return "error" }

// answerError answers a request whose handler returned an error. All errors of the
// console are answered here: with a page or, to programs, as the API does.
func (s *server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	status := api.Status(err)
	if errors.Is(err, auth.ErrExternal) {
		// To a program the answer says that the operation is switched off. To a
		// reader of the console the page does not exist.
		status = http.StatusNotFound
	}
	if isFromProgram(r) {
		s.api.Fail(w, r, err)
		return
	}
	if status == http.StatusUnauthorized {
		s.sendToSignIn(w, r)
		return
	}
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		s.Log.Error("request failed", "id", page.RequestID(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	api.WriteRetryAfter(w.Header(), status)
	p := s.newErrorPage(r, status, err)
	if p.User != nil {
		// The page gets its usual frame if possible. If this fails, it fails
		// for the reason that is logged already.
		_ = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.ReadFrame(&p.Frame, tx) })
	}
	if renderErr := s.Write(w, r, status, &p); renderErr != nil {
		s.Log.Error("error page failed", "id", page.RequestID(r.Context()), "error", renderErr)
		http.Error(w, p.Heading, status)
	}
}

// sendToSignIn answers a request without a valid session. A script gets a
// status and leaves the page itself, so that the sign-in page does not end up
// inside a table.
func (s *server) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(page.FragmentHeader) != "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, account.WithTarget("/session/new", page.Here(r)), http.StatusSeeOther)
}

func (s *server) newErrorPage(r *http.Request, status int, err error) errorPage {
	answer := api.AnswerTo(err)
	p := errorPage{Frame: s.NewFrame(r, http.StatusText(status)), Status: status, Heading: answer.Heading}
	p.Here = "/"
	if p.User != nil {
		p.Ways = []page.ActionLink{{Label: "Go to Hosts", URL: "/hosts"}}
		for _, section := range p.Nav {
			if section.Current && section.Path != "/hosts" {
				p.Ways = slices.Insert(p.Ways, 0, page.ActionLink{Label: "Go to " + section.Label, URL: section.Path})
			}
		}
	} else {
		p.Ways = []page.ActionLink{{Label: "Go to the sign-in page", URL: "/session/new"}}
	}
	if answer.Advice != "" {
		p.Sentences = []string{answer.Advice}
	}
	kind, theirs := fault.KindOf(err)
	switch {
	case !theirs, kind == fault.Damaged:
		p.RequestID = page.RequestID(r.Context())
	case kind == fault.Forbidden, kind == fault.Unwritable:
		for _, f := range fault.Of(err) {
			if f.Detail != "" {
				p.Sentences = append(p.Sentences, f.Detail)
			}
		}
	case kind == fault.AddressTooLong:
		for _, f := range fault.Of(err) {
			p.Sentences = append(p.Sentences, fmt.Sprintf("In the address, the parameter %s %s. Nothing was changed.", f.Field, f.Detail))
		}
	}
	return p
}
