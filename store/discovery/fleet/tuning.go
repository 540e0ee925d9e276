package fleet

import "time"

// tuning is the state of saptune on a host. Without a version, saptune is not
// installed.
type tuning struct {
	version  string
	state    string
	solution string
	since    time.Time // time of the last change
}

const (
	compliant    = "compliant"
	notCompliant = "not compliant"
	notTuned     = "not tuned"

	saptuneTooOld  = "3.0.2" // too old to report its status in a form that agents can read
	saptuneDefault = "3.1.3"
	saptuneCurrent = "3.1.5"
)

// notesOf are the notes of each saptune solution.
var notesOf = map[string][]string{
	"HANA":           {"941735", "1771258", "1980196", "2578899", "2684254", "2382421", "2534844"},
	"NETWEAVER":      {"941735", "1771258", "1980196", "2578899"},
	"NETWEAVER+HANA": {"941735", "1771258", "1980196", "2578899", "2684254", "2382421", "2534844", "2993054"},

	"S4HANA-DBSERVER":  {"941735", "1771258", "1868829", "1980196", "2578899", "2684254", "2382421", "2534844", "2993054", "1656250"},
	"S4HANA-APPSERVER": {"941735", "1771258", "1868829", "1980196", "2578899", "2993054", "1656250"},
	"S4HANA-APP+DB":    {"941735", "1771258", "1868829", "1980196", "2578899", "2684254", "2382421", "2534844", "2993054", "1656250"},
}

// solutions are the saptune solutions of hosts by their role; s4Solutions are
// those of S/4HANA.
var (
	solutions = map[Role]string{
		Database: "HANA", Everything: "NETWEAVER+HANA", CentralServices: "NETWEAVER", Application: "NETWEAVER",
	}
	s4Solutions = map[Role]string{
		Database: "S4HANA-DBSERVER", Everything: "S4HANA-APP+DB", CentralServices: "S4HANA-APPSERVER", Application: "S4HANA-APPSERVER",
	}
)

// newTuning returns the state of saptune on a new host of a system, which is nil
// for a host without SAP software.
func newTuning(role Role, s *System) tuning {
	t := tuning{version: saptuneDefault, state: compliant, solution: solutions[role]}
	if s != nil && s.product == s4 {
		t.solution = s4Solutions[role]
	}
	if t.solution == "" {
		t.state = notTuned
	}
	return t
}

type tuningPayload struct {
	PackageVersion string        `json:"package_version"`
	Installed      bool          `json:"saptune_installed"`
	Status         *tuningStatus `json:"status"`
}

type tuningStatus struct {
	Schema      string          `json:"$schema"`
	PublishTime string          `json:"publish time"`
	Argv        string          `json:"argv"`
	PID         int             `json:"pid"`
	Command     string          `json:"command"`
	ExitCode    int             `json:"exit code"`
	Result      tuningResult    `json:"result"`
	Messages    []tuningMessage `json:"messages"`
}

type tuningMessage struct {
	Priority string `json:"priority"`
	Message  string `json:"message"`
}

type tuningResult struct {
	Services               map[string][]string `json:"services"`
	SystemState            string              `json:"systemd system state"`
	TuningState            string              `json:"tuning state"`
	Virtualization         string              `json:"virtualization"`
	ConfiguredVersion      string              `json:"configured version"`
	PackageVersion         string              `json:"package version"`
	SolutionEnabled        []string            `json:"Solution enabled"`
	NotesEnabledBySolution []solutionNotes     `json:"Notes enabled by Solution"`
	SolutionApplied        []solutionApplied   `json:"Solution applied"`
	NotesAppliedBySolution []solutionNotes     `json:"Notes applied by Solution"`
	NotesEnabledAdditional []string            `json:"Notes enabled additionally"`
	NotesEnabled           []string            `json:"Notes enabled"`
	NotesApplied           []string            `json:"Notes applied"`
	Staging                tuningStaging       `json:"staging"`
	RememberMessage        string              `json:"remember message"`
}

