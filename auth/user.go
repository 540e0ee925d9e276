package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a bare machine knows no time zones
	"unicode/utf8"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// fieldFaults is what is wrong with the fields of a request, as it is found out.
type fieldFaults struct{ fault.Errors }

const isBlank = "can't be blank"

func blank(text string) bool { return strings.TrimSpace(text) == "" }

// MaxName is the length of a user name or full name in characters.
const MaxName = 255

// reservedNames are actors of the activity log that are nobody.
var reservedNames = []string{activity.System, activity.NoUsername}

// username checks a user name as it was typed: its normal form would hide
// bytes that are no text.
func (f *fieldFaults) username(name string) {
	if f.name("username", store.NormalName(name)); slices.Contains(reservedNames, store.NormalUsername(name)) {
		f.Add("username", "is reserved")
	}
}

// name checks a name in its normal form.
func (f *fieldFaults) name(field, name string) {
	switch {
	case blank(name):
		f.Add(field, isBlank)
	case store.CheckName(name) != "":
		f.Add(field, store.CheckName(name))
	case utf8.RuneCountInString(name) > MaxName:
		f.Add(field, fmt.Sprintf("should be at most %d character(s)", MaxName))
	}
}

func (f *fieldFaults) email(address string) {
	switch {
	case blank(address):
		f.Add("email", isBlank)
	case !isEmail(address) || store.CheckName(address) != "":
		f.Add("email", "is not a valid email")
	}
}

// timezone checks the name of a time zone of the IANA database. Neither the
// empty name nor that of the zone of this machine is one.
func (f *fieldFaults) timezone(name string) {
	_, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		f.Add("timezone", "is not a valid IANA timezone")
	}
}

func (f *fieldFaults) abilities(ids []int) {
	for _, id := range ids {
		if _, ok := abilityOf(id); !ok {
			f.Add("abilities", "is invalid")
			return
		}
	}
}

// password checks a password that is to be set.
func (f *fieldFaults) password(password string, confirmation *string) {
	if blank(password) {
		f.Add("password", isBlank)
	} else {
		for _, broken := range CheckPasswordRules(password) {
			f.Add("password", broken)
		}
	}
	f.confirmation(password, confirmation)
}

func (f *fieldFaults) confirmation(password string, confirmation *string) {
	switch {
	case confirmation == nil || blank(*confirmation):
		f.Add("password_confirmation", isBlank)
	case *confirmation != password:
		f.Add("password_confirmation", "does not match confirmation")
	}
}

// normal is a value in its normal form, where there is one.
func normal(form func(string) string, value *string) *string {
	if value == nil {
		return nil
	}
	text := form(*value)
	return &text
}

// account checks the fields that users and those who manage them may change.
func (f *fieldFaults) account(fullname, email, timezone, password, confirmation *string) {
	if fullname != nil {
		f.name("fullname", *fullname)
	}
	if email != nil {
		f.email(*email)
	}
	if timezone != nil {
		f.timezone(*timezone)
	}
	switch {
	case password != nil:
		f.password(*password, confirmation)
	case confirmation != nil:
		f.confirmation("", confirmation)
	}
}

// DefaultAdmin reports whether a user is the one that the configuration names,
// who is changed by the configuration alone.
func (a *Auth) DefaultAdmin(u *store.User) bool { return u.Username == a.admin }

// NewUser is what it takes to make a user. store.DefaultTimezone is for those
// who choose none.
type NewUser struct {
	Username, Fullname, Email      string
	Password, PasswordConfirmation string
	Timezone                       string
	Abilities                      []int
	Enabled                        bool
}

// administers reports whether abilities are those of somebody who can make
// administrators.
func administers(abilities []int) bool {
	return slices.Contains(abilities, allAll) || slices.Contains(abilities, allUsers)
}

// mayGrantAdministration is ErrForbidden for whoever has shown a token that
// manages users and was not made to make administrators: it must not be worth
// more than it seems, by making an account that may do everything.
func (id *Identity) mayGrantAdministration() error {
	t := id.Token
	if t == nil || t.MayGrantAdministration || slices.Contains(t.Scopes, scopeFull) {
		return nil
	}
	return ErrForbidden
}

// grantsAdministration reports whether a change makes an administrator, or lets
// somebody act as one: it gives the abilities, or the password, or the account
// back, or takes the second factor away.
func (c *UserChange) grantsAdministration(u *store.User) bool {
	if c.Abilities != nil && administers(*c.Abilities) {
		for _, ability := range []int{allAll, allUsers} {
			if slices.Contains(*c.Abilities, ability) && !slices.Contains(u.Abilities, ability) {
				return true
			}
		}
	}
	return administers(u.Abilities) && (c.Password != nil || c.DisableTOTP || c.Enabled != nil && *c.Enabled && !u.Enabled())
}

