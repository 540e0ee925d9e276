// Package check holds what is checked on hosts and clusters, and how facts
// become results. It reads check files, says which checks apply, and evaluates
// what agents answer. It is pure: it opens no file and asks no agent.
//
// A check asks agents for facts and states what it expects of them, in the
// language of package script. The format of the files is that of Trento's
// checks, so that files written for it are read unmodified.
package check

import (
	"cmp"
	"slices"
	"time"

	"trento/store/check/script"
)

// Severity is the result of a check whose expectations are not met.
type Severity string

// The severities.
const (
	SeverityWarning  Severity = "warning"
	SeverityCritical Severity = "critical"
)

// Check is a check as its file says.
type Check struct {
	ID, Name, Group string
	// Description and Remediation are Markdown.
	Description, Remediation string
	Severity                 Severity
	// Metadata says to what the check applies. Each value is a text, an int64, a
	// float64, a boolean, or a list of these.
	Metadata map[string]any
	// When and Exclude are nil if the file does not have them.
	When, Exclude         *script.Script
	CustomizationDisabled bool

	Facts        []Fact
	Values       []Value
	Expectations []Expectation
}

// Fact is what an agent is asked for.
type Fact struct {
	Name string
	// Gatherer is the name of a gatherer of the agent, with its version, as in
	// corosync.conf@v1, or without, for the newest one.
	Gatherer string
	Argument string // may be ""
}

// Value is a value that expectations compare facts with.
type Value struct {
	Name                  string
	Default               script.Value
	Conditions            []Condition // the first that applies wins
	CustomizationDisabled bool
}

// Condition is a value for some environments.
type Condition struct {
	Value script.Value
	When  *script.Script
}

// ExpectationKind says how the values that an expectation returns for the hosts
// become its result.
type ExpectationKind string

// The kinds of expectations.
const (
	Expect     ExpectationKind = "expect"      // good if it is true on every host
	ExpectSame ExpectationKind = "expect_same" // good if it is the same on all hosts
	ExpectEnum ExpectationKind = "expect_enum" // "passing", "warning" or "critical"; the worst of all hosts
)

// Expectation is what a check expects of the facts.
type Expectation struct {
	Name   string
	Kind   ExpectationKind
	Script *script.Script
	// FailureMessage and WarningMessage are nil if the file does not have them,
	// or if they cannot be compiled. The text of FailureMessage is in
	// FailureText.
	FailureMessage, WarningMessage *script.Script
	FailureText                    string
}

// Catalogue is the checks of several directories.
type Catalogue struct {
	Checks   []*Check // ordered by id
	Broken   []Fault
	Shadowed []Shadow

	// What its reader knows about it.
	Directories []Directory // the first has precedence
	Version     string      // of the files in the first directory, as its file VERSION says; "" if it has none
	ReadAt      time.Time
}

// Directory is where check files come from.
type Directory struct {
	Path  string // as people are told
	Files int
}

// File is a check file that was read.
type File struct {
	Path    string // as people are told
	Name    string // the name in its directory
	Content []byte
}

// Shadow is a check file that does not count, because an earlier directory has
// a check with the same id.
type Shadow struct{ ID, Used, Ignored string }

// NewCatalogue reads the files of directories, of which the first has
// precedence. A file that cannot be read costs itself only.
func NewCatalogue(directories ...[]File) *Catalogue {
	c := &Catalogue{}
	from := make(map[string]string)
	for _, files := range directories {
		for _, file := range files {
			check, fault := Read(file)
			switch {
			case fault != nil:
				c.Broken = append(c.Broken, *fault)
			case from[check.ID] != "":
				c.Shadowed = append(c.Shadowed, Shadow{check.ID, from[check.ID], file.Path})
			default:
				from[check.ID] = file.Path
				c.Checks = append(c.Checks, check)
			}
		}
	}
	slices.SortFunc(c.Checks, func(a, b *Check) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

// Find returns the check with an id; nil if there is none.
func (c *Catalogue) Find(id string) *Check {
	i, ok := slices.BinarySearchFunc(c.Checks, id, func(check *Check, id string) int { return cmp.Compare(check.ID, id) })
	if !ok {
		return nil
	}
	return c.Checks[i]
}
