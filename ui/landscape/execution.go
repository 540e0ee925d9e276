package landscape

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// abilityCustomize is the ability to replace values of checks and to waive
// failures.
const abilityCustomize = "all:check_customization"

// executionPage shows what an execution of the checks of a cluster or host has
// found.
type executionPage struct {
	page.Frame
	checkedThing
	Panel    checksPanel
	Starting checkStart
	Counts   []resultCount
	Groups   []resultGroup
	Shown    int  // checks that pass the filters
	Filtered bool // some checks are left out
	Changed  changedFilter
	// Execution is the completed execution that is shown; nil if there is none.
	Execution *shownExecution
	Selected  int // checks that are selected
	ResetURL  string
}

// Template implements page.Page.
func (*executionPage) Template() string { return "execution" }

// checkedThing is the cluster or host that is checked.
type checkedThing struct {
	Kind string // "cluster" or "host"
	Name string
	Path string // of its page
}

// resultsPath is the path of the page of the last execution.
func (t checkedThing) resultsPath() string { return t.Path + "/executions/last" }

// resultCount is how many checks have a result, with the address that shows only
// these.
type resultCount struct {
	Mark   page.HealthMark
	Count  int
	URL    string
	Chosen bool
}

// changedFilter leads to the checks whose result has changed.
type changedFilter struct {
	Count  int
	URL    string
	Chosen bool
}

// shownExecution is an execution as its page shows it.
type shownExecution struct {
	ID          string
	StartedAt   page.Timestamp
	CompletedAt page.Timestamp
	Took        string
	By          string
	Result      page.HealthMark
	Newest      bool
	Silent      []silentHost
	Missing     []string // selected checks that were not run, with the reason
	History     []page.Option
	CSV, JSON   string
	DiffURL     string // of the differences to the execution before; "" if there is none
	Report      string // address of the report in HTML
	Waived      int
}

// silentHost is a host whose agent has not answered.
type silentHost struct {
	Host   page.Link
	Reason string
}

// resultGroup are the checks of a group of the catalogue.
type resultGroup struct {
	ID     string // of the HTML element
	Name   string
	Checks []resultRow
}

// resultRow is a check with its result.
type resultRow struct {
	ID, Title   string
	Description page.HTML
	Remediation page.HTML
	Mark        page.HealthMark
	Note        string // instead of a result: "Excluded everywhere"
	Modified    bool
	ValuesURL   string // of the page that customises its values; "" if it has none to customise
	Waiver      string
	Before      string // "was passing"; "" if the result is the same
	Lines       []targetLine
	Strip       *resultStrip // nil if the check was run in one execution only
	Open        bool
}

// targetLine says what became of a check on a target.
type targetLine struct {
	Target string
	URL    string
	Icon   string // passing, warning, critical or none
	Words  string
	Waived string
}

// executionRoutes returns the routes of the pages of executions.
func (s *Pages) executionRoutes() (routes []api.Route) {
	for _, kind := range []check.SubjectKind{check.ClusterSubject, check.HostSubject} {
		root, variable := "/clusters/{id}", "cluster_id"
		ability := abilityRefreshCluster
		if kind == check.HostSubject {
			root, variable, ability = "/hosts/{id}", "id", abilityRefreshHost
		}
		last := auth.InSets("read_only", "checks").As("GET /api/v2/checks/groups/{id}/executions/last")
		routes = append(routes,
			api.Route{Method: "GET", Path: root + "/executions/last", Access: auth.SignedIn, Tokens: last, Handle: s.showExecution(kind)},
			api.Route{Method: "GET", Path: root + "/executions/diff", Access: auth.SignedIn, Tokens: auth.InSets("read_only", "checks").As("GET /api/v1/checks/executions/{id}/diff/{other}"), Handle: s.showExecutionDiff(kind)},
			api.Route{Method: "GET", Path: root + "/executions/last.csv", Access: auth.SignedIn, Tokens: last, Handle: s.executionCSV(kind)},
			api.Route{Method: "GET", Path: root + "/executions/last.html", Access: auth.SignedIn, Tokens: last, Handle: s.downloadCheckReport(kind)},
			api.Route{Method: "GET", Path: root + "/executions/last/{check}/{target}/{name}", Access: auth.SignedIn, Tokens: last, Handle: s.showCheckResult(kind)},
			api.Route{Method: "POST", Path: root + "/executions", Access: auth.Needs(ability), Tokens: auth.InSets("checks").As("POST /api/v1" + strings.Replace(root, "{id}", "{"+variable+"}", 1) + "/checks/request_execution"), Handle: page.ReadForm(s.startExecution(kind))},
			api.Route{Method: "POST", Path: root + "/waivers", Access: auth.Needs(abilityCustomize), Tokens: auth.InSets("checks").As("POST /api/v1/checks/waivers"), Handle: page.ReadForm(s.createWaiver(kind))},
			api.Route{Method: "POST", Path: root + "/waivers/{waiver}", Access: auth.Needs(abilityCustomize), Tokens: auth.InSets("checks").As("PATCH /api/v1/checks/waivers/{id}"), Handle: page.ReadForm(s.changeWaiver(kind))},
			api.Route{Method: "POST", Path: root + "/waivers/{waiver}/end", Access: auth.Needs(abilityCustomize), Tokens: auth.InSets("checks").As("DELETE /api/v1/checks/waivers/{id}"), Handle: page.ReadForm(s.endWaiver(kind))},
		)
	}
	return append(routes, api.Route{Method: "GET", Path: waiversPath, Access: auth.SignedIn, Tokens: auth.InSets("read_only", "checks").As("GET /api/v1/checks/waivers"), Handle: s.showWaivers})
}

