package activity

import (
	"fmt"
	"strings"
)

// ReportName returns the name of the reports of a discovery for users, such as
// "host report" for host_discovery. For an unknown discovery it returns
// "report".
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

// ReportProblem is a part of a report that could not be read, with the reason.
type ReportProblem struct {
	Pointer string `json:"pointer"` // JSON pointer into the payload; "" for the report as a whole
	Detail  string `json:"detail"`  // the reason
	Read    string `json:"read"`    // the JSON text of the part; "" if it is missing
}

// String returns the field, the reason and the read text in one line.
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

// PartlyUsed returns a sentence that says how many elements of a report were
// left out.
func PartlyUsed(elements int, report string) string {
	if elements == 1 {
		return fmt.Sprintf("1 element of the %s could not be read and was left out", report)
	}
	return fmt.Sprintf("%d elements of the %s could not be read and were left out", elements, report)
}

// senderName returns the hostname of the host that a report is about, or else the
// agent id.
func (a *AboutHost) senderName() string {
	if a.Hostname != "" {
		return a.Hostname
	}
	return "agent " + a.HostID
}
