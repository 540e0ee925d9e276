package api_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

const tokensPath = "/api/v1/profile/tokens"

// shownToken is a token as its owner sees it.
type shownToken struct {
	ID, Name, Description, Status string
	Scopes                        []string
	CreatedAt                     string  `json:"created_at"`
	ExpiresAt                     *string `json:"expires_at"`
	LastUsedAt                    *string `json:"last_used_at"`
	Text                          string  `json:"access_token"`
}

// makeToken makes a token through the API.
func (f *fixture) makeToken(as, body string) (made shownToken) {
	f.t.Helper()
	got := f.post(as, tokensPath, body)
	got.expect(f.t, http.StatusCreated, "*")
	got.decode(f.t, &made)
	return made
}

func (f *fixture) ownTokens(as string) (list []shownToken) {
	f.t.Helper()
	f.get(as, tokensPath).decode(f.t, &list)
	return list
}

// settle changes the settings of tokens.
func (f *fixture) settle(change func(*store.TokenSettings)) {
	f.t.Helper()
	var settings store.TokenSettings
	err := f.store.View(func(tx *store.Tx) error {
		present, err := tx.TokenSettings()
		if err == nil {
			settings = *present
		}
		return err
	})
	if err == nil {
		change(&settings)
		err = f.store.ChangeTokenSettings(f.t.Context(), store.System(), settings)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) with(text string, method, path string) answer {
	f.t.Helper()
	return f.do(call{method: method, path: path, header: bearing(text)})
}

// TestTokenLife follows a token through all that can happen to it.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	got := f.post("ann", tokensPath, `{"name":"  ci ","expires_at":"2026-09-01T00:00:00+02:00"}`)
	got.expect(t, 201, "*")
	var keys map[string]any
	got.decode(t, &keys)
	if want := []string{"access_token", "created_at", "expires_at", "id", "name"}; !slices.Equal(slices.Sorted(maps.Keys(keys)), want) {
		t.Errorf("%v", keys)
	}
	var made shownToken
	got.decode(t, &made)
	if made.Name != "ci" || *made.ExpiresAt != "2026-08-31T22:00:00.000000Z" || len(made.Text) != 97 {
		t.Errorf("%+v", made)
	}
	first := made.Text
	f.with(first, "GET", "/api/v1/hosts").expect(t, 200, "[]")

	f.clock.pass(time.Second)
	want := `{"id":"` + made.ID + `","name":"ci 2","description":"for\nthe builds","scopes":["read_only","tags"],"created_at":"` + made.CreatedAt +
		`","updated_at":"2026-08-20T10:15:31.123456Z","expires_at":"2026-08-30T00:00:00.000000Z","last_used_at":"2026-08-20T10:15:30.123456Z","status":"active","may_grant_administration":false}`
	patch := `{"name":"ci 2","description":"for\r\nthe builds ","scopes":["tags","read_only","tags"],"expires_at":"2026-08-30T00:00:00Z"}`
	if list := f.ownTokens("ann"); len(list) != 1 || list[0].LastUsedAt == nil {
		t.Errorf("%+v", list)
	}
	f.do(call{as: "ann", method: "PATCH", path: tokensPath + "/" + made.ID, body: patch}).expect(t, 200, want)
	f.do(call{as: "ann", method: "PATCH", path: tokensPath + "/" + made.ID, body: patch}).expect(t, 200, want)

	var again shownToken
	f.post("ann", tokensPath+"/"+made.ID+"/regenerate", "").decode(t, &again)
	if again.ID != made.ID || again.Text == first || *again.ExpiresAt != "2026-08-30T00:00:00.000000Z" {
		t.Errorf("%+v", again)
	}
	f.with(first, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	f.with(again.Text, "GET", "/api/v1/hosts").expect(t, 200, "[]")

	f.post("ann", tokensPath+"/"+made.ID+"/expire", "").expect(t, 200, "*")
	f.with(again.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	if list := f.ownTokens("ann"); len(list) != 1 || list[0].Status != "expired" {
		t.Errorf("%+v", list)
	}
	f.post("ann", tokensPath+"/"+made.ID+"/regenerate", "").expect(t, 422, problems("/expires_at", "must be in the future"))
	f.post("ann", tokensPath+"/"+made.ID+"/regenerate", `{"expires_at":null}`).decode(t, &again)
	f.with(again.Text, "GET", "/api/v1/hosts").expect(t, 200, "[]")

	f.do(call{as: "ann", method: "DELETE", path: tokensPath + "/" + made.ID}).expect(t, 204, "")
	f.with(again.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	f.do(call{as: "ann", method: "DELETE", path: tokensPath + "/" + made.ID}).expect(t, 404, notFound)

	var log []string
	for _, e := range f.entries() {
		if strings.HasPrefix(string(e.Type), "personal_access_token") {
			log = append(log, fmt.Sprint(e.Type, " ", e.Actor, " ", e.Severity, " ", string(e.Metadata)))
			for _, text := range []string{first, again.Text} {
				if strings.Contains(string(e.Metadata), text) {
					t.Errorf("the log has the text: %s", e.Metadata)
				}
			}
		}
	}
	id := `"` + made.ID + `"`
	if diff := cmp.Diff([]string{
		`personal_access_token_creation ann info {"expires_at":"2026-08-31T22:00:00Z","id":` + id + `,"name":"ci","scopes":["full"]}`,
		`personal_access_token_modification ann info {"description":"for\nthe builds","expires_at":"2026-08-30T00:00:00Z","id":` + id + `,"name":"ci 2","scopes":["read_only","tags"]}`,
		`personal_access_token_regeneration ann warning {"expires_at":"2026-08-30T00:00:00Z","id":` + id + `,"name":"ci 2"}`,
		`personal_access_token_expiration ann warning {"id":` + id + `,"name":"ci 2"}`,
		`personal_access_token_regeneration ann warning {"id":` + id + `,"name":"ci 2"}`,
		`personal_access_token_deletion ann warning {"name":"ci 2","token_id":` + id + `}`,
	}, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if strings.Contains(f.log.String(), "trento_pat_") {
		t.Error("the server's log has the text of a token")
	}
}

// TestTokenProblems goes through what can be wrong with what is said about a
// token.
func TestTokenProblems(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.user("ben")
	taken := f.makeToken("ann", `{"name":"taken"}`)
	soon := f.makeToken("ann", `{"name":"soon","expires_at":"2026-09-01T00:00:00Z"}`)
	f.makeToken("ben", `{"name":"taken"}`)
	f.makeToken("ann", `{"name":"`+strings.Repeat("ä", 255)+`","description":"`+strings.Repeat("ä", 1000)+`","scopes":["GET /api/v1/hosts"],"expires_at":null}`)
	const create = "POST " + tokensPath
	change, regenerate := "PATCH "+tokensPath+"/"+soon.ID, "POST "+tokensPath+"/"+soon.ID+"/regenerate"
	before := len(f.entries())
	for _, test := range []struct {
		route, body, want string
	}{
		{create, `{}`, problems("/name", "Missing field: name")},
		{create, `{"name":"x","token":"y"}`, problems("/token", "Unexpected field: token")},
		{create, `{"name":null}`, problems("/name", "null value where string expected")},
		{create, `{"name":1,"description":2,"scopes":3,"expires_at":4}`, problems("/description", "Invalid string. Got: integer", "/expires_at", "Invalid string. Got: integer", "/name", "Invalid string. Got: integer", "/scopes", "Invalid array. Got: integer")},
		{create, `{"name":" \t"}`, problems("/name", "can't be blank")},
		{create, `{"name":"` + strings.Repeat("x", 256) + `"}`, problems("/name", "should be at most 255 character(s)")},
		{create, `{"name":"a\u0000b"}`, problems("/name", "is invalid")},
		{create, `{"name":"taken"}`, problems("/name", "has already been taken")},
		{create, `{"name":" taken "}`, problems("/name", "has already been taken")},
		{create, `{"name":"TAKEN"}`, problems("/name", "has already been taken by another spelling: taken")},
		{create, `{"name":"t\u0430ken"}`, problems("/name", "has already been taken by another spelling: taken")},
		{create, `{"name":"t\u200baken"}`, problems("/name", "is invalid: the character U+200B is not allowed")},
		{create, `{"name":"x","description":"` + strings.Repeat("x", 1001) + `"}`, problems("/description", "should be at most 1000 character(s)")},
		{create, `{"name":"x","description":"\u001b[31m"}`, problems("/description", "is invalid")},
		{create, `{"name":"x","expires_at":"tomorrow"}`, problems("/expires_at", `Invalid format. Expected :"date-time"`)},
		{create, `{"name":"x","expires_at":"2026-08-20T10:15:30.123456Z"}`, problems("/expires_at", "must be in the future")},
		{create, `{"name":"x","scopes":[]}`, problems("/scopes", "can't be blank")},
		{create, `{"name":"x","scopes":["admin"]}`, problems("/scopes", "has an unknown scope: admin")},
		{create, `{"name":"x","scopes":["read_only","GET /api/v1/nothing"]}`, problems("/scopes", "has an unknown scope: GET /api/v1/nothing")},
		{create, `{"name":"x","scopes":["POST ` + tokensPath + `"]}`, problems("/scopes", "has an unknown scope: POST "+tokensPath)},
		{create, `{"name":"x","scopes":["POST /api/v1/collect"]}`, problems("/scopes", "has an unknown scope: POST /api/v1/collect")},
		{create, `{"name":"x","scopes":["custom"]}`, problems("/scopes", "has an unknown scope: custom")},
		{create, `{"name":"x","scopes":["full\u0000"]}`, problems("/scopes", "has an unknown scope: full\u0000")},
		{create, `{"name":"x","scopes":[1]}`, problems("/scopes/0", "Invalid string. Got: integer")},
		{create, `{"name":"x","scopes":[` + strings.Repeat(`"full",`, 1000) + `"full"]}`, problems("/scopes", "should have at most 1000 item(s)")},
		{create, `{"name":"","scopes":[],"expires_at":"2020-01-01T00:00:00Z"}`, problems("/expires_at", "must be in the future", "/name", "can't be blank", "/scopes", "can't be blank")},
		{change, `{"name":"taken"}`, problems("/name", "has already been taken")},
		{change, `{"name":""}`, problems("/name", "can't be blank")},
		{change, `{"scopes":[]}`, problems("/scopes", "can't be blank")},
		{change, `{"expires_at":"2026-09-01T00:00:01Z"}`, problems("/expires_at", "cannot be extended")},
		{change, `{"expires_at":null}`, problems("/expires_at", "cannot be extended")},
		{change, `{"expires_at":"2020-09-01T00:00:01Z"}`, problems("/expires_at", "must be in the future")},
		{change, `{"status":"active"}`, problems("/status", "Unexpected field: status")},
		{regenerate, `{"expires_at":"2020-09-01T00:00:01Z"}`, problems("/expires_at", "must be in the future")},
		{regenerate, `{"name":"x"}`, problems("/name", "Unexpected field: name")},
		{"PATCH " + tokensPath + "/x", `{}`, problems("/token_id", "Invalid format. Expected :uuid")},
		{"DELETE " + tokensPath + "/x", ``, problems("/token_id", "Invalid format. Expected :uuid")},
		{"POST " + tokensPath + "/delete", `{}`, problems("/ids", "Missing field: ids")},
		{"POST " + tokensPath + "/delete", `{"ids":["` + taken.ID + `","x"]}`, problems("/ids/1", "Invalid format. Expected :uuid")},
		{"POST " + tokensPath + "/delete", `{"ids":[` + strings.Repeat(`"`+otherID+`",`, 100_000) + `"x"]}`, problems("/ids", "should have at most 1000 item(s)")},
	} {
		method, path, _ := strings.Cut(test.route, " ")
		f.do(call{as: "ann", method: method, path: path, body: test.body}).expect(t, 422, test.want)
	}
	f.do(call{as: "ann", method: "PATCH", path: tokensPath + "/" + taken.ID, body: `{"expires_at":null,"name":"taken"}`}).expect(t, 200, "*")
	if after := len(f.entries()); after != before {
		t.Errorf("%d entries more", after-before)
	}
}

// TestMaxLifetime checks the longest lifetime there can be.
func TestMaxLifetime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	old := f.makeToken("ann", `{"name":"old"}`)
	days := 40
	f.settle(func(s *store.TokenSettings) { s.MaxLifetimeDays = &days })
	tooLong := problems("/expires_at", "should be at most 40 day(s) from now")
	f.post("ann", tokensPath, `{"name":"a"}`).expect(t, 422, tooLong)
	f.post("ann", tokensPath, `{"name":"a","expires_at":"2026-09-29T10:15:31Z"}`).expect(t, 422, tooLong)
	f.post("ann", tokensPath, `{"name":"a","expires_at":"2026-09-29T10:15:30Z"}`).expect(t, 201, "*")
	f.post("ann", tokensPath+"/"+old.ID+"/regenerate", "").expect(t, 422, tooLong)
	f.with(old.Text, "GET", "/api/v1/hosts").expect(t, 200, "[]")
	f.do(call{as: "ann", method: "PATCH", path: tokensPath + "/" + old.ID, body: `{"expires_at":"2030-01-01T00:00:00Z"}`}).expect(t, 200, "*")
}

// TestShowingTokens goes through the ways to show a token.
func TestShowingTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.user("ben")
	text := f.freshToken("ann")
	ended := f.freshToken("ann")
	if err := f.auth.DeleteTokens(t.Context(), &auth.Identity{User: f.account("ann")}, f.ownTokens("ann")[0].ID); err != nil {
		t.Fatal(err)
	}
	if f.with(text, "GET", "/api/v1/hosts").status == 401 {
		text, ended = ended, text
	}
	basic := func(user, password string) map[string]string {
		return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
	}
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for _, test := range []struct {
		name                      string
		method, query, body       string
		header                    map[string]string
		usual, noBasic, parameter int // status with the usual settings, without Basic, and with parameters
	}{
		{"bearer", "GET", "", "", bearing(text), 200, 200, 200},
		{"bare", "GET", "", "", map[string]string{"Authorization": text}, 200, 200, 200},
		{"bearer of another case", "GET", "", "", map[string]string{"Authorization": "bEARER " + text}, 200, 200, 200},
		{"removed", "GET", "", "", bearing(ended), 401, 401, 401},
		{"cut", "GET", "", "", bearing(text[:96]), 401, 401, 401},
		{"longer", "GET", "", "", bearing(text + "A"), 401, 401, 401},
		{"other case", "GET", "", "", bearing("TRENTO_PAT_" + text[11:]), 401, 401, 401},
		{"guess", "GET", "", "", bearing("trento_pat_" + strings.Repeat("A", 86)), 401, 401, 401},
		{"only the prefix", "GET", "", "", bearing("trento_pat_"), 401, 401, 401},
		{"very long", "GET", "", "", bearing("trento_pat_" + strings.Repeat("A", 60_000)), 401, 401, 401},
		{"basic with $token", "GET", "", "", basic("$token", text), 200, 401, 200},
		{"basic with the owner", "GET", "", "", basic("Ann", text), 200, 401, 200},
		{"basic with somebody else", "GET", "", "", basic("ben", text), 401, 401, 401},
		{"basic with nobody", "GET", "", "", basic("", text), 401, 401, 401},
		{"basic of a proxy", "GET", "", "", basic("proxy", "secret"), 401, 401, 401},
		{"query", "GET", "?session=" + text, "", nil, 401, 401, 200},
		{"query, removed", "GET", "?session=" + ended, "", nil, 401, 401, 401},
		{"query, access token", "GET", "?session=" + f.tokens["ann"], "", nil, 401, 401, 401},
		{"header before query", "GET", "?session=" + text, "", bearing(ended), 401, 401, 401},
		{"header beside query", "GET", "?session=" + ended, "", bearing(text), 200, 200, 200},
		{"form", "DELETE", "", "session=" + url.QueryEscape(text), form, 401, 401, 403},
		{"form, too large", "DELETE", "", "x=" + strings.Repeat("x", 1<<20) + "&session=" + url.QueryEscape(text), form, 401, 401, 401},
		{"form, broken", "DELETE", "", "%zz&session=" + text, form, 401, 401, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.t = t
			path := "/api/v1/hosts"
			if test.method == "DELETE" {
				path += "/" + otherID
			}
			for _, setting := range []struct {
				change func(*store.TokenSettings)
				status int
			}{
				{func(s *store.TokenSettings) { s.AllowBasic, s.AllowInQuery = true, false }, test.usual},
				{func(s *store.TokenSettings) { s.AllowBasic = false }, test.noBasic},
				{func(s *store.TokenSettings) { s.AllowBasic, s.AllowInQuery = true, true }, test.parameter},
			} {
				f.settle(setting.change)
				got := f.do(call{method: test.method, path: path + test.query, body: test.body, header: test.header})
				if got.expect(t, setting.status, "*"); setting.status == 401 {
					got.expect(t, 401, signedOut)
				}
			}
			f.settle(func(s *store.TokenSettings) { s.Enabled = false })
			f.do(call{method: test.method, path: path + test.query, body: test.body, header: test.header}).expect(t, 401, signedOut)
			f.settle(func(s *store.TokenSettings) { s.Enabled = true })
		})
	}
	f.t = t
	f.settle(func(s *store.TokenSettings) { s.AllowInQuery = true })
	f.do(call{method: "GET", path: "/api/v1/activity_log?first=1&session=" + text}).expect(t, 200, "*")
	got := f.do(call{method: "GET", path: "/api/hosts?session=" + text})
	if got.status != 200 || got.header.Get("Location") != "" {
		t.Errorf("without a version: %d %v", got.status, got.header)
	}
	got = f.do(call{method: "GET", path: "/api/hosts?session=wrong"})
	if got.status != 401 || got.header.Get("Www-Authenticate") != `Bearer realm="Trento"` || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("without a version, with another text: %d %v", got.status, got.header)
	}
	if strings.Contains(f.log.String(), "trento_pat_") {
		t.Error("the server's log has the text of a token")
	}
}

