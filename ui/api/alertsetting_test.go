package api_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
)

const (
	alertPath     = "/api/v1/settings/alerting"
	alertPassword = "correct-horse-8"
	alertBody     = `{"enabled":true,"sender_email":"alerts@sap.example","recipient_email":"basis@sap.example","smtp_server":"mail.sap.example","smtp_port":587,"smtp_username":"trento","smtp_password":"` + alertPassword + `"}`
)

// shownAlerts is the answer about settings of alerts. changes are pairs of old
// and new text.
func shownAlerts(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(`{"enabled":true,"sender_email":"alerts@sap.example","recipient_email":"basis@sap.example","smtp_server":"mail.sap.example","smtp_port":587,"smtp_username":"trento","enforced_from_env":false,"notify_recovery":false,"webhook_url":null}`)
}

func (f *fixture) alerts(method, body string) answer {
	return f.do(call{as: "keeper", method: method, path: alertPath, body: body})
}

// TestAlertSettings saves, changes and deletes the settings, and looks for their
// secrets where they must not be.
func TestAlertSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain2")
	f.user("keeper", 20)
	const unset = `{"errors":[{"title":"Not Found","detail":"Alerting settings not configured."}]}`
	f.get("plain2", alertPath).expect(t, http.StatusNotFound, unset)
	f.alerts("PATCH", `{"enabled":true}`).expect(t, http.StatusNotFound, unset)
	f.alerts("DELETE", "").expect(t, http.StatusNotFound, unset)
	f.do(call{as: "plain2", method: "POST", path: alertPath, body: alertBody}).expect(t, http.StatusForbidden, "*")

	f.alerts("POST", alertBody).expect(t, http.StatusCreated, shownAlerts())
	f.alerts("POST", alertBody).expect(t, http.StatusUnprocessableEntity, `{"errors":[{"title":"Invalid value","detail":"has already been taken","source":{"pointer":"/type"}}]}`)
	f.alerts("PATCH", `{}`).expect(t, http.StatusOK, shownAlerts())
	f.alerts("PATCH", `{"smtp_server":"https://test-smtp-server.com","smtp_port":"465","unknown":1,"webhook_url":"https://chat.sap.example/hidden-part"}`).
		expect(t, http.StatusOK, shownAlerts("mail.sap.example", "https://test-smtp-server.com", "587", "465", `"webhook_url":null`, `"webhook_url":"https://chat.sap.example/hidden-part"`))
	f.get("plain2", alertPath).expect(t, http.StatusOK, shownAlerts("mail.sap.example", "https://test-smtp-server.com", "587", "465"))

	settings := f.alertSettings()
	if host, implicitTLS := settings.SMTPHost(); settings.SMTPPassword != alertPassword || host != "test-smtp-server.com" || !implicitTLS {
		t.Errorf("the settings in effect are %+v", settings)
	}
	f.alerts("PATCH", `{"smtp_username":"","smtp_password":"","webhook_url":null,"recipient_email":"a@sap.example,b@sap.example"}`).
		expect(t, http.StatusOK, shownAlerts("mail.sap.example", "https://test-smtp-server.com", "587", "465", `"trento"`, `""`, "basis@sap.example", "a@sap.example, b@sap.example"))
	if settings = f.alertSettings(); settings.SMTPPassword != "" || !slices.Equal(settings.Recipients, []string{"a@sap.example", "b@sap.example"}) {
		t.Errorf("the settings in effect are %+v", settings)
	}
	f.alerts("DELETE", "").expect(t, http.StatusNoContent, "")
	f.get("plain2", alertPath).expect(t, http.StatusNotFound, unset)

	log := slices.Concat(f.entries(activity.TypeSavingAlertingSettings), f.entries(activity.TypeChangingAlertingSettings))
	if len(log) != 5 {
		t.Errorf("%d entries", len(log))
	}
	for _, entry := range log {
		if text := string(entry.Metadata); strings.Contains(text, alertPassword) || strings.Contains(text, "hidden-part") || entry.Actor != "keeper" {
			t.Errorf("%s by %s: %s", entry.Type, entry.Actor, text)
		}
	}
	if bytes.Contains(f.log.Bytes(), []byte(alertPassword)) || bytes.Contains(f.log.Bytes(), []byte("hidden-part")) {
		t.Error("the log has a secret")
	}
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

