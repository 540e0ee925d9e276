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
	of       map[agentKind]*reportCount
	warnedAt time.Time // when the log last told that there is no room for more agents
}

// reportCount counts the reports of one kind from one agent.
type reportCount struct {
	stored ReportStatus  // as it was written last; the zero value where nothing was
	last   time.Time     // of the newest report; zero before the first
	period time.Duration // between the newest two; 0 where it is unknown
	more   int           // reports since stored was written
}

// load begins with what is in the file.
func (r *reportCounts) load(tx *Tx) error {
	r.of = make(map[agentKind]*reportCount)
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return err
		}
		for i := range record.Status {
			r.set(record.Agent, &record.Status[i])
		}
	}
	return nil
}

// set begins to count anew with what was just written.
func (r *reportCounts) set(agent landscape.HostID, status *ReportStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[agentKind{agent, status.Kind}] = &reportCount{stored: *status, last: status.Last, period: status.Period}
}

// forget forgets an agent.
func (r *reportCounts) forget(agent landscape.HostID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, agentKind{agent, OtherDiscovery})
	for _, kind := range landscape.Kinds {
		delete(r.of, agentKind{agent, kind})
	}
}

// add counts a report.
func (r *reportCounts) add(agent landscape.HostID, kind landscape.Kind, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := agentKind{agent, kind}
	count := r.of[key]
	if count == nil {
		count = &reportCount{}
		r.of[key] = count
	}
	count.add(now)
}

func (c *reportCount) add(now time.Time) {
	c.period = c.gap(now)
	c.last = now
	c.more++
}

// gap is the time between the newest report and one that comes now.
func (c *reportCount) gap(now time.Time) time.Duration {
	if c.last.IsZero() {
		return c.period
	}
	return now.Sub(c.last)
}

// addRepeated counts a report with problems, if it has those of the one before.
func (r *reportCounts) addRepeated(agent landscape.HostID, current *ReportStatus, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.of[agentKind{agent, current.Kind}]
	if count == nil || !count.stored.repeatedBy(current, now) {
		return false
	}
	count.add(now)
	return true
}

// update brings a stored status up to date. It reports false where there is no
// count.
func (r *reportCounts) update(agent landscape.HostID, status *ReportStatus) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.of[agentKind{agent, status.Kind}]
	if count == nil {
		return false
	}
	status.Last, status.Period = count.last, count.period
	if status.Faulty() {
		status.Count += count.more
	}
	return true
}

// count is how many reports had the stored outcome.
func (r *reportCounts) count(agent landscape.HostID, stored *ReportStatus) int {
	status := *stored
	r.update(agent, &status)
	return status.Count
}

// periodAt is the time between the newest report and one that comes now.
func (r *reportCounts) periodAt(agent landscape.HostID, kind landscape.Kind, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if count := r.of[agentKind{agent, kind}]; count != nil {
		return count.gap(now)
	}
	return 0
}

// due lists the reports that have had problems for so long that what they tell
// about is stale.
func (r *reportCounts) due(now time.Time) []agentKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []agentKind
	for key, count := range r.of {
		status := count.stored
		status.Period = count.period
		if status.Faulty() && status.Stale(now) {
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
