package store

import (
	"log/slog"
	"sync"
	"time"

	"trento/store/landscape"
)

// agentKind names the reports of one kind from one agent.
type agentKind struct {
	agent landscape.HostID
	kind  landscape.Kind
}

// reportCounts counts the reports of agents in memory, so that a report that
// says nothing new writes nothing. It has the agents whose reports were accepted
// since the start, and those with stored AgentReports.
type reportCounts struct {
	mu       sync.Mutex
	statuses map[agentKind]*ReportStatus // as stored last, with what has come since
	warnedAt time.Time                   // when the log last told that there is no room for more agents
}

// load begins with what is in the file.
func (r *reportCounts) load(tx *Tx) error {
	r.statuses = make(map[agentKind]*ReportStatus)
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return err
		}
		for i := range record.Status {
			r.set(record.Agent, record.Status[i])
		}
	}
	return nil
}

// set begins to count anew with what was just written.
func (r *reportCounts) set(agent landscape.HostID, status ReportStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses[agentKind{agent, status.Kind}] = &status
}

// forget forgets an agent.
func (r *reportCounts) forget(agent landscape.HostID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.statuses, agentKind{agent, OtherDiscovery})
	for _, kind := range landscape.Kinds {
		delete(r.statuses, agentKind{agent, kind})
	}
}

// add counts a report.
func (r *reportCounts) add(agent landscape.HostID, kind landscape.Kind, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := agentKind{agent, kind}
	if r.statuses[key] == nil {
		r.statuses[key] = &ReportStatus{Kind: kind, Outcome: ReportUsed}
	}
	r.statuses[key].add(now)
}

// addRepeated counts a report with problems, if it has those of the one before.
func (r *reportCounts) addRepeated(agent landscape.HostID, current *ReportStatus, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.statuses[agentKind{agent, current.Kind}]
	if status == nil || !status.repeatedBy(current, now) {
		return false
	}
	status.add(now)
	return true
}

// update brings a stored status up to date. It reports false where no report has
// been counted.
func (r *reportCounts) update(agent landscape.HostID, status *ReportStatus) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	newer := r.statuses[agentKind{agent, status.Kind}]
	if newer == nil {
		return false
	}
	status.Last, status.Period = newer.Last, newer.Period
	if status.Faulty() && status.Outcome == newer.Outcome {
		status.Count = newer.Count
	}
	return true
}

// due lists the reports that have had problems for so long that what they tell
// about is stale.
func (r *reportCounts) due(now time.Time) []agentKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []agentKind
	for key, status := range r.statuses {
		if status.Stale(now) {
			due = append(due, key)
		}
	}
	return due
}

// warnInterval is how often the log tells that there is no room for an agent.
const warnInterval = time.Minute

// warnFull logs that the reports of an agent are refused and that there is no
// room to store it.
func (r *reportCounts) warnFull(log *slog.Logger, agent landscape.HostID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.warnedAt) < warnInterval {
		return
	}
	r.warnedAt = now
	log.Warn("reports of agents without a registered host are refused that are too many to be listed", "agent", agent, "listed", maxUnregistered)
}
