package discovery

import (
	"slices"
	"strings"
	"unicode"

	"trento/store/landscape"
)

// maxDetailsBytes limits the size of the details of central services. The
// details repeat the nodes for every SAP system, so they can become much larger
// than the report. The details of real clusters stay far below the limit.
const maxDetailsBytes = 16 << 20

// normalizeClusterName returns the common form of a name. Agents spell names
// differently: NodesRunningOn and nodes_running_on are the same. The function
// is also applied to names in the configuration of SBD.
func normalizeClusterName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// decodeCluster reads an ha_cluster_discovery. It reads the facts about the
// cluster only from the designated controller.
func decodeCluster(payload value, r *findings) (*landscape.ClusterReport, error) {
	if payload.isNull() {
		return &landscape.ClusterReport{}, nil
	}
	if !payload.isObject() {
		return nil, errUnknownForm()
	}
	f := readPayload(payload, normalizeClusterName, r)
	report := &landscape.ClusterReport{ID: landscape.ClusterIDFromKey(f.requiredText("Id")), Name: f.textOrNil("Name")}
	if online := f.boolean("Online"); online != nil && !*online {
		return report, nil
	}
	report.Online = true
	monitor := f.nested("Crmmon")
	summary := monitor.nested("Summary")
	report.CIBLastWritten = nilIfEmpty(summary.nested("LastChange").expectedText("Time"))
	if !isTrue(f.expectedBoolean("DC")) {
		return report, nil
	}
	view := f.readClusterView(monitor, summary, len(payload))
	if view != nil {
		report.Facts = view.clusterFacts(f)
	}
	report.Unread = report.Facts == nil || view.isIncomplete
	return report, nil
}

// clusterFacts returns the facts about a cluster; nil if they cannot be determined.
func (v *clusterView) clusterFacts(f *fields) *landscape.ClusterFacts {
	facts := &landscape.ClusterFacts{
		Provider: v.provider, State: v.state, SAPInstances: v.instances(),
		ResourcesNumber: v.resourcesNumber, HostsNumber: v.hostsNumber,
	}
	var architecture string
	facts.Type, architecture = v.clusterType()
	switch facts.Type {
	case landscape.HANAScaleUp, landscape.HANAScaleOut:
		facts.HANA = v.hanaDetails(facts, architecture)
	case landscape.ASCSERS:
		sids := facts.AdditionalSIDs()
		if len(sids) == 0 { // resources run instances, but none of them names its SID
			f.leaveOut("Cib", reasonNoInstances)
			v.isIncomplete = true
		}
		if len(sids)*v.reportBytes > maxDetailsBytes {
			f.leaveOut("Cib", reasonTooLarge)
			return nil
		}
		facts.ASCSERS = v.ascsERSDetails(sids)
	case landscape.ClusterUnknown:
		if v.isIncomplete { // the part that was left out may determine the type
			return nil
		}
		return facts
	default:
		return facts
	}
	if sids := v.resourceSIDs(); len(sids) > 0 {
		facts.ResourceSIDs = sids
	}
	return facts
}

// The agents of running resources, in the form that resource.runs compares.
const (
	agentTopology   = "ocf:suse:SAPHanaTopology"
	agentHANA       = "ocf:suse:SAPHana"
	agentController = "ocf:suse:SAPHanaController"
	agentInstance   = "ocf:heartbeat:SAPInstance"
)

// The types of configured resources.
const (
	typeTopology   = "SAPHanaTopology"
	typeHANA       = "SAPHana"
	typeController = "SAPHanaController"
	typeInstance   = "SAPInstance"
	typeStartSrv   = "SAPStartSrv"
	typeFilesystem = "Filesystem"
	typeAddress    = "IPaddr2"
	typeAWSAddress = "aws-vpc-move-ip"
)

// clusterType returns the type of a cluster. For a HANA cluster it also returns
// the architecture of the resource agents.
func (v *clusterView) clusterType() (kind landscape.ClusterType, architecture string) {
	topology, _ := v.firstProperty(func(name string) bool { return strings.HasSuffix(name, "_glob_topology") })
	hana, isHANA := v.classicHANAType()
	ascs := v.hasCentralServices()
	switch {
	case !ascs && topology == "ScaleUp":
		return landscape.HANAScaleUp, landscape.AngiArchitecture
	case !ascs && topology == "ScaleOut":
		return landscape.HANAScaleOut, landscape.AngiArchitecture
	case !ascs && isHANA:
		return hana, landscape.ClassicArchitecture
	case ascs && !isHANA:
		return landscape.ASCSERS, ""
	case ascs:
		return landscape.HANAASCSERS, ""
	}
	return landscape.ClusterUnknown, ""
}

