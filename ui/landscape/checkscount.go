package landscape

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// checksState is what the checks of a cluster or host have found.
type checksState struct {
	applicable bool // there are checks for such things
	selected   int
	last       *store.Execution // nil: none is completed
}

// The states of checks that are no result.
const (
	checksAwaited   = "no_results"
	checksNotChosen = "not_chosen"
)

// checkStates are the states of checks, the worst first.
var checkStates = []string{string(check.Critical), string(check.Warning), string(check.Passing), checksAwaited, checksNotChosen}

// checksKey is the key of the column with what checks have found.
const checksKey = "checks"

// checksColumn declares the column with what checks have found.
func checksColumn[T listItem](hidden bool) table.Column[T] {
	return table.Column[T]{
		Key: checksKey, Label: "Checks", Hidden: hidden, Text: func(thing T) string { return thing.fields().checks.text() },
		Order: func(thing T) string { return thing.fields().checks.order() },
		Facet: &table.Facet[T]{
			Value: func(thing T) string { return thing.fields().checks.state() }, Known: checkStates, Label: checksWord,
			Compare: func(a, b string) int { return slices.Index(checkStates, a) - slices.Index(checkStates, b) },
		},
	}
}

// checksWord returns a state of checks in words.
func checksWord(state string) string {
	switch state {
	case checksAwaited:
		return "No results yet"
	case checksNotChosen:
		return "Not chosen"
	}
	return page.HealthWord(landscape.Health(state))
}

func checksOfCluster(v *page.Snapshot, c *landscape.Cluster) checksState {
	return checksState{check.Checkable(c.Type), len(c.SelectedChecks), v.LastExecutions[string(c.ID)]}
}

func checksOfHost(v *page.Snapshot, h *landscape.Host) checksState {
	return checksState{true, len(h.SelectedChecks), v.LastExecutions[string(h.ID)]}
}

// state returns the worst result that counts, or why there is none; "" if there
// are no checks for such things.
func (c checksState) state() string {
	switch {
	case !c.applicable:
		return ""
	case c.selected == 0:
		return checksNotChosen
	case c.last == nil:
		return checksAwaited
	}
	return string(c.last.Health)
}

// order orders by the state, then by the number of failures.
func (c checksState) order() string {
	const most = 1 << 20
	failures := 0
	if c.last != nil {
		failures = c.last.Counts.Critical*1000 + c.last.Counts.Warning
	}
	rank := slices.Index(checkStates, c.state())
	if rank < 0 {
		rank = len(checkStates)
	}
	return table.OrderOfNumber(rank) + table.OrderOfNumber(most-failures)
}

// text returns the counts in words.
func (c checksState) text() string {
	switch state := c.state(); state {
	case "":
		return ""
	case checksAwaited, checksNotChosen:
		return checksWord(state)
	}
	var parts []string
	for _, n := range resultNumbers(c.last.Counts) {
		parts = append(parts, strconv.Itoa(n.Count)+" "+n.State)
	}
	if n := c.last.Counts.Waived; n > 0 {
		parts = append(parts, strconv.Itoa(n)+" waived")
	}
	return cmp.Or(strings.Join(parts, ", "), "No check was run")
}

// resultNumber is how many checks, or things, have a result.
type resultNumber struct {
	State string
	Count int
	URL   string
	Label string
}

// resultNumbers returns the counts that are not zero, the worst first.
func resultNumbers(n check.Counts) (numbers []resultNumber) {
	for _, c := range []resultNumber{{State: string(check.Critical), Count: n.Critical}, {State: string(check.Warning), Count: n.Warning}, {State: string(check.Passing), Count: n.Passing}} {
		if c.Count > 0 {
			numbers = append(numbers, c)
		}
	}
	return numbers
}

// checksMark is what the checks of a thing have found, in one line of a list. The
// template "checks-mark" draws it.
type checksMark struct {
	Text    string
	URL     string // of the results, or of the selection if there is none
	Numbers []resultNumber
	Waived  int
}

// mark returns the mark of a thing with a path; nil if there are no checks for
// such things.
func (c checksState) mark(path string) *checksMark {
	m := &checksMark{Text: c.text(), URL: path + "/executions/last"}
	switch c.state() {
	case "":
		return nil
	case checksNotChosen:
		m.URL = path + "/settings"
	case checksAwaited:
	default:
		m.Numbers, m.Waived = resultNumbers(c.last.Counts), c.last.Counts.Waived
	}
	return m
}

// checksSummary is how many clusters, or hosts, run checks, and with which
// results. The template "checks-summary" draws it.
type checksSummary struct {
	Things  page.Link
	Last    page.Timestamp // of the last execution; zero if there is none
	Numbers []resultNumber // of things by their worst result
	Waived  int            // things with waived failures
}

// summarizeChecks returns what the checks of clusters and of hosts have found;
// nothing of those that run none.
func (s *Pages) summarizeChecks(v *page.Snapshot) (all []checksSummary) {
	var clusters, hosts []checksState
	for _, c := range v.Clusters {
		clusters = append(clusters, checksOfCluster(v, c))
	}
	for _, h := range v.Hosts {
		hosts = append(hosts, checksOfHost(v, h))
	}
	for _, of := range []struct {
		states []checksState
		noun   string
	}{{clusters, "cluster"}, {hosts, "host"}} {
		if summary := s.summarizeStates(of.states, of.noun); summary != nil {
			all = append(all, *summary)
		}
	}
	return all
}

// summarizeStates returns the summary of things of a kind; nil if none of them
// runs checks.
func (s *Pages) summarizeStates(states []checksState, noun string) *checksSummary {
	c, running := checksSummary{}, 0
	count := make(map[string]int)
	for _, state := range states {
		if !state.applicable || state.selected == 0 {
			continue
		}
		running++
		count[state.state()]++
		if state.last == nil {
			continue
		}
		if state.last.Counts.Waived > 0 {
			c.Waived++
		}
		if state.last.CompletedAt.After(c.Last.At) {
			c.Last = s.Timestamp(state.last.CompletedAt)
		}
	}
	if running == 0 {
		return nil
	}
	path := "/" + noun + "s"
	c.Things = page.Link{Name: page.Count(running, noun, noun+"s"), URL: path + "?columns=health&columns=reason&columns=checks&sort=checks"}
	for _, state := range checkStates[:3] {
		if n := count[state]; n > 0 {
			c.Numbers = append(c.Numbers, resultNumber{State: state, Count: n, URL: path + "?checks=" + state, Label: page.Count(n, noun, noun+"s") + ": " + state})
		}
	}
	return &c
}
