package landscape

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trento/store/activity"
)

// Thing identifies a host, cluster, database or SAP system.
type Thing struct {
	Kind activity.ThingKind
	ID   string
}

// Thing returns the host as a thing.
func (h *Host) Thing() Thing { return Thing{activity.HostThing, string(h.ID)} }

// Thing returns the cluster as a thing.
func (c *Cluster) Thing() Thing { return Thing{activity.ClusterThing, string(c.ID)} }

// Thing returns the database as a thing.
func (db *Database) Thing() Thing { return Thing{activity.DatabaseThing, string(db.ID)} }

// Thing returns the SAP system as a thing.
func (s *SAPSystem) Thing() Thing { return Thing{activity.SAPSystemThing, string(s.ID)} }

// Part is the part of a thing that a reason is about.
type Part string

// The parts of things.
const (
	ChecksPart          Part = "checks"
	SaptunePart         Part = "saptune"
	SoftwareUpdatesPart Part = "software_updates"
	ReplicationPart     Part = "replication"  // the system replication of a HANA cluster
	DistributionPart    Part = "distribution" // the central services on the nodes of a cluster
	SBDPart             Part = "sbd"
	InstancePart        Part = "instance"
	DatabasePart        Part = "database" // the database of an SAP system
	NoPart              Part = ""         // nothing has been evaluated
)

// Reason says why a thing has its health. Text is a clause that begins with a
// small letter, unless with a name, and has no full stop.
type Reason struct {
	Health Health
	Part   Part
	Text   string
	About  Thing // another thing that the reason is about; zero if there is none
	Stale  bool  // the reason comes from a report that is out of date
}

// Reasons are the reasons of the health of a thing. Those that decide about its
// health come first. Things that pass have none.
type Reasons []Reason

// maxReasons is the largest number of reasons that a text names.
const maxReasons = 3

// Decisive returns the reasons that decide about the health: those with the
// health of the first.
func (rs Reasons) Decisive() Reasons {
	for i := range rs {
		if rs[i].Health != rs[0].Health {
			return rs[:i]
		}
	}
	return rs
}

// Text returns the decisive reasons as a clause, such as "saptune is not
// compliant"; "" if there are none. It names at most three of them.
func (rs Reasons) Text() string {
	decisive := rs.Decisive()
	texts := make([]string, 0, len(decisive))
	for _, r := range decisive[:min(len(decisive), maxReasons)] {
		texts = append(texts, r.Text)
	}
	if more := len(decisive) - maxReasons; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return joinClauses(texts)
}

