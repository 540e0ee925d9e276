package activity

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/alert"
	"trento/store/outbox"
	"trento/ui/mail"
	"trento/ui/page"
	"trento/ui/table"
)

// The addresses of the page of alerts and its forms.
const (
	alertsPath        = "/alerts"
	sendAlertsPath    = "/alerts/send"
	discardAlertsPath = "/alerts/discard"
)

// abilityAlerts is the ability to change the settings of alerts, and to send or
// discard what waits.
const abilityAlerts = "all:alerting_settings"

// alertsPage shows which alerts wait, were sent, and were held back.
type alertsPage struct {
	page.Frame
	Off         bool   // no alerts are sent
	SettingsURL string // for readers who may switch them on; else ""
	LastSent    *sentLine
	LastFailed  *sentLine
	Waiting     []waitingRow
	Open        []deliveryRow
	Refused     string // why the reader may not send or discard what waits; "" if the reader may
	DiscardURL  string // address that asks whether to discard what waits
	Asks        bool   // the page asks whether to discard what waits
	BackURL     string // address without the question
	Outcomes    []outcomeLink
	Chosen      bool // only one outcome is shown
	Rows        []deliveryRow
	Total       int
	Range       string
	Pager       []table.Step
}

// Template implements page.Page.
func (*alertsPage) Template() string { return "alerts" }

// Held returns how many alerts and messages wait.
func (p *alertsPage) Held() int { return len(p.Waiting) + len(p.Open) }

// sentLine is the last message that was sent, or could not be sent.
type sentLine struct {
	At      page.Timestamp
	Subject string
	Words   string
}

// waitingRow is an alert that no message was made of yet.
type waitingRow struct {
	Title, Trouble, URL string
	Since, Until        page.Timestamp
	Why                 string
	Over                bool // the trouble is over by now
}

// deliveryRow is a message, or alerts that were held back together.
type deliveryRow struct {
	ID       uint64
	At       page.Timestamp
	Subject  string
	Reason   string // why no message was sent; "" for messages
	Items    []itemRow
	Channels []channelRow
}

// itemRow is an alert in a row.
type itemRow struct {
	Title, Trouble string
	URL, EntryURL  string // "": there is none
}

// channelRow is what became of a message in one channel.
type channelRow struct {
	Label string // "E-mail" or "Webhook"
	Icon  string // icon of a state that needs attention, else ""
	Words string
	Next  *page.Timestamp // of the next attempt; nil if there is none
}

// outcomeLink filters the list by what became of the messages.
type outcomeLink struct {
	Label, URL string
	Count      int
	Current    bool
}

// alertsPerPage is the number of rows on a page.
const alertsPerPage = 25

// alertsRefresh is the number of seconds after which the page is fetched again:
// alerts wait until a certain time.
const alertsRefresh = 15

// outcomes are the filters of the list.
var outcomes = []struct {
	key, label string
	match      func(*alert.Delivery) bool
}{
	{"", "All", func(*alert.Delivery) bool { return true }},
	{"sent", "Sent", func(d *alert.Delivery) bool { return hasState(d, outbox.Sent) }},
	{"pending", "Waiting", (*alert.Delivery).Open},
	{"failed", "Given up", func(d *alert.Delivery) bool { return hasState(d, outbox.GivenUp) }},
	{"held_back", "Held back", func(d *alert.Delivery) bool {
		return d.Form == alert.HeldBack || hasState(d, outbox.Discarded) || hasState(d, outbox.Off)
	}},
}

func hasState(d *alert.Delivery, s outbox.State) bool {
	return d.Mail.State == s || d.Webhook.State == s
}

// showAlerts answers GET /alerts.
func (s *Pages) showAlerts(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := alertsPage{Frame: s.NewFrame(r, "Alerts")}
	p.Refresh, p.Live = alertsRefresh, "setting"
	p.Refused = p.WhyRefused(abilityAlerts)
	query := r.URL.Query()
	p.BackURL = page.WithQuery(alertsPath, without(query, "discard"))
	p.DiscardURL = page.WithQuery(alertsPath, with(query, "discard", "ask"))
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		if err := s.fillAlerts(&p, tx, query); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Asks = query.Get("discard") == "ask" && p.Refused == "" && p.Held() > 0
	return s.Render(w, r, http.StatusOK, &p)
}

// with returns a copy of a query with one parameter, on the first page.
func with(query url.Values, name, value string) url.Values {
	changed := without(query, name)
	changed.Set(name, value)
	return changed
}

// without returns a copy of a query without a parameter.
func without(query url.Values, name string) url.Values {
	changed := url.Values{}
	for key, values := range query {
		if key != name {
			changed[key] = values
		}
	}
	return changed
}

