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
// designated controller sees of the cluster is read for its faults only.
func decodeCluster(payload value) (*landscape.ClusterReport, error) {
	if payload.null() {
		return &landscape.ClusterReport{}, nil
	}
	if !payload.object() {
		return nil, unable()
	}
	var wrong problems
	f := read(payload, clusterSpelling, "", &wrong)
	report := &landscape.ClusterReport{Name: f.pointerTo("name")}
	key := f.required("id")
	if online, ok := f.get("online"); !ok || string(online) != "false" {
		report.Online = true
		f.optionalBoolean("online")
		if err := f.clusterFacts(report, len(payload)); err != nil {
			return nil, err
		}
	}
	if err := wrong.err(StagePayload); err != nil {
		return nil, err
	}
	report.ID = landscape.ClusterOf(key)
	return report, nil
}

// clusterFacts reads the view of a node that is online, and puts what counts
// of it into the report.
func (f *fields) clusterFacts(report *landscape.ClusterReport, size int) error {
	controller := f.boolean("dc")
	view, err := f.clusterView(size)
	if err != nil || len(*f.wrong) > 0 {
		return err
	}
	facts, err := view.facts(f.wrong)
	if err != nil {
		return err
	}
	report.CIBLastWritten = &view.lastWritten
	if controller {
		report.Facts = facts
	}
	return nil
}

// facts says what a cluster is and does.
func (v *clusterView) facts(wrong *problems) (*landscape.ClusterFacts, error) {
	instances, ok := v.instances(wrong)
	if !ok {
		return nil, unable()
	}
	facts := &landscape.ClusterFacts{
		Provider: v.provider, State: v.state, SAPInstances: instances,
		ResourcesNumber: &v.resourcesNumber, HostsNumber: &v.hostsNumber,
	}
	var architecture string
	facts.Type, architecture = v.kind()
	switch facts.Type {
	case landscape.HANAScaleUp, landscape.HANAScaleOut:
		facts.HANA = v.hanaDetails(facts, architecture)
	case landscape.ASCSERS:
		sids := facts.AdditionalSIDs()
		if len(sids) == 0 {
			wrong.add("/details/sap_systems", detailBlank)
		}
		if len(sids)*v.size > maxDetails {
			return nil, unable()
		}
		facts.ASCSERS = v.ascsERSDetails(sids)
	default:
		return facts, nil
	}
	facts.ResourceSIDs = v.resourceSIDs()
	for i, device := range v.sbdDevices {
		if device.Status != landscape.SBDHealthy && device.Status != landscape.SBDUnhealthy {
			wrong.add(indexed("/details/sbd_devices", i)+"/status", detailInvalid)
		}
	}
	return facts, nil
}

// Agents of resources, by the names they run under.
const (
	agentTopology   = "ocf::suse:SAPHanaTopology"
	agentHANA       = "ocf::suse:SAPHana"
	agentController = "ocf::suse:SAPHanaController"
	agentInstance   = "ocf::heartbeat:SAPInstance"
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
		return slices.ContainsFunc(v.resources, func(r resource) bool { return r.place == inClone && r.agent == agent })
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
		if slices.ContainsFunc(group, func(r resource) bool { return r.agent == agentInstance && !strings.Contains(r.id, "HDB") }) {
			groups++
		}
	}
	return groups >= 2 && groups%2 == 0
}

// instances are the SAP instances the cluster runs, those of databases first.
// It fails where the name of an instance cannot be taken apart.
func (v *clusterView) instances(wrong *problems) ([]landscape.ClusteredInstance, bool) {
	list := []landscape.ClusteredInstance{}
	for _, p := range v.primitives {
		if p.kind == typeTopology {
			number := p.attribute("InstanceNumber")
			list = append(list, landscape.ClusteredInstance{
				Name: "HDB" + number, SID: p.attribute("SID"), Number: number, ResourceType: landscape.DatabaseResource,
			})
		}
	}
	directories, services := v.mounts()
	for _, p := range v.primitives {
		if p.kind != typeInstance {
			continue
		}
		parts := strings.Split(p.attribute("InstanceName"), "_")
		if len(parts) < 2 {
			return nil, false
		}
		instance := landscape.ClusteredInstance{
			Name: parts[1], SID: parts[0], Number: lastTwo(parts[1]), ResourceType: landscape.InstanceResource,
		}
		if len(parts) > 2 && parts[2] != "" {
			instance.Hostname = &parts[2]
		}
		if p.id != "" {
			instance.ResourceID = &p.id
		}
		mounted := directories["/usr/sap/"+instance.SID+"/"+instance.Name] || services[p.attribute("InstanceName")]
		instance.Mounted = &mounted
		list = append(list, instance)
	}
	for i, instance := range list {
		pointer := indexed("/sap_instances", i)
		if strings.TrimSpace(instance.SID) == "" {
			wrong.add(pointer+"/sid", detailBlank)
		}
		if strings.TrimSpace(instance.Number) == "" {
			wrong.add(pointer+"/instance_number", detailBlank)
		}
	}
	return list, true
}

// mounts are the directories that the cluster moves, and the names of the
// instances whose service it starts where they move. Either way an instance
// takes its files with it.
func (v *clusterView) mounts() (directories, services map[string]bool) {
	directories, services = make(map[string]bool), make(map[string]bool)
	for _, p := range v.primitives {
		switch p.kind {
		case typeFilesystem:
			directories[p.attribute("directory")] = true
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
		switch r.agent {
		case agentHANA, agentTopology, agentController:
			sid = p.attribute("SID")
		case agentInstance:
			sid, _, _ = strings.Cut(p.attribute("InstanceName"), "_")
		}
		if sid != "" {
			sids[r.id] = sid
		}
	}
	return sids
}
