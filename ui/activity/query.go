package activity

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/search"
	"trento/store/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// logQuery is the state of the page of the log, from its address.
type logQuery struct {
	words         string
	actors        []string
	types         []string
	severities    []string // empty: defaultSeverities
	from, to      dateChoice
	size          int
	sizeInAddress bool
	forward       bool              // towards newer entries
	cursor        activity.Position // position after which the page begins; 0: the newest or, with forward, the oldest entry
	refresh       refreshRate
	entry         string   // cursor of the open entry
	unfolded      bool     // one row for each entry
	openGroups    []string // correlation ids of the rows that show all their entries
}

// dateChoice is the begin or the end of a period. A relative one stays
// relative, so that a bookmark of "the last hour" keeps its meaning.
type dateChoice struct {
	relative string // key of relativeDates
	custom   time.Time
}

var relativeDates = []struct {
	key string
	ago time.Duration
}{
	{"1h", time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour},
}

// customDate is the first value of a date parameter whose second value is a
// time.
const customDate = "custom"

// dateLayouts are the formats of a typed time: those of browsers, with or
// without seconds, and those of the API. Without a zone it is in UTC.
var dateLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"}

// defaultSeverities are shown if the address names none.
var defaultSeverities = []string{"info", "warning", "critical"}

// defaultEntries is the number of entries on a page if nobody has chosen
// another.
const defaultEntries = 20

// refreshRate says how often a page of the log is refreshed, as in its address:
// the milliseconds between refreshes, "live", or "" for never.
type refreshRate string

// refreshLive shows new entries as soon as they are written.
const refreshLive refreshRate = "live"

// seconds returns the seconds between refreshes; 0 for never or live.
func (rate refreshRate) seconds() int {
	ms, _ := strconv.Atoi(string(rate)) // "live" is not a number and gives 0
	return ms / 1000
}

// refreshRates are the rates that are offered.
var refreshRates = []page.Option{
	{Value: "", Label: "Off"}, {Value: string(refreshLive), Label: "Live"},
	{Value: "5000", Label: "5s"}, {Value: "10000", Label: "10s"}, {Value: "30000", Label: "30s"},
	{Value: "60000", Label: "1m"}, {Value: "300000", Label: "5m"}, {Value: "1800000", Label: "30m"},
}

// rowPerEntry is the value of the parameter rows with which each entry is a
// row.
const rowPerEntry = "entries"

// parseLogQuery reads an address. It ignores what it does not understand.
func parseLogQuery(q url.Values, size int) logQuery {
	l := logQuery{
		words:  strings.TrimSpace(q.Get("search")),
		actors: table.Unique(q["actor"]), types: table.Unique(q["type"]),
		from: parseDate(q["from_date"]), to: parseDate(q["to_date"]),
		size: size, entry: q.Get("entry"), unfolded: q.Get("rows") == rowPerEntry, openGroups: openRows(q),
	}
	for _, name := range table.Unique(q["severity"]) {
		if _, ok := activity.ParseSeverity(name); ok {
			l.severities = append(l.severities, name)
		}
	}
	cursor := q.Get("after")
	sizeText := q.Get("first")
	if q.Has("last") || q.Has("before") {
		l.forward, cursor, sizeText = true, q.Get("before"), q.Get("last")
	}
	if p, err := activity.ParseCursor(cursor); err == nil {
		l.cursor = p
	} else if cursor != "" {
		l.forward = false
	}
	if n, err := strconv.Atoi(sizeText); err == nil && slices.Contains(page.PageSizes, n) {
		l.size, l.sizeInAddress = n, true
	}
	for _, rate := range refreshRates[1:] {
		if rate.Value == q.Get("refreshRate") {
			l.refresh = refreshRate(rate.Value)
		}
	}
	return l
}

func parseDate(values []string) dateChoice {
	for _, v := range values {
		for _, rel := range relativeDates {
			if v == rel.key {
				return dateChoice{relative: v}
			}
		}
		for _, layout := range dateLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return dateChoice{custom: t.UTC()}
			}
		}
	}
	return dateChoice{}
}

func (d dateChoice) isSet() bool { return d != dateChoice{} }

// time returns the time of the choice; the zero time if nothing is chosen.
func (d dateChoice) time(now time.Time) time.Time {
	for _, rel := range relativeDates {
		if d.relative == rel.key {
			return now.Add(-rel.ago)
		}
	}
	return d.custom
}

func (d dateChoice) label() string {
	switch {
	case d.relative != "":
		return d.relative + " ago"
	case !d.custom.IsZero():
		return d.custom.Format("02 Jan 2006, 15:04:05 UTC")
	}
	return ""
}

func (d dateChoice) values() []string {
	switch {
	case d.relative != "":
		return []string{d.relative}
	case !d.custom.IsZero():
		return []string{customDate, d.custom.Format("2006-01-02T15:04:05.000Z")}
	}
	return nil
}

// isFirstPage reports whether the page shows the newest entries.
func (l logQuery) isFirstPage() bool { return !l.forward && l.cursor == 0 }

