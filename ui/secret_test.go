package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
)

// TestSecretStays checks that a token is shown until its owner confirms that it
// is stored: to nobody else, and never afterwards.
func TestSecretStays(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	elsewhere := f.signInAs("plain")
	f.post("plain", "/profile/tokens/new", "name", "ci", "access", "full", "expiry", "never")
	page := f.page(t, "/profile", "plain")
	text := page.texts("#secret-text")
	if len(text) != 1 || !strings.HasPrefix(text[0], "trento_pat_") {
		t.Fatalf("shown %q", text)
	}
	has("#secret-dialog[closedby=none][data-stays]", "It never expires").check(t, page)
	hasNot("#secret-dialog [data-close]").check(t, page)
	f.page(t, "/hosts", "plain")
	for range 2 {
		if again := f.page(t, "/profile", "plain").texts("#secret-text"); len(again) != 1 || again[0] != text[0] {
			t.Fatalf("shown again: %q", again)
		}
	}
	has(".site-banner", "The new token “ci” waits to be stored by you.").check(t, f.page(t, "/hosts", "plain"))
	if notices := f.page(t, "/profile", "plain").texts(".site-banner"); len(notices) != 1 { // the one about the password
		t.Errorf("on the page that shows it: %q", notices)
	}
	for who, cookie := range map[string]*http.Cookie{"another session": elsewhere, "another user": f.cookies["mary"]} {
		if body := f.do(call{target: "/profile", cookies: []*http.Cookie{cookie}}).Body.String(); strings.Contains(body, text[0]) || strings.Contains(body, "waits to be stored") {
			t.Errorf("%s sees it", who)
		}
	}
	// Nothing says that it was copied, so it is asked first.
	status, page, _ := f.post("plain", "/profile/tokens/shown", "stored", "")
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	has("#secret-dialog [role=alert]", "the token was neither copied nor downloaded").check(t, page)
	has("#secret-dialog button[name=stored][value=yes]", "Close it for good").check(t, page)
	has("#secret-text", text[0]).check(t, f.page(t, "/profile", "plain"))
	if status, _, _ := f.post("plain", "/profile/tokens/shown", "stored", "yes"); status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
	hasNot("#secret-dialog").check(t, f.page(t, "/profile", "plain"))
	if strings.Contains(f.log.String(), text[0][11:]) {
		t.Error("the token is in the log")
	}
}

// TestSecretGoes checks that a secret that is not valid any more is not shown.
func TestSecretGoes(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*fixture, *auth.Identity, *store.Token) error{
		"deleted": func(f *fixture, id *auth.Identity, token *store.Token) error {
			return f.auth.DeleteTokens(t.Context(), id, token.ID)
		},
		"regenerated": func(f *fixture, id *auth.Identity, token *store.Token) error {
			_, _, err := f.auth.RegenerateToken(t.Context(), id, token.ID, true, nil)
			return err
		},
		"signed out": func(f *fixture, _ *auth.Identity, _ *store.Token) error {
			f.post("plain", "/session/end")
			f.cookies["plain"] = f.signInAs("plain")
			return nil
		},
	} {
		f := peopleFixture(t)
		f.post("plain", "/profile/tokens/new", "name", "ci", "access", "full", "expiry", "never")
		has("#secret-text", "trento_pat_").check(t, f.page(t, "/profile", "plain"))
		if err := end(f, &auth.Identity{User: f.userNow("plain")}, f.tokensNow("plain")[0]); err != nil {
			t.Fatal(err)
		}
		if page := f.page(t, "/profile", "plain"); len(page.all("#secret-dialog")) > 0 {
			t.Errorf("%s: it is shown still", name)
		}
	}
}

