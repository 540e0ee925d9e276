package activity

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// LeafKind tells the leaves of metadata apart. Null is no leaf.
type LeafKind uint8

// The kinds of leaves.
const (
	StringLeaf LeafKind = iota
	NumberLeaf
	BooleanLeaf
)

// Leaf is a value of the metadata that is neither object nor array, at any
// depth. Text is what a string says, without quotes and escapes, and the JSON
// text of a number or boolean; it may share memory with the metadata.
type Leaf struct {
	Kind LeafKind
	Text []byte
}

// Number is the value of a number leaf as searches compare it: a 64-bit float,
// infinite where the text is beyond its range.
func (l Leaf) Number() float64 { return parseNumber(string(l.Text)) }

// parseNumber never returns a negative zero: zero has to be one value to an
// index that orders numbers by their bits.
func parseNumber(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) // out of range is infinite, which is what we want
	if n == 0 {
		return 0
	}
	return n
}

// Leaves walks the leaves of metadata in their order. It expects valid JSON,
// as the log holds, and does not check it: searches without an index read
// nothing but this. Of anything else it yields something or nothing.
func Leaves(metadata json.RawMessage) iter.Seq[Leaf] {
	return func(yield func(Leaf) bool) {
		rest := []byte(metadata)
		for len(rest) > 0 {
			switch c := rest[0]; {
			case c == '"':
				var text []byte
				text, rest = cutString(rest)
				rest = bytes.TrimLeft(rest, " \t\r\n")
				if isKey := len(rest) > 0 && rest[0] == ':'; isKey {
					continue
				}
				if !yield(Leaf{StringLeaf, text}) {
					return
				}
			case c == '-' || '0' <= c && c <= '9' || c == 't' || c == 'f' || c == 'n':
				var text []byte
				text, rest = cutLiteral(rest)
				if c != 'n' && !yield(Leaf{literalKind(c), text}) {
					return
				}
			default: // structure and white space
				rest = rest[1:]
			}
		}
	}
}

func literalKind(first byte) LeafKind {
	if first == 't' || first == 'f' {
		return BooleanLeaf
	}
	return NumberLeaf
}

// cutString splits what the JSON string at the start of b says from what
// follows it.
func cutString(b []byte) (text, rest []byte) {
	end := bytes.IndexByte(b[1:], '"') + 1
	if end > 0 && bytes.IndexByte(b[1:end], '\\') < 0 {
		return b[1:end], b[end+1:]
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			var s string
			if err := json.Unmarshal(b[:i+1], &s); err != nil {
				return b[1:i], b[i+1:]
			}
			return []byte(s), b[i+1:]
		}
	}
	return b[1:], nil
}

func cutLiteral(b []byte) (text, rest []byte) {
	for i, c := range b {
		switch c {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return b[:i], b[i:]
		}
	}
	return b, nil
}
