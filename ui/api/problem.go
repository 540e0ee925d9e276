package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/discovery"
	"trento/store/landscape"
)

// RequestIDHeader is the header of the answer that names the request in the
// log.
const RequestIDHeader = "X-Request-Id"

// refusal is a fault of the caller that only this package finds. Where it has
// no problems, the status says all there is to say.
type refusal struct {
	status   int
	problems []problem
}

func (e *refusal) Error() string {
	details := make([]string, len(e.problems))
	for i, p := range e.problems {
		details[i] = p.Detail
	}
	return strings.ToLower(http.StatusText(e.status)) + ": " + strings.Join(details, "; ")
}

// Refusals that are always the same.
var (
	errBadRequest    error = &refusal{status: http.StatusBadRequest}
	errMethod        error = &refusal{status: http.StatusMethodNotAllowed}
	errNotAcceptable error = &refusal{status: http.StatusNotAcceptable}
	errUnconditional error = &refusal{status: http.StatusPreconditionRequired}
	errBusy          error = &refusal{status: http.StatusServiceUnavailable}
	errTooLarge      error = &refusal{status: http.StatusRequestEntityTooLarge}
	errContentType         = unprocessable(invalid("/", "Invalid value for header: content-type"))
)

// malformed refuses a body that is no JSON.
func malformed(err error) error {
	return &refusal{http.StatusBadRequest, []problem{{Title: "Bad Request", Detail: err.Error()}}}
}

// problem is one entry of the list of errors of an answer.
type problem struct {
	Title  string  `json:"title"`
	Detail string  `json:"detail"`
	Source *source `json:"source,omitempty"`
}

// source names the member or parameter a problem is about.
type source struct {
	Pointer string `json:"pointer"`
}

// invalid is the problem of one member or parameter.
func invalid(pointer, detail string) problem {
	return problem{Title: "Invalid value", Detail: detail, Source: &source{Pointer: pointer}}
}

// unprocessable is nil if there are no problems, otherwise their refusal.
func unprocessable(problems ...problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return strings.Compare(a.Source.Pointer, b.Source.Pointer) })
	return &refusal{http.StatusUnprocessableEntity, problems}
}

// unexpected is the problem of a parameter, or of a member of what is at the
// pointer, that nobody asked for. Its name can be anything.
func unexpected(pointer, name string) problem {
	name = truncatedName(name)
	return invalid(pointer+"/"+name, "Unexpected field: "+name)
}

