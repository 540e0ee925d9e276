package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
)

// RefusedReport is a report of which nothing can be used.
type RefusedReport struct {
	Agent    landscape.HostID
	Kind     landscape.Kind // OtherDiscovery if the type is unknown
	Problems []ReportProblem
	Body     []byte // stored, so that a corrected decoder can be tested with it; nil: not stored
	Reason   string // all problems, in one line
}

// RefuseReport records that a report cannot be used, and stores its body.
// Agents repeat a report every ten seconds, so it writes only if the problems
// differ from those of the last report.
func (s *Store) RefuseReport(ctx context.Context, r RefusedReport) error {
	now := s.Now()
	current := ReportStatus{Kind: r.Kind, Outcome: ReportRefused, ProblemCount: len(r.Problems), Problems: truncateProblems(r.Problems)}
	if s.reportCounts.addRepeated(r.Agent, &current, now) {
		return nil
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		tx.invalidateReport(r.Agent, r.Kind) // The agent may send the last accepted body again. That report must be evaluated, because it ends the fault.
		changed, err := tx.recordOutcome(r.Agent, &current)
		if err != nil || !changed || r.Body == nil {
			return err
		}
		return tx.putDiscard(r.Body, r.Reason)
	})
}

// recordDecodedReport records the outcome of a report that was decoded. A report
// that waits for its host counts as used, but does not cause its agent to be
// stored.
func (tx *Tx) recordDecodedReport(o *landscape.Observation, waits bool) error {
	current := ReportStatus{Kind: o.Kind, Outcome: ReportUsed}
	if len(o.Omissions) > 0 {
		current.Outcome, current.ProblemCount = ReportPartlyUsed, len(o.Omissions)
		problems := make([]ReportProblem, len(o.Omissions))
		for i, omitted := range o.Omissions {
			problems[i] = ReportProblem(omitted)
		}
		current.Problems = truncateProblems(problems)
	}
	if waits && !current.Faulty() && !tx.s.agentReports.Has(tx.kv, []byte(o.Agent)) {
		return nil
	}
	_, err := tx.recordOutcome(o.Agent, &current)
	return err
}

// recordOutcome records the outcome of a report if it differs from the outcome
// of the previous report. It logs when the reports begin or cease to be faulty.
// It returns false if it has written nothing: because the report is like the
// previous one, or because there is no room to store another agent.
func (tx *Tx) recordOutcome(agent landscape.HostID, current *ReportStatus) (changed bool, err error) {
	before, err := tx.s.agentReports.Get(tx.kv, []byte(agent))
	if errors.Is(err, ErrNotFound) {
		before, err = &AgentReports{Agent: agent}, nil
	}
	if err != nil {
		return false, err
	}
	stored := before.statusOfKind(current.Kind)
	isNew := stored == nil
	if isNew {
		stored = &ReportStatus{Kind: current.Kind, Outcome: ReportUsed}
	}
	if !current.Faulty() && !stored.Faulty() || stored.isRepeatedBy(current, tx.now) {
		tx.countReport(agent, current.Kind)
		return false, nil
	}
	if len(before.Status) == 0 {
		if room, err := tx.canStoreAgent(agent); err != nil || !room {
			return false, err
		}
	}
	after := tx.nextStatus(agent, stored, current)
	if err := tx.logOutcome(agent, stored, &after); err != nil {
		return false, err
	}
	record := *before
	record.Status = slices.Clone(before.Status)
	if isNew {
		record.Status = append(record.Status, after)
	} else {
		*record.statusOfKind(current.Kind) = after
	}
	return true, tx.putAgentReports(&record, current.Kind)
}

// putAgentReports stores the outcomes of an agent's reports. From now on, the
// reports of the given kinds are counted from the stored numbers.
func (tx *Tx) putAgentReports(record *AgentReports, kinds ...landscape.Kind) error {
	if err := tx.s.agentReports.Put(tx.kv, []byte(record.Agent), record); err != nil {
		return err
	}
	for _, kind := range kinds {
		status := *record.statusOfKind(kind)
		tx.kv.AfterCommit(func() { tx.s.reportCounts.setStatus(record.Agent, status) })
	}
	return nil
}

