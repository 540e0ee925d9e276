package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/alerting"
	"trento/ui/mail"
	"trento/ui/page"
)

const (
	alertsPath        = "/settings/alerting/edit"
	alertsTestPath    = "/settings/alerting/test"
	alertsClearPath   = "/settings/alerting/clear"
	alertsSectionPath = "/settings/alerting"
)

// alertSection is the section of the settings about alerts. It has no secrets.
type alertSection struct {
	Exists         bool // there are settings
	Enforced       bool // the configuration sets them
	Enabled        bool
	Server         string
	Port           int
	Username       string // "": no login
	HasPassword    bool
	Sender         string
	Recipients     []string
	NotifyRecovery bool
	WebhookHost    string // "": there is no webhook
	SecretsLost    bool
	// Waiting is the number of alerts and messages that wait. LastSent and
	// LastFailure tell of the newest messages that were sent, and that were not.
	Waiting     int
	LastSent    *page.Timestamp
	LastFailed  *page.Timestamp
	LastFailure string
	Edit, Clear *page.Control
	TestRefused string // why the reader may not send a test message
	Failure     *failedTest
	Form        *alertForm // the dialog, if it is open
}

// failedTest is why a test message was not delivered.
type failedTest struct{ Step, Reason string }

// alertForm is the dialog that changes the settings of alerts.
type alertForm struct {
	Enabled, NotifyRecovery bool
	NoLogin                 bool // the mail server needs no login
	// LockedPassword and LockedSecret: there is a stored one, which stays unless
	// it is removed.
	LockedPassword, LockedSecret                  bool
	Server, Port, Username, Password              page.Field
	Sender, Recipients, WebhookURL, WebhookSecret page.Field
	Faults                                        []page.FaultLink
	Rest                                          []string // faults that belong to no field
	Failure                                       *failedTest
	Delivered                                     string // what became of a test message
	Typed                                         bool
}

// newAlertSection returns the section for the settings in effect.
func newAlertSection(settings auth.AlertSettings, exists bool, reader page.Reader) alertSection {
	section := alertSection{
		Exists: exists, Enforced: settings.Enforced, Enabled: settings.Enabled, Server: settings.SMTPServer, Port: settings.SMTPPort,
		Username: settings.SMTPUsername, HasPassword: settings.SMTPPassword != "" || settings.SecretsLost, Sender: settings.Sender, Recipients: settings.Recipients,
		NotifyRecovery: settings.NotifyRecovery, SecretsLost: settings.SecretsLost,
		Edit:        reader.Control(page.AbilityAlertSettings, "Edit Settings", alertsPath),
		TestRefused: reader.WhyRefused(page.AbilityAlertSettings),
	}
	if u, err := url.Parse(settings.WebhookURL); err == nil {
		section.WebhookHost = u.Hostname()
	}
	if settings.Enforced {
		section.Edit.Refused = "The configuration of the server sets these values. They can only be changed there."
	} else if exists {
		section.Clear = reader.Control(page.AbilityAlertSettings, "Clear Settings", alertsClearPath)
	}
	return section
}

// readAlertSection reads the section for its page.
func (s *settingsHandlers) readAlertSection(tx *store.Tx, p *settingsPage) error {
	settings, exists, err := s.readAlertSettings(tx)
	if err != nil {
		return err
	}
	p.Alerts = newAlertSection(settings, exists, p.Reader)
	return s.addAlertState(tx, &p.Alerts)
}

func (a alertSection) state() subjectState {
	switch {
	case !a.Exists:
		return subjectState{Words: "Not configured: nobody is told"}
	case a.SecretsLost:
		return subjectState{"The stored password cannot be read", "warning"}
	case !a.Enabled:
		return subjectState{Words: "Disabled"}
	case a.LastFailed != nil && (a.LastSent == nil || a.LastSent.ISO() < a.LastFailed.ISO()):
		return subjectState{"The last message could not be sent", "warning"}
	}
	return subjectState{Words: "To " + page.Count(len(a.Recipients), "address", "addresses")}
}

