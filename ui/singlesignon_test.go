package ui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/auth/sso"
	"trento/search"
	"trento/store"
	"trento/store/fault"
	"trento/store/storetest"
	"trento/ui/api"
	"trento/ui/page"
)

// givenProvider is an identity provider whose answers a test sets.
type givenProvider struct {
	person   sso.Person
	problem  string
	failure  error  // of the next sign-in, at either end
	form     bool   // browsers are sent to it with a form
	logout   string // its address for signing out
	callback string
}

func (p *givenProvider) Name() string                  { return sso.OIDCName }
func (p *givenProvider) Refresh(context.Context) error { return nil }
func (p *givenProvider) Problem() string               { return p.problem }
func (p *givenProvider) CallbackPath() string          { return p.callback }

func (p *givenProvider) Begin(_ context.Context, a *sso.Attempt) (sso.Departure, error) {
	if p.failure != nil {
		return sso.Departure{}, p.failure
	}
	if p.form {
		return sso.Departure{URL: "https://idp.example.com/post", Form: url.Values{"RelayState": {a.State}}}, nil
	}
	return sso.Departure{URL: "https://idp.example.com/authorize?state=" + a.State}, nil
}

func (p *givenProvider) Finish(_ context.Context, _ *sso.Attempt, answer url.Values) (*sso.Person, error) {
	if p.failure != nil {
		return nil, p.failure
	}
	if answer.Get("code") != "good" {
		return nil, errors.New("no code")
	}
	person := p.person
	return &person, nil
}

func (p *givenProvider) Logout(logoutToken, back string) string {
	if p.logout == "" {
		return ""
	}
	return p.logout + "?hint=" + logoutToken + "&back=" + url.QueryEscape(back)
}

// withProvider returns a console that uses an identity provider.
func withProvider(t testing.TB, provider sso.Provider) *fixture {
	t.Helper()
	c := &clock{now: time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)}
	return withProviderOn(t, c, storetest.OpenAt(t, c.Now), provider, "https://trento.example.com")
}

func withProviderOn(t testing.TB, c *clock, s *store.Store, provider sso.Provider, origin string) *fixture {
	t.Helper()
	f := newFixtureOn(t, c, s)
	var err error
	f.auth, err = auth.New(auth.Options{
		Store: s, Secrets: testSecrets(), SessionLifetime: 6 * time.Hour, EnableAPIKey: true, Operations: api.Operations(), Now: c.Now,
		HashCost: auth.HashCost{Iterations: 1, Memory: 8, Parallelism: 1}, Provider: provider, Origin: origin, AdminUser: "admin", Log: newTestLog(f.log),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.handler, err = New(page.Options{Store: s, Auth: f.auth, Search: f.index, Version: "1.2.3", Log: newTestLog(f.log)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// newProvider returns a provider that knows one person.
func newProvider() *givenProvider {
	return &givenProvider{
		person:   sso.Person{Subject: "1", Username: "ann", Fullname: "Ann Lee", Email: "ann@example.com", LogoutToken: "token"},
		callback: "/auth/oidc_callback",
	}
}

// begin begins a sign-in, and returns its state and its cookie.
func (f *fixture) begin(target string) (state string, cookie *http.Cookie) {
	f.t.Helper()
	w := f.do(call{target: target})
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || to.Host != "idp.example.com" {
		f.t.Fatalf("%s: %d, to %v: %s", target, w.Code, to, w.Body)
	}
	return to.Query().Get("state"), w.Result().Cookies()[0]
}

// signsInAtProvider signs in at the provider and returns to the console.
func (f *fixture) signsInAtProvider(name string) {
	f.t.Helper()
	state, cookie := f.begin("/session/provider")
	w := f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}})
	if w.Code != http.StatusSeeOther {
		f.t.Fatalf("sign-in of %s: %d %s", name, w.Code, w.Body)
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == "trento-session" {
			f.cookies[name] = c
		}
	}
}

func TestSingleSignOn(t *testing.T) {
	p := newProvider()
	f := withProvider(t, p)
	w := f.do(call{target: "/hosts?health=critical"})
	if to := w.Header().Get("Location"); to != "/session/new?request_path=%2Fhosts%3Fhealth%3Dcritical" {
		t.Fatalf("nobody is sent to %s", to)
	}
	m := parseMarkup(t, f.do(call{target: "/session/new?request_path=%2Fhosts%3Fhealth%3Dcritical"}).Body.String())
	has("h1", "Login to Trento").check(t, m)
	hasNot("form").check(t, m)
	hasNot("input").check(t, m)
	hasNot("[role=status]").check(t, m)
	link := m.one("a.button")
	if text(link) != "Login with Single Sign-on" {
		t.Errorf("the button says %q", text(link))
	}
	href, _ := attribute(link, "href")
	state, cookie := f.begin(href)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", cookie)
	}
	w = f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}})
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/hosts?health=critical" {
		t.Fatalf("callback: %d, to %s: %s", w.Code, to, w.Body)
	}
	f.cookies["ann"] = w.Result().Cookies()[1]
	if w := f.do(call{target: "/hosts", as: "ann"}); w.Code != http.StatusOK {
		t.Errorf("after the sign-in: %d", w.Code)
	}
	if w := f.do(call{target: "/session/provider?request_path=/about", as: "ann"}); w.Header().Get("Location") != "/about" {
		t.Errorf("begun again: to %s", w.Header().Get("Location"))
	}
	// The same answer a second time, with everything that belongs to it.
	w = f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}})
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "This sign-in was used before.") {
		t.Errorf("used again: %d %s", w.Code, w.Body)
	}
}