// nextStatus returns the new status after a report whose outcome differs from
// the previous one.
func (tx *Tx) nextStatus(agent landscape.HostID, before, current *ReportStatus) ReportStatus {
	after := *current
	after.Since, after.Last, after.Changed = tx.now, tx.now, tx.now
	last := *before
	if tx.s.reportCounts.refreshStatus(agent, &last) {
		after.Period = last.sinceLastReport(tx.now)
	}
	after.Logged, after.LoggedAt = before.Logged, before.LoggedAt
	if !current.Faulty() {
		after.Logged = false
		return after
	}
	after.Count = 1
	if before.Outcome == current.Outcome { // the same outcome with other problems
		after.Since = before.Since
		after.Count = last.Count + 1
	}
	if !after.Logged && tx.now.Sub(after.LoggedAt) >= minLogInterval {
		after.Logged, after.LoggedAt = true, tx.now
	}
	return after
}

// logOutcome writes to the activity log and to the server's log that the
// reports begin or cease to be faulty.
func (tx *Tx) logOutcome(agent landscape.HostID, before, after *ReportStatus) error {
	switch {
	case after.Logged && !before.Logged:
		return tx.logFault(agent, after)
	case before.Logged && after.Faulty():
		if tx.now.Sub(before.Changed) >= minChangeInterval {
			tx.warnOfFault(agent, after)
		}
	case before.Logged:
		facts := tx.reportAttributes(agent, after.Kind)
		tx.kv.AfterCommit(func() { tx.s.options.Log.Info("reports can be used again", facts...) })
		return tx.log(activity.System, &activity.AgentReportRecovered{
			AboutHost: activity.AboutHost{HostID: string(agent)}, Discovery: string(after.Kind), Since: before.LoggedAt,
		})
	}
	return nil
}

func (tx *Tx) warnOfFault(agent landscape.HostID, s *ReportStatus) {
	reason := ""
	if len(s.Problems) > 0 { // without the value that was read: the server's log must not contain values of reports
		reason = ReportProblem{Pointer: s.Problems[0].Pointer, Detail: s.Problems[0].Detail}.String()
	}
	facts := append(tx.reportAttributes(agent, s.Kind), "outcome", s.Outcome, "problems", s.ProblemCount, "reason", reason)
	tx.kv.AfterCommit(func() { tx.s.options.Log.Warn("report could not be used in full", facts...) })
}

// reportAttributes returns the attributes of a server log line about reports.
func (tx *Tx) reportAttributes(agent landscape.HostID, kind landscape.Kind) []any {
	facts := []any{"agent", agent}
	if host, err := tx.storedHost(agent); err == nil && host.Hostname != "" {
		facts = append(facts, "host", host.Hostname)
	}
	return append(facts, "type", kind)
}

// maxLoggedProblems is the largest number of problems in an activity log entry.
const maxLoggedProblems = 3

func (tx *Tx) logFault(agent landscape.HostID, s *ReportStatus) error {
	tx.warnOfFault(agent, s)
	return tx.log(activity.System, &activity.AgentReportFaulty{
		AboutHost: activity.AboutHost{HostID: string(agent)}, Discovery: string(s.Kind), Outcome: string(s.Outcome), Since: s.Since,
		ProblemCount: s.ProblemCount, Problems: s.Problems[:min(len(s.Problems), maxLoggedProblems)],
	})
}

// canStoreAgent reports whether another agent can be stored. Agents of registered
// hosts can always be stored.
func (tx *Tx) canStoreAgent(agent landscape.HostID) (bool, error) {
	if _, err := tx.Host(agent); !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	unregistered, err := tx.unregisteredAgents()
	if err != nil || len(unregistered) < maxUnregistered {
		return err == nil, err
	}
	tx.kv.AfterCommit(func() { tx.s.reportCounts.warnTooManyAgents(tx.s.options.Log, agent, tx.now) })
	return false, nil
}

