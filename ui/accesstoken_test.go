package ui

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
)

// asks sends a request with a token to the API.
func (f *fixture) asks(token, method, target string) int {
	f.t.Helper()
	return f.do(call{method: method, target: target, header: http.Header{"Authorization": {"Bearer " + token}}}).Code
}

// tokensNow returns the tokens of a user, the newest first.
func (f *fixture) tokensNow(name string) (tokens []*store.Token) {
	f.t.Helper()
	id := f.userNow(name).ID
	if err := f.store.View(func(tx *store.Tx) (err error) { tokens, err = tx.Tokens(id); return err }); err != nil {
		f.t.Fatal(err)
	}
	return tokens
}

// issue creates a token through the console, confirms that it is stored, and
// returns its text.
func (f *fixture) issue(name string, form ...string) string {
	f.t.Helper()
	status, page, _ := f.post(name, "/profile/tokens/new", append(form, "access", "full", "expiry", "in", "number", "30", "unit", "days", "current_password", testPassword)...)
	if status != http.StatusSeeOther {
		f.t.Fatalf("status %d: %q", status, page.texts("[role=alert]"))
	}
	return f.takeToken(name)
}

// takeToken returns the text of the token that is being shown, and closes its
// dialog.
func (f *fixture) takeToken(name string) string {
	f.t.Helper()
	text := parseMarkup(f.t, f.do(call{target: "/profile", as: name}).Body.String()).texts("#secret-text")
	if len(text) != 1 {
		f.t.Fatalf("%d tokens are shown", len(text))
	}
	if status, _, to := f.post(name, "/profile/tokens/shown", "stored", "yes"); status != http.StatusSeeOther || to != "/profile#tokens" {
		f.t.Fatalf("closing: status %d, to %s", status, to)
	}
	return text[0]
}

func TestGenerateToken(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.confirmTokens(true)
	page := f.page(t, "/profile/tokens/new", "plain")
	for _, e := range []element{
		has("#token-name", ""), has("[name=number][value=30]", ""), has("[name=unit] [value=days][selected]", ""), has("[name=expiry][value=never]", ""), has("[name=access][value=full][checked]", ""),
		has("[name=scope][value=read_only]", ""), has("[name=current_password]", ""),
	} {
		e.check(t, page)
	}
	// "trento-web login" proposes name and scopes in the address.
	proposed := f.page(t, "/profile/tokens/new?name=cli-on-vega&scope=read_only&scope=tags&scope=nonsense&may_grant_administration=true", "plain")
	for _, e := range []element{
		has("#token-name[value=cli-on-vega]", ""), has("[name=access][value=chosen][checked]", ""), hasNot("[name=access][value=full][checked]"),
		has("[name=scope][value=read_only][checked]", ""), has("[name=scope][value=tags][checked]", ""), hasNot("[name=scope][value=housekeeping][checked]"),
		hasNot("[name=scope][value=nonsense]"), hasNot("[name=may_grant_administration][checked]"),
	} {
		e.check(t, proposed)
	}
	text := f.issue("plain", "name", "ci", "description", "of the build")
	if !strings.HasPrefix(text, "trento_pat_") {
		t.Fatalf("token %q", text)
	}
	if status := f.asks(text, "GET", "/api/v1/hosts"); status != http.StatusOK {
		t.Errorf("the token is answered with %d", status)
	}
	page = f.page(t, "/profile", "plain")
	if strings.Contains(f.do(call{target: "/profile", as: "plain"}).Body.String(), text[11:]) {
		t.Error("the token is shown a second time")
	}
	has("#tokens tbody", "ci").check(t, page)
	has("#tokens tbody", "Expires: 19 Sep 2026 UTC").check(t, page)
	has("#tokens tbody", "Everything").check(t, page)
	if end := f.tokensNow("plain")[0].ExpiresAt; end.Format(time.RFC3339) != "2026-09-19T23:59:59Z" {
		t.Errorf("it ends %v", end)
	}
}

