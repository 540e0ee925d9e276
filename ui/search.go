package ui

import (
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
	Icon      string
	Count     int
	Rows      []foundRow
	URL       string // address of the list of all things of this kind, with the same search
	distance  int    // of the best one
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

// searchWords are the words of a search, in lower case.
type searchWords []string

func parseSearch(text string) searchWords {
	return strings.Fields(strings.ToLower(firstBytes(text, maxSearchLength)))
}

// finder searches things of one kind in the columns of their table, so that the
// search box of their list finds the same things.
type finder[T any] struct {
	id, label, icon string
	table           *table.Table[T]
	name            func(T) page.Link
	staleSince      func(T) *time.Time // nil for kinds without health
	details         func(T) []string
}

// hit is a thing that was found.
type hit[T any] struct {
	thing    T
	distance int
}

// hits returns the things of the landscape that contain all words, the best
// first: an exact name, then names that begin with the first word, then names
// that contain it. Of equal ones, the most urgent comes first.
func (f finder[T]) hits(v *page.Snapshot, words searchWords) []hit[T] {
	return f.rank(f.table.Find(v, words), words)
}

// rank orders things that contain all words by the distance of their names.
// Things at the same distance keep their order.
func (f finder[T]) rank(found []T, words searchWords) []hit[T] {
	var byDistance [elsewhere + 1][]hit[T]
	for _, thing := range found {
		distance := nameDistance(f.name(thing).Name, words[0])
		byDistance[distance] = append(byDistance[distance], hit[T]{thing, distance})
	}
	return slices.Concat(byDistance[:]...)
}

// hitsAmong returns the hits in things that are not part of the landscape.
func (f finder[T]) hitsAmong(all []T, words searchWords) []hit[T] {
	return f.rank(slices.DeleteFunc(slices.Clone(all), func(thing T) bool { return !f.table.Contains(thing, words) }), words)
}

// apiHits returns hits as answers of the API. address is the address of a
// thing in the API, before its id.
func (f finder[T]) apiHits(hits []hit[T], words searchWords, kind, address string) []api.FoundThing {
	var found []api.FoundThing
	for _, h := range hits {
		id, link := f.table.ID(h.thing), f.name(h.thing)
		thing := api.FoundThing{
			Kind: kind, ID: id, Name: link.Name, Console: link.URL, API: address + id, Distance: h.distance,
			Matched: f.table.Matching(h.thing, words),
		}
		if f.staleSince != nil {
			health := page.ShownHealth(f.table.Health(h.thing))
			thing.Health = &health
		}
		found = append(found, thing)
	}
	return found
}

// find returns the things that the API finds for a text.
func (s *server) find(tx *store.Tx, text string, users bool) ([]api.FoundThing, error) {
	v, err := s.Snapshot(tx)
	if err != nil {
		return nil, err
	}
	words := parseSearch(text)
	if len(words) == 0 {
		return nil, nil
	}
	found := slices.Concat(
		hostFinder.apiHits(hostFinder.hits(v, words), words, "host", "/api/v1/hosts?q="),
		clusterFinder.apiHits(clusterFinder.hits(v, words), words, "cluster", "/api/v2/clusters?q="),
		sapSystemFinder.apiHits(sapSystemFinder.hits(v, words), words, "sap_system", "/api/v1/sap_systems?q="),
		databaseFinder.apiHits(databaseFinder.hits(v, words), words, "database", "/api/v1/databases?q="),
	)
	if !users {
		return found, nil
	}
	items, err := s.account.UserItems(tx)
	return append(found, userFinder.apiHits(userFinder.hitsAmong(items, words), words, "user", "/api/v1/users/")...), err
}

// findThings returns the things of each kind that contain all words of a text,
// at most limit of a kind. Users are for those who manage them.
func (s *server) findThings(tx *store.Tx, v *page.Snapshot, text string, users bool, limit int) (groups []foundGroup, err error) {
	words := parseSearch(text)
	groups = []foundGroup{
		hostFinder.group(s, hostFinder.hits(v, words), text, limit), clusterFinder.group(s, clusterFinder.hits(v, words), text, limit),
		sapSystemFinder.group(s, sapSystemFinder.hits(v, words), text, limit), databaseFinder.group(s, databaseFinder.hits(v, words), text, limit),
	}
	if users {
		items, err := s.account.UserItems(tx)
		if err != nil {
			return nil, err
		}
		groups = append(groups, userFinder.group(s, userFinder.hitsAmong(items, words), text, limit))
	}
	return slices.DeleteFunc(groups, func(g foundGroup) bool { return g.Count == 0 }), nil
}

// group returns the first hits as a group.
func (f finder[T]) group(s *server, hits []hit[T], text string, limit int) foundGroup {
	g := foundGroup{ID: f.id, Label: f.label, Icon: f.icon, Count: len(hits), URL: page.WithQuery(f.table.Path, url.Values{"q": {text}})}
	for _, h := range hits[:min(len(hits), limit)] {
		g.Rows = append(g.Rows, f.row(s, h.thing))
	}
	if len(hits) > 0 {
		g.distance = hits[0].distance
	}
	return g
}

func (f finder[T]) row(s *server, thing T) foundRow {
	row := foundRow{Name: f.name(thing)}
	if f.staleSince != nil {
		mark := page.NewHealthMark("", f.table.Health(thing), s.TimestampOf(f.staleSince(thing)))
		mark.Bare = true
		row.Health = &mark
	}
	for _, detail := range f.details(thing) {
		if detail != "" {
			row.Details = append(row.Details, detail)
		}
	}
	return row
}

// The distances of a name to a word, the best first.
const (
	sameName = iota
	nameBegins
	nameContains
	elsewhere // the word is not in the name
)

// nameDistance returns the distance of a name to a word in lower case.
func nameDistance(name, word string) int {
	switch name = strings.ToLower(name); {
	case name == word:
		return sameName
	case strings.HasPrefix(name, word):
		return nameBegins
	case strings.Contains(name, word):
		return nameContains
	}
	return elsewhere
}

// The kinds of things that can be found.
var (
	hostFinder = finder[*landscapepages.HostItem]{
		"hosts", "Hosts", "host", &landscapepages.HostsTable,
		func(h *landscapepages.HostItem) page.Link {
			return page.Link{Name: h.Hostname, URL: "/hosts/" + string(h.ID)}
		},
		func(h *landscapepages.HostItem) *time.Time { return h.StaleSince },
		func(h *landscapepages.HostItem) []string {
			return append([]string{strings.Join(landscapepages.BareAddresses(h.Host), ", "), landscapepages.ProviderLabel(h.Host), h.Cluster.Name, strings.Join(h.Sids, ", ")}, h.Tags...)
		},
	}
	clusterFinder = finder[*landscapepages.ClusterItem]{
		"clusters", "Clusters", "cluster", &landscapepages.ClustersTable,
		func(c *landscapepages.ClusterItem) page.Link { return page.LinkToCluster(c.Cluster) },
		func(c *landscapepages.ClusterItem) *time.Time { return c.StaleSince },
		func(c *landscapepages.ClusterItem) []string {
			return append([]string{landscapepages.ClusterTypeWord(string(c.Type)), strings.Join(c.Sids, ", ")}, c.Tags...)
		},
	}
	sapSystemFinder = finder[*landscapepages.SAPSystemItem]{
		"sap_systems", "SAP Systems", "sap-system", &landscapepages.SAPSystemsTable,
		func(s *landscapepages.SAPSystemItem) page.Link { return page.LinkToSAPSystem(s.SAPSystem) },
		func(s *landscapepages.SAPSystemItem) *time.Time { return s.StaleSince },
		func(s *landscapepages.SAPSystemItem) []string {
			return append([]string{s.Kind, "on " + s.Database.Name, "tenant " + s.Tenant}, s.Tags...)
		},
	}
	databaseFinder = finder[*landscapepages.DatabaseItem]{
		"databases", "HANA Databases", "database", &landscapepages.DatabasesTable,
		func(db *landscapepages.DatabaseItem) page.Link { return page.LinkToDatabase(db.Database) },
		func(db *landscapepages.DatabaseItem) *time.Time { return db.StaleSince },
		func(db *landscapepages.DatabaseItem) []string { return append([]string{db.Summary()}, db.Tags...) },
	}
	userFinder = finder[*account.UserItem]{
		"users", "Users", "user", &account.UsersTable,
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
		if p.Groups, err = s.findThings(tx, v, p.Words, p.People, maxFoundPerKind); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
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
