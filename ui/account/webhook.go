package account

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/store/outbox"
	"trento/ui/api"
	"trento/ui/page"
)

// webhookRefresh is the number of seconds after which the pages of webhooks are
// fetched again: deliveries are not told as changes.
const webhookRefresh = 10

// webhookPage shows a webhook and its deliveries.
type webhookPage struct {
	page.Frame
	Row            webhookRow
	Address        string
	Topics         []string // labels; empty: all
	AllEvents      string   // sentence about all events; "" if some are chosen
	HidesActors    bool     // names of users are replaced by dots
	DisabledReason string
	FailingSince   *page.Timestamp
	Failure        string
	Next           *page.Timestamp // when it is tried again
	CreatedBy      string
	Created        page.Timestamp
	FormerUntil    *page.Timestamp // until then the former secret is used as well
	Enabled        bool
	SecretsLost    bool
	Deliveries     []webhookDeliveryRow
	Form           *webhookForm
	Ask            *page.Confirmation
	Secret         *secretDialog
}

// Template implements page.Page.
func (*webhookPage) Template() string { return "webhook" }

// webhookDeliveryRow is a delivery in the list.
type webhookDeliveryRow struct {
	ID       uint64
	At       page.Timestamp
	Type     string
	Label    string
	EventID  string
	EntryURL string // "": there is none
	Icon     string
	Words    string
	Status   string // "": there was no answer
	Took     string
	Next     *page.Timestamp
	Again    string // address of the form that sends it once more; "" if that is not possible
}

// webhookRoutes returns the routes of the pages of webhooks.
func (s *settingsHandlers) webhookRoutes() []api.Route {
	need := auth.Needs(page.AbilityAlertSettings)
	reads := auth.InSets("read_only", "settings").As("GET /api/v1/webhooks")
	as := func(operation string) auth.TokenRule { return auth.InSets("settings").As(operation) }
	create, change, remove := as("POST /api/v1/webhooks"), as("PATCH /api/v1/webhooks/{id}"), as("DELETE /api/v1/webhooks/{id}")
	replace := as("POST /api/v1/webhooks/{id}/secret")
	const one = webhooksPath + "/{id}"
	return []api.Route{
		{Method: "GET", Path: webhooksPath, Access: need, Tokens: reads, Handle: api.Uncompressed(s.showWebhooks)},
		{Method: "GET", Path: webhooksPath + "/new", Access: need, Tokens: create, Handle: api.Uncompressed(s.newWebhook)},
		{Method: "POST", Path: webhooksPath + "/new", Access: need, Tokens: create, Handle: api.Uncompressed(page.ReadForm(s.createWebhook))},
		{Method: "GET", Path: one, Access: need, Tokens: reads, Handle: api.Uncompressed(s.showWebhook)},
		{Method: "GET", Path: one + "/edit", Access: need, Tokens: change, Handle: api.Uncompressed(s.editWebhook)},
		{Method: "POST", Path: one + "/edit", Access: need, Tokens: change, Handle: api.Uncompressed(page.ReadForm(s.changeWebhook))},
		{Method: "POST", Path: one + "/enable", Access: need, Tokens: change, Handle: page.ReadForm(s.enableWebhook)},
		{Method: "GET", Path: one + "/disable", Access: need, Tokens: change, Handle: api.Uncompressed(s.disableWebhook)},
		{Method: "POST", Path: one + "/disable", Access: need, Tokens: change, Handle: page.ReadForm(s.disableWebhook)},
		{Method: "GET", Path: one + "/secret", Access: need, Tokens: replace, Handle: api.Uncompressed(s.replaceWebhookSecret)},
		{Method: "POST", Path: one + "/secret", Access: need, Tokens: replace, Handle: api.Uncompressed(page.ReadForm(s.replaceWebhookSecret))},
		{Method: "POST", Path: one + "/secret/shown", Access: need, Tokens: replace, Handle: api.Uncompressed(page.ReadForm(s.closeWebhookSecret))},
		{Method: "POST", Path: one + "/test", Access: need, Tokens: as("POST /api/v1/webhooks/{id}/test"), Handle: page.ReadForm(s.testWebhook)},
		{Method: "GET", Path: one + "/delete", Access: need, Tokens: remove, Handle: api.Uncompressed(s.deleteWebhook)},
		{Method: "POST", Path: one + "/delete", Access: need, Tokens: remove, Handle: page.ReadForm(s.deleteWebhook)},
		{Method: "POST", Path: one + "/deliveries/{delivery}/redeliver", Access: need, Tokens: as("POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver"), Handle: page.ReadForm(s.redeliverEvent)},
	}
}

