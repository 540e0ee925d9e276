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

// expiry is the part of a form for the expiry of an API key or token: after
// some time, on a day, or never. Days are days in UTC, as everywhere in console
// and API, so the date is the same for all readers.
type expiry struct {
	Modes  []page.Option // "keep", "in", "on", "never"
	Number string
	Units  []page.Option
	Day    string // as <input type="date"> writes it
	First  string // first day that can be chosen
	Last   string // last day that can be chosen; empty: no limit
	Noun   string // "token"
	Help   string
	Fault  string
	Words  string // the expiry that results from the choice
	zone   string // of the reader; the expiry is also shown in this time zone
}

// The modes of an expiry.
const (
	expiryKeep  = "keep"
	expiryIn    = "in"
	expiryOn    = "on"
	expiryNever = "never"
)

// maxExpiryYears limits the number that can be typed. For longer lifetimes
// there is "never".
const maxExpiryYears = 100

const dayForm = "2006-01-02"

// newExpiry offers the modes, given as pairs of value and label. It fills in a
// number of days.
func newExpiry(now time.Time, zone string, days int, chosen string, modes ...string) expiry {
	e := expiry{
		Modes: page.Choices(chosen, modes...), Number: strconv.Itoa(days), Units: page.Choices("days", "days", "days", "months", "months", "years", "years"),
		First: now.UTC().Format(dayForm), Noun: "token", zone: zone,
	}
	e.Words = e.words(now)
	return e
}

// limit sets the last day that can be chosen.
func (e *expiry) limit(end time.Time) { e.Last = end.UTC().Format(dayForm) }

// Endless reports whether "never" can be chosen.
func (e expiry) Endless() bool { return page.HasOption(e.Modes, expiryNever) }

// read reads a form. It returns the mode and the expiry; nil if the mode has
// none. If the input makes no sense, it sets Fault.
func (e *expiry) read(form url.Values, now time.Time) (mode string, end *time.Time) {
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
	e.Modes = chosen(e.Modes, mode)
	if mode == expiryIn {
		e.Units = chosen(e.Units, unit)
	}
	end, e.Fault = e.end(mode, now)
	e.Words = e.words(now)
	return mode, end
}

// end returns the expiry of a mode, and what is wrong with the input.
func (e *expiry) end(mode string, now time.Time) (end *time.Time, fault string) {
	var day time.Time
	switch mode {
	case expiryIn:
		n, err := strconv.Atoi(e.Number)
		if err != nil || n < 1 {
			return nil, "Key expiration value needs to be greater than 0"
		}
		var ok bool
		if day, ok = dayLater(now.UTC(), n, chosenOf(e.Units)); !ok {
			return nil, fmt.Sprintf("At most %d years; choose \"never\" for longer", maxExpiryYears)
		}
	case expiryOn:
		var err error
		if day, err = time.Parse(dayForm, e.Day); err != nil {
			return nil, "Choose a day"
		}
	default:
		return nil, ""
	}
	day = endOf(day)
	if !day.After(now) {
		return nil, "This day is over"
	}
	return &day, ""
}

// words says which expiry results from the choice. It is empty if the input
// makes no sense or the label says it already.
func (e *expiry) words(now time.Time) string {
	mode := chosenOf(e.Modes)
	if mode == expiryNever {
		return "It will never expire."
	}
	end, fault := e.end(mode, now)
	if end == nil || fault != "" {
		return ""
	}
	return "It will expire on " + endText(*end, e.zone) + "."
}

// endText formats an expiry in UTC, and also in the reader's time zone if that
// differs.
func endText(end time.Time, zone string) string {
	text := end.UTC().Format("02 Jan 2006, 15:04:05") + " UTC"
	there := end.In(page.ZoneOf(zone))
	if _, offset := there.Zone(); offset == 0 {
		return text
	}
	return text + " (" + there.Format("02 Jan, 15:04") + " in " + zone + ")"
}

// endWords says until when a token is valid.
func endWords(end *time.Time, zone string) string {
	if end == nil {
		return "It never expires: it works until somebody deletes it."
	}
	return "It expires on " + endText(*end, zone) + "."
}

// showExpiry answers GET /expiry: the sentence for the present input of a form.
// The script asks for it, so that the rule exists only here.
func (s *ownTokenHandlers) showExpiry(w http.ResponseWriter, r *http.Request) error {
	e := newExpiry(s.Store.Now(), auth.From(r.Context()).User.Timezone, 0, expiryKeep, expiryKeep, "", expiryIn, "", expiryOn, "", expiryNever, "")
	e.read(r.URL.Query(), s.Store.Now())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err := io.WriteString(w, e.Words)
	return page.IgnoreGone(err)
}

// chosen returns the options with another one chosen. It changes nothing if no
// option has the value.
func chosen(options []page.Option, value string) []page.Option {
	if !page.HasOption(options, value) {
		return options
	}
	for i := range options {
		options[i].Chosen = options[i].Value == value
	}
	return options
}

// chosenOf returns the value of the chosen option.
func chosenOf(options []page.Option) string {
	for _, o := range options {
		if o.Chosen {
			return o.Value
		}
	}
	return ""
}

// dayLater returns the day that is n units later. If the month is too short for
// the day, it returns the last day of the month.
func dayLater(day time.Time, n int, unit string) (time.Time, bool) {
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

// endOf returns the last second of a day in its time zone.
func endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, day.Location())
}
