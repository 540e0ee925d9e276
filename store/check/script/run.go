package script

import (
	"context"
	"errors"
)

// Limits of a run. Those of time are set by its context.
const (
	maxSteps = 1_000_000
	maxCalls = 64      // functions that have called each other
	maxText  = 1 << 20 // bytes
	maxItems = 100_000 // of an array or map
)

// Run evaluates the script with the variables of a scope. It changes none of
// them. The error is an *Error; its kind is Terminated if the context ended.
func (s *Script) Run(ctx context.Context, scope map[string]Value) (Value, error) {
	return s.run(ctx, scope, nil)
}

func (s *Script) run(ctx context.Context, scope map[string]Value, t *trace) (Value, error) {
	r := &run{ctx: ctx, script: s, steps: maxSteps, trace: t}
	f := &frame{}
	for name, value := range scope {
		f.declare(name, value)
	}
	v, err := r.block(f, s.body)
	if errors.Is(err, errReturn) {
		v, err = r.returnValue, nil
	}
	if err == nil {
		w := writer{limit: maxText * 4}
		if w.write(v, false, 0); w.full {
			err = newError(DataTooLarge, Position{1, 1}, "The result is too large")
		}
	}
	if err != nil {
		return Value{}, err
	}
	return v.markShared(), nil
}

// run is a run of a script.
type run struct {
	ctx         context.Context
	script      *Script
	steps       int // that are left
	calls       int // functions that run now
	returnValue Value
	trace       *trace // nil: nobody wants to know
}

// frame is what the statements of a function see.
type frame struct {
	variables *binding
	this      *Value
}

// binding is a variable. Those declared before it follow.
type binding struct {
	name            string
	value           Value
	constant        bool
	previousBinding *binding
}

func (f *frame) declare(name string, v Value) *binding {
	f.variables = &binding{name: name, value: v, previousBinding: f.variables}
	return f.variables
}

func (f *frame) find(name string) *binding {
	for b := f.variables; b != nil; b = b.previousBinding {
		if b.name == name {
			return b
		}
	}
	return nil
}

// Jumps out of statements travel as errors.
var (
	errReturn   = errors.New("return") // the value is in run.returned
	errBreak    = errors.New("break")  // the value is in run.returned
	errContinue = errors.New("continue")
)

// spend takes steps off those that are left.
func (r *run) spend(n int, at Position) error {
	before := r.steps
	if r.steps -= n; r.steps < 0 {
		return newError(TooManyOperations, at, "Too many operations")
	}
	if before>>10 != r.steps>>10 && r.ctx.Err() != nil {
		return newError(Terminated, at, "Script terminated: it took too long")
	}
	return nil
}

// eval evaluates a node.
func (r *run) eval(f *frame, n node) (Value, error) {
	if r.trace == nil {
		return r.evalUntraced(f, n)
	}
	v, err := r.evalUntraced(f, n)
	if err == nil {
		r.trace.add(r.script.source, n, v)
	}
	return v, err
}

func (r *run) evalUntraced(f *frame, n node) (Value, error) {
	if err := r.spend(1, n.extent().Position); err != nil {
		return Value{}, err
	}
	switch n := n.(type) {
	case *literal:
		return n.value, nil
	case *variable:
		if b := f.find(n.name); b != nil {
			return b.value, nil
		}
		return Value{}, newError(VariableNotFound, n.Position, "Variable not found: %s", n.name)
	case *this:
		if f.this == nil {
			return Value{}, newError(UnboundThis, n.Position, "'this' not bound")
		}
		return *f.this, nil
	case *property:
		return r.property(f, n)
	case *index:
		return r.index(f, n)
	case *binary:
		return r.binary(f, n)
	case *unary:
		v, err := r.eval(f, n.operand)
		if err != nil {
			return Value{}, err
		}
		return applyUnary(n, v)
	case *call:
		return r.call(f, n)
	case *closure:
		return newFunction(&function{n.parameters, n.body, f.variables}), nil
	case *template, *arrayLiteral, *mapLiteral, *rangeLiteral:
		return r.evalComposed(f, n)
	}
	return r.statement(f, n)
}

