package landscape

import (
	"fmt"
	"strings"
)

// part is something that takes part in a health.
type part struct {
	name   string
	health Health
}

// changeOf is the metadata of a change of a value: what it is now under a key
// of its own, what it was, and why, where that is known.
func changeOf[T ~string](key string, old, now T, cause string) map[string]any {
	metadata := map[string]any{key: now}
	if old != "" {
		metadata["old"] = old
	}
	if cause != "" {
		metadata["cause"] = cause
	}
	return metadata
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

func (db *Database) parts() []part {
	parts := make([]part, len(db.Instances))
	for i := range db.Instances {
		parts[i] = part{"instance " + db.Instances[i].Number, db.Instances[i].Status.Health()}
	}
	return parts
}

func (s *SAPSystem) parts() []part {
	parts := []part{{"the database", s.DatabaseHealth}}
	for i := range s.Instances {
		parts = append(parts, part{"instance " + s.Instances[i].Number, s.Instances[i].Status.Health()})
	}
	return parts
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
