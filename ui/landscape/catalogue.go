package landscape

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// cataloguePath is the path of the page of the catalogue of checks.
const cataloguePath = "/catalog"

// abilityAll permits everything. Its holders look after the server.
const abilityAll = "all:all"

// cataloguePage lists the checks of the catalogue.
type cataloguePage struct {
	page.Frame
	Total, Shown int
	Words        string
	Filters      []catalogueFilter
	Filtered     bool
	Groups       []catalogueGroup
	Views        table.ViewMenu

	// Where the checks come from; nil if the reader need not know.
	Source *catalogueSource
}

// Template implements page.Page.
func (*cataloguePage) Template() string { return "catalogue" }

// catalogueFilter is a choice among checks.
type catalogueFilter struct {
	Name, Label string
	Options     []page.Option
}

// catalogueGroup has the checks of a group.
type catalogueGroup struct {
	ID, Name string
	Checks   []catalogueRow
	Open     bool // its checks are listed
}

// catalogueRow is a check.
type catalogueRow struct {
	ID, Name    string
	Target      string // "cluster" or "host"
	Severity    page.HealthMark
	Description page.HTML
	Remediation page.HTML
	Facts       []check.Fact
	Values      []catalogueValue
	Selected    string // "Selected on 3 clusters"
	// Customized are the pages of the values that are customised for a cluster or
	// host.
	Customized []page.Link
}

// catalogueValue is a value with which a check compares facts.
type catalogueValue struct {
	Name, Default string
	Conditions    []catalogueCondition
	Customizable  bool
}

// catalogueCondition is a value for some environments.
type catalogueCondition struct{ Value, When string }

// catalogueSource says where the checks come from, and which files cannot be
// used.
type catalogueSource struct {
	Directories []check.Directory
	Version     string
	ReadAt      page.Timestamp
	Broken      []check.Fault
	Shadowed    []check.Shadow
}

// catalogueChoices are the filters by the environment: parameter, key of the
// environment, label, and the values with their names.
var catalogueChoices = []struct {
	name, key, label string
	values           []string // value, name, …
}{
	{"target", "target_type", "Target", []string{"cluster", "Clusters", "host", "Hosts"}},
	{"cluster_type", "cluster_type", "Cluster type", []string{"hana_scale_up", "HANA Scale Up", "hana_scale_out", "HANA Scale Out", "ascs_ers", "ASCS/ERS"}},
	{"provider", "provider", "Provider", []string{"azure", "Azure", "aws", "AWS", "gcp", "GCP", "kvm", "On-premises / KVM", "vmware", "VMware", "nutanix", "Nutanix"}},
	{"arch", "arch", "Architecture", []string{"x86_64", "x86_64", "ppc64le", "ppc64le", "s390x", "s390x"}},
}

