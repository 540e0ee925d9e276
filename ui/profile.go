package ui

import (
	"errors"
	"net/http"
	"strings"

	"trento/auth"
	"trento/store"
)

// profilePage is what users see and change of themselves.
type profilePage struct {
	Frame
	Protected                 string // why nothing of the account can be changed here
	Typed                     bool
	Faults                    []faultLink
	Rest                      []string // faults that are about no field
	Fullname, Email, Username field
	Timezone                  field
	Zones                     []string
	Grants                    []grantChip
	SecondFactor              bool
	SecondFactorSince         Moment
	Sessions                  []sessionRow
	Others                    int // sessions that are not this one
	Tokens                    tokenList

	// One of them at most is open.
	Password *passwordDialog
	Enroll   *enrollment
	Ask      *confirmation
	Token    *tokenDialog
	Secret   *tokenSecret
}

// sessionRow is a sign-in that has not ended.
type sessionRow struct {
	ID                string
	Device, UserAgent string
	Address           string
	Kind              string // what it is used for
	Created, LastSeen Moment
	Current           bool
}

// passwordDialog changes the password of the reader.
type passwordDialog struct {
	Current, New, Confirmation field
	Rules                      []string
}

// enrollment is a second factor that is not in force yet.
type enrollment struct {
	Secret string
	QR     qrCode
	Code   field
}

// profileForm is what users change of themselves, as typed.
type profileForm struct{ fullname, email, timezone string }

// newProfilePage reads everything of the page, as it is stored.
func (s *server) newProfilePage(r *http.Request) (*profilePage, error) {
	id := auth.From(r.Context())
	u := id.User
	p := &profilePage{
		Frame: s.newFrame(r, "Profile"), Zones: timezones(), Grants: grantChips(u.Abilities),
		SecondFactor: u.TOTPEnabledAt != nil, SecondFactorSince: s.momentOf(u.TOTPEnabledAt),
	}
	p.Live = "user token"
	if s.options.Auth.DefaultAdmin(u) {
		p.Protected = "Admin user cannot be edited"
	} else if id.Token != nil {
		p.Protected = "You have signed in with a personal access token, which may not change the account"
	}
	p.put(profileForm{u.Fullname, u.Email, u.Timezone})
	err := s.options.Store.View(func(tx *store.Tx) error {
		sessions, err := tx.Sessions(u.ID)
		if err != nil {
			return err
		}
		for _, open := range sessions {
			row := s.newSessionRow(open)
			if row.Current = open.Hash == id.SessionHash; !row.Current {
				p.Others++
			}
			p.Sessions = append(p.Sessions, row)
		}
		if p.Tokens, err = s.newTokenList(tx, r, u); err != nil {
			return err
		}
		return s.fill(&p.Frame, tx)
	})
	return p, err
}

func (p *profilePage) put(f profileForm) {
	username := p.User.Username
	p.Fullname = field{Name: "fullname", Label: "Full Name", Type: "text", Value: f.fullname, Autocomplete: "name", Max: auth.MaxName, Required: true}
	p.Email = field{Name: "email", Label: "Email Address", Type: "email", Value: f.email, Autocomplete: "email", Required: true}
	p.Username = field{Name: "username", Label: "Username", Type: "text", Value: username, Autocomplete: "username", ReadOnly: true}
	p.Timezone = field{Name: "timezone", Label: "Timezone", Type: "text", Value: f.timezone, Autocomplete: "off", List: "zones", Help: "Type to search. The days on which your tokens end are days of this zone; the console shows times in UTC."}
}

func (s *server) newSessionRow(open *store.Session) sessionRow {
	row := sessionRow{
		ID: open.ID, Device: device(open.UserAgent), UserAgent: open.UserAgent, Address: open.Address,
		Kind: "Console", Created: s.moment(open.CreatedAt), LastSeen: s.moment(open.LastSeenAt),
	}
	if open.Kind == store.APISession {
		row.Kind = "API"
	}
	if open.Method == store.MethodToken {
		row.Kind += ", with a token"
	}
	return row
}

func (s *server) showProfile(w http.ResponseWriter, r *http.Request, status int, p *profilePage) error {
	return s.render(w, r, status, pageProfile, p)
}

// profile answers GET /profile.
func (s *server) profile(w http.ResponseWriter, r *http.Request) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	return s.showProfile(w, r, http.StatusOK, p)
}

