package script

import "fmt"

// Position is a place in the source, counted from 1. The column counts
// characters.
type Position struct{ Line, Column int }

// ErrorKind says what kind of error ended a script. Results of checks show it.
type ErrorKind string

// The kinds of errors.
const (
	Parsing              ErrorKind = "parsing"
	VariableNotFound     ErrorKind = "variable_not_found"
	PropertyNotFound     ErrorKind = "property_not_found"
	FunctionNotFound     ErrorKind = "function_not_found"
	MismatchDataType     ErrorKind = "mismatch_data_type"
	IndexingType         ErrorKind = "indexing_type"
	ArrayBounds          ErrorKind = "array_bounds"
	StringBounds         ErrorKind = "string_bounds"
	ForLoop              ErrorKind = "for"
	DotExpression        ErrorKind = "dot_expr"
	Arithmetic           ErrorKind = "arithmetic"
	StackOverflow        ErrorKind = "stack_overflow"
	DataTooLarge         ErrorKind = "data_too_large"
	TooManyOperations    ErrorKind = "too_many_operations"
	UnboundThis          ErrorKind = "unbound_this"
	AssignmentToConstant ErrorKind = "assignment_to_constant"
	Runtime              ErrorKind = "runtime" // the script threw it
	Terminated           ErrorKind = "terminated"
)

// Error is why a script could not be parsed, or did not come to its end.
type Error struct {
	Kind ErrorKind
	Text string // what is wrong, without the position
	Position
}

// Error returns the text with its position.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (line %d, position %d)", e.Text, e.Line, e.Column)
}

func newError(kind ErrorKind, at Position, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), Position: at}
}

func syntaxError(at Position, format string, args ...any) *Error {
	return newError(Parsing, at, "Syntax error: "+format, args...)
}
