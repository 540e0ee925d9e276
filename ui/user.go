package ui

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
)

// userPage is the form that makes or changes a user.
type userPage struct {
	Frame
	Heading     string
	Action      string
	Verb        string
	New         bool
	Protected   string // why nothing can be changed here
	Self        bool   // the reader's own account
	Stale       bool   // somebody else has changed the user meanwhile
	Typed       bool   // holds what was typed and not saved
	LockVersion int    // the form was filled from
	Faults      []faultLink
	Rest        []string // faults that are about no field

	Fullname, Email, Username, Password, Confirmation, Timezone field
	Status, SecondFactor                                        dropdown

	Rules     []string
	Generated string // a password made here, to be handed over
	Picker    picker
	Facts     []fact
	Zones     []string
	Ask       *confirmation
	Tokens    tokenList
}

// dropdown is a choice of one of a few.
type dropdown struct {
	ID, Name, Label, Help string
	Options               []option
}

// userForm is what somebody typed.
type userForm struct {
	auth.NewUser
	totp bool // stays on
}

func userPath(id int64, verb string) string { return fmt.Sprintf("/users/%d/%s", id, verb) }

func readUserForm(r *http.Request) userForm {
	q := r.PostForm
	return userForm{auth.NewUser{
		Username: q.Get("username"), Fullname: q.Get("fullname"), Email: q.Get("email"), Timezone: strings.TrimSpace(q.Get("timezone")),
		Password: q.Get("password"), PasswordConfirmation: q.Get("password_confirmation"),
		Abilities: parseAbilities(q["ability"]), Enabled: q.Get("enabled") == "true",
	}, q.Get("totp_enabled") == "true"}
}

// prepared does what a button of the form asks for before anything is saved,
// and reports whether one did.
func (f *userForm) prepared(r *http.Request, p *userPage) bool {
	if made := r.PostForm.Get("generated"); made != "" && made == f.Password {
		p.Generated = made // still to be handed over
	}
	if r.PostForm.Has("generate") {
		p.Generated = auth.GeneratePassword()
		f.Password, f.PasswordConfirmation = p.Generated, p.Generated
		return true
	}
	profiles := auth.Profiles()
	if n, err := strconv.Atoi(r.PostForm.Get("preset")); err == nil && 0 <= n && n < len(profiles) {
		f.Abilities = profiles[n].Abilities
		return true
	}
	return false
}

// newUserPage is the form as it is sent out, before what is typed comes into it.
func (s *server) newUserPage(r *http.Request, title string) userPage {
	return userPage{Frame: s.newFrame(r, title), Heading: title, Action: r.URL.Path, Rules: auth.PasswordRules(), Zones: timezones()}
}

// put fills the form. held are the permissions before.
func (p *userPage) put(f userForm, held []int, totp bool) {
	p.Fullname = field{Name: "fullname", Label: "Full Name", Type: "text", Value: f.Fullname, Autocomplete: "off", Max: auth.MaxName, Required: true}
	p.Email = field{Name: "email", Label: "Email Address", Type: "email", Value: f.Email, Autocomplete: "off", Required: true}
	p.Username = field{Name: "username", Label: "Username", Type: "text", Value: f.Username, Autocomplete: "off", Max: auth.MaxName, Required: p.New, ReadOnly: !p.New}
	p.Password = field{Name: "password", Label: "Password", Type: "password", Value: f.Password, Autocomplete: "new-password", Required: p.New}
	p.Confirmation = field{Name: "password_confirmation", ID: "password-confirmation", Label: "Confirm Password", Type: "password", Value: f.PasswordConfirmation, Autocomplete: "new-password", Required: p.New}
	p.Timezone = field{Name: "timezone", Label: "Timezone", Type: "text", Value: f.Timezone, Autocomplete: "off", List: "zones", Help: "Type to search. The days on which tokens of this user end are days of this zone."}
	p.Status = dropdown{ID: "status", Name: "enabled", Label: "Status", Options: choices(strconv.FormatBool(f.Enabled), "true", "Enabled", "false", "Disabled")}
	p.SecondFactor = dropdown{ID: "totp-status", Name: "totp_enabled", Label: "TOTP", Options: choices(strconv.FormatBool(f.totp && totp), "true", "Enabled", "false", "Disabled")}
	if !totp {
		p.SecondFactor.Options[0].Refused = true
		p.SecondFactor.Help = "Only the user can enable the second factor, in the profile."
	} else {
		p.SecondFactor.Help = "Disable it for a user who has lost the authenticator; signing in takes the password alone then."
	}
	p.Picker = newPicker(held, f.Abilities)
	if p.Generated != "" {
		p.Password.Help = "Made here and not saved yet. Hand it over on a safe way."
	} else if !p.New {
		p.Password.Help = "Leave it empty to keep the password. A new one ends all sessions of the user."
	}
}

