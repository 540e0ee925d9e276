package client_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trento/packaging/client"
)

// startTestServer starts a server that answers all requests with answer. It
// returns the address.
func startTestServer(t *testing.T, answer func(http.ResponseWriter, *http.Request)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	return s.URL
}

// listHosts asks a server for its hosts.
func listHosts(t *testing.T, o client.Options) error {
	t.Helper()
	s, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ListHostsWithResponse(t.Context())
	return err
}

// TestRefusal checks the error messages for answers other than success.
func TestRefusal(t *testing.T) {
	refuse := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Request-Id", "17")
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"field":         {refuse(422, `{"errors":[{"title":"Invalid value","detail":"can't be blank","source":{"pointer":"/value"}}]}`), "value: can't be blank (request 17)"},
		"several":       {refuse(422, `{"errors":[{"title":"a","detail":"b"},{"title":"c","detail":""}]}`), "b; c (request 17)"},
		"too often":     {refuse(429, `{"errors":[{"title":"Too Many Requests","detail":"too many requests"}]}`, "Retry-After", "7"), "too many requests; try again in 7 s (request 17)"},
		"not JSON":      {refuse(502, "<h1>bad gateway</h1>"), "the server answers 502 Bad Gateway (request 17)"},
		"token":         {refuse(401, `{"error":"Unauthorized"}`), "the server does not accept the token: it was deleted, has expired, or is for another server"},
		"no document":   {refuse(403, `{"errors":[{"title":"Forbidden","detail":"no"}]}`), "not permitted: the user lacks a permission, or the token was not made for this (request 17)"},
		"redirect":      {refuse(307, "", "Location", "https://trento.example.com/"), "the server sends this on to https://trento.example.com/; use the address that it is reached at without a detour (request 17)"},
		"https is used": {refuse(400, "Client sent an HTTP request to an HTTPS server.\n"), "the server speaks https at this port; write https:// in its address (request 17)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := listHosts(t, client.Options{Address: startTestServer(t, test.answer), Token: "secret"})
			if refusal, ok := errors.AsType[*client.Refusal](err); !ok || refusal.Error() != test.want {
				t.Errorf("have %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestTokenStaysAtServer checks that the token is not sent to the target of a
// redirect.
func TestTokenStaysAtServer(t *testing.T) {
	reached := false
	thief := startTestServer(t, func(http.ResponseWriter, *http.Request) { reached = true })
	err := listHosts(t, client.Options{Address: startTestServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief+r.URL.Path, http.StatusTemporaryRedirect)
	}), Token: "secret"})
	if err == nil || reached {
		t.Errorf("error %v, reached %t", err, reached)
	}
}

// TestNeeds checks that the error message for a forbidden request names the
// permission and scope that the API document of the server demands for the
// operation.
func TestNeeds(t *testing.T) {
	address := startTestServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/api/all/openapi" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Header.Get("Authorization") != "" {
			t.Error("the document is for everybody, but the token was sent")
		}
		fmt.Fprint(w, `{"paths":{
			"/api/v1/{any}": {"get":{"x-ability":"wrong:one"}},
			"/api/v1/hosts": {"get":{"x-scope-sets":["read_only"],"x-ability":"see:hosts"}},
			"/api/v1/users": {"get":{"x-in-person":true}},
			"/api/v1/profile": {"get":{}}}}`)
	})
	s, err := client.New(client.Options{Address: address, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	_, hosts := s.ListHostsWithResponse(t.Context())
	_, users := s.ListUsersWithResponse(t.Context())
	_, profile := s.ReadProfileWithResponse(t.Context())
	for want, err := range map[string]error{
		"not permitted: the user needs the permission see:hosts, and the token needs one of the scopes read_only, full or GET /api/v1/hosts": hosts,
		"not permitted: no token may do this, only a person in the console":                                                                  users,
		"not permitted: the token needs the scope full or GET /api/v1/profile":                                                               profile,
	} {
		if err == nil || err.Error() != want {
			t.Errorf("have %v\nwant %s", err, want)
		}
	}
}

// TestUnreachable checks the error messages if no Trento server answers at the
// address.
func TestUnreachable(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	plain := startTestServer(t, http.NotFound)
	page := startTestServer(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Sign in</html>") })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(secure.URL, "https://"))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "commands.sock")
	for _, test := range []struct {
		options client.Options
		want    string
	}{
		{client.Options{Address: secure.URL}, "that this machine does not know; name the file with that authority with --ca"},
		{client.Options{Address: "https://localhost:" + port, CAFile: ca}, "valid for example.com, *.example.com, not localhost"},
		{client.Options{Address: strings.Replace(plain, "http:", "https:", 1)}, "it speaks http at this port, not https"},
		{client.Options{Address: "http://" + closed.Addr().String()}, "nothing listens at this port"},
		{client.Options{Address: "http://no-such-host.invalid"}, "no-such-host.invalid"},
		{client.Options{Address: page}, "what answers there is no Trento server"},
		{client.Options{Socket: missing}, "no answer from " + missing + ": no server is running there"},
	} {
		err := listHosts(t, test.options)
		if _, ok := errors.AsType[*client.Unreachable](err); !ok || !strings.Contains(err.Error(), test.want) {
			t.Errorf("have %v\nwant %s", err, test.want)
		}
	}
	if err := listHosts(t, client.Options{Address: secure.URL, CAFile: ca}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("with the right authority: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := client.New(client.Options{Address: plain})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ListHostsWithResponse(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("of a request that the user ends: %v", err)
	}
}

// TestCheckAddress checks which addresses are accepted.
func TestCheckAddress(t *testing.T) {
	for text, want := range map[string]string{
		"https://Trento.example.com:4000/": "https://trento.example.com:4000",
		"http://[::1]:4000":                "http://[::1]:4000",
		"trento.example.com":               "is not the address of a server",
		"ftp://trento.example.com":         "is not the address of a server",
		"https://ann:secret@trento":        "contains no user and no password",
		"https://trento/api/v1":            "write https://trento",
		"":                                 "is not the address of a server",
	} {
		have, err := client.CheckAddress(text)
		if err != nil {
			have = err.Error()
		}
		if !strings.Contains(have, want) || strings.Contains(have, "secret") {
			t.Errorf("%q: have %q, want %q", text, have, want)
		}
	}
}

// TestKeepAnswers checks that a list is taken from the cache if the server
// answers that it has not changed (304).
func TestKeepAnswers(t *testing.T) {
	sent, confirmed := 0, 0
	address := startTestServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			confirmed++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprint(w, `[{"id":"00000000-0000-4000-8000-000000000001","username":"ann"}]`)
	})
	s, err := client.New(client.Options{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	s.KeepAnswers()
	for range 3 {
		answer, err := s.ListHostsWithResponse(t.Context())
		if err != nil || len(*answer.JSON200) != 1 {
			t.Fatal(err, answer)
		}
	}
	if sent != 1 || confirmed != 2 {
		t.Errorf("sent %d times, confirmed %d times", sent, confirmed)
	}
}