// webhookOf returns the webhook in the path of a request. It fails with
// store.ErrNotFound if there is none.
func (s *settingsHandlers) webhookOf(r *http.Request) (found auth.Webhook, err error) {
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		found, err = s.Auth.Webhook(tx, page.PathVar(r, "id"))
		return err
	})
	return found, err
}

// showWebhook answers GET /settings/webhooks/{id}.
func (s *settingsHandlers) showWebhook(w http.ResponseWriter, r *http.Request) error {
	return s.renderWebhook(w, r, http.StatusOK, func(*webhookPage) {})
}

// renderWebhook shows the webhook in the path of a request. change modifies the
// page before it is sent.
func (s *settingsHandlers) renderWebhook(w http.ResponseWriter, r *http.Request, status int, change func(*webhookPage)) error {
	p := webhookPage{}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		webhook, err := s.Auth.Webhook(tx, page.PathVar(r, "id"))
		if err != nil {
			return err
		}
		p.Frame = s.NewFrame(r, webhook.Name)
		p.Live, p.Refresh = "webhook", webhookRefresh
		if err := s.fillWebhook(&p, tx, webhook); err != nil {
			return err
		}
		if p.Secret, err = s.newSecretDialog(tx, p.Identity(), webhookSecret, webhook.ID); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	change(&p)
	return s.Render(w, r, status, &p)
}

func (s *settingsHandlers) fillWebhook(p *webhookPage, tx *store.Tx, w auth.Webhook) (err error) {
	if p.Row, err = s.newWebhookRow(tx, w); err != nil {
		return err
	}
	state, err := tx.WebhookState(w.ID)
	if err != nil {
		return err
	}
	timeOf := func(t time.Time) *page.Timestamp {
		if t.IsZero() {
			return nil
		}
		return new(s.Timestamp(t))
	}
	p.Address, p.Enabled, p.DisabledReason, p.SecretsLost, p.HidesActors = w.URL, w.Enabled, w.DisabledReason, w.SecretsLost, !w.SeesActors
	p.CreatedBy, p.Created, p.FailingSince, p.Failure = w.CreatedBy, s.Timestamp(w.CreatedAt), timeOf(state.FailingSince), state.Failure
	if p.Row.Pending > 0 && w.Enabled {
		p.Next = timeOf(state.Next)
	}
	if len(w.Secrets) > 1 {
		p.FormerUntil = timeOf(w.FormerSecretUntil)
	}
	for _, topic := range w.Topics {
		p.Topics = append(p.Topics, topic.Label())
	}
	if len(w.Topics) == 0 {
		p.AllEvents = describeTopics(w)
	}
	deliveries, err := tx.WebhookDeliveries(w.ID)
	for _, d := range deliveries {
		if len(p.Deliveries) == maxDeliveryRows {
			break
		}
		p.Deliveries = append(p.Deliveries, s.newWebhookDeliveryRow(w, d))
	}
	return err
}

// maxDeliveryRows is the number of deliveries on the page of a webhook.
const maxDeliveryRows = 100

func (s *settingsHandlers) newWebhookDeliveryRow(w auth.Webhook, d *store.WebhookDelivery) webhookDeliveryRow {
	row := webhookDeliveryRow{ID: d.Sequence, At: s.Timestamp(d.At), Type: string(d.Topic), Label: d.Topic.Label(), EventID: d.EventID}
	if d.Test {
		row.Label = "Test"
	} else {
		row.EntryURL = "/activity_log?entry=" + d.Entry.Cursor()
	}
	if d.Status != 0 {
		row.Status = fmt.Sprint(d.Status, " ", http.StatusText(d.Status))
	}
	if !d.Tried.IsZero() {
		row.Took = d.Took.Round(time.Millisecond).String()
	}
	switch d.State {
	case outbox.Sent:
		row.Words = "Taken"
	case outbox.Pending:
		row.Words = "To be sent"
		if d.Attempts > 0 {
			row.Icon, row.Words, row.Next = "warning", page.Count(d.Attempts, "attempt", "attempts")+" failed: "+d.Failure, new(s.Timestamp(d.Next))
		}
	case outbox.GivenUp:
		row.Icon, row.Words = "critical", "Given up: "+d.Failure
		if d.Test {
			row.Words = "Not taken: " + d.Failure
		}
	case outbox.Off:
		row.Words = "Not sent: the webhook was disabled"
	}
	if w.Enabled && !d.Test && d.State != outbox.Pending {
		row.Again = webhookPath(w.ID, "deliveries", strconv.FormatUint(d.Sequence, 10), "redeliver")
	}
	return row
}