// groupPath returns the path of the page of a cluster or host.
func groupPath(kind check.SubjectKind, id string) string { return "/" + string(kind) + "s/" + id }

// pathGroup returns the id of the cluster or host in the path.
func pathGroup(r *http.Request) (string, error) {
	id, ok := landscape.ParseID[string](page.PathVar(r, "id"))
	if !ok {
		return "", fmt.Errorf("group %q: %w", page.PathVar(r, "id"), store.ErrNotFound)
	}
	return id, nil
}

// startExecution answers POST /clusters/{id}/executions and the same path of
// hosts.
func (s *Pages) startExecution(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		_, err = s.Executions.Start(r.Context(), auth.From(r.Context()).Actor(), kind, id)
		if k, ok := fault.KindOf(err); ok && (k == fault.Invalid || k == fault.Busy || k == fault.Conflict) {
			s.SetFlash(w, r, fault.Of(err)[0].Detail)
			err = nil
		}
		if err != nil {
			return err
		}
		http.Redirect(w, r, groupPath(kind, id)+"/executions/last", http.StatusSeeOther)
		return nil
	}
}

// executionView is what the pages of one execution read.
type executionView struct {
	thing           checkedThing
	subject         *check.Subject // nil if there are no checks for this type of cluster
	group           *store.CheckedGroup
	chosenExecution *store.Execution // nil: none is completed
	all             []*store.Execution
	conclusion      *check.Conclusion
	before          *check.Conclusion // of the execution before; nil if there is none
	waivers         []*store.Waiver
	hosts           map[string]*landscape.Host
	outcomes        map[string][]check.Outcome // of the last executions, oldest first; see readStrips
	kind            check.SubjectKind
	id              string
}

// executionView reads an execution of a cluster or host: the last one if chosen
// is "".
func (s *Pages) readExecution(tx *store.Tx, kind check.SubjectKind, id, chosen string) (*executionView, error) {
	x, err := readCheckedGroup(tx, kind, id)
	if err != nil {
		return nil, err
	}
	if x.waivers, err = tx.WaiversOf(id); err != nil {
		return nil, err
	}
	return x, x.choose(tx, chosen)
}

// readCheckedGroup reads a cluster or host with what is known about its checks,
// without an execution.
func readCheckedGroup(tx *store.Tx, kind check.SubjectKind, id string) (*executionView, error) {
	x := &executionView{kind: kind, id: id, group: new(store.CheckedGroup), hosts: make(map[string]*landscape.Host)}
	x.thing = checkedThing{Kind: string(kind), Path: groupPath(kind, id)}
	if kind == check.HostSubject {
		h, err := tx.Host(landscape.HostID(id))
		if err != nil {
			return nil, err
		}
		x.thing.Name = h.Hostname
	} else {
		c, err := tx.Cluster(landscape.ClusterID(id))
		if err != nil {
			return nil, err
		}
		x.thing.Name = page.ClusterName(c)
	}
	var err error
	if x.subject, err = tx.CheckSubject(kind, id); err != nil && !errors.Is(err, store.ErrNotCheckable) {
		return nil, err
	}
	if x.group, err = tx.CheckedGroup(id); errors.Is(err, store.ErrNotFound) {
		x.group, err = new(store.CheckedGroup), nil
	}
	return x, err
}

