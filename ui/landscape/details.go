package landscape

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"trento/store"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// recentLog has the newest log entries about one thing.
type recentLog struct {
	Rows []activitypages.EntryRow
	URL  string // address of all log entries about the thing
	What string // the kind of thing in words, such as "host"
}

// maxRecentEntries is the number of log entries on a details page.
const maxRecentEntries = 10

// readRecentLog reads the newest log entries about the thing with an id. It
// must not be called inside a transaction, because the index reads the store
// itself.
func (s *Pages) readRecentLog(ctx context.Context, reader page.Reader, what, id string) (recentLog, error) {
	v, err := activitypages.NewViewer(reader.Identity())
	if err != nil {
		return recentLog{}, err
	}
	found, err := s.activity.Mentions(ctx, v, id, maxRecentEntries)
	if err != nil {
		return recentLog{}, err
	}
	query := url.Values{"search": {id}, "severity": activitypages.SeverityNames()}
	all := recentLog{URL: page.WithQuery("/activity_log", query), What: what}
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
			AgentVersion: h.AgentVersion, Outdated: isOutdated(h.AgentVersion), Stale: isStale(h),
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
