package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// counted is a body that remembers how much of it was read.
type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.read += n
	return n, err
}

// TestStrangersAreNotReceived: of a body of somebody who has not proven that
// they may ask, no more than 64 KiB is read, and of a report nothing that is
// larger.
func TestStrangersAreNotReceived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	const small = 64 << 10
	for _, test := range []struct {
		name           string
		as, path       string
		key            string
		length         int64
		status, atMost int
	}{
		{"report with a wrong key", nobody, collectPath, "wrong", 8_000_000, 401, 0},
		{"report with a wrong key, length not known", nobody, collectPath, "wrong", -1, 401, small + 1},
		{"report without a key", nobody, collectPath, "", 1_000_000, 401, 0},
		{"report that is too large", nobody, collectPath, "wrong", 8_000_001, 413, 0},
		{"report of an agent", agent, collectPath, "", 8_000_000, 400, 8_000_001},
		{"sign-in", nobody, "/api/session", "", 1_000_000, 413, 0},
		{"sign-in, length not known", nobody, "/api/session", "", -1, 413, small + 1},
		{"refresh", nobody, "/api/session/refresh", "", small + 1, 413, 0},
		{"introspection", nobody, "/api/session/token/introspect", "", small + 1, 413, 0},
		{"tag of nobody", nobody, "/api/v1/hosts/" + agentID + "/tags", "", small + 1, 401, 0},
		{"tag of somebody who may not", "ann", "/api/v1/hosts/" + agentID + "/tags", "", small + 1, 403, 0},
		{"profile of a user", "ann", "/api/v1/profile/tokens", "", 1_000_000, 400, 1_000_001},
	} {
		r := call{as: test.as, method: http.MethodPost, path: test.path}.request(f)
		if test.key != "" {
			r.Header.Set("X-Trento-Apikey", test.key)
		}
		length := test.length
		if length < 0 {
			length = 10_000_000
		}
		sent := &counted{Reader: io.LimitReader(endless{}, length)}
		r.Body, r.ContentLength = io.NopCloser(sent), test.length
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		if w.Code != test.status || sent.read > test.atMost {
			t.Errorf("%s: status %d, %d bytes read; want %d and at most %d", test.name, w.Code, sent.read, test.status, test.atMost)
		}
	}
	// What is small enough is looked at as before: no JSON is a fault before all
	// others.
	if got := f.post(nobody, "/api/v1/hosts/"+agentID+"/tags", "{"+strings.Repeat(" ", 1000)); got.status != http.StatusBadRequest {
		t.Errorf("no JSON: %d", got.status)
	}
}
