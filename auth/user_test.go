package auth

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// goodPassword follows the rules.
const goodPassword = "Tuesday-morning-7"

// manager is somebody who manages users.
func (f fixture) manager() *Identity {
	return (&Identity{User: f.user("boss", 2), Via: ViaSession}).Confirming(cheapPassword)
}

func goodUser() NewUser {
	return NewUser{
		Username: "ann", Fullname: "Ann Lee", Email: "ann.lee@example.com", Password: goodPassword, PasswordConfirmation: goodPassword,
		Timezone: store.DefaultTimezone, Enabled: true,
	}
}

// faults returns the faults of fields, as "field detail".
func faults(err error) []string {
	wrong := fault.Fields(err)
	var list []string
	for _, w := range wrong {
		list = append(list, w.Error())
	}
	return list
}

// logged returns the metadata of the newest entry, which must have the type.
func (f fixture) logged(want activity.Type, actor string) map[string]any {
	f.t.Helper()
	entry := f.entry()
	if entry.Type != want || entry.Actor != actor {
		f.t.Errorf("the log says %s by %s, want %s by %s", entry.Type, entry.Actor, want, actor)
	}
	var metadata map[string]any
	if err := json.Unmarshal(entry.Metadata, &metadata); err != nil {
		f.t.Fatal(err)
	}
	return metadata
}

func TestCreateUser(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	n := goodUser()
	n.Username, n.Email, n.Abilities, n.Timezone = "  Ann ", "Ann@Example.com", []int{11, 2, 11}, "Europe/Berlin"
	u, err := f.CreateUser(t.Context(), boss, n)
	if err != nil {
		t.Fatal(err)
	}
	if u.Username != "ann" || u.Email != "Ann@Example.com" || !slices.Equal(u.Abilities, []int{2, 11}) || u.LockVersion != 1 ||
		u.PasswordChangeRequestedAt == nil || !u.Enabled() || u.Timezone != "Europe/Berlin" {
		t.Errorf("made %+v", u)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ANN", Password: goodPassword}, someAddress); err != nil {
		t.Errorf("the password is refused: %v", err)
	}
	want := map[string]any{
		"user_id": float64(u.ID), "username": "ann", "fullname": "Ann Lee", "email": "Ann@Example.com", "enabled": true, "timezone": "Europe/Berlin",
		"password": "REDACTED", "password_confirmation": "REDACTED",
		"abilities": []any{
			map[string]any{"id": 11., "name": "cleanup", "resource": "host", "label": "Permits cleanup of hosts"},
			map[string]any{"id": 2., "name": "all", "resource": "users", "label": "Permits all operations on user resource"},
			map[string]any{"id": 11., "name": "cleanup", "resource": "host", "label": "Permits cleanup of hosts"},
		},
	}
	if diff := cmp.Diff(want, f.logged(activity.TypeUserCreation, "boss")); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
}

