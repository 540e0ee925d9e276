package landscape

import (
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// reportFault says why the newest report of a kind could not be used.
type reportFault struct {
	ID       string // name of the kind in an address
	Report   string // "SAP report"
	What     string // start of the sentence: "The last SAP report"
	Outcome  string // what happened to the report, with the first problem
	Last     page.Timestamp
	Since    page.Timestamp
	Count    string // "12 reports"
	Shown    string // what is shown instead
	Problems []store.ReportProblem
	Hidden   int // number of problems that are not listed
}

// reportRefreshSeconds is how often a page with the time of the last report is
// fetched again, in seconds. Most reports change nothing else, so they cause no
// event.
const reportRefreshSeconds = 60

// newReportFaults returns the faults of the reports of an agent.
func (s *Pages) newReportFaults(agent *store.Agent) []reportFault {
	var faults []reportFault
	for i := range agent.Status {
		if status := &agent.Status[i]; status.Faulty() {
			faults = append(faults, s.newReportFault(agent, status))
		}
	}
	return faults
}

func (s *Pages) newReportFault(agent *store.Agent, status *store.ReportStatus) reportFault {
	what, outcome := reportSentence(status)
	return reportFault{
		ID: string(status.Kind), Report: activity.ReportName(string(status.Kind)), What: what, Outcome: outcome,
		Last: s.Timestamp(status.Last), Since: s.Timestamp(status.Since), Count: page.Count(status.Count, "report", "reports"),
		Shown:    shownDataText(agent, status, s.Store.Now()),
		Problems: status.Problems, Hidden: status.ProblemCount - len(status.Problems),
	}
}

// reportSentence returns the two parts of a sentence about the newest report.
// The page shows the time of the report between them.
func reportSentence(status *store.ReportStatus) (what, outcome string) {
	report := "the last " + activity.ReportName(string(status.Kind))
	if status.Outcome == store.ReportRefused {
		return capitalize(report), "could not be used" + sentenceEnd(status.Reason())
	}
	outcome = "could not be read and were left out"
	if status.ProblemCount == 1 {
		outcome = "could not be read and was left out"
	}
	return page.Count(status.ProblemCount, "element", "elements") + " of " + report, outcome + sentenceEnd(status.Reason())
}

// sentenceEnd returns the end of a sentence, with the reason unless it is
// empty.
func sentenceEnd(reason string) string {
	if reason == "" {
		return "."
	}
	return ": " + strings.TrimSuffix(reason, ".") + "."
}

// shownDataText says how old the data are that the page shows because the
// report could not be used.
func shownDataText(agent *store.Agent, status *store.ReportStatus, now time.Time) string {
	switch {
	case agent.Host == nil:
		return "Nothing of it is shown: the host is not registered."
	case status.Kind == store.OtherDiscovery:
		return ""
	case status.Outcome == store.ReportPartlyUsed && status.Kind == landscape.SAPSystemDiscovery && status.Stale(now):
		return "For what was left out, what was known before is shown, and is marked stale."
	case status.Outcome == store.ReportPartlyUsed:
		return "For what was left out, what was known before is shown."
	case !status.Stale(now):
		return "What was known before is shown."
	case status.Kind.TurnsStale():
		return "What was known before is shown, and is marked stale."
	}
	return "What was known before is shown, and is out of date."
}

// reportProblem says, for the list of what needs attention, what is wrong with
// the reports of an agent, and since when.
func reportProblem(record *store.AgentReports) (words string, since time.Time) {
	faulty := record.Faulty()
	if len(faulty) == 0 {
		return "", time.Time{}
	}
	first := faulty[0]
	for _, status := range faulty {
		if status.Outcome == store.ReportRefused && first.Outcome != store.ReportRefused {
			first = status
		}
	}
	report := activity.ReportName(string(first.Kind))
	article := "a "
	if first.Kind == landscape.SAPSystemDiscovery {
		article = "an "
	}
	words = "sends " + article + report + " that cannot be used"
	if first.Outcome == store.ReportPartlyUsed {
		words = "sends " + article + report + " of which " + page.Count(first.ProblemCount, "element", "elements") + " cannot be read"
	}
	words += sentenceEnd(shortenReason(first.Reason()))
	if more := len(faulty) - 1; more > 0 {
		words += " " + page.Count(more, "more of its reports has", "more of its reports have") + " problems."
	}
	return words, first.Since
}

// maxReason is the largest length of a reason in the list of what needs
// attention, in characters.
const maxReason = 120

func shortenReason(reason string) string {
	if runes := []rune(reason); len(runes) > maxReason {
		return string(runes[:maxReason]) + "…"
	}
	return reason
}
