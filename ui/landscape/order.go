package landscape

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/mod/semver"

	"trento/store/landscape"
)

// orderOfAddresses returns a text whose byte order is that of lists of
// addresses: numerically, IPv4 before IPv6.
func orderOfAddresses(addresses []landscape.Address) string {
	var order strings.Builder
	for _, a := range addresses {
		family := '6'
		if a.IP.Is4() {
			family = '4'
		}
		fmt.Fprintf(&order, "%c%x", family, a.IP.AsSlice())
	}
	return order.String()
}

// orderOfSite returns a text whose byte order is that of sites: networks
// numerically, then names.
func orderOfSite(site string) string {
	network, err := netip.ParsePrefix(site)
	if err != nil {
		return "~" + strings.ToLower(site) + "\x00" + site
	}
	return orderOfAddresses([]landscape.Address{{IP: network.Addr()}}) + fmt.Sprintf("/%03d", network.Bits())
}

// orderOfVersion returns a text whose byte order is that of compareVersions.
func orderOfVersion(version string) string {
	v := "v" + version
	if !semver.IsValid(v) {
		return "0" + version
	}
	numbers, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(semver.Canonical(v), semver.Prerelease(v)), "v"), "-")
	var order strings.Builder
	order.WriteByte('1')
	for number := range strings.SplitSeq(numbers, ".") {
		order.WriteString(orderOfDigits(number))
	}
	if before := semver.Prerelease(v); before == "" {
		order.WriteByte('~') // a release comes after the versions before it
	} else {
		for part := range strings.SplitSeq(before[1:], ".") {
			if strings.Trim(part, "0123456789") == "" {
				part = "0" + orderOfDigits(part)
			} else {
				part = "1" + part
			}
			order.WriteString(part + "\x01")
		}
	}
	return order.String() + "\x00" + version
}

// orderOfDigits returns a text whose byte order is that of whole numbers
// without leading zeros.
func orderOfDigits(digits string) string { return fmt.Sprintf("%03d", len(digits)) + digits }