// choose reads the execution that is shown, and the one before.
func (x *executionView) choose(tx *store.Tx, chosen string) (err error) {
	if x.all, err = tx.ExecutionsOf(x.id); err != nil || len(x.all) == 0 {
		return err
	}
	i := 0
	if chosen != "" {
		if i = slices.IndexFunc(x.all, func(e *store.Execution) bool { return e.ID == chosen }); i < 0 {
			return fmt.Errorf("execution %q: %w", chosen, store.ErrNotFound)
		}
	}
	x.chosenExecution = x.all[i]
	if x.conclusion, err = tx.Conclusion(x.chosenExecution); err != nil {
		return err
	}
	if i+1 < len(x.all) {
		if x.before, err = tx.Conclusion(x.all[i+1]); err != nil {
			return err
		}
	}
	return x.readHosts(tx, x.conclusion)
}

// readHosts reads the hosts on which checks were run.
func (x *executionView) readHosts(tx *store.Tx, c *check.Conclusion) error {
	for _, t := range c.Targets {
		h, err := tx.Host(landscape.HostID(t.AgentID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		x.hosts[t.AgentID] = h
	}
	return nil
}

// hostName returns the name of a host; its id if it is not registered.
func (x *executionView) hostName(agent string) string {
	if h := x.hosts[agent]; h != nil {
		return h.Hostname
	}
	return agent
}

// hostLink returns a link to a host.
func (x *executionView) hostLink(agent string) page.Link {
	if h := x.hosts[agent]; h != nil {
		return page.Link{Name: h.Hostname, URL: "/hosts/" + agent}
	}
	return page.Link{Name: agent, Gone: "Host currently not registered"}
}

// resultBefore returns the result of a check in the execution before; "" if it
// was not run.
func (x *executionView) resultBefore(id string) check.Result {
	if x.before == nil {
		return ""
	}
	if d := x.before.Find(id); d != nil {
		return d.Result
	}
	return ""
}

// changed reports whether a check has another result than before.
func (x *executionView) changed(d *check.CheckDocument) bool {
	before := x.resultBefore(d.CheckID)
	return before != "" && before != d.Result
}

func resultMark(prefix string, r check.Result) page.HealthMark {
	return page.NewHealthMark(prefix, landscape.Health(r), page.Timestamp{})
}

// showExecution answers GET /clusters/{id}/executions/last and the same path of
// hosts. The query parameter health filters by result, changed shows what has
// changed since the execution before, and execution chooses an older one.
func (s *Pages) showExecution(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		p := executionPage{Frame: s.NewFrame(r, "")}
		query := r.URL.Query()
		var x *executionView
		err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
			if x, err = s.readExecution(tx, kind, id, query.Get("execution")); err != nil {
				return err
			}
			return cmp.Or(x.readStrips(tx), s.ReadFrame(&p.Frame, tx))
		})
		if err != nil {
			return err
		}
		p.checkedThing = x.thing
		p.Title = "Checks results – " + x.thing.Name
		p.Live = liveTopicsOfChecks(kind, id)
		p.Starting = s.newCheckStart(r, &p.Frame, x)
		p.Panel = s.newChecksPanel(x)
		if x.subject != nil {
			p.Selected = len(x.subject.Selected)
		}
		if x.chosenExecution != nil {
			s.describeExecution(&p, x, query)
		}
		return s.Render(w, r, http.StatusOK, &p)
	}
}

// liveTopicsOfChecks returns the changes after which a page about checks is
// fetched again.
func liveTopicsOfChecks(kind check.SubjectKind, id string) string {
	return "checked_group:" + id + " waiver " + string(kind) + ":" + id
}

