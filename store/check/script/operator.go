package script

import (
	"math"
	"math/bits"
	"strings"
)

// signatureName names the type of an argument as errors about functions do.
func signatureName(v Value) string {
	if v.kind == Text {
		return "&str | ImmutableString | String"
	}
	return v.typeName()
}

func functionNotFound(at Position, name string, arguments ...Value) *Error {
	types := make([]string, len(arguments))
	for i, v := range arguments {
		types[i] = signatureName(v)
	}
	return newError(FunctionNotFound, at, "Function not found: %s (%s)", name, strings.Join(types, ", "))
}

func applyUnary(n *unary, v Value) (Value, error) {
	switch {
	case n.operator == "!" && v.kind == Bool:
		return NewBool(v.number == 0), nil
	case n.operator == "-" && v.kind == Int:
		if v.number == math.MinInt64 {
			return Value{}, newError(Arithmetic, n.Position, "Negation overflow: -%d", v.number)
		}
		return NewInt(-v.number), nil
	case n.operator == "-" && v.kind == Float:
		return NewFloat(-v.float()), nil
	case n.operator == "+" && v.isNumber():
		return v, nil
	}
	return Value{}, functionNotFound(n.Position, n.operator, v)
}

func (r *run) binary(f *frame, n *binary) (Value, error) {
	switch n.operator {
	case "&&", "||":
		left, err := r.condition(f, n.left)
		if err != nil || left == (n.operator == "||") {
			return NewBool(left), err
		}
		right, err := r.condition(f, n.right)
		return NewBool(right), err
	}
	left, err := r.eval(f, n.left)
	if err != nil {
		return Value{}, err
	}
	if n.operator == "??" && left.kind != Unit {
		return left, nil
	}
	right, err := r.eval(f, n.right)
	if err != nil || n.operator == "??" {
		return right, err
	}
	return r.apply(n.Position, n.operator, left, right)
}

// apply applies an operator to two values.
func (r *run) apply(at Position, o operator, left, right Value) (Value, error) {
	switch o {
	case "==", "!=":
		same := equal(left, right, &r.steps, 0)
		return NewBool(same == (o == "==")), r.spend(0, at)
	case "<", "<=", ">", ">=":
		return r.compareOperands(at, o, left, right)
	case "in", "!in":
		found, err := r.contains(at, right, left)
		return NewBool(found == (o == "in")), err
	case "+":
		if v, ok, err := r.join(at, left, right); ok || err != nil {
			return v, err
		}
	}
	switch {
	case left.kind == Int && right.kind == Int:
		return applyToIntegers(at, o, left.number, right.number)
	case left.isNumber() && right.isNumber():
		if v, ok := applyToFloats(o, left.asFloat(), right.asFloat()); ok {
			return NewFloat(v), nil
		}
	case left.kind == Bool && right.kind == Bool:
		switch o {
		case "&":
			return NewBool(left.number&right.number == 1), nil
		case "|":
			return NewBool(left.number|right.number == 1), nil
		case "^":
			return NewBool(left.number != right.number), nil
		}
	}
	return Value{}, functionNotFound(at, string(o), left, right)
}

func (r *run) compareOperands(at Position, o operator, left, right Value) (Value, error) {
	c, ok := compare(left, right, &r.steps)
	if err := r.spend(0, at); err != nil {
		return Value{}, err
	}
	if !ok {
		if left.kind == right.kind && left.kind != Unit {
			return Value{}, functionNotFound(at, string(o), left, right)
		}
		return NewBool(false), nil
	}
	switch o {
	case "<":
		return NewBool(c < 0), nil
	case "<=":
		return NewBool(c <= 0), nil
	case ">":
		return NewBool(c > 0), nil
	}
	return NewBool(c >= 0), nil
}

