package landscape

import (
	"fmt"
	"strings"

	"trento/store/activity"
)

// part is something that a health is made of.
type part struct {
	name   string
	health Health
}

// changeOf returns a change from an old value, and its cause; both may be empty.
func changeOf[T ~string](old T, cause string) activity.Change {
	return activity.Change{Old: string(old), Cause: cause}
}

// maxCauses limits the parts that a cause names.
const maxCauses = 3

// causeOf names the parts that have a health. It is empty where all is well, or
// nothing is known: that needs no explanation.
func causeOf(health Health, parts []part) string {
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
func worstOf(parts []part) Health {
	healths := make([]Health, len(parts))
	for i, p := range parts {
		healths[i] = p.health
	}
	return Worst(healths...)
}

func (in HealthInputs) parts() []part {
	return []part{{"checks", in.Checks}, {"saptune", in.Saptune}, {"software updates", in.SoftwareUpdates}}
}

func (in ClusterInputs) parts() []part {
	return []part{
		{"system replication", in.Replication}, {"the distribution of the nodes", in.Distributed}, {"SBD fencing", in.SBD}, {"checks", in.Checks},
	}
}

func (s *SAPSystem) parts() []part {
	return append([]part{{"the database", s.DatabaseHealth}}, instanceParts(s)...)
}

// Cause returns the parts because of which the health of the host is warning or
// critical, as words; else it is empty.
func (h *Host) Cause() string { return causeOf(h.Health, h.Inputs.parts()) }

// Cause returns the same for the cluster.
func (c *Cluster) Cause() string { return causeOf(c.Health, c.Inputs.parts()) }

// Cause returns the same for the database.
func (db *Database) Cause() string { return causeOf(db.Health, instanceParts(db)) }

// Cause returns the same for the SAP system.
func (s *SAPSystem) Cause() string { return causeOf(s.Health, s.parts()) }
