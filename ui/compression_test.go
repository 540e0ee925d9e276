package ui

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"trento/store"
	"trento/ui/api"
	"trento/ui/page"
)

// decoded is the body of an answer without its encoding. It can be read again.
func decoded(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body io.Reader = bytes.NewReader(w.Body.Bytes())
	var err error
	switch encoding := w.Header().Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		body, err = gzip.NewReader(body)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCompression(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.user("ada", 1)
	for n := range 20 {
		f.host(n, fmt.Sprintf("hana%02d", n))
	}
	loaded, _ := mustLoadAssets(t)
	style := loaded.Files[page.StyleFile].Address
	const browser = "gzip, deflate, br, zstd"
	for _, tt := range []struct {
		target, accepts, want string
	}{
		{"/hosts", browser, "gzip"}, {"/hosts", "gzip", "gzip"}, {"/hosts", "zstd", ""}, {"/hosts", "gzip;q=0.5, zstd", "gzip"},
		{"/hosts", "", ""}, {"/hosts", "br", ""}, {"/hosts", "gzip;q=0", ""},
		{"/hosts.csv", browser, "gzip"}, {"/activity_log.csv", browser, "gzip"}, {"/activity_log.jsonl", browser, "gzip"},
		{"/api/v1/hosts", "gzip", "gzip"}, {"/api/v1/activity_log", browser, "gzip"}, {"/api/v1/openapi", "gzip", "gzip"},
		{"/api/healthz", browser, ""},                                                                     // too short
		{"/api/v1/users/" + strconv.FormatInt(ada.ID, 10), browser, ""}, {"/api/v1/profile", browser, ""}, // strong ETag
		{"/session/new?request_path=/" + strings.Repeat("x", 2000), browser, ""}, {"/settings/api_key", browser, ""}, {"/api/v1/settings/api_key", browser, ""},
		{style, browser, "gzip"}, {style, "gzip", "gzip"}, {style, "gzip;q=0.1", "gzip"}, {style, "zstd", ""}, {style, "br;q=1.0, gzip;q=0", ""}, {style, "", ""},
	} {
		t.Run(tt.target+" "+tt.accepts, func(t *testing.T) {
			as := "ada"
			if strings.HasPrefix(tt.target, "/session") {
				as = ""
			}
			plain := f.do(call{target: tt.target, as: as})
			w := f.do(call{target: tt.target, as: as, header: http.Header{"Accept-Encoding": {tt.accepts}}})
			if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != tt.want {
				t.Fatalf("status %d, encoding %q", w.Code, w.Header().Get("Content-Encoding"))
			}
			if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding") {
				t.Errorf("Vary %q", w.Header().Values("Vary"))
			}
			if given := w.Header().Get("Content-Length"); given != "" && given != strconv.Itoa(w.Body.Len()) {
				t.Errorf("%s bytes are announced, and %d come", given, w.Body.Len())
			}
			for name := range w.Header() {
				if strings.Contains(name, "Gzip") {
					t.Errorf("header %s goes out", name)
				}
			}
			if tt.want != "" && w.Body.Len() > plain.Body.Len()/2 {
				t.Errorf("%d bytes of %d", w.Body.Len(), plain.Body.Len())
			}
			if got := decoded(t, w); !equalBut(changing, got, plain.Body.String()) {
				t.Errorf("another text: %.200s", got)
			}
		})
	}
}

func mustLoadAssets(t testing.TB) (page.Assets, page.RoomFiles) {
	t.Helper()
	files, err := page.FilesOf(consoleParts)
	if err != nil {
		t.Fatal(err)
	}
	r, err := loadResources()
	if err != nil {
		t.Fatal(err)
	}
	return r.Assets, files
}

// TestAssetsAreRevalidated checks that a client may keep its copy of a file,
// compressed or not.
func TestAssetsAreRevalidated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	loaded, _ := mustLoadAssets(t)
	address := loaded.Files[page.ScriptFile].Address
	get := func(encoding, etag string) *httptest.ResponseRecorder {
		return f.do(call{target: address, header: http.Header{"Accept-Encoding": {encoding}, "If-None-Match": {etag}}})
	}
	for _, encoding := range []string{"", "gzip"} {
		etag := get(encoding, "").Header().Get("ETag")
		if !strings.HasPrefix(etag, "W/") {
			t.Errorf("%q: the ETag %s says that all forms are the same bytes", encoding, etag)
		}
		if w := get(encoding, etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%q with its own ETag: %d", encoding, w.Code)
		}
		if w := get(encoding, `W/"other"`); w.Code != http.StatusOK {
			t.Errorf("%q with another ETag: %d", encoding, w.Code)
		}
	}
}

