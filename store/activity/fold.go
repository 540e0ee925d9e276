package activity

import (
	"unicode"
	"unicode/utf8"
)

// Fold makes texts that differ in letter case only equal: every code point is
// replaced by one that stands for all its Unicode simple case foldings, so the
// number of code points stays and no language plays a part. It is the one
// folding of the metadata search, for what is searched and what is asked;
// lower-casing is something else ("ς", "ſ", "İ").
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

// foldRune chooses the smallest code point of all that fold together, but the
// lower-case letter of those that fold together with an ASCII one.
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