// describeExecution fills the page with an execution.
func (s *Pages) describeExecution(p *executionPage, x *executionView, query url.Values) {
	e := x.chosenExecution
	p.Execution = &shownExecution{
		ID: e.ID, StartedAt: s.Timestamp(e.StartedAt), CompletedAt: s.Timestamp(e.CompletedAt), Took: durationWords(e.CompletedAt.Sub(e.StartedAt)), By: e.By,
		Result: resultMark("Checks", e.Result), Newest: e.ID == x.all[0].ID, Waived: e.Counts.Waived,
		CSV:    page.WithQuery(x.thing.resultsPath()+".csv", url.Values{"execution": {e.ID}}),
		Report: page.WithQuery(x.thing.resultsPath()+".html", url.Values{"execution": {e.ID}}), JSON: "/api/v2/checks/executions/" + e.ID,
	}
	p.Execution.History = s.executionOptions(x.all, e)
	if e.ID != x.all[len(x.all)-1].ID {
		p.Execution.DiffURL = page.WithQuery(x.thing.Path+"/executions/diff", url.Values{"to": {e.ID}})
	}
	for _, t := range x.conclusion.Timeouts {
		p.Execution.Silent = append(p.Execution.Silent, silentHost{x.hostLink(t.AgentID), timeoutWords(t.Reason, t.SkewSeconds)})
	}
	if len(x.conclusion.Unknown) > 0 {
		p.Execution.Missing = append(p.Execution.Missing, "Not in the catalog: "+strings.Join(x.conclusion.Unknown, ", ")+".")
	}
	if len(x.conclusion.Inapplicable) > 0 {
		p.Execution.Missing = append(p.Execution.Missing, "Not for this "+x.thing.Kind+": "+strings.Join(x.conclusion.Inapplicable, ", ")+".")
	}
	chosen := query["health"]
	onlyChanged := query.Get("changed") == "1"
	p.ResetURL = withoutParameters(x.thing.resultsPath(), query, "health", "changed")
	p.Counts = resultCounts(x, query, chosen)
	p.Changed = changedFilter{URL: toggledURL(x.thing.resultsPath(), query, "changed", "1"), Chosen: onlyChanged}
	rows := make(map[string][]resultRow)
	for i := range x.conclusion.Checks {
		d := &x.conclusion.Checks[i]
		changed := x.changed(d)
		if changed {
			p.Changed.Count++
		}
		if len(chosen) > 0 && !slices.Contains(chosen, string(d.Result)) || onlyChanged && !changed {
			p.Filtered = true
			continue
		}
		p.Shown++
		group, row := s.newResultRow(x, d, query)
		rows[group] = append(rows[group], row)
	}
	for name, checks := range rows {
		slices.SortStableFunc(checks, func(a, b resultRow) int {
			return cmp.Or(cmp.Compare(stateRank(b.Mark.State), stateRank(a.Mark.State)), cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID))
		})
		p.Groups = append(p.Groups, resultGroup{Name: name, Checks: checks})
	}
	slices.SortFunc(p.Groups, func(a, b resultGroup) int {
		return cmp.Or(cmp.Compare(btoi(a.Name == goneGroup), btoi(b.Name == goneGroup)), table.FoldCompare(a.Name, b.Name))
	})
	for i := range p.Groups {
		p.Groups[i].ID = fmt.Sprint("group-", i+1)
	}
}

// maxListedExecutions is how many executions can be chosen.
const maxListedExecutions = 50

// goneGroup is the heading of checks that are not in the catalogue any more.
const goneGroup = "No longer in the catalog"

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// stateRank orders results, the worst last.
func stateRank(state string) int {
	return slices.Index([]string{"unknown", "passing", "warning", "critical"}, state)
}

// resultCounts returns the counts, the worst first.
func resultCounts(x *executionView, query url.Values, chosen []string) (counts []resultCount) {
	n := x.chosenExecution.Counts
	for _, c := range []struct {
		r check.Result
		n int
	}{{check.Critical, n.Critical}, {check.Warning, n.Warning}, {check.Passing, n.Passing}} {
		counts = append(counts, resultCount{
			Mark: resultMark("Checks", c.r), Count: c.n, URL: toggledURL(x.thing.resultsPath(), query, "health", string(c.r)), Chosen: slices.Contains(chosen, string(c.r)),
		})
	}
	return counts
}

// toggledURL returns the address with a value of a parameter added or removed.
func toggledURL(path string, query url.Values, name, value string) string {
	after := url.Values{}
	for n, values := range query {
		after[n] = slices.Clone(values)
	}
	if slices.Contains(after[name], value) {
		after[name] = slices.DeleteFunc(after[name], func(v string) bool { return v == value })
	} else {
		after[name] = append(after[name], value)
	}
	if len(after[name]) == 0 {
		delete(after, name)
	}
	return page.WithQuery(path, after)
}

func withoutParameters(path string, query url.Values, names ...string) string {
	after := url.Values{}
	for n, values := range query {
		if !slices.Contains(names, n) {
			after[n] = values
		}
	}
	return page.WithQuery(path, after)
}