// addAlertState adds to the section what was sent last, and what waits.
func (s *settingsHandlers) addAlertState(tx *store.Tx, section *alertSection) error {
	state, err := s.Alerting.State(tx, s.Auth)
	if err != nil {
		return err
	}
	section.Waiting = len(state.Waiting) + len(state.Open)
	if d := state.LastSent; d != nil {
		section.LastSent = new(s.Timestamp(d.Tried()))
	}
	if d := state.LastFailed; d != nil {
		section.LastFailed, section.LastFailure = new(s.Timestamp(d.Tried())), d.Failure()
	}
	return nil
}

// readAlertSettings returns the settings in effect. exists is false if there are
// none.
func (s *settingsHandlers) readAlertSettings(tx *store.Tx) (settings auth.AlertSettings, exists bool, err error) {
	settings, err = s.Auth.AlertSettings(tx)
	if errors.Is(err, auth.ErrNoAlertSettings) {
		return settings, false, nil
	}
	return settings, err == nil, err
}

// alertSettingsNow is readAlertSettings in a read of its own.
func (s *settingsHandlers) alertSettingsNow(r *http.Request) (settings auth.AlertSettings, exists bool, err error) {
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		settings, exists, err = s.readAlertSettings(tx)
		return err
	})
	return settings, exists, err
}

// newAlertForm returns the dialog for settings. Without settings it is empty but
// for the usual port.
func newAlertForm(settings auth.AlertSettings, exists bool) *alertForm {
	f := &alertForm{
		Enabled: settings.Enabled, NotifyRecovery: settings.NotifyRecovery, NoLogin: exists && settings.SMTPUsername == "",
		LockedPassword: settings.SMTPPassword != "", LockedSecret: settings.WebhookSecret != "",
		Server:        page.Field{Name: "smtp_server", Label: "SMTP Server", Type: "text", Value: settings.SMTPServer, Autocomplete: "off", Max: 255, Required: true, Help: "Host name or address, such as mail.example.com. With smtps:// before it, TLS begins at once."},
		Port:          page.Field{Name: "smtp_port", Label: "SMTP Port", Type: "number", Value: strconv.Itoa(settings.SMTPPort), Autocomplete: "off", Required: true, Help: "587 or 25 with STARTTLS, 465 with TLS from the start."},
		Username:      page.Field{Name: "smtp_username", Label: "SMTP User", Type: "text", Value: settings.SMTPUsername, Autocomplete: "off", Max: 500},
		Password:      page.Field{Name: "smtp_password", Label: "Password", Type: "password", Autocomplete: "new-password", Max: 500, Help: "It is only sent over TLS."},
		Sender:        page.Field{Name: "sender_email", Label: "Alerting Sender", Type: "email", Value: settings.Sender, Autocomplete: "off", Max: 320, Required: true},
		Recipients:    page.Field{Name: "recipient_email", Label: "Alerting Recipient", Type: "text", Value: strings.Join(settings.Recipients, ", "), Autocomplete: "off", Max: 2000, Required: true, Help: "One address, or several separated by commas."},
		WebhookURL:    page.Field{Name: "webhook_url", Label: "Webhook", Type: "text", Value: settings.WebhookURL, Autocomplete: "off", Max: 2000, Help: "An https address of a chat or another service. Alerts are posted there as well, as JSON. Leave it empty for none."},
		WebhookSecret: page.Field{Name: "webhook_secret", Label: "Signing secret", Type: "password", Autocomplete: "new-password", Max: 500, Help: "With it, the receiver can check the header webhook-signature."},
	}
	if !exists {
		f.Port.Value = ""
	}
	return f
}

func (f *alertForm) fields() []*page.Field {
	return []*page.Field{&f.Server, &f.Port, &f.Username, &f.Password, &f.Sender, &f.Recipients, &f.WebhookURL, &f.WebhookSecret}
}

