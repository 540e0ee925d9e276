package store

import (
	"bytes"
	"regexp"
	"strings"
)

// TokenPrefix is what the text of a personal access token begins with.
const TokenPrefix = "trento_pat_"

var tokenText = regexp.MustCompile(TokenPrefix + `[A-Za-z0-9_-]{8,}`)

// MaskTokens hides the texts of personal access tokens in a text that is
// logged or stored: people paste them into addresses and name fields.
func MaskTokens(text string) string {
	if !strings.Contains(text, TokenPrefix) {
		return text
	}
	return tokenText.ReplaceAllLiteralString(text, TokenPrefix+"…")
}

// maskDocument is MaskTokens for a JSON document.
func maskDocument(document []byte) []byte {
	if !bytes.Contains(document, []byte(TokenPrefix)) {
		return document
	}
	return []byte(MaskTokens(string(document)))
}
