package api_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/store/backup"
	"trento/store/finding"
	"trento/store/message"
	"trento/store/storetest"
	"trento/ui/account"
	"trento/ui/alerting"
	"trento/ui/api"
	"trento/ui/api/documenttest"
	"trento/ui/eventing"
	"trento/ui/execution"
	landscapepages "trento/ui/landscape"
	"trento/ui/metrics"
	consolepage "trento/ui/page"
	"trento/ui/refresh"
)

// TestMain collects garbage less often, since the tests make much of it and
// keep little.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// clock is the time of a test.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

var secrets = auth.Secrets{
	Base:    []byte(strings.Repeat("b", 48)),
	Access:  []byte(strings.Repeat("a", 48)),
	Refresh: []byte(strings.Repeat("r", 48)),
}

// fixture is the API over a real store, with all that stands before it.
type fixture struct {
	t       *testing.T
	clock   *clock
	store   *store.Store
	index   *search.Index // which nothing follows the log into, unless indexed is called
	auth    *auth.Auth
	bus     *agentBus
	handler http.Handler
	log     *bytes.Buffer
	rules   *documenttest.Document
	tokens  map[string]string
	made    int            // personal access tokens
	roots   *x509.CertPool // of receivers of webhooks

	executions *execution.Runner
}

const (
	version   = "1.2.3-test"
	requestID = "request-1"
	nobody    = ""
	agent     = "agent"
)

func newFixture(t *testing.T, change ...func(*auth.Options)) *fixture {
	t.Helper()
	// Not in UTC, as most servers are.
	c := &clock{time.Date(2026, 8, 20, 12, 15, 30, 123456000, time.FixedZone("", 2*60*60))}
	return newFixtureOn(t, storetest.OpenAt(t, c.Now), c, change...)
}

func newFixtureOn(t *testing.T, s *store.Store, c *clock, change ...func(*auth.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: c, store: s, bus: &agentBus{deliveries: map[string]*message.Delivery{}}, log: new(bytes.Buffer), tokens: make(map[string]string), roots: x509.NewCertPool()}
	log := slog.New(slog.NewTextHandler(f.log, nil))
	o := auth.Options{Store: s, Secrets: secrets, SessionLifetime: 6 * time.Hour, EnableAPIKey: true, Now: c.Now, Operations: api.Operations(), HashCost: auth.HashCost{Iterations: 1, Memory: 8, Parallelism: 1}}
	for _, f := range change {
		f(&o)
	}
	var err error
	if f.auth, err = auth.New(o); err != nil {
		t.Fatal(err)
	}
	if err := f.auth.EnsureMessageCredential(t.Context()); err != nil {
		t.Fatal(err)
	}
	index, err := search.Open(t.TempDir(), s, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := index.Close(); err != nil {
			t.Error(err)
		}
	})
	f.index = index
	f.rules = document(t)
	f.executions = execution.New(execution.Options{Store: s, Bus: f.bus, Catalogue: testCatalogue, Timeout: time.Minute})
	f.serve(api.Deps{
		Metrics: metrics.New("1").Handler(),
		Store:   s, Auth: f.auth, Index: index, Log: log, Version: version, Refresher: refresh.New(s, f.bus),
		Backup:     &backup.Source{Store: s, Dir: t.TempDir(), Program: version},
		Doctor:     testDoctor(c),
		Find:       func(*store.Tx, string, bool) ([]api.FoundThing, error) { return nil, nil }, // the search belongs to the console and is tested there
		Lists:      consoleLists(t, s, f.auth, index, log),
		Alerting:   alerting.New(alerting.Options{Now: c.Now}),
		Webhooks:   eventing.New(s, f.auth, f.roots),
		Executions: f.executions,
	})
	return f
}

// consoleLists are the filters and orders that the console declares.
func consoleLists(t *testing.T, s *store.Store, a *auth.Auth, index *search.Index, log *slog.Logger) api.Lists {
	t.Helper()
	var l api.Lists
	console := consolepage.New(consolepage.Options{Store: s, Auth: a, Search: index, Log: log}, new(consolepage.Resources))
	landscapepages.Lists(console, &l)
	account.New(console).Lists(&l)
	return l
}

// testDoctor finds one thing, and makes a bundle of one word.
func testDoctor(c *clock) *api.Doctor {
	return &api.Doctor{
		Report: func(context.Context, bool) (*finding.Report, error) {
			at := c.Now().UTC()
			return &finding.Report{
				At: at, Version: version, StartedAt: &at, Examined: []string{"Backups"}, Skipped: []finding.Skipped{{Area: "Firewall", Why: "not looked at"}},
				Findings: []finding.Finding{{Urgency: finding.Urgent, Area: "Backups", What: "None.", Why: "Lost.", Mend: "BACKUP_DIR", Page: "/settings/backup"}},
			}, nil
		},
		WriteSupport: func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, "bundle")
			return err
		},
	}
}

// serve makes an API answer the requests of the test from now on.
func (f *fixture) serve(deps api.Deps) {
	identified := f.auth.Identify(api.New(deps))
	f.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.RequestIDHeader, requestID)
		identified.ServeHTTP(w, r)
	})
}

