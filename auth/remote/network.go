// Package remote tells what is known of those at the other end of connections:
// which of their addresses count as one, and from which they were refused.
package remote

import "net/netip"

// ipv6ClientBits is the prefix length within which IPv6 addresses count as one
// client, because a host usually has all addresses of its network.
const ipv6ClientBits = 64

// NetworkOf returns the network that counts as one client: a single IPv4
// address, or an IPv6 network. All without an address count as one, and have the
// zero Prefix.
func NetworkOf(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = ipv6ClientBits
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
