package config

import (
	"strings"
	"testing"
	"time"
)

// TestAlerts checks which variables take the settings of alerts from the console,
// and what is said about those that send nothing.
func TestAlerts(t *testing.T) {
	for _, test := range []struct {
		environ []string
		sets    bool
		enabled bool
		notice  string // beginning of the only notice; "": there is none
		fault   string // part of the error; "": there is none
	}{
		{nil, false, false, "", ""},
		{[]string{"ALERT_DELAY=0", "ALERT_REPEAT=10m", "SMTP_INSECURE=true", "SMTP_CA_FILE=/etc/ca.pem"}, false, false, "", ""},
		{[]string{"ENABLE_ALERTING=", "ALERT_SENDER=", "ALERT_RECIPIENT=", "SMTP_SERVER=", "SMTP_PORT=", "SMTP_USER=", "SMTP_PASSWORD="}, false, false, "", ""},
		{[]string{"ENABLE_ALERTING=true", "SMTP_SERVER=mail.example.com"}, true, true, "", ""},
		{[]string{"ENABLE_ALERTING=false"}, true, false, "", ""},
		{[]string{"ENABLE_ALERTING=true"}, true, true, "ENABLE_ALERTING is true, but SMTP_SERVER is not set", ""},
		{[]string{"SMTP_PORT=25"}, true, false, "settings of alerts are configured, but ENABLE_ALERTING is not", ""},
		{[]string{"ALERT_WEBHOOK_URL=https://chat.example/geheim"}, true, false, "settings of alerts are configured, but ENABLE_ALERTING is not", ""},
		{[]string{"ENABLE_ALERTING=false", "SMTP_PORT=smtp"}, false, false, "", `SMTP_PORT "smtp": want a number`},
		{[]string{"ENABLE_ALERTING=false", "ALERT_SENDER=nobody"}, false, false, "", `ALERT_SENDER "nobody": want an e-mail address`},
		{[]string{"ENABLE_ALERTING=false", "ALERT_RECIPIENT=a@b,c"}, false, false, "", `ALERT_RECIPIENT "a@b,c": want e-mail addresses`},
		{[]string{"ENABLE_ALERTING=false", "SMTP_SERVER=mail server"}, false, false, "", `SMTP_SERVER "mail server": want a host name`},
		{[]string{"ENABLE_ALERTING=false", "ALERT_WEBHOOK_URL=http://chat.example/geheim"}, false, false, "", "ALERT_WEBHOOK_URL: want an https address"},
		{[]string{"ALERT_DELAY=2h"}, false, false, "", `ALERT_DELAY "2h": want 0`},
	} {
		got, notices, err := load(t, "", test.environ...)
		if test.fault != "" {
			if err == nil || !strings.Contains(err.Error(), test.fault) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("%v: %v", test.environ, err)
			}
			continue
		}
		if err != nil || got.SetsAlerts() != test.sets || got.EnableAlerting != test.enabled {
			t.Errorf("%v: sets %t, enabled %t, %v", test.environ, got.SetsAlerts(), got.EnableAlerting, err)
		}
		if (test.notice == "") != (len(notices) == 0) || len(notices) > 1 || len(notices) == 1 && !strings.HasPrefix(notices[0].Text, test.notice) {
			t.Errorf("%v: notices %q", test.environ, notices)
		}
	}
	if got, _, _ := load(t, ""); got.AlertDelay != time.Minute || got.AlertRepeat != 30*time.Minute {
		t.Errorf("delay %v, repeat %v", got.AlertDelay, got.AlertRepeat)
	}
}
