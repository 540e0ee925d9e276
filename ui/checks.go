package ui

import (
	"net/http"

	"trento/store/finding"
	"trento/ui/api"
	"trento/ui/page"
)

// checksPath is the address of the form that examines the installation again.
const checksPath = "/about/checks"

// checksSection is what the page About shows of the examination of this
// installation.
type checksSection struct {
	At       page.Timestamp
	Findings []findingRow
	Urgent   int
	Examined []string
	Skipped  []finding.Skipped
	// Support says why the reader may not download a support bundle; "" if the
	// reader may.
	SupportRefused string
}

// findingRow is one thing that is wrong.
type findingRow struct {
	finding.Finding
	Mark string // class and icon of the urgency
}

// newChecksSection examines the installation, without asking others.
func (s *server) newChecksSection(r *http.Request, reader page.Reader) (*checksSection, error) {
	report, err := s.Doctor.Report(r.Context(), false)
	if err != nil {
		return nil, err
	}
	c := &checksSection{At: s.Timestamp(report.At), Urgent: report.Count(finding.Urgent), Examined: report.Examined, Skipped: report.Skipped, SupportRefused: reader.WhyRefused(allAbilities)}
	for _, f := range report.Findings {
		mark := "warning"
		if f.Urgency == finding.Urgent {
			mark = "critical"
		}
		c.Findings = append(c.Findings, findingRow{f, mark})
	}
	return c, nil
}

// allAbilities is the permission for everything.
const allAbilities = "all:all"

// checkAgain answers POST /about/checks: it asks again those whom it takes time
// to ask, and shows what is wrong then.
func (s *server) checkAgain(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Doctor.Report(r.Context(), true); err != nil {
		return err
	}
	http.Redirect(w, r, "/about#checks", http.StatusSeeOther)
	return nil
}

// downloadSupportBundle answers POST /about/support with a support bundle.
func (s *server) downloadSupportBundle(w http.ResponseWriter, r *http.Request) error {
	return api.SendSupport(w, r, s.Doctor, s.Store)
}
