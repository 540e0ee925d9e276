package script

import "slices"

var mapMethods = map[string]*method{
	"len":      {run: func(c *methodCall) (Value, error) { return NewInt(int64(len(c.receiver.dict().keys))), nil }},
	"is_empty": {run: func(c *methodCall) (Value, error) { return NewBool(len(c.receiver.dict().keys) == 0), nil }},
	"contains": {minArguments: 1, maxArguments: 1, run: containsArgument},
	"keys": {run: func(c *methodCall) (Value, error) {
		d := c.receiver.dict()
		keys := make([]Value, len(d.keys))
		for i, key := range d.keys {
			keys[i] = NewText(key)
		}
		return newList(keys), c.spend(len(keys)/16, c.at)
	}},
	"values": {run: func(c *methodCall) (Value, error) {
		values := c.receiver.dict().clone().values
		return newList(values), c.spend(len(values)/16, c.at)
	}},
	"get": {minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if !c.arguments[0].isText() {
			return c.notFound()
		}
		d := c.receiver.dict()
		if i, ok := d.find(c.arguments[0].asText()); ok {
			return d.values[i], nil
		}
		return Value{}, nil
	}},
	"set": {changesReceiver: true, minArguments: 2, maxArguments: 2, run: func(c *methodCall) (Value, error) {
		if !c.arguments[0].isText() {
			return c.notFound()
		}
		d, err := c.ownDict(c.receiver, c.at)
		if err != nil {
			return Value{}, err
		}
		d.set(c.arguments[0].asText(), c.arguments[1])
		if err := c.spend(len(d.keys)/1024, c.at); err != nil {
			return Value{}, err
		}
		return Value{}, checkItems(len(d.keys), c.at)
	}},
	"remove": {changesReceiver: true, minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if !c.arguments[0].isText() {
			return c.notFound()
		}
		d, err := c.ownDict(c.receiver, c.at)
		if err != nil {
			return Value{}, err
		}
		i, ok := d.find(c.arguments[0].asText())
		if !ok {
			return Value{}, nil
		}
		v := d.values[i]
		d.keys, d.values = slices.Delete(d.keys, i, i+1), slices.Delete(d.values, i, i+1)
		return v, nil
	}},
	"clear": {changesReceiver: true, run: func(c *methodCall) (Value, error) {
		*c.receiver = Value{kind: Map, object: &dict{}}
		return Value{}, nil
	}},
	"mixin": {changesReceiver: true, minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if c.arguments[0].kind != Map {
			return c.notFound()
		}
		v, _, err := c.join(c.at, *c.receiver, c.arguments[0])
		if err == nil {
			*c.receiver = v
		}
		return Value{}, err
	}},
	"filter": {minArguments: 1, maxArguments: 1, run: filterMap},
}

// filterMap returns the members for which a closure, which gets key and value,
// returns true.
func filterMap(c *methodCall) (Value, error) {
	fn, ok := c.closure(0, 2)
	if !ok || len(fn.parameters) == 0 {
		return c.notFound()
	}
	from := c.trace.mark()
	defer c.trace.forget(from)
	d, chosen := c.receiver.markShared().dict(), &dict{}
	for i, key := range d.keys {
		arguments := []Value{NewText(key), d.values[i].markShared()}
		v, err := c.enter(c.at, fn.parameters, fn.body, fn.variables, nil, arguments[:len(fn.parameters)])
		if err != nil {
			return Value{}, err
		}
		if v.IsTrue() {
			chosen.set(key, d.values[i])
		}
	}
	return Value{kind: Map, object: chosen}, nil
}