// BenchmarkCompression compares what the style of the console and a page cost
// with gzip as answers have it, as small as it can be, and with zstd.
func BenchmarkCompression(b *testing.B) {
	f := newFixture(b)
	f.user("ada", 1)
	for n := range 50 {
		f.host(n, fmt.Sprintf("hana%02d", n))
	}
	a, _ := mustLoadAssets(b)
	type compressor interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	standard, err := gzip.NewWriterLevel(nil, gzip.DefaultCompression)
	if err != nil {
		b.Fatal(err)
	}
	best, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
	if err != nil {
		b.Fatal(err)
	}
	zstandard, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10))
	if err != nil {
		b.Fatal(err)
	}
	for text, body := range map[string][]byte{"style": a.Files[page.StyleFile].Body, "hosts": f.do(call{target: "/hosts", as: "ada"}).Body.Bytes()} {
		for name, c := range map[string]compressor{"gzip": standard, "best gzip": best, "zstd": zstandard} {
			b.Run(text+" "+name, func(b *testing.B) {
				var out bytes.Buffer
				for b.Loop() {
					out.Reset()
					c.Reset(&out)
					if _, err := c.Write(body); err != nil {
						b.Fatal(err)
					}
					if err := c.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(out.Len()), "bytes")
			})
		}
	}
}

// TestSecretsAreNotCompressed asks every page and every list there is, and
// fails where an answer that is compressed has a secret in it.
func TestSecretsAreNotCompressed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.user("ada", 1)
	id := f.host(1, "hana01")
	var key string
	if err := f.store.View(func(tx *store.Tx) error {
		k, err := tx.APIKey()
		if err == nil {
			key = f.auth.APIKeyText(k)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	secret := regexp.MustCompile(regexp.QuoteMeta(key) + `|trento_pat_[A-Za-z0-9_-]{8}|\b[A-Z2-7]{32,}\b|(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}`)
	routes := slices.Concat(f.server(t).routes(), new(api.API).Routes())
	shown := 0
	for _, route := range routes {
		if route.Method != http.MethodGet || route.Path == "/events" || strings.Contains(route.Path, "{file}") || strings.HasSuffix(route.Path, "openapi") {
			continue
		}
		user := strconv.FormatInt(ada.ID, 10)
		target := strings.NewReplacer("/users/{id}", "/users/"+user, "{id}", string(id)).Replace(route.Path)
		w := f.do(call{target: target, as: "ada", header: http.Header{"Accept-Encoding": {"gzip"}}})
		encoding, text := w.Header().Get("Content-Encoding"), decoded(t, w)
		found := secret.FindString(text)
		if found == "" {
			continue
		}
		shown++
		if encoding != "" {
			t.Errorf("%s shows %.12s… in an answer of %s", target, found, encoding)
		}
	}
	if shown < 3 {
		t.Errorf("%d answers show a secret: the API key and the second factor should", shown)
	}
	// What a secret looks like, so that the expression above is one that finds
	// it.
	if !secret.MatchString(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(bytes.Repeat([]byte{7}, 20))) {
		t.Error("the secret of a second factor would not be noticed")
	}
	// New secrets are shown in answers to POST, none of which is compressed.
	f.user("bob")
	w := f.do(call{method: "POST", target: "/profile/totp", as: "bob", header: http.Header{"Accept-Encoding": {"gzip"}}})
	if w.Header().Get("Content-Encoding") != "" {
		t.Errorf("an answer to POST is compressed: %d", w.Code)
	}
}

// TestCutDownloadIsNoticed checks that a client notices an interrupted
// download, also when it decompresses.
func TestCutDownloadIsNoticed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.user("ada")
	f.longTable()
	var cut http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.handler.ServeHTTP(&cutting{w, func() { _ = f.store.EndOtherSessions(r.Context(), store.System(), ada.ID, [32]byte{1}) }}, r)
	})
	server := httptest.NewServer(cut)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/hosts.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(f.cookies["ada"])
	response, err := http.DefaultClient.Do(r) // which asks for gzip and decodes it
	if err != nil {
		return // not even the beginning arrived
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%d bytes pass for the whole file", len(text))
	}
}

// cutting is a client for whom something happens as soon as the answer begins.
type cutting struct {
	http.ResponseWriter
	then func()
}

func (w *cutting) Write(b []byte) (int, error) {
	if w.then != nil {
		w.then()
		w.then = nil
	}
	return w.ResponseWriter.Write(b)
}