// user makes a user who is signed in, and returns the name to call with.
func (f *fixture) user(name string, abilities ...int) string {
	f.t.Helper()
	_, err := f.store.CreateUser(f.t.Context(), store.System(), store.NewUser{
		Username: name, Fullname: name, Email: name + "@example.com", Abilities: abilities, Enabled: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.signIn(name)
	return name
}

// signIn gives a user a new token.
func (f *fixture) signIn(name string) {
	f.t.Helper()
	tokens, err := f.auth.SignInAPI(httptest.NewRequest(http.MethodPost, "/", nil), &auth.Proof{User: f.account(name), Method: store.MethodPassword})
	if err != nil {
		f.t.Fatal(err)
	}
	f.tokens[name] = tokens.Access
}

// agentKey is the present key of the agents.
func (f *fixture) agentKey() string {
	f.t.Helper()
	return f.auth.APIKeyText(f.apiKey())
}

func (f *fixture) apiKey() (key *store.APIKey) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) (err error) {
		key, err = tx.APIKey()
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

// entries are the newest entries of the activity log, oldest first.
func (f *fixture) entries(types ...activity.Type) []*activity.Entry {
	f.t.Helper()
	var found []*activity.Entry
	filter := activity.Filter{Types: types}
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, tx.Newest()) {
			if err != nil {
				return err
			}
			if filter.Match(e) {
				found = append(found, e)
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return found
}

// indexed brings the search index up to date.
func (f *fixture) indexed() {
	f.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.index.Run(ctx); err != nil {
			f.t.Error(err)
		}
	})
	log := f.entries()
	for f.index.Indexed() < log[len(log)-1].Position {
		time.Sleep(time.Millisecond)
	}
	stop()
	running.Wait()
}

// discards are the reasons of the payloads that could not be decoded.
func (f *fixture) discards() []string {
	f.t.Helper()
	var reasons []string
	err := f.store.View(func(tx *store.Tx) error {
		for d, err := range tx.Discards() {
			if err != nil {
				return err
			}
			reasons = append(reasons, d.Reason)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return reasons
}

// call is a request. A header that is set to nothing is left out.
type call struct {
	as     string // nobody, agent or a user
	method string
	path   string
	body   string
	header map[string]string
	from   string // address of the client
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (f *fixture) get(as, path string) answer {
	f.t.Helper()
	return f.do(call{as: as, method: http.MethodGet, path: path})
}

func (f *fixture) post(as, path, body string) answer {
	f.t.Helper()
	return f.do(call{as: as, method: http.MethodPost, path: path, body: body})
}

func (c call) request(f *fixture) *http.Request {
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	switch c.method {
	case http.MethodPost, http.MethodPatch, http.MethodPut:
		r.Header.Set("Content-Type", "application/json")
	}
	switch c.as {
	case nobody:
	case agent:
		r.Header.Set("X-Trento-Apikey", f.agentKey())
	default:
		r.Header.Set("Authorization", "Bearer "+f.tokens[c.as])
	}
	for name, value := range c.header {
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	if c.from != "" {
		r.RemoteAddr = c.from
	}
	return r
}

// do sends a request and compares it and its answer with the API document.
func (f *fixture) do(c call) answer {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, c.request(f))
	got := answer{w.Code, w.Header(), w.Body.String()}
	if err := f.rules.Check(c.request(f), got.document()); err != nil {
		f.t.Errorf("%s %s as %q: %d %s\nis not what the API document says: %v", c.method, c.path, c.as, got.status, got.body, err)
	}
	return got
}

func (got answer) document() documenttest.Answer {
	return documenttest.Answer{Status: got.status, Header: got.header, Body: got.body}
}

// expect compares an answer. A body of "*" may be anything.
func (got answer) expect(t *testing.T, status int, body string) {
	t.Helper()
	if got.status != status || body != "*" && got.body != body {
		t.Errorf("answer %d %s\nwant   %d %s", got.status, got.body, status, body)
	}
}

// decode reads the body of an answer.
func (got answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(got.body), into); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
}

// Bodies of errors.
const (
	signedOut = `{"error":"Unauthorized"}`
	notFound  = `{"errors":[{"title":"Not Found","detail":"The requested resource cannot be found."}]}`
	forbidden = `{"errors":[{"title":"Forbidden","detail":"You can't perform the operation or access the resource."}]}`
	ourFault  = `{"errors":[{"title":"Internal Server Error","detail":"Something went wrong."}]}`
)

// general is the body of an error that says no more than its status.
func general(status int) string {
	return `{"errors":[{"title":"` + http.StatusText(status) + `","detail":"An error has occurred."}]}`
}

// sentence is the body of a 422 that is about no field.
func sentence(detail string) string {
	return `{"errors":[{"title":"Unprocessable Entity","detail":"` + detail + `"}]}`
}

// problems is the body of a 422: pairs of pointer and detail.
func problems(pairs ...string) string {
	type source struct {
		Pointer string `json:"pointer"`
	}
	type problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Source source `json:"source"`
	}
	var list struct {
		Errors []problem `json:"errors"`
	}
	for i := 0; i < len(pairs); i += 2 {
		list.Errors = append(list.Errors, problem{"Invalid value", pairs[i+1], source{pairs[i]}})
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// account is the stored user of a name.
func (f *fixture) account(name string) (u *store.User) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) (err error) {
		u, err = tx.UserNamed(name)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// prefixes are networks.
func prefixes(texts ...string) (networks []netip.Prefix) {
	for _, text := range texts {
		networks = append(networks, netip.MustParsePrefix(text))
	}
	return networks
}
