package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// Needs is the permission and token that an operation demands.
type Needs struct {
	Permission string   // of the user, such as "cleanup:host"; "" for none
	ScopeSets  []string // a token needs one of these, or "full"
	Operation  string   // the scope that allows only this operation: "DELETE /api/v1/hosts/{id}"
	InPerson   bool     // the operation cannot be used with a token
}

// String says in words what the operation demands.
func (n *Needs) String() string {
	var takes []string
	if n.Permission != "" {
		takes = append(takes, "the user needs the permission "+n.Permission)
	}
	switch scopes := append(append([]string{}, n.ScopeSets...), "full"); {
	case n.InPerson:
		takes = append(takes, "no token may do this, only a person in the console")
	case len(scopes) == 1:
		takes = append(takes, "the token needs the scope full or "+n.Operation)
	default:
		takes = append(takes, "the token needs one of the scopes "+strings.Join(scopes, ", ")+" or "+n.Operation)
	}
	return strings.Join(takes, ", and ")
}

// documentPath is the path of the API document, which everybody may read.
const documentPath = "/api/all/openapi"

// maxDocumentBytes is the largest API document that is read.
const maxDocumentBytes = 8 << 20

// readNeeds reads in the API document of the server what an operation demands.
// It returns nil if the document does not say.
func (s *Server) readNeeds(ctx context.Context, method, path string) *Needs {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.Address+documentPath, nil)
	if err != nil {
		return nil
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if json.NewDecoder(io.LimitReader(answer.Body, maxDocumentBytes)).Decode(&document) != nil {
		return nil
	}
	template, operation := "", json.RawMessage(nil)
	for t, operations := range document.Paths {
		described, ok := operations[strings.ToLower(method)]
		// If two templates match a path, the one with fewer variables is used.
		if ok && matchesTemplate(t, path) && (template == "" || strings.Count(t, "{") < strings.Count(template, "{")) {
			template, operation = t, described
		}
	}
	var o struct {
		Permission string   `json:"x-ability"`
		ScopeSets  []string `json:"x-scope-sets"`
		InPerson   bool     `json:"x-in-person"`
	}
	if json.Unmarshal(operation, &o) != nil {
		return nil
	}
	return &Needs{Permission: o.Permission, ScopeSets: o.ScopeSets, Operation: method + " " + template, InPerson: o.InPerson}
}

// matchesTemplate reports whether a path matches a template such as
// "/api/v1/hosts/{id}".
func matchesTemplate(template, path string) bool {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}