// editWebhook answers GET /settings/webhooks/{id}/edit: the webhook with an open
// dialog.
func (s *settingsHandlers) editWebhook(w http.ResponseWriter, r *http.Request) error {
	present, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	f := newWebhookForm(auth.From(r.Context()), &present)
	f.Name.Focus = true
	return s.renderWebhook(w, r, http.StatusOK, func(p *webhookPage) { p.Form = f })
}

// changeWebhook answers POST /settings/webhooks/{id}/edit.
func (s *settingsHandlers) changeWebhook(w http.ResponseWriter, r *http.Request) error {
	present, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	id := auth.From(r.Context())
	f := newWebhookForm(id, &present)
	in, wrong := f.read(id, r.PostForm)
	if len(wrong) == 0 {
		_, err = s.Auth.ChangeWebhook(r.Context(), id, present.ID, in)
		wrong, _ = page.FieldFaults(err)
	}
	if len(wrong) > 0 {
		f.refuse(wrong)
		return s.renderWebhook(w, r, http.StatusUnprocessableEntity, func(p *webhookPage) { p.Form = f })
	}
	if err != nil {
		return err
	}
	return s.backToWebhook(w, r, present.ID, "The webhook was saved.")
}

func (s *settingsHandlers) backToWebhook(w http.ResponseWriter, r *http.Request, id, flash string) error {
	s.SetFlash(w, r, flash)
	http.Redirect(w, r, webhookPath(id), http.StatusSeeOther)
	return nil
}

// enableWebhook answers POST /settings/webhooks/{id}/enable.
func (s *settingsHandlers) enableWebhook(w http.ResponseWriter, r *http.Request) error {
	id := page.PathVar(r, "id")
	if _, err := s.Auth.ChangeWebhook(r.Context(), auth.From(r.Context()), id, auth.WebhookInput{Enabled: new(true)}); err != nil {
		return err
	}
	return s.backToWebhook(w, r, id, "The webhook was enabled. It receives what happens from now on.")
}

// disableWebhook answers GET and POST /settings/webhooks/{id}/disable.
func (s *settingsHandlers) disableWebhook(w http.ResponseWriter, r *http.Request) error {
	present, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	ask := &page.Confirmation{
		Title: "Disable the webhook?", Action: webhookPath(present.ID, "disable"), Form: "confirmation-form", Verb: "Disable Webhook", Plan: "yes", CloseURL: webhookPath(present.ID),
		Sentences: []string{"What is still to be sent is not sent, and what happens until the webhook is enabled again is not sent either."},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderWebhook(w, r, http.StatusOK, func(p *webhookPage) { p.Ask = ask })
	}
	if _, err := s.Auth.ChangeWebhook(r.Context(), auth.From(r.Context()), present.ID, auth.WebhookInput{Enabled: new(false)}); err != nil {
		return err
	}
	return s.backToWebhook(w, r, present.ID, "The webhook was disabled.")
}

// deleteWebhook answers GET and POST /settings/webhooks/{id}/delete.
func (s *settingsHandlers) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	present, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	ask := &page.Confirmation{
		Title: "Delete the webhook?", Action: webhookPath(present.ID, "delete"), Form: "confirmation-form", Verb: "Delete Webhook", Danger: true, Plan: "yes", CloseURL: webhookPath(present.ID),
		Sentences: []string{fmt.Sprintf("No more events are sent to “%s” at %s. Its secret and the list of its deliveries are deleted and cannot be brought back.", present.Name, present.Host)},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderWebhook(w, r, http.StatusOK, func(p *webhookPage) { p.Ask = ask })
	}
	if err := s.Store.DeleteWebhook(r.Context(), page.Actor(r.Context()), present.ID); err != nil {
		return err
	}
	s.SetFlash(w, r, "The webhook was deleted.")
	http.Redirect(w, r, webhooksPath, http.StatusSeeOther)
	return nil
}

