package landscape

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// availabilityPage lists how long everything was available.
type availabilityPage struct {
	table.Page
	Rows     []availabilityRow
	FromText string // suggestion for another period
	ToText   string
	Known    page.Timestamp // since when healths are known
}

// Template implements page.Page.
func (*availabilityPage) Template() string { return "availability" }

// availabilityRow is a line of the list.
type availabilityRow struct {
	ID, Kind      string
	Name          page.Link
	Percent       [len(historySpans)]string // by period; "" if the health was never known in it
	Interruptions int
	Longest       string // "" if there is none
	Uncounted     string // "" if all time counts
}

// availabilityItem is a host, cluster, database or SAP system in the list.
type availabilityItem struct {
	kind    string
	thing   activity.ThingKind
	id      string
	name    page.Link
	health  landscape.Health
	periods [len(historySpans)]landscape.Availability
}

// longest is the availability in the longest of the periods.
func (a *availabilityItem) longest() landscape.Availability { return a.periods[len(a.periods)-1] }

// availabilityTable declares the list.
var availabilityTable = table.Table[*availabilityItem]{
	Path: "/availability", Noun: "thing", ID: func(a *availabilityItem) string { return a.id },
	Columns: []table.Column[*availabilityItem]{
		{
			Key: "kind", Label: "Kind", Text: func(a *availabilityItem) string { return a.kind },
			Facet: &table.Facet[*availabilityItem]{Value: func(a *availabilityItem) string { return a.kind }},
		},
		{Key: "name", Label: "Name", Text: func(a *availabilityItem) string { return a.name.Name }},
		availabilityColumn(0), availabilityColumn(1), availabilityColumn(2),
		{
			Key: "interruptions", Label: "Interruptions in 30 days", Text: func(a *availabilityItem) string { return fmt.Sprint(a.longest().Interruptions) },
			Order: func(a *availabilityItem) string { return table.OrderOfNumber(a.longest().Interruptions) },
		},
		{
			Key: "longest", Label: "Longest interruption", Text: func(a *availabilityItem) string { return durationOrEmpty(a.longest().Longest) },
			Order: func(a *availabilityItem) string { return table.OrderOfNumber(int(a.longest().Longest / time.Second)) },
		},
		{
			Key: "not_counted", Label: "Not counted", Text: func(a *availabilityItem) string { return durationOrEmpty(a.longest().Uncounted) },
			Order: func(a *availabilityItem) string { return table.OrderOfNumber(int(a.longest().Uncounted / time.Second)) },
		},
	},
	Health: func(a *availabilityItem) landscape.Health { return a.health },
	Urgent: func(a, b *availabilityItem) int {
		return cmp.Compare(availabilityRank(a.longest()), availabilityRank(b.longest()))
	},
	Tie: func(a, b *availabilityItem) int {
		return cmp.Or(table.FoldCompare(a.name.Name, b.name.Name), strings.Compare(a.kind, b.kind), strings.Compare(a.id, b.id))
	},
}

func availabilityColumn(period int) table.Column[*availabilityItem] {
	span := historySpans[period]
	return table.Column[*availabilityItem]{
		Key: "last_" + span.key, Label: "Available in " + span.label,
		Text:  func(a *availabilityItem) string { return percentText(a.periods[period]) },
		Order: func(a *availabilityItem) string { return table.OrderOfNumber(availabilityRank(a.periods[period])) },
	}
}

// availabilityRank orders availabilities, the smallest first. What no time
// counts of comes last.
func availabilityRank(a landscape.Availability) int {
	if hundredths, ok := a.Percent(); ok {
		return hundredths
	}
	return 10001
}

func durationOrEmpty(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return durationWords(d)
}

