// Package doctor examines an installation: what is wrong with it, why that
// matters, and what mends it. trento-web doctor prints the list, and the page
// About and the API show the same.
//
// [State] is what is known of an installation. Its parts are filled in by those
// who can see them: the probes of this package look at the machine, and package
// server adds what the server knows, running or stopped. [Examine] then judges
// the state, without looking at anything else. So every finding is a row of a
// table in the tests.
package doctor

import (
	"fmt"
	"slices"
	"time"

	"trento/store/finding"
)

// examination examines one thing. It reports what is wrong to the list, or that
// it could not look.
type examination struct {
	area    string
	examine func(*State, *areaFindings)
}

// examinations are all examinations, in the order in which the list names them.
var examinations = []examination{
	{"Configuration", examineConfiguration},
	{"Program", examineProgram},
	{"Operation", examineFailures},
	{"Files", examineFiles},
	{"Disk", examineDisk},
	{"Data file", examineData},
	{"Search index", examineIndex},
	{"Backups", examineBackups},
	{"Certificate", examineCertificate},
	{"Host name", examineHostName},
	{"Clock", examineClock},
	{"Ports", examinePorts},
	{"Firewall", skipFirewall},
	{"Open files", examineOpenFiles},
	{"Memory", examineMemory},
	{"Service", examineService},
	{"Proxy", examineProxy},
	{"Single sign-on", examineProvider},
	{"Messages to agents", examineMessages},
	{"Agents", examineAgents},
	{"Alerts", examineAlerts},
	{"Default admin", examineAdmin},
	{"API key", examineAPIKey},
	{"Activity log", examineRetention},
}

// areaFindings collects what is wrong with one area.
type areaFindings struct {
	area       string
	findings   []finding.Finding
	skipReason string // why the area could not be examined; "" if it was
}

// warn adds something that can wait for the next working day.
func (l *areaFindings) warn(what, why, mend string) *finding.Finding {
	return l.addFinding(finding.Warning, what, why, mend)
}

// addUrgent adds something that cannot wait.
func (l *areaFindings) addUrgent(what, why, mend string) *finding.Finding {
	return l.addFinding(finding.Urgent, what, why, mend)
}

func (l *areaFindings) addFinding(u finding.Urgency, what, why, mend string) *finding.Finding {
	l.findings = append(l.findings, finding.Finding{Urgency: u, Area: l.area, What: what, Why: why, Mend: mend})
	return &l.findings[len(l.findings)-1]
}

// skip says why the area could not be examined.
func (l *areaFindings) skip(format string, args ...any) { l.skipReason = fmt.Sprintf(format, args...) }

// notApplicable is what skipped is set to if there is nothing to examine, such
// as an identity provider where none is configured. Nobody needs to be told.
const notApplicable = "-"

// Examine returns what is wrong with an installation, the most urgent first.
func Examine(s *State) *finding.Report { return examineAreas(s, func(string) bool { return true }) }

// The areas that a command examines beside the running server: only it knows
// which configuration a start would use, and root sees more of the machine.
var commandAreas = []string{"Configuration", "Program", "Files", "Clock"}

// ExamineBesideServer returns what a command finds that the running server does
// not see.
func ExamineBesideServer(s *State) *finding.Report {
	return examineAreas(s, func(area string) bool { return slices.Contains(commandAreas, area) })
}

func examineAreas(s *State, wanted func(area string) bool) *finding.Report {
	r := &finding.Report{At: s.Now.UTC().Truncate(time.Second), Version: s.Version, StartedAt: s.StartedAt, Findings: []finding.Finding{}, Examined: []string{}, Skipped: []finding.Skipped{}}
	for _, e := range examinations {
		if !wanted(e.area) {
			continue
		}
		l := &areaFindings{area: e.area}
		e.examine(s, l)
		switch {
		case l.skipReason == notApplicable:
		case l.skipReason != "":
			r.Skipped = append(r.Skipped, finding.Skipped{Area: e.area, Why: l.skipReason})
		default:
			r.Examined = append(r.Examined, e.area)
		}
		r.Findings = append(r.Findings, l.findings...)
	}
	r.Sort()
	return r
}
