package landscape

import (
	"cmp"
	"slices"
	"strings"

	"trento/store/landscape"
	"trento/ui/page"
)

// instanceTable is the table of a system's instances, shown below the row of
// the system in a list.
type instanceTable struct {
	ID       string // id of the HTML element
	Label    string // "Application Layer"
	Database bool   // the table has a column for the replication
	Rows     []instanceTableRow
}

// instanceTableRow is one instance of a table.
type instanceTableRow struct {
	ID          string
	Status      statusMark
	Number      string
	Features    []string
	Replication replicationMark
	Cluster     page.Link // empty: not in a cluster
	Host        page.Link
	Grey        bool // stale or absent
	Stale       bool
	Cleanup     *page.Control
}

// replicationMark is the state of an instance in the system replication.
type replicationMark struct {
	Role   string // "HANA Primary"; empty: none
	Status string
	State  string // passing, critical or unknown
}

func newReplicationMark(r *landscape.Replication) replicationMark {
	if r.Role == nil {
		return replicationMark{}
	}
	m := replicationMark{Role: "HANA " + *r.Role, Status: orEmpty(r.ReplicationStatus), State: "unknown"}
	switch m.Status {
	case "ACTIVE":
		m.State = "passing"
	case "ERROR":
		m.State = "critical"
	}
	return m
}

// newInstanceTableRow returns the row of an instance of any kind. system is the
// path of its system.
func (s *Pages) newInstanceTableRow(reader page.Reader, v *page.Snapshot, system, ability, sid, number string, host landscape.HostID, f landscape.InstanceFacts, t landscape.InstanceTimes) instanceTableRow {
	row := instanceTableRow{
		ID: strings.TrimPrefix(system, "/") + "/" + string(host) + "/" + number, Number: number, Features: splitFeatures(f.Features),
		Status:  newStatusMark(f.Status, t.AbsentSince != nil, s.TimestampOf(t.StaleSince)),
		Cluster: v.ClusterRunning(host, sid, number), Host: v.LinkToHost(host),
		Stale: t.StaleSince != nil, Grey: t.StaleSince != nil || t.AbsentSince != nil,
	}
	if t.AbsentSince != nil {
		row.Cleanup = reader.Control(ability, "Clean up", reader.WithReturn(system+instanceCleanupPath(host, number)))
	}
	return row
}

// databaseInstanceTable returns the instances of a database, sorted by the tier
// of their site.
func (s *Pages) databaseInstanceTable(reader page.Reader, v *page.Snapshot, db *landscape.Database, within, label string) instanceTable {
	l := instanceTable{ID: within + "-database", Label: label, Database: true}
	instances := slices.Clone(db.Instances)
	slices.SortStableFunc(instances, func(a, b landscape.DatabaseInstance) int {
		return cmp.Compare(tierRank(&a.Replication), tierRank(&b.Replication))
	})
	for i := range instances {
		in := &instances[i]
		row := s.newInstanceTableRow(reader, v, "/databases/"+string(db.ID), "cleanup:database_instance", in.SID, in.Number, in.HostID, in.InstanceFacts, in.InstanceTimes)
		row.Replication = newReplicationMark(&in.Replication)
		row.ID = within + "/" + row.ID
		l.Rows = append(l.Rows, row)
	}
	return l
}

// tierRank returns the tier of an instance; for one without a tier a number
// above all tiers.
func tierRank(r *landscape.Replication) int {
	if r.Tier == nil {
		return 1 << 30
	}
	return *r.Tier
}

func (s *Pages) applicationInstanceTable(reader page.Reader, v *page.Snapshot, system *landscape.SAPSystem) instanceTable {
	l := instanceTable{ID: string(system.ID) + "-application", Label: "Application Layer"}
	for i := range system.Instances {
		in := &system.Instances[i]
		row := s.newInstanceTableRow(reader, v, "/sap_systems/"+string(system.ID), "cleanup:application_instance", in.SID, in.Number, in.HostID, in.InstanceFacts, in.InstanceTimes)
		l.Rows = append(l.Rows, row)
	}
	return l
}
