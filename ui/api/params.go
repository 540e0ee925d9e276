package api

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
)

// parameters are the parameters of a query by name. Clients write lists in
// two ways, severity=info&severity=warning and severity[]=info; both are the
// parameter severity.
type parameters map[string]parameter

type parameter struct {
	values []string
	list   bool // written with brackets, or more than once
	object bool // written with a key in the brackets
}

// newParameters reads the query of a request. One that is not a query at all
// is a bad request.
func newParameters(r *http.Request) (parameters, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errBadRequest
	}
	p := make(parameters)
	delete(values, auth.TokenParameter) // who asks is not part of the question
	for _, key := range slices.Sorted(maps.Keys(values)) {
		given := values[key]
		name, brackets, bracketed := strings.Cut(key, "[")
		known := p[name]
		known.values = append(known.values, given...)
		known.list = known.list || bracketed || len(known.values) > 1
		known.object = known.object || bracketed && brackets != "]"
		p[name] = known
	}
	return p, nil
}

// only refuses parameters that are not in the list; the first one, in the
// order of the alphabet.
func (p parameters) only(names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !slices.Contains(names, name) {
			return unprocessable(unexpected(name))
		}
	}
	return nil
}

// scalar is a parameter that is to be one value of some type.
func (p parameters) scalar(name, typ string, wrong *[]problem) (text string, ok bool) {
	given, ok := p[name]
	switch {
	case !ok:
		return "", false
	case given.object:
		*wrong = append(*wrong, invalid("/"+name, "Invalid "+typ+". Got: object"))
	case given.list:
		*wrong = append(*wrong, invalid("/"+name, "Invalid "+typ+". Got: array"))
	default:
		return given.values[0], true
	}
	return "", false
}

// text is a parameter that is a text; empty where it was not given.
func (p parameters) text(name string, wrong *[]problem) string {
	text, _ := p.scalar(name, "string", wrong)
	return text
}

// integer is a parameter that is a whole number; nil where it was not given.
// One that is too large for us is the largest we have.
func (p parameters) integer(name string, wrong *[]problem) *int {
	text, ok := p.scalar(name, "integer", wrong)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		*wrong = append(*wrong, invalid("/"+name, "Invalid integer. Got: string"))
		return nil
	}
	return &n
}

// boolean is a parameter that is true or false; false where it was not given.
func (p parameters) boolean(name string, wrong *[]problem) bool {
	text, ok := p.scalar(name, "boolean", wrong)
	if ok && text != "true" && text != "false" {
		*wrong = append(*wrong, invalid("/"+name, "Invalid boolean. Got: string"))
	}
	return text == "true"
}

// list is a parameter that may be given several times.
func (p parameters) list(name string, wrong *[]problem) []string {
	given := p[name]
	switch {
	case given.object:
		*wrong = append(*wrong, invalid("/"+name, "Invalid array. Got: object"))
	default:
		return given.values
	}
	return nil
}

// blank reports whether a text says nothing.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

// pagePagination says where a page of a list ends.
type pagePagination struct {
	EndCursor   *string `json:"end_cursor"` // null where the page is empty
	First       int     `json:"first"`      // the size that was asked for
	HasNextPage bool    `json:"has_next_page"`
}

// page reads the size of a page and where it begins, beside what is wrong with
// other parameters.
func (p parameters) page(wrong []problem) (size int, after string, err error) {
	size = usualPage
	first, after := p.integer("first", &wrong), p.text("after", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return 0, "", err
	}
	if first != nil {
		size = *first
	}
	if size < 1 || size > largestPage {
		return 0, "", errBadRequest
	}
	return size, after, nil
}
