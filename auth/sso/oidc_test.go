package sso

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"trento/store/fault"
)

// present is the time of these tests, for providers and for us.
var present = time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)

func testOptions() Options {
	return Options{Origin: "https://trento.example.com", Now: func() time.Time { return present }, Log: slog.New(slog.DiscardHandler)}
}

// keys are generated once, because that takes long.
var keys = sync.OnceValue(func() (keys struct {
	right, wrong *rsa.PrivateKey
	curve        *ecdsa.PrivateKey
}) {
	for _, key := range []**rsa.PrivateKey{&keys.right, &keys.wrong} {
		var err error
		if *key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	keys.curve, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return keys
})

// hostile is a provider that sends the answers of a test.
type hostile struct {
	*httptest.Server
	t         *testing.T
	discovery map[string]any
	token     func(form url.Values) (status int, answer any) // of the token endpoint
	user      any                                            // what the user information says
	requests  []*http.Request
}

func newHostile(t *testing.T) *hostile {
	h := &hostile{t: t}
	mux := http.NewServeMux()
	send := func(w http.ResponseWriter, status int, answer any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if text, ok := answer.(string); ok {
			_, _ = io.WriteString(w, text)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { send(w, http.StatusOK, h.discovery) })
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: keys().right.Public(), KeyID: "right", Algorithm: "RS256", Use: "sig"}, {Key: keys().curve.Public(), KeyID: "curve", Use: "sig"},
		}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		h.requests = append(h.requests, r)
		status, answer := h.token(r.PostForm)
		send(w, status, answer)
	})
	mux.HandleFunc("/user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			send(w, http.StatusUnauthorized, "")
			return
		}
		send(w, http.StatusOK, h.user)
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	h.discovery = map[string]any{
		"issuer": h.URL, "authorization_endpoint": h.URL + "/authorize", "token_endpoint": h.URL + "/token", "jwks_uri": h.URL + "/keys",
		"userinfo_endpoint": h.URL + "/user", "end_session_endpoint": h.URL + "/end?x=1", "id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
	}
	return h
}

func (h *hostile) oidc() *OIDC {
	return NewOIDC(OIDCOptions{Options: testOptions(), ClientID: "trento", ClientSecret: "s3cret", BaseURL: h.URL, CallbackURL: "https://trento.example.com/auth/oidc_callback"})
}

