package landscape

import (
	"cmp"
	"net/netip"
)

// Site returns where a host runs: its availability zone, or its region if the
// provider reports no zone. Agents report no place for hosts outside of a
// public cloud. Their site is the network of their first address, because data
// centres rarely share a network. It is "" if neither is known.
func (h *Host) Site() string {
	if c := h.Cloud; c != nil {
		switch {
		case c.Azure != nil:
			return emptyIfNil(c.Azure.Location)
		case c.AWS != nil:
			return cmp.Or(emptyIfNil(c.AWS.AvailabilityZone), emptyIfNil(c.AWS.Region))
		case c.GCP != nil:
			return emptyIfNil(c.GCP.Zone)
		case c.IsPublic():
			return ""
		}
	}
	return h.network()
}

// IsPublic reports whether the platform is a public cloud, which describes its
// machines.
func (c *Cloud) IsPublic() bool {
	return c != nil && (c.Provider == "azure" || c.Provider == "aws" || c.Provider == "gcp")
}

// sitePrefixBits is the size of the network of an address whose own network is
// unknown or a single host.
const sitePrefixBits = 24

// network returns the network of the first address that other hosts can reach;
// "" if there is none.
func (h *Host) network() string {
	for _, a := range h.Addresses {
		if !a.IP.IsValid() || a.IP.IsLoopback() || a.IP.IsLinkLocalUnicast() {
			continue
		}
		bits := sitePrefixBits
		if a.Prefix != nil && *a.Prefix > 0 && *a.Prefix < a.IP.BitLen()-1 {
			bits = *a.Prefix
		}
		return netip.PrefixFrom(a.IP, bits).Masked().String()
	}
	return ""
}
