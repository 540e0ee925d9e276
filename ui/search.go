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
)

// searchPage is what of the whole landscape has some words.
type searchPage struct {
	Frame
	Words  string
	People bool         // users are searched, too
	Groups []foundGroup // kinds of which something was found
	LogURL string       // looks for the words in the activity log
}

// foundGroup is what was found of one kind.
type foundGroup struct {
	ID, Label string
	Count     int
	Rows      []foundRow
	URL       string // of the list of all of them
}

type foundRow struct {
	Health  *healthMark // nil for what has none
	Name    link
	Details []string
}

const (
	// maxWords is the length of what can be looked for, in bytes.
	maxWords = 200
	// maxFound is how many things of a kind the search shows; their list has
	// the rest.
	maxFound = 10
)

// finder looks for things of one kind, in what the columns of their table
// say: so the list of them has the same things.
type finder[T any] struct {
	id, label string
	table     *table[T]
	name      func(T) link
	silent    func(T) *time.Time // nil for what has no health
	details   func(T) []string
}

// find lists those things that have all words. The name that was looked for
// comes first, then names that begin like it, then what needs attention.
func (f finder[T]) find(s *server, all []T, words string) foundGroup {
	g := foundGroup{ID: f.id, Label: f.label, URL: withQuery(f.table.path, url.Values{"q": {words}})}
	wanted := strings.Fields(strings.ToLower(words))
	type hit struct {
		thing    T
		distance int
	}
	var hits []hit
	for _, thing := range all {
		if f.table.contains(thing, wanted) {
			hits = append(hits, hit{thing, distance(f.name(thing).Name, wanted[0])})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.distance, b.distance) })
	g.Count = len(hits)
	for _, h := range hits[:min(len(hits), maxFound)] {
		row := foundRow{Name: f.name(h.thing)}
		if f.silent != nil {
			mark := newHealthMark("", f.table.health(h.thing), s.timestampOf(f.silent(h.thing)))
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

// distance is how far a name is from what was looked for.
func distance(name, word string) int {
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
	hostFinder = finder[*hostItem]{
		"hosts", "Hosts", &hostsTable,
		func(h *hostItem) link { return link{Name: h.Hostname, URL: "/hosts/" + string(h.ID)} },
		func(h *hostItem) *time.Time { return h.StaleSince },
		func(h *hostItem) []string {
			return append([]string{strings.Join(bareAddresses(h.Host), ", "), providerLabel(h.Host), h.cluster.Name, strings.Join(h.sids, ", ")}, h.tags...)
		},
	}
	clusterFinder = finder[*clusterItem]{
		"clusters", "Clusters", &clustersTable,
		func(c *clusterItem) link { return linkToCluster(c.Cluster) },
		func(c *clusterItem) *time.Time { return c.StaleSince },
		func(c *clusterItem) []string {
			return append([]string{clusterTypeWord(string(c.Type)), strings.Join(c.sids, ", ")}, c.tags...)
		},
	}
	sapSystemFinder = finder[*sapSystemItem]{
		"sap_systems", "SAP Systems", &sapSystemsTable,
		func(s *sapSystemItem) link { return linkToSAPSystem(s.SAPSystem) },
		func(s *sapSystemItem) *time.Time { return s.StaleSince },
		func(s *sapSystemItem) []string {
			return append([]string{s.kind, "on " + s.database.Name, "tenant " + s.Tenant}, s.tags...)
		},
	}
	databaseFinder = finder[*databaseItem]{
		"databases", "HANA Databases", &databasesTable,
		func(db *databaseItem) link { return linkToDatabase(db.Database) },
		func(db *databaseItem) *time.Time { return db.StaleSince },
		func(db *databaseItem) []string { return append([]string{db.summary()}, db.tags...) },
	}
	userFinder = finder[*userItem]{
		"users", "Users", &usersTable,
		func(u *userItem) link { return link{Name: u.Username, URL: userPath(u.ID, "edit")} },
		nil,
		func(u *userItem) []string { return []string{u.Fullname, u.Email, u.status()} },
	}
)

// search answers GET /search?q=words.
func (s *server) search(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := searchPage{Frame: s.newFrame(r, "Search"), Words: firstBytes(strings.TrimSpace(r.URL.Query().Get("q")), maxWords)}
	p.Live, p.Searches = "host cluster database sap_system tags", true
	p.People = auth.From(r.Context()).Can(abilityUsers)
	err := s.options.Store.View(func(tx *store.Tx) error {
		if p.Words == "" {
			return s.fill(&p.Frame, tx)
		}
		v, err := s.snapshot(tx)
		if err != nil {
			return err
		}
		p.Groups = []foundGroup{
			hostFinder.find(s, hostsTable.list(v), p.Words), clusterFinder.find(s, clustersTable.list(v), p.Words),
			sapSystemFinder.find(s, sapSystemsTable.list(v), p.Words), databaseFinder.find(s, databasesTable.list(v), p.Words),
		}
		if p.People {
			users, err := s.userItems(tx)
			if err != nil {
				return err
			}
			p.Groups = append(p.Groups, userFinder.find(s, users, p.Words))
		}
		return s.fill(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	p.Groups = slices.DeleteFunc(p.Groups, func(g foundGroup) bool { return g.Count == 0 })
	if p.Words != "" {
		p.LogURL = withQuery("/activity_log", url.Values{"search": {p.Words}, "severity": severityNames()})
	}
	return s.render(w, r, http.StatusOK, pageSearch, &p)
}

// firstBytes is a text cut to a number of bytes, at a whole character.
func firstBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}

// idColumn finds things by their id.
func idColumn[T any](id func(T) string) column[T] {
	return column[T]{key: "id", label: "ID", unshown: true, text: id}
}
