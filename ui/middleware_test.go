package ui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/ui/api"
	"trento/ui/page"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	for _, target := range []string{"/hosts", "/nowhere", "/session/new", "/api/v1/hosts", "/api/nowhere", "/static/x/app.css"} {
		w := f.do(call{target: target, as: "ada"})
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", target, csp)
		}
		if w.Header().Get(api.RequestIDHeader) == "" {
			t.Errorf("%s: no request id", target)
		}
	}
}

// TestStrictTransportSecurity checks that browsers are told to use https if that
// is configured, and only over https.
func TestStrictTransportSecurity(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, tt := range []struct {
		age    time.Duration
		target string
		want   string
	}{
		{0, "https://trento.example.com/session/new", ""},
		{365 * 24 * time.Hour, "https://trento.example.com/session/new", "max-age=31536000"},
		{365 * 24 * time.Hour, "https://trento.example.com/api/nowhere", "max-age=31536000"},
		{365 * 24 * time.Hour, "http://trento.example.com/session/new", ""},
	} {
		f.options.HSTSMaxAge = tt.age
		f.restart(f.options)
		if got := f.do(call{target: tt.target}).Header().Get("Strict-Transport-Security"); got != tt.want {
			t.Errorf("%v, %s: %q, want %q", tt.age, tt.target, got, tt.want)
		}
	}
}

