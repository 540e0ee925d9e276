package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
)

// RefusedReport is a report of which nothing could be used.
type RefusedReport struct {
	Agent    landscape.HostID
	Kind     landscape.Kind // OtherDiscovery where it is none of those we know
	Problems []ReportProblem
	Body     []byte // kept for those who want to try a fix on it; nil where that is not worth it
	Reason   string // one line about all of them
}

// RefuseReport notes that a report could not be used, and keeps its body. An
// agent repeats itself every ten
// seconds: only what is new about a fault is written.
func (s *Store) RefuseReport(ctx context.Context, r RefusedReport) error {
	now := s.Now()
	seen := ReportStatus{Kind: r.Kind, Outcome: ReportRefused, ProblemCount: len(r.Problems), Problems: cutProblems(r.Problems)}
	if s.received.repeats(r.Agent, &seen, now) {
		return nil
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		tx.forget(r.Agent, r.Kind) // the body accepted last may come again, and ends the fault
		changed, err := tx.noteReport(r.Agent, &seen)
		if err != nil || !changed || r.Body == nil {
			return err
		}
		return tx.discard(r.Body, r.Reason)
	})
}

// noteObserved notes the outcome of a report that could be decoded. One that
// waits for its host counts as used, but is no reason to remember an agent.
func (tx *Tx) noteObserved(o *landscape.Observation, waits bool) error {
	seen := ReportStatus{Kind: o.Kind, Outcome: ReportUsed}
	if len(o.Omissions) > 0 {
		seen.Outcome, seen.ProblemCount = ReportPartlyUsed, len(o.Omissions)
		problems := make([]ReportProblem, len(o.Omissions))
		for i, omitted := range o.Omissions {
			problems[i] = ReportProblem(omitted)
		}
		seen.Problems = cutProblems(problems)
	}
	if waits && !seen.Faulty() && !tx.s.agentReports.Has(tx.kv, []byte(o.Agent)) {
		return nil
	}
	_, err := tx.noteReport(o.Agent, &seen)
	return err
}

// noteReport writes down the outcome of a report if it is another one than
// that of the report before, and logs that something is wrong with the reports,
// or no longer. It reports whether it has written anything: not of a report
// like the one before, nor of an agent that is one too many.
func (tx *Tx) noteReport(agent landscape.HostID, seen *ReportStatus) (changed bool, err error) {
	before, err := tx.s.agentReports.Get(tx.kv, []byte(agent))
	if errors.Is(err, ErrNotFound) {
		before, err = &AgentReports{Agent: agent}, nil
	}
	if err != nil {
		return false, err
	}
	stored := before.of(seen.Kind)
	known := stored != nil
	if !known {
		stored = &ReportStatus{Kind: seen.Kind, Outcome: ReportUsed}
	}
	if !seen.Faulty() && !stored.Faulty() || stored.repeatedBy(seen, tx.now) {
		tx.countReport(agent, seen.Kind)
		return false, nil
	}
	if len(before.Status) == 0 {
		if room, err := tx.roomFor(agent); err != nil || !room {
			return false, err
		}
	}
	after := tx.nextStatus(agent, stored, seen)
	if err := tx.logOutcome(agent, stored, &after); err != nil {
		return false, err
	}
	record := *before
	record.Status = slices.Clone(before.Status)
	if known {
		*record.of(seen.Kind) = after
	} else {
		record.Status = append(record.Status, after)
	}
	return true, tx.recordReports(&record, seen.Kind)
}

// recordReports stores how the reports of an agent have fared; the reports of
// some kinds begin to be counted anew.
func (tx *Tx) recordReports(record *AgentReports, kinds ...landscape.Kind) error {
	if err := tx.s.agentReports.Put(tx.kv, []byte(record.Agent), record); err != nil {
		return err
	}
	for _, kind := range kinds {
		status := *record.of(kind)
		tx.kv.AfterCommit(func() { tx.s.received.set(record.Agent, &status) })
	}
	return nil
}

// nextStatus is what is written about the reports of a kind after one that
// has another outcome than the one before.
func (tx *Tx) nextStatus(agent landscape.HostID, before, seen *ReportStatus) ReportStatus {
	after := *seen
	after.Since, after.Last, after.Changed = tx.now, tx.now, tx.now
	after.Period = tx.s.received.periodAt(agent, seen.Kind, tx.now)
	after.Logged, after.LoggedAt = before.Logged, before.LoggedAt
	if !seen.Faulty() {
		after.Logged = false
		return after
	}
	after.Count = 1
	if before.Outcome == seen.Outcome { // the same fault with other problems
		after.Since = before.Since
		after.Count = tx.s.received.count(agent, before) + 1
	}
	if !after.Logged && tx.now.Sub(after.LoggedAt) >= logPause {
		after.Logged, after.LoggedAt = true, tx.now
	}
	return after
}

