package fleet

// centralServicesUnits returns the resources of a system's central services and
// of their enqueue replicator: two groups that run on different nodes.
func (c *cluster) centralServicesUnits(s *System) []resourceUnit {
	return []resourceUnit{c.centralServicesUnit(s, s.ascs), c.centralServicesUnit(s, s.ers)}
}

func (c *cluster) centralServicesUnit(s *System, i *instance) resourceUnit {
	suffix := s.SID + "_" + i.name()
	name := suffix + "_" + i.hostname
	here := []resourceCopy{{node: i.host, role: "Started"}}
	run := resource{
		id: "rsc_sap_" + suffix, agent: agent{"ocf", "heartbeat", "SAPInstance"}, operations: defaultOperations, copies: here,
		attributes: []nvpair{{"InstanceName", name}, {"START_PROFILE", "/sapmnt/" + s.SID + "/profile/" + name}, {"AUTOMATIC_RECOVER", "false"}},
		options:    []nvpair{{"resource-stickiness", "5000"}},
	}
	if i == s.ers {
		run.attributes = append(run.attributes, nvpair{"IS_ERS", "true"})
		run.options = []nvpair{{"priority", "1000"}}
	}
	resources := c.addressResources(suffix, i.address, i.host)
	switch s.mount {
	case clusterMounts:
		directory := "/usr/sap/" + s.SID + "/" + i.name()
		resources = append(resources, resource{
			id: "rsc_fs_" + suffix, agent: agent{"ocf", "heartbeat", "Filesystem"}, operations: defaultOperations, copies: here,
			attributes: []nvpair{{"device", "nfs." + s.domain + ":/" + s.SID + "/" + i.name()}, {"directory", directory}, {"fstype", "nfs4"}},
		})
	case simpleMount:
		resources = append(resources, resource{
			id: "rsc_SAPStartSrv_" + suffix, agent: agent{"ocf", "suse", "SAPStartSrv"}, copies: here,
			attributes: []nvpair{{"InstanceName", name}},
		})
		run.attributes = append(run.attributes, nvpair{"MINIMAL_PROBE", "true"})
	}
	return resourceUnit{id: "grp_" + suffix, form: group, resources: append(resources, run)}
}
