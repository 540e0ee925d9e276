package store

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trento/store/activity"
	"trento/store/landscape"
)

// Outcome is how much of a report could be used.
type Outcome string

// The outcomes. The API uses the same words.
const (
	ReportUsed       Outcome = "used"
	ReportPartlyUsed Outcome = "partly_used" // some elements could not be read and were left out
	ReportRefused    Outcome = "refused"     // no part could be used
)

// OtherDiscovery is the kind of all reports whose type is unknown or cannot be
// read.
const OtherDiscovery landscape.Kind = "other"

// ReportProblem is a part of a report that could not be read, with the reason.
type ReportProblem = activity.ReportProblem

// The limits of the stored problems. A report can have any number of problems,
// and each text can have any length.
const (
	maxReportProblems   = 10
	maxProblemTextBytes = 200 // of each of the three texts of a problem
)

// ReportStatus is the state of the reports of one kind from one agent.
type ReportStatus struct {
	Kind    landscape.Kind `json:"kind"`
	Outcome Outcome        `json:"outcome"`
	// Since is the time of the first report with this outcome; zero if it is
	// unknown.
	Since time.Time `json:"since"`
	// Last is the time of the newest report; zero if none has come. For a time
	// before the start of the server, see ReportStatus of Tx.
	Last time.Time `json:"last"`
	// Count is the number of reports with this outcome since Since. Only
	// reports with problems are counted.
	Count int `json:"count,omitzero"`
	// Problems are the first problems of the report. ProblemCount is the number
	// of all its problems.
	Problems     []ReportProblem `json:"problems,omitempty"`
	ProblemCount int             `json:"problem_count,omitzero"`

	// Period is the time between the two newest reports; 0 if it is unknown.
	Period time.Duration `json:"period,omitzero"`
	// Logged is true while the last activity log entry about these reports says
	// that they are faulty. LoggedAt is the time of the last entry that says
	// so.
	Logged   bool      `json:"logged,omitzero"`
	LoggedAt time.Time `json:"logged_at,omitzero"`
	// Changed is the time at which the problems were stored.
	Changed time.Time `json:"changed,omitzero"`
}

// Faulty reports whether some or all of the newest report could not be used.
func (s *ReportStatus) Faulty() bool { return s.Outcome != ReportUsed }

// Stale reports whether the data from these reports is out of date: the reports
// have been faulty for three report intervals.
func (s *ReportStatus) Stale(now time.Time) bool {
	return s.Faulty() && now.Sub(s.Since) >= staleIntervals*s.Interval()
}

// Interval returns the observed time between two reports, or the default
// of the kind if that is longer. An agent that was just restarted sends two
// reports in quick succession.
func (s *ReportStatus) Interval() time.Duration {
	return min(max(s.Kind.Period(), s.Period), maxReportInterval)
}

// Overdue reports whether the next report should have come by now: none has
// come for three report intervals. A kind that was never reported is not
// overdue: some hosts lack the tool for it. After a start of the server at the
// time started, each agent has the full time again: a server that was stopped
// knows nothing about the agents.
func (s *ReportStatus) Overdue(now, started time.Time) bool {
	if s.Last.IsZero() || !s.Kind.Known() {
		return false
	}
	last := s.Last
	if last.Before(started) {
		last = started
	}
	return now.Sub(last) >= staleIntervals*s.Interval()
}

// AgentReports holds the statuses of an agent's reports, for each kind of which
// a report ever had problems. The count and the time of the last report are
// kept in memory. They are stored together with other changes, once an hour,
// and when the store closes.
type AgentReports struct {
	Agent  landscape.HostID `json:"agent"`
	Status []ReportStatus   `json:"status"` // one for each kind
}

// Faulty lists the kinds of which some or all of the newest report could not be
// used.
func (a *AgentReports) Faulty() []*ReportStatus {
	var faulty []*ReportStatus
	for i := range a.Status {
		if a.Status[i].Faulty() {
			faulty = append(faulty, &a.Status[i])
		}
	}
	return faulty
}

func (a *AgentReports) statusOfKind(kind landscape.Kind) *ReportStatus {
	for i := range a.Status {
		if a.Status[i].Kind == kind {
			return &a.Status[i]
		}
	}
	return nil
}

const (
	// staleIntervals is the number of report intervals without a usable report
	// after which the data from the reports is marked stale.
	staleIntervals = 3
	// minLogInterval is the minimum time between two activity log entries about
	// faulty reports of one kind. A fault that begins earlier is logged when it
	// has lasted long enough to make data stale. This keeps the log short if
	// every second report is faulty, for example when two agents share an id.
	minLogInterval = 10 * time.Minute
	// minChangeInterval is the minimum time after which other problems of the
	// same outcome are stored. The problems may change with every report.
	minChangeInterval = time.Minute
	// maxUnregistered is the largest number of stored agents without a
	// registered host. Whoever has the API key of the agents can invent any
	// number of agents.
	maxUnregistered = 200
	// maxUnregisteredAge is how long an agent without a registered host is
	// stored after its last report. A fault of reports of unknown type ends
	// after the same time.
	maxUnregisteredAge = 24 * time.Hour
)

// maxReportInterval is the longest interval between two reports that is used to
// decide whether data is stale. After a longer interval, the agent was not
// running.
const maxReportInterval = time.Hour

// countReport counts another report with the same outcome.
func (s *ReportStatus) countReport(now time.Time) {
	s.Period, s.Last = s.sinceLastReport(now), now
	if s.Faulty() {
		s.Count++
	}
}

// sinceLastReport returns the time between the last report and now.
func (s *ReportStatus) sinceLastReport(now time.Time) time.Duration {
	if s.Last.IsZero() {
		return s.Period
	}
	return now.Sub(s.Last)
}

// isRepeatedBy reports whether the current report has the stored problems. The
// values that were read are not compared: they may differ in each report.
func (s *ReportStatus) isRepeatedBy(current *ReportStatus, now time.Time) bool {
	if s.Outcome != current.Outcome {
		return false
	}
	return now.Sub(s.Changed) < minChangeInterval || s.ProblemCount == current.ProblemCount &&
		slices.EqualFunc(s.Problems, current.Problems, func(a, b ReportProblem) bool { return a.Pointer == b.Pointer && a.Detail == b.Detail })
}

// Reason returns the first problem in one line, or "".
func (s *ReportStatus) Reason() string {
	if len(s.Problems) == 0 {
		return ""
	}
	return s.Problems[0].String()
}

// truncateProblems returns the problems in the number and length that are
// stored.
func truncateProblems(all []ReportProblem) []ReportProblem {
	kept := make([]ReportProblem, min(len(all), maxReportProblems))
	for i := range kept {
		kept[i] = ReportProblem{Pointer: truncateText(all[i].Pointer), Detail: truncateText(all[i].Detail), Read: truncateText(all[i].Read)}
	}
	return kept
}

func truncateText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxProblemTextBytes {
		return text
	}
	end := maxProblemTextBytes
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
