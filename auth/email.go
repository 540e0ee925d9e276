package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The largest sizes of the parts of an e-mail address, in characters.
const (
	maxLocalPart = 64
	maxDomain    = 255
	maxLabel     = 63
)

// isEmail reports whether a text has the form of an e-mail address. It accepts
// letters and digits of any script.
func isEmail(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return at >= 0 && utf8.ValidString(address) && isLocalPart(address[:at]) && isDomain(address[at+1:])
}

// isLocalPart accepts letters, digits, some signs, and dots that are not next
// to each other. In quotation marks it accepts nearly anything.
func isLocalPart(local string) bool {
	if local == "" || utf8.RuneCountInString(local) > maxLocalPart {
		return false
	}
	if inner, ok := strings.CutPrefix(local, `"`); ok {
		inner, ok = strings.CutSuffix(inner, `"`)
		return ok && inner != "" && !strings.ContainsFunc(inner, func(r rune) bool { return r == '"' || unicode.IsControl(r) })
	}
	return !strings.Contains(local, "..") && !strings.ContainsFunc(local, func(r rune) bool {
		return !isLetterOrDigit(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
	})
}

// isDomain accepts labels of letters, digits and hyphens. The last label must
// not be a number.
func isDomain(domain string) bool {
	if utf8.RuneCountInString(domain) > maxDomain {
		return false
	}
	last := ""
	for last = range strings.SplitSeq(domain, ".") {
		if last == "" || utf8.RuneCountInString(last) > maxLabel || strings.HasPrefix(last, "-") || strings.HasSuffix(last, "-") ||
			strings.ContainsFunc(last, func(r rune) bool { return r != '-' && !isLetterOrDigit(r) }) {
			return false
		}
	}
	return strings.ContainsFunc(last, func(r rune) bool { return !unicode.IsDigit(r) })
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