func TestCreateUserRules(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	f.user("taken")
	for name, test := range map[string]struct {
		change func(*NewUser)
		want   []string
	}{
		"name blank":        {func(n *NewUser) { n.Username = " \t " }, []string{"username can't be blank"}},
		"name long":         {func(n *NewUser) { n.Username = strings.Repeat("ä", 256) }, []string{"username should be at most 255 character(s)"}},
		"name with control": {func(n *NewUser) { n.Username = "a\x00b" }, []string{"username is invalid"}},
		"name not UTF-8":    {func(n *NewUser) { n.Username = "a\xffb" }, []string{"username is invalid"}},
		"name of the log":   {func(n *NewUser) { n.Username = " SYSTEM" }, []string{"username is reserved"}},
		"name of nobody":    {func(n *NewUser) { n.Username = "no_username" }, []string{"username is reserved"}},
		"name taken":        {func(n *NewUser) { n.Username = "Taken" }, []string{"username has already been taken"}},
		"address taken":     {func(n *NewUser) { n.Email = "taken@example.com" }, []string{"email has already been taken"}},
		"both taken":        {func(n *NewUser) { n.Username, n.Email = "taken", "taken@example.com" }, []string{"username has already been taken"}},
		"taken and wrong":   {func(n *NewUser) { n.Username, n.Fullname = "taken", "" }, []string{"fullname can't be blank"}},
		"full name long":    {func(n *NewUser) { n.Fullname = strings.Repeat("n", 256) }, []string{"fullname should be at most 255 character(s)"}},
		"address":           {func(n *NewUser) { n.Email = "ann" }, []string{"email is not a valid email"}},
		"address blank":     {func(n *NewUser) { n.Email = " " }, []string{"email can't be blank"}},
		"zone":              {func(n *NewUser) { n.Timezone = "Mars/Olympus" }, []string{"timezone is not a valid IANA timezone"}},
		"zone empty":        {func(n *NewUser) { n.Timezone = "" }, []string{"timezone is not a valid IANA timezone"}},
		"zone local":        {func(n *NewUser) { n.Timezone = "Local" }, []string{"timezone is not a valid IANA timezone"}},
		"zone path":         {func(n *NewUser) { n.Timezone = "../../etc/passwd" }, []string{"timezone is not a valid IANA timezone"}},
		"ability":           {func(n *NewUser) { n.Abilities = []int{1, 0, 37, -1} }, []string{"abilities is invalid"}},
		"password blank":    {func(n *NewUser) { n.Password, n.PasswordConfirmation = "", "" }, []string{"password can't be blank", "password_confirmation can't be blank"}},
		"password weak": {func(n *NewUser) { n.Password, n.PasswordConfirmation = "aaa1234", "aaa1234" }, []string{
			"password should be at least 8 character(s)", "password has repetitive characters", "password has sequential characters",
		}},
		"confirmation": {func(n *NewUser) { n.PasswordConfirmation = goodPassword + "x" }, []string{"password_confirmation does not match confirmation"}},
		"everything": {func(n *NewUser) { *n = NewUser{Abilities: []int{99}} }, []string{
			"abilities is invalid", "email can't be blank", "fullname can't be blank", "password can't be blank",
			"password_confirmation can't be blank", "timezone is not a valid IANA timezone", "username can't be blank",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			before := f.newest()
			n := goodUser()
			test.change(&n)
			_, err := f.CreateUser(t.Context(), boss, n)
			if diff := cmp.Diff(test.want, faults(err)); diff != "" {
				t.Errorf("CreateUser() = %v (-want +got):\n%s", err, diff)
			}
			if f.newest() != before {
				t.Error("something was logged")
			}
		})
	}
}

