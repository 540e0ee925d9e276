package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// caller sends requests of tool calls to the API.
type caller struct {
	client *http.Client
	base   string // scheme and host of the API, and the path before "/api"
}

// maxAnswerBytes is the largest answer of the API that is read.
const maxAnswerBytes = 32 << 20

// handler returns the function that answers calls of the tool. Faulty arguments
// and refusals of the API are returned as results, so that the assistant can
// read them and correct its call.
func (t tool) handler(c caller) mcp.ToolHandler {
	return func(ctx context.Context, call *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		request, err := t.request(ctx, c.base, call.Params.Arguments)
		if err != nil {
			return failedResult(err.Error()), nil
		}
		answer, err := c.client.Do(request)
		if err != nil {
			return failedResult("The server cannot be reached: " + withoutAddress(err).Error()), nil
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes+1))
		switch {
		case err != nil:
			return failedResult("The answer broke off: " + err.Error()), nil
		case len(body) > maxAnswerBytes:
			return failedResult("The answer has more than " + strconv.Itoa(maxAnswerBytes) + " bytes. " + t.narrowingHint()), nil
		}
		return t.result(answer, body), nil
	}
}

// withoutAddress removes the address from the error of a request, because the
// address of a proxy may contain a password.
func withoutAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func failedResult(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// request returns the API request for a call. Its errors are written for the
// assistant.
func (t tool) request(ctx context.Context, base string, text json.RawMessage) (*http.Request, error) {
	arguments := make(map[string]any)
	if len(text) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber() // keeps numbers exactly as the assistant wrote them
		if err := d.Decode(&arguments); err != nil {
			return nil, fmt.Errorf("the arguments are no JSON object: %w", err)
		}
	}
	if err := t.checkArguments(text); err != nil {
		return nil, err
	}
	address, query, header := t.path, make(url.Values), make(http.Header)
	for _, p := range t.parameters {
		value, given := arguments[p.argument]
		if !given || value == nil {
			continue
		}
		values, err := urlValues(value)
		if err != nil {
			return nil, fmt.Errorf("%s %w", p.argument, err)
		}
		if p.joined {
			values = []string{strings.Join(values, ",")}
		}
		switch p.in {
		case "path":
			address = strings.ReplaceAll(address, "{"+p.name+"}", escapeSegment(values[0]))
		case "query":
			query[p.name] = values
		case "header":
			header[http.CanonicalHeaderKey(p.name)] = values
		}
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var body io.Reader
	if content, ok := arguments[bodyArgument]; ok && t.takesBody {
		encoded, err := json.Marshal(content)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(encoded)
		header.Set("Content-Type", "application/json")
	}
	request, err := http.NewRequestWithContext(ctx, t.method, base+address, body)
	if err != nil {
		return nil, err
	}
	request.Header = header
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// checkArguments checks the arguments of a call against the schema of the tool.
func (t tool) checkArguments(text json.RawMessage) error {
	var arguments any = map[string]any{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &arguments); err != nil {
			return err
		}
	}
	if arguments == nil {
		arguments = map[string]any{}
	}
	if err := t.input.Validate(arguments); err != nil {
		return fmt.Errorf("the arguments do not match the schema of the tool: %w", err)
	}
	return nil
}

// escapeSegment escapes a text for use as one segment of a path. It also
// escapes . and .., which would lead to another path.
func escapeSegment(text string) string {
	if text == "." || text == ".." {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return url.PathEscape(text)
}

// urlValues returns the values of an argument in the form used in URLs.
func urlValues(value any) ([]string, error) {
	switch value := value.(type) {
	case string:
		return []string{value}, nil
	case json.Number:
		return []string{value.String()}, nil
	case bool:
		return []string{strconv.FormatBool(value)}, nil
	case []any:
		var all []string
		for _, element := range value {
			if _, nested := element.([]any); nested {
				return nil, errors.New("must not be a list of lists")
			}
			one, err := urlValues(element)
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
		}
		return all, nil
	}
	return nil, errors.New("must be a text, a number, true, false or a list of them")
}

// result converts an answer of the API to a tool result.
func (t tool) result(answer *http.Response, body []byte) *mcp.CallToolResult {
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	isText := strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json")
	switch {
	case answer.StatusCode >= http.StatusBadRequest && isText:
		text, _ := shortenAnswer(body)
		return failedResult(answer.Status + tokenAdvice(answer) + "\n" + string(text))
	case answer.StatusCode < 200 || answer.StatusCode >= 300:
		return failedResult(answer.Status + tokenAdvice(answer))
	case len(body) == 0:
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "Done."}}}
	case !isText:
		return failedResult("The answer is no text, but " + kind)
	}
	text, note := shortenAnswer(body)
	if note != "" {
		note += " " + t.narrowingHint()
	}
	content := []mcp.Content{&mcp.TextContent{Text: string(text)}}
	if note = strings.TrimSpace(note + t.nextPageHint(answer.Header)); note != "" {
		content = append(content, &mcp.TextContent{Text: note})
	}
	return &mcp.CallToolResult{Content: content}
}

// tokenAdvice returns advice if the API has refused the token.
func tokenAdvice(answer *http.Response) string {
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return ": the token is missing, expired or deleted. A person has to make another one in the console (Profile, Tokens)."
	case http.StatusForbidden:
		return ": the token has no scope for this, or its owner lacks the permission. Trying again does not help."
	case http.StatusTooManyRequests:
		return ": too many requests. Try again in " + answer.Header.Get("Retry-After") + " seconds."
	}
	return ""
}
