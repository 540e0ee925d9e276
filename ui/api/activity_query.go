package api

import (
	"slices"
	"strconv"

	"trento/search"
	"trento/store/activity"
)

// logQuery holds the parameters of a query of the activity log. A parameter
// that was not given is nil or empty.
type logQuery struct {
	filter        activity.Filter
	first, last   *int
	after, before string
}

// logQuery reads the parameters of the activity log.
func (in *input) logQuery() logQuery {
	q := logQuery{
		first: in.queryInteger("first"), last: in.queryInteger("last"),
		after: in.queryText("after"), before: in.queryText("before"),
		filter: activity.Filter{
			Actors: distinct(in.queryList("actor")),
			From:   in.queryTime("from_date"), To: in.queryTime("to_date"),
		},
	}
	for _, name := range distinct(in.queryList("type")) {
		q.filter.Types = append(q.filter.Types, activity.Type(name))
	}
	for i, name := range in.queryList("severity") {
		severity, ok := activity.ParseSeverity(name)
		if !ok {
			in.refuse("severity/"+strconv.Itoa(i), "Invalid value for enum")
		}
		q.filter.Severities = append(q.filter.Severities, severity)
	}
	var err error
	if q.filter.Search, err = activity.ParseSearch(in.queryText("search")); err != nil {
		in.refuse("search", err.Error())
	}
	return q
}

// distinct returns the values without blank and repeated ones. The filter joins
// values by OR, so these have no effect.
func distinct(values []string) []string {
	var kept []string
	for _, v := range values {
		if !isBlank(v) && !slices.Contains(kept, v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// walk returns the part of the log that the query asks for. It fails with
// errBadRequest if the query mixes first/after with last/before, or has an
// invalid size or cursor.
func (q logQuery) walk() (search.Walk, error) {
	cursor, size := q.after, q.first
	backward := q.last != nil || !isBlank(q.before)
	if backward {
		if q.first != nil || !isBlank(q.after) {
			return search.Walk{}, errBadRequest
		}
		cursor, size = q.before, q.last
	}
	walk := search.Walk{Limit: defaultPageSize, Forward: backward}
	if size != nil {
		walk.Limit = *size
	}
	if walk.Limit < 1 || walk.Limit > maxPageSize {
		return search.Walk{}, errBadRequest
	}
	if !isBlank(cursor) {
		from, err := activity.ParseCursor(cursor)
		if err != nil || from == 0 {
			return search.Walk{}, errBadRequest
		}
		walk.From = from
	}
	return walk, nil
}