// TestRefusedAlertSettings checks the words for what is wrong.
func TestRefusedAlertSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20)
	missing := f.alerts("POST", `{}`)
	for _, name := range []string{"enabled", "sender_email", "recipient_email", "smtp_server", "smtp_port", "smtp_username", "smtp_password"} {
		if want := `{"title":"Invalid value","detail":"Missing field: ` + name + `","source":{"pointer":"/` + name + `"}}`; missing.status != http.StatusUnprocessableEntity || !strings.Contains(missing.body, want) {
			t.Errorf("%d %s lacks %s", missing.status, missing.body, want)
		}
	}
	for change, want := range map[string]string{
		`"enabled":"yes"`:                                         "/enabled Invalid boolean. Got: string",
		`"sender_email":""`:                                       "/sender_email can't be blank",
		`"sender_email":"nobody"`:                                 "/sender_email Invalid e-mail address.",
		`"sender_email":"bäsis@sap.example"`:                      "/sender_email Only letters without accents can be used before the @ of an e-mail address.",
		`"recipient_email":" "`:                                   "/recipient_email can't be blank",
		`"recipient_email":"a@sap.example,"`:                      "/recipient_email Invalid e-mail address.",
		`"recipient_email":"a@sap.example;b@sap.example"`:         "/recipient_email Invalid e-mail address.",
		`"recipient_email":"a@sap.example\r\nBcc: b@sap.example"`: "/recipient_email Invalid e-mail address.",
		`"smtp_server":""`:                                        "/smtp_server can't be blank",
		`"smtp_server":"mail server"`:                             "/smtp_server is invalid",
		`"smtp_server":"ftp://mail"`:                              "/smtp_server is invalid",
		`"smtp_server":"mail:25"`:                                 "/smtp_server is invalid",
		`"smtp_port":0`:                                           "/smtp_port Invalid port number.",
		`"smtp_port":"65536"`:                                     "/smtp_port Invalid port number.",
		`"smtp_port":99999999999999999999`:                        "/smtp_port Invalid port number.",
		`"smtp_port":"smtp"`:                                      "/smtp_port Invalid integer. Got: string",
		`"smtp_password":null`:                                    "/smtp_password null value where string expected",
		`"smtp_username":"a\u0000b"`:                              "/smtp_username is invalid",
		`"webhook_url":"http://chat.sap.example"`:                 "/webhook_url should be an https address",
		`"webhook_url":"https://169.254.169.254/"`:                "/webhook_url should not be a link-local address",
		`"webhook_url":"https://[fe80::1%25eth0]/"`:               "/webhook_url should not be a link-local address",
	} {
		name, _, _ := strings.Cut(change, ":")
		body := strings.Replace(alertBody, "}", ","+change+"}", 1) // the last member of a name counts
		pointer, detail, _ := strings.Cut(want, " ")
		f.alerts("POST", body).expect(t, http.StatusUnprocessableEntity, `{"errors":[{"title":"Invalid value","detail":"`+detail+`","source":{"pointer":"`+pointer+`"}}]}`)
		if t.Failed() {
			t.Fatalf("%s: %s", name, change)
		}
	}
	f.get("keeper", alertPath).expect(t, http.StatusNotFound, "*")
	f.alerts("POST", alertBody)
	for _, method := range []string{"POST", "PATCH"} {
		for body, got := range map[string]string{"[]": "array", "null": "null", `"all"`: "string", "7": "integer"} {
			f.alerts(method, body).expect(t, http.StatusUnprocessableEntity, `{"errors":[{"title":"Invalid value","detail":"Invalid object. Got: `+got+`","source":{"pointer":"/"}}]}`)
		}
	}
}

// TestEnforcedAlertSettings checks that nothing can change what is configured.
func TestEnforcedAlertSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *auth.Options) {
		o.Alerts = &auth.AlertSettings{
			Enforced: true, Sender: "alerts@trento-project.io", Recipients: []string{"admin@trento-project.io"}, SMTPPort: 587, SMTPPassword: alertPassword,
		}
	})
	f.user("keeper", 20)
	shown := `{"enabled":false,"sender_email":"alerts@trento-project.io","recipient_email":"admin@trento-project.io","smtp_server":"","smtp_port":587,"smtp_username":"","enforced_from_env":true,"notify_recovery":false,"webhook_url":null}`
	f.get("keeper", alertPath).expect(t, http.StatusOK, shown)
	const enforced = `{"errors":[{"title":"Conflict has occurred","detail":"Alerting settings can not be set, enforced by ENV."}]}`
	f.alerts("POST", alertBody).expect(t, http.StatusConflict, enforced)
	f.alerts("PATCH", `{"enabled":true}`).expect(t, http.StatusConflict, enforced)
	f.alerts("DELETE", "").expect(t, http.StatusConflict, enforced)
	f.do(call{as: "keeper", method: "POST", path: alertPath + "/test", body: `{"enabled":true}`}).expect(t, http.StatusConflict, enforced)
	f.do(call{as: "keeper", method: "POST", path: alertPath + "/test"}).
		expect(t, http.StatusUnprocessableEntity, `{"errors":[{"title":"Unprocessable Entity","detail":"name: no mail server is set"}],"step":"name","relay":null}`)
}

// TestLostAlertSecrets checks that settings with unreadable secrets can be seen
// and repaired.
func TestLostAlertSecrets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20)
	err := f.store.SaveAlertSettings(t.Context(), store.System(), store.AlertSettings{
		Enabled: true, Sender: "alerts@sap.example", Recipients: "basis@sap.example", SMTPServer: "mail.sap.example", SMTPPort: 587, SMTPUsername: "trento", SMTPPassword: []byte("sealed with another key"),
	}, activity.AlertingSettings{})
	if err != nil {
		t.Fatal(err)
	}
	f.get("keeper", alertPath).expect(t, http.StatusOK, shownAlerts())
	got := f.do(call{as: "keeper", method: "POST", path: alertPath + "/test"})
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "SECRET_KEY_BASE was changed") {
		t.Errorf("%d %s", got.status, got.body)
	}
	f.alerts("PATCH", `{"smtp_password":"`+alertPassword+`"}`).expect(t, http.StatusOK, shownAlerts())
	if settings := f.alertSettings(); settings.SecretsLost || settings.SMTPPassword != alertPassword {
		t.Errorf("%+v", settings)
	}
}
