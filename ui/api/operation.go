package api

import (
	"fmt"
	"strings"

	"trento/auth"
)

// Operations are what there is to ask of the API, in the order of the routes:
// what each demands is in the table of routes, and what it is called, and what
// else matters to those who limit a token to some, in the description.
func Operations() []auth.Operation {
	paths := wholeOpenAPI().Paths
	var all []auth.Operation
	for _, route := range new(API).Routes() {
		described, _ := paths[route.Path][strings.ToLower(route.Method)].(map[string]any)
		summary, _ := described["summary"].(string)
		inPerson, _ := described["x-in-person"].(bool)
		o := auth.Operation{Method: route.Method, Path: route.Path, Summary: summary, Need: route.Access, InPerson: inPerson, Doc: docAddress(described)}
		abilities, _ := described["x-widened-by"].([]any)
		for _, ability := range abilities {
			o.Widened = append(o.Widened, auth.Needs(ability.(string)))
		}
		all = append(all, o)
	}
	return all
}

// docAddress is where the documentation speaks of an operation.
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
