package ui

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

// post sends a form as a user.
func (f *fixture) post(as, target string, pairs ...string) (int, markup, string) {
	f.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	w := f.do(call{method: "POST", target: target, as: as, form: form})
	return w.Code, parseMarkup(f.t, w.Body.String()), w.Header().Get("Location")
}

// newestEntry returns the newest entry of the activity log.
func (f *fixture) newestEntry() (newest activity.Position) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		newest = tx.Newest()
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return newest
}

func (f *fixture) userNow(name string) *store.User {
	f.t.Helper()
	u, err := userNamed(f.store, name)
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// peopleFixture returns a console with the default admin, a user manager, and a
// user without permissions.
func peopleFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.user("admin", 1)
	f.user("mary", 2)
	f.user("plain")
	f.confirmTokens(false)
	return f
}

func newUserForm(changes ...string) []string {
	form := map[string]string{
		"fullname": "Ann Lee", "email": "ann@example.com", "username": "ann", "password": "Kx9!secretafgh", "password_confirmation": "Kx9!secretafgh",
		"enabled": "true", "timezone": "Europe/Berlin",
	}
	var pairs []string
	for i := 0; i < len(changes); i += 2 {
		if changes[i] == "ability" {
			pairs = append(pairs, "ability", changes[i+1])
			continue
		}
		form[changes[i]] = changes[i+1]
	}
	for name, value := range form {
		pairs = append(pairs, name, value)
	}
	return pairs
}

func TestUsersList(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("parts", 7, 11, 12, 13)
	f.disable("plain")
	page := f.page(t, "/users", "mary")
	for _, e := range []element{
		has("h1", "Users 4"), has("nav a[aria-current=page]", "Users"), has("#row-2", "mary you"), has("a[href=/users/new]", "Create User"),
		has("#row-1 .col-do [aria-disabled=true]", "Admin user cannot be deleted"), has("#row-2 .col-do a[href=/users/2/delete]", "Delete"),
		has("#row-3[data-stale] .col-status", "Disabled"), has("#row-4 .pill.partial", "all:tags"), has("#row-4 .pill", "cleanup:all"),
		has("#row-4 .partial .visually-hidden", "without all:cluster_tags, all:database_tags, all:sap_system_tags"), has("#row-3 .col-permissions", "Display only"),
		has("#row-1 .col-source", "Configuration"), has("#row-2 .col-source", "Local"),
	} {
		e.check(t, page)
	}
	page = f.page(t, "/users?permissions=all%3Atags", "mary")
	has("tbody", "parts").check(t, page)
	hasNot("#row-2").check(t, page)
	has("#row-3", "plain").check(t, f.page(t, "/users?status=Disabled", "mary"))
	hasNot("#row-2").check(t, f.page(t, "/users?source=Configuration", "mary"))
	has("#row-4", "").check(t, f.page(t, "/users?q=parts", "mary"))
	if body := f.do(call{target: "/users.csv", as: "mary"}).Body.String(); !strings.Contains(body, "parts,parts,parts@example.com,Enabled") {
		t.Errorf("CSV: %s", body)
	}
}

