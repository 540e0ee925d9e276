package script

import "strings"

const (
	maxSource = 64 << 10 // bytes of a source
	maxDepth  = 128      // of nested parts of a source
)

// Script is a script that was parsed. It may be run by many goroutines at the
// same time.
type Script struct {
	source    string
	body      *block
	functions map[definitionKey]*definition
}

// Source returns the text of the script.
func (s *Script) Source() string { return s.source }

// Parse compiles a script. The error is an *Error of the kind Parsing.
func Parse(source string) (*Script, error) {
	p, err := newParser(source)
	if err == nil {
		var body *block
		if body, err = p.script(); err == nil {
			return &Script{source: source, body: body, functions: p.functions}, nil
		}
	}
	return nil, err
}

// ParseMessage compiles a message, in which ${…} stands for a value. A message
// with a back-tick cannot be compiled.
func ParseMessage(message string) (*Script, error) { return Parse("`" + message + "`") }

// parser makes the tree of a source.
type parser struct {
	lexer
	current       token
	functions     map[definitionKey]*definition
	names         []declaredName // the variables that are known, the innermost last
	depth         int
	functionDepth int // number of functions around
	loops         int // number of loops around, inside the innermost function
	previousEnd   int // where the token before the current one ends
}

type declaredName struct {
	name     string
	constant bool
}

func newParser(source string) (*parser, *Error) {
	if len(source) > maxSource {
		return nil, syntaxError(Position{1, 1}, "The script has more than %d bytes", maxSource)
	}
	p := &parser{lexer: lexer{source: source, line: 1, column: 1}, functions: make(map[definitionKey]*definition)}
	return p, p.advance()
}

func (p *parser) advance() *Error {
	p.previousEnd = p.current.end
	var err *Error
	p.current, err = p.next()
	return err
}

// is reports whether the current token is a symbol or keyword.
func (p *parser) is(text string) bool {
	return p.current.text == text && (p.current.kind == symbolToken || p.current.kind == keywordToken)
}

