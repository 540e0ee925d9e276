package landscape

import "trento/store/activity"

// ClusterInputs are the parts that the health of a cluster is made of. Those
// about what was discovered are empty where nothing was evaluated yet.
type ClusterInputs struct {
	Replication Health `json:"replication_health,omitempty"` // HANA
	Distributed Health `json:"distributed_health,omitempty"` // central services
	SBD         Health `json:"sbd_health,omitempty"`         // unknown takes no part
	Checks      Health `json:"checks_health"`                // unknown takes no part
}

// Overall returns the health that the inputs add up to.
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

// logged returns the inputs as the activity log has them: null for a cluster
// without details.
func (in ClusterInputs) logged() any {
	if in.SBD == "" {
		return nil
	}
	return in
}

// inputsFrom returns the inputs of a cluster that has taken over a report. Where
// a part of the report could not be read, what looks good is not known to be.
func (c *Cluster) inputsFrom(r *ClusterReport) ClusterInputs {
	inputs := c.Inputs // what is not replaced below stays: checks, and all of them where there are no details
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

// inputsOfStopped returns the inputs of a cluster about which no node says
// anything any more.
func (c *Cluster) inputsOfStopped() ClusterInputs {
	switch {
	case c.HANA != nil:
		return ClusterInputs{Replication: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	case c.ASCSERS != nil:
		return ClusterInputs{Distributed: HealthUnknown, SBD: HealthUnknown, Checks: c.Inputs.Checks}
	}
	return c.Inputs
}

// health evaluates the system replication: 4 is its best state, and SOK says
// that the secondary site could take over.
func (h *HANADetails) health() Health {
	return passingIf(h.SRHealthState == "4" && h.SecondarySyncState == "SOK")
}

// health evaluates whether every SAP system survives the loss of a node.
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

// evaluateCluster gives a changed cluster its inputs, and with them its health.
// A cluster without details keeps its health: there is nothing to add up.
func (cs *Changeset) evaluateCluster(c *Cluster, inputs ClusterInputs) {
	old := c.Inputs
	c.Inputs = inputs
	changed := func(old, now Health) bool { return now != "" && now != old }
	if changed(old.Replication, inputs.Replication) {
		cs.emit(&activity.ClusterReplicationHealthChanged{AboutCluster: c.about(), Health: string(inputs.Replication), Change: changeOf(old.Replication, "")})
	}
	if changed(old.Distributed, inputs.Distributed) {
		cs.emit(&activity.ClusterDistributedHealthChanged{AboutCluster: c.about(), Health: string(inputs.Distributed), Change: changeOf(old.Distributed, "")})
	}
	if changed(old.SBD, inputs.SBD) {
		cs.emit(&activity.ClusterSBDHealthChanged{AboutCluster: c.about(), Health: string(inputs.SBD), Change: changeOf(old.SBD, "")})
	}
	if changed(old.Checks, inputs.Checks) {
		cs.emit(&activity.ClusterChecksHealthChanged{AboutCluster: c.about(), Health: string(inputs.Checks), Change: changeOf(old.Checks, "")})
	}
	if health := inputs.Overall(); c.Details() != nil && health != c.Health {
		cs.emit(&activity.ClusterHealthChanged{AboutCluster: c.about(), Health: string(health), Change: changeOf(c.Health, causeOf(health, inputs.parts()))})
		c.Health = health
	}
}
