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

// Path is the address of the handler.
const Path = "/mcp"

// maxMessage is the largest message of a client, in bytes.
const maxMessage = 256 << 10

// Options are the settings of a Handler, and what it works with.
type Options struct {
	// API answers the requests of calls: all requests of the server, inside all
	// of its middlewares.
	API http.Handler
	// Writes offers tools that change something, too.
	Writes  bool
	Version string
	Log     *slog.Logger
	// May reports whether the client of a request may use an operation of the
	// API, such as "GET /api/v1/hosts". What it may not use is not offered.
	May func(r *http.Request, operation string) bool
}

// Handler returns the handler of requests to Path. It must be called only for
// clients that have proved who they are by a token in the header Authorization,
// because it passes that header on to the API. It keeps no sessions: each message
// stands for itself, so a restart of the server goes unnoticed, and a token that
// is deleted is refused at once.
func Handler(o Options) http.Handler {
	tools := sync.OnceValues(func() ([]tool, error) {
		return fetchTools(&http.Client{Transport: &inProcess{api: o.API, origin: new(http.Request)}}, inProcessBase, o.Writes)
	})
	// Requests through a proxy on the same machine look to the library like an
	// attack by DNS rebinding. That attack is about services that ask for no
	// proof; this one asks for a token, which no foreign page has.
	transport := mcp.NewStreamableHTTPHandler(serverOf, &mcp.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxMessage, DisableLocalhostProtection: true, PropagateRequestCancellation: true,
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
		s := newServer(offered, o.Version, &http.Client{Transport: &inProcess{api: o.API, origin: r}}, inProcessBase)
		transport.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serverKey{}, s)))
	})
}

// serverKey is the key of the server in the context of a request.
type serverKey struct{}

func serverOf(r *http.Request) *mcp.Server {
	s, _ := r.Context().Value(serverKey{}).(*mcp.Server)
	return s
}

// inProcessBase is where requests to the API of this process go. The name is
// replaced by that of the origin.
const inProcessBase = "http://trento.internal"

// inProcess carries requests to the API of this process, as if the client behind
// another request had sent them.
type inProcess struct {
	api    http.Handler
	origin *http.Request
}

// passedOn are the headers that say who the client is and how it got here.
var passedOn = []string{"Authorization", "Forwarded", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// RoundTrip implements http.RoundTripper. The context of the origin is not passed
// on: it holds who the client was then, and the API finds that out anew.
func (p *inProcess) RoundTrip(sent *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(sent.Context(), cancel)()
	r := sent.Clone(ctx)
	for _, name := range passedOn {
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
	a := &answer{header: make(http.Header)}
	p.api.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: sent,
	}, nil
}

// answer keeps an answer of the API.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// The deadlines of the connection are those of the origin.

func (a *answer) SetReadDeadline(time.Time) error  { return nil }
func (a *answer) SetWriteDeadline(time.Time) error { return nil }
