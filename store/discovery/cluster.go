package discovery

import (
	"slices"
	"strings"
	"unicode"

	"trento/store/landscape"
)

// maxDetails bounds the details of central services, in bytes: they repeat
// the nodes for every SAP system, and a report must not grow without limit by
// being understood. Real ones stay far below.
const maxDetails = 16 << 20

// clusterSpelling makes one name of the spellings agents have for it:
// NodesRunningOn and nodes_running_on are the same, and so are the names
// inside the configuration of SBD.
func clusterSpelling(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// decodeCluster reads an ha_cluster_discovery. What a node that is not the
// designated controller sees of the cluster does not count, and is not read.
func decodeCluster(payload value, r *reading) (*landscape.ClusterReport, error) {
	if payload.null() {
		return &landscape.ClusterReport{}, nil
	}
	if !payload.object() {
		return nil, unable()
	}
	f := readPayload(payload, clusterSpelling, r)
	report := &landscape.ClusterReport{ID: landscape.ClusterIDFromKey(f.identity("Id")), Name: f.textOrNil("Name")}
	if online := f.boolean("Online"); online != nil && !*online {
		return report, nil
	}
	report.Online = true
	monitor := f.into("Crmmon")
	summary := monitor.into("Summary")
	report.CIBLastWritten = orNil(summary.into("LastChange").expected("Time"))
	if !isTrue(f.expectedBoolean("DC")) {
		return report, nil
	}
	view := f.clusterView(monitor, summary, len(payload))
	if view != nil {
		report.Facts = view.facts(f)
	}
	report.Unread = report.Facts == nil || view.doubtful
	return report, nil
}

// facts says what a cluster is and does; nil where that cannot be told.
func (v *clusterView) facts(f *fields) *landscape.ClusterFacts {
	facts := &landscape.ClusterFacts{
		Provider: v.provider, State: v.state, SAPInstances: v.instances(),
		ResourcesNumber: v.resourcesNumber, HostsNumber: v.hostsNumber,
	}
	var architecture string
	facts.Type, architecture = v.kind()
	switch facts.Type {
	case landscape.HANAScaleUp, landscape.HANAScaleOut:
		facts.HANA = v.hanaDetails(facts, architecture)
	case landscape.ASCSERS:
		sids := facts.AdditionalSIDs()
		if len(sids) == 0 { // and yet there are resources that run some
			f.leaveOut("Cib", noInstances)
			v.doubtful = true
		}
		if len(sids)*v.size > maxDetails {
			f.leaveOut("Cib", tooLarge)
			return nil
		}
		facts.ASCSERS = v.ascsERSDetails(sids)
	case landscape.ClusterUnknown:
		if v.doubtful { // it may be what it was
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

// Agents of resources, by the names they run under, as resource.runs compares
// them.
const (
	agentTopology   = "ocf:suse:SAPHanaTopology"
	agentHANA       = "ocf:suse:SAPHana"
	agentController = "ocf:suse:SAPHanaController"
	agentInstance   = "ocf:heartbeat:SAPInstance"
)

// Types of resources, as they are configured.
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

// kind tells the type of a cluster and, of a HANA cluster, the architecture
// of its resource agents.
func (v *clusterView) kind() (kind landscape.ClusterType, architecture string) {
	topology, _ := v.firstProperty(func(name string) bool { return strings.HasSuffix(name, "_glob_topology") })
	hana, isHANA := v.classicHANA()
	ascs := v.centralServices()
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

// classicHANA tells the type of a HANA cluster by the cloned resources.
func (v *clusterView) classicHANA() (landscape.ClusterType, bool) {
	cloned := func(agent string) bool {
		return slices.ContainsFunc(v.resources, func(r resource) bool { return r.place == inClone && r.runs(agent) })
	}
	switch {
	case cloned(agentTopology) && cloned(agentHANA):
		return landscape.HANAScaleUp, true
	case cloned(agentTopology) && cloned(agentController):
		return landscape.HANAScaleOut, true
	}
	return "", false
}

// centralServices reports whether the groups of resources come in pairs that
// run SAP instances. Groups that run databases do not count.
func (v *clusterView) centralServices() bool {
	groups := 0
	for _, group := range v.runningGroups {
		if slices.ContainsFunc(group, func(r resource) bool { return r.runs(agentInstance) && !strings.Contains(r.id, "HDB") }) {
			groups++
		}
	}
	return groups >= 2 && groups%2 == 0
}

// instances are the SAP instances the cluster runs, those of databases first.
// One whose name cannot be taken apart is left out.
func (v *clusterView) instances() []landscape.ClusteredInstance {
	list := []landscape.ClusteredInstance{}
	add := func(p primitive, instance landscape.ClusteredInstance) {
		if strings.TrimSpace(instance.SID) == "" || strings.TrimSpace(instance.Number) == "" {
			p.fields.leaveOut("InstanceAttributes", noInstance)
			v.doubtful = true
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
	directories, services := v.mounts()
	for _, p := range v.primitives {
		if p.kind != typeInstance {
			continue
		}
		parts := append(strings.Split(p.attribute("InstanceName"), "_"), "", "")
		instance := landscape.ClusteredInstance{
			Name: parts[1], SID: parts[0], Number: lastTwo(parts[1]), ResourceType: landscape.InstanceResource,
			Hostname: orNil(parts[2]), ResourceID: orNil(p.id),
		}
		mounted := directories["/usr/sap/"+instance.SID+"/"+instance.Name] || services[p.attribute("InstanceName")]
		instance.Mounted = &mounted
		add(p, instance)
	}
	return list
}

// mounts are the directories that the cluster moves, and the names of the
// instances whose service it starts where they move. Either way an instance
// takes its files with it.
func (v *clusterView) mounts() (directories, services map[string]bool) {
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

func lastTwo(text string) string {
	runes := []rune(text)
	return string(runes[max(len(runes)-2, 0):])
}

// resourceSIDs says of the resources that run SAP software which system they
// belong to.
func (v *clusterView) resourceSIDs() map[string]string {
	configured := make(map[string]primitive)
	for _, p := range slices.Backward(v.primitives) { // of an id the first one counts
		configured[p.id] = p
	}
	sids := make(map[string]string)
	for _, r := range v.resources {
		p := configured[r.id]
		var sid string
		switch {
		case r.runs(agentHANA), r.runs(agentTopology), r.runs(agentController):
			sid = p.attribute("SID")
		case r.runs(agentInstance):
			sid, _, _ = strings.Cut(p.attribute("InstanceName"), "_")
		}
		if sid != "" {
			sids[r.id] = sid
		}
	}
	return sids
}