// refuse shows faults at their fields; it reports false for errors that are
// about no field.
func (p *userPage) refuse(err error) bool {
	faults, ok := fieldFaults(err)
	if !ok {
		return false
	}
	p.Faults, p.Rest = applyFaults(faults, &p.Fullname, &p.Email, &p.Username, &p.Password, &p.Confirmation, &p.Timezone)
	p.Typed = true
	return true
}

// newUser answers GET /users/new.
func (s *server) newUser(w http.ResponseWriter, r *http.Request) error {
	p := s.newUserPage(r, "Create User")
	p.New, p.Verb = true, "Create"
	p.put(userForm{NewUser: auth.NewUser{Enabled: true, Timezone: "Etc/UTC"}}, nil, false)
	return s.showUser(w, r, http.StatusOK, &p)
}

// createUser answers POST /users/new.
func (s *server) createUser(w http.ResponseWriter, r *http.Request) error {
	p := s.newUserPage(r, "Create User")
	p.New, p.Verb, p.Typed = true, "Create", true
	f := readUserForm(r)
	ready := f.prepared(r, &p)
	p.put(f, nil, false)
	if ready {
		return s.showUser(w, r, http.StatusOK, &p)
	}
	_, err := s.options.Auth.CreateUser(r.Context(), auth.From(r.Context()), f.NewUser)
	if p.refuse(err) {
		return s.showUser(w, r, http.StatusUnprocessableEntity, &p)
	}
	if err != nil {
		return err
	}
	s.rememberNews(w, r, "User created successfully")
	http.Redirect(w, r, "/users", http.StatusSeeOther)
	return nil
}

// userOf is the user the address of a request names.
func (s *server) userOf(r *http.Request) (user *store.User, err error) {
	id, err := strconv.ParseInt(mux.Vars(r)["id"], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", mux.Vars(r)["id"], store.ErrNotFound)
	}
	err = s.options.Store.View(func(tx *store.Tx) (err error) {
		user, err = tx.User(id)
		return err
	})
	return user, err
}

// editUserPage is the form of a user who is there, still empty.
func (s *server) editUserPage(r *http.Request, u *store.User) userPage {
	p := s.newUserPage(r, "Edit User")
	p.Frame.Title = u.Username + " – Users"
	p.Action, p.Verb, p.LockVersion = userPath(u.ID, "edit"), "Save", u.LockVersion
	p.Live = "user:" + strconv.FormatInt(u.ID, 10) + " token"
	p.Self = u.ID == auth.From(r.Context()).User.ID
	if s.options.Auth.DefaultAdmin(u) {
		p.Protected = "Admin user cannot be edited"
	}
	lastLogin := fact{Label: "Last Login", Text: "-"}
	if u.LastLoginAt != nil {
		lastLogin = s.momentFact("Last Login", *u.LastLoginAt)
	}
	p.Facts = []fact{s.momentFact("Created", u.CreatedAt), s.momentFact("Updated", u.UpdatedAt), lastLogin}
	return p
}

// formOf is a user as the form shows them.
func formOf(u *store.User) userForm {
	return userForm{auth.NewUser{
		Username: u.Username, Fullname: u.Fullname, Email: u.Email, Timezone: u.Timezone, Abilities: u.Abilities, Enabled: u.Enabled(),
	}, u.TOTPEnabledAt != nil}
}

// editUser answers GET /users/{id}/edit.
func (s *server) editUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userOf(r)
	if err != nil {
		return err
	}
	return s.showEdit(w, r, u, nil)
}

