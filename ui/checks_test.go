package ui

import (
	"net/http"
	"testing"

	"trento/store/finding"
)

// testFindings are one finding of each urgency.
var testFindings = []finding.Finding{
	{Urgency: finding.Urgent, Area: "Clock", What: "It is <wrong>.", Why: "Second factors fail.", Mend: "systemctl enable --now chronyd"},
	{Urgency: finding.Warning, Area: "Backups", What: "There are none.", Why: "All is lost.", Mend: "BACKUP_DIR", Page: "/settings/backup"},
}

// TestChecks checks that About shows what is wrong with this installation, to
// those who change settings, and that a support bundle can be downloaded by
// those with all permissions.
func TestChecks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.user("setter", 14)
	f.user("admin", 1)
	has("#checks", "Nothing is wrong. 2 things were examined: Backups, Clock.").check(t, f.page(t, "/about", "setter"))
	f.findings = testFindings
	shown := f.page(t, "/about", "setter")
	for _, e := range []element{
		has("#checks .critical", "Urgent"), has("#checks strong", "It is <wrong>."), has("#checks code", "systemctl enable --now chronyd"),
		has("#checks .warning", "Warning"), has("#checks a[href=/settings/backup]", "Show Backups"), has("#checks details li", "Firewall: not looked at."), has("#checks button", "Check Again"),
		has("#support-refused", "all:all"), has("#support button[disabled]", "Download Support Bundle"),
	} {
		e.check(t, shown)
	}
	hasNot("#checks").check(t, f.page(t, "/about", "ada"))
	hasNot("#support").check(t, f.page(t, "/about", "ada"))
	hasNot("#support button[disabled]").check(t, f.page(t, "/about", "admin"))

	for as, want := range map[string]int{"setter": http.StatusSeeOther, "ada": http.StatusForbidden} {
		w := f.do(call{method: "POST", target: "/about/checks", as: as})
		if w.Code != want || want == http.StatusSeeOther && w.Header().Get("Location") != "/about#checks" {
			t.Errorf("%s checks again: status %d, %v", as, w.Code, w.Header())
		}
	}
	for as, want := range map[string]int{"admin": http.StatusOK, "setter": http.StatusForbidden, "ada": http.StatusForbidden} {
		w := f.do(call{method: "POST", target: "/about/support", as: as})
		if w.Code != want || want == http.StatusOK && (w.Body.String() != "bundle" || w.Header().Get("Content-Type") != "application/gzip") {
			t.Errorf("%s makes a bundle: status %d, %v", as, w.Code, w.Header())
		}
	}
	has(".message", "Support bundle was made").check(t, parseMarkup(t, f.do(call{target: "/activity_log?type=support_bundle_creation", as: "admin"}).Body.String()))
}
