package command

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"trento/packaging/client"
)

func newHosts() kind {
	columns := []columnOf[client.Host]{
		{plainColumn("NAME"), func(h *client.Host) cell { return textCell(h.Hostname) }},
		{healthColumn("HEALTH"), func(h *client.Host) cell { return textCell(h.Health) }},
		{healthColumn("HEARTBEAT"), func(h *client.Host) cell { return textCell(h.Heartbeat) }},
		{plainColumn("ADDRESSES"), func(h *client.Host) cell { return listCell(h.IpAddresses) }},
		{plainColumn("PROVIDER"), func(h *client.Host) cell { return optionalTextCell(h.Provider) }},
		{plainColumn("AGENT"), func(h *client.Host) cell { return textCell(h.AgentVersion) }},
		{plainColumn("TAGS"), func(h *client.Host) cell { return tagsCell(h.Tags) }},
		{wideColumn("ARCH"), func(h *client.Host) cell { return textCell(h.Arch) }},
		{wideColumn("LAST HEARTBEAT"), func(h *client.Host) cell { return timeCell(h.LastHeartbeatTimestamp) }},
		{wideColumn("CLUSTER ID"), func(h *client.Host) cell { return idCell(h.ClusterId) }},
		{wideColumn("ID"), func(h *client.Host) cell { return idCell(&h.Id) }},
	}
	return kind{
		name: "hosts", singular: "host", topics: []client.EventResourceKind{"host"}, short: "Show hosts: health, addresses, agent, tags", columns: columnsOf(columns),
		example: listExample{"health=critical", "-health,hostname"}, idsQuery: url.Values{"fields": {"id,hostname"}},
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListHostsWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(h *client.Host) (string, string) { return h.Id.String(), h.Hostname })
		},
	}
}

func newClusters() kind {
	columns := []columnOf[client.Cluster]{
		{plainColumn("NAME"), func(c *client.Cluster) cell { return optionalTextCell(c.Name) }},
		{healthColumn("HEALTH"), func(c *client.Cluster) cell { return textCell(c.Health) }},
		{plainColumn("TYPE"), func(c *client.Cluster) cell { return textCell(c.Type) }},
		{plainColumn("SID"), func(c *client.Cluster) cell { return listCell(sidsOf(c)) }},
		{plainColumn("HOSTS"), func(c *client.Cluster) cell { return numberCell(c.HostsNumber) }},
		{plainColumn("RESOURCES"), func(c *client.Cluster) cell { return numberCell(c.ResourcesNumber) }},
		{plainColumn("TAGS"), func(c *client.Cluster) cell { return tagsCell(c.Tags) }},
		{wideColumn("STATE"), func(c *client.Cluster) cell { return textCell(c.State) }},
		{wideColumn("PROVIDER"), func(c *client.Cluster) cell { return textCell(c.Provider) }},
		{wideColumn("CHANGED"), func(c *client.Cluster) cell { return optionalTextCell(c.CibLastWritten) }},
		{wideColumn("ID"), func(c *client.Cluster) cell { return idCell(&c.Id) }},
	}
	return kind{
		name: "clusters", singular: "cluster", topics: []client.EventResourceKind{"cluster"}, short: "Show clusters: health, type, SIDs, size, tags", columns: columnsOf(columns),
		example: listExample{"type=hana_scale_up", "name"}, idsQuery: url.Values{"fields": {"id,name"}},
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListClustersWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(c *client.Cluster) (string, string) {
				name := c.Id.String()
				if c.Name != nil {
					name = *c.Name
				}
				return c.Id.String(), name
			})
		},
	}
}

// sidsOf returns the SIDs of the database and of the SAP systems in a cluster.
func sidsOf(c *client.Cluster) []string {
	sids := slices.Clone(c.AdditionalSids)
	if c.Sid != "" && !slices.Contains(sids, c.Sid) {
		sids = append([]string{c.Sid}, sids...)
	}
	return sids
}

func newDatabases() kind {
	columns := []columnOf[client.Database]{
		{plainColumn("SID"), func(d *client.Database) cell { return textCell(d.Sid) }},
		{healthColumn("HEALTH"), func(d *client.Database) cell { return textCell(d.Health) }},
		{plainColumn("INSTANCES"), func(d *client.Database) cell { return listCell(databaseInstanceTexts(d.DatabaseInstances)) }},
		{plainColumn("REPLICATION"), func(d *client.Database) cell { return listCell(replicationSites(d.DatabaseInstances)) }},
		{plainColumn("TAGS"), func(d *client.Database) cell { return tagsCell(d.Tags) }},
		{wideColumn("ID"), func(d *client.Database) cell { return idCell(&d.Id) }},
	}
	return kind{
		name: "databases", singular: "database", topics: []client.EventResourceKind{"database"}, short: "Show HANA databases: health, instances, replication, tags", columns: columnsOf(columns),
		example: listExample{"tags=production", "-health"}, idsQuery: url.Values{"fields": {"id,sid"}},
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListDatabasesWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(d *client.Database) (string, string) { return d.Id.String(), d.Sid })
		},
	}
}

