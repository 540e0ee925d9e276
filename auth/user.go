package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a time zone database
	"unicode/utf8"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// fieldFaults collects the faults of the fields of a request.
type fieldFaults struct{ fault.Errors }

const blankDetail = "can't be blank"

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// MaxName is the largest length of a user name or full name, in characters.
const MaxName = 255

// reservedNames are actors in the activity log that are not users.
var reservedNames = []string{activity.System, activity.NoUsername}

// checkUsername checks a user name as it was entered. Normalizing it first
// would hide bytes that are not UTF-8.
func (f *fieldFaults) checkUsername(name string) {
	if f.checkName("username", store.NormalName(name)); slices.Contains(reservedNames, store.NormalUsername(name)) {
		f.Add("username", "is reserved")
	}
}

// checkName checks a normalized name.
func (f *fieldFaults) checkName(field, name string) {
	switch {
	case isBlank(name):
		f.Add(field, blankDetail)
	case store.CheckName(name) != "":
		f.Add(field, store.CheckName(name))
	case utf8.RuneCountInString(name) > MaxName:
		f.Add(field, fmt.Sprintf("should be at most %d character(s)", MaxName))
	}
}

func (f *fieldFaults) checkEmail(address string) {
	switch {
	case isBlank(address):
		f.Add("email", blankDetail)
	case !isEmail(address) || store.CheckName(address) != "":
		f.Add("email", "is not a valid email")
	}
}

// checkTimezone checks the name of a time zone of the IANA database. It refuses
// "" and "Local", which Go accepts.
func (f *fieldFaults) checkTimezone(name string) {
	_, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		f.Add("timezone", "is not a valid IANA timezone")
	}
}

func (f *fieldFaults) checkAbilities(ids []int) {
	for _, id := range ids {
		if _, ok := abilityByID(id); !ok {
			f.Add("abilities", "is invalid")
			return
		}
	}
}

// checkPassword checks a new password.
func (f *fieldFaults) checkPassword(password string, confirmation *string) {
	if isBlank(password) {
		f.Add("password", blankDetail)
	} else {
		for _, broken := range CheckPasswordRules(password) {
			f.Add("password", broken)
		}
	}
	f.checkConfirmation(password, confirmation)
}

func (f *fieldFaults) checkConfirmation(password string, confirmation *string) {
	switch {
	case confirmation == nil || isBlank(*confirmation):
		f.Add("password_confirmation", blankDetail)
	case *confirmation != password:
		f.Add("password_confirmation", "does not match confirmation")
	}
}

// normalizeValue returns a value in its normal form; nil stays nil.
func normalizeValue(form func(string) string, value *string) *string {
	if value == nil {
		return nil
	}
	text := form(*value)
	return &text
}

// checkAccount checks the fields that both users and user managers may change.
func (f *fieldFaults) checkAccount(fullname, email, timezone, password, confirmation *string) {
	if fullname != nil {
		f.checkName("fullname", *fullname)
	}
	if email != nil {
		f.checkEmail(*email)
	}
	if timezone != nil {
		f.checkTimezone(*timezone)
	}
	switch {
	case password != nil:
		f.checkPassword(*password, confirmation)
	case confirmation != nil:
		f.checkConfirmation("", confirmation)
	}
}

// DefaultAdmin reports whether a user is the default admin, whom only the
// configuration can change.
func (a *Auth) DefaultAdmin(u *store.User) bool { return u.Username == a.adminName }

// NewUser is what is needed to create a user. A user without a time zone gets
// store.DefaultTimezone.
type NewUser struct {
	Username, Fullname, Email      string
	Password, PasswordConfirmation string
	Timezone                       string
	Abilities                      []int
	Enabled                        bool
}

// canMakeAdministrators reports whether abilities permit making administrators.
func canMakeAdministrators(abilities []int) bool {
	return slices.Contains(abilities, abilityAll) || slices.Contains(abilities, abilityUsers)
}

// permitGrantingAdministration fails with ErrForbidden if the request was made with a
// token that manages users but may not make administrators. Otherwise such a
// token could create an account with all permissions.
func (id *Identity) permitGrantingAdministration() error {
	t := id.Token
	if t == nil || t.MayGrantAdministration || slices.Contains(t.Scopes, scopeFull) {
		return nil
	}
	return ErrForbidden
}

// grantsAdministration reports whether a change makes an administrator or gives
// access to the account of one: it adds the abilities, sets the password,
// enables the account, or disables the second factor.
func (c *UserChange) grantsAdministration(u *store.User) bool {
	if c.Abilities != nil && canMakeAdministrators(*c.Abilities) {
		for _, ability := range []int{abilityAll, abilityUsers} {
			if slices.Contains(*c.Abilities, ability) && !slices.Contains(u.Abilities, ability) {
				return true
			}
		}
	}
	return canMakeAdministrators(u.Abilities) && (c.Password != nil || c.DisableTOTP || c.Enabled != nil && *c.Enabled && !u.Enabled())
}