// logOutcome tells the activity log, and those who read the server's own, that
// something has become of the reports.
func (tx *Tx) logOutcome(agent landscape.HostID, before, after *ReportStatus) error {
	switch {
	case after.Logged && !before.Logged:
		return tx.logFault(agent, after)
	case before.Logged && after.Faulty():
		if tx.now.Sub(before.Changed) >= changePause {
			tx.warnOfFault(agent, after)
		}
	case before.Logged:
		facts := tx.reportFacts(agent, after.Kind)
		tx.kv.AfterCommit(func() { tx.s.options.Log.Info("reports can be used again", facts...) })
		return tx.log(activity.System, &activity.AgentReportRecovered{
			AboutHost: activity.AboutHost{HostID: string(agent)}, Discovery: string(after.Kind), Since: before.LoggedAt,
		})
	}
	return nil
}

func (tx *Tx) warnOfFault(agent landscape.HostID, s *ReportStatus) {
	reason := ""
	if len(s.Problems) > 0 { // not what was read: the log names fields, never their values
		reason = ReportProblem{Pointer: s.Problems[0].Pointer, Detail: s.Problems[0].Detail}.String()
	}
	facts := append(tx.reportFacts(agent, s.Kind), "outcome", s.Outcome, "problems", s.ProblemCount, "reason", reason)
	tx.kv.AfterCommit(func() { tx.s.options.Log.Warn("report could not be used in full", facts...) })
}

// reportFacts say in a line of the server's log what it is about.
func (tx *Tx) reportFacts(agent landscape.HostID, kind landscape.Kind) []any {
	facts := []any{"agent", agent}
	if host, err := tx.anyHost(agent); err == nil && host.Hostname != "" {
		facts = append(facts, "host", host.Hostname)
	}
	return append(facts, "type", kind)
}

// maxLoggedProblems is how many problems an entry of the log names.
const maxLoggedProblems = 3

func (tx *Tx) logFault(agent landscape.HostID, s *ReportStatus) error {
	tx.warnOfFault(agent, s)
	return tx.log(activity.System, &activity.AgentReportFaulty{
		AboutHost: activity.AboutHost{HostID: string(agent)}, Discovery: string(s.Kind), Outcome: string(s.Outcome), Since: s.Since,
		ProblemCount: s.ProblemCount, Problems: s.Problems[:min(len(s.Problems), maxLoggedProblems)],
	})
}

// roomFor reports whether an agent may be remembered that is not yet.
func (tx *Tx) roomFor(agent landscape.HostID) (bool, error) {
	if _, err := tx.Host(agent); !errors.Is(err, ErrNotFound) {
		return err == nil, err
	}
	unregistered, err := tx.unregisteredAgents()
	if err != nil || len(unregistered) < maxUnregistered {
		return err == nil, err
	}
	tx.kv.AfterCommit(func() { tx.s.received.warnFull(tx.s.options.Log, agent, tx.now) })
	return false, nil
}

// unregisteredAgents lists the agents that are remembered without a registered
// host.
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

// PruneAgents removes what is remembered of agents that have no registered host
// and have not reported for a day, ends the faults that no report will end, and
// writes down the counts of the others.
func (s *Store) PruneAgents(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		unregistered, err := tx.unregisteredAgents()
		if err != nil {
			return err
		}
		for _, record := range unregistered {
			if tx.now.Sub(lastReport(tx.statusOf(record))) < unregisteredAge {
				continue
			}
			if err := tx.deleteAgentReports(record.Agent); err != nil {
				return err
			}
		}
		return errors.Join(tx.endOtherFaults(), tx.writeReportCounts())
	})
}

