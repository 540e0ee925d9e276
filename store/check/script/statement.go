package script

// script parses the whole source.
func (p *parser) script() (*block, *Error) {
	b, err := p.statements(p.current, func() bool { return p.current.kind == endToken })
	if err == nil && p.current.kind != endToken {
		err = p.unexpected()
	}
	return b, err
}

// statements parses statements up to an end, at which the parser stays. Names
// declared by them are forgotten.
func (p *parser) statements(t token, atEnd func() bool) (*block, *Error) {
	b, known := &block{}, len(p.names)
	for !atEnd() {
		if p.current.kind == endToken {
			return nil, p.unexpected()
		}
		n, err := p.statement()
		if err != nil {
			return nil, err
		}
		if n != nil {
			b.statements = append(b.statements, n)
		}
		ended, err := p.accept(";")
		if err != nil {
			return nil, err
		}
		if !ended && !atEnd() && n != nil && !needsNoSemicolon(n) {
			return nil, syntaxError(p.current.Position, "Expecting ';' to terminate this statement")
		}
	}
	p.names = p.names[:known]
	b.sourceRange = p.rangeFrom(t.start, t.Position)
	return b, nil
}

// needsNoSemicolon reports whether a statement ends in a bracket, so that nothing has
// to stand between it and the next.
func needsNoSemicolon(n node) bool {
	switch n.(type) {
	case *block, *conditional, *selection, *loop, *iteration:
		return true
	}
	return false
}

// statement parses a statement. It returns nil for one that does nothing when
// it is run.
func (p *parser) statement() (node, *Error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if p.current.kind == keywordToken {
		switch p.current.text {
		case "let", "const":
			return p.declaration()
		case "fn":
			return nil, p.definition()
		case "return", "throw", "break", "continue":
			return p.jump()
		case "if":
			return p.conditional()
		case "switch":
			return p.selection()
		case "loop", "while":
			return p.loop()
		case "for":
			return p.iteration()
		}
	}
	switch {
	case p.is(";"):
		return nil, nil
	case p.is("{"):
		return p.block()
	}
	return p.expressionOrAssignment()
}

func (p *parser) expressionOrAssignment() (node, *Error) {
	start := p.current.start
	n, err := p.expression()
	if err != nil || p.current.kind != symbolToken {
		return n, err
	}
	switch p.current.text {
	case "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "|=", "&=", "^=":
	default:
		return n, nil
	}
	t := p.current
	if err := p.checkTarget(n); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	value, err := p.expression()
	return &assignment{p.rangeFrom(start, t.Position), n, value, operator(t.text[:len(t.text)-1])}, err
}

// checkTarget returns an error if a value cannot be assigned to a node.
func (p *parser) checkTarget(n node) *Error {
	at := n.extent().Position
	for {
		switch target := n.(type) {
		case *property:
			n = target.object
			continue
		case *index:
			n = target.object
			continue
		case *variable:
			for i := len(p.names) - 1; i >= 0; i-- {
				if p.names[i].name == target.name {
					if p.names[i].constant {
						return syntaxError(at, "Cannot assign to constant %s", target.name)
					}
					break
				}
			}
			return nil
		case *this:
			return nil
		}
		return syntaxError(at, "This expression cannot be assigned to")
	}
}

func (p *parser) declaration() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	name, err := p.name("variable")
	if err != nil {
		return nil, err
	}
	d := &declaration{name: name, constant: t.text == "const"}
	if given, err := p.accept("="); err != nil {
		return nil, err
	} else if given {
		if d.value, err = p.expression(); err != nil {
			return nil, err
		}
	}
	d.sourceRange = p.rangeFrom(t.start, t.Position)
	p.names = append(p.names, declaredName{name, d.constant})
	return d, nil
}

// definition parses a function with a name. It sees only its parameters.
func (p *parser) definition() *Error {
	if p.functionDepth > 0 || p.depth > 1 {
		return syntaxError(p.current.Position, "Functions can only be defined at global level")
	}
	if err := p.advance(); err != nil {
		return err
	}
	at := p.current.Position
	name, err := p.name("function")
	if err != nil {
		return err
	}
	if err := p.expect("(", "to begin the parameters of "+name); err != nil {
		return err
	}
	parameters, err := p.parameters(")")
	if err != nil {
		return err
	}
	key := definitionKey{name, len(parameters)}
	if p.functions[key] != nil {
		return syntaxError(at, "Function %s with %d parameters is defined twice", name, len(parameters))
	}
	if !p.is("{") {
		return syntaxError(p.current.Position, "Expecting body of the function %s", name)
	}
	d := &definition{parameters: parameters}
	p.functions[key] = d
	return p.functionBody(parameters, nil, func() (err *Error) {
		d.body, err = p.block()
		return err
	})
}

