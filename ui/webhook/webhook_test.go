package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// receiver is a web service that keeps the last request.
type receiver struct {
	*httptest.Server
	body      []byte
	signature string
	requests  int
}

func startReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.body, _ = io.ReadAll(request.Body)
		r.signature = request.Header.Get(SignatureHeader)
		r.requests++
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) webhook() *Webhook {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return &Webhook{URL: r.URL + "/services/T0/secret-part", Secret: "geheim", RootCAs: pool, Now: func() time.Time { return time.Unix(1_796_000_000, 0) }}
}

var testNotice = Notice{
	ID: "1", Type: "host_health", Severity: "critical", Time: time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC), Subject: "Trento Alert: Host hana01 needs attention.",
	Resource: &Resource{"host", "779cdd70-e9e2-58ca-b18a-bf3eb3f71244", "hana01"}, URL: "https://trento.example.com/hosts/1", Text: "Host hana01 is critical.",
}

// TestPost checks the body of a notice and its signature.
func TestPost(t *testing.T) {
	r := startReceiver(t, func(http.ResponseWriter, *http.Request) {})
	if err := r.webhook().Post(t.Context(), testNotice); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("geheim"))
	mac.Write(append([]byte("1796000000."), r.body...))
	if want := "t=1796000000,v1=" + hex.EncodeToString(mac.Sum(nil)); r.signature != want {
		t.Errorf("signature %q, want %q", r.signature, want)
	}
	var got map[string]any
	if err := json.Unmarshal(r.body, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "type", "severity", "time", "subject", "resource", "url", "text"} {
		if got[name] == nil {
			t.Errorf("no member %s in %s", name, r.body)
		}
	}
	unsigned := r.webhook()
	unsigned.Secret = ""
	if err := unsigned.Post(t.Context(), testNotice); err != nil || r.signature != "" {
		t.Errorf("without a secret: signature %q, %v", r.signature, err)
	}
}

// TestRefusedPosts checks what the answers of a service mean.
func TestRefusedPosts(t *testing.T) {
	for status, want := range map[int]Error{
		299: {}, 302: {Status: 302}, 400: {Status: 400, Permanent: true}, 403: {Status: 403}, 404: {Status: 404},
		410: {Status: 410, Permanent: true, Gone: true}, 413: {Status: 413, Permanent: true}, 429: {Status: 429}, 500: {Status: 500}, 503: {Status: 503},
	} {
		r := startReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := r.webhook().Post(t.Context(), testNotice)
		got, _ := errors.AsType[*Error](err)
		if got == nil {
			got = &Error{}
		}
		if *got != want {
			t.Errorf("%d: got %+v, want %+v", status, *got, want)
		}
		if r.requests != 1 {
			t.Errorf("%d: %d requests", status, r.requests)
		}
	}
}

// TestUnreachable checks that errors name the cause, and never the address.
func TestUnreachable(t *testing.T) {
	r := startReceiver(t, func(http.ResponseWriter, *http.Request) {})
	for name, test := range map[string]struct {
		change    func(*Webhook)
		want      string
		permanent bool
	}{
		"unknown authority": {func(w *Webhook) { w.RootCAs = x509.NewCertPool() }, "certificate signed by unknown authority", false},
		"http":              {func(w *Webhook) { w.URL = strings.Replace(w.URL, "https", "http", 1) }, "is not an https address", true},
		"not an address":    {func(w *Webhook) { w.URL = "https://[secret-part" }, "is not an https address", true},
		"nobody listens":    {func(w *Webhook) { w.URL = "https://127.0.0.1:1/secret-part" }, "connection refused", false},
		"unknown name":      {func(w *Webhook) { w.URL = "https://no-such-host.invalid/secret-part" }, "lookup no-such-host.invalid", false},
		"credentials":       {func(w *Webhook) { w.URL = "https://169.254.169.254/secret-part" }, "link-local", true},
		"credentials, IPv6": {func(w *Webhook) { w.URL = "https://[::ffff:169.254.169.254]/secret-part" }, "link-local", true},
		"link-local, IPv6":  {func(w *Webhook) { w.URL = "https://[fe80::1%25eth0]/secret-part" }, "link-local", true},
		"all addresses":     {func(w *Webhook) { w.URL = "https://0.0.0.0/secret-part" }, "link-local", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := r.webhook()
			test.change(w)
			err := w.Post(t.Context(), testNotice)
			got, _ := errors.AsType[*Error](err)
			if got == nil || !strings.Contains(got.Error(), test.want) || got.Permanent != test.permanent || strings.Contains(got.Error(), "secret-part") {
				t.Errorf("got %+v (%v), want %q", got, err, test.want)
			}
		})
	}
}

// TestResolvedLinkLocal checks the address that a name leads to.
func TestResolvedLinkLocal(t *testing.T) {
	for address, refused := range map[string]bool{
		"127.0.0.1:443": false, "10.0.0.1:443": false, "169.254.169.254:80": true, "[fe80::1%eth0]:443": true, "[::ffff:169.254.1.1]:443": true, "[2001:db8::1]:443": false,
	} {
		if err := refuseAddress("tcp", address, nil); (err != nil) != refused {
			t.Errorf("%s: %v", address, err)
		}
	}
}
