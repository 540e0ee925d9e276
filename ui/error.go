package ui

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"trento/store"
	"trento/store/activity"
	"trento/ui/account"
	"trento/ui/api"
	"trento/ui/page"
)

// errorPage says what happened, what was not changed, and what to do.
type errorPage struct {
	page.Frame
	Status    int
	Heading   string
	Sentences []string
	RequestID string // of faults of ours: the log has the cause under it
	Ways      []page.ActionLink
}

// Template implements page.Page.
func (*errorPage) Template() string { return "error" }

// fail answers a request whose handler returned an error. This is the one
// place of the console that does.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if status == http.StatusUnauthorized {
		s.sendToSignIn(w, r)
		return
	}
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		s.Log.Error("request failed", "id", page.RequestID(r.Context()), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	p := s.newErrorPage(r, status, err)
	if p.User != nil {
		// The frame looks as everywhere else, if it can: where this fails, the
		// request failed for the same reason and that is logged.
		_ = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.FillFrame(&p.Frame, tx) })
	}
	if renderErr := s.Write(w, r, status, &p); renderErr != nil {
		s.Log.Error("error page failed", "id", page.RequestID(r.Context()), "error", renderErr)
		http.Error(w, p.Heading, status)
	}
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, page.ErrForm):
		return http.StatusBadRequest
	case errors.Is(err, activity.ErrSearchTooLong):
		return http.StatusUnprocessableEntity
	case errors.Is(err, page.ErrCrossOrigin):
		return http.StatusForbidden
	case errors.Is(err, page.ErrNoRoute):
		return http.StatusNotFound
	case errors.Is(err, page.ErrMethod):
		return http.StatusMethodNotAllowed
	}
	return api.Status(err)
}

// sendToSignIn answers a request of nobody. A script is told so and leaves
// the page itself: the sign-in page must not end up inside a table.
func (s *server) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(page.FragmentHeader) != "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, account.WithTarget("/session/new", page.Here(r)), http.StatusSeeOther)
}

func (s *server) newErrorPage(r *http.Request, status int, err error) errorPage {
	p := errorPage{Frame: s.NewFrame(r, http.StatusText(status)), Status: status, Heading: http.StatusText(status)}
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
	switch status {
	case http.StatusForbidden:
		p.Heading = "Access to this page is forbidden"
		p.Sentences = []string{"Nothing was changed."}
		var missing *page.Refusal
		if errors.Is(err, page.ErrCrossOrigin) {
			p.Heading = "Not from here"
			p.Sentences = []string{"Another site made your browser send this, so it was not carried out. If you meant it, do it again from a page of this console."}
		}
		if errors.As(err, &missing) {
			p.Sentences = []string{"Nothing was changed.", fmt.Sprintf("%s you need the permission %s. Somebody with the permission all:users can grant it to you.", missing.Action, missing.Ability)}
		}
	case http.StatusNotFound:
		p.Heading = "Not Found"
		p.Sentences = []string{"There is nothing at this address. It may be mistyped, or what it named has been removed from the landscape since."}
	case http.StatusMethodNotAllowed:
		p.Heading = "Not possible here"
		p.Sentences = []string{"This address cannot be asked to do that. Nothing was changed."}
	case http.StatusRequestEntityTooLarge:
		p.Heading = "Too much at once"
		p.Sentences = []string{"The form was larger than this server accepts. Nothing was changed."}
	case http.StatusRequestURITooLong:
		p.Heading = "The address says too much"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		p.Heading = "That cannot be read"
		p.Sentences = []string{"The address or the form holds something this server can make nothing of. Nothing was changed."}
	case http.StatusServiceUnavailable:
		p.Heading = "Too busy at this moment"
		p.Sentences = []string{"The server has more to do than it can at once. Nothing was changed. Try again in a few seconds."}
	default:
		if status >= http.StatusInternalServerError {
			p.Heading = "Something went wrong"
			p.Sentences = []string{"The server could not make this page. The fault is on our side: the log of the server has its cause, under the number of this request."}
			p.RequestID = page.RequestID(r.Context())
		}
	}
	if query := new(api.QueryError); errors.As(err, &query) {
		p.Sentences = []string{fmt.Sprintf("In the address, the parameter %s %s. Nothing was changed.", query.Parameter, query.Detail)}
	}
	return p
}