// newResultRow returns the row of a check, and the group to which it belongs.
func (s *Pages) newResultRow(x *executionView, d *check.CheckDocument, query url.Values) (group string, row resultRow) {
	row = resultRow{ID: d.CheckID, Title: d.CheckID, Mark: resultMark("Check "+d.CheckID, d.Result), Modified: d.Customized, Open: query.Get("check") == d.CheckID}
	group = goneGroup
	c := s.Executions.Catalogue().Find(d.CheckID)
	if c != nil {
		group, row.Title, row.Description, row.Remediation = c.Group, c.Name, page.Markdown(c.Description), page.Markdown(c.Remediation)
	}
	if c != nil && c.Customizable() {
		row.ValuesURL = valuesPath(x.thing.Path, d.CheckID)
	}
	if d.ExcludedEverywhere() {
		row.Note = "Excluded everywhere"
		row.Mark = page.NewHealthMark("Check "+d.CheckID, landscape.HealthUnknown, page.Timestamp{})
	}
	if before := x.resultBefore(d.CheckID); before != "" && before != d.Result {
		row.Before = "was " + strings.ToLower(page.HealthWord(landscape.Health(before)))
	}
	if w := d.Waived; w != nil {
		row.Waiver = s.waiverWords(w)
	}
	row.Lines, row.Strip = s.targetLines(x, c, d), s.newResultStrip(x, d.CheckID)
	return group, row
}

// waiverWords says why a failure does not count.
func (s *Pages) waiverWords(w *check.WaivedDocument) string {
	return "Waived by " + w.By + " until " + s.Timestamp(w.Until).Text() + ": " + w.Reason
}

// detailURL returns the address of a check on a target.
func (x *executionView) detailURL(id, target, name string) string {
	path := x.thing.resultsPath() + "/" + url.PathEscape(id) + "/" + target + "/" + url.PathEscape(name)
	if x.chosenExecution.ID != x.all[0].ID {
		path = page.WithQuery(path, url.Values{"execution": {x.chosenExecution.ID}})
	}
	return path
}

