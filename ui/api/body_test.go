package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// A text that is none is refused wherever a body or a query is read, by people
// and programs alike, and changes nothing.
func TestTextsThatAreNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	const user = `,"fullname":"B","email":"bob@example.com","password":"secret1223","password_confirmation":"secret1223","enabled":true}`
	before := len(f.entries())
	for name, text := range map[string]string{
		"a byte that is no UTF-8": "b\xffob", "a surrogate as UTF-8": "b\xed\xa0\x80ob", "a high surrogate": `b\ud800ob`, "a low surrogate": `b\uDC00ob`,
		"two high ones": `b\ud83d\ud83d`, "one after a backslash": `b\\\ud800`, "one at the end": `b\ud800`, "a wrong order": `\udc00\ud800`,
	} {
		for path, body := range map[string]string{
			"/api/v1/users":          `{"username":"` + text + `"` + user,
			"/api/v1/profile/tokens": `{"name":"` + text + `"}`,
			"/api/session":           `{"username":"` + text + `","password":"x"}`,
		} {
			if got := f.post("root", path, body); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"title":"Bad Request"`) {
				t.Errorf("%s at %s: %d %s", name, path, got.status, got.body)
			}
			if got := f.post(nobody, path, body); got.status != http.StatusBadRequest {
				t.Errorf("%s at %s from nobody: %d %s", name, path, got.status, got.body)
			}
		}
	}
	if after := len(f.entries()); after != before {
		t.Errorf("%d entries were logged", after-before)
	}
	f.post("root", "/api/v1/profile/tokens", `{"name":"\ud83d\ude80 \\ud800 \u00e4 \\"}`).expect(t, http.StatusCreated, "*")
	for _, query := range []string{"search=%ff", "search=%ED%A0%80", "%ff=x"} {
		if got := f.do(call{as: "root", method: "GET", path: "/api/v1/activity_log?" + query}); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, got.status)
		}
	}
}
