package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
)

// executionAnswer is an execution in answers of the API. What only comes with the end
// is null while it is running.
type executionAnswer struct {
	ID           string                 `json:"execution_id"`
	GroupID      string                 `json:"group_id"`
	Status       string                 `json:"status"`
	Result       *check.Result          `json:"result"`
	StartedAt    timestamp              `json:"started_at"`
	CompletedAt  *timestamp             `json:"completed_at"`
	Targets      []executionTarget      `json:"targets"`
	Critical     *int                   `json:"critical_count"`
	Warning      *int                   `json:"warning_count"`
	Passing      *int                   `json:"passing_count"`
	Timeout      *[]string              `json:"timeout"`
	CheckResults *[]check.CheckDocument `json:"check_results"`
}

type executionTarget struct {
	AgentID string   `json:"agent_id"`
	Checks  []string `json:"checks"`
}

// The states of executions.
const (
	executionRunning   = "running"
	executionCompleted = "completed"
)

var (
	errNoExecution = &fault.Error{Kind: fault.NotFound, Detail: "The requested resource was not found."}
	errNoChecks    = &fault.Error{Kind: fault.Invalid, Detail: "No checks were selected."}
)

func targetsOf(targets []check.Target) []executionTarget {
	shown := make([]executionTarget, len(targets))
	for i, t := range targets {
		shown[i] = executionTarget{t.AgentID, slices.Concat([]string{}, t.Checks)}
	}
	return shown
}

func runningExecution(r *store.RunningExecution) executionAnswer {
	return executionAnswer{ID: r.ExecutionID, GroupID: r.GroupID, Status: executionRunning, StartedAt: timestamp(r.StartedAt), Targets: targetsOf(r.Targets)}
}

// completedExecution returns a completed execution. legacy is the form of
// version 1, which does not know expectations of the kind expect_enum.
func completedExecution(tx *store.Tx, e *store.Execution, legacy bool) (executionAnswer, error) {
	c, err := tx.Conclusion(e)
	if err != nil {
		return executionAnswer{}, err
	}
	timeout := []string{}
	for _, t := range c.Timeouts {
		timeout = append(timeout, t.AgentID)
	}
	for i := range c.Checks {
		simplify(&c.Checks[i], legacy)
	}
	return executionAnswer{
		ID: e.ID, GroupID: e.GroupID, Status: executionCompleted, Result: &e.Result, StartedAt: timestamp(e.StartedAt), CompletedAt: timestampOf(&e.CompletedAt),
		Targets: targetsOf(c.Targets), Critical: &e.Counts.Critical, Warning: &e.Counts.Warning, Passing: &e.Counts.Passing, Timeout: &timeout, CheckResults: &c.Checks,
	}, nil
}

// simplify leaves out the explanations, which existing clients do not know.
func simplify(d *check.CheckDocument, legacy bool) {
	const unknown = "unknown"
	for i := range d.Expectations {
		if legacy && d.Expectations[i].Type == check.ExpectEnum {
			d.Expectations[i].Type = unknown
		}
	}
	for i := range d.Agents {
		for j := range d.Agents[i].Evaluations {
			e := &d.Agents[i].Evaluations[j]
			if e.Explanation = nil; legacy && e.Type == string(check.ExpectEnum) {
				e.Type = unknown
			}
		}
	}
}

// requestExecution returns the handler of POST
// /api/v1/clusters/{cluster_id}/checks/request_execution and of the same path of
// hosts. If the checks are running already, that is what the client wants.
func (a *API) requestExecution(kind check.SubjectKind, variable string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id := pathID[string](in, variable)
		if err := in.fault(); err != nil {
			return err
		}
		if _, err := a.deps.Executions.Start(r.Context(), auth.From(r.Context()).Actor(), kind, id); err != nil {
			return err
		}
		return send(w, http.StatusAccepted, struct{}{})
	}
}

// The limits of lists of executions. Each of them can be large.
const (
	defaultExecutions  = 10
	maxExecutions      = 100
	maxExecutionsPages = 100_000
)

// listExecutions returns the handler of GET /api/v2/checks/executions.
func (a *API) listExecutions(legacy bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		group := in.queryID("group_id")
		page, size := in.queryNumber("page", 1, maxExecutionsPages), in.queryNumber("items_per_page", defaultExecutions, maxExecutions)
		if err := in.fault(); err != nil {
			return err
		}
		answer := struct {
			Items []executionAnswer `json:"items"`
			Total int               `json:"total_count"`
		}{Items: []executionAnswer{}}
		err := a.deps.Store.View(func(tx *store.Tx) (err error) {
			answer.Items, answer.Total, err = executionsPage(tx, group, (page-1)*size, size, legacy)
			return err
		})
		if err != nil {
			return err
		}
		return send(w, http.StatusOK, answer)
	}
}

