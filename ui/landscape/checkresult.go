package landscape

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/page"
)

// checkResultPage shows what became of one check on one target.
type checkResultPage struct {
	page.Frame
	checkedThing
	Back        string
	Title2      string // title of the check
	Description page.HTML
	Remediation page.HTML
	Mark        page.HealthMark
	Facts       []page.Fact
	Excluded    string // why the target is excluded; "" if it is not
	Failure     string // why the check was not evaluated; "" if it was
	Rows        []expectationRow
	Values      []valueRow
	ValuesURL   string // of the page that customises the values; "" if none can be
	HasHost     bool   // the target is a host
	Gathered    []factRow
	Waiving     waivePanel
}

// Template implements page.Page.
func (*checkResultPage) Template() string { return "checkresult" }

// expectationRow is an expectation with its outcome.
type expectationRow struct {
	Name, Icon, Words, Message string
	Evidence                   []check.StepDocument
	Compared                   []comparedValue // of a comparison of all hosts
}

// comparedValue is the value of a host in a comparison.
type comparedValue struct{ Host, Value string }

type valueRow struct {
	Name, Value string
	Modified    bool
}

// factRow is a gathered fact.
type factRow struct {
	Name, Value, Type, Message string
}

// waivePanel is the form that waives a failure, or the waiver that is in force.
type waivePanel struct {
	Failed  bool
	Refused string
	Action  string
	Check   string
	Agent   string // "" on the page of a cluster
	Return  string
	Waivers []waiverLine
	Latest  string // the last day that can be chosen
}

// waiverLine is a waiver in force, with the forms that change and end it.
type waiverLine struct {
	ID      string
	Words   string
	URL     string // path that changes it; "/end" below it ends it
	Reason  string
	Until   string // its last day
	Latest  string // the last day that can be chosen
	Return  string
	Refused string // why the reader may not change it
}

// newWaiverLine returns a waiver, with the forms for a reader.
func (s *Pages) newWaiverLine(reader page.Reader, w *store.Waiver) waiverLine {
	return waiverLine{
		ID: w.ID, URL: groupPath(w.Kind, w.GroupID) + "/waivers/" + w.ID, Reason: w.Reason, Until: lastDay(w.Until), Latest: s.latestWaiverDay(),
		Return: reader.BackTo(), Refused: reader.WhyRefused(abilityCustomize),
	}
}

// lastDay returns the last day on which a waiver that ends at a time holds. One
// that ends at midnight holds for the whole day before.
func lastDay(until time.Time) string { return until.Add(-time.Second).UTC().Format(time.DateOnly) }

// endOfDay returns the end of a day; the zero time if it is no day.
func endOfDay(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}

// latestWaiverDay is the last day on which a waiver can hold.
func (s *Pages) latestWaiverDay() string {
	return s.Store.Now().AddDate(0, 0, store.MaxWaiverDays-1).UTC().Format(time.DateOnly)
}

// prettyJSON returns JSON as people read it: with line breaks where it is long, and
// without the escapes that are for HTML only.
func prettyJSON(raw json.RawMessage) string {
	const short = 60
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&value) != nil {
		return string(raw)
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if len(raw) > short {
		e.SetIndent("", "  ")
	}
	if e.Encode(value) != nil {
		return string(raw)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// showCheckResult answers GET
// /clusters/{id}/executions/last/{check}/{target}/{name} and the same path of
// hosts. target is "host" or "cluster", and name the name or id of the host or
// cluster.
func (s *Pages) showCheckResult(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		p := checkResultPage{Frame: s.NewFrame(r, "")}
		var x *executionView
		err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
			if x, err = s.readExecution(tx, kind, id, r.URL.Query().Get("execution")); err != nil {
				return err
			}
			return s.ReadFrame(&p.Frame, tx)
		})
		if err != nil {
			return err
		}
		name, target := page.PathVar(r, "name"), page.PathVar(r, "target")
		var d *check.CheckDocument
		if x.chosenExecution != nil {
			d = x.conclusion.Find(page.PathVar(r, "check"))
		}
		var a *check.AgentDocument
		if d != nil && target == "host" {
			a = x.agent(d, name)
		}
		if d == nil || a == nil && (target != "cluster" || kind != check.ClusterSubject) {
			return fmt.Errorf("check %q on %q: %w", page.PathVar(r, "check"), name, store.ErrNotFound)
		}
		p.checkedThing, p.Live = x.thing, liveTopicsOfChecks(kind, id)
		s.describeCheckResult(&p, x, d, a)
		p.Waiving = s.newWaivePanel(&p.Frame, x, d, a)
		return s.Render(w, r, http.StatusOK, &p)
	}
}

