package script

// assign runs an assignment.
func (r *run) assign(f *frame, n *assignment) error {
	v, err := r.eval(f, n.value)
	if err != nil {
		return err
	}
	v.markShared()
	if n.operator != "" {
		target, err := r.placeOf(f, n.target)
		if err != nil {
			return err
		}
		return r.assignResult(n, target, v)
	}
	switch target := n.target.(type) {
	case *property:
		return r.assignMember(f, target, target.object, NewText(target.name), v)
	case *index:
		key, err := r.eval(f, target.key)
		if err != nil {
			return err
		}
		return r.assignMember(f, target, target.object, key, v)
	}
	target, err := r.placeOf(f, n.target)
	if err == nil {
		*target = v
	}
	return err
}

// assignResult runs target operator= v.
func (r *run) assignResult(n *assignment, target *Value, v Value) error {
	if n.operator == "+" && target.kind == Array {
		l, err := r.ownList(target, n.Position)
		if err != nil {
			return err
		}
		added := []Value{v}
		if v.kind == Array {
			added = v.list().clone().items
		}
		l.items = append(l.items, added...)
		if err := r.spend(len(added)/16, n.Position); err != nil {
			return err
		}
		return checkItems(len(l.items), n.Position)
	}
	result, err := r.apply(n.Position, n.operator, *target, v)
	if err == nil {
		*target = result.markShared()
	}
	return err
}

// assignMember runs object[key] = v, and object.key = v for a property.
func (r *run) assignMember(f *frame, n, object node, key, v Value) error {
	at := n.extent().Position
	target, err := r.placeOf(f, object)
	if err != nil {
		return err
	}
	p, isProperty := n.(*property)
	switch {
	case target.kind == Map && key.isText():
		d, err := r.ownDict(target, at)
		if err != nil {
			return err
		}
		d.set(key.asText(), v)
		if err := r.spend(len(d.keys)/1024, at); err != nil {
			return err
		}
		return checkItems(len(d.keys), at)
	case isProperty:
		return newError(DotExpression, at, "No writable property '%s' - a setter is not registered for type '%s' to handle '%s'", p.name, target.typeName(), v.typeName())
	case target.kind == Map:
		return newError(MismatchDataType, at, "Data type incorrect: %s (expecting string)", key.typeName())
	case target.kind == Array:
		l, err := r.ownList(target, at)
		if err != nil {
			return err
		}
		i, err := arrayIndex(at, key, len(l.items))
		if err == nil {
			l.items[i] = v
		}
		return err
	}
	return newError(IndexingType, at, "Indexer unavailable: %s [%s]", target.typeName(), key.typeName())
}

// placeOf returns where the value of a node is kept, so that it can be changed.
// What is neither a variable nor a part of one is evaluated and kept nowhere
// else.
func (r *run) placeOf(f *frame, n node) (*Value, error) {
	if err := r.spend(1, n.extent().Position); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *variable:
		b := f.find(n.name)
		switch {
		case b == nil:
			return nil, newError(VariableNotFound, n.Position, "Variable not found: %s", n.name)
		case b.constant:
			return nil, newError(AssignmentToConstant, n.Position, "Cannot modify constant %s", n.name)
		}
		return &b.value, nil
	case *this:
		if f.this == nil {
			return nil, newError(UnboundThis, n.Position, "'this' not bound")
		}
		return f.this, nil
	case *property:
		return r.memberPlace(f, n, n.object, NewText(n.name), n.optional)
	case *index:
		key, err := r.eval(f, n.key)
		if err != nil {
			return nil, err
		}
		return r.memberPlace(f, n, n.object, key, n.optional)
	}
	v, err := r.eval(f, n)
	return &v, err
}

// memberPlace returns the place of a member of an object.
func (r *run) memberPlace(f *frame, n, object node, key Value, optional bool) (*Value, error) {
	at := n.extent().Position
	container, err := r.placeOf(f, object)
	if err != nil {
		return nil, err
	}
	p, isProperty := n.(*property)
	switch {
	case container.kind == Unit && optional:
		return new(Value), nil
	case container.kind == Map && key.isText():
		d, err := r.ownDict(container, at)
		if err != nil {
			return nil, err
		}
		if i, ok := d.find(key.asText()); ok {
			return &d.values[i], nil
		}
		return nil, newError(PropertyNotFound, at, "Property not found: %s", key.asText())
	case isProperty:
		if v, ok := getter(*container, p.name); ok {
			return &v, nil
		}
		return nil, unknownProperty(p, *container)
	case container.kind == Array:
		l, err := r.ownList(container, at)
		if err != nil {
			return nil, err
		}
		i, err := arrayIndex(at, key, len(l.items))
		if err != nil {
			return nil, err
		}
		return &l.items[i], nil
	case container.kind == Text:
		v, err := r.textIndex(at, container.text, key)
		return &v, err
	}
	return nil, newError(IndexingType, at, "Indexer unavailable: %s [%s]", container.typeName(), key.typeName())
}

// ownList returns the list of a place, which nobody else holds.
func (r *run) ownList(at *Value, position Position) (*list, error) {
	l := at.list()
	if l.shared {
		if err := r.spend(len(l.items)/16, position); err != nil {
			return nil, err
		}
		l = l.clone()
		at.object = l
	}
	return l, nil
}

// ownDict returns the dict of a place, which nobody else holds.
func (r *run) ownDict(at *Value, position Position) (*dict, error) {
	d := at.dict()
	if d.shared {
		if err := r.spend(len(d.keys)/16, position); err != nil {
			return nil, err
		}
		d = d.clone()
		at.object = d
	}
	return d, nil
}

// checkItems returns an error if an array or map has become too large.
func checkItems(n int, at Position) error {
	if n > maxItems {
		return tooLarge(at, "Size of array or map")
	}
	return nil
}
