package store

import (
	"bytes"
	"regexp"
	"strings"
)

// TokenPrefix is the beginning of the text of every personal access token.
const TokenPrefix = "trento_pat_"

// tokenPattern matches the text of a personal access token.
var tokenPattern = regexp.MustCompile(TokenPrefix + `[A-Za-z0-9_-]{8,}`)

// MaskTokens hides the texts of personal access tokens in a text that is logged
// or stored. Users sometimes paste tokens into addresses and name fields.
func MaskTokens(text string) string {
	if !strings.Contains(text, TokenPrefix) {
		return text
	}
	return tokenPattern.ReplaceAllLiteralString(text, TokenPrefix+"…")
}

// maskDocument does the same as MaskTokens for a JSON document.
func maskDocument(document []byte) []byte {
	if !bytes.Contains(document, []byte(TokenPrefix)) {
		return document
	}
	return []byte(MaskTokens(string(document)))
}