// agent finds a host of a check by its name or id; nil if it is none.
func (x *executionView) agent(d *check.CheckDocument, name string) *check.AgentDocument {
	for i := range d.Agents {
		if a := &d.Agents[i]; a.AgentID == name || x.hostName(a.AgentID) == name {
			return a
		}
	}
	return nil
}

// describeCheckResult fills the page. a is nil if the target is the cluster.
func (s *Pages) describeCheckResult(p *checkResultPage, x *executionView, d *check.CheckDocument, a *check.AgentDocument) {
	c := s.Executions.Catalogue().Find(d.CheckID)
	p.Title2 = d.CheckID
	if c != nil {
		p.Title2, p.Description, p.Remediation = c.Name, page.Markdown(c.Description), page.Markdown(c.Remediation)
		if c.Customizable() {
			p.ValuesURL = page.WithQuery(valuesPath(x.thing.Path, d.CheckID), url.Values{"return_to": {p.BackTo()}})
		}
	}
	p.Title = p.Title2 + " – " + x.thing.Name
	p.Mark = resultMark("Check "+d.CheckID, d.Result)
	p.Back = x.thing.resultsPath() + "?check=" + d.CheckID + "#check-" + d.CheckID
	provider, _ := x.conclusion.Environment["provider"].(string)
	p.Facts = []page.Fact{{Label: "Check ID", Text: d.CheckID, Mono: true}}
	if a != nil {
		p.Facts = append(p.Facts, page.Fact{Label: "Host", Links: []page.Link{x.hostLink(a.AgentID)}})
	} else {
		p.Facts = append(p.Facts, page.Fact{Label: "Cluster", Links: []page.Link{{Name: x.thing.Name, URL: x.thing.Path}}})
	}
	p.Facts = append(p.Facts, page.Fact{Label: "Provider", Text: providerName(provider)}, s.TimestampFact("Execution", x.chosenExecution.CompletedAt))
	if before := x.resultBefore(d.CheckID); before != "" {
		p.Facts = append(p.Facts, page.Fact{Label: "Result before", Text: page.HealthWord(landscape.Health(before))})
	}
	if a == nil {
		p.Rows = x.comparisons(d)
		return
	}
	p.HasHost = true
	p.describeAgent(c, d, a)
}

// describeAgent fills the page with what became of the check on a host.
func (p *checkResultPage) describeAgent(c *check.Check, d *check.CheckDocument, a *check.AgentDocument) {
	switch {
	case a.Type == string(check.TimedOut):
		p.Failure = timeoutWords(a.Reason, a.SkewSeconds) + "."
	case a.Type != "":
		p.Failure = "Not evaluated, because facts could not be gathered."
	case a.Status == string(check.Excluded) && a.ExcludeExpression != nil:
		p.Excluded = *a.ExcludeExpression
	}
	for i := range a.Evaluations {
		e := &a.Evaluations[i]
		if e.Type == string(check.ExpectSame) {
			continue
		}
		row := expectationRow{Name: e.Name, Icon: evaluationState(severityOf(c), e), Message: cmp.Or(e.FailureMessage, e.Message), Evidence: e.Explanation}
		if row.Words = page.HealthWord(landscape.Health(row.Icon)); e.ReturnValue == nil {
			row.Words = "Could not be evaluated"
		}
		p.Rows = append(p.Rows, row)
	}
	for _, v := range a.Values {
		p.Values = append(p.Values, valueRow{v.Name, prettyJSON(v.Value), v.Customized})
	}
	for _, f := range a.Facts {
		p.Gathered = append(p.Gathered, factRow{f.Name, prettyJSON(f.Value), f.Type, f.Message})
	}
}

// comparisons returns the expectations that compare all hosts of a cluster.
func (x *executionView) comparisons(d *check.CheckDocument) (rows []expectationRow) {
	for _, expectation := range d.Expectations {
		if expectation.Type != check.ExpectSame {
			continue
		}
		row := expectationRow{Name: expectation.Name, Icon: "passing", Words: "The same on all targets", Message: expectation.FailureMessage}
		if expectation.Result != true {
			row.Icon, row.Words = string(d.Result), "Not the same on all targets"
		}
		for i := range d.Agents {
			a := &d.Agents[i]
			value := a.Message
			if a.Status == string(check.Excluded) {
				value = "Excluded by policy"
			}
			for _, e := range a.Evaluations {
				if e.Name == expectation.Name {
					value = cmp.Or(string(e.ReturnValue), e.Message)
				}
			}
			row.Compared = append(row.Compared, comparedValue{x.hostName(a.AgentID), value})
		}
		rows = append(rows, row)
	}
	return rows
}

