package api

import (
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// addCommonResponses adds the responses that operations have in common because
// they are not given by their handlers: to bodies of another type, and to tokens
// that are used too often. An operation that describes such a status itself
// keeps its description.
func addCommonResponses(paths map[string]map[string]any) {
	for _, item := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			operation, ok := item[strings.ToLower(method)].(map[string]any)
			if !ok {
				continue
			}
			responses, _ := operation["responses"].(map[string]any)
			add := func(status, component string) {
				if _, described := responses[status]; !described {
					responses[status] = map[string]any{"$ref": "#/components/responses/" + component}
				}
			}
			add("429", "TooManyRequests")
			if method != http.MethodGet {
				add("403", "Forbidden") // another site made a browser send this
				add("415", "WrongContentType")
			}
		}
	}
}

// addEnginePaths describes the operations of the checks engine under enginePrefix,
// too. They have the extension x-engine, with the name of the tool that
// assistants know; it is not part of the description.
func addEnginePaths(paths map[string]map[string]any) {
	for path, item := range maps.Clone(paths) {
		for method, described := range item {
			operation, ok := described.(map[string]any)
			if !ok {
				continue
			}
			tool, ofEngine := operation["x-engine"].(string)
			if delete(operation, "x-engine"); !ofEngine {
				continue
			}
			again := maps.Clone(operation)
			again["operationId"] = fmt.Sprint(operation["operationId"], "OfEngine")
			if tool != "" {
				tags, _ := operation["tags"].([]any)
				again["tags"], again["x-ai-tool"] = append(slices.Clone(tags), "MCP"), tool
			}
			if paths[enginePrefix+path] == nil {
				paths[enginePrefix+path] = make(map[string]any)
			}
			paths[enginePrefix+path][method] = again
		}
	}
}

// addListParameters adds the parameters of lists to the operations with the
// extension x-list, which names their filters and orders. The extension is not
// part of the description.
func addListParameters(whole openapiDocument) {
	for _, item := range whole.Paths {
		operation, ok := item["get"].(map[string]any)
		if !ok {
			continue
		}
		declared, ok := operation["x-list"].(map[string]any)
		if !ok {
			continue
		}
		delete(operation, "x-list")
		responses, _ := operation["responses"].(map[string]any)
		answer, _ := responses["200"].(map[string]any)
		parameters, _ := operation["parameters"].([]any)
		operation["parameters"] = append(parameters, whole.listParameters(declared, whole.memberNames(answer))...)
		answer["headers"] = map[string]any{"X-Total-Count": component("headers", "TotalCount"), "Link": component("headers", "NextPage"), "ETag": component("headers", "ListETag")}
		responses["304"] = component("responses", "NotModified")
		responses["422"] = component("responses", "Unprocessable")
	}
}

// listParameters returns the parameters of a list with these filters, orders and
// members.
func (whole openapiDocument) listParameters(declared map[string]any, members []any) []any {
	parameters := []any{
		component("parameters", "ListLimit"), component("parameters", "ListCursor"), component("parameters", "ListWords"),
		namesParameter("fields", "Only these members of each thing. The answer then lacks all others, also those that it has otherwise.", members, members[:min(2, len(members))]),
	}
	orders, _ := declared["orders"].([]any)
	names := make([]any, 0, 2*len(orders))
	for _, order := range orders {
		names = append(names, order, fmt.Sprint("-", order))
	}
	parameters = append(parameters, namesParameter("sort", "The order: by the first of these, then by the others. With a minus, the last comes first.", names, names[1:2]))
	filters, _ := declared["filters"].([]any)
	for _, filter := range filters {
		name, _ := filter.(string)
		parameters = append(parameters, map[string]any{
			"name": "filter[" + name + "]", "in": "query", "schema": filterSchema(name),
			"description": fmt.Sprintf("Only what the console lists with this choice of its filter %s. Several values: one of them.", name),
		})
	}
	return parameters
}

func filterSchema(name string) map[string]any {
	value := map[string]any{"type": "string"}
	switch name {
	case "stale", "cleanup":
		return map[string]any{"type": "boolean"}
	case "severity":
		value = component("schemas", "IncidentSeverity")
	case "kind":
		value = component("schemas", "IncidentKind")
	case "health":
		value = component("schemas", "Health")
	}
	return map[string]any{"type": "array", "items": value}
}

// namesParameter returns a parameter with names, separated by commas.
func namesParameter(name, description string, names, example []any) map[string]any {
	return map[string]any{
		"name": name, "in": "query", "style": "form", "explode": false, "description": description, "example": example,
		"schema": map[string]any{"type": "array", "items": map[string]any{"type": "string", "enum": names}},
	}
}

func component(kind, name string) map[string]any {
	return map[string]any{"$ref": "#/components/" + kind + "/" + name}
}

// memberNames returns the names of the members of the things in an answer,
// sorted.
func (whole openapiDocument) memberNames(answer map[string]any) []any {
	content, _ := answer["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	schema, _ := media["schema"].(map[string]any)
	items, _ := schema["items"].(map[string]any)
	var names []any
	for _, name := range slices.Sorted(maps.Keys(whole.properties(items))) {
		names = append(names, name)
	}
	return names
}

// properties returns the properties of a schema and of those that it consists
// of.
func (whole openapiDocument) properties(schema map[string]any) map[string]any {
	if reference, ok := schema["$ref"].(string); ok {
		schema, _ = whole.Components["schemas"][path.Base(reference)].(map[string]any)
	}
	properties, _ := schema["properties"].(map[string]any)
	all := maps.Clone(properties)
	if all == nil {
		all = make(map[string]any)
	}
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		if part, ok := part.(map[string]any); ok {
			maps.Copy(all, whole.properties(part))
		}
	}
	return all
}
