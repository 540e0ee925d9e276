package script

import "errors"

// method is a function of the language. It is called as receiver.name(…) or as
// name(receiver, …).
type method struct {
	// changesReceiver is true if the method may change its receiver.
	changesReceiver bool
	// minArguments and most are the numbers of arguments besides the receiver.
	minArguments, maxArguments int
	run                        func(c *methodCall) (Value, error)
}

// methodCall is a call of a method.
type methodCall struct {
	*run
	frame     *frame
	receiver  *Value
	arguments []Value
	name      string
	at        Position
}

// notFound returns the error for a receiver or arguments of another type.
func (c *methodCall) notFound() (Value, error) {
	return Value{}, functionNotFound(c.at, c.name, append([]Value{*c.receiver}, c.arguments...)...)
}

// findMethod returns the method for a receiver; nil if there is none.
func findMethod(name string, receiver Value) *method {
	for _, methods := range []map[string]*method{methodsOf[receiver.kind], commonMethods} {
		if m := methods[name]; m != nil {
			return m
		}
	}
	return nil
}

// call evaluates a call of a method, of a function that the script defines, or
// of a closure.
func (r *run) call(f *frame, n *call) (Value, error) {
	nodes, receiver := n.arguments, (*Value)(nil)
	if n.object != nil {
		nodes = append([]node{n.object}, nodes...)
	}
	values := make([]Value, len(nodes))
	for i, argument := range nodes {
		var err error
		if i == 0 && (n.object != nil && r.script.functions[definitionKey{n.name, len(n.arguments)}] != nil || changingMethods[n.name]) {
			if receiver, err = r.placeOf(f, argument); err == nil {
				values[0] = *receiver
			}
		} else {
			values[i], err = r.eval(f, argument)
		}
		if err != nil {
			return Value{}, err
		}
		if i == 0 && n.optional && values[0].kind == Unit {
			return Value{}, nil
		}
		if i > 0 || n.object == nil {
			values[i].markShared()
		}
	}
	if v, found, err := r.callDefined(n, receiver, values); found || err != nil {
		return v, err
	}
	if len(values) == 0 {
		return Value{}, functionNotFound(n.Position, n.name)
	}
	if receiver == nil {
		receiver = &values[0]
	}
	return r.callMethod(f, n, receiver, values)
}

// callDefined calls a function that the script defines, if there is one.
func (r *run) callDefined(n *call, receiver *Value, values []Value) (v Value, found bool, err error) {
	arguments := values
	if n.object != nil {
		arguments = values[1:]
	}
	d := r.script.functions[definitionKey{n.name, len(arguments)}]
	if d == nil {
		return Value{}, false, nil
	}
	if n.object == nil {
		receiver = nil
	}
	v, err = r.enter(n.Position, d.parameters, d.body, nil, receiver, arguments)
	return v, true, err
}

func (r *run) callMethod(f *frame, n *call, receiver *Value, values []Value) (Value, error) {
	arguments := values[1:]
	if n.name == "call" && receiver.kind == Function {
		fn := receiver.object.(*function)
		if len(fn.parameters) != len(arguments) {
			return Value{}, functionNotFound(n.Position, n.name, values...)
		}
		return r.enter(n.Position, fn.parameters, fn.body, fn.variables, nil, arguments)
	}
	m := findMethod(n.name, *receiver)
	if m == nil || len(arguments) < m.minArguments || len(arguments) > m.maxArguments {
		return Value{}, functionNotFound(n.Position, n.name, values...)
	}
	return m.run(&methodCall{run: r, frame: f, receiver: receiver, arguments: arguments, name: n.name, at: n.Position})
}

// enter runs the body of a function.
func (r *run) enter(at Position, parameters []string, body node, variables *binding, receiver *Value, arguments []Value) (Value, error) {
	if r.calls >= maxCalls {
		return Value{}, newError(StackOverflow, at, "Stack overflow")
	}
	r.calls++
	defer func() { r.calls-- }()
	f := &frame{variables: variables, this: receiver}
	for i, name := range parameters {
		f.declare(name, arguments[i].markShared())
	}
	v, err := r.eval(f, body)
	if errors.Is(err, errReturn) {
		return r.returnValue, nil
	}
	return v, err
}

// closure returns an argument that must be a closure with at most so many
// parameters.
func (c *methodCall) closure(i, most int) (*function, bool) {
	if i >= len(c.arguments) || c.arguments[i].kind != Function {
		return nil, false
	}
	fn := c.arguments[i].object.(*function)
	return fn, len(fn.parameters) <= most
}

// callFor calls a closure for an item of an array. A closure without parameters
// sees the item as this; a second parameter is the index.
func (c *methodCall) callFor(fn *function, item *Value, i int) (Value, error) {
	arguments := [2]Value{*item, NewInt(int64(i))}
	var this *Value
	if len(fn.parameters) == 0 {
		this = item
	}
	return c.enter(c.at, fn.parameters, fn.body, fn.variables, this, arguments[:len(fn.parameters)])
}

// decide calls a closure for an item and reports whether it returned true. The
// trace keeps what the closure did only if it returned keep.
func (c *methodCall) decide(fn *function, item Value, i int, keep bool) (bool, error) {
	from := c.trace.mark()
	v, err := c.callFor(fn, item.sharedCopy(), i)
	if err == nil && v.IsTrue() != keep {
		c.trace.forget(from)
	}
	return v.IsTrue(), err
}

// sharedCopy returns a copy of the value in a place of its own.
func (v Value) sharedCopy() *Value {
	v.markShared()
	return &v
}
