package landscape

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// cleanupPage lists what can be cleaned up.
type cleanupPage struct {
	table.Page
	Rows    []cleanupRow
	Failure string // why the clean-up failed
}

// Template implements page.Page.
func (*cleanupPage) Template() string { return "cleanuplist" }

// cleanupConfirmPage asks whether several things should be cleaned up, and
// lists everything that is cleaned up with them.
type cleanupConfirmPage struct {
	page.Frame
	CleanupPlan
	Chosen  []cleanupRow
	Refused []cleanupRefusal // what cannot be cleaned up
	Failure string           // why the clean-up failed
	Return  string           // the list where the things were chosen
}

// Template implements page.Page.
func (*cleanupConfirmPage) Template() string { return "cleanupconfirm" }

type cleanupRow struct {
	Key, Kind string
	Name      page.Link
	Host      page.Link
	Words     string
	Since     page.Timestamp
	Refused   string // why the reader may not clean it up
}

// cleanupRefusal says why one thing cannot be cleaned up.
type cleanupRefusal struct{ Name, Words string }

// cleanupItem is something that is no longer reported: a silent host, or an
// instance that its host does not list any more.
type cleanupItem struct {
	kind   cleanupKind
	key    string // value of its check box
	name   page.Link
	host   page.Link
	since  *time.Time // nil: never reported
	target landscape.Target
}

// cleanupKind is a kind of thing that can be cleaned up.
type cleanupKind struct{ name, label, ability string }

var (
	hostKind                = cleanupKind{"host", "Host", "cleanup:host"}
	databaseInstanceKind    = cleanupKind{"database", "Database instance", "cleanup:database_instance"}
	applicationInstanceKind = cleanupKind{"application", "Application instance", "cleanup:application_instance"}
)

// cleanupTable declares the list of things that can be cleaned up.
var cleanupTable = table.Table[*cleanupItem]{
	Path: "/cleanup", Noun: "thing", Items: cleanupItems,
	Columns: []table.Column[*cleanupItem]{
		{
			Key: "kind", Label: "Kind", Text: func(l *cleanupItem) string { return l.kind.label },
			Facet: &table.Facet[*cleanupItem]{Value: func(l *cleanupItem) string { return l.kind.label }},
		},
		{Key: "name", Label: "Name", Text: func(l *cleanupItem) string { return l.name.Name }},
		{
			Key: "host", Label: "Host", Text: func(l *cleanupItem) string { return l.host.Name },
			Facet: &table.Facet[*cleanupItem]{Value: func(l *cleanupItem) string { return l.host.Name }},
		},
		{Key: "state", Label: "State", Text: (*cleanupItem).reason},
		{
			Key: "since", Label: "Since", Text: func(l *cleanupItem) string { return page.ISOOrEmpty(l.since) },
			Order: func(l *cleanupItem) string { return table.OrderOfTime(page.TimeOrZero(l.since)) },
		},
	},
	Health: func(*cleanupItem) landscape.Health { return landscape.HealthUnknown },
	Urgent: func(a, b *cleanupItem) int { return page.TimeOrZero(a.since).Compare(page.TimeOrZero(b.since)) },
	Tie: func(a, b *cleanupItem) int {
		return cmp.Or(table.FoldCompare(a.name.Name, b.name.Name), strings.Compare(a.key, b.key))
	},
}

func (l *cleanupItem) reason() string {
	switch {
	case l.kind != hostKind:
		return "Absent: its host no longer lists it"
	case l.since == nil:
		return "Its agent has never been heard"
	}
	return "Its agent does not report"
}

// nameInSentence returns the name of the thing for use in a sentence.
func (l *cleanupItem) nameInSentence() string {
	if l.kind == hostKind {
		return "Host " + l.name.Name
	}
	return l.name.Name + " on " + l.host.Name
}