type solutionNotes struct {
	ID    string   `json:"Solution ID"`
	Notes []string `json:"Note list"`
}

type solutionApplied struct {
	ID      string `json:"Solution ID"`
	Partial bool   `json:"applied partially"`
}

type tuningStaging struct {
	Enabled   bool     `json:"staging enabled"`
	Notes     []string `json:"Notes staged"`
	Solutions []string `json:"Solutions staged"`
}

func (t tuning) payload() tuningPayload {
	p := tuningPayload{PackageVersion: t.version, Installed: t.version != ""}
	if t.version == "" || t.version == saptuneTooOld {
		return p
	}
	p.Status = &tuningStatus{
		Schema:      "file:///usr/share/saptune/schemas/1.0/saptune_status.schema.json",
		PublishTime: t.since.UTC().Format("2006-01-02 15:04:05.000"),
		Argv:        "saptune --format json status",
		PID:         1000 + int(t.since.Unix()%30_000),
		Command:     "status",
		Result: tuningResult{
			Services:               map[string][]string{"saptune": {"enabled", "active"}, "sapconf": {}, "tuned": {"disabled", "inactive"}},
			SystemState:            "running",
			TuningState:            t.state,
			Virtualization:         "kvm",
			ConfiguredVersion:      "3",
			PackageVersion:         t.version,
			SolutionEnabled:        []string{},
			NotesEnabledBySolution: []solutionNotes{},
			SolutionApplied:        []solutionApplied{},
			NotesAppliedBySolution: []solutionNotes{},
			NotesEnabledAdditional: []string{},
			NotesEnabled:           []string{},
			NotesApplied:           []string{},
			Staging:                tuningStaging{Notes: []string{}, Solutions: []string{}},
		},
		Messages: []tuningMessage{},
	}
	t.addSolution(p.Status)
	return p
}

// addSolution adds the saptune solution. If the host is not compliant, the last
// note of the solution is missing. If it is not tuned, no solution is applied.
func (t tuning) addSolution(s *tuningStatus) {
	t.addMessages(s)
	if t.solution == "" {
		return
	}
	r, notes := &s.Result, notesOf[t.solution]
	r.SolutionEnabled = []string{t.solution}
	r.NotesEnabledBySolution = []solutionNotes{{t.solution, notes}}
	r.NotesEnabled = notes
	if t.state == notTuned {
		r.Services["saptune"] = []string{"disabled", "inactive"}
		return
	}
	applied := notes
	if t.state == notCompliant {
		applied = notes[:len(notes)-1]
	}
	r.SolutionApplied = []solutionApplied{{t.solution, t.state == notCompliant}}
	r.NotesAppliedBySolution = []solutionNotes{{t.solution, applied}}
	r.NotesApplied = applied
}

// addMessages adds the messages of saptune: about another tool for the same
// purpose, about failed services, and about checks that it cannot make.
func (t tuning) addMessages(s *tuningStatus) {
	r := &s.Result
	switch t.state {
	case compliant:
		s.Messages = append(s.Messages, tuningMessage{"NOTICE", "Looking at all block devices, which can take some time.\n"})
	case notCompliant:
		const exitDiffers = 4
		s.ExitCode = exitDiffers
		s.Messages = append(s.Messages, tuningMessage{"WARNING", "Parameter 'kernel.shmmni' is set in another file, too: /etc/sysctl.d/90-local.conf(32768).\n"})
		r.SystemState, r.RememberMessage = "degraded", "\nSome services of this host have failed.\n"
		r.Services["sapconf"] = []string{"disabled", "inactive"}
	case notTuned:
		s.ExitCode = 1
		r.RememberMessage = "\nRemember: nothing tunes this host after its next start.\n"
		r.Services["sapconf"], r.Services["tuned"] = []string{"enabled", "active"}, []string{}
	}
}
