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

// docAddress returns the address of an operation in the documentation.
func docAddress(described map[string]any) string {
	var address strings.Builder
	address.WriteString(docPath + "#/")
	tags, _ := described["tags"].([]any)
	for _, tag := range tags {
		fmt.Fprint(&address, strings.ReplaceAll(fmt.Sprint(tag), " ", "%20"))
	}
	fmt.Fprint(&address, "/", described["operationId"])
	return address.String()
}