// TestBeginningTakesNoForeignTargets checks that a sign-in never redirects to
// another site or to the callback path of the provider.
func TestBeginningTakesNoForeignTargets(t *testing.T) {
	f := withProvider(t, newProvider())
	for _, target := range []string{"//evil.example", "https://evil.example", "/auth/oidc_callback?error=x", "/session/provider", "/sso/auth/signin/x", "/" + strings.Repeat("x", 3000)} {
		state, cookie := f.begin("/session/provider?request_path=" + url.QueryEscape(target))
		w := f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}})
		if to := w.Header().Get("Location"); to != "/" {
			t.Errorf("%.40s leads to %s", target, to)
		}
	}
}

func TestFailedSignIn(t *testing.T) {
	refusal := func(kind fault.Kind, detail string) error {
		return &sso.Failure{Reason: "The reason", Err: &fault.Error{Kind: kind, Detail: detail, Cause: errors.New("what is behind it")}}
	}
	for _, tt := range []struct {
		name    string
		failure error
		status  int
		json    string
	}{
		{"not believed", refusal(fault.WrongCredentials, "User not authenticated."), 401, `{"errors":[{"title":"Unauthorized","detail":"User not authenticated."}]}`},
		{"a claim is missing", refusal(fault.Invalid, "The claim x is missing"), 422, `{"errors":[{"title":"Unprocessable Entity","detail":"The claim x is missing"}]}`},
		{"the provider is down", &sso.Failure{Reason: "The reason", Err: errors.New("what is behind it")}, 500, `{"errors":[{"title":"Internal Server Error","detail":"Something went wrong."}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProvider()
			f := withProvider(t, p)
			state, cookie := f.begin("/session/provider?request_path=/about")
			p.failure = tt.failure
			w := f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}})
			if w.Code != tt.status || slices.ContainsFunc(w.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == "trento-session" }) {
				t.Errorf("status %d, %v", w.Code, w.Result().Cookies())
			}
			checkMarkup(t, w.Body.String())
			m := parseMarkup(t, w.Body.String())
			has("h1", "Login Failed").check(t, m)
			has("[role=alert]", "The reason.").check(t, m)
			has("a.button[href=/session/provider?request_path=%2Fabout]", "Login with Single Sign-on").check(t, m)
			id := text(m.one("code"))
			if log := f.log.String(); !strings.Contains(log, id) || !strings.Contains(log, "what is behind it") || strings.Contains(w.Body.String(), "what is behind it") {
				t.Errorf("request %q, log %s", id, log)
			}

			p.failure = nil
			state, cookie = f.begin("/session/provider")
			p.failure = tt.failure
			w = f.do(call{target: "/auth/oidc_callback?code=good&state=" + state, cookies: []*http.Cookie{cookie}, header: http.Header{"Accept": {"application/json"}}})
			if w.Code != tt.status || w.Body.String() != tt.json {
				t.Errorf("to a program: %d %s", w.Code, w.Body)
			}
		})
	}
}

// TestAnswerForNobody checks that an answer of the provider is refused in a
// browser that has not begun the sign-in.
func TestAnswerForNobody(t *testing.T) {
	f := withProvider(t, newProvider())
	state, cookie := f.begin("/session/provider")
	for name, c := range map[string]call{
		"another browser": {target: "/auth/oidc_callback?code=good&state=" + state},
		"another state":   {target: "/auth/oidc_callback?code=good&state=x" + state, cookies: []*http.Cookie{cookie}},
		"no state":        {target: "/auth/oidc_callback?code=good", cookies: []*http.Cookie{cookie}},
	} {
		w := f.do(c)
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "for no sign-in that this browser has begun.") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if entries := f.entriesOf("login_attempt"); len(entries) != 3 || !strings.Contains(entries[0], "for no sign-in that this browser has begun") {
		t.Errorf("logged: %q", entries)
	}
}

func TestProviderIsDown(t *testing.T) {
	p := newProvider()
	f := withProvider(t, p)
	p.problem = "The identity provider cannot be reached, since 2026-08-20 10:15 UTC."
	m := parseMarkup(t, f.do(call{target: "/session/new"}).Body.String())
	has("[role=status]", p.problem).check(t, m)
	has("[role=status]", "tried again every half minute").check(t, m)
	has("a.button", "Login with Single Sign-on").check(t, m)
	p.failure = &sso.Failure{Reason: "The identity provider cannot be reached", Err: errors.New("refused")}
	w := f.do(call{target: "/session/provider?request_path=/about"})
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "The fault is not yours.") {
		t.Errorf("begun: %d %s", w.Code, w.Body)
	}
}

// TestDepartureWithForm checks the page for a provider that requires a form:
// scripts send the form automatically, and only this page may send forms to
// other sites.
func TestDepartureWithForm(t *testing.T) {
	p := newProvider()
	f := withProvider(t, p)
	p.form = true
	w := f.do(call{target: "/session/provider"})
	checkMarkup(t, w.Body.String())
	m := parseMarkup(t, w.Body.String())
	form := m.one("form[action=https://idp.example.com/post][data-send]")
	if w.Code != http.StatusOK || form == nil || len(m.all("form input[name=RelayState]")) != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https:;") {
		t.Errorf("policy %s", policy)
	}
	if policy := f.do(call{target: "/session/new"}).Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self';") {
		t.Errorf("policy of another page %s", policy)
	}
}

func TestSignOutOfProvider(t *testing.T) {
	p := newProvider()
	f := withProvider(t, p)
	f.signsInAtProvider("ann")
	p.logout = "https://idp.example.com/end"
	w := f.do(call{method: "POST", target: "/session/end", as: "ann"})
	const address = "https://idp.example.com/end?hint=token&back=https%3A%2F%2Ftrento.example.com%2Fsession%2Fnew"
	if w.Code != http.StatusOK || w.Header().Get("Refresh") != "0; url="+address {
		t.Errorf("%d, Refresh %s", w.Code, w.Header().Get("Refresh"))
	}
	checkMarkup(t, w.Body.String())
	m := parseMarkup(t, w.Body.String())
	has("h1", "You are signed out of Trento").check(t, m)
	if href, _ := attribute(m.one("a.primary"), "href"); href != address {
		t.Errorf("link to %s", href)
	}
	if w := f.do(call{target: "/hosts", as: "ann"}); w.Code != http.StatusSeeOther {
		t.Errorf("after the sign-out: %d", w.Code)
	}
	p.logout = ""
	f.signsInAtProvider("ann")
	if w := f.do(call{method: "POST", target: "/session/end", as: "ann"}); w.Header().Get("Location") != "/session/new" {
		t.Errorf("without a way to sign out there: %d", w.Code)
	}
}

// TestLocalAccountsAreOff checks that pages about passwords and second factors
// do not exist for anybody while an identity provider is in charge.
func TestLocalAccountsAreOff(t *testing.T) {
	p := newProvider()
	f := withProvider(t, p)
	f.signsInAtProvider("ann")
	p.person = sso.Person{Subject: "2", Username: "admin", Fullname: "Root"}
	f.signsInAtProvider("admin")
	const api501 = `{"errors":[{"title":"Not implemented","detail":"Endpoint disabled due an external IDP is enabled"}]}`
	for _, tt := range []struct {
		method, target string
		public         bool
	}{
		{"POST", "/session", true}, {"GET", "/session/totp", true}, {"POST", "/session/totp", true},
		{"GET", "/users/new", false}, {"POST", "/users/new", false}, {"GET", "/profile/password", false}, {"POST", "/profile/password", false},
		{"GET", "/profile/totp", false}, {"POST", "/profile/totp", false}, {"GET", "/profile/totp/disable", false},
		{"POST", "/profile/totp/disable", false}, {"POST", "/profile/totp/cancel", false},
		{"POST", "/api/session", true}, {"POST", "/api/v1/users", false}, {"GET", "/api/v1/profile/totp_enrollment", false},
		{"POST", "/api/v1/profile/totp_enrollment", false}, {"DELETE", "/api/v1/profile/totp_enrollment", false},
	} {
		for _, as := range []string{"", "ann", "admin"} {
			isAPI := strings.HasPrefix(tt.target, "/api/")
			w := f.do(call{method: tt.method, target: tt.target, as: as})
			want := http.StatusNotFound
			switch {
			case as == "" && !tt.public && isAPI:
				want = http.StatusUnauthorized
			case as == "" && !tt.public:
				want = http.StatusSeeOther
			case isAPI:
				want = http.StatusNotImplemented
			}
			if w.Code != want || want == http.StatusNotImplemented && w.Body.String() != api501 || want == http.StatusNotFound && !strings.Contains(w.Body.String(), "The identity provider manages the accounts") {
				t.Errorf("%s %s as %q: %d %s", tt.method, tt.target, as, w.Code, w.Body)
			}
		}
	}
	off := 0
	for _, route := range slices.Concat(f.server(t).routes(), (&api.API{}).Routes()) {
		if route.Tokens.LocalAccounts {
			off++
		}
	}
	if off != 17 {
		t.Errorf("%d routes are for local accounts, 17 were tried", off)
	}
}

func TestCallbackPathIsFree(t *testing.T) {
	for path, free := range map[string]bool{
		"/auth/oidc_callback": true, "/my/own": true, "/hosts": false, "/hosts/1": false, "/api/back": false, "/": false, "/x{y}": false, "/session/provider": false,
	} {
		p := newProvider()
		p.callback = path
		f := newFixture(t)
		a, err := auth.New(auth.Options{Store: f.store, Secrets: testSecrets(), SessionLifetime: time.Hour, Provider: p})
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(page.Options{Store: f.store, Auth: a, Search: (*search.Index)(nil), Version: "1", Log: newTestLog(f.log)})
		if (err == nil) != free {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// entriesOf returns the metadata of the entries of a type, oldest first.
func (f *fixture) entriesOf(name string) (all []string) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, tx.Newest()) {
			if err != nil {
				return err
			}
			if string(e.Type) == name {
				all = append(all, string(e.Metadata))
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return all
}
