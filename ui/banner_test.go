package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"trento/auth"
	"trento/store"
)

// TestDefaultAdminIsTold checks that at every sign-in a banner asks the default
// admin to create another user manager, until one exists.
func TestDefaultAdminIsTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	const told = "create the first user manager"
	page := f.page(t, "/about", "admin")
	has(".site-banner", told).check(t, page)
	has(".site-banner a[href=/users/new]", "Create a user manager").check(t, page)
	hasNot(".site-banner a[href=/users/new]").check(t, f.page(t, "/about", "plain"))

	button := page.all(".site-banner button[name=banner]")
	if len(button) != 1 {
		t.Fatalf("%d buttons", len(button))
	}
	id, _ := attribute(button[0], "value")
	away := f.do(call{method: "POST", target: "/banners/dismiss", as: "admin", form: url.Values{"banner": {id}, "return_to": {"/about"}}}).Result().Cookies()
	hasNot(".site-banner a[href=/users/new]").check(t, parseMarkup(t, f.do(call{target: "/about", as: "admin", cookies: away}).Body.String()))

	// The next sign-in.
	w := httptest.NewRecorder()
	if err := f.auth.SignInConsole(w, httptest.NewRequest(http.MethodPost, "/session", nil), &auth.Proof{User: f.userNow("admin"), Method: store.MethodPassword}); err != nil {
		t.Fatal(err)
	}
	f.cookies["admin"] = w.Result().Cookies()[0]
	has(".site-banner", told).check(t, parseMarkup(t, f.do(call{target: "/about", as: "admin", cookies: away}).Body.String()))

	f.user("mary", 2)
	hasNot(".site-banner a[href=/users/new]").check(t, f.page(t, "/about", "admin"))
	mary := f.userNow("mary")
	off := false
	if _, err := f.store.ChangeUser(t.Context(), store.System(), mary.ID, mary.LockVersion, store.UserChange{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	has(".site-banner", told).check(t, f.page(t, "/about", "admin"))
	if w := f.do(call{target: "/users/new", as: "admin"}); w.Code != http.StatusOK {
		t.Errorf("where it leads: %d", w.Code)
	}
}
