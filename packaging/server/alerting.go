package server

import (
	"crypto/x509"
	"fmt"
	"os"

	"trento/auth"
	"trento/packaging/config"
	"trento/ui/alerting"
)

// configuredAlerts returns the settings of alerts in the configuration; nil if
// the stored ones are used.
func configuredAlerts(c config.Config) *auth.AlertSettings {
	if !c.SetsAlerts() {
		return nil
	}
	return &auth.AlertSettings{
		Enabled: c.EnableAlerting, Enforced: true, Sender: c.AlertSender, Recipients: auth.SplitRecipients(c.AlertRecipient),
		SMTPServer: c.SMTPServer, SMTPPort: c.SMTPPort, SMTPUsername: c.SMTPUser, SMTPPassword: string(c.SMTPPassword),
		NotifyRecovery: c.AlertNotifyRecovery, WebhookURL: string(c.AlertWebhookURL), WebhookSecret: string(c.AlertWebhookSecret),
	}
}

// configuredAlertingEnabled reports whether the configuration switches alerts on or
// off; nil if the stored settings do.
func configuredAlertingEnabled(c config.Config) *bool {
	if !c.SetsAlerts() {
		return nil
	}
	return &c.EnableAlerting
}

// newAlerting returns the ways by which alerts leave.
func newAlerting(c config.Config) (*alerting.Channels, error) {
	options := alerting.Options{InsecurePassword: c.SMTPInsecure, Origin: c.Origin, Delay: c.AlertDelay, Repeat: c.AlertRepeat}
	if c.SMTPCAFile != "" {
		text, err := os.ReadFile(c.SMTPCAFile)
		if err != nil {
			return nil, fmt.Errorf("SMTP_CA_FILE: %w", err)
		}
		options.RootCAs = x509.NewCertPool()
		if !options.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("SMTP_CA_FILE: %s has no certificate in PEM format", c.SMTPCAFile)
		}
	}
	return alerting.New(options), nil
}
