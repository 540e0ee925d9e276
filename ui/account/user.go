package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// userPage is the form that creates or changes a user.
type userPage struct {
	page.Frame
	Heading     string
	Action      string
	Verb        string
	New         bool
	Protected   string             // why nothing can be changed here
	External    bool               // an identity provider is in charge of the account
	Self        bool               // the reader's own account
	Conflict    *conflict          // set if somebody else has changed the user meanwhile
	Typed       bool               // it contains unsaved input
	LockVersion int                // version of the user that the form was filled from
	Opened      []page.HiddenInput // values of the fields at that time
	Faults      []page.FaultLink
	Rest        []string // faults that belong to no field

	Fullname, Email, Username, Password, Confirmation, Timezone page.Field
	Status, SecondFactor                                        dropdown

	Rules     []string
	Generated string // generated password that has to be given to the user
	Picker    picker
	Facts     []page.Fact
	Zones     []string
	Ask       *page.Confirmation
	Secret    *secretDialog
	Sessions  sessionList
	Tokens    tokenList
}

// Template implements page.Page.
func (*userPage) Template() string { return "user" }

// dropdown is a choice of one value.
type dropdown struct {
	ID, Name, Label, Help, Fault string
	Options                      []page.Option
}

// userForm is the input of the form.
type userForm struct {
	auth.NewUser
	totp bool // the second factor stays enabled
}

func UserPath(id int64, verb string) string { return fmt.Sprintf("/users/%d/%s", id, verb) }

// readUserForm reads the input. A value that was not offered is a fault.
func readUserForm(q url.Values, totp bool) (f userForm, wrong fault.Errors) {
	abilities, known := parseAbilities(q["ability"])
	if !known {
		wrong.Add("abilities", "is invalid")
	}
	f = userForm{NewUser: auth.NewUser{
		Username: q.Get("username"), Fullname: q.Get("fullname"), Email: q.Get("email"), Timezone: strings.TrimSpace(q.Get("timezone")),
		Password: q.Get("password"), PasswordConfirmation: q.Get("password_confirmation"),
		Abilities: abilities, Enabled: page.ReadSwitch(q, "enabled", &wrong),
	}}
	if totp {
		f.totp = page.ReadSwitch(q, "totp_enabled", &wrong)
	}
	return f, wrong
}

// applyButton does what a button asks for that changes the form without saving.
// ready reports whether such a button was pressed.
func (f *userForm) applyButton(form url.Values, p *userPage) (ready bool, wrong fault.Errors) {
	if made := form.Get("generated"); made != "" && made == f.Password {
		p.Generated = made // the user has not got it yet
	}
	if form.Has("generate") {
		p.Generated = auth.GeneratePassword()
		f.Password, f.PasswordConfirmation = p.Generated, p.Generated
		return true, nil
	}
	if form.Has("preset") {
		profiles := auth.Presets()
		n, err := strconv.Atoi(form.Get("preset"))
		if err != nil || n < 0 || n >= len(profiles) {
			return false, fault.Errors{{Field: "abilities", Detail: "is invalid"}}
		}
		f.Abilities = profiles[n].Abilities
		return true, nil
	}
	return false, nil
}

// newUserPage returns the form without values.
func (s *userHandlers) newUserPage(frame page.Frame) userPage {
	return userPage{
		Frame: frame, Heading: frame.Title, Action: "/users/new", Rules: auth.PasswordRules(), Zones: page.Timezones(),
		External: s.isExternal(),
	}
}

