package auth

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// Webhook is a web service that receives events, with its address and secrets.
type Webhook struct {
	*store.Webhook // shared, not to be modified
	URL            string
	// Secrets sign the events: the present secret, and for a day after it was
	// replaced the former one.
	Secrets []string
	// SecretsLost: the address and the secrets cannot be decrypted, because
	// SECRET_KEY_BASE was changed.
	SecretsLost bool
}

// WebhookInput is a webhook in a request. A field is nil if the request does not
// contain it.
type WebhookInput struct {
	Name    *string
	URL     *string
	Events  *[]activity.Topic // empty: all
	Enabled *bool
}

const (
	maxWebhookName = 100 // characters
	// webhookSecretSize is the size of the key in a secret, in bytes, and
	// webhookSecretPrefix what secrets begin with.
	webhookSecretSize   = 32
	webhookSecretPrefix = "whsec_"
	// formerSecretLifetime is how long a secret is still used after it was
	// replaced.
	formerSecretLifetime = 24 * time.Hour
)

// The labels that bind encrypted values of webhooks to their purpose.
const (
	eventURLLabel    = "event webhook url"
	eventSecretLabel = "event webhook secret"
)

// webhookSealer encrypts the addresses and secrets of webhooks.
type webhookSealer struct{ cipher.AEAD }

func (s webhookSealer) seal(text, label string) []byte {
	return s.Seal(nil, nil, []byte(text), []byte(label))
}

// open returns a stored webhook with its address and its secrets.
func (s webhookSealer) open(stored *store.Webhook, now time.Time) Webhook {
	w := Webhook{Webhook: stored}
	unseal := func(sealed []byte, label string) string {
		text, err := s.Open(nil, nil, sealed, []byte(label))
		w.SecretsLost = w.SecretsLost || err != nil
		return string(text)
	}
	w.URL = unseal(stored.URL, eventURLLabel)
	w.Secrets = []string{unseal(stored.Secret, eventSecretLabel)}
	if stored.FormerSecret != nil && now.Before(stored.FormerSecretUntil) {
		w.Secrets = append(w.Secrets, unseal(stored.FormerSecret, eventSecretLabel))
	}
	return w
}

// Webhooks returns all webhooks, ordered by name.
func (a *Auth) Webhooks(tx *store.Tx) ([]Webhook, error) {
	stored, err := tx.Webhooks()
	webhooks := make([]Webhook, len(stored))
	for i, w := range stored {
		webhooks[i] = a.webhooks.open(w, a.now())
	}
	return webhooks, err
}

// Webhook returns a webhook, or store.ErrNotFound.
func (a *Auth) Webhook(tx *store.Tx, id string) (Webhook, error) {
	stored, err := tx.Webhook(id)
	if err != nil {
		return Webhook{}, err
	}
	return a.webhooks.open(stored, a.now()), nil
}

// CreateWebhook creates a webhook. Name and address must be given. It returns
// the webhook with its secret, which is shown only now. It fails with faults of
// fields.
func (a *Auth) CreateWebhook(ctx context.Context, by *Identity, in WebhookInput) (Webhook, error) {
	if in.Name == nil {
		in.Name = new(string)
	}
	if in.URL == nil {
		in.URL = new(string)
	}
	w := store.Webhook{Enabled: true, Secret: a.webhooks.seal(newWebhookSecret(), eventSecretLabel)}
	if err := a.applyWebhook(by, in, &w); err != nil {
		return Webhook{}, err
	}
	created, err := a.store.CreateWebhook(ctx, by.Actor(), w)
	if err != nil {
		return Webhook{}, err
	}
	return a.webhooks.open(created, a.now()), nil
}

// ChangeWebhook changes the given fields of a webhook. It fails with
// store.ErrNotFound, or with faults of fields.
func (a *Auth) ChangeWebhook(ctx context.Context, by *Identity, id string, in WebhookInput) (Webhook, error) {
	return a.changeWebhook(ctx, by, id, func(w *store.Webhook) error { return a.applyWebhook(by, in, w) })
}

