package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trento/store"
)

// TestFirstStepsOnDashboard checks that the dashboard shows a manager of a new
// server what to set up, until it is done or hidden, and nobody else.
func TestFirstStepsOnDashboard(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	const steps, manager = "#first-steps", "#first-steps a[href=/users/new]"
	hasNot(steps).check(t, f.page(t, "/", "plain"))
	page := f.page(t, "/", "admin")
	has(manager, "Create a second user manager").check(t, page)
	has(steps, "0 of 6 done").check(t, page)
	for _, link := range page.all("#first-steps a") {
		target, _ := attribute(link, "href")
		target, _, _ = strings.Cut(target, "#")
		if w := f.do(call{target: target, as: "admin"}); w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", target, w.Code)
		}
	}

	hide := func(show string) {
		t.Helper()
		if w := f.do(call{method: "POST", target: "/first_steps", as: "admin", form: url.Values{"show": {show}}}); w.Header().Get("Location") != "/" {
			t.Errorf("%d, %s", w.Code, w.Header())
		}
	}
	before := f.userNow("admin").LockVersion
	hide("no")
	page = f.page(t, "/", "admin")
	hasNot(manager).check(t, page)
	has("#first-steps button", "Show 6 next steps").check(t, page)
	hide("yes")
	has(manager, "Create a second user manager").check(t, f.page(t, "/", "admin"))
	if f.userNow("admin").LockVersion != before {
		t.Error("a form about the user that somebody else has open would be refused")
	}

	f.user("mary", 2)
	hasNot(manager).check(t, f.page(t, "/", "admin"))
	mary := f.userNow("mary")
	off := false
	if _, err := f.store.ChangeUser(t.Context(), store.System(), mary.ID, mary.LockVersion, store.UserChange{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	has(manager, "Create a second user manager").check(t, f.page(t, "/", "admin"))
}
