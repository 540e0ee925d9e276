package landscape

import "trento/store/activity"

// ClusterInputs are the health values from which the health of a cluster is
// computed. A value from the reports is "" if it has not been evaluated yet.
type ClusterInputs struct {
	Replication Health `json:"replication_health,omitempty"` // of HANA clusters
	Distributed Health `json:"distributed_health,omitempty"` // of clusters of central services
	SBD         Health `json:"sbd_health,omitempty"`         // ignored if unknown
	Checks      Health `json:"checks_health"`                // ignored if unknown
}

// Overall returns the health of the cluster: the worst of the inputs that
// count.
func (in ClusterInputs) Overall() Health {
	var parts []Health
	for _, h := range []Health{in.Replication, in.Distributed} {
		if h != "" {
			parts = append(parts, h)
		}
	}
	for _, h := range []Health{in.SBD, in.Checks} {
		if h != "" && h != HealthUnknown {
			parts = append(parts, h)
		}
	}
	return Worst(parts...)
}

// forLog returns the inputs as the activity log shows them; nil for a cluster
// without details.
func (in ClusterInputs) forLog() any {
	if in.SBD == "" {
		return nil
	}
	return in
}

// inputsFrom returns the inputs of a cluster after a report was applied. If a
// part of the report could not be read, a passing input becomes unknown.
func (c *Cluster) inputsFrom(r *ClusterReport) ClusterInputs {
	inputs := c.Inputs // the result of the checks keeps its value; without details of the cluster, all inputs do
	switch {
	case c.HANA != nil:
		inputs = ClusterInputs{Replication: c.HANA.health(), SBD: sbdHealth(c.HANA.SBDDevices), Checks: c.Inputs.Checks}
	case c.ASCSERS != nil:
		inputs = ClusterInputs{Distributed: c.ASCSERS.health(), SBD: sbdHealth(c.ASCSERS.SBDDevices), Checks: c.Inputs.Checks}
	}
	if r.Unread {
		for _, input := range []*Health{&inputs.Replication, &inputs.Distributed} {
			if *input == HealthPassing {
				*input = HealthUnknown
			}
		}
	}
	return inputs
}

// inputsWhenStopped returns the inputs of a cluster whose nodes report nothing
// about it any more.
func (c *Cluster) inputsWhenStopped() ClusterInputs {
	switch {
	case c.HANA != nil:
		return ClusterInputs{Replication: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	case c.ASCSERS != nil:
		return ClusterInputs{Distributed: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	}
	return c.Inputs
}

// health returns passing if the system replication is in its best state, 4, and
// the secondary site can take over, SOK; otherwise critical.
func (h *HANADetails) health() Health {
	return passingOrCritical(h.SRHealthState == "4" && h.SecondarySyncState == "SOK")
}

// health returns passing if every SAP system survives the loss of a node;
// otherwise critical.
func (a *ASCSERSDetails) health() Health {
	for _, system := range a.SAPSystems {
		if !system.Distributed {
			return HealthCritical
		}
	}
	return HealthPassing
}

func sbdHealth(devices []SBDDevice) Health {
	if len(devices) == 0 {
		return HealthUnknown
	}
	for _, device := range devices {
		if device.Status != SBDHealthy {
			return HealthCritical
		}
	}
	return HealthPassing
}

func passingOrCritical(good bool) Health {
	if good {
		return HealthPassing
	}
	return HealthCritical
}

// evaluateCluster replaces the inputs of a cluster and evaluates its health. A
// cluster without details keeps its health.
func (cs *Changeset) evaluateCluster(c *Cluster, inputs ClusterInputs) {
	old := c.Inputs
	c.Inputs = inputs
	changed := func(old, now Health) bool { return now != "" && now != old }
	if changed(old.Replication, inputs.Replication) {
		cs.addEvent(&activity.ClusterReplicationHealthChanged{AboutCluster: c.aboutCluster(), Health: string(inputs.Replication), Change: changeFrom(old.Replication, "")})
	}
	if changed(old.Distributed, inputs.Distributed) {
		cs.addEvent(&activity.ClusterDistributedHealthChanged{AboutCluster: c.aboutCluster(), Health: string(inputs.Distributed), Change: changeFrom(old.Distributed, "")})
	}
	if changed(old.SBD, inputs.SBD) {
		cs.addEvent(&activity.ClusterSBDHealthChanged{AboutCluster: c.aboutCluster(), Health: string(inputs.SBD), Change: changeFrom(old.SBD, "")})
	}
	if changed(old.Checks, inputs.Checks) {
		cs.addEvent(&activity.ClusterChecksHealthChanged{AboutCluster: c.aboutCluster(), Health: string(inputs.Checks), Change: changeFrom(old.Checks, "")})
	}
	if health := inputs.Overall(); c.Details() != nil && health != c.Health {
		before := c.Health
		c.Health = health
		cs.addEvent(&activity.ClusterHealthChanged{AboutCluster: c.aboutCluster(), Health: string(health), Change: changeFrom(before, c.Reasons().Text())})
	}
}
