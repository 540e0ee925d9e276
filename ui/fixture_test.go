package ui

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
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
	"trento/store/landscape"
	"trento/store/storetest"
	"trento/ui/alerting"
	"trento/ui/amqp"
	"trento/ui/api"
	"trento/ui/api/documenttest"
	"trento/ui/eventing"
	"trento/ui/page"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const testPassword = "correct-horse-7"

// cheapHash makes hashing passwords cheap. With the real cost, tests would
// spend most of their time on it.
var cheapHash = auth.HashCost{Iterations: 1, Memory: 8, Parallelism: 1}

// testPasswordHash is the hash of testPassword.
var testPasswordHash = sync.OnceValues(func() (string, error) {
	a, err := auth.New(auth.Options{Secrets: testSecrets(), SessionLifetime: time.Hour, HashCost: cheapHash, Now: time.Now})
	if err != nil {
		return "", err
	}
	return a.HashPassword(context.Background(), testPassword)
})

func testSecrets() auth.Secrets {
	return auth.Secrets{
		Base: []byte(strings.Repeat("b", 48)), Access: []byte(strings.Repeat("a", 48)), Refresh: []byte(strings.Repeat("r", 48)),
	}
}

// fixture is a console with a real store.
type fixture struct {
	index   *search.Index // only up to date after a call of indexed
	t       testing.TB
	clock   *clock
	store   *store.Store
	auth    *auth.Auth
	options page.Options
	handler http.Handler
	log     *logBuffer
	cookies map[string]*http.Cookie // session cookies by user name
	// findings are what is wrong with this installation.
	findings []finding.Finding
	roots    *x509.CertPool // of receivers of webhooks
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureAt(t, &clock{now: time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)})
}

func newFixtureAt(t testing.TB, c *clock) *fixture {
	t.Helper()
	return newFixtureOn(t, c, storetest.OpenAt(t, c.Now))
}

func newFixtureOn(t testing.TB, c *clock, s *store.Store) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: c, store: s, log: new(logBuffer), cookies: make(map[string]*http.Cookie), roots: x509.NewCertPool()}
	log := newTestLog(f.log)
	f.auth = f.newAuth(func(*auth.Options) {})
	index, err := search.Open(t.TempDir(), f.store, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := index.Close(); err != nil {
			t.Error(err)
		}
	})
	f.index = index
	if err := f.auth.EnsureMessageCredential(t.Context()); err != nil {
		t.Fatal(err)
	}
	endpoint, err := amqp.New(amqp.Options{Store: f.store, Log: log, Port: 5672})
	if err != nil {
		t.Fatal(err)
	}
	f.restart(page.Options{Store: f.store, Auth: f.auth, Search: index, Version: "1.2.3", Log: log, Messages: endpoint, Endpoint: endpoint, Backup: &backup.Source{Store: f.store, Dir: f.t.TempDir(), Program: "1.2.3"}, Alerting: alerting.New(alerting.Options{Delay: time.Minute, Repeat: 30 * time.Minute, Now: f.clock.Now}), Webhooks: eventing.New(f.store, f.auth, f.roots), Doctor: &api.Doctor{Report: f.report, WriteSupport: writeTestSupport}})
	return f
}

// report returns the examination of the installation.
func (f *fixture) report(context.Context, bool) (*finding.Report, error) {
	return &finding.Report{At: f.clock.Now(), Version: "1.2.3", Findings: append([]finding.Finding{}, f.findings...), Examined: []string{"Backups", "Clock"}, Skipped: []finding.Skipped{{Area: "Firewall", Why: "not looked at"}}}, nil
}

// writeTestSupport writes a placeholder for a support bundle.
func writeTestSupport(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "bundle")
	return err
}

