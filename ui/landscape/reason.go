package landscape

import (
	"fmt"

	"trento/store"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
)

// healthReason says why a thing has its health, as the template "reason" draws
// it: one clause for each health among its reasons. The first clause is about
// the health of the thing.
type healthReason struct {
	State   string         // passing, warning, critical, unknown
	Since   page.Timestamp // since when it has its health; empty if that is not known
	Was     string         // health before, in small letters; "" if that is not known
	Clauses []reasonClause
}

// reasonClause has the reasons with one health.
type reasonClause struct {
	Word  string // "Critical"
	Parts []reasonPart
}

// reasonPart is a reason, with a link to the page of what it is about.
type reasonPart struct {
	Join string // what stands before it: "", ", " or " and "
	Text string
	URL  string
}

// maxReasonParts is the largest number of reasons that a clause names.
const maxReasonParts = 5

// healthReason returns why a registered thing has its health, and since when.
func (s *Pages) healthReason(tx *store.Tx, t landscape.Thing, h landscape.Health, reasons landscape.Reasons) healthReason {
	r := newHealthReason(h, reasons, registeredPath(tx))
	r.Since, r.Was = s.healthSince(tx, t)
	return r
}

// newHealthReason returns why a thing has its health. pathOf returns the path
// of the page of the thing with an id, "" if it has none.
func newHealthReason(h landscape.Health, reasons landscape.Reasons, pathOf func(id string) string) healthReason {
	r := healthReason{State: string(page.ShownHealth(h))}
	if r.State == string(landscape.HealthPassing) && len(reasons) == 0 {
		r.Clauses = []reasonClause{{Word: page.HealthWord(h), Parts: []reasonPart{{Text: "nothing found wrong"}}}}
	}
	for len(reasons) > 0 {
		group := reasons.Decisive()
		reasons = reasons[len(group):]
		clause := reasonClause{Word: page.HealthWord(group[0].Health)}
		for _, reason := range group[:min(len(group), maxReasonParts)] {
			part := reasonPart{Text: reason.Text}
			if reason.About.ID != "" {
				part.URL = pathOf(reason.About.ID)
			}
			clause.Parts = append(clause.Parts, part)
		}
		if more := len(group) - maxReasonParts; more > 0 {
			clause.Parts = append(clause.Parts, reasonPart{Text: fmt.Sprintf("%d more", more)})
		}
		for i := 1; i < len(clause.Parts); i++ {
			clause.Parts[i].Join = ", "
		}
		if last := len(clause.Parts) - 1; last > 0 {
			clause.Parts[last].Join = " and "
		}
		r.Clauses = append(r.Clauses, clause)
	}
	return r
}

// registeredPath returns a function that returns the path of the page of a
// thing; "" if the thing is not registered.
func registeredPath(tx *store.Tx) func(id string) string {
	known := activitypages.RegisteredPages(tx)
	return func(id string) string { return known(id).URL }
}
