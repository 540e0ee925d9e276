package script

// node is a part of the tree of a script.
type node interface{ extent() sourceRange }

// sourceRange is the part of the source that a node was made of.
type sourceRange struct {
	Position       // of the part that an error is about, such as an operator
	start, end int // bytes
}

func (s sourceRange) extent() sourceRange { return s }

type (
	// literal is a value that stands in the source.
	literal struct {
		sourceRange
		value Value
	}
	// variable is the use of a variable.
	variable struct {
		sourceRange
		name string
	}
	// this is the thing on which a function was called.
	this struct{ sourceRange }
	// template is a back-tick text with values in it.
	template struct {
		sourceRange
		parts []node
	}
	arrayLiteral struct {
		sourceRange
		items []node
	}
	mapLiteral struct {
		sourceRange
		keys   []string
		values []node
	}
	// closure is a function without a name.
	closure struct {
		sourceRange
		parameters []string
		body       node
	}
	unary struct {
		sourceRange
		operator string
		operand  node
	}
	binary struct {
		sourceRange
		operator    operator
		left, right node
	}
	// property is object.name, or object?.name if it is optional.
	property struct {
		sourceRange
		object   node
		name     string
		optional bool
	}
	// index is object[key], or object?[key] if it is optional.
	index struct {
		sourceRange
		object, key node
		optional    bool
	}
	// call is name(arguments), or object.name(arguments) if there is an object.
	call struct {
		sourceRange
		object    node
		name      string
		arguments []node
		optional  bool
	}
	// rangeLiteral is start..end, or start..=end if it is inclusive.
	rangeLiteral struct {
		sourceRange
		start, end node
		inclusive  bool
	}
	block struct {
		sourceRange
		statements []node
	}
	// conditional is an if. otherwise is nil without else.
	conditional struct {
		sourceRange
		condition, then, otherwise node
	}
	selection struct {
		sourceRange
		value node
		cases []selectionCase
	}
	// selectionCase is a case of a switch. It is the default if it has no values.
	selectionCase struct {
		values          []node
		condition, body node // condition may be nil
	}
	declaration struct {
		sourceRange
		name     string
		value    node // nil: unit
		constant bool
	}
	// assignment is target = value, or target operator= value.
	assignment struct {
		sourceRange
		target, value node
		operator      operator // "" for a plain one
	}
	// loop is a loop or a while. condition is nil for a loop.
	loop struct {
		sourceRange
		condition, body node
	}
	// iteration is a for.
	iteration struct {
		sourceRange
		item, counter  string // counter may be ""
		iterable, body node
	}
	// jump is a return, throw, break or continue. value may be nil.
	jump struct {
		sourceRange
		word  string
		value node
	}
)

// definition is a function with a name.
type definition struct {
	parameters []string
	body       node
}

// definitionKey identifies a function: the same name may stand for functions
// with different numbers of parameters.
type definitionKey struct {
	name           string
	parameterCount int
}

// operator is a binary operator as it is written.
type operator string

// precedences says how tightly operators bind. Those with a higher number bind
// more tightly.
var precedences = map[string]int{
	"||": 30, "|": 30, "^": 30,
	"&&": 60, "&": 60,
	"==": 90, "!=": 90,
	"in": 110, "!in": 110,
	"<": 130, "<=": 130, ">": 130, ">=": 130,
	"??": 135,
	"..": 140, "..=": 140,
	"+": 150, "-": 150,
	"*": 180, "/": 180, "%": 180,
	"**": 190,
	"<<": 210, ">>": 210,
}
