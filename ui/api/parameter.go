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

// parameters are the parameters of a query by name. Clients write lists in
// two ways, severity=info&severity=warning and severity[]=info; both are the
// parameter severity.
type parameters map[string]*parameter

type parameter struct {
	values []string
	list   bool // written with brackets, or more than once
	object bool // written with a key in the brackets
	known  bool // it was asked for
}

// parameter is a parameter of the query, nil where it was not given.
func (in *input) parameter(name string) *parameter {
	if in.query == nil {
		in.readQuery()
	}
	given := in.query[name]
	if given != nil {
		given.known = true
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
	delete(values, auth.TokenParameter) // who asks is not part of the question
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name, brackets, bracketed := strings.Cut(key, "[")
		given := in.query[name]
		if given == nil {
			given = new(parameter)
			in.query[name] = given
		}
		given.values = append(given.values, values[key]...)
		given.list = given.list || bracketed || len(given.values) > 1
		given.object = given.object || bracketed && brackets != "]"
	}
}

// unexpected is the first parameter that was not asked for.
func (p parameters) unexpected() (name string, ok bool) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !p[name].known {
			return name, true
		}
	}
	return "", false
}

// queryScalar is a parameter that is to be one value of some type.
func (in *input) queryScalar(name, typ string) (text string, ok bool) {
	given := in.parameter(name)
	switch {
	case given == nil:
		return "", false
	case given.object:
		in.refuse(name, "Invalid "+typ+". Got: object")
	case given.list:
		in.refuse(name, "Invalid "+typ+". Got: array")
	default:
		return given.values[0], true
	}
	return "", false
}

// queryText is a parameter that is a text; empty where it was not given.
func (in *input) queryText(name string) string {
	text, _ := in.queryScalar(name, "string")
	return text
}

// queryInteger is a parameter that is a whole number; nil where it was not
// given. One that is too large for us is the largest we have.
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

// queryBool is a parameter that is true or false; false where it was not given.
func (in *input) queryBool(name string) bool {
	text, ok := in.queryScalar(name, "boolean")
	if ok && text != "true" && text != "false" {
		in.refuse(name, "Invalid boolean. Got: string")
	}
	return text == "true"
}

// queryList is a parameter that may be given several times.
func (in *input) queryList(name string) []string {
	given := in.parameter(name)
	switch {
	case given == nil:
		return nil
	case given.object:
		in.refuse(name, "Invalid array. Got: object")
		return nil
	}
	return given.values
}

// queryID is a parameter that is the id of something; empty where it was not
// given.
func (in *input) queryID(name string) string {
	text, ok := in.queryScalar(name, "string")
	if !ok {
		return ""
	}
	id, ok := landscape.ParseID[string](text) // all ids are of one form
	if !ok {
		in.refuse(name, notUUID)
	}
	return id
}

// queryTime is a parameter that is a time with its zone, date and time parted
// by a T or by a blank; zero where it was not given.
func (in *input) queryTime(name string) time.Time {
	text, ok := in.queryScalar(name, "string")
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.IsZero() {
				t = t.Add(1) // a time, and not the absence of one
			}
			return t
		}
	}
	in.refuse(name, notDateTime)
	return time.Time{}
}

// isBlank reports whether a text says nothing.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// The sizes a page of a list can have.
const (
	defaultPage = 25
	largestPage = 100
)

// pagination says where a page of a list ends.
type pagination struct {
	EndCursor   *string `json:"end_cursor"` // null where the page is empty
	First       int     `json:"first"`      // the size that was asked for
	HasNextPage bool    `json:"has_next_page"`
}

// queryPage is the size of a page and the cursor it begins behind.
func (in *input) queryPage() (size int, after string) {
	size = defaultPage
	first, after := in.queryInteger("first"), in.queryText("after")
	if first != nil {
		size = *first
	}
	if size < 1 || size > largestPage {
		in.queryFault = errBadRequest
	}
	return size, after
}
