package landscape

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
)

// executionDiffPage shows what differs between two executions.
type executionDiffPage struct {
	page.Frame
	checkedThing
	From, To []page.Option // the executions that can be compared
	Groups   []diffGroup
	Same     int  // checks of which nothing differs
	One      bool // there are no two executions
}

// Template implements page.Page.
func (*executionDiffPage) Template() string { return "executiondiff" }

// diffGroup are the checks with the same kind of change.
type diffGroup struct {
	ID, Title string
	Checks    []diffRow
}

// diffRow is a check that differs.
type diffRow struct {
	ID, Title     string
	Before, After *page.HealthMark // nil: the check was not run
	Values        []diffValue
}

// diffValue is a value of a host that differs. "" means that there was none.
type diffValue struct {
	Host          page.Link
	What          string
	Before, After string
}

// diffTitles are the headings of the changes, in the order of the page.
var diffTitles = []struct {
	change check.Change
	title  string
}{
	{check.Worse, "Worse than before"}, {check.Better, "Better than before"}, {check.Added, "Not run before"}, {check.Removed, "No longer run"},
	{check.Same, "The same result from other facts"},
}

// showExecutionDiff answers GET /clusters/{id}/executions/diff and the same path
// of hosts. The query parameters from and to choose the executions; without
// them, the last one is compared with the one before.
func (s *Pages) showExecutionDiff(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		p := executionDiffPage{Frame: s.NewFrame(r, "")}
		var x *executionView
		var before *check.Conclusion
		query := r.URL.Query()
		err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
			if x, err = s.readExecution(tx, kind, id, query.Get("to")); err != nil {
				return err
			}
			from, err := x.earlier(query.Get("from"))
			if err != nil {
				return err
			}
			if p.One = from == nil; !p.One {
				p.From, p.To = s.executionOptions(x.all, from), s.executionOptions(x.all, x.chosenExecution)
				before, err = x.compareWith(tx, from)
			}
			return cmp.Or(err, s.ReadFrame(&p.Frame, tx))
		})
		if err != nil {
			return err
		}
		p.checkedThing, p.Title, p.Live = x.thing, "What changed – "+x.thing.Name, liveTopicsOfChecks(kind, id)
		if before != nil {
			s.describeDiff(&p, x, check.Compare(before, x.conclusion))
		}
		return s.Render(w, r, http.StatusOK, &p)
	}
}

// earlier returns the execution with which the shown one is compared: the chosen
// one, or the one before; nil if there is none.
func (x *executionView) earlier(chosen string) (*store.Execution, error) {
	for i, e := range x.all {
		if chosen == "" && i > 0 && x.all[i-1].ID == x.chosenExecution.ID || chosen != "" && e.ID == chosen {
			return e, nil
		}
	}
	if chosen != "" {
		return nil, fmt.Errorf("execution %q: %w", chosen, store.ErrNotFound)
	}
	return nil, nil
}

// compareWith reads the conclusion of an execution, and the hosts that only it
// knows.
func (x *executionView) compareWith(tx *store.Tx, e *store.Execution) (*check.Conclusion, error) {
	c, err := tx.Conclusion(e)
	if err != nil {
		return nil, err
	}
	return c, x.readHosts(tx, c)
}

// executionOptions returns the executions that can be chosen.
func (s *Pages) executionOptions(all []*store.Execution, chosen *store.Execution) (options []page.Option) {
	for i, e := range all[:min(len(all), maxListedExecutions)] {
		label := s.Timestamp(e.StartedAt).Text() + " – " + page.HealthWord(landscape.Health(e.Result))
		if i == 0 {
			label += " (last)"
		}
		options = append(options, page.Option{Value: e.ID, Label: label, Chosen: e.ID == chosen.ID})
	}
	return options
}

