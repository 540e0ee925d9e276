package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"trento/store"
	"trento/ui/api/documenttest"
)

// attempt is a value in the place of a good one.
type attempt struct {
	what  string
	value any  // nil is null
	left  bool // out
}

// forbidden are values that a schema does not allow.
func forbiddenBy(s *openapi3.Schema) (all []attempt) {
	add := func(what string, value any) { all = append(all, attempt{what: what, value: value}) }
	wrongTypes := map[string]any{"string": 5, "integer": "x", "boolean": "x", "array": map[string]any{}, "object": []any{}}
	for typ, value := range wrongTypes {
		if s.Type.Is(typ) {
			add("another type", value)
		}
	}
	if s.Type.Is("integer") {
		add("a fraction", 1.5)
	}
	if s.Type != nil && !s.Nullable {
		add("null", nil)
	}
	if len(s.Enum) > 0 {
		add("not in the list", "no such")
	}
	if s.Format == "uuid" || s.Format == "date-time" {
		add("another format", "x")
	}
	if s.MaxLength != nil {
		add("too long", strings.Repeat("x", int(*s.MaxLength)+1))
	}
	if s.MinLength > 0 {
		add("too short", strings.Repeat("x", int(s.MinLength)-1))
	}
	if s.Max != nil {
		add("too large", *s.Max+1)
	}
	if s.Min != nil {
		add("too small", *s.Min-1)
	}
	if s.MaxItems != nil {
		add("too many", repeated(s.Items.Value, int(*s.MaxItems)+1))
	}
	if s.MinItems > 0 {
		add("too few", repeated(s.Items.Value, int(s.MinItems)-1))
	}
	return all
}

// allowedBy are values at the limits of a schema.
func allowedBy(s *openapi3.Schema) (all []attempt) {
	add := func(what string, value any) { all = append(all, attempt{what: what, value: value}) }
	add("a good value", sample(s))
	for _, value := range s.Enum {
		add("in the list", value)
	}
	if s.Nullable {
		add("null", nil)
	}
	if s.MaxLength != nil {
		add("as long as can be", strings.Repeat("x", int(*s.MaxLength)))
	} else if s.Type.Is("string") && len(s.Enum) == 0 && s.Pattern == "" && s.Format != "uuid" && s.Format != "date-time" {
		add("a very long text, as no limit is told", strings.Repeat("x", 5000))
	}
	if s.Max != nil {
		add("as large as can be", *s.Max)
	}
	if s.Min != nil {
		add("as small as can be", *s.Min)
	}
	if s.MaxItems != nil {
		add("as many as can be", repeated(s.Items.Value, int(*s.MaxItems)))
	}
	return all
}

func repeated(s *openapi3.Schema, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = sample(s)
	}
	return list
}

// sample is a value that a schema allows.
func sample(s *openapi3.Schema) any {
	switch {
	case s.Example != nil:
		return s.Example
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return sample(s.OneOf[0].Value)
	case len(s.AnyOf) > 0:
		return sample(s.AnyOf[0].Value)
	case s.Type.Is("object"):
		object := make(map[string]any)
		for _, name := range s.Required {
			object[name] = sample(s.Properties[name].Value)
		}
		return object
	case s.Type.Is("array"):
		return repeated(s.Items.Value, max(int(s.MinItems), 1))
	case s.Type.Is("integer"):
		return 1
	case s.Type.Is("boolean"):
		return true
	case s.Format == "uuid":
		return otherID
	case s.Format == "date-time":
		return "2030-01-01T00:00:00Z"
	}
	return "Sample-8642"
}

// visit calls f for a schema and those within it, with the place of each in
// a body. Of a list the first element is visited.
func visit(s *openapi3.Schema, at []string, f func(*openapi3.Schema, []string)) {
	f(s, at)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		visit(s.Properties[name].Value, append(slices.Clone(at), name), f)
	}
	if s.Items != nil {
		visit(s.Items.Value, append(slices.Clone(at), "0"), f)
	}
}

// with is a good body with a value in one place.
func with(s *openapi3.Schema, at []string, a attempt) any {
	if len(at) == 0 {
		return a.value
	}
	if s.Type.Is("array") {
		return []any{with(s.Items.Value, at[1:], a)}
	}
	good, _ := sample(s).(map[string]any)
	object := maps.Clone(good)
	if object == nil {
		object = make(map[string]any)
	}
	if len(at) == 1 && a.left {
		delete(object, at[0])
		return object
	}
	inner := s.Properties[at[0]]
	if inner == nil { // nobody asks for it
		object[at[0]] = a.value
	} else {
		object[at[0]] = with(inner.Value, at[1:], a)
	}
	return object
}

// TestSchemas holds the schemas of what clients send to what the code takes:
// what a schema forbids is refused, with its place, and what it allows is not,
// up to its limits.
func TestSchemas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.withPassword("boss", true, admin) // whose cookie has to be confirmed
	cookie := f.cookie("boss")
	paths := document(t).Paths
	for _, path := range slices.Sorted(maps.Keys(paths.Map())) {
		item := paths.Value(path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} { // what is changed has to be there
			operation := item.GetOperation(method)
			if operation == nil || documenttest.IsOfConsole(path) || path == "/api/session" { // tells nothing about what is wrong, and slows down who is wrong
				continue
			}
			s := schemas{fixture: f, path: path, method: method, caller: call{as: "root"}}
			if documenttest.Demand(operation) == "agent" {
				s.caller.as = agent
			}
			if body := operation.RequestBody; body != nil && !body.Value.Required {
				s.caller = call{as: nobody, header: map[string]string{"Cookie": cookie}} // others are not asked for their password
			}
			s.parameters = slices.Concat(openapi3.Parameters{}, item.Parameters, operation.Parameters)
			t.Run(method+" "+path, func(t *testing.T) {
				s.t = t
				settings := store.TokenSettings{Enabled: true, DefaultLifetimeDays: 30, RequirePasswordConfirmation: true}
				if err := f.store.ChangeTokenSettings(t.Context(), store.System(), settings); err != nil {
					t.Fatal(err)
				}
				s.tryParameters()
				if operation.RequestBody != nil {
					s.tryBody(operation.RequestBody.Value.Content["application/json"].Schema.Value)
				}
			})
		}
	}
}

