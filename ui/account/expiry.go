package account

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/ui/page"
)

// expiryInput is the part of a form for the expiry of an API key or token:
// after some time, on a day, or never. Days are days in UTC, as everywhere in
// the console and API, so the date is the same for all readers.
type expiryInput struct {
	Modes      []page.Option // "keep", "in", "on", "never"
	Number     string
	Units      []page.Option
	Day        string // as <input type="date"> writes it
	First      string // first day that can be chosen
	Last       string // last day that can be chosen; empty: no limit
	Noun       string // what expires: "token" or "key"
	Help       string
	Fault      string
	Words      string // the expiry that results from the choice
	readerZone string // time zone in which the expiry is shown besides UTC
}

// The modes of an expiryInput. expiryKeep leaves the expiry as it is.
const (
	expiryKeep  = "keep"
	expiryIn    = "in"
	expiryOn    = "on"
	expiryNever = "never"
)

// maxExpiryYears limits the number that can be typed. For longer lifetimes
// there is "never".
const maxExpiryYears = 100

// dayLayout is the format of days in forms.
const dayLayout = "2006-01-02"

// newExpiryInput offers the modes, given as pairs of value and label. days is
// the lifetime that the form suggests.
func newExpiryInput(now time.Time, zone string, days int, chosen string, modes ...string) expiryInput {
	e := expiryInput{
		Modes: page.Choices(chosen, modes...), Number: strconv.Itoa(days), Units: page.Choices("days", "days", "days", "months", "months", "years", "years"),
		First: now.UTC().Format(dayLayout), Noun: "token", readerZone: zone,
	}
	e.Words = e.describe(now)
	return e
}

// setLastDay sets the last day that can be chosen.
func (e *expiryInput) setLastDay(end time.Time) { e.Last = end.UTC().Format(dayLayout) }

// Endless reports whether "never" can be chosen.
func (e expiryInput) Endless() bool { return page.HasOption(e.Modes, expiryNever) }

// readForm reads a form. It returns the mode and the expiry, nil if the mode
// has none. If the input makes no sense, it sets Fault.
func (e *expiryInput) readForm(form url.Values, now time.Time) (mode string, end *time.Time) {
	e.Number, e.Day = strings.TrimSpace(form.Get("number")), form.Get("day")
	mode, unit := form.Get("expiry"), form.Get("unit")
	switch {
	case !page.HasOption(e.Modes, mode):
		e.Fault = page.NotOneOf(e.Modes)
		return mode, nil
	case mode == expiryIn && !page.HasOption(e.Units, unit):
		e.Fault = "The unit is " + lowerFirst(page.NotOneOf(e.Units))
		return mode, nil
	}
	e.Modes = withChosen(e.Modes, mode)
	if mode == expiryIn {
		e.Units = withChosen(e.Units, unit)
	}
	end, e.Fault = e.chosenTime(mode, now)
	e.Words = e.describe(now)
	return mode, end
}

// chosenTime returns the expiry that a mode results in, nil if the mode has
// none, and what is wrong with the input.
func (e *expiryInput) chosenTime(mode string, now time.Time) (end *time.Time, fault string) {
	var day time.Time
	switch mode {
	case expiryIn:
		n, err := strconv.Atoi(e.Number)
		if err != nil || n < 1 {
			return nil, "Key expiration value needs to be greater than 0"
		}
		var ok bool
		if day, ok = addToDay(now.UTC(), n, chosenValue(e.Units)); !ok {
			return nil, fmt.Sprintf("At most %d years; choose \"never\" for longer", maxExpiryYears)
		}
	case expiryOn:
		var err error
		if day, err = time.Parse(dayLayout, e.Day); err != nil {
			return nil, "Choose a day"
		}
	default:
		return nil, ""
	}
	day = endOfDay(day)
	if !day.After(now) {
		return nil, "This day is over"
	}
	return &day, ""
}

// describe says which expiry results from the choice. It is empty if the input
// makes no sense, or if the label of the mode says it already.
func (e *expiryInput) describe(now time.Time) string {
	mode := chosenValue(e.Modes)
	if mode == expiryNever {
		return "It will never expire."
	}
	end, fault := e.chosenTime(mode, now)
	if end == nil || fault != "" {
		return ""
	}
	return "It will expire on " + formatExpiry(*end, e.readerZone) + "."
}

// formatExpiry formats an expiry in UTC, and also in the reader's time zone if
// that differs.
func formatExpiry(end time.Time, zone string) string {
	text := end.UTC().Format("02 Jan 2006, 15:04:05") + " UTC"
	there := end.In(page.ZoneOf(zone))
	if _, offset := there.Zone(); offset == 0 {
		return text
	}
	return text + " (" + there.Format("02 Jan, 15:04") + " in " + zone + ")"
}

// expirySentence says until when a token is valid.
func expirySentence(end *time.Time, zone string) string {
	if end == nil {
		return "It never expires: it works until somebody deletes it."
	}
	return "It expires on " + formatExpiry(*end, zone) + "."
}

// showExpiry answers GET /expiry with the sentence for the present input of a
// form. The script asks for the sentence, so that the rule exists only here.
func (s *ownTokenHandlers) showExpiry(w http.ResponseWriter, r *http.Request) error {
	e := newExpiryInput(s.Store.Now(), auth.From(r.Context()).User.Timezone, 0, expiryKeep, expiryKeep, "", expiryIn, "", expiryOn, "", expiryNever, "")
	e.readForm(r.URL.Query(), s.Store.Now())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := io.WriteString(w, e.Words)
	return page.IgnoreGone(err)
}

// withChosen returns the options with another one chosen. It changes nothing if
// no option has the value.
func withChosen(options []page.Option, value string) []page.Option {
	if !page.HasOption(options, value) {
		return options
	}
	for i := range options {
		options[i].Chosen = options[i].Value == value
	}
	return options
}

// chosenValue returns the value of the chosen option.
func chosenValue(options []page.Option) string {
	for _, o := range options {
		if o.Chosen {
			return o.Value
		}
	}
	return ""
}

// addToDay returns the day that is n units later; false if that is too far in
// the future. If the month is too short for the day, it returns the last day of
// the month.
func addToDay(day time.Time, n int, unit string) (time.Time, bool) {
	if n > maxExpiryYears*366 {
		return day, false
	}
	var to time.Time
	switch unit {
	case "months", "years":
		months := n
		if unit == "years" {
			months = 12 * n
		}
		to = day.AddDate(0, months, 0)
		if to.Day() != day.Day() {
			to = to.AddDate(0, 0, -to.Day())
		}
	default:
		to = day.AddDate(0, 0, n)
	}
	return to, to.Before(day.AddDate(maxExpiryYears, 0, 1))
}

// endOfDay returns the last second of a day in its time zone.
func endOfDay(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, day.Location())
}