// classicHANAType returns the type of a HANA cluster by its cloned resources.
func (v *clusterView) classicHANAType() (landscape.ClusterType, bool) {
	cloned := func(agent string) bool {
		return slices.ContainsFunc(v.resources, func(r resource) bool { return r.container == containerClone && r.hasAgent(agent) })
	}
	switch {
	case cloned(agentTopology) && cloned(agentHANA):
		return landscape.HANAScaleUp, true
	case cloned(agentTopology) && cloned(agentController):
		return landscape.HANAScaleOut, true
	}
	return "", false
}

// hasCentralServices reports whether the groups that run SAP instances come in
// pairs. Groups that run databases do not count.
func (v *clusterView) hasCentralServices() bool {
	groups := 0
	for _, group := range v.runningGroups {
		if slices.ContainsFunc(group, func(r resource) bool { return r.hasAgent(agentInstance) && !strings.Contains(r.id, "HDB") }) {
			groups++
		}
	}
	return groups >= 2 && groups%2 == 0
}

// instances returns the SAP instances that the cluster runs, those of databases
// first. It leaves out instances whose name it cannot read.
func (v *clusterView) instances() []landscape.ClusteredInstance {
	list := []landscape.ClusteredInstance{}
	add := func(p primitive, instance landscape.ClusteredInstance) {
		if strings.TrimSpace(instance.SID) == "" || strings.TrimSpace(instance.Number) == "" {
			p.fields.leaveOut("InstanceAttributes", reasonNoInstance)
			v.isIncomplete = true
			return
		}
		list = append(list, instance)
	}
	for _, p := range v.primitives {
		if p.kind == typeTopology {
			number := p.attribute("InstanceNumber")
			add(p, landscape.ClusteredInstance{
				Name: "HDB" + number, SID: p.attribute("SID"), Number: number, ResourceType: landscape.DatabaseResource,
			})
		}
	}
	directories, services := v.movedDirectoriesAndServices()
	for _, p := range v.primitives {
		if p.kind != typeInstance {
			continue
		}
		parts := append(strings.Split(p.attribute("InstanceName"), "_"), "", "")
		instance := landscape.ClusteredInstance{
			Name: parts[1], SID: parts[0], Number: lastTwoChars(parts[1]), ResourceType: landscape.InstanceResource,
			Hostname: nilIfEmpty(parts[2]), ResourceID: nilIfEmpty(p.id),
		}
		mounted := directories["/usr/sap/"+instance.SID+"/"+instance.Name] || services[p.attribute("InstanceName")]
		instance.Mounted = &mounted
		add(p, instance)
	}
	return list
}

// movedDirectoriesAndServices returns the directories that the cluster mounts on the node where
// they are needed, and the names of the instances whose start service the
// cluster runs there. In both cases the files of an instance move with it.
func (v *clusterView) movedDirectoriesAndServices() (directories, services map[string]bool) {
	directories, services = make(map[string]bool), make(map[string]bool)
	for _, p := range v.primitives {
		switch p.kind {
		case typeFilesystem:
			directories[strings.TrimRight(p.attribute("directory"), "/")] = true
		case typeStartSrv:
			services[p.attribute("InstanceName")] = true
		}
	}
	return directories, services
}

func lastTwoChars(text string) string {
	runes := []rune(text)
	return string(runes[max(len(runes)-2, 0):])
}

// resourceSIDs returns the SID of the system for each resource that runs SAP
// software, by the id of the resource.
func (v *clusterView) resourceSIDs() map[string]string {
	configured := make(map[string]primitive)
	for _, p := range slices.Backward(v.primitives) { // of primitives with the same id, the first one counts
		configured[p.id] = p
	}
	sids := make(map[string]string)
	for _, r := range v.resources {
		p := configured[r.id]
		var sid string
		switch {
		case r.hasAgent(agentHANA), r.hasAgent(agentTopology), r.hasAgent(agentController):
			sid = p.attribute("SID")
		case r.hasAgent(agentInstance):
			sid, _, _ = strings.Cut(p.attribute("InstanceName"), "_")
		}
		if sid != "" {
			sids[r.id] = sid
		}
	}
	return sids
}
