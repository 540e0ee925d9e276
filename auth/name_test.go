package auth

import (
	"errors"
	"strings"
	"testing"

	"trento/store/fault"
)

// The fault of a name has the field of that name.
func TestTypedNames(t *testing.T) {
	f := newFixture(t)
	boss := f.manager()
	f.user("ann")
	valid := NewUser{Username: "bob", Fullname: "Bob", Email: "bob@example.com", Password: "secret1223", PasswordConfirmation: "secret1223", Timezone: "Etc/UTC", Enabled: true}
	for _, row := range []struct {
		change        func(*NewUser)
		field, detail string
	}{
		{func(n *NewUser) { n.Username = "b\u200bob" }, "username", "is invalid: the character U+200B is not allowed"},
		{func(n *NewUser) { n.Username = "\u202ebob" }, "username", "is invalid: the character U+202E is not allowed"},
		{func(n *NewUser) { n.Username = "\u0430nn" }, "username", "has already been taken by another spelling: ann"},
		{func(n *NewUser) { n.Username = " ANN " }, "username", "has already been taken"},
		{func(n *NewUser) { n.Fullname = "Bob\u202e" }, "fullname", "is invalid: the character U+202E is not allowed"},
		{func(n *NewUser) { n.Email = "b\u3164ob@example.com" }, "email", "is not a valid email"},
		{func(n *NewUser) { n.Email = strings.ToUpper(f.named("ann").Email) }, "email", "has already been taken"},
	} {
		n := valid
		row.change(&n)
		_, err := f.CreateUser(t.Context(), boss, n)
		wrong := fault.Fields(err)
		if len(wrong) != 1 || wrong[0].Field != row.field || wrong[0].Detail != row.detail {
			t.Errorf("%+q %+q %+q: %v, want %s %s", n.Username, n.Fullname, n.Email, err, row.field, row.detail)
		}
	}
	n := valid
	n.Username, n.Fullname = "  Jose\u0301  M ", " Jose\u0301\u00a0 M "
	u, err := f.CreateUser(t.Context(), boss, n)
	if err != nil || u.Username != "jos\u00e9 m" || u.Fullname != "Jos\u00e9 M" {
		t.Fatalf("%+v, %v", u, err)
	}
	// A sign-in takes the name in any form, but not one that only looks like it.
	for typed, want := range map[string]error{"JOS\u00c9 M": nil, "jose\u0301  m": nil, "j\u043es\u00e9 m": ErrCredentials} {
		_, err := f.CheckPassword(t.Context(), Credentials{Username: typed, Password: "secret1223"}, someAddress)
		if !errors.Is(err, want) {
			t.Errorf("%+q signs in: %v, want %v", typed, err, want)
		}
	}
	id := &Identity{User: u, Via: ViaToken}
	if _, _, err := f.CreateToken(t.Context(), id, NewToken{Name: "c\u2066i"}); err == nil {
		t.Error("a token with a name that changes direction")
	}
	if _, _, err := f.CreateToken(t.Context(), id, NewToken{Name: "ci", Description: "one\n\ttwo \u202e"}); err == nil {
		t.Error("a description that changes direction")
	}
	token, _, err := f.CreateToken(t.Context(), id, NewToken{Name: "ci", Description: "one\n\ttwo"})
	if err != nil || token.Description != "one\n\ttwo" {
		t.Errorf("%+v, %v", token, err)
	}
	if _, _, err := f.CreateToken(t.Context(), id, NewToken{Name: "CI"}); err == nil {
		t.Error("two tokens that differ in letter case")
	}
}
