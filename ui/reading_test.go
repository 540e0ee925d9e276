package ui

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestOneRead checks that a page is made with one transaction, from the session
// to the frame, so that nothing on it contradicts anything else.
func TestOneRead(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.indexed()
	f.user("mary", 1)
	f.issue("mary", "name", "ci")
	user := f.userNow("mary")
	names := strings.NewReplacer(
		"/users/{id}", "/users/"+strconv.FormatInt(user.ID, 10), "/hosts/{id}", "/hosts/"+string(hostID(1)), "/databases/{id}", "/databases/"+string(prdID),
		"/sap_systems/{id}", "/sap_systems/"+string(nwpID), "/clusters/{id}", clusterPath("hana"), "{host}", string(hostID(1)), "{number}", "00",
		"{token}", f.tokensNow("mary")[0].ID, "{id}", "x", "{session}", "x",
	)
	asked := 0
	for _, route := range f.server(t).routes() {
		target := names.Replace(route.Path)
		if r, _ := http.NewRequest(http.MethodGet, target, nil); route.Method != http.MethodGet || needsOwnReads(r) {
			continue
		}
		asked++
		before := f.store.Views()
		w := f.do(call{target: target, as: "mary"})
		if n := f.store.Views() - before; n != 1 || w.Code >= http.StatusInternalServerError {
			t.Errorf("%s (%d): %d reads", target, w.Code, n)
		}
	}
	for _, target := range []string{"/activity_log?search=hana01", "/hosts?page=7", "/nothing", "/search?q=hana", "/activity_log?severity=debug&first=50"} {
		before := f.store.Views()
		w := f.do(call{target: target, as: "mary"})
		if n := f.store.Views() - before; n != 1 || w.Code >= http.StatusInternalServerError {
			t.Errorf("%s (%d): %d reads", target, w.Code, n)
		}
	}
	if asked < 40 {
		t.Errorf("only %d pages were asked for", asked)
	}
}