// accept moves over the current token if it is a symbol or keyword.
func (p *parser) accept(text string) (bool, *Error) {
	if !p.is(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text, purpose string) *Error {
	if !p.is(text) {
		return syntaxError(p.current.Position, "Expecting '%s' %s", text, purpose)
	}
	return p.advance()
}

// unexpected returns the error about the current token.
func (p *parser) unexpected() *Error {
	if p.current.kind == endToken {
		return syntaxError(p.current.Position, "Script is incomplete")
	}
	return syntaxError(p.current.Position, "Unexpected '%s'", p.source[p.current.start:p.current.end])
}

// enter counts one more nested part. The returned function ends it.
func (p *parser) enter() (leave func(), err *Error) {
	if p.depth++; p.depth > maxDepth {
		return nil, syntaxError(p.current.Position, "Expression exceeds maximum complexity")
	}
	return func() { p.depth-- }, nil
}

// rangeFrom returns the source of a node that began at a byte and ends now.
func (p *parser) rangeFrom(start int, at Position) sourceRange {
	return sourceRange{at, start, p.previousEnd}
}

// name moves over a name.
func (p *parser) name(of string) (string, *Error) {
	if p.current.kind != nameToken {
		return "", syntaxError(p.current.Position, "Expecting name of a %s", of)
	}
	name := p.current.text
	if err := p.checkName(name); err != nil {
		return "", err
	}
	return name, p.advance()
}

func (p *parser) checkName(name string) *Error {
	switch {
	case unavailableWords[name]:
		return syntaxError(p.current.Position, "'%s' is not available in checks", name)
	case reservedWords[name]:
		return syntaxError(p.current.Position, "'%s' is a reserved keyword", name)
	}
	return nil
}

// expression parses an expression.
func (p *parser) expression() (node, *Error) { return p.operators(0) }

// operators parses an expression whose operators bind more tightly than a
// number of bindings.
func (p *parser) operators(above int) (node, *Error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	start := p.current.start
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for chained := 0; ; chained++ {
		if chained > maxChain {
			return nil, syntaxError(p.current.Position, "Expression exceeds maximum complexity")
		}
		symbol, err := p.operator()
		if err != nil {
			return nil, err
		}
		binding := precedences[symbol]
		if binding <= above {
			if symbol == "!in" {
				return nil, p.unexpected()
			}
			return left, nil
		}
		if left, err = p.operation(start, left, symbol, binding); err != nil {
			return nil, err
		}
	}
}

// maxChain is the largest number of operators of the same binding in a row.
const maxChain = 1000

// operator returns the operator at the current token, or "". The two words of
// !in become one token.
func (p *parser) operator() (string, *Error) {
	if p.is("!") && strings.HasPrefix(p.rest(), "in") {
		at := p.current
		if err := p.advance(); err != nil {
			return "", err
		}
		if p.is("in") {
			p.current.Position, p.current.start, p.current.text = at.Position, at.start, "!in"
			return "!in", nil
		}
		return "", syntaxError(at.Position, "Unexpected '!'")
	}
	if p.current.kind == symbolToken || p.current.kind == keywordToken {
		return p.current.text, nil
	}
	return "", nil
}

// operation parses the right side of an operator.
func (p *parser) operation(start int, left node, symbol string, binding int) (node, *Error) {
	at := p.current.Position
	if err := p.advance(); err != nil {
		return nil, err
	}
	above := binding
	if symbol == "**" {
		above-- // from right to left
	}
	right, err := p.operators(above)
	if err != nil {
		return nil, err
	}
	s := p.rangeFrom(start, at)
	switch symbol {
	case "..", "..=":
		return &rangeLiteral{s, left, right, symbol == "..="}, nil
	case "&&", "||":
		return logical(s, symbol, left, right)
	}
	return &binary{s, operator(symbol), left, right}, nil
}

// logical returns the node for && and ||. Where one side is written true or
// false, the other side is the result, whatever its type, or does not matter:
// check files are written for an engine that simplifies scripts like this.
func logical(s sourceRange, symbol string, left, right node) (node, *Error) {
	for _, side := range []node{left, right} {
		if err := mustBeBool(side); err != nil {
			return nil, err
		}
	}
	neutral := symbol == "&&"
	if l, ok := left.(*literal); ok {
		if l.value.IsTrue() == neutral {
			return right, nil
		}
		return left, nil
	}
	if r, ok := right.(*literal); ok && r.value.IsTrue() == neutral {
		return left, nil
	}
	return &binary{s, operator(symbol), left, right}, nil
}

// literalName names the type of a node that is written as a value; "" for
// others.
func literalName(n node) string {
	switch n := n.(type) {
	case *literal:
		switch n.value.kind {
		case Unit:
			return "()"
		case Int, Float:
			return "a number"
		case Text:
			return "a string"
		case Char:
			return "a character"
		case Bool:
			return "a boolean"
		}
	case *template:
		return "a string"
	case *arrayLiteral:
		return "an array"
	case *mapLiteral:
		return "an object map"
	}
	return ""
}

func mustBeBool(n node) *Error {
	if name := literalName(n); name != "" && name != "a boolean" {
		return syntaxError(n.extent().Position, "Expecting a boolean expression, not %s", name)
	}
	return nil
}

// unary parses an operand with the operators before it.
func (p *parser) unary() (node, *Error) {
	t := p.current
	if t.kind != symbolToken || t.text != "!" && t.text != "-" && t.text != "+" {
		return p.postfix()
	}
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if t.text == "-" && strings.HasPrefix(p.rest(), "9223372036854775808") {
		p.current.start = p.offset
		p.skip(len("9223372036854775808")) // as a positive number it would be too large
		return &literal{sourceRange{t.Position, t.start, p.offset}, NewInt(-1 << 63)}, p.advance()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	operand, err := p.unary()
	if err != nil {
		return nil, err
	}
	if l, ok := operand.(*literal); ok && t.text == "-" && l.value.isNumber() {
		v := NewFloat(-l.value.asFloat())
		if l.value.kind == Int {
			v = NewInt(-l.value.number)
		}
		return &literal{p.rangeFrom(t.start, t.Position), v}, nil
	}
	return &unary{p.rangeFrom(t.start, t.Position), t.text, operand}, nil
}

// postfix parses an operand with the properties, indexes and calls behind it.
func (p *parser) postfix() (node, *Error) {
	start := p.current.start
	n, err := p.primary()
	for chained := 0; err == nil; chained++ {
		if chained > maxChain {
			return nil, syntaxError(p.current.Position, "Expression exceeds maximum complexity")
		}
		switch {
		case p.is("."), p.is("?."):
			n, err = p.member(start, n)
		case p.is("["), p.is("?["):
			n, err = p.index(start, n)
		case p.is("::"):
			return nil, syntaxError(p.current.Position, "Modules are not available in checks")
		default:
			return n, nil
		}
	}
	return nil, err
}

// member parses a property or a method call.
func (p *parser) member(start int, object node) (node, *Error) {
	optional := p.is("?.")
	if err := p.advance(); err != nil {
		return nil, err
	}
	t := p.current
	if t.kind != nameToken && t.kind != keywordToken {
		return nil, syntaxError(t.Position, "Expecting name of a property")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("(") {
		arguments, err := p.arguments()
		return &call{p.rangeFrom(start, t.Position), object, t.text, arguments, optional}, err
	}
	return &property{p.rangeFrom(start, t.Position), object, t.text, optional}, nil
}

func (p *parser) index(start int, object node) (node, *Error) {
	optional := p.is("?[")
	if err := p.advance(); err != nil {
		return nil, err
	}
	at := p.current.Position
	key, err := p.expression()
	if err != nil {
		return nil, err
	}
	err = p.expect("]", "to end the index")
	return &index{p.rangeFrom(start, at), object, key, optional}, err
}

// arguments parses the arguments of a call with their brackets.
func (p *parser) arguments() ([]node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.list(")")
}

// list parses expressions between commas up to a closing bracket.
func (p *parser) list(end string) (items []node, err *Error) {
	err = p.parseSeparated(end, func() *Error {
		item, err := p.expression()
		items = append(items, item)
		return err
	})
	return items, err
}

// parseSeparated parses items between commas up to a closing symbol. A comma may
// stand before it.
func (p *parser) parseSeparated(end string, item func() *Error) *Error {
	for {
		if done, err := p.accept(end); done || err != nil {
			return err
		}
		if err := item(); err != nil {
			return err
		}
		if more, err := p.accept(","); err != nil {
			return err
		} else if !more && !p.is(end) {
			return p.unexpected()
		}
	}
}

// primary parses an operand without what is before and behind it.
func (p *parser) primary() (node, *Error) {
	t := p.current
	switch t.kind {
	case numberToken, textToken, charToken:
		err := p.advance()
		return &literal{p.rangeFrom(t.start, t.Position), t.value}, err
	case templateToken:
		return p.template()
	case nameToken:
		return p.nameOrCall()
	case keywordToken:
		return p.keywordOperand()
	case symbolToken:
		switch t.text {
		case "(":
			return p.brackets()
		case "[":
			if err := p.advance(); err != nil {
				return nil, err
			}
			items, err := p.list("]")
			return &arrayLiteral{p.rangeFrom(t.start, t.Position), items}, err
		case "#{":
			return p.mapLiteral()
		case "{":
			return p.block()
		case "|", "||":
			return p.closure()
		}
	}
	return nil, p.unexpected()
}

func (p *parser) keywordOperand() (node, *Error) {
	t := p.current
	switch t.text {
	case "true", "false":
		err := p.advance()
		return &literal{p.rangeFrom(t.start, t.Position), NewBool(t.text == "true")}, err
	case "this":
		if p.functionDepth == 0 {
			return nil, syntaxError(t.Position, "'this' can only be used in functions")
		}
		err := p.advance()
		return &this{p.rangeFrom(t.start, t.Position)}, err
	case "if":
		return p.conditional()
	case "switch":
		return p.selection()
	case "loop", "while":
		return p.loop()
	case "for":
		return p.iteration()
	}
	return nil, p.unexpected()
}

// brackets parses an expression in brackets, or unit.
func (p *parser) brackets() (node, *Error) {
	t := p.current
	if err := p.advance(); err != nil {
		return nil, err
	}
	if empty, err := p.accept(")"); empty || err != nil {
		return &literal{p.rangeFrom(t.start, t.Position), Value{}}, err
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	return n, p.expect(")", "to close the brackets")
}

func (p *parser) nameOrCall() (node, *Error) {
	t := p.current
	if err := p.checkName(t.text); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("(") {
		arguments, err := p.arguments()
		return &call{sourceRange: p.rangeFrom(t.start, t.Position), name: t.text, arguments: arguments}, err
	}
	return &variable{p.rangeFrom(t.start, t.Position), t.text}, nil
}

func (p *parser) mapLiteral() (node, *Error) {
	t := p.current
	m := &mapLiteral{}
	if err := p.advance(); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	err := p.parseSeparated("}", func() *Error {
		key := p.current
		if key.kind == textToken {
			key.text = key.value.text
		} else if key.kind != nameToken && key.kind != keywordToken {
			return syntaxError(key.Position, "Expecting name of a property")
		}
		if seen[key.text] {
			return syntaxError(key.Position, "Duplicated property for object map literal: %s", key.text)
		}
		seen[key.text] = true
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.expect(":", "to follow the property "+key.text); err != nil {
			return err
		}
		value, err := p.expression()
		m.keys, m.values = append(m.keys, key.text), append(m.values, value)
		return err
	})
	m.sourceRange = p.rangeFrom(t.start, t.Position)
	return m, err
}

// template parses a text with values in it. The lexer stands behind its first
// back-tick.
func (p *parser) template() (node, *Error) {
	t := p.current
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	n := &template{}
	for first := true; ; first = false {
		text, value, err := p.templateText(first, t.Position)
		if err != nil {
			return nil, err
		}
		if text != "" {
			n.parts = append(n.parts, &literal{sourceRange{t.Position, t.start, t.end}, NewText(text)})
		}
		if !value {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		// The statements end with the bracket at which the lexer stands.
		part, err := p.statements(p.current, func() bool { return p.is("}") })
		if err != nil {
			return nil, err
		}
		if !p.is("}") {
			return nil, p.unexpected()
		}
		n.parts = append(n.parts, part)
	}
	p.current.end = p.offset
	if err := p.advance(); err != nil {
		return nil, err
	}
	n.sourceRange = p.rangeFrom(t.start, t.Position)
	switch {
	case len(n.parts) == 0:
		return &literal{n.sourceRange, NewText("")}, nil
	case len(n.parts) == 1:
		if l, ok := n.parts[0].(*literal); ok {
			return &literal{n.sourceRange, l.value}, nil
		}
	}
	return n, nil
}

// closure parses a function without a name.
func (p *parser) closure() (node, *Error) {
	t := p.current
	none := p.is("||")
	if err := p.advance(); err != nil {
		return nil, err
	}
	c := &closure{}
	if !none {
		var err *Error
		if c.parameters, err = p.parameters("|"); err != nil {
			return nil, err
		}
	}
	err := p.functionBody(c.parameters, p.names, func() (err *Error) {
		if c.body, err = p.statement(); err == nil && c.body == nil {
			err = p.unexpected()
		}
		return err
	})
	c.sourceRange = p.rangeFrom(t.start, t.Position)
	return c, err
}

// parameters parses names between commas up to a symbol.
func (p *parser) parameters(end string) (names []string, err *Error) {
	err = p.parseSeparated(end, func() *Error {
		name, err := p.name("parameter")
		names = append(names, name)
		return err
	})
	return names, err
}

// functionBody parses the body of a function that sees some names and its
// parameters.
func (p *parser) functionBody(parameters []string, seen []declaredName, parse func() *Error) *Error {
	names, loops := p.names, p.loops
	p.names, p.loops = seen[:len(seen):len(seen)], 0
	for _, name := range parameters {
		p.names = append(p.names, declaredName{name: name})
	}
	p.functionDepth++
	err := parse()
	p.functionDepth--
	p.names, p.loops = names, loops
	return err
}