// replaceWebhookSecret answers GET and POST /settings/webhooks/{id}/secret.
func (s *settingsHandlers) replaceWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	present, err := s.webhookOf(r)
	if err != nil {
		return err
	}
	ask := &page.Confirmation{
		Title: "Replace the secret?", Action: webhookPath(present.ID, "secret"), Form: "confirmation-form", Verb: "Replace Secret", Plan: "yes", CloseURL: webhookPath(present.ID),
		Sentences: []string{"A new secret is made and shown once. For 24 hours, events are signed with both secrets, so that you can give the new one to the receiver meanwhile."},
	}
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderWebhook(w, r, http.StatusOK, func(p *webhookPage) { p.Ask = ask })
	}
	changed, err := s.Auth.ReplaceWebhookSecret(r.Context(), auth.From(r.Context()), present.ID)
	if err != nil {
		return err
	}
	s.keepSecret(r.Context(), secret{Kind: webhookSecret, ID: changed.ID, Name: changed.Name, Text: changed.Secrets[0]})
	http.Redirect(w, r, webhookPath(changed.ID), http.StatusSeeOther)
	return nil
}

// closeWebhookSecret answers POST /settings/webhooks/{id}/secret/shown.
func (s *settingsHandlers) closeWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	r.PostForm.Set("secret", page.PathVar(r, "id"))
	asks, err := s.closeSecret(r.Context(), webhookSecret, r.PostForm)
	if err != nil {
		return err
	}
	if asks == nil {
		http.Redirect(w, r, webhookPath(page.PathVar(r, "id")), http.StatusSeeOther)
		return nil
	}
	return s.renderWebhook(w, r, http.StatusOK, func(p *webhookPage) { p.Secret = asks })
}

// testWebhook answers POST /settings/webhooks/{id}/test.
func (s *settingsHandlers) testWebhook(w http.ResponseWriter, r *http.Request) error {
	id := page.PathVar(r, "id")
	test, err := s.Webhooks.Test(r.Context(), auth.From(r.Context()), id)
	if often, ok := errors.AsType[*fault.Error](err); ok && often.Kind == fault.TooOften {
		return s.backToWebhook(w, r, id, often.Detail)
	}
	if err != nil {
		return err
	}
	if test.State == outbox.Sent {
		return s.backToWebhook(w, r, id, fmt.Sprintf("The receiver has taken the test: %d %s after %s.", test.Status, http.StatusText(test.Status), test.Took.Round(time.Millisecond)))
	}
	return s.backToWebhook(w, r, id, "The receiver has not taken the test. "+page.FaultWords(test.Failure)+".")
}

// redeliverEvent answers POST
// /settings/webhooks/{id}/deliveries/{delivery}/redeliver.
func (s *settingsHandlers) redeliverEvent(w http.ResponseWriter, r *http.Request) error {
	id := page.PathVar(r, "id")
	sequence, err := strconv.ParseUint(page.PathVar(r, "delivery"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	if err := s.Store.RedeliverEvent(r.Context(), page.Actor(r.Context()), id, sequence); err != nil {
		return err
	}
	return s.backToWebhook(w, r, id, "The event is sent once more.")
}

// webhookBanners tell who may do something about it of webhooks that the server
// has disabled.
func (s *handlerBase) webhookBanners(tx *store.Tx, path string) (banners []page.Banner, err error) {
	all, err := tx.Webhooks()
	for _, w := range all {
		if w.DisabledReason != "" && path != webhookPath(w.ID) {
			banners = append(banners, page.Banner{
				Severity: "critical", Text: fmt.Sprintf("Webhook “%s” was disabled by the server: no events are sent to it.", w.Name), Link: page.Link{Name: "Show it", URL: webhookPath(w.ID)},
			})
		}
	}
	return banners, err
}

// webhookSection says how the webhooks are doing.
type webhookSection struct {
	Count   int
	Failing int // webhooks that need attention
}

func (x webhookSection) state() subjectState {
	switch {
	case x.Failing > 0:
		return subjectState{page.Count(x.Failing, "webhook needs attention", "webhooks need attention"), "warning"}
	case x.Count == 0:
		return subjectState{Words: "None yet"}
	}
	return subjectState{Words: page.Count(x.Count, "webhook", "webhooks")}
}

func newWebhookSection(tx *store.Tx) (section webhookSection, err error) {
	all, err := tx.Webhooks()
	for _, w := range all {
		state, err := tx.WebhookState(w.ID)
		if err != nil {
			return section, err
		}
		if section.Count++; w.DisabledReason != "" || w.Enabled && !state.FailingSince.IsZero() {
			section.Failing++
		}
	}
	return section, err
}
