// Package documenttest compares routes, requests and answers with the API
// document in tests.
package documenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/stream"
)

// Document is the API document.
type Document struct {
	*openapi3.T
	router routers.Router
}

// Load reads the document, as GET /api/all/openapi answers.
func Load(text []byte) (*Document, error) {
	registerDecoders()
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	doc.Servers = openapi3.Servers{{URL: "/"}} // a test has no address, or another one each time
	router, err := gorillamux.NewRouter(doc)
	return &Document{doc, router}, err
}

// Read returns the document of the program that is tested. It is read once: that
// takes longer than most tests.
var Read = sync.OnceValues(func() (*Document, error) {
	w := httptest.NewRecorder()
	api.New(api.Deps{Auth: new(auth.Auth)}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/all/openapi", nil))
	return Load(w.Body.Bytes())
})

var registerDecoders = sync.OnceFunc(func() {
	for _, kind := range []string{"text/html", "text/css", "text/javascript", "application/javascript", "application/jsonl"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.FileBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder(stream.ContentType, decodeStream)
})

// IsOfConsole reports whether a path of the document is one of the console, and
// not of package api: a file or the event stream of pages.
func IsOfConsole(route string) bool {
	ending := path.Ext(route)
	return !strings.HasPrefix(route, "/api/") && (ending == ".csv" || ending == ".jsonl" || route == "/events")
}

// routeAccess is what a route says about who may use it.
type routeAccess struct {
	Access                string
	Sets, Scopes, Widened []string
	InPerson              bool
	LocalAccounts         bool
}

// CompareRoutes checks that the document has these routes, that it says the same
// about who may use them, and that it has no others among the paths for which
// among is true.
func (d *Document) CompareRoutes(t *testing.T, routes []api.Route, among func(path string) bool) {
	t.Helper()
	described := make(map[string]routeAccess)
	for path, item := range d.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.Summary == "" || operation.OperationID == "" || len(operation.Tags) == 0 {
				t.Errorf("%s %s lacks words", method, path)
			}
			inPerson, _ := operation.Extensions["x-in-person"].(bool)
			if among(path) {
				described[method+" "+path] = routeAccess{
					Demand(operation), texts(operation, "x-scope-sets"), texts(operation, "x-scopes"), texts(operation, "x-widened-by"), inPerson,
					operation.Responses.Value("501") != nil,
				}
			}
		}
	}
	served := make(map[string]routeAccess)
	for _, route := range routes {
		var widened []string
		for _, ability := range route.Tokens.Widened {
			widened = append(widened, ability.String())
		}
		served[route.Method+" "+route.Path] = routeAccess{
			route.Access.String(), route.Tokens.Sets, route.Tokens.Operations, widened, route.Tokens.InPerson, route.Tokens.LocalAccounts,
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("routes (-) and document (+):\n%s", diff)
	}
}

// texts are the texts in an extension of an operation.
func texts(o *openapi3.Operation, extension string) (texts []string) {
	elements, _ := o.Extensions[extension].([]any)
	for _, element := range elements {
		texts = append(texts, element.(string))
	}
	return texts
}

// Demand returns what the document says an operation demands, in the words of auth.
func Demand(o *openapi3.Operation) string {
	if o.Security == nil {
		return "not said"
	}
	var schemes []string
	for _, requirement := range *o.Security {
		for name := range requirement {
			schemes = append(schemes, name)
		}
	}
	slices.Sort(schemes)
	switch strings.Join(schemes, " ") {
	case "":
		return auth.Public.String()
	case "agentKey":
		return auth.Agent.String()
	case "basic parameter session token":
		if ability, ok := o.Extensions["x-ability"].(string); ok {
			return ability
		}
		return auth.SignedIn.String()
	}
	return strings.Join(schemes, " ")
}

// Operation returns the operation that answers a request; nil if the document
// has none.
func (d *Document) Operation(r *http.Request) *openapi3.Operation {
	route, _, err := d.router.FindRoute(r)
	if err != nil {
		return nil
	}
	return route.Operation
}

var validation = &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}

// Answer is the answer to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Check returns what is wrong with a request and its answer. A request that was
// refused may be anything. The body of the request must not have been read.
func (d *Document) Check(r *http.Request, got Answer) error {
	if route, parameters, err := d.router.FindRoute(r); err == nil && got.Status < 300 {
		err := openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
			Request: r, PathParams: parameters, Route: route, Options: validation,
		})
		if err != nil {
			return err
		}
	}
	return d.CheckAnswer(r, got)
}

// CheckAnswer is Check for the answer alone.
func (d *Document) CheckAnswer(r *http.Request, got Answer) error {
	route, parameters, err := d.router.FindRoute(r)
	if err != nil {
		return checkUndocumented(got)
	}
	options := *validation
	// An answer with some fields lacks members that the whole one must have.
	options.ExcludeResponseBody = r.URL.Query().Has("fields") && got.Status == http.StatusOK
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route, Options: validation},
		Status:                 got.Status, Header: got.Header, Body: io.NopCloser(strings.NewReader(got.Body)), Options: &options,
	})
}

// checkUndocumented checks the answer where the document has no route.
func checkUndocumented(got Answer) error {
	if got.Status < 400 || got.Status == http.StatusUnauthorized && got.Body == `{"error":"Unauthorized"}` {
		return nil
	}
	var list struct {
		Errors []struct {
			Title, Detail string
			Source        struct{ Pointer string }
		}
	}
	d := json.NewDecoder(strings.NewReader(got.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return fmt.Errorf("an error without the body of errors: %w", err)
	}
	return nil
}

// decodeStream reads an event stream that has ended. It checks the data of every
// event, and returns the last one; without any, an event that conforms. Of a
// stream whose events are not described it returns the text.
func decodeStream(body io.Reader, _ http.Header, schema *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	text, err := io.ReadAll(body)
	if err != nil || schema.Value.Type.Is("string") {
		return string(text), err
	}
	last := any(map[string]any{
		"id": "0d9c2f1e-7b7a-5f0a-8a53-3f1f2f4f9b02", "type": "host.changed", "time": "2026-08-20T10:15:30.123456Z", "severity": "info", "message": "", "actor": "system",
		"resources": []any{}, "correlation_id": nil, "activity_type": "host_details_updated", "metadata": map[string]any{},
	})
	for line := range strings.Lines(string(text)) {
		if data, ok := strings.CutPrefix(line, "data: {"); ok {
			if err := json.Unmarshal([]byte("{"+data), &last); err != nil {
				return nil, err
			}
			if err := schema.Value.VisitJSON(last); err != nil {
				return nil, err
			}
		}
	}
	return last, nil
}
