package config

import "time"

// The limits of ALERT_DELAY and ALERT_REPEAT.
const (
	maxAlertDelay  = time.Hour
	maxAlertRepeat = 24 * time.Hour
)

// alertSettings are the variables that the console can set as well. One of them
// is enough to take all of them from the configuration.
var alertSettings = []string{
	"ENABLE_ALERTING", "ALERT_SENDER", "ALERT_RECIPIENT", "SMTP_SERVER", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD",
	"ALERT_NOTIFY_RECOVERY", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET",
}

// SetsAlerts reports whether the settings of alerts come from the configuration.
func (c Config) SetsAlerts() bool {
	for _, name := range alertSettings {
		if _, set := c.assignedValues[name]; set {
			return true
		}
	}
	return false
}

// checkAlerts checks the settings of alerts, and notices those that send none.
func (l *loader) checkAlerts(rules Rules) {
	c := l.config
	for name, rule := range map[string]struct {
		judge func(string) []string
		value string
	}{
		"ALERT_SENDER": {rules.Sender, c.AlertSender}, "ALERT_RECIPIENT": {rules.Recipients, c.AlertRecipient},
		"SMTP_SERVER": {rules.SMTPServer, c.SMTPServer}, "ALERT_WEBHOOK_URL": {rules.WebhookAddress, string(c.AlertWebhookURL)},
	} {
		if rule.value != "" && len(rule.judge(rule.value)) > 0 {
			l.faultyNames[name] = true
		}
	}
	switch {
	case !c.SetsAlerts():
	case l.values["ENABLE_ALERTING"] == "":
		l.addNotice("Set ENABLE_ALERTING to true, or remove the other variables of alerts.", "settings of alerts are configured, but ENABLE_ALERTING is not, so no alerts are sent, and the console cannot change that")
	case c.EnableAlerting && c.SMTPServer == "":
		l.addNotice("Set SMTP_SERVER to the name of the mail server.", "ENABLE_ALERTING is true, but SMTP_SERVER is not set, so no e-mail can be sent")
	}
}