// unregisteredAgents lists the stored agents without a registered host.
func (tx *Tx) unregisteredAgents() ([]*AgentReports, error) {
	var found []*AgentReports
	for record, err := range tx.s.agentReports.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		_, err := tx.Host(record.Agent)
		if errors.Is(err, ErrNotFound) {
			found = append(found, record)
		} else if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// PruneAgents prunes the agents that have no registered host and have not
// reported for a day. It ends the faults of unknown report types after a day,
// and writes the report counts and times of all other agents to the file.
func (s *Store) PruneAgents(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		unregistered, err := tx.unregisteredAgents()
		if err != nil {
			return err
		}
		for _, record := range unregistered {
			if tx.now.Sub(lastReportTime(tx.reportStatuses(record))) < maxUnregisteredAge {
				continue
			}
			if err := tx.deleteAgentReports(record.Agent); err != nil {
				return err
			}
		}
		return errors.Join(tx.endUnknownReportFaults(), tx.writeReportCounts(), tx.putReportTimes())
	})
}

// endUnknownReportFaults ends the faults of reports of unknown type. No such report can
// ever be used, so the fault ends when the agent has sent none for a day.
func (tx *Tx) endUnknownReportFaults() error {
	records, err := tx.allAgentReports()
	if err != nil {
		return err
	}
	for _, record := range records {
		status := record.statusOfKind(OtherDiscovery)
		if status == nil || !status.Faulty() {
			continue
		}
		last := *status
		tx.s.reportCounts.refreshStatus(record.Agent, &last)
		if tx.now.Sub(last.Last) < maxUnregisteredAge {
			continue
		}
		if _, err := tx.recordOutcome(record.Agent, &ReportStatus{Kind: OtherDiscovery, Outcome: ReportUsed}); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) allAgentReports() ([]*AgentReports, error) {
	var records []*AgentReports
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

func lastReportTime(all []ReportStatus) (last time.Time) {
	for _, status := range all {
		if status.Last.After(last) {
			last = status.Last
		}
	}
	return last
}

// deleteAgentReports deletes the stored outcomes of an agent's reports.
func (tx *Tx) deleteAgentReports(agent landscape.HostID) error {
	tx.kv.AfterCommit(func() { tx.s.reportCounts.forgetAgent(agent) })
	return errors.Join(tx.s.agentReports.Delete(tx.kv, []byte(agent)), tx.deleteReportTimes(agent))
}

// writeReportCounts writes to the file how many faulty reports have come and
// when the last one came. The numbers in memory are newer than those in the
// file.
func (tx *Tx) writeReportCounts() error {
	records, err := tx.allAgentReports()
	if err != nil {
		return err
	}
	for _, record := range records {
		after := *record
		after.Status = slices.Clone(record.Status)
		var counted []landscape.Kind
		for i, status := range tx.reportStatuses(record)[:len(record.Status)] {
			if status.Faulty() && !status.Last.Equal(record.Status[i].Last) {
				after.Status[i] = status
				counted = append(counted, status.Kind)
			}
		}
		if len(counted) == 0 {
			continue
		}
		if err := tx.putAgentReports(&after, counted...); err != nil {
			return err
		}
	}
	return nil
}

// reportStatuses returns the stored statuses of an agent's reports in their stored
// order, updated with the counts in memory. The statuses that are only in
// memory follow.
func (tx *Tx) reportStatuses(record *AgentReports) []ReportStatus {
	all := slices.Clone(record.Status)
	for i := range all {
		tx.s.reportCounts.refreshStatus(record.Agent, &all[i])
	}
	for _, kind := range landscape.Kinds {
		status := ReportStatus{Kind: kind, Outcome: ReportUsed}
		if record.statusOfKind(kind) == nil && tx.s.reportCounts.refreshStatus(record.Agent, &status) {
			all = append(all, status)
		}
	}
	return all
}

// ReportStatus lists the statuses of an agent's reports in the order of
// landscape.Kinds. It lists each kind that was reported, and each kind of which
// a report ever had problems.
//
// The times of the last reports are in memory. They are written to the file once
// an hour and when the store closes. So a time before the start of the server is
// exact, unless the server was killed: then it may be an hour too early.
func (tx *Tx) ReportStatus(agent landscape.HostID) ([]ReportStatus, error) {
	record, err := tx.AgentReports(agent)
	if errors.Is(err, ErrNotFound) {
		record, err = &AgentReports{Agent: agent}, nil
	}
	if err != nil {
		return nil, err
	}
	all := tx.reportStatuses(record)
	place := func(s ReportStatus) int {
		if i := slices.Index(landscape.Kinds, s.Kind); i >= 0 {
			return i
		}
		return len(landscape.Kinds) // OtherDiscovery comes last
	}
	slices.SortFunc(all, func(a, b ReportStatus) int { return cmp.Compare(place(a), place(b)) })
	return all, nil
}

// Agent is an agent with its reports.
type Agent struct {
	ID landscape.HostID
	// Host is nil if no host with the id is registered.
	Host   *landscape.Host
	Status []ReportStatus
}

// LastReport returns the time of the last report; zero if none has come.
func (a *Agent) LastReport() (last time.Time) { return lastReportTime(a.Status) }

// Agents lists, by id, the agents of all registered hosts, and the agents
// without a registered host whose reports had problems.
func (tx *Tx) Agents() ([]*Agent, error) {
	var all []*Agent
	for h, err := range tx.Hosts() {
		if err != nil {
			return nil, err
		}
		all = append(all, &Agent{ID: h.ID, Host: h})
	}
	unregistered, err := tx.unregisteredAgents()
	if err != nil {
		return nil, err
	}
	for _, record := range unregistered {
		all = append(all, &Agent{ID: record.Agent})
	}
	for _, a := range all {
		if a.Status, err = tx.ReportStatus(a.ID); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b *Agent) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// AgentReports returns the stored outcomes of an agent's reports, or
// ErrNotFound if no report ever had problems. Counts and times can be old:
// ReportStatus returns the current ones.
func (tx *Tx) AgentReports(agent landscape.HostID) (*AgentReports, error) {
	return tx.s.agentReports.Get(tx.kv, []byte(agent))
}

// AllAgentReports walks the stored outcomes of the reports of all agents.
func (tx *Tx) AllAgentReports() iter.Seq2[*AgentReports, error] {
	return tx.s.agentReports.All(tx.kv)
}

// countReport counts a report that has the same outcome as the previous one.
func (tx *Tx) countReport(agent landscape.HostID, kind landscape.Kind) {
	tx.kv.AfterCommit(func() { tx.s.reportCounts.countReport(agent, kind, tx.now) })
}

// markStaleReports marks the data that is stale because reports cannot be used.
// It logs the faults that were not logged at once and have lasted.
func (s *Store) markStaleReports(ctx context.Context) error {
	var failed []error
	for _, due := range s.reportCounts.listStale(s.Now()) {
		err := s.update(ctx, System(), func(tx *Tx) error { return tx.handleLastingFault(due) })
		if err != nil {
			failed = append(failed, fmt.Errorf("reports of agent %s: %w", due.agent, err))
		}
	}
	return errors.Join(failed...)
}

// handleLastingFault marks the data that a lasting fault makes stale, and logs
// the fault.
func (tx *Tx) handleLastingFault(due agentAndKind) error {
	record, err := tx.AgentReports(due.agent)
	if errors.Is(err, ErrNotFound) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	status := record.statusOfKind(due.kind)
	if status == nil || !status.Faulty() {
		return nil // it ended meanwhile
	}
	changes, err := landscape.ReportsFailing(landscapeState{tx}, due.agent, due.kind, status.Outcome == ReportRefused, tx.now)
	if err != nil {
		return err
	}
	if changes.Changed() {
		tx.invalidateReport(due.agent, due.kind) // the next report must be evaluated, because it ends the staleness
		if err := tx.applyChanges(changes); err != nil {
			return err
		}
	}
	if status.Logged {
		return nil
	}
	after := *record
	after.Status = slices.Clone(record.Status)
	logged := after.statusOfKind(due.kind)
	tx.s.reportCounts.refreshStatus(due.agent, logged)
	logged.Logged, logged.LoggedAt = true, tx.now
	return errors.Join(tx.logFault(due.agent, logged), tx.putAgentReports(&after, due.kind))
}
