// Package script evaluates the expressions of check files: when a check
// applies, what is expected of the facts, and the messages about it. It knows
// nothing of checks.
//
// The language is the part of Rhai that check files use. The golden cases in
// testdata say, to the value and the kind of error, what each construct does.
// What could reach outside (import, eval, print, debug, sleep, timestamp) does
// not exist, and what is written with it does not parse.
//
// Parse compiles a script once. A Script may be run by many goroutines at the
// same time. A run is bounded in steps, depth, sizes and, by its context, time,
// so that no script can do harm: check files come from many hands.
//
// # How it works
//
// The lexer (lexer.go) makes tokens, the parser (parser.go, statement.go) a
// tree of nodes (node.go), and run.go walks the tree. Arrays and maps are
// values: whoever assigns one has a copy. The copy is made when one of the two
// is changed (see list.shared), so that reading large facts costs nothing.
//
// A closure sees the variables around it as they are when it is called.
// Variables are therefore a chain of bindings: a closure keeps its end.
package script
