package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
	"trento/ui/page"
)

const webhooksPath = "/settings/webhooks"

// webhookPath returns the path of the page of a webhook, or of something below
// it.
func webhookPath(id string, below ...string) string {
	return strings.Join(append([]string{webhooksPath, id}, below...), "/")
}

// webhooksPage lists the webhooks.
type webhooksPage struct {
	page.Frame
	Rows []webhookRow
	Full bool // there can be no more
	Form *webhookForm
	// Changed is the newest log entry about a change of a webhook.
	Changed *lastChange
}

// Template implements page.Page.
func (*webhooksPage) Template() string { return "webhooks" }

// webhookRow is a webhook in the list.
type webhookRow struct {
	ID, Name, URL string // URL is that of its page
	Host          string
	Events        string
	State         webhookState
	Succeeded     *page.Timestamp // nil: never
	Pending       int
}

// webhookState says how a webhook is doing.
type webhookState struct {
	Icon  string // of a state that needs attention, else ""
	Words string
}

func newWebhookState(w auth.Webhook, state *store.WebhookState) webhookState {
	switch {
	case w.DisabledReason != "":
		return webhookState{"critical", "Disabled by the server"}
	case !w.Enabled:
		return webhookState{"", "Disabled"}
	case w.SecretsLost:
		return webhookState{"critical", "Cannot be read"}
	case !state.FailingSince.IsZero():
		return webhookState{"warning", "Failing"}
	case state.Succeeded.IsZero():
		return webhookState{"", "Nothing sent yet"}
	}
	return webhookState{"", "Works"}
}

func (s *settingsHandlers) newWebhookRow(tx *store.Tx, w auth.Webhook) (webhookRow, error) {
	state, err := tx.WebhookState(w.ID)
	if err != nil {
		return webhookRow{}, err
	}
	pending, err := tx.PendingWebhookDeliveries(w.ID)
	row := webhookRow{ID: w.ID, Name: w.Name, URL: webhookPath(w.ID), Host: w.Host, Events: describeTopics(w), State: newWebhookState(w, state), Pending: len(pending)}
	if !state.Succeeded.IsZero() {
		row.Succeeded = new(s.Timestamp(state.Succeeded))
	}
	return row, err
}

// describeTopics says which events a webhook receives.
func describeTopics(w auth.Webhook) string {
	switch n := len(w.Topics); {
	case n == 0 && w.SeesUsers:
		return "All events"
	case n == 0:
		return "All events, except those about users"
	case n == 1:
		return w.Topics[0].Label()
	default:
		return fmt.Sprintf("%d kinds of events", n)
	}
}

// showWebhooks answers GET /settings/webhooks.
func (s *settingsHandlers) showWebhooks(w http.ResponseWriter, r *http.Request) error {
	return s.renderWebhooks(w, r, http.StatusOK, nil)
}

// renderWebhooks shows the list, with an open dialog unless it is nil.
func (s *settingsHandlers) renderWebhooks(w http.ResponseWriter, r *http.Request, status int, f *webhookForm) error {
	p := webhooksPage{Frame: s.NewFrame(r, "Webhooks"), Form: f}
	p.Live, p.Refresh = "webhook", webhookRefresh
	var err error
	if p.Changed, err = s.findLastChange(r, subject{changes: webhookChanges, changeText: "Changed"}); err != nil {
		return err
	}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		all, err := s.Auth.Webhooks(tx)
		if err != nil {
			return err
		}
		for _, webhook := range all {
			row, err := s.newWebhookRow(tx, webhook)
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, row)
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Full = len(p.Rows) >= store.MaxWebhooks
	return s.Render(w, r, status, &p)
}

// webhookForm is the dialog that creates or changes a webhook.
type webhookForm struct {
	Title, Action, Verb string
	CloseURL            string
	Name, URL           page.Field
	All                 bool // all events are chosen
	Groups              []topicGroup
	EventsFault         string
	Faults              []page.FaultLink
	Rest                []string // faults that belong to no field
	Typed               bool
}

// topicGroup is a group of events to choose from.
type topicGroup struct {
	Label   string
	Refused string // why the reader cannot choose them; "" if the reader can
	Boxes   []topicBox
}

// topicBox is the box of a kind of events.
type topicBox struct {
	Value, Label string
	Chosen       bool
}

// topicGroups are the labels of the groups, by the part of topics before the
// dot.
var topicGroups = []struct {
	label string
	kinds []string
}{
	{"Hosts", []string{"host"}},
	{"Clusters", []string{"cluster"}},
	{"SAP systems", []string{"sap_system"}},
	{"HANA databases", []string{"database"}},
	{"What people do, and this server", []string{"tag", "checks", "operation", "settings", "server"}},
	{"Users and sign-ins", []string{"user", "token"}},
}