// read copies the input into the dialog, and returns the settings in it.
func (f *alertForm) read(form url.Values) (in auth.AlertSettingsInput, wrong fault.Errors) {
	f.Typed = true
	f.Enabled, f.NotifyRecovery = page.ReadCheckbox(form, "enabled", &wrong), page.ReadCheckbox(form, "notify_recovery", &wrong)
	f.NoLogin = page.ReadCheckbox(form, "no_login", &wrong)
	f.LockedPassword = f.LockedPassword && !form.Has("password_removed") && form.Get("remove") != "smtp_password"
	f.LockedSecret = f.LockedSecret && !form.Has("secret_removed") && form.Get("remove") != "webhook_secret"
	for _, field := range f.fields() {
		field.Value = form.Get(field.Name)
		if field.Type != "password" {
			field.Value = strings.TrimSpace(field.Value)
		}
	}
	require := func(field page.Field) *string {
		if field.Value == "" {
			wrong.Add(field.Name, "Missing field: "+field.Name)
			return nil
		}
		return &field.Value
	}
	in = auth.AlertSettingsInput{
		Enabled: &f.Enabled, NotifyRecovery: &f.NotifyRecovery, SMTPServer: require(f.Server), Sender: require(f.Sender), Recipients: require(f.Recipients), WebhookURL: &f.WebhookURL.Value,
	}
	if text := require(f.Port); text != nil {
		port, err := strconv.Atoi(*text)
		if err != nil {
			port = 0 // which the rules for settings refuse
		}
		in.SMTPPort = &port
	}
	switch none := ""; {
	case f.NoLogin:
		in.SMTPUsername, in.SMTPPassword = &none, &none
	case f.LockedPassword:
		in.SMTPUsername = require(f.Username)
	default:
		in.SMTPUsername, in.SMTPPassword = require(f.Username), require(f.Password)
	}
	if !f.LockedSecret {
		in.WebhookSecret = &f.WebhookSecret.Value
	}
	return in, wrong
}

// editAlertSettings answers GET /settings/alerting/edit: the settings with an open
// dialog.
func (s *settingsHandlers) editAlertSettings(w http.ResponseWriter, r *http.Request) error {
	settings, exists, err := s.alertSettingsNow(r)
	if err != nil {
		return err
	}
	if settings.Enforced { // the section says why
		http.Redirect(w, r, alertsSectionPath, http.StatusSeeOther)
		return nil
	}
	f := newAlertForm(settings, exists)
	f.Server.Focus = true
	return s.renderSubject(w, r, subjectAlerting, http.StatusOK, func(p *settingsPage) { p.Alerts.Form = f })
}

// changeAlertSettings answers POST /settings/alerting/edit.
func (s *settingsHandlers) changeAlertSettings(w http.ResponseWriter, r *http.Request) error {
	settings, exists, err := s.alertSettingsNow(r)
	if err != nil {
		return err
	}
	f := newAlertForm(settings, exists)
	in, wrong := f.read(r.PostForm)
	show := func(status int) error {
		return s.renderSubject(w, r, subjectAlerting, status, func(p *settingsPage) { p.Alerts.Form = f })
	}
	if r.PostForm.Get("remove") != "" { // one of the secrets can be typed now
		return show(http.StatusOK)
	}
	if len(wrong) == 0 {
		if exists {
			err = s.Auth.ChangeAlertSettings(r.Context(), auth.From(r.Context()), in)
		} else {
			err = s.Auth.SaveAlertSettings(r.Context(), auth.From(r.Context()), in)
		}
		wrong, _ = page.FieldFaults(err)
	}
	if len(wrong) > 0 {
		f.Faults, f.Rest = page.ApplyFaults(wrong, f.fields()...)
		return show(http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, "The settings of alerts were saved.")
	http.Redirect(w, r, alertsSectionPath, http.StatusSeeOther)
	return nil
}

// testAlertSettings answers POST /settings/alerting/test. It sends a test message
// with the settings in effect, or with those in the dialog if it comes from
// there.
func (s *settingsHandlers) testAlertSettings(w http.ResponseWriter, r *http.Request) error {
	settings, exists, err := s.alertSettingsNow(r)
	if err != nil {
		return err
	}
	if !r.PostForm.Has("smtp_server") {
		return s.testPresentAlertSettings(w, r)
	}
	f := newAlertForm(settings, exists)
	in, wrong := f.read(r.PostForm)
	status := http.StatusUnprocessableEntity
	if len(wrong) == 0 {
		delivery, err := s.tryAlertSettings(r, in)
		wrong, _ = page.FieldFaults(err)
		f.Failure = newFailedTest(err)
		switch {
		case err == nil:
			f.Delivered, status = describeDelivery(delivery), http.StatusOK
		case len(wrong) == 0 && f.Failure == nil:
			return err
		}
	}
	f.Faults, f.Rest = page.ApplyFaults(wrong, f.fields()...)
	return s.renderSubject(w, r, subjectAlerting, status, func(p *settingsPage) { p.Alerts.Form = f })
}

// testPresentAlertSettings sends a test message with the settings in effect.
func (s *settingsHandlers) testPresentAlertSettings(w http.ResponseWriter, r *http.Request) error {
	delivery, err := s.tryAlertSettings(r, auth.AlertSettingsInput{})
	if failure := newFailedTest(err); failure != nil {
		return s.renderSubject(w, r, subjectAlerting, http.StatusUnprocessableEntity, func(p *settingsPage) { p.Alerts.Failure = failure })
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, describeDelivery(delivery))
	http.Redirect(w, r, alertsSectionPath, http.StatusSeeOther)
	return nil
}

func (s *settingsHandlers) tryAlertSettings(r *http.Request, in auth.AlertSettingsInput) (alerting.Delivery, error) {
	var settings auth.AlertSettings
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		settings, err = s.Auth.AlertSettingsToTry(tx, in)
		return err
	})
	if err != nil {
		return alerting.Delivery{}, err
	}
	return s.Alerting.Test(r.Context(), settings)
}

