package script

import "slices"

// Members returns the members of a variable that the script names, such as
// token for facts.token. all is true if it may use any of them, because it uses
// the variable as a whole or computes the name.
func (s *Script) Members(variableName string) (names []string, all bool) {
	u := &usage{variable: variableName}
	u.visit(s.body)
	for _, d := range s.functions {
		u.visit(d.body)
	}
	slices.Sort(u.names)
	return slices.Compact(u.names), u.all
}

// usage collects the members of a variable that are named.
type usage struct {
	variable string
	names    []string
	all      bool
}

func (u *usage) isVariable(n node) bool {
	v, ok := n.(*variable)
	return ok && v.name == u.variable
}

// visit looks at a node and all below it. n may be nil.
func (u *usage) visit(n node) {
	switch n := n.(type) {
	case *variable:
		u.all = u.all || n.name == u.variable
	case *property:
		if u.isVariable(n.object) {
			u.names = append(u.names, n.name)
			return
		}
		u.visit(n.object)
	case *index:
		if key, ok := n.key.(*literal); ok && u.isVariable(n.object) && key.value.isText() {
			u.names = append(u.names, key.value.asText())
			return
		}
		u.visitAll(n.object, n.key)
	case *call:
		if n.object != nil {
			u.visit(n.object)
		}
		u.visitAll(n.arguments...)
	case *unary:
		u.visit(n.operand)
	case *binary:
		u.visitAll(n.left, n.right)
	case *template:
		u.visitAll(n.parts...)
	case *arrayLiteral:
		u.visitAll(n.items...)
	case *mapLiteral:
		u.visitAll(n.values...)
	case *rangeLiteral:
		u.visitAll(n.start, n.end)
	case *closure:
		u.visit(n.body)
	default:
		u.visitStatement(n)
	}
}

func (u *usage) visitStatement(n node) {
	switch n := n.(type) {
	case *block:
		u.visitAll(n.statements...)
	case *conditional:
		u.visitAll(n.condition, n.then, n.otherwise)
	case *selection:
		u.visit(n.value)
		for _, c := range n.cases {
			u.visitAll(c.condition, c.body)
		}
	case *declaration:
		u.visit(n.value)
	case *assignment:
		u.visitAll(n.target, n.value)
	case *loop:
		u.visitAll(n.condition, n.body)
	case *iteration:
		u.visitAll(n.iterable, n.body)
	case *jump:
		u.visit(n.value)
	}
}

func (u *usage) visitAll(nodes ...node) {
	for _, n := range nodes {
		u.visit(n)
	}
}