func TestChangeUser(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	ann := f.user("ann", 7)
	f.user("taken")
	type session struct{ cookie, grant bool }
	version := ann.LockVersion
	for _, test := range []struct {
		name    string
		change  UserChange
		grows   bool
		ends    bool // the sessions
		logs    map[string]any
		correct func(*store.User) bool
	}{
		{"nothing", UserChange{}, false, false, nil, func(u *store.User) bool { return slices.Equal(u.Abilities, []int{7}) }},
		{"the same", UserChange{Fullname: new("ann"), Enabled: new(true), Abilities: &[]int{7, 7}, Timezone: new("Etc/UTC")}, false, false, nil, (*store.User).Enabled},
		{"full name", UserChange{Fullname: new("Ann Lee")}, true, false, map[string]any{"fullname": "Ann Lee"}, func(u *store.User) bool { return u.Fullname == "Ann Lee" }},
		{"address", UserChange{Email: new("a@b.example")}, true, false, map[string]any{"email": "a@b.example"}, func(u *store.User) bool { return u.Email == "a@b.example" }},
		{"zone", UserChange{Timezone: new("Asia/Tokyo")}, true, false, map[string]any{"timezone": "Asia/Tokyo"}, func(u *store.User) bool { return u.Timezone == "Asia/Tokyo" }},
		{"abilities", UserChange{Abilities: &[]int{}}, true, false, map[string]any{"abilities": []any{}}, func(u *store.User) bool { return len(u.Abilities) == 0 }},
		{"second factor that is none", UserChange{DisableTOTP: true}, false, false, map[string]any{"totp_disabled": true}, func(u *store.User) bool { return u.TOTPEnabledAt == nil }},
		{"password", UserChange{Password: new(goodPassword), PasswordConfirmation: new(goodPassword)}, true, true,
			map[string]any{"password": "REDACTED", "password_confirmation": "REDACTED"},
			func(u *store.User) bool { return u.PasswordChangeRequestedAt != nil && u.PasswordHash != cheapHash }},
		{"disable", UserChange{Enabled: new(false)}, true, true, map[string]any{"enabled": false}, func(u *store.User) bool { return u.LockedAt != nil }},
		{"something of somebody disabled", UserChange{Fullname: new("A")}, true, false, nil, func(u *store.User) bool { return u.LockedAt != nil }},
		{"enable", UserChange{Enabled: new(true)}, true, false, map[string]any{"enabled": true}, (*store.User).Enabled},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.t = t
			enabled := f.named("ann").Enabled()
			if enabled {
				cookie, tokens := f.signInConsole(get("/"), ann), f.signInAPI(ann)
				defer func() {
					_, err := f.Refresh(t.Context(), tokens.Refresh)
					held := session{f.identify(withCookie(get("/"), cookie)) != nil, err == nil}
					if want := (session{!test.ends, !test.ends}); held != want {
						t.Errorf("sessions left: %+v, want %+v", held, want)
					}
				}()
			}
			updated := f.named("ann").UpdatedAt
			f.clock.now = f.clock.now.Add(time.Second)
			u, err := f.ChangeUser(t.Context(), boss, ann.ID, version, test.change)
			if err != nil {
				t.Fatal(err)
			}
			if !test.correct(u) || !test.correct(f.named("ann")) {
				t.Errorf("changed to %+v", u)
			}
			if grown := u.LockVersion - version; grown != map[bool]int{true: 1}[test.grows] || u.UpdatedAt.Equal(updated) == test.grows {
				t.Errorf("the version grew by %d, updated %v → %v", grown, updated, u.UpdatedAt)
			}
			version = u.LockVersion
			metadata := f.logged(activity.TypeUserModification, "boss")
			if metadata["user_id"] != float64(ann.ID) || metadata["username"] != "ann" {
				t.Errorf("the entry names %v", metadata)
			}
			for key, want := range test.logs {
				if diff := cmp.Diff(want, metadata[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			if test.logs != nil && len(metadata) != len(test.logs)+2 {
				t.Errorf("the entry says %v", metadata)
			}
		})
	}
	for name, test := range map[string]struct {
		change UserChange
		want   []string
	}{
		"several":               {UserChange{Fullname: new(" "), Email: new("x"), Timezone: new(""), Abilities: &[]int{50}}, []string{"abilities is invalid", "email is not a valid email", "fullname can't be blank", "timezone is not a valid IANA timezone"}},
		"no confirmation":       {UserChange{Password: new(goodPassword)}, []string{"password_confirmation can't be blank"}},
		"confirmation only":     {UserChange{PasswordConfirmation: new(goodPassword)}, []string{"password_confirmation does not match confirmation"}},
		"address taken":         {UserChange{Email: new("taken@example.com")}, []string{"email has already been taken"}},
		"address not yet taken": {UserChange{Email: new("taken@example.com"), Fullname: new("")}, []string{"fullname can't be blank"}},
	} {
		if _, err := f.ChangeUser(t.Context(), boss, ann.ID, version, test.change); !slices.Equal(faults(err), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	// The rules of fields are checked first, then the version, then that names
	// are free.
	if _, err := f.ChangeUser(t.Context(), boss, ann.ID, version-1, UserChange{Email: new("taken@example.com")}); !errors.Is(err, store.ErrStale) {
		t.Errorf("stale: %v", err)
	}
	if _, err := f.ChangeUser(t.Context(), boss, ann.ID, version-1, UserChange{Email: new("x")}); faults(err) == nil {
		t.Errorf("stale and wrong: %v", err)
	}
	if _, err := f.ChangeUser(t.Context(), boss, 999, 1, UserChange{Email: new("x")}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestDeleteUser(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	ann := f.user("ann")
	cookie, tokens := f.signInConsole(get("/"), ann), f.signInAPI(ann)
	if err := f.DeleteUser(t.Context(), boss, ann.ID); err != nil {
		t.Fatal(err)
	}
	if metadata := f.logged(activity.TypeUserDeletion, "boss"); metadata["user_id"] != float64(ann.ID) || metadata["username"] != "ann" || len(metadata) != 2 {
		t.Errorf("logged %v", metadata)
	}
	if f.identify(withCookie(get("/"), cookie)) != nil || f.identify(withHeader(get("/"), "Authorization", "Bearer "+tokens.Access)) != nil {
		t.Error("a deleted user is still signed in")
	}
	if _, err := f.Refresh(t.Context(), tokens.Refresh); !errors.Is(err, ErrRefresh) {
		t.Errorf("a deleted user refreshes: %v", err)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); !errors.Is(err, ErrCredentials) {
		t.Errorf("a deleted user signs in: %v", err)
	}
	if err := f.DeleteUser(t.Context(), boss, ann.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	// Name and address are free at once, and a new account has nothing of the
	// old one.
	n := goodUser()
	n.Email = ann.Email
	again, err := f.CreateUser(t.Context(), boss, n)
	if err != nil || again.ID == ann.ID {
		t.Fatalf("%+v, %v", again, err)
	}
	if f.identify(withHeader(get("/"), "Authorization", "Bearer "+tokens.Access)) != nil {
		t.Error("the token of the old user is good for the new one")
	}
}

// The default admin is known by name, however the configuration writes it.
func TestDefaultAdminIsProtected(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.AdminUser = " ROOT " })
	boss := f.manager()
	f.ensureAdmin(Admin{Email: "root@example.com", Password: goodPassword}, t.TempDir())
	root := f.named("root")
	self := &Identity{User: root, Via: ViaSession}
	before := f.newest()
	_, changed := f.ChangeUser(t.Context(), boss, root.ID, root.LockVersion, UserChange{Abilities: &[]int{1}})
	_, stale := f.ChangeUser(t.Context(), boss, root.ID, 99, UserChange{Email: new("x")})
	_, profile := f.ChangeProfile(t.Context(), self, ProfileChange{Fullname: new("x")})
	_, begun := f.BeginTOTP(t.Context(), self)
	_, confirmed := f.ConfirmTOTP(t.Context(), self, "123456")
	for name, err := range map[string]error{
		"change": changed, "stale change": stale, "profile": profile, "begin": begun, "confirm": confirmed,
		"end": f.EndTOTP(t.Context(), self), "delete": f.DeleteUser(t.Context(), boss, root.ID),
	} {
		if !errors.Is(err, ErrProtected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.newest() != before || !cmp.Equal(f.named("root"), root) {
		t.Error("something has changed")
	}
	if !f.DefaultAdmin(root) || f.DefaultAdmin(boss.User) {
		t.Error("somebody else is the default admin")
	}
}

// A token must not be able to take over the account of its owner.
func TestTokensDoNotChangeHowOneSignsIn(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann", 2)
	id := &Identity{User: ann, Via: ViaPersonalToken, Token: new(store.Token), abilities: ann.Abilities}
	for name, c := range map[string]UserChange{
		"password": {Password: new(goodPassword), PasswordConfirmation: new(goodPassword)}, "email": {Email: new("x@example.com")}, "totp": {DisableTOTP: true},
	} {
		if _, err := f.ChangeUser(t.Context(), id, ann.ID, 1, c); !errors.Is(err, ErrForbidden) {
			t.Errorf("user %s: %v", name, err)
		}
	}
	for name, c := range map[string]ProfileChange{
		"password": {Password: new(goodPassword), PasswordConfirmation: new(goodPassword), CurrentPassword: new(cheapPassword)}, "email": {Email: new("x@example.com")},
	} {
		if _, err := f.ChangeProfile(t.Context(), id, c); !errors.Is(err, ErrForbidden) {
			t.Errorf("profile %s: %v", name, err)
		}
	}
	_, begun := f.BeginTOTP(t.Context(), id)
	_, confirmed := f.ConfirmTOTP(t.Context(), id, "1")
	if ended := f.EndTOTP(t.Context(), id); !errors.Is(begun, ErrForbidden) || !errors.Is(confirmed, ErrForbidden) || !errors.Is(ended, ErrForbidden) {
		t.Errorf("second factor: %v, %v, %v", begun, confirmed, ended)
	}
	if _, err := f.ChangeProfile(t.Context(), id, ProfileChange{Fullname: new("Ann")}); err != nil {
		t.Errorf("the name: %v", err)
	}
}

// TestTakingOver checks that the cookie alone is not enough to change how
// somebody signs in.
func TestTakingOver(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	f.withTOTP(f.user("ann"))
	ann := f.named("ann")
	open := &Identity{User: boss.User, Via: ViaSession}
	for name, change := range map[string]UserChange{
		"address": {Email: new("a@b.example")}, "password": {Password: new(goodPassword), PasswordConfirmation: new(goodPassword)}, "second factor": {DisableTOTP: true},
	} {
		for _, id := range []*Identity{open, open.Confirming("wrong")} {
			if _, err := f.ChangeUser(t.Context(), id, ann.ID, ann.LockVersion, change); len(faults(err)) != 1 || !strings.HasPrefix(faults(err)[0], "current_password") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	self := &Identity{User: ann, Via: ViaSession}
	if err := f.EndTOTP(t.Context(), self); len(faults(err)) != 1 {
		t.Errorf("the own second factor: %v", err)
	}
	if err := f.EndTOTP(t.Context(), self.Confirming(cheapPassword)); err != nil {
		t.Errorf("with the password: %v", err)
	}
	program := &Identity{User: boss.User, Via: ViaToken}
	ann = f.named("ann")
	if _, err := f.ChangeUser(t.Context(), program, ann.ID, ann.LockVersion, UserChange{Email: new("a@b.example")}); err != nil {
		t.Errorf("a program: %v", err)
	}
}
