package ui

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// TestHealthOverTime checks the history of a host that was silent for an hour,
// on its page, as CSV and in the API, and the list of availabilities.
func TestHealthOverTime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.host(1, "hana01")
	path := "/hosts/" + string(hostID(1))
	if err := f.store.Heartbeat(t.Context(), hostID(1)); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Hour)
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Hour)
	if err := f.store.Heartbeat(t.Context(), hostID(1)); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Hour)

	body := f.do(call{target: path, as: "ada"}).Body.String()
	for _, want := range []string{"Health over time", "with 1 interruption of 1 h 0 min", "0.00 %", "Does not report", "from_date=custom", "24 hours"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if body := f.do(call{target: path + "?from=2026-01-02&to=2026-01-01", as: "ada"}).Body.String(); !strings.Contains(body, "has to begin before it ends") {
		t.Error("a period that ends before it begins is not told")
	}
	csv := strings.Split(f.do(call{target: path + "/health_history.csv", as: "ada"}).Body.String(), "\r\n")
	if len(csv) != 6 || !strings.HasSuffix(csv[3], ",3600,silent") || !strings.HasSuffix(csv[4], ",3600,unknown") {
		t.Errorf("CSV %q", csv)
	}
	for _, target := range []string{"/availability", "/availability.csv", "/availability/period.csv?from=" + f.store.Now().Format(time.DateOnly)} {
		if w := f.do(call{target: target, as: "ada"}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "hana01") {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	var history struct {
		Availability struct {
			Percent       *float64 `json:"available_percent"`
			Interruptions int      `json:"interruptions"`
			Longest       float64  `json:"longest_interruption_seconds"`
		} `json:"availability"`
		Intervals []struct{ State string } `json:"intervals"`
	}
	w := f.do(call{target: "/api/v1" + path + "/health_history", as: "ada"})
	if err := json.Unmarshal(w.Body.Bytes(), &history); err != nil {
		t.Fatal(err)
	}
	a := history.Availability
	if a.Percent == nil || *a.Percent != 0 || a.Interruptions != 1 || a.Longest != 3600 || len(history.Intervals) != 4 { // the first is the time before it was registered
		t.Errorf("history %s", w.Body)
	}
	if w := f.do(call{target: "/api/v1/availability?kind=host", as: "ada"}); !strings.Contains(w.Body.String(), `"hana01"`) {
		t.Errorf("availability %s", w.Body)
	}
	if w := f.do(call{target: "/api/v1/availability?kind=cluster", as: "ada"}); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("of clusters %s", w.Body)
	}
}

// testHealthOverTime chooses another period and opens the log at the time of a
// change, with the keyboard.
func testHealthOverTime(tab *tab) {
	tab.host(1, "hana01")
	tab.signedIn()
	tab.open("/hosts/" + string(hostID(1)))
	tab.in("#history").tabTo(aLink, "7 days")
	tab.press(kb.Enter)
	tab.until("document.querySelector('#history [aria-current]')?.textContent === '7 days'")
	tab.wants("document.querySelector('#history .strip').checkVisibility()", "true")
	tab.in("#history").tabTo(aMenu, "Changes")
	tab.press(kb.Enter)
	tab.in("#history tbody tr").tabTo(aLink, "Entries of that time")
	tab.press(kb.Enter)
	tab.until("location.pathname === '/activity_log' && new URLSearchParams(location.search).get('from_date') === 'custom'")
}
