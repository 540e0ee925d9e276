package ui

import (
	"net/http"
	"strings"
	"testing"

	"trento/auth"
	"trento/packaging/servertest"
	"trento/store"
)

const alertPassword = "geheim-geheim"

// alertInput are the fields of the dialog with good values. changes are pairs of
// a name and another value; "" removes the field.
func alertInput(changes ...string) (form []string) {
	values := []string{
		"smtp_server", "mail.sap.example", "smtp_port", "587", "smtp_username", "trento", "smtp_password", alertPassword,
		"sender_email", "alerts@sap.example", "recipient_email", "basis@sap.example", "webhook_url", "", "webhook_secret", "",
	}
	changed := map[string]string{}
	for i := 0; i < len(changes); i += 2 {
		changed[changes[i]] = changes[i+1]
	}
	for i := 0; i < len(values); i += 2 {
		if value, ok := changed[values[i]]; ok {
			values[i+1] = value
			delete(changed, values[i])
		}
		form = append(form, values[i], values[i+1])
	}
	for name, value := range changed {
		form = append(form, name, value)
	}
	return form
}

func (f *fixture) alertSettings() (settings auth.AlertSettings) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) (err error) {
		settings, err = f.auth.AlertSettings(tx)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return settings
}

// TestAlertSettings sets alerts up in the console, changes and clears them.
func TestAlertSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("setter", 20)
	f.user("plain")
	const path = "/settings/alerting/edit"
	has("#alerts", "Not configured").check(t, f.page(t, "/settings/alerting", "plain"))
	has("#alerts [aria-disabled=true]", "Edit Settings").check(t, f.page(t, "/settings/alerting", "plain"))
	has("#alerts a[href=/settings/alerting/edit]", "Edit Settings").check(t, f.page(t, "/settings/alerting", "setter"))
	hasNot("#alert-dialog [name=enabled][checked]").check(t, f.page(t, path, "setter"))

	status, page, _ := f.post("setter", path, "webhook_url", "")
	for _, name := range []string{"smtp_server", "smtp_port", "smtp_username", "smtp_password", "sender_email", "recipient_email"} {
		has("#"+name+"-words .field-error", "Missing field: "+name).check(t, page)
	}
	if status != http.StatusUnprocessableEntity {
		t.Errorf("an empty form: %d", status)
	}
	_, page, _ = f.post("setter", path, alertInput("smtp_port", "587x", "recipient_email", "nobody")...)
	has("#smtp_port-words", "Invalid port number").check(t, page)
	has("#recipient_email-words", "Invalid e-mail address").check(t, page)

	if status, _, _ := f.post("setter", path, alertInput("enabled", "true")...); status != http.StatusSeeOther {
		t.Fatalf("saving: %d", status)
	}
	shown := f.page(t, "/settings/alerting", "plain")
	for _, text := range []string{"mail.sap.example", "587", "trento", "•••••", "alerts@sap.example", "basis@sap.example", "Enabled"} {
		has("#alerts dl", text).check(t, shown)
	}
	dialog := f.page(t, path, "setter")
	has("#alert-dialog .locked", "•••••").check(t, dialog)
	hasNot("#alert-dialog [name=smtp_password]").check(t, dialog)
	_, page, _ = f.post("setter", path, append(alertInput("smtp_server", "typed.sap.example"), "remove", "smtp_password")...)
	has("#alert-dialog [name=smtp_server][value=typed.sap.example]", "").check(t, page)
	has("#alert-dialog [name=smtp_password]", "").check(t, page)

	if status, _, _ := f.post("setter", path, alertInput("smtp_server", "smtps://other.sap.example", "smtp_password", "", "webhook_url", "https://chat.sap.example/hidden-part")...); status != http.StatusSeeOther {
		t.Fatalf("changing: %d", status)
	}
	if s := f.alertSettings(); s.SMTPPassword != alertPassword || s.SMTPServer != "smtps://other.sap.example" || s.Enabled {
		t.Errorf("changed without the password: %+v", s)
	}
	if w := f.do(call{target: "/settings/alerting", as: "plain"}); strings.Contains(w.Body.String(), "hidden-part") {
		t.Error("the address of the webhook is shown to everybody")
	}
	if status, _, _ := f.post("setter", path, alertInput("password_removed", "true", "smtp_password", "new-geheim")...); status != http.StatusSeeOther || f.alertSettings().SMTPPassword != "new-geheim" {
		t.Errorf("changing the password: %d", status)
	}
	if status, _, _ := f.post("setter", path, alertInput("no_login", "true")...); status != http.StatusSeeOther || f.alertSettings().SMTPPassword != "" || f.alertSettings().SMTPUsername != "" {
		t.Errorf("without login: %d", status)
	}
	has("#alerts dl", "None: the server needs no login").check(t, f.page(t, "/settings/alerting", "plain"))

	has("#confirmation", "No alerts are sent any more").check(t, f.page(t, "/settings/alerting/clear", "setter"))
	if status, _, _ := f.post("setter", "/settings/alerting/clear", "confirmed", "yes"); status != http.StatusSeeOther {
		t.Errorf("clearing: %d", status)
	}
	has("#alerts", "Not configured").check(t, f.page(t, "/settings/alerting", "plain"))
}

// TestAlertTest sends test messages to a mail server, and to one that is not
// there.
func TestAlertTest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("setter", 20)
	const path = "/settings/alerting/edit"
	input := alertInput("smtp_server", "127.0.0.1", "smtp_port", servertest.FreePort(t), "no_login", "true")
	status, page, _ := f.post("setter", "/settings/alerting/test", input...)
	has("#alert-dialog .test-failure", "The mail server cannot be reached").check(t, page)
	has("#alert-dialog [name=recipient_email][value=basis@sap.example]", "").check(t, page)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	if status, _, _ := f.post("setter", path, input...); status != http.StatusSeeOther {
		t.Fatalf("saving: %d", status)
	}
	_, page, _ = f.post("setter", "/settings/alerting/test")
	has("#alerts .test-failure", "connection refused").check(t, page)
	for range 5 {
		_, page, _ = f.post("setter", "/settings/alerting/test")
	}
	has("#alerts .test-failure", "Only 6 test messages can be sent in a minute").check(t, page)
}

// TestEnforcedAlertSettings shows settings that the configuration sets.
func TestEnforcedAlertSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.auth = f.newAuth(func(o *auth.Options) {
		o.Alerts = &auth.AlertSettings{Enabled: true, Enforced: true, Sender: "alerts@sap.example", Recipients: []string{"basis@sap.example"}, SMTPServer: "mail.sap.example", SMTPPort: 587, SMTPPassword: alertPassword}
	})
	f.options.Auth = f.auth
	f.restart(f.options)
	f.user("setter", 20)
	page := f.page(t, "/settings/alerting", "setter")
	has("#alerts .notice", "These values are set by the configuration").check(t, page)
	has("#alerts [aria-disabled=true]", "The configuration of the server sets these values").check(t, page)
	has("#alerts dl", "mail.sap.example").check(t, page)
	for _, path := range []string{"/settings/alerting/edit", "/settings/alerting/clear"} {
		if w := f.do(call{target: path, as: "setter"}); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if status, _, _ := f.post("setter", "/settings/alerting/edit", alertInput()...); status != http.StatusConflict {
		t.Errorf("changing: %d", status)
	}
}
