package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"trento/ui/account"
)

// TestLastChangeOfSettings checks that the page of a subject says who changed it
// last, to those who may see the entry in the activity log.
func TestLastChangeOfSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 16, 17) // all:activity_logs_settings, activity_log:users
	f.user("plain")
	f.user("root", 1)
	const path = "/settings/activity_log"
	hasNot("#last-change").check(t, f.page(t, path, "keeper"))
	for n, months := range []string{"2", "6"} {
		f.clock.pass(time.Duration(n) * time.Hour)
		if w := f.do(call{method: "POST", target: path + "/edit", as: "keeper", form: url.Values{"value": {months}, "unit": {"month"}}}); w.Code != http.StatusSeeOther {
			t.Fatalf("status %d", w.Code)
		}
	}
	page := f.page(t, path, "root")
	has("#last-change", "Changed by keeper").check(t, page)
	has("#last-change time", f.clock.Now().UTC().Format("2 Jan 2006, 15:04")).check(t, page)
	link, _ := attribute(page.one("#last-change a"), "href")
	has("#entry", "Activity log settings were updated").check(t, f.page(t, link, "root"))
	has("#entry", "6").check(t, f.page(t, link, "root"))
	others := f.page(t, path, "plain")
	has("#last-change", "Changed by ").check(t, others)
	if text := strings.Join(others.texts("#last-change"), ""); strings.Contains(text, "keeper") {
		t.Errorf("somebody who may not see names reads: %s", text)
	}
	hasNot("#last-change").check(t, f.page(t, "/settings/tokens", "root"))
}

// TestSettingsShowWhatIsPermitted checks that the overview lists exactly the
// subjects whose page a reader may open.
func TestSettingsShowWhatIsPermitted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", 1)
	f.user("plain")
	f.user("keeper", 16)
	f.user("manager", 2)
	seen := make(map[string]int)
	for _, as := range []string{"root", "plain", "keeper", "manager"} {
		overview := f.page(t, "/settings", as)
		for _, x := range account.Subjects() {
			listed := len(overview.all("#subjects a[href="+x.URL+"]")) > 0
			status := f.do(call{target: x.URL, as: as}).Code
			if listed != (status == http.StatusOK) || !listed && status != http.StatusForbidden {
				t.Errorf("%s, as %s: listed %v, status %d", x.URL, as, listed, status)
			}
			if listed {
				seen[as]++
			}
		}
	}
	if seen["root"] != len(account.Subjects()) || seen["plain"] >= seen["keeper"] || seen["plain"] >= seen["manager"] {
		t.Errorf("subjects by reader: %v", seen)
	}
}