// describeDiff fills the page with the differences.
func (s *Pages) describeDiff(p *executionDiffPage, x *executionView, differences []check.Difference) {
	catalogue := s.Executions.Catalogue()
	mark := func(id string, r *check.Result) *page.HealthMark {
		if r == nil {
			return nil
		}
		m := resultMark("Check "+id, *r)
		return &m
	}
	rows := make(map[check.Change][]diffRow)
	for _, d := range differences {
		if d.Change == check.Same && len(d.Agents) == 0 {
			p.Same++
			continue
		}
		row := diffRow{ID: d.CheckID, Title: d.CheckID, Before: mark(d.CheckID, d.Before), After: mark(d.CheckID, d.After)}
		if c := catalogue.Find(d.CheckID); c != nil {
			row.Title = c.Name
		}
		for _, a := range d.Agents {
			row.Values = append(row.Values, x.diffValues(a)...)
		}
		rows[d.Change] = append(rows[d.Change], row)
	}
	for _, t := range diffTitles {
		if len(rows[t.change]) > 0 {
			p.Groups = append(p.Groups, diffGroup{ID: string(t.change), Title: t.title, Checks: rows[t.change]})
		}
	}
}

// diffValues returns what differs on a host.
func (x *executionView) diffValues(a check.AgentDifference) (rows []diffValue) {
	host := x.hostLink(a.AgentID)
	if a.State != nil {
		rows = append(rows, diffValue{host, "What became of it", stateWords(string(a.State.Before)), stateWords(string(a.State.After))})
	}
	for _, part := range []struct {
		what    string
		changed []check.ValueChange
	}{{"Fact", a.Facts}, {"Expected value", a.Values}, {"Expectation", a.Evaluations}} {
		for _, v := range part.changed {
			rows = append(rows, diffValue{host, part.what + " " + v.Name, prettyJSON(v.Before), prettyJSON(v.After)})
		}
	}
	return rows
}

// stateWords says what became of a check on a host. The state is JSON.
func stateWords(state string) string {
	switch check.HostState(strings.Trim(state, `"`)) {
	case check.Executed:
		return "Evaluated"
	case check.Excluded:
		return "Excluded by policy"
	case check.NotGathered:
		return "Facts could not be gathered"
	case check.TimedOut:
		return "The agent did not answer"
	}
	return ""
}

// resultStrip draws the last results of a check.
type resultStrip struct {
	Words string
	Parts []resultPart
	// Changes are the executions in which the result changed, newest first.
	Changes []resultChange
}

// resultPart is a row of equal results. X and Width are in executions.
type resultPart struct {
	State    string
	X, Width int
}

// resultChange is an execution in which the result changed.
type resultChange struct {
	At    page.Timestamp
	Words string
	URL   string
}

// The number of results in a strip, and of changes that are listed.
const (
	stripResults    = 30
	maxStripChanges = 10
)

// readStrips reads the results of the shown execution and of those before it.
func (x *executionView) readStrips(tx *store.Tx) (err error) {
	i := slices.Index(x.all, x.chosenExecution)
	if i < 0 {
		return nil
	}
	last := slices.Clone(x.all[i:min(len(x.all), i+stripResults)])
	slices.Reverse(last)
	x.outcomes, err = tx.CheckOutcomes(last, "")
	return err
}

// newResultStrip returns the strip of a check; nil if it has only one result.
func (s *Pages) newResultStrip(x *executionView, id string) *resultStrip {
	outcomes := x.outcomes[id]
	if len(outcomes) < 2 {
		return nil
	}
	strip := new(resultStrip)
	for i, o := range outcomes {
		state := cmp.Or(string(o.Result), "unknown")
		if n := len(strip.Parts); n > 0 && strip.Parts[n-1].State == state {
			strip.Parts[n-1].Width++
		} else {
			strip.Parts = append(strip.Parts, resultPart{state, i + stripResults - len(outcomes), 1})
		}
	}
	for _, t := range slices.Backward(check.Transitions(outcomes)) {
		if t.ExecutionID == outcomes[0].ExecutionID || len(strip.Changes) == maxStripChanges {
			break
		}
		words := resultWord(t.Previous) + " → " + resultWord(t.Result)
		strip.Changes = append(strip.Changes, resultChange{s.Timestamp(t.At), words, page.WithQuery(x.thing.resultsPath(), url.Values{"execution": {t.ExecutionID}, "check": {id}})})
	}
	strip.Words = fmt.Sprintf("The same result in the last %d executions", len(outcomes))
	if n := len(strip.Changes); n > 0 {
		strip.Words = fmt.Sprintf("%s in the last %d executions", page.Count(n, "change", "changes"), len(outcomes))
	}
	return strip
}

func resultWord(r check.Result) string {
	if r == "" {
		return "Not run"
	}
	return page.HealthWord(landscape.Health(r))
}
