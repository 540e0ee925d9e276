package api_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"trento/ui/api"
)

// TestSchemasOfAnswers compares schemas with the types whose JSON they
// describe: they have the same members, those that can be left out are not
// required, and exactly those that can be null are nullable.
func TestSchemasOfAnswers(t *testing.T) {
	t.Parallel()
	schemas := document(t).Components.Schemas
	for name, answer := range api.AnswerTypes {
		schema, ok := schemas[name]
		if !ok {
			t.Errorf("no schema %s", name)
			continue
		}
		compareType(t, name, schema.Value, answer)
	}
}

// TestAnswersHaveTypes checks that the test above knows the schemas of all
// answers.
func TestAnswersHaveTypes(t *testing.T) {
	t.Parallel()
	// writtenOut are the schemas whose answers the handlers write member by member,
	// or leave members out of that are never null.
	writtenOut := []string{"APIKey", "ActivityLogSettings", "AlertSettings", "Execution", "MessageCredential", "Refresh"}
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				content := response.Value.Content.Get("application/json")
				if status[0] != '2' || content == nil || content.Schema == nil {
					continue
				}
				schema := content.Schema
				if schema.Value.Type.Is("array") {
					schema = schema.Value.Items
				}
				name := strings.TrimPrefix(schema.Ref, "#/components/schemas/")
				if _, ok := api.AnswerTypes[name]; !ok && name != "" && !slices.Contains(writtenOut, name) {
					t.Errorf("%s %s: add %s to AnswerTypes", method, path, name)
				}
			}
		}
	}
}

// compareType compares a schema with a type, apart from whether it is nullable.
func compareType(t *testing.T, path string, schema *openapi3.Schema, typ reflect.Type) {
	t.Helper()
	schema = meant(schema)
	switch {
	case isText(typ), typ.Kind() == reflect.Interface, typ == reflect.TypeFor[json.RawMessage](), len(schema.AnyOf) > 0:
		return
	case typ.Kind() == reflect.Slice:
		if !schema.Type.Is("array") {
			t.Errorf("%s: %v, want an array", path, schema.Type)
			return
		}
		compareMember(t, path+"[]", schema.Items.Value, typ.Elem())
	case typ.Kind() == reflect.Struct:
		compareMembers(t, path, schema, typ)
	}
}

func compareMembers(t *testing.T, path string, schema *openapi3.Schema, typ reflect.Type) {
	t.Helper()
	var names []string
	for _, field := range jsonFields(typ) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
		member, ok := schema.Properties[name]
		if !ok {
			t.Errorf("%s.%s is not described", path, name)
			continue
		}
		if optional := options == "omitempty" || options == "omitzero"; optional == slices.Contains(schema.Required, name) {
			t.Errorf("%s.%s: can be left out: %t, required: %t", path, name, optional, !optional)
		}
		compareMember(t, path+"."+name, member.Value, field.Type)
	}
	for name := range schema.Properties {
		if !slices.Contains(names, name) && path+"."+name != "Host.last_heartbeat_timestamp" { // not of the type: it is added to the answer, which is cached
			t.Errorf("%s.%s is not in %v", path, name, typ)
		}
	}
}

// compareMember compares a schema with a type, and whether it is nullable.
func compareMember(t *testing.T, path string, schema *openapi3.Schema, typ reflect.Type) {
	t.Helper()
	if got, want := meant(schema).Nullable, canBeNull(typ); got != want {
		t.Errorf("%s: nullable %t, want %t", path, got, want)
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	compareType(t, path, schema, typ)
}

// meant returns the schema that a schema with nothing but a description
// refers to. OpenAPI 3.0 permits no description beside a reference.
func meant(schema *openapi3.Schema) *openapi3.Schema {
	if schema.Type == nil && len(schema.AllOf) == 1 {
		return schema.AllOf[0].Value
	}
	return schema
}

// jsonFields returns the fields of a struct that are members of its JSON.
func jsonFields(typ reflect.Type) (fields []reflect.StructField) {
	for _, field := range reflect.VisibleFields(typ) {
		if tag, ok := field.Tag.Lookup("json"); ok && tag != "-" {
			fields = append(fields, field)
		}
	}
	return fields
}

// canBeNull reports whether values of a type can be null in JSON. Lists are
// never nil where they are sent, which the answers of the other tests show.
func canBeNull(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Interface:
		return true
	case reflect.Slice, reflect.Map:
		return false
	}
	zero, err := json.Marshal(reflect.Zero(typ).Interface())
	return err == nil && bytes.Equal(zero, []byte("null"))
}

// isText reports whether a type writes its JSON itself.
func isText(typ reflect.Type) bool {
	return typ.Implements(reflect.TypeFor[json.Marshaler]()) && typ != reflect.TypeFor[json.RawMessage]() ||
		typ.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
