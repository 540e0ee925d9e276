package check

import (
	"context"
	"math"
	"regexp"

	"trento/store/check/script"
)

// SubjectKind returns the kind of things that the check is for; "unknown" if its
// file does not say.
func (c *Check) SubjectKind() SubjectKind {
	if kind, ok := c.Metadata["target_type"].(string); ok {
		return SubjectKind(kind)
	}
	return "unknown"
}

// ValueType is the type of a value that users may replace.
type ValueType string

// The types of values that can be replaced.
const (
	WholeNumber ValueType = "whole number"
	Text        ValueType = "text"
	Boolean     ValueType = "boolean"
)

// Type returns the type of the value; "" if values of its type cannot be
// replaced.
func (v *Value) Type() ValueType {
	return map[script.Kind]ValueType{script.Int: WholeNumber, script.Text: Text, script.Bool: Boolean}[v.Default.Kind()]
}

// Customizable reports whether users may replace the value. Only whole numbers,
// texts and booleans can be replaced.
func (v *Value) Customizable() bool { return v.Type() != "" && !v.CustomizationDisabled }

// Customizable reports whether users may replace any value of the check.
func (c *Check) Customizable() bool {
	if c.CustomizationDisabled {
		return false
	}
	for i := range c.Values {
		if c.Values[i].Customizable() {
			return true
		}
	}
	return false
}

// CustomValue returns a value as it would replace the one of the check with this
// name: an int64, a text or a boolean, like the default, or nil if v is nil. ok
// is false if the value cannot be replaced, or not by v. Numbers have 32 bits.
func (c *Check) CustomValue(name string, v any) (value any, ok bool) {
	for i := range c.Values {
		own := &c.Values[i]
		if own.Name != name {
			continue
		}
		if v == nil || !own.Customizable() {
			return nil, own.Customizable()
		}
		if f, isFloat := v.(float64); isFloat && math.Trunc(f) != f {
			return nil, false
		}
		given := script.FromJSON(v)
		if n, isInt := given.JSON().(int64); isInt && (n < math.MinInt32 || n > math.MaxInt32) {
			return nil, false
		}
		return given.JSON(), given.Kind() == own.Default.Kind()
	}
	return nil, false
}

// ResolveValues returns the values of the check for an environment with the
// customised ones, in the order of the file.
func (c *Check) ResolveValues(ctx context.Context, e Environment, custom map[string]script.Value) []ValueResult {
	values, _ := c.resolve(ctx, e, custom)
	return values
}

// Comparing returns the names of the expectations that mention a value.
func (c *Check) Comparing(value string) (names []string) {
	mentions := regexp.MustCompile(`\bvalues\.` + regexp.QuoteMeta(value) + `\b`)
	for _, e := range c.Expectations {
		if mentions.MatchString(e.Script.Source()) {
			names = append(names, e.Name)
		}
	}
	return names
}