// endOtherFaults ends the faults of reports of no known type, of which there
// is none that can be used: an agent that has sent none for a day sends no more.
func (tx *Tx) endOtherFaults() error {
	records, err := tx.allAgentReports()
	if err != nil {
		return err
	}
	for _, record := range records {
		status := record.of(OtherDiscovery)
		if status == nil || !status.Faulty() {
			continue
		}
		last := *status
		tx.s.received.update(record.Agent, &last)
		if tx.now.Sub(last.Last) < unregisteredAge {
			continue
		}
		if _, err := tx.noteReport(record.Agent, &ReportStatus{Kind: OtherDiscovery, Outcome: ReportUsed}); err != nil {
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

func lastReport(all []ReportStatus) (last time.Time) {
	for _, status := range all {
		if status.Last.After(last) {
			last = status.Last
		}
	}
	return last
}

// deleteAgentReports removes all that is remembered of how the reports of an
// agent have fared.
func (tx *Tx) deleteAgentReports(agent landscape.HostID) error {
	tx.kv.AfterCommit(func() { tx.s.received.remove(agent) })
	return tx.s.agentReports.Delete(tx.kv, []byte(agent))
}

// writeReportCounts writes down the counts and times of faults that memory
// knows better.
func (tx *Tx) writeReportCounts() error {
	records, err := tx.allAgentReports()
	if err != nil {
		return err
	}
	for _, record := range records {
		after := *record
		after.Status = slices.Clone(record.Status)
		var counted []landscape.Kind
		for i, status := range tx.statusOf(record)[:len(record.Status)] {
			if status.Faulty() && !status.Last.Equal(record.Status[i].Last) {
				after.Status[i] = status
				counted = append(counted, status.Kind)
			}
		}
		if len(counted) == 0 {
			continue
		}
		if err := tx.recordReports(&after, counted...); err != nil {
			return err
		}
	}
	return nil
}

// statusOf is what is written about the reports of an agent, in the same order,
// with what has been counted since, and behind it the kinds of which only
// memory knows.
func (tx *Tx) statusOf(record *AgentReports) []ReportStatus {
	all := slices.Clone(record.Status)
	for i := range all {
		tx.s.received.update(record.Agent, &all[i])
	}
	for _, kind := range landscape.Kinds {
		status := ReportStatus{Kind: kind, Outcome: ReportUsed}
		if record.of(kind) == nil && tx.s.received.update(record.Agent, &status) {
			all = append(all, status)
		}
	}
	return all
}

// ReportStatus lists how the reports of an agent have fared, one a kind in the
// order of landscape.Kinds, of those kinds that have come since the start or
// of which one had problems.
func (tx *Tx) ReportStatus(agent landscape.HostID) ([]ReportStatus, error) {
	record, err := tx.AgentReports(agent)
	if errors.Is(err, ErrNotFound) {
		record, err = &AgentReports{Agent: agent}, nil
	}
	if err != nil {
		return nil, err
	}
	all := tx.statusOf(record)
	place := func(s ReportStatus) int {
		if i := slices.Index(landscape.Kinds, s.Kind); i >= 0 {
			return i
		}
		return len(landscape.Kinds) // OtherDiscovery
	}
	slices.SortFunc(all, func(a, b ReportStatus) int { return cmp.Compare(place(a), place(b)) })
	return all, nil
}

// Agent is somebody who reports.
type Agent struct {
	ID landscape.HostID
	// Host is nil where it is not registered.
	Host   *landscape.Host
	Status []ReportStatus
}

// LastReport is when the agent has reported last; zero where that was before
// the start, and nothing was wrong with it.
func (a *Agent) LastReport() (last time.Time) { return lastReport(a.Status) }

// Agents lists the agents of all registered hosts, and those that are
// remembered without one because their reports had problems, by id.
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

// AgentReports is what is written about the reports of an agent; ErrNotFound
// where none has ever had problems. Its counts and times are those of the last
// writing, see ReportStatus.
func (tx *Tx) AgentReports(agent landscape.HostID) (*AgentReports, error) {
	return tx.s.agentReports.Get(tx.kv, []byte(agent))
}

// AllAgentReports walks what is written about the reports of all agents.
func (tx *Tx) AllAgentReports() iter.Seq2[*AgentReports, error] {
	return tx.s.agentReports.All(tx.kv)
}

// countReport counts a report that has changed nothing.
func (tx *Tx) countReport(agent landscape.HostID, kind landscape.Kind) {
	tx.kv.AfterCommit(func() { tx.s.received.note(agent, kind, tx.now) })
}

// Unchanged reports whether a body is, byte for byte, what its agent reported
// last and was accepted. Such a report has nothing to say and needs no
// decoding: agents repeat themselves every ten seconds.
func (s *Store) Unchanged(body []byte) bool {
	sum := sha256.Sum256(body)
	s.reportHashes.mu.RLock()
	from, ok := s.reportHashes.hashes[sum]
	s.reportHashes.mu.RUnlock()
	if ok {
		s.received.note(from.agent, from.kind, s.Now())
	}
	return ok
}

// sweepReports marks stale what reports that cannot be used have left behind,
// and logs the faults that were not logged at once but last.
func (s *Store) sweepReports(ctx context.Context) error {
	var failed []error
	for _, due := range s.received.due(s.Now()) {
		err := s.update(ctx, System(), func(tx *Tx) error { return tx.settleFault(due) })
		if err != nil {
			failed = append(failed, fmt.Errorf("reports of agent %s: %w", due.agent, err))
		}
	}
	return errors.Join(failed...)
}

// settleFault does what is due of a fault that has lasted.
func (tx *Tx) settleFault(due agentKind) error {
	record, err := tx.AgentReports(due.agent)
	if errors.Is(err, ErrNotFound) {
		return nil // removed while we looked
	}
	if err != nil {
		return err
	}
	status := record.of(due.kind)
	if status == nil || !status.Faulty() {
		return nil // over while we looked
	}
	changes, err := landscape.ReportsFailing(state{tx}, due.agent, due.kind, status.Outcome == ReportRefused, tx.now)
	if err != nil {
		return err
	}
	if changes.Changed() {
		tx.forget(due.agent, due.kind) // the next report has to make fresh what turns stale now
		if err := tx.apply(changes); err != nil {
			return err
		}
	}
	if status.Logged {
		return nil
	}
	after := *record
	after.Status = slices.Clone(record.Status)
	told := after.of(due.kind)
	tx.s.received.update(due.agent, told)
	told.Logged, told.LoggedAt = true, tx.now
	return errors.Join(tx.logFault(due.agent, told), tx.recordReports(&after, due.kind))
}
