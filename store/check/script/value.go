package script

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is the type of a value.
type Kind uint8

// The types of values.
const (
	Unit Kind = iota // no value, such as a null fact
	Bool
	Int
	Float
	Text
	Char // one character of a text
	Array
	Map
	Range
	Function
)

// typeNames are the names by which type_of and errors name the types.
var typeNames = [...]string{"()", "bool", "i64", "f64", "string", "char", "array", "map", "range", "Fn"}

// Value is a value of the language. The zero Value is unit. Values may be
// shared between goroutines.
type Value struct {
	kind   Kind
	number int64 // of Bool, Int and Char; the bits of a Float
	text   string
	object any // *list, *dict, *span or *function
}

// list is the content of an array.
type list struct {
	items []Value
	// shared is true once more than one place may hold the list. A shared list
	// is cloned before it is changed, and shared stays true for ever.
	shared bool
}

// dict is the content of a map, ordered by key.
type dict struct {
	keys   []string
	values []Value
	shared bool // as in list
}

// span is a range of integers. The end belongs to it if it is inclusive.
type span struct {
	start, end int64
	inclusive  bool
}

// function is a closure.
type function struct {
	parameters []string
	body       node
	variables  *binding // the variables around it
}

// NewBool returns a boolean.
func NewBool(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.number = 1
	}
	return v
}

// NewInt returns an integer.
func NewInt(n int64) Value { return Value{kind: Int, number: n} }

// NewFloat returns a floating-point number.
func NewFloat(f float64) Value { return Value{kind: Float, number: int64(math.Float64bits(f))} }

// NewText returns a text.
func NewText(s string) Value { return Value{kind: Text, text: s} }

// NewArray returns an array. The items must not be changed afterwards.
func NewArray(items ...Value) Value {
	return Value{kind: Array, object: &list{items: items, shared: true}}
}

// NewMap returns a map.
func NewMap(members map[string]Value) Value {
	d := &dict{shared: true}
	for key := range members {
		d.keys = append(d.keys, key)
	}
	slices.Sort(d.keys)
	for _, key := range d.keys {
		d.values = append(d.values, members[key])
	}
	return Value{kind: Map, object: d}
}

func newChar(c rune) Value          { return Value{kind: Char, number: int64(c)} }
func newList(items []Value) Value   { return Value{kind: Array, object: &list{items: items}} }
func newSpan(s span) Value          { return Value{kind: Range, object: &s} }
func newFunction(f *function) Value { return Value{kind: Function, object: f} }

// FromJSON returns the value for what encoding/json decodes: nil, bool,
// float64, string, []any and map[string]any. A number without a fraction is an
// integer, as far as a float64 holds it exactly; int and int64 are accepted as
// well. Anything else is unit.
func FromJSON(decoded any) Value {
	switch d := decoded.(type) {
	case bool:
		return NewBool(d)
	case int:
		return NewInt(int64(d))
	case int64:
		return NewInt(d)
	case float64:
		if d == math.Trunc(d) && math.Abs(d) <= 1<<63-1024 {
			return NewInt(int64(d))
		}
		return NewFloat(d)
	case string:
		return NewText(d)
	case []any:
		items := make([]Value, len(d))
		for i, item := range d {
			items[i] = FromJSON(item)
		}
		return NewArray(items...)
	case map[string]any:
		members := make(map[string]Value, len(d))
		for key, member := range d {
			members[key] = FromJSON(member)
		}
		return NewMap(members)
	}
	return Value{}
}

// JSON returns the value as encoding/json encodes it: nil, bool, int64,
// float64, string, []any or map[string]any. Numbers that JSON does not have,
// ranges and functions are their text.
func (v Value) JSON() any {
	switch v.kind {
	case Unit:
		return nil
	case Bool:
		return v.IsTrue()
	case Int:
		return v.number
	case Float:
		if f := v.float(); !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	case Array:
		items := make([]any, len(v.list().items))
		for i, item := range v.list().items {
			items[i] = item.JSON()
		}
		return items
	case Map:
		members := make(map[string]any, len(v.dict().keys))
		for i, key := range v.dict().keys {
			members[key] = v.dict().values[i].JSON()
		}
		return members
	}
	return v.String()
}

