package api

import (
	"net/http"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/alert"
	"trento/store/outbox"
)

// maxDeliveriesSent is the number of messages in an answer.
const maxDeliveriesSent = 100

// alertsAnswer is the answer to GET /api/v1/alerts.
type alertsAnswer struct {
	Waiting  []waitingAlert `json:"waiting"`
	Messages []alertMessage `json:"messages"`
}

// waitingAlert is an alert that no message was made of yet.
type waitingAlert struct {
	alertItem
	Until  timestamp `json:"until"`
	Reason string    `json:"reason"`
}

// alertMessage is a message, or the record that alerts were held back.
type alertMessage struct {
	ID      uint64        `json:"id"`
	Time    timestamp     `json:"time"`
	Form    alert.Form    `json:"form"`
	Subject string        `json:"subject"`
	Reason  *string       `json:"reason"`
	Alerts  []alertItem   `json:"alerts"`
	Mail    *alertChannel `json:"mail"`
	Webhook *alertChannel `json:"webhook"`
}

// alertItem is a thing in trouble.
type alertItem struct {
	Type     alert.Kind    `json:"type"`
	Resource alertResource `json:"resource"`
	Since    timestamp     `json:"since"`
	Ended    *timestamp    `json:"ended"`
	Text     string        `json:"text"`
}

type alertResource struct {
	Type alert.ThingType `json:"type"`
	ID   string          `json:"id"`
	Name string          `json:"name"`
}

// alertChannel is what became of a message by mail or webhook.
type alertChannel struct {
	State          outbox.State `json:"state"`
	FailedAttempts int          `json:"failed_attempts"`
	LastAttempt    *timestamp   `json:"last_attempt"`
	NextAttempt    *timestamp   `json:"next_attempt"`
	Failure        *string      `json:"failure"`
	Accepted       []string     `json:"accepted"`
	Refused        []string     `json:"refused"`
}

// listAlerts answers GET /api/v1/alerts: what waits, and the newest messages.
func (a *API) listAlerts(w http.ResponseWriter, _ *http.Request) error {
	answer := alertsAnswer{Waiting: []waitingAlert{}, Messages: []alertMessage{}}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		state, err := a.deps.Alerting.State(tx, a.deps.Auth)
		if err != nil {
			return err
		}
		for _, waiting := range state.Waiting {
			w := waiting.Alert
			item := alert.Item{Kind: w.Kind, Thing: w.Thing, Since: w.Since, Ended: w.Ended, Deadline: w.Deadline}
			answer.Waiting = append(answer.Waiting, waitingAlert{newAlertItem(&item, a.deps.Store.Now()), timestamp(waiting.Until), waiting.Why})
		}
		for d, err := range tx.Deliveries() {
			if err != nil {
				return err
			}
			if len(answer.Messages) == maxDeliveriesSent {
				break
			}
			answer.Messages = append(answer.Messages, newAlertMessage(d))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

func newAlertMessage(d *alert.Delivery) alertMessage {
	m := alertMessage{ID: d.Sequence, Time: timestamp(d.At), Form: d.Form, Subject: d.Subject, Alerts: []alertItem{}, Mail: newAlertChannel(d.Mail), Webhook: newAlertChannel(d.Webhook)}
	if d.Reason != "" {
		m.Reason = &d.Reason
	}
	for i := range d.Items {
		item := newAlertItem(&d.Items[i], d.At)
		if d.Form == alert.Recovery {
			item.Text = d.Items[i].Title() + " " + d.Items[i].Relief()
		}
		m.Alerts = append(m.Alerts, item)
	}
	return m
}

func newAlertItem(i *alert.Item, now time.Time) alertItem {
	return alertItem{
		Type: i.Kind, Resource: alertResource{i.Thing.Type, i.Thing.ID, i.Thing.Name}, Since: timestamp(i.Since), Ended: timestampOrNull(i.Ended),
		Text: i.Title() + " " + i.Trouble(now),
	}
}

func newAlertChannel(c outbox.Channel) *alertChannel {
	if c.State == outbox.Unused {
		return nil
	}
	answer := &alertChannel{
		State: c.State, FailedAttempts: c.Attempts, LastAttempt: timestampOrNull(c.Tried), NextAttempt: timestampOrNull(c.Next),
		Accepted: orEmpty(c.Accepted), Refused: orEmpty(c.Refused),
	}
	if c.Failure != "" {
		answer.Failure = &c.Failure
	}
	return answer
}

// sendAlerts answers POST /api/v1/alerts/send: what waits is sent now.
func (a *API) sendAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Store.HurryAlerts(r.Context(), auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// discardAlerts answers POST /api/v1/alerts/discard: what waits is not sent.
func (a *API) discardAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Store.DiscardAlerts(r.Context(), auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
