package ui

import (
	"net/http"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
)

// settingsPage is what the product is set to.
type settingsPage struct {
	Frame
	Created  Moment
	Expiry   string
	Expired  bool
	Key      string // the text of the agent API key; empty for those who may not see it
	Generate control
	Connect  connection
	Tokens   tokenSettingsForm
	NewKey   *keyDialog

	ActivityLog activitySettings
}

// connection is what it takes to point an agent at this server.
type connection struct {
	ServerURL string
	MayRead   bool // the viewer may read the key
	KeyAbove  bool // and the page shows it
}

// tokenSettingsForm is what personal access tokens are good for here.
type tokenSettingsForm struct {
	Refused        string // why the reader may not change it
	Typed          bool
	Faults         []faultLink
	Switches       []settingSwitch
	Default, Limit field
}

// settingSwitch turns one thing on or off.
type settingSwitch struct {
	Name, Label, Help string
	On                bool
}

// The abilities to change settings.
const (
	// abilityAPIKey lets somebody read the key, too, and see which agents use
	// it with what success. It is what all:settings means where it is about
	// agents.
	abilityAPIKey        = "all:api_key_settings"
	abilityTokenSettings = "all:personal_access_token_settings"
)

// settings answers GET /settings.
func (s *server) settings(w http.ResponseWriter, r *http.Request) error {
	return s.showSettings(w, r, http.StatusOK, func(*settingsPage) {})
}

// showSettings shows the settings as they are, after change has put into the
// page what it is about.
func (s *server) showSettings(w http.ResponseWriter, r *http.Request, status int, change func(*settingsPage)) error {
	id := auth.From(r.Context())
	p := settingsPage{Frame: s.newFrame(r, "Settings"), Connect: s.connection(r), Generate: *newControl(id, abilityAPIKey, "Generate Key", "/settings/api_key")}
	p.Live = "setting"
	var key *store.APIKey
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		if key, err = tx.APIKey(); err != nil {
			return err
		}
		if p.ActivityLog, err = newActivitySettings(tx, id); err != nil {
			return err
		}
		tokens, err := tx.TokenSettings()
		if err != nil {
			return err
		}
		p.Tokens = newTokenSettingsForm(tokens)
		p.Tokens.Refused = refused(id, abilityTokenSettings)
		return s.fill(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Created, p.Expiry, p.Expired = s.moment(key.CreatedAt), s.keyEnd(key), key.Expired(s.options.Store.Now())
	if p.Connect.MayRead {
		p.Key, p.Connect.KeyAbove = s.options.Auth.APIKeyText(key), true
	}
	change(&p)
	return s.render(w, r, status, pageSettings, &p)
}

func (s *server) connection(r *http.Request) connection {
	scheme := "http"
	if s.options.Auth.Secure(r) {
		scheme = "https"
	}
	return connection{ServerURL: scheme + "://" + r.Host, MayRead: auth.From(r.Context()).Can(abilityAPIKey)}
}

// suggestedLimit is the longest lifetime of tokens that is suggested, in days.
const suggestedLimit = 180

func newTokenSettingsForm(t *store.TokenSettings) tokenSettingsForm {
	f := tokenSettingsForm{
		Switches: []settingSwitch{
			{"enabled", "Personal access tokens", "Off: none can be made, and those there are are refused. They are kept.", t.Enabled},
			{"allow_basic", "As the password of HTTP Basic", "For programs that know nothing but name and password; on the API only.", t.AllowBasic},
			{"allow_sign_in", "As the password of a sign-in", "Goes around the second factor of the owner.", t.AllowSignIn},
			{"allow_in_query", "In the address, as the parameter session", "Addresses end up in the logs of proxies, and the token with them.", t.AllowInQuery},
			{"require_password_confirmation", "Ask for the password", "Before somebody makes, changes or removes a token in the console.", t.RequirePasswordConfirmation},
		},
		Default: field{Name: "default_lifetime_days", Label: "Suggested lifetime, in days", Type: "number", Value: strconv.Itoa(t.DefaultLifetimeDays), Autocomplete: "off", Required: true},
		Limit:   field{Name: "max_lifetime_days", Label: "Longest lifetime, in days", Type: "number", Autocomplete: "off", Help: "Empty: no limit. Tokens there are keep their end. " + strconv.Itoa(suggestedLimit) + " is a good one."},
	}
	if t.MaxLifetimeDays != nil {
		f.Limit.Value = strconv.Itoa(*t.MaxLifetimeDays)
	}
	return f
}

// changeTokenSettings answers POST /settings/personal_access_tokens.
func (s *server) changeTokenSettings(w http.ResponseWriter, r *http.Request) error {
	on := func(name string) bool { return r.PostForm.Get(name) == "true" }
	after := store.TokenSettings{
		Enabled: on("enabled"), AllowBasic: on("allow_basic"), AllowSignIn: on("allow_sign_in"), AllowInQuery: on("allow_in_query"),
		RequirePasswordConfirmation: on("require_password_confirmation"),
	}
	// What is no number is 0, which the rules refuse.
	after.DefaultLifetimeDays, _ = strconv.Atoi(strings.TrimSpace(r.PostForm.Get("default_lifetime_days")))
	if limit := strings.TrimSpace(r.PostForm.Get("max_lifetime_days")); limit != "" {
		days, _ := strconv.Atoi(limit)
		after.MaxLifetimeDays = &days
	}
	err := s.options.Auth.ChangeTokenSettings(r.Context(), auth.From(r.Context()), after)
	if faults, ok := fieldFaults(err); ok {
		return s.showSettings(w, r, http.StatusUnprocessableEntity, func(p *settingsPage) {
			p.Tokens = newTokenSettingsForm(&after)
			p.Tokens.Typed = true
			p.Tokens.Default.Value, p.Tokens.Limit.Value = r.PostForm.Get("default_lifetime_days"), r.PostForm.Get("max_lifetime_days")
			p.Tokens.Faults, _ = applyFaults(faults, &p.Tokens.Default, &p.Tokens.Limit)
		})
	}
	if err != nil {
		return err
	}
	s.rememberNews(w, r, "The settings of personal access tokens were saved.")
	http.Redirect(w, r, "/settings#tokens", http.StatusSeeOther)
	return nil
}