// newAuth returns an Auth for the store of the fixture.
func (f *fixture) newAuth(change func(*auth.Options)) *auth.Auth {
	f.t.Helper()
	o := auth.Options{Store: f.store, Secrets: testSecrets(), SessionLifetime: 6 * time.Hour, EnableAPIKey: true, Operations: api.Operations(), HashCost: cheapHash, Now: f.clock.Now}
	change(&o)
	a, err := auth.New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

// restartAuth answers requests with other options of package auth from now on.
func (f *fixture) restartAuth(change func(*auth.Options)) {
	f.t.Helper()
	f.auth = f.newAuth(change)
	f.options.Auth = f.auth
	f.restart(f.options)
}

// restart answers requests with other options from now on.
func (f *fixture) restart(o page.Options) {
	f.t.Helper()
	handler, err := New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.handler, f.options = handler, o
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
	var newest activity.Position
	err := f.store.View(func(tx *store.Tx) error {
		newest = tx.Newest()
		return nil
	})
	for err == nil && f.index.Indexed() < newest {
		time.Sleep(time.Millisecond)
	}
	stop()
	running.Wait()
	if err != nil {
		f.t.Fatal(err)
	}
}

// user makes a user and signs them in.
func (f *fixture) user(name string, abilities ...int) *store.User {
	f.t.Helper()
	u := f.signedOutUser(name, abilities...)
	w := httptest.NewRecorder()
	if err := f.auth.SignInConsole(w, httptest.NewRequest(http.MethodPost, "/session", nil), &auth.Proof{User: u, Method: store.MethodPassword}); err != nil {
		f.t.Fatal(err)
	}
	f.cookies[name] = w.Result().Cookies()[0]
	return u
}

// signedOutUser makes a user.
func (f *fixture) signedOutUser(name string, abilities ...int) *store.User {
	f.t.Helper()
	hash, err := testPasswordHash()
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := f.store.CreateUser(context.Background(), store.System(), store.NewUser{
		Username: name, Fullname: name, Email: name + "@example.com", PasswordHash: hash, Abilities: abilities, Enabled: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// hostID returns the id of the n-th host of a test.
func hostID(n int) landscape.HostID {
	return landscape.HostID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

// facts returns the facts of an ordinary host.
func facts(n int, name string) landscape.HostFacts {
	prefix, boot := 24, time.Date(2026, 8, 1, 7, 30, 0, 0, time.UTC)
	return landscape.HostFacts{
		Hostname: name, FQDN: name + ".example.com", AgentVersion: "3.1.2", Arch: "x86_64", CPUCount: 8, SocketCount: 2,
		MemoryMB: 65536, OSVersion: "15-SP5", InstallationSource: "suse", PrometheusMode: "pull",
		PrometheusTargets: map[string]string{"node_exporter": "10.0.0.1:9100"},
		SystemdUnits:      []landscape.SystemdUnit{{Name: "pacemaker.service", UnitFileState: "enabled"}},
		Addresses:         []landscape.Address{{IP: netip.AddrFrom4([4]byte{10, 0, byte(n / 250), byte(1 + n%250)}), Prefix: &prefix}},
		LastBoot:          &boot,
	}
}

// observe stores what an agent reports.
func (f *fixture) observe(n int, seen landscape.Observation) {
	f.t.Helper()
	seen.Agent = hostID(n)
	switch {
	case seen.Host != nil:
		seen.Kind = landscape.HostDiscovery
	case seen.Cloud != nil:
		seen.Kind = landscape.CloudDiscovery
	case seen.Saptune != nil:
		seen.Kind = landscape.SaptuneDiscovery
	default:
		seen.Kind = landscape.SubscriptionDiscovery
	}
	f.clock.pass(time.Millisecond)
	body := fmt.Appendf(nil, "%d %v %v", n, seen, f.clock.Now())
	if err := f.store.Observe(context.Background(), store.Report{Observation: seen, Body: body}); err != nil {
		f.t.Fatal(err)
	}
}

// host registers the n-th host.
func (f *fixture) host(n int, name string) landscape.HostID {
	f.t.Helper()
	known := facts(n, name)
	f.observe(n, landscape.Observation{Host: &known})
	return hostID(n)
}

func (f *fixture) beat(n int) {
	f.t.Helper()
	if err := f.store.Heartbeat(context.Background(), hostID(n)); err != nil {
		f.t.Fatal(err)
	}
}

// silence advances the clock until all hosts except those in heard count as
// silent.
func (f *fixture) silence(heard ...int) {
	f.t.Helper()
	f.clock.pass(time.Minute)
	for _, n := range heard {
		f.beat(n)
	}
	if err := f.store.MarkLostHosts(context.Background()); err != nil {
		f.t.Fatal(err)
	}
}

// call is a request of a test.
type call struct {
	method, target string
	as             string     // user name, "" for nobody
	form           url.Values // of a POST
	header         http.Header
	cookies        []*http.Cookie
	ctx            context.Context // nil: one that does not end
}

// do sends a request as a browser does from a page of the console, and compares
// what is for programs with the API document.
func (f *fixture) do(c call) *httptest.ResponseRecorder {
	f.t.Helper()
	if c.method == "" {
		c.method = http.MethodGet
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, c.request(f))
	f.checkDocument(c, w)
	return w
}

func (c call) request(f *fixture) *http.Request {
	r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if c.method == http.MethodGet {
		r.Header.Set("Accept", "text/html,*/*;q=0.8") // as browsers do
	}
	if c.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.as != "" {
		r.AddCookie(f.cookies[c.as])
	}
	for _, cookie := range c.cookies {
		r.AddCookie(cookie)
	}
	if c.ctx != nil {
		r = r.WithContext(c.ctx)
	}
	return r
}

func newTestLog(b *logBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// server returns a server on the store of the fixture, for tests of code that
// no request reaches.
func (f *fixture) server(t testing.TB) *server {
	t.Helper()
	s, err := newServer(Options{Store: f.store, Auth: f.auth, Search: f.index, Log: newTestLog(f.log)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document returns the API document.
func (f *fixture) document() *documenttest.Document {
	f.t.Helper()
	document, err := documenttest.Read()
	if err != nil {
		f.t.Fatal(err)
	}
	return document
}

// checkDocument compares an exchange with the API document, if its address is
// there. Browsers get pages where something is wrong.
func (f *fixture) checkDocument(c call, got *httptest.ResponseRecorder) {
	f.t.Helper()
	r := c.request(f)
	if !auth.IsForPrograms(r.URL.Path) || f.document().Operation(r) == nil || got.Code >= 300 && !isFromProgram(r) {
		return
	}
	body := decoded(f.t, got)
	if err := f.document().Check(r, documenttest.Answer{Status: got.Code, Header: got.Header(), Body: body}); err != nil {
		f.t.Errorf("%s %s as %q: %d %.300q\nis not what the API document says: %v", c.method, c.target, c.as, got.Code, body, err)
	}
}
