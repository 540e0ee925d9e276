package account

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// settingsHandlers answer requests about the settings.
type settingsHandlers struct{ shared }

func (s *settingsHandlers) routes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/settings", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.showSettings)},
		{Method: "GET", Path: "/settings/api_key", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: api.Uncompressed(s.generateAPIKey)},
		{Method: "POST", Path: "/settings/api_key", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: page.ReadForm(s.generateAPIKey)},
		{Method: "POST", Path: "/settings/api_key/shown", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: page.ReadForm(s.closeKeySecret)},
		{Method: "GET", Path: messagePasswordPath, Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("POST /api/v1/settings/message_credential"), Handle: api.Uncompressed(s.replaceMessagePassword)},
		{Method: "POST", Path: messagePasswordPath, Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("POST /api/v1/settings/message_credential"), Handle: page.ReadForm(s.replaceMessagePassword)},
		{Method: "POST", Path: backupPath, Access: auth.Needs(allAbilities), Tokens: auth.InPerson(), Handle: page.ReadForm(s.downloadBackup)},
		{Method: "GET", Path: alertsPath, Access: auth.Needs(page.AbilityAlertSettings), Tokens: auth.InSets("settings").As("POST /api/v1/settings/alerting", "PATCH /api/v1/settings/alerting"), Handle: api.Uncompressed(s.editAlertSettings)},
		{Method: "POST", Path: alertsPath, Access: auth.Needs(page.AbilityAlertSettings), Tokens: auth.InSets("settings").As("POST /api/v1/settings/alerting", "PATCH /api/v1/settings/alerting"), Handle: api.Uncompressed(page.ReadForm(s.changeAlertSettings))},
		{Method: "POST", Path: alertsTestPath, Access: auth.Needs(page.AbilityAlertSettings), Tokens: auth.InSets("settings").As("POST /api/v1/settings/alerting/test"), Handle: api.Uncompressed(page.ReadForm(s.testAlertSettings))},
		{Method: "GET", Path: alertsClearPath, Access: auth.Needs(page.AbilityAlertSettings), Tokens: auth.InSets("settings").As("DELETE /api/v1/settings/alerting"), Handle: s.clearAlertSettings},
		{Method: "POST", Path: alertsClearPath, Access: auth.Needs(page.AbilityAlertSettings), Tokens: auth.InSets("settings").As("DELETE /api/v1/settings/alerting"), Handle: page.ReadForm(s.clearAlertSettings)},
		{Method: "POST", Path: "/settings/personal_access_tokens", Access: auth.Needs(page.AbilityTokenSettings), Tokens: auth.InPerson(), Handle: page.ReadForm(s.changeTokenSettings)},
		{Method: "GET", Path: "/settings/activity_log", Access: auth.Needs(page.AbilityActivitySettings), Tokens: auth.InSets("settings").As("PUT /api/v1/settings/activity_log"), Handle: api.Uncompressed(s.editActivitySettings)},
		{Method: "POST", Path: "/settings/activity_log", Access: auth.Needs(page.AbilityActivitySettings), Tokens: auth.InSets("settings").As("PUT /api/v1/settings/activity_log"), Handle: page.ReadForm(s.changeActivitySettings)},
	}
}

// settingsPage shows the settings of the product.
type settingsPage struct {
	page.Frame
	Created   page.Timestamp
	Expiry    string
	Expired   bool
	Key       string // the API key; empty if the reader may not see it
	Generate  page.Control
	Messages  messageSettings
	MaySeeKey bool
	Tokens    tokenSettingsForm
	NewKey    *keyDialog
	Secret    *secretDialog // an API key that was just created
	Ask       *page.Confirmation

	Alerts      alertSection
	Webhooks    webhookSection
	ActivityLog activitySettings
	Backup      backupSettings
}

// Template implements page.Page.
func (*settingsPage) Template() string { return "settings" }

// tokenSettingsForm is the form with the settings of personal access tokens.
type tokenSettingsForm struct {
	Refused        string // why the reader may not change the settings; "" if the reader may
	Typed          bool
	Faults         []page.FaultLink
	Rest           []string // faults that belong to no field
	Switches       []settingSwitch
	Default, Limit page.Field
}