// fillFields fills the form. held are the present permissions of the user, totp
// whether the user has a second factor.
func (p *userPage) fillFields(f userForm, held []int, totp bool) {
	p.Fullname = page.Field{Name: "fullname", Label: "Full Name", Type: "text", Value: f.Fullname, Autocomplete: "off", Max: auth.MaxName, Required: true}
	p.Email = page.Field{Name: "email", Label: "Email Address", Type: "email", Value: f.Email, Autocomplete: "off", Required: true}
	p.Username = page.Field{Name: "username", Label: "Username", Type: "text", Value: f.Username, Autocomplete: "off", Max: auth.MaxName, Required: p.New, ReadOnly: !p.New}
	p.Password = page.Field{Name: "password", Label: "Password", Type: "password", Value: f.Password, Autocomplete: "new-password", Required: p.New, Warning: page.PasswordWarning(f.Password, f.Username)}
	p.Confirmation = page.Field{Name: "password_confirmation", ID: "password-confirmation", Label: "Confirm Password", Type: "password", Value: f.PasswordConfirmation, Autocomplete: "new-password", Required: p.New}
	p.Timezone = page.Field{Name: "timezone", Label: "Timezone", Type: "text", Value: f.Timezone, Autocomplete: "off", List: "zones", Help: "Type to search. Times are UTC; the ends of tokens are told in this zone as well."}
	p.Status = dropdown{ID: "status", Name: "enabled", Label: "Status", Options: page.Choices(strconv.FormatBool(f.Enabled), "true", "Enabled", "false", "Disabled")}
	p.SecondFactor = dropdown{ID: "totp-status", Name: "totp_enabled", Label: "TOTP", Options: page.Choices(strconv.FormatBool(f.totp && totp), "true", "Enabled", "false", "Disabled")}
	if !totp {
		p.SecondFactor.Options[0].Refused = true
		p.SecondFactor.Help = "Only the user can enable the second factor, in the profile."
	} else {
		p.SecondFactor.Help = "Disable it for a user who has lost the authenticator; signing in takes the password alone then."
	}
	if p.External {
		p.Fullname.ReadOnly, p.Email.ReadOnly = true, true
		p.Fullname.Required, p.Email.Required = false, false
	}
	p.Picker = newPicker(held, f.Abilities)
	p.Picker.Refused = p.Protected
	if p.Generated != "" {
		p.Password.Help = "Generated and not saved yet. Give it to the user in a safe way."
	} else if !p.New {
		p.Password.Help = "Leave it empty to keep the password. A new one ends all sessions of the user."
	}
}

// showFaults shows faults at their fields. It returns false if the error is not
// about the input.
func (p *userPage) showFaults(err error) bool {
	faults, ok := page.FieldFaults(err)
	if !ok {
		return false
	}
	p.Faults, p.Rest = page.ApplyFaults(faults, &p.Fullname, &p.Email, &p.Username, &p.Password, &p.Confirmation, &p.Timezone)
	p.Rest = nil
	for _, fault := range faults {
		words := page.FaultWords(fault.Detail)
		switch fault.Field {
		case "enabled":
			p.Status.Fault = words
			p.Faults = append(p.Faults, page.FaultLink{Label: p.Status.Label, Text: words, URL: "#" + p.Status.ID})
		case "totp_enabled":
			p.SecondFactor.Fault = words
			p.Faults = append(p.Faults, page.FaultLink{Label: p.SecondFactor.Label, Text: words, URL: "#" + p.SecondFactor.ID})
		case "abilities":
			p.Picker.Fault = words
			p.Faults = append(p.Faults, page.FaultLink{Label: "Permissions", Text: words, URL: "#permissions"})
		case "fullname", "email", "username", "password", "password_confirmation", "timezone":
		default:
			p.Rest = append(p.Rest, page.FaultWords(fault.Field+" "+fault.Detail))
		}
	}
	p.Typed = true
	return true
}

// showNewUser answers GET /users/new.
func (s *userHandlers) showNewUser(w http.ResponseWriter, r *http.Request) error {
	p := s.newUserPage(s.NewFrame(r, "Create User"))
	p.New, p.Verb = true, "Create"
	p.fillFields(userForm{NewUser: auth.NewUser{Enabled: true, Timezone: "Etc/UTC"}}, nil, false)
	return s.renderUser(w, r, http.StatusOK, &p)
}

