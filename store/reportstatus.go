package store

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trento/store/activity"
	"trento/store/landscape"
)

// Outcome says how much of a report could be used.
type Outcome string

// The outcomes. Words of the API, too.
const (
	ReportUsed       Outcome = "used"
	ReportPartlyUsed Outcome = "partly_used" // some elements could not be read and were left out
	ReportRefused    Outcome = "refused"     // nothing of it could be used
)

// OtherDiscovery stands for the reports of an agent whose type is unknown or
// cannot be read.
const OtherDiscovery landscape.Kind = "other"

// ReportProblem is one thing in a report that could not be read.
type ReportProblem = activity.ReportProblem

// The limits of the stored problems: a report can be wrong in any number of
// places, each of any length.
const (
	maxReportProblems = 10
	maxProblemText    = 200 // bytes of a pointer, a detail and of what was read
)

// ReportStatus is the state of the reports of one kind from one agent.
type ReportStatus struct {
	Kind    landscape.Kind `json:"kind"`
	Outcome Outcome        `json:"outcome"`
	// Since is when the first of the reports with this outcome came; zero where
	// that is unknown.
	Since time.Time `json:"since"`
	// Last is when the newest report came; zero where that was before the
	// start and had no problems.
	Last time.Time `json:"last"`
	// Count is how many reports have had this outcome since Since. Only those
	// with problems are counted.
	Count int `json:"count,omitzero"`
	// Problems are the first problems of the report, ProblemCount is how many
	// there are.
	Problems     []ReportProblem `json:"problems,omitempty"`
	ProblemCount int             `json:"problem_count,omitzero"`

	// Period is the time between the newest two reports; 0 where it is unknown.
	Period time.Duration `json:"period,omitzero"`
	// Logged says that the activity log shows these reports as faulty; LoggedAt
	// is when it was last logged.
	Logged   bool      `json:"logged,omitzero"`
	LoggedAt time.Time `json:"logged_at,omitzero"`
	// Changed is when the problems were written down.
	Changed time.Time `json:"changed,omitzero"`
}

// Faulty reports whether the newest report could not be used as a whole.
func (s *ReportStatus) Faulty() bool { return s.Outcome != ReportUsed }

// Stale reports whether what these reports are about counts as out of date: three
// periods have passed since the first one that had problems.
func (s *ReportStatus) Stale(now time.Time) bool {
	return s.Faulty() && now.Sub(s.Since) >= stalePeriods*s.period()
}

// AgentReports is the state of the reports of an agent, for each kind of which a
// report ever had problems. Count and time of the last report are kept in memory
// and are written down with other changes, once an hour, and when the store
// closes.
type AgentReports struct {
	Agent  landscape.HostID `json:"agent"`
	Status []ReportStatus   `json:"status"` // one a kind
}

// Faulty lists the kinds of which the newest report could not be used as a
// whole.
func (a *AgentReports) Faulty() []*ReportStatus {
	var faulty []*ReportStatus
	for i := range a.Status {
		if a.Status[i].Faulty() {
			faulty = append(faulty, &a.Status[i])
		}
	}
	return faulty
}

func (a *AgentReports) ofKind(kind landscape.Kind) *ReportStatus {
	for i := range a.Status {
		if a.Status[i].Kind == kind {
			return &a.Status[i]
		}
	}
	return nil
}

const (
	// stalePeriods is how many periods may pass without a report that can be
	// used before what is known through it is marked stale.
	stalePeriods = 3
	// logPause is how soon after a fault the next one is not logged at once, but
	// when it has lasted long enough to make data stale. So reports with problems
	// every other time, of two agents with one id, say, do not fill the log.
	logPause = 10 * time.Minute
	// changePause is how long other problems count as the same fault: they may
	// change with every report.
	changePause = time.Minute
	// maxUnregistered is how many agents without a registered host are stored:
	// the API key of the agents is enough to invent any number.
	maxUnregistered = 200
	// unregisteredAge is how long such an agent is stored after its last report,
	// and a fault of reports of unknown type after the last one.
	unregisteredAge = 24 * time.Hour
)

// maxPeriod is the longest period that is believed: what is longer was an agent
// that did not run.
const maxPeriod = time.Hour

// period is how often the agent reports: as it was seen to, or by default,
// whichever is longer. An agent that was restarted reports twice at once.
func (s *ReportStatus) period() time.Duration {
	return min(max(s.Kind.Period(), s.Period), maxPeriod)
}

// add counts another report of the same outcome.
func (s *ReportStatus) add(now time.Time) {
	s.Period, s.Last = s.gap(now), now
	if s.Faulty() {
		s.Count++
	}
}

// gap is the time between the last report and one that comes now.
func (s *ReportStatus) gap(now time.Time) time.Duration {
	if s.Last.IsZero() {
		return s.Period
	}
	return now.Sub(s.Last)
}

// repeatedBy reports whether another report has the problems that are stored. The
// values that were read do not count: they may differ each time.
func (s *ReportStatus) repeatedBy(current *ReportStatus, now time.Time) bool {
	if s.Outcome != current.Outcome {
		return false
	}
	return now.Sub(s.Changed) < changePause || s.ProblemCount == current.ProblemCount &&
		slices.EqualFunc(s.Problems, current.Problems, func(a, b ReportProblem) bool { return a.Pointer == b.Pointer && a.Detail == b.Detail })
}

// Reason is the first problem in one line.
func (s *ReportStatus) Reason() string {
	if len(s.Problems) == 0 {
		return ""
	}
	return s.Problems[0].String()
}

// truncateProblems are the problems that are stored.
func truncateProblems(all []ReportProblem) []ReportProblem {
	kept := make([]ReportProblem, min(len(all), maxReportProblems))
	for i := range kept {
		kept[i] = ReportProblem{Pointer: truncateText(all[i].Pointer), Detail: truncateText(all[i].Detail), Read: truncateText(all[i].Read)}
	}
	return kept
}

func truncateText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxProblemText {
		return text
	}
	end := maxProblemText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