// showEdit shows the form of a user as it is, with a dialog above it where
// there is something to ask.
func (s *server) showEdit(w http.ResponseWriter, r *http.Request, u *store.User, ask *confirmation) error {
	p := s.editUserPage(r, u)
	p.put(formOf(u), u.Abilities, u.TOTPEnabledAt != nil)
	p.Ask = ask
	status := http.StatusOK
	if ask != nil && ask.Failure != "" {
		status = http.StatusUnprocessableEntity
	}
	if err := s.fillTokensOf(r, &p, u); err != nil {
		return err
	}
	return s.showUser(w, r, status, &p)
}

// changeUser answers POST /users/{id}/edit.
func (s *server) changeUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userOf(r)
	if err != nil {
		return err
	}
	p := s.editUserPage(r, u)
	p.Typed = true
	f := readUserForm(r)
	f.Username = u.Username
	ready := f.prepared(r, &p)
	p.put(f, u.Abilities, u.TOTPEnabledAt != nil)
	if err := s.fillTokensOf(r, &p, u); err != nil {
		return err
	}
	if ready {
		return s.showUser(w, r, http.StatusOK, &p)
	}
	// The form keeps the version it was filled from, so that what was typed
	// cannot be saved over what somebody else has saved meanwhile.
	p.LockVersion, _ = strconv.Atoi(r.PostForm.Get("version"))
	if p.LockVersion == u.LockVersion {
		if p.Ask, err = s.askAboutChange(r, u, f); err != nil {
			return err
		}
		if p.Ask != nil && r.PostForm.Get("confirmed") != p.Ask.Plan {
			return s.showUser(w, r, http.StatusOK, &p)
		}
		p.Ask = nil
	}
	_, err = s.options.Auth.ChangeUser(r.Context(), auth.From(r.Context()), u.ID, p.LockVersion, f.change(u))
	switch {
	case p.refuse(err):
		return s.showUser(w, r, http.StatusUnprocessableEntity, &p)
	case errors.Is(err, store.ErrStale):
		p.Stale = true
		return s.showUser(w, r, http.StatusPreconditionFailed, &p)
	case err != nil:
		return err
	}
	s.rememberNews(w, r, "User edited successfully")
	http.Redirect(w, r, "/users", http.StatusSeeOther)
	return nil
}

// change is what the form asks to be different.
func (f *userForm) change(u *store.User) auth.UserChange {
	var c auth.UserChange
	for _, text := range []struct {
		to          **string
		typed, held string
	}{{&c.Fullname, f.Fullname, u.Fullname}, {&c.Email, f.Email, u.Email}, {&c.Timezone, f.Timezone, u.Timezone}} {
		if text.typed != text.held {
			*text.to = &text.typed
		}
	}
	if f.Password != "" || f.PasswordConfirmation != "" {
		c.Password, c.PasswordConfirmation = &f.Password, &f.PasswordConfirmation
	}
	if !slices.Equal(f.Abilities, u.Abilities) {
		c.Abilities = &f.Abilities
	}
	if f.Enabled != u.Enabled() {
		c.Enabled = &f.Enabled
	}
	c.DisableTOTP = u.TOTPEnabledAt != nil && !f.totp
	return c
}

func (s *server) showUser(w http.ResponseWriter, r *http.Request, status int, p *userPage) error {
	if err := s.options.Store.View(func(tx *store.Tx) error { return s.fill(&p.Frame, tx) }); err != nil {
		return err
	}
	return s.render(w, r, status, pageUser, p)
}

// impact is what the change of a user has to do with.
type impact struct {
	username         string
	before, after    []int // abilities
	disables         bool
	self             bool // the reader's own account
	sole             bool // nobody else but the default admin manages users
	managed, manages bool // users, before and after
	sessions, tokens int  // the user has
	reviewed         bool // the reader has seen the difference of the abilities
}

