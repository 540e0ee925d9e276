package activity

import (
	"fmt"
	"strings"
)

// The channels of alerts in AlertGivenUp.
const (
	AlertByMail    = "mail"
	AlertByWebhook = "webhook"
)

// AlertGivenUp says that a message about alerts could not be sent and is not
// tried again.
type AlertGivenUp struct {
	Channel    string   `json:"channel"` // AlertByMail or AlertByWebhook
	Subject    string   `json:"subject"`
	Recipients []string `json:"recipients,omitempty"` // e-mail addresses that did not get it
	Reason     string   `json:"reason"`
	Attempts   int      `json:"attempts"`
}

func (*AlertGivenUp) Type() Type { return TypeAlertGivenUp }
func (e *AlertGivenUp) message() string {
	way := "to the webhook"
	if e.Channel == AlertByMail {
		way = "by mail"
		if len(e.Recipients) > 0 {
			way += " to " + strings.Join(e.Recipients, ", ")
		}
	}
	return fmt.Sprintf(`Alert "%s" could not be sent %s: %s`, e.Subject, way, e.Reason)
}

// AlertsDiscarded says that a user has discarded the alerts that waited.
type AlertsDiscarded struct {
	Alerts   []string `json:"alerts,omitempty"`   // that no message was made of yet
	Messages []string `json:"messages,omitempty"` // subjects of messages that were not sent yet
}

func (*AlertsDiscarded) Type() Type { return TypeAlertsDiscarded }
func (e *AlertsDiscarded) message() string {
	switch n := len(e.Alerts) + len(e.Messages); n {
	case 1:
		return "Waiting alert was discarded: " + strings.Join(append(e.Alerts, e.Messages...), "")
	default:
		return fmt.Sprintf("%d waiting alerts were discarded", n)
	}
}
