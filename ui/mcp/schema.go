package mcp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// schemaReader converts schemas of an OpenAPI 3.0 document to JSON Schema,
// which assistants expect. The two differ in values that may be null, which
// have two types in JSON Schema, and in exclusive bounds, which are numbers.
type schemaReader struct{ document map[string]any }

// maxDepth is the largest depth of a schema. A deeper schema refers to itself,
// so everything is allowed below this depth.
const maxDepth = 30

// resolve returns an object of the document. If the object is a reference, it
// returns the object that is referred to.
func (s schemaReader) resolve(value any) (map[string]any, error) {
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

// unsafeInName matches the characters that names of arguments must not contain.
var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// parameter reads a parameter of an operation.
func (s schemaReader) parameter(described any) (p parameter, schema map[string]any, required bool, err error) {
	object, err := s.resolve(described)
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

// body returns the schema of the request body; nil if the operation has no
// body.
func (s schemaReader) body(described any) (schema map[string]any, required bool, err error) {
	if described == nil {
		return nil, false, nil
	}
	object, err := s.resolve(described)
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

// commonKeywords are the keywords that OpenAPI and JSON Schema have in common.
var commonKeywords = []string{
	"type", "format", "title", "description", "default", "enum", "pattern", "minimum", "maximum", "multipleOf",
	"minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
}

// schema converts a schema to JSON Schema.
func (s schemaReader) schema(described any, depth int) (map[string]any, error) {
	if depth > maxDepth {
		return map[string]any{}, nil
	}
	object, err := s.resolve(described)
	if err != nil {
		return nil, err
	}
	schema := make(map[string]any)
	for _, keyword := range commonKeywords {
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

// addParts converts the schemas inside a schema.
func (s schemaReader) addParts(schema, object map[string]any, depth int) (err error) {
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

// excludeBound converts a bound that a flag makes exclusive.
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
