package landscape

import (
	"net/http"
	"slices"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// WallPath is the path of the page for a screen on a wall.
const WallPath = "/wall"

// wallPage is the state of the landscape, to be read from afar. Nothing on it
// can be pressed but the way back of somebody who is signed in.
type wallPage struct {
	page.Frame
	AsOf     page.Timestamp
	Counters []wallCounter
	// Incidents are the most severe ones, and More is a text about the others.
	Incidents []incidentRow
	More      string
	Sites     *siteSummary
}

// Template implements page.Page.
func (*wallPage) Template() string { return "wall" }

// wallCounter is the number of things of a kind, and how many of them have each
// health.
type wallCounter struct {
	Label  string
	Total  int
	Counts []mapCount // the worst first, without those of which there are none
}

const (
	// maxWallIncidents and maxWallSites are what fits on a screen.
	maxWallIncidents = 8
	maxWallSites     = 10
	// wallRefresh is the period in seconds in which the page is fetched again
	// although nothing has changed, for the ages on it.
	wallRefresh = 60
)

// showWall answers GET /wall.
func (s *Pages) showWall(w http.ResponseWriter, r *http.Request) error {
	p := wallPage{Frame: s.NewFrame(r, "Wall")}
	p.Wall, p.Live, p.Refresh = true, "host cluster database sap_system agent_report", wallRefresh
	switch theme := r.URL.Query().Get("theme"); {
	case theme == "light" || theme == "dark":
		p.Theme = theme
	case p.Theme == "": // it shines less in a dark room
		p.Theme = "dark"
	}
	now := s.Store.Now()
	p.AsOf, p.Clock = s.Timestamp(now), now.UTC().Format("15:04 UTC")
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		p.fill(v)
		s.fillWallIncidents(tx, v, &p)
		if p.User != nil {
			return nil
		}
		d, err := s.Auth.DisplayOf(tx, r)
		if err != nil {
			return err
		}
		return s.Auth.RefreshDisplayCookie(w, r, d)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// fill sets the counters and the sites.
func (p *wallPage) fill(v *page.Snapshot) {
	p.Counters = []wallCounter{
		newWallCounter("SAP systems", v.Systems, func(s *landscape.SAPSystem) landscape.Health { return s.Health }),
		newWallCounter("HANA databases", v.Databases, func(db *landscape.Database) landscape.Health { return db.Health }),
		newWallCounter("Clusters", v.Clusters, func(c *landscape.Cluster) landscape.Health { return c.Health }),
		newWallCounter("Hosts", v.Hosts, func(h *landscape.Host) landscape.Health { return h.Health }),
	}
	p.Sites = mapOf(v).summary(maxWallSites)
}

func newWallCounter[T any](label string, things []T, healthOf func(T) landscape.Health) wallCounter {
	counter := wallCounter{Label: label, Total: len(things)}
	var byHealth [len(healthOrder)]int
	for _, thing := range things {
		byHealth[page.HealthRank(healthOf(thing))]++
	}
	for i, h := range healthOrder {
		if byHealth[i] > 0 {
			counter.Counts = append(counter.Counts, mapCount{State: string(h), Label: page.HealthWord(h), Count: byHealth[i]})
		}
	}
	return counter
}

// fillWallIncidents sets the incidents that fit on the screen.
func (s *Pages) fillWallIncidents(tx *store.Tx, v *page.Snapshot, p *wallPage) {
	all := slices.Clone(incidentsOf(v))
	landscape.SortIncidents(all, func(t landscape.Thing) time.Time {
		since, _ := tx.HealthSince(t.Kind, t.ID)
		return since
	})
	for _, i := range all[:min(len(all), maxWallIncidents)] {
		p.Incidents = append(p.Incidents, s.newIncidentRow(tx, v, i))
	}
	if more := len(all) - len(p.Incidents); more > 0 {
		p.More = page.Count(more, "more incident", "more incidents")
	}
}
