package store

import (
	"log/slog"
	"sync"
	"time"

	"trento/store/landscape"
)

// agentAndKind identifies the reports of one kind from one agent.
type agentAndKind struct {
	agent landscape.HostID
	kind  landscape.Kind
}

// reportCounts counts the reports of agents in memory, so that an unchanged
// report writes nothing. It holds the agents whose reports were accepted, and
// those with stored AgentReports.
type reportCounts struct {
	mu       sync.Mutex
	statuses map[agentAndKind]*ReportStatus // the stored statuses, updated by the reports that came later
	warnedAt time.Time                      // when the server's log last said that no further agent can be stored
}

// loadStatuses reads the stored statuses.
func (r *reportCounts) loadStatuses(tx *Tx) error {
	r.statuses = make(map[agentAndKind]*ReportStatus)
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return err
		}
		for i := range record.Status {
			r.setStatus(record.Agent, record.Status[i])
		}
	}
	return nil
}

// setStatus replaces a status by the one that was just stored.
func (r *reportCounts) setStatus(agent landscape.HostID, status ReportStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[agentAndKind{agent, status.Kind}] = &status
}

// setTime sets the time of the last report, unless a later one is known.
func (r *reportCounts) setTime(agent landscape.HostID, kind landscape.Kind, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := agentAndKind{agent, kind}
	if r.statuses[key] == nil {
		r.statuses[key] = &ReportStatus{Kind: kind, Outcome: ReportUsed}
	}
	if r.statuses[key].Last.Before(at) {
		r.statuses[key].Last = at
	}
}

// times returns the times of the last reports of the known kinds.
func (r *reportCounts) times() map[agentAndKind]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	times := make(map[agentAndKind]time.Time, len(r.statuses))
	for key, status := range r.statuses {
		if key.kind.Known() && !status.Last.IsZero() {
			times[key] = status.Last
		}
	}
	return times
}

// forgetAgent removes the statuses of an agent from memory.
func (r *reportCounts) forgetAgent(agent landscape.HostID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.statuses, agentAndKind{agent, OtherDiscovery})
	for _, kind := range landscape.Kinds {
		delete(r.statuses, agentAndKind{agent, kind})
	}
}

// countReport counts a report with the same outcome as the previous one.
func (r *reportCounts) countReport(agent landscape.HostID, kind landscape.Kind, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := agentAndKind{agent, kind}
	if r.statuses[key] == nil {
		r.statuses[key] = &ReportStatus{Kind: kind, Outcome: ReportUsed}
	}
	r.statuses[key].countReport(now)
}

// addRepeated counts a report with problems if the previous report had the same
// problems. It returns false if it has not counted the report.
func (r *reportCounts) addRepeated(agent landscape.HostID, current *ReportStatus, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.statuses[agentAndKind{agent, current.Kind}]
	if status == nil || !status.isRepeatedBy(current, now) {
		return false
	}
	status.countReport(now)
	return true
}

// refreshStatus updates a stored status with the time and count of the newest report.
// It returns false if no report has been counted.
func (r *reportCounts) refreshStatus(agent landscape.HostID, status *ReportStatus) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	newer := r.statuses[agentAndKind{agent, status.Kind}]
	if newer == nil {
		return false
	}
	status.Last, status.Period = newer.Last, newer.Period
	if status.Faulty() && status.Outcome == newer.Outcome {
		status.Count = newer.Count
	}
	return true
}

// listStale lists the reports that have had problems for so long that their
// data is stale.
func (r *reportCounts) listStale(now time.Time) []agentAndKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []agentAndKind
	for key, status := range r.statuses {
		if status.Stale(now) {
			due = append(due, key)
		}
	}
	return due
}

// warnInterval is the time between two warnings that no further agent can be
// stored.
const warnInterval = time.Minute

// warnTooManyAgents logs that the reports of an agent are refused and that the agent
// cannot be stored because there are too many.
func (r *reportCounts) warnTooManyAgents(log *slog.Logger, agent landscape.HostID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.warnedAt) < warnInterval {
		return
	}
	r.warnedAt = now
	log.Warn("reports of agents without a registered host are refused that are too many to be listed", "agent", agent, "listed", maxUnregistered)
}
