package ui

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/ui/account"
	activitypages "trento/ui/activity"
	"trento/ui/api"
	landscapepages "trento/ui/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// searchPage shows what a search of the whole landscape finds.
type searchPage struct {
	page.Frame
	Words  string
	People bool         // the search includes users
	Groups []foundGroup // kinds with at least one found thing
	LogURL string       // address that searches the activity log
}

// Template implements page.Page.
func (*searchPage) Template() string { return "search" }

// foundGroup has the found things of one kind.
type foundGroup struct {
	ID, Label string
	Count     int
	Rows      []foundRow
	URL       string // address of the list of all things of this kind, with the same search
}

type foundRow struct {
	Health  *page.HealthMark // nil for kinds without health
	Name    page.Link
	Details []string
}

const (
	// maxSearchLength is the largest length of a search, in bytes.
	maxSearchLength = 200
	// maxFoundPerKind is the number of things of a kind that the page shows.
	// Their list has all of them.
	maxFoundPerKind = 10
)

// finder searches things of one kind in the columns of their table, so that the
// search box of their list finds the same things.
type finder[T any] struct {
	id, label  string
	table      *table.Table[T]
	name       func(T) page.Link
	staleSince func(T) *time.Time // nil for kinds without health
	details    func(T) []string
}

// hit is a thing that was found.
type hit[T any] struct {
	thing    T
	distance int
}

// hits returns the things that contain all words.
func (f finder[T]) hits(all []T, words string) []hit[T] {
	wanted := strings.Fields(strings.ToLower(words))
	var hits []hit[T]
	for _, thing := range all {
		if f.table.Contains(thing, wanted) {
			hits = append(hits, hit[T]{thing, nameDistance(f.name(thing).Name, wanted[0])})
		}
	}
	return hits
}

// forPrograms returns the hits as answers of the API. address is the address of
// a thing in the API, before its id.
func (f finder[T]) forPrograms(all []T, words, kind, address string) []api.FoundThing {
	var found []api.FoundThing
	for _, h := range f.hits(all, words) {
		id, link := f.table.ID(h.thing), f.name(h.thing)
		thing := api.FoundThing{
			Kind: kind, ID: id, Name: link.Name, Console: link.URL, API: address + id, Distance: h.distance,
			Matched: f.table.Matching(h.thing, strings.Fields(strings.ToLower(words))),
		}
		if f.staleSince != nil {
			health := page.ShownHealth(f.table.Health(h.thing))
			thing.Health = &health
		}
		found = append(found, thing)
	}
	return found
}

// find returns the things that the API finds for words.
func (s *server) find(tx *store.Tx, words string, users bool) ([]api.FoundThing, error) {
	v, err := s.Snapshot(tx)
	if err != nil {
		return nil, err
	}
	found := slices.Concat(
		hostFinder.forPrograms(landscapepages.HostsTable.List(v), words, "host", "/api/v1/hosts?q="),
		clusterFinder.forPrograms(landscapepages.ClustersTable.List(v), words, "cluster", "/api/v2/clusters?q="),
		sapSystemFinder.forPrograms(landscapepages.SAPSystemsTable.List(v), words, "sap_system", "/api/v1/sap_systems?q="),
		databaseFinder.forPrograms(landscapepages.DatabasesTable.List(v), words, "database", "/api/v1/databases?q="),
	)
	if !users {
		return found, nil
	}
	items, err := s.account.UserItems(tx)
	return append(found, userFinder.forPrograms(items, words, "user", "/api/v1/users/")...), err
}

