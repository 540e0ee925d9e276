package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"trento/store/fault"
)

// RequestIDHeader is the header of the answer with the id of the request. The
// log names this id with each error.
const RequestIDHeader = "X-Request-Id"

// Faults without further details that only this package finds.
var (
	errBadRequest      error = fault.New(fault.Malformed, "bad request")
	errMethod          error = fault.New(fault.WrongMethod, "method not allowed")
	errNotAcceptable   error = fault.New(fault.NotAcceptable, "not acceptable")
	errUnconditional   error = fault.New(fault.Unconditional, "not conditional")
	errBusy            error = fault.New(fault.Busy, "no room for the body")
	errTooLarge        error = fault.New(fault.TooLarge, "body too large")
	errContentType     error = &fault.Error{Kind: fault.WrongContentType, Field: wholeRequest, Detail: "Invalid value for header: content-type"}
	errContentEncoding error = &fault.Error{Kind: fault.WrongContentType, Field: wholeRequest, Detail: "Invalid value for header: content-encoding"}
)

// malformed returns the fault of a body that is not JSON.
func malformed(err error) error { return &fault.Error{Kind: fault.Malformed, Detail: err.Error()} }

// problem is one fault of a request.
type problem = fault.Error

// wholeRequest is the field of a fault that concerns the whole body or its
// headers.
const wholeRequest = "/"

// invalid returns the fault of a member or parameter.
func invalid(pointer, detail string) problem {
	if pointer != wholeRequest {
		pointer = strings.TrimPrefix(pointer, "/")
	}
	return problem{Field: pointer, Detail: detail}
}

// unprocessable returns problems as an error, or nil if the list is empty.
func unprocessable(problems ...problem) error { return fault.Errors(problems).Err() }

// unexpected returns the fault of a parameter or member that the handler does
// not know. pointer leads to the object of the member. The client can choose
// any name, so a long one is cut.
func unexpected(pointer, name string) problem {
	name = truncatedName(name)
	return invalid(pointer+"/"+name, "Unexpected field: "+name)
}

// Answer is the answer to a kind of fault: the status, the text of the API if
// the fault has no detail, and the texts of the console.
type Answer struct {
	Status  int
	Detail  string // text in the API
	Heading string // text in the console
	Advice  string // further text in the console; "" for none
}

const (
	defaultDetail    = "An error has occurred."
	unreadableAdvice = "The address or the form contains a value that this server cannot read. Nothing was changed."
	notFoundAdvice   = "Nothing was found at this address. The address may be mistyped, or the object may have been removed from the landscape."
)

// answers are the answers to all kinds of faults.
var answers = map[fault.Kind]Answer{
	fault.Invalid:          {http.StatusUnprocessableEntity, defaultDetail, "That cannot be read", unreadableAdvice},
	fault.Malformed:        {http.StatusBadRequest, defaultDetail, "That cannot be read", unreadableAdvice},
	fault.SignedOut:        {http.StatusUnauthorized, defaultDetail, "Unauthorized", ""},
	fault.WrongCredentials: {http.StatusUnauthorized, defaultDetail, "Unauthorized", ""},
	fault.Forbidden:        {http.StatusForbidden, "You can't perform the operation or access the resource.", "Access to this page is forbidden", "Nothing was changed."},
	fault.CrossOrigin:      {http.StatusForbidden, "You can't perform the operation or access the resource.", "Not from here", "Another site made your browser send this, so it was not carried out. If you meant it, do it again from a page of this console."},
	fault.NotFound:         {http.StatusNotFound, "The requested resource cannot be found.", "Not Found", notFoundAdvice},
	fault.WrongMethod:      {http.StatusMethodNotAllowed, defaultDetail, "Not possible here", "This address does not support the requested action. Nothing was changed."},
	fault.WrongContentType: {http.StatusUnsupportedMediaType, defaultDetail, "That cannot be read", unreadableAdvice},
	fault.NotAcceptable:    {http.StatusNotAcceptable, defaultDetail, "Not Acceptable", ""},
	fault.Conflict:         {http.StatusConflict, defaultDetail, "Conflict", ""},
	fault.Stale:            {http.StatusPreconditionFailed, "Mid-air collision detected, please refresh the resource you are trying to update.", "Precondition Failed", ""},
	fault.Unconditional:    {http.StatusPreconditionRequired, "Request needs to be conditional, please provide If-Match header.", "Precondition Required", ""},
	fault.TooLarge:         {http.StatusRequestEntityTooLarge, defaultDetail, "Too much at once", "The form was larger than this server accepts. Nothing was changed."},
	fault.AddressTooLong:   {http.StatusRequestURITooLong, defaultDetail, "The address is too long", ""},
	fault.NotImplemented:   {http.StatusNotImplemented, "Endpoint disabled due an external IDP is enabled", "Not possible with single sign-on", "The identity provider manages the accounts. Make this change there."},
	fault.TooOften:         {http.StatusTooManyRequests, defaultDetail, "Too often", "Nothing was changed."},
	fault.Unwritable:       {http.StatusServiceUnavailable, "Changes cannot be stored at the moment. Nothing was changed.", "This could not be stored", "Changes cannot be stored at the moment. Nothing was changed, and what is stored can still be read. Try again when the cause is gone."},
	fault.Damaged:          {http.StatusInternalServerError, "Part of the stored data cannot be read.", "This cannot be read", "The stored data is damaged in this place. Other pages may still work. An administrator has to restore a backup; the log of the server names what is damaged."},
	fault.Busy:             {http.StatusServiceUnavailable, defaultDetail, "Too busy at this moment", "The server has too many requests at this moment. Nothing was changed. Try again in a few seconds."},
}

