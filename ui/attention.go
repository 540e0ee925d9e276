package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// leftPage is the list of what could be cleaned up.
type leftPage struct {
	overviewPage
	Rows    []leftRow
	Failure string // why nothing was done
}

// askPage asks whether several things shall be cleaned up, and says all that
// would go with them.
type askPage struct {
	Frame
	Chosen  []leftRow
	Groups  []cleanupGroup
	Refused []leftResult // what cannot be cleaned up
	Confirm string       // what has to be typed; empty where nothing has
	Plan    string       // fingerprint of what would go
	Failure string       // why nothing was done
}

// donePage says what has become of the things.
type donePage struct {
	Frame
	Results []leftResult
}

type leftRow struct {
	Key, Kind string
	Name      link
	Host      link
	Words     string
	Since     Moment
	Refused   string // why the reader may not choose it
}

// leftResult is what has become of one thing.
type leftResult struct {
	Name  string
	Done  bool
	Words string
}

// leftItem is something that nobody reports any more: a silent host, or an
// instance that its host no longer lists.
type leftItem struct {
	kind   leftKind
	key    string // names it in a form
	name   link
	host   link
	since  *time.Time // nil: never heard
	hostID landscape.HostID
	system string // id of what an instance belongs to
	number string
}

// leftKind is a kind of thing that can be cleaned up.
type leftKind struct{ name, label, ability string }

var (
	leftHost        = leftKind{"host", "Host", "cleanup:host"}
	leftDatabase    = leftKind{"database", "Database instance", "cleanup:database_instance"}
	leftApplication = leftKind{"application", "Application instance", "cleanup:application_instance"}
)

// cleanupOverview is what can be done with the list of what is left behind.
var cleanupOverview = overview[*leftItem]{
	path: "/cleanup", noun: "thing",
	columns: []column[*leftItem]{
		{
			key: "kind", label: "Kind", text: func(l *leftItem) string { return l.kind.label },
			facet: &facetOf[*leftItem]{value: func(l *leftItem) string { return l.kind.label }},
		},
		{key: "name", label: "Name", text: func(l *leftItem) string { return l.name.Name }},
		{
			key: "host", label: "Host", text: func(l *leftItem) string { return l.host.Name },
			facet: &facetOf[*leftItem]{value: func(l *leftItem) string { return l.host.Name }},
		},
		{key: "state", label: "State", text: (*leftItem).words},
		{
			key: "since", label: "Since", text: func(l *leftItem) string { return isoOf(l.since) },
			compare: func(a, b *leftItem) int { return momentOrZero(a.since).Compare(momentOrZero(b.since)) },
		},
	},
	health: func(*leftItem) landscape.Health { return landscape.HealthUnknown },
	urgent: func(a, b *leftItem) int { return momentOrZero(a.since).Compare(momentOrZero(b.since)) },
	tie: func(a, b *leftItem) int {
		return cmp.Or(foldCompare(a.name.Name, b.name.Name), strings.Compare(a.key, b.key))
	},
}

func (l *leftItem) words() string {
	switch {
	case l.kind != leftHost:
		return "Absent: its host no longer lists it"
	case l.since == nil:
		return "Its agent has never been heard"
	}
	return "Its agent does not report"
}

// label names the thing in a sentence.
func (l *leftItem) label() string {
	if l.kind == leftHost {
		return "Host " + l.name.Name
	}
	return l.name.Name + " on " + l.host.Name
}

func isoOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func momentOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// leftItems are the hosts that are not heard and the instances that are
// absent.
func leftItems(v *survey) []*leftItem {
	var all []*leftItem
	for _, h := range v.hosts {
		if h.Heartbeat != landscape.HeartbeatPassing {
			all = append(all, &leftItem{
				kind: leftHost, key: "host/" + string(h.ID), name: v.linkToHost(h.ID), host: v.linkToHost(h.ID), since: h.StaleSince, hostID: h.ID,
			})
		}
	}
	add := func(kind leftKind, system link, id, number string, host landscape.HostID, t landscape.InstanceTimes) {
		if t.AbsentSince == nil {
			return
		}
		name := link{Name: fmt.Sprintf("Instance %s of %s", number, system.Name), URL: system.URL}
		all = append(all, &leftItem{
			kind: kind, key: strings.Join([]string{kind.name, id, string(host), number}, "/"), name: name, host: v.linkToHost(host),
			since: t.AbsentSince, hostID: host, system: id, number: number,
		})
	}
	for _, db := range v.databases {
		for i := range db.Instances {
			in := &db.Instances[i]
			add(leftDatabase, linkToDatabase(db), string(db.ID), in.Number, in.HostID, in.InstanceTimes)
		}
	}
	for _, s := range v.systems {
		for i := range s.Instances {
			in := &s.Instances[i]
			add(leftApplication, linkToSAPSystem(s), string(s.ID), in.Number, in.HostID, in.InstanceTimes)
		}
	}
	return all
}

