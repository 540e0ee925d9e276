package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/mail"
)

// abilityAlertSettings is the ability to change the settings of alerts.
const abilityAlertSettings = "all:alerting_settings"

// showAlertSettings answers GET /api/v1/settings/alerting. Only users with the
// ability abilityAlertSettings get the address of the webhook.
func (a *API) showAlertSettings(w http.ResponseWriter, r *http.Request) error {
	return a.sendAlertSettings(w, r, http.StatusOK)
}

func (a *API) sendAlertSettings(w http.ResponseWriter, r *http.Request, status int) error {
	var settings auth.AlertSettings
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		settings, err = a.deps.Auth.AlertSettings(tx)
		return err
	})
	if err != nil {
		return err
	}
	answer := struct {
		Enabled         bool    `json:"enabled"`
		SenderEmail     string  `json:"sender_email"`
		RecipientEmail  string  `json:"recipient_email"`
		SMTPServer      string  `json:"smtp_server"`
		SMTPPort        int     `json:"smtp_port"`
		SMTPUsername    string  `json:"smtp_username"`
		EnforcedFromEnv bool    `json:"enforced_from_env"`
		NotifyRecovery  bool    `json:"notify_recovery"`
		WebhookURL      *string `json:"webhook_url"`
	}{
		settings.Enabled, settings.Sender, strings.Join(settings.Recipients, ", "), settings.SMTPServer, settings.SMTPPort,
		settings.SMTPUsername, settings.Enforced, settings.NotifyRecovery, nil,
	}
	if settings.WebhookURL != "" && auth.From(r.Context()).Can(abilityAlertSettings) {
		answer.WebhookURL = &settings.WebhookURL
	}
	return send(w, status, answer)
}

// saveAlertSettings answers POST /api/v1/settings/alerting.
func (a *API) saveAlertSettings(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := readAllAlertSettings(in.extensibleObject())
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Auth.SaveAlertSettings(r.Context(), auth.From(r.Context()), given); err != nil {
		return err
	}
	return a.sendAlertSettings(w, r, http.StatusCreated)
}

// changeAlertSettings answers PATCH /api/v1/settings/alerting.
func (a *API) changeAlertSettings(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := readSomeAlertSettings(in.extensibleObject())
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Auth.ChangeAlertSettings(r.Context(), auth.From(r.Context()), given); err != nil {
		return err
	}
	return a.sendAlertSettings(w, r, http.StatusOK)
}

// clearAlertSettings answers DELETE /api/v1/settings/alerting.
func (a *API) clearAlertSettings(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Auth.ClearAlertSettings(r.Context(), auth.From(r.Context())); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// testAlertSettings answers POST /api/v1/settings/alerting/test: it sends a test
// message with the settings in effect, changed by those in the body.
func (a *API) testAlertSettings(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := readSomeAlertSettings(in.optionalExtensibleObject())
	if err := in.fault(); err != nil {
		return err
	}
	var settings auth.AlertSettings
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		settings, err = a.deps.Auth.AlertSettingsToTry(tx, given)
		return err
	})
	if err != nil {
		return err
	}
	delivery, err := a.deps.Alerting.Test(r.Context(), settings)
	if failure, ok := errors.AsType[*mail.Error](err); ok {
		return sendFailedDelivery(w, failure)
	}
	if err != nil {
		return err
	}
	answer := struct {
		DeliveredTo []string `json:"delivered_to"`
		TLS         *string  `json:"tls"`
		Relay       string   `json:"relay"`
		Webhook     bool     `json:"webhook"`
	}{delivery.DeliveredTo, nil, delivery.Reply, delivery.Webhook}
	if delivery.TLS != "" {
		answer.TLS = &delivery.TLS
	}
	return send(w, http.StatusOK, answer)
}

// sendFailedDelivery answers a test whose message could not be delivered: with
// the usual list of problems, the step that failed, and what the relay said.
func sendFailedDelivery(w http.ResponseWriter, failure *mail.Error) error {
	answer := struct {
		problems
		Step  string  `json:"step"`
		Relay *string `json:"relay"`
	}{problems: newProblems(unprocessable(problem{Detail: failure.Error()})), Step: failure.Step}
	if failure.Reply != "" {
		answer.Relay = &failure.Reply
	}
	return send(w, http.StatusUnprocessableEntity, answer)
}

// readAllAlertSettings reads the members of a body that needs those of the
// existing server.
func readAllAlertSettings(body *object) (given auth.AlertSettingsInput) {
	enabled, port := required(body, "enabled", asBool), required(body, "smtp_port", asPort)
	sender, recipients := required(body, "sender_email", asText), required(body, "recipient_email", asText)
	server, username, password := required(body, "smtp_server", asText), required(body, "smtp_username", asText), required(body, "smtp_password", asText)
	given = auth.AlertSettingsInput{
		Enabled: &enabled, Sender: &sender, Recipients: &recipients, SMTPServer: &server, SMTPPort: &port, SMTPUsername: &username, SMTPPassword: &password,
	}
	readAddedAlertSettings(body, &given)
	return given
}

// readSomeAlertSettings reads the members of a body that needs none.
func readSomeAlertSettings(body *object) auth.AlertSettingsInput {
	given := auth.AlertSettingsInput{
		Enabled: optional(body, "enabled", asBool), Sender: optional(body, "sender_email", asText), Recipients: optional(body, "recipient_email", asText),
		SMTPServer: optional(body, "smtp_server", asText), SMTPPort: optional(body, "smtp_port", asPort),
		SMTPUsername: optional(body, "smtp_username", asText), SMTPPassword: optional(body, "smtp_password", asText),
	}
	readAddedAlertSettings(body, &given)
	return given
}

// readAddedAlertSettings reads the members that the existing server does not have.
// null removes the webhook or its secret.
func readAddedAlertSettings(body *object, given *auth.AlertSettingsInput) {
	given.NotifyRecovery = optional(body, "notify_recovery", asBool)
	given.WebhookURL = optional(body, "webhook_url", asTextOrNull)
	given.WebhookSecret = optional(body, "webhook_secret", asTextOrNull)
}

// asTextOrNull reads a string. null becomes "".
func asTextOrNull(at place, value json.RawMessage) string { return orZero(orNull(asText)(at, value)) }

// asPort reads a port: a number, or its digits as a string.
func asPort(at place, value json.RawMessage) int {
	if kindOf(value) != "string" {
		return asInteger(at, value)
	}
	port, err := strconv.Atoi(asText(at, value))
	switch {
	case errors.Is(err, strconv.ErrRange):
		return math.MaxInt
	case err != nil:
		at.refuseType("integer", value)
	}
	return port
}
