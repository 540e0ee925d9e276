package store

import (
	"context"
	"errors"

	"trento/store/activity"
	"trento/store/fault"
)

const settingAlerts = "alerts"

// AlertSettings say whether alerts are sent, to whom, and by which way. Package
// auth encrypts the secrets among them.
type AlertSettings struct {
	Enabled        bool   `json:"enabled"`
	Sender         string `json:"sender"`     // e-mail address
	Recipients     string `json:"recipients"` // e-mail addresses, separated by commas
	SMTPServer     string `json:"smtp_server"`
	SMTPPort       int    `json:"smtp_port"`
	SMTPUsername   string `json:"smtp_username"`           // "": the mail relay needs no login
	SMTPPassword   []byte `json:"smtp_password,omitempty"` // encrypted; nil: none
	NotifyRecovery bool   `json:"notify_recovery"`
	// WebhookURL is encrypted, because the address of many services is all that
	// is needed to write there. nil: there is no webhook.
	WebhookURL    []byte `json:"webhook_url,omitempty"`
	WebhookSecret []byte `json:"webhook_secret,omitempty"` // encrypted; nil: messages to the webhook are not signed
}

// AlertSettings returns the stored settings, or ErrNotFound. They are shared and
// must not be modified.
func (tx *Tx) AlertSettings() (*AlertSettings, error) {
	return getSetting[AlertSettings](tx, settingAlerts)
}

// SaveAlertSettings stores the first settings. submitted are the fields for the
// log. It fails with a fault of type if there are settings already.
func (s *Store) SaveAlertSettings(ctx context.Context, by Actor, settings AlertSettings, submitted activity.AlertingSettings) error {
	return s.update(ctx, by, func(tx *Tx) error {
		switch _, err := tx.AlertSettings(); {
		case err == nil:
			return fault.Field("type", "has already been taken")
		case !errors.Is(err, ErrNotFound):
			return err
		}
		if err := tx.putSetting(settingAlerts, settings); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.AlertingSettingsSaving{AlertingSettings: submitted})
	})
}

// ChangeAlertSettings replaces the settings by the result of change, which gets
// a copy of the present ones. submitted are the fields for the log. It fails with
// ErrNotFound if there are no settings.
func (s *Store) ChangeAlertSettings(ctx context.Context, by Actor, change func(*AlertSettings) error, submitted activity.AlertingSettings) error {
	return s.update(ctx, by, func(tx *Tx) error {
		present, err := tx.AlertSettings()
		if err != nil {
			return err
		}
		changed := *present
		if err := change(&changed); err != nil {
			return err
		}
		if err := tx.putSetting(settingAlerts, changed); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.AlertingSettingsChange{AlertingSettings: submitted})
	})
}

// ClearAlertSettings deletes the settings. It fails with ErrNotFound if there
// are none.
func (s *Store) ClearAlertSettings(ctx context.Context, by Actor) error {
	return s.update(ctx, by, func(tx *Tx) error {
		if _, err := tx.AlertSettings(); err != nil {
			return err
		}
		if err := tx.s.settings.Delete(tx.kv, []byte(settingAlerts)); err != nil {
			return err
		}
		return tx.log(by.Name, &activity.AlertingSettingsChange{Cleared: true})
	})
}

// removeWebhook removes the stored webhook, if there is one.
func (tx *Tx) removeWebhook() error {
	present, err := tx.AlertSettings()
	if errors.Is(err, ErrNotFound) || err == nil && present.WebhookURL == nil {
		return nil
	}
	if err != nil {
		return err
	}
	changed := *present
	changed.WebhookURL, changed.WebhookSecret = nil, nil
	if err := tx.putSetting(settingAlerts, changed); err != nil {
		return err
	}
	return tx.log(activity.System, &activity.AlertingSettingsChange{AlertingSettings: activity.AlertingSettings{WebhookURL: true, WebhookSecret: true}})
}

// verifyAlertSettings checks that the settings can be read if there are any.
func (tx *Tx) verifyAlertSettings() error {
	if _, err := tx.AlertSettings(); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}
