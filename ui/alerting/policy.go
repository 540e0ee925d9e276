package alerting

import (
	"errors"

	"trento/auth"
	"trento/store"
	"trento/store/alert"
	"trento/store/outbox"
)

// Policy returns how alerts become messages by the settings. There may be a
// webhook alone, without a mail relay.
func (c *Channels) Policy(s auth.AlertSettings) alert.Policy {
	hook := s.Enabled && s.WebhookURL != ""
	return alert.Policy{
		Mail: s.Enabled && (s.SMTPServer != "" || !hook), Webhook: hook, NotifyRecovery: s.NotifyRecovery,
		Delay: c.options.Delay, Repeat: c.options.Repeat,
	}
}

// State says what waits to be sent, and what was sent last.
type State struct {
	Policy  alert.Policy
	Waiting []alert.Waiting   // alerts that no message was made of yet, soonest first
	Open    []*alert.Delivery // messages that are still to be sent, oldest first
	// LastSent and LastFailed are the newest messages that were accepted, and that
	// were not; nil if there are none.
	LastSent, LastFailed *alert.Delivery
}

// State returns the state by the settings in effect.
func (c *Channels) State(tx *store.Tx, a *auth.Auth) (s State, err error) {
	settings, err := a.AlertSettings(tx)
	if err != nil && !errors.Is(err, auth.ErrNoAlertSettings) {
		return s, err
	}
	s.Policy = c.Policy(settings)
	if s.Waiting, err = tx.WaitingAlerts(s.Policy); err != nil {
		return s, err
	}
	if s.Open, err = tx.OpenDeliveries(); err != nil {
		return s, err
	}
	for d, err := range tx.Deliveries() {
		if err != nil {
			return s, err
		}
		if s.LastSent == nil && (d.Mail.State == outbox.Sent || d.Webhook.State == outbox.Sent) {
			s.LastSent = d
		}
		if s.LastFailed == nil && d.Failure() != "" {
			s.LastFailed = d
		}
		if s.LastSent != nil && s.LastFailed != nil {
			break
		}
	}
	return s, nil
}