// internalError is the answer to errors that are not faults of the caller.
var internalError = Answer{
	http.StatusInternalServerError, "Something went wrong.", "Something went wrong",
	"The server could not show this page. The cause is in the log of the server, under the id of this request.",
}

// AnswerTo returns the answer to an error: internalError unless the error is a
// fault of the caller.
func AnswerTo(err error) Answer {
	if kind, ok := fault.KindOf(err); ok {
		return answers[kind]
	}
	return internalError
}

// retryAfter is the number of seconds after which a client should try again.
const retryAfter = "10"

// WriteRetryAfter sets the header that tells clients when to come again, if the
// status says that the server does not answer at the moment.
func WriteRetryAfter(h http.Header, status int) {
	if (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
}

// challenge says how programs show who they are. HTTP Basic is not offered,
// because browsers would ask for a password.
const challenge = `Bearer realm="Trento"`

// Status returns the HTTP status for an error.
func Status(err error) int { return AnswerTo(err).Status }

// Fail answers a request that failed with err. It logs internal errors; the
// client learns no details of them.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	status := Status(err)
	gone := errors.Is(err, context.Canceled) && r.Context().Err() != nil
	if status == http.StatusInternalServerError && !gone {
		a.deps.Log.Error("request failed", "id", w.Header().Get(RequestIDHeader), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	WriteRetryAfter(w.Header(), status)
	if status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	w.Header().Set("Cache-Control", "no-store")
	if kind, ok := fault.KindOf(err); ok && kind == fault.SignedOut {
		// Existing clients recognise this body and sign in again. It has
		// another form than all other error answers.
		writeJSON(w, status, []byte(`{"error":"Unauthorized"}`))
		return
	}
	if err := send(w, status, newProblems(err)); err != nil {
		a.deps.Log.Error("error answer failed", "id", w.Header().Get(RequestIDHeader), "error", err)
	}
}

// problems is the body of the answer to a request that failed.
type problems struct {
	Errors []shownProblem `json:"errors"`
}

// shownProblem is how an answer of the API shows a fault.
type shownProblem struct {
	Title  string  `json:"title"`
	Detail string  `json:"detail"`
	Source *source `json:"source,omitempty"`
}

// source names the member or parameter that a problem is about.
type source struct {
	Pointer string `json:"pointer"`
}

// newProblems returns the body of the answer to an error.
func newProblems(err error) problems {
	faults := fault.Of(err)
	if len(faults) == 0 {
		faults = fault.Errors{{}}
	}
	answer := AnswerTo(err)
	shown := make([]shownProblem, len(faults))
	for i, f := range faults {
		shown[i] = shownProblem{Title: title(answer.Status), Detail: cmp.Or(f.Detail, answer.Detail)}
		if f.Field != "" {
			shown[i].Title, shown[i].Source = "Invalid value", &source{Pointer: pointerTo(f.Field)}
		}
	}
	return problems{shown}
}

// pointerTo returns the JSON pointer to a field.
func pointerTo(field string) string {
	if field == wholeRequest {
		return field
	}
	return "/" + field
}

// title returns the title of a problem with a status. Some titles differ from
// the usual text, as existing clients expect.
func title(status int) string {
	switch status {
	case http.StatusConflict:
		return "Conflict has occurred"
	case http.StatusNotImplemented:
		return "Not implemented"
	case http.StatusPreconditionFailed:
		return "Precondition failed"
	case http.StatusPreconditionRequired:
		return "Precondition required"
	}
	return http.StatusText(status)
}
