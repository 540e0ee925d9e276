// Package api is what programs talk to: the agents that report, and the
// clients of the REST API. It answers everything under /api. What it says is
// described in openapi.yaml and its parts, one for each noun, and tests hold it
// to that. It keeps nothing of its own: what is true is asked of package store,
// who may ask of package auth.
//
// Requests are not held to the schemas of openapi.yaml while the server runs.
// A library that does would need 0.04 to 0.8 ms for a report of an agent, 1.7 GB
// of memory for 8 MB that are wrong everywhere (BenchmarkSchemas), and 2 MB of
// the program. Handlers read what they know (input.go), and TestSchemas compares
// what they refuse with the schemas.
package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/search"
	"trento/store"
)

// Deps is what the API works with.
type Deps struct {
	Store   *store.Store
	Auth    *auth.Auth
	Index   *search.Index
	Log     *slog.Logger
	Version string // of the product
}

// API answers requests. It expects to be called with the path as the client
// sent it, behind auth.Identify, and behind a handler that has put the id of
// the request into the header RequestIDHeader of the answer.
type API struct {
	deps     Deps
	router   *mux.Router
	versions []string // of the routes, newest first: "v2", "v1"

	bodies    bodies // of those who have proven that they may ask
	forms     bodies // the same, from the console
	strangers bodies // of everybody else

	hostList      listCache[hostRecords]
	clusterList   listCache[clusterRecords]
	clusterListV1 listCache[clusterRecords]
	databaseList  listCache[databaseRecords]
	sapSystemList listCache[sapSystemRecords]

	unidentified unidentified
}

// New makes the API.
func New(d Deps) *API {
	// Paths are matched as they were sent, and nothing about them is cleaned:
	// a tag may be called "..", and what is asked to be taken off may hold a
	// slash.
	a := &API{deps: d, router: mux.NewRouter().UseEncodedPath().SkipClean(true)}
	known := newBudget(knownBudget, knownGrace)
	a.bodies = bodies{limit: maxBody, budget: known}
	a.forms = bodies{limit: maxSmallBody, budget: known}
	a.strangers = bodies{limit: maxSmallBody, budget: newBudget(strangersBudget, 0)}
	for _, route := range a.Routes() {
		methods := []string{route.Method}
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		a.router.Handle(route.Path, a.handler(route)).Methods(methods...)
		if version := versionOf(route.Path); version != "" && !slices.Contains(a.versions, version) {
			a.versions = append(a.versions, version)
		}
	}
	slices.SortFunc(a.versions, func(x, y string) int { return versionNumber(y) - versionNumber(x) })
	a.router.NotFoundHandler = http.HandlerFunc(a.redirectToVersion)
	a.router.MethodNotAllowedHandler = http.HandlerFunc(a.refuseMethod)
	return a
}

// versionOf is the version in the path of a route, such as "v1", or empty.
func versionOf(path string) string {
	if segment := strings.Split(path, "/")[2]; versionNumber(segment) > 0 {
		return segment
	}
	return ""
}

// versionNumber is the number of a version, or 0 for what is none.
func versionNumber(version string) int {
	digits, ok := strings.CutPrefix(version, "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0
	}
	return n
}

// ServeHTTP answers a request. Agents put the address they are given and the
// path together as they are, so a slash too many is forgiven here instead of
// redirected: a redirect would turn their POST into a GET. It is not forgiven
// to those who delete: who takes off the tag ".." through a client that puts
// paths in order asks for the thing itself, with a slash at the end.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if sent := r.URL.EscapedPath(); r.Method != http.MethodDelete {
		segments := strings.FieldsFunc(sent, func(r rune) bool { return r == '/' })
		if clean := "/" + strings.Join(segments, "/"); clean != sent {
			r = withPath(r, clean)
		}
	}
	if err := CheckQuery(r.URL.RawQuery); err != nil {
		a.Fail(w, r, err)
		return
	}
	a.router.ServeHTTP(w, r)
}

// withPath is the request sent to another path, which is given as in a URL.
func withPath(r *http.Request, path string) *http.Request {
	copied := *r
	copied.URL = &url.URL{RawPath: path, RawQuery: r.URL.RawQuery}
	copied.URL.Path, _ = url.PathUnescape(path) // it was part of a URL
	return &copied
}

// handler lets in whom the route wants and answers the errors.
func (a *API) handler(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := a.authorize(w, r, route)
		defer body.done()
		if err == nil {
			err = route.Handle(w, r)
		}
		if err != nil {
			a.Fail(w, r, err)
		}
	}
}

// authorize decides whether a request is handled and reads its body, which is to
// be done with afterwards in any case. Who may ask is asked first: of those who
// may not, and of everybody where no one has to prove anything, no more than a
// little is read. A body that is no JSON is a fault before all others; but
// whoever is let in reads it anyway, so only of the others it is looked at
// here.
func (a *API) authorize(w http.ResponseWriter, r *http.Request, route Route) (*body, error) {
	refused := errNotAcceptable
	if acceptsJSON(r) {
		refused = a.deps.Auth.Permit(r, route.Access, route.Tokens, route.Method+" "+route.Path)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil, refused
	}
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	receive := a.bodies.receive
	if refused != nil || route.Access == auth.Public {
		receive = a.strangers.receive
	}
	b, err := receive(w, r)
	if refused == nil {
		return b, err
	}
	if err == nil && len(b.text) > 0 && isJSON(r) {
		err = json.Unmarshal(b.text, new(json.RawMessage))
		if err == nil && route.Access != auth.Agent {
			err = checkText(b.text)
		}
		if err != nil {
			return b, malformed(err)
		}
	}
	if errors.Is(err, errBadRequest) { // it broke off
		return b, err
	}
	return b, refused // whatever it is: too much of it was not read
}

// ReceiveForm reads the body of a request to the console, within the limits
// that bodies have in common, and replaces that of the request. done has to be
// called when the request is answered.
func (a *API) ReceiveForm(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	receive := a.strangers.receive
	if auth.From(r.Context()) != nil {
		receive = a.forms.receive
	}
	b, err := receive(w, r)
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(b.text))
	}
	return b.done, err
}

// redirectToVersion sends those who do not name a version to the newest one that has
// the path, with the method and the body they came with.
func (a *API) redirectToVersion(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/")
	for _, version := range a.versions {
		target := withPath(r, "/api/"+version+"/"+rest)
		var match mux.RouteMatch
		if ok && a.router.Match(target, &match) && !errors.Is(match.MatchErr, mux.ErrNotFound) {
			w.Header().Set("Location", target.URL.String())
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
	}
	a.Fail(w, r, store.ErrNotFound)
}

func (a *API) refuseMethod(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := *r
		probe.Method = method
		var match mux.RouteMatch
		if a.router.Match(&probe, &match) && match.MatchErr == nil {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.Fail(w, r, errMethod)
}

// send answers with JSON. It is made in memory first, so that a value that
// cannot be written is an error and not half an answer.
func send(w http.ResponseWriter, status int, answer any) error {
	body, err := marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, body)
	return nil
}

// marshal is an answer as JSON. Nothing is escaped for the sake of HTML.
func marshal(answer any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// writeJSON answers with JSON that is written already. Whether the client is
// still there to read it is its own affair.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	writeHeader(w, status, len(body))
	_, _ = w.Write(body)
}

// writeHeader answers up to the body, of which the size in bytes is known.
func writeHeader(w http.ResponseWriter, status, size int) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
}
