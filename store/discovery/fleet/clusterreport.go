package fleet

import "time"

// The members of a cluster payload have the names of Go fields, as agents write
// them.
type clusterPayload struct {
	Cib      cibPayload
	Crmmon   monitorPayload
	SBD      sbdPayload
	ID       string `json:"Id"`
	Name     string `json:",omitempty"`
	DC       bool
	Provider string
	Online   *bool `json:",omitempty"` // old agents do not send it
	State    string
}

type cibPayload struct {
	Configuration struct {
		CrmConfig struct {
			ClusterProperties []cibPair
		}
		Nodes       []cibNode
		Resources   cibResources
		Constraints struct {
			RscLocations []cibLocation
		}
	}
}

type cibNode struct {
	ID                 string `json:"Id"`
	Uname              string
	InstanceAttributes []cibPair
}

type cibLocation struct {
	ID       string `json:"Id"`
	Node     string
	Resource string
	Role     string
	Score    string
}

type monitorPayload struct {
	Version string
	Summary struct {
		Nodes struct {
			Number int
		}
		LastChange struct {
			Time string
		}
		Resources struct {
			Number   int
			Disabled int
			Blocked  int
		}
		ClusterOptions struct {
			StonithEnabled bool
		}
	}
	Nodes          []monitorNode
	NodeAttributes struct {
		Nodes []monitorAttributes
	}
	NodeHistory struct {
		Nodes []monitorHistory
	}
	Resources []monitorResource
	Clones    []monitorClone
	Groups    []monitorGroup
}

type monitorNode struct {
	Name             string
	ID               string `json:"Id"`
	Online           bool
	Standby          bool
	StandbyOnFail    bool
	Maintenance      bool
	Pending          bool
	Unclean          bool
	Shutdown         bool
	ExpectedUp       bool
	DC               bool
	ResourcesRunning int
	Type             string
}

type monitorAttributes struct {
	Name       string
	Attributes []monitorAttribute
}

type monitorAttribute struct{ Name, Value string }

type monitorHistory struct {
	Name            string
	ResourceHistory []monitorFailures
}

type monitorFailures struct {
	Name               string
	MigrationThreshold int
	FailCount          int
}

// clusterPayload returns the cluster report of the agent: null if the host is
// in no cluster, and only a few values if the cluster software does not run on
// the host.
func (h *Host) clusterPayload() any {
	c := h.cluster
	if c == nil {
		return nil
	}
	online := !h.offline
	p := clusterPayload{ID: c.key, Name: c.name, Online: &online}
	if h.offline {
		return p
	}
	if h.agent == oldAgentVersion {
		p.Online = nil
	}
	now, units := h.fleet.shownTime(), c.resourceUnits()
	p.DC, p.Provider, p.State = h == c.controller(), c.location.provider, c.state()
	p.SBD = c.sbd()
	p.Cib.Configuration.CrmConfig.ClusterProperties = c.properties(now)
	p.Cib.Configuration.Resources = newCIBResources(units)
	p.Cib.Configuration.Constraints.RscLocations = c.locationConstraints(units)
	for _, node := range c.nodes {
		id := c.nodeID(node)
		p.Cib.Configuration.Nodes = append(p.Cib.Configuration.Nodes, cibNode{id, node.Name, cibPairs("nodes-"+id+"-", c.permanentAttributes(node))})
	}
	p.Crmmon = c.monitor(units, now)
	if h.agent == oldAgentVersion {
		for i := range p.Crmmon.Groups {
			p.Crmmon.Groups[i].Managed = nil
		}
	}
	return p
}

// monitor returns the state that the cluster monitor (crm_mon) shows.
func (c *cluster) monitor(units []resourceUnit, now time.Time) monitorPayload {
	m := monitorPayload{Version: c.version()}
	m.Summary.Nodes.Number = len(c.nodes)
	m.Summary.LastChange.Time = c.lastWritten(now).UTC().Format(time.ANSIC)
	m.Summary.ClusterOptions.StonithEnabled = true
	m.addResources(c, units)
	for _, node := range c.nodes {
		n := monitorNode{
			Name: node.Name, ID: c.nodeID(node), Online: !node.offline, ExpectedUp: !node.offline,
			DC: node == c.controller(), Type: "member",
		}
		if !node.offline {
			if attributes := c.attributes(node, now); len(attributes) > 0 {
				m.NodeAttributes.Nodes = append(m.NodeAttributes.Nodes, monitorAttributes{node.Name, attributes})
			}
			history := c.history(node, units)
			n.ResourcesRunning = len(history.ResourceHistory)
			m.NodeHistory.Nodes = append(m.NodeHistory.Nodes, history)
		}
		m.Nodes = append(m.Nodes, n)
	}
	return m
}

// attributes returns the attributes of a node.
func (c *cluster) attributes(node *Host, now time.Time) []monitorAttribute {
	list := []monitorAttribute{}
	if i := c.instance(node); c.database != nil && i != nil {
		for _, p := range c.databaseAttributes(i, now) {
			list = append(list, monitorAttribute{p.name, p.value})
		}
	}
	for _, s := range c.systems {
		if s.ers.host == node {
			list = append(list, monitorAttribute{"runs_ers_" + s.SID, "1"})
		}
	}
	return list
}

// history returns the resources that have run on a node, with the number of
// their failures.
func (c *cluster) history(node *Host, units []resourceUnit) monitorHistory {
	const migrationThreshold = 5000 // number of failures after which a resource must leave the node
	h := monitorHistory{Name: node.Name, ResourceHistory: []monitorFailures{}}
	for _, b := range units {
		for _, r := range b.resources {
			for _, p := range r.copies {
				if p.node != node {
					continue
				}
				entry := monitorFailures{Name: r.id, MigrationThreshold: migrationThreshold}
				if r.kind == "IPaddr2" || r.kind == "aws-vpc-move-ip" {
					entry.FailCount = c.addressFailures
				}
				h.ResourceHistory = append(h.ResourceHistory, entry)
			}
		}
	}
	return h
}

// lastWritten returns the time of the last change to the configuration. The
// resource agents of a database change it every minute.
func (c *cluster) lastWritten(now time.Time) time.Time {
	if alive := now.Truncate(time.Minute); c.database != nil && alive.After(c.writtenAt) {
		return alive
	}
	return c.writtenAt
}