// findThings returns the things that contain all words. An exact name comes first,
// then names that begin with the words, then the most urgent.
func (f finder[T]) findThings(s *server, all []T, words string) foundGroup {
	g := foundGroup{ID: f.id, Label: f.label, URL: page.WithQuery(f.table.Path, url.Values{"q": {words}})}
	hits := f.hits(all, words)
	slices.SortStableFunc(hits, func(a, b hit[T]) int { return cmp.Compare(a.distance, b.distance) })
	g.Count = len(hits)
	for _, h := range hits[:min(len(hits), maxFoundPerKind)] {
		row := foundRow{Name: f.name(h.thing)}
		if f.staleSince != nil {
			mark := page.NewHealthMark("", f.table.Health(h.thing), s.TimestampOf(f.staleSince(h.thing)))
			mark.Bare = true
			row.Health = &mark
		}
		for _, detail := range f.details(h.thing) {
			if detail != "" {
				row.Details = append(row.Details, detail)
			}
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// nameDistance says how well a name matches a word, 0 for the best.
func nameDistance(name, word string) int {
	switch name = strings.ToLower(name); {
	case name == word:
		return 0
	case strings.HasPrefix(name, word):
		return 1
	}
	return 2
}

// The kinds of things that can be found.
var (
	hostFinder = finder[*landscapepages.HostItem]{
		"hosts", "Hosts", &landscapepages.HostsTable,
		func(h *landscapepages.HostItem) page.Link {
			return page.Link{Name: h.Hostname, URL: "/hosts/" + string(h.ID)}
		},
		func(h *landscapepages.HostItem) *time.Time { return h.StaleSince },
		func(h *landscapepages.HostItem) []string {
			return append([]string{strings.Join(landscapepages.BareAddresses(h.Host), ", "), landscapepages.ProviderLabel(h.Host), h.Cluster.Name, strings.Join(h.Sids, ", ")}, h.Tags...)
		},
	}
	clusterFinder = finder[*landscapepages.ClusterItem]{
		"clusters", "Clusters", &landscapepages.ClustersTable,
		func(c *landscapepages.ClusterItem) page.Link { return page.LinkToCluster(c.Cluster) },
		func(c *landscapepages.ClusterItem) *time.Time { return c.StaleSince },
		func(c *landscapepages.ClusterItem) []string {
			return append([]string{landscapepages.ClusterTypeWord(string(c.Type)), strings.Join(c.Sids, ", ")}, c.Tags...)
		},
	}
	sapSystemFinder = finder[*landscapepages.SAPSystemItem]{
		"sap_systems", "SAP Systems", &landscapepages.SAPSystemsTable,
		func(s *landscapepages.SAPSystemItem) page.Link { return page.LinkToSAPSystem(s.SAPSystem) },
		func(s *landscapepages.SAPSystemItem) *time.Time { return s.StaleSince },
		func(s *landscapepages.SAPSystemItem) []string {
			return append([]string{s.Kind, "on " + s.Database.Name, "tenant " + s.Tenant}, s.Tags...)
		},
	}
	databaseFinder = finder[*landscapepages.DatabaseItem]{
		"databases", "HANA Databases", &landscapepages.DatabasesTable,
		func(db *landscapepages.DatabaseItem) page.Link { return page.LinkToDatabase(db.Database) },
		func(db *landscapepages.DatabaseItem) *time.Time { return db.StaleSince },
		func(db *landscapepages.DatabaseItem) []string { return append([]string{db.Summary()}, db.Tags...) },
	}
	userFinder = finder[*account.UserItem]{
		"users", "Users", &account.UsersTable,
		func(u *account.UserItem) page.Link {
			return page.Link{Name: u.Username, URL: account.UserPath(u.ID, "edit")}
		},
		nil,
		func(u *account.UserItem) []string { return []string{u.Fullname, u.Email, u.Status()} },
	}
)

// showSearch answers GET /search?q=words.
func (s *server) showSearch(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := searchPage{Frame: s.NewFrame(r, "Search"), Words: firstBytes(strings.TrimSpace(r.URL.Query().Get("q")), maxSearchLength)}
	p.Live, p.Searches = "host cluster database sap_system tags", true
	p.People = auth.From(r.Context()).Can(page.AbilityUsers)
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		if p.Words == "" {
			return s.ReadFrame(&p.Frame, tx)
		}
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		p.Groups = []foundGroup{
			hostFinder.findThings(s, landscapepages.HostsTable.List(v), p.Words), clusterFinder.findThings(s, landscapepages.ClustersTable.List(v), p.Words),
			sapSystemFinder.findThings(s, landscapepages.SAPSystemsTable.List(v), p.Words), databaseFinder.findThings(s, landscapepages.DatabasesTable.List(v), p.Words),
		}
		if p.People {
			users, err := s.account.UserItems(tx)
			if err != nil {
				return err
			}
			p.Groups = append(p.Groups, userFinder.findThings(s, users, p.Words))
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Groups = slices.DeleteFunc(p.Groups, func(g foundGroup) bool { return g.Count == 0 })
	if p.Words != "" {
		p.LogURL = page.WithQuery("/activity_log", url.Values{"search": {p.Words}, "severity": activitypages.SeverityNames()})
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// firstBytes returns the beginning of a text, at most limit bytes and whole
// characters.
func firstBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
