package landscape

import (
	"fmt"
	"strings"

	"trento/store/activity"
)

// part is something that takes part in a health.
type part struct {
	name   string
	health Health
}

// changeOf is the change from a value for a reason; both may be empty.
func changeOf[T ~string](old T, cause string) activity.Change {
	return activity.Change{Old: string(old), Cause: cause}
}

// maxCauses bounds the parts that a cause names.
const maxCauses = 3

// causeOf names the parts that a health follows from. Nothing has to explain
// that all is well, or that nothing is known.
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

// worstOf is the worst health of the parts.
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

func (db *Database) parts() []part { return instanceParts(db) }

func (s *SAPSystem) parts() []part {
	return append([]part{{"the database", s.DatabaseHealth}}, instanceParts(s)...)
}

// Cause names what a warning or critical health of the host follows from; it
// is empty where that is not known.
func (h *Host) Cause() string { return causeOf(h.Health, h.Inputs.parts()) }

// Cause is like that of a host.
func (c *Cluster) Cause() string { return causeOf(c.Health, c.Inputs.parts()) }

// Cause is like that of a host.
func (db *Database) Cause() string { return causeOf(db.Health, db.parts()) }

// Cause is like that of a host.
func (s *SAPSystem) Cause() string { return causeOf(s.Health, s.parts()) }
