package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trento/store"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	page := f.page(t, "/profile", "plain")
	for _, e := range []element{
		has("h1", "Profile"), has("[name=username][readonly][value=plain]", ""), has("[name=email][value=plain@example.com]", ""), has("[role=switch][aria-checked=false]", ""),
		has("#signing-in", "Display only"), has("#sessions [aria-current=true]", "This session"), has("#tokens", "No keys issued."), has("#zones option[value=Europe/Berlin]", ""),
		hasNot("dialog[open]"),
	} {
		e.check(t, page)
	}
	status, page, _ := f.post("plain", "/profile", "fullname", "", "email", "nonsense", "timezone", "Europe/Berlin")
	if status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", status)
	}
	if faults := page.texts(".field-error"); len(faults) != 2 {
		t.Errorf("%q", faults)
	}
	has("[name=timezone][value=Europe/Berlin]", "").check(t, page)
	has("[name=email][value=nonsense][aria-invalid=true]", "").check(t, page)
	has("#profile-form[data-dirty]", "").check(t, page)
	// Another address takes the password.
	jane := []string{"fullname", "Plain Jane", "email", "jane@example.com", "timezone", "Europe/Berlin"}
	status, page, _ = f.post("plain", "/profile", jane...)
	if status != http.StatusOK || f.userNow("plain").Email != "plain@example.com" {
		t.Errorf("without the password: status %d", status)
	}
	has("#confirmation", "Your address becomes jane@example.com.").check(t, page)
	has("#confirmation [name=email][value=jane@example.com]", "").check(t, page)
	status, page, _ = f.post("plain", "/profile", append(jane, "current_password", "wrong")...)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("with a wrong password: status %d", status)
	}
	has("#confirmation .field-error", "Is invalid").check(t, page)
	status, _, to := f.post("plain", "/profile", append(jane, "current_password", testPassword)...)
	if u := f.userNow("plain"); status != http.StatusSeeOther || to != "/profile" || u.Fullname != "Plain Jane" || u.Timezone != "Europe/Berlin" || u.Email != "jane@example.com" {
		t.Errorf("status %d, to %s, %+v", status, to, u)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	other := f.signInAs("plain")
	has("#password-dialog [name=current_password]", "").check(t, f.page(t, "/profile/password", "plain"))
	for _, tt := range []struct{ current, password, confirmation, fault string }{
		{"", "Kx9!secretafgh", "Kx9!secretafgh", "Required field"},
		{"wrong", "Kx9!secretafgh", "Kx9!secretafgh", "Is invalid"},
		{testPassword, "short", "short", "Should be at least 8 character(s)"},
		{testPassword, "Kx9!secretafgh", "other", "Does not match confirmation"},
	} {
		status, page, _ := f.post("plain", "/profile/password", "current_password", tt.current, "password", tt.password, "password_confirmation", tt.confirmation)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%v: status %d", tt, status)
		}
		has("#password-dialog .field-error", tt.fault).check(t, page)
		for _, field := range page.all("#password-dialog input[type=password]") {
			if value, _ := attribute(field, "value"); value != "" {
				t.Error("a password is sent back")
			}
		}
	}
	has(".site-banner", "Password change is recommended.").check(t, f.page(t, "/profile", "plain"))
	status, _, to := f.post("plain", "/profile/password", "current_password", testPassword, "password", "Kx9!secretafgh", "password_confirmation", "Kx9!secretafgh")
	if status != http.StatusSeeOther || to != "/profile" {
		t.Fatalf("status %d, to %s", status, to)
	}
	hasNot(".site-banner").check(t, f.page(t, "/profile", "plain"))
	if w := f.do(call{target: "/hosts", cookies: []*http.Cookie{other}}); w.Code != http.StatusSeeOther {
		t.Errorf("the other session lives on: status %d", w.Code)
	}
}