// newWebhookForm returns the dialog. present is nil for a new webhook.
func newWebhookForm(id *auth.Identity, present *auth.Webhook) *webhookForm {
	f := &webhookForm{
		Title: "Create Webhook", Action: webhooksPath + "/new", Verb: "Create Webhook", CloseURL: webhooksPath, All: true,
		Name: page.Field{Name: "name", Label: "Name", Type: "text", Autocomplete: "off", Max: 100, Required: true, Help: "What receives the events, such as Incident manager."},
		URL:  page.Field{Name: "url", Label: "Address", Type: "text", Autocomplete: "off", Max: 2000, Required: true, Help: "An https address that takes JSON in a POST request. Treat it like a password if it is all that is needed to write there."},
	}
	var chosen []activity.Topic
	if present != nil {
		f.Title, f.Action, f.Verb, f.CloseURL = "Edit Webhook", webhookPath(present.ID, "edit"), "Save Webhook", webhookPath(present.ID)
		f.Name.Value, f.URL.Value, f.All, chosen = present.Name, present.URL, len(present.Topics) == 0, present.Topics
	}
	f.choose(id, chosen)
	return f
}

// choose sets which events are chosen.
func (f *webhookForm) choose(id *auth.Identity, chosen []activity.Topic) {
	f.Groups = nil
	for _, group := range topicGroups {
		g := topicGroup{Label: group.label}
		for _, topic := range activity.Topics() {
			kind, _, _ := strings.Cut(string(topic), ".")
			if !slices.Contains(group.kinds, kind) {
				continue
			}
			if topic.UserManagement() && !id.Can(page.AbilityUsers) {
				g.Refused = "Only who manages users can have these sent."
			}
			g.Boxes = append(g.Boxes, topicBox{string(topic), topic.Label(), slices.Contains(chosen, topic)})
		}
		f.Groups = append(f.Groups, g)
	}
}

// read copies the input into the dialog, and returns the webhook in it.
func (f *webhookForm) read(id *auth.Identity, form url.Values) (in auth.WebhookInput, wrong fault.Errors) {
	f.Typed = true
	f.Name.Value, f.URL.Value = form.Get("name"), strings.TrimSpace(form.Get("url"))
	topics := []activity.Topic{}
	switch form.Get("which") {
	case "all":
		f.All = true
	case "chosen":
		f.All = false
		for _, value := range form["event"] {
			topics = append(topics, activity.Topic(value))
		}
		if len(topics) == 0 {
			wrong.Add("events", "Choose at least one kind of events.")
		}
	default:
		wrong.Add("events", "not one of all, chosen")
	}
	f.choose(id, topics)
	return auth.WebhookInput{Name: &f.Name.Value, URL: &f.URL.Value, Events: &topics}, wrong
}

// refuse shows faults.
func (f *webhookForm) refuse(wrong fault.Errors) {
	var others fault.Errors
	for _, w := range wrong {
		if w.Field == "events" {
			f.EventsFault = page.FaultWords(w.Detail)
		} else {
			others = append(others, w)
		}
	}
	f.Faults, f.Rest = page.ApplyFaults(others, &f.Name, &f.URL)
	if f.EventsFault != "" {
		f.Faults = append(f.Faults, page.FaultLink{Label: "Events", Text: f.EventsFault, URL: "#webhook-events"})
	}
}

// newWebhook answers GET /settings/webhooks/new: the list with an open dialog.
func (s *settingsHandlers) newWebhook(w http.ResponseWriter, r *http.Request) error {
	f := newWebhookForm(auth.From(r.Context()), nil)
	f.Name.Focus = true
	return s.renderWebhooks(w, r, http.StatusOK, f)
}

// createWebhook answers POST /settings/webhooks/new.
func (s *settingsHandlers) createWebhook(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	f := newWebhookForm(id, nil)
	in, wrong := f.read(id, r.PostForm)
	var created auth.Webhook
	var err error
	if len(wrong) == 0 {
		created, err = s.Auth.CreateWebhook(r.Context(), id, in)
		wrong, _ = page.FieldFaults(err)
	}
	if full, ok := errors.AsType[*fault.Error](err); ok && full.Kind == fault.Conflict {
		f.Rest, err = []string{full.Detail}, nil
		return s.renderWebhooks(w, r, http.StatusConflict, f)
	}
	if len(wrong) > 0 {
		f.refuse(wrong)
		return s.renderWebhooks(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	s.keepSecret(r.Context(), secret{Kind: webhookSecret, ID: created.ID, Name: created.Name, Text: created.Secrets[0]})
	s.SetFlash(w, r, "The webhook was created. Send a test to see whether it works.")
	http.Redirect(w, r, webhookPath(created.ID), http.StatusSeeOther)
	return nil
}