// evalComposed evaluates a value that is made of others.
func (r *run) evalComposed(f *frame, n node) (Value, error) {
	switch n := n.(type) {
	case *arrayLiteral:
		items := make([]Value, len(n.items))
		for i, item := range n.items {
			v, err := r.eval(f, item)
			if err != nil {
				return Value{}, err
			}
			items[i] = v.markShared()
		}
		return newList(items), nil
	case *mapLiteral:
		d := &dict{}
		for i, key := range n.keys {
			v, err := r.eval(f, n.values[i])
			if err != nil {
				return Value{}, err
			}
			d.set(key, v.markShared())
		}
		return Value{kind: Map, object: d}, nil
	case *rangeLiteral:
		start, err := r.eval(f, n.start)
		if err != nil {
			return Value{}, err
		}
		end, err := r.eval(f, n.end)
		if err != nil {
			return Value{}, err
		}
		if start.kind != Int || end.kind != Int {
			return Value{}, functionNotFound(n.Position, "..", start, end)
		}
		return newSpan(span{start.number, end.number, n.inclusive}), nil
	}
	return r.template(f, n.(*template))
}

func (r *run) template(f *frame, n *template) (Value, error) {
	w := writer{limit: maxText}
	for _, part := range n.parts {
		v, err := r.eval(f, part)
		if err != nil {
			return Value{}, err
		}
		if w.write(v, false, 0); w.full {
			return Value{}, tooLarge(n.Position, "Length of string")
		}
	}
	return NewText(w.String()), r.spend(w.Len()/64, n.Position)
}

func tooLarge(at Position, what string) *Error {
	return newError(DataTooLarge, at, "%s too large", what)
}

func (r *run) property(f *frame, n *property) (Value, error) {
	object, err := r.eval(f, n.object)
	if err != nil {
		return Value{}, err
	}
	switch object.kind {
	case Map:
		d := object.dict()
		if i, ok := d.find(n.name); ok {
			return d.values[i], nil
		}
		return Value{}, newError(PropertyNotFound, n.Position, "Property not found: %s", n.name)
	case Unit:
		if n.optional {
			return Value{}, nil
		}
	default:
		if v, ok := getter(object, n.name); ok {
			return v, nil
		}
	}
	return Value{}, unknownProperty(n, object)
}

func unknownProperty(n *property, object Value) *Error {
	return newError(DotExpression, n.Position, "Unknown property '%s' - a getter is not registered for type '%s'", n.name, object.typeName())
}

// getter returns a property of a value that is no map.
func getter(v Value, name string) (Value, bool) {
	switch {
	case v.kind == Array && name == "len":
		return NewInt(int64(len(v.list().items))), true
	case v.kind == Array && name == "is_empty":
		return NewBool(len(v.list().items) == 0), true
	case v.kind == Text && name == "len":
		return NewInt(int64(countCharacters(v.text))), true
	case v.kind == Text && name == "is_empty":
		return NewBool(v.text == ""), true
	case v.kind == Text && name == "bytes":
		return NewInt(int64(len(v.text))), true
	case v.kind == Int && name == "is_odd":
		return NewBool(v.number%2 != 0), true
	case v.kind == Int && name == "is_even":
		return NewBool(v.number%2 == 0), true
	}
	return Value{}, false
}

