package account

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// profileHandlers answer requests of users about their own account.
type profileHandlers struct{ handlerBase }

func (s *profileHandlers) routes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/profile", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showProfile},
		{Method: "POST", Path: "/profile", Access: auth.SignedIn, Handle: page.ReadForm(s.changeProfile)},
		{Method: "GET", Path: "/profile/password", Access: auth.SignedIn, Tokens: auth.InSets("read_only").ForLocalAccounts(), Handle: api.Uncompressed(s.changePassword)},
		{Method: "POST", Path: "/profile/password", Access: auth.SignedIn, Tokens: auth.InPerson().ForLocalAccounts(), Handle: page.ReadForm(s.changePassword)},
		{Method: "GET", Path: "/profile/totp", Access: auth.SignedIn, Tokens: auth.InSets("read_only").ForLocalAccounts(), Handle: api.Uncompressed(s.setUpTOTP)},
		{Method: "POST", Path: "/profile/totp", Access: auth.SignedIn, Tokens: auth.InPerson().ForLocalAccounts(), Handle: page.ReadForm(s.setUpTOTP)},
		{Method: "GET", Path: "/profile/totp/disable", Access: auth.SignedIn, Tokens: auth.InSets("read_only").ForLocalAccounts(), Handle: s.disableTOTP},
		{Method: "POST", Path: "/profile/totp/disable", Access: auth.SignedIn, Tokens: auth.InPerson().ForLocalAccounts(), Handle: page.ReadForm(s.disableTOTP)},
		{Method: "POST", Path: "/profile/totp/cancel", Access: auth.SignedIn, Tokens: auth.InPerson().ForLocalAccounts(), Handle: page.ReadForm(s.cancelTOTP)},
		{Method: "POST", Path: "/profile/tokens/shown", Access: auth.SignedIn, Handle: page.ReadForm(s.closeTokenSecret)},
		{Method: "POST", Path: "/profile/sessions/end", Access: auth.SignedIn, Handle: page.ReadForm(s.endOtherSessions)},
		{Method: "POST", Path: "/profile/sessions/{id}/end", Access: auth.SignedIn, Handle: page.ReadForm(s.endOneSession)},
	}
}

// profilePage shows a user's own account.
type profilePage struct {
	page.Frame
	Protected                 string // why the reader cannot change the account; "" if the reader can
	External                  bool   // an identity provider is in charge of the account
	Typed                     bool
	Faults                    []page.FaultLink
	Rest                      []string // faults that belong to no field
	Fullname, Email, Username page.Field
	Timezone                  page.Field
	Zones                     []string
	Grants                    []grantChip
	SecondFactor              bool
	SecondFactorSince         page.Timestamp
	Sessions                  sessionList
	Tokens                    tokenList
	Enrollment                *enrollment // a pending second factor

	// At most one of these dialogs is set: it is open.
	Password *passwordDialog
	Ask      *page.Confirmation
	Token    *tokenDialog
	Secret   *secretDialog
}

// Template implements page.Page.
func (*profilePage) Template() string { return "profile" }

// passwordDialog changes the password of the reader.
type passwordDialog struct {
	Current, New, Confirmation page.Field
	Rules                      []string
}

// enrollment is a second factor that is not enabled yet.
type enrollment struct {
	Secret string
	QR     qrCode
	Code   page.Field
}

// profileForm is the input of a user about the own account.
type profileForm struct{ fullname, email, timezone string }

// newProfilePage reads everything of the page, as it is stored.
func (s *profileHandlers) newProfilePage(r *http.Request) (*profilePage, error) {
	id := auth.From(r.Context())
	u := id.User
	p := &profilePage{
		Frame: s.NewFrame(r, "Profile"), Zones: page.Timezones(), Grants: grantChips(u.Abilities),
		SecondFactor: u.TOTPEnabledAt != nil, SecondFactorSince: s.TimestampOf(u.TOTPEnabledAt), External: s.isExternal(),
	}
	p.Live = "user token"
	if s.Auth.DefaultAdmin(u) {
		p.Protected = "Admin user cannot be edited"
	} else if id.Token != nil {
		p.Protected = "You have signed in with a personal access token, which may not change the account"
	}
	p.fillFields(profileForm{u.Fullname, u.Email, u.Timezone})
	if p.Protected == "" && !p.External {
		if err := s.putEnrollment(r.Context(), p); err != nil {
			return nil, err
		}
	}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		if p.Sessions, err = s.newSessionList(tx, id, u, "/profile", r.URL.Query()); err != nil {
			return err
		}
		if p.Secret, err = s.newSecretDialog(tx, id, tokenSecret, ""); err != nil {
			return err
		}
		if p.Tokens, err = s.newTokenList(tx, id, u, "/profile"); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	return p, err
}