// stepWords say which step of a test has failed.
var stepWords = map[string]string{
	mail.StepName:        "The name of the mail server cannot be looked up",
	mail.StepConnect:     "The mail server cannot be reached",
	mail.StepTLS:         "The connection to the mail server cannot be encrypted",
	mail.StepLogin:       "This server cannot sign in at the mail server",
	mail.StepSender:      "The mail server refuses the sender",
	mail.StepRecipient:   "The mail server refuses a recipient",
	mail.StepData:        "The mail server refuses the message",
	alerting.StepWebhook: "The e-mail was delivered, but the webhook could not be reached",
}

// newFailedTest describes the error of a test; nil if the error is not about the
// delivery.
func newFailedTest(err error) *failedTest {
	if errors.Is(err, alerting.ErrTooManyTests) {
		return &failedTest{"No test message was sent", alerting.ErrTooManyTests.Detail}
	}
	failure, ok := errors.AsType[*mail.Error](err)
	if !ok {
		return nil
	}
	reason := failure.Reason()
	if failure.Recipient != "" {
		reason = failure.Recipient + ": " + reason
	}
	return &failedTest{stepWords[failure.Step], reason}
}

// describeDelivery says what became of a test message.
func describeDelivery(d alerting.Delivery) string {
	to := strings.Join(d.DeliveredTo, ", ")
	if n := len(d.DeliveredTo); n > 3 {
		to = fmt.Sprintf("%s and %d others", strings.Join(d.DeliveredTo[:2], ", "), n-2)
	}
	encrypted := "without TLS"
	if d.TLS != "" {
		encrypted = d.TLS
	}
	text := fmt.Sprintf("The test message was delivered to %s, %s. The mail server answered: %s", to, encrypted, d.Reply)
	if d.Webhook {
		text += ". The webhook has taken it, too"
	}
	return text
}

// clearAlertSettings answers GET and POST /settings/alerting/clear.
func (s *settingsHandlers) clearAlertSettings(w http.ResponseWriter, r *http.Request) error {
	settings, exists, err := s.alertSettingsNow(r)
	if err != nil {
		return err
	}
	if settings.Enforced || !exists { // the section says why
		http.Redirect(w, r, alertsSectionPath, http.StatusSeeOther)
		return nil
	}
	ask := &page.Confirmation{
		Title: "Clear the settings of alerts?", Action: alertsClearPath, Form: "confirmation-form", Verb: "Clear Settings", Danger: true, Plan: "yes", CloseURL: alertsSectionPath,
		Sentences: []string{"No alerts are sent any more, neither by e-mail nor to a webhook. The password and the other settings are deleted and cannot be brought back."},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderSubject(w, r, subjectAlerting, http.StatusOK, func(p *settingsPage) { p.Ask = ask })
	}
	if err := s.Auth.ClearAlertSettings(r.Context(), auth.From(r.Context())); err != nil {
		return err
	}
	s.SetFlash(w, r, "The settings of alerts were cleared. No alerts are sent any more.")
	http.Redirect(w, r, alertsSectionPath, http.StatusSeeOther)
	return nil
}
