package script

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// methodsOf are the methods of each type.
var methodsOf [Function + 1]map[string]*method

// commonMethods are the methods of all types.
var commonMethods map[string]*method

// changingMethods are the names of the methods that change the receiver of some
// type.
var changingMethods = make(map[string]bool)

// The tables refer to functions that look at the tables.
func init() {
	methodsOf = [Function + 1]map[string]*method{
		Array: arrayMethods, Map: mapMethods, Text: textMethods, Char: charMethods, Int: numberMethods, Float: numberMethods, Range: rangeMethods,
	}
	commonMethods = map[string]*method{
		"to_string": {run: func(c *methodCall) (Value, error) {
			w := writer{limit: maxText}
			if w.write(*c.receiver, false, 0); w.full {
				return Value{}, tooLarge(c.at, "Length of string")
			}
			return NewText(w.String()), c.spend(w.Len()/64, c.at)
		}},
		"type_of": {run: func(c *methodCall) (Value, error) { return NewText(c.receiver.typeName()), nil }},
	}
	for _, methods := range methodsOf {
		for name, m := range methods {
			if m.changesReceiver {
				changingMethods[name] = true
			}
		}
	}
}

var rangeMethods = map[string]*method{
	"contains": {minArguments: 1, maxArguments: 1, run: containsArgument},
}

func containsArgument(c *methodCall) (Value, error) {
	found, err := c.contains(c.at, *c.receiver, c.arguments[0])
	return NewBool(found), err
}

var numberMethods = map[string]*method{
	"abs":      numberMethod(func(n int64) (int64, bool) { return max(n, -n), n != math.MinInt64 }, math.Abs),
	"floor":    floatMethod(math.Floor),
	"ceiling":  floatMethod(math.Ceil),
	"round":    floatMethod(math.Round),
	"sqrt":     floatMethod(math.Sqrt),
	"to_float": {run: func(c *methodCall) (Value, error) { return NewFloat(c.receiver.asFloat()), nil }},
	"to_int": {run: func(c *methodCall) (Value, error) {
		if c.receiver.kind == Int {
			return *c.receiver, nil
		}
		f := math.Trunc(c.receiver.float())
		if math.IsNaN(f) || f < math.MinInt64 || f >= math.MaxInt64 {
			return Value{}, newError(Arithmetic, c.at, "Integer overflow: to_int(%s)", c.receiver)
		}
		return NewInt(int64(f)), nil
	}},
	"is_odd":  intMethod(func(n int64) bool { return n%2 != 0 }),
	"is_even": intMethod(func(n int64) bool { return n%2 == 0 }),
	"is_zero": {run: func(c *methodCall) (Value, error) { return NewBool(c.receiver.asFloat() == 0), nil }},
	"min":     orderMethod(func(order int) bool { return order <= 0 }),
	"max":     orderMethod(func(order int) bool { return order >= 0 }),
}

func numberMethod(integer func(int64) (int64, bool), float func(float64) float64) *method {
	return &method{run: func(c *methodCall) (Value, error) {
		if c.receiver.kind == Float {
			return NewFloat(float(c.receiver.float())), nil
		}
		n, ok := integer(c.receiver.number)
		if !ok {
			return Value{}, newError(Arithmetic, c.at, "Integer overflow: %s(%d)", c.name, c.receiver.number)
		}
		return NewInt(n), nil
	}}
}

func floatMethod(do func(float64) float64) *method {
	return &method{run: func(c *methodCall) (Value, error) {
		if c.receiver.kind != Float {
			return c.notFound()
		}
		return NewFloat(do(c.receiver.float())), nil
	}}
}

func intMethod(is func(int64) bool) *method {
	return &method{run: func(c *methodCall) (Value, error) {
		if c.receiver.kind != Int {
			return c.notFound()
		}
		return NewBool(is(c.receiver.number)), nil
	}}
}

// orderMethod returns the receiver or the argument.
func orderMethod(receiver func(order int) bool) *method {
	return &method{minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if !c.arguments[0].isNumber() {
			return c.notFound()
		}
		order, _ := compare(*c.receiver, c.arguments[0], &c.steps)
		chosen := c.arguments[0]
		if receiver(order) {
			chosen = *c.receiver
		}
		if c.receiver.kind != c.arguments[0].kind {
			chosen = NewFloat(chosen.asFloat())
		}
		return chosen, nil
	}}
}

var charMethods = map[string]*method{
	"to_lower": {run: func(c *methodCall) (Value, error) { return newChar(unicode.ToLower(rune(c.receiver.number))), nil }},
	"to_upper": {run: func(c *methodCall) (Value, error) { return newChar(unicode.ToUpper(rune(c.receiver.number))), nil }},
}