// filterValues returns the parameters of the address that filter.
func (l logQuery) filterValues() url.Values {
	q := url.Values{}
	set := func(key string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			q[key] = values
		}
	}
	set("search", l.words)
	set("actor", l.actors...)
	set("type", l.types...)
	set("severity", l.severities...)
	set("from_date", l.from.values()...)
	set("to_date", l.to.values()...)
	return q
}

// values returns the parameters of the address, without the open entry.
func (l logQuery) values() url.Values {
	q := l.filterValues()
	sizeKey := "first"
	if l.forward {
		sizeKey = "last"
		q.Set("last", strconv.Itoa(l.size))
	}
	if l.sizeInAddress {
		q.Set(sizeKey, strconv.Itoa(l.size))
	}
	if l.cursor != 0 {
		key := "after"
		if l.forward {
			key = "before"
		}
		q.Set(key, l.cursor.Cursor())
	}
	if l.refresh != "" {
		q.Set("refreshRate", string(l.refresh))
	}
	if l.unfolded {
		q.Set("rows", rowPerEntry)
	}
	if len(l.openGroups) > 0 {
		q["open"] = l.openGroups
	}
	return q
}

// savedValues returns the parameters that a saved view keeps: the filters and
// how the log is shown, but not where in the log the reader is, nor what is open
// or refreshed.
func (l logQuery) savedValues() url.Values {
	l = l.fromNewest()
	l.refresh = ""
	return l.values()
}

// filter returns the query as a filter of package activity.
func (l logQuery) filter(now time.Time) (activity.Filter, error) {
	words, err := activity.ParseSearch(l.words)
	if err != nil {
		return activity.Filter{}, err
	}
	f := activity.Filter{Actors: l.actors, From: l.from.time(now), To: l.to.time(now), Search: words}
	for _, t := range l.types {
		f.Types = append(f.Types, activity.Type(t))
	}
	names := l.severities
	if len(names) == 0 {
		names = defaultSeverities
	}
	for _, name := range names {
		if severity, ok := activity.ParseSeverity(name); ok {
			f.Severities = append(f.Severities, severity)
		}
	}
	return f, nil
}

func (l logQuery) searchWalk() search.Walk {
	return search.Walk{From: l.cursor, Limit: l.size, Forward: l.forward, Count: true}
}

// chips returns the active filters, each with the address without it. The
// default severities do not count as a filter.
func (l logQuery) chips() []table.Chip {
	var chips table.ChipList
	add := func(label, value string, without logQuery) {
		chips.Add(label, value, func() string { return page.WithQuery("/activity_log", without.fromNewest().values()) })
	}
	if l.words != "" {
		without := l
		without.words = ""
		add("Metadata", l.words, without)
	}
	for _, actor := range l.actors {
		without := l
		without.actors = withoutValue(l.actors, actor)
		add("User", actor, without)
	}
	for _, t := range l.types {
		without := l
		without.types = withoutValue(l.types, t)
		add("Type", activity.Type(t).Label(), without)
	}
	if len(l.severities) > 0 && !sameSet(l.severities, defaultSeverities) {
		for _, name := range l.severities {
			without := l
			without.severities = withoutValue(l.severities, name)
			add("Severity", severityLabel(name), without)
		}
	}
	if l.from.isSet() {
		without := l
		without.from = dateChoice{}
		add("From date", l.from.label(), without)
	}
	if l.to.isSet() {
		without := l
		without.to = dateChoice{}
		add("To date", l.to.label(), without)
	}
	return chips.All()
}

// fromNewest returns the query with the page of the newest entries, and without
// an open entry.
func (l logQuery) fromNewest() logQuery {
	l.forward, l.cursor, l.entry, l.openGroups = false, 0, "", nil
	return l
}

// pageLinks returns the links to other pages of the log.
func (l logQuery) pageLinks(found search.Page) []table.Step {
	to := func(forward bool, from activity.Position) string {
		target := l
		target.forward, target.cursor, target.sizeInAddress, target.openGroups = forward, from, true, nil
		return page.WithQuery("/activity_log", target.values())
	}
	older, newer := found.More, !l.isFirstPage()
	if l.forward {
		older, newer = l.cursor != 0, found.More
	}
	var first, previous, next, last string
	if n := len(found.Entries); n > 0 && newer {
		first, previous = to(false, 0), to(true, found.Entries[0].Position)
	}
	if n := len(found.Entries); n > 0 && older {
		next, last = to(false, found.Entries[n-1].Position), to(true, 0)
	}
	if len(found.Entries) == 0 && newer {
		first = to(false, 0)
	}
	return table.Steps(first, previous, next, last)
}

// searchHints explains a search that finds nothing, or whose syntax means
// something else than people expect.
func (l logQuery) searchHints(found int) []string {
	hints := activity.SearchHints(l.words)
	if len(hints) == 0 && l.words != "" && found == 0 && !strings.Contains(l.words, "*") {
		hints = append(hints, "Values are compared as a whole. To find a part of one, add stars: *"+strings.Trim(l.words, `"`)+"*")
	}
	return hints
}

func withoutValue(values []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == value })
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
