package landscape

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"

	activitypages "trento/ui/activity"
)

// healthHistory is the section of a page about the health of a thing over time.
type healthHistory struct {
	What     string // kind of the thing in words
	Action   string // path of the page
	Periods  []historyPeriod
	Custom   bool // the period was typed
	FromText string
	ToText   string
	Refusal  string // why a typed period is not shown
	Span     string // the period in words
	From, To page.Timestamp
	Known    availabilityWords
	Parts    []historyPart
	Legend   []historyState
	Changes  []historyChange // the newest first
	Earlier  string          // how many changes are not listed
	CSV      string
}

// historyPeriod is a link to a period that ends now.
type historyPeriod struct {
	Label, URL string
	Chosen     bool
}

// historyState is a shown state in words.
type historyState struct{ State, Word string }

// historyPart is a part of the strip. X, Y, Width and Height are in the units of
// the drawing.
type historyPart struct {
	State, X, Y, Width, Height, URL, Title string
}

// historyChange is a time in which the thing had one state.
type historyChange struct {
	historyState
	From     page.Timestamp
	Duration string
	URL      string // address of the log at that time
}

// availabilityWords is the availability in words.
type availabilityWords struct {
	Percent       string // "" if no time counts
	Interruptions string
	Uncounted     string // "" if all time counts
}

// The size of the strip, in units of the drawing, and the number of its parts.
const (
	stripWidth  = 960
	stripHeight = 40
	stripParts  = 96
)

// maxHistoryChanges is the largest number of changes that a page lists.
const maxHistoryChanges = 50

// historyStates are the states in the order of the legend, with their heights in
// the strip: a state is known by its height, not only by its colour.
var historyStates = []struct {
	state  landscape.ShownState
	word   string
	height int
}{
	{landscape.ShownState(landscape.HealthPassing), "Passing", 14},
	{landscape.ShownState(landscape.HealthWarning), "Warning", 26},
	{landscape.ShownState(landscape.HealthCritical), "Critical", stripHeight},
	{landscape.StateSilent, "Does not report", stripHeight},
	{landscape.ShownState(landscape.HealthUnknown), "Unknown", 6},
	{landscape.StateAbsent, "Not registered", 2},
}

// historySpans are the periods that are offered. They end now.
var historySpans = [...]struct {
	key, label, words string
	length            time.Duration
}{
	{"24h", "24 hours", "the last 24 hours", 24 * time.Hour},
	{"7d", "7 days", "the last 7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", "the last 30 days", 30 * 24 * time.Hour},
}

// historyQuery is the period of a history, from an address.
type historyQuery struct {
	from, to time.Time
	span     int // index of historySpans; -1: typed
	refusal  string
}

// historyLayouts are the formats of a typed time. Without a zone it is in UTC.
var historyLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// parseHistoryQuery reads the period of an address. If a typed period cannot be
// used, it says why and returns the last 24 hours.
func parseHistoryQuery(q url.Values, now time.Time) historyQuery {
	h := historyQuery{to: now}
	for i, span := range historySpans {
		if span.key == q.Get("history") {
			h.span = i
		}
	}
	h.from = now.Add(-historySpans[h.span].length)
	if q.Get("from") == "" && q.Get("to") == "" {
		return h
	}
	from, fromOK := parseHistoryTime(q.Get("from"), h.from)
	to, toOK := parseHistoryTime(q.Get("to"), now)
	if len(q.Get("to")) == len(time.DateOnly) {
		to = to.AddDate(0, 0, 1) // a day includes itself
	}
	switch {
	case !fromOK || !toOK:
		h.refusal = "Type both times as a date or as a date and a time."
	case from.After(now):
		h.refusal = "The period begins in the future."
	case !from.Before(to):
		h.refusal = "The period has to begin before it ends."
	default:
		if h.from, h.to, h.span = from, to, -1; to.After(now) {
			h.to = now
		}
	}
	return h
}

func parseHistoryTime(text string, missing time.Time) (time.Time, bool) {
	if text == "" {
		return missing, true
	}
	for _, layout := range historyLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// values returns the parameters of the address with the period.
func (h historyQuery) values() url.Values {
	if h.span < 0 {
		return url.Values{"from": {h.from.Format(time.RFC3339)}, "to": {h.to.Format(time.RFC3339)}}
	}
	return url.Values{"history": {historySpans[h.span].key}}
}

// readHealthHistory reads the history of a thing for its page. path is the path
// of the page.
func (s *Pages) readHealthHistory(ctx context.Context, q url.Values, kind activity.ThingKind, what, path, id string) (healthHistory, error) {
	h := parseHistoryQuery(q, s.Store.Now())
	var all []landscape.HealthInterval
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		all = tx.HealthIntervals(kind, id, h.from, h.to)
		return nil
	})
	if err != nil {
		return healthHistory{}, err
	}
	p := healthHistory{What: what, Action: path, Refusal: h.refusal, CSV: page.WithQuery(path+"/health_history.csv", h.values())}
	p.Known = newAvailabilityWords(landscape.AvailabilityOf(all))
	p.Custom, p.FromText, p.ToText = h.span < 0 || h.refusal != "", h.from.Format("2006-01-02T15:04"), h.to.Format("2006-01-02T15:04")
	for i, span := range historySpans {
		p.Periods = append(p.Periods, historyPeriod{span.label, page.WithQuery(path, url.Values{"history": {span.key}}) + "#history", i == h.span})
		if i == h.span {
			p.Span = "in " + span.words
		}
	}
	if p.From, p.To = s.Timestamp(h.from), s.Timestamp(h.to); h.span < 0 {
		p.Span = "from " + p.From.Text() + " to " + p.To.Text()
	}
	if len(all) > 0 {
		p.From = s.Timestamp(all[0].From)
	}
	p.draw(all, id)
	p.list(s, all, id)
	return p, nil
}

