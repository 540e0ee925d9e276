package api

import (
	"net/http"
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
				add("415", "WrongContentType")
			}
		}
	}
}
