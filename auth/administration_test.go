package auth

import (
	"errors"
	"testing"
)

// A token that manages users cannot make administrators or change how they sign
// in, unless it may grant administration. A token with the scope "full" can do
// what its owner can.
func TestTokensGrantAdministration(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Operations = someOperations() })
	boss := f.user("boss", abilityAll)
	manager := f.user("manager2", abilityUsers)
	off := f.user("off", abilityAll)
	plain := f.user("plain")
	no := false
	if _, err := f.ChangeUser(t.Context(), &Identity{User: boss, Via: ViaToken}, off.ID, 1, UserChange{Enabled: &no}); err != nil {
		t.Fatal(err)
	}
	password := "secret1223"
	yes := true
	person := &Identity{User: boss, Via: ViaToken}
	for name, row := range map[string]struct {
		token NewToken
		may   bool
	}{
		"user_management":          {NewToken{Scopes: []string{"user_management"}}, false},
		"one operation":            {NewToken{Scopes: []string{"POST /api/v1/users"}}, false},
		"user_management, allowed": {NewToken{Scopes: []string{"user_management"}, MayGrantAdministration: true}, true},
		"full":                     {NewToken{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			row.token.Name = name
			token, _, err := f.CreateToken(t.Context(), person, row.token)
			if err != nil {
				t.Fatal(err)
			}
			id := &Identity{User: boss, Via: ViaPersonalToken, Token: token}
			check := func(what string, err error) {
				t.Helper()
				if row.may && errors.Is(err, ErrForbidden) || !row.may && !errors.Is(err, ErrForbidden) {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, abilities := range [][]int{{abilityAll}, {abilityUsers}, {5, abilityUsers}} {
				_, err := f.CreateUser(t.Context(), id, NewUser{Username: "", Abilities: abilities})
				check("make", err)
				_, err = f.ChangeUser(t.Context(), id, plain.ID, 0, UserChange{Abilities: &abilities})
				check("raise", err)
			}
			more := []int{abilityAll, abilityUsers}
			_, err = f.ChangeUser(t.Context(), id, manager.ID, 0, UserChange{Abilities: &more})
			check("raise a manager", err)
			_, err = f.ChangeUser(t.Context(), id, manager.ID, 0, UserChange{Password: &password, PasswordConfirmation: &password})
			check("password of a manager", err)
			_, err = f.ChangeUser(t.Context(), id, manager.ID, 0, UserChange{DisableTOTP: true})
			check("second factor of a manager", err)
			_, err = f.ChangeUser(t.Context(), id, off.ID, 0, UserChange{Enabled: &yes})
			check("bring an administrator back", err)

			// The token may manage users but not grant administration.
			fewer := []int{5}
			for what, c := range map[string]UserChange{
				"password of others": {Password: &password, PasswordConfirmation: &password}, "lesser abilities": {Abilities: &fewer}, "name": {Fullname: &password},
			} {
				now := f.named("plain")
				if _, err := f.ChangeUser(t.Context(), id, plain.ID, now.LockVersion, c); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			same := []int{abilityUsers}
			now := f.named("manager2")
			if _, err := f.ChangeUser(t.Context(), id, manager.ID, now.LockVersion, UserChange{Abilities: &same}); err != nil {
				t.Errorf("the abilities there are: %v", err)
			}
		})
	}
	if _, _, err := f.CreateToken(t.Context(), person, NewToken{Name: "x", Scopes: []string{"tags"}, MayGrantAdministration: true}); err == nil {
		t.Error("it can be chosen where it has no effect")
	}
}
