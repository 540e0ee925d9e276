package landscape

// Observation is what one report says, decoded and checked, in the terms of
// the landscape. Exactly one of the members is set, the one of Kind; an empty
// list of subscriptions is nil.
type Observation struct {
	Agent         HostID         `json:"agent"`
	Kind          Kind           `json:"kind"`
	Host          *HostFacts     `json:"host,omitempty"`
	Cloud         *Cloud         `json:"cloud,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Saptune       *SaptuneReport `json:"saptune,omitempty"`
	Cluster       *ClusterReport `json:"cluster,omitempty"`
	SAP           *SAPReport     `json:"sap,omitempty"`
}

// SaptuneReport is what a saptune_discovery says. Status is nil where saptune
// is not installed, or too old to tell more than its version.
type SaptuneReport struct {
	Installed      bool     `json:"installed"`
	PackageVersion string   `json:"package_version"`
	Status         *Saptune `json:"status,omitempty"`
}
