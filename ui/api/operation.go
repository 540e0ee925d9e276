package api

import (
	"fmt"
	"strings"

	"trento/auth"
)

// Operations returns all operations of the API, in the order of the routes. The
// access rules come from the table of routes, the summaries from openapi.yaml.
func Operations() []auth.Operation {
	paths := wholeOpenAPI().Paths
	var all []auth.Operation
	for _, route := range new(API).Routes() {
		described, _ := paths[route.Path][strings.ToLower(route.Method)].(map[string]any)
		summary, _ := described["summary"].(string)
		all = append(all, auth.Operation{
			Method: route.Method, Path: route.Path, Access: route.Access, Tokens: route.Tokens,
			Summary: summary, Doc: docAddress(described),
		})
	}
	return all
}

// docAddress returns the address of an operation in the documentation, under
// its first tag.
func docAddress(described map[string]any) string {
	tags, _ := described["tags"].([]any)
	if len(tags) == 0 {
		return docPath
	}
	tag := strings.ReplaceAll(fmt.Sprint(tags[0]), " ", "%20")
	return fmt.Sprintf("%s#/%s/%s", docPath, tag, described["operationId"])
}