// claims returns the claims of a valid ID token.
func (h *hostile) claims(nonce string) map[string]any {
	return map[string]any{
		"iss": h.URL, "aud": "trento", "sub": "4711", "nonce": nonce, "iat": present.Unix(), "exp": present.Add(time.Minute).Unix(),
		"preferred_username": "ann", "name": "Ann Lee", "email": "ann@example.com",
	}
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := token.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOIDCTokens checks which ID tokens are accepted and which are refused.
func TestOIDCTokens(t *testing.T) {
	rs256 := func(change func(map[string]any)) func(*testing.T, map[string]any) string {
		return func(t *testing.T, claims map[string]any) string {
			change(claims)
			return signed(t, jose.RS256, keys().right, "right", claims)
		}
	}
	set := func(name string, value any) func(*testing.T, map[string]any) string {
		return rs256(func(claims map[string]any) { claims[name] = value })
	}
	without := func(name string) func(*testing.T, map[string]any) string {
		return rs256(func(claims map[string]any) { delete(claims, name) })
	}
	for name, tt := range map[string]struct {
		token func(*testing.T, map[string]any) string
		want  string // what the reason says; empty: the token is believed
	}{
		"good": {rs256(func(map[string]any) {}), ""},
		"elliptic curve": {func(t *testing.T, c map[string]any) string {
			return signed(t, jose.ES256, keys().curve, "curve", c)
		}, ""},
		"several audiences and a party": {rs256(func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "trento"}, "trento" }), ""},
		"just expired":                  {set("exp", present.Add(-clockTolerance/2).Unix()), ""},
		"just from the future":          {set("iat", present.Add(clockTolerance/2).Unix()), ""},

		"expired":                    {set("exp", present.Add(-2*clockTolerance).Unix()), "has expired"},
		"from the future":            {set("iat", present.Add(2*clockTolerance).Unix()), "from the future"},
		"not valid yet":              {set("nbf", present.Add(time.Hour).Unix()), "cannot be believed"},
		"without end":                {without("exp"), "has expired"},
		"without time of issue":      {without("iat"), "cannot be believed"},
		"other issuer":               {set("iss", "https://evil.example.com"), "cannot be believed"},
		"without issuer":             {without("iss"), "cannot be believed"},
		"other audience":             {set("aud", "other"), "cannot be believed"},
		"without audience":           {without("aud"), "cannot be believed"},
		"several audiences":          {set("aud", []string{"trento", "other"}), "cannot be believed"},
		"other party":                {set("azp", "other"), "cannot be believed"},
		"other nonce":                {set("nonce", "of another sign-in"), "cannot be believed"},
		"without nonce":              {without("nonce"), "cannot be believed"},
		"without subject":            {without("sub"), "cannot be believed"},
		"subject that is no text":    {set("sub", map[string]any{"a": 1}), "cannot be believed"},
		"no user name at all":        {without("preferred_username"), "did not send the claim preferred_username"},
		"endless name":               {set("name", strings.Repeat("n", maxTextLength+1)), "too long"},
		"no token":                   {func(*testing.T, map[string]any) string { return "" }, "no ID token"},
		"rubbish":                    {func(*testing.T, map[string]any) string { return "rubbish" }, "cannot be believed"},
		"signed with another key":    {func(t *testing.T, c map[string]any) string { return signed(t, jose.RS256, keys().wrong, "right", c) }, "cannot be believed"},
		"signed with an unknown key": {func(t *testing.T, c map[string]any) string { return signed(t, jose.RS256, keys().wrong, "other", c) }, "cannot be believed"},
		"signed with the client secret": {func(t *testing.T, c map[string]any) string {
			return signed(t, jose.HS256, []byte(strings.Repeat("s3cret", 8)), "right", c)
		}, "does not sign the ID token with a private key"},
		"signed with the public key": {func(t *testing.T, c map[string]any) string {
			der, err := x509.MarshalPKIXPublicKey(keys().right.Public())
			if err != nil {
				t.Fatal(err)
			}
			return signed(t, jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "right", c)
		}, "does not sign the ID token with a private key"},
		"not signed": {func(t *testing.T, c map[string]any) string {
			payload, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
		}, "does not sign the ID token with a private key"},
		"changed after signing": {func(t *testing.T, c map[string]any) string {
			parts := strings.Split(signed(t, jose.RS256, keys().right, "right", c), ".")
			c["sub"] = "1"
			payload, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
		}, "cannot be believed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			delete(h.discovery, "userinfo_endpoint")
			p := h.oidc()
			attempt := NewAttempt("/", present)
			if _, err := p.Begin(t.Context(), attempt); err != nil {
				t.Fatal(err)
			}
			h.token = func(url.Values) (int, any) {
				return http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": tt.token(t, h.claims(attempt.Nonce))}
			}
			person, err := p.Finish(t.Context(), attempt, url.Values{"code": {"c"}, "state": {attempt.State}})
			if tt.want == "" {
				if err != nil || person.Subject != "4711" || person.Username != "ann" || person.Fullname != "Ann Lee" || person.Email != "ann@example.com" || person.LogoutToken == "" {
					t.Errorf("%+v, %v", person, err)
				}
				return
			}
			wantFailure(t, err, tt.want, fault.WrongCredentials, fault.Invalid)
		})
	}
}

// wantFailure fails the test unless err is a Failure whose reason contains
// words. Without kinds, the Failure must not be a fault of the caller.
func wantFailure(t *testing.T, err error, words string, kinds ...fault.Kind) {
	t.Helper()
	failure, ok := errors.AsType[*Failure](err)
	if !ok || !strings.Contains(failure.Reason, words) {
		t.Fatalf("%v, want a failure with %q", err, words)
	}
	kind, callers := fault.KindOf(err)
	if callers != (len(kinds) > 0) {
		t.Errorf("%v is a fault of the caller: %v", err, callers)
	}
	for _, k := range kinds {
		if k == kind {
			return
		}
	}
	if callers {
		t.Errorf("%v is of the kind %v, want one of %v", err, kind, kinds)
	}
}

