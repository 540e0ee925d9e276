package server

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"trento/packaging/connection"
)

// redirector sends requests without TLS on to https.
//
// Agents follow the redirect and send their report again, so the redirect keeps
// the method. It is a temporary one, because browsers remember a permanent one
// even after the port has changed. A request with a token or a password is
// refused instead. Otherwise the program would continue to send them unencrypted, and
// nobody would notice.
type redirector struct {
	port int // of https
	log  *slog.Logger

	mutex      sync.Mutex
	lastLogged time.Time // when an agent was last reported
}

// maxRedirectBody is the size up to which a body is read before the redirect is
// sent. Clients that are still sending might not see it otherwise.
const maxRedirectBody = 8_000_000

// maxRedirects is the largest number of open connections without TLS. Each
// lasts only for a moment.
const maxRedirects = 512

const agentLogInterval = time.Hour

// ServeHTTP implements http.Handler.
func (d *redirector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := hostOf(r.Host)
	if host == "" || strings.ContainsAny(host, "/\\@?# ") {
		http.Error(w, "This server answers over https only, and the request does not say which host it is for.", http.StatusBadRequest)
		return
	}
	// The client may stop sending at any time.
	_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxRedirectBody))
	target := "https://" + d.httpsAuthority(host)
	if r.Header.Get("Authorization") != "" || r.URL.Query().Has("session") {
		http.Error(w, fmt.Sprintf("This server answers over https only: use %s. The token or password of this request was sent without encryption, so others may know it now; replace it.", target), http.StatusForbidden)
		return
	}
	if r.Header.Get("X-Trento-Apikey") != "" {
		d.reportAgent(r.RemoteAddr, target)
	}
	path := r.URL.RequestURI()
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	w.Header().Set("Location", target+path)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// httpsAuthority returns host and port of https for an address.
func (d *redirector) httpsAuthority(host string) string {
	switch {
	case d.port != 443:
		return net.JoinHostPort(host, strconv.Itoa(d.port))
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// reportAgent logs that an agent sends its reports without TLS, at most once an
// hour.
func (d *redirector) reportAgent(address, target string) {
	d.mutex.Lock()
	due := time.Since(d.lastLogged) >= agentLogInterval
	if due {
		d.lastLogged = time.Now()
	}
	d.mutex.Unlock()
	if due {
		d.log.Warn("agents send the API key and their reports without encryption, and are redirected; change server-url in their configuration",
			"address", address, "server-url", target)
	}
}

// listenForRedirects opens the port for requests without TLS, if there is one.
func (s *server) listenForRedirects() error {
	if s.config.HTTPRedirectPort == nil {
		return nil
	}
	l, err := s.listenOn("HTTP_REDIRECT_PORT", *s.config.HTTPRedirectPort)
	if err == nil {
		limits := s.connectionLimits()
		limits.Total = min(limits.Total, maxRedirects)
		s.redirectListener = connection.Limit(l, limits, s.log)
	}
	return err
}

// openRedirects makes the server for requests without TLS.
func (s *server) openRedirects() {
	if s.redirectListener == nil {
		return
	}
	s.redirects = s.newHTTPServer(s.certificate.AnswerChallenges(&redirector{port: s.port(), log: s.log}))
	s.redirects.ConnState = s.redirectListener.ConnState
}
