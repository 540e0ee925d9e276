package auth

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

func TestChangeProfile(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	f.user("taken")
	id := &Identity{User: ann, Via: ViaSession}
	for _, test := range []struct {
		name   string
		change ProfileChange
		want   []string
	}{
		{"several", ProfileChange{Fullname: new(""), Email: new("x"), Timezone: new("x")}, []string{"current_password can't be blank", "email is not a valid email", "fullname can't be blank", "timezone is not a valid IANA timezone"}},
		{"address without the password", ProfileChange{Email: new("ann@elsewhere.example")}, []string{"current_password can't be blank"}},
		{"address with a wrong password", ProfileChange{Email: new("ann@elsewhere.example"), CurrentPassword: new("x")}, []string{"current_password is invalid"}},
		{"address taken", ProfileChange{Email: new("taken@example.com"), CurrentPassword: new(cheapPassword)}, []string{"email has already been taken"}},
		{"current password missing", ProfileChange{Password: new(goodPassword), PasswordConfirmation: new(goodPassword)}, []string{"current_password can't be blank"}},
		{"current password wrong", ProfileChange{Password: new(goodPassword), PasswordConfirmation: new(goodPassword), CurrentPassword: new("x")}, []string{"current_password is invalid"}},
		{"all of a password", ProfileChange{Password: new("weakpwd"), CurrentPassword: new("x")}, []string{"current_password is invalid", "password should be at least 8 character(s)", "password_confirmation can't be blank"}},
	} {
		before := f.newest()
		if _, err := f.ChangeProfile(t.Context(), id, test.change); !slices.Equal(faults(err), test.want) || f.newest() != before {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}

	// What a program shows with each request speaks for itself, and the address
	// that is there already is no other one.
	for _, test := range []struct {
		id      *Identity
		address string
	}{{&Identity{User: ann, Via: ViaToken}, "ann@example.com"}, {id, "ann@example.com"}} {
		if _, err := f.ChangeProfile(t.Context(), test.id, ProfileChange{Email: new(test.address)}); err != nil {
			t.Errorf("%s: %v", test.id.Via, err)
		}
	}
	u, err := f.ChangeProfile(t.Context(), id, ProfileChange{
		Fullname: new("Ann Lee"), Timezone: new("Asia/Tokyo"), AnalyticsEnabled: new(true), AnalyticsEULAAccepted: new(true),
		CurrentPassword: new("looked at by nobody"),
	})
	if err != nil || u.Fullname != "Ann Lee" || u.AnalyticsEnabledAt == nil || u.AnalyticsEULAAcceptedAt == nil || u.LockVersion != 2 {
		t.Fatalf("%+v, %v", u, err)
	}
	want := map[string]any{
		"user_id": float64(ann.ID), "username": "ann", "fullname": "Ann Lee", "timezone": "Asia/Tokyo", "analytics_enabled": true,
		"analytics_eula_accepted": true, "current_password": "REDACTED",
	}
	if diff := cmp.Diff(want, f.logged(activity.TypeProfileUpdate, "ann")); diff != "" {
		t.Errorf("logged (-want +got):\n%s", diff)
	}
	u, err = f.ChangeProfile(t.Context(), id, ProfileChange{AnalyticsEnabled: new(false), AnalyticsEULAAccepted: new(false)})
	if err != nil || u.AnalyticsEnabledAt != nil || u.AnalyticsEULAAcceptedAt == nil || u.LockVersion != 2 {
		t.Errorf("what was accepted cannot be taken back, and is no new version: %+v, %v", u, err)
	}
}

// A new password ends all other sessions.
func TestChangeProfilePassword(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	other := f.signInConsole(get("/"), f.user("other"))
	mine, elsewhere, grant := f.signInConsole(get("/"), ann), f.signInConsole(get("/"), ann), f.signInAPI(ann)
	id := f.identify(withCookie(get("/"), mine))
	change := ProfileChange{Password: new(goodPassword), PasswordConfirmation: new(goodPassword), CurrentPassword: new(cheapPassword)}
	u, err := f.ChangeProfile(t.Context(), id, change)
	if err != nil || u.PasswordChangeRequestedAt != nil {
		t.Fatalf("%+v, %v", u, err)
	}
	if f.identify(withCookie(get("/"), mine)) == nil || f.identify(withCookie(get("/"), other)) == nil {
		t.Error("the session that asked, or somebody else's, has ended")
	}
	if f.identify(withCookie(get("/"), elsewhere)) != nil {
		t.Error("the session elsewhere goes on")
	}
	if _, err := f.Refresh(t.Context(), grant.Refresh); !errors.Is(err, ErrRefresh) {
		t.Errorf("the refresh token goes on: %v", err)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: goodPassword}, someAddress); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if metadata := f.logged(activity.TypeProfileUpdate, "ann"); metadata["password"] != "REDACTED" || metadata["current_password"] != "REDACTED" {
		t.Errorf("logged %v", metadata)
	}
}

// Guesses of the present password at an open console are slowed down.
func TestCurrentPasswordIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		id := &Identity{User: f.user("ann"), Via: ViaSession}
		try := func(password string) (time.Duration, error) {
			start := time.Now()
			_, err := f.ChangeProfile(t.Context(), id, ProfileChange{Password: new(goodPassword), PasswordConfirmation: new(goodPassword), CurrentPassword: &password})
			return time.Since(start), err
		}
		for i, want := range []time.Duration{0, 0, 0, 1, 2, 4, 8, 8, 8, 8} {
			if took, err := try("wrong"); took != want*time.Second || !slices.Equal(faults(err), []string{"current_password is invalid"}) {
				t.Errorf("guess %d took %v: %v", i+1, took, err)
			}
		}
		if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); err != nil {
			t.Errorf("a sign-in is another matter: %v", err)
		}
		if took, err := try(cheapPassword); err != nil || took != 8*time.Second {
			t.Errorf("after many wrong ones the right one took %v: %v", took, err)
		}
	})
}