// TestSecondFactorStays checks that the secret of a second factor is shown
// until it is confirmed or cancelled. Pressing the switch again does not make
// another secret.
func TestSecondFactorStays(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.post("plain", "/profile/totp")
	secret := f.page(t, "/profile/totp", "plain").texts("#totp-secret")[0]
	f.page(t, "/hosts", "plain")
	has("#totp-secret", secret).check(t, f.page(t, "/profile", "plain"))
	f.post("plain", "/profile/totp")
	has("#totp-secret", secret).check(t, f.page(t, "/profile", "plain"))
	if status, _, to := f.post("plain", "/profile/totp/cancel"); status != http.StatusSeeOther || to != "/profile#signing-in" {
		t.Errorf("status %d, to %s", status, to)
	}
	hasNot("#enroll").check(t, f.page(t, "/profile", "plain"))
	f.post("plain", "/profile/totp")
	secret = f.page(t, "/profile", "plain").texts("#totp-secret")[0]
	f.post("plain", "/profile/totp", "code", f.totpCode(secret))
	f.post("plain", "/profile/totp/cancel")
	if f.userNow("plain").TOTPEnabledAt == nil {
		t.Error("giving up has ended a second factor that was in force")
	}
}

// TestGeneratedPasswordStays checks that a generated password is shown on the
// page of the user until somebody confirms that it was handed over.
func TestGeneratedPasswordStays(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	_, page, _ := f.post("mary", "/users/new", "generate", "yes", "enabled", "true")
	password := page.texts("#generated")[0]
	f.post("mary", "/users/new", newUserForm("password", password, "password_confirmation", password, "generated", password)...)
	edit := editPath(f.userNow("ann").ID, "edit")
	has("#secret-text", password).check(t, f.page(t, edit, "mary"))
	has(".site-banner a[href="+edit+"]", "Show it").check(t, f.page(t, "/users", "mary"))
	if status, _, to := f.post("mary", editPath(f.userNow("ann").ID, "password/shown"), "stored", "yes"); status != http.StatusSeeOther || to != edit {
		t.Errorf("status %d, to %s", status, to)
	}
	hasNot("#secret-dialog").check(t, f.page(t, edit, "mary"))
	// One that was typed is known to whoever typed it.
	f.post("mary", "/users/new", newUserForm("username", "bob", "email", "bob@example.com")...)
	hasNot("#secret-dialog").check(t, f.page(t, editPath(f.userNow("bob").ID, "edit"), "mary"))
}

// navigate sends a form as a browser does, and returns the address that it is
// redirected to.
func (f *fixture) navigate(as, target string, pairs ...string) (status int, to string) {
	f.t.Helper()
	form := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		form[pairs[i]] = append(form[pairs[i]], pairs[i+1])
	}
	w := f.do(call{method: "POST", target: target, as: as, form: form, header: http.Header{"Sec-Fetch-Mode": {"navigate"}}})
	return w.Code, w.Header().Get("Location")
}