// signInAs signs a user in once more and returns the cookie.
func (f *fixture) signInAs(name string) *http.Cookie {
	f.t.Helper()
	w := f.do(call{method: "POST", target: "/session", form: url.Values{"username": {name}, "password": {testPassword}}})
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) == 0 {
		f.t.Fatalf("status %d", w.Code)
	}
	return w.Result().Cookies()[0]
}

// enroll sets up a second factor in the profile, and returns its secret.
func (f *fixture) enroll(name string) (secret string) {
	f.t.Helper()
	if status, _, to := f.post(name, "/profile/totp"); status != http.StatusSeeOther || to != "/profile/totp" {
		f.t.Fatalf("status %d, to %s", status, to)
	}
	secret = f.page(f.t.(*testing.T), "/profile/totp", name).texts("#totp-secret")[0]
	if status, _, to := f.post(name, "/profile/totp", "code", f.totpCode(secret)); status != http.StatusSeeOther || to != "/profile" {
		f.t.Fatalf("status %d, to %s", status, to)
	}
	return secret
}

func (f *fixture) totpCode(secret string) string {
	f.t.Helper()
	code, err := totp.GenerateCode(secret, f.clock.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	return code
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	if w := f.do(call{target: "/profile/totp", as: "plain"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/profile" {
		t.Errorf("nothing is pending: status %d", w.Code)
	}
	f.post("plain", "/profile/totp")
	page := f.page(t, "/profile/totp", "plain")
	has("#enroll", "Your new TOTP secret is:").check(t, page)
	has("[role=switch][disabled]", "").check(t, page)
	has("svg.qr path", "").check(t, page)
	secret := page.texts("#totp-secret")[0]
	status, page, _ := f.post("plain", "/profile/totp", "code", "000000")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("wrong code: status %d", status)
	}
	has(".field-error", "Totp code not valid for the enrollment procedure.").check(t, page)
	has("#totp-secret", secret).check(t, page)
	_, page, _ = f.post("plain", "/profile/totp", "code", "")
	has(".field-error", "Required field").check(t, page)
	if status, _, to := f.post("plain", "/profile/totp", "code", f.totpCode(secret)); status != http.StatusSeeOther || to != "/profile" {
		t.Fatalf("right code: status %d, to %s", status, to)
	}
	has("[role=switch][aria-checked=true]", "").check(t, f.page(t, "/profile", "plain"))
	has("#row-3 .col-second_factor", "Enabled").check(t, f.page(t, "/users", "mary"))

	has("#confirmation-title", "Disable TOTP").check(t, f.page(t, "/profile/totp/disable", "plain"))
	for _, wrong := range []string{"", "wrong"} {
		status, page, _ := f.post("plain", "/profile/totp/disable", "confirmed", "yes", "current_password", wrong)
		if status != http.StatusUnprocessableEntity || f.userNow("plain").TOTPEnabledAt == nil {
			t.Errorf("disabling with the password %q: status %d", wrong, status)
		}
		has("#confirmation .field-error", "").check(t, page)
	}
	if status, _, _ := f.post("plain", "/profile/totp/disable", "confirmed", "yes", "current_password", testPassword); status != http.StatusSeeOther {
		t.Errorf("disabling: status %d", status)
	}
	has("[role=switch][aria-checked=false]", "").check(t, f.page(t, "/profile", "plain"))
	if again := f.enroll("plain"); again == secret {
		t.Error("the second enrolment has the secret of the first")
	}
	u := f.userNow("plain")
	form := []string{"version", strconv.Itoa(u.LockVersion), "fullname", u.Fullname, "email", u.Email, "timezone", u.Timezone, "enabled", "true", "totp_enabled", "false"}
	_, page, _ = f.post("mary", editPath(u.ID, "edit"), form...)
	plan, _ := attribute(page.one("#confirmation button[name=confirmed]"), "value")
	has("#confirmation [name=current_password][form=user-form]", "").check(t, page)
	status, page, _ = f.post("mary", editPath(u.ID, "edit"), append(form, "confirmed", plan, "current_password", "wrong")...)
	if status != http.StatusUnprocessableEntity || f.userNow("plain").TOTPEnabledAt == nil {
		t.Errorf("with a wrong password of the manager: status %d", status)
	}
	has("#confirmation .field-error", "Is invalid").check(t, page)
	f.post("mary", editPath(u.ID, "edit"), append(form, "confirmed", plan, "current_password", testPassword)...)
	if f.userNow("plain").TOTPEnabledAt != nil {
		t.Error("who manages users cannot disable it")
	}
}

func TestSignInWithSecondFactor(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	secret := f.enroll("plain")
	w := f.do(call{method: "POST", target: "/session", form: url.Values{"username": {"plain"}, "password": {testPassword}, "request_path": {"/hosts?q=a"}}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/session/totp?request_path=%2Fhosts%3Fq%3Da" {
		t.Fatalf("status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	pending := w.Result().Cookies()
	if w := f.do(call{target: "/hosts", cookies: pending}); w.Code != http.StatusSeeOther {
		t.Fatalf("pending: /hosts answers %d", w.Code)
	}
	page := parseMarkup(t, f.do(call{target: w.Header().Get("Location"), cookies: pending}).Body.String())
	has("#totp-code[autocomplete=one-time-code][inputmode=numeric]", "").check(t, page)
	hasNot("[name=password]").check(t, page)
	has("a[href=/session/new?request_path=%2fhosts%3fq%3da]", "Back to sign in").check(t, page)
	code := func(text string) *httptest.ResponseRecorder {
		return f.do(call{method: "POST", target: "/session/totp", cookies: pending, form: url.Values{"code": {text}, "request_path": {"/hosts?q=a"}}})
	}
	for name, text := range map[string]string{"wrong": "000000", "the one that enabled it": f.totpCode(secret), "empty": ""} {
		w := code(text)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, w.Code)
		}
		page := parseMarkup(t, w.Body.String())
		has("[role=alert]", "Invalid credentials").check(t, page)
		has("#totp-code", "").check(t, page)
	}
	f.clock.pass(30 * time.Second)
	w = code(f.totpCode(secret))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/hosts?q=a" {
		t.Fatalf("right code: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	if w := f.do(call{target: "/hosts", cookies: w.Result().Cookies()[:1]}); w.Code != http.StatusOK {
		t.Errorf("signed in: /hosts answers %d", w.Code)
	}
	// Nobody gets to the code without the password.
	if w := f.do(call{target: "/session/totp"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/session/new" {
		t.Errorf("nothing pending: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	second, third := f.signInAs("plain"), f.signInAs("plain")
	in := func(c *http.Cookie) bool {
		return f.do(call{target: "/hosts", cookies: []*http.Cookie{c}}).Code == http.StatusOK
	}
	page := f.page(t, "/profile", "plain")
	ends := page.all("#sessions tbody form")
	if len(ends) != 2 || len(page.all("#sessions tbody tr")) != 3 {
		t.Fatalf("%d sessions can be ended", len(ends))
	}
	action, _ := attribute(ends[0], "action")
	if status, _, to := f.post("plain", action); status != http.StatusSeeOther || to != "/profile#sessions" {
		t.Errorf("status %d, to %s", status, to)
	}
	if in(second) == in(third) {
		t.Errorf("signed in still: %v, %v", in(second), in(third))
	}
	// The sessions of others are not to be ended by their name.
	var of []*store.Session
	if err := f.store.View(func(tx *store.Tx) (err error) { of, err = tx.Sessions(f.userNow("mary").ID); return err }); err != nil {
		t.Fatal(err)
	}
	f.post("plain", "/profile/sessions/"+of[0].ID+"/end")
	if f.do(call{target: "/hosts", as: "mary"}).Code != http.StatusOK {
		t.Error("somebody else was signed out")
	}
	f.post("plain", "/profile/sessions/end")
	if in(second) || in(third) || f.do(call{target: "/hosts", as: "plain"}).Code != http.StatusOK {
		t.Error("all other sessions, and no more, were to end")
	}
}
