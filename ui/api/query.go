package api

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"trento/store/fault"
)

// The limits of a query, for the API and for the console. They also limit the
// size of pages, which repeat their own address in links.
const (
	// MaxQuery is the largest length of an escaped query, in bytes. The longest
	// search of the activity log fits, even if each of its letters is escaped.
	MaxQuery = 12 << 10
	// MaxQueryValues is the largest number of values of a parameter. A filter
	// of the console offers as many.
	MaxQueryValues = 200
	// MaxQueryValue is the largest length of an unescaped value, in bytes.
	MaxQueryValue = 4 << 10
)

// CheckQuery returns a fault if a query exceeds a limit or is not UTF-8. The
// fault of a limit names the parameter. CheckQuery does not check whether the
// query can be parsed. The handler that parses it does.
func CheckQuery(raw string) error {
	if raw == "" {
		return nil
	}
	if text, err := url.QueryUnescape(raw); err == nil && !utf8.ValidString(text) {
		return errBadRequest
	}
	count, size := map[string]int{}, map[string]int{}
	largest := ""
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if unescaped, err := url.QueryUnescape(name); err == nil {
			name = unescaped
		}
		name, _, _ = strings.Cut(name, "[")
		count[name]++
		size[name] += len(part)
		if count[name] > MaxQueryValues {
			return queryFault(name, fmt.Sprintf("should have at most %d value(s)", MaxQueryValues))
		}
		if len(value) > MaxQueryValue { // unescaping makes no value longer
			if unescaped, err := url.QueryUnescape(value); err == nil && len(unescaped) > MaxQueryValue {
				return queryFault(name, fmt.Sprintf("should have at most %d byte(s)", MaxQueryValue))
			}
		}
		if size[name] > size[largest] {
			largest = name
		}
	}
	if len(raw) > MaxQuery {
		return queryFault(largest, fmt.Sprintf("makes the address too long: its query has %d bytes and can have %d", len(raw), MaxQuery))
	}
	return nil
}

// queryFault returns a fault of a parameter.
func queryFault(parameter, detail string) error {
	return &fault.Error{Kind: fault.AddressTooLong, Field: cmp.Or(truncatedName(parameter), wholeRequest), Detail: detail}
}

// truncatedName shortens the name of a parameter or member for an answer. A
// client can send names of any length and content.
func truncatedName(name string) string {
	const shown = 40
	runes := []rune(name[:min(len(name), 4*shown)])
	return strings.ToValidUTF8(string(runes[:min(len(runes), shown)]), "\uFFFD")
}
