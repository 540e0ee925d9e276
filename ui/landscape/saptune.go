package landscape

import (
	"strings"

	"trento/store/landscape"
	"trento/ui/page"
)

// saptuneSummary is the state of saptune on a host.
type saptuneSummary struct {
	Package        string
	PackageWarning string
	Configured     string
	Tuning         string
	TuningState    string // symbol for the tuning; "" for none
	TuningHint     string // advice about the tuning
	Detailed       bool   // details of saptune are known
	Services       []saptuneService
	Tunables       []page.Fact
}

type saptuneService struct{ Name, Enabled, Active string }

func newSaptuneSummary(s *landscape.Saptune) saptuneSummary {
	if s == nil {
		return saptuneSummary{Package: "Not installed", Configured: "-", Tuning: "-"}
	}
	sum := saptuneSummary{Package: orEmpty(s.PackageVersion), Configured: orEmpty(s.ConfiguredVersion), Tuning: "-"}
	if sum.Configured == "" {
		sum.Configured = "-"
	}
	if landscape.SaptuneOutdated(sum.Package) {
		sum.PackageWarning = "minimum supported version is " + landscape.MinimumSaptune
		return sum
	}
	switch orEmpty(s.TuningState) {
	case "compliant":
		sum.Tuning, sum.TuningState = "Compliant", "passing"
	case "not compliant":
		sum.Tuning, sum.TuningState = "Not compliant", "critical"
		sum.TuningHint = "Run saptune note verify on the host to see which settings differ."
	case "not tuned":
		sum.Tuning, sum.TuningState = "No tuning", "warning"
		sum.TuningHint = "No note and no solution is applied on the host."
	}
	sum.Detailed = true
	for _, service := range s.Services {
		sum.Services = append(sum.Services, saptuneService{service.Name, orDash(orEmpty(service.Enabled)), orDash(orEmpty(service.Active))})
	}
	sum.Tunables = []page.Fact{
		{Label: "Enabled Solution", Text: solutionText(s.EnabledSolution)},
		{Label: "Applied Solution", Text: solutionText(s.AppliedSolution)},
		{Label: "Enabled Notes", Text: noteNames(s.EnabledNotes)},
		{Label: "Applied Notes", Text: noteNames(s.AppliedNotes)},
	}
	if staging := s.Staging; staging != nil {
		state := "off"
		if staging.Enabled {
			state = "on"
		}
		sum.Tunables = append(sum.Tunables,
			page.Fact{Label: "Staging", Text: state},
			page.Fact{Label: "Staged Notes", Text: strings.Join(staging.Notes, ", ")},
			page.Fact{Label: "Staged Solutions", Text: strings.Join(staging.SolutionsIDs, ", ")})
	}
	return sum
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func solutionText(s *landscape.SaptuneSolution) string {
	if s == nil {
		return ""
	}
	text := s.ID
	if len(s.Notes) > 0 {
		text += " (" + strings.Join(s.Notes, ", ") + ")"
	}
	if s.Partial {
		text += ", partially applied"
	}
	return text
}

// noteNames returns the names of notes, with a mark for those that do not
// belong to a solution.
func noteNames(notes []landscape.SaptuneNote) string {
	texts := make([]string, len(notes))
	for i, n := range notes {
		texts[i] = n.ID
		if n.AdditionallyEnabled {
			texts[i] += " (additional)"
		}
	}
	return strings.Join(texts, ", ")
}
