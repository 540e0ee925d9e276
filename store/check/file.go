package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"trento/store/check/script"
)

// Extension is what the names of check files end in. Other files are none.
const Extension = ".yaml"

// The limits of a check file.
const (
	MaxFileSize     = 256 << 10 // bytes
	maxParts        = 200       // facts, values, or expectations
	maxNameLength   = 200       // bytes of an id or name
	maxValueNesting = 20
	maxValueParts   = 10_000 // of all values of a file, with what aliases repeat
)

// Fault is why a check file cannot be used. Line and Column count from 1; they
// are 0 if the fault is in no certain place.
type Fault struct {
	Path         string
	Line, Column int
	Reason       string
}

// Error returns the place and the reason.
func (f *Fault) Error() string {
	switch {
	case f.Line == 0:
		return f.Path + ": " + f.Reason
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.Path, f.Line, f.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.Path, f.Line, f.Column, f.Reason)
}

// Read reads a check file.
func Read(file File) (*Check, *Fault) {
	r := &reader{file: file}
	check := r.check()
	if r.fault != nil {
		return nil, r.fault
	}
	return check, nil
}

// reader reads a check file. After the first fault it reads nothing more.
type reader struct {
	file  File
	fault *Fault
	// unknownNodes are the keys that have no meaning.
	unknownNodes []*yaml.Node
	valueParts   int // that were read
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if r.fault == nil {
		r.fault = &Fault{Path: r.file.Path, Reason: fmt.Sprintf(format, args...)}
		if n != nil {
			r.fault.Line, r.fault.Column = n.Line, n.Column
		}
	}
}

func (r *reader) check() *Check {
	root := r.document()
	if root == nil {
		return nil
	}
	m := r.mapping(root, "a check", "id", "name", "group", "description", "remediation", "severity", "metadata", "when", "exclude",
		"customization_disabled", "premium", "facts", "values", "expectations")
	c := &Check{
		ID: m.text("id"), Name: m.text("name"), Group: m.text("group"), Description: m.text("description"), Remediation: m.text("remediation"),
		Severity: SeverityCritical, Metadata: r.metadata(m.get("metadata")), When: m.script("when"), Exclude: m.script("exclude"),
		CustomizationDisabled: m.flag("customization_disabled"),
	}
	if n := m.get("severity"); n != nil && n.Value == string(SeverityWarning) {
		c.Severity = SeverityWarning
	}
	if want, _ := strings.CutSuffix(r.file.Name, Extension); r.fault == nil && c.ID != want {
		r.fail(m.get("id"), "the id is %s, but the name of the file is %s%s: both have to be the same", c.ID, want, Extension)
	}
	seen := make(map[string]bool)
	for _, n := range r.list(m.required("facts"), "facts") {
		fact := r.mapping(n, "a fact", "name", "gatherer", "argument")
		c.Facts = append(c.Facts, Fact{Name: r.uniqueName(fact, "fact", seen), Gatherer: fact.text("gatherer"), Argument: fact.optionalText("argument")})
	}
	clear(seen)
	for _, n := range r.list(m.get("values"), "values") {
		c.Values = append(c.Values, r.value(n, seen))
	}
	clear(seen)
	for _, n := range r.list(m.required("expectations"), "expectations") {
		c.Expectations = append(c.Expectations, r.expectation(n, seen))
	}
	if r.fault == nil && len(c.Expectations) == 0 {
		r.fail(m.get("expectations"), "there are no expectations")
	}
	return c
}

