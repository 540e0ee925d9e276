package landscape

import (
	"strconv"

	"trento/store/landscape"
	"trento/ui/page"
)

// replicationPanel is the chain of a system replication as a table.
type replicationPanel struct {
	Rows []replicationRow
}

// replicationRow is a site of a system replication.
type replicationRow struct {
	ID            string // id of the HTML element
	Site          string
	Role          string
	Tier          string
	Source        string
	Mode          string
	OperationMode string
	Broken        bool
	State         page.HealthMark // of the replication from the source; empty for a primary site
	Reason        string
	Since         page.Timestamp
}

func (d *drawer) replicationPanel(chain landscape.ReplicationChain) replicationPanel {
	var p replicationPanel
	for n := range chain.Sites {
		s := &chain.Sites[n]
		row := replicationRow{
			ID: strconv.Itoa(n), Site: nameOfSite(s), Role: s.Role, Mode: s.Mode, OperationMode: s.OperationMode,
			Since: d.timestamp(s.Since), Broken: s.State == landscape.ReplicationBroken,
		}
		if s.Tier > 0 {
			row.Tier = strconv.Itoa(s.Tier)
		}
		if s.Source >= 0 {
			row.Source = nameOfSite(&chain.Sites[s.Source])
		}
		if s.State != "" {
			mark := drawnReplication(s)
			row.State = page.HealthMark{State: mark.Shape, Word: mark.Word, Name: "Replication: " + mark.Word}
		}
		if s.Reason != "" {
			row.Reason = capitalize(s.Reason) + "."
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}
