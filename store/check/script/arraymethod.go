package script

import (
	"cmp"
	"slices"
)

var arrayMethods = map[string]*method{
	"len":      {run: func(c *methodCall) (Value, error) { return NewInt(int64(len(c.items()))), nil }},
	"is_empty": {run: func(c *methodCall) (Value, error) { return NewBool(len(c.items()) == 0), nil }},
	"contains": {minArguments: 1, maxArguments: 1, run: containsArgument},
	"get": {minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		i, err := arrayIndex(c.at, c.arguments[0], len(c.items()))
		if err != nil {
			if c.arguments[0].kind != Int {
				return c.notFound()
			}
			return Value{}, nil
		}
		return c.items()[i], nil
	}},
	"find":     {minArguments: 1, maxArguments: 1, run: find},
	"find_map": {minArguments: 1, maxArguments: 1, run: findMap},
	"filter":   {minArguments: 1, maxArguments: 1, run: filterArray},
	"map":      {minArguments: 1, maxArguments: 1, run: mapArray},
	"all": {minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		i, err := c.findFirst(false)
		return NewBool(i < 0), err
	}},
	"some": {minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		i, err := c.findFirst(true)
		return NewBool(i >= 0), err
	}},
	"index_of": {minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		if c.arguments[0].kind == Function {
			i, err := c.findFirst(true)
			return NewInt(int64(i)), err
		}
		i := slices.IndexFunc(c.items(), func(item Value) bool { return equal(item, c.arguments[0], &c.steps, 0) })
		return NewInt(int64(i)), c.spend(0, c.at)
	}},
	"reduce":   {minArguments: 1, maxArguments: 2, run: reduce},
	"for_each": {changesReceiver: true, minArguments: 1, maxArguments: 1, run: forEach},
	"extract":  {minArguments: 1, maxArguments: 2, run: extract},
	"push": {changesReceiver: true, minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) {
		l, err := c.ownList(c.receiver, c.at)
		if err != nil {
			return Value{}, err
		}
		l.items = append(l.items, c.arguments[0])
		return Value{}, checkItems(len(l.items), c.at)
	}},
	"insert":  {changesReceiver: true, minArguments: 2, maxArguments: 2, run: insert},
	"pop":     {changesReceiver: true, run: func(c *methodCall) (Value, error) { return c.take(-1) }},
	"shift":   {changesReceiver: true, run: func(c *methodCall) (Value, error) { return c.take(0) }},
	"remove":  {changesReceiver: true, minArguments: 1, maxArguments: 1, run: removeItem},
	"clear":   {changesReceiver: true, run: func(c *methodCall) (Value, error) { *c.receiver = newList(nil); return Value{}, nil }},
	"reverse": {changesReceiver: true, run: changeList(func(items []Value) []Value { slices.Reverse(items); return items })},
	"dedup": {changesReceiver: true, run: func(c *methodCall) (Value, error) {
		same := func(a, b Value) bool { return equal(a, b, &c.steps, 0) }
		return changeList(func(items []Value) []Value { return slices.CompactFunc(items, same) })(c)
	}},
	"sort":   {changesReceiver: true, maxArguments: 1, run: sortArray},
	"drain":  {changesReceiver: true, minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) { return c.divide(true) }},
	"retain": {changesReceiver: true, minArguments: 1, maxArguments: 1, run: func(c *methodCall) (Value, error) { return c.divide(false) }},
}

// items returns the items of the receiver.
func (c *methodCall) items() []Value { return c.receiver.list().items }

// sharedItems returns the items of the receiver, which a closure cannot change.
func (c *methodCall) sharedItems() []Value { return c.receiver.markShared().list().items }

// findFirst returns the index of the first item for which the closure returns true,
// or else anything but true; -1 if there is none.
func (c *methodCall) findFirst(wanted bool) (int, error) {
	fn, ok := c.closure(0, 2)
	if !ok {
		_, err := c.notFound()
		return -1, err
	}
	for i, item := range c.sharedItems() {
		if is, err := c.decide(fn, item, i, wanted); err != nil || is == wanted {
			return i, err
		}
	}
	return -1, nil
}

func find(c *methodCall) (Value, error) {
	items := c.sharedItems()
	i, err := c.findFirst(true)
	if err != nil || i < 0 {
		return Value{}, err
	}
	return items[i], nil
}

func findMap(c *methodCall) (Value, error) {
	fn, ok := c.closure(0, 2)
	if !ok {
		return c.notFound()
	}
	for i, item := range c.sharedItems() {
		if v, err := c.callFor(fn, item.sharedCopy(), i); err != nil || v.kind != Unit {
			return v, err
		}
	}
	return Value{}, nil
}

func filterArray(c *methodCall) (Value, error) {
	chosen, _, err := c.separate()
	return newList(chosen), err
}

// separate returns the items for which the closure returns true, and the
// others.
func (c *methodCall) separate() (chosen, others []Value, err error) {
	fn, ok := c.closure(0, 2)
	if !ok {
		_, err := c.notFound()
		return nil, nil, err
	}
	from := c.trace.mark()
	defer c.trace.forget(from)
	for i, item := range c.sharedItems() {
		is, err := c.decide(fn, item, i, true)
		if err != nil {
			return nil, nil, err
		}
		if is {
			chosen = append(chosen, item.markShared())
		} else {
			others = append(others, item.markShared())
		}
	}
	return chosen, others, nil
}

// divide removes items from the array and returns them: those for which the
// closure returns true, or else the others.
func (c *methodCall) divide(chosen bool) (Value, error) {
	removed, kept, err := c.separate()
	if err != nil {
		return Value{}, err
	}
	if !chosen {
		removed, kept = kept, removed
	}
	*c.receiver = newList(kept)
	return newList(removed), nil
}

