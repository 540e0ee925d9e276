package auth

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/auth/remote"
	"trento/auth/sso"
	"trento/store/activity"
	"trento/store/fault"
)

// provided is a fixture with an OAuth 2.0 provider. The provider returns user
// for everybody.
type provided struct {
	fixture
	user map[string]any
}

func newProvided(t *testing.T) *provided {
	t.Helper()
	p := &provided{user: map[string]any{"sub": "1", "preferred_username": "Ann", "name": "Ann Lee", "email": "ann@idp.example"}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, what map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(what); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"access_token": "access", "token_type": "Bearer"})
	})
	mux.HandleFunc("/user", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.user) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.fixture = newFixture(t, func(o *Options) {
		provider, err := sso.NewOAuth2(sso.OAuth2Options{
			Options: sso.Options{Now: o.Store.Now, Log: slog.New(slog.DiscardHandler)}, BaseURL: server.URL, AuthorizeURL: "/authorize", TokenURL: "/token", UserURL: "/user",
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Provider, o.Origin = provider, "https://trento.example.com"
	})
	return p
}

// cookies are the cookies of a browser.
type cookies map[string]*http.Cookie

func (b cookies) keep(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		b[c.Name] = c
	}
}

func (b cookies) get(target string) *http.Request {
	r := get(target)
	for _, c := range b {
		if c.MaxAge >= 0 {
			r.AddCookie(c)
		}
	}
	return r
}

// begin begins a sign-in and returns its state.
func (p *provided) begin(b cookies, target string) string {
	p.t.Helper()
	w := httptest.NewRecorder()
	departure, err := p.BeginSingleSignOn(w, b.get("/session/provider"), target)
	if err != nil {
		p.t.Fatal(err)
	}
	b.keep(w)
	u, err := url.Parse(departure.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.Query().Get("state")
}

// finish brings an answer and signs in with it.
func (p *provided) finish(b cookies, answer url.Values) (target string, err error) {
	w := httptest.NewRecorder()
	r := b.get("/auth/oauth2_callback?" + answer.Encode())
	proof, target, err := p.ProveByProvider(w, r, answer)
	if err == nil {
		err = p.SignInConsole(w, r, proof)
	}
	b.keep(w)
	return target, err
}

func (p *provided) signIn(b cookies) error {
	_, err := p.finish(b, url.Values{"code": {"c"}, "state": {p.begin(b, "/")}})
	return err
}

// entry is the newest entry of the activity log of a type.
func (p *provided) loginAttempt() activity.LoginAttempt {
	p.t.Helper()
	var found activity.LoginAttempt
	if err := json.Unmarshal(p.fixture.entry().Metadata, &found); err != nil {
		p.t.Fatal(err)
	}
	return found
}

func TestSingleSignOn(t *testing.T) {
	p, b := newProvided(t), cookies{}
	target, err := p.finish(b, url.Values{"code": {"c"}, "state": {p.begin(b, "/hosts?q=hana")}})
	if err != nil || target != "/hosts?q=hana" {
		t.Fatalf("back to %q, %v", target, err)
	}
	id := p.identify(b.get("/"))
	if id == nil || id.User.Username != "ann" || id.User.Fullname != "Ann Lee" || len(id.User.Abilities) != 0 || id.MustConfirm() {
		t.Fatalf("signed in as %+v", id)
	}
	if e := p.loginAttempt(); e.Provider != sso.OAuth2Name || e.Reason != "" {
		t.Errorf("logged %+v", e)
	}
	for name := range b {
		if strings.HasPrefix(name, attemptCookiePrefix) && b[name].MaxAge >= 0 {
			t.Errorf("the cookie %s stays", name)
		}
	}
}

// TestAnswers checks that an answer is valid once, for a while, and only in the
// browser that began the sign-in.
func TestAnswers(t *testing.T) {
	p := newProvided(t)
	mine, other := cookies{}, cookies{}
	state := p.begin(mine, "/")
	foreign := p.begin(other, "/")
	// The answer is sent from another browser.
	stolen := url.Values{"code": {"c"}, "state": {state}}
	renamed := cookies{}
	for _, c := range other {
		copied := *c
		copied.Name = attemptCookieName(state)
		renamed[copied.Name] = &copied
	}
	for name, tt := range map[string]struct {
		b      cookies
		answer url.Values
	}{
		"no state":                {mine, url.Values{"code": {"c"}}},
		"unknown state":           {mine, url.Values{"code": {"c"}, "state": {"guess"}}},
		"state of another":        {mine, url.Values{"code": {"c"}, "state": {foreign}}},
		"another browser":         {other, stolen},
		"a browser without any":   {cookies{}, stolen},
		"the cookie of another":   {renamed, stolen},
		"a cookie made elsewhere": {cookies{"x": {Name: attemptCookieName(state), Value: "AAAA"}}, stolen},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.finish(tt.b, tt.answer)
			if failure, ok := errors.AsType[*sso.Failure](err); !ok || !strings.Contains(failure.Reason, "no sign-in that this browser has begun") {
				t.Errorf("%v", err)
			}
			if kind, ok := fault.KindOf(err); !ok || kind != fault.WrongCredentials {
				t.Errorf("%v", kind)
			}
			if e := p.loginAttempt(); e.Reason == "" || e.Provider != sso.OAuth2Name {
				t.Errorf("logged %+v", e)
			}
		})
	}
	before := cookies{}
	for name, c := range mine {
		before[name] = c
	}
	if _, err := p.finish(mine, stolen); err != nil {
		t.Fatal(err)
	}
	_, err := p.finish(before, stolen)
	if failure, ok := errors.AsType[*sso.Failure](err); !ok || !strings.Contains(failure.Reason, "used before") {
		t.Errorf("a second time: %v", err)
	}
	late := cookies{}
	state = p.begin(late, "/")
	p.clock.now = p.clock.now.Add(sso.AttemptLifetime)
	_, err = p.finish(late, url.Values{"code": {"c"}, "state": {state}})
	if failure, ok := errors.AsType[*sso.Failure](err); !ok || !strings.Contains(failure.Reason, "took too long") {
		t.Errorf("late: %v", err)
	}
}

func TestPersonsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		user   map[string]any
		reason string
		kind   fault.Kind
		field  string
	}{
		"disabled":                        {map[string]any{"sub": "2", "username": "off"}, "is disabled", fault.WrongCredentials, ""},
		"name of somebody else there":     {map[string]any{"sub": "3", "username": "linked"}, "belongs to another person", fault.Invalid, ""},
		"address of somebody here":        {map[string]any{"sub": "4", "username": "new", "email": "OFF@example.com"}, "has the e-mail address", fault.Invalid, "email"},
		"name that looks like another":    {map[string]any{"sub": "5", "username": "оff"}, "looks like", fault.Invalid, "username"},
		"reserved name":                   {map[string]any{"sub": "6", "username": "system"}, "cannot be used here", fault.Invalid, "username"},
		"name with a control character":   {map[string]any{"sub": "7", "username": "a\x00b"}, "cannot be used here", fault.Invalid, "username"},
		"name longer than names can be":   {map[string]any{"sub": "8", "username": strings.Repeat("n", 300)}, "cannot be used here", fault.Invalid, "username"},
		"no name":                         {map[string]any{"sub": "9"}, "did not send the claim", fault.Invalid, ""},
		"name of nothing but white space": {map[string]any{"sub": "10", "username": " \t"}, "cannot be used here", fault.Invalid, "username"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvided(t)
			p.disable(p.fixture.user("off"))
			p.user = map[string]any{"sub": "1", "username": "linked"}
			if err := p.signIn(cookies{}); err != nil {
				t.Fatal(err)
			}
			p.user = tt.user
			b := cookies{}
			err := p.signIn(b)
			failure, ok := errors.AsType[*sso.Failure](err)
			kind, callers := fault.KindOf(err)
			if !ok || !strings.Contains(failure.Reason, tt.reason) || !callers || kind != tt.kind {
				t.Fatalf("%v (%v), want %q", err, kind, tt.reason)
			}
			if f := fault.Fields(err); tt.field != "" && (len(f) == 0 || f[0].Field != tt.field) {
				t.Errorf("faults %v, want one of %s", f, tt.field)
			}
			if id := p.identify(b.get("/")); id != nil {
				t.Errorf("signed in as %+v", id.User)
			}
			if e := p.loginAttempt(); e.Reason != failure.Reason+"." {
				t.Errorf("logged %+v", e)
			}
		})
	}
}