func TestCaching(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	w := f.do(call{target: "/hosts", as: "ada"})
	if w.Header().Get("Cache-Control") != "no-store" || !slices.Equal(w.Header().Values("Vary"), []string{"Accept", "Accept-Encoding", "X-Fragment"}) {
		t.Errorf("page: %v", w.Header())
	}
	link, _ := attribute(parseMarkup(t, w.Body.String()).all("link[rel=stylesheet]")[0], "href")
	w = f.do(call{target: link})
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("%s: %d %v", link, w.Code, w.Header())
	}
	etag := w.Header().Get("ETag")
	if w := f.do(call{target: link, header: http.Header{"If-None-Match": {etag}}}); w.Code != http.StatusNotModified {
		t.Errorf("%s with its own ETag: %d", link, w.Code)
	}
	if w := f.do(call{target: "/static/old/app.css"}); w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a file of another version: %d %v", w.Code, w.Header())
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	form := url.Values{"username": {"ada"}, "password": {testPassword}}
	crossSite := http.Header{"Sec-Fetch-Site": {"cross-site"}}
	for _, tt := range []struct {
		name string
		call call
		want int
	}{
		{"sign-in from another site", call{method: "POST", target: "/session", form: form, header: crossSite}, 403},
		{"sign-out from another site", call{method: "POST", target: "/session/end", as: "ada", header: crossSite}, 403},
		{"API with the cookie", call{method: "POST", target: "/api/v1/collect", as: "ada", header: crossSite}, 403},
		{"API with the cookie and a header that proves nothing", call{method: "POST", target: "/api/v1/profile/tokens/delete", as: "ada",
			header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Authorization": {"Basic eDp5"}, "Content-Type": {"application/json"}}}, 403},
		{"API with the cookie and a scheme nobody knows", call{method: "DELETE", target: "/api/v1/profile/tokens", as: "ada",
			header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Authorization": {"x"}}}, 401},
		{"API by a header of its own", call{method: "POST", target: "/api/v1/profile/tokens/delete",
			header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Authorization": {"Bearer x"}, "Content-Type": {"application/json"}}}, 401},
		{"page from another site", call{target: "/hosts", as: "ada", header: crossSite}, 200},
		{"agent", call{method: "POST", target: "/api/v1/collect", header: http.Header{"Sec-Fetch-Site": nil}}, 401},
		{"sign-in from an old browser elsewhere", call{method: "POST", target: "/session", form: form, header: http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			if w := f.do(tt.call); w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
	if w := f.do(call{target: "/hosts", as: "ada"}); w.Code != http.StatusOK {
		t.Errorf("the refused sign-out took place: %d", w.Code)
	}
}

// TestUntrustedProxyIsShown checks that the About page says which setting is
// missing once an untrusted proxy has forwarded a request.
func TestUntrustedProxyIsShown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	const said = "TRUSTED_PROXIES=192.0.2.1"
	if w := f.do(call{target: "/about", as: "ada"}); strings.Contains(w.Body.String(), said) {
		t.Errorf("said without a proxy: %s", w.Body)
	}
	f.do(call{target: "/session/new", header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}})
	w := f.do(call{target: "/about", as: "ada"})
	checkMarkup(t, w.Body.String())
	if !strings.Contains(w.Body.String(), said) {
		t.Errorf("not said: %s", w.Body)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	w := f.do(call{method: "PUT", target: "/hosts", as: "ada"})
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("PUT: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	if w := f.do(call{method: "HEAD", target: "/hosts", as: "ada"}); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := f.do(call{method: "POST", target: "//api/v1/collect"}); w.Code != http.StatusUnauthorized {
		t.Errorf("a slash too many is answered with %d", w.Code)
	}
}

func TestFormsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.do(call{method: "POST", target: "/session", form: url.Values{"username": {strings.Repeat("x", 64<<10)}}})
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", w.Code)
	}
	has("h1", "Too much at once").check(t, parseMarkup(t, w.Body.String()))
	w = f.do(call{method: "POST", target: "/session", form: url.Values{}, header: http.Header{"Content-Type": {"multipart/form-data"}}})
	if w.Code >= http.StatusInternalServerError {
		t.Errorf("an odd form is answered with %d", w.Code)
	}
}

// noProxy trusts nobody.
func noProxy(*http.Request) bool { return false }

func TestPanicsAndFaultsAreAnswered(t *testing.T) {
	t.Parallel()
	log := new(logBuffer)
	s := &server{Console: &page.Console{Options: page.Options{Log: newTestLog(log)}}}
	h := chain(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") }), page.NameRequests(noProxy), s.logRequests)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	id := w.Header().Get(api.RequestIDHeader)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "oh no") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "oh no") || strings.Count(log.String(), id) != 2 {
		t.Errorf("log: %s", log)
	}
}

// TestPanicInAnAnswer checks that a panic after the begin of an answer closes
// the connection, so that the client notices.
func TestPanicInAnAnswer(t *testing.T) {
	t.Parallel()
	s := &server{Console: &page.Console{Options: page.Options{Log: newTestLog(new(logBuffer))}}}
	server := httptest.NewServer(chain(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write([]byte("half")); err != nil {
			t.Error(err)
		}
		panic("oh no")
	}), page.NameRequests(noProxy), s.logRequests))
	defer server.Close()
	if response, err := http.Get(server.URL); err == nil {
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("status %d, %q passes for the whole answer", response.StatusCode, text)
		}
	}
}

// TestFaultsKeepTheirCause checks that the cause of a fault is in the log and
// not in the answer.
func TestFaultsKeepTheirCause(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	secret := "disk is on fire"
	s := f.server(t)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/hosts", nil)
	h := page.NameRequests(noProxy)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answerError(w, r, errorText(secret)) }))
	h.ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), secret) {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	id := w.Header().Get(api.RequestIDHeader)
	has("code", id).check(t, parseMarkup(t, w.Body.String()))
	if !strings.Contains(f.log.String(), secret) || !strings.Contains(f.log.String(), id) {
		t.Errorf("log: %s", f.log)
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestAgentsAreNotLogged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.do(call{method: "POST", target: "/api/v1/collect", header: http.Header{"X-Trento-Apikey": {"wrong"}}})
	if !strings.Contains(f.log.String(), "status=401") {
		t.Errorf("an agent that is refused is not in the log: %s", f.log)
	}
}

// TestRoomOfPath checks that no name in a path, however it is escaped, sends a
// request of the API to the console or the reverse.
func TestRoomOfPath(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	host := "/api/v1/hosts/" + string(hostID(1))
	for target, api := range map[string]bool{
		"/api": true, "/api/": true, "/api/v1/hosts": true, "//api//v1/hosts": true, "/api/%2e%2e/hosts": true, "/api/../hosts": true,
		host + "/tags/..%2F..%2F..%2F..%2F..%2F..%2Fhosts": true, host + "/tags/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/hosts": true,
		"/hosts": false, "/apis": false, "/api.csv": false, "/%61pi/v1/hosts": false, "/api%2Fv1/hosts": false, "/hosts/..%2Fapi/v1/hosts": false,
		"/hosts/%2e%2e/api/v1/hosts": false, "/hosts/../api/v1/hosts": false, "/./api/v1/hosts": false,
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			w := f.do(call{method: method, target: target, as: "ada", header: http.Header{"Accept": {"text/html,*/*"}}})
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") != api && w.Code != http.StatusMovedPermanently {
				t.Errorf("%s %s: status %d, %s", method, target, w.Code, w.Header().Get("Content-Type"))
			}
			if w.Code == http.StatusMovedPermanently && api {
				t.Errorf("%s %s: sent to %s", method, target, w.Header().Get("Location"))
			}
			if w.Code == http.StatusOK && target != "/hosts" && !strings.HasSuffix(target, "//v1/hosts") && target != "/api/v1/hosts" {
				t.Errorf("%s %s leads somewhere", method, target)
			}
		}
	}
}