// databaseInstanceTexts returns the instances of a database as NUMBER@HOST.
func databaseInstanceTexts(instances []client.DatabaseInstance) (texts []string) {
	for i := range instances {
		texts = append(texts, instances[i].InstanceNumber+"@"+textOf(instances[i].InstanceHostname))
	}
	slices.Sort(texts)
	return texts
}

// replicationSites returns the sites of a database with their roles, the
// primary one first.
func replicationSites(instances []client.DatabaseInstance) (sites []string) {
	for i := range instances {
		if role, site := instances[i].SystemReplication, instances[i].SystemReplicationSite; role != nil {
			sites = append(sites, strings.ToLower(string(*role))+" "+textOf(site))
		}
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}

func newSAPSystems() kind {
	columns := []columnOf[client.SAPSystem]{
		{plainColumn("SID"), func(s *client.SAPSystem) cell { return textCell(s.Sid) }},
		{healthColumn("HEALTH"), func(s *client.SAPSystem) cell { return textCell(s.Health) }},
		{plainColumn("INSTANCES"), func(s *client.SAPSystem) cell { return listCell(applicationInstanceTexts(s.ApplicationInstances)) }},
		{plainColumn("DATABASE"), func(s *client.SAPSystem) cell { return textCell(s.DatabaseSid) }},
		{healthColumn("DATABASE HEALTH"), func(s *client.SAPSystem) cell { return textCell(s.DatabaseHealth) }},
		{plainColumn("TENANT"), func(s *client.SAPSystem) cell { return textCell(s.Tenant) }},
		{plainColumn("TAGS"), func(s *client.SAPSystem) cell { return tagsCell(s.Tags) }},
		{wideColumn("ENSA"), func(s *client.SAPSystem) cell { return textCell(s.EnsaVersion) }},
		{wideColumn("DATABASE ADDRESS"), func(s *client.SAPSystem) cell { return textCell(s.DbHost) }},
		{wideColumn("ID"), func(s *client.SAPSystem) cell { return idCell(&s.Id) }},
	}
	return kind{
		name: "sap-systems", singular: "sap-system", topics: []client.EventResourceKind{"sap_system", "database"}, aliases: []string{"sap_systems", "systems"},
		short: "Show SAP systems: health, instances, database, tags", columns: columnsOf(columns),
		example: listExample{"health=warning", "sid"}, idsQuery: url.Values{"fields": {"id,sid"}},
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListSAPSystemsWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(s *client.SAPSystem) (string, string) { return s.Id.String(), s.Sid })
		},
	}
}

// applicationInstanceTexts returns the instances of an SAP system as NUMBER@HOST.
func applicationInstanceTexts(instances []client.ApplicationInstance) (texts []string) {
	for i := range instances {
		texts = append(texts, instances[i].InstanceNumber+"@"+textOf(instances[i].InstanceHostname))
	}
	slices.Sort(texts)
	return texts
}

// instance is an instance of a database or of an SAP system.
type instance struct {
	client.ApplicationInstance // database instances have all of these fields

	database bool
	systemID uuid.UUID
	hostname string // of the host it runs on
	answer   json.RawMessage
}

func newInstances() kind {
	columns := []columnOf[instance]{
		{plainColumn("SID"), func(i *instance) cell { return textCell(i.Sid) }},
		{plainColumn("NUMBER"), func(i *instance) cell { return textCell(i.InstanceNumber) }},
		{plainColumn("HOST"), func(i *instance) cell { return textCell(i.hostname) }},
		{healthColumn("HEALTH"), func(i *instance) cell { return textCell(i.Health) }},
		{plainColumn("FEATURES"), func(i *instance) cell { return textCell(i.Features) }},
		{plainColumn("ABSENT SINCE"), func(i *instance) cell { return timeCell(i.AbsentAt) }},
		{wideColumn("PART OF"), func(i *instance) cell {
			if i.database {
				return textCell("database")
			}
			return textCell("SAP system")
		}},
		{wideColumn("VIRTUAL HOST"), func(i *instance) cell { return optionalTextCell(i.InstanceHostname) }},
		{wideColumn("SYSTEM ID"), func(i *instance) cell { return idCell(&i.systemID) }},
		{wideColumn("HOST ID"), func(i *instance) cell { return idCell(&i.HostId) }},
	}
	return kind{
		name: "instances", singular: "instance", topics: []client.EventResourceKind{"host", "database", "sap_system"}, short: "Show instances of databases and SAP systems: host, health, features", columns: columnsOf(columns),
		list: func(ctx context.Context, s *client.Server, _ url.Values) ([]item, error) {
			instances, answers, err := listInstances(ctx, s)
			if err != nil {
				return nil, err
			}
			return itemsOf(answers, instances, columns, func(i *instance) (string, string) {
				return i.systemID.String() + "/" + i.HostId.String() + "/" + i.InstanceNumber, i.Sid
			})
		},
	}
}