// changeProfile answers POST /profile.
func (s *server) changeProfile(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	f := profileForm{r.PostForm.Get("fullname"), r.PostForm.Get("email"), strings.TrimSpace(r.PostForm.Get("timezone"))}
	_, err := s.options.Auth.ChangeProfile(r.Context(), id, auth.ProfileChange{Fullname: &f.fullname, Email: &f.email, Timezone: &f.timezone})
	if faults, ok := fieldFaults(err); ok {
		p, err := s.newProfilePage(r)
		if err != nil {
			return err
		}
		p.put(f)
		p.Typed = true
		p.Faults, p.Rest = applyFaults(faults, &p.Fullname, &p.Email, &p.Timezone)
		return s.showProfile(w, r, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	s.rememberNews(w, r, "Profile changes saved!")
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
	return nil
}

func newPasswordDialog() *passwordDialog {
	return &passwordDialog{
		Current:      field{Name: "current_password", Label: "Current Password", Type: "password", Autocomplete: "current-password", Required: true, Focus: true},
		New:          field{Name: "password", Label: "New Password", Type: "password", Autocomplete: "new-password", Required: true},
		Confirmation: field{Name: "password_confirmation", Label: "Confirm New Password", Type: "password", Autocomplete: "new-password", Required: true},
		Rules:        auth.PasswordRules(),
	}
}

// password answers GET and POST /profile/password.
func (s *server) password(w http.ResponseWriter, r *http.Request) error {
	d := newPasswordDialog()
	status := http.StatusOK
	if r.Method == http.MethodPost {
		current, password, confirmation := r.PostForm.Get("current_password"), r.PostForm.Get("password"), r.PostForm.Get("password_confirmation")
		_, err := s.options.Auth.ChangeProfile(r.Context(), auth.From(r.Context()), auth.ProfileChange{
			CurrentPassword: &current, Password: &password, PasswordConfirmation: &confirmation,
		})
		faults, refused := fieldFaults(err)
		switch {
		case refused:
			d.Current.Focus = false
			applyFaults(faults, &d.Current, &d.New, &d.Confirmation)
			status = http.StatusUnprocessableEntity
		case err != nil:
			return err
		default:
			s.rememberNews(w, r, "Profile changes saved!")
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
	return s.showProfile(w, r, status, p)
}

// secondFactor answers GET and POST /profile/totp: without a code it offers a
// new secret, with one it puts the secret into force.
func (s *server) secondFactor(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	code := field{Name: "code", ID: "totp-code", Label: "TOTP code", Type: "text", Autocomplete: "one-time-code", Max: 6, Required: true, Focus: true}
	status := http.StatusOK
	if r.Method == http.MethodPost && !r.PostForm.Has("code") {
		if _, err := s.options.Auth.BeginTOTP(r.Context(), id); err != nil && !errors.Is(err, auth.ErrTOTPEnabled) {
			return err
		}
		http.Redirect(w, r, "/profile/totp", http.StatusSeeOther)
		return nil
	}
	if r.Method == http.MethodPost {
		typed := strings.TrimSpace(r.PostForm.Get("code"))
		var err error
		if typed != "" {
			_, err = s.options.Auth.ConfirmTOTP(r.Context(), id, typed)
		}
		switch {
		case typed == "":
			code.Fault, status = "Required field", http.StatusUnprocessableEntity
		case errors.Is(err, auth.ErrTOTPCode):
			code.Fault, status = "Totp code not valid for the enrollment procedure.", http.StatusUnprocessableEntity
		case err != nil && !errors.Is(err, auth.ErrTOTPEnabled):
			return err
		default:
			s.rememberNews(w, r, "TOTP Enabled")
			http.Redirect(w, r, "/profile", http.StatusSeeOther)
			return nil
		}
	}
	offered, err := s.options.Auth.PendingTOTP(id)
	if errors.Is(err, store.ErrNotFound) {
		http.Redirect(w, r, "/profile", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	p.Enroll = &enrollment{Secret: offered.Secret, Code: code}
	if p.Enroll.QR, err = newQRCode(offered.URI); err != nil {
		return err
	}
	return s.showProfile(w, r, status, p)
}

// endSecondFactor answers GET and POST /profile/totp/disable.
func (s *server) endSecondFactor(w http.ResponseWriter, r *http.Request) error {
	ask := confirmation{
		Title: "Disable TOTP", Action: r.URL.Path, Form: "confirmation-form", Verb: "Disable", Danger: true, Plan: "yes", CloseURL: "/profile",
		Sentences: []string{"Are you sure you want to disable TOTP? Signing in will take your password alone. To enable it again you need to set up the authenticator app anew."},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.askInProfile(w, r, &ask)
	}
	if err := s.options.Auth.EndTOTP(r.Context(), auth.From(r.Context())); err != nil {
		return err
	}
	s.rememberNews(w, r, "TOTP Disabled")
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
	return nil
}

// askInProfile shows the profile with a question above it.
func (s *server) askInProfile(w http.ResponseWriter, r *http.Request, ask *confirmation) error {
	p, err := s.newProfilePage(r)
	if err != nil {
		return err
	}
	p.Ask = ask
	status := http.StatusOK
	if ask.Failure != "" || ask.Password != nil && ask.Password.Fault != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.showProfile(w, r, status, p)
}

// endOneSession answers POST /profile/sessions/{id}/end.
func (s *server) endOneSession(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	err := s.options.Store.EndSession(r.Context(), id.Actor(), id.User.ID, pathVar(r, "id"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.rememberNews(w, r, "The session was ended.")
	http.Redirect(w, r, "/profile#sessions", http.StatusSeeOther)
	return nil
}

// endOtherSessions answers POST /profile/sessions/end.
func (s *server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	if err := s.options.Store.EndOtherSessions(r.Context(), id.Actor(), id.User.ID, id.SessionHash); err != nil {
		return err
	}
	s.rememberNews(w, r, "All other sessions were ended.")
	http.Redirect(w, r, "/profile#sessions", http.StatusSeeOther)
	return nil
}
