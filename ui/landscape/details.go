package landscape

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"trento/store"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// recent is the newest log entries about one thing.
type recent struct {
	Rows []activitypages.EntryRow
	URL  string // address of all log entries about the thing
	What string // "host"
}

// recentEntries is the number of log entries on a details page.
const recentEntries = 10

// recentOf reads the newest log entries about the thing with an id. It must not
// be called inside a transaction, because the index reads the store as well.
func (s *Pages) recentOf(ctx context.Context, reader page.Reader, what, id string) (recent, error) {
	v, err := activitypages.NewViewer(reader.Identity())
	if err != nil {
		return recent{}, err
	}
	found, err := s.activity.Mentions(ctx, v, id, recentEntries)
	if err != nil {
		return recent{}, err
	}
	query := url.Values{"search": {id}, "severity": activitypages.SeverityNames()}
	all := recent{URL: page.WithQuery("/activity_log", query), What: what}
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		known := activitypages.RegisteredPages(tx)
		itself := known(id).URL
		for _, e := range found.Entries {
			row := s.activity.NewEntryRow(v, e, query, known)
			row.Things = slices.DeleteFunc(row.Things, func(t activitypages.Thing) bool { return t.URL == itself })
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

// healthSentence says why the health of a thing is what it is.
func healthSentence(h landscape.Health, what string, causes []cause) string {
	if h = page.Shown(h); h == landscape.HealthPassing {
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
		return page.HealthWord(h) + "."
	}
	return page.HealthWord(h) + ": " + strings.Join(words, ", ") + "."
}

// evaluatedCauses returns the causes whose health is known.
func evaluatedCauses(causes ...cause) []cause {
	return slices.DeleteFunc(causes, func(c cause) bool { return page.Shown(c.health) == landscape.HealthUnknown })
}

// hostLine is a host in a table about something that runs on it.
type hostLine struct {
	Host         page.Link
	Addresses    []string
	Provider     string
	Cluster      page.Link
	AgentVersion string
	Outdated     bool
	Stale        bool
}

// hostLines returns the hosts with these ids, sorted by name, each once. Hosts
// that are not registered are left out.
func (s *Pages) hostLines(tx *store.Tx, ids []landscape.HostID) ([]hostLine, error) {
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
			Host: page.Link{Name: h.Hostname, URL: "/hosts/" + string(id)}, Addresses: BareAddresses(h), Provider: ProviderLabel(h),
			AgentVersion: h.AgentVersion, Outdated: outdated(h.AgentVersion), Stale: stale(h),
		}
		if line.Cluster, err = clusterLink(tx, h.ClusterID); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b hostLine) int { return table.FoldCompare(a.Host.Name, b.Host.Name) })
	return lines, nil
}

// clusterLink returns a link to a cluster; an empty one if there is none.
func clusterLink(tx *store.Tx, id landscape.ClusterID) (page.Link, error) {
	if id == "" {
		return page.Link{}, nil
	}
	c, err := tx.Cluster(id)
	if errors.Is(err, store.ErrNotFound) {
		return page.Link{Name: string(id), Gone: "Cluster currently not registered"}, nil
	}
	if err != nil {
		return page.Link{}, err
	}
	return page.LinkToCluster(c), nil
}

func BareAddresses(h *landscape.Host) []string {
	texts := make([]string, len(h.Addresses))
	for i, a := range h.Addresses {
		texts[i] = a.IP.String()
	}
	return texts
}
