package api

import (
	"slices"
	"strconv"
	"time"

	"trento/search"
	"trento/store/activity"
)

// The sizes a page of the log can have.
const (
	usualPage   = 25
	largestPage = 100
)

// logQuery is a query of the activity log whose parameters are well-formed.
// What is nil or empty was not given.
type logQuery struct {
	filter        activity.Filter
	first, last   *int
	after, before string
}

// logQuery reads the parameters of the activity log. All problems are
// reported together.
func (p parameters) logQuery() (logQuery, error) {
	if err := p.only("first", "after", "last", "before", "from_date", "to_date", "actor", "type", "severity", "search"); err != nil {
		return logQuery{}, err
	}
	var wrong []problem
	q := logQuery{
		first: p.integer("first", &wrong), last: p.integer("last", &wrong),
		after: p.text("after", &wrong), before: p.text("before", &wrong),
		filter: activity.Filter{
			Actors: distinct(p.list("actor", &wrong)),
			From:   p.dateTime("from_date", &wrong), To: p.dateTime("to_date", &wrong),
		},
	}
	for _, name := range distinct(p.list("type", &wrong)) {
		q.filter.Types = append(q.filter.Types, activity.Type(name))
	}
	for i, name := range p.list("severity", &wrong) {
		severity, ok := activity.ParseSeverity(name)
		if !ok {
			wrong = append(wrong, invalid("/severity/"+strconv.Itoa(i), "Invalid value for enum"))
		}
		q.filter.Severities = append(q.filter.Severities, severity)
	}
	var err error
	if q.filter.Search, err = activity.ParseSearch(p.text("search", &wrong)); err != nil {
		wrong = append(wrong, invalid("/search", err.Error()))
	}
	return q, unprocessable(wrong...)
}

// distinct is the values without blanks and repetitions: they are joined by
// OR, where neither means anything.
func distinct(values []string) []string {
	var kept []string
	for _, v := range values {
		if !blank(v) && !slices.Contains(kept, v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// walk is the part of the log the query asks for. A query that asks for two
// parts at once, or for one there cannot be, is a bad request.
func (q logQuery) walk() (search.Walk, error) {
	cursor, size := q.after, q.first
	backward := q.last != nil || !blank(q.before)
	if backward {
		if q.first != nil || !blank(q.after) {
			return search.Walk{}, errBadRequest
		}
		cursor, size = q.before, q.last
	}
	walk := search.Walk{Limit: usualPage, Forward: backward}
	if size != nil {
		walk.Limit = *size
	}
	if walk.Limit < 1 || walk.Limit > largestPage {
		return search.Walk{}, errBadRequest
	}
	if !blank(cursor) {
		from, err := activity.ParseCursor(cursor)
		if err != nil || from == 0 {
			return search.Walk{}, errBadRequest
		}
		walk.From = from
	}
	return walk, nil
}

// dateTime is a parameter that is a time with its zone, date and time parted
// by a T or by a blank; zero where it was not given.
func (p parameters) dateTime(name string, wrong *[]problem) time.Time {
	text, ok := p.scalar(name, "string", wrong)
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.IsZero() {
				t = t.Add(1) // a moment, and not the absence of one
			}
			return t
		}
	}
	*wrong = append(*wrong, invalid("/"+name, `Invalid format. Expected :"date-time"`))
	return time.Time{}
}
