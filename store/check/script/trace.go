package script

import (
	"context"
	"strings"
)

// Step is a part of a script with the value that it had.
type Step struct{ Source, Value string }

// maxExplanation is the largest number of steps of an explanation, and
// maxStepText the largest length of each text of a step, in bytes.
const (
	maxExplanation = 50
	maxStepText    = 500
)

// Explain runs the script as Run does and returns what decided its value: the
// parts of the last statement, or of the one that returned, in the order in
// which they were evaluated, with the conditions on the way to it. If the
// script fails, these are the parts up to the failure.
func (s *Script) Explain(ctx context.Context, scope map[string]Value) (Value, []Step, error) {
	t := &trace{}
	v, err := s.run(ctx, scope, t)
	return v, t.explanation(), err
}

// trace collects the steps of a run. A nil trace collects nothing.
type trace struct{ steps []Step }

// add adds a node with its value. Nodes whose value stands in the source, and
// statements, explain nothing.
func (t *trace) add(source string, n node, v Value) {
	switch n.(type) {
	case *variable, *property, *index, *call, *binary, *unary, *template, *this:
	default:
		return
	}
	if len(t.steps) >= 4*maxExplanation {
		return // a script that is this long is not understood step by step
	}
	p := n.extent()
	w := writer{limit: maxStepText}
	w.write(v, true, 0)
	value := w.String()
	if w.full {
		value += "…"
	}
	t.steps = append(t.steps, Step{Source: clip(source[p.start:p.end]), Value: value})
}

func clip(s string) string {
	if len(s) > maxStepText {
		return strings.ToValidUTF8(s[:maxStepText], "") + "…"
	}
	return s
}

// mark returns the place of the next step.
func (t *trace) mark() int {
	if t == nil {
		return 0
	}
	return len(t.steps)
}

// forget drops the steps from a mark on: they did not decide anything.
func (t *trace) forget(mark int) {
	if t != nil {
		t.steps = t.steps[:mark]
	}
}

// explanation returns each step once: the last one of those with the same
// source, except that a part of a path, such as facts of facts.token, is left
// out.
func (t *trace) explanation() []Step {
	var steps []Step
	for i, step := range t.steps {
		if !isPartOfPath(step, t.steps[i+1:]) && !containsStep(steps, step) {
			steps = append(steps, step)
		}
	}
	if len(steps) > maxExplanation {
		steps = steps[len(steps)-maxExplanation:]
	}
	return steps
}

// isPartOfPath reports whether a step is the beginning of the property, index
// or call that the next step is about.
func isPartOfPath(step Step, later []Step) bool {
	for _, next := range later {
		if rest, ok := strings.CutPrefix(next.Source, step.Source); ok && rest != "" && strings.ContainsRune(".?[", rune(rest[0])) {
			return true
		}
	}
	return false
}

func containsStep(steps []Step, step Step) bool {
	for _, s := range steps {
		if s == step {
			return true
		}
	}
	return false
}
