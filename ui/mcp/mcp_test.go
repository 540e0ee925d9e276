package mcp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// testDocument describes an API with operations of all forms that package mcp
// supports.
const testDocument = `{
	"paths": {
		"/api/v1/things": {
			"get": {
				"tags": ["Things", "MCP"], "operationId": "listThings", "x-ai-tool": "things_list", "summary": "List the things",
				"description": "All of them.\n",
				"parameters": [
					{"name": "filter[health]", "in": "query", "schema": {"type": "array", "items": {"type": "string", "enum": ["good", "bad"]}}},
					{"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer", "minimum": 0, "exclusiveMinimum": true}},
					{"name": "cursor", "in": "query", "schema": {"type": "string", "nullable": true}},
					{"name": "fields", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
					{"name": "X-Trace", "in": "header", "schema": {"type": "boolean"}},
					{"name": "trento-session", "in": "cookie", "schema": {"type": "string"}}
				]
			},
			"post": {
				"tags": ["MCP"], "operationId": "addThing", "summary": "Add a thing",
				"requestBody": {"$ref": "#/components/requestBodies/Thing"}
			}
		},
		"/api/v1/things/{id}": {
			"parameters": [{"$ref": "#/components/parameters/ID"}],
			"get": {"tags": ["MCP"], "operationId": "readThing", "summary": "Read a thing"},
			"delete": {"tags": ["MCP"], "operationId": "deleteThing", "summary": "Delete a thing", "x-destructive": true}
		},
		"/api/v1/users": {"get": {"tags": ["Users"], "operationId": "listUsers", "summary": "List the users"}}
	},
	"components": {
		"parameters": {"ID": {"name": "id", "in": "path", "required": true, "example": "a1", "schema": {"type": "string"}}},
		"requestBodies": {"Thing": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
		"schemas": {
			"Thing": {
				"type": "object", "required": ["name"], "additionalProperties": false, "x-note": "left out",
				"properties": {
					"name": {"type": "string", "example": "hammer", "nullable": true},
					"kind": {"type": "string", "nullable": true, "enum": ["tool", "toy"]},
					"parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
				}
			}
		}
	}
}`

func mustReadTools(t *testing.T, writes bool) map[string]tool {
	t.Helper()
	tools, err := readTools([]byte(testDocument), writes)
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]tool)
	for _, one := range tools {
		named[one.definition.Name] = one
	}
	return named
}

func TestToolsOfDocument(t *testing.T) {
	t.Parallel()
	reading, all := mustReadTools(t, false), mustReadTools(t, true)
	if len(reading) != 2 || reading["things_list"].definition == nil || reading["readThing"].definition == nil {
		t.Errorf("without changes there are %v", reading)
	}
	if len(all) != 3 || all["addThing"].definition == nil {
		t.Errorf("with changes there are %v", all)
	}
	list := all["things_list"].definition
	if list.Description != "List the things.\n\nAll of them." || !list.Annotations.ReadOnlyHint || all["addThing"].definition.Annotations.ReadOnlyHint {
		t.Errorf("described as %+v", list)
	}
	want := `{"additionalProperties":false,"properties":{
		"filter_health":{"type":"array","items":{"type":"string","enum":["good","bad"]}},
		"limit":{"type":"integer","description":"How many.","exclusiveMinimum":0},
		"cursor":{"type":["string","null"]},
		"fields":{"type":"array","items":{"type":"string"}},
		"X-Trace":{"type":"boolean"}
	},"type":"object"}`
	wantJSON(t, list.InputSchema, want)
	wantJSON(t, all["readThing"].definition.InputSchema, `{"additionalProperties":false,"properties":{"id":{"type":"string","examples":["a1"]}},"required":["id"],"type":"object"}`)
	properties := all["addThing"].definition.InputSchema.(*jsonschema.Schema).Properties["body"].Properties
	wantJSON(t, properties["name"], `{"type":["string","null"],"examples":["hammer"]}`)
	wantJSON(t, properties["kind"], `{"type":["string","null"],"enum":["tool","toy",null]}`)
}

func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