// listInstances asks a server for all instances. They are sorted by SID, number
// and host.
func listInstances(ctx context.Context, s *client.Server) (instances []instance, answers []json.RawMessage, err error) {
	databases, err := s.ListDatabasesWithResponse(ctx)
	if err != nil {
		return nil, nil, err
	}
	systems, err := s.ListSAPSystemsWithResponse(ctx)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := s.ListHostsWithResponse(ctx)
	if err != nil {
		return nil, nil, err
	}
	names := make(map[uuid.UUID]string)
	for i := range *hosts.JSON200 {
		names[(*hosts.JSON200)[i].Id] = (*hosts.JSON200)[i].Hostname
	}
	var all []instance
	for _, source := range []struct {
		body     []byte
		database bool
	}{{databases.Body, true}, {systems.Body, false}} {
		found, err := readInstances(source.body, source.database)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, found...)
	}
	for i := range all {
		all[i].hostname = names[all[i].HostId]
	}
	slices.SortFunc(all, func(a, b instance) int {
		return cmp.Or(strings.Compare(a.Sid, b.Sid), strings.Compare(a.InstanceNumber, b.InstanceNumber), strings.Compare(a.hostname, b.hostname))
	})
	for i := range all {
		answers = append(answers, all[i].answer)
	}
	return all, answers, nil
}

// readInstances returns the instances in a list of databases or of SAP systems.
func readInstances(body []byte, database bool) (instances []instance, err error) {
	var systems []struct {
		ID           uuid.UUID         `json:"id"`
		Databases    []json.RawMessage `json:"database_instances"`
		Applications []json.RawMessage `json:"application_instances"`
	}
	if err := json.Unmarshal(body, &systems); err != nil {
		return nil, err
	}
	for _, s := range systems {
		parts := s.Applications // an SAP system also contains the instances of its database, which are not wanted here
		if database {
			parts = s.Databases
		}
		for _, part := range parts {
			i := instance{database: database, systemID: s.ID, answer: part}
			if err := json.Unmarshal(part, &i.ApplicationInstance); err != nil {
				return nil, err
			}
			instances = append(instances, i)
		}
	}
	return instances, nil
}

func newHealth() kind {
	columns := []columnOf[client.HealthSummary]{
		{plainColumn("SID"), func(h *client.HealthSummary) cell { return textCell(h.Sid) }},
		{healthColumn("SYSTEM"), func(h *client.HealthSummary) cell { return textCell(h.SapsystemHealth) }},
		{healthColumn("APPLICATION"), func(h *client.HealthSummary) cell { return textCell(h.ApplicationHealth) }},
		{healthColumn("APPLICATION CLUSTER"), func(h *client.HealthSummary) cell { return optionalTextCell(h.ApplicationClusterHealth) }},
		{healthColumn("DATABASE"), func(h *client.HealthSummary) cell { return textCell(h.DatabaseHealth) }},
		{healthColumn("DATABASE CLUSTER"), func(h *client.HealthSummary) cell { return optionalTextCell(h.DatabaseClusterHealth) }},
		{healthColumn("HOSTS"), func(h *client.HealthSummary) cell { return textCell(h.HostsHealth) }},
		{wideColumn("DATABASE SID"), func(h *client.HealthSummary) cell { return textCell(h.DatabaseSid) }},
		{wideColumn("ID"), func(h *client.HealthSummary) cell { return idCell(&h.Id) }},
	}
	return kind{
		name: "health", singular: "SAP system", topics: []client.EventResourceKind{"host", "cluster", "database", "sap_system"}, short: "Show the health of the SAP systems and of all they stand on", columns: columnsOf(columns),
		example: listExample{"health=critical", "-health"},
		list: func(ctx context.Context, s *client.Server, query url.Values) ([]item, error) {
			answer, err := s.ListSAPSystemHealthWithResponse(ctx, client.WithQuery(query))
			if err != nil {
				return nil, err
			}
			return itemsOfList(answer.Body, answer.JSON200, columns, func(h *client.HealthSummary) (string, string) { return h.Id.String(), h.Sid })
		},
	}
}