// cleanable leads to the list where there is something on it.
func (v *survey) cleanable() []way {
	all := leftItems(v)
	if len(all) == 0 {
		return nil
	}
	return []way{{Label: count(len(all), "thing", "things") + " can be cleaned up", URL: cleanupOverview.path}}
}

// cleanupList answers GET /cleanup.
func (s *server) cleanupList(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	return s.showLeft(w, r, http.StatusOK, "")
}

func (s *server) showLeft(w http.ResponseWriter, r *http.Request, status int, failure string) error {
	p := leftPage{overviewPage: newOverviewPage(s, r, &cleanupOverview, "Needs clean-up"), Failure: failure}
	p.Live = "host database sap_system"
	all, err := view(s, &p.Frame, leftItems)
	if err != nil {
		return err
	}
	page, _, ok, err := cleanupOverview.fillPage(s, w, r, &p.overviewPage, all)
	if err != nil || !ok {
		return err
	}
	p.List.OrderWords = strings.Replace(p.List.OrderWords, "What needs attention comes first", "What has been silent longest comes first", 1)
	for _, l := range page {
		p.Rows = append(p.Rows, s.newLeftRow(auth.From(r.Context()), l))
	}
	return s.render(w, r, status, pageAttention, &p)
}

func (s *server) newLeftRow(reader *auth.Identity, l *leftItem) leftRow {
	return leftRow{
		Key: l.key, Kind: l.kind.label, Name: l.name, Host: l.host, Words: l.words(), Since: s.momentOf(l.since), Refused: refused(reader, l.kind.ability),
	}
}

// maxCleanup bounds what is cleaned up at once: more is more than anybody has
// read before agreeing.
const maxCleanup = 100

// chosenLeft are the things a form names that are on the list and the reader
// may clean up.
func chosenLeft(r *http.Request, all []*leftItem) ([]*leftItem, error) {
	reader, keys := auth.From(r.Context()), r.PostForm["thing"]
	var chosen []*leftItem
	for _, l := range all {
		if !slices.Contains(keys, l.key) {
			continue
		}
		if !reader.Can(l.kind.ability) {
			return nil, &refusal{ability: l.kind.ability, action: "To clean up this"}
		}
		chosen = append(chosen, l)
	}
	// Instances go before the hosts they are on, which would take them along.
	slices.SortStableFunc(chosen, func(a, b *leftItem) int { return strings.Compare(a.kind.name, b.kind.name) })
	return chosen, nil
}

// confirmCleanup answers POST /cleanup/confirm: it asks about all chosen
// things at once, and changes nothing.
func (s *server) confirmCleanup(w http.ResponseWriter, r *http.Request) error {
	p := askPage{Frame: s.newFrame(r, "Clean up")}
	chosen, err := s.plan(r, &p)
	switch {
	case err != nil:
		return err
	case len(chosen) == 0:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, "Choose what to clean up first.")
	case len(chosen) > maxCleanup:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, fmt.Sprintf("Choose at most %d things at once.", maxCleanup))
	}
	return s.render(w, r, http.StatusOK, pageAsk, &p)
}

// plan finds out what cleaning up the chosen things would take away.
func (s *server) plan(r *http.Request, p *askPage) (chosen []*leftItem, err error) {
	err = s.options.Store.View(func(tx *store.Tx) error {
		v, err := s.survey(tx)
		if err != nil {
			return err
		}
		p.Seq = v.seq
		p.countTrouble(v)
		if chosen, err = chosenLeft(r, leftItems(v)); err != nil || len(chosen) > maxCleanup {
			return err
		}
		together := landscape.Decide(nil, s.options.Store.Now())
		for _, l := range chosen {
			if err := s.planOne(tx, r, p, l, together); err != nil {
				return err
			}
		}
		var d cleanupDialog
		if err := d.describe(tx, together, "clean up"); err != nil {
			return err
		}
		for i, g := range d.Groups {
			d.Groups[i].Things = once(g.Things)
		}
		p.Groups, p.Confirm, p.Plan = d.Groups, d.Confirm, d.Plan
		return nil
	})
	return chosen, err
}

