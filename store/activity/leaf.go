package activity

import (
	"encoding/json"
	"iter"
	"strconv"

	"github.com/tidwall/gjson"
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
// text of a number or boolean.
type Leaf struct {
	Kind LeafKind
	Text string
}

// Number is the value of a number leaf as searches compare it: a 64-bit float,
// infinite where the text is beyond its range.
func (l Leaf) Number() float64 { return parseNumber(l.Text) }

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
	return func(yield func(Leaf) bool) { walkLeaves(gjson.ParseBytes(metadata), yield) }
}

// walkLeaves reports whether the walk goes on.
func walkLeaves(v gjson.Result, yield func(Leaf) bool) (more bool) {
	switch v.Type {
	case gjson.JSON:
		more = true
		v.ForEach(func(_, inner gjson.Result) bool {
			more = walkLeaves(inner, yield)
			return more
		})
		return more
	case gjson.String:
		return yield(Leaf{StringLeaf, v.Str})
	case gjson.Number:
		return yield(Leaf{NumberLeaf, v.Raw})
	case gjson.True, gjson.False:
		return yield(Leaf{BooleanLeaf, v.Raw})
	}
	return true
}
