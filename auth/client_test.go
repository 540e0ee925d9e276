package auth

import (
	"net/netip"
	"testing"
)

func TestClient(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	tests := []struct {
		name      string
		peer      string
		forwarded []string
		proto     []string
		address   string
		secure    bool
	}{
		{"direct", "192.0.2.1:1234", nil, nil, "192.0.2.1", false},
		{"direct, forged", "192.0.2.1:1234", []string{"127.0.0.1"}, []string{"https"}, "192.0.2.1", false},
		{"direct IPv6", "[2001:db8::1]:1234", nil, nil, "2001:db8::1", false},
		{"direct, IPv4 in IPv6", "[::ffff:192.0.2.1]:1234", nil, nil, "192.0.2.1", false},
		{"direct, with a zone", "[fe80::1%eth0]:1234", nil, nil, "fe80::1", false},
		{"no address", "@", []string{"192.0.2.9"}, []string{"https"}, "invalid IP", false},
		{"one proxy", "10.0.0.1:1234", []string{"192.0.2.1"}, []string{"https"}, "192.0.2.1", true},
		{"one proxy, HTTP", "10.0.0.1:1234", []string{"192.0.2.1"}, []string{"http"}, "192.0.2.1", false},
		{"one proxy, no scheme", "10.0.0.1:1234", []string{"192.0.2.1"}, nil, "192.0.2.1", false},
		{"one proxy, scheme only", "10.0.0.1:1234", nil, []string{"HTTPS"}, "10.0.0.1", true},
		{"one proxy, IPv6", "[fd00::1]:1234", []string{"2001:db8::1"}, []string{"https"}, "2001:db8::1", true},
		{"one proxy, forged before it", "10.0.0.1:1234", []string{"127.0.0.1, 10.9.9.9, 192.0.2.1"}, []string{"https, http"}, "192.0.2.1", false},
		{"two headers are one list", "10.0.0.1:1234", []string{"127.0.0.1", "192.0.2.1"}, []string{"https", "http"}, "192.0.2.1", false},
		{"two proxies", "10.0.0.1:1234", []string{"192.0.2.1, 10.0.0.2"}, []string{"https, http"}, "192.0.2.1", true},
		{"two proxies, one scheme", "10.0.0.1:1234", []string{"192.0.2.1, 10.0.0.2"}, []string{"https"}, "192.0.2.1", true},
		{"two proxies, forged before them", "10.0.0.1:1234", []string{"127.0.0.1, 192.0.2.1, 10.0.0.2"}, []string{"https, http, http"}, "192.0.2.1", false},
		{"only proxies", "10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, nil, "10.0.0.3", false},
		{"with ports", "10.0.0.1:1234", []string{"[2001:db8::1]:5678, 10.0.0.2:80"}, nil, "2001:db8::1", false},
		{"in brackets", "10.0.0.1:1234", []string{"[2001:db8::1]"}, nil, "2001:db8::1", false},
		{"nonsense in between", "10.0.0.1:1234", []string{"192.0.2.1, unknown, 10.0.0.2"}, nil, "10.0.0.2", false},
		{"empty elements", "10.0.0.1:1234", []string{" ,192.0.2.1,, "}, []string{" , https ,"}, "192.0.2.1", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := get("/")
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.forwarded
			r.Header["X-Forwarded-Proto"] = test.proto
			if got := f.ClientAddress(r).String(); got != test.address {
				t.Errorf("ClientAddress() = %s, want %s", got, test.address)
			}
			if got := f.IsHTTPS(r); got != test.secure {
				t.Errorf("Secure() = %v, want %v", got, test.secure)
			}
		})
	}
	if !f.IsHTTPS(overTLS(get("/"))) {
		t.Error("TLS is not secure")
	}
}

// TestServerURL checks by which address a client asks.
func TestServerURL(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, tt := range []struct {
		name                            string
		peer, host                      string
		forwarded, proto, forwardedHost string
		want                            string
	}{
		{"direct", "192.0.2.1:1234", "trento:4000", "", "", "", "http://trento:4000"},
		{"direct IPv6", "192.0.2.1:1234", "[2001:db8::1]:4000", "", "", "", "http://[2001:db8::1]:4000"},
		{"direct, forged", "192.0.2.1:1234", "trento", "192.0.2.9", "https", "evil.example", "http://trento"},
		{"one proxy", "10.0.0.1:1234", "127.0.0.1:4000", "192.0.2.1", "https", "trento.example.com", "https://trento.example.com"},
		{"one proxy that keeps the host", "10.0.0.1:1234", "trento.example.com", "192.0.2.1", "https", "", "https://trento.example.com"},
		{"one proxy, host only", "10.0.0.1:1234", "127.0.0.1:4000", "", "", "trento.example.com:8080", "http://trento.example.com:8080"},
		{"one proxy, forged before it", "10.0.0.1:1234", "127.0.0.1:4000", "192.0.2.1", "https", "evil.example, trento.example.com", "https://trento.example.com"},
		{"two proxies", "10.0.0.1:1234", "127.0.0.1:4000", "192.0.2.1, 10.0.0.2", "https, http", "trento.example.com, inner", "https://trento.example.com"},
		{"a host with a path", "10.0.0.1:1234", "trento", "192.0.2.1", "https", "trento.example.com/x", ""},
		{"a host with a user", "10.0.0.1:1234", "trento", "192.0.2.1", "https", "trento@evil.example", ""},
		{"no host", "192.0.2.1:1234", "", "", "", "", ""},
	} {
		r := get("/")
		r.RemoteAddr, r.Host = tt.peer, tt.host
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		r.Header.Set("X-Forwarded-Host", tt.forwardedHost)
		if got := f.ServerURL(r); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestIsReadable checks whose connections others on the network can read.
func TestIsReadable(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, tt := range []struct {
		peer, forwarded, proto string
		want                   bool
	}{
		{"192.0.2.1:1234", "", "", true},
		{"192.0.2.1:1234", "127.0.0.1", "https", true}, // forged
		{"127.0.0.1:1234", "", "", false},
		{"[::1]:1234", "", "", false},
		{"10.0.0.1:1234", "192.0.2.1", "https", false},
		{"10.0.0.1:1234", "192.0.2.1", "http", true},
	} {
		r := get("/")
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-For", tt.forwarded)
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		if got := f.IsReadable(r); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
		if f.IsReadable(overTLS(r)) {
			t.Errorf("%+v, with TLS: true", tt)
		}
	}
}
