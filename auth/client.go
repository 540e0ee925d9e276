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

// IsHTTPS reports whether the client speaks HTTPS, with us or with the trusted
// proxy in front.
func (a *Auth) IsHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	client, proxies := a.client(r)
	if proxies == 0 && !a.trusted(client) {
		return false
	}
	// Like the addresses, the schemes were appended one by one: the one that
	// matters is what the outermost trusted proxy has seen. Proxies that
	// replace the header instead leave one value.
	schemes := headerList(r, "X-Forwarded-Proto")
	if len(schemes) == 0 {
		return false
	}
	return strings.EqualFold(schemes[max(0, len(schemes)-max(1, proxies))], "https")
}

// client returns the address of the client and how many trusted proxies stand
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

// maxUntrustedProxies bounds how many are told: who sends the headers of a
// proxy need not be one.
const maxUntrustedProxies = 5

// untrustedProxies are the addresses that forwarding headers came from and
// that TRUSTED_PROXIES does not name.
type untrustedProxies struct {
	mu   sync.Mutex
	seen []netip.Addr
	full atomic.Bool
}

// noticeProxy says once for an address that it forwards requests and is not
// believed: all who come through it share its address, and slow each other
// down when they sign in.
func (a *Auth) noticeProxy(r *http.Request) {
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

// UntrustedProxies are addresses that forward requests without being named as
// proxies, a few at most.
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

// headerList is a header whose values are lists, as one list.
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

// parsePeer reads an address with or without a port; the zero address is what
// cannot be read.
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
