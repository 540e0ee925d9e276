package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"trento/store/check/script"
)

// gatherers are the gatherers that agents have, without their versions, and
// whether each needs an argument. An agent can have more, from plugins.
var gatherers = map[string]bool{
	"ascsers_cluster": false, "cibadmin": false, "corosync-cmapctl": true, "corosync.conf": false, "dir_scan": true, "disp+work": false, "fs_usage": false,
	"fstab": false, "groups": false, "hosts": false, "ini_files": true, "mount_info": true, "os-release": false, "package_version": true, "passwd": false,
	"products": false, "sap_profiles": false, "sapcontrol": true, "saphostctrl": true, "sapinstance_hostname_resolver": false, "sapservices": false,
	"saptune": true, "sbd_config": true, "sbd_dump": false, "status": false, "sudoers": false, "sysctl": true, "systemd": true, "verify_password": true,
}

// Gatherers returns the names of the gatherers that agents have, with the version
// that checks use, in alphabetical order.
func Gatherers() []string {
	names := slices.Sorted(maps.Keys(gatherers))
	for i := range names {
		names[i] += "@v1"
	}
	return names
}

// FactQuestion asks an agent for a fact without a check.
type FactQuestion struct {
	Gatherer string `json:"gatherer"` // with or without a version
	Argument string `json:"argument"`
}

// maxArgument is the largest length of the argument of a question, in characters.
const maxArgument = 1000

// Check says what is wrong with a question, and with which member; "" if nothing
// is.
func (q FactQuestion) Check() (member, detail string) {
	name, _, _ := strings.Cut(q.Gatherer, "@")
	needsArgument, known := gatherers[name]
	switch {
	case !known:
		return "gatherer", "is not a valid gatherer"
	case needsArgument && q.Argument == "":
		return "argument", "can't be blank"
	case utf8.RuneCountInString(q.Argument) > maxArgument:
		return "argument", fmt.Sprintf("should be at most %d character(s)", maxArgument)
	}
	return "", ""
}

// String returns the question in one word, such as sysctl@v1(vm.swappiness).
func (q FactQuestion) String() string {
	if q.Argument == "" {
		return q.Gatherer
	}
	return q.Gatherer + "(" + q.Argument + ")"
}

// environmentNames are the names that a check can read from env, such as
// env.provider.
var environmentNames = []string{
	"target_type", "cluster_type", "provider", "hana_scenario", "architecture_type", "ensa_version", "filesystem_type", "arch",
}

// Lint reads a check file as its author wants it read. It returns the fault for
// which the file cannot be used, or else what is probably a mistake.
func Lint(file File) (broken *Fault, mistakes []Fault) {
	r := &reader{file: file}
	c := r.check()
	if r.fault != nil {
		return r.fault, nil
	}
	l := &linter{reader: r, check: c}
	for _, key := range r.unknownNodes {
		l.add(key, "the key %s has no meaning", key.Value)
	}
	l.lintHead()
	l.lintFacts()
	l.lintUse()
	slices.SortStableFunc(l.mistakes, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return nil, l.mistakes
}

type linter struct {
	*reader
	check    *Check
	mistakes []Fault
}

func (l *linter) add(n *yaml.Node, format string, args ...any) {
	l.mistakes = append(l.mistakes, Fault{Path: l.file.Path, Line: n.Line, Column: n.Column, Reason: fmt.Sprintf(format, args...)})
}

// value returns the node of a key of the file, or of a part of it.
func (l *linter) value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolveAlias(n.Content[i+1])
		}
	}
	return nil
}

func (l *linter) lintHead() {
	root := l.document()
	if n := l.value(root, "severity"); n != nil && n.Value != string(SeverityWarning) && n.Value != string(SeverityCritical) {
		l.add(n, "the severity %s is not known and counts as critical", n.Value)
	}
	if l.check.Metadata["target_type"] == nil {
		l.add(root, "the metadata do not say the target_type, cluster or host")
	}
	if n := l.value(root, "metadata"); n != nil {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; !slices.Contains(environmentNames, key.Value) {
				l.add(key, "no environment has a %s; the names are %s", key.Value, strings.Join(environmentNames, ", "))
			}
		}
	}
}

func (l *linter) lintFacts() {
	facts := l.value(l.document(), "facts")
	for i, fact := range l.check.Facts {
		gatherer, _, _ := strings.Cut(fact.Gatherer, "@")
		needsArgument, known := gatherers[gatherer]
		switch {
		case !known:
			l.add(facts.Content[i], "fact %s: agents have no gatherer %s, unless a plugin of yours provides it", fact.Name, gatherer)
		case needsArgument && fact.Argument == "":
			l.add(facts.Content[i], "fact %s: the gatherer %s needs an argument", fact.Name, gatherer)
		}
	}
}

// lintUse finds facts and values that nothing uses, and messages that cannot be
// compiled.
func (l *linter) lintUse() {
	root := l.document()
	var scripts []*script.Script
	for i, n := range l.value(root, "expectations").Content {
		n, x := resolveAlias(n), &l.check.Expectations[i]
		for key, message := range map[string]*script.Script{"failure_message": x.FailureMessage, "warning_message": x.WarningMessage} {
			if text := l.value(n, key); text != nil && text.Value != "" && message == nil {
				l.add(text, "expectation %s: the %s cannot be evaluated (a back-tick in it, or a fault in ${…}); %q is shown instead", x.Name, key, notMetMessage)
			}
		}
		if warning := l.value(n, "warning_message"); warning != nil && x.Kind != ExpectEnum {
			l.add(warning, "expectation %s: only expect_enum has a warning_message", x.Name)
		}
		scripts = append(scripts, x.Script, x.FailureMessage, x.WarningMessage)
	}
	for i, fact := range l.check.Facts {
		if !uses(scripts, "facts", fact.Name) {
			l.add(l.value(root, "facts").Content[i], "no expectation uses the fact %s", fact.Name)
		}
	}
	for i, v := range l.check.Values {
		if !uses(scripts, "values", v.Name) {
			l.add(l.value(root, "values").Content[i], "no expectation uses the value %s", v.Name)
		}
	}
}

// uses reports whether a script may use a member of a variable.
func uses(scripts []*script.Script, variable, member string) bool {
	return slices.ContainsFunc(scripts, func(s *script.Script) bool {
		if s == nil {
			return false
		}
		names, all := s.Members(variable)
		return all || slices.Contains(names, member)
	})
}
