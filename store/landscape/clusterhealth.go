package landscape

import "trento/store/activity"

// ClusterInputs are the judgements the health of a cluster is made of. Those
// about what was discovered are empty where nothing was judged yet.
type ClusterInputs struct {
	Replication Health `json:"replication_health,omitempty"` // HANA
	Distributed Health `json:"distributed_health,omitempty"` // central services
	SBD         Health `json:"sbd_health,omitempty"`         // unknown takes no part
	Checks      Health `json:"checks_health"`                // unknown takes no part
}

// Overall is the health the inputs add up to.
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

// record is the inputs in the words of the activity log: null for a cluster
// of which there are no details.
func (in ClusterInputs) record() any {
	if in.SBD == "" {
		return nil
	}
	return in
}

// discovered are the inputs of a cluster by what is known of its inside. They
// replace those of a former type; checks survive. Of a cluster without
// details nothing is judged: its inputs stay what they were.
func (c *Cluster) discovered() ClusterInputs {
	switch {
	case c.HANA != nil:
		return ClusterInputs{Replication: c.HANA.health(), SBD: sbdHealth(c.HANA.SBDDevices), Checks: c.Inputs.Checks}
	case c.ASCSERS != nil:
		return ClusterInputs{Distributed: c.ASCSERS.health(), SBD: sbdHealth(c.ASCSERS.SBDDevices), Checks: c.Inputs.Checks}
	}
	return c.Inputs
}

// lost are the inputs of a cluster that no node speaks for any more.
func (c *Cluster) lost() ClusterInputs {
	switch {
	case c.HANA != nil:
		return ClusterInputs{Replication: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	case c.ASCSERS != nil:
		return ClusterInputs{Distributed: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	}
	return c.Inputs
}

// doubted are inputs of which a part could not be read: what looks good is not
// known to be.
func (in ClusterInputs) doubted() ClusterInputs {
	for _, input := range []*Health{&in.Replication, &in.Distributed} {
		if *input == HealthPassing {
			*input = HealthUnknown
		}
	}
	return in
}

// health judges the system replication: 4 is its best state, and SOK a
// secondary site that could take over.
func (h *HANADetails) health() Health {
	return passingIf(h.SRHealthState == "4" && h.SecondarySyncState == "SOK")
}

// health judges whether every SAP system survives the loss of a node.
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

func passingIf(good bool) Health {
	if good {
		return HealthPassing
	}
	return HealthCritical
}

// judgeCluster gives a changed cluster its inputs, and with them its health.
// Without details there is nothing to add up: its health stays what it was.
func (cs *Changeset) judgeCluster(c *Cluster, inputs ClusterInputs) {
	before := c.Inputs
	c.Inputs = inputs
	for _, input := range []struct {
		event       activity.Type
		key         string
		before, now Health
	}{
		{activity.TypeClusterReplicationHealthChanged, "replication_health", before.Replication, inputs.Replication},
		{activity.TypeClusterDistributedHealthChanged, "distributed_health", before.Distributed, inputs.Distributed},
		{activity.TypeClusterSBDHealthChanged, "sbd_health", before.SBD, inputs.SBD},
		{activity.TypeClusterChecksHealthChanged, "checks_health", before.Checks, inputs.Checks},
	} {
		if input.now != "" && input.now != input.before {
			cs.clusterEvent(c, input.event, changeOf(input.key, input.before, input.now, ""))
		}
	}
	if c.Details() == nil {
		return
	}
	if overall := inputs.Overall(); overall != c.Health {
		cs.clusterEvent(c, activity.TypeClusterHealthChanged, changeOf("health", c.Health, overall, causeOf(overall, inputs.parts())))
		c.Health = overall
	}
}

// clusterEvent notes an event about a cluster.
func (cs *Changeset) clusterEvent(c *Cluster, t activity.Type, metadata map[string]any) {
	metadata["cluster_id"] = c.ID
	cs.event(t, metadata)
}