var textMethods = map[string]*method{
	"len":         {run: func(c *methodCall) (Value, error) { return NewInt(int64(countCharacters(c.receiver.text))), nil }},
	"is_empty":    {run: func(c *methodCall) (Value, error) { return NewBool(c.receiver.text == ""), nil }},
	"bytes":       {run: func(c *methodCall) (Value, error) { return NewInt(int64(len(c.receiver.text))), nil }},
	"contains":    {minArguments: 1, maxArguments: 1, run: containsArgument},
	"starts_with": textPartMethod(func(s, part string) Value { return NewBool(strings.HasPrefix(s, part)) }),
	"ends_with":   textPartMethod(func(s, part string) Value { return NewBool(strings.HasSuffix(s, part)) }),
	"index_of": textPartMethod(func(s, part string) Value {
		i := strings.Index(s, part)
		if i > 0 {
			i = countCharacters(s[:i])
		}
		return NewInt(int64(i))
	}),
	"split":      {maxArguments: 2, run: split},
	"to_lower":   textMethod(strings.ToLower),
	"to_upper":   textMethod(strings.ToUpper),
	"make_lower": changeText(strings.ToLower),
	"make_upper": changeText(strings.ToUpper),
	"trim":       changeText(strings.TrimSpace),
	"replace":    {changesReceiver: true, minArguments: 2, maxArguments: 2, run: replace},
	"sub_string": {minArguments: 1, maxArguments: 2, run: func(c *methodCall) (Value, error) {
		length := int64(maxText)
		for _, a := range c.arguments {
			if a.kind != Int {
				return c.notFound()
			}
		}
		if len(c.arguments) > 1 {
			length = c.arguments[1].number
		}
		return NewText(subString(c.receiver.text, c.arguments[0].number, length)), c.spend(len(c.receiver.text)/64, c.at)
	}},
	"parse_int": {maxArguments: 1, run: parseInt},
	"parse_float": {run: func(c *methodCall) (Value, error) {
		f, err := strconv.ParseFloat(strings.TrimSpace(c.receiver.text), 64)
		if err != nil {
			return Value{}, newError(Arithmetic, c.at, "Error parsing floating-point number '%s'", shorten(c.receiver.text))
		}
		return NewFloat(f), nil
	}},
}

// textPartMethod is a method with a text as its argument.
func textPartMethod(do func(s, part string) Value) *method {
	return &method{minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if !c.arguments[0].isText() {
			return c.notFound()
		}
		return do(c.receiver.text, c.arguments[0].asText()), c.spend(len(c.receiver.text)/64, c.at)
	}}
}

// textMethod is a method that returns another text.
func textMethod(do func(string) string) *method {
	return &method{run: func(c *methodCall) (Value, error) {
		return NewText(do(c.receiver.text)), c.spend(len(c.receiver.text)/64, c.at)
	}}
}

// changeText is a method that changes its text.
func changeText(do func(string) string) *method {
	return &method{changesReceiver: true, run: func(c *methodCall) (Value, error) {
		*c.receiver = NewText(do(c.receiver.text))
		return Value{}, c.spend(len(c.receiver.text)/64, c.at)
	}}
}

// split splits a text at a separator, or at white space without one.
func split(c *methodCall) (Value, error) {
	var parts []string
	switch {
	case len(c.arguments) == 0:
		parts = strings.Fields(c.receiver.text)
	case !c.arguments[0].isText():
		return c.notFound()
	case len(c.arguments) == 2 && c.arguments[1].kind != Int:
		return c.notFound()
	case len(c.arguments) == 2:
		parts = strings.SplitN(c.receiver.text, c.arguments[0].asText(), int(min(max(c.arguments[1].number, 1), maxItems)))
	case c.arguments[0].asText() == "":
		parts = append(append([]string{""}, strings.Split(c.receiver.text, "")...), "")
	default:
		parts = strings.Split(c.receiver.text, c.arguments[0].asText())
	}
	if err := checkItems(len(parts), c.at); err != nil {
		return Value{}, err
	}
	items := make([]Value, len(parts))
	for i, part := range parts {
		items[i] = NewText(part)
	}
	return newList(items), c.spend(len(c.receiver.text)/64+len(parts)/16, c.at)
}

func replace(c *methodCall) (Value, error) {
	from, to := c.arguments[0], c.arguments[1]
	if !from.isText() || !to.isText() {
		return c.notFound()
	}
	found := strings.Count(c.receiver.text, from.asText())
	if len(c.receiver.text)+found*len(to.asText()) > maxText {
		return Value{}, tooLarge(c.at, "Length of string")
	}
	*c.receiver = NewText(strings.ReplaceAll(c.receiver.text, from.asText(), to.asText()))
	return Value{}, c.spend(len(c.receiver.text)/64, c.at)
}

// subString returns so many characters of a text from a start, which counts
// from the end if it is negative.
func subString(text string, start, length int64) string {
	all := []rune(text)
	size := int64(len(all))
	if start < 0 {
		start = max(start+size, 0)
	}
	if start >= size || length <= 0 {
		return ""
	}
	return string(all[start : start+min(length, size-start)])
}

func parseInt(c *methodCall) (Value, error) {
	base := int64(10)
	if len(c.arguments) == 1 {
		if base = c.arguments[0].number; c.arguments[0].kind != Int {
			return c.notFound()
		}
		if base < 2 || base > 36 {
			return Value{}, newError(Arithmetic, c.at, "Invalid radix: '%d'", base)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(c.receiver.text), int(base), 64)
	if err != nil {
		return Value{}, newError(Arithmetic, c.at, "Error parsing integer number '%s'", shorten(c.receiver.text))
	}
	return NewInt(n), nil
}

// shorten returns a text for an error.
func shorten(text string) string {
	if len(text) <= 100 {
		return text
	}
	return strings.ToValidUTF8(text[:100], "") + "…"
}
