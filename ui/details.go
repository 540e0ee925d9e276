package ui

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// link is a name that leads to the page of what it names. Where there is no
// such page, Gone says why; a text that never leads anywhere has neither.
// Whole is the name where Name is the beginning of it.
type link struct{ Name, URL, Gone, Whole string }

// whole is the name in full.
func (l link) whole() string { return cmp.Or(l.Whole, l.Name) }

// control is a button that leads to where something is done. Refused says why
// it is not for this reader; the button is shown to everybody all the same.
type control struct{ Label, URL, Refused string }

// newControl is a button for those who have an ability.
func newControl(id *auth.Identity, ability, label, url string) *control {
	c := &control{Label: label, URL: url}
	if !id.Can(ability) {
		c.Refused = "You are not authorized for this action: it needs the permission " + ability + "."
	}
	return c
}

// recent is the end of the activity log of one thing.
type recent struct {
	Rows []entryRow
	URL  string // of the whole log of the thing
	What string // "host"
}

// recentEntries is how many entries of the log a details page shows.
const recentEntries = 10

// recentOf reads the log of the thing with an id. It must not be called within
// a read of the store: the index reads it, too.
func (s *server) recentOf(r *http.Request, what, id string) (recent, error) {
	v, err := viewerOf(auth.From(r.Context()))
	if err != nil {
		return recent{}, err
	}
	found, err := s.mentions(r.Context(), v, id, recentEntries)
	if err != nil {
		return recent{}, err
	}
	query := url.Values{"search": {id}, "severity": severityNames()}
	all := recent{URL: withQuery("/activity_log", query), What: what}
	err = s.options.Store.View(func(tx *store.Tx) error {
		known := registered(tx)
		itself := known(id).URL
		for _, e := range found.Entries {
			row := s.newEntryRow(v, e, query, known)
			row.Things = slices.DeleteFunc(row.Things, func(t thing) bool { return t.URL == itself })
			all.Rows = append(all.Rows, row)
		}
		return nil
	})
	return all, err
}

// cause is something that a health follows from.
type cause struct {
	health landscape.Health
	words  string
}

// because says of a kind of thing why its health is what it is.
func because(h landscape.Health, what string, causes []cause) string {
	if h = shown(h); h == landscape.HealthPassing {
		return "Passing: nothing found wrong."
	}
	var words []string
	for _, c := range causes {
		if c.health == h {
			words = append(words, c.words)
		}
	}
	switch {
	case len(words) > 0:
	case h == landscape.HealthUnknown:
		return "Unknown: nothing has judged this " + what + " yet."
	default:
		return healthWord(h) + "."
	}
	return healthWord(h) + ": " + strings.Join(words, ", ") + "."
}

// judged leaves out what has not been judged, where that takes no part.
func judged(causes ...cause) []cause {
	return slices.DeleteFunc(causes, func(c cause) bool { return shown(c.health) == landscape.HealthUnknown })
}

// hostLine is a host in the table of something that runs on it.
type hostLine struct {
	Host         link
	Addresses    []string
	Provider     string
	Cluster      link
	AgentVersion string
	Outdated     bool
	Stale        bool
}

// hostLines are the lines of hosts by name, each host once. Ones that are not
// registered have no name to be listed by.
func (s *server) hostLines(tx *store.Tx, ids []landscape.HostID) ([]hostLine, error) {
	var lines []hostLine
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		h, err := tx.Host(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		line := hostLine{
			Host: link{Name: h.Hostname, URL: "/hosts/" + string(id)}, Addresses: bareAddresses(h), Provider: providerLabel(h),
			AgentVersion: h.AgentVersion, Outdated: outdated(h.AgentVersion), Stale: stale(h),
		}
		if line.Cluster, err = clusterLink(tx, h.ClusterID); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b hostLine) int { return foldCompare(a.Host.Name, b.Host.Name) })
	return lines, nil
}

// clusterLink leads to a cluster; empty where there is none.
func clusterLink(tx *store.Tx, id landscape.ClusterID) (link, error) {
	if id == "" {
		return link{}, nil
	}
	c, err := tx.Cluster(id)
	if errors.Is(err, store.ErrNotFound) {
		return link{Name: string(id), Gone: "Cluster currently not registered"}, nil
	}
	if err != nil {
		return link{}, err
	}
	return linkToCluster(c), nil
}

// nameOfCluster is the name of a cluster, or the beginning of its id where it
// has none.
func nameOfCluster(c *landscape.Cluster) string {
	if unnamed(c) {
		return shortID(string(c.ID))
	}
	return *c.Name
}

func unnamed(c *landscape.Cluster) bool { return c.Name == nil || *c.Name == "" }

// shortID is what people read of an id; the whole one is told beside it.
func shortID(id string) string {
	const read = 8
	if len(id) <= read {
		return id
	}
	return id[:read] + "…"
}

func bareAddresses(h *landscape.Host) []string {
	texts := make([]string, len(h.Addresses))
	for i, a := range h.Addresses {
		texts[i] = a.IP.String()
	}
	return texts
}

// pathVar is a part of the address of a request, by its name in the route.
func pathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }
