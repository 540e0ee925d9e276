package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/store/activity"
)

// The texts of two statuses that only users have.
const (
	stale         = `{"errors":[{"title":"Precondition failed","detail":"Mid-air collision detected, please refresh the resource you are trying to update."}]}`
	unconditional = `{"errors":[{"title":"Precondition required","detail":"Request needs to be conditional, please provide If-Match header."}]}`
)

// newAnn is the body that makes a user.
func newAnn(change ...string) string {
	body := map[string]any{
		"username": "ann", "fullname": "Ann Lee", "email": "ann@example.com", "password": password, "password_confirmation": password, "enabled": true,
	}
	for i := 0; i < len(change); i += 2 {
		if change[i+1] == "" {
			delete(body, change[i])
		} else {
			body[change[i]] = json.RawMessage(change[i+1])
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// change sends a change of a user. A version of "" is none.
func (f *fixture) change(as, method, path, version, body string) answer {
	f.t.Helper()
	return f.do(call{as: as, method: method, path: path, body: body, header: map[string]string{"If-Match": version}})
}

func TestUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2) // id 1
	created := f.post("boss", "/api/v1/users", newAnn("username", `" Ann "`, "abilities", `[{"id":11,"name":"x","resource":"y"},{"id":2,"name":"all","resource":"users","label":"l"},{"id":11,"name":"","resource":""}]`))
	const ann = `{"id":2,"fullname":"Ann Lee","username":"ann","email":"ann@example.com",` +
		`"abilities":[{"id":2,"name":"all","resource":"users","label":"Permits all operations on user resource"},{"id":11,"name":"cleanup","resource":"host","label":"Permits cleanup of hosts"}],` +
		`"personal_access_tokens":[],"enabled":true,"idp_user":false,"password_change_requested_at":"2026-08-20T10:15:30.123456Z","totp_enabled_at":null,` +
		`"analytics_enabled":false,"timezone":"Etc/UTC","last_login_at":null,"created_at":"2026-08-20T10:15:30.123456Z","updated_at":"2026-08-20T10:15:30.123456Z"}`
	created.expect(t, http.StatusCreated, ann)
	read := f.get("boss", "/api/v1/users/2")
	read.expect(t, http.StatusOK, ann)
	for _, got := range []answer{created, read} {
		if etag := got.header["Etag"]; len(etag) != 1 || etag[0] != "1" {
			t.Errorf("ETag is %q", etag)
		}
	}
	var list []struct{ ID int }
	got := f.get("boss", "/api/v1/users")
	got.decode(t, &list)
	if len(list) != 2 || list[0].ID != 1 || list[1].ID != 2 || !strings.HasSuffix(got.body, ","+ann+"]") {
		t.Errorf("the list is %s", got.body)
	}

	f.clock.pass(time.Second)
	changed := f.change("boss", "PATCH", "/api/v1/users/2", "1", `{"enabled":false,"fullname":"A","abilities":[]}`)
	changed.expect(t, http.StatusOK, "*")
	if changed.header.Get("ETag") != "2" || !strings.Contains(changed.body, `"abilities":[]`) || !strings.Contains(changed.body, `"enabled":false`) ||
		!strings.Contains(changed.body, `"updated_at":"2026-08-20T10:15:31.123456Z"`) {
		t.Errorf("changed to %s %s", changed.header.Get("ETag"), changed.body)
	}
	// PUT is no different: a member that is absent keeps its value, enabled as well.
	f.change("boss", "PUT", "/api/v1/users/2", `"2"`, `{"fullname":"B"}`).expect(t, http.StatusOK, "*")
	same := f.change("boss", "PATCH", "/api/v1/users/2", "3", `{}`)
	same.expect(t, http.StatusOK, "*")
	if u := f.account("ann"); u.Fullname != "B" || u.Enabled() || same.header.Get("ETag") != "3" {
		t.Errorf("stored %+v", u)
	}

	f.do(call{as: "boss", method: "DELETE", path: "/api/v1/users/2"}).expect(t, http.StatusNoContent, "")
	f.get("boss", "/api/v1/users/2").expect(t, http.StatusNotFound, notFound)
	f.do(call{as: "boss", method: "DELETE", path: "/api/v1/users/2"}).expect(t, http.StatusNotFound, notFound)
	f.change("boss", "PATCH", "/api/v1/users/2", "4", `{}`).expect(t, http.StatusNotFound, notFound)
	again := f.post("boss", "/api/v1/users", newAnn())
	again.expect(t, http.StatusCreated, "*")
	if !strings.HasPrefix(again.body, `{"id":3,`) {
		t.Errorf("the name again: %s", again.body)
	}
}

// TestUserFaults goes through what can be wrong, in the order in which it is
// looked at.
func TestUserFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 2)
	f.user("ben")
	if _, err := f.auth.EnsureAdmin(t.Context(), auth.Admin{Email: "root@example.com", Password: password}, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	admin := fmt.Sprintf("/api/v1/users/%d", f.account("admin").ID)
	const users, ben = "/api/v1/users", "/api/v1/users/2"
	many := make([]string, 300)
	for i := range many {
		many[i] = "1"
	}
	for _, test := range []struct {
		name                  string
		method, path, version string
		body                  string
		status                int
		want                  string
	}{
		{"unexpected", "POST", users, "", newAnn("id", `7`, "username", "", "zzz", `1`), 422, problems("/id", "Unexpected field: id")},
		{"missing", "POST", users, "", `{"enabled":1}`, 422, problems(
			"/email", "Missing field: email", "/fullname", "Missing field: fullname", "/password", "Missing field: password",
			"/password_confirmation", "Missing field: password_confirmation", "/username", "Missing field: username")},
		{"types", "POST", users, "", newAnn("enabled", `"yes"`, "fullname", `null`, "email", `7`, "timezone", `null`, "abilities", `{}`), 422, problems(
			"/abilities", "Invalid array. Got: object", "/email", "Invalid string. Got: integer", "/enabled", "Invalid boolean. Got: string",
			"/fullname", "null value where string expected", "/timezone", "null value where string expected")},
		{"abilities", "POST", users, "", newAnn("abilities", `[1,{"id":"2","name":null,"resource":"x"},{},{"id":1.5,"name":"a","resource":"b","label":3}]`), 422, problems(
			"/abilities/0", "Invalid object. Got: integer", "/abilities/1/id", "Invalid integer. Got: string", "/abilities/1/name", "null value where string expected",
			"/abilities/2/id", "Missing field: id", "/abilities/2/name", "Missing field: name", "/abilities/2/resource", "Missing field: resource",
			"/abilities/3/id", "Invalid integer. Got: number", "/abilities/3/label", "Invalid string. Got: integer")},
		{"null abilities", "POST", users, "", newAnn("abilities", `null`), 422, problems("/abilities", "null value where array expected")},
		{"unknown ability", "POST", users, "", newAnn("abilities", `[{"id":37,"name":"all","resource":"all"}]`), 422, problems("/abilities", "is invalid")},
		{"fields", "POST", users, "", newAnn("username", `" "`, "fullname", `""`, "email", `"x"`, "password", `"aaa1234"`, "timezone", `""`), 422, problems(
			"/email", "is not a valid email", "/fullname", "can't be blank", "/password", "should be at least 8 character(s)", "/password", "has repetitive characters",
			"/password", "has sequential characters", "/password_confirmation", "does not match confirmation", "/timezone", "is not a valid IANA timezone", "/username", "can't be blank")},
		{"taken", "POST", users, "", newAnn("username", `"BEN"`), 422, problems("/username", "has already been taken")},
		{"address taken", "POST", users, "", newAnn("email", `"ben@example.com"`), 422, problems("/email", "has already been taken")},
		{"reserved", "POST", users, "", newAnn("username", `"system"`), 422, problems("/username", "is reserved")},
		{"hostile name", "POST", users, "", newAnn("username", `"a\u0000b"`), 422, problems("/username", "is invalid")},
		{"oversized name", "POST", users, "", newAnn("username", `"`+strings.Repeat("x", 100_000)+`"`), 422, problems("/username", "should be at most 255 character(s)")},
		{"oversized password", "POST", users, "", newAnn("password", `"`+strings.Repeat("xY", 2049)+`"`, "password_confirmation", `"`+strings.Repeat("xY", 2049)+`"`), 422, problems("/password", "should be at most 4096 character(s)")},
		{"list", "POST", users, "", `[]`, 422, problems("/", "Invalid object. Got: array")},
		{"not JSON", "POST", users, "", `{"a`, 400, "*"},

		{"id", "GET", "/api/v1/users/x", "", "", 422, problems("/id", "Invalid integer. Got: string")},
		{"large id", "GET", "/api/v1/users/99999999999999999999", "", "", 404, notFound},
		{"negative id", "GET", "/api/v1/users/-1", "", "", 404, notFound},
		{"no such user", "GET", "/api/v1/users/99", "", "", 404, notFound},
		{"delete id", "DELETE", "/api/v1/users/1e3", "", "", 422, problems("/id", "Invalid integer. Got: string")},
		{"delete admin", "DELETE", admin, "", "", 403, forbidden},

		{"id and version before the body", "PATCH", "/api/v1/users/x", "y", `{"a":1}`, 422, problems("/id", "Invalid integer. Got: string", "/if-match", "Invalid integer. Got: string")},
		{"weak version", "PATCH", ben, `W/"1"`, `{}`, 422, problems("/if-match", "Invalid integer. Got: string")},
		{"any version", "PATCH", ben, `*`, `{}`, 422, problems("/if-match", "Invalid integer. Got: string")},
		{"half a quote", "PATCH", ben, `"1`, `{}`, 422, problems("/if-match", "Invalid integer. Got: string")},
		{"the name is not changed", "PATCH", ben, "1", `{"username":"x"}`, 422, problems("/username", "Unexpected field: username")},
		{"nothing else is assigned", "PATCH", ben, "1", `{"totp_enabled_at":null,"locked_at":null}`, 422, problems("/locked_at", "Unexpected field: locked_at")},
		{"type", "PATCH", ben, "1", `{"totp_disabled":"yes","enabled":null}`, 422, problems("/enabled", "null value where boolean expected", "/totp_disabled", "Invalid boolean. Got: string")},
		{"schema before existence", "PATCH", "/api/v1/users/99", "", `{"x":1}`, 422, problems("/x", "Unexpected field: x")},
		{"existence before condition", "PATCH", "/api/v1/users/99", "", `{}`, 404, notFound},
		{"condition before protection", "PATCH", admin, "", `{}`, 428, unconditional},
		{"condition before fields", "PUT", ben, "", `{"email":"x"}`, 428, unconditional},
		{"protection before fields", "PATCH", admin, "99", `{"email":"x"}`, 403, forbidden},
		{"protection of the rest", "PATCH", admin, "1", `{"abilities":[],"enabled":true}`, 403, forbidden},
		{"fields before version", "PATCH", ben, "99", `{"email":"x"}`, 422, problems("/email", "is not a valid email")},
		{"version before clash", "PATCH", ben, "99", `{"email":"root@example.com"}`, 412, stale},
		{"clash", "PATCH", ben, "1", `{"email":"root@example.com"}`, 422, problems("/email", "has already been taken")},
		{"password alone", "PATCH", ben, "1", `{"password":"` + password + `"}`, 422, problems("/password_confirmation", "can't be blank")},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(f.entries())
			stored := *f.account("ben")
			header := map[string]string{}
			if test.version != "" {
				header["If-Match"] = test.version
			}
			f.do(call{as: "boss", method: test.method, path: test.path, body: test.body, header: header}).expect(t, test.status, test.want)
			if n := len(f.entries()) - before; n != 0 || !cmp.Equal(stored, *f.account("ben")) {
				t.Errorf("a refused request leaves %d entries, %+v", n, f.account("ben"))
			}
		})
	}
	// A body with more than all the abilities there are is cut short.
	got := f.post("boss", users, newAnn("abilities", "["+strings.Join(many, ",")+"]"))
	if n := strings.Count(got.body, "Invalid object"); got.status != 422 || n != 100 {
		t.Errorf("%d problems", n)
	}
}

