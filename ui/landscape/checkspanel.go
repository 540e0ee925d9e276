package landscape

import (
	"net/http"
	"slices"
	"strings"

	"trento/store"
	"trento/store/check"
	"trento/ui/execution"
	"trento/ui/page"
)

// checksPanel is the state of the checks of a cluster or host, as the template
// "checks-panel" draws it.
type checksPanel struct {
	Applicable   bool // there are checks for such things
	Results      string
	Settings     string // path of the page that selects checks
	Facts        string // path of the page that asks for facts; "" for a cluster
	Selected     int
	Completed    bool
	At           page.Timestamp
	Counts       []resultCount
	Waived       int
	Running      bool
	RunningSince page.Timestamp
}

// newChecksPanel returns the state of the checks.
func (s *Pages) newChecksPanel(x *executionView) checksPanel {
	p := checksPanel{Applicable: x.subject != nil, Results: x.thing.resultsPath(), Settings: x.thing.Path + "/settings"}
	if x.kind == check.HostSubject {
		p.Facts = x.thing.Path + "/facts"
	}
	if x.subject != nil {
		p.Selected = len(x.subject.Selected)
	}
	if x.group.Running != nil {
		p.Running, p.RunningSince = true, s.Timestamp(x.group.Running.StartedAt)
	}
	if last := x.group.Last; last != nil {
		p.Completed, p.At, p.Waived = true, s.Timestamp(last.CompletedAt), last.Counts.Waived
		for _, c := range []struct {
			r check.Result
			n int
		}{{check.Critical, last.Counts.Critical}, {check.Warning, last.Counts.Warning}, {check.Passing, last.Counts.Passing}} {
			p.Counts = append(p.Counts, resultCount{Mark: resultMark("Checks", c.r), Count: c.n, URL: p.Results + "?health=" + string(c.r)})
		}
	}
	return p
}

// readChecksPanel reads the state of the checks for the page of a cluster or
// host.
func (s *Pages) readChecksPanel(tx *store.Tx, kind check.SubjectKind, id string) (checksPanel, error) {
	x, err := readCheckedGroup(tx, kind, id)
	if err != nil {
		return checksPanel{}, err
	}
	return s.newChecksPanel(x), nil
}

// checkStart is the button that starts an execution, with what will be asked.
// The template "check-start" draws it.
type checkStart struct {
	Action  string
	Refused string // why it cannot be started; "": it can
	// Sentences say what will be asked, and of whom.
	Sentences []string
	Gatherers []string
}

// newCheckStart returns the button.
func (s *Pages) newCheckStart(r *http.Request, f *page.Frame, x *executionView) checkStart {
	b := checkStart{Action: x.thing.Path + "/executions"}
	ability := abilityRefreshCluster
	if x.kind == check.HostSubject {
		ability = abilityRefreshHost
	}
	switch why := f.WhyRefused(ability); {
	case why != "":
		b.Refused = why
	case x.subject == nil:
		b.Refused = store.ErrNotCheckable.Detail
	case len(x.subject.Selected) == 0:
		b.Refused = execution.ErrNoneSelected.Detail
	case s.Executions.Off():
		b.Refused = execution.ErrOff.Detail
	case x.group.Running != nil:
		b.Refused = "The checks are running."
	}
	if x.subject == nil || len(x.subject.Selected) == 0 {
		return b
	}
	plan := s.Executions.Plan(r.Context(), x.subject)
	facts := 0
	var away []string
	for _, h := range x.subject.Hosts {
		requests := plan.FactRequests(h.AgentID)
		facts += len(requests)
		for _, q := range requests {
			if !slices.Contains(b.Gatherers, q.Gatherer) {
				b.Gatherers = append(b.Gatherers, q.Gatherer)
			}
		}
		if !s.Executions.Connected(h.AgentID) {
			away = append(away, h.Name)
		}
	}
	slices.Sort(b.Gatherers)
	b.Sentences = append(b.Sentences, page.Count(len(plan.Checks), "check", "checks")+" with "+page.Count(facts, "fact", "facts")+" of "+page.Count(len(x.subject.Hosts), "host", "hosts")+".")
	if len(away) > 0 {
		b.Sentences = append(b.Sentences, "Not connected for messages, so it counts as silent: "+listNames(away)+".")
	}
	if len(plan.Unknown) > 0 {
		b.Sentences = append(b.Sentences, "Selected, but not in the catalog: "+strings.Join(plan.Unknown, ", ")+".")
	}
	if len(plan.Inapplicable) > 0 {
		b.Sentences = append(b.Sentences, "Selected, but not for this "+x.thing.Kind+": "+strings.Join(plan.Inapplicable, ", ")+".")
	}
	if b.Refused == "" && len(plan.Checks) == 0 {
		b.Refused = "None of the selected checks can be run."
	}
	return b
}