// TestTokensDisabled checks what is left while there are to be no tokens.
func TestTokensDisabled(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	made := f.makeToken("ann", `{"name":"a"}`)
	f.settle(func(s *store.TokenSettings) { s.Enabled = false })
	disabled := `{"errors":[{"title":"Forbidden","detail":"Personal access tokens are disabled."}]}`
	f.post("ann", tokensPath, `{"name":"b"}`).expect(t, 403, disabled)
	f.post("ann", tokensPath+"/"+made.ID+"/regenerate", "").expect(t, 403, disabled)
	f.with(made.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	if list := f.ownTokens("ann"); len(list) != 1 {
		t.Errorf("%+v", list)
	}
	f.do(call{as: "ann", method: "DELETE", path: tokensPath}).expect(t, 204, "")
}

// TestOpenConsole checks that whoever finds a console open does not leave with
// a token.
func TestOpenConsole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	f.signIn("ann")
	made := f.makeToken("ann", `{"name":"a"}`)
	cookie := map[string]string{"Cookie": f.cookie("ann"), "Content-Type": "application/json"}
	const missing, wrong = `{"errors":[{"title":"Invalid value","detail":"can't be blank","source":{"pointer":"/current_password"}}]}`, `{"errors":[{"title":"Invalid value","detail":"is invalid","source":{"pointer":"/current_password"}}]}`
	second := f.makeToken("ann", `{"name":"one more"}`)
	acts := []struct {
		method, path, members string
		status                int
	}{
		{"POST", tokensPath, `"name":"b"`, 201},
		{"PATCH", tokensPath + "/" + made.ID, `"scopes":["full"]`, 200},
		{"POST", tokensPath + "/" + made.ID + "/regenerate", "", 200},
		{"POST", tokensPath + "/" + made.ID + "/expire", "", 200},
		{"POST", tokensPath + "/delete", `"ids":["` + made.ID + `"]`, 204},
		{"DELETE", tokensPath + "/" + second.ID, "", 204},
		{"DELETE", tokensPath, "", 204},
	}
	body := func(members, password string) string {
		if password == "" {
			return "{" + members + "}"
		}
		return "{" + strings.Join(slices.DeleteFunc([]string{members, `"current_password":"` + password + `"`}, func(m string) bool { return m == "" }), ",") + "}"
	}
	for _, act := range acts {
		before := len(f.ownTokens("ann"))
		f.do(call{method: act.method, path: act.path, body: body(act.members, ""), header: cookie}).expect(t, 422, missing)
		f.do(call{method: act.method, path: act.path, body: body(act.members, "wrong"), header: cookie}).expect(t, 422, wrong)
		if len(f.ownTokens("ann")) != before {
			t.Errorf("%s %s: something was done", act.method, act.path)
		}
		f.do(call{method: act.method, path: act.path, body: body(act.members, password), header: cookie}).expect(t, act.status, "*")
	}
	// Managers are asked for theirs, and so is whoever changes how somebody signs in.
	f.withPassword("root", true, 1)
	root := map[string]string{"Cookie": f.cookie("root"), "Content-Type": "application/json"}
	user := fmt.Sprintf("/api/v1/users/%d", f.account("ann").ID)
	theirs := f.makeToken("ann", `{"name":"c"}`).ID
	match := map[string]string{"Cookie": root["Cookie"], "Content-Type": "application/json", "If-Match": fmt.Sprint(f.account("ann").LockVersion)}
	for _, act := range []struct {
		method, path, members string
		header                map[string]string
		status                int
	}{
		{"POST", user + "/tokens/" + theirs + "/expire", "", root, 200},
		{"DELETE", user + "/tokens/" + theirs, "", root, 204},
		{"PATCH", user, `"email":"ann@elsewhere.example"`, match, 200},
		{"PATCH", "/api/v1/profile", `"email":"ann@example.com"`, cookie, 200},
	} {
		f.do(call{method: act.method, path: act.path, body: body(act.members, ""), header: act.header}).expect(t, 422, missing)
		f.do(call{method: act.method, path: act.path, body: body(act.members, "wrong"), header: act.header}).expect(t, 422, wrong)
		f.do(call{method: act.method, path: act.path, body: body(act.members, password), header: act.header}).expect(t, act.status, "*")
	}
	// The settings can do without for tokens, not for the rest.
	f.settle(func(s *store.TokenSettings) { s.RequirePasswordConfirmation = false })
	f.do(call{method: "POST", path: tokensPath, body: `{"name":"d"}`, header: cookie}).expect(t, 201, "*")
	f.do(call{method: "PATCH", path: "/api/v1/profile", body: `{"email":"ann@elsewhere.example"}`, header: cookie}).expect(t, 422, missing)
}

