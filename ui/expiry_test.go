package ui

import (
	"net/http"
	"strings"
	"testing"
)

// TestSameDayEverywhere checks that an expiry has the same date in every time
// zone of a reader: in the dialog, on the page that shows the token, in the
// lists and in the API.
func TestSameDayEverywhere(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Etc/UTC", "America/New_York", "Pacific/Kiritimati"} {
		f := peopleFixture(t) // 20 August
		f.post("plain", "/profile", "fullname", "plain", "email", "plain@example.com", "timezone", zone)
		const day = "23 Aug 2026"
		if words := f.do(call{target: "/expiry?expiry=in&number=3&unit=days", as: "plain"}).Body.String(); !strings.HasPrefix(words, "It will expire on "+day+", 23:59:59 UTC") || strings.Contains(words, zone) != (zone != "Etc/UTC") {
			t.Errorf("%s: the dialog says %q", zone, words)
		}
		status, _, _ := f.post("plain", "/profile/tokens/new", "name", "ci", "access", "full", "expiry", "in", "number", "3", "unit", "days")
		if status != http.StatusSeeOther {
			t.Fatalf("%s: status %d", zone, status)
		}
		page := f.page(t, "/profile", "plain")
		has("#secret-dialog", "It expires on "+day+", 23:59:59 UTC").check(t, page)
		has("#tokens tbody", "Expires: "+day+" UTC").check(t, page)
		has("#tokens tbody", "Expires: "+day+" UTC").check(t, f.page(t, editPath(f.userNow("plain").ID, "edit"), "mary"))
		has(".col-expires", day+" UTC").check(t, f.page(t, "/tokens", "mary"))
		if list := f.do(call{target: "/api/v1/profile/tokens", as: "plain"}).Body.String(); !strings.Contains(list, `"expires_at":"2026-08-23T23:59:59`) {
			t.Errorf("%s: the API says %s", zone, list)
		}
	}
}
