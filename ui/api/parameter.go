package api

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store/landscape"
)

// parameters are the parameters of a query, by name. Clients write lists in two
// ways, severity=info&severity=warning and severity[]=info. Both are the
// parameter severity.
type parameters map[string]*parameter

type parameter struct {
	values    []string
	isList    bool // written with brackets, or given more than once
	isObject  bool // written with a key in the brackets
	isHandled bool // the handler has read it
}

// parameter returns a parameter of the query, or nil if it was not given.
func (in *input) parameter(name string) *parameter {
	if in.query == nil {
		in.readQuery()
	}
	given := in.query[name]
	if given != nil {
		given.isHandled = true
	}
	return given
}

func (in *input) readQuery() {
	in.query = make(parameters)
	values, err := url.ParseQuery(in.r.URL.RawQuery)
	if err != nil {
		in.queryFault = errBadRequest
		return
	}
	delete(values, auth.TokenParameter) // auth has read this parameter already
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, brackets, bracketed := strings.Cut(key, "[")
		given := in.query[name]
		if given == nil {
			given = new(parameter)
			in.query[name] = given
		}
		given.values = append(given.values, values[key]...)
		given.isList = given.isList || bracketed || len(given.values) > 1
		given.isObject = given.isObject || bracketed && brackets != "]"
	}
}

// unexpected returns the alphabetically first parameter that the handler has not
// read.
func (p parameters) unexpected() (name string, ok bool) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !p[name].isHandled {
			return name, true
		}
	}
	return "", false
}

// queryScalar reads a parameter that has one value. typ is the name of its type
// in faults.
func (in *input) queryScalar(name, typ string) (text string, ok bool) {
	given := in.parameter(name)
	switch {
	case given == nil:
		return "", false
	case given.isObject:
		in.refuse(name, "Invalid "+typ+". Got: object")
	case given.isList:
		in.refuse(name, "Invalid "+typ+". Got: array")
	default:
		return given.values[0], true
	}
	return "", false
}

// queryText reads a string. It returns "" if the parameter was not given.
func (in *input) queryText(name string) string {
	text, _ := in.queryScalar(name, "string")
	return text
}

// queryInteger reads an integer. It returns nil if the parameter was not given.
// An integer that does not fit into an int becomes the largest int.
func (in *input) queryInteger(name string) *int {
	text, ok := in.queryScalar(name, "integer")
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		in.refuse(name, "Invalid integer. Got: string")
		return nil
	}
	return &n
}

// queryBool reads true or false. It returns false if the parameter was not
// given.
func (in *input) queryBool(name string) bool {
	text, ok := in.queryScalar(name, "boolean")
	if ok && text != "true" && text != "false" {
		in.refuse(name, "Invalid boolean. Got: string")
	}
	return text == "true"
}

// queryList reads a parameter that may be given several times, or once as
// splitBracketed reads it. A list of one, as in actor[]=[x], is not split.
func (in *input) queryList(name string) []string {
	given := in.parameter(name)
	switch {
	case given == nil:
		return nil
	case given.isObject:
		in.refuse(name, "Invalid array. Got: object")
		return nil
	case !given.isList:
		return splitBracketed(given.values)
	}
	return given.values
}

// splitBracketed returns the values within a single value in brackets, as in
// severity=[info warning]. The existing MCP server writes lists so. Other values
// are returned as they are.
func splitBracketed(values []string) []string {
	if len(values) == 1 {
		if within, ok := strings.CutPrefix(values[0], "["); ok && strings.HasSuffix(within, "]") {
			return strings.Fields(strings.TrimSuffix(within, "]"))
		}
	}
	return values
}

// queryID reads an id. It returns "" if the parameter was not given.
func (in *input) queryID(name string) string {
	text, ok := in.queryScalar(name, "string")
	if !ok {
		return ""
	}
	id, ok := landscape.ParseID[string](text) // all ids have the same format
	if !ok {
		in.refuse(name, notUUID)
	}
	return id
}

// queryTime reads a time with its zone. It returns the zero time if the
// parameter was not given. Date and time are separated by a T or a space.
func (in *input) queryTime(name string) time.Time {
	text, ok := in.queryScalar(name, "string")
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.IsZero() {
				t = t.Add(1) // the zero time would mean that none was given
			}
			return t
		}
	}
	in.refuse(name, notDateTime)
	return time.Time{}
}

// isBlank reports whether a text is empty or only white space.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// The sizes of a page of a list, in entries.
const (
	defaultPageSize = 25
	maxPageSize     = 100
)

// pagination describes a page of a list.
type pagination struct {
	EndCursor   *string `json:"end_cursor"` // null if the page is empty
	First       int     `json:"first"`      // requested size
	HasNextPage bool    `json:"has_next_page"`
}

// queryPage reads the size of a page and the cursor after which the page
// begins.
func (in *input) queryPage() (size int, after string) {
	size = defaultPageSize
	first, after := in.queryInteger("first"), in.queryText("after")
	if first != nil {
		size = *first
	}
	if size < 1 || size > maxPageSize {
		in.queryFault = errBadRequest
	}
	return size, after
}
