package landscape

import (
	"fmt"
	"strings"

	"trento/store/activity"
)

// healthPart is a named part of a host, cluster or system whose health
// contributes to the health of the whole.
type healthPart struct {
	name   string
	health Health
}

// changeFrom returns a change from an old value with its cause. Both may be "".
func changeFrom[T ~string](old T, cause string) activity.Change {
	return activity.Change{Old: string(old), Cause: cause}
}

// maxCauses is the largest number of parts that a cause names.
const maxCauses = 3

// causeOf names the parts that have the given health. It returns "" for passing
// and unknown, which need no explanation.
func causeOf(health Health, parts []healthPart) string {
	if health != HealthWarning && health != HealthCritical {
		return ""
	}
	var names []string
	for _, p := range parts {
		if p.health == health {
			names = append(names, p.name)
		}
	}
	if more := len(names) - maxCauses; more > 0 {
		names = append(names[:maxCauses], fmt.Sprintf("%d more", more))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// worstOf returns the worst health of the parts.
func worstOf(parts []healthPart) Health {
	healths := make([]Health, len(parts))
	for i, p := range parts {
		healths[i] = p.health
	}
	return Worst(healths...)
}

// healthParts returns the parts of a host's health.
func (in HealthInputs) healthParts() []healthPart {
	return []healthPart{{"checks", in.Checks}, {"saptune", in.Saptune}, {"software updates", in.SoftwareUpdates}}
}

// healthParts returns the parts of a cluster's health.
func (in ClusterInputs) healthParts() []healthPart {
	return []healthPart{
		{"system replication", in.Replication}, {"the distribution of the nodes", in.Distributed}, {"SBD fencing", in.SBD}, {"checks", in.Checks},
	}
}

// healthParts returns the parts of an SAP system's health.
func (s *SAPSystem) healthParts() []healthPart {
	return append([]healthPart{{"the database", s.DatabaseHealth}}, instanceHealthParts(s)...)
}

// Cause names the parts that make the health of the host warning or critical.
// It returns "" if the health is neither.
func (h *Host) Cause() string { return causeOf(h.Health, h.Inputs.healthParts()) }

// Cause names the parts that make the health of the cluster warning or
// critical.
func (c *Cluster) Cause() string { return causeOf(c.Health, c.Inputs.healthParts()) }

// Cause names the parts that make the health of the database warning or
// critical.
func (db *Database) Cause() string { return causeOf(db.Health, instanceHealthParts(db)) }

// Cause names the parts that make the health of the SAP system warning or
// critical.
func (s *SAPSystem) Cause() string { return causeOf(s.Health, s.healthParts()) }