// TestOIDCRequests checks the requests to the provider, and that its
// configuration is fetched once.
func TestOIDCRequests(t *testing.T) {
	h := newHostile(t)
	p := h.oidc()
	attempt := NewAttempt("/hosts", present)
	departure, err := p.Begin(t.Context(), attempt)
	if err != nil || departure.Form != nil {
		t.Fatalf("%+v, %v", departure, err)
	}
	u, err := url.Parse(departure.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "trento", "redirect_uri": "https://trento.example.com/auth/oidc_callback", "scope": "openid profile email",
		"state": attempt.State, "nonce": attempt.Nonce, "code_challenge_method": "S256",
	} {
		if query.Get(name) != want || want == "" {
			t.Errorf("%s is %q, want %q", name, query.Get(name), want)
		}
	}
	h.token = func(form url.Values) (int, any) {
		if form.Get("code_verifier") != attempt.Verifier || form.Get("code") != "c" || form.Get("redirect_uri") != query.Get("redirect_uri") {
			t.Errorf("the code is exchanged with %v", form)
		}
		return http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": signed(t, jose.RS256, keys().right, "right", h.claims(attempt.Nonce))}
	}
	if _, err := p.Finish(t.Context(), attempt, url.Values{"code": {"c"}}); err != nil {
		t.Fatal(err)
	}
	if id, secret, ok := h.requests[0].BasicAuth(); !ok || id != "trento" || secret != "s3cret" {
		t.Errorf("the client is %q %q", id, secret)
	}
	if got := p.Logout("hint", "https://trento.example.com/session/new"); got != h.URL+"/end?client_id=trento&id_token_hint=hint&post_logout_redirect_uri=https%3A%2F%2Ftrento.example.com%2Fsession%2Fnew&x=1" {
		t.Errorf("logout at %s", got)
	}
}

// TestOIDCUserInformation checks that claims that the ID token lacks are
// fetched, and that its own claims are kept.
func TestOIDCUserInformation(t *testing.T) {
	for name, tt := range map[string]struct {
		user any
		want string
	}{
		"thin":          {map[string]any{"sub": "4711", "preferred_username": "ann", "name": "Ann Lee", "email": "ann@example.com"}, ""},
		"somebody else": {map[string]any{"sub": "1", "preferred_username": "admin"}, "about somebody else"},
		"says nothing":  {map[string]any{"sub": "4711"}, "did not send the claim preferred_username"},
		"no document":   {"[]", "did not say who has signed in"},
		"endless":       {`{"sub":"` + strings.Repeat("4", 2*maxAnswerSize) + `"}`, "did not say who has signed in"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.user = tt.user
			p := h.oidc()
			attempt := NewAttempt("/", present)
			if _, err := p.Begin(t.Context(), attempt); err != nil {
				t.Fatal(err)
			}
			h.token = func(url.Values) (int, any) {
				claims := h.claims(attempt.Nonce)
				maps.DeleteFunc(claims, func(name string, _ any) bool { return name == "preferred_username" || name == "email" })
				return http.StatusOK, map[string]any{"access_token": "access", "token_type": "bearer", "id_token": signed(t, jose.RS256, keys().right, "right", claims)}
			}
			person, err := p.Finish(t.Context(), attempt, url.Values{"code": {"c"}})
			if tt.want != "" {
				failure, ok := errors.AsType[*Failure](err)
				if !ok || !strings.Contains(failure.Reason, tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if err != nil || person.Username != "ann" || person.Email != "ann@example.com" {
				t.Errorf("%+v, %v", person, err)
			}
		})
	}
}

// TestOIDCAnswers checks wrong answers of browsers and token endpoints.
func TestOIDCAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		answer url.Values
		status int
		token  any
		want   string
		kinds  []fault.Kind
	}{
		"cancelled":              {url.Values{"error": {"access_denied"}, "error_description": {"<script>"}}, 0, nil, "did not let you in", []fault.Kind{fault.WrongCredentials}},
		"unknown error":          {url.Values{"error": {"<script>"}}, 0, nil, "answered with an error", []fault.Kind{fault.WrongCredentials}},
		"no code":                {url.Values{}, 0, nil, "no code", []fault.Kind{fault.WrongCredentials}},
		"mix-up":                 {url.Values{"code": {"c"}, "iss": {"https://evil.example.com"}}, 0, nil, "another identity provider", []fault.Kind{fault.WrongCredentials}},
		"replayed code":          {url.Values{"code": {"c"}}, 400, map[string]any{"error": "invalid_grant"}, "did not accept the code", []fault.Kind{fault.WrongCredentials}},
		"wrong client secret":    {url.Values{"code": {"c"}}, 401, map[string]any{"error": "invalid_client"}, "client id and secret", nil},
		"provider is broken":     {url.Values{"code": {"c"}}, 500, "oops", "did not give a token", nil},
		"token endpoint rubbish": {url.Values{"code": {"c"}}, 200, "<html>", "did not give a token", nil},
		"endless answer":         {url.Values{"code": {"c"}}, 200, `{"access_token":"` + strings.Repeat("a", 2*maxAnswerSize) + `"}`, "did not give a token", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.token = func(url.Values) (int, any) { return tt.status, tt.token }
			p := h.oidc()
			attempt := NewAttempt("/", present)
			if _, err := p.Begin(t.Context(), attempt); err != nil {
				t.Fatal(err)
			}
			_, err := p.Finish(t.Context(), attempt, tt.answer)
			wantFailure(t, err, tt.want, tt.kinds...)
			if broken := p.Problem() != ""; broken != (tt.kinds == nil) {
				t.Errorf("problem %q", p.Problem())
			}
			if failure, _ := errors.AsType[*Failure](err); strings.Contains(failure.Reason, "script") {
				t.Errorf("the reason holds what anybody may write: %s", failure.Reason)
			}
		})
	}
}