// newWaivePanel returns the form that waives failures of a check on a host, or on
// all hosts if a is nil.
func (s *Pages) newWaivePanel(f *page.Frame, x *executionView, d *check.CheckDocument, a *check.AgentDocument) waivePanel {
	p := waivePanel{
		Failed: d.Result != check.Passing, Refused: f.WhyRefused(abilityCustomize), Action: x.thing.Path + "/waivers", Check: d.CheckID, Return: f.Here,
		Latest: s.latestWaiverDay(),
	}
	if a != nil {
		p.Agent = a.AgentID
		// A host on which all is well has nothing to waive, even if the check has
		// failed on another host.
		p.Failed = p.Failed && (a.Type != "" || a.Status == string(check.Executed) && hostState(s.Executions.Catalogue().Find(d.CheckID), a) != "passing")
	}
	for _, w := range x.waivers {
		if w.CheckID != d.CheckID || w.AgentID != "" && w.AgentID != p.Agent {
			continue
		}
		where := "on all hosts"
		if w.AgentID != "" {
			where = "on this host"
		}
		line := s.newWaiverLine(f.Reader, w)
		line.Words = "Failures " + where + " are waived by " + w.By + " until " + s.Timestamp(w.Until).Text() + ": " + w.Reason
		p.Waivers = append(p.Waivers, line)
	}
	return p
}

// createWaiver answers POST /clusters/{id}/waivers and the same path of hosts.
func (s *Pages) createWaiver(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		given := store.Waiver{GroupID: id, Kind: kind, CheckID: r.PostForm.Get("check"), Reason: r.PostForm.Get("reason")}
		if r.PostForm.Get("scope") == "host" {
			given.AgentID = r.PostForm.Get("agent")
		}
		given.Until = endOfDay(r.PostForm.Get("until"))
		_, err = s.Store.CreateWaiver(r.Context(), auth.From(r.Context()).Actor(), given)
		return s.redirectAfterWaiver(w, r, kind, id, err, "The failure is waived. It does not count from the next execution on.")
	}
}

// changeWaiver answers POST /clusters/{id}/waivers/{waiver} and the same path of
// hosts. A day that stays leaves the time of the end as it is.
func (s *Pages) changeWaiver(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, before, err := s.pathWaiver(r)
		if err != nil {
			return err
		}
		until := endOfDay(r.PostForm.Get("until"))
		if r.PostForm.Get("until") == lastDay(before.Until) {
			until = before.Until
		}
		_, err = s.Store.ChangeWaiver(r.Context(), auth.From(r.Context()).Actor(), before.ID, r.PostForm.Get("reason"), until)
		return s.redirectAfterWaiver(w, r, kind, id, err, "The waiver was changed. The next execution says so.")
	}
}

// pathWaiver returns the cluster or host and the waiver of it that are in the
// path.
func (s *Pages) pathWaiver(r *http.Request) (id string, w *store.Waiver, err error) {
	if id, err = pathGroup(r); err != nil {
		return "", nil, err
	}
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		w, err = tx.Waiver(page.PathVar(r, "waiver"))
		return err
	})
	if err == nil && w.GroupID != id {
		err = fmt.Errorf("waiver %q of %s: %w", w.ID, id, store.ErrNotFound)
	}
	return id, w, err
}

// endWaiver answers POST /clusters/{id}/waivers/{waiver}/end and the same path of
// hosts.
func (s *Pages) endWaiver(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, waiver, err := s.pathWaiver(r)
		if err != nil {
			return err
		}
		err = s.Store.EndWaiver(r.Context(), auth.From(r.Context()).Actor(), waiver.ID)
		return s.redirectAfterWaiver(w, r, kind, id, err, "The waiver has ended. Failures count from the next execution on.")
	}
}

// redirectAfterWaiver leads back to the page of the check, which says what was
// done, or why nothing was.
func (s *Pages) redirectAfterWaiver(w http.ResponseWriter, r *http.Request, kind check.SubjectKind, id string, err error, done string) error {
	text := done
	if k, ok := fault.KindOf(err); ok && (k == fault.Invalid || k == fault.Conflict) {
		var parts []string
		for _, f := range fault.Of(err) {
			parts = append(parts, strings.TrimSpace(strings.ReplaceAll(f.Field, "_", " ")+" "+f.Detail))
		}
		text, err = "Nothing was changed: "+strings.Join(parts, "; ")+".", nil
	}
	if err != nil {
		return err
	}
	s.SetFlash(w, r, text)
	back := groupPath(kind, id) + "/executions/last"
	if given := r.PostForm.Get("return"); strings.HasPrefix(given, back) || given == waiversPath {
		back = given
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}