// availableThings returns everything that has a health, without the periods.
func availableThings(v *page.Snapshot) []*availabilityItem {
	var all []*availabilityItem
	for _, h := range v.Hosts {
		all = append(all, &availabilityItem{kind: "Host", thing: activity.HostThing, id: string(h.ID), name: v.LinkToHost(h.ID), health: h.Health})
	}
	for _, c := range v.Clusters {
		all = append(all, &availabilityItem{kind: "Cluster", thing: activity.ClusterThing, id: string(c.ID), name: page.LinkToCluster(c), health: c.Health})
	}
	for _, db := range v.Databases {
		all = append(all, &availabilityItem{kind: "HANA database", thing: activity.DatabaseThing, id: string(db.ID), name: page.LinkToDatabase(db), health: db.Health})
	}
	for _, s := range v.Systems {
		all = append(all, &availabilityItem{kind: "SAP system", thing: activity.SAPSystemThing, id: string(s.ID), name: page.LinkToSAPSystem(s), health: s.Health})
	}
	return all
}

// availabilityItems reads the list.
func (s *Pages) availabilityItems(ctx context.Context) ([]*availabilityItem, error) {
	return s.readAvailability(ctx, nil)
}

// readAvailability reads the list and, unless f is nil, the frame of the page.
func (s *Pages) readAvailability(ctx context.Context, f *page.Frame) (all []*availabilityItem, err error) {
	now := s.Store.Now()
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		if f != nil {
			f.Seq = v.Seq
			f.CountCritical(v)
		}
		all = availableThings(v)
		for _, a := range all {
			whole := tx.HealthIntervals(a.thing, a.id, now.Add(-historySpans[len(historySpans)-1].length), now)
			for i, span := range historySpans {
				a.periods[i] = landscape.AvailabilityOf(landscape.IntervalsAfter(whole, now.Add(-span.length)))
			}
		}
		return nil
	})
	return all, err
}

// showAvailability answers GET /availability.
func (s *Pages) showAvailability(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := availabilityPage{Page: table.NewPage(s.Console, r, &availabilityTable, "Availability")}
	p.Live = "host cluster database sap_system"
	all, err := s.readAvailability(r.Context(), &p.Frame)
	if err != nil {
		return err
	}
	onPage, _, ok, err := availabilityTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.List.OrderWords = strings.Replace(p.List.OrderWords, "What needs attention comes first", "What was available least comes first", 1)
	now := s.Store.Now()
	p.FromText, p.ToText = now.AddDate(0, -1, 0).Format("2006-01-02"), now.Format("2006-01-02")
	for _, a := range onPage {
		p.Rows = append(p.Rows, newAvailabilityRow(a))
	}
	if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		p.Known = s.Timestamp(tx.HealthKnownSince())
		return nil
	}); err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func newAvailabilityRow(a *availabilityItem) availabilityRow {
	row := availabilityRow{
		ID: a.id, Kind: a.kind, Name: a.name, Interruptions: a.longest().Interruptions,
		Longest: durationOrEmpty(a.longest().Longest), Uncounted: durationOrEmpty(a.longest().Uncounted),
	}
	for i, period := range a.periods {
		row.Percent[i] = percentText(period)
	}
	return row
}

// downloadAvailability answers GET /availability/period.csv with the
// availability of everything in one period.
func (s *Pages) downloadAvailability(w http.ResponseWriter, r *http.Request) error {
	h := parseHistoryQuery(r.URL.Query(), s.Store.Now())
	var body bytes.Buffer
	out, err := api.NewCSVWriter(&body, table.AsksByteOrderMark(r.URL.Query()))
	if err != nil {
		return err
	}
	if err := out.Write("Kind", "Name", "Id", "From", "To", "Available (%)", "Interruptions", "Longest interruption (s)", "Interrupted (s)", "Not counted (s)"); err != nil {
		return err
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.0f", d.Seconds()) }
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		h.from = tx.HealthKnownFrom(h.from)
		for _, thing := range availableThings(v) {
			a := landscape.AvailabilityOf(tx.HealthIntervals(thing.thing, thing.id, h.from, h.to))
			percent := strings.TrimSuffix(percentText(a), " %")
			if err := out.Write(thing.kind, thing.name.Name, thing.id, api.CSVTime(h.from), api.CSVTime(h.to), percent,
				fmt.Sprint(a.Interruptions), seconds(a.Longest), seconds(a.Unavailable), seconds(a.Uncounted)); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	if err != nil {
		return err
	}
	return table.SendCSV(s.Console, w, r, "availability.csv", body.Bytes())
}