// Status is the status that tells a client of an error. An error that is in
// no row is a fault of ours.
func Status(err error) int {
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.status
	}
	if _, ok := errors.AsType[*QueryError](err); ok {
		return http.StatusRequestURITooLong
	}
	if undecodable, ok := errors.AsType[*discovery.Error](err); ok {
		if undecodable.Stage == discovery.StageSyntax {
			return http.StatusBadRequest
		}
		return http.StatusUnprocessableEntity
	}
	if _, ok := errors.AsType[*landscape.InvalidError](err); ok {
		return http.StatusUnprocessableEntity
	}
	if _, ok := errors.AsType[auth.FieldErrors](err); ok {
		return http.StatusUnprocessableEntity
	}
	for _, row := range []struct {
		err    error
		status int
	}{
		{auth.ErrSignedOut, http.StatusUnauthorized},
		{auth.ErrCredentials, http.StatusUnauthorized},
		{auth.ErrRefresh, http.StatusUnauthorized},
		{auth.ErrForbidden, http.StatusForbidden},
		{store.ErrTokensDisabled, http.StatusForbidden},
		{auth.ErrProtected, http.StatusForbidden},
		{auth.ErrCodeMissing, http.StatusUnprocessableEntity},
		{auth.ErrTOTPEnabled, http.StatusUnprocessableEntity},
		{auth.ErrTOTPCode, http.StatusUnprocessableEntity},
		{store.ErrStale, http.StatusPreconditionFailed},
		{store.ErrNotFound, http.StatusNotFound},
		{store.ErrConflict, http.StatusConflict},
		{landscape.ErrLive, http.StatusUnprocessableEntity},
		{landscape.ErrPresent, http.StatusUnprocessableEntity},
		{auth.ErrBusy, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, row.err) {
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// Fail answers a request that could not be handled because of err. What is a
// fault of ours is logged here, once; the caller learns nothing about it.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	status := Status(err)
	gone := errors.Is(err, context.Canceled) && r.Context().Err() != nil
	if status == http.StatusInternalServerError && !gone {
		a.deps.Log.Error("request failed", "id", w.Header().Get(RequestIDHeader), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if errors.Is(err, auth.ErrSignedOut) {
		// The only answer of this shape: clients tell by it that they have to
		// sign in again.
		writeJSON(w, status, []byte(`{"error":"Unauthorized"}`))
		return
	}
	answer := struct {
		Errors []problem `json:"errors"`
	}{problemsOf(err, status)}
	if err := send(w, status, answer); err != nil {
		a.deps.Log.Error("error answer failed", "id", w.Header().Get(RequestIDHeader), "error", err)
	}
}

// problemsOf is what the caller is told about an error.
func problemsOf(err error, status int) []problem {
	if refused, ok := errors.AsType[*refusal](err); ok && len(refused.problems) > 0 {
		return refused.problems
	}
	if undecodable, ok := errors.AsType[*discovery.Error](err); ok {
		problems := make([]problem, len(undecodable.Problems))
		for i, p := range undecodable.Problems {
			problems[i] = problem{Title: p.Title, Detail: p.Detail}
			if p.Pointer != "" {
				problems[i].Source = &source{Pointer: p.Pointer}
			}
		}
		return problems
	}
	if query, ok := errors.AsType[*QueryError](err); ok {
		return []problem{invalid("/"+query.Parameter, query.Detail)}
	}
	if wrong, ok := errors.AsType[*landscape.InvalidError](err); ok {
		return []problem{invalid("/"+wrong.Field, wrong.Detail)}
	}
	if wrong, ok := errors.AsType[auth.FieldErrors](err); ok {
		problems := make([]problem, len(wrong))
		for i, w := range wrong {
			problems[i] = invalid("/"+w.Field, w.Detail)
		}
		return problems
	}
	return []problem{{Title: title(status), Detail: sentence(err, status)}}
}

// title is the title of a problem of that status. Clients know two of them
// with one capital letter only.
func title(status int) string {
	switch status {
	case http.StatusPreconditionFailed:
		return "Precondition failed"
	case http.StatusPreconditionRequired:
		return "Precondition required"
	}
	return http.StatusText(status)
}

// sentence is the detail that belongs to an error without details.
func sentence(err error, status int) string {
	switch {
	case errors.Is(err, auth.ErrCredentials):
		return "Invalid credentials."
	case errors.Is(err, auth.ErrCodeMissing):
		return "TOTP code missing."
	case errors.Is(err, auth.ErrTOTPEnabled):
		return "TOTP already enabled, could not process the enrollment procedure"
	case errors.Is(err, auth.ErrTOTPCode):
		return "TOTP code not valid for the enrollment procedure."
	case errors.Is(err, store.ErrTokensDisabled):
		return "Personal access tokens are disabled."
	case errors.Is(err, auth.ErrRefresh):
		return "Invalid refresh token."
	case errors.Is(err, landscape.ErrLive):
		return "Requested operation not allowed for live hosts."
	case errors.Is(err, landscape.ErrPresent):
		return "Requested operation not allowed for present SAP instances."
	}
	switch status {
	case http.StatusForbidden:
		return "You can't perform the operation or access the resource."
	case http.StatusNotFound:
		return "The requested resource cannot be found."
	case http.StatusPreconditionFailed:
		return "Mid-air collision detected, please refresh the resource you are trying to update."
	case http.StatusPreconditionRequired:
		return "Request needs to be conditional, please provide If-Match header."
	case http.StatusInternalServerError:
		return "Something went wrong."
	}
	return "An error has occurred."
}