// TestDisabledAtOnce: nothing a user holds is good for anything after the
// answer that disabled, deleted or changed them.
func TestDisabledAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]call{
		"disabled": {method: "PATCH", body: `{"enabled":false}`},
		"deleted":  {method: "DELETE"},
		"password": {method: "PATCH", body: `{"password":"` + password + `","password_confirmation":"` + password + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.user("boss", 1)
			f.withPassword("ann", true)
			var held tokens
			f.post(nobody, "/api/session", credentials("ann", password)).decode(t, &held)
			f.tokens["ann"] = held.Access
			cookie := f.cookie("ann")
			f.get("ann", "/api/v1/hosts").expect(t, http.StatusOK, "*")

			c.as, c.path, c.header = "boss", "/api/v1/users/2", map[string]string{"If-Match": "1"}
			if got := f.do(c); got.status > 204 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			f.get("ann", "/api/v1/hosts").expect(t, http.StatusUnauthorized, signedOut)
			f.do(call{method: "GET", path: "/api/v1/hosts", header: map[string]string{"Cookie": cookie}}).expect(t, http.StatusUnauthorized, signedOut)
			f.post(nobody, "/api/session/refresh", `{"refresh_token":"`+held.Refresh+`"}`).expect(t, http.StatusUnauthorized, invalidRefresh)
		})
	}
}

