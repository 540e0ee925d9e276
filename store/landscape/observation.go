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

	// Omissions are what could not be read, at most MaxOmissions of them, in
	// the order in which it was come across.
	Omissions []Omission `json:"omissions,omitempty"`
}

// MaxOmissions bounds the omissions of one observation: a report that is wrong
// in a million places must not fill the store with what is wrong with it.
const MaxOmissions = 100

// Omission is a value or an element of a report that could not be read and
// was left out of the observation. What was known before is not taken to be
// gone for it.
type Omission struct {
	Pointer string `json:"pointer"` // where it stands in the payload, with indexes: /0/Instances/1/SAPControl
	Detail  string `json:"detail"`  // what is wrong with it, in words
	Read    string `json:"read"`    // what was read there, the beginning of its JSON text; empty where nothing stands there
}

// SaptuneReport is what a saptune_discovery says. Status is nil where saptune
// is not installed, or too old to tell more than its version.
type SaptuneReport struct {
	Installed      bool     `json:"installed"`
	PackageVersion string   `json:"package_version"`
	Status         *Saptune `json:"status,omitempty"`
	// Unread: whether saptune is installed could not be read.
	Unread bool `json:"unread,omitzero"`
}