func TestGenerateTokenFaults(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.confirmTokens(true)
	f.issue("plain", "name", "taken")
	for _, tt := range []struct {
		name  string
		form  []string
		fault string
	}{
		{"no name", []string{"name", "", "access", "full", "expiry", "never", "current_password", testPassword}, "Required field"},
		{"taken", []string{"name", "taken", "access", "full", "expiry", "never", "current_password", testPassword}, "Has already been taken"},
		{"no password", []string{"name", "a", "access", "full", "expiry", "never"}, "Required field"},
		{"wrong password", []string{"name", "a", "access", "full", "expiry", "never", "current_password", "wrong"}, "Is invalid"},
		{"no time", []string{"name", "a", "access", "full", "expiry", "in", "number", "0", "unit", "days", "current_password", testPassword}, "Key expiration value needs to be greater than 0"},
		{"yesterday", []string{"name", "a", "access", "full", "expiry", "on", "day", "2026-08-19", "current_password", testPassword}, "This day is over"},
		{"nothing to use it for", []string{"name", "a", "access", "chosen", "expiry", "never", "current_password", testPassword}, "Choose at least one set or operation"},
		{"no such scope", []string{"name", "a", "access", "chosen", "scope", "GET /nowhere", "expiry", "never", "current_password", testPassword}, "Has an unknown scope: GET /nowhere"},
	} {
		status, page, _ := f.post("plain", "/profile/tokens/new", tt.form...)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", tt.name, status)
		}
		has("#token-dialog .field-error", tt.fault).check(t, page)
		if value, _ := attribute(page.one("#token-name"), "value"); value != tt.form[1] {
			t.Errorf("%s: the name is lost", tt.name)
		}
	}
	if len(f.tokensNow("plain")) != 1 {
		t.Error("a token was made")
	}
}

// TestScopesOfAToken checks that a token may do what both its scopes and its
// owner's permissions allow.
func TestScopesOfAToken(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("tagger", 7, 14)
	text := f.issue("tagger", "name", "reader", "access", "chosen", "scope", "GET /api/v1/hosts")
	for target, want := range map[string]int{"/api/v1/hosts": 200, "/api/v1/clusters": 403, "/api/v1/settings/api_key": 403} {
		if status := f.asks(text, "GET", target); status != want {
			t.Errorf("%s is answered with %d, want %d", target, status, want)
		}
	}
	has("#tokens tbody", "1 operation").check(t, f.page(t, "/profile", "tagger"))
	edit := "/profile/tokens/" + f.tokensNow("tagger")[0].ID + "/edit"
	page := f.page(t, edit, "tagger")
	if got := len(page.all("[name=scope][checked]")); got != 1 {
		t.Errorf("%d scopes are chosen", got)
	}
	status, _, _ := f.post("tagger", edit, "name", "renamed", "access", "chosen", "scope", "read_only", "expiry", "keep", "current_password", testPassword)
	if status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	if status := f.asks(text, "GET", "/api/v1/clusters"); status != http.StatusOK {
		t.Errorf("after the change: %d", status)
	}
	if token := f.tokensNow("tagger")[0]; token.Name != "renamed" || token.ExpiresAt == nil {
		t.Errorf("token %+v", token)
	}
}

func TestEditTokenEnd(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.issue("plain", "name", "ci")
	edit := "/profile/tokens/" + f.tokensNow("plain")[0].ID + "/edit"
	save := func(day string) (int, markup) {
		status, page, _ := f.post("plain", edit, "name", "ci", "access", "full", "expiry", "on", "day", day, "current_password", testPassword)
		return status, page
	}
	status, page := save("2026-09-20")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("later: status %d", status)
	}
	has(".expiry .field-error", "Cannot be extended").check(t, page)
	if status, _ := save("2026-09-19"); status != http.StatusSeeOther {
		t.Errorf("the same day: status %d", status)
	}
	if status, _ := save("2026-08-25"); status != http.StatusSeeOther || f.tokensNow("plain")[0].ExpiresAt.Format(time.RFC3339) != "2026-08-25T23:59:59Z" {
		t.Errorf("earlier: status %d, %v", status, f.tokensNow("plain")[0].ExpiresAt)
	}
	has("#tokens .inline-mark.warning", "Expires soon").check(t, f.page(t, "/profile", "plain"))
}

func TestRegenerateAndExpireToken(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.confirmTokens(true)
	before := f.issue("plain", "name", "ci")
	path := "/profile/tokens/" + f.tokensNow("plain")[0].ID
	status, page, _ := f.post("plain", path+"/expire", "confirmed", "yes", "current_password", "wrong")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("wrong password: status %d", status)
	}
	has("#confirmation .field-error", "Is invalid").check(t, page)
	if status, _, to := f.post("plain", path+"/expire", "confirmed", "yes", "current_password", testPassword); status != http.StatusSeeOther || to != "/profile#tokens" {
		t.Fatalf("status %d, to %s", status, to)
	}
	if status := f.asks(before, "GET", "/api/v1/hosts"); status != http.StatusUnauthorized {
		t.Errorf("expired, and answered with %d", status)
	}
	has("#tokens .inline-mark.critical", "Expired").check(t, f.page(t, "/profile", "plain"))

	page = f.page(t, path+"/regenerate", "plain")
	has("#token-dialog", "The text it has now stops working at once").check(t, page)
	hasNot("[name=expiry][value=keep]").check(t, page)
	status, _, _ = f.post("plain", path+"/regenerate", "expiry", "in", "number", "1", "unit", "months", "current_password", testPassword)
	if status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	after := f.takeToken("plain")
	if after == before || f.asks(after, "GET", "/api/v1/hosts") != http.StatusOK || f.asks(before, "GET", "/api/v1/hosts") != http.StatusUnauthorized {
		t.Error("the text before works, or the new one does not")
	}
}

