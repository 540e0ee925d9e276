package check

import (
	"context"
	"slices"
	"time"

	"trento/store/check/script"
)

// maxScriptTime is the longest time that one script may take.
const maxScriptTime = time.Second

// Environment says what an execution is about, such as the provider and the
// type of a cluster. A value is a text, an int64, a float64 or a boolean.
type Environment map[string]any

// value returns the environment as scripts see it.
func (e Environment) value() script.Value {
	members := make(map[string]script.Value, len(e))
	for name, v := range e {
		members[name] = script.FromJSON(v)
	}
	return script.NewMap(members)
}

// AppliesTo reports whether the check applies to an environment. Every check
// applies to an empty one.
func (c *Check) AppliesTo(ctx context.Context, e Environment) bool {
	if len(e) == 0 {
		return true
	}
	for name, v := range e {
		if wanted, ok := c.Metadata[name]; ok && !matches(wanted, v) {
			return false
		}
	}
	return c.When == nil || isTrue(ctx, c.When, "env", e.value())
}

// matches reports whether a value of the metadata is a value of the
// environment, or a list with it. Values of different types are different.
func matches(wanted, v any) bool {
	if list, ok := wanted.([]any); ok {
		return slices.Contains(list, v)
	}
	return wanted == v
}

// Excludes reports whether the check excludes a host with these attributes. If
// that cannot be evaluated, the host is not excluded, and why has the error.
func (c *Check) Excludes(ctx context.Context, attributes map[string]script.Value) (excluded bool, why error) {
	if c.Exclude == nil {
		return false, nil
	}
	v, err := run(ctx, c.Exclude, map[string]script.Value{"host": script.NewMap(attributes)})
	return err == nil && v.IsTrue(), err
}

// isTrue reports whether a script returns true with one variable. An error is
// not true.
func isTrue(ctx context.Context, s *script.Script, name string, v script.Value) bool {
	result, err := run(ctx, s, map[string]script.Value{name: v})
	return err == nil && result.IsTrue()
}

func run(ctx context.Context, s *script.Script, scope map[string]script.Value) (script.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, maxScriptTime)
	defer cancel()
	return s.Run(ctx, scope)
}