// document returns the only document of the file.
func (r *reader) document() *yaml.Node {
	switch {
	case len(r.file.Content) > MaxFileSize:
		r.fail(nil, "the file has more than %d bytes", MaxFileSize)
		return nil
	case !utf8.Valid(r.file.Content):
		r.fail(nil, "the file is not UTF-8")
		return nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(r.file.Content, &document); err != nil {
		r.failInYAML(err)
		return nil
	}
	if len(document.Content) != 1 {
		r.fail(nil, "the file is empty")
		return nil
	}
	return document.Content[0]
}

// failInYAML tells the line that the YAML decoder names, if it does.
func (r *reader) failInYAML(err error) {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if _, scanErr := fmt.Sscanf(reason, "line %d:", &line); scanErr == nil {
		_, reason, _ = strings.Cut(reason, ": ")
	}
	r.fail(nil, "%s", reason)
	r.fault.Line = line
}

// mapping is a map of a check file.
type mapping struct {
	*reader
	what    string
	node    *yaml.Node
	members map[string]*yaml.Node
}

func (r *reader) mapping(n *yaml.Node, what string, known ...string) mapping {
	m := mapping{reader: r, what: what, node: n, members: make(map[string]*yaml.Node)}
	n = resolveAlias(n)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s has to be a map of keys and values", what)
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if m.members[key.Value] != nil {
			r.fail(key, "%s is there twice", key.Value)
		}
		m.members[key.Value] = resolveAlias(n.Content[i+1])
		if !slices.Contains(known, key.Value) {
			r.unknownNodes = append(r.unknownNodes, key)
		}
	}
	return m
}

// resolveAlias returns the node that an alias stands for.
func resolveAlias(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// get returns a value, or nil.
func (m mapping) get(key string) *yaml.Node {
	if n := m.members[key]; n != nil && n.Tag != "!!null" {
		return n
	}
	return nil
}

func (m mapping) required(key string) *yaml.Node {
	n := m.get(key)
	if n == nil {
		m.fail(m.node, "%s needs %s", m.what, key)
	}
	return n
}

// text returns a text that has to be there.
func (m mapping) text(key string) string {
	n := m.required(key)
	if n == nil {
		return ""
	}
	s := m.scalar(key, n)
	if m.fault == nil && strings.TrimSpace(s) == "" {
		m.fail(n, "%s is empty", key)
	}
	if (key == "id" || key == "name") && len(s) > maxNameLength {
		m.fail(n, "%s has more than %d bytes", key, maxNameLength)
	}
	return s
}

func (m mapping) optionalText(key string) string {
	n := m.get(key)
	if n == nil {
		return ""
	}
	return m.scalar(key, n)
}

func (m mapping) scalar(key string, n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf(`: write it in quotes, as in %s: "%s"`, key, n.Value)
		}
		m.fail(n, "%s has to be a text%s", key, hint)
	}
	return n.Value
}

func (m mapping) flag(key string) bool {
	n := m.get(key)
	if n == nil {
		return false
	}
	if n.Tag != "!!bool" {
		m.fail(n, "%s has to be true or false", key)
	}
	var b bool
	return n.Decode(&b) == nil && b
}

// script returns a script, or nil if there is none.
func (m mapping) script(key string) *script.Script {
	n := m.get(key)
	if n == nil {
		return nil
	}
	source := m.scalar(key, n)
	if m.fault != nil {
		return nil
	}
	s, err := script.Parse(source)
	if err != nil {
		m.failInScript(n, key, err)
	}
	return s
}

// failInScript tells the place of a fault in a script by its line in the file.
func (m mapping) failInScript(n *yaml.Node, key string, err error) {
	failure, ok := errors.AsType[*script.Error](err)
	if !ok || m.fault != nil {
		return
	}
	m.fail(n, "%s: %s", key, strings.TrimPrefix(failure.Text, "Syntax error: "))
	switch n.Style {
	case yaml.LiteralStyle:
		m.reader.fault.Line, m.reader.fault.Column = n.Line+failure.Line, 0 // the indentation is not known
	case yaml.FoldedStyle:
		m.reader.fault.Column = 0 // the lines are not those of the file
	default:
		m.reader.fault.Column += failure.Column - 1
		if n.Style != 0 {
			m.reader.fault.Column++ // the quote
		}
	}
}

func (r *reader) list(n *yaml.Node, key string) []*yaml.Node {
	if n == nil || r.fault != nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s has to be a list", key)
		return nil
	}
	if len(n.Content) > maxParts {
		r.fail(n, "there are more than %d %s", maxParts, key)
		return nil
	}
	return n.Content
}

// uniqueName returns the name of a part, which no other part may have.
func (r *reader) uniqueName(m mapping, what string, seen map[string]bool) string {
	name := m.text("name")
	if r.fault == nil && seen[name] {
		r.fail(m.get("name"), "there are two %ss with the name %s", what, name)
	}
	seen[name] = true
	return name
}