func TestDeleteTokens(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	var texts []string
	for _, name := range []string{"a", "b", "c", "d"} {
		texts = append(texts, f.issue("plain", "name", name))
		f.clock.pass(time.Second)
	}
	ids := func() (ids []string) {
		for _, token := range f.tokensNow("plain") {
			ids = append([]string{token.ID}, ids...)
		}
		return ids
	}
	all := ids()
	remove := func(target string, form ...string) (int, markup) {
		page := f.page(t, target, "plain")
		plan, _ := attribute(page.one("button[name=confirmed]"), "value")
		status, page, _ := f.post("plain", "/profile/tokens/delete", append([]string{"confirmed", plan, "current_password", testPassword}, form...)...)
		return status, page
	}
	has("#confirmation", "a").check(t, f.page(t, "/profile/tokens/delete?token="+all[0], "plain"))
	if status, _ := remove("/profile/tokens/delete?token="+all[0], "token", all[0]); status != http.StatusSeeOther || len(ids()) != 3 {
		t.Fatalf("one: status %d, %d left", status, len(ids()))
	}
	if f.asks(texts[0], "GET", "/api/v1/hosts") != http.StatusUnauthorized || f.asks(texts[1], "GET", "/api/v1/hosts") != http.StatusOK {
		t.Error("the wrong token is gone")
	}
	// What is confirmed is what was shown.
	if status, _ := remove("/profile/tokens/delete?token="+all[1], "token", all[1], "token", all[2]); status != http.StatusOK || len(ids()) != 3 {
		t.Errorf("more than was shown: status %d, %d left", status, len(ids()))
	}
	has("#confirmation-title", "Delete 2 Tokens").check(t, f.page(t, "/profile/tokens/delete?token="+all[1]+"&token="+all[2], "plain"))
	if status, _ := remove("/profile/tokens/delete?token="+all[1]+"&token="+all[2], "token", all[1], "token", all[2]); status != http.StatusSeeOther || len(ids()) != 1 {
		t.Errorf("two: status %d, %d left", status, len(ids()))
	}
	if status, _ := remove("/profile/tokens/delete?all=true", "token", all[3]); status != http.StatusSeeOther || len(ids()) != 0 {
		t.Errorf("all: status %d, %d left", status, len(ids()))
	}
	if w := f.do(call{target: "/profile/tokens/delete?token=" + all[0], as: "plain"}); w.Code != http.StatusSeeOther {
		t.Errorf("of one that is gone: status %d", w.Code)
	}
}