func TestAdminOfProvider(t *testing.T) {
	p := newProvided(t)
	p.user = map[string]any{"sub": "7", "username": "ADMIN"}
	b := cookies{}
	if err := p.signIn(b); err != nil {
		t.Fatal(err)
	}
	id := p.identify(b.get("/"))
	if id == nil || !slices.Equal(id.User.Abilities, []int{abilityAll}) || !p.DefaultAdmin(id.User) {
		t.Errorf("%+v", id)
	}
}

// TestLocalSignIns checks that passwords and sessions started with them are
// refused while a provider is in charge, and sessions of the provider are
// refused without it.
func TestLocalSignIns(t *testing.T) {
	p := newProvided(t)
	ann := p.fixture.user("ben")
	local, provided := cookies{}, cookies{}
	w := httptest.NewRecorder()
	if err := p.SignInConsole(w, get("/"), proofOf(ann)); err != nil {
		t.Fatal(err)
	}
	local.keep(w)
	if id := p.identify(local.get("/")); id != nil {
		t.Errorf("a session of a password: %+v", id)
	}
	if err := p.signIn(provided); err != nil {
		t.Fatal(err)
	}
	off, err := New(Options{Store: p.store, Secrets: testSecrets, SessionLifetime: time.Hour, HashCost: cheapCost})
	if err != nil {
		t.Fatal(err)
	}
	p.Auth = off
	if id := p.identify(provided.get("/")); id != nil {
		t.Errorf("a session of a provider that is off: %+v", id)
	}
	if id := p.identify(local.get("/")); id == nil {
		t.Error("a session of a password, with the provider off, is none")
	}

	p = newProvided(t)
	for need, want := range map[Access]error{Public: ErrExternal, SignedIn: ErrSignedOut} {
		if err := p.Permit(get("/"), need, TokenRule{}.ForLocalAccounts(), ""); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", need, err, want)
		}
	}
	if err := p.signIn(provided); err != nil {
		t.Fatal(err)
	}
	p.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := p.Permit(r, Needs("all:users"), TokenRule{}.ForLocalAccounts(), ""); !errors.Is(err, ErrExternal) {
			t.Errorf("without the ability: %v", err)
		}
	})).ServeHTTP(httptest.NewRecorder(), provided.get("/"))
}

// TestProviderTokens checks that an answer can be exchanged for tokens of the
// API.
func TestProviderTokens(t *testing.T) {
	p, b := newProvided(t), cookies{}
	answer := url.Values{"code": {"c"}, "state": {p.begin(b, "/")}}
	r := b.get("/api/session/oauth2_local/callback")
	proof, _, err := p.ProveByProvider(httptest.NewRecorder(), r, answer)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := p.SignInAPI(r, proof)
	if err != nil {
		t.Fatal(err)
	}
	id := p.identify(withHeader(get("/api/v1/profile"), "Authorization", "Bearer "+tokens.Access))
	if id == nil || id.User.Username != "ann" {
		t.Errorf("%+v", id)
	}
	if _, err := p.Refresh(t.Context(), tokens.Refresh); err != nil {
		t.Error(err)
	}
	if _, err := p.SignInAPI(r, proof); !errors.Is(err, ErrCredentials) {
		t.Errorf("the same proof again: %v", err)
	}
}

// TestAnswersAreSlowedDown checks that wrong answers slow down their own
// address only.
func TestAnswersAreSlowedDown(t *testing.T) {
	p := newProvided(t)
	r := get("/")
	for range addressRule().freeFailures {
		if _, _, err := p.ProveByProvider(httptest.NewRecorder(), r, url.Values{"state": {"x"}}); err == nil {
			t.Fatal("believed")
		}
	}
	key := limitKey{kind: guessedAnswer, address: remote.NetworkOf(p.ClientAddress(r))}
	p.limiter.mu.Lock()
	e := p.limiter.entries[key].Value.(*limitEntry)
	p.limiter.mu.Unlock()
	if e.failures != addressRule().freeFailures || e.rule.delayAfter(e.failures) == 0 {
		t.Errorf("%d failures, the next one waits %v", e.failures, e.rule.delayAfter(e.failures))
	}
}