// Kind returns the type of the value.
func (v Value) Kind() Kind { return v.kind }

// IsTrue reports whether the value is the boolean true.
func (v Value) IsTrue() bool { return v.kind == Bool && v.number == 1 }

// IsFalse reports whether the value is the boolean false.
func (v Value) IsFalse() bool { return v.kind == Bool && v.number == 0 }

// String returns the text of the value, as it appears in a message.
func (v Value) String() string {
	w := writer{limit: maxText}
	w.write(v, false, 0)
	return w.String()
}

func (v Value) float() float64 { return math.Float64frombits(uint64(v.number)) }
func (v Value) list() *list    { return v.object.(*list) }
func (v Value) dict() *dict    { return v.object.(*dict) }
func (v Value) span() *span    { return v.object.(*span) }

func (v Value) isNumber() bool { return v.kind == Int || v.kind == Float }
func (v Value) isText() bool   { return v.kind == Text || v.kind == Char }

// asFloat returns a number as a floating-point number.
func (v Value) asFloat() float64 {
	if v.kind == Int {
		return float64(v.number)
	}
	return v.float()
}

// asText returns a text or a character as text.
func (v Value) asText() string {
	if v.kind == Char {
		return string(rune(v.number))
	}
	return v.text
}

func (v Value) typeName() string { return typeNames[v.kind] }

// markShared says that another place holds the value from now on.
func (v Value) markShared() Value {
	switch v.kind {
	case Array:
		if l := v.list(); !l.shared {
			l.shared = true
		}
	case Map:
		if d := v.dict(); !d.shared {
			d.shared = true
		}
	}
	return v
}

// find returns the index of a key, or the index at which to insert it.
func (d *dict) find(key string) (int, bool) { return slices.BinarySearch(d.keys, key) }

func (d *dict) set(key string, v Value) {
	i, ok := d.find(key)
	if ok {
		d.values[i] = v
		return
	}
	d.keys, d.values = slices.Insert(d.keys, i, key), slices.Insert(d.values, i, v)
}

func (d *dict) clone() *dict {
	for _, v := range d.values {
		v.markShared()
	}
	return &dict{keys: slices.Clone(d.keys), values: slices.Clone(d.values)}
}

func (l *list) clone() *list {
	for _, v := range l.items {
		v.markShared()
	}
	return &list{items: slices.Clone(l.items)}
}

func (s *span) contains(n int64) bool {
	return n >= s.start && (n < s.end || s.inclusive && n == s.end)
}

// epsilon is the relative difference up to which floating-point numbers are
// equal.
const epsilon = 2.220446049250313e-16

func equalFloats(a, b float64) bool {
	if a == b {
		return true
	}
	largest := max(math.Abs(a), math.Abs(b))
	if a*b == 0 {
		largest = 1
	}
	return math.Abs(a-b)/largest <= epsilon
}

// maxNesting is the largest depth of values that are compared or written.
const maxNesting = 500

// Equal reports whether two values are equal as == says. Values that are nested
// too deeply, or hold functions, are not equal.
func Equal(a, b Value) bool {
	steps := maxSteps
	return equal(a, b, &steps, 0)
}

// Identical reports whether two values are equal and of the same types: 1 and
// 1.0 are equal, but not identical.
func Identical(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Array:
		return slices.EqualFunc(a.list().items, b.list().items, Identical)
	case Map:
		x, y := a.dict(), b.dict()
		return slices.Equal(x.keys, y.keys) && slices.EqualFunc(x.values, y.values, Identical)
	}
	return Equal(a, b)
}

