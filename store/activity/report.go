package activity

import (
	"fmt"
	"strings"
)

// ReportName is what people call the reports of a discovery: "host report" those
// of host_discovery. A report of an unknown type is just a report.
func ReportName(discovery string) string {
	subject, known := reportSubject(discovery)
	if !known {
		return "report"
	}
	return subject + " report"
}

func reportSubject(discovery string) (subject string, known bool) {
	switch subject, known = strings.CutSuffix(discovery, "_discovery"); subject {
	case "ha_cluster":
		return "cluster", known
	case "sap_system":
		return "SAP", known
	}
	return subject, known
}

// ReportProblem is one thing in a report that could not be read.
type ReportProblem struct {
	Pointer string `json:"pointer"` // of the field, inside the payload; empty for the report as a whole
	Detail  string `json:"detail"`  // what is wrong with it
	Read    string `json:"read"`    // what was found there; empty where nothing was
}

// String says in a line in which field something is wrong, what, and what was
// read there.
func (p ReportProblem) String() string {
	line := p.Detail
	if p.Pointer != "" {
		line = p.Pointer + " " + p.Detail
	}
	if p.Read != "" {
		line += " (read: " + p.Read + ")"
	}
	return line
}

// PartlyUsed says how much of a report was left out.
func PartlyUsed(elements int, report string) string {
	if elements == 1 {
		return fmt.Sprintf("1 element of the %s could not be read and was left out", report)
	}
	return fmt.Sprintf("%d elements of the %s could not be read and were left out", elements, report)
}

// sender is the host a report is about, or the agent that sent it.
func (a *AboutHost) sender() string {
	if a.Hostname != "" {
		return a.Hostname
	}
	return "agent " + a.HostID
}
