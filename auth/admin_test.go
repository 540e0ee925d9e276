package auth

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/store"
)

func (f fixture) ensureAdmin(admin Admin, dir string) string {
	f.t.Helper()
	file, err := f.EnsureAdmin(f.t.Context(), admin, dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return file
}

func (f fixture) named(name string) (user *store.User) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) { user, err = tx.UserNamed(name); return err }); err != nil {
		f.t.Fatal(err)
	}
	return user
}

func TestEnsureAdminGeneratesAPassword(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.AdminUser = " Admin " })
	dir := t.TempDir()
	admin := Admin{Email: "admin@example.com"}
	file := f.ensureAdmin(admin, dir)
	if file != filepath.Join(dir, "initial-admin-password") {
		t.Fatalf("the password is said to be in %q", file)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	password := strings.TrimSuffix(string(text), "\n")
	proof, err := f.CheckPassword(t.Context(), Credentials{Username: "admin", Password: password}, someAddress)
	if err != nil {
		t.Fatalf("the password in the file is refused: %v", err)
	}
	user := proof.User
	if user.Username != "admin" || user.Fullname != "Trento Default Admin" || user.Email != "admin@example.com" || !slices.Contains(user.Abilities, abilityAll) {
		t.Errorf("the admin is %+v", user)
	}

	// Later starts change nothing. They return the name of the file until the
	// password was used.
	if again := f.ensureAdmin(admin, dir); again != file {
		t.Errorf("at the next start the file is %q", again)
	}
	f.signInConsole(get("/"), f.user("ann"))
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the sign-in of somebody else: %v", err)
	}
	cookie := f.signInConsole(get("/"), user)
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the first sign-in of the admin the file is there: %v", err)
	}
	if again := f.ensureAdmin(admin, dir); again != "" {
		t.Errorf("at the start after that the file is %q", again)
	}
	// The process ended between the sign-in and the deletion of the file.
	if err := errors.Join(os.WriteFile(file, text, 0o600), os.Chtimes(file, time.Time{}, f.now().Add(-time.Hour))); err != nil {
		t.Fatal(err)
	}
	if again := f.ensureAdmin(admin, dir); again != "" {
		t.Errorf("a file that was used is named: %q", again)
	}
	if f.named("admin").PasswordHash != user.PasswordHash || f.identify(withCookie(get("/"), cookie)) == nil {
		t.Error("the next start has changed the password or ended a session")
	}
}

func TestEnsureAdminWithAPassword(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	f.ensureAdmin(Admin{Email: "admin@example.com"}, dir)
	before := f.named("admin")
	cookie := f.signInConsole(get("/"), before)
	other := f.signInConsole(get("/"), f.user("ann"))

	configured := Admin{Email: "ignored@example.com", Password: cheapPassword}
	if file := f.ensureAdmin(configured, dir); file != "" {
		t.Errorf("the password is said to be in %q", file)
	}
	if _, err := os.Stat(filepath.Join(dir, InitialPasswordFile)); !os.IsNotExist(err) {
		t.Errorf("the outdated file is still there: %v", err)
	}
	if f.identify(withCookie(get("/"), cookie)) != nil {
		t.Error("a changed password leaves the admin signed in")
	}
	if f.identify(withCookie(get("/"), other)) == nil {
		t.Error("it has signed somebody else out")
	}
	after := f.named("admin")
	if after.ID != before.ID || after.Email != before.Email {
		t.Errorf("the admin is %+v", after)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "admin", Password: cheapPassword}, someAddress); err != nil {
		t.Errorf("the configured password is refused: %v", err)
	}

	// The same password again is no change.
	cookie = f.signInConsole(get("/"), after)
	f.ensureAdmin(configured, dir)
	if f.named("admin").PasswordHash != after.PasswordHash || f.identify(withCookie(get("/"), cookie)) == nil {
		t.Error("the same password is taken for a new one")
	}
	// Removing the password from the configuration is no change either.
	if file := f.ensureAdmin(Admin{Email: "admin@example.com"}, dir); file != "" || f.named("admin").PasswordHash != after.PasswordHash {
		t.Errorf("without a configured password it is another one, in %q", file)
	}
}

// TestEnsureAdminOfProvider checks that a start with an identity provider leaves
// it to the provider to create the admin that ADMIN_USER now names.
func TestEnsureAdminOfProvider(t *testing.T) {
	p := newProvided(t)
	p.adminName = "ann"
	p.fixture.user("admin")
	if file := p.ensureAdmin(Admin{Email: "admin@example.com"}, t.TempDir()); file != "" {
		t.Errorf("a password that nobody can use is in %s", file)
	}
	if err := p.signIn(cookies{}); err != nil {
		t.Fatal(err)
	}
	if ann := p.named("ann"); !slices.Equal(ann.Abilities, []int{abilityAll}) {
		t.Errorf("the admin may %v", ann.Abilities)
	}
}

// A crash between writing the file and creating the admin leaves a file with a
// useless password. The next start replaces it.
func TestEnsureAdminAfterACrash(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	file := filepath.Join(dir, InitialPasswordFile)
	if err := os.WriteFile(file, []byte("left over\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.ensureAdmin(Admin{Email: "admin@example.com"}, dir)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "admin", Password: strings.TrimSpace(string(text))}, someAddress); err != nil {
		t.Errorf("the file holds %q: %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}

func TestEnsureAdminErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		admin Admin
		want  []string
	}{
		{"admin", Admin{Email: "ann@example.com", Password: cheapPassword}, []string{"ADMIN_USER", "ADMIN_EMAIL", "ann@example.com"}},
		{" System", Admin{Email: "a@example.com", Password: cheapPassword}, []string{"ADMIN_USER", "system", "is reserved"}},
	} {
		f := newFixture(t, func(o *Options) { o.AdminUser = test.name })
		f.user("ann")
		_, err := f.EnsureAdmin(t.Context(), test.admin, t.TempDir())
		if err == nil {
			t.Errorf("%+v: no error", test.admin)
			continue
		}
		for _, word := range test.want {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not mention %q", err, word)
			}
		}
		if strings.Contains(err.Error(), cheapPassword) {
			t.Errorf("%q shows the password", err)
		}
	}
	f := newFixture(t)
	_, err := f.EnsureAdmin(t.Context(), Admin{Email: "x@example.com"}, filepath.Join(t.TempDir(), "missing"))
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a directory that is not there: %v", err)
	}
}