// TestTokensOfOthers checks that the token of another user is answered with
// 404.
func TestTokensOfOthers(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	text := f.issue("plain", "name", "ci")
	id := f.tokensNow("plain")[0].ID
	f.user("other")
	for _, verb := range []string{"edit", "regenerate", "expire"} {
		if w := f.do(call{target: "/profile/tokens/" + id + "/" + verb, as: "other"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", verb, w.Code)
		}
	}
	owner := editPath(f.userNow("plain").ID, "")
	page := f.page(t, "/tokens", "mary")
	has("tbody .col-owner", "plain").check(t, page)
	has("#tokens tbody", "ci").check(t, f.page(t, owner+"edit", "mary"))
	hasNot("#tokens a[href=/profile/tokens/new]").check(t, f.page(t, owner+"edit", "mary"))
	if w := f.do(call{target: "/tokens.csv", as: "mary"}); !strings.Contains(w.Body.String(), "ci,plain,Active,Everything") {
		t.Errorf("CSV: %s", w.Body)
	}
	has("#confirmation", "The token “ci” of plain ends now.").check(t, f.page(t, owner+"tokens/"+id+"/expire", "mary"))
	if status, _, _ := f.post("mary", owner+"tokens/"+id+"/expire", "confirmed", "yes"); status != http.StatusSeeOther || f.asks(text, "GET", "/api/v1/hosts") != http.StatusUnauthorized {
		t.Errorf("expiring: status %d", status)
	}
	if status, _, to := f.post("mary", owner+"tokens/"+id+"/delete", "confirmed", "yes"); status != http.StatusSeeOther || to != owner+"edit#tokens" || len(f.tokensNow("plain")) != 0 {
		t.Errorf("deleting: status %d, to %s", status, to)
	}
}

func TestAuthenticationLog(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	has("h2", "No use yet").check(t, f.page(t, "/profile/tokens/log", "plain"))
	a := f.issue("plain", "name", "a")
	f.clock.pass(time.Second)
	b := f.issue("plain", "name", "b")
	for range 55 {
		f.clock.pass(time.Second)
		f.asks(a, "GET", "/api/v1/hosts")
	}
	f.clock.pass(time.Second)
	f.asks(b, "GET", "/api/v1/users")
	page := f.page(t, "/profile/tokens/log", "plain")
	rows := page.texts("tbody tr")
	if len(rows) != 50 || !strings.Contains(rows[0], "b GET /api/v1/users 403") {
		t.Fatalf("%d rows, the first %q", len(rows), rows[0])
	}
	next, _ := attribute(page.one(".pager .steps a"), "href")
	if older := f.page(t, next, "plain").texts("tbody tr"); len(older) != 6 {
		t.Errorf("%d older rows", len(older))
	}
	id := f.tokensNow("plain")[0].ID
	only := f.page(t, "/users/3/tokens/log?token="+id, "mary")
	if rows := only.texts("tbody tr"); len(rows) != 1 {
		t.Errorf("%d rows of the token b", len(rows))
	}
	export, _ := attribute(only.all("a[download]")[0], "href")
	if w := f.do(call{target: export, as: "mary"}); w.Code != http.StatusOK || strings.Count(w.Body.String(), "\n") != 2 {
		t.Errorf("CSV: status %d: %s", w.Code, w.Body)
	}
}

func TestTokenSettings(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 36)
	has("#tokens fieldset[disabled]", "").check(t, f.page(t, "/settings/tokens", "plain"))
	has("#tokens", "all:personal_access_token_settings").check(t, f.page(t, "/settings/tokens", "plain"))
	if status, _, _ := f.post("plain", "/settings/tokens", "enabled", "true"); status != http.StatusForbidden {
		t.Errorf("without the permission: status %d", status)
	}
	hasNot("#tokens fieldset[disabled]").check(t, f.page(t, "/settings/tokens", "setter"))
	status, page, _ := f.post("setter", "/settings/tokens", "enabled", "true", "default_lifetime_days", "x", "max_lifetime_days", "180")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("no number: status %d", status)
	}
	has("#tokens .field-error", "Should be from 1").check(t, page)
	has("[name=max_lifetime_days][value=180]", "").check(t, page)
	if status, _, to := f.post("setter", "/settings/tokens", "enabled", "true", "default_lifetime_days", "30", "max_lifetime_days", "30"); status != http.StatusSeeOther || to != "/settings/tokens" {
		t.Fatalf("status %d, to %s", status, to)
	}
	page = f.page(t, "/profile/tokens/new", "plain")
	hasNot("[name=expiry][value=never]").check(t, page)
	hasNot("[name=current_password]").check(t, page) // it was switched off with the form
	status, page, _ = f.post("plain", "/profile/tokens/new", "name", "long", "access", "full", "expiry", "in", "number", "31", "unit", "days")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("too long: status %d", status)
	}
	has(".expiry .field-error", "Should be at most 30 day(s)").check(t, page)
	f.issue("plain", "name", "longest") // 30 days

	f.post("setter", "/settings/tokens", "default_lifetime_days", "30", "confirmed", "enabled")
	hasNot("#tokens").check(t, f.page(t, "/profile", "setter"))
	page = f.page(t, "/profile", "plain")
	has("#tokens .notice", "switched off").check(t, page)
	hasNot("#tokens a[href=/profile/tokens/new]").check(t, page)
	if status, _, _ := f.post("plain", "/profile/tokens/new", "name", "none", "access", "full", "expiry", "in", "number", "3", "unit", "days"); status != http.StatusForbidden {
		t.Errorf("switched off: status %d", status)
	}
}

