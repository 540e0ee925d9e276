package auth

import (
	"strings"
	"testing"

	"trento/store/fault"
)

func TestPasswordWarning(t *testing.T) {
	for password, want := range map[string]string{
		"password1": commonPasswordDetail, "P@ssw0rd": commonPasswordDetail, "Welcome1!": commonPasswordDetail, "Summer2026": commonPasswordDetail,
		"x-ann.lee-9K": containsUsernameDetail, "ANN.LEE!2026": containsUsernameDetail,
		"x7Kq!vR2pL": "", "horse7battery#staple": "", strings.Repeat("x7Kq!vR2pL", 400): "",
	} {
		if got := PasswordWarning(password, "Ann.Lee"); got != want {
			t.Errorf("%.20q: %q, want %q", password, got, want)
		}
	}
	if got := PasswordWarning("x7Kq!vR2pLab", "ab"); got != "" {
		t.Errorf("a name of two letters: %q", got)
	}
	for range 20 {
		if made := GeneratePassword(); PasswordWarning(made, "admin") != "" {
			t.Errorf("a generated password: %q", made)
		}
	}
	// Scoring all of a long password would take minutes.
	begin := strings.Repeat("password1", 8)
	if want, got := PasswordWarning(begin, "ann"), PasswordWarning(strings.Repeat(begin, 60), "ann"); got != want {
		t.Errorf("a long password: %q, its beginning: %q", got, want)
	}
}

// By default the three rules decide; a strict policy refuses the bad ones.
func TestPasswordPolicy(t *testing.T) {
	for _, strict := range []bool{false, true} {
		f := newFixture(t, func(o *Options) { o.StrictPasswords = strict })
		boss, ann := f.manager(), f.user("ann")
		weak, own := "password1", "x7-ann-vR2pL"
		for name, set := range map[string]func() error{
			"create": func() error {
				_, err := f.CreateUser(t.Context(), boss, NewUser{Username: "bob", Fullname: "B", Email: "bob@example.com", Password: weak, PasswordConfirmation: weak, Timezone: "Etc/UTC", Enabled: true})
				return err
			},
			"change": func() error {
				_, err := f.ChangeUser(t.Context(), boss, ann.ID, f.named("ann").LockVersion, UserChange{Password: &own, PasswordConfirmation: &own})
				return err
			},
			"configure": func() error {
				_, err := f.EnsureAdmin(t.Context(), Admin{Email: "root@example.com", Password: weak}, t.TempDir())
				return err
			},
			"reset": func() error {
				_, err := f.ResetAdmin(t.Context(), Admin{Email: "root@example.com", Password: weak}, t.TempDir())
				return err
			},
		} {
			err := set()
			if (err != nil) != strict {
				t.Errorf("%s, strict %v: %v", name, strict, err)
			}
			if wrong := fault.Fields(err); wrong != nil && (len(wrong) != 1 || wrong[0].Field != "password") {
				t.Errorf("%s: %v", name, err)
			}
		}
		current := cheapPassword
		if !strict {
			current = own
		}
		_, err := f.ChangeProfile(t.Context(), &Identity{User: f.named("ann"), Via: ViaSession}, ProfileChange{Password: &weak, PasswordConfirmation: &weak, CurrentPassword: &current})
		if (err != nil) != strict {
			t.Errorf("profile, strict %v: %v", strict, err)
		}
	}
}