func (r *run) index(f *frame, n *index) (Value, error) {
	object, err := r.eval(f, n.object)
	if err != nil {
		return Value{}, err
	}
	if object.kind == Unit && n.optional {
		return Value{}, nil
	}
	key, err := r.eval(f, n.key)
	if err != nil {
		return Value{}, err
	}
	switch object.kind {
	case Array:
		i, err := arrayIndex(n.Position, key, len(object.list().items))
		if err != nil {
			return Value{}, err
		}
		return object.list().items[i], nil
	case Map:
		if !key.isText() {
			return Value{}, newError(MismatchDataType, n.Position, "Data type incorrect: %s (expecting string)", key.typeName())
		}
		d := object.dict()
		if i, ok := d.find(key.asText()); ok {
			return d.values[i], nil
		}
		return Value{}, newError(PropertyNotFound, n.Position, "Property not found: %s", key.asText())
	case Text:
		return r.textIndex(n.Position, object.text, key)
	}
	return Value{}, newError(IndexingType, n.Position, "Indexer unavailable: %s [%s]", object.typeName(), key.typeName())
}

// arrayIndex returns the index for a key. Negative keys count from the end.
func arrayIndex(at Position, key Value, length int) (int, error) {
	if key.kind != Int {
		return 0, newError(MismatchDataType, at, "Data type incorrect: %s (expecting i64)", key.typeName())
	}
	i := key.number
	if i < 0 {
		i += int64(length)
	}
	switch {
	case i >= 0 && i < int64(length):
		return int(i), nil
	case length == 0:
		return 0, newError(ArrayBounds, at, "Array index %d out of bounds: array is empty", key.number)
	}
	return 0, newError(ArrayBounds, at, "Array index %d out of bounds: only %d elements in array", key.number, length)
}

func (r *run) textIndex(at Position, text string, key Value) (Value, error) {
	if err := r.spend(len(text)/64, at); err != nil {
		return Value{}, err
	}
	if key.kind == Range {
		s := key.span()
		end := s.end
		if s.inclusive && end < maxText {
			end++
		}
		return NewText(subString(text, s.start, end-s.start)), nil
	}
	if key.kind != Int {
		return Value{}, newError(MismatchDataType, at, "Data type incorrect: %s (expecting i64)", key.typeName())
	}
	all := []rune(text)
	i := key.number
	if i < 0 {
		i += int64(len(all))
	}
	if i < 0 || i >= int64(len(all)) {
		return Value{}, newError(StringBounds, at, "String index %d out of bounds: only %d characters in string", key.number, len(all))
	}
	return newChar(all[i]), nil
}

// block runs statements. The variables that they declare end with it.
func (r *run) block(f *frame, b *block) (Value, error) {
	known := f.variables
	defer func() { f.variables = known }()
	var last Value
	for i, n := range b.statements {
		from := r.trace.mark()
		v, err := r.eval(f, n)
		if err != nil {
			return Value{}, err
		}
		if last = v; i < len(b.statements)-1 {
			r.trace.forget(from)
		}
	}
	return last, nil
}

// statement runs a node that is a statement.
func (r *run) statement(f *frame, n node) (Value, error) {
	switch n := n.(type) {
	case *block:
		return r.block(f, n)
	case *conditional:
		return r.conditional(f, n)
	case *declaration:
		var v Value
		if n.value != nil {
			var err error
			if v, err = r.eval(f, n.value); err != nil {
				return Value{}, err
			}
		}
		f.declare(n.name, v.markShared()).constant = n.constant
		return Value{}, nil
	case *assignment:
		return Value{}, r.assign(f, n)
	case *loop:
		return r.loop(f, n)
	case *iteration:
		return r.iteration(f, n)
	case *selection:
		return r.selection(f, n)
	}
	return Value{}, r.jump(f, n.(*jump))
}

func (r *run) conditional(f *frame, n *conditional) (Value, error) {
	met, err := r.condition(f, n.condition)
	switch {
	case err != nil:
		return Value{}, err
	case met:
		return r.eval(f, n.then)
	case n.otherwise != nil:
		return r.eval(f, n.otherwise)
	}
	return Value{}, nil
}

