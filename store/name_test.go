package store

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"trento/store/fault"
)

func TestNormalName(t *testing.T) {
	for name, want := range map[string]string{
		"  ann \u00a0 lee\n": "ann lee",
		"jose\u0301":         "jos\u00e9",
		"\u212bngstr\u00f6m": "\u00c5ngstr\u00f6m",
		"\u26a0\ufe0f prod":  "\u26a0 prod",
		"a\nb":               "a\nb",
		"a\xffb":             "a\xffb",
	} {
		if got := NormalName(name); got != want {
			t.Errorf("%+q becomes %+q, want %+q", name, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{
		"", "ann", "ann lee", "O'Neil-Müller", `CORP\ann`, "ann@example.com", "Анна", "李雷", "محمد", "משה", "अंकित", "한글", "⚠ prod", "50 %",
		"می\u200cخواهم", // Persian needs this non-joiner to be readable
	} {
		if detail := CheckName(name); detail != "" {
			t.Errorf("%q %s", name, detail)
		}
	}
	for name, want := range map[string]string{
		"a\x00nn": "is invalid", "a\tnn": "is invalid", "a\xffnn": "is invalid",
		"a\u200bnn":   "is invalid: the character U+200B is not allowed",
		"a\u200cnn":   "is invalid: the character U+200C is not allowed",
		"a\u202enn":   "is invalid: the character U+202E is not allowed",
		"a\u2066nn":   "is invalid: the character U+2066 is not allowed",
		"a\u200fnn":   "is invalid: the character U+200F is not allowed",
		"a\u00adnn":   "is invalid: the character U+00AD is not allowed",
		"a\ufeffnn":   "is invalid: the character U+FEFF is not allowed",
		"a\u3164nn":   "is invalid: the character U+3164 is not allowed",
		"a\u2800nn":   "is invalid: the character U+2800 is not allowed",
		"a\u2028nn":   "is invalid: the character U+2028 is not allowed",
		"a\ue000nn":   "is invalid: the character U+E000 is not allowed",
		"a\U000e0061": "is invalid: the character U+E0061 is not allowed",
	} {
		if got := CheckName(name); got != want {
			t.Errorf("%+q: %q, want %q", name, got, want)
		}
	}
}

func TestLooks(t *testing.T) {
	for _, pair := range [][2]string{
		{"admin", "admin"}, {"Admin", "aDMIN"}, {"admin", "\u0430dmin"}, {"ADMIN", "\u0410dmin"}, {"admin", "\uff41\uff44\uff4d\uff49\uff4e"},
		{"ann", "a\u200bnn"}, {"jose\u0301", "JOS\u00c9"}, {"ann lee", "ann\u00a0 lee"}, {"Il", "ll"}, {"db1", "dbl"}, {"straße", "STRASSE"},
		{"\u03bf\u03bf", "oo"},
	} {
		if !appearanceOf(pair[0]).looksLike(appearanceOf(pair[1])) || !appearanceOf(pair[1]).looksLike(appearanceOf(pair[0])) {
			t.Errorf("%+q and %+q can be told apart", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"ann", "anna"}, {"db1", "db2"}, {"jose", "jos\u00e9"}, {"Анна", "Инна"}, {"prod", "pro"}, {"ann-lee", "annlee"}} {
		if appearanceOf(pair[0]).looksLike(appearanceOf(pair[1])) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
}

// TestNamesByAnotherSpelling checks that a name that looks like another one is
// refused in every form, with a fault of the right field.
func TestNamesByAnotherSpelling(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	ctx := t.Context()
	user := func(username, email string) error {
		_, err := s.CreateUser(ctx, System(), NewUser{Username: username, Fullname: "A", Email: email, Enabled: true})
		return err
	}
	if err := user("ann", "Ann@example.com"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ username, email, field, detail string }{
		{"ANN", "b@example.com", "username", "has already been taken"},
		{"\u0430nn", "b@example.com", "username", "has already been taken by another spelling: ann"},
		{"bob", "aNN@EXAMPLE.com", "email", "has already been taken"},
	} {
		err := user(c.username, c.email)
		clash, ok := errors.AsType[*fault.Error](err)
		if !ok || clash.Field != c.field || clash.Detail != c.detail {
			t.Errorf("%+q, %q: %v", c.username, c.email, err)
		}
	}
	if err := user("bob", "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	var ann, bob *User
	if err := s.View(func(tx *Tx) (err error) {
		if ann, err = tx.UserNamed(" Ann"); err == nil {
			bob, err = tx.UserNamed("bob")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeUser(ctx, System(), bob.ID, 1, UserChange{Email: new("ANN@example.com")}); !clash(err, "email") {
		t.Errorf("an address in another letter case: %v", err)
	}
	if _, err := s.ChangeUser(ctx, System(), bob.ID, 1, UserChange{Email: new("BOB@example.com")}); err != nil {
		t.Errorf("the own address in another letter case: %v", err)
	}

	refused := func(what string, err error, field string) {
		t.Helper()
		wrong, ok := errors.AsType[*fault.Error](err)
		if !ok || wrong.Field != field || !strings.HasPrefix(wrong.Detail, "has already been taken") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, name := range []string{"CI", "ci", "\u0441i"} {
		_, err := s.CreateToken(ctx, System(), ann.ID, NewToken{Name: name, Scopes: []string{"full"}, Hash: TokenHash{byte(i)}})
		if i == 0 && err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			refused("token "+name, err, "name")
		}
	}
	for i, tag := range []string{"Prod", "prod", "Pr\u043ed"} {
		err := s.AddTag(ctx, System(), HostTag, "h", tag)
		if i == 0 && err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			refused("tag "+tag, err, "value")
		}
	}
	if err := s.AddTag(ctx, System(), HostTag, "h", "a\u3164b"); err == nil {
		t.Error("a tag with an invisible letter")
	}
	if err := s.AddTag(ctx, System(), HostTag, "h", "cafe\u0301"); err != nil {
		t.Errorf("a tag that is not composed: %v", err)
	}
	for i, name := range []string{"Mine", "mine", "M\u0456ne"} {
		err := s.SaveView(ctx, ann.ID, SavedView{Screen: "/hosts", Name: name})
		if i == 0 && err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			refused("view "+name, err, "name")
		}
	}
	if err := s.SaveView(ctx, ann.ID, SavedView{Screen: "/clusters", Name: "mine"}); err != nil {
		t.Errorf("the same name for another list: %v", err)
	}
}

func TestLookAlikes(t *testing.T) {
	got := LookAlikes([]string{"ann", "admin", "\u0430dmin", "bob", "a\u200bnn"})
	want := map[string]string{"ann": "a\u200bnn", "a\u200bnn": "ann", "admin": "\u0430dmin", "\u0430dmin": "admin"}
	if !maps.Equal(got, want) {
		t.Errorf("%+q, want %+q", got, want)
	}
}
