package check

import (
	"cmp"
	"maps"
	"slices"

	"trento/store/landscape"
)

// SubjectKind says what kind of thing checks are run on.
type SubjectKind string

// The kinds of subjects.
const (
	ClusterSubject SubjectKind = "cluster"
	HostSubject    SubjectKind = "host"
)

// Subject is a cluster or host as checks see it. Selection, execution and
// results all use it, so that they agree about which checks apply.
type Subject struct {
	Kind        SubjectKind
	ID          string // of the cluster or host; for agents it is the id of the group
	Name        string
	Selected    []string // ids of checks
	Environment Environment
	Hosts       []SubjectHost // ordered by name, then id
}

// SubjectHost is a host whose agent is asked.
type SubjectHost struct {
	AgentID string
	Name    string
	// Attributes are what checks know when they exclude hosts.
	Attributes map[string]any
}

// checkableTypes are the types of clusters for which there are checks.
var checkableTypes = []landscape.ClusterType{landscape.HANAScaleUp, landscape.HANAScaleOut, landscape.ASCSERS}

// Checkable reports whether there are checks for clusters of a type.
func Checkable(t landscape.ClusterType) bool { return slices.Contains(checkableTypes, t) }

// NewHostSubject returns a host as checks see it.
func NewHostSubject(h *landscape.Host) Subject {
	arch := h.Arch
	if !slices.Contains([]string{"x86_64", "ppc64le", "s390x"}, arch) {
		arch = "unknown"
	}
	provider := ""
	if h.Cloud != nil {
		provider = h.Cloud.Provider
	}
	return Subject{
		Kind: HostSubject, ID: string(h.ID), Name: h.Hostname, Selected: h.SelectedChecks,
		Environment: Environment{"target_type": string(HostSubject), "provider": providerOf(provider), "arch": arch},
		Hosts:       []SubjectHost{{AgentID: string(h.ID), Name: h.Hostname}},
	}
}

// NewClusterSubject returns a cluster as checks see it. hosts are its registered
// members, and systems the SAP systems with an instance on one of them.
func NewClusterSubject(c *landscape.Cluster, hosts []*landscape.Host, systems []*landscape.SAPSystem) Subject {
	s := Subject{
		Kind: ClusterSubject, ID: string(c.ID), Name: string(c.ID), Selected: c.SelectedChecks,
		Environment: Environment{"target_type": string(ClusterSubject), "provider": providerOf(c.Provider), "cluster_type": string(c.Type)},
	}
	if c.Name != nil {
		s.Name = *c.Name
	}
	switch c.Type {
	case landscape.HANAScaleUp, landscape.HANAScaleOut:
		s.describeHANA(c)
	case landscape.ASCSERS:
		hosts = s.describeCentralServices(c, hosts, systems)
	}
	for _, h := range hosts {
		s.Hosts = append(s.Hosts, SubjectHost{AgentID: string(h.ID), Name: h.Hostname, Attributes: attributesOf(c, h)})
	}
	slices.SortFunc(s.Hosts, func(a, b SubjectHost) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.AgentID, b.AgentID))
	})
	return s
}

func providerOf(reported string) string { return cmp.Or(reported, "unknown") }

func (s *Subject) describeHANA(c *landscape.Cluster) {
	architecture, scenario := landscape.ClassicArchitecture, "unknown"
	if c.HANA != nil {
		if c.HANA.Architecture == landscape.AngiArchitecture {
			architecture = landscape.AngiArchitecture
		}
		if known := []string{landscape.PerformanceOptimized, landscape.CostOptimized}; slices.Contains(known, c.HANA.Scenario) {
			scenario = c.HANA.Scenario
		}
	}
	s.Environment["architecture_type"] = architecture
	if c.Type == landscape.HANAScaleUp {
		s.Environment["hana_scenario"] = scenario
	}
}

// attributesOf returns what checks know about a host of a cluster.
func attributesOf(c *landscape.Cluster, h *landscape.Host) map[string]any {
	if c.Type == landscape.ASCSERS {
		return nil
	}
	majority := c.HANA != nil && slices.ContainsFunc(c.HANA.Nodes, func(n landscape.HANANode) bool {
		return n.MajorityMaker && n.Name == h.Hostname
	})
	return map[string]any{"is_majority_maker": majority}
}

// describeCentralServices adds what distinguishes clusters of central services,
// and returns the hosts with a clustered instance. If none is known to have
// one, all hosts are asked: a check that looks at no host would pass.
func (s *Subject) describeCentralServices(c *landscape.Cluster, hosts []*landscape.Host, systems []*landscape.SAPSystem) []*landscape.Host {
	sids, numbers := map[string]bool{}, map[string]bool{}
	for _, i := range c.SAPInstances {
		sids[i.SID], numbers[i.Number] = true, true
	}
	versions, running := map[string]bool{}, map[landscape.HostID]bool{}
	for _, system := range systems {
		if !system.Registered() {
			continue
		}
		for _, i := range system.Instances {
			if sids[i.SID] && numbers[i.Number] {
				running[i.HostID] = true
				versions[string(system.ENSA)] = true
			}
		}
	}
	s.Environment["ensa_version"] = onlyElementOr(versions, "mixed_versions")
	s.Environment["filesystem_type"] = filesystemOf(c.ASCSERS)
	with := slices.DeleteFunc(slices.Clone(hosts), func(h *landscape.Host) bool { return !running[h.ID] })
	if len(with) == 0 {
		return hosts
	}
	return with
}

// onlyElementOr returns the only name of a set; other if there are several; no_ensa if
// there is none.
func onlyElementOr(set map[string]bool, other string) string {
	switch len(set) {
	case 0:
		return string(landscape.NoENSA)
	case 1:
		for name := range maps.Keys(set) {
			return cmp.Or(name, string(landscape.NoENSA))
		}
	}
	return other
}

// filesystemOf says who mounts the file systems of the SAP systems.
func filesystemOf(details *landscape.ASCSERSDetails) string {
	based, all := 0, 0
	if details != nil {
		all = len(details.SAPSystems)
		for _, system := range details.SAPSystems {
			if system.FilesystemResourceBased {
				based++
			}
		}
	}
	switch based {
	case 0:
		return "simple_mount"
	case all:
		return "resource_managed"
	}
	return "mixed_fs_types"
}
