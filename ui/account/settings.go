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
type settingsHandlers struct{ handlerBase }

func (s *settingsHandlers) routes() []api.Route {
	key, alerts, log := auth.Needs(page.AbilityAPIKey), auth.Needs(page.AbilityAlertSettings), auth.Needs(page.AbilityActivitySettings)
	reads, as := auth.InSets("read_only"), func(operations ...string) auth.TokenRule { return auth.InSets("settings").As(operations...) }
	keyRule, passwordRule := as("PATCH /api/v1/settings/api_key"), as("POST /api/v1/settings/message_credential")
	saveAlerts, testAlerts, clearAlerts := as("POST /api/v1/settings/alerting", "PATCH /api/v1/settings/alerting"), as("POST /api/v1/settings/alerting/test"), as("DELETE /api/v1/settings/alerting")
	saveLog := as("PUT /api/v1/settings/activity_log")
	show := func(id string) func(http.ResponseWriter, *http.Request) error {
		return api.Uncompressed(s.showSubject(id))
	}
	return []api.Route{
		{Method: "GET", Path: "/settings", Access: auth.SignedIn, Tokens: reads, Handle: api.Uncompressed(s.showSettings)},
		{Method: "GET", Path: "/settings/api_key", Access: auth.SignedIn, Tokens: reads, Handle: show(subjectAPIKey)},
		{Method: "GET", Path: keyPath, Access: key, Tokens: keyRule, Handle: api.Uncompressed(s.generateAPIKey)},
		{Method: "POST", Path: keyPath, Access: key, Tokens: keyRule, Handle: page.ReadForm(s.generateAPIKey)},
		{Method: "POST", Path: "/settings/api_key/shown", Access: key, Tokens: keyRule, Handle: page.ReadForm(s.closeKeySecret)},
		{Method: "GET", Path: "/settings/messages", Access: auth.SignedIn, Tokens: reads, Handle: show(subjectMessages)},
		{Method: "GET", Path: messagePasswordPath, Access: key, Tokens: passwordRule, Handle: api.Uncompressed(s.replaceMessagePassword)},
		{Method: "POST", Path: messagePasswordPath, Access: key, Tokens: passwordRule, Handle: page.ReadForm(s.replaceMessagePassword)},
		{Method: "GET", Path: "/settings/alerting", Access: auth.SignedIn, Tokens: reads, Handle: show(subjectAlerting)},
		{Method: "GET", Path: alertsPath, Access: alerts, Tokens: saveAlerts, Handle: api.Uncompressed(s.editAlertSettings)},
		{Method: "POST", Path: alertsPath, Access: alerts, Tokens: saveAlerts, Handle: api.Uncompressed(page.ReadForm(s.changeAlertSettings))},
		{Method: "POST", Path: alertsTestPath, Access: alerts, Tokens: testAlerts, Handle: api.Uncompressed(page.ReadForm(s.testAlertSettings))},
		{Method: "GET", Path: alertsClearPath, Access: alerts, Tokens: clearAlerts, Handle: s.clearAlertSettings},
		{Method: "POST", Path: alertsClearPath, Access: alerts, Tokens: clearAlerts, Handle: page.ReadForm(s.clearAlertSettings)},
		{Method: "GET", Path: tokensPath, Access: auth.SignedIn, Tokens: reads, Handle: show(subjectTokens)},
		{Method: "POST", Path: tokensPath, Access: auth.Needs(page.AbilityTokenSettings), Tokens: auth.InPerson(), Handle: page.ReadForm(s.changeTokenSettings)},
		{Method: "GET", Path: "/settings/single_sign_on", Access: auth.Needs(page.AbilityUsers), Tokens: reads, Handle: show("single_sign_on")},
		{Method: "GET", Path: "/settings/activity_log", Access: auth.SignedIn, Tokens: reads, Handle: show(subjectActivityLog)},
		{Method: "GET", Path: retentionPath, Access: log, Tokens: saveLog, Handle: api.Uncompressed(s.editActivitySettings)},
		{Method: "POST", Path: retentionPath, Access: log, Tokens: saveLog, Handle: page.ReadForm(s.changeActivitySettings)},
		{Method: "GET", Path: "/settings/forwarding", Access: log, Tokens: reads, Handle: show("forwarding")},
		{Method: "GET", Path: backupPath, Access: auth.Needs(allAbilities), Tokens: reads, Handle: show(subjectBackup)},
		{Method: "POST", Path: backupPath, Access: auth.Needs(allAbilities), Tokens: auth.InPerson(), Handle: page.ReadForm(s.downloadBackup)},
		// Addresses that the pages have under the API, and had once in the console.
		{Method: "GET", Path: "/settings/message_credential", Access: auth.SignedIn, Tokens: reads, Handle: redirectToSubject(subjectMessages)},
		{Method: "GET", Path: "/settings/personal_access_tokens", Access: auth.SignedIn, Tokens: reads, Handle: redirectToSubject(subjectTokens)},
	}
}

// tokensPath is the path of the settings of personal access tokens.
const tokensPath = "/settings/tokens"

// settingsPage is the overview of the settings, or the page of one subject.
type settingsPage struct {
	page.Frame
	Words    string       // search in the overview
	Overview []subjectRow // subjects with these words

	Subject, Anchor, Label, Effect string // "": it is the overview
	Links                          []subjectLink
	Changed                        *lastChange

	// The parts of the subjects. Those that the page does not show are empty.
	Key         keySection
	Messages    messageSettings
	Alerts      alertSection
	Webhooks    webhookSection
	Tokens      tokenSettingsForm
	Provider    providerSection
	ActivityLog activitySettings
	Forwarding  *forwardingSection
	Backup      backupSettings
	Displays    displaySection

	// At most one of these dialogs is set: it is open.
	NewKey *keyDialog
	Secret *secretDialog // an API key that was just created
	Ask    *page.Confirmation
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

// readTokenSection reads the settings of personal access tokens.
func (s *settingsHandlers) readTokenSection(tx *store.Tx, p *settingsPage) error {
	tokens, err := tx.TokenSettings()
	if err != nil {
		return err
	}
	p.Tokens = newTokenSettingsForm(tokens)
	p.Tokens.Refused = p.WhyRefused(page.AbilityTokenSettings)
	return nil
}

// state says whether tokens can be used, and for how long.
func (f tokenSettingsForm) state() subjectState {
	if !f.Switches[0].IsOn {
		return subjectState{Words: "Switched off"}
	}
	if f.Limit.Value == "" {
		return subjectState{Words: "Tokens may be valid for ever"}
	}
	return subjectState{Words: "Tokens are valid for at most " + f.Limit.Value + " days"}
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

// changeTokenSettings answers POST /settings/tokens.
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
			return s.renderSubject(w, r, subjectTokens, http.StatusOK, func(p *settingsPage) {
				show(p)
				p.Ask = ask
			})
		}
		err = s.Auth.ChangeTokenSettings(r.Context(), auth.From(r.Context()), after)
		wrong, _ = page.FieldFaults(err)
	}
	if len(wrong) > 0 {
		return s.renderSubject(w, r, subjectTokens, http.StatusUnprocessableEntity, func(p *settingsPage) {
			show(p)
			p.Tokens.Faults, p.Tokens.Rest = page.ApplyFaults(wrong, &p.Tokens.Default, &p.Tokens.Limit)
		})
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, "The settings of personal access tokens were saved.")
	http.Redirect(w, r, tokensPath, http.StatusSeeOther)
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
	c := &page.Confirmation{Title: "Change the settings of tokens?", Form: "token-settings-form", Verb: "Save Settings", CloseURL: tokensPath}
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
