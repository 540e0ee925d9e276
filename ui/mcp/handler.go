package mcp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Path is the path of the handler.
const Path = "/mcp"

// maxRequestBytes is the largest message that a client may send.
const maxRequestBytes = 256 << 10

// Options are the settings of a Handler, and what it works with.
type Options struct {
	// API handles the requests of tool calls. It is the handler for all
	// requests to the server, with all middlewares.
	API http.Handler
	// Writes offers tools that change something, too.
	Writes  bool
	Version string
	Log     *slog.Logger
	// May reports whether the client of a request may use an operation of the
	// API, such as "GET /api/v1/hosts". Only tools for operations that it may
	// use are offered.
	May func(r *http.Request, operation string) bool
}

// Handler returns the handler for requests to Path. It must only be called for
// clients that have authenticated with a token in the header Authorization,
// because it passes that header on to the API. It has no sessions, so clients
// do not notice a restart of the server, and a deleted token is refused at
// once.
func Handler(o Options) http.Handler {
	tools := sync.OnceValues(func() ([]tool, error) {
		return fetchTools(&http.Client{Transport: &inProcessTransport{api: o.API, origin: new(http.Request)}}, inProcessBase, o.Writes)
	})
	// The library takes requests through a proxy on the same machine for DNS
	// rebinding and refuses them. DNS rebinding attacks services without
	// authentication. This one demands a token, which a foreign web page does
	// not have.
	transport := mcp.NewStreamableHTTPHandler(serverOf, &mcp.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxRequestBytes, DisableLocalhostProtection: true, PropagateRequestCancellation: true,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all, err := tools()
		if err != nil {
			o.Log.Error("the API document cannot be read", "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		var offered []tool
		for _, t := range all {
			if o.May(r, t.operation()) {
				offered = append(offered, t)
			}
		}
		s := newServer(offered, o.Version, &http.Client{Transport: &inProcessTransport{api: o.API, origin: r}}, inProcessBase)
		transport.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serverKey{}, s)))
	})
}

// serverKey is the key of the server in the context of a request.
type serverKey struct{}

func serverOf(r *http.Request) *mcp.Server {
	s, _ := r.Context().Value(serverKey{}).(*mcp.Server)
	return s
}

// inProcessBase is the base URL of requests to the API of this process. Its
// host name is replaced by the host name of the original request.
const inProcessBase = "http://trento.internal"

// inProcessTransport passes requests directly to the API of this process, as if
// the client of the original request had sent them.
type inProcessTransport struct {
	api    http.Handler
	origin *http.Request
}

// passedHeaders are the headers of the original request that identify the
// client and the proxies between. They are copied to the request to the API.
var passedHeaders = []string{"Authorization", "Forwarded", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// RoundTrip implements http.RoundTripper. It does not use the context of the
// original request, which contains the identity of the client at that time: the
// API authenticates the client again.
func (p *inProcessTransport) RoundTrip(sent *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(sent.Context(), cancel)()
	r := sent.Clone(ctx)
	for _, name := range passedHeaders {
		if values := p.origin.Header.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	r.Host, r.RemoteAddr, r.TLS = p.origin.Host, p.origin.RemoteAddr, p.origin.TLS
	r.RequestURI = r.URL.RequestURI()
	r.URL.Scheme, r.URL.Host = "", ""
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &recordedAnswer{header: make(http.Header)}
	p.api.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: sent,
	}, nil
}

// recordedAnswer records an answer of the API.
type recordedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recordedAnswer) Header() http.Header { return a.header }

func (a *recordedAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recordedAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// The connection has the deadlines of the original request, so setting others
// has no effect.

func (a *recordedAnswer) SetReadDeadline(time.Time) error  { return nil }
func (a *recordedAnswer) SetWriteDeadline(time.Time) error { return nil }
