package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trento/auth"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann", 11)
	const before = `{"id":1,"fullname":"ann","username":"ann","email":"ann@example.com","abilities":[{"id":11,"name":"cleanup","resource":"host","label":"Permits cleanup of hosts"}],` +
		`"personal_access_tokens":[],"password_change_requested":true,"totp_enabled":false,"analytics_enabled":false,"analytics_eula_accepted":false,` +
		`"ai_configuration":null,"idp_user":false,"timezone":"Etc/UTC","created_at":"2026-08-20T10:15:30.123456Z","updated_at":"2026-08-20T10:15:30.123456Z"}`
	f.get("ann", "/api/v1/profile").expect(t, 200, before)
	patch := func(body string) answer {
		t.Helper()
		return f.do(call{as: "ann", method: "PATCH", path: "/api/v1/profile", body: body})
	}
	for body, want := range map[string]string{
		`{"abilities":[],"fullname":1}`:              problems("/abilities", "Unexpected field: abilities"),
		`{"enabled":true}`:                           problems("/enabled", "Unexpected field: enabled"),
		`{"username":"root"}`:                        problems("/username", "Unexpected field: username"),
		`{"analytics_enabled":null,"fullname":1}`:    problems("/analytics_enabled", "null value where boolean expected", "/fullname", "Invalid string. Got: integer"),
		`{"email":"","fullname":" ","timezone":"x"}`: problems("/email", "can't be blank", "/fullname", "can't be blank", "/timezone", "is not a valid IANA timezone"),
		`{"password":"` + password + `"}`:            problems("/current_password", "can't be blank", "/password_confirmation", "can't be blank"),
		`{"password":"weakpwd","current_password":"x","password_confirmation":"y"}`: problems("/current_password", "is invalid", "/password", "should be at least 8 character(s)", "/password_confirmation", "does not match confirmation"),
	} {
		patch(body).expect(t, 422, want)
	}
	f.get("ann", "/api/v1/profile").expect(t, 200, before)
	f.clock.pass(time.Second)
	want := strings.NewReplacer(`"fullname":"ann"`, `"fullname":"Ann"`, `Etc/UTC`, `Asia/Tokyo`, `"analytics_enabled":false,"analytics_eula_accepted":false`,
		`"analytics_enabled":true,"analytics_eula_accepted":true`, `"updated_at":"2026-08-20T10:15:30`, `"updated_at":"2026-08-20T10:15:31`).Replace(before)
	patch(`{"fullname":"Ann","timezone":"Asia/Tokyo","analytics_enabled":true,"analytics_eula_accepted":true,"current_password":"not looked at"}`).expect(t, 200, want)
	f.get("ann", "/api/v1/profile").expect(t, 200, want)
}

func TestTOTP(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	f.signIn("ann")
	const path = "/api/v1/profile/totp_enrollment"
	notValid := sentence("TOTP code not valid for the enrollment procedure.")
	already := sentence("TOTP already enabled, could not process the enrollment procedure")
	confirm := func(body string) answer { t.Helper(); return f.post("ann", path, body) }
	confirm(`{"totp_code":"123456"}`).expect(t, 422, notValid)
	confirm(`{}`).expect(t, 422, problems("/totp_code", "Missing field: totp_code"))
	confirm(`{"totp_code":123456}`).expect(t, 422, problems("/totp_code", "Invalid string. Got: integer"))
	var offered struct {
		Secret string `json:"secret"`
		URI    string `json:"secret_qr_encoded"`
	}
	f.get("ann", path).decode(t, &offered)
	if offered.URI != "otpauth://totp/trento:ann?secret="+offered.Secret+"&issuer=Trento" {
		t.Errorf("%+v", offered)
	}
	code := func() string {
		t.Helper()
		c, err := totp.GenerateCode(offered.Secret, f.clock.now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	confirm(`{"totp_code":"`+code()+`"}`).expect(t, 200, `{"totp_enabled_at":"2026-08-20T10:15:30.123456Z"}`)
	confirm(`{"totp_code":"`+code()+`"}`).expect(t, 422, already)
	f.get("ann", path).expect(t, 422, already)

	signIn := func(code, from string) answer {
		t.Helper()
		body := strings.TrimSuffix(credentials("ann", password), "}")
		if code != "" {
			body += `,"totp_code":` + code
		}
		return f.do(call{method: "POST", path: "/api/session", body: body + "}", from: from + ":1"})
	}
	signIn("", "10.0.0.1").expect(t, 422, sentence("TOTP code missing."))
	signIn(`"`+code()+`"`, "10.0.0.2").expect(t, 401, invalidCredentials) // it confirmed the enrollment
	f.clock.pass(30 * time.Second)
	for i, wrong := range []string{`null`, `""`} {
		signIn(wrong, "10.0.1."+string(rune('1'+i))).expect(t, 401, invalidCredentials)
	}
	f.clock.pass(time.Hour) // so that the failures are forgotten
	signIn(`{"x":1}`, "10.0.0.3").expect(t, 401, invalidCredentials)
	signIn(`"`+code()+`"`, "10.0.0.4").expect(t, 200, "*")
	signIn(`"`+code()+`"`, "10.0.0.5").expect(t, 401, invalidCredentials) // replayed
	f.signInAgain("ann", code, signIn)

	f.do(call{as: "ann", method: "DELETE", path: path}).expect(t, 204, "")
	f.do(call{as: "ann", method: "DELETE", path: path}).expect(t, 204, "")
	signIn("", "10.0.0.6").expect(t, 200, "*")
}

// signInAgain takes the access token of a new sign-in with a code.
func (f *fixture) signInAgain(name string, code func() string, signIn func(code, from string) answer) {
	f.t.Helper()
	f.clock.pass(30 * time.Second)
	var held tokens
	signIn(`"`+code()+`"`, "10.0.9.9").decode(f.t, &held)
	f.tokens[name] = held.Access
}

func TestProfileOfTheDefaultAdmin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.auth.EnsureAdmin(t.Context(), auth.Admin{Email: "root@example.com", Password: password}, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	f.signIn("admin")
	f.get("admin", "/api/v1/profile").expect(t, 200, "*")
	for _, c := range []call{
		{method: "PATCH", path: "/api/v1/profile", body: `{"email":"x"}`},
		{method: "GET", path: "/api/v1/profile/totp_enrollment"},
		{method: "POST", path: "/api/v1/profile/totp_enrollment", body: `{"totp_code":"1"}`},
		{method: "DELETE", path: "/api/v1/profile/totp_enrollment"},
	} {
		c.as = "admin"
		f.do(c).expect(t, http.StatusForbidden, forbidden)
	}
	f.do(call{as: "admin", method: "PATCH", path: "/api/v1/profile", body: `{"x":1}`}).expect(t, 422, problems("/x", "Unexpected field: x"))
}
