package landscape

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trento/store/landscape"
)

// TestOrderOfVersion checks that versions are ordered as compareVersions does.
func TestOrderOfVersion(t *testing.T) {
	version := rapid.Custom(func(t *rapid.T) string {
		number := rapid.SampledFrom([]string{"0", "1", "2", "9", "10", "11", "100"})
		text := number.Draw(t, "major") + "." + number.Draw(t, "minor")
		if rapid.Bool().Draw(t, "patched") {
			text += "." + number.Draw(t, "patch")
			if rapid.Bool().Draw(t, "early") {
				text += "-" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"0", "2", "10", "a", "ab", "a-b", "rc1"}), 1, 3).Draw(t, "parts"), ".")
			}
			text += rapid.SampledFrom([]string{"", "+git.1", "+x"}).Draw(t, "build")
		}
		return rapid.SampledFrom([]string{text, text, text, "", "unknown", "1..2"}).Draw(t, "text")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		if want, got := compareVersions(a, b), strings.Compare(orderOfVersion(a), orderOfVersion(b)); got != want {
			t.Fatalf("%q and %q: %d, want %d", a, b, got, want)
		}
	})
}

func TestOrderOfAddresses(t *testing.T) {
	last := ""
	for _, texts := range []string{"", "9.1.1.1", "10.1.1.1", "10.1.1.1 10.1.1.2", "10.1.1.20", "192.0.2.1", "2001:db8::1", "fe80::1"} {
		var addresses []landscape.Address
		for text := range strings.FieldsSeq(texts) {
			addresses = append(addresses, landscape.Address{IP: netip.MustParseAddr(text)})
		}
		order := orderOfAddresses(addresses)
		if last > order {
			t.Errorf("%s comes too late", texts)
		}
		last = order
	}
}