// targetLines returns what became of a check on its targets: a line of the
// cluster for each comparison of all hosts, and one for each host.
func (s *Pages) targetLines(x *executionView, c *check.Check, d *check.CheckDocument) (lines []targetLine) {
	severity := string(d.Result)
	perHost := 0
	for _, e := range d.Expectations {
		if e.Type != check.ExpectSame {
			perHost++
			continue
		}
		line := targetLine{Target: x.thing.Name, URL: x.detailURL(d.CheckID, "cluster", x.thing.Name), Icon: "passing", Words: "Value " + e.Name + " is the same on all targets"}
		if e.Result != true {
			line.Icon, line.Words = severity, "Value "+e.Name+" is not the same on all targets"
		}
		lines = append(lines, line)
	}
	for i := range d.Agents {
		a := &d.Agents[i]
		line := targetLine{Target: x.hostName(a.AgentID), URL: x.detailURL(d.CheckID, "host", x.hostName(a.AgentID))}
		if a.Waived != nil {
			line.Waived = s.waiverWords(a.Waived)
		}
		switch {
		case a.Type == string(check.TimedOut):
			line.Icon, line.Words = "critical", timeoutWords(a.Reason, a.SkewSeconds)
		case a.Type != "":
			line.Icon, line.Words = severity, "Facts could not be gathered: "+failedFacts(a)
		case a.Status == string(check.Excluded):
			line.Icon, line.Words = "unknown", "Excluded by policy"
			if a.ExcludeExpression != nil {
				line.Words += ": " + *a.ExcludeExpression
			}
		case perHost == 0:
			continue // compared in the lines of the cluster
		default:
			met := metExpectations(a)
			line.Words = fmt.Sprintf("%d/%d Expectations met.", met, perHost)
			if line.Icon = "passing"; met < perHost {
				line.Icon = hostState(c, a)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// failedFacts names the facts that could not be gathered, with their errors.
func failedFacts(a *check.AgentDocument) string {
	var all []string
	for _, f := range a.Facts {
		if f.Type != "" {
			all = append(all, f.Name+" ("+f.Type+")")
		}
	}
	return strings.Join(all, ", ")
}

// metExpectations counts the expectations of a host that are met, without
// comparisons.
func metExpectations(a *check.AgentDocument) (met int) {
	for i := range a.Evaluations {
		if evaluationState("", &a.Evaluations[i]) == "passing" && a.Evaluations[i].Type != string(check.ExpectSame) {
			met++
		}
	}
	return met
}

// evaluationState returns the state of an evaluation on a host. failed is that
// of one that is not met.
func evaluationState(failed string, e *check.EvaluationDocument) string {
	switch {
	case e.ReturnValue == nil:
		return failed
	case e.Type == string(check.ExpectSame):
		return "none"
	case string(e.ReturnValue) == "true", string(e.ReturnValue) == `"passing"`:
		return "passing"
	case string(e.ReturnValue) == `"warning"`:
		return "warning"
	case e.Type == string(check.ExpectEnum):
		return "critical"
	}
	return failed
}

// severityOf returns the severity of a check; critical if it is gone.
func severityOf(c *check.Check) string {
	if c == nil {
		return "critical"
	}
	return string(c.Severity)
}

// hostState returns the worst state of the evaluations of a host.
func hostState(c *check.Check, a *check.AgentDocument) string {
	worst := "passing"
	for i := range a.Evaluations {
		if state := evaluationState(severityOf(c), &a.Evaluations[i]); stateRank(state) > stateRank(worst) {
			worst = state
		}
	}
	return worst
}

// timeoutWords says why an agent counts as silent.
func timeoutWords(reason check.TimeoutReason, skew int) string {
	switch reason {
	case check.NotConnected:
		return "Its agent was not connected for messages, so it could not be asked"
	case check.Disconnected:
		return "Its agent disconnected while it was asked"
	case check.ClockSkew:
		return fmt.Sprintf("Its clock is %d seconds ahead of this server, so its agent refuses requests as expired", skew)
	}
	return "Its agent refused the request or did not answer in time"
}

// readRequestedExecution reads the execution that a request for a download names
// in its path and with the parameter execution.
func (s *Pages) readRequestedExecution(r *http.Request, kind check.SubjectKind) (x *executionView, err error) {
	id, err := pathGroup(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		x, err = s.readExecution(tx, kind, id, r.URL.Query().Get("execution"))
		return err
	})
	return x, err
}

// executionCSV answers GET /clusters/{id}/executions/last.csv and the same path
// of hosts.
func (s *Pages) executionCSV(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := s.readRequestedExecution(r, kind)
		if err != nil {
			return err
		}
		var body bytes.Buffer
		out, err := api.NewCSVWriter(&body, table.AsksByteOrderMark(r.URL.Query()))
		if err != nil {
			return err
		}
		if err := out.Write("Execution", "Completed", "Group", "Check", "Name", "Result", "Previous result", "Modified", "Waived", "Target", "State", "Findings", "Values", "Facts"); err != nil {
			return err
		}
		if x.chosenExecution != nil {
			for i := range x.conclusion.Checks {
				if err := s.writeCheck(out, x, &x.conclusion.Checks[i]); err != nil {
					return err
				}
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		return table.SendCSV(s.Console, w, r, "checks.csv", body.Bytes())
	}
}

// writeCheck writes a line for each host of a check.
func (s *Pages) writeCheck(out *api.CSVWriter, x *executionView, d *check.CheckDocument) error {
	group, name := goneGroup, ""
	if c := s.Executions.Catalogue().Find(d.CheckID); c != nil {
		group, name = c.Group, c.Name
	}
	for i := range d.Agents {
		a := &d.Agents[i]
		var findings, values, facts []string
		for _, e := range a.Evaluations {
			if text := cmp.Or(e.FailureMessage, e.Message); text != "" {
				findings = append(findings, e.Name+": "+text)
			}
		}
		for _, v := range a.Values {
			values = append(values, v.Name+"="+string(v.Value))
		}
		for _, f := range a.Facts {
			facts = append(facts, f.Name+"="+cmp.Or(string(f.Value), f.Type+": "+f.Message))
		}
		waived := ""
		if w := cmp.Or(a.Waived, d.Waived); w != nil {
			waived = s.waiverWords(w)
		}
		modified := ""
		if d.Customized {
			modified = "yes"
		}
		if err := out.Write(x.chosenExecution.ID, api.CSVTime(x.chosenExecution.CompletedAt), group, d.CheckID, name, string(d.Result), string(x.resultBefore(d.CheckID)), modified, waived,
			x.hostName(a.AgentID), cmp.Or(a.Type, a.Status), strings.Join(append(findings, a.Message), "; "), strings.Join(values, "; "), strings.Join(facts, "; ")); err != nil {
			return err
		}
	}
	return nil
}
