package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// ListRules are the filters and orders of a list. The console declares them with
// the columns of its own lists, so a filter finds the same in both.
type ListRules struct {
	Filters map[string]ListFilter // by name
	Orders  []string              // names of orders
	// Select returns the ids of the things that pass the filters. Each has a text
	// for each wanted order; the byte order of the texts is the order.
	Select func(*store.Tx, Selection) (map[string][]string, error)
}

// ListFilter is a filter of a list.
type ListFilter struct {
	IsFlag bool     // its value is true or false
	Known  []string // the values that there can be; nil: any
}

// Lists are the rules of the lists; nil: a list has no filters and orders.
type Lists struct {
	Hosts, Clusters, Databases, SAPSystems, Health, Incidents, Users, Tokens *ListRules
	// ReadIncidents returns all incidents as the dashboard has them, in its order.
	// Those of agents without a registered host have a root of the kind AgentThing.
	ReadIncidents func(*store.Tx) ([]*landscape.Incident, error)
}

// Selection says which things of a list are wanted, and by what they are
// ordered.
type Selection struct {
	Words   string              // must all occur in the thing
	Filters map[string][]string // by name; one of the values must hold
	Orders  []string
}

// listQuery are the parameters of a list. All are optional.
type listQuery struct {
	hasParameters bool // there is at least one of them
	limit         int  // 0: all things
	after         *listPosition
	fields        []string // nil: all
	selection     Selection
	descending    []bool // by order of the selection
}

// maxLimit is the largest number of things on a page of a list.
const maxLimit = 1000

// listParameters are the parameters of lists.
var listParameters = []string{"limit", "cursor", "q", "filter", "sort", "fields"}

// listPosition is the position of a thing in a list, from which the list goes on
// after it. It does not name a number of things, so nothing is left out and
// nothing repeated when others come and go. It is a cursor of clients.
type listPosition struct {
	Sort string   `json:"s"` // the orders, so that a cursor does not go with others
	Keys []string `json:"k"` // by order; the last is the name
	ID   string   `json:"i"`
}

func (p listPosition) cursor() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic("api: position of a list: " + err.Error()) // it has only texts
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseListPosition(cursor string) (*listPosition, bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, false
	}
	p := new(listPosition)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, false
	}
	return p, len(p.Keys) == len(splitList(p.Sort))+1
}

// readListQuery reads the parameters of a list. Without any of them it ignores
// the whole query, as existing clients expect. With one, it refuses those that
// it does not know.
func readListQuery(r *http.Request, rules *ListRules, members []string) (*listQuery, error) {
	q := new(listQuery)
	in := readInput(r)
	for _, name := range listParameters {
		q.hasParameters = in.parameter(name) != nil || q.hasParameters
	}
	if !q.hasParameters {
		return q, nil
	}
	if limit := in.queryInteger("limit"); limit != nil {
		if q.limit = *limit; q.limit < 1 || q.limit > maxLimit {
			in.refuse("limit", fmt.Sprintf("must be from 1 to %d", maxLimit))
		}
	}
	q.fields = in.names("fields", members)
	q.selection.Words = in.searchWords()
	q.readFilters(in, rules)
	if rules == nil {
		rules = new(ListRules)
	}
	for _, name := range in.names("sort", withDescending(rules.Orders)) {
		name, descending := strings.CutPrefix(name, "-")
		if slices.Contains(q.selection.Orders, name) {
			in.refuse("sort", "names "+name+" twice")
		}
		q.selection.Orders, q.descending = append(q.selection.Orders, name), append(q.descending, descending)
	}
	if cursor := in.queryText("cursor"); cursor != "" {
		var ok bool
		if q.after, ok = parseListPosition(cursor); !ok || q.after.Sort != q.sort() {
			in.refuse("cursor", "is not a cursor of this list in this order")
		}
	}
	return q, in.fault()
}

// maxWords is the largest length of the words of a search, in characters.
const maxWords = 200

// searchWords reads the words of a search.
func (in *input) searchWords() string {
	words := strings.TrimSpace(in.queryText("q"))
	if utf8.RuneCountInString(words) > maxWords {
		in.refuse("q", fmt.Sprintf("should be at most %d character(s)", maxWords))
	}
	return words
}

// names reads a list of names, in one value with commas or in several values.
func (in *input) names(parameter string, known []string) []string {
	var names []string
	for i, name := range in.queryWords(parameter) {
		if !slices.Contains(known, name) {
			in.refuse(fmt.Sprintf("%s/%d", parameter, i), unknownNameDetail(name, known))
		}
		names = append(names, name)
	}
	return names
}

// unknownNameDetail is the detail of a fault of a name that is not among the known ones.
func unknownNameDetail(name string, known []string) string {
	return fmt.Sprintf("%s is unknown; there are %s", truncatedName(name), strings.Join(known, ", "))
}