// TestUserEntries: the log tells who did what to whom, and no password.
func TestUserEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("boss", 1)
	f.post("boss", "/api/v1/users", newAnn()).expect(t, http.StatusCreated, "*")
	f.change("boss", "PATCH", "/api/v1/users/2", "1", `{"password":"`+password+`x","password_confirmation":"`+password+`x","enabled":true}`).expect(t, http.StatusOK, "*")
	f.signIn("ann")
	f.do(call{as: "ann", method: "PATCH", path: "/api/v1/profile", body: `{"password":"` + password + `y","password_confirmation":"` + password + `y","current_password":"` + password + `x"}`}).expect(t, http.StatusOK, "*")
	f.do(call{as: "boss", method: "DELETE", path: "/api/v1/users/2"}).expect(t, http.StatusNoContent, "")
	found := f.entries(activity.TypeUserCreation, activity.TypeUserModification, activity.TypeProfileUpdate, activity.TypeUserDeletion)
	var said []string
	for _, e := range found[1:] { // the first is of boss
		said = append(said, fmt.Sprintf("%s by %s %s", e.Type, e.Actor, e.Metadata))
		if strings.Contains(string(e.Metadata), password) || strings.Contains(string(e.Metadata), "argon2") {
			t.Errorf("a secret: %s", e.Metadata)
		}
	}
	want := []string{
		`user_creation by boss {"abilities":[],"email":"ann@example.com","enabled":true,"fullname":"Ann Lee","password":"REDACTED","password_confirmation":"REDACTED","timezone":"Etc/UTC","user_id":2,"username":"ann"}`,
		`user_modification by boss {"enabled":true,"password":"REDACTED","password_confirmation":"REDACTED","user_id":2,"username":"ann"}`,
		`profile_update by ann {"current_password":"REDACTED","password":"REDACTED","password_confirmation":"REDACTED","user_id":2,"username":"ann"}`,
		`user_deletion by boss {"user_id":2,"username":"ann"}`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if found[len(found)-1].Severity != activity.Warning {
		t.Errorf("a deletion is %v", found[len(found)-1].Severity)
	}
}

func TestRegenerateAPIKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14)
	before := f.agentKey()
	const path = "/api/v1/settings/api_key"
	patch := func(body string) answer { return f.do(call{as: "keeper", method: "PATCH", path: path, body: body}) }
	for body, want := range map[string]string{
		`{}`:                                   problems("/expire_at", "Missing field: expire_at"),
		`{"expire_at":null,"x":1}`:             problems("/x", "Unexpected field: x"),
		`{"expire_at":7}`:                      problems("/expire_at", "Invalid string. Got: integer"),
		`{"expire_at":"tomorrow"}`:             problems("/expire_at", `Invalid format. Expected :"date-time"`),
		`{"expire_at":"2026-08-20T10:15:30Z"}`: problems("/expire_at", "should be in the future"),
		`{"expire_at":"2020-01-01T00:00:00Z"}`: problems("/expire_at", "should be in the future"),
	} {
		patch(body).expect(t, 422, want)
	}
	if f.agentKey() != before || len(f.entries(activity.TypeAPIKeyGeneration)) != 0 {
		t.Fatal("a refused request has made a key")
	}
	send := func(key string, want int) {
		t.Helper()
		f.do(call{method: "POST", path: "/api/v1/collect", body: hostReport(agentID, "vega01"), header: map[string]string{"X-Trento-Apikey": key}}).expect(t, want, "*")
	}
	got := patch(`{"expire_at":"2026-08-21T12:15:30+02:00"}`)
	got.expect(t, 200, `{"created_at":"2026-08-20T10:15:30.123456Z","generated_api_key":"`+f.agentKey()+`","expire_at":"2026-08-21T10:15:30.000000Z"}`)
	entry := f.entries(activity.TypeAPIKeyGeneration)
	if len(entry) != 1 || entry[0].Actor != "keeper" || !strings.Contains(string(entry[0].Metadata), `"expire_at":"2026-08-21T10:15:30Z"`) ||
		!strings.Contains(string(entry[0].Metadata), `"correlation_id":"`) || strings.Contains(string(entry[0].Metadata), f.agentKey()) {
		t.Errorf("logged %+v", entry)
	}
	send(before, http.StatusUnauthorized)
	send(f.agentKey(), http.StatusAccepted)
	f.clock.pass(24 * time.Hour)
	send(f.agentKey(), http.StatusUnauthorized)
	f.signIn("keeper")
	expired := f.agentKey()
	patch(`{"expire_at":null}`).expect(t, 200, "*")
	send(expired, http.StatusUnauthorized)
	f.clock.pass(100 * 365 * 24 * time.Hour / 2)
	send(f.agentKey(), http.StatusAccepted)
	if key := f.apiKey(); key.ExpiresAt != nil {
		t.Errorf("%+v", key)
	}
}

// A password that follows the rules and is easy to guess is taken, and the
// answer says so where the shape of a user has no room for it.
func TestWeakPasswordIsToldOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	for password, want := range map[string]string{
		"password1": `299 - "The password is easy to guess: it is a common password, or close to one"`, "x7Kq!vR2pL": "", "x7Kq-bob9-vR2pL": `299 - "The password contains the user name"`,
	} {
		name := "bob" + strings.Repeat("9", len(want)%2)
		got := f.post("root", "/api/v1/users", `{"username":"`+name+`","fullname":"B","email":"`+name+`@example.com","password":"`+password+`","password_confirmation":"`+password+`","enabled":true}`)
		if got.status != 201 || got.header.Get("Warning") != want {
			t.Errorf("%s: %d %q, want %q", password, got.status, got.header.Get("Warning"), want)
		}
		var made struct{ ID int }
		got.decode(t, &made)
		f.do(call{as: "root", method: "DELETE", path: fmt.Sprintf("/api/v1/users/%d", made.ID)}).expect(t, 204, "")
	}
}
