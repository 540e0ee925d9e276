package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRedirector checks where requests without TLS are sent.
func TestRedirector(t *testing.T) {
	for _, tt := range []struct {
		name, method, host, target string
		port                       int
		header                     http.Header
		status                     int
		want                       string // location, or part of the answer
	}{
		{name: "page", host: "trento.example.com", target: "/hosts?q=a%20b", port: 443, status: 307, want: "https://trento.example.com/hosts?q=a%20b"},
		{name: "other port", host: "trento.example.com:80", target: "/", port: 4000, status: 307, want: "https://trento.example.com:4000/"},
		{name: "IPv6", host: "[fd00::5]:80", target: "/", port: 443, status: 307, want: "https://[fd00::5]/"},
		{name: "IPv6, other port", host: "[fd00::5]", target: "/", port: 4000, status: 307, want: "https://[fd00::5]:4000/"},
		{name: "report of an agent", method: "POST", host: "trento", target: "/api/v1/collect", port: 443, header: http.Header{"X-Trento-Apikey": {"k"}}, status: 307, want: "https://trento/api/v1/collect"},
		{name: "two slashes", host: "trento", target: "//evil.example.com/", port: 443, status: 307, want: "https://trento//evil.example.com/"},
		{name: "asterisk", method: "OPTIONS", host: "trento", target: "*", port: 443, status: 307, want: "https://trento/"},
		{name: "token", host: "trento", target: "/api/v1/hosts", port: 443, header: http.Header{"Authorization": {"Bearer x"}}, status: 403, want: "https only: use https://trento."},
		{name: "token in the address", host: "trento", target: "/api/v1/hosts?session=x", port: 443, status: 403, want: "replace it"},
		{name: "no host", target: "/", port: 443, status: 400, want: "which host"},
		{name: "strange host", host: "a/b", target: "/", port: 443, status: 400, want: "which host"},
		{name: "user in the host", host: "a@b", target: "/", port: 443, status: 400, want: "which host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			d := &redirector{port: tt.port, log: slog.New(slog.NewTextHandler(&log, nil))}
			method := tt.method
			if method == "" {
				method = "GET"
			}
			r := httptest.NewRequest(method, tt.target, strings.NewReader(strings.Repeat("x", 1<<20)))
			r.Host = tt.host
			if tt.header != nil {
				r.Header = tt.header
			}
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			got := w.Header().Get("Location")
			if w.Code != tt.status || w.Code == 307 && got != tt.want || w.Code != 307 && (got != "" || !strings.Contains(w.Body.String(), tt.want)) {
				t.Errorf("%d to %q: %s", w.Code, got, w.Body)
			}
			if n, _ := r.Body.Read(make([]byte, 1)); n > 0 && w.Code != 400 {
				t.Error("the body was not read")
			}
			d.ServeHTTP(httptest.NewRecorder(), r)
			if warned := strings.Count(log.String(), "change server-url"); warned > 1 || (warned == 1) != (tt.header.Get("X-Trento-Apikey") != "") {
				t.Errorf("%d warnings:\n%s", warned, &log)
			}
		})
	}
}