// splitList splits a text with commas; "" has no parts.
func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// withDescending returns names of orders, each also with a minus.
func withDescending(orders []string) []string {
	var names []string
	for _, name := range orders {
		names = append(names, name, "-"+name)
	}
	return names
}

// readFilters reads the filters: filter[health]=critical. A filter can be given
// several times.
func (q *listQuery) readFilters(in *input, rules *ListRules) {
	given := in.parameter("filter")
	if given == nil {
		return
	}
	values, _ := url.ParseQuery(in.r.URL.RawQuery) // in.parameter has parsed it
	q.selection.Filters = make(map[string][]string)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, ok := strings.CutPrefix(key, "filter")
		if !ok || name != "" && name[0] != '[' {
			continue
		}
		name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(name, "[]"), "["), "]")
		filter, ok := rules.filter(name)
		if !ok {
			in.refuse(truncatedName("filter["+name+"]"), unknownNameDetail(name, rules.filterNames()))
			continue
		}
		wanted := values[key]
		if !strings.HasSuffix(key, "[]") {
			wanted = splitBracketed(wanted)
		}
		for i, value := range wanted {
			switch {
			case filter.IsFlag && value != "true" && value != "false":
				in.refuse("filter["+name+"]", "Invalid boolean. Got: string")
			case filter.Known != nil && !slices.Contains(filter.Known, value):
				in.refuse(fmt.Sprintf("filter[%s]/%d", name, i), unknownNameDetail(value, filter.Known))
			}
		}
		q.selection.Filters[name] = append(q.selection.Filters[name], wanted...)
	}
}

func (rules *ListRules) filter(name string) (filter ListFilter, ok bool) {
	if rules != nil {
		filter, ok = rules.Filters[name]
	}
	return filter, ok
}

func (rules *ListRules) filterNames() []string {
	if rules == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(rules.Filters))
}

// sort returns the orders as in the parameter of the same name.
func (q *listQuery) sort() string {
	names := make([]string, len(q.selection.Orders))
	for i, name := range q.selection.Orders {
		if names[i] = name; q.descending[i] {
			names[i] = "-" + name
		}
	}
	return strings.Join(names, ",")
}

// filtersOrSorts reports whether the query searches for words, filters or sorts, for
// which the rules of the list are needed.
func (q *listQuery) filtersOrSorts() bool {
	return q.selection.Words != "" || len(q.selection.Filters) > 0 || len(q.selection.Orders) > 0
}

// compare compares positions: by the orders, then by name and id.
func (q *listQuery) compare(a, b *listPosition) int {
	for i := range a.Keys {
		if order := strings.Compare(a.Keys[i], b.Keys[i]); order != 0 {
			if i < len(q.descending) && q.descending[i] {
				return -order
			}
			return order
		}
	}
	return strings.Compare(a.ID, b.ID)
}

// maxKey is how many bytes of a text decide about the order. Cursors contain the
// texts.
const maxKey = 200

func shortKey(key string) string {
	if len(key) <= maxKey {
		return key
	}
	return strings.ToValidUTF8(key[:maxKey], "")
}

// pageOf cuts a list to the wanted page. next is the cursor of the next one, ""
// if there is none. total is the number of things on all pages.
func pageOf[K comparable](q *listQuery, rows []row[K], selected map[string][]string) (shown []row[K], total int, next string) {
	if !q.hasParameters {
		return rows, len(rows), ""
	}
	type placed struct {
		row[K]
		at *listPosition
	}
	var all []placed
	for _, r := range rows {
		var keys []string
		if q.filtersOrSorts() {
			var ok bool
			if keys, ok = selected[r.id]; !ok {
				continue
			}
		}
		keys = append(keys, r.name)
		for i := range keys {
			keys[i] = shortKey(keys[i])
		}
		all = append(all, placed{r, &listPosition{q.sort(), keys, r.id}})
	}
	slices.SortStableFunc(all, func(a, b placed) int { return q.compare(a.at, b.at) })
	total = len(all)
	if q.after != nil {
		from := slices.IndexFunc(all, func(p placed) bool { return q.compare(p.at, q.after) > 0 })
		if from < 0 {
			from = len(all)
		}
		all = all[from:]
	}
	if q.limit > 0 && len(all) > q.limit {
		all = all[:q.limit]
		next = all[len(all)-1].at.cursor()
	}
	for _, p := range all {
		shown = append(shown, p.row)
	}
	return shown, total, next
}

// nextPage returns the header Link to the next page. The address repeats the
// query of the client without a token.
func nextPage(r *http.Request, cursor string) string {
	query := r.URL.Query()
	query.Del(auth.TokenParameter)
	query.Set("cursor", cursor)
	return fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), query.Encode())
}
