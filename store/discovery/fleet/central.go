package fleet

// centralBundles are the resources that run the central services of a system
// and the replica of its locks: two groups, which keep apart.
func (c *cluster) centralBundles(s *System) []bundle {
	return []bundle{c.centralBundle(s, s.ascs), c.centralBundle(s, s.ers)}
}

func (c *cluster) centralBundle(s *System, i *instance) bundle {
	suffix := s.SID + "_" + i.name()
	name := suffix + "_" + i.hostname
	here := []placed{{node: i.host, role: "Started"}}
	run := resource{
		id: "rsc_sap_" + suffix, agent: agent{"ocf", "heartbeat", "SAPInstance"}, operations: usual, copies: here,
		attributes: []pair{{"InstanceName", name}, {"START_PROFILE", "/sapmnt/" + s.SID + "/profile/" + name}, {"AUTOMATIC_RECOVER", "false"}},
		options:    []pair{{"resource-stickiness", "5000"}},
	}
	if i == s.ers {
		run.attributes = append(run.attributes, pair{"IS_ERS", "true"})
		run.options = []pair{{"priority", "1000"}}
	}
	resources := c.addressed(suffix, i.address, i.host)
	switch s.mount {
	case byCluster:
		directory := "/usr/sap/" + s.SID + "/" + i.name()
		resources = append(resources, resource{
			id: "rsc_fs_" + suffix, agent: agent{"ocf", "heartbeat", "Filesystem"}, operations: usual, copies: here,
			attributes: []pair{{"device", "nfs." + s.domain + ":/" + s.SID + "/" + i.name()}, {"directory", directory}, {"fstype", "nfs4"}},
		})
	case simple:
		resources = append(resources, resource{
			id: "rsc_SAPStartSrv_" + suffix, agent: agent{"ocf", "suse", "SAPStartSrv"}, copies: here,
			attributes: []pair{{"InstanceName", name}},
		})
		run.attributes = append(run.attributes, pair{"MINIMAL_PROBE", "true"})
	}
	return bundle{id: "grp_" + suffix, form: group, resources: append(resources, run)}
}
