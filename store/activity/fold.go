package activity

import (
	"unicode"
	"unicode/utf8"
)

// Fold returns a text without differences of letter case. It replaces every
// code point by one representative of all code points with the same Unicode
// simple case folding. The number of code points stays, and the result depends
// on no language. Searches in the metadata fold both the metadata and the
// search with it. Lower-casing would not be enough, for example for "ς", "ſ"
// and "İ".
func Fold(text string) string {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(appendFold(make([]byte, 0, len(text)), text))
		}
	}
	return text
}

func appendFold(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		dst = utf8.AppendRune(dst, foldRune(r))
		i += size
	}
	return dst
}

// foldRune returns the smallest code point with the same case folding. If that
// is an ASCII letter, it returns the lower-case letter.
func foldRune(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