// planOne adds what cleaning up one thing would take away to what goes
// together.
func (s *server) planOne(tx *store.Tx, r *http.Request, p *askPage, l *leftItem, together *landscape.Decision) error {
	var plan *landscape.Decision
	var err error
	switch l.kind {
	case leftHost:
		plan, err = tx.HostCleanup(l.hostID)
	case leftDatabase:
		plan, err = tx.DatabaseInstanceCleanup(landscape.DatabaseID(l.system), l.hostID, l.number)
	default:
		plan, err = tx.ApplicationInstanceCleanup(landscape.SAPSystemID(l.system), l.hostID, l.number)
	}
	var one cleanupDialog
	if one.refuse(err) {
		p.Refused = append(p.Refused, leftResult{Name: l.label(), Words: one.Refusal})
		return nil
	}
	if err != nil {
		return err
	}
	p.Chosen = append(p.Chosen, s.newLeftRow(auth.From(r.Context()), l))
	together.Events = append(together.Events, plan.Events...)
	maps.Copy(together.Hosts, plan.Hosts)
	maps.Copy(together.Clusters, plan.Clusters)
	maps.Copy(together.Databases, plan.Databases)
	maps.Copy(together.SAPSystems, plan.SAPSystems)
	return nil
}

// once leaves out what is repeated: several things may take the same one
// along.
func once(things []link) []link {
	var kept []link
	for _, thing := range things {
		if !slices.Contains(kept, thing) {
			kept = append(kept, thing)
		}
	}
	return kept
}

// cleanUpAll answers POST /cleanup: it cleans the things up one by one and
// says of each what has become of it.
func (s *server) cleanUpAll(w http.ResponseWriter, r *http.Request) error {
	p := askPage{Frame: s.newFrame(r, "Clean up")}
	chosen, err := s.plan(r, &p)
	switch {
	case err != nil:
		return err
	case len(chosen) == 0 || len(chosen) > maxCleanup:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, "Nothing was changed: none of this can be cleaned up any more.")
	case r.PostForm.Get("plan") != p.Plan:
		p.Failure = "Nothing was changed: what would go is not what it was when you were asked. Please look again."
		return s.render(w, r, http.StatusConflict, pageAsk, &p)
	case p.Confirm != "" && strings.TrimSpace(r.PostForm.Get("confirm")) != p.Confirm:
		p.Failure = fmt.Sprintf("Nothing was changed: type %q to confirm.", p.Confirm)
		return s.render(w, r, http.StatusUnprocessableEntity, pageAsk, &p)
	}
	done := donePage{Frame: s.newFrame(r, "Cleaned up")}
	for _, l := range chosen {
		result, err := s.cleanUpOne(r.Context(), l)
		if err != nil {
			return err
		}
		done.Results = append(done.Results, result)
	}
	if err := s.options.Store.View(done.fill); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, pageDone, &done)
}

func (s *server) cleanUpOne(ctx context.Context, l *leftItem) (leftResult, error) {
	var err error
	switch l.kind {
	case leftHost:
		err = s.options.Store.DeregisterHost(ctx, actor(ctx), l.hostID)
	case leftDatabase:
		err = s.options.Store.DeregisterDatabaseInstance(ctx, actor(ctx), landscape.DatabaseID(l.system), l.hostID, l.number)
	default:
		err = s.options.Store.DeregisterApplicationInstance(ctx, actor(ctx), landscape.SAPSystemID(l.system), l.hostID, l.number)
	}
	result := leftResult{Name: l.label(), Done: true, Words: "Cleaned up."}
	var one cleanupDialog
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound):
		result.Words = "Had gone already, with something else on this list or by somebody else."
	case one.refuse(err):
		result.Done, result.Words = false, one.Refusal
	default:
		return result, err
	}
	return result, nil
}