func (p *profilePage) fillFields(f profileForm) {
	username := p.User.Username
	p.Fullname = page.Field{Name: "fullname", Label: "Full Name", Type: "text", Value: f.fullname, Autocomplete: "name", Max: auth.MaxName, Required: true}
	p.Email = page.Field{Name: "email", Label: "Email Address", Type: "email", Value: f.email, Autocomplete: "email", Required: true}
	p.Username = page.Field{Name: "username", Label: "Username", Type: "text", Value: username, Autocomplete: "username", ReadOnly: true}
	p.Timezone = page.Field{Name: "timezone", Label: "Timezone", Type: "text", Value: f.timezone, Autocomplete: "off", List: "zones", Help: "Type to search. Times are UTC; the ends of your tokens are told in this zone as well."}
	if p.External {
		p.Fullname.ReadOnly, p.Email.ReadOnly = true, true
		p.Fullname.Required, p.Email.Required = false, false
	}
}

// putEnrollment adds a pending second factor to the page. It stays there until
// it is enabled or cancelled.
func (s *profileHandlers) putEnrollment(ctx context.Context, p *profilePage) error {
	offered, err := s.Auth.PendingTOTP(ctx, p.Identity())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	code := page.Field{Name: "code", ID: "totp-code", Label: "TOTP code", Type: "text", Autocomplete: "one-time-code", Max: 6, Required: true}
	p.Enrollment = &enrollment{Secret: offered.Secret, Code: code}
	p.Enrollment.QR, err = newQRCode(offered.URI)
	return err
}

func (s *profileHandlers) renderProfile(w http.ResponseWriter, r *http.Request, status int, p *profilePage) error {
	if p.Secret != nil || p.Enrollment != nil {
		api.LeaveUncompressed(w)
	}
	return s.Render(w, r, status, p)
}

// showProfile answers GET /profile.
func (s *profileHandlers) showProfile(w http.ResponseWriter, r *http.Request) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	return s.renderProfile(w, r, http.StatusOK, p)
}

// changeProfile answers POST /profile.
func (s *profileHandlers) changeProfile(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	f := profileForm{r.PostForm.Get("fullname"), r.PostForm.Get("email"), strings.TrimSpace(r.PostForm.Get("timezone"))}
	c := auth.ProfileChange{Fullname: &f.fullname, Email: &f.email, Timezone: &f.timezone}
	if s.isExternal() {
		f.fullname, f.email = id.User.Fullname, id.User.Email
	}
	if r.PostForm.Has("current_password") {
		current := r.PostForm.Get("current_password")
		c.CurrentPassword = &current
	}
	_, err := s.Auth.ChangeProfile(r.Context(), id, c)
	if faults, ok := page.FieldFaults(err); ok {
		return s.refuseProfile(w, r, f, faults)
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, "Profile changes saved!")
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
	return nil
}

// refuseProfile shows the faults of the input. If the only fault is the missing
// password for a new address, it asks for the password.
func (s *profileHandlers) refuseProfile(w http.ResponseWriter, r *http.Request, f profileForm, faults fault.Errors) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	p.fillFields(f)
	p.Typed = true
	fields := slices.DeleteFunc(slices.Clone(faults), func(f fault.Error) bool { return f.Field == "current_password" })
	if p.Faults, p.Rest = page.ApplyFaults(fields, &p.Fullname, &p.Email, &p.Timezone); len(fields) > 0 {
		return s.renderProfile(w, r, http.StatusUnprocessableEntity, p)
	}
	p.Ask = &page.Confirmation{
		Title: "Change the address", Action: "/profile", Form: "confirmation-form", Verb: "Save", CloseURL: "/profile",
		Sentences: []string{"Your address becomes " + f.email + ". Your password shows that it is you who changes it."},
		Password:  confirmationField(auth.From(r.Context())),
		Keep:      []page.HiddenInput{{Name: "fullname", Value: f.fullname}, {Name: "email", Value: f.email}, {Name: "timezone", Value: f.timezone}},
	}
	if r.PostForm.Has("current_password") {
		p.Ask.Refuse(faults)
	}
	return s.renderProfile(w, r, p.Ask.Status(), p)
}

func newPasswordDialog() *passwordDialog {
	return &passwordDialog{
		Current:      page.Field{Name: "current_password", Label: "Current Password", Type: "password", Autocomplete: "current-password", Required: true, Focus: true},
		New:          page.Field{Name: "password", Label: "New Password", Type: "password", Autocomplete: "new-password", Required: true},
		Confirmation: page.Field{Name: "password_confirmation", Label: "Confirm New Password", Type: "password", Autocomplete: "new-password", Required: true},
		Rules:        auth.PasswordRules(),
	}
}

