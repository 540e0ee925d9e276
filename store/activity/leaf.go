package activity

import (
	"encoding/json"
	"iter"
	"strconv"

	"github.com/tidwall/gjson"
)

// LeafKind is the kind of a leaf. Null is not a leaf.
type LeafKind uint8

// The kinds of leaves.
const (
	StringLeaf LeafKind = iota
	NumberLeaf
	BooleanLeaf
)

// Leaf is a string, number or boolean in the metadata, at any depth. Text is
// the content of a string, without quotes and escapes, or the JSON text of a
// number or boolean.
type Leaf struct {
	Kind LeafKind
	Text string
}

// Number returns the value of a number leaf as searches compare it: a 64-bit
// float, which is infinite if the number is too large.
func (l Leaf) Number() float64 { return parseNumber(l.Text) }

// parseNumber returns the number in a text. It never returns a negative zero,
// because an index that orders numbers by their bits must have only one zero.
func parseNumber(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) // an error means out of range; n is then infinite, as intended
	if n == 0 {
		return 0
	}
	return n
}

// Leaves iterates over the leaves of metadata, in their order. It expects valid
// JSON, as in the log, and does not check it: searches without an index spend
// most of their time here. For invalid JSON it yields some leaves or none.
func Leaves(metadata json.RawMessage) iter.Seq[Leaf] {
	return func(yield func(Leaf) bool) { walkLeaves(gjson.ParseBytes(metadata), yield) }
}

// walkLeaves yields the leaves of a value. It returns false if the walk must
// stop.
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
