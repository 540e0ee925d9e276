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

// impact has the facts about a change of a user that decide whether and how to
// ask first.
type impact struct {
	username                      string
	before, after                 []int // abilities before and after the change
	disables                      bool
	isOwnAccount                  bool // the reader's own account
	withoutTOTP                   bool // the change turns the second factor off
	changesEmail, changesPassword bool // the change sets another address or password
	soleManager                   bool // only this user and the default admin manage users
	managedBefore, managesAfter   bool // whether the user manages users before and after the change
	sessions, tokens              int  // number of sessions and tokens of the user
	reviewed                      bool // the reader has seen the difference of the abilities
}

// confirmation returns the dialog that asks before a change; nil if no question
// is needed. password reports whether the reader has to repeat the password,
// which changes of address and password then require.
func (i impact) confirmation(password bool) *page.Confirmation {
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
	if password && i.changesPassword {
		worth = true
		c.Sentences = append(c.Sentences, "The password of "+i.username+" becomes the one you have typed. "+consequences(i.sessions, 0, ""))
	}
	if password && i.changesEmail {
		worth = true
		c.Sentences = append(c.Sentences, "The address of "+i.username+" changes.")
	}
	if !i.disables && len(c.Added)+len(c.Removed) == 0 {
		c.Title = "Change " + i.username + "?"
		if i.withoutTOTP {
			c.Title, c.Verb, c.Danger = "Turn off the second factor of "+i.username+"?", "Turn Off", true
		}
	}
	if i.managedBefore && !i.managesAfter {
		if i.isOwnAccount {
			worth = true
			c.Sentences = append(c.Sentences, "This is your own account: afterwards you cannot manage users any more, nor undo this.")
		}
		if i.soleManager {
			worth = true
			c.Sentences = append(c.Sentences, "Nobody else manages users: afterwards only the default admin can.")
		}
	}
	if !worth {
		return nil
	}
	return &c
}

// askAboutChange returns the dialog that asks before a change; nil if no
// question is needed. seen has the ids of the chosen abilities, if the form has
// shown already how they differ from the present ones.
func (s *userHandlers) askAboutChange(ctx context.Context, u *store.User, f userForm, c *auth.UserChange, seen string) (*page.Confirmation, error) {
	id, after := auth.From(ctx), *u
	after.Abilities = f.Abilities
	i := impact{
		username: u.Username, before: u.Abilities, after: f.Abilities, disables: u.Enabled() && !f.Enabled,
		isOwnAccount: u.ID == id.User.ID, managedBefore: auth.ManagesUsers(u), managesAfter: f.Enabled && auth.ManagesUsers(&after),
		reviewed:    seen != "" && strings.TrimPrefix(seen, "none") == idList(f.Abilities),
		withoutTOTP: c.DisableTOTP, changesEmail: c.Email != nil, changesPassword: c.Password != nil,
	}
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		if i.soleManager, err = s.Auth.SoleManager(tx, u.ID); err != nil {
			return err
		}
		i.sessions, i.tokens, err = sessionsAndTokens(tx, u.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	ask := i.confirmation(id.MustConfirm())
	if ask != nil && (i.withoutTOTP || i.changesEmail || i.changesPassword) {
		if ask.Password = confirmationField(id); ask.Password != nil {
			ask.Password.Form = ask.Form
		}
	}
	return ask, nil
}

// sessionsAndTokens returns the number of sessions and tokens of a user.
func sessionsAndTokens(tx *store.Tx, id int64) (sessions, tokens int, err error) {
	open, err := tx.Sessions(id)
	if err != nil {
		return 0, 0, err
	}
	held, err := tx.Tokens(id)
	return len(open), len(held), err
}

// consequences says what a user loses at once. tokens says what happens to the
// tokens: "will be deleted".
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

// changeOf returns the change of a user that the input asks for.
func (f *userForm) changeOf(u *store.User) auth.UserChange {
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

// onlyPasswordFault reports whether the only fault is in the password that the
// reader had to repeat.
func onlyPasswordFault(err error) bool {
	faults, ok := page.FieldFaults(err)
	return ok && !slices.ContainsFunc(faults, func(f fault.Error) bool { return f.Field != "current_password" })
}

// redirectAfterChange redirects with a message. A generated password is shown
// until the reader confirms that it is stored.
func (s *userHandlers) redirectAfterChange(w http.ResponseWriter, r *http.Request, u *store.User, c *auth.UserChange, generated string) error {
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