// settingSwitch is a setting that is on or off.
type settingSwitch struct {
	Name, Label, Help string
	IsOn              bool
}

// showSettings answers GET /settings.
func (s *settingsHandlers) showSettings(w http.ResponseWriter, r *http.Request) error {
	return s.renderSettings(w, r, http.StatusOK, func(*settingsPage) {})
}

// renderSettings shows the settings. change modifies the page before it is
// sent.
func (s *settingsHandlers) renderSettings(w http.ResponseWriter, r *http.Request, status int, change func(*settingsPage)) error {
	p := settingsPage{Frame: s.NewFrame(r, "Settings")}
	p.MaySeeKey, p.Live, p.Generate = p.Can(page.AbilityAPIKey), "setting", *p.Control(page.AbilityAPIKey, "Generate Key", "/settings/api_key")
	var key *store.APIKey
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		if key, err = tx.APIKey(); err != nil {
			return err
		}
		if p.Messages, err = s.newMessageSettings(tx, p.Reader); err != nil {
			return err
		}
		alerts, exists, err := s.readAlertSettings(tx)
		if err != nil {
			return err
		}
		p.Alerts = newAlertSection(alerts, exists, p.Reader)
		if err := s.addAlertState(tx, &p.Alerts); err != nil {
			return err
		}
		if p.Webhooks, err = newWebhookSection(tx, p.Reader); err != nil {
			return err
		}
		if p.ActivityLog, err = s.newActivitySettings(tx, p.Reader); err != nil {
			return err
		}
		tokens, err := tx.TokenSettings()
		if err != nil {
			return err
		}
		p.Tokens = newTokenSettingsForm(tokens)
		p.Tokens.Refused = p.WhyRefused(page.AbilityTokenSettings)
		if p.MaySeeKey {
			if p.Secret, err = s.newSecretDialog(tx, p.Identity(), keySecret, ""); err != nil {
				return err
			}
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Backup = s.newBackupSettings(p.Reader)
	p.Created, p.Expiry, p.Expired = s.Timestamp(key.CreatedAt), s.describeKeyExpiry(key), key.Expired(s.Store.Now())
	if p.MaySeeKey {
		p.Key = s.Auth.APIKeyText(key)
	}
	change(&p)
	return s.Render(w, r, status, &p)
}

// suggestedLimit is the longest lifetime of tokens that we suggest, in days.
const suggestedLimit = 180

func newTokenSettingsForm(t *store.TokenSettings) tokenSettingsForm {
	f := tokenSettingsForm{
		Switches: []settingSwitch{
			{"enabled", "Personal access tokens", "When this is off, nobody can create tokens and existing ones are refused. They are not deleted.", t.Enabled},
			{"allow_basic", "Accept tokens as the password of HTTP Basic", "For programs that can only send a user name and a password. API only.", t.AllowBasic},
			{"allow_sign_in", "Accept tokens as the password when signing in", "Whoever holds such a token signs in without the second factor of its owner.", t.AllowSignIn},
			{"allow_in_query", "Accept tokens in the address (parameter session)", "Proxies write addresses into their logs, and the token with them.", t.AllowInQuery},
			{"require_password_confirmation", "Ask for the password", "Before a token is created, changed or deleted in the console.", t.RequirePasswordConfirmation},
		},
		Default: page.Field{Name: "default_lifetime_days", Label: "Suggested lifetime, in days", Type: "number", Value: strconv.Itoa(t.DefaultLifetimeDays), Autocomplete: "off", Required: true},
		Limit:   page.Field{Name: "max_lifetime_days", Label: "Longest lifetime, in days", Type: "number", Autocomplete: "off", Help: "Leave empty for no limit. Existing tokens keep their expiry. We suggest " + strconv.Itoa(suggestedLimit) + " days."},
	}
	if t.MaxLifetimeDays != nil {
		f.Limit.Value = strconv.Itoa(*t.MaxLifetimeDays)
	}
	return f
}

// changeTokenSettings answers POST /settings/personal_access_tokens.
func (s *settingsHandlers) changeTokenSettings(w http.ResponseWriter, r *http.Request) error {
	after, wrong := readTokenSettings(r.PostForm)
	show := func(p *settingsPage) {
		p.Tokens = newTokenSettingsForm(&after)
		p.Tokens.Typed = true
		p.Tokens.Default.Value, p.Tokens.Limit.Value = r.PostForm.Get("default_lifetime_days"), r.PostForm.Get("max_lifetime_days")
	}
	before, err := s.tokenSettings(r.Context())
	if err != nil {
		return err
	}
	if wrong = append(wrong, after.Faults()...); len(wrong) == 0 {
		ask := askAboutTokenSettings(before, &after)
		if ask != nil && r.PostForm.Get("confirmed") != ask.Plan {
			return s.renderSettings(w, r, http.StatusOK, func(p *settingsPage) {
				show(p)
				p.Ask = ask
			})
		}
		err = s.Auth.ChangeTokenSettings(r.Context(), auth.From(r.Context()), after)
		wrong, _ = page.FieldFaults(err)
	}
	if len(wrong) > 0 {
		return s.renderSettings(w, r, http.StatusUnprocessableEntity, func(p *settingsPage) {
			show(p)
			p.Tokens.Faults, p.Tokens.Rest = page.ApplyFaults(wrong, &p.Tokens.Default, &p.Tokens.Limit)
		})
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, "The settings of personal access tokens were saved.")
	http.Redirect(w, r, "/settings#tokens", http.StatusSeeOther)
	return nil
}

// readTokenSettings reads the form. A text that is not a number becomes 0,
// which the rules for settings refuse.
func readTokenSettings(form url.Values) (after store.TokenSettings, wrong fault.Errors) {
	after = store.TokenSettings{
		Enabled: page.ReadCheckbox(form, "enabled", &wrong), AllowBasic: page.ReadCheckbox(form, "allow_basic", &wrong),
		AllowSignIn: page.ReadCheckbox(form, "allow_sign_in", &wrong), AllowInQuery: page.ReadCheckbox(form, "allow_in_query", &wrong),
		RequirePasswordConfirmation: page.ReadCheckbox(form, "require_password_confirmation", &wrong),
	}
	after.DefaultLifetimeDays, _ = strconv.Atoi(strings.TrimSpace(form.Get("default_lifetime_days")))
	if limit := strings.TrimSpace(form.Get("max_lifetime_days")); limit != "" {
		days, _ := strconv.Atoi(limit)
		after.MaxLifetimeDays = &days
	}
	return after, wrong
}

// askAboutTokenSettings returns a question if a change stops programs or
// removes a protection. For other changes it returns nil.
func askAboutTokenSettings(before, after *store.TokenSettings) *page.Confirmation {
	c := &page.Confirmation{Title: "Change the settings of tokens?", Form: "token-settings-form", Verb: "Save Settings", CloseURL: "/settings#tokens"}
	for _, step := range []struct {
		name  string
		taken bool
		words string
	}{
		{"enabled", before.Enabled && !after.Enabled, "Every program that uses a personal access token is refused from this moment. The tokens are kept, and work again once this is switched on."},
		{"allow_sign_in", !before.AllowSignIn && after.AllowSignIn, "Tokens can be used to sign in: whoever holds one gets into the console and the API without the second factor of its owner."},
		{"allow_in_query", !before.AllowInQuery && after.AllowInQuery, "Tokens can stand in addresses, which end up in the logs of proxies and in the history of browsers, where others can read them."},
		{"require_password_confirmation", before.RequirePasswordConfirmation && !after.RequirePasswordConfirmation, "Whoever finds a console open can make a token and leave with it: the password is not asked for any more."},
	} {
		if step.taken {
			c.Sentences = append(c.Sentences, step.words)
			c.Plan = strings.TrimSpace(c.Plan + " " + step.name)
		}
	}
	if c.Plan == "" {
		return nil
	}
	return c
}
