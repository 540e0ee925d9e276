package activity

import "fmt"

// AboutWebhook is the common part of events about a webhook.
type AboutWebhook struct {
	WebhookID string `json:"webhook_id"`
	Webhook   string `json:"webhook"` // its name
}

// WebhookCreation says that a user has created a webhook.
type WebhookCreation struct {
	AboutWebhook
	// Host is the host in the address. The rest of the address can be a secret.
	Host   string  `json:"host"`
	Events []Topic `json:"events"` // empty: all
}

func (*WebhookCreation) Type() Type { return TypeWebhookCreation }
func (e *WebhookCreation) message() string {
	return fmt.Sprintf(`Webhook "%s" to %s was created`, e.Webhook, e.Host)
}

// WebhookModification says that a user has changed a webhook. Only the changed
// members are set.
type WebhookModification struct {
	AboutWebhook
	FormerName string   `json:"former_name,omitempty"`
	Host       string   `json:"host,omitempty"`
	URL        Redacted `json:"url,omitempty"`
	Events     *[]Topic `json:"events,omitempty"`
	Enabled    *bool    `json:"enabled,omitempty"`
	Secret     Redacted `json:"secret,omitempty"` // it was replaced
}

func (*WebhookModification) Type() Type { return TypeWebhookModification }
func (e *WebhookModification) message() string {
	switch {
	case e.Enabled != nil && *e.Enabled:
		return fmt.Sprintf(`Webhook "%s" was enabled`, e.Webhook)
	case e.Enabled != nil:
		return fmt.Sprintf(`Webhook "%s" was disabled`, e.Webhook)
	case bool(e.Secret):
		return fmt.Sprintf(`Secret of webhook "%s" was replaced`, e.Webhook)
	}
	return fmt.Sprintf(`Webhook "%s" was changed`, e.Webhook)
}

// WebhookDeletion says that a user has deleted a webhook.
type WebhookDeletion struct{ AboutWebhook }

func (*WebhookDeletion) Type() Type { return TypeWebhookDeletion }
func (e *WebhookDeletion) message() string {
	return fmt.Sprintf(`Webhook "%s" was deleted`, e.Webhook)
}

// WebhookDisabling says that the server has disabled a webhook whose receiver
// takes no events.
type WebhookDisabling struct {
	AboutWebhook
	Reason string `json:"reason"`
}

func (*WebhookDisabling) Type() Type { return TypeWebhookDisabling }
func (e *WebhookDisabling) message() string {
	return fmt.Sprintf(`Webhook "%s" was disabled by the server: %s`, e.Webhook, e.Reason)
}