// CreateUser makes a user. It fails with faults of fields, and with ErrForbidden
// for a token that may not make administrators.
func (a *Auth) CreateUser(ctx context.Context, by *Identity, n NewUser) (*store.User, error) {
	if administers(n.Abilities) {
		if err := by.mayGrantAdministration(); err != nil {
			return nil, err
		}
	}
	var wrong fieldFaults
	wrong.username(n.Username)
	n.Username = store.NormalUsername(n.Username)
	n.Fullname, n.Email = store.NormalName(n.Fullname), store.NormalText(n.Email)
	wrong.abilities(n.Abilities)
	wrong.account(&n.Fullname, &n.Email, &n.Timezone, &n.Password, &n.PasswordConfirmation)
	a.weakPassword(&n.Password, n.Username, &wrong)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	hash, err := a.HashPassword(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	logged := activity.UserCreation{
		AccountRequest: accountRequest(&n.Fullname, &n.Email, &n.Timezone, &n.Password),
		Enabled:        &n.Enabled, Abilities: loggedAbilities(&n.Abilities),
	}
	u, err := a.store.CreateUser(ctx, by.Actor(), store.NewUser{
		Username: n.Username, Fullname: n.Fullname, Email: n.Email, PasswordHash: hash,
		Abilities: n.Abilities, Enabled: n.Enabled, Timezone: n.Timezone, Logged: logged,
	})
	return u, err
}

// UserChange is what somebody who manages users changes of one. What is nil
// stays as it is.
type UserChange struct {
	Fullname, Email, Password, PasswordConfirmation, Timezone *string
	Abilities                                                 *[]int
	Enabled                                                   *bool
	DisableTOTP                                               bool
}

// takesOver reports whether the change decides about who can sign in as the
// user.
func (c *UserChange) takesOver(before *store.User) bool {
	return c.Password != nil || c.Email != nil && *c.Email != before.Email || c.DisableTOTP && before.TOTPEnabledAt != nil
}

// ChangeUser changes a user. A change of how the user signs in takes the
// password of whoever asks, where it has to be shown again. It fails with
// store.ErrNotFound, with ErrProtected for the default admin, with ErrForbidden for somebody who has
// shown a token and changes how the owner signs in, or makes an administrator
// without having been made for it, with faults of fields, and with store.ErrStale
// where the user is not of that version any more.
func (a *Auth) ChangeUser(ctx context.Context, by *Identity, id int64, version int, c UserChange) (*store.User, error) {
	before, err := a.manageable(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := by.mayGrantAdministration(); err != nil {
		if c.grantsAdministration(before) {
			return nil, err
		}
		if before.LockVersion != version { // else it could be an administrator by then
			return nil, fmt.Errorf("user %d: %w", id, store.ErrStale)
		}
	}
	if by.User.ID == id && (c.Password != nil || c.Email != nil || c.DisableTOTP) {
		if err := by.RequireNoToken(); err != nil {
			return nil, err
		}
	}
	c.Fullname, c.Email = normal(store.NormalName, c.Fullname), normal(store.NormalText, c.Email)
	var wrong fieldFaults
	wrong.account(c.Fullname, c.Email, c.Timezone, c.Password, c.PasswordConfirmation)
	if c.Abilities != nil {
		wrong.abilities(*c.Abilities)
	}
	a.weakPassword(c.Password, before.Username, &wrong)
	if c.takesOver(before) {
		if err := a.confirm(ctx, by, &wrong); err != nil {
			return nil, err
		}
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	change := store.UserChange{
		Fullname: c.Fullname, Email: c.Email, Timezone: c.Timezone,
		Abilities: c.Abilities, Enabled: c.Enabled, DisableTOTP: c.DisableTOTP,
		Logged: activity.UserModification{
			AccountRequest: accountRequest(c.Fullname, c.Email, c.Timezone, c.Password),
			Enabled:        c.Enabled, Abilities: loggedAbilities(c.Abilities), TOTPDisabled: c.DisableTOTP,
		},
	}
	if c.Password != nil {
		hash, err := a.HashPassword(ctx, *c.Password)
		if err != nil {
			return nil, err
		}
		change.PasswordHash = &hash
	}
	u, err := a.store.ChangeUser(ctx, by.Actor(), id, version, change)
	return u, err
}

// DeleteUser deletes a user. It fails with store.ErrNotFound, and with
// ErrProtected for the default admin.
func (a *Auth) DeleteUser(ctx context.Context, by *Identity, id int64) error {
	if _, err := a.manageable(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteUser(ctx, by.Actor(), id)
}

// manageable is a user that those who manage users may change.
func (a *Auth) manageable(ctx context.Context, id int64) (u *store.User, err error) {
	err = a.store.ViewIn(ctx, func(tx *store.Tx) error {
		u, err = tx.User(id)
		return err
	})
	if err == nil && a.DefaultAdmin(u) {
		err = ErrProtected
	}
	return u, err
}

// accountRequest is what the activity log shows of a request about an account.
func accountRequest(fullname, email, timezone, password *string) activity.AccountRequest {
	given := activity.Redacted(password != nil)
	return activity.AccountRequest{Fullname: fullname, Email: email, Timezone: timezone, Password: given, PasswordConfirmation: given}
}

// loggedAbilities are abilities as the activity log shows them; nil stays nil.
func loggedAbilities(ids *[]int) *[]activity.Ability {
	if ids == nil {
		return nil
	}
	shown := make([]activity.Ability, 0, len(*ids))
	for _, id := range *ids {
		if known, ok := abilityOf(id); ok {
			shown = append(shown, activity.Ability{ID: known.ID, Name: known.Name, Resource: known.Resource, Label: known.Label})
		}
	}
	return &shown
}