func (s *Pages) fillAlerts(p *alertsPage, tx *store.Tx, query url.Values) error {
	state, err := s.Alerting.State(tx, s.Auth)
	if err != nil {
		return err
	}
	p.Off = !state.Policy.Mail && !state.Policy.Webhook
	if p.Refused == "" {
		p.SettingsURL = "/settings/alerting"
	}
	p.LastSent, p.LastFailed = s.newSentLine(state.LastSent), s.newSentLine(state.LastFailed)
	for _, waiting := range state.Waiting {
		p.Waiting = append(p.Waiting, s.newWaitingRow(waiting))
	}
	for _, d := range state.Open {
		p.Open = append(p.Open, s.newDeliveryRow(d))
	}
	var all []*alert.Delivery
	for d, err := range tx.Deliveries() {
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	s.fillDeliveries(p, all, query)
	return nil
}

// fillDeliveries fills the list of messages with one page of those that pass the
// filter.
func (s *Pages) fillDeliveries(p *alertsPage, all []*alert.Delivery, query url.Values) {
	var shown []*alert.Delivery
	for _, o := range outcomes {
		matching := slices.DeleteFunc(slices.Clone(all), func(d *alert.Delivery) bool { return !o.match(d) })
		link := outcomeLink{Label: o.label, Count: len(matching), Current: query.Get("outcome") == o.key, URL: alertsPath}
		if o.key != "" {
			link.URL = page.WithQuery(alertsPath, url.Values{"outcome": {o.key}})
		}
		if link.Current {
			shown, p.Chosen = matching, o.key != ""
		}
		p.Outcomes = append(p.Outcomes, link)
	}
	p.Total = len(all)
	last := max(1, (len(shown)+alertsPerPage-1)/alertsPerPage)
	number, err := strconv.Atoi(query.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	number = min(number, last)
	first := (number - 1) * alertsPerPage
	for _, d := range shown[first:min(first+alertsPerPage, len(shown))] {
		p.Rows = append(p.Rows, s.newDeliveryRow(d))
	}
	if len(p.Rows) > 0 {
		p.Range = fmt.Sprintf("Showing %d–%d of %d", first+1, first+len(p.Rows), len(shown))
	}
	address := func(n int) string {
		if n < 1 || n > last || n == number {
			return ""
		}
		pageQuery := without(query, "discard")
		pageQuery.Del("page")
		if n > 1 {
			pageQuery.Set("page", strconv.Itoa(n))
		}
		return page.WithQuery(alertsPath, pageQuery)
	}
	if last > 1 {
		p.Pager = table.Steps(address(1), address(number-1), address(number+1), address(last))
	}
}

func (s *Pages) newSentLine(d *alert.Delivery) *sentLine {
	if d == nil {
		return nil
	}
	return &sentLine{At: s.Timestamp(d.Tried()), Subject: d.Subject, Words: d.Failure()}
}

func (s *Pages) newWaitingRow(w alert.Waiting) waitingRow {
	item := alert.Item{Kind: w.Alert.Kind, Thing: w.Alert.Thing, Deadline: w.Alert.Deadline}
	return waitingRow{
		Title: item.Title(), Trouble: item.Trouble(s.Store.Now()), URL: mail.PathOf(item.Thing), Since: s.Timestamp(w.Alert.Since), Until: s.Timestamp(w.Until),
		Why: w.Why, Over: w.Alert.Over(),
	}
}

// maxItemsShown is the largest number of things that a row lists.
const maxItemsShown = 50

func (s *Pages) newDeliveryRow(d *alert.Delivery) deliveryRow {
	row := deliveryRow{ID: d.Sequence, At: s.Timestamp(d.At), Subject: d.Subject, Reason: d.Reason}
	for i := range d.Items[:min(len(d.Items), maxItemsShown)] {
		item := &d.Items[i]
		shown := itemRow{Title: item.Title(), Trouble: item.Trouble(d.At), URL: mail.PathOf(item.Thing)}
		if d.Form == alert.Recovery {
			shown.Trouble = item.Relief()
		}
		if item.Entry != 0 {
			shown.EntryURL = page.WithQuery("/activity_log", url.Values{"entry": {item.Entry.Cursor()}})
		}
		row.Items = append(row.Items, shown)
	}
	if more := len(d.Items) - len(row.Items); more > 0 {
		row.Items = append(row.Items, itemRow{Title: fmt.Sprintf("%d more", more)})
	}
	for _, c := range []struct {
		label string
		outbox.Channel
	}{{"E-mail", d.Mail}, {"Webhook", d.Webhook}} {
		if c.State != outbox.Unused {
			row.Channels = append(row.Channels, s.newChannelRow(c.label, c.Channel))
		}
	}
	return row
}

func (s *Pages) newChannelRow(label string, c outbox.Channel) channelRow {
	row := channelRow{Label: label}
	accepted := ""
	if len(c.Accepted) > 0 {
		accepted = " to " + strings.Join(c.Accepted, ", ")
	}
	failure := ""
	if c.Failure != "" {
		failure = ": " + c.Failure
	}
	switch c.State {
	case outbox.Sent:
		row.Words = "sent" + accepted + " at " + s.Timestamp(c.Tried).Text()
	case outbox.Pending:
		row.Words = "is being sent"
		if c.Attempts > 0 {
			row.Icon, row.Words = "warning", page.Count(c.Attempts, "attempt", "attempts")+" failed"+failure
			next := s.Timestamp(c.Next)
			row.Next = &next
		}
	case outbox.GivenUp:
		row.Icon, row.Words = "critical", "given up"+failure
		if len(c.Refused) > 0 {
			row.Words = "given up for " + strings.Join(c.Refused, ", ") + failure
		}
		if accepted != "" {
			row.Words = "sent" + accepted + ", " + row.Words
		}
	case outbox.Discarded:
		row.Words = "discarded" + failure
	case outbox.Off:
		row.Words = "switched off before it was sent" + failure
	}
	return row
}

// sendAlerts answers POST /alerts/send.
func (s *Pages) sendAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := s.Store.HurryAlerts(r.Context(), auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	s.SetFlash(w, r, "What waits is sent now.")
	http.Redirect(w, r, alertsPath, http.StatusSeeOther)
	return nil
}

// discardAlerts answers POST /alerts/discard.
func (s *Pages) discardAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := s.Store.DiscardAlerts(r.Context(), auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	s.SetFlash(w, r, "What waited was discarded.")
	http.Redirect(w, r, alertsPath, http.StatusSeeOther)
	return nil
}