// ReplaceWebhookSecret gives a webhook a new secret, and returns the webhook with
// it. The former one is used beside it for a day. It fails with
// store.ErrNotFound.
func (a *Auth) ReplaceWebhookSecret(ctx context.Context, by *Identity, id string) (Webhook, error) {
	return a.changeWebhook(ctx, by, id, func(w *store.Webhook) error {
		w.FormerSecret, w.FormerSecretUntil = w.Secret, a.now().Add(formerSecretLifetime)
		w.Secret = a.webhooks.seal(newWebhookSecret(), eventSecretLabel)
		return nil
	})
}

func (a *Auth) changeWebhook(ctx context.Context, by *Identity, id string, change func(*store.Webhook) error) (Webhook, error) {
	changed, err := a.store.ChangeWebhook(ctx, by.Actor(), id, change)
	if err != nil {
		return Webhook{}, err
	}
	return a.webhooks.open(changed, a.now()), nil
}

func newWebhookSecret() string {
	key := make([]byte, webhookSecretSize)
	rand.Read(key)
	return webhookSecretPrefix + base64.StdEncoding.EncodeToString(key)
}

// applyWebhook changes a webhook by the given fields. Who changes the address or
// the events decides what the webhook may receive: no more than they may see in
// the activity log. Otherwise it would show them what they may not see.
func (a *Auth) applyWebhook(by *Identity, in WebhookInput, w *store.Webhook) error {
	var faults fault.Errors
	check := func(field string, found []string) {
		for _, detail := range found {
			faults.Add(field, detail)
		}
	}
	if in.Name != nil {
		w.Name = strings.TrimSpace(*in.Name)
		check("name", webhookNameFaults(w.Name))
	}
	present, _ := a.webhooks.Open(nil, nil, w.URL, []byte(eventURLLabel)) // a lost one differs from every other
	if in.URL != nil && (*in.URL == "" || *in.URL != string(present)) {
		check("url", EventURLFaults(*in.URL))
		if u, err := url.Parse(*in.URL); err == nil {
			w.Host = u.Hostname()
		}
		w.URL = a.webhooks.seal(*in.URL, eventURLLabel)
		w.SeesUsers, w.SeesActors = logVisibility(by)
	}
	if in.Events != nil {
		topics, found := normalTopics(*in.Events)
		check("events", found)
		if !slices.Equal(topics, w.Topics) {
			w.Topics = topics
			w.SeesUsers, w.SeesActors = logVisibility(by)
		}
	}
	if !w.SeesUsers && slices.ContainsFunc(w.Topics, activity.Topic.UserManagement) {
		faults.Add("events", "Only who manages users can have events about users sent.")
	}
	if in.Enabled != nil {
		w.Enabled = *in.Enabled
	}
	return faults.Err()
}

// logVisibility returns what a user may see in the activity log.
func logVisibility(by *Identity) (users, actors bool) {
	users = by.Can("all:users")
	return users, users || by.Can("activity_log:users")
}

func webhookNameFaults(name string) []string {
	switch {
	case isBlank(name):
		return []string{blankDetail}
	case utf8.RuneCountInString(name) > maxWebhookName:
		return []string{fmt.Sprintf("should be at most %d character(s)", maxWebhookName)}
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return []string{invalidDetail}
	}
	return nil
}

// EventURLFaults returns what is wrong with the address of a webhook for events.
func EventURLFaults(address string) []string {
	if isBlank(address) {
		return []string{blankDetail}
	}
	return WebhookURLFaults(address)
}

// normalTopics returns topics in the order of activity.Topics, each once, and
// what is wrong with them.
func normalTopics(given []activity.Topic) (topics []activity.Topic, faults []string) {
	for _, topic := range given {
		if !topic.Known() {
			return nil, []string{"There are no events of the type " + string(topic) + "."}
		}
	}
	for _, topic := range activity.Topics() {
		if slices.Contains(given, topic) {
			topics = append(topics, topic)
		}
	}
	return topics, nil
}