// equal counts what it looks at down from steps. It returns false when nothing
// is left.
func equal(a, b Value, steps *int, depth int) bool {
	*steps--
	if *steps < 0 || depth > maxNesting {
		return false
	}
	switch {
	case a.kind == Int && b.kind == Int:
		return a.number == b.number
	case a.isNumber() && b.isNumber():
		return equalFloats(a.asFloat(), b.asFloat())
	case a.isText() && b.isText():
		x, y := a.asText(), b.asText()
		if len(x) == len(y) {
			*steps -= len(x) / 64
		}
		return x == y
	case a.kind != b.kind:
		return false
	}
	switch a.kind {
	case Bool:
		return a.number == b.number
	case Array:
		return slices.EqualFunc(a.list().items, b.list().items, func(x, y Value) bool { return equal(x, y, steps, depth+1) })
	case Map:
		x, y := a.dict(), b.dict()
		return slices.Equal(x.keys, y.keys) &&
			slices.EqualFunc(x.values, y.values, func(x, y Value) bool { return equal(x, y, steps, depth+1) })
	case Range:
		return *a.span() == *b.span()
	case Function:
		return a.object == b.object
	}
	return true // unit
}

// compare orders two numbers, two texts or two booleans. ok is false for
// anything else. It counts down from steps as equal does.
func compare(a, b Value, steps *int) (order int, ok bool) {
	*steps--
	switch {
	case a.kind == Int && b.kind == Int, a.kind == Bool && b.kind == Bool:
		return cmp.Compare(a.number, b.number), true
	case a.isNumber() && b.isNumber():
		if equalFloats(a.asFloat(), b.asFloat()) {
			return 0, true
		}
		return cmp.Compare(a.asFloat(), b.asFloat()), true
	case a.isText() && b.isText():
		x, y := a.asText(), b.asText()
		*steps -= min(len(x), len(y)) / 64
		return strings.Compare(x, y), true
	}
	return 0, false
}

// writer writes the text of values, up to a limit.
type writer struct {
	strings.Builder
	limit int // bytes
	full  bool
}

func (w *writer) add(s string) {
	if w.full = w.full || w.Len()+len(s) > w.limit; !w.full {
		w.WriteString(s)
	}
}

// write writes a value. Texts inside arrays and maps are quoted.
func (w *writer) write(v Value, quoted bool, depth int) {
	if w.full || depth > maxNesting {
		w.full = true
		return
	}
	switch v.kind {
	case Unit:
		if quoted {
			w.add("()")
		}
	case Bool:
		w.add(strconv.FormatBool(v.number == 1))
	case Int:
		w.add(strconv.FormatInt(v.number, 10))
	case Float:
		w.add(formatFloat(v.float()))
	case Text:
		if quoted {
			w.add(quote(v.text))
		} else {
			w.add(v.text)
		}
	case Char:
		if quoted {
			w.add("'" + v.asText() + "'")
		} else {
			w.add(v.asText())
		}
	case Array:
		w.add("[")
		for i, item := range v.list().items {
			if i > 0 {
				w.add(", ")
			}
			w.write(item, true, depth+1)
		}
		w.add("]")
	case Map:
		w.add("#{")
		for i, key := range v.dict().keys {
			if i > 0 {
				w.add(", ")
			}
			w.add(quote(key) + ": ")
			w.write(v.dict().values[i], true, depth+1)
		}
		w.add("}")
	case Range:
		s := v.span()
		dots := ".."
		if s.inclusive {
			dots = "..="
		}
		w.add(strconv.FormatInt(s.start, 10) + dots + strconv.FormatInt(s.end, 10))
	case Function:
		w.add("Fn")
	}
}

func quote(s string) string {
	if !strings.ContainsAny(s, "\"\\\n\r\t") {
		return `"` + s + `"`
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "NaN"
	case f != 0 && (math.Abs(f) >= 1e16 || math.Abs(f) < 1e-5):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// countCharacters returns the number of characters of a text.
func countCharacters(s string) int { return utf8.RuneCountInString(s) }