func TestUnreadableDocuments(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":             `openapi: 3.0.3`,
		"missing reference":   `{"paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a", "parameters": [{"$ref": "#/components/parameters/No"}]}}}}`,
		"foreign reference":   `{"paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a", "parameters": [{"$ref": "https://evil.example/a.json"}]}}}}`,
		"endless reference":   `{"components": {"a": {"$ref": "#/components/a"}}, "paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a", "parameters": [{"$ref": "#/components/a"}]}}}}`,
		"same name":           `{"paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a"}}, "/b": {"get": {"tags": ["MCP"], "operationId": "a"}}}}`,
		"same argument":       `{"paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a", "parameters": [{"name": "a[b]", "in": "query", "schema": {}}, {"name": "a_b", "in": "query", "schema": {}}]}}}}`,
		"parameter is a text": `{"paths": {"/a": {"get": {"tags": ["MCP"], "operationId": "a", "parameters": ["a"]}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tools, err := readTools([]byte(text), true); err == nil {
				t.Errorf("it has the tools %v", tools)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	tools := mustReadTools(t, true)
	for _, tt := range []struct {
		tool, arguments string
		want            string // method, address and body, or the beginning of the error
	}{
		{"things_list", ``, "GET http://api/api/v1/things"},
		{"things_list", `{}`, "GET http://api/api/v1/things"},
		{"things_list", `null`, "GET http://api/api/v1/things"},
		{"things_list", `{"filter_health": ["bad", "good"], "limit": 9007199254740993, "fields": ["id", "name"]}`, "GET http://api/api/v1/things?fields=id%2Cname&filter%5Bhealth%5D=bad&filter%5Bhealth%5D=good&limit=9007199254740993"},
		{"things_list", `{"cursor": null}`, "GET http://api/api/v1/things"},
		{"things_list", `{"cursor": "a&b=c"}`, "GET http://api/api/v1/things?cursor=a%26b%3Dc"},
		{"readThing", `{"id": "a/../b?c"}`, "GET http://api/api/v1/things/a%2F..%2Fb%3Fc"},
		{"readThing", `{"id": ".."}`, "GET http://api/api/v1/things/%2E%2E"},
		{"addThing", `{"body": {"name": "saw"}}`, `POST http://api/api/v1/things {"name":"saw"}`},
		{"addThing", `{"body": {"name": 1}}`, "the arguments do not match the schema of the tool"},
		{"addThing", `{}`, "the arguments do not match the schema of the tool"},
		{"readThing", `{}`, "the arguments do not match the schema of the tool"},
		{"things_list", `{"limits": 1}`, "the arguments do not match the schema of the tool"},
		{"things_list", `{"limit": 0}`, "the arguments do not match the schema of the tool"},
		{"things_list", `{"filter_health": ["ugly"]}`, "the arguments do not match the schema of the tool"},
		{"things_list", `[]`, "the arguments are no JSON object"},
	} {
		request, err := tools[tt.tool].request(t.Context(), "http://api", json.RawMessage(tt.arguments))
		if err != nil {
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%s %s: %v, want %s", tt.tool, tt.arguments, err, tt.want)
			}
			continue
		}
		got := request.Method + " " + request.URL.String()
		if request.Body != nil {
			var body json.RawMessage
			if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			got += " " + string(body)
		}
		if got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.tool, tt.arguments, got, tt.want)
		}
	}
}

// answerWith returns the result of a tool call to which the API gives the
// answer in the arguments.
func answerWith(t *testing.T, status int, header http.Header, body string) (texts []string, failed bool) {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer api.Close()
	answer := mustReadTools(t, false)["things_list"].handler(caller{client: api.Client(), base: api.URL})
	result, err := answer(t.Context(), &mcp.CallToolRequest{Params: &mcp.CallToolParamsRaw{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range result.Content {
		texts = append(texts, content.(*mcp.TextContent).Text)
	}
	return texts, result.IsError
}

func TestResults(t *testing.T) {
	t.Parallel()
	isJSON := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		body   string
		failed bool
		want   []string
	}{
		{"a list", 200, isJSON, `[1]`, false, []string{`[1]`}},
		{"nothing", 204, nil, ``, false, []string{"Done."}},
		{"the next page", 200, http.Header{"Content-Type": isJSON["Content-Type"], "Link": {`</api/v1/things?cursor=x%3D&limit=2&filter%5Bhealth%5D=bad&fields=id%2Cname&other=1>; rel="next"`}}, `[1]`, false,
			[]string{`[1]`, `There is more. The arguments for it are {"cursor":"x=","fields":["id","name"],"filter_health":["bad"],"limit":2}.`}},
		{"forbidden", 403, isJSON, `{"errors":[]}`, true, []string{"403 Forbidden: the token has no scope for this, or its owner lacks the permission. Trying again does not help.\n{\"errors\":[]}"}},
		{"too often", 429, http.Header{"Content-Type": isJSON["Content-Type"], "Retry-After": {"7"}}, `{}`, true, []string{"429 Too Many Requests: too many requests. Try again in 7 seconds.\n{}"}},
		{"a picture", 200, http.Header{"Content-Type": {"image/png"}}, `x`, true, []string{"The answer is no text, but image/png"}},
		{"a redirect to nowhere", 304, nil, ``, true, []string{"304 Not Modified"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			texts, failed := answerWith(t, tt.status, tt.header, tt.body)
			if diff := cmp.Diff(tt.want, texts); diff != "" || failed != tt.failed {
				t.Errorf("failed %v (-want +got):\n%s", failed, diff)
			}
		})
	}
}

func TestLongResults(t *testing.T) {
	t.Parallel()
	isJSON := http.Header{"Content-Type": {"application/json"}}
	element := `{"name":"` + strings.Repeat("ü", 500) + `"}`
	list := "[" + strings.TrimSuffix(strings.Repeat(element+",", 100), ",") + "]"
	const narrowing = "Ask for less with filter_health, limit, fields."
	for _, tt := range []struct {
		name, body string
		note       string
	}{
		{"a list", list, "64 of 100 elements are shown, the first ones, because all are too much at once. " + narrowing},
		{"a page", `{"next":"x","data":` + list + `}`, "In data: 64 of 100 elements are shown, the first ones, because all are too much at once. " + narrowing},
		{"one element", "[" + `"` + strings.Repeat("ü", maxResultBytes) + `"]`, "0 of 1 elements are shown, the first ones, because all are too much at once. " + narrowing},
		{"a text", `"` + strings.Repeat("ü", maxResultBytes) + `"`, "The answer is cut after 65535 of 131074 bytes. " + narrowing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			texts, failed := answerWith(t, 200, isJSON, tt.body)
			if failed || len(texts) != 2 || len(texts[0]) > maxResultBytes || texts[1] != tt.note {
				t.Fatalf("failed %v, %d texts, the note is %q", failed, len(texts), texts[len(texts)-1])
			}
			if tt.name != "a text" && !json.Valid([]byte(texts[0])) {
				t.Error("what is left is no JSON")
			}
		})
	}
}
