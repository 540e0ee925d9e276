package api

import (
	"strings"

	"trento/auth"
)

// Operations are what there is to ask of the API, in the order of the routes:
// what each demands is in the table of routes, and what it is called, and what
// else matters to those who limit a token to some, in the description.
func Operations() []auth.Operation {
	type operation struct {
		Summary   string   `json:"summary"`
		WidenedBy []string `json:"x-widened-by"`
		InPerson  bool     `json:"x-in-person"`
	}
	var description struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	decode(openapiJSON, &description)
	var all []auth.Operation
	for _, route := range new(API).Routes() {
		said := description.Paths[route.Path][strings.ToLower(route.Method)]
		o := auth.Operation{Method: route.Method, Path: route.Path, Summary: said.Summary, Need: route.Access, InPerson: said.InPerson}
		for _, ability := range said.WidenedBy {
			o.Widened = append(o.Widened, auth.Needs(ability))
		}
		all = append(all, o)
	}
	return all
}
