package webhook

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// receiver is a web service that keeps the last request.
type receiver struct {
	*httptest.Server
	body     []byte
	header   http.Header
	requests int
}

func startReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.body, _ = io.ReadAll(request.Body)
		r.header = request.Header
		r.requests++
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) webhook() *Webhook {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	return &Webhook{URL: r.URL + "/services/T0/secret-part", Secrets: []string{"geheim"}, Client: NewClient(pool), Now: func() time.Time { return time.Unix(1_796_000_000, 0) }}
}

var testNotice = Notice{
	ID: "1", Type: "host_health", Severity: "critical", Time: time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC), Subject: "Trento Alert: Host hana01 needs attention.",
	Resource: &Resource{"host", "779cdd70-e9e2-58ca-b18a-bf3eb3f71244", "hana01"}, URL: "https://trento.example.com/hosts/1", Text: "Host hana01 is critical.",
}

// TestPost checks the body of a notice, and that a library of Standard Webhooks
// takes its signature.
func TestPost(t *testing.T) {
	r := startReceiver(t, func(http.ResponseWriter, *http.Request) {})
	key := []byte("0123456789abcdef01234567")
	encoded := SecretPrefix + base64.StdEncoding.EncodeToString(key)
	hook := r.webhook()
	hook.Secrets, hook.Now = []string{encoded, "geheim"}, nil // the library refuses a time that is long ago
	if status, err := hook.Post(t.Context(), testNotice.ID, testNotice); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	for name, verifier := range map[string]func() (*standardwebhooks.Webhook, error){
		"encoded": func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhook(encoded) },
		"text":    func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhookRaw([]byte("geheim")) },
	} {
		v, err := verifier()
		if err == nil {
			err = v.Verify(r.body, r.header)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if v.Verify(append(r.body, ' '), r.header) == nil {
			t.Errorf("%s: another body is taken", name)
		}
	}
	if r.header.Get(IDHeader) != testNotice.ID {
		t.Errorf("id %q", r.header.Get(IDHeader))
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
	unsigned.Secrets = nil
	if _, err := unsigned.Post(t.Context(), testNotice.ID, testNotice); err != nil || r.header.Get(SignatureHeader) != "" {
		t.Errorf("without a secret: %v, %v", r.header, err)
	}
}

// TestSign checks a signature that was calculated with openssl:
//
//	printf '1.1796000000.{}' | openssl dgst -sha256 -hmac geheim -binary | base64
func TestSign(t *testing.T) {
	hook := Webhook{Secrets: []string{"geheim"}, Now: func() time.Time { return time.Unix(1_796_000_000, 0) }}
	header := http.Header{}
	hook.sign(header, "1", []byte("{}"))
	if want := "v1,mwjOI3f2w/rN5j4DWHPTTGm8eYTkJVU7EhVn9hADOb4="; header.Get(SignatureHeader) != want || header.Get(TimestampHeader) != "1796000000" {
		t.Errorf("%v, want %s", header, want)
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
		_, err := r.webhook().Post(t.Context(), testNotice.ID, testNotice)
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
		"unknown authority": {func(w *Webhook) { w.Client = NewClient(x509.NewCertPool()) }, "certificate signed by unknown authority", false},
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
			_, err := w.Post(t.Context(), testNotice.ID, testNotice)
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