// queryNumber reads a number from 1 to most. It returns otherwise if the
// parameter was not given.
func (in *input) queryNumber(name string, otherwise, most int) int {
	n := in.queryInteger(name)
	switch {
	case n == nil:
		return otherwise
	case *n < 1:
		in.refuse(name, strconv.Itoa(*n)+" is smaller than inclusive minimum 1")
	case *n > most:
		in.refuse(name, strconv.Itoa(*n)+" is larger than inclusive maximum "+strconv.Itoa(most))
	}
	return *n
}

// executionsPage returns executions of a group, or of all groups if group is "",
// newest first, after the first skip ones. total is the number of all.
func executionsPage(tx *store.Tx, group string, skip, size int, legacy bool) (items []executionAnswer, total int, err error) {
	running, err := runningExecutions(tx, group)
	if err != nil {
		return nil, 0, err
	}
	items, total = []executionAnswer{}, len(running)
	for _, r := range running {
		if skip--; skip < 0 && len(items) < size {
			items = append(items, runningExecution(r))
		}
	}
	add := func(e *store.Execution) error {
		if skip--; skip >= 0 || len(items) >= size {
			return nil
		}
		shown, err := completedExecution(tx, e, legacy)
		items = append(items, shown)
		return err
	}
	if group != "" {
		all, err := tx.ExecutionsOf(group)
		for _, e := range all {
			err = errors.Join(err, add(e))
		}
		return items, total + len(all), err
	}
	for e, err := range tx.ExecutionsBack() {
		if err != nil {
			return nil, 0, err
		}
		if len(items) >= size {
			break
		}
		if err := add(e); err != nil {
			return nil, 0, err
		}
	}
	return items, total + tx.CountExecutions(), nil
}

// runningExecutions returns the running executions, newest first.
func runningExecutions(tx *store.Tx, group string) (running []*store.RunningExecution, err error) {
	for g, err := range tx.CheckedGroups() {
		if err != nil {
			return nil, err
		}
		if g.Running != nil && (group == "" || g.GroupID == group) {
			running = append(running, g.Running)
		}
	}
	slices.SortStableFunc(running, func(a, b *store.RunningExecution) int { return b.StartedAt.Compare(a.StartedAt) })
	return running, nil
}

// showExecution returns the handler of GET /api/v2/checks/executions/{id}.
func (a *API) showExecution(legacy bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id := pathID[string](in, "id")
		if err := in.fault(); err != nil {
			return err
		}
		return a.sendExecution(w, func(tx *store.Tx) (executionAnswer, error) {
			e, err := tx.Execution(id)
			if err == nil {
				return completedExecution(tx, e, legacy)
			}
			if !errors.Is(err, store.ErrNotFound) {
				return executionAnswer{}, err
			}
			running, err := runningExecutions(tx, "")
			for _, r := range running {
				if r.ExecutionID == id {
					return runningExecution(r), nil
				}
			}
			return executionAnswer{}, errors.Join(err, errNoExecution)
		})
	}
}

// showLastExecution returns the handler of GET
// /api/v2/checks/groups/{id}/executions/last. It is the one that has begun last.
func (a *API) showLastExecution(legacy bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id := pathID[string](in, "id")
		if err := in.fault(); err != nil {
			return err
		}
		return a.sendExecution(w, func(tx *store.Tx) (executionAnswer, error) {
			g, err := tx.CheckedGroup(id)
			switch {
			case errors.Is(err, store.ErrNotFound):
				return executionAnswer{}, errNoExecution
			case err != nil:
				return executionAnswer{}, err
			case g.Running != nil:
				return runningExecution(g.Running), nil
			}
			return completedExecution(tx, g.Last, legacy)
		})
	}
}

func (a *API) sendExecution(w http.ResponseWriter, find func(*store.Tx) (executionAnswer, error)) error {
	var shown executionAnswer
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		shown, err = find(tx)
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, shown)
}

