package landscape

import (
	"context"
	"net/http"
	"time"

	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
)

// waiversPath is the path of the page of all waivers.
const waiversPath = "/catalog/waivers"

// waiversPage lists the waivers that are in force.
type waiversPage struct {
	page.Frame
	Rows []waiverRow
}

// Template implements page.Page.
func (*waiversPage) Template() string { return "waiver" }

// waiverRow is a waiver in the list.
type waiverRow struct {
	waiverLine
	Thing page.Link
	Check page.Link // to the result
	Where string
	By    string
	End   page.Timestamp
	Soon  bool // it ends within a week
}

// soonEnding is how long before its end a waiver needs attention.
const soonEnding = 7 * 24 * time.Hour

// waiversInForce returns the waivers that have not ended, the next to end first.
func (s *Pages) waiversInForce(tx *store.Tx) ([]*store.Waiver, error) {
	all, err := tx.Waivers()
	var inForce []*store.Waiver
	for _, w := range all {
		if w.Until.After(s.Store.Now()) {
			inForce = append(inForce, w)
		}
	}
	return inForce, err
}

// endsSoon reports whether a waiver ends within a week.
func (s *Pages) endsSoon(w *store.Waiver) bool { return w.Until.Sub(s.Store.Now()) <= soonEnding }

// showWaivers answers GET /catalog/waivers.
func (s *Pages) showWaivers(w http.ResponseWriter, r *http.Request) error {
	p := waiversPage{Frame: s.NewFrame(r, "Waived failures")}
	p.Live = "waiver host cluster"
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		all, err := s.waiversInForce(tx)
		if err != nil {
			return err
		}
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		for _, waiver := range all {
			p.Rows = append(p.Rows, s.newWaiverRow(v, p.Reader, waiver))
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func (s *Pages) newWaiverRow(v *page.Snapshot, reader page.Reader, w *store.Waiver) waiverRow {
	row := waiverRow{waiverLine: s.newWaiverLine(reader, w), Where: "all hosts", By: w.By, End: s.Timestamp(w.Until), Soon: s.endsSoon(w)}
	row.Return = waiversPath
	row.Thing = v.LinkToHost(landscape.HostID(w.GroupID))
	if w.Kind == check.ClusterSubject {
		row.Thing = page.Link{Name: w.GroupID, Gone: "Cluster currently not registered."}
		if c := v.ClusterByID[landscape.ClusterID(w.GroupID)]; c != nil {
			row.Thing = page.LinkToCluster(c)
		}
	}
	if w.AgentID != "" {
		row.Where = v.LinkToHost(landscape.HostID(w.AgentID)).Name
	}
	if row.Check = (page.Link{Name: w.CheckID, Gone: "Its target is currently not registered."}); row.Thing.URL != "" {
		row.Check = page.Link{Name: w.CheckID, URL: row.Thing.URL + "/executions/last?check=" + w.CheckID + "#check-" + w.CheckID}
	} else {
		row.Refused = row.Thing.Gone
	}
	return row
}

// addWaiverLink adds a link to the waivers to what needs attention on the
// dashboard: waived failures are part of the truth.
func (s *Pages) addWaiverLink(ctx context.Context, p *dashboardPage) error {
	return s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		all, err := s.waiversInForce(tx)
		if err != nil || len(all) == 0 {
			return err
		}
		label, soon := page.Count(len(all), "failure of checks is waived", "failures of checks are waived"), 0
		for _, w := range all {
			if s.endsSoon(w) {
				soon++
			}
		}
		if soon > 0 {
			label += ", " + page.Count(soon, "waiver ends", "waivers end") + " within 7 days"
		}
		p.More = append(p.More, page.ActionLink{Label: label, URL: waiversPath})
		return nil
	})
}
