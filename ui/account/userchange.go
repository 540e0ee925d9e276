package account

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/page"
)

// impact is what the change of a user has to do with.
type impact struct {
	username         string
	before, after    []int // abilities
	disables         bool
	self             bool // the reader's own account
	withoutTOTP      bool // the second factor goes
	email, password  bool // get another value
	sole             bool // nobody else but the default admin manages users
	managed, manages bool // users, before and after
	sessions, tokens int  // the user has
	reviewed         bool // the reader has seen the difference of the abilities
}

// ask is the dialog about a change; nil where nothing is to be asked. Where the
// password has to be shown again, a change of how the user signs in is.
func (i impact) ask(password bool) *page.Confirmation {
	c := page.Confirmation{
		Title: "Change the permissions of " + i.username + "?", Form: "user-form", Verb: "Save",
		Plan: fmt.Sprintf("%s %t %t", idList(i.after), i.disables, i.withoutTOTP),
	}
	c.Added, c.Removed = auth.Difference(i.before, i.after)
	worth := len(c.Added)+len(c.Removed) > 0 && !i.reviewed
	if i.disables {
		worth, c.Danger = true, true
		c.Title, c.Verb = "Disable "+i.username+"?", "Disable User"
		c.Sentences = append(c.Sentences, "Until "+i.username+" is enabled again, nobody can sign in as this user. "+consequences(i.sessions, i.tokens, "will be refused"))
	}
	if i.withoutTOTP {
		worth = true
		c.Sentences = append(c.Sentences, "The second factor of "+i.username+" is turned off: signing in will take the password alone, until "+i.username+" sets up another one.")
	}
	if password && i.password {
		worth = true
		c.Sentences = append(c.Sentences, "The password of "+i.username+" becomes the one you have typed. "+consequences(i.sessions, 0, ""))
	}
	if password && i.email {
		worth = true
		c.Sentences = append(c.Sentences, "The address of "+i.username+" changes.")
	}
	if !i.disables && len(c.Added)+len(c.Removed) == 0 {
		c.Title = "Change " + i.username + "?"
		if i.withoutTOTP {
			c.Title, c.Verb, c.Danger = "Turn off the second factor of "+i.username+"?", "Turn Off", true
		}
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

// askAboutChange is the dialog about what a form asks for, nil where there is
// nothing to ask. seen are the abilities whose difference the form has shown.
func (s *userHandlers) askAboutChange(ctx context.Context, u *store.User, f userForm, c *auth.UserChange, seen string) (*page.Confirmation, error) {
	id, after := auth.From(ctx), *u
	after.Abilities = f.Abilities
	i := impact{
		username: u.Username, before: u.Abilities, after: f.Abilities, disables: u.Enabled() && !f.Enabled,
		self: u.ID == id.User.ID, managed: managesUsers(u), manages: f.Enabled && managesUsers(&after),
		reviewed:    seen != "" && strings.TrimPrefix(seen, "none") == idList(f.Abilities),
		withoutTOTP: c.DisableTOTP, email: c.Email != nil, password: c.Password != nil,
	}
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		if i.sole, err = s.soleManager(tx, u.ID); err != nil {
			return err
		}
		i.sessions, i.tokens, err = sessionsAndTokens(tx, u.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	ask := i.ask(id.MustConfirm())
	if ask != nil && (i.withoutTOTP || i.email || i.password) {
		if ask.Password = confirmationField(id); ask.Password != nil {
			ask.Password.Form = ask.Form
		}
	}
	return ask, nil
}

// sessionsAndTokens are how many sessions and tokens a user has.
func sessionsAndTokens(tx *store.Tx, id int64) (sessions, tokens int, err error) {
	open, err := tx.Sessions(id)
	if err != nil {
		return 0, 0, err
	}
	held, err := tx.Tokens(id)
	return len(open), len(held), err
}

// consequences says what a user loses at once; tokens tells what becomes of them.
func consequences(sessions, held int, tokens string) string {
	words := "There is no session to end"
	if sessions > 0 {
		words = page.Count(sessions, "session ends", "sessions end") + " at once"
	}
	if held > 0 {
		words += ", and " + page.Count(held, "personal access token", "personal access tokens") + " " + tokens
	}
	return words + "."
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

// onlyPassword reports whether nothing is wrong but the password that was to be
// shown again.
func onlyPassword(err error) bool {
	faults, ok := page.FieldFaults(err)
	return ok && !slices.ContainsFunc(faults, func(f fault.Error) bool { return f.Field != "current_password" })
}

// userChanged says what was done. A password that was made here is shown until
// whoever made it says that it is stored.
func (s *userHandlers) userChanged(w http.ResponseWriter, r *http.Request, u *store.User, c *auth.UserChange, generated string) error {
	to, id := "/users", strconv.FormatInt(u.ID, 10)
	if c.Password != nil {
		s.secrets.remove(auth.From(r.Context()).SessionHash, passwordSecret, id)
		if generated != "" {
			s.keepSecret(r.Context(), secret{Kind: passwordSecret, ID: id, Name: u.Username, Text: generated})
			to = UserPath(u.ID, "edit")
		}
	}
	news := "User “" + u.Username + "” edited successfully"
	if c.Password != nil {
		news = page.WithPasswordWarning(news, *c.Password, u.Username)
	}
	s.SetFlash(w, r, news)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
