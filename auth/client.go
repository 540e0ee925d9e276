package auth

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// ClientAddress returns the address that a request comes from: the peer of the
// connection or, behind trusted proxies, the address that they report. Each
// proxy appends the address of its own client to X-Forwarded-For. So the list
// is read from the right, up to the first address that is not a trusted proxy;
// whatever is left of it could be forged. It returns the zero address if the
// connection has none.
func (a *Auth) ClientAddress(r *http.Request) netip.Addr {
	client, _ := a.clientAndProxies(r)
	return client
}

// IsHTTPS reports whether the client uses HTTPS to connect to this server, or
// to the trusted proxy in front of it.
func (a *Auth) IsHTTPS(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	client, proxies := a.clientAndProxies(r)
	if proxies == 0 && !a.isTrustedProxy(client) {
		return false
	}
	// Proxies append schemes as they append addresses. The scheme that the
	// outermost trusted proxy has seen is the right one. Proxies that replace
	// the header leave only one value.
	schemes := headerList(r, "X-Forwarded-Proto")
	if len(schemes) == 0 {
		return false
	}
	return strings.EqualFold(schemes[max(0, len(schemes)-max(1, proxies))], "https")
}

// ServerURL returns the scheme and the host by which the client asks this
// server, or the trusted proxy in front of it, such as
// "https://trento.example.com". It is empty if the request names no host.
func (a *Auth) ServerURL(r *http.Request) string {
	scheme, host := "http", r.Host
	if a.IsHTTPS(r) {
		scheme = "https"
	}
	// As with schemes, the outermost trusted proxy has seen the right host.
	if hosts := headerList(r, "X-Forwarded-Host"); len(hosts) > 0 {
		client, proxies := a.clientAndProxies(r)
		if proxies > 0 || a.isTrustedProxy(client) {
			host = hosts[max(0, len(hosts)-max(1, proxies))]
		}
	}
	address := scheme + "://" + host
	if parsed, err := url.Parse(address); err != nil || host == "" || parsed.Host != host {
		return ""
	}
	return address
}

// IsFromTrustedProxy reports whether a request comes through a trusted proxy.
func (a *Auth) IsFromTrustedProxy(r *http.Request) bool {
	return a.isTrustedProxy(parsePeer(r.RemoteAddr))
}

// IsReadable reports whether others on the network can read what a client and
// this server send each other: the client does not use HTTPS, and is not on this
// machine.
func (a *Auth) IsReadable(r *http.Request) bool {
	return !a.IsHTTPS(r) && !a.ClientAddress(r).IsLoopback()
}

// clientAndProxies returns the address of the client, and the number of trusted proxies
// between the client and this server.
func (a *Auth) clientAndProxies(r *http.Request) (client netip.Addr, proxies int) {
	client = parsePeer(r.RemoteAddr)
	forwarded := headerList(r, "X-Forwarded-For")
	for i := len(forwarded) - 1; i >= 0 && a.isTrustedProxy(client); i-- {
		next := parsePeer(forwarded[i])
		if !next.IsValid() {
			break
		}
		client = next
		proxies++
	}
	return client, proxies
}

// maxUntrustedProxies limits how many addresses are reported, because anybody
// can send the headers of a proxy.
const maxUntrustedProxies = 5

// untrustedProxies are addresses that have sent forwarding headers without
// being listed in TRUSTED_PROXIES.
type untrustedProxies struct {
	mu        sync.Mutex
	addresses []netip.Addr
	isFull    atomic.Bool
}

// logUntrustedProxy logs a warning if an address forwards requests but is not
// trusted, once for each address. All clients of such a proxy count as one
// address, so they slow each other's sign-ins down.
func (a *Auth) logUntrustedProxy(r *http.Request) {
	if a.untrustedProxies.isFull.Load() || len(headerList(r, "X-Forwarded-For"))+len(headerList(r, "Forwarded")) == 0 {
		return
	}
	peer := parsePeer(r.RemoteAddr)
	if !peer.IsValid() || a.isTrustedProxy(peer) {
		return
	}
	a.untrustedProxies.mu.Lock()
	defer a.untrustedProxies.mu.Unlock()
	if slices.Contains(a.untrustedProxies.addresses, peer) || len(a.untrustedProxies.addresses) == maxUntrustedProxies {
		return
	}
	a.untrustedProxies.addresses = append(a.untrustedProxies.addresses, peer)
	a.untrustedProxies.isFull.Store(len(a.untrustedProxies.addresses) == maxUntrustedProxies)
	a.log.Warn("requests are forwarded by an address that is not trusted, so all who come through it count as one. If it is your reverse proxy, set TRUSTED_PROXIES",
		"address", peer, "set", "TRUSTED_PROXIES="+peer.String())
}

// UntrustedProxies returns addresses that forward requests without being listed
// in TRUSTED_PROXIES, at most maxUntrustedProxies of them.
func (a *Auth) UntrustedProxies() []netip.Addr {
	a.untrustedProxies.mu.Lock()
	defer a.untrustedProxies.mu.Unlock()
	return slices.Clone(a.untrustedProxies.addresses)
}

func (a *Auth) isTrustedProxy(address netip.Addr) bool {
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
