package ui

import (
	"net/http"
	"net/url"
	"testing"
)

// TestTextsThatAreNone checks that a form or an address with invalid UTF-8 is
// refused as a whole.
func TestTextsThatAreNone(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	w := f.do(call{method: "POST", target: "/profile", as: "mary", form: url.Values{"fullname": {"M\xff"}, "email": {"m@example.com"}, "timezone": {"Etc/UTC"}}})
	if w.Code != http.StatusBadRequest || f.userNow("mary").Fullname == "M\ufffd" {
		t.Errorf("form: status %d", w.Code)
	}
	for _, target := range []string{"/hosts?q=%ff", "/activity_log?search=%ed%a0%80", "/session/new?request_path=%ff"} {
		if w := f.do(call{target: target, as: "mary"}); w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
}
