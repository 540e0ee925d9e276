package api_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
)

const password = "Tuesday-morning-7"

// withPassword makes a user who can sign in with password.
func (f *fixture) withPassword(name string, enabled bool, abilities ...int) {
	f.t.Helper()
	hash, err := f.auth.HashPassword(f.t.Context(), password)
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = f.store.CreateUser(f.t.Context(), store.System(), store.NewUser{
		Username: name, Fullname: name, Email: name + "@example.com", PasswordHash: hash, Enabled: enabled, Abilities: abilities,
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func credentials(username, password string) string {
	return `{"username":` + strconv.Quote(username) + `,"password":` + strconv.Quote(password) + `}`
}

const (
	invalidCredentials = `{"errors":[{"title":"Unauthorized","detail":"Invalid credentials."}]}`
	invalidRefresh     = `{"errors":[{"title":"Unauthorized","detail":"Invalid refresh token."}]}`
)

// tokens is the answer to a sign-in.
type tokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int    `json:"expires_in"`
}

// TestSignIn goes through the table of the sign-in. Every row comes from an
// address of its own, since failures slow their address down.
func TestSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	f.withPassword("ben", false)
	f.user("cat") // has no password
	for i, test := range []struct {
		name, body  string
		contentType string
		status      int
		want        string
		actor       string // of the entry in the activity log
	}{
		{"right", credentials("ann", password), "application/json", 200, "*", "ann"},
		{"name in another form", credentials(" ANN ", password), "application/json", 200, "*", "ann"},
		{"more than asked for", `{"username":"ann","password":"` + password + `","totp_code":"1","x":[]}`, "application/json", 200, "*", "ann"},
		{"wrong password", credentials("ann", "wrong"), "application/json", 401, invalidCredentials, "ann"},
		{"unknown user", credentials("zoe", password), "application/json", 401, invalidCredentials, "zoe"},
		{"disabled user", credentials("ben", password), "application/json", 401, invalidCredentials, "ben"},
		{"user without password", credentials("cat", ""), "application/json", 401, invalidCredentials, "cat"},
		{"password is a number", `{"username":"ann","password":1}`, "application/json", 401, invalidCredentials, "ann"},
		{"no password", `{"username":"ann"}`, "application/json", 401, invalidCredentials, "ann"},
		{"no name", `{"password":"x"}`, "application/json", 401, invalidCredentials, "no_username"},
		{"name is a list", `{"username":["ann"],"password":"x"}`, "application/json", 401, invalidCredentials, "no_username"},
		{"members are capitals", `{"USERNAME":"ann","PASSWORD":"` + password + `"}`, "application/json", 401, invalidCredentials, "no_username"},
		{"no object", `"ann"`, "application/json", 401, invalidCredentials, "no_username"},
		{"nothing", ``, "application/json", 401, invalidCredentials, "no_username"},
		{"long name", credentials(strings.Repeat("n", 300), "x"), "application/json", 401, invalidCredentials, strings.Repeat("n", 255)},
		{"not JSON", `{"username":`, "application/json", 400, `{"errors":[{"title":"Bad Request","detail":"unexpected end of JSON input"}]}`, ""},
		{"a form", `username=ann`, "application/x-www-form-urlencoded", 415, problems("/", "Invalid value for header: content-type"), ""},
		{"no type", credentials("ann", password), "", 415, problems("/", "Invalid value for header: content-type"), ""},
	} {
		before := len(f.entries(activity.TypeLoginAttempt))
		got := f.do(call{
			method: "POST", path: "/api/session", body: test.body,
			header: map[string]string{"Content-Type": test.contentType}, from: "10.0." + strconv.Itoa(i) + ".1:1000",
		})
		t.Run(test.name, func(t *testing.T) {
			got.expect(t, test.status, test.want)
			attempts := f.entries(activity.TypeLoginAttempt)[before:]
			if test.actor == "" {
				if len(attempts) != 0 {
					t.Errorf("%d attempts were logged", len(attempts))
				}
				return
			}
			if len(attempts) != 1 || attempts[0].Actor != test.actor || (attempts[0].Severity == activity.Info) != (test.status == 200) {
				t.Errorf("logged: %+v", attempts)
			}
		})
	}
}

// TestTokens follows the tokens of a sign-in until they are worth nothing.
func TestTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	var signedIn, refreshed tokens
	f.post(nobody, "/api/session", credentials("ann", password)).decode(t, &signedIn)
	if signedIn.Access == "" || signedIn.Refresh == "" || signedIn.ExpiresIn != 180 {
		t.Fatalf("sign-in: %+v", signedIn)
	}
	use := func(token string, want int) {
		t.Helper()
		got := f.do(call{method: "GET", path: "/api/v1/hosts", header: map[string]string{"Authorization": "bearer  " + token}})
		got.expect(t, want, "*")
	}
	refresh := func(body string) answer { return f.post(nobody, "/api/session/refresh", body) }
	member := func(token string) string { return `{"refresh_token":` + strconv.Quote(token) + `}` }

	use(signedIn.Access, http.StatusOK)
	use(signedIn.Refresh, http.StatusUnauthorized)
	f.clock.pass(auth.AccessLifetime)
	use(signedIn.Access, http.StatusUnauthorized)

	got := refresh(member(signedIn.Refresh))
	got.expect(t, http.StatusOK, "*")
	got.decode(t, &refreshed)
	if strings.Contains(got.body, "refresh_token") || refreshed.ExpiresIn != 180 {
		t.Errorf("refresh: %s", got.body)
	}
	use(refreshed.Access, http.StatusOK)

	for name, body := range map[string]string{
		"access token": member(refreshed.Access), "garbage": member("x"), "nothing": member(""),
		"null": `{"refresh_token":null}`, "a number": `{"refresh_token":7}`,
	} {
		if got := refresh(body); got.status != http.StatusUnauthorized || got.body != invalidRefresh {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, body := range map[string]string{"absent": `{"token":"x"}`, "no object": `[]`, "empty": ``} {
		if got := refresh(body); got.status != http.StatusBadRequest || got.body != general(400) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}

	storetest.Disable(t, f.store, f.account("ann").ID)
	use(refreshed.Access, http.StatusUnauthorized)
	refresh(member(signedIn.Refresh)).expect(t, http.StatusUnauthorized, invalidRefresh)
}

// TestRefreshEnds checks that a sign-in lasts six hours and no longer.
func TestRefreshEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	var signedIn tokens
	f.post(nobody, "/api/session", credentials("ann", password)).decode(t, &signedIn)
	body := `{"refresh_token":"` + signedIn.Refresh + `"}`
	f.clock.pass(auth.RefreshLifetime - 1e9)
	f.post(nobody, "/api/session/refresh", body).expect(t, http.StatusOK, "*")
	f.clock.pass(1e9)
	f.post(nobody, "/api/session/refresh", body).expect(t, http.StatusUnauthorized, invalidRefresh)
}

// TestOpenSessions: users see and end their own sessions, and those of others
// if they manage users.
func TestOpenSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.withPassword("ann", true)
	f.withPassword("root", true, 2)
	f.signIn("ann")
	f.signIn("root")
	for range 3 {
		f.clock.pass(time.Second)
		f.cookie("ann")
	}
	type page struct {
		Data []struct {
			ID, Kind, Method string
			Current          bool
		}
		Pagination struct {
			EndCursor   string `json:"end_cursor"`
			HasNextPage bool   `json:"has_next_page"`
		}
	}
	list := func(as, path string) (p page) {
		t.Helper()
		f.get(as, path).decode(t, &p)
		return p
	}
	own := list("ann", "/api/v1/profile/sessions")
	if n := len(own.Data); n != 4 || own.Data[0].Kind != "console" || own.Data[3].Kind != "api" || !own.Data[3].Current || own.Data[0].Current {
		t.Fatalf("sessions %+v", own)
	}
	ann := fmt.Sprintf("/api/v1/users/%d/sessions", f.account("ann").ID)
	first := list("root", ann+"?first=3")
	if len(first.Data) != 3 || !first.Pagination.HasNextPage {
		t.Errorf("first page %+v", first)
	}
	second := list("root", ann+"?first=3&after="+first.Pagination.EndCursor)
	if len(second.Data) != 1 || second.Data[0].ID != own.Data[3].ID || second.Pagination.HasNextPage {
		t.Errorf("second page %+v", second)
	}
	for _, query := range []string{"?first=0", "?first=101", "?after=x", "?after=1"} {
		f.get("root", ann+query).expect(t, 400, "*")
	}
	f.get("ann", ann).expect(t, 403, forbidden)
	f.get("root", "/api/v1/users/99/sessions").expect(t, 404, "*")

	end := func(as, path string, status int) {
		t.Helper()
		f.do(call{as: as, method: "DELETE", path: path}).expect(t, status, "*")
	}
	end("ann", ann+"/"+own.Data[0].ID, 403)
	end("root", ann+"/"+own.Data[0].ID, 204)
	end("root", ann+"/"+own.Data[0].ID, 404)
	end("root", "/api/v1/profile/sessions/"+own.Data[1].ID, 404) // it is not root's
	end("ann", "/api/v1/profile/sessions/"+own.Data[1].ID, 204)
	end("ann", "/api/v1/profile/sessions", 204)
	if left := list("ann", "/api/v1/profile/sessions").Data; len(left) != 1 || !left[0].Current {
		t.Errorf("left are %+v", left)
	}
	end("root", ann, 204)
	f.get("ann", "/api/v1/profile").expect(t, 401, "*")
	root := fmt.Sprintf("/api/v1/users/%d/sessions", f.account("root").ID)
	end("root", root, 204)
	if left := list("root", root).Data; len(left) != 1 {
		t.Errorf("the session in use has ended: %+v", left)
	}
}