// TestTokenOfOwner checks what becomes of a token with its owner.
func TestTokenOfOwner(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	text := f.freshToken("ann")
	id := f.account("ann").ID
	root := &auth.Identity{User: f.account("root")}
	enable := func(on bool) {
		t.Helper()
		if _, err := f.auth.ChangeUser(t.Context(), root, id, f.account("ann").LockVersion, auth.UserChange{Enabled: &on}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what   func()
		status int
	}{
		{func() {}, 200},
		{func() { enable(false) }, 401},
		{func() { enable(true) }, 200},
		{func() { f.clock.pass(100 * 365 * 24 * time.Hour) }, 200},
		{func() {
			if err := f.auth.DeleteUser(t.Context(), root, id); err != nil {
				t.Fatal(err)
			}
		}, 401},
	} {
		step.what()
		f.with(text, "GET", "/api/v1/hosts").expect(t, step.status, "*")
	}
	if err := f.store.FlushTokenUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := f.store.View(func(tx *store.Tx) error {
		uses, _, err := tx.TokenUses(id, "", 0, 10)
		if len(uses) != 4 || uses[2].Status != 401 {
			t.Errorf("the log does not have the refused ones: %+v", uses)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f.signIn("root")
	f.get("root", "/api/v1/personal_access_tokens").expect(t, 200, `{"data":[],"pagination":{"end_cursor":null,"first":25,"has_next_page":false}}`)
}

// tokenList is a page of the tokens of all users.
type tokenList struct {
	Data []struct {
		ID, Username string
		UserID       int64 `json:"user_id"`
	}
	Pagination struct {
		EndCursor   string `json:"end_cursor"`
		HasNextPage bool   `json:"has_next_page"`
	}
}

func (f *fixture) allTokens(t *testing.T, query string) (page tokenList) {
	t.Helper()
	f.get("root", "/api/v1/personal_access_tokens"+query).decode(t, &page)
	return page
}

// TestPagesOfTokens walks the tokens of all users page by page, while the one
// a page ended with is deleted.
func TestPagesOfTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	want := make(map[string]bool)
	for _, name := range []string{"ann", "ben"} {
		f.user(name)
		for n := range 3 {
			want[f.makeToken(name, fmt.Sprintf(`{"name":"t%d"}`, n)).ID] = true
		}
	}
	var got []string
	for query := "?first=2"; ; {
		page := f.allTokens(t, query)
		for _, token := range page.Data {
			got = append(got, token.ID)
			if !want[token.ID] {
				t.Errorf("%s is listed twice, or no token", token.ID)
			}
			delete(want, token.ID)
		}
		if !page.Pagination.HasNextPage {
			break
		}
		last := page.Data[len(page.Data)-1]
		f.do(call{as: "root", method: "DELETE", path: fmt.Sprintf("/api/v1/users/%d/tokens/%s", last.UserID, last.ID)}).expect(t, 204, "")
		query = "?first=2&after=" + page.Pagination.EndCursor
	}
	if len(got) != 6 || len(want) != 0 {
		t.Errorf("listed %v, not listed %v", got, want)
	}
	for _, query := range []string{"?first=0", "?first=101", "?after=x", "?after=1.2"} {
		f.get("root", "/api/v1/personal_access_tokens"+query).expect(t, 400, "*")
	}
	f.get("root", "/api/v1/personal_access_tokens?first=x").expect(t, 422, "*")
}

// TestOthersTokens checks that nobody reaches the tokens of others, but those
// who manage users.
func TestOthersTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	f.user("ben")
	made, second := f.makeToken("ann", `{"name":"a"}`), f.makeToken("ann", `{"name":"b"}`)
	own := f.makeToken("ben", `{"name":"c"}`)
	for _, route := range []string{
		"PATCH " + tokensPath + "/" + made.ID, "DELETE " + tokensPath + "/" + made.ID,
		"POST " + tokensPath + "/" + made.ID + "/regenerate", "POST " + tokensPath + "/" + made.ID + "/expire",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, as := range []string{"ben", "root"} {
			f.do(call{as: as, method: method, path: path, body: "{}"}).expect(t, 404, notFound)
		}
	}
	f.post("ben", tokensPath+"/delete", `{"ids":["`+own.ID+`","`+made.ID+`"]}`).expect(t, 404, notFound)
	if len(f.ownTokens("ben")) != 1 || len(f.ownTokens("ann")) != 2 {
		t.Error("something was removed")
	}
	ann, ben := fmt.Sprint("/api/v1/users/", f.account("ann").ID), fmt.Sprint("/api/v1/users/", f.account("ben").ID)
	f.do(call{as: "root", method: "DELETE", path: ben + "/tokens/" + made.ID}).expect(t, 404, notFound)
	f.do(call{as: "root", method: "POST", path: ben + "/tokens/" + made.ID + "/expire"}).expect(t, 404, notFound)
	f.do(call{as: "root", method: "DELETE", path: "/api/v1/users/x/tokens/y"}).expect(t, 422, problems("/id", "Invalid integer. Got: string", "/token_id", "Invalid format. Expected :uuid"))

	all := f.allTokens(t, "")
	if len(all.Data) != 3 || all.Data[0].Username != "ann" || all.Data[0].UserID != f.account("ann").ID || all.Data[2].ID != own.ID || all.Pagination.HasNextPage {
		t.Errorf("%+v", all)
	}
	f.do(call{as: "root", method: "POST", path: ann + "/tokens/" + made.ID + "/expire"}).expect(t, 200, "*")
	f.with(made.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	before := f.account("ann").LockVersion
	f.do(call{as: "root", method: "DELETE", path: ann + "/tokens/" + second.ID}).expect(t, 204, "")
	f.with(second.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	if after := f.account("ann").LockVersion; after != before {
		t.Errorf("version %d, was %d", after, before)
	}
	log := f.entries(activity.TypePersonalAccessTokenExpiration, activity.TypePersonalAccessTokenAdminDeletion)
	if len(log) != 2 || log[0].Actor != "root" || !json.Valid(log[1].Metadata) {
		t.Fatalf("%v", log)
	}
	want := fmt.Sprintf(`{"id":%q,"name":"b","user_id":%d,"username":"ann"}`, second.ID, f.account("ann").ID)
	if string(log[1].Metadata) != want || !strings.Contains(string(log[0].Metadata), `"username":"ann"`) {
		t.Errorf("%s\n%s", log[0].Metadata, log[1].Metadata)
	}
	f.makeToken("ben", `{"name":"d"}`)
	f.do(call{as: "ben", method: "DELETE", path: tokensPath}).expect(t, 204, "")
	if n := len(f.entries(activity.TypePersonalAccessTokenDeletion)); n != 2 {
		t.Errorf("%d entries for two tokens", n)
	}
}

// TestSignInWithToken checks what a token is worth in the place of a password.
func TestSignInWithToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann", 7)
	made := f.makeToken("ann", `{"name":"a","scopes":["user_management","GET /api/v1/hosts"]}`)
	sign := func(username, text string) answer {
		return f.do(call{method: "POST", path: "/api/session", body: credentials(username, text), from: fmt.Sprintf("198.51.100.%d:1", len(f.entries()))})
	}
	sign("ann", made.Text).expect(t, 401, invalidCredentials)
	f.settle(func(s *store.TokenSettings) { s.AllowSignIn = true })
	sign("ben", made.Text).expect(t, 401, invalidCredentials)
	sign("ann", "trento_pat_"+strings.Repeat("A", 86)).expect(t, 401, invalidCredentials)
	signedInAt := f.account("ann").LastLoginAt
	var in tokens
	sign("$token", made.Text).decode(t, &in)
	if f.account("ann").LastLoginAt != signedInAt {
		t.Error("this was no sign-in with a password")
	}
	f.with(in.Access, "GET", "/api/v1/hosts").expect(t, 200, "[]")
	f.with(in.Access, "GET", "/api/v1/clusters").expect(t, 403, forbidden)
	f.do(call{method: "POST", path: tokensPath, body: `{"name":"b"}`, header: bearing(in.Access)}).expect(t, 403, forbidden)
	renew := func() answer { return f.post(nobody, "/api/session/refresh", `{"refresh_token":"`+in.Refresh+`"}`) }
	var renewed tokens
	renew().decode(t, &renewed)
	f.with(renewed.Access, "GET", "/api/v1/clusters").expect(t, 403, forbidden)

	// Whatever ends the token ends what was begun with it, at once.
	f.settle(func(s *store.TokenSettings) { s.AllowSignIn = false })
	f.with(in.Access, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	renew().expect(t, 401, invalidRefresh)
	f.settle(func(s *store.TokenSettings) { s.AllowSignIn = true })
	f.with(in.Access, "GET", "/api/v1/hosts").expect(t, 200, "[]")
	f.signIn("ann")
	f.post("ann", tokensPath+"/"+made.ID+"/regenerate", "").decode(t, &made)
	f.with(in.Access, "GET", "/api/v1/hosts").expect(t, 401, signedOut)
	renew().expect(t, 401, invalidRefresh)

	log := f.entries(activity.TypeLoginAttempt)
	if last := log[len(log)-1]; !slices.ContainsFunc(log, func(e *activity.Entry) bool { return strings.Contains(string(e.Metadata), `"token_id"`) }) {
		t.Errorf("%s", last.Metadata)
	}
}

// use is an entry of the authentication log.
type use struct {
	ID, Method, Path, Via string
	TokenID               string `json:"token_id"`
	TokenName             string `json:"token_name"`
	Status                int
	RemoteAddress         string `json:"remote_address"`
	UserAgent             string `json:"user_agent"`
}

type usePage struct {
	Data       []use
	Pagination struct {
		EndCursor   *string `json:"end_cursor"`
		HasNextPage bool    `json:"has_next_page"`
	}
}

// TestAuthenticationLog checks that everything that is done with a token is
// written down, refused or not, and who reads it.
func TestAuthenticationLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	made := f.makeToken("ann", `{"name":"=cmd()","scopes":["GET /api/v1/hosts"]}`)
	other := f.makeToken("ann", `{"name":"other"}`)
	header := func(more map[string]string) map[string]string {
		h := map[string]string{"User-Agent": "test " + strings.Repeat("x", 1000)}
		maps.Copy(h, more)
		return h
	}
	f.settle(func(s *store.TokenSettings) { s.AllowInQuery = true })
	f.with("trento_pat_"+strings.Repeat("A", 86), "GET", "/api/v1/hosts").expect(t, 401, signedOut) // nobody's: left out
	f.do(call{method: "GET", path: "/api/v1/hosts?secret=1", header: header(bearing(made.Text)), from: "192.0.2.7:4711"}).expect(t, 200, "[]")
	f.do(call{method: "GET", path: "/api/v1/clusters", header: bearing(made.Text)}).expect(t, 403, forbidden)
	f.do(call{method: "GET", path: "/api/v1/hosts?session=" + other.Text}).expect(t, 200, "[]")
	f.do(call{method: "POST", path: "/api/session", body: credentials("ann", other.Text)}).expect(t, 401, invalidCredentials)
	f.clock.pass(time.Minute)
	f.post("ann", tokensPath+"/"+made.ID+"/expire", "").expect(t, 200, "*")
	f.with(made.Text, "GET", "/api/v1/hosts").expect(t, 401, signedOut)

	read := func(as, path string) (page usePage) {
		t.Helper()
		got := f.get(as, path)
		got.expect(t, 200, "*")
		got.decode(t, &page)
		return page
	}
	own := "/api/v1/profile/token_authentications"
	whole := read("ann", own)
	var lines []string
	for _, u := range whole.Data {
		lines = append(lines, fmt.Sprint(u.TokenName, " ", u.Method, " ", u.Path, " ", u.Status, " ", u.RemoteAddress, " ", u.Via, " ", len(u.UserAgent)))
	}
	if diff := cmp.Diff([]string{
		"=cmd() GET /api/v1/hosts 401 192.0.2.1 bearer 0",
		"other POST /api/session 401 192.0.2.1 login 0",
		"other GET /api/v1/hosts 200 192.0.2.1 parameter 0",
		"=cmd() GET /api/v1/clusters 403 192.0.2.1 bearer 0",
		"=cmd() GET /api/v1/hosts 200 192.0.2.7 bearer 512",
	}, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if page := read("ann", own+"?token_id="+other.ID); len(page.Data) != 2 {
		t.Errorf("%+v", page)
	}
	var walked []use
	for path := own + "?first=2"; ; {
		page := read("ann", path)
		walked = append(walked, page.Data...)
		if !page.Pagination.HasNextPage {
			break
		}
		path = own + "?first=2&after=" + *page.Pagination.EndCursor
	}
	if diff := cmp.Diff(whole.Data, walked); diff != "" {
		t.Errorf("page by page (-whole +walked):\n%s", diff)
	}
	ann := fmt.Sprint("/api/v1/users/", f.account("ann").ID)
	if page := read("root", ann+"/token_authentications"); !cmp.Equal(page.Data, whole.Data) {
		t.Errorf("%+v", page)
	}
	if page := read("root", own); len(page.Data) != 0 || page.Pagination.EndCursor != nil {
		t.Errorf("%+v", page)
	}
	f.get("ann", ann+"/token_authentications").expect(t, 403, forbidden)
	f.get("root", "/api/v1/users/999/token_authentications").expect(t, 404, notFound)
	f.get("root", "/api/v1/users/x/token_authentications?token_id=y").expect(t, 422, problems("/id", "Invalid integer. Got: string", "/token_id", "Invalid format. Expected :uuid"))
	for query, status := range map[string]int{"first=0": 400, "first=101": 400, "after=x": 400, "first=x": 422, "last=1": 422} {
		f.get("ann", own+"?"+query).expect(t, status, "*")
	}
	table := f.get("ann", own+".csv")
	records, err := csv.NewReader(strings.NewReader(table.body)).ReadAll()
	if err != nil || len(records) != 6 || records[1][1] != "'=cmd()" || !strings.HasPrefix(table.header.Get("Content-Type"), "text/csv") {
		t.Errorf("%v %q", err, records)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", records[1][0]); err != nil {
		t.Error(err)
	}
	if marked := f.get("ann", own+".csv?bom=true"); marked.body != "\uFEFF"+f.get("ann", own+".csv?bom=false").body {
		t.Errorf("with a byte-order mark: %.40q", marked.body)
	}
	f.get("ann", own+".csv?bom=1").expect(t, 422, problems("/bom", "Invalid boolean. Got: string"))
	if tokens := f.ownTokens("ann"); tokens[0].LastUsedAt == nil || *tokens[0].LastUsedAt == *tokens[1].LastUsedAt {
		t.Errorf("%+v", tokens)
	}
}

// TestTokenSettings reads and changes the settings.
func TestTokenSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	const path = "/api/v1/settings/personal_access_tokens"
	usual := `{"enabled":true,"default_lifetime_days":30,"max_lifetime_days":null,"allow_basic":true,"allow_sign_in":false,"allow_in_query":false,"require_password_confirmation":true}`
	f.get("root", path).expect(t, 200, usual)
	for _, test := range []struct {
		body   string
		status int
		want   string
	}{
		{`{}`, 200, usual},
		{`{"enabled":null}`, 422, problems("/enabled", "null value where boolean expected")},
		{`{"enabled":"no","default_lifetime_days":"1"}`, 422, problems("/default_lifetime_days", "Invalid integer. Got: string", "/enabled", "Invalid boolean. Got: string")},
		{`{"default_lifetime_days":0}`, 422, problems("/default_lifetime_days", "should be from 1 to 36500")},
		{`{"max_lifetime_days":99999999999999999999}`, 422, problems("/max_lifetime_days", "should be from 1 to 36500")},
		{`{"max_lifetime_days":29}`, 422, problems("/default_lifetime_days", "should be at most max_lifetime_days")},
		{`{"allow_as_password":true}`, 422, problems("/allow_as_password", "Unexpected field: allow_as_password")},
		{`{"max_lifetime_days":180,"allow_in_query":true}`, 200, strings.NewReplacer("null", "180", `query":false`, `query":true`).Replace(usual)},
		{`{"max_lifetime_days":180}`, 200, strings.NewReplacer("null", "180", `query":false`, `query":true`).Replace(usual)},
		{`{"max_lifetime_days":null,"allow_in_query":false}`, 200, usual},
	} {
		f.do(call{as: "root", method: "PATCH", path: path, body: test.body}).expect(t, test.status, test.want)
	}
	log := f.entries(activity.TypePersonalAccessTokenSettingsUpdate)
	if len(log) != 2 || log[0].Actor != "root" || string(log[0].Metadata) != `{"allow_in_query":true,"max_lifetime_days":180}` {
		t.Errorf("%v", log)
	}
}

// TestIntrospection checks who is told about tokens, and what.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann", 7, 35)
	ask := func(text string) answer {
		body, err := json.Marshal(map[string]string{"token": text})
		if err != nil {
			t.Fatal(err)
		}
		return f.do(call{method: "POST", path: "/api/session/token/introspect", body: string(body), from: "127.0.0.1:4711"})
	}
	const inactive = `{"active":false}`
	ann := f.account("ann").ID
	abilities := `"abilities":[{"name":"all","resource":"host_tags"},{"name":"operation","resource":"all"}]`
	full := f.freshToken("ann")
	ask(full).expect(t, 200, fmt.Sprintf(`{"active":true,"sub":%d,%s}`, ann, abilities))
	var claims struct {
		ID  string `json:"jti"`
		Iat int64
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(f.tokens["ann"], ".")[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatal(err)
	}
	ask(f.tokens["ann"]).expect(t, 200, fmt.Sprintf(`{"active":true,"aud":"trento_app","iss":"https://github.com/trento-project/web","iat":%d,"nbf":%[1]d,"exp":%d,"jti":%q,"sub":%d,%s}`,
		claims.Iat, claims.Iat+180, claims.ID, ann, abilities))
	root := f.account("root").ID
	ask(f.freshToken("root", "tags")).expect(t, 200, fmt.Sprintf(`{"active":true,"sub":%d,"abilities":[{"name":"all","resource":"host_tags"},{"name":"all","resource":"cluster_tags"},{"name":"all","resource":"database_tags"},{"name":"all","resource":"sap_system_tags"}],"scope":["tags"]}`, root))
	ask(f.freshToken("root", "read_only")).expect(t, 200, fmt.Sprintf(`{"active":true,"sub":%d,"abilities":[],"scope":["read_only"]}`, root))
	for _, text := range []string{"", "x", "trento_pat_x", f.agentKey(), "trento_pat_" + strings.Repeat("A", 86), f.tokens["ann"] + "x"} {
		ask(text).expect(t, 200, inactive)
	}
	ask(full).expect(t, 200, "*")
	off := false
	if _, err := f.auth.ChangeUser(t.Context(), &auth.Identity{User: f.account("root")}, ann, f.account("ann").LockVersion, auth.UserChange{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	ask(full).expect(t, 200, inactive)
	ask(f.tokens["ann"]).expect(t, 200, inactive)

	g := newFixtureOn(t, f.store, f.clock, func(o *auth.Options) {
		o.Introspectors, o.TrustedProxies = prefixes("10.0.0.0/8"), prefixes("172.16.0.0/12")
	})
	for _, test := range []struct {
		from   string
		header map[string]string
		status int
	}{
		{"127.0.0.1:1", nil, 200},
		{"[::1]:1", nil, 200},
		{"192.0.2.1:1", nil, 404},
		{"10.1.2.3:1", nil, 200}, // named
		{"127.0.0.1:1", map[string]string{"X-Forwarded-For": "127.0.0.1"}, 404},
		{"127.0.0.1:1", map[string]string{"Forwarded": "for=127.0.0.1"}, 404},
		{"127.0.0.1:1", map[string]string{"X-Real-Ip": "127.0.0.1"}, 404},
		{"192.0.2.1:1", map[string]string{"X-Forwarded-For": "127.0.0.1"}, 404},
		{"10.1.2.3:1", map[string]string{"X-Forwarded-For": "10.1.2.3"}, 404},
		{"172.16.0.1:1", map[string]string{"X-Forwarded-For": "10.1.2.3"}, 200}, // through a trusted proxy
		{"172.16.0.1:1", map[string]string{"X-Forwarded-For": "127.0.0.1"}, 404},
		{"172.16.0.1:1", map[string]string{"X-Forwarded-For": "10.1.2.3, 192.0.2.1"}, 404},
	} {
		got := g.do(call{method: "POST", path: "/api/session/token/introspect", body: `{"token":"x"}`, from: test.from, header: test.header})
		want := inactive
		if test.status == 404 {
			want = notFound
		}
		got.expect(t, test.status, want)
	}
	f.do(call{method: "POST", path: "/api/session/token/introspect", body: `{}`, from: "127.0.0.1:1"}).expect(t, 400, general(400))
}

// TestTokenAttacks tries to make more of a token than it is.
func TestTokenAttacks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	full := f.freshToken("root")
	root := f.account("root").ID
	before := len(f.ownTokens("root"))
	for route, body := range map[string]string{
		"POST " + tokensPath: `{"name":"child"}`,
		"PATCH " + tokensPath + "/" + f.ownTokens("root")[0].ID:                `{"name":"renamed"}`,
		"POST " + tokensPath + "/" + f.ownTokens("root")[0].ID + "/regenerate": `{}`,
		"PATCH /api/v1/settings/personal_access_tokens":                        `{"allow_sign_in":true}`,
		"GET /api/v1/profile/totp_enrollment":                                  ``,
		"DELETE /api/v1/profile/totp_enrollment":                               ``,
		"PATCH /api/v1/profile":                                                `{"email":"mine@example.com"}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		f.do(call{method: method, path: path, body: body, header: bearing(full)}).expect(t, 403, forbidden)
	}
	f.do(call{method: "PATCH", path: fmt.Sprint("/api/v1/users/", root), body: `{"password":"Other-password-9","password_confirmation":"Other-password-9"}`,
		header: map[string]string{"Authorization": "Bearer " + full, "Content-Type": "application/json", "If-Match": fmt.Sprint(f.account("root").LockVersion)}}).expect(t, 403, forbidden)
	if after := f.ownTokens("root"); len(after) != before || after[0].Name == "renamed" {
		t.Errorf("%+v", after)
	}
	// Somebody who manages users cannot reach more than the set by way of it.
	manager := f.freshToken("root", "user_management")
	f.with(manager, "GET", "/api/v1/settings/api_key").expect(t, 403, forbidden)
	f.with(manager, "GET", "/api/v1/activity_log").expect(t, 403, forbidden)
	// What the log shows follows the scopes, too.
	f.post("root", tokensPath, `{"name":"seen"}`).expect(t, 201, "*")
	for scope, seen := range map[string]bool{"read_only": true, "GET /api/v1/activity_log": true} {
		got := f.with(f.freshToken("root", scope), "GET", "/api/v1/activity_log?type=personal_access_token_creation")
		if got.status != 200 || strings.Contains(got.body, "personal_access_token_creation") != seen {
			t.Errorf("%s: %d %s", scope, got.status, got.body)
		}
	}
}

// Whether a token may make administrators is chosen when it is made, shown in
// the lists, and asked at the door of the users.
func TestTokenMayGrantAdministration(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	plain := f.makeToken("root", `{"name":"plain","scopes":["user_management"]}`)
	granting := f.makeToken("root", `{"name":"granting","scopes":["user_management"],"may_grant_administration":true}`)
	f.post("root", tokensPath, `{"name":"x","scopes":["tags"],"may_grant_administration":true}`).expect(t, 422,
		problems("/may_grant_administration", "has no effect: with these scopes the token cannot change users"))
	f.post("root", tokensPath, `{"name":"x","may_grant_administration":"yes"}`).expect(t, 422, problems("/may_grant_administration", "Invalid boolean. Got: string"))
	for _, list := range []string{tokensPath, "/api/v1/personal_access_tokens"} {
		got := f.get("root", list)
		if n := strings.Count(got.body, `"may_grant_administration":true`); got.status != 200 || n != 1 {
			t.Errorf("%s: %d %s", list, got.status, got.body)
		}
	}
	body := func(name string) string {
		return `{"username":"` + name + `","fullname":"X","email":"` + name + `@example.com","password":"secret1223","password_confirmation":"secret1223","enabled":true,
			"abilities":[{"id":1,"name":"all","resource":"all","label":""}]}`
	}
	f.tokens["by plain"], f.tokens["by granting"] = plain.Text, granting.Text
	f.post("by plain", "/api/v1/users", body("eve")).expect(t, 403, forbidden)
	f.post("by granting", "/api/v1/users", body("ada")).expect(t, 201, "*")
}