func TestNewAPIKey(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 14)
	has("#api-key [aria-disabled=true]", "Generate Key").check(t, f.page(t, "/settings/api_key", "plain"))
	if w := f.do(call{target: "/settings/api_key/new", as: "plain"}); w.Code != http.StatusForbidden {
		t.Errorf("without the permission: status %d", w.Code)
	}
	before := f.page(t, "/settings/api_key", "setter").texts("#api-key-text")[0]
	has("#key-dialog-title", "API Key Settings").check(t, f.page(t, "/settings/api_key/new", "setter"))
	status, page, _ := f.post("setter", "/settings/api_key/new", "expiry", "in", "number", "0", "unit", "months")
	if status != http.StatusUnprocessableEntity {
		t.Errorf("no time: status %d", status)
	}
	has("#key-dialog .field-error", "Key expiration value needs to be greater than 0").check(t, page)
	status, page, _ = f.post("setter", "/settings/api_key/new", "expiry", "in", "number", "1", "unit", "months")
	if status != http.StatusOK {
		t.Fatalf("first step: status %d", status)
	}
	has("#key-dialog", "This cannot be undone.").check(t, page)
	has("#key-dialog [name=unit][value=months]", "").check(t, page)
	if f.page(t, "/settings/api_key", "setter").texts("#api-key-text")[0] != before {
		t.Error("the first step has made a key")
	}
	_, page, _ = f.post("setter", "/settings/api_key/new", "expiry", "in", "number", "1", "unit", "months", "back", "yes")
	has("#key-dialog [name=number][value=1]", "").check(t, page)
	if status, _, to := f.post("setter", "/settings/api_key/new", "expiry", "in", "number", "1", "unit", "months", "confirmed", "yes"); status != http.StatusSeeOther || to != "/settings/api_key" {
		t.Errorf("status %d, to %s", status, to)
	}
	page = f.page(t, "/settings/api_key", "setter")
	key := page.texts("#secret-text")
	has("#secret-dialog", "Key will expire 20 Sep 2026, 23:59:59 UTC").check(t, page)
	if len(key) != 1 || key[0] == before || f.page(t, "/settings/api_key", "setter").texts("#api-key-text")[0] != key[0] {
		t.Errorf("new key %q", key)
	}
}

// TestSignedInWithAToken checks that a user who has signed in with a token sees
// these pages and cannot change anything on them.
func TestSignedInWithAToken(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	mary := &auth.Identity{User: f.userNow("mary")}
	token, _, err := f.auth.CreateToken(t.Context(), mary, auth.NewToken{Name: "console"})
	if err != nil {
		t.Fatal(err)
	}
	f.signInToken("mary", token)
	page := f.page(t, "/profile", "mary")
	has("#profile-form fieldset[disabled]", "").check(t, page)
	has("#tokens [aria-disabled=true]", "Generate Token").check(t, page)
	for _, c := range []call{
		{target: "/profile", form: map[string][]string{"fullname": {"x"}, "email": {"x@example.com"}, "timezone": {"Etc/UTC"}}},
		{target: "/profile/totp", form: map[string][]string{}},
		{target: "/profile/tokens/new", form: map[string][]string{"name": {"x"}, "access": {"full"}, "expiry": {"never"}}},
		{target: "/profile/tokens/" + token.ID + "/regenerate", form: map[string][]string{"expiry": {"never"}}},
	} {
		c.method, c.as = "POST", "mary"
		if w := f.do(c); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", c.target, w.Code)
		}
	}
}

// signInToken signs a user in with a token instead of a password.
func (f *fixture) signInToken(name string, token *store.Token) {
	f.t.Helper()
	settings := store.TokenSettings{Enabled: true, DefaultLifetimeDays: 30, AllowSignIn: true}
	if err := f.store.ChangeTokenSettings(f.t.Context(), store.System(), settings); err != nil {
		f.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	proof := &auth.Proof{User: f.userNow(name), Method: store.MethodToken, TokenID: token.ID}
	if err := f.auth.SignInConsole(w, httptest.NewRequest(http.MethodPost, "/session", nil), proof); err != nil {
		f.t.Fatal(err)
	}
	f.cookies[name] = w.Result().Cookies()[0]
}

// confirmTokens sets whether the console asks for the password before it
// changes a token. Checking a password is slow on purpose, so most tests switch
// it off.
func (f *fixture) confirmTokens(ask bool) {
	f.t.Helper()
	settings := store.TokenSettings{Enabled: true, DefaultLifetimeDays: 30, RequirePasswordConfirmation: ask}
	if err := f.store.ChangeTokenSettings(f.t.Context(), store.System(), settings); err != nil {
		f.t.Fatal(err)
	}
}