// CreateUser creates a user. It fails with faults of fields, and with
// ErrForbidden for a token that may not make administrators.
func (a *Auth) CreateUser(ctx context.Context, by *Identity, n NewUser) (*store.User, error) {
	if canMakeAdministrators(n.Abilities) {
		if err := by.permitGrantingAdministration(); err != nil {
			return nil, err
		}
	}
	var wrong fieldFaults
	wrong.checkUsername(n.Username)
	n.Username = store.NormalUsername(n.Username)
	n.Fullname, n.Email = store.NormalName(n.Fullname), store.NormalText(n.Email)
	wrong.checkAbilities(n.Abilities)
	wrong.checkAccount(&n.Fullname, &n.Email, &n.Timezone, &n.Password, &n.PasswordConfirmation)
	a.refuseWeakPassword(&n.Password, n.Username, &wrong)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	hash, err := a.HashPassword(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	logged := activity.UserCreation{
		AccountRequest: accountRequest(&n.Fullname, &n.Email, &n.Timezone, &n.Password),
		Enabled:        &n.Enabled, Abilities: abilitiesForLog(&n.Abilities),
	}
	u, err := a.store.CreateUser(ctx, by.Actor(), store.NewUser{
		Username: n.Username, Fullname: n.Fullname, Email: n.Email, PasswordHash: hash,
		Abilities: n.Abilities, Enabled: n.Enabled, Timezone: n.Timezone, Logged: logged,
	})
	return u, err
}

// UserChange is a change of a user by somebody who manages users. Nil fields
// stay as they are.
type UserChange struct {
	Fullname, Email, Password, PasswordConfirmation, Timezone *string
	Abilities                                                 *[]int
	Enabled                                                   *bool
	DisableTOTP                                               bool
}

// changesSignIn reports whether a change affects who can sign in as the user.
func (c *UserChange) changesSignIn(before *store.User) bool {
	return c.Password != nil || c.Email != nil && *c.Email != before.Email || c.DisableTOTP && before.TOTPEnabledAt != nil
}

// ChangeUser changes a user. A change of how the user signs in requires the
// password of the user by, if it has to be repeated. It fails with
// store.ErrNotFound, with ErrProtected for the default admin, with
// store.ErrStale if the user no longer has that version, and with faults of
// fields. With a token it fails with ErrForbidden if the change decides how the
// owner of the token signs in, or if it makes an administrator and the token
// may not do that. While an identity provider is in charge of the accounts,
// only abilities, status and time zone can be changed. Other changes are
// ignored, because existing clients send them and expect success.
func (a *Auth) ChangeUser(ctx context.Context, by *Identity, id int64, version int, c UserChange) (*store.User, error) {
	before, err := a.manageableUser(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.provider != nil {
		c = UserChange{Timezone: c.Timezone, Abilities: c.Abilities, Enabled: c.Enabled}
	}
	if err := by.permitGrantingAdministration(); err != nil {
		if c.grantsAdministration(before) {
			return nil, err
		}
		if before.LockVersion != version { // a later version could be an administrator
			return nil, fmt.Errorf("user %d: %w", id, store.ErrStale)
		}
	}
	if by.User.ID == id && (c.Password != nil || c.Email != nil || c.DisableTOTP) {
		if err := by.RequireNoToken(); err != nil {
			return nil, err
		}
	}
	c.Fullname, c.Email = normalizeValue(store.NormalName, c.Fullname), normalizeValue(store.NormalText, c.Email)
	var wrong fieldFaults
	wrong.checkAccount(c.Fullname, c.Email, c.Timezone, c.Password, c.PasswordConfirmation)
	if c.Abilities != nil {
		wrong.checkAbilities(*c.Abilities)
	}
	a.refuseWeakPassword(c.Password, before.Username, &wrong)
	if c.changesSignIn(before) {
		if err := a.requireConfirmation(ctx, by, &wrong); err != nil {
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
			Enabled:        c.Enabled, Abilities: abilitiesForLog(c.Abilities), TOTPDisabled: c.DisableTOTP,
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
	if _, err := a.manageableUser(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteUser(ctx, by.Actor(), id)
}

// manageableUser returns a user, unless it is the default admin.
func (a *Auth) manageableUser(ctx context.Context, id int64) (u *store.User, err error) {
	err = a.store.ViewIn(ctx, func(tx *store.Tx) error {
		u, err = tx.User(id)
		return err
	})
	if err == nil && a.DefaultAdmin(u) {
		err = ErrProtected
	}
	return u, err
}

// accountRequest returns a request about an account as the activity log shows
// it.
func accountRequest(fullname, email, timezone, password *string) activity.AccountRequest {
	given := activity.Redacted(password != nil)
	return activity.AccountRequest{Fullname: fullname, Email: email, Timezone: timezone, Password: given, PasswordConfirmation: given}
}

// abilitiesForLog returns abilities as the activity log shows them; nil stays
// nil.
func abilitiesForLog(ids *[]int) *[]activity.Ability {
	if ids == nil {
		return nil
	}
	shown := make([]activity.Ability, 0, len(*ids))
	for _, id := range *ids {
		if known, ok := abilityByID(id); ok {
			shown = append(shown, activity.Ability{ID: known.ID, Name: known.Name, Resource: known.Resource, Label: known.Label})
		}
	}
	return &shown
}

// ManagesUsers reports whether a user is enabled and may manage users.
func ManagesUsers(u *store.User) bool {
	return u.Enabled() && (&Identity{User: u}).May(Access(abilityUsers))
}

// SoleManager reports whether only this user and the default admin manage
// users.
func (a *Auth) SoleManager(tx *store.Tx, id int64) (bool, error) {
	return SoleManager(tx, id, a.adminName)
}

// SoleManager reports whether only this user and the default admin, who has the
// user name admin, manage users.
func SoleManager(tx *store.Tx, id int64, admin string) (bool, error) {
	for u, err := range tx.Users() {
		if err != nil {
			return false, err
		}
		if u.ID != id && u.Username != admin && ManagesUsers(u) {
			return false, nil
		}
	}
	return true, nil
}