// joinClauses joins clauses with commas, and the last one with "and".
func joinClauses(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

// sorted sorts the reasons by their weight. A thing without reasons that does
// not pass has not been evaluated.
func (rs Reasons) sorted(h Health) Reasons {
	if len(rs) == 0 && h != HealthPassing {
		return Reasons{{Health: HealthUnknown, Text: "nothing has been evaluated yet"}}
	}
	slices.SortStableFunc(rs, func(a, b Reason) int { return cmp.Compare(healthWeight[b.Health], healthWeight[a.Health]) })
	return rs
}

// changeFrom returns a change from an old value with its cause. Both may be "".
func changeFrom[T ~string](old T, cause string) activity.Change {
	return activity.Change{Old: string(old), Cause: cause}
}

// Reasons returns why the host has its health.
func (h *Host) Reasons() Reasons {
	var rs Reasons
	add := func(part Part, health Health, texts map[Health]string) {
		if text := texts[health]; text != "" {
			rs = append(rs, Reason{Health: health, Part: part, Text: text})
		}
	}
	add(ChecksPart, h.Inputs.Checks, checksTexts)
	add(SaptunePart, h.Inputs.Saptune, map[Health]string{HealthWarning: saptuneWarning(h.Saptune), HealthCritical: "saptune is not compliant"})
	add(SoftwareUpdatesPart, h.Inputs.SoftwareUpdates, map[Health]string{
		HealthWarning: "software updates are missing", HealthCritical: "security updates are missing",
		HealthUnknown: "it is not known whether software updates are missing",
	})
	return rs.sorted(h.Health)
}

// checksTexts are the texts for the results of checks. Checks that have not run
// do not count.
var checksTexts = map[Health]string{HealthWarning: "checks have found a warning", HealthCritical: "checks have found something critical"}

// saptuneWarning says why the tuning of a host is a warning.
func saptuneWarning(s *Saptune) string {
	switch {
	case s == nil || s.PackageVersion == nil:
		return "saptune is not installed"
	case SaptuneOutdated(*s.PackageVersion):
		return "saptune " + *s.PackageVersion + " is older than " + MinimumSaptune
	}
	return "saptune has not tuned the host"
}

// Reasons returns why the cluster has its health.
func (c *Cluster) Reasons() Reasons {
	var rs Reasons
	if reason := c.replicationReason(); reason.Text != "" {
		rs = append(rs, reason)
	}
	rs = append(rs, c.distributionReasons()...)
	if c.Inputs.SBD == HealthCritical {
		rs = append(rs, c.sbdReasons()...)
	}
	if text := checksTexts[c.Inputs.Checks]; text != "" {
		rs = append(rs, Reason{Health: c.Inputs.Checks, Part: ChecksPart, Text: text})
	}
	if len(rs) == 0 && c.Details() == nil && c.Health != HealthPassing {
		return Reasons{{Health: HealthUnknown, Text: c.noDetailsText()}}
	}
	return rs.sorted(c.Health)
}

// noDetailsText says why a cluster has no details that could be evaluated.
func (c *Cluster) noDetailsText() string {
	switch {
	case c.Type == HANAASCSERS:
		return "the health of a cluster with a database and central services is not evaluated"
	case c.HostsNumber == nil:
		return "the node that controls the cluster has not reported yet"
	}
	return "the health of a cluster of unknown type is not evaluated"
}

// stoppedText is the reason of a cluster that is not known to run anywhere.
const stoppedText = "the cluster software runs on none of its nodes"

func (c *Cluster) replicationReason() Reason {
	reason := Reason{Health: c.Inputs.Replication, Part: ReplicationPart}
	switch {
	case reason.Health == HealthCritical && c.HANA == nil:
		reason.Text = "system replication is not in sync"
	case reason.Health == HealthCritical:
		reason.Text = fmt.Sprintf("system replication is not in sync (%s, sr_health_state %s)", c.HANA.SecondarySyncState, c.HANA.SRHealthState)
	case reason.Health == HealthUnknown && c.isStopped():
		reason.Text = stoppedText
	case reason.Health == HealthUnknown:
		reason.Text = "the state of the system replication could not be read"
	}
	return reason
}

// distributionReasons returns a reason for each SAP system whose central
// services would not survive the loss of a node.
func (c *Cluster) distributionReasons() Reasons {
	switch {
	case c.Inputs.Distributed == HealthUnknown && c.isStopped():
		return Reasons{{Health: HealthUnknown, Part: DistributionPart, Text: stoppedText}}
	case c.Inputs.Distributed == HealthUnknown:
		return Reasons{{Health: HealthUnknown, Part: DistributionPart, Text: "it could not be read where the central services run"}}
	case c.Inputs.Distributed != HealthCritical:
		return nil
	}
	var rs Reasons
	if c.ASCSERS != nil {
		for i := range c.ASCSERS.SAPSystems {
			if s := &c.ASCSERS.SAPSystems[i]; !s.Distributed {
				rs = append(rs, Reason{Health: HealthCritical, Part: DistributionPart, Text: s.notDistributedText()})
			}
		}
	}
	if rs == nil {
		return Reasons{{Health: HealthCritical, Part: DistributionPart, Text: "the central services do not run on two nodes"}}
	}
	return rs
}

// notDistributedText says where the central services of an SAP system run that
// do not run on two healthy nodes.
func (s *ClusterSAPSystem) notDistributedText() string {
	node := func(role string) string {
		for i := range s.Nodes {
			if slices.Contains(s.Nodes[i].Roles, role) {
				return s.Nodes[i].Name
			}
		}
		return ""
	}
	switch ascs, ers := node(ASCSRole), node(ERSRole); {
	case ascs == "" && ers == "":
		return "ASCS and ERS of " + s.SID + " do not run"
	case ascs == "":
		return "the ASCS of " + s.SID + " does not run"
	case ers == "":
		return "the ERS of " + s.SID + " does not run"
	case ascs == ers:
		return "ASCS and ERS of " + s.SID + " run on one node, " + ascs
	}
	return "ASCS and ERS of " + s.SID + " do not run on two healthy nodes"
}

// sbdReasons returns a reason for each SBD device that is not healthy.
func (c *Cluster) sbdReasons() Reasons {
	var devices []SBDDevice
	switch {
	case c.HANA != nil:
		devices = c.HANA.SBDDevices
	case c.ASCSERS != nil:
		devices = c.ASCSERS.SBDDevices
	}
	var rs Reasons
	for _, d := range devices {
		switch d.Status {
		case SBDHealthy:
		case SBDUnknown:
			rs = append(rs, Reason{Health: HealthCritical, Part: SBDPart, Text: "the state of SBD device " + d.Device + " is not known"})
		default:
			rs = append(rs, Reason{Health: HealthCritical, Part: SBDPart, Text: "SBD device " + d.Device + " is unhealthy"})
		}
	}
	if rs == nil {
		return Reasons{{Health: HealthCritical, Part: SBDPart, Text: "an SBD device is unhealthy"}}
	}
	return rs
}

// Reasons returns why the database has its health.
func (db *Database) Reasons() Reasons {
	return instanceReasons(db).sorted(db.Health)
}

// Reasons returns why the SAP system has its health. db is its database, or nil
// if that is not known. If the system has the health of the database, the
// reason says why the database has it.
func (s *SAPSystem) Reasons(db *Database) Reasons {
	var rs Reasons
	if s.DatabaseHealth != HealthPassing {
		reason := Reason{
			Health: s.DatabaseHealth, Part: DatabasePart, Text: "its database " + healthPhrase(s.DatabaseHealth),
			About: Thing{activity.DatabaseThing, string(s.DatabaseID)}, Stale: s.DatabaseStaleSince != nil,
		}
		if db != nil {
			reason.Text = "the database " + db.SID + " " + healthPhrase(s.DatabaseHealth)
			if why := db.Reasons(); db.Health == s.DatabaseHealth {
				reason.Text += ": " + why.Text()
			}
		}
		rs = append(rs, reason)
	}
	return append(rs, instanceReasons(s)...).sorted(s.Health)
}

// healthPhrase says after the name of a thing which health the thing has.
func healthPhrase(h Health) string {
	switch h {
	case HealthCritical:
		return "is critical"
	case HealthWarning:
		return "has a warning"
	}
	return "is in an unknown state"
}

// instanceReasons returns a reason for each instance of a system that does not
// pass.
func instanceReasons(s system) Reasons {
	var rs Reasons
	for _, i := range s.instances() {
		if health := i.Status.Health(); health != HealthPassing {
			rs = append(rs, Reason{
				Health: health, Part: InstancePart, Text: i.statusText(),
				About: Thing{activity.HostThing, string(i.HostID)}, Stale: i.StaleSince != nil,
			})
		}
	}
	return rs
}

// statusText says in words which status an instance has. The host of an absent
// instance does not list it any more. Its status is the last one it had.
func (i *Instance) statusText() string {
	text := "instance " + i.Number
	if i.Hostname != nil && *i.Hostname != "" {
		text += " on " + *i.Hostname
	}
	status := string(cmp.Or(i.Status, Gray))
	switch {
	case i.AbsentSince != nil:
		return text + " is absent and was " + status
	case i.StaleSince != nil:
		return text + " was " + status + " when it was last reported"
	}
	return text + " is " + status
}
