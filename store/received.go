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

// receivedReports counts the reports of agents in memory, so that a report
// that says nothing new writes nothing. It knows the agents whose reports were
// accepted since the start, and those that AgentReports are stored of.
type receivedReports struct {
	mu   sync.Mutex
	of   map[agentKind]*received
	full time.Time // when was last warned that there is no room for more agents
}

// received is what is known of the reports of one kind from one agent.
type received struct {
	stored ReportStatus  // as it was written last; the zero value where nothing was
	last   time.Time     // of the newest report; zero before the first
	period time.Duration // between the newest two; 0 where it is unknown
	more   int           // reports since stored was written
}

// load takes over what the file knows.
func (r *receivedReports) load(tx *Tx) error {
	r.of = make(map[agentKind]*received)
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

// set takes over what was just written.
func (r *receivedReports) set(agent landscape.HostID, status *ReportStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[agentKind{agent, status.Kind}] = &received{stored: *status, last: status.Last, period: status.Period}
}

// remove forgets an agent.
func (r *receivedReports) remove(agent landscape.HostID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, agentKind{agent, OtherDiscovery})
	for _, kind := range landscape.Kinds {
		delete(r.of, agentKind{agent, kind})
	}
}

// note counts a report.
func (r *receivedReports) note(agent landscape.HostID, kind landscape.Kind, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := agentKind{agent, kind}
	known := r.of[key]
	if known == nil {
		known = &received{}
		r.of[key] = known
	}
	known.count(now)
}

func (k *received) count(now time.Time) {
	k.period = k.gap(now)
	k.last = now
	k.more++
}

// gap is the time between the newest report and one that comes now.
func (k *received) gap(now time.Time) time.Duration {
	if k.last.IsZero() {
		return k.period
	}
	return now.Sub(k.last)
}

// repeats counts a report with problems, if it has those of the one before.
func (r *receivedReports) repeats(agent landscape.HostID, seen *ReportStatus, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.of[agentKind{agent, seen.Kind}]
	if known == nil || !known.stored.repeatedBy(seen, now) {
		return false
	}
	known.count(now)
	return true
}

// update brings what is written of reports up to date. It reports false where
// nothing is known of them.
func (r *receivedReports) update(agent landscape.HostID, status *ReportStatus) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.of[agentKind{agent, status.Kind}]
	if known == nil {
		return false
	}
	status.Last, status.Period = known.last, known.period
	if status.Faulty() {
		status.Count += known.more
	}
	return true
}

// count is how many reports had the outcome that is written down.
func (r *receivedReports) count(agent landscape.HostID, stored *ReportStatus) int {
	status := *stored
	r.update(agent, &status)
	return status.Count
}

// periodAt is the time between the newest report and one that comes now.
func (r *receivedReports) periodAt(agent landscape.HostID, kind landscape.Kind, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.of[agentKind{agent, kind}]; known != nil {
		return known.gap(now)
	}
	return 0
}

// due lists the reports that have had problems for so long that what is known
// through them is stale.
func (r *receivedReports) due(now time.Time) []agentKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []agentKind
	for key, known := range r.of {
		status := known.stored
		status.Period = known.period
		if status.Faulty() && status.Stale(now) {
			due = append(due, key)
		}
	}
	return due
}

// fullPause is how often is warned that no more agents are remembered.
const fullPause = time.Minute

// warnFull warns that the reports of an agent are refused and that it is one
// too many to be remembered.
func (r *receivedReports) warnFull(log *slog.Logger, agent landscape.HostID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.full) < fullPause {
		return
	}
	r.full = now
	log.Warn("reports of agents without a registered host are refused that are too many to be listed", "agent", agent, "listed", maxUnregistered)
}