// cleanupItems returns the silent hosts and the absent instances.
func cleanupItems(v *page.Snapshot) []*cleanupItem {
	var all []*cleanupItem
	for _, h := range v.Hosts {
		if h.Heartbeat != landscape.HeartbeatPassing && !v.Awaited[h.ID] {
			all = append(all, &cleanupItem{
				kind: hostKind, key: "host/" + string(h.ID), name: v.LinkToHost(h.ID), host: v.LinkToHost(h.ID), since: h.StaleSince,
				target: landscape.Target{Host: h.ID},
			})
		}
	}
	add := func(kind cleanupKind, system page.Link, t landscape.Target, absentSince *time.Time) {
		if absentSince == nil {
			return
		}
		all = append(all, &cleanupItem{
			kind: kind, key: strings.Join([]string{kind.name, string(t.Database) + string(t.SAPSystem), string(t.Host), t.Number}, "/"),
			name: page.Link{Name: fmt.Sprintf("Instance %s of %s", t.Number, system.Name), URL: system.URL}, host: v.LinkToHost(t.Host),
			since: absentSince, target: t,
		})
	}
	for _, db := range v.Databases {
		for i := range db.Instances {
			in := &db.Instances[i]
			add(databaseInstanceKind, page.LinkToDatabase(db), landscape.Target{Database: db.ID, Host: in.HostID, Number: in.Number}, in.AbsentSince)
		}
	}
	for _, s := range v.Systems {
		for i := range s.Instances {
			in := &s.Instances[i]
			add(applicationInstanceKind, page.LinkToSAPSystem(s), landscape.Target{SAPSystem: s.ID, Host: in.HostID, Number: in.Number}, in.AbsentSince)
		}
	}
	return all
}

// cleanableLinks returns a link to the list of things that can be cleaned up;
// none if the list is empty.
func cleanableLinks(v *page.Snapshot) []page.ActionLink {
	all := cleanupTable.List(v)
	if len(all) == 0 {
		return nil
	}
	return []page.ActionLink{{Label: page.Count(len(all), "thing", "things") + " can be cleaned up", URL: cleanupTable.Path}}
}

// showCleanupList answers GET /cleanup.
func (s *Pages) showCleanupList(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	return s.renderCleanupList(w, r, http.StatusOK, "")
}

func (s *Pages) renderCleanupList(w http.ResponseWriter, r *http.Request, status int, failure string) error {
	p := cleanupPage{Page: table.NewPage(s.Console, r, &cleanupTable, "Needs clean-up"), Failure: failure}
	p.Live = "host database sap_system"
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, cleanupTable.List)
	if err != nil {
		return err
	}
	onPage, _, ok, err := cleanupTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.List.OrderWords = strings.Replace(p.List.OrderWords, "What needs attention comes first", "What has been silent longest comes first", 1)
	for _, l := range onPage {
		p.Rows = append(p.Rows, s.newCleanupRow(p.Reader, l))
	}
	return s.Render(w, r, status, &p)
}

func (s *Pages) newCleanupRow(reader page.Reader, l *cleanupItem) cleanupRow {
	return cleanupRow{
		Key: l.key, Kind: l.kind.label, Name: l.name, Host: l.host, Words: l.reason(), Since: s.TimestampOf(l.since), Refused: reader.WhyRefused(l.kind.ability),
	}
}

// maxCleanup limits how many things are cleaned up at once. Nobody reads a
// longer list before confirming it.
const maxCleanup = 100

var tooManyText = fmt.Sprintf("Choose at most %d things at once.", maxCleanup)

// confirmationText must be typed if a clean-up of several things removes whole
// systems.
const confirmationText = "clean up"

// chosenItems returns the things that a form names. It fails if the reader may
// not clean up one of them.
func chosenItems(reader page.Reader, keys []string, all []*cleanupItem, v *page.Snapshot) ([]*cleanupItem, error) {
	var chosen []*cleanupItem
	for _, key := range table.Unique(keys) {
		l := itemByKey(v, key)
		if i := slices.IndexFunc(all, func(l *cleanupItem) bool { return l.key == key }); i >= 0 {
			l = all[i]
		}
		if l == nil {
			continue // an invalid key, which the forms of the console never send
		}
		if !reader.Can(l.kind.ability) {
			return nil, page.Missing(l.kind.ability, "To clean up this")
		}
		chosen = append(chosen, l)
	}
	return chosen, nil
}

