package landscape

import (
	"errors"
	"slices"
	"strings"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// statusMark is the status of an instance: a symbol and the word of SAP.
type statusMark struct {
	Shape string // passing, warning, critical, unknown, absent
	Word  string // "Green"
	Name  string // text for readers who cannot see the symbol
	Hint  string
	Stale bool
}

// instanceRow is an SAP instance in a table.
type instanceRow struct {
	ID       string // id of the HTML element
	Status   statusMark
	System   page.Link // the system of the instance
	Note     string    // why the system has no page
	Type     string    // "Application" or "Database"
	Hostname page.Link // hostname of the instance, with a link to its host
	Host     string    // name of the host, if it differs from Hostname
	Number   string
	Features []string
	HTTPPort string
	TLSPort  string
	Priority string
	Stale    bool
	Absent   bool
	Cleanup  *page.Control // clean-up of an absent instance
}

func newStatusMark(status landscape.InstanceStatus, absent bool, since page.Timestamp) statusMark {
	m := statusMark{Shape: string(page.ShownHealth(status.Health())), Word: "Gray", Stale: !since.IsZero()}
	switch status {
	case landscape.Green, landscape.Yellow, landscape.Red:
		m.Word = strings.ToUpper(string(status[:1])) + string(status[1:])
	}
	if absent {
		m.Shape, m.Word, m.Hint = "absent", "Absent", "Registered instance not found."
	}
	m.Name = "Status: " + m.Word
	if m.Stale {
		m.Name += " Stale"
		m.Hint = strings.TrimSpace(m.Hint + " Stale since " + since.Text())
	}
	return m
}

// newInstanceRow returns an instance on a host. host is nil if the host is not
// registered.
func (s *Pages) newInstanceRow(id landscape.HostID, host *landscape.Host, number string, f landscape.InstanceFacts, t landscape.InstanceTimes) instanceRow {
	row := instanceRow{
		ID: string(id) + "-" + number, Number: number, Priority: f.StartPriority,
		Status:   newStatusMark(f.Status, t.AbsentSince != nil, s.TimestampOf(t.StaleSince)),
		Features: splitFeatures(f.Features), HTTPPort: numberOrEmpty(f.HTTPPort), TLSPort: numberOrEmpty(f.TLSPort),
		Stale: t.StaleSince != nil, Absent: t.AbsentSince != nil,
	}
	name := orEmpty(f.Hostname)
	if host == nil {
		row.Hostname = page.Link{Name: name, Gone: "Host currently not registered."}
		if name == "" {
			row.Hostname.Name = string(id)
		}
		return row
	}
	row.Hostname = page.Link{Name: name, URL: "/hosts/" + string(id)}
	switch name {
	case host.Hostname:
	case "":
		row.Hostname.Name = host.Hostname
	default:
		row.Host = host.Hostname
	}
	return row
}

func (s *Pages) newDatabaseInstanceRow(reader page.Reader, id landscape.DatabaseID, i *landscape.DatabaseInstance, host *landscape.Host) instanceRow {
	row := s.newInstanceRow(i.HostID, host, i.Number, i.InstanceFacts, i.InstanceTimes)
	row.Type, row.System = "Database", page.Link{Name: i.SID, URL: "/databases/" + string(id)}
	if row.Absent {
		row.Cleanup = reader.Control("cleanup:database_instance", "Clean up", row.System.URL+instanceCleanupPath(i.HostID, i.Number))
	}
	return row
}

func (s *Pages) newApplicationInstanceRow(reader page.Reader, id landscape.SAPSystemID, i *landscape.ApplicationInstance, host *landscape.Host) instanceRow {
	row := s.newInstanceRow(i.HostID, host, i.Number, i.InstanceFacts, i.InstanceTimes)
	row.Type, row.System = "Application", page.Link{Name: i.SID, URL: "/sap_systems/" + string(id)}
	if row.Absent {
		row.Cleanup = reader.Control("cleanup:application_instance", "Clean up", row.System.URL+instanceCleanupPath(i.HostID, i.Number))
	}
	return row
}

// instanceCleanupPath returns the path for cleaning up an instance, below the
// path of its system.
func instanceCleanupPath(host landscape.HostID, number string) string {
	return "/hosts/" + string(host) + "/instances/" + number + "/cleanup"
}

// instancesOn returns the instances on a host, those of databases first.
func (s *Pages) instancesOn(tx *store.Tx, reader page.Reader, h *landscape.Host) ([]instanceRow, error) {
	var rows []instanceRow
	for _, id := range tx.DatabasesOn(h.ID) {
		db, err := tx.Database(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range db.Instances {
			if db.Instances[i].HostID == h.ID {
				rows = append(rows, s.newDatabaseInstanceRow(reader, id, &db.Instances[i], h))
			}
		}
	}
	databases := len(rows)
	for _, id := range tx.SAPSystemsOn(h.ID) {
		system, err := tx.SAPSystem(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range system.Instances {
			if system.Instances[i].HostID == h.ID {
				rows = append(rows, s.newApplicationInstanceRow(reader, id, &system.Instances[i], h))
			}
		}
	}
	lost, err := s.unregisteredInstances(tx, h, rows)
	if err != nil {
		return nil, err
	}
	bySID := func(a, b instanceRow) int { return strings.Compare(a.System.Name, b.System.Name) }
	slices.SortStableFunc(rows[:databases], bySID)
	slices.SortStableFunc(rows[databases:], bySID)
	return append(rows, lost...), nil
}

// unregisteredInstances returns the instances on a host whose systems are not
// registered: those missing in rows.
func (s *Pages) unregisteredInstances(tx *store.Tx, h *landscape.Host, rows []instanceRow) ([]instanceRow, error) {
	reported, err := tx.ReportedOn(h.ID)
	var lost []instanceRow
	for _, e := range reported {
		row := s.newInstanceRow(h.ID, h, e.Number, e.InstanceFacts, landscape.InstanceTimes{StaleSince: h.StaleSince})
		row.Type, row.System = "Application", page.Link{Name: e.SID, Gone: "SAP system currently not registered"}
		switch {
		case e.Database != nil:
			row.Type, row.System.Gone = "Database", "HANA database currently not registered"
			row.Note = "Its database is registered once the primary has been found."
		case e.Waiting:
			row.Note = "The database it uses has not been found yet."
		default:
			row.Note = "Its SAP system is registered once a message server and an ABAP or Java instance have been found."
		}
		if !slices.ContainsFunc(rows, func(known instanceRow) bool {
			return known.Number == row.Number && known.Type == row.Type && known.System.Name == e.SID
		}) {
			lost = append(lost, row)
		}
	}
	return lost, err
}

// splitFeatures returns the features of an instance, which agents separate by
// "|".
func splitFeatures(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "|"), func(f string) bool { return f == "" })
}

// registeredHost returns the host with an id; nil if it is not registered.
func registeredHost(tx *store.Tx, id landscape.HostID) (*landscape.Host, error) {
	h, err := tx.Host(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return h, err
}
