package landscape

import (
	"context"
	"slices"

	"trento/store"
	"trento/ui/page"
	"trento/ui/table"
)

// peek shows the most important of a thing beside its list.
type peek struct {
	ID, Noun, Name string
	URL, CloseURL  string // the page of the thing, and the list without it
	Health         page.HealthMark
	Reason         healthReason
	Facts          []page.Fact
	Tags           tagEditor
	Instances      []instanceRow
	Links          []peekLinks
	Action         *page.Control
}

// peekLinks are links to things of one kind that belong to the thing.
type peekLinks struct {
	Label string
	Links []page.Link
}

// newPeek returns what the query shows beside the list; nil if that is nothing,
// or is not registered any more.
func (l *listDefinition[T]) newPeek(s *Pages, ctx context.Context, reader page.Reader, query table.ListQuery, all []T) (*peek, error) {
	i := slices.IndexFunc(all, func(thing T) bool { return thing.fields().id == query.Peek() })
	if i < 0 {
		return nil, nil
	}
	in := all[i].fields()
	p := &peek{
		ID: in.id, Noun: l.table.Noun, Name: in.name, URL: l.table.Path + "/" + in.id, CloseURL: query.PeekAt(l.table.Path, ""),
		Health: page.NewHealthMark("", in.health, s.TimestampOf(in.staleSince)), Tags: newTagEditor(reader, l.kind, in.id, in.name, in.Tags),
	}
	p.Tags.ID = "peek-" + p.Tags.ID
	if l.rowAction != nil {
		p.Action = l.rowAction(reader, all[i])
	}
	return p, s.Store.ViewIn(ctx, func(tx *store.Tx) error { return l.peek(s, tx, reader, p, all[i]) })
}

func (s *Pages) peekHost(tx *store.Tx, reader page.Reader, p *peek, h *HostItem) (err error) {
	p.Reason = s.healthReason(tx, h.Thing(), h.Health, h.Reasons())
	p.Facts = slices.Concat([]page.Fact{{Label: "Cluster", Links: []page.Link{h.Cluster}}, {Label: "Provider", Text: ProviderLabel(h.Host)}}, s.hostFacts(h.Host)[:7])
	p.Instances, err = s.instancesOn(tx, reader, h.Host)
	return err
}

func (s *Pages) peekCluster(tx *store.Tx, _ page.Reader, p *peek, c *ClusterItem) error {
	inside, err := s.readClusterContext(tx, c.Cluster)
	if err != nil {
		return err
	}
	var described clusterPage
	s.describeCluster(&described, inside)
	p.Reason, p.Facts = s.healthReason(tx, c.Thing(), c.Health, c.Reasons()), described.Facts
	lines, err := s.hostLines(tx, inside.memberIDs())
	if err != nil {
		return err
	}
	p.addLinks("Hosts", hostLinks(lines)...)
	p.addLinks("Systems", c.systems...)
	return nil
}

func (s *Pages) peekDatabase(tx *store.Tx, reader page.Reader, p *peek, db *DatabaseItem) error {
	var described systemPage
	if err := s.describeDatabase(tx, reader, &described, db.Database); err != nil {
		return err
	}
	p.addSystem(&described)
	for _, tenant := range described.Tenants {
		if tenant.System.URL != "" {
			p.addLinks("SAP systems", tenant.System)
		}
	}
	return nil
}

func (s *Pages) peekSAPSystem(tx *store.Tx, reader page.Reader, p *peek, system *SAPSystemItem) error {
	var described systemPage
	if err := s.describeSAPSystem(tx, reader, &described, system.SAPSystem); err != nil {
		return err
	}
	p.addSystem(&described)
	return nil
}

// addSystem adds what the page of a database or SAP system shows.
func (p *peek) addSystem(described *systemPage) {
	p.Reason, p.Facts = described.Reason, described.Facts
	for _, site := range described.Sites {
		for _, row := range site.Rows {
			row.System = page.Link{} // it is the thing itself
			p.Instances = append(p.Instances, row)
		}
	}
	clusters := make([]page.Link, 0, len(described.Hosts))
	for _, host := range described.Hosts {
		if host.Cluster.Name != "" && !slices.Contains(clusters, host.Cluster) {
			clusters = append(clusters, host.Cluster)
		}
	}
	p.addLinks("Clusters", clusters...)
}

// addLinks adds links under a label, each once.
func (p *peek) addLinks(label string, links ...page.Link) {
	if len(links) == 0 {
		return
	}
	i := slices.IndexFunc(p.Links, func(l peekLinks) bool { return l.Label == label })
	if i < 0 {
		p.Links = append(p.Links, peekLinks{Label: label})
		i = len(p.Links) - 1
	}
	for _, link := range links {
		if !slices.Contains(p.Links[i].Links, link) {
			p.Links[i].Links = append(p.Links[i].Links, link)
		}
	}
}

func hostLinks(lines []hostLine) []page.Link {
	links := make([]page.Link, len(lines))
	for i, line := range lines {
		links[i] = line.Host
	}
	return links
}