// askAboutChange is the dialog about what a form asks for, nil where there is
// nothing to ask.
func (s *server) askAboutChange(r *http.Request, u *store.User, f userForm) (*confirmation, error) {
	after := *u
	after.Abilities = f.Abilities
	seen := r.PostForm.Get("reviewed")
	i := impact{
		username: u.Username, before: u.Abilities, after: f.Abilities, disables: u.Enabled() && !f.Enabled,
		self: u.ID == auth.From(r.Context()).User.ID, managed: managesUsers(u), manages: f.Enabled && managesUsers(&after),
		reviewed: seen != "" && strings.TrimPrefix(seen, "none") == idList(f.Abilities),
	}
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		if i.sole, err = s.soleManager(tx, u.ID); err != nil {
			return err
		}
		i.sessions, i.tokens, err = holdings(tx, u.ID)
		return err
	})
	return i.ask(), err
}

// holdings are how many sessions and tokens a user has.
func holdings(tx *store.Tx, id int64) (sessions, tokens int, err error) {
	open, err := tx.Sessions(id)
	if err != nil {
		return 0, 0, err
	}
	held, err := tx.Tokens(id)
	return len(open), len(held), err
}

func (i impact) ask() *confirmation {
	c := confirmation{Title: "Change the permissions of " + i.username + "?", Form: "user-form", Verb: "Save", Plan: fmt.Sprintf("%s %t", idList(i.after), i.disables)}
	c.Added, c.Removed = auth.Difference(i.before, i.after)
	worth := len(c.Added)+len(c.Removed) > 0 && !i.reviewed
	if i.disables {
		worth, c.Danger = true, true
		c.Title, c.Verb = "Disable "+i.username+"?", "Disable User"
		c.Sentences = append(c.Sentences, "Until "+i.username+" is enabled again, nobody can sign in as this user. "+ends(i.sessions, i.tokens, "will be refused"))
	}
	if i.managed && !i.manages {
		if i.self {
			worth = true
			c.Sentences = append(c.Sentences, "This is your own account: afterwards you cannot manage users any more, nor undo this.")
		}
		if i.sole {
			worth = true
			c.Sentences = append(c.Sentences, "Nobody else manages users: afterwards only the default admin can.")
		}
	}
	if !worth {
		return nil
	}
	return &c
}

// ends says what a user loses at once; tokens tells what becomes of them.
func ends(sessions, held int, tokens string) string {
	words := "There is no session to end"
	if sessions > 0 {
		words = count(sessions, "session ends", "sessions end") + " at once"
	}
	if held > 0 {
		words += ", and " + count(held, "personal access token", "personal access tokens") + " " + tokens
	}
	return words + "."
}

// deleteUser answers GET and POST /users/{id}/delete.
func (s *server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userOf(r)
	if err != nil {
		return err
	}
	list := usersOverview.parse(r.URL.Query(), usualSize).query()
	ask := confirmation{
		Title: "Delete User", Action: r.URL.Path, Form: "confirmation-form", Verb: "Delete", Danger: true, Plan: "yes",
		CloseURL: withQuery("/users", list),
	}
	var sole bool
	var sessions, tokens int
	err = s.options.Store.View(func(tx *store.Tx) (err error) {
		if sole, err = s.soleManager(tx, u.ID); err != nil {
			return err
		}
		sessions, tokens, err = holdings(tx, u.ID)
		return err
	})
	if err != nil {
		return err
	}
	ask.Sentences = []string{
		fmt.Sprintf("The user %s (%s) will be deleted. This cannot be undone; disabling can.", u.Username, u.Fullname),
		ends(sessions, tokens, "will be deleted") + " The activity log keeps the name, which can be given to somebody else.",
	}
	if u.ID == auth.From(r.Context()).User.ID {
		ask.Sentences = append(ask.Sentences, "This is your own account: you will be signed out.")
	}
	if sole && managesUsers(u) {
		ask.Sentences = append(ask.Sentences, "Nobody else manages users: afterwards only the default admin can.")
	}
	if s.options.Auth.DefaultAdmin(u) {
		return fmt.Errorf("user %d: %w", u.ID, auth.ErrProtected)
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.showUsers(w, r, http.StatusOK, &ask)
	}
	if err := s.options.Auth.DeleteUser(r.Context(), auth.From(r.Context()), u.ID); err != nil {
		return err
	}
	s.rememberNews(w, r, "User deleted successfully")
	http.Redirect(w, r, ask.CloseURL, http.StatusSeeOther)
	return nil
}
