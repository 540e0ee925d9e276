package landscape

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
)

// The abilities to select checks.
const (
	abilitySelectHost    = "all:host_checks_selection"
	abilitySelectCluster = "all:cluster_checks_selection"
)

// selectionPage selects the checks of a cluster or host.
type selectionPage struct {
	page.Frame
	checkedThing
	Heading  string
	Starting checkStart
	Refused  string // why the reader may not save; "" if the reader may
	Warning  string
	Groups   []selectionGroup
	Total    int // checks that apply
	Selected int
	Modified int      // checks that apply and have customised values
	Gone     []string // selected checks that the catalogue does not have
	// Others are the checks that do not apply.
	Others []otherCheck
}

// Template implements page.Page.
func (*selectionPage) Template() string { return "selection" }

// selectionGroup has the checks of a group.
type selectionGroup struct {
	Name   string
	Checks []selectionRow
}

// selectionRow is a check that can be selected.
type selectionRow struct {
	ID, Name, Description string
	Chosen, Modified      bool
	ValuesURL             string // of the page that customises its values; "" if it has none to customise
}

// otherCheck is a check that does not apply, and why.
type otherCheck struct{ ID, Name, Reason string }

// selectionRoutes returns the routes of the pages that select checks.
func (s *Pages) selectionRoutes() []api.Route {
	read := auth.InSets("read_only", "checks")
	return []api.Route{
		{Method: "GET", Path: cataloguePath, Access: auth.SignedIn, Tokens: read.As("GET /api/v3/checks/catalog"), Handle: s.showCatalogue},
		{Method: "GET", Path: "/clusters/{id}/settings", Access: auth.SignedIn, Tokens: read, Handle: s.showSelection(check.ClusterSubject)},
		{Method: "POST", Path: "/clusters/{id}/settings", Access: auth.Needs(abilitySelectCluster), Tokens: auth.InSets("checks").As("POST /api/v1/clusters/{cluster_id}/checks"), Handle: page.ReadForm(s.selectChecks(check.ClusterSubject))},
		{Method: "GET", Path: "/hosts/{id}/settings", Access: auth.SignedIn, Tokens: read, Handle: s.showSelection(check.HostSubject)},
		{Method: "POST", Path: "/hosts/{id}/settings", Access: auth.Needs(abilitySelectHost), Tokens: auth.InSets("checks").As("POST /api/v1/hosts/{id}/checks"), Handle: page.ReadForm(s.selectChecks(check.HostSubject))},
	}
}

// showSelection answers GET /clusters/{id}/settings and GET /hosts/{id}/settings.
func (s *Pages) showSelection(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		p := selectionPage{Frame: s.NewFrame(r, "Check settings")}
		p.Live = string(kind) + ":" + id + " customization"
		err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
			x, err := readCheckedGroup(tx, kind, id)
			if err != nil {
				return err
			}
			p.checkedThing = x.thing
			if p.Heading = "Check Settings for " + x.thing.Name; kind == check.ClusterSubject {
				p.Heading = "Cluster Settings for " + x.thing.Name
			}
			if p.Refused = p.WhyRefused(abilitySelectHost); kind == check.ClusterSubject {
				p.Refused = p.WhyRefused(abilitySelectCluster)
			}
			custom, err := tx.CustomValues(id)
			if err != nil || x.subject == nil {
				return err
			}
			p.Starting = s.newCheckStart(r, &p.Frame, x)
			s.fillSelection(r, &p, x.subject, custom)
			return s.ReadFrame(&p.Frame, tx)
		})
		if err != nil {
			return err
		}
		return s.Render(w, r, http.StatusOK, &p)
	}
}

// fillSelection sets the checks that apply, and those that do not.
func (s *Pages) fillSelection(r *http.Request, p *selectionPage, subject *check.Subject, custom check.CustomValues) {
	if provider := subject.Environment["provider"]; provider == "unknown" {
		p.Warning = "The provider is not known. The checks listed are those for on-premises machines."
	}
	catalogue := s.Executions.Catalogue()
	for _, c := range catalogue.Checks {
		if c.SubjectKind() != subject.Kind {
			continue
		}
		chosen := slices.Contains(subject.Selected, c.ID)
		if !c.AppliesTo(r.Context(), subject.Environment) && !chosen {
			p.Others = append(p.Others, otherCheck{c.ID, c.Name, whyInapplicable(r.Context(), c, subject.Environment)})
			continue
		}
		i := slices.IndexFunc(p.Groups, func(g selectionGroup) bool { return g.Name == c.Group })
		if i < 0 {
			i = len(p.Groups)
			p.Groups = append(p.Groups, selectionGroup{Name: c.Group})
		}
		row := selectionRow{ID: c.ID, Name: c.Name, Description: strings.ReplaceAll(c.Description, "`", ""), Chosen: chosen, Modified: len(custom[c.ID]) > 0}
		if row.Modified {
			p.Modified++
		}
		if row.Modified || c.Customizable() {
			row.ValuesURL = valuesPath(p.Path, c.ID)
		}
		p.Groups[i].Checks = append(p.Groups[i].Checks, row)
		p.Total++
	}
	slices.SortStableFunc(p.Groups, func(a, b selectionGroup) int { return cmp.Compare(a.Name, b.Name) })
	p.Selected = len(subject.Selected)
	for _, id := range subject.Selected {
		if catalogue.Find(id) == nil {
			p.Gone = append(p.Gone, id)
		}
	}
}

// selectChecks answers POST /clusters/{id}/settings and POST
// /hosts/{id}/settings.
func (s *Pages) selectChecks(kind check.SubjectKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pathGroup(r)
		if err != nil {
			return err
		}
		by, chosen := auth.From(r.Context()).Actor(), r.PostForm["check"]
		if kind == check.ClusterSubject {
			err = s.Store.SelectClusterChecks(r.Context(), by, landscape.ClusterID(id), chosen)
		} else {
			err = s.Store.SelectHostChecks(r.Context(), by, landscape.HostID(id), chosen)
		}
		if err != nil {
			return err
		}
		var name string
		if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
			x, err := readCheckedGroup(tx, kind, id)
			if err == nil {
				name = x.thing.Name
			}
			return err
		}); err != nil {
			return err
		}
		s.SetFlash(w, r, "Checks selection for "+name+" saved")
		http.Redirect(w, r, groupPath(kind, id)+"/settings", http.StatusSeeOther)
		return nil
	}
}