// changePassword answers GET and POST /profile/password.
func (s *profileHandlers) changePassword(w http.ResponseWriter, r *http.Request) error {
	d := newPasswordDialog()
	status := http.StatusOK
	if r.Method == http.MethodPost {
		current, password, confirmation := r.PostForm.Get("current_password"), r.PostForm.Get("password"), r.PostForm.Get("password_confirmation")
		_, err := s.Auth.ChangeProfile(r.Context(), auth.From(r.Context()), auth.ProfileChange{
			CurrentPassword: &current, Password: &password, PasswordConfirmation: &confirmation,
		})
		faults, refused := page.FieldFaults(err)
		switch {
		case refused:
			d.Current.Focus = false
			page.ApplyFaults(faults, &d.Current, &d.New, &d.Confirmation)
			d.New.Warning = page.PasswordWarning(password, auth.From(r.Context()).User.Username)
			status = http.StatusUnprocessableEntity
		case err != nil:
			return err
		default:
			s.SetFlash(w, r, page.WithPasswordWarning("Profile changes saved!", password, auth.From(r.Context()).User.Username))
			http.Redirect(w, r, "/profile", http.StatusSeeOther)
			return nil
		}
	}
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	if p.Protected == "" {
		p.Password = d
	}
	return s.renderProfile(w, r, status, p)
}

// setUpTOTP answers GET and POST /profile/totp: without a code it generates a
// secret, with a code it enables the second factor.
func (s *profileHandlers) setUpTOTP(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	fault, status := "", http.StatusOK
	if r.Method == http.MethodPost && !r.PostForm.Has("code") {
		// A pending secret is kept: it may be in an app already.
		_, err := s.Auth.PendingTOTP(r.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			_, err = s.Auth.BeginTOTP(r.Context(), id)
		}
		if err != nil && !errors.Is(err, auth.ErrTOTPEnabled) {
			return err
		}
		http.Redirect(w, r, "/profile/totp", http.StatusSeeOther)
		return nil
	}
	if r.Method == http.MethodPost {
		typed := strings.TrimSpace(r.PostForm.Get("code"))
		var err error
		if typed != "" {
			_, err = s.Auth.ConfirmTOTP(r.Context(), id, typed)
		}
		switch {
		case typed == "":
			fault, status = "Required field", http.StatusUnprocessableEntity
		case errors.Is(err, auth.ErrTOTPCode):
			fault, status = "Totp code not valid for the enrollment procedure.", http.StatusUnprocessableEntity
		case err != nil && !errors.Is(err, auth.ErrTOTPEnabled):
			return err
		default:
			s.SetFlash(w, r, "TOTP Enabled")
			http.Redirect(w, r, "/profile", http.StatusSeeOther)
			return nil
		}
	}
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	if p.Enrollment == nil {
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
		return nil
	}
	p.Enrollment.Code.Fault, p.Enrollment.Code.Focus = fault, true
	return s.renderProfile(w, r, status, p)
}

// cancelTOTP answers POST /profile/totp/cancel: it discards a pending secret.
// An enabled second factor stays.
func (s *profileHandlers) cancelTOTP(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	_, err := s.Auth.PendingTOTP(r.Context(), id)
	if err == nil {
		err = s.Auth.EndTOTP(r.Context(), id)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	http.Redirect(w, r, "/profile#signing-in", http.StatusSeeOther)
	return nil
}

// disableTOTP answers GET and POST /profile/totp/disable.
func (s *profileHandlers) disableTOTP(w http.ResponseWriter, r *http.Request) error {
	ask := page.Confirmation{
		Title: "Disable TOTP", Action: r.URL.Path, Form: "confirmation-form", Verb: "Disable", Danger: true, Plan: "yes", CloseURL: "/profile",
		Sentences: []string{"Are you sure you want to disable TOTP? Signing in will take your password alone. To enable it again you need to set up the authenticator app anew."},
	}
	ask.Password = confirmationField(auth.From(r.Context()))
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.askInProfile(w, r, &ask)
	}
	err := s.Auth.EndTOTP(r.Context(), confirmingIdentity(r))
	if ask.Refuse(err) {
		return s.askInProfile(w, r, &ask)
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, "TOTP Disabled")
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
	return nil
}

// askInProfile shows the profile with a question in a dialog.
func (s *profileHandlers) askInProfile(w http.ResponseWriter, r *http.Request, ask *page.Confirmation) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	p.Ask = ask
	return s.renderProfile(w, r, ask.Status(), p)
}
