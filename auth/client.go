package auth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// ClientAddress is the address a request comes from: the peer of the
// connection, or what trusted proxies say about it. Each proxy appends to
// X-Forwarded-For whom it has spoken with, so from the right the first
// address that is no trusted proxy is the last one that is proven. The zero
// address stands for a connection without one.
func (a *Auth) ClientAddress(r *http.Request) netip.Addr {
	client, _ := a.client(r)
	return client
}

// IsHTTPS reports whether the client uses HTTPS, with us or with the trusted
// proxy in front of us.
func (a *Auth) IsHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	client, proxies := a.client(r)
	if proxies == 0 && !a.trusted(client) {
		return false
	}
	// Proxies append schemes as they append addresses: the scheme that the
	// outermost trusted proxy has seen counts. Proxies that replace the header
	// leave one value.
	schemes := headerList(r, "X-Forwarded-Proto")
	if len(schemes) == 0 {
		return false
	}
	return strings.EqualFold(schemes[max(0, len(schemes)-max(1, proxies))], "https")
}

// client returns the address of the client, and the number of trusted proxies
// between it and us.
func (a *Auth) client(r *http.Request) (client netip.Addr, proxies int) {
	client = parsePeer(r.RemoteAddr)
	forwarded := headerList(r, "X-Forwarded-For")
	for i := len(forwarded) - 1; i >= 0 && a.trusted(client); i-- {
		next := parsePeer(forwarded[i])
		if !next.IsValid() {
			break
		}
		client = next
		proxies++
	}
	return client, proxies
}

// maxUntrustedProxies limits how many addresses are reported. Anybody can send
// the headers of a proxy.
const maxUntrustedProxies = 5

// untrustedProxies are addresses that have sent forwarding headers without
// being listed in TRUSTED_PROXIES.
type untrustedProxies struct {
	mu   sync.Mutex
	seen []netip.Addr
	full atomic.Bool
}

// logUntrustedProxy logs a warning, once for each address, that it forwards
// requests but is not trusted. All its clients count as one address, so they
// slow each other's sign-ins down.
func (a *Auth) logUntrustedProxy(r *http.Request) {
	if a.untrusted.full.Load() || len(headerList(r, "X-Forwarded-For"))+len(headerList(r, "Forwarded")) == 0 {
		return
	}
	peer := parsePeer(r.RemoteAddr)
	if !peer.IsValid() || a.trusted(peer) {
		return
	}
	a.untrusted.mu.Lock()
	defer a.untrusted.mu.Unlock()
	if slices.Contains(a.untrusted.seen, peer) || len(a.untrusted.seen) == maxUntrustedProxies {
		return
	}
	a.untrusted.seen = append(a.untrusted.seen, peer)
	a.untrusted.full.Store(len(a.untrusted.seen) == maxUntrustedProxies)
	a.log.Warn("requests are forwarded by an address that is not trusted, so all who come through it count as one. If it is your reverse proxy, set TRUSTED_PROXIES",
		"address", peer, "set", "TRUSTED_PROXIES="+peer.String())
}

// UntrustedProxies returns addresses that forward requests without being listed
// in TRUSTED_PROXIES, at most maxUntrustedProxies of them.
func (a *Auth) UntrustedProxies() []netip.Addr {
	a.untrusted.mu.Lock()
	defer a.untrusted.mu.Unlock()
	return slices.Clone(a.untrusted.seen)
}

func (a *Auth) trusted(address netip.Addr) bool {
	for _, network := range a.proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// headerList returns the values of a header whose values are lists, as one
// list.
func headerList(r *http.Request, name string) []string {
	var list []string
	for _, value := range r.Header.Values(name) {
		for element := range strings.SplitSeq(value, ",") {
			if element = strings.TrimSpace(element); element != "" {
				list = append(list, element)
			}
		}
	}
	return list
}

// parsePeer reads an address with or without a port. It returns the zero
// address if the text is neither.
func parsePeer(text string) netip.Addr {
	if peer, err := netip.ParseAddrPort(text); err == nil {
		return peer.Addr().Unmap().WithZone("")
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}
