package api

import (
	"encoding/json"
	"strings"

	"trento/auth"
)

// Operations are what there is to ask of the API, in the order of the routes:
// what each demands is in the table of routes, and what it is called, and what
// else matters to those who limit a token to some, in the description.
func Operations() []auth.Operation {
	var description struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	decode(openapiJSON, &description)
	var all []auth.Operation
	for _, route := range new(API).Routes() {
		var said struct {
			ID        string   `json:"operationId"`
			Tags      []string `json:"tags"`
			Summary   string   `json:"summary"`
			WidenedBy []string `json:"x-widened-by"`
			InPerson  bool     `json:"x-in-person"`
		}
		decode(description.Paths[route.Path][strings.ToLower(route.Method)], &said)
		o := auth.Operation{Method: route.Method, Path: route.Path, Summary: said.Summary, Need: route.Access, InPerson: said.InPerson, Doc: docAddress(said.Tags, said.ID)}
		for _, ability := range said.WidenedBy {
			o.Widened = append(o.Widened, auth.Needs(ability))
		}
		all = append(all, o)
	}
	return all
}

// docAddress is where the documentation speaks of an operation.
func docAddress(tags []string, id string) string {
	return docPath + "#/" + strings.ReplaceAll(strings.Join(tags, ""), " ", "%20") + "/" + id
}