// join adds texts, arrays and maps. ok is false for other values.
func (r *run) join(at Position, left, right Value) (v Value, ok bool, err error) {
	switch {
	case left.isText(), right.isText():
		w := writer{limit: maxText}
		w.write(left, false, 0)
		if w.write(right, false, 0); w.full {
			return Value{}, false, tooLarge(at, "Length of string")
		}
		return NewText(w.String()), true, r.spend(w.Len()/64, at)
	case left.kind == Array && right.kind == Array:
		a, b := left.list(), right.list()
		if err := checkItems(len(a.items)+len(b.items), at); err != nil {
			return Value{}, false, err
		}
		sum := a.clone()
		sum.items = append(sum.items, b.clone().items...)
		return newList(sum.items), true, r.spend(len(sum.items)/16, at)
	case left.kind == Map && right.kind == Map:
		sum := left.dict().clone()
		for i, key := range right.dict().keys {
			sum.set(key, right.dict().values[i].markShared())
		}
		if err := r.spend(len(sum.keys), at); err != nil {
			return Value{}, false, err
		}
		return Value{kind: Map, object: sum}, true, checkItems(len(sum.keys), at)
	}
	return Value{}, false, nil
}

// contains reports whether a container holds a value: an array an equal item, a
// text a part, a map a key, a range a number.
func (r *run) contains(at Position, container, v Value) (bool, error) {
	switch {
	case container.kind == Array:
		for _, item := range container.list().items {
			if equal(item, v, &r.steps, 0) {
				return true, nil
			}
		}
		return false, r.spend(0, at)
	case container.kind == Text && v.isText():
		return strings.Contains(container.text, v.asText()), r.spend(len(container.text)/64, at)
	case container.kind == Map && v.isText():
		_, ok := container.dict().find(v.asText())
		return ok, nil
	case container.kind == Range && v.kind == Int:
		return container.span().contains(v.number), nil
	}
	return false, functionNotFound(at, "contains", container, v)
}

func applyToFloats(o operator, a, b float64) (float64, bool) {
	switch o {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/":
		return a / b, true
	case "%":
		return math.Mod(a, b), true
	case "**":
		return math.Pow(a, b), true
	}
	return 0, false
}

func applyToIntegers(at Position, o operator, a, b int64) (Value, error) {
	overflow := func(what string) (Value, error) {
		return Value{}, newError(Arithmetic, at, "%s overflow: %d %s %d", what, a, o, b)
	}
	switch o {
	case "+":
		if sum := a + b; (sum > a) == (b > 0) {
			return NewInt(sum), nil
		}
		return overflow("Addition")
	case "-":
		if difference := a - b; (difference < a) == (b > 0) {
			return NewInt(difference), nil
		}
		return overflow("Subtraction")
	case "*":
		if product, ok := multiply(a, b); ok {
			return NewInt(product), nil
		}
		return overflow("Multiplication")
	case "/", "%":
		switch {
		case b == 0:
			return Value{}, newError(Arithmetic, at, "Division by zero: %d %s %d", a, o, b)
		case a == math.MinInt64 && b == -1:
			return overflow("Division")
		case o == "/":
			return NewInt(a / b), nil
		}
		return NewInt(a % b), nil
	case "**":
		if power, ok := raise(a, b); ok {
			return NewInt(power), nil
		}
		return overflow("Exponential")
	case "&":
		return NewInt(a & b), nil
	case "|":
		return NewInt(a | b), nil
	case "^":
		return NewInt(a ^ b), nil
	case "<<", ">>":
		return shift(o, a, b), nil
	}
	return Value{}, functionNotFound(at, string(o), NewInt(a), NewInt(b))
}

func shift(o operator, a, b int64) Value {
	left := o == "<<"
	if b < 0 {
		left, b = !left, -max(b, -bits.UintSize)
	}
	b = min(b, 64)
	if left {
		return NewInt(a << b)
	}
	return NewInt(a >> b)
}

func multiply(a, b int64) (product int64, ok bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	product = a * b
	return product, product/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64)
}

// raise returns a to the power of b. It is not ok for a negative power and for a
// result that is too large.
func raise(a, b int64) (power int64, ok bool) {
	if b < 0 {
		return 0, false
	}
	power = 1
	for ok = true; b > 0 && ok; {
		if b&1 == 1 {
			if power, ok = multiply(power, a); !ok {
				return 0, false
			}
		}
		if b >>= 1; b > 0 {
			a, ok = multiply(a, a)
		}
	}
	return power, ok
}