// createUser answers POST /users/new.
func (s *userHandlers) createUser(w http.ResponseWriter, r *http.Request) error {
	p := s.newUserPage(s.NewFrame(r, "Create User"))
	p.New, p.Verb, p.Typed = true, "Create", true
	f, wrong := readUserForm(r.PostForm, false)
	ready, wrongButton := f.applyButton(r.PostForm, &p)
	p.fillFields(f, nil, false)
	if ready {
		return s.renderUser(w, r, http.StatusOK, &p)
	}
	if wrong = append(wrong, wrongButton...); len(wrong) > 0 {
		p.showFaults(wrong)
		return s.renderUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	u, err := s.Auth.CreateUser(r.Context(), auth.From(r.Context()), f.NewUser)
	if p.showFaults(err) {
		return s.renderUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	if err != nil {
		return err
	}
	if p.Generated != "" {
		s.keepSecret(r.Context(), secret{Kind: passwordSecret, ID: strconv.FormatInt(u.ID, 10), Name: u.Username, Text: p.Generated})
	}
	s.SetFlash(w, r, page.WithPasswordWarning("User “"+u.Username+"” created successfully", f.Password, u.Username))
	http.Redirect(w, r, UserPath(u.ID, "edit"), http.StatusSeeOther)
	return nil
}

// userByID returns the user with an id as it is in an address.
func (s *userHandlers) userByID(ctx context.Context, id string) (user *store.User, err error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", id, store.ErrNotFound)
	}
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		user, err = tx.User(number)
		return err
	})
	return user, err
}

// editUserPage returns the form for an existing user, without values.
func (s *userHandlers) editUserPage(frame page.Frame, u *store.User) userPage {
	p := s.newUserPage(frame)
	p.Frame.Title = u.Username + " – Users"
	p.Action, p.Verb, p.LockVersion, p.Opened = UserPath(u.ID, "edit"), "Save", u.LockVersion, originalFields(formOfUser(u))
	p.Live = "user:" + strconv.FormatInt(u.ID, 10) + " token"
	p.Self = u.ID == p.Identity().User.ID
	if s.Auth.DefaultAdmin(u) {
		p.Protected = "Admin user cannot be edited"
	}
	if p.External {
		return p
	}
	lastLogin := page.Fact{Label: "Last Login", Text: "-"}
	if u.LastLoginAt != nil {
		lastLogin = s.TimestampFact("Last Login", *u.LastLoginAt)
	}
	p.Facts = []page.Fact{s.TimestampFact("Created", u.CreatedAt), s.TimestampFact("Updated", u.UpdatedAt), lastLogin}
	return p
}

// formOfUser returns the input that leaves a user as it is.
func formOfUser(u *store.User) userForm {
	return userForm{auth.NewUser{
		Username: u.Username, Fullname: u.Fullname, Email: u.Email, Timezone: u.Timezone, Abilities: u.Abilities, Enabled: u.Enabled(),
	}, u.TOTPEnabledAt != nil}
}

// editUser answers GET /users/{id}/edit.
func (s *userHandlers) editUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	return s.renderEditedUser(w, r, u, func(*userPage) {})
}

// renderEditedUser shows the form of a user as stored. change modifies the page
// before it is sent.
func (s *userHandlers) renderEditedUser(w http.ResponseWriter, r *http.Request, u *store.User, change func(*userPage)) error {
	p := s.editUserPage(s.NewFrame(r, "Edit User"), u)
	p.fillFields(formOfUser(u), u.Abilities, u.TOTPEnabledAt != nil)
	if err := s.fillRelated(r.Context(), &p, u, r.URL.Query()); err != nil {
		return err
	}
	change(&p)
	status := http.StatusOK
	if p.Ask != nil {
		status = p.Ask.Status()
	}
	return s.renderUser(w, r, status, &p)
}

// fillRelated adds to the page of a user the sessions, the tokens and a
// password that is being shown.
func (s *userHandlers) fillRelated(ctx context.Context, p *userPage, u *store.User, query url.Values) error {
	path := UserPath(u.ID, "edit")
	return s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		if p.Tokens, err = s.newTokenList(tx, p.Identity(), u, path); err != nil {
			return err
		}
		if p.Sessions, err = s.newSessionList(tx, p.Identity(), u, path, query); err != nil {
			return err
		}
		p.Secret, err = s.newSecretDialog(tx, p.Identity(), passwordSecret, strconv.FormatInt(u.ID, 10))
		return err
	})
}

