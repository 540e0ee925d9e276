// Package api serves everything under /api and /wanda/api: the endpoints for
// agents and the REST API. They are described in openapi.yaml and its parts, one for each
// noun, and tests compare every answer with the description. The package keeps
// no data of its own: data come from package store, permissions from package
// auth.
//
// Requests are not validated with the schemas of openapi.yaml at run time.
// Validation with kin-openapi takes 0.04 to 0.8 ms for a report of an agent,
// and 1.7 GB of memory for a body of 8 MB in which everything is wrong
// (BenchmarkSchemas). It also adds 2 MB to the program. Instead handlers read
// the members they know (input.go), and TestSchemas checks that they refuse the
// same bodies as the schemas.
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
	"trento/store/backup"
	"trento/store/landscape"
	"trento/ui/alerting"
	"trento/ui/amqp"
	"trento/ui/eventing"
	"trento/ui/execution"
	"trento/ui/forward"
	"trento/ui/metrics"
	"trento/ui/refresh"
	"trento/ui/stream"
)

// Deps are the dependencies of the API.
type Deps struct {
	Store   *store.Store
	Auth    *auth.Auth
	Index   *search.Index
	Log     *slog.Logger
	Version string // version of the product
	// DocumentedURL is the address of this server in the API document; "" means
	// the one at which a client asks for the document.
	DocumentedURL string
	// Refresher asks agents for reports.
	Refresher *refresh.Refresher
	// CertificateFaults returns what is wrong with the TLS certificate of the
	// server; nil if it has none.
	CertificateFaults func() []string
	// Endpoint is where agents connect for messages; nil if that is another
	// broker, or messages are off.
	Endpoint *amqp.Broker
	// Backup is what backups are made of.
	Backup *backup.Source
	// Doctor examines this installation.
	Doctor *Doctor
	// Metrics answers with the metrics of the server.
	Metrics http.Handler
	// Find returns the things of a search, users only if they are wanted.
	Find func(tx *store.Tx, words string, users bool) ([]FoundThing, error)
	// Lists are the filters and orders of lists.
	Lists Lists
	// Alerting are the ways by which alerts leave.
	Alerting *alerting.Channels
	// Webhooks sends tests to webhooks.
	Webhooks *eventing.Webhooks
	// Executions runs checks.
	Executions *execution.Runner
	// Streams limits the open event streams; nil: there is no other limit than
	// that of this API.
	Streams *stream.Limit
	// Forwarding returns how the forwarding of the activity log stands; nil if
	// there is none.
	Forwarding func() []forward.Status
}

// API answers requests. It must be called inside auth.Identify and inside a
// handler that sets the header RequestIDHeader of the answer. The path must be
// the one that the client sent.
type API struct {
	deps     Deps
	router   *mux.Router
	versions []string // versions in the paths of routes, newest first: "v2", "v1"

	permittedBodies  bodyReader // from clients that may use the route
	consoleForms     bodyReader // forms from users of the console
	unknownBodies    bodyReader // from all other clients
	providerMessages bodyReader // from identity providers, through the browser of a person

	hostList      listing[hostRecords]
	clusterList   listing[clusterRecords]
	clusterListV1 listing[clusterRecords]
	databaseList  listing[databaseRecords]
	sapSystemList listing[sapSystemRecords]
	healthList    listing[landscape.SAPSystemID]
	incidentList  listing[string]
	userList      listing[int64]
	ownTokenList  listing[string]

	unidentifiedReports unidentifiedReports
}