// TestUsersAreForManagers checks that other users see the sections about users,
// and why they may not use them.
func TestUsersAreForManagers(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	for _, target := range []string{"/users", "/users.csv", "/users/new", "/users/2/edit", "/users/2/delete", "/tokens", "/users/2/tokens/log"} {
		if w := f.do(call{target: target, as: "plain"}); w.Code != http.StatusForbidden {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
	page := parseMarkup(t, f.do(call{target: "/users", as: "plain"}).Body.String())
	has("h1", "Access to this page is forbidden").check(t, page)
	hasNot("nav a[href=/users]").check(t, page)
	for _, target := range []string{"/users/99/edit", "/users/x/edit", "/users/99/delete"} {
		if w := f.do(call{target: target, as: "mary"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	status, page, _ := f.post("mary", "/users/new", "timezone", "Etc/UTC", "enabled", "true")
	if status != http.StatusUnprocessableEntity {
		t.Fatalf("empty form: status %d", status)
	}
	if faults := page.texts(".field-error"); len(faults) != 5 || faults[0] != "Required field" {
		t.Errorf("empty form: %q", faults)
	}
	for _, tt := range []struct{ name, field, value, fault string }{
		{"no address", "email", "ann@", "Is not a valid email"},
		{"short password", "password", "Kx9!sec", "Should be at least 8 character(s)"},
		{"weak password", "password", "aaa1234", "Has repetitive characters"},
		{"other confirmation", "password_confirmation", "else", "Does not match confirmation"},
		{"taken name", "username", " Plain ", "Has already been taken"},
		{"taken address", "email", "plain@example.com", "Has already been taken"},
		{"no zone", "timezone", "Mars/Olympus", "Is not a valid IANA timezone"},
	} {
		status, page, _ := f.post("mary", "/users/new", newUserForm(tt.field, tt.value, "ability", "7")...)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", tt.name, status)
		}
		has(".field-error", tt.fault).check(t, page)
		has("[name="+tt.field+"][aria-invalid=true]", "").check(t, page)
		has("[role=alert] a", "").check(t, page)
		if name, _ := attribute(page.one("[name=fullname]"), "value"); name != "Ann Lee" {
			t.Errorf("%s: what was typed is lost: %q", tt.name, name)
		}
		has("[name=ability][value=7][checked]", "").check(t, page)
	}

	status, _, to := f.post("mary", "/users/new", newUserForm("ability", "2", "ability", "11")...)
	u := f.userNow("ann")
	if status != http.StatusSeeOther || to != editPath(u.ID, "edit") {
		t.Fatalf("status %d, to %s", status, to)
	}
	if u.Fullname != "Ann Lee" || u.Timezone != "Europe/Berlin" || fmt.Sprint(u.Abilities) != "[2 11]" || !u.Enabled() || u.PasswordChangeRequestedAt == nil {
		t.Errorf("user %+v", u)
	}
	if _, err := f.auth.CheckPassword(t.Context(), auth.Credentials{Username: "ann", Password: "Kx9!secretafgh"}, netip.IPv6Loopback()); err != nil {
		t.Errorf("the password does not work: %v", err)
	}
}

// TestPreparingAUser checks that the buttons that change the form without
// saving work without scripts, too.
func TestPreparingAUser(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	status, page, _ := f.post("mary", "/users/new", "generate", "yes", "fullname", "Ann", "enabled", "false")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	password := page.texts("#generated")[0]
	if len(password) != 16 || len(auth.CheckPasswordRules(password)) > 0 {
		t.Errorf("generated %q", password)
	}
	for _, name := range []string{"password", "password_confirmation", "fullname"} {
		want := password
		if name == "fullname" {
			want = "Ann"
		}
		if value, _ := attribute(page.one("input[name="+name+"]"), "value"); value != want {
			t.Errorf("%s is %q", name, value)
		}
	}
	has("#status option[selected][value=false]", "Disabled").check(t, page)

	_, page, _ = f.post("mary", "/users/new", "generated", password, "password", password, "password_confirmation", password)
	has("#generated", password).check(t, page)
	_, page, _ = f.post("mary", "/users/new", "generated", password, "password", "other", "password_confirmation", password)
	hasNot("#generated").check(t, page)
	_, page, _ = f.post("mary", "/users/new", "preset", "3", "fullname", "Ann")
	if got := len(page.all("[name=ability][checked]")); got != 5 {
		t.Errorf("%d abilities chosen", got)
	}
	has("[data-added]", "all:checks_execution, cleanup:all").check(t, page)
	has("[name=preset][aria-pressed=true]", "SAP Basis, operation").check(t, page)
	if status, _, _ := f.post("mary", "/users/new", "preset", "99"); status != http.StatusUnprocessableEntity {
		t.Errorf("a preset there is none of: status %d", status)
	}
}

func TestEditUser(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	edit := editPath(f.userNow("plain").ID, "edit")
	page := f.page(t, edit, "mary")
	for _, e := range []element{
		has("h1", "Edit User plain"), has("[name=username][readonly]", ""), has("[name=version][value=1]", ""), has("#totp-status option[aria-disabled=true]", "Enabled"),
		has(".facts", "Last Login"), has("#tokens", "No keys issued."), hasNot("[name=password][required]"), hasNot("#confirmation"),
	} {
		e.check(t, page)
	}
	same := []string{"version", "1", "fullname", "plain", "email", "plain@example.com", "timezone", "Etc/UTC", "enabled", "true", "totp_enabled", "false"}
	status, _, to := f.post("mary", edit, append([]string{"fullname", "Plain Jane"}, append(same[:2:2], same[4:]...)...)...)
	if status != http.StatusSeeOther || to != "/users" || f.userNow("plain").Fullname != "Plain Jane" {
		t.Fatalf("status %d, to %s, user %+v", status, to, f.userNow("plain"))
	}
	// Somebody else was faster.
	status, page, _ = f.post("mary", edit, append([]string{"fullname", "Jane"}, append(same[:2:2], same[4:]...)...)...)
	if status != http.StatusPreconditionFailed || f.userNow("plain").Fullname != "Plain Jane" {
		t.Errorf("status %d", status)
	}
	has("#conflict[role=alert]", "Information has been updated by another user").check(t, page)
	has("[name=fullname][value=Jane]", "").check(t, page)
	has("[name=version][value=2]", "").check(t, page)
}

// TestEditConflict checks that both versions are shown, that fields changed by
// only one are merged, and that the form can be saved over the others.
func TestEditConflict(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	edit := editPath(f.userNow("plain").ID, "edit")
	var opened []string
	page := f.page(t, edit, "mary")
	for _, name := range []string{"fullname", "email", "timezone", "enabled", "totp_enabled", "ability"} {
		value, _ := attribute(page.one("[name=opened_"+name+"]"), "value")
		opened = append(opened, "opened_"+name, value)
	}
	theirs := []string{"version", "1", "fullname", "Plain Jane", "email", "plain@example.com", "timezone", "Asia/Tokyo", "enabled", "true", "totp_enabled", "false", "ability", "7", "reviewed", "7"}
	if status, _, _ := f.post("mary", edit, theirs...); status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	mine := []string{"version", "1", "fullname", "Jane", "email", "plain@example.com", "timezone", "Etc/UTC", "enabled", "false", "totp_enabled", "false"}
	status, page, _ := f.post("mary", edit, append(mine, opened...)...)
	if status != http.StatusPreconditionFailed {
		t.Fatalf("status %d", status)
	}
	want := []string{
		"Full Name Plain Jane Jane what you have typed", "Timezone Asia/Tokyo not changed what is saved",
		"Status Enabled Disabled what you have typed", "Permissions all:host_tags not changed what is saved",
	}
	if rows := page.texts("#conflict tbody tr"); !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	for _, e := range []element{
		has("[name=fullname][value=Jane]", ""), has("[name=timezone][value=Asia/Tokyo]", ""), has("[name=ability][value=7][checked]", ""),
		has("#status option[selected][value=false]", ""), has("[name=version][value=2]", ""),
		has("#conflict a[href="+edit+"]", "Take what is saved"), has("#conflict button[form=user-form]", "Save what is in the form"),
	} {
		e.check(t, page)
	}
	if value, _ := attribute(page.one("[name=opened_fullname]"), "value"); value != "Plain Jane" {
		t.Errorf("the form goes on from %q", value)
	}
	_, page, _ = f.post("mary", edit, "version", "2", "fullname", "Jane", "email", "plain@example.com", "timezone", "Asia/Tokyo", "enabled", "false", "totp_enabled", "false", "ability", "7")
	plan, _ := attribute(page.one("#confirmation button[name=confirmed]"), "value")
	f.post("mary", edit, "version", "2", "fullname", "Jane", "email", "plain@example.com", "timezone", "Asia/Tokyo", "enabled", "false", "totp_enabled", "false", "ability", "7", "confirmed", plan)
	if u := f.userNow("plain"); u.Fullname != "Jane" || u.Timezone != "Asia/Tokyo" || u.Enabled() || fmt.Sprint(u.Abilities) != "[7]" {
		t.Errorf("saved %+v", u)
	}
}

// TestUnknownChoices checks that a value that was not offered is refused, and
// nothing is saved.
func TestUnknownChoices(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("setter", 36)
	edit := editPath(f.userNow("plain").ID, "edit")
	good := map[string]string{"version": "1", "fullname": "x", "email": "plain@example.com", "timezone": "Etc/UTC", "enabled": "true", "totp_enabled": "false"}
	with := func(pairs ...string) []string {
		form := maps.Clone(good)
		for i := 0; i < len(pairs); i += 2 {
			form[pairs[i]] = pairs[i+1]
		}
		var list []string
		for name, value := range form {
			list = append(list, name, value)
		}
		return list
	}
	for _, tt := range []struct {
		name, as, target string
		form             []string
	}{
		{"status", "mary", edit, with("enabled", "yes")},
		{"no status", "mary", edit, with("enabled", "")},
		{"second factor", "mary", edit, with("totp_enabled", "off")},
		{"ability", "mary", edit, with("ability", "all:all")},
		{"preset", "mary", edit, with("preset", "99")},
		{"status of a new user", "mary", "/users/new", newUserForm("enabled", "1")},
		{"unit", "plain", "/profile/tokens/new", []string{"name", "a", "access", "full", "expiry", "in", "number", "1", "unit", "fortnights"}},
		{"no unit", "plain", "/profile/tokens/new", []string{"name", "a", "access", "full", "expiry", "in", "number", "1"}},
		{"mode", "plain", "/profile/tokens/new", []string{"name", "a", "access", "full", "expiry", "soon"}},
		{"mode that is not offered", "plain", "/profile/tokens/new", []string{"name", "a", "access", "full", "expiry", "keep"}},
		{"no mode", "plain", "/profile/tokens/new", []string{"name", "a", "access", "full"}},
		{"access", "plain", "/profile/tokens/new", []string{"name", "a", "access", "some", "scope", "read_only", "expiry", "never"}},
		{"no access", "plain", "/profile/tokens/new", []string{"name", "a", "expiry", "never"}},
		{"unit of a key", "admin", "/settings/api_key/new", []string{"expiry", "in", "number", "1", "unit", "fortnights", "confirmed", "yes"}},
		{"mode of a key", "admin", "/settings/api_key/new", []string{"expiry", "keep", "confirmed", "yes"}},
		{"switch", "setter", "/settings/tokens", []string{"enabled", "on", "default_lifetime_days", "30"}},
		{"unit of the retention", "admin", "/settings/activity_log/edit", []string{"value", "1", "unit", "fortnights"}},
	} {
		before := f.newestEntry()
		if status, _, _ := f.post(tt.as, tt.target, tt.form...); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", tt.name, status)
		}
		if f.newestEntry() != before {
			t.Errorf("%s: something was changed", tt.name)
		}
	}
	for _, preference := range []string{"theme", "rows", "sidebar"} {
		if w := f.do(call{method: "POST", target: "/preferences", as: "plain", form: url.Values{preference: {"plaid"}}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", preference, w.Code)
		}
	}
}

// TestAskAboutChange checks that the console asks before a change that takes
// something away or grants permissions that were not shown.
func TestAskAboutChange(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		of    string
		form  []string
		title string // of the question; empty: there is none
		says  string
	}{
		{"the second factor", "twofold", []string{"enabled", "true", "totp_enabled", "false"}, "Turn off the second factor of twofold?", "signing in will take the password alone"},
		{"a name", "plain", []string{"fullname", "x", "enabled", "true"}, "", ""},
		{"permissions", "plain", []string{"enabled", "true", "ability", "7", "ability", "8", "ability", "9", "ability", "10"}, "Change the permissions of plain?", "all:tags"},
		{"permissions that were shown", "plain", []string{"enabled", "true", "ability", "11", "reviewed", "11"}, "", ""},
		{"other permissions than were shown", "plain", []string{"enabled", "true", "ability", "11", "ability", "2", "reviewed", "11"}, "Change the permissions of plain?", "all:users"},
		{"disabling", "plain", []string{"enabled", "false"}, "Disable plain?", "1 session ends at once."},
		{"the own account", "mary", []string{"enabled", "true", "reviewed", "none"}, "Change the permissions of mary?", "This is your own account"},
		{"the last manager", "mary", []string{"enabled", "true", "reviewed", "none"}, "Change the permissions of mary?", "afterwards only the default admin can"},
		{"disabling oneself", "mary", []string{"enabled", "false", "ability", "2"}, "Disable mary?", "This is your own account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := peopleFixture(t)
			if tt.of == "twofold" {
				f.user("twofold")
				f.enroll("twofold")
			}
			u := f.userNow(tt.of)
			form := []string{"version", strconv.Itoa(u.LockVersion), "fullname", u.Fullname, "email", u.Email, "timezone", u.Timezone, "current_password", testPassword}
			if form = append(form, tt.form...); u.TOTPEnabledAt == nil {
				form = append(form, "totp_enabled", "false")
			}
			status, page, _ := f.post("mary", editPath(u.ID, "edit"), form...)
			if tt.title == "" {
				if status != http.StatusSeeOther {
					t.Fatalf("status %d: %q", status, page.texts("#confirmation"))
				}
				return
			}
			if status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			has("#confirmation-title", tt.title).check(t, page)
			has("#confirmation .dialog-body", tt.says).check(t, page)
			if f.userNow(tt.of).LockVersion != u.LockVersion {
				t.Error("it was done before it was confirmed")
			}
			plan, _ := attribute(page.one("#confirmation button[name=confirmed]"), "value")
			if status, _, _ := f.post("mary", editPath(u.ID, "edit"), append(form, "confirmed", "else")...); status != http.StatusOK {
				t.Errorf("something else was confirmed: status %d", status)
			}
			if status, _, _ := f.post("mary", editPath(u.ID, "edit"), append(form, "confirmed", plan)...); status != http.StatusSeeOther {
				t.Errorf("confirmed: status %d", status)
			}
			if f.userNow(tt.of).LockVersion != u.LockVersion+1 {
				t.Error("it was not done")
			}
		})
	}
}

func TestDisabledAtOnce(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	if w := f.do(call{target: "/hosts", as: "plain"}); w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	u := f.userNow("plain")
	f.post("mary", editPath(u.ID, "edit"), "version", "1", "fullname", u.Fullname, "email", u.Email, "timezone", u.Timezone, "enabled", "false", "totp_enabled", "false", "confirmed", " true false")
	if w := f.do(call{target: "/hosts", as: "plain"}); w.Code != http.StatusSeeOther {
		t.Errorf("status %d", w.Code)
	}
}

func TestDefaultAdminIsProtected(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	admin := f.userNow("admin")
	page := f.page(t, editPath(admin.ID, "edit"), "mary")
	has("#protected", "Admin user cannot be edited").check(t, page)
	has("#protected", "ADMIN_PASSWORD").check(t, page)
	has("fieldset[disabled] [name=generate]", "").check(t, page)
	has("button.primary[disabled]", "Save").check(t, page)
	for _, target := range []string{editPath(admin.ID, "edit"), editPath(admin.ID, "delete")} {
		if status, _, _ := f.post("mary", target, "version", "1", "fullname", "x", "enabled", "true", "ability", "1", "confirmed", "yes"); status != http.StatusForbidden {
			t.Errorf("%s: status %d", target, status)
		}
	}
	page = f.page(t, "/profile", "admin")
	has("button.primary[disabled]", "Save").check(t, page)
	has("[role=switch][disabled]", "").check(t, page)
	has("button[disabled]", "Change Password").check(t, page)
	has("#tokens a[href=/profile/tokens/new]", "Generate Token").check(t, page)
	if status, _, _ := f.post("admin", "/profile", "fullname", "x", "email", "x@example.com", "timezone", "Etc/UTC"); status != http.StatusForbidden {
		t.Errorf("profile of the admin: status %d", status)
	}
	if status, _, _ := f.post("admin", "/profile/totp"); status != http.StatusForbidden {
		t.Errorf("second factor of the admin: status %d", status)
	}
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	u := f.userNow("plain")
	page := f.page(t, editPath(u.ID, "delete")+"?q=a&sort=username", "mary")
	has("#confirmation", "The user plain (plain) will be deleted").check(t, page)
	has("#confirmation", "1 session ends at once").check(t, page)
	has("#confirmation a[data-close][href=/users?q=a&sort=username]", "Cancel").check(t, page)
	if status, _, _ := f.post("mary", editPath(u.ID, "delete")); status != http.StatusOK {
		t.Errorf("not confirmed: status %d", status)
	}
	status, _, to := f.post("mary", editPath(u.ID, "delete"), "confirmed", "yes")
	if status != http.StatusSeeOther || to != "/users" {
		t.Fatalf("status %d, to %s", status, to)
	}
	if _, err := userNamed(f.store, "plain"); err == nil {
		t.Error("the user is still there")
	}
	if w := f.do(call{target: "/hosts", as: "plain"}); w.Code != http.StatusSeeOther {
		t.Errorf("the session lives on: status %d", w.Code)
	}
	has("#confirmation", "This is your own account").check(t, f.page(t, editPath(f.userNow("mary").ID, "delete"), "mary"))
}

// TestNavigationFollowsPermissions checks that granted and removed permissions
// take effect with the next page.
func TestNavigationFollowsPermissions(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	hasNot("nav a[href=/users]").check(t, f.page(t, "/hosts", "plain"))
	u := f.userNow("plain")
	abilities := []int{2}
	if _, err := f.store.ChangeUser(t.Context(), store.System(), u.ID, 1, store.UserChange{Abilities: &abilities}); err != nil {
		t.Fatal(err)
	}
	has("nav a[href=/users]", "Users").check(t, f.page(t, "/hosts", "plain"))
}

func TestNotices(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	has(".site-banner", "Password change is recommended. Profile").check(t, f.page(t, "/hosts", "plain"))
	admin := &auth.Identity{User: f.userNow("admin")}
	for _, tt := range []struct {
		left  time.Duration
		later time.Duration
		text  string
	}{
		{90 * 24 * time.Hour, 0, ""},
		{10 * 24 * time.Hour, time.Hour, "API Key expires in 9 days"},
		{36 * time.Hour, time.Hour, "API Key expires in 1 day"},
		{5 * time.Hour, time.Hour, "API Key expires today"},
		{time.Hour, 2 * time.Hour, "API Key has expired. Go to Settings to issue a new key"},
	} {
		end := f.clock.Now().Add(tt.left)
		if _, err := f.auth.RegenerateAPIKey(t.Context(), admin, &end, false); err != nil {
			t.Fatal(err)
		}
		f.clock.pass(tt.later)
		page := f.page(t, "/about", "admin")
		if tt.text == "" {
			hasNot(".site-banner.warning").check(t, page)
			continue
		}
		has(".site-banner", tt.text).check(t, page)
		if texts := f.page(t, "/about", "plain").texts(".site-banner"); len(texts) != 1 {
			t.Errorf("who cannot help it is told: %q", texts)
		}
		buttons := page.all(".site-banner button[name=banner]")
		if closable := len(buttons) > 0; closable != (tt.left > tt.later) {
			t.Errorf("%s: can be closed: %v", tt.text, closable)
		} else if closable {
			id, _ := attribute(buttons[0], "value")
			w := f.do(call{method: "POST", target: "/banners/dismiss", as: "admin", form: url.Values{"banner": {id}, "return_to": {"/about"}}})
			page := parseMarkup(t, f.do(call{target: "/about", as: "admin", cookies: w.Result().Cookies()}).Body.String())
			hasNot(".site-banner.warning").check(t, page)
		}
	}
}

// TestHostilePeople puts a hostile text into every field that somebody can
// write, and reads every page about people.
func TestHostilePeople(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	typed := strings.ReplaceAll(hostile, "\u202e", "") // which is refused where it is typed
	status, page, _ := f.post("mary", "/users/new", newUserForm("fullname", typed[:200], "username", `"><script>alert(1)</script>`, "email", `"<b>x</b>"@example.com`)...)
	if status != http.StatusSeeOther {
		t.Fatalf("status %d: %q", status, page.texts(".field-error"))
	}
	mary := &auth.Identity{User: f.userNow("mary")}
	token, _, err := f.auth.CreateToken(t.Context(), mary, auth.NewToken{Name: typed[:200], Description: typed})
	if err != nil {
		t.Fatal(err)
	}
	f.store.NoteTokenUse(store.TokenUse{UserID: mary.User.ID, At: f.clock.Now(), TokenID: token.ID, TokenName: hostile, Method: "GET", Path: hostile, UserAgent: hostile, Address: "::1", Via: "bearer", Status: 200})
	own := "/profile/tokens/" + token.ID
	for _, target := range []string{
		"/users", "/users/4/edit", "/users/4/delete", "/users?q=" + url.QueryEscape(hostile), "/tokens", "/tokens?owner=" + url.QueryEscape(hostile), "/users/2/edit",
		"/users/2/tokens/" + token.ID + "/delete", "/users/2/tokens/" + token.ID + "/expire", "/users/2/tokens/log", "/profile", own + "/edit", own + "/regenerate", own + "/expire",
		"/profile/tokens/delete?all=true", "/profile/tokens/new?copy=" + token.ID, "/profile/tokens/log",
	} {
		w := f.do(call{target: target, as: "mary"})
		if w.Code != http.StatusOK {
			t.Errorf("%.60s: status %d", target, w.Code)
		}
		checkMarkup(t, w.Body.String())
		page := parseMarkup(t, w.Body.String())
		if len(page.all("script")) != 1 {
			t.Errorf("%.60s: %d scripts", target, len(page.all("script")))
		}
	}
	status, page, _ = f.post("mary", "/users/new", "fullname", hostile, "email", hostile, "username", hostile, "timezone", hostile, "ability", hostile, "preset", hostile)
	if status != http.StatusUnprocessableEntity || len(page.all("script")) != 1 {
		t.Errorf("hostile form: status %d, %d scripts", status, len(page.all("script")))
	}
	if got := fmt.Sprint(f.userNow("mary").LockVersion); got != "1" {
		t.Errorf("version %s", got)
	}
}

// editPath returns a path below the page of a user.
func editPath(id int64, verb string) string { return fmt.Sprintf("/users/%d/%s", id, verb) }