// draw fills the strip and its legend.
func (p *healthHistory) draw(all []landscape.HealthInterval, id string) {
	parts := landscape.HealthStrip(all, stripParts)
	for _, i := range parts {
		whole := parts[len(parts)-1].To.Sub(parts[0].From)
		at := func(t time.Time) float64 { return float64(stripWidth) * float64(t.Sub(parts[0].From)) / float64(whole) }
		_, word, height := describeState(i.State)
		p.Parts = append(p.Parts, historyPart{
			State: string(i.State), Height: fmt.Sprint(height), Y: fmt.Sprint(stripHeight - height),
			X: fmt.Sprintf("%.1f", at(i.From)), Width: fmt.Sprintf("%.1f", at(i.To)-at(i.From)),
			URL:   logURL(id, i.From, i.To),
			Title: fmt.Sprintf("%s, %s to %s UTC", word, i.From.UTC().Format("2 Jan 15:04"), i.To.UTC().Format("2 Jan 15:04")),
		})
	}
	for _, known := range historyStates {
		if slices.ContainsFunc(parts, func(i landscape.HealthInterval) bool { return i.State == known.state }) {
			p.Legend = append(p.Legend, historyState{string(known.state), known.word})
		}
	}
}

// list fills the list of changes.
func (p *healthHistory) list(s *Pages, all []landscape.HealthInterval, id string) {
	for k, i := range slices.Backward(all) {
		if len(p.Changes) == maxHistoryChanges {
			p.Earlier = page.Count(k+1, "earlier change is", "earlier changes are")
			return
		}
		state, word, _ := describeState(i.State)
		p.Changes = append(p.Changes, historyChange{historyState{state, word}, s.Timestamp(i.From), durationWords(i.Duration()), logURL(id, i.From, i.To)})
	}
}

func describeState(state landscape.ShownState) (name, word string, height int) {
	for _, known := range historyStates {
		if known.state == state {
			return string(state), known.word, known.height
		}
	}
	return string(state), string(state), 0
}

// logURL returns the address of the log about a thing in a period, which includes
// the second of its end.
func logURL(id string, from, to time.Time) string {
	const layout = "2006-01-02T15:04:05.000Z"
	from, to = from.UTC().Truncate(time.Second), to.UTC().Add(time.Second).Truncate(time.Second)
	return page.WithQuery("/activity_log", url.Values{
		"search": {id}, "severity": activitypages.SeverityNames(), "from_date": {"custom", from.Format(layout)}, "to_date": {"custom", to.Format(layout)},
	})
}

func newAvailabilityWords(a landscape.Availability) availabilityWords {
	w := availabilityWords{Percent: percentText(a), Interruptions: "without an interruption"}
	switch a.Interruptions {
	case 0:
	case 1:
		w.Interruptions = "with 1 interruption of " + durationWords(a.Longest)
	default:
		w.Interruptions = fmt.Sprintf("with %d interruptions, the longest %s", a.Interruptions, durationWords(a.Longest))
	}
	if a.Uncounted > 0 {
		w.Uncounted = durationWords(a.Uncounted)
	}
	return w
}

// percentText returns an availability as a text such as "99.95 %"; "" if no time
// counts.
func percentText(a landscape.Availability) string {
	hundredths, ok := a.Percent()
	switch {
	case !ok:
		return ""
	case hundredths == 10000:
		return "100 %"
	}
	return fmt.Sprintf("%d.%02d %%", hundredths/100, hundredths%100)
}

// durationWords returns a duration in its two largest units.
func durationWords(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(math.Ceil(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// historyCSV returns the handler of the history of a thing as CSV.
func (s *Pages) historyCSV(kind activity.ThingKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := strings.ToLower(page.PathVar(r, "id"))
		h := parseHistoryQuery(r.URL.Query(), s.Store.Now())
		var all []landscape.HealthInterval
		err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
			all = tx.HealthIntervals(kind, id, h.from, h.to)
			return tx.CheckRegistered(kind, id)
		})
		if err != nil {
			return err
		}
		var body bytes.Buffer
		if err := writeHistoryCSV(&body, all, table.AsksByteOrderMark(r.URL.Query())); err != nil {
			return err
		}
		return table.SendCSV(s.Console, w, r, "health_history.csv", body.Bytes())
	}
}

func writeHistoryCSV(body *bytes.Buffer, all []landscape.HealthInterval, withByteOrderMark bool) error {
	out, err := api.NewCSVWriter(body, withByteOrderMark)
	if err != nil {
		return err
	}
	if err := out.Write("From", "To", "Seconds", "State"); err != nil {
		return err
	}
	for _, i := range all {
		if err := out.Write(api.CSVTime(i.From), api.CSVTime(i.To), fmt.Sprintf("%.0f", i.Duration().Seconds()), string(i.State)); err != nil {
			return err
		}
	}
	return out.Flush()
}
