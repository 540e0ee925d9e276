package activity

import "fmt"

// reportNames are the reports of agents as people call them, by the name of
// the discovery they come from.
var reportNames = map[string]string{
	"host_discovery":         "host report",
	"cloud_discovery":        "cloud report",
	"subscription_discovery": "subscription report",
	"saptune_discovery":      "saptune report",
	"ha_cluster_discovery":   "cluster report",
	"sap_system_discovery":   "SAP report",
}

// ReportName is what people call the reports of a discovery.
func ReportName(discovery string) string {
	if name, ok := reportNames[discovery]; ok {
		return name
	}
	return "report"
}

// ReportProblem says in a line what is wrong with a report: in which field,
// what, and what was read there. Only what is wrong must be given.
func ReportProblem(pointer, detail, read string) string {
	line := detail
	if pointer != "" {
		line = pointer + " " + detail
	}
	if read != "" {
		line += " (read: " + read + ")"
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
func sender(f facts) string {
	if hostname := f.text("hostname"); hostname != "" {
		return hostname
	}
	return "agent " + f.text("host_id")
}

// reportOf names a report with its sender.
func reportOf(f facts) string { return ReportName(f.text("discovery_type")) + " of " + sender(f) }

func faultMessage(f facts) string {
	message := "The " + reportOf(f) + " could not be used"
	if f.text("outcome") == "partly_used" {
		count, _ := f["problem_count"].(float64)
		message = PartlyUsed(int(count), reportOf(f))
	}
	problems, _ := f["problems"].([]any)
	if len(problems) == 0 {
		return message
	}
	first, _ := problems[0].(map[string]any)
	problem := facts(first)
	return message + ": " + ReportProblem(problem.text("pointer"), problem.text("detail"), problem.text("read"))
}

func recoveryMessage(f facts) string {
	if _, known := reportNames[f.text("discovery_type")]; !known {
		return "No more reports of an unknown type came from " + sender(f)
	}
	return "The " + reportOf(f) + " can be used again"
}
