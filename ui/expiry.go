package ui

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// expiry is the part of a form that says when a key or a token ends: in some
// time, on a day, or never.
type expiry struct {
	Modes  []option // "keep", "in", "on", "never"
	Number string
	Units  []option
	Day    string // as <input type="date"> writes it
	First  string // day that can be chosen
	Last   string // day that can be chosen, empty where there is no limit
	Zone   string // whose days these are
	Help   string
	Fault  string
}

// The modes of an expiry.
const (
	expiryKeep  = "keep"
	expiryIn    = "in"
	expiryOn    = "on"
	expiryNever = "never"
)

// maxExpiryYears bounds what is typed; keys that live longer can be told never
// to end.
const maxExpiryYears = 100

const dayForm = "2006-01-02"

// newExpiry offers the modes, given as pairs of value and label, with the
// number of days preset.
func newExpiry(now time.Time, zone string, days int, chosen string, modes ...string) expiry {
	return expiry{
		Modes: choices(chosen, modes...), Number: strconv.Itoa(days), Units: choices("days", "days", "days", "months", "months", "years", "years"),
		First: now.In(zoneOf(zone)).Format(dayForm), Zone: zone,
	}
}

// limit allows no end after the given one.
func (e *expiry) limit(end time.Time) { e.Last = end.In(zoneOf(e.Zone)).Format(dayForm) }

// read takes what was typed over into the form, and returns what it says: the
// mode, and the end of the day where it names one. A Fault says that it makes
// no sense.
func (e *expiry) read(form url.Values, now time.Time) (mode string, end *time.Time) {
	mode = form.Get("expiry")
	e.Number, e.Day = strings.TrimSpace(form.Get("number")), form.Get("day")
	e.Units = chosen(e.Units, form.Get("unit"))
	e.Modes = chosen(e.Modes, mode)
	zone := zoneOf(e.Zone)
	switch mode {
	case expiryKeep, expiryNever:
		return mode, nil
	case expiryIn:
		n, err := strconv.Atoi(e.Number)
		if err != nil || n < 1 {
			e.Fault = "Key expiration value needs to be greater than 0"
			return mode, nil
		}
		day, ok := dayLater(now.In(zone), n, form.Get("unit"))
		if !ok {
			e.Fault = fmt.Sprintf("At most %d years; choose \"never\" for longer", maxExpiryYears)
			return mode, nil
		}
		day = endOf(day)
		return mode, &day
	}
	day, err := time.ParseInLocation(dayForm, e.Day, zone)
	if err != nil {
		e.Fault = "Choose a day"
		return mode, nil
	}
	day = endOf(day)
	if !day.After(now) {
		e.Fault = "This day is over"
		return mode, nil
	}
	return mode, &day
}

// chosen are the options with another one chosen; the first where the value
// is none of them.
func chosen(options []option, value string) []option {
	found := false
	for i := range options {
		options[i].Chosen = options[i].Value == value
		found = found || options[i].Chosen
	}
	if !found && len(options) > 0 {
		options[0].Chosen = true
	}
	return options
}

// dayLater is a day that many units later. A month that has no such day ends with
// its last one.
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

// endOf is the last second of a day in its zone.
func endOf(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, day.Location())
}