// TestOIDCDiscovery checks that an unusable configuration is reported and
// fetched again.
func TestOIDCDiscovery(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"slash at the end":     {func(d map[string]any) { d["issuer"] = fmt.Sprint(d["issuer"], "/") }, ""},
		"no algorithms":        {func(d map[string]any) { delete(d, "id_token_signing_alg_values_supported") }, ""},
		"other issuer":         {func(d map[string]any) { d["issuer"] = "https://evil.example.com" }, "calls itself by another address"},
		"no keys":              {func(d map[string]any) { delete(d, "jwks_uri") }, "not usable"},
		"script as an address": {func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }, "not usable"},
		"no addresses":         {func(d map[string]any) { clear(d) }, "calls itself by another address"},
		"wrong types":          {func(d map[string]any) { d["issuer"] = 1 }, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			tt.change(h.discovery)
			p := h.oidc()
			err := p.Refresh(t.Context())
			if tt.want == "" {
				if err != nil || p.Problem() != "" {
					t.Errorf("%v, %q", err, p.Problem())
				}
				return
			}
			wantFailure(t, err, tt.want)
			if !strings.Contains(p.Problem(), tt.want) || !strings.Contains(p.Problem(), "2026-08-20 10:15 UTC") {
				t.Errorf("problem %q", p.Problem())
			}
		})
	}
	h := newHostile(t)
	p := h.oidc()
	h.Server.CloseClientConnections()
	listener := h.Listener.Addr().String()
	h.Close()
	attempt := NewAttempt("/", present)
	_, err := p.Begin(t.Context(), attempt)
	wantFailure(t, err, "cannot be reached")
	if p.Logout("", "https://trento.example.com/") != "" {
		t.Errorf("the logout of a provider at %s that was never reached", listener)
	}
}

// TestSlowProvider checks that a request ends after requestTimeout if the
// provider does not answer.
func TestSlowProvider(t *testing.T) {
	asked := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer slow.Close()
	p := NewOIDC(OIDCOptions{Options: testOptions(), BaseURL: slow.URL})
	if p.client.Timeout != requestTimeout {
		t.Errorf("requests may take %v", p.client.Timeout)
	}
	p.client.Timeout = 50 * time.Millisecond
	_, err := p.Begin(t.Context(), NewAttempt("/", present))
	wantFailure(t, err, "cannot be reached")
	<-asked
}

func TestRedirects(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	client := newClient()
	client.Transport = secure.Client().Transport
	if answer, err := client.Get(secure.URL); err == nil {
		t.Errorf("a redirect from https to http is followed: %s", answer.Status)
	}
	around := httptest.NewServer(nil)
	defer around.Close()
	around.Config.Handler = http.RedirectHandler(around.URL, http.StatusFound)
	if answer, err := newClient().Get(around.URL); err == nil {
		t.Errorf("redirects in a circle are followed: %s", answer.Status)
	}
}

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestManyWaitForOneAnswer checks that all sign-ins wait for the same request
// to the provider, and that each ends when its browser goes away.
func TestManyWaitForOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 5
		asked, answer := 0, make(chan struct{})
		p := NewOIDC(OIDCOptions{Options: testOptions(), BaseURL: "https://idp.example.com"})
		p.client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			<-answer
			return &http.Response{StatusCode: http.StatusNotFound, Status: "404 Not Found", Body: http.NoBody, Request: r}, nil
		})
		gone, leave := context.WithCancel(t.Context())
		begin := func(ctx context.Context) chan error {
			ended := make(chan error, 1)
			go func() {
				_, err := p.Begin(ctx, NewAttempt("/", present))
				ended <- err
			}()
			synctest.Wait()
			return ended
		}
		leaving := begin(gone)
		var waiting [many]chan error
		for i := range waiting {
			waiting[i] = begin(t.Context())
		}
		leave()
		if err := <-leaving; !errors.Is(err, context.Canceled) {
			t.Errorf("whoever has gone is told %v", err)
		}
		close(answer)
		for _, ended := range waiting {
			wantFailure(t, <-ended, "does not publish its configuration")
		}
		if asked != 1 {
			t.Errorf("the provider was asked %d times at once", asked)
		}
	})
}
