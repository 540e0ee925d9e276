package mcp

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// toolTag is the tag of the operations that are offered as tools.
const toolTag = "MCP"

// tool is an operation of the API that assistants can call.
type tool struct {
	method, path string // "GET", "/api/v1/hosts/{id}"
	definition   *mcp.Tool
	parameters   []parameter
	takesBody    bool
	input        *jsonschema.Resolved // schema for the arguments of a call
}

// isRead reports whether the tool changes nothing.
func (t tool) isRead() bool { return t.method == http.MethodGet }

// operation returns the operation in the form used for scopes: "GET
// /api/v1/hosts".
func (t tool) operation() string { return t.method + " " + t.path }

// parameter is a parameter of the operation.
type parameter struct {
	name     string // in the API: filter[health]
	argument string // in calls of the tool: filter_health
	in       string // path, query or header
	kind     string // type of the value: string, integer, array …
	joined   bool   // values of a list are joined by commas, instead of repeating the parameter
}

// bodyArgument is the name of the argument for the body of the request.
const bodyArgument = "body"

// The parts of an API document from which tools are made.
type (
	document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	operationObject struct {
		Tags        []string `json:"tags"`
		ID          string   `json:"operationId"`
		ToolName    string   `json:"x-ai-tool"`
		Destructive bool     `json:"x-destructive"`
		Summary     string   `json:"summary"`
		Description string   `json:"description"`
		Parameters  []any    `json:"parameters"`
		RequestBody any      `json:"requestBody"`
	}
)

// readTools returns the tools that an API document describes, by name.
// Operations that change something are only included if writes is set.
// Operations that the document calls destructive are never included.
func readTools(text []byte, writes bool) ([]tool, error) {
	var d document
	var whole map[string]any
	if err := errors.Join(json.Unmarshal(text, &d), json.Unmarshal(text, &whole)); err != nil {
		return nil, err
	}
	var tools []tool
	for path, item := range d.Paths {
		shared, err := parametersOf(item["parameters"])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for method, described := range item {
			method = strings.ToUpper(method)
			if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method) {
				continue
			}
			var o operationObject
			if err := json.Unmarshal(described, &o); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			if !slices.Contains(o.Tags, toolTag) || o.Destructive || method != http.MethodGet && !writes {
				continue
			}
			o.Parameters = append(shared, o.Parameters...)
			t, err := newTool(method, path, o, schemaReader{whole})
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			tools = append(tools, t)
		}
	}
	slices.SortFunc(tools, func(a, b tool) int { return strings.Compare(a.definition.Name, b.definition.Name) })
	for i, t := range tools[min(1, len(tools)):] {
		if tools[i].definition.Name == t.definition.Name {
			return nil, fmt.Errorf("%s and %s are both called %s", tools[i].operation(), t.operation(), t.definition.Name)
		}
	}
	return tools, nil
}

func parametersOf(text json.RawMessage) (parameters []any, err error) {
	if len(text) > 0 {
		err = json.Unmarshal(text, &parameters)
	}
	return parameters, err
}

// newTool returns the tool of an operation.
func newTool(method, path string, o operationObject, s schemaReader) (tool, error) {
	t := tool{method: method, path: path}
	properties, required := make(map[string]any), []any{}
	for _, described := range o.Parameters {
		p, schema, mandatory, err := s.parameter(described)
		if err != nil {
			return t, err
		}
		if p.in == "cookie" {
			continue
		}
		if properties[p.argument] != nil || p.argument == bodyArgument {
			return t, fmt.Errorf("two arguments are called %s", p.argument)
		}
		t.parameters = append(t.parameters, p)
		properties[p.argument] = schema
		if mandatory {
			required = append(required, p.argument)
		}
	}
	body, mandatory, err := s.body(o.RequestBody)
	if err != nil {
		return t, err
	}
	if body != nil {
		t.takesBody, properties[bodyArgument] = true, body
		if mandatory {
			required = append(required, bodyArgument)
		}
	}
	input := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		input["required"] = required
	}
	schema, err := parseSchema(input)
	if err != nil {
		return t, err
	}
	if t.input, err = schema.Resolve(nil); err != nil {
		return t, err
	}
	t.definition = &mcp.Tool{
		Name: cmp.Or(o.ToolName, o.ID), Title: o.Summary, InputSchema: schema,
		Description: strings.TrimSpace(o.Summary + ".\n\n" + o.Description),
		Annotations: annotations(method, o.Summary),
	}
	return t, nil
}

// annotations returns the hints from which clients decide whether to ask the
// user before a call.
func annotations(method, title string) *mcp.ToolAnnotations {
	deletes, open := method == http.MethodDelete, false
	return &mcp.ToolAnnotations{
		Title: title, ReadOnlyHint: method == http.MethodGet, DestructiveHint: &deletes, OpenWorldHint: &open,
		IdempotentHint: method != http.MethodPost && method != http.MethodPatch,
	}
}

// parseSchema parses a schema for the library that checks arguments.
func parseSchema(schema map[string]any) (*jsonschema.Schema, error) {
	text, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	parsed := new(jsonschema.Schema)
	return parsed, json.Unmarshal(text, parsed)
}