// absentParts replaces the keys of databases and SAP systems by those of their
// absent instances. Of a system without any, it says so on the page.
func absentParts(p *cleanupConfirmPage, keys []string, all []*cleanupItem, v *page.Snapshot) (parts []string) {
	for _, key := range table.Unique(keys[:min(len(keys), maxCleanup+1)]) {
		kind, id, _ := strings.Cut(key, "/")
		name := "The HANA database"
		switch store.TagKind(kind) {
		case store.SAPSystemTag:
			key, name = applicationInstanceKind.name+"/"+id, "The SAP system"
		case store.DatabaseTag:
		default:
			parts = append(parts, key)
			continue
		}
		if strings.Contains(id, "/") {
			parts = append(parts, key)
			continue
		}
		before := len(parts)
		for _, l := range all {
			if strings.HasPrefix(l.key, key+"/") {
				parts = append(parts, l.key)
			}
		}
		if len(parts) == before {
			p.Refused = append(p.Refused, cleanupRefusal{Name: cmp.Or(systemName(v, id), name), Words: "It has no absent instance."})
		}
	}
	return parts
}

// systemName returns the SID of a database or SAP system; "" if it is not
// registered.
func systemName(v *page.Snapshot, id string) string {
	for _, db := range v.Databases {
		if string(db.ID) == id {
			return db.SID
		}
	}
	for _, s := range v.Systems {
		if string(s.ID) == id {
			return s.SID
		}
	}
	return ""
}

// itemByKey returns the thing with a key, also if it is not on the list any
// more; nil if the key is not valid.
func itemByKey(v *page.Snapshot, key string) *cleanupItem {
	parts := strings.Split(key, "/")
	l := &cleanupItem{key: key}
	switch {
	case len(parts) == 2 && parts[0] == hostKind.name:
		l.kind, l.target = hostKind, landscape.Target{Host: landscape.HostID(parts[1])}
	case len(parts) == 4 && parts[0] == databaseInstanceKind.name:
		l.kind, l.target = databaseInstanceKind, landscape.Target{Database: landscape.DatabaseID(parts[1]), Host: landscape.HostID(parts[2]), Number: parts[3]}
	case len(parts) == 4 && parts[0] == applicationInstanceKind.name:
		l.kind, l.target = applicationInstanceKind, landscape.Target{SAPSystem: landscape.SAPSystemID(parts[1]), Host: landscape.HostID(parts[2]), Number: parts[3]}
	default:
		return nil
	}
	l.host = v.LinkToHost(l.target.Host)
	if l.name = l.host; !l.target.IsHost() {
		l.name = page.Link{Name: "Instance " + l.target.Number}
	}
	return l
}

