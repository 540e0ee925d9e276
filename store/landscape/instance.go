package landscape

import (
	"slices"
	"time"
)

// InstanceStatus is the state of an SAP instance, in SAP's own colours.
type InstanceStatus string

// The colours of an instance. Gray: it is stopped, or its state is not known.
const (
	Green  InstanceStatus = "green"
	Yellow InstanceStatus = "yellow"
	Red    InstanceStatus = "red"
	Gray   InstanceStatus = "gray"
)

// Health is what the colour means for the health of a system.
func (s InstanceStatus) Health() Health {
	switch s {
	case Green:
		return HealthPassing
	case Yellow:
		return HealthWarning
	case Red:
		return HealthCritical
	}
	return HealthUnknown
}

// InstanceFacts is what a host says about any SAP instance on it. Its JSON is
// a part of the instance objects of the wire.
type InstanceFacts struct {
	// Hostname is the name the instance itself goes by, often a virtual one;
	// nil where it does not tell.
	Hostname *string `json:"instance_hostname"`
	Features string  `json:"features"`   // separated by |; empty where they have never been told
	HTTPPort *int    `json:"http_port"`  // nil: none
	TLSPort  *int    `json:"https_port"` // nil: none
	// StartPriority is a decimal number; lower ones are started first. It is
	// empty where it is not told.
	StartPriority string         `json:"start_priority"`
	Status        InstanceStatus `json:"status"`
}

// over is the facts, with the features that are known where they were not
// told: a system is made of instances with certain ones.
func (f InstanceFacts) over(known InstanceFacts) InstanceFacts {
	if f.Features == "" {
		f.Features = known.Features
	}
	return f
}

// InstanceTimes is what becomes of an instance over time.
type InstanceTimes struct {
	// AbsentSince is the moment the host of the instance stopped listing it;
	// nil while it lists it.
	AbsentSince *time.Time `json:"absent_since,omitempty"`
	// StaleSince is the moment the host of the instance fell silent; nil once
	// the host has reported about the instance again.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	RegisteredAt time.Time `json:"registered_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// details are the facts of the instance in the words of the activity log.
func (f *InstanceFacts) details() map[string]any {
	return map[string]any{
		"instance_hostname": f.Hostname, "features": f.Features, "http_port": f.HTTPPort, "https_port": f.TLSPort,
		"start_priority": f.StartPriority, "status": f.Status,
	}
}

// distinct sorts hosts and drops repeated ones.
func distinct(ids []HostID) []HostID {
	slices.Sort(ids)
	return slices.Compact(ids)
}