// TestRefusedFormsRedirect checks that the page that answers a form has an
// address in a browser, so that it can be reloaded and returned to. The address
// contains nothing of the input.
func TestRefusedFormsRedirect(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	for _, tt := range []struct {
		as, target string
		form       []string
		status     int
		sees       string
	}{
		{"mary", "/users/new", []string{"generate", "yes", "fullname", "Ann", "enabled", "true", "password", "hidden-word"}, http.StatusOK, "#generated"},
		{"mary", "/users/new", []string{"fullname", "Ann", "enabled", "true", "password", "hidden-word"}, http.StatusUnprocessableEntity, ".field-error"},
		{"plain", "/profile", []string{"fullname", "", "email", "hidden-word", "timezone", "Etc/UTC"}, http.StatusUnprocessableEntity, ".field-error"},
		{"plain", "/profile/password", []string{"current_password", "hidden-word"}, http.StatusUnprocessableEntity, "#password-dialog .field-error"},
		{"plain", "/profile/tokens/new", []string{"name", "hidden-word", "access", "full"}, http.StatusUnprocessableEntity, "#token-dialog .field-error"},
		{"plain", "/hosts/" + string(hostID(1)) + "/tags", nil, http.StatusForbidden, "h1"},
		{"admin", "/settings/tokens", []string{"enabled", "true", "default_lifetime_days", "0"}, http.StatusUnprocessableEntity, "#tokens .field-error"},
		{"admin", "/settings/api_key/new", []string{"expiry", "in", "number", "1", "unit", "months"}, http.StatusOK, "#key-dialog button[name=confirmed]"},
	} {
		status, to := f.navigate(tt.as, tt.target, tt.form...)
		if tt.status == http.StatusForbidden {
			if status != tt.status {
				t.Errorf("%s: a refusal is answered with %d", tt.target, status)
			}
			continue
		}
		if status != http.StatusSeeOther || !strings.HasPrefix(to, tt.target+"?answer=") || strings.Contains(to, "hidden-word") {
			t.Errorf("%s: status %d, to %s", tt.target, status, to)
			continue
		}
		for range 2 { // the second is a reload
			w := f.do(call{target: to, as: tt.as})
			if w.Code != tt.status {
				t.Errorf("%s: the answer has status %d, want %d", tt.target, w.Code, tt.status)
			}
			has(tt.sees, "").check(t, parseMarkup(t, w.Body.String()))
		}
		// It is nobody else's, and no other address has it.
		for _, other := range []call{{target: to, as: "admin"}, {target: strings.Replace(to, tt.target, "/settings", 1), as: tt.as}} {
			if other.as == tt.as && strings.HasPrefix(to, "/settings?") || other.as == "admin" && tt.as == "admin" {
				continue
			}
			if w := f.do(other); strings.Contains(w.Body.String(), "hidden-word") {
				t.Errorf("%s is shown to %s", other.target, other.as)
			}
		}
	}
	if w := f.do(call{target: "/users/new?answer=gone", as: "mary"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/users/new" {
		t.Errorf("one that is gone: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	if w := f.do(call{target: "/settings/alerting/test", as: "admin"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/settings/alerting" {
		t.Errorf("an address without a page: status %d, to %s", w.Code, w.Header().Get("Location"))
	}
}

// TestResetOpensTheFormAnew checks that the link to reset a form leads to its
// address, whatever was typed and refused.
func TestResetOpensTheFormAnew(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.issue("plain", "name", "ci", "description", "of the build")
	id := f.tokensNow("plain")[0].ID
	for _, target := range []string{"/profile/tokens/new", "/profile/tokens/new?copy=" + id, "/profile/tokens/" + id + "/edit"} {
		opens := f.page(t, target, "plain")
		reset := func(page markup) string {
			for _, a := range page.all("#token-dialog .dialog-end a") {
				if text(a) == "Reset" {
					href, _ := attribute(a, "href")
					return href
				}
			}
			return ""
		}
		if got := reset(opens); got != target {
			t.Errorf("%s: Reset leads to %q", target, got)
		}
		action, _ := attribute(opens.one("#token-form"), "action")
		status, page, _ := f.post("plain", action, "name", "typed", "description", "typed", "access", "chosen", "expiry", "in", "number", "0", "unit", "days")
		if got := reset(page); status != http.StatusUnprocessableEntity || got != target {
			t.Errorf("%s: after a refusal (%d) Reset leads to %q", target, status, got)
		}
	}
}

// TestEmptyTokenForm checks that all faults of an empty form are shown at once.
func TestEmptyTokenForm(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.confirmTokens(true)
	status, page, _ := f.post("plain", "/profile/tokens/new", "name", "", "access", "chosen", "expiry", "in", "number", "", "unit", "days", "current_password", "")
	if faults := page.texts("#token-dialog .field-error"); status != http.StatusUnprocessableEntity || len(faults) != 4 {
		t.Errorf("status %d, faults %q", status, faults)
	}
	if links := page.all("#token-dialog [role=alert] a"); len(links) != 4 {
		t.Errorf("%d links to faults", len(links))
	}
	f.user("setter", 36)
	_, page, _ = f.post("setter", "/settings/tokens", "enabled", "true", "require_password_confirmation", "true", "default_lifetime_days", "", "max_lifetime_days", "x")
	if faults := page.texts("#tokens .field-error"); len(faults) != 2 {
		t.Errorf("settings: faults %q", faults)
	}
}

// TestRiskySettingsAreConfirmed checks that the console asks before settings
// that remove a protection or stop programs, and not before others.
func TestRiskySettingsAreConfirmed(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 36)
	f.confirmTokens(true)
	for _, tt := range []struct{ name, form, says string }{
		{"sign-in", "enabled allow_sign_in require_password_confirmation", "without the second factor"},
		{"query", "enabled allow_in_query require_password_confirmation", "the logs of proxies"},
		{"off", "require_password_confirmation", "is refused from this moment"},
		{"no password", "enabled", "the password is not asked for"},
		{"basic", "enabled allow_basic require_password_confirmation", ""},
	} {
		form := []string{"default_lifetime_days", "30"}
		for _, name := range strings.Fields(tt.form) {
			form = append(form, name, "true")
		}
		before := f.newestEntry()
		status, page, _ := f.post("setter", "/settings/tokens", form...)
		if tt.says == "" {
			if status != http.StatusSeeOther {
				t.Errorf("%s: status %d", tt.name, status)
			}
			continue
		}
		if status != http.StatusOK || f.newestEntry() != before {
			t.Errorf("%s: status %d, or it was done before it was confirmed", tt.name, status)
		}
		has("#confirmation", tt.says).check(t, page)
		plan, _ := attribute(page.one("#confirmation button[name=confirmed]"), "value")
		if status, _, _ := f.post("setter", "/settings/tokens", append(form, "confirmed", plan)...); status != http.StatusSeeOther || f.newestEntry() == before {
			t.Errorf("%s: confirmed, status %d", tt.name, status)
		}
		f.confirmTokens(true)
	}
}

// TestSessionsOfOthers checks that user managers see and end the sessions of
// other users, and that this is logged.
func TestSessionsOfOthers(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	u := f.userNow("plain")
	edit := editPath(u.ID, "edit")
	for range 2*10 + 1 {
		f.clock.pass(time.Second)
		f.signInAs("plain")
	}
	page := f.page(t, edit, "mary")
	has("#sessions-title", "22").check(t, page)
	if rows := page.all("#sessions tbody tr"); len(rows) != 10 {
		t.Errorf("%d sessions on a page", len(rows))
	}
	has("#sessions .steps", "1–10 of 22").check(t, page)
	for range 2 {
		older := page.all("#sessions .steps a")
		href, _ := attribute(older[len(older)-1], "href")
		page = f.page(t, strings.TrimSuffix(href, "#sessions"), "mary")
	}
	if rows := page.all("#sessions tbody tr"); len(rows) != 2 {
		t.Errorf("%d sessions on the last page", len(rows))
	}
	has("#sessions .steps", "21–22 of 22").check(t, page)
	if rows := f.page(t, "/profile?sessions=3", "plain").all("#sessions tbody tr"); len(rows) != 2 {
		t.Errorf("%d sessions on the last page of the profile", len(rows))
	}
	end, _ := attribute(page.all("#sessions tbody .col-do a")[1], "href") // that of the fixture
	has("#confirmation", "The session of plain").check(t, f.page(t, end, "mary"))
	if status, _, _ := f.post("mary", end); status != http.StatusOK || f.do(call{target: "/hosts", as: "plain"}).Code != http.StatusOK {
		t.Errorf("not confirmed: status %d", status)
	}
	if status, _, to := f.post("mary", end, "confirmed", "yes"); status != http.StatusSeeOther || to != edit+"#sessions" {
		t.Errorf("status %d, to %s", status, to)
	}
	if f.do(call{target: "/hosts", as: "plain"}).Code == http.StatusOK {
		t.Error("the session goes on")
	}
	f.post("mary", editPath(u.ID, "sessions/end"), "confirmed", "yes")
	has("#sessions", "The user is signed in nowhere.").check(t, f.page(t, edit, "mary"))
	has("tbody", "mary").check(t, f.page(t, "/activity_log?type=user_modification", "admin"))
	// The manager's own session stays.
	f.post("mary", editPath(f.userNow("mary").ID, "sessions/end"), "confirmed", "yes")
	if f.do(call{target: "/users", as: "mary"}).Code != http.StatusOK {
		t.Error("the session in use has ended")
	}
	for _, target := range []string{end, editPath(u.ID, "sessions/end")} {
		f.user("nobody" + target[len(target)-8:len(target)-5])
		if w := f.do(call{method: "POST", target: target, as: "nobody" + target[len(target)-8:len(target)-5], form: map[string][]string{"confirmed": {"yes"}}}); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
}

// TestManagersShowTheirPassword checks that ending a token of another user
// needs the password, not only the session.
func TestManagersShowTheirPassword(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.issue("plain", "name", "ci")
	f.confirmTokens(true)
	path := editPath(f.userNow("plain").ID, "tokens/"+f.tokensNow("plain")[0].ID)
	for _, verb := range []string{"/expire", "/delete"} {
		has("#confirmation [name=current_password]", "").check(t, f.page(t, path+verb, "mary"))
		for _, wrong := range []string{"", "wrong"} {
			status, page, _ := f.post("mary", path+verb, "confirmed", "yes", "current_password", wrong)
			if status != http.StatusUnprocessableEntity || len(f.tokensNow("plain")) != 1 || f.tokensNow("plain")[0].Expired(f.clock.Now()) {
				t.Errorf("%s with the password %q: status %d", verb, wrong, status)
			}
			has("#confirmation .field-error", "").check(t, page)
		}
	}
	for _, verb := range []string{"/expire", "/delete"} {
		if status, _, _ := f.post("mary", path+verb, "confirmed", "yes", "current_password", testPassword); status != http.StatusSeeOther {
			t.Errorf("%s: status %d", verb, status)
		}
	}
}

// TestLogOfFormerTokens checks that the filter of the log lists deleted tokens
// with entries, and that the use of a replaced text is logged.
func TestLogOfFormerTokens(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	before := f.issue("plain", "name", "ci")
	f.asks(before, "GET", "/api/v1/hosts")
	id := f.tokensNow("plain")[0].ID
	if status, _, _ := f.post("plain", "/profile/tokens/"+id+"/regenerate", "expiry", "keep"); status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	after := f.takeToken("plain")
	f.clock.pass(time.Second)
	f.asks(before, "GET", "/api/v1/clusters")
	if err := f.auth.DeleteTokens(t.Context(), &auth.Identity{User: f.userNow("plain")}, id); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Second)
	f.asks(after, "GET", "/api/v1/databases")
	page := f.page(t, "/profile/tokens/log?token="+id, "plain")
	has("#token option[selected][value="+id+"]", "ci (deleted)").check(t, page)
	rows := page.texts("tbody tr")
	if len(rows) != 3 || !strings.Contains(rows[0], "ci deleted token GET /api/v1/databases 401") || !strings.Contains(rows[1], "ci replaced text GET /api/v1/clusters 401") || !strings.Contains(rows[2], "200") {
		t.Errorf("rows %q", rows)
	}
}

// TestTokenDialogsReturn checks that a dialog that was opened from the list of
// all tokens leads back to the list with its filters.
func TestTokenDialogsReturn(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.issue("plain", "name", "ci")
	path := editPath(f.userNow("plain").ID, "tokens/"+f.tokensNow("plain")[0].ID)
	const list, query = "/tokens?q=ci", "?return_to=%2Ftokens%3Fq%3Dci"
	page := f.page(t, list, "mary")
	for _, verb := range []string{"/expire", "/delete"} {
		has("a[href="+path+verb+query+"]", "").check(t, page)
	}
	has("form[action="+path+"/delete"+query+"]", "").check(t, f.page(t, path+"/delete"+query, "mary"))
	for _, tt := range []struct{ target, want string }{
		{path + "/expire" + query, list}, {path + "/delete", editPath(f.userNow("plain").ID, "edit") + "#tokens"},
	} {
		w := f.do(call{method: "POST", target: tt.target, as: "mary", form: url.Values{"confirmed": {"yes"}}})
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != tt.want {
			t.Errorf("%s: %d to %s, want %s", tt.target, w.Code, got, tt.want)
		}
	}
}