// startExecution answers POST /api/v2/checks/executions/start: it runs any checks
// on the hosts that the body names.
func (a *API) startExecution(w http.ResponseWriter, r *http.Request) error {
	if err := checkMayExecute(w, r); err != nil {
		return err
	}
	request, err := readExecutionRequest(r)
	if err != nil {
		return err
	}
	user := auth.From(r.Context())
	ability := "all:cluster_checks_execution"
	if request.Kind == check.HostSubject {
		ability = "all:host_checks_execution"
	}
	if !user.Can(ability) {
		return auth.ErrForbidden
	}
	err = a.deps.Store.View(func(tx *store.Tx) (err error) {
		if request.Kind == check.HostSubject {
			_, err = tx.Host(landscape.HostID(request.GroupID))
		} else {
			_, err = tx.Cluster(landscape.ClusterID(request.GroupID))
		}
		return err
	})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(request.Targets, func(t check.Target) bool { return len(t.Checks) > 0 }) {
		return errNoChecks
	}
	if err := a.deps.Executions.StartRequest(r.Context(), user.Actor(), request); err != nil {
		return err
	}
	return send(w, http.StatusAccepted, struct {
		ID    string `json:"execution_id"`
		Group string `json:"group_id"`
	}{request.ExecutionID, request.GroupID})
}

func readExecutionRequest(r *http.Request) (request check.Request, err error) {
	in := readInput(r)
	body := in.object()
	request = check.Request{
		ExecutionID: required(body, "execution_id", asID), GroupID: required(body, "group_id", asID), Kind: check.ClusterSubject,
		Targets: required(body, "targets", asShortListOf(asTarget)),
	}
	replaceIfGiven(body, "target_type", asSubjectKind, &request.Kind)
	replaceIfGiven(body, "env", asEnvironment, &request.Environment)
	return request, in.fault()
}

func asTarget(at place, value json.RawMessage) check.Target {
	o := asObject(at, value)
	return check.Target{AgentID: required(o, "agent_id", asID), Checks: required(o, "checks", asShortListOf(asText))}
}

func asSubjectKind(at place, value json.RawMessage) check.SubjectKind {
	kind := check.SubjectKind(asText(at, value))
	if kind != check.ClusterSubject && kind != check.HostSubject {
		at.refuse("Invalid value for enum")
	}
	return kind
}

// maxEnvironment is the largest number of entries of an environment.
const maxEnvironment = 100

func asEnvironment(at place, value json.RawMessage) check.Environment {
	var members map[string]any
	if kindOf(value) != "object" || json.Unmarshal(value, &members) != nil {
		at.refuseType("object", value)
	}
	if len(members) > maxEnvironment {
		at.refuse("should have at most " + strconv.Itoa(maxEnvironment) + " item(s)")
	}
	for name, v := range members {
		switch v.(type) {
		case string, bool, float64:
		default:
			place{at.in, at.pointer + "/" + name}.refuse("Invalid value. A text, a number or a boolean is expected")
		}
	}
	return members
}

// asScalar reads a text, a number, a boolean or null.
func asScalar(at place, value json.RawMessage) (v any) {
	d := json.NewDecoder(bytes.NewReader(value))
	if kind := kindOf(value); kind == "object" || kind == "array" || d.Decode(&v) != nil {
		at.refuse("Invalid value. A text, a number or a boolean is expected")
	}
	return v
}

// queryEnvironment reads all parameters of the query as an environment: a value
// is an integer or a boolean if it looks like one, else a text.
func (in *input) queryEnvironment() check.Environment {
	in.parameter("")
	e := check.Environment{}
	for name := range in.query {
		text, ok := in.queryScalar(name, "string")
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case !ok:
		case err == nil:
			e[name] = n
		case text == "true" || text == "false":
			e[name] = text == "true"
		default:
			e[name] = text
		}
	}
	return e
}

// maxCheckID is the largest length of the id of a check in a path.
const maxCheckID = 255

// pathCheck reads the id of a check in the path.
func (in *input) pathCheck() string {
	id := pathText(in.r, "check_id")
	if len(id) > maxCheckID || strings.ContainsAny(id, "\x00") {
		in.refuse("check_id", "is invalid")
	}
	return id
}

// checkMayExecute fails for users who may run the checks of neither hosts nor
// clusters.
func checkMayExecute(_ http.ResponseWriter, r *http.Request) error {
	if user := auth.From(r.Context()); !user.Can("all:host_checks_execution") && !user.Can("all:cluster_checks_execution") {
		return auth.ErrForbidden
	}
	return nil
}