// condition evaluates a node that must be a boolean.
func (r *run) condition(f *frame, n node) (bool, error) {
	v, err := r.eval(f, n)
	if err == nil && v.kind != Bool {
		err = mismatch(n.extent().Position, v)
	}
	return v.number == 1, err
}

func mismatch(at Position, v Value) *Error {
	return newError(MismatchDataType, at, "Data type incorrect: %s (expecting bool)", v.typeName())
}

func (r *run) loop(f *frame, n *loop) (Value, error) {
	for {
		from := r.trace.mark()
		if n.condition != nil {
			if met, err := r.condition(f, n.condition); err != nil || !met {
				return Value{}, err
			}
		}
		if err := r.spend(1, n.Position); err != nil {
			return Value{}, err
		}
		if v, ended, err := r.runLoopBody(f, n.body); ended || err != nil {
			return v, err
		}
		r.trace.forget(from)
	}
}

// runLoopBody runs the body of a loop once. ended is true if it left the loop.
func (r *run) runLoopBody(f *frame, body node) (v Value, ended bool, err error) {
	_, err = r.eval(f, body)
	switch {
	case errors.Is(err, errBreak):
		return r.returnValue, true, nil
	case errors.Is(err, errContinue):
		return Value{}, false, nil
	}
	return Value{}, false, err
}

func (r *run) iteration(f *frame, n *iteration) (Value, error) {
	over, err := r.eval(f, n.iterable)
	if err != nil {
		return Value{}, err
	}
	known := f.variables
	defer func() { f.variables = known }()
	visit := func(i int, item Value) (Value, bool, error) {
		from := r.trace.mark()
		f.variables = known
		f.declare(n.item, item.markShared())
		if n.counter != "" {
			f.declare(n.counter, NewInt(int64(i)))
		}
		v, ended, err := r.runLoopBody(f, n.body)
		if err == nil && !ended {
			r.trace.forget(from)
		}
		return v, ended, err
	}
	switch over.kind {
	case Array:
		over.markShared() // the body may change the array, which does not change the loop
		for i, item := range over.list().items {
			if v, ended, err := visit(i, item); ended || err != nil {
				return v, err
			}
		}
	case Text:
		i := 0
		for _, c := range over.text {
			if v, ended, err := visit(i, newChar(c)); ended || err != nil {
				return v, err
			}
			i++
		}
	case Range:
		s := over.span()
		for n := s.start; s.contains(n); n++ {
			if v, ended, err := visit(int(n-s.start), NewInt(n)); ended || err != nil {
				return v, err
			}
			if n == s.end {
				break // the next number may not exist
			}
		}
	default:
		return Value{}, newError(ForLoop, n.iterable.extent().Position, "For loop expects iterable type")
	}
	return Value{}, nil
}

func (r *run) selection(f *frame, n *selection) (Value, error) {
	v, err := r.eval(f, n.value)
	if err != nil {
		return Value{}, err
	}
	for _, c := range n.cases {
		chosen := len(c.values) == 0
		for _, value := range c.values {
			wanted, err := r.evalUntraced(f, value)
			if err != nil {
				return Value{}, err
			}
			chosen = chosen || equal(v, wanted, &r.steps, 0) || wanted.kind == Range && v.kind == Int && wanted.span().contains(v.number)
		}
		if chosen && c.condition != nil {
			if chosen, err = r.condition(f, c.condition); err != nil {
				return Value{}, err
			}
		}
		if chosen {
			return r.eval(f, c.body)
		}
	}
	return Value{}, nil
}

func (r *run) jump(f *frame, n *jump) error {
	var v Value
	if n.value != nil {
		var err error
		if v, err = r.eval(f, n.value); err != nil {
			return err
		}
	}
	switch n.word {
	case "throw":
		return newError(Runtime, n.Position, "Runtime error: %s", v.String())
	case "continue":
		return errContinue
	case "break":
		r.returnValue = v.markShared()
		return errBreak
	}
	r.returnValue = v.markShared()
	return errReturn
}
