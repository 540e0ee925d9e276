package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxResultBytes is the largest result that is not shortened. It is about
// 20,000 tokens. Clients refuse longer results, and assistants lose the
// context.
const maxResultBytes = 64 << 10

// shortenAnswer shortens an answer that is too long. note says how it was
// shortened. It removes elements from the end of a list, or of the longest list
// in an object, so that the result is still valid JSON.
func shortenAnswer(body []byte) (text []byte, note string) {
	if len(body) <= maxResultBytes {
		return body, ""
	}
	var elements []json.RawMessage
	if json.Unmarshal(body, &elements) == nil {
		fitting := countFitting(elements, maxResultBytes)
		return joinElements(elements[:fitting]), shownNote(fitting, len(elements))
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil {
		if name := longestMember(object); json.Unmarshal(object[name], &elements) == nil {
			fitting := countFitting(elements, maxResultBytes-(len(body)-len(object[name])))
			object[name] = joinElements(elements[:fitting])
			if text, err := json.Marshal(object); err == nil && len(text) <= maxResultBytes {
				return text, "In " + name + ": " + shownNote(fitting, len(elements))
			}
		}
	}
	end := maxResultBytes
	for end > 0 && !utf8.RuneStart(body[end]) {
		end--
	}
	return body[:end], fmt.Sprintf("The answer is cut after %d of %d bytes.", end, len(body))
}

func shownNote(shown, of int) string {
	return fmt.Sprintf("%d of %d elements are shown, the first ones, because all are too much at once.", shown, of)
}

// countFitting returns how many of the elements fit into size bytes.
func countFitting(elements []json.RawMessage, size int) int {
	for i, element := range elements {
		if size -= len(element) + 1; size < 1 {
			return i
		}
	}
	return len(elements)
}

func joinElements(elements []json.RawMessage) json.RawMessage {
	parts := make([][]byte, len(elements))
	for i, element := range elements {
		parts[i] = element
	}
	return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]"))
}

func longestMember(object map[string]json.RawMessage) (longest string) {
	for name, value := range object {
		if longest == "" || len(value) > len(object[longest]) {
			longest = name
		}
	}
	return longest
}

// narrowingHint names the arguments with which the tool returns shorter
// results.
func (t tool) narrowingHint() string {
	var names []string
	for _, p := range t.parameters {
		if p.in == "query" && (slices.Contains([]string{"limit", "first", "fields", "search", "q", "from_date", "to_date"}, p.name) || strings.HasPrefix(p.name, "filter[")) {
			names = append(names, p.argument)
		}
	}
	if len(names) == 0 {
		return "This tool has no argument to ask for less."
	}
	return "Ask for less with " + strings.Join(names, ", ") + "."
}

// nextLink matches the address of the next page in the header Link.
var nextLink = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// nextPageHint says how to request the next page, if the answer has one.
func (t tool) nextPageHint(header http.Header) string {
	found := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
	if found == nil {
		return ""
	}
	address, err := url.Parse(found[1])
	if err != nil {
		return ""
	}
	arguments := make(map[string]any)
	for _, p := range t.parameters {
		values := address.Query()[p.name]
		switch {
		case p.in != "query" || len(values) == 0:
		case p.kind == "integer":
			arguments[p.argument] = json.Number(values[0])
		case p.kind == "array" && p.joined:
			arguments[p.argument] = strings.Split(values[0], ",")
		case p.kind == "array":
			arguments[p.argument] = values
		default:
			arguments[p.argument] = values[0]
		}
	}
	if len(arguments) == 0 {
		return ""
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		return ""
	}
	return " There is more. The arguments for it are " + string(text) + "."
}