// changeUser answers POST /users/{id}/edit.
func (s *userHandlers) changeUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	p := s.editUserPage(s.NewFrame(r, "Edit User"), u)
	if p.Protected != "" {
		return fmt.Errorf("user %d: %w", u.ID, auth.ErrProtected)
	}
	p.Typed = true
	f, wrong := readUserForm(r.PostForm, !p.External)
	f.Username = u.Username
	if p.External {
		f.Fullname, f.Email, f.Password, f.PasswordConfirmation, f.totp = u.Fullname, u.Email, "", "", u.TOTPEnabledAt != nil
	}
	ready, wrongButton := f.applyButton(r.PostForm, &p)
	wrong = append(wrong, wrongButton...)
	if err := s.fillRelated(r.Context(), &p, u, r.URL.Query()); err != nil {
		return err
	}
	// The form keeps the version that it was filled from, so that it cannot
	// overwrite what somebody else has saved meanwhile.
	p.LockVersion, _ = strconv.Atoi(r.PostForm.Get("version"))
	p.Opened = readOriginalFields(r.PostForm)
	if p.LockVersion != u.LockVersion && !ready && len(wrong) == 0 {
		return s.showConflict(w, r, &p, u, f)
	}
	p.fillFields(f, u.Abilities, u.TOTPEnabledAt != nil)
	if ready {
		return s.renderUser(w, r, http.StatusOK, &p)
	}
	if len(wrong) > 0 {
		p.showFaults(wrong)
		return s.renderUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	c := f.changeOf(u)
	ask, err := s.askAboutChange(r.Context(), u, f, &c, r.PostForm.Get("reviewed"))
	if err != nil {
		return err
	}
	if ask != nil && r.PostForm.Get("confirmed") != ask.Plan {
		p.Ask = ask
		return s.renderUser(w, r, http.StatusOK, &p)
	}
	_, err = s.Auth.ChangeUser(r.Context(), confirmingIdentity(r), u.ID, p.LockVersion, c)
	if errors.Is(err, store.ErrStale) {
		if u, err = s.userByID(r.Context(), page.PathVar(r, "id")); err != nil {
			return err
		}
		return s.showConflict(w, r, &p, u, f)
	}
	if ask != nil && onlyPasswordFault(err) && ask.Refuse(err) {
		p.Ask = ask
		return s.renderUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	if p.showFaults(err) {
		return s.renderUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	if err != nil {
		return err
	}
	return s.redirectAfterChange(w, r, u, &c, p.Generated)
}

func (s *userHandlers) renderUser(w http.ResponseWriter, r *http.Request, status int, p *userPage) error {
	if p.Secret != nil || p.Generated != "" {
		api.LeaveUncompressed(w)
	}
	if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.ReadFrame(&p.Frame, tx) }); err != nil {
		return err
	}
	return s.Render(w, r, status, p)
}

// deleteUser answers GET and POST /users/{id}/delete.
func (s *userHandlers) deleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	list := s.usersTable().Parse(r.URL.Query(), table.DefaultSize).Query()
	ask := page.Confirmation{
		Title: "Delete User", Action: r.URL.Path, Form: "confirmation-form", Verb: "Delete", Danger: true, Plan: "yes",
		CloseURL: page.WithQuery("/users", list),
	}
	var sole bool
	var sessions, tokens int
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		if sole, err = s.Auth.SoleManager(tx, u.ID); err != nil {
			return err
		}
		sessions, tokens, err = sessionsAndTokens(tx, u.ID)
		return err
	})
	if err != nil {
		return err
	}
	ask.Sentences = []string{
		fmt.Sprintf("The user %s (%s) will be deleted. This cannot be undone; disabling can.", u.Username, u.Fullname),
		consequences(sessions, tokens, "will be deleted") + " The activity log keeps the name, which can be given to somebody else.",
	}
	if s.isExternal() {
		ask.Sentences = append(ask.Sentences, "Who signs in through the identity provider as this user again gets a new account without permissions. To keep somebody out, disable the account.")
	}
	if u.ID == auth.From(r.Context()).User.ID {
		ask.Sentences = append(ask.Sentences, "This is your own account: you will be signed out.")
	}
	if sole && auth.ManagesUsers(u) {
		ask.Sentences = append(ask.Sentences, "Nobody else manages users: afterwards only the default admin can.")
	}
	if s.Auth.DefaultAdmin(u) {
		return fmt.Errorf("user %d: %w", u.ID, auth.ErrProtected)
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderUsers(w, r, http.StatusOK, &ask)
	}
	if err := s.Auth.DeleteUser(r.Context(), auth.From(r.Context()), u.ID); err != nil {
		return err
	}
	s.SetFlash(w, r, "User “"+u.Username+"” deleted successfully")
	http.Redirect(w, r, ask.CloseURL, http.StatusSeeOther)
	return nil
}
