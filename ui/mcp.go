package ui

import (
	"net/http"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
	"trento/ui/mcp"
	"trento/ui/metrics"
	"trento/ui/page"
)

// mcpHandler returns the handler of requests of assistants. all answers all
// requests of this server, inside all middlewares.
func (s *server) mcpHandler(all http.Handler) http.Handler {
	if s.MCP == page.MCPOff {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.api.Fail(w, r, store.ErrNotFound) })
	}
	operations := make(map[string]auth.Operation)
	for _, o := range api.Operations() {
		operations[o.String()] = o
	}
	return s.requireBearer(mcp.Handler(mcp.Options{
		API: all, Writes: s.MCP == page.MCPWrite, Version: s.Version, Log: s.Log,
		May: func(r *http.Request, operation string) bool {
			o, ok := operations[operation]
			return ok && auth.From(r.Context()).MayUse(o)
		},
	}))
}

// requireBearer answers requests to the path of next only, and only those with a
// valid token in the header Authorization. Cookies do not count: a foreign page
// could make a browser send them.
func (s *server) requireBearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		metrics.NameRoute(r, mcp.Path)
		if r.URL.Path != mcp.Path {
			s.api.Fail(w, r, store.ErrNotFound)
			return
		}
		if id := auth.From(r.Context()); id == nil || id.Via != auth.ViaToken && id.Via != auth.ViaPersonalToken {
			challenge := `Bearer realm="Trento"`
			if r.Header.Get("Authorization") != "" {
				challenge += `, error="invalid_token"`
			}
			w.Header().Set("WWW-Authenticate", challenge)
			s.api.Fail(w, r, auth.ErrSignedOut)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isMCP reports whether a request is one of an assistant, by the first segment of
// its path.
func isMCP(r *http.Request) bool {
	return r.URL.Path == mcp.Path || strings.HasPrefix(r.URL.Path, mcp.Path+"/")
}