func mapArray(c *methodCall) (Value, error) {
	fn, ok := c.closure(0, 2)
	if !ok {
		return c.notFound()
	}
	from := c.trace.mark()
	items := c.sharedItems()
	mapped := make([]Value, len(items))
	for i, item := range items {
		v, err := c.callFor(fn, item.sharedCopy(), i)
		if err != nil {
			return Value{}, err
		}
		mapped[i] = v.markShared()
	}
	c.trace.forget(from)
	return newList(mapped), nil
}

func reduce(c *methodCall) (Value, error) {
	fn, ok := c.closure(0, 3)
	if !ok || len(fn.parameters) < 2 {
		return c.notFound()
	}
	var result Value
	if len(c.arguments) == 2 {
		result = c.arguments[1]
	}
	for i, item := range c.sharedItems() {
		arguments := []Value{result.markShared(), item.markShared(), NewInt(int64(i))}
		var err error
		if result, err = c.enter(c.at, fn.parameters, fn.body, fn.variables, nil, arguments[:len(fn.parameters)]); err != nil {
			return Value{}, err
		}
	}
	return result, nil
}

// forEach calls a closure, which sees and may change each item as this. Its
// parameter is the index.
func forEach(c *methodCall) (Value, error) {
	fn, ok := c.closure(0, 1)
	if !ok {
		return c.notFound()
	}
	items := slices.Clone(c.sharedItems())
	for i := range items {
		items[i].markShared()
		arguments := []Value{NewInt(int64(i))}
		if _, err := c.enter(c.at, fn.parameters, fn.body, fn.variables, &items[i], arguments[:len(fn.parameters)]); err != nil {
			return Value{}, err
		}
	}
	*c.receiver = newList(items)
	return Value{}, c.spend(len(items)/16, c.at)
}

func extract(c *methodCall) (Value, error) {
	items := c.items()
	size := int64(len(items))
	start, length := c.arguments[0], NewInt(size)
	if len(c.arguments) == 2 {
		length = c.arguments[1]
	}
	if start.kind != Int || length.kind != Int {
		return c.notFound()
	}
	from := start.number
	if from < 0 {
		from = max(from+size, 0)
	}
	if from >= size || length.number <= 0 {
		return newList(nil), nil
	}
	part := (&list{items: items[from : from+min(length.number, size-from)]}).clone()
	return newList(part.items), c.spend(len(part.items)/16, c.at)
}

func insert(c *methodCall) (Value, error) {
	if c.arguments[0].kind != Int {
		return c.notFound()
	}
	l, err := c.ownList(c.receiver, c.at)
	if err != nil {
		return Value{}, err
	}
	i, size := c.arguments[0].number, int64(len(l.items))
	if i < 0 {
		i += size
	}
	l.items = slices.Insert(l.items, int(min(max(i, 0), size)), c.arguments[1])
	if err := c.spend(len(l.items)/1024, c.at); err != nil {
		return Value{}, err
	}
	return Value{}, checkItems(len(l.items), c.at)
}

// take removes an item and returns it; unit if there is none. The index -1 is
// the last one.
func (c *methodCall) take(i int) (Value, error) {
	l, err := c.ownList(c.receiver, c.at)
	if err != nil {
		return Value{}, err
	}
	if i < 0 {
		i += len(l.items)
	}
	if i < 0 || i >= len(l.items) {
		return Value{}, nil
	}
	v := l.items[i]
	l.items = slices.Delete(l.items, i, i+1)
	return v, c.spend(len(l.items)/1024, c.at)
}

func removeItem(c *methodCall) (Value, error) {
	if c.arguments[0].kind != Int {
		return c.notFound()
	}
	i := c.arguments[0].number
	if size := int64(len(c.items())); i < -size || i >= size {
		return Value{}, nil
	}
	return c.take(int(i))
}

// changeList is a method that changes its array.
func changeList(do func([]Value) []Value) func(c *methodCall) (Value, error) {
	return func(c *methodCall) (Value, error) {
		l, err := c.ownList(c.receiver, c.at)
		if err != nil {
			return Value{}, err
		}
		l.items = do(l.items)
		return Value{}, c.spend(len(l.items)/16, c.at)
	}
}

// sortArray sorts by the order of numbers, texts or booleans, or by a closure
// that returns a negative number if its first argument comes first.
func sortArray(c *methodCall) (Value, error) {
	items := slices.Clone(c.sharedItems())
	var failed error
	compareItems := func(a, b Value) int {
		if failed != nil {
			return 0
		}
		order, ok := compare(a, b, &c.steps)
		if failed = c.spend(0, c.at); failed != nil {
			return 0
		}
		if !ok || a.kind != b.kind {
			failed = newError(FunctionNotFound, c.at, "Function not found: sort() cannot be called with elements of different types")
		}
		return order
	}
	if len(c.arguments) == 1 {
		fn, ok := c.closure(0, 2)
		if !ok || len(fn.parameters) != 2 {
			return c.notFound()
		}
		compareItems = func(a, b Value) int {
			if failed != nil {
				return 0
			}
			v, err := c.enter(c.at, fn.parameters, fn.body, fn.variables, nil, []Value{a.markShared(), b.markShared()})
			if failed = err; v.kind != Int {
				return 0
			}
			return cmp.Compare(v.number, 0)
		}
	}
	if err := c.spend(len(items), c.at); err != nil {
		return Value{}, err
	}
	if slices.SortStableFunc(items, compareItems); failed != nil {
		return Value{}, failed
	}
	*c.receiver = newList(items)
	return Value{}, nil
}
