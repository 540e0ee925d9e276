package landscape

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// checkReport is a file with all that an execution has found, and what it was
// found by, for people who have no access to the console.
type checkReport struct {
	page.Frame
	checkedThing
	Facts   []page.Fact
	Notes   []string // what was not checked, and why
	Waivers []string // failures that do not count, and why
	Groups  []reportGroup
}

// Template implements page.Page.
func (*checkReport) Template() string { return "checkreport" }

// reportGroup are the checks of a group of the catalogue.
type reportGroup struct {
	Name   string
	Checks []reportCheck
}

// reportCheck is a check with its result on all targets.
type reportCheck struct {
	resultRow
	Failed       bool
	Expectations []reportExpectation
	Compared     []expectationRow
	Targets      []reportTarget
}

// reportExpectation is what a check expects, as its file says.
type reportExpectation struct{ Name, Kind, Expression string }

// reportTarget is what became of a check on a host.
type reportTarget struct {
	checkResultPage
	Host   string
	Waived string
}

// downloadCheckReport answers GET /clusters/{id}/executions/last.html and the same
// path of hosts.
func (s *Pages) downloadCheckReport(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := s.readRequestedExecution(r, kind)
		if err != nil {
			return err
		}
		if x.chosenExecution == nil {
			return fmt.Errorf("execution of %s: %w", x.id, store.ErrNotFound)
		}
		p := checkReport{Frame: s.NewFrame(r, ""), checkedThing: x.thing}
		s.describeReport(&p, x, auth.From(r.Context()).User.Username)
		body, err := s.Document(&p)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": reportFileName(x)}))
		return table.SendFile(s.Console, w, r, body)
	}
}

// reportFileName returns the name of the file, with the letters and digits of the
// name of the thing.
func reportFileName(x *executionView) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_", r) {
			return r
		}
		return -1
	}, x.thing.Name)
	const longest = 60
	return "checks-" + cmp.Or(name[:min(len(name), longest)], x.thing.Kind) + "-" + x.chosenExecution.CompletedAt.UTC().Format("20060102T150405Z") + ".html"
}

// describeReport fills the report.
func (s *Pages) describeReport(p *checkReport, x *executionView, reader string) {
	e, catalogue := x.chosenExecution, s.Executions.Catalogue()
	p.Title = "Checks of " + x.thing.Kind + " " + x.thing.Name + ", " + s.Timestamp(e.CompletedAt).Text()
	add := func(label, text string) { p.Facts = append(p.Facts, page.Fact{Label: label, Text: text}) }
	add("Target", x.thing.Kind+" "+x.thing.Name+" ("+x.id+")")
	add("Result", page.HealthWord(landscape.Health(e.Result))+": "+checksState{applicable: true, selected: 1, last: e}.text())
	if e.Health != e.Result {
		add("Result without waived failures", page.HealthWord(landscape.Health(e.Health)))
	}
	add("Execution", e.ID)
	add("Requested by", cmp.Or(e.By, "the schedule"))
	add("Started", s.Timestamp(e.StartedAt).Text())
	add("Completed", s.Timestamp(e.CompletedAt).Text())
	for _, key := range slices.Sorted(maps.Keys(x.conclusion.Environment)) {
		add("Environment: "+key, fmt.Sprint(x.conclusion.Environment[key]))
	}
	add("Catalogue", page.Count(len(catalogue.Checks), "check", "checks")+", version "+cmp.Or(catalogue.Version, "unknown")+", at the time of this report")
	add("Report made", s.Timestamp(s.Store.Now()).Text()+" by "+reader+" on "+p.Server+", "+p.Product+" "+p.Version)

	for _, t := range x.conclusion.Timeouts {
		p.Notes = append(p.Notes, x.hostName(t.AgentID)+" did not answer. "+timeoutWords(t.Reason, t.SkewSeconds)+".")
	}
	if len(x.conclusion.Unknown) > 0 {
		p.Notes = append(p.Notes, "Selected, but not in the catalogue, so not run: "+strings.Join(x.conclusion.Unknown, ", ")+".")
	}
	if len(x.conclusion.Inapplicable) > 0 {
		p.Notes = append(p.Notes, "Selected, but not for this "+x.thing.Kind+", so not run: "+strings.Join(x.conclusion.Inapplicable, ", ")+".")
	}
	for i := range x.conclusion.Checks {
		s.addToReport(p, x, &x.conclusion.Checks[i])
	}
	slices.SortFunc(p.Groups, func(a, b reportGroup) int { return table.FoldCompare(a.Name, b.Name) })
}

// addToReport adds a check to its group.
func (s *Pages) addToReport(p *checkReport, x *executionView, d *check.CheckDocument) {
	about := s.Executions.Catalogue().Find(d.CheckID)
	group, row := s.newResultRow(x, d, nil)
	c := reportCheck{resultRow: row, Failed: d.Result != check.Passing, Compared: x.comparisons(d)}
	if row.Waiver != "" {
		p.Waivers = append(p.Waivers, d.CheckID+" on all hosts. "+row.Waiver)
	}
	if about != nil {
		for _, expectation := range about.Expectations {
			c.Expectations = append(c.Expectations, reportExpectation{expectation.Name, string(expectation.Kind), strings.TrimSpace(expectation.Script.Source())})
		}
	}
	for i := range d.Agents {
		a := &d.Agents[i]
		target := reportTarget{Host: x.hostName(a.AgentID)}
		if a.Waived != nil {
			target.Waived = s.waiverWords(a.Waived)
			p.Waivers = append(p.Waivers, d.CheckID+" on "+target.Host+". "+target.Waived)
		}
		target.describeAgent(about, d, a)
		c.Targets = append(c.Targets, target)
	}
	i := slices.IndexFunc(p.Groups, func(g reportGroup) bool { return g.Name == group })
	if i < 0 {
		i = len(p.Groups)
		p.Groups = append(p.Groups, reportGroup{Name: group})
	}
	p.Groups[i].Checks = append(p.Groups[i].Checks, c)
}