// New returns the API.
func New(d Deps) *API {
	// Paths are matched as they were sent, without cleaning: a tag may be
	// called "..", and a tag in a path may contain a slash.
	if d.Streams == nil {
		d.Streams = new(stream.Limit)
	}
	a := &API{
		deps: d, router: mux.NewRouter().UseEncodedPath().SkipClean(true),
		hostList:      newListing[hostRecords](true, host{}, "last_heartbeat_timestamp"),
		clusterList:   newListing[clusterRecords](true, cluster{}),
		clusterListV1: newListing[clusterRecords](true, clusterCommon{}),
		databaseList:  newListing[databaseRecords](true, database{}),
		sapSystemList: newListing[sapSystemRecords](true, sapSystem{}),
		healthList:    newListing[landscape.SAPSystemID](false, healthSummary{}),
		incidentList:  newListing[string](false, incident{}),
		userList:      newListing[int64](false, user{}),
		ownTokenList:  newListing[string](false, ownToken{}),
	}
	known := newBudget(permittedBudget, permittedGrace)
	a.permittedBodies = bodyReader{limit: maxBody, budget: known}
	a.consoleForms = bodyReader{limit: maxSmallBody, budget: known}
	strangers := newBudget(unknownClientBudget, 0)
	a.unknownBodies = bodyReader{limit: maxSmallBody, budget: strangers}
	a.providerMessages = bodyReader{limit: maxMessage, budget: strangers}
	for _, route := range slices.Concat(a.Routes(), a.unbuiltRoutes()) {
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

// versionOf returns the version in the path of a route, such as "v1", or "" if
// the path has none.
func versionOf(path string) string {
	_, rest := cutAPIPrefix(path)
	if segment, _, _ := strings.Cut(rest, "/"); versionNumber(segment) > 0 {
		return segment
	}
	return ""
}

// cutAPIPrefix cuts a path after "/api/" or enginePrefix + "/api/". Other paths have
// no room.
func cutAPIPrefix(path string) (room, rest string) {
	for _, room := range []string{"/api/", enginePrefix + "/api/"} {
		if rest, ok := strings.CutPrefix(path, room); ok {
			return room, rest
		}
	}
	return "", path
}

// versionNumber returns 2 for "v2", and 0 for a text that is not a version.
func versionNumber(version string) int {
	digits, ok := strings.CutPrefix(version, "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return 0
	}
	return n
}

// ServeHTTP answers a request. Agents append the path to the configured server
// address, which may end with a slash. So ServeHTTP removes repeated slashes; a
// redirect would turn the POST of an agent into a GET. It does not change the
// path of a DELETE. A client that cleans paths turns the deletion of the tag
// ".." into the path of the host with a slash at the end. Without the slash, it
// would delete the host.
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

// withPath returns the request with another path, given in the form of a URL.
func withPath(r *http.Request, path string) *http.Request {
	copied := *r
	copied.URL = &url.URL{RawPath: path, RawQuery: r.URL.RawQuery}
	copied.URL.Path, _ = url.PathUnescape(path) // cannot fail: the path is part of a parsed URL
	return &copied
}

// handler returns the handler of a route, with the check of permissions before
// it and the answer to its error after it.
func (a *API) handler(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		metrics.NameRoute(r, route.Path)
		body, err := a.authorize(w, r, route)
		defer body.releaseMemory()
		if err == nil {
			err = route.Handle(w, r)
		}
		if err != nil {
			a.Fail(w, r, err)
		}
	}
}

// authorize checks that a client may use a route, and reads the body of the
// request. The caller must call done on the returned body in any case. The
// permission is checked first. If it is refused, or if the route is public,
// only a small body is read.
//
// Existing clients expect status 400 for a body that is not JSON, even if the
// permission is refused. Handlers check their bodies themselves, so the check
// here is only for refused requests.
func (a *API) authorize(w http.ResponseWriter, r *http.Request, route Route) (*body, error) {
	refused := errNotAcceptable
	if accepts(r, answerTypes(route.Path)) {
		refused = a.deps.Auth.Permit(r, route.Access, route.Tokens, route.Method+" "+route.Path)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil, refused
	}
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	if refused == nil && isEncoded(r) {
		w.Header().Set("Accept-Encoding", "identity")
		return nil, errContentEncoding
	}
	receive := a.permittedBodies.receive
	if refused != nil || route.Access == auth.Public {
		receive = a.unknownBodies.receive
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
	if errors.Is(err, errBadRequest) { // the body broke off
		return b, err
	}
	return b, refused // also if the body was too large to be read
}

// ReceiveForm reads the whole body of a request to the console, within the
// memory limits of the API, and puts it back into the request. The caller must
// call done when the request has been answered.
func (a *API) ReceiveForm(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	if auth.From(r.Context()) != nil {
		return receiveForm(a.consoleForms, w, r)
	}
	return receiveForm(a.unknownBodies, w, r)
}

// ReceiveMessage is ReceiveForm for messages of identity providers, which may
// be larger than other forms.
func (a *API) ReceiveMessage(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	return receiveForm(a.providerMessages, w, r)
}

func receiveForm(from bodyReader, w http.ResponseWriter, r *http.Request) (done func(), err error) {
	b, err := from.receive(w, r)
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(b.text))
	}
	return b.releaseMemory, err
}

// redirectToVersion redirects a path without a version to the newest version in
// which it exists. Status 307 makes the client repeat method and body. A query
// with a token is answered at once, because a redirect would have to repeat the
// token in the header of the answer, which proxies log.
func (a *API) redirectToVersion(w http.ResponseWriter, r *http.Request) {
	room, rest := cutAPIPrefix(r.URL.EscapedPath())
	for _, version := range a.versions {
		target := withPath(r, room+version+"/"+rest)
		var match mux.RouteMatch
		if room == "" || !a.router.Match(target, &match) || errors.Is(match.MatchErr, mux.ErrNotFound) {
			continue
		}
		if r.URL.Query().Has(auth.TokenParameter) {
			a.router.ServeHTTP(w, target)
			return
		}
		w.Header().Set("Location", target.URL.String())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	a.Fail(w, r, store.ErrNotFound)
}

// refuseMethod answers a request whose path has no route with its method.
// OPTIONS, the question for the methods, gets an answer without a permission:
// the API document lists them as well.
func (a *API) refuseMethod(w http.ResponseWriter, r *http.Request) {
	if AnswerMethods(w, r, a.router) {
		return
	}
	a.Fail(w, r, errMethod)
}

// AnswerMethods sets the header Allow to the methods that a router has for the
// path of a request, and answers the request if its method is OPTIONS.
func AnswerMethods(w http.ResponseWriter, r *http.Request, router *mux.Router) (answered bool) {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPatch, http.MethodPost, http.MethodPut} {
		probe := *r
		probe.Method = method
		var match mux.RouteMatch
		if router.Match(&probe, &match) && match.MatchErr == nil {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
	if r.Method != http.MethodOptions {
		return false
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// send answers with a value as JSON. It encodes the value before it writes
// anything, so that an error of encoding does not leave half an answer.
func send(w http.ResponseWriter, status int, answer any) error {
	body, err := marshal(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, body)
	return nil
}

// marshal encodes an answer as JSON, without escaping < and > for HTML.
func marshal(answer any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// writeJSON answers with a body that is JSON already. An error of writing is
// ignored: it means that the client has gone.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	writeHeader(w, status, len(body))
	_, _ = w.Write(body)
}

// writeHeader writes the header of a JSON answer with a body of size bytes.
func writeHeader(w http.ResponseWriter, status, size int) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
}