// metadata returns scalars and lists of scalars.
func (r *reader) metadata(n *yaml.Node) map[string]any {
	if n == nil || r.fault != nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "metadata has to be a map of keys and values")
		return nil
	}
	metadata := make(map[string]any)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, resolveAlias(n.Content[i+1])
		switch value.Kind {
		case yaml.ScalarNode:
			metadata[key] = r.scalarValue(value)
		case yaml.SequenceNode:
			var list []any
			for _, item := range value.Content {
				if item = resolveAlias(item); item.Kind != yaml.ScalarNode {
					r.fail(item, "metadata %s: each item has to be a text, a number or a boolean", key)
					return nil
				}
				list = append(list, r.scalarValue(item))
			}
			metadata[key] = list
		default:
			r.fail(value, "metadata %s has to be a text, a number, a boolean or a list of these", key)
		}
	}
	return metadata
}

// scalarValue returns a scalar as encoding/json would, with int64 for integers.
func (r *reader) scalarValue(n *yaml.Node) any {
	var v any
	if err := n.Decode(&v); err != nil {
		r.fail(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	switch v := v.(type) {
	case int:
		return int64(v)
	case bool, float64, string:
		return v
	}
	return n.Value
}

// scriptValue returns the value of a node for scripts. An alias is not followed
// into what it is part of.
func (r *reader) scriptValue(n *yaml.Node, key string, depth int) script.Value {
	n = resolveAlias(n)
	if r.fault != nil {
		return script.Value{}
	}
	if r.valueParts++; depth > maxValueNesting || r.valueParts > maxValueParts {
		r.fail(n, "%s is nested too deeply, or has too many parts", key)
		return script.Value{}
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return script.FromJSON(r.scalarValue(n))
	case yaml.SequenceNode:
		if len(n.Content) > maxParts {
			r.fail(n, "%s has more than %d items", key, maxParts)
		}
		var items []script.Value
		for _, item := range n.Content {
			items = append(items, r.scriptValue(item, key, depth+1))
		}
		return script.NewArray(items...)
	}
	members := make(map[string]script.Value)
	for i := 0; i+1 < len(n.Content); i += 2 {
		members[n.Content[i].Value] = r.scriptValue(n.Content[i+1], key, depth+1)
	}
	return script.NewMap(members)
}

func (r *reader) value(n *yaml.Node, seen map[string]bool) Value {
	m := r.mapping(n, "a value", "name", "default", "conditions", "customization_disabled")
	v := Value{Name: r.uniqueName(m, "value", seen), CustomizationDisabled: m.flag("customization_disabled")}
	if d := m.required("default"); d != nil {
		v.Default = r.scriptValue(d, "default", 0)
	}
	for _, n := range r.list(m.get("conditions"), "conditions") {
		c := r.mapping(n, "a condition", "value", "when")
		c.required("when")
		condition := Condition{When: c.script("when")}
		if value := c.required("value"); value != nil {
			condition.Value = r.scriptValue(value, "value", 0)
		}
		v.Conditions = append(v.Conditions, condition)
	}
	return v
}

func (r *reader) expectation(n *yaml.Node, seen map[string]bool) Expectation {
	m := r.mapping(n, "an expectation", "name", string(Expect), string(ExpectSame), string(ExpectEnum), "failure_message", "warning_message")
	e := Expectation{Name: r.uniqueName(m, "expectation", seen), FailureText: m.optionalText("failure_message")}
	for _, kind := range []ExpectationKind{Expect, ExpectSame, ExpectEnum} {
		switch {
		case m.get(string(kind)) == nil:
		case e.Kind != "":
			r.fail(m.get(string(kind)), "expectation %s has both %s and %s", e.Name, e.Kind, kind)
		default:
			e.Kind, e.Script = kind, m.script(string(kind))
		}
	}
	if e.Kind == "" {
		r.fail(n, "expectation %s needs expect, expect_same or expect_enum", e.Name)
	}
	e.FailureMessage, e.WarningMessage = m.message("failure_message"), m.message("warning_message")
	return e
}

// message returns a message. One that cannot be compiled is nil: its check can
// still be evaluated.
func (m mapping) message(key string) *script.Script {
	text := m.optionalText(key)
	if text == "" {
		return nil
	}
	s, err := script.ParseMessage(text)
	if err != nil {
		return nil
	}
	return s
}