// schemas tries the schemas of one operation.
type schemas struct {
	*fixture
	t            *testing.T
	method, path string
	caller       call
	parameters   openapi3.Parameters
}

// address is that of the operation, with a value for a variable of the path.
func (s *schemas) address(name, value string) string {
	address := s.path
	for _, p := range s.parameters {
		if p.Value.In == openapi3.ParameterInPath {
			text := fmt.Sprint(sample(p.Value.Schema.Value))
			if p.Value.Name == name {
				text = value
			}
			address = strings.ReplaceAll(address, "{"+p.Value.Name+"}", url.PathEscape(text))
		}
	}
	return address
}

func (s *schemas) tryParameters() {
	for _, p := range s.parameters {
		name, schema := p.Value.Name, p.Value.Schema.Value
		switch p.Value.In {
		case openapi3.ParameterInPath:
			if schema.Format == "uuid" || schema.Type.Is("integer") {
				s.refused("/"+name, s.method, s.address(name, "x"), "{}")
			}
		case openapi3.ParameterInQuery:
			s.tryQuery(name, schema)
		}
	}
}

func (s *schemas) tryQuery(name string, schema *openapi3.Schema) {
	address := func(a attempt) string {
		values := make(url.Values)
		if list, ok := a.value.([]any); ok {
			for _, element := range list {
				values.Add(name, fmt.Sprint(element))
			}
		} else {
			values.Set(name, fmt.Sprint(a.value))
		}
		return s.address("", "") + "?" + values.Encode()
	}
	for _, a := range forbiddenBy(schema) {
		if a.what != "null" && !(a.what == "another type" && !schema.Type.Is("integer") && !schema.Type.Is("boolean")) {
			s.refused("/"+name, s.method, address(a), "")
		}
	}
	for _, a := range allowedBy(schema) {
		if name != "after" && name != "before" && name != "cursor" { // cursors come from pages
			s.taken("/"+name, s.method, address(a), "")
		}
	}
	if schema.Items != nil {
		for _, a := range forbiddenBy(schema.Items.Value) {
			if a.what == "not in the list" {
				s.refused("/"+name+"/0", s.method, address(a), "")
			}
		}
	}
}

func (s *schemas) tryBody(schema *openapi3.Schema) {
	encode := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(text)
	}
	visit(schema, nil, func(inner *openapi3.Schema, at []string) {
		pointer := "/" + strings.Join(at, "/")
		for _, a := range forbiddenBy(inner) {
			s.refused(pointer, s.method, s.address("", ""), encode(with(schema, at, a)))
		}
		for _, a := range allowedBy(inner) {
			if pointer == "/current_password" { // another one than theirs slows a user down
				a.value = password
			}
			s.taken(pointer, s.method, s.address("", ""), encode(with(schema, at, a)))
		}
		pointer = strings.TrimSuffix(pointer, "/")
		for _, name := range inner.Required {
			s.refused(pointer+"/"+name, s.method, s.address("", ""), encode(with(schema, append(slices.Clone(at), name), attempt{left: true})))
		}
		if inner.AdditionalProperties.Has != nil && !*inner.AdditionalProperties.Has {
			s.refused(pointer+"/zz", s.method, s.address("", ""), encode(with(schema, append(slices.Clone(at), "zz"), attempt{value: 1})))
		}
	})
}

// refused checks that a request is refused because of what is at the pointer.
// That a body is no object is told in different ways, and agents are told of an
// unknown type without a pointer.
func (s *schemas) refused(pointer, method, path, body string) {
	s.t.Helper()
	got := s.try(method, path, body)
	named := got.status != http.StatusUnprocessableEntity || pointer == "/" || s.caller.as == agent || strings.Contains(got.body, `"pointer":"`+pointer+`"`)
	if got.status < 400 || got.status >= 500 || !named {
		s.t.Errorf("%s %.200s %.200s: %d %.300s\nshould be refused because of %s", method, path, body, got.status, got.body, pointer)
	}
}

// beyond are faults that no schema tells of. All others are such that it does.
var beyondSchemas = regexp.MustCompile(`^(has already been taken|has an unknown scope.*|is not a valid .*|does not match confirmation|is invalid|Invalid e-mail address\.|should be an https address|can't be blank|has repetitive characters)$`)

// taken checks that a request is not refused because of what is at the pointer,
// but for reasons that are in no schema.
func (s *schemas) taken(pointer, method, path, body string) {
	s.t.Helper()
	got := s.try(method, path, body)
	var list struct {
		Errors []struct {
			Detail string
			Source struct{ Pointer string }
		}
	}
	if got.status >= 400 && got.status != http.StatusUnauthorized {
		got.decode(s.t, &list)
	}
	for _, fault := range list.Errors {
		if got.status == http.StatusBadRequest || fault.Source.Pointer == pointer && !beyondSchemas.MatchString(fault.Detail) {
			s.t.Errorf("%s %.200s %.200s: %d %.300s\nshould be taken", method, path, body, got.status, got.body)
		}
	}
}

func (s *schemas) try(method, path, body string) answer {
	c := s.caller
	c.method, c.path, c.body = method, path, body
	if body != "" && c.header != nil {
		c.header["Content-Type"] = "application/json"
	}
	return s.do(c)
}