func (p *parser) jump() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	j := &jump{word: t.text}
	if (t.text == "break" || t.text == "continue") && p.loops == 0 {
		return nil, syntaxError(t.Position, "'%s' can only be used inside a loop", t.text)
	}
	if t.text != "continue" && !p.is(";") && !p.is("}") && p.current.kind != endToken {
		var err *Error
		if j.value, err = p.expression(); err != nil {
			return nil, err
		}
	}
	j.sourceRange = p.rangeFrom(t.start, t.Position)
	return j, nil
}

func (p *parser) block() (node, *Error) {
	t := p.current
	if err := p.expect("{", "to begin a block"); err != nil {
		return nil, err
	}
	b, err := p.statements(t, func() bool { return p.is("}") })
	if err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	b.sourceRange = p.rangeFrom(t.start, t.Position)
	return b, nil
}

// condition parses an expression that must be a boolean.
func (p *parser) condition() (node, *Error) {
	n, err := p.expression()
	if err == nil {
		err = mustBeBool(n)
	}
	return n, err
}

func (p *parser) conditional() (node, *Error) {
	t := p.current
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := &conditional{}
	if c.condition, err = p.condition(); err != nil {
		return nil, err
	}
	if c.then, err = p.block(); err != nil {
		return nil, err
	}
	if more, err := p.accept("else"); err != nil {
		return nil, err
	} else if more {
		if p.is("if") {
			c.otherwise, err = p.conditional()
		} else {
			c.otherwise, err = p.block()
		}
		if err != nil {
			return nil, err
		}
	}
	c.sourceRange = p.rangeFrom(t.start, t.Position)
	return c, nil
}

func (p *parser) loop() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	l := &loop{}
	var err *Error
	if t.text == "while" {
		if l.condition, err = p.condition(); err != nil {
			return nil, err
		}
	}
	p.loops++
	l.body, err = p.block()
	p.loops--
	l.sourceRange = p.rangeFrom(t.start, t.Position)
	return l, err
}

func (p *parser) iteration() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	f := &iteration{}
	pair, err := p.accept("(")
	if err == nil {
		f.item, err = p.name("variable")
	}
	if err == nil && pair {
		if err = p.expect(",", "between the variables of the loop"); err == nil {
			if f.counter, err = p.name("variable"); err == nil {
				err = p.expect(")", "behind the variables of the loop")
			}
		}
	}
	if err == nil {
		err = p.expect("in", "to follow the variables of the loop")
	}
	if err != nil {
		return nil, err
	}
	if f.iterable, err = p.expression(); err != nil {
		return nil, err
	}
	switch name := literalName(f.iterable); name {
	case "()", "a number", "a boolean", "an object map", "a character":
		return nil, syntaxError(f.iterable.extent().Position, "Expecting an iterable value, not %s", name)
	}
	known := len(p.names)
	for _, name := range []string{f.item, f.counter} {
		p.names = append(p.names, declaredName{name: name})
	}
	p.loops++
	f.body, err = p.block()
	p.loops--
	p.names = p.names[:known]
	f.sourceRange = p.rangeFrom(t.start, t.Position)
	return f, err
}

// selection parses a switch.
func (p *parser) selection() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	s := &selection{}
	var err *Error
	if s.value, err = p.expression(); err != nil {
		return nil, err
	}
	if err := p.expect("{", "to begin the cases of a switch"); err != nil {
		return nil, err
	}
	for !p.is("}") {
		c, err := p.selectionCase()
		if err != nil {
			return nil, err
		}
		s.cases = append(s.cases, c)
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more && !p.is("}") && !needsNoSemicolon(c.body) {
			return nil, p.unexpected()
		}
	}
	err = p.advance()
	s.sourceRange = p.rangeFrom(t.start, t.Position)
	return s, err
}

func (p *parser) selectionCase() (c selectionCase, err *Error) {
	if p.current.kind == nameToken && p.current.text == "_" {
		err = p.advance()
	} else {
		for more := true; more && err == nil; more, err = p.accept("|") {
			value, err := p.operators(precedences["|"])
			if err != nil {
				return c, err
			}
			switch value.(type) {
			case *literal, *rangeLiteral:
				c.values = append(c.values, value)
			default:
				return c, syntaxError(value.extent().Position, "Expecting a literal value for a case of a switch")
			}
		}
	}
	if err != nil {
		return c, err
	}
	if p.is("if") {
		if err := p.advance(); err != nil {
			return c, err
		}
		if c.condition, err = p.condition(); err != nil {
			return c, err
		}
	}
	if err := p.expect("=>", "to follow the value of a case"); err != nil {
		return c, err
	}
	c.body, err = p.expressionOrAssignment()
	return c, err
}
