package mcp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// schemas reads the schemas of an OpenAPI 3.0 document. Assistants expect JSON
// Schema, which is almost the same: a value that may be null has two types, and
// an exclusive bound is a number.
type schemas struct{ document map[string]any }

// maxDepth is how deep a schema can be. A deeper one refers to itself; what is
// beyond may be anything.
const maxDepth = 30

// object returns an object of the document, or what it refers to.
func (s schemas) object(value any) (map[string]any, error) {
	for range maxDepth {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%v is no object", value)
		}
		reference, ok := object["$ref"].(string)
		if !ok {
			return object, nil
		}
		path, ok := strings.CutPrefix(reference, "#/")
		if !ok {
			return nil, fmt.Errorf("%s is in another document", reference)
		}
		value = s.document
		for name := range strings.SplitSeq(path, "/") {
			within, _ := value.(map[string]any)
			value = within[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		}
		if value == nil {
			return nil, fmt.Errorf("%s does not exist", reference)
		}
	}
	return nil, errors.New("references go round in circles")
}

// unsafeInName matches what names of arguments must not contain.
var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// parameter reads a parameter of an operation.
func (s schemas) parameter(described any) (p parameter, schema map[string]any, required bool, err error) {
	object, err := s.object(described)
	if err != nil {
		return p, nil, false, err
	}
	p.name, _ = object["name"].(string)
	p.in, _ = object["in"].(string)
	p.argument = strings.Trim(unsafeInName.ReplaceAllString(p.name, "_"), "_")
	if explode, ok := object["explode"].(bool); ok {
		p.joined = !explode
	} else {
		p.joined = p.in != "query"
	}
	required, _ = object["required"].(bool)
	if schema, err = s.schema(object["schema"], 0); err != nil {
		return p, nil, false, fmt.Errorf("parameter %s: %w", p.name, err)
	}
	p.kind, _ = schema["type"].(string)
	if text, ok := object["description"].(string); ok {
		schema["description"] = strings.TrimSpace(text)
	}
	if example, ok := object["example"]; ok {
		schema["examples"] = []any{example}
	}
	return p, schema, required, nil
}

// body reads the description of the body of a request; nil if it has none.
func (s schemas) body(described any) (schema map[string]any, required bool, err error) {
	if described == nil {
		return nil, false, nil
	}
	object, err := s.object(described)
	if err != nil {
		return nil, false, err
	}
	content, _ := object["content"].(map[string]any)
	media, ok := content["application/json"].(map[string]any)
	if !ok {
		return nil, false, errors.New("the body is no JSON")
	}
	required, _ = object["required"].(bool)
	schema, err = s.schema(media["schema"], 0)
	return schema, required, err
}

// keywords are the keywords that OpenAPI and JSON Schema have in common.
var keywords = []string{
	"type", "format", "title", "description", "default", "enum", "pattern", "minimum", "maximum", "multipleOf",
	"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
}

// schema returns a schema in the form of JSON Schema.
func (s schemas) schema(described any, depth int) (map[string]any, error) {
	if depth > maxDepth {
		return map[string]any{}, nil
	}
	object, err := s.object(described)
	if err != nil {
		return nil, err
	}
	schema := make(map[string]any)
	for _, keyword := range keywords {
		if value, ok := object[keyword]; ok {
			schema[keyword] = value
		}
	}
	if example, ok := object["example"]; ok {
		schema["examples"] = []any{example}
	}
	excludeBound(schema, object, "minimum", "exclusiveMinimum")
	excludeBound(schema, object, "maximum", "exclusiveMaximum")
	allowNull(schema, object)
	if err := s.addParts(schema, object, depth); err != nil {
		return nil, err
	}
	return schema, nil
}

// addParts adds the schemas within a schema.
func (s schemas) addParts(schema, object map[string]any, depth int) (err error) {
	for _, keyword := range []string{"items", "not", "additionalProperties"} {
		if _, isSchema := object[keyword].(map[string]any); isSchema {
			schema[keyword], err = s.schema(object[keyword], depth+1)
		} else if value, ok := object[keyword]; ok {
			schema[keyword] = value
		}
		if err != nil {
			return err
		}
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		described, ok := object[keyword].([]any)
		if !ok {
			continue
		}
		parts := make([]any, len(described))
		for i, part := range described {
			if parts[i], err = s.schema(part, depth+1); err != nil {
				return err
			}
		}
		schema[keyword] = parts
	}
	described, ok := object["properties"].(map[string]any)
	if !ok {
		return nil
	}
	properties := make(map[string]any, len(described))
	for name, property := range described {
		if properties[name], err = s.schema(property, depth+1); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	schema["properties"] = properties
	return nil
}

// excludeBound turns a bound with a flag into an exclusive bound.
func excludeBound(schema, object map[string]any, bound, flag string) {
	if excluded, _ := object[flag].(bool); excluded && schema[bound] != nil {
		schema[flag] = schema[bound]
		delete(schema, bound)
	}
}

// allowNull allows null where an OpenAPI schema does.
func allowNull(schema, object map[string]any) {
	if nullable, _ := object["nullable"].(bool); !nullable {
		return
	}
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []any{kind, "null"}
	}
	if values, ok := schema["enum"].([]any); ok {
		for _, value := range values {
			if value == nil {
				return
			}
		}
		schema["enum"] = append(append([]any{}, values...), nil)
	}
}
