package ui

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAges: the script of a page learns what an age reads, and for how long.
func TestAges(t *testing.T) {
	f := newFixture(t)
	f.user("ada")
	at := func(age time.Duration) string { return f.clock.Now().Add(-age).UTC().Format(time.RFC3339Nano) }
	w := f.do(call{target: "/ages?since=" + at(0) + "&since=" + at(61*time.Second) + "&since=" + at(25*time.Hour), as: "ada"})
	if want := `[{"words":"just now","seconds":60},{"words":"1 min ago","seconds":59},{"words":"1 day ago","seconds":82800}]`; w.Body.String() != want {
		t.Errorf("%d: %s, want %s", w.Code, w.Body, want)
	}
	if w := f.do(call{target: "/ages", as: "ada"}); w.Body.String() != "[]" {
		t.Errorf("nothing asked: %s", w.Body)
	}
	for target, want := range map[string]int{
		"/ages?since=yesterday": http.StatusUnprocessableEntity, "/ages?" + strings.Repeat("since=2026-01-01T00:00:00Z&", 201): http.StatusRequestURITooLong,
	} {
		if w := f.do(call{target: target, as: "ada"}); w.Code != want {
			t.Errorf("%.30s: status %d, want %d", target, w.Code, want)
		}
	}
	if w := f.do(call{target: "/ages?since=" + at(0)}); w.Code == http.StatusOK {
		t.Error("a stranger is answered")
	}
}