// confirmCleanup answers POST /cleanup/confirm: it asks whether all chosen
// things should be cleaned up. It changes nothing.
func (s *Pages) confirmCleanup(w http.ResponseWriter, r *http.Request) error {
	p := cleanupConfirmPage{Frame: s.NewFrame(r, "Clean up"), Return: returnToList(r)}
	chosen, err := s.planCleanup(r.Context(), r.PostForm["thing"], &p)
	switch {
	case err != nil:
		return err
	case len(chosen) == 0 && len(p.Refused) == 0:
		return s.renderCleanupList(w, r, http.StatusUnprocessableEntity, "Choose what to clean up first.")
	case len(chosen) > maxCleanup:
		return s.renderCleanupList(w, r, http.StatusUnprocessableEntity, tooManyText)
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// returnToList returns the address of the list where things were chosen.
func returnToList(r *http.Request) string {
	if back := r.PostForm.Get("return_to"); back != "" {
		return auth.LocalTarget(back)
	}
	return cleanupTable.Path
}

// planCleanup returns what cleaning up the things with these keys together
// removes. Things that cannot be cleaned up are listed and left out of the
// plan.
func (s *Pages) planCleanup(ctx context.Context, keys []string, p *cleanupConfirmPage) (chosen []*cleanupItem, err error) {
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		p.Seq = v.Seq
		p.CountCritical(v)
		all := cleanupTable.List(v)
		if chosen, err = chosenItems(p.Reader, absentParts(p, keys, all, v), all, v); err != nil || len(chosen) > maxCleanup {
			return err
		}
		possible := chosen
		p.CleanupPlan, err = PlanCleanup(tx, confirmationText, targetsOf(possible)...)
		if _, refused := fault.KindOf(err); refused {
			possible, err = possibleItems(tx, p, chosen)
			if err == nil {
				p.CleanupPlan, err = PlanCleanup(tx, confirmationText, targetsOf(possible)...)
			}
		}
		for _, l := range possible {
			p.Chosen = append(p.Chosen, s.newCleanupRow(p.Reader, l))
		}
		return err
	})
	return chosen, err
}

// possibleItems returns the chosen things that can be cleaned up. For each of
// the others it adds the reason to the page.
func possibleItems(tx *store.Tx, p *cleanupConfirmPage, chosen []*cleanupItem) (possible []*cleanupItem, err error) {
	for _, l := range chosen {
		_, err := tx.PlanCleanUp(l.target)
		if _, refused := fault.KindOf(err); refused {
			p.Refused = append(p.Refused, cleanupRefusal{Name: l.nameInSentence(), Words: refusalText(err)})
			continue
		}
		if err != nil {
			return nil, err
		}
		possible = append(possible, l)
	}
	return possible, nil
}

func targetsOf(things []*cleanupItem) []landscape.Target {
	targets := make([]landscape.Target, len(things))
	for i, l := range things {
		targets[i] = l.target
	}
	return targets
}

// cleanUpAll answers POST /cleanup: it cleans up all of the things. If it
// cannot, it cleans up none and asks again.
func (s *Pages) cleanUpAll(w http.ResponseWriter, r *http.Request) error {
	p := cleanupConfirmPage{Frame: s.NewFrame(r, "Clean up"), Return: returnToList(r)}
	chosen, err := s.planCleanup(r.Context(), r.PostForm["thing"], &p)
	status := http.StatusConflict
	switch {
	case err != nil:
		return err
	case len(chosen) == 0 && len(p.Refused) == 0:
		return s.renderCleanupList(w, r, http.StatusUnprocessableEntity, "Choose what to clean up first.")
	case len(chosen) > maxCleanup:
		return s.renderCleanupList(w, r, http.StatusUnprocessableEntity, tooManyText)
	case len(p.Refused) > 0:
		p.Failure = "Nothing was changed: some of this cannot be cleaned up any more."
	case r.PostForm.Get("plan") != p.Plan:
		p.Failure = planChangedText
	case p.Confirm != "" && strings.TrimSpace(r.PostForm.Get("confirm")) != p.Confirm:
		p.Failure, status = fmt.Sprintf("Nothing was changed: type %q to confirm.", p.Confirm), http.StatusUnprocessableEntity
	}
	if p.Failure != "" {
		return s.Render(w, r, status, &p)
	}
	err = s.Store.CleanUp(r.Context(), page.Actor(r.Context()), RequirePlan(p.Plan), targetsOf(chosen)...)
	if _, refused := fault.KindOf(err); refused || errors.Is(err, ErrPlanChanged) { // the landscape changed after the plan was checked
		return s.renderCleanupList(w, r, http.StatusConflict, planChangedText)
	}
	if err != nil {
		return err
	}
	news := chosen[0].nameInSentence() + " was cleaned up."
	if len(chosen) > 1 {
		news = fmt.Sprintf("%d things were cleaned up.", len(chosen))
	}
	s.SetFlash(w, r, news)
	http.Redirect(w, r, p.Return, http.StatusSeeOther)
	return nil
}
