package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/discovery/fleet"
	"trento/ui/api"
)

// sink is an answer nobody reads.
type sink struct {
	header http.Header
	status int
	size   int // bytes
}

func (s *sink) Header() http.Header    { return s.header }
func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(b []byte) (int, error) {
	s.size += len(b)
	return len(b), nil
}

// server is the API over a store that waits for the disk, as in production.
type server struct {
	handler http.Handler
	key     string
	store   *store.Store
	auth    *auth.Auth
	index   *search.Index
}

func newServer(b *testing.B) *server {
	b.Helper()
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	a, err := auth.New(auth.Options{Store: s, Secrets: secrets, SessionLifetime: time.Hour, EnableAPIKey: true})
	if err != nil {
		b.Fatal(err)
	}
	index, err := search.Open(b.TempDir(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := index.Close(); err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	server := &server{store: s, auth: a, index: index}
	server.handler = server.newHandler()
	err = s.View(func(tx *store.Tx) error {
		key, err := tx.APIKey()
		server.key = a.APIKeyText(key)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return server
}

func (s *server) newHandler() http.Handler {
	return s.auth.Identify(api.New(api.Deps{Store: s.store, Auth: s.auth, Index: s.index, Log: slog.New(slog.DiscardHandler)}))
}

// post sends a body as an agent does.
func (s *server) post(path string, body []byte) int {
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: path}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Trento-Apikey": {s.key}},
	}
	w := &sink{header: make(http.Header)}
	s.handler.ServeHTTP(w, r)
	return w.status
}

// report sends one report of every kind for every host of a landscape.
func (s *server) report(b *testing.B, hosts []*fleet.Host) [][]byte {
	b.Helper()
	var bodies [][]byte
	for _, h := range hosts {
		for _, r := range h.Reports() {
			if status := s.post(collectPath, r.Body); status != http.StatusAccepted {
				b.Fatalf("%s of %s: %d", r.Kind, h.ID, status)
			}
			bodies = append(bodies, r.Body)
		}
	}
	return bodies
}

// together runs requests on as many agents at once as report in the same
// moment in a landscape of some thousand hosts, and reports how many were
// answered a second.
func together(b *testing.B, request func(n int) (status, want int)) {
	b.SetParallelism(64)
	var count atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if status, want := request(int(count.Add(1))); status != want {
				b.Errorf("answer %d", status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkCollect takes in reports, without a network: such that repeat the
// one before, and such that say something new.
func BenchmarkCollect(b *testing.B) {
	b.Run("unchanged", func(b *testing.B) {
		s := newServer(b)
		bodies := s.report(b, fleet.New(1, 200).Hosts())
		together(b, func(n int) (int, int) {
			return s.post(collectPath, bodies[n%len(bodies)]), http.StatusAccepted
		})
	})
	b.Run("changed", func(b *testing.B) {
		s := newServer(b)
		// Of what every host reports, one number changes.
		const member = `"total_memory_mb":`
		var before, behind [][]byte
		for _, body := range s.report(b, fleet.New(1, 200).Hosts()) {
			if head, tail, ok := bytes.Cut(body, []byte(member)); ok {
				before = append(before, append(head, member...))
				behind = append(behind, bytes.TrimLeft(tail, "0123456789"))
			}
		}
		together(b, func(n int) (int, int) {
			i := n % len(before)
			body := fmt.Appendf(nil, "%s%d%s", before[i], 100_000+n, behind[i])
			return s.post(collectPath, body), http.StatusAccepted
		})
	})
}

// BenchmarkSchemas is what it would cost to hold what clients send to the
// schemas of openapi.yaml before it is handled: the first report of each kind of
// a landscape, and a body of 8 MB that is wrong everywhere.
func BenchmarkSchemas(b *testing.B) {
	document, err := loadDocument()
	if err != nil {
		b.Fatal(err)
	}
	validate := func(name, path string, body []byte) {
		schema := document.Paths.Value(path).Post.RequestBody.Value.Content["application/json"].Schema.Value
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				var value any
				if err := json.Unmarshal(body, &value); err != nil {
					b.Fatal(err)
				}
				_ = schema.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.MultiErrors())
			}
		})
	}
	seen := make(map[string]bool)
	for _, h := range fleet.New(1, 200).Hosts() {
		for _, r := range h.Reports() {
			if kind := string(r.Kind); !seen[kind] {
				seen[kind] = true
				validate(kind, collectPath, r.Body)
			}
		}
	}
	validate("hostile", "/api/v1/hosts/{id}/checks", []byte(`{"checks":[`+strings.Repeat(`1,`, 3_900_000)+`1]}`))
}

// BenchmarkHeartbeat notes that agents are alive.
func BenchmarkHeartbeat(b *testing.B) {
	s := newServer(b)
	hosts := fleet.New(1, 200).Hosts()
	s.report(b, hosts)
	together(b, func(n int) (int, int) {
		return s.post("/api/v1/hosts/"+string(hosts[n%len(hosts)].ID)+"/heartbeat", nil), http.StatusNoContent
	})
}

// BenchmarkLists reads the lists of a landscape of 10,000 hosts, from an API
// that has sent them before and from one that has just been started.
func BenchmarkLists(b *testing.B) {
	s := newServer(b)
	hosts := make(chan *fleet.Host)
	var agents sync.WaitGroup
	for range 64 {
		agents.Go(func() {
			for h := range hosts {
				for _, r := range h.Reports() {
					// What waits for another report is answered with 404.
					if status := s.post(collectPath, r.Body); status != http.StatusAccepted && status != http.StatusNotFound {
						b.Errorf("%s of %s: %d", r.Kind, h.ID, status)
					}
				}
			}
		})
	}
	for _, h := range fleet.New(1, 10_000).Hosts() {
		hosts <- h
	}
	close(hosts)
	agents.Wait()

	ann, err := s.store.CreateUser(b.Context(), store.System(), store.NewUser{Username: "ann", Fullname: "Ann", Email: "ann@example.com", Enabled: true})
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{
		"/api/v1/hosts", "/api/v2/clusters", "/api/v1/clusters", "/api/v1/databases", "/api/v1/sap_systems", "/api/v1/sap_systems/health",
	} {
		tokens, err := s.auth.SignInAPI(httptest.NewRequest(http.MethodPost, "/", nil), &auth.Proof{User: ann, Method: store.MethodPassword})
		if err != nil {
			b.Fatal(err)
		}
		for _, anew := range []bool{false, true} {
			name, handler := strings.TrimPrefix(path, "/api/"), s.handler
			if anew {
				name += " for the first time"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				var size int
				for b.Loop() {
					if anew {
						b.StopTimer()
						handler = s.newHandler()
						b.StartTimer()
					}
					w := &sink{header: make(http.Header)}
					handler.ServeHTTP(w, &http.Request{
						Method: http.MethodGet, URL: &url.URL{Path: path}, Header: http.Header{"Authorization": {"Bearer " + tokens.Access}},
					})
					if w.status != http.StatusOK {
						b.Fatalf("answer %d", w.status)
					}
					size = w.size
				}
				b.ReportMetric(float64(size), "B/answer")
			})
		}
	}
}