// showCatalogue answers GET /catalog.
func (s *Pages) showCatalogue(w http.ResponseWriter, r *http.Request) error {
	c, query := s.Executions.Catalogue(), r.URL.Query()
	p := cataloguePage{Frame: s.NewFrame(r, "Checks catalog"), Total: len(c.Checks), Words: strings.TrimSpace(query.Get("q"))}
	p.Live = "host cluster customization"
	environment := p.readFilters(query)
	chosen := slices.DeleteFunc(slices.Clone(c.Checks), func(x *check.Check) bool {
		return !x.AppliesTo(r.Context(), environment) || !hasWords(x, p.Words) || query.Get("severity") != "" && string(x.Severity) != query.Get("severity") || query.Get("group") != "" && x.Group != query.Get("group")
	})
	p.addCatalogueFilter("severity", "Severity", query.Get("severity"), []string{"critical", "Critical", "warning", "Warning"})
	var groups []string
	for _, x := range c.Checks {
		if !slices.Contains(groups, x.Group) {
			groups = append(groups, x.Group)
		}
	}
	slices.Sort(groups)
	var options []string
	for _, name := range groups {
		options = append(options, name, name)
	}
	p.addCatalogueFilter("group", "Group", query.Get("group"), options)
	p.Filtered = p.Filtered || p.Words != ""
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		customized, err := customizedThings(tx, v)
		if err != nil {
			return err
		}
		p.fill(chosen, selectionsOf(v), customized)
		if p.Views, err = table.NewViewMenu(tx, p.Reader, cataloguePath, p.query()); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.Can(abilityAll) {
		p.Source = &catalogueSource{Directories: c.Directories, Version: c.Version, ReadAt: s.Timestamp(c.ReadAt), Broken: c.Broken, Shadowed: c.Shadowed}
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// readFilters reads the filters by the environment. The type of clusters only
// matters for checks of clusters, and the architecture for those of hosts.
func (p *cataloguePage) readFilters(query url.Values) check.Environment {
	environment := check.Environment{}
	target := query.Get("target")
	for _, c := range catalogueChoices {
		if c.name == "cluster_type" && target != "cluster" || c.name == "arch" && target != "host" {
			continue
		}
		value := query.Get(c.name)
		if p.addCatalogueFilter(c.name, c.label, value, c.values); value != "" {
			environment[c.key] = value
		}
	}
	return environment
}

// query returns the parameters of the address that filter.
func (p *cataloguePage) query() url.Values {
	query := url.Values{}
	if p.Words != "" {
		query.Set("q", p.Words)
	}
	for _, filter := range p.Filters {
		for _, o := range filter.Options {
			if o.Chosen && o.Value != "" {
				query.Set(filter.Name, o.Value)
			}
		}
	}
	return query
}

func (p *cataloguePage) addCatalogueFilter(name, label, value string, values []string) {
	p.Filters = append(p.Filters, catalogueFilter{name, label, page.Choices(value, append([]string{"", "All"}, values...)...)})
	p.Filtered = p.Filtered || value != ""
}

// hasWords reports whether a check contains all words.
func hasWords(c *check.Check, words string) bool {
	text := strings.ToLower(strings.Join([]string{c.ID, c.Name, c.Group, c.Description, c.Remediation}, " "))
	for _, f := range c.Facts {
		text += " " + strings.ToLower(f.Gatherer+" "+f.Argument)
	}
	return !slices.ContainsFunc(strings.Fields(strings.ToLower(words)), func(word string) bool { return !strings.Contains(text, word) })
}

// selectionsOf returns on how many things each check is selected.
func selectionsOf(v *page.Snapshot) map[string]int {
	selected := make(map[string]int)
	count := func(ids []string) {
		for _, id := range ids {
			selected[id]++
		}
	}
	for _, c := range v.Clusters {
		count(c.SelectedChecks)
	}
	for _, h := range v.Hosts {
		count(h.SelectedChecks)
	}
	return selected
}

// customizedThings returns for which registered clusters and hosts the values of
// each check are customised.
func customizedThings(tx *store.Tx, v *page.Snapshot) (map[string][]page.Link, error) {
	customized := make(map[string][]page.Link)
	for c, err := range tx.Customizations() {
		if err != nil {
			return nil, err
		}
		link := page.Link{}
		if cluster := v.ClusterByID[landscape.ClusterID(c.GroupID)]; cluster != nil {
			link = page.Link{Name: page.ClusterName(cluster), URL: valuesPath(groupPath(check.ClusterSubject, c.GroupID), c.CheckID)}
		} else if host := v.HostByID[landscape.HostID(c.GroupID)]; host != nil {
			link = page.Link{Name: host.Hostname, URL: valuesPath(groupPath(check.HostSubject, c.GroupID), c.CheckID)}
		} else {
			continue
		}
		customized[c.CheckID] = append(customized[c.CheckID], link)
	}
	return customized, nil
}

// fill sets the groups. Without filters, only the checks of the first one are
// listed.
func (p *cataloguePage) fill(checks []*check.Check, selected map[string]int, customized map[string][]page.Link) {
	p.Shown = len(checks)
	for _, c := range checks {
		i := slices.IndexFunc(p.Groups, func(g catalogueGroup) bool { return g.Name == c.Group })
		if i < 0 {
			i = len(p.Groups)
			p.Groups = append(p.Groups, catalogueGroup{ID: "group-" + url.PathEscape(c.Group), Name: c.Group})
		}
		row := newCatalogueRow(c, selected[c.ID])
		row.Customized = customized[c.ID]
		p.Groups[i].Checks = append(p.Groups[i].Checks, row)
	}
	slices.SortStableFunc(p.Groups, func(a, b catalogueGroup) int { return strings.Compare(a.Name, b.Name) })
	for i := range p.Groups {
		p.Groups[i].Open = i == 0 || p.Filtered
	}
}

func newCatalogueRow(c *check.Check, selected int) catalogueRow {
	row := catalogueRow{
		ID: c.ID, Name: c.Name, Target: string(c.SubjectKind()), Description: page.Markdown(c.Description), Remediation: page.Markdown(c.Remediation), Facts: c.Facts,
		Severity: page.NewHealthMark("Severity", landscape.Health(c.Severity), page.Timestamp{}),
	}
	if selected > 0 {
		row.Selected = "Selected on " + page.Count(selected, row.Target, row.Target+"s")
	}
	for i := range c.Values {
		v := &c.Values[i]
		value := catalogueValue{Name: v.Name, Default: v.Default.String(), Customizable: !c.CustomizationDisabled && v.Customizable()}
		for _, condition := range v.Conditions {
			value.Conditions = append(value.Conditions, catalogueCondition{condition.Value.String(), condition.When.Source()})
		}
		row.Values = append(row.Values, value)
	}
	return row
}

// whyInapplicable says why a check does not apply to an environment.
func whyInapplicable(ctx context.Context, c *check.Check, e check.Environment) string {
	for _, choice := range catalogueChoices {
		want, ok := c.Metadata[choice.key]
		have, known := e[choice.key]
		if ok && known && !(&check.Check{Metadata: map[string]any{choice.key: want}}).AppliesTo(ctx, check.Environment{choice.key: have}) {
			return "It is for another " + strings.ToLower(choice.label) + "."
		}
	}
	if c.When != nil {
		return "It applies only when " + strings.TrimSpace(c.When.Source()) + "."
	}
	return "It is for another kind of cluster."
}
