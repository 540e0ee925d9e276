package ui

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// cleanupPage is the list of what could be cleaned up.
type cleanupPage struct {
	tablePage
	Rows    []leftRow
	Failure string // why nothing was done
}

// cleanupConfirmPage asks whether several things shall be cleaned up, and says all that
// would go with them.
type cleanupConfirmPage struct {
	Frame
	cleanupPlan
	Chosen  []leftRow
	Refused []leftRefusal // what cannot be cleaned up
	Failure string        // why nothing was done
}

type leftRow struct {
	Key, Kind string
	Name      link
	Host      link
	Words     string
	Since     Timestamp
	Refused   string // why the reader may not choose it
}

// leftRefusal is why one thing cannot be cleaned up.
type leftRefusal struct{ Name, Words string }

// cleanupItem is something that nobody reports any more: a silent host, or an
// instance that its host no longer lists.
type cleanupItem struct {
	kind   leftKind
	key    string // names it in a form
	name   link
	host   link
	since  *time.Time // nil: never heard
	target landscape.Target
}

// leftKind is a kind of thing that can be cleaned up.
type leftKind struct{ name, label, ability string }

var (
	leftHost        = leftKind{"host", "Host", "cleanup:host"}
	leftDatabase    = leftKind{"database", "Database instance", "cleanup:database_instance"}
	leftApplication = leftKind{"application", "Application instance", "cleanup:application_instance"}
)

// cleanupTable is what can be done with the list of what is left behind.
var cleanupTable = table[*cleanupItem]{
	path: "/cleanup", noun: "thing", items: leftItems,
	columns: []column[*cleanupItem]{
		{
			key: "kind", label: "Kind", text: func(l *cleanupItem) string { return l.kind.label },
			facet: &facetOf[*cleanupItem]{value: func(l *cleanupItem) string { return l.kind.label }},
		},
		{key: "name", label: "Name", text: func(l *cleanupItem) string { return l.name.Name }},
		{
			key: "host", label: "Host", text: func(l *cleanupItem) string { return l.host.Name },
			facet: &facetOf[*cleanupItem]{value: func(l *cleanupItem) string { return l.host.Name }},
		},
		{key: "state", label: "State", text: (*cleanupItem).words},
		{
			key: "since", label: "Since", text: func(l *cleanupItem) string { return isoOf(l.since) },
			compare: func(a, b *cleanupItem) int { return momentOrZero(a.since).Compare(momentOrZero(b.since)) },
		},
	},
	health: func(*cleanupItem) landscape.Health { return landscape.HealthUnknown },
	urgent: func(a, b *cleanupItem) int { return momentOrZero(a.since).Compare(momentOrZero(b.since)) },
	tie: func(a, b *cleanupItem) int {
		return cmp.Or(foldCompare(a.name.Name, b.name.Name), strings.Compare(a.key, b.key))
	},
}

func (l *cleanupItem) words() string {
	switch {
	case l.kind != leftHost:
		return "Absent: its host no longer lists it"
	case l.since == nil:
		return "Its agent has never been heard"
	}
	return "Its agent does not report"
}

// label names the thing in a sentence.
func (l *cleanupItem) label() string {
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
func leftItems(v *snapshot) []*cleanupItem {
	var all []*cleanupItem
	for _, h := range v.hosts {
		if h.Heartbeat != landscape.HeartbeatPassing && !v.awaited[h.ID] {
			all = append(all, &cleanupItem{
				kind: leftHost, key: "host/" + string(h.ID), name: v.linkToHost(h.ID), host: v.linkToHost(h.ID), since: h.StaleSince,
				target: landscape.Target{Host: h.ID},
			})
		}
	}
	add := func(kind leftKind, system link, t landscape.Target, absentSince *time.Time) {
		if absentSince == nil {
			return
		}
		all = append(all, &cleanupItem{
			kind: kind, key: strings.Join([]string{kind.name, string(t.Database) + string(t.SAPSystem), string(t.Host), t.Number}, "/"),
			name: link{Name: fmt.Sprintf("Instance %s of %s", t.Number, system.Name), URL: system.URL}, host: v.linkToHost(t.Host),
			since: absentSince, target: t,
		})
	}
	for _, db := range v.databases {
		for i := range db.Instances {
			in := &db.Instances[i]
			add(leftDatabase, linkToDatabase(db), landscape.Target{Database: db.ID, Host: in.HostID, Number: in.Number}, in.AbsentSince)
		}
	}
	for _, s := range v.systems {
		for i := range s.Instances {
			in := &s.Instances[i]
			add(leftApplication, linkToSAPSystem(s), landscape.Target{SAPSystem: s.ID, Host: in.HostID, Number: in.Number}, in.AbsentSince)
		}
	}
	return all
}

// cleanable leads to the list where there is something on it.
func (v *snapshot) cleanable() []actionLink {
	all := cleanupTable.list(v)
	if len(all) == 0 {
		return nil
	}
	return []actionLink{{Label: count(len(all), "thing", "things") + " can be cleaned up", URL: cleanupTable.path}}
}

// cleanupList answers GET /cleanup.
func (s *server) cleanupList(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	return s.showLeft(w, r, http.StatusOK, "")
}

func (s *server) showLeft(w http.ResponseWriter, r *http.Request, status int, failure string) error {
	p := cleanupPage{tablePage: newTablePage(s, r, &cleanupTable, "Needs clean-up"), Failure: failure}
	p.Live = "host database sap_system"
	all, err := view(s, &p.Frame, cleanupTable.list)
	if err != nil {
		return err
	}
	page, _, ok, err := cleanupTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	p.List.OrderWords = strings.Replace(p.List.OrderWords, "What needs attention comes first", "What has been silent longest comes first", 1)
	for _, l := range page {
		p.Rows = append(p.Rows, s.newLeftRow(auth.From(r.Context()), l))
	}
	return s.render(w, r, status, pageAttention, &p)
}

func (s *server) newLeftRow(reader *auth.Identity, l *cleanupItem) leftRow {
	return leftRow{
		Key: l.key, Kind: l.kind.label, Name: l.name, Host: l.host, Words: l.words(), Since: s.timestampOf(l.since), Refused: refused(reader, l.kind.ability),
	}
}

// maxCleanup bounds what is cleaned up at once: more is more than anybody has
// read before agreeing.
const maxCleanup = 100

var tooMany = fmt.Sprintf("Choose at most %d things at once.", maxCleanup)

// typedForMany is what has to be typed where whole systems go with several
// things.
const typedForMany = "clean up"

// chosenLeft are the things a form names. The reader must be allowed to clean
// up all of them; whether they can be is not asked here.
func chosenLeft(r *http.Request, all []*cleanupItem, v *snapshot) ([]*cleanupItem, error) {
	reader := auth.From(r.Context())
	var chosen []*cleanupItem
	for _, key := range unique(r.PostForm["thing"]) {
		l := v.leftBehind(key)
		if i := slices.IndexFunc(all, func(l *cleanupItem) bool { return l.key == key }); i >= 0 {
			l = all[i]
		}
		if l == nil {
			continue // no form of ours says that
		}
		if !reader.Can(l.kind.ability) {
			return nil, &refusal{ability: l.kind.ability, action: "To clean up this"}
		}
		chosen = append(chosen, l)
	}
	return chosen, nil
}

// leftBehind is the thing under a key that is not on the list any more; nil
// where that is no key.
func (v *snapshot) leftBehind(key string) *cleanupItem {
	parts := strings.Split(key, "/")
	l := &cleanupItem{key: key}
	switch {
	case len(parts) == 2 && parts[0] == leftHost.name:
		l.kind, l.target = leftHost, landscape.Target{Host: landscape.HostID(parts[1])}
	case len(parts) == 4 && parts[0] == leftDatabase.name:
		l.kind, l.target = leftDatabase, landscape.Target{Database: landscape.DatabaseID(parts[1]), Host: landscape.HostID(parts[2]), Number: parts[3]}
	case len(parts) == 4 && parts[0] == leftApplication.name:
		l.kind, l.target = leftApplication, landscape.Target{SAPSystem: landscape.SAPSystemID(parts[1]), Host: landscape.HostID(parts[2]), Number: parts[3]}
	default:
		return nil
	}
	l.host = v.linkToHost(l.target.Host)
	if l.name = l.host; !l.target.IsHost() {
		l.name = link{Name: "Instance " + l.target.Number}
	}
	return l
}

// confirmCleanup answers POST /cleanup/confirm: it asks about all chosen
// things at once, and changes nothing.
func (s *server) confirmCleanup(w http.ResponseWriter, r *http.Request) error {
	p := cleanupConfirmPage{Frame: s.newFrame(r, "Clean up")}
	chosen, err := s.plan(r, &p)
	switch {
	case err != nil:
		return err
	case len(chosen) == 0:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, "Choose what to clean up first.")
	case len(chosen) > maxCleanup:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, tooMany)
	}
	return s.render(w, r, http.StatusOK, pageAsk, &p)
}

// plan finds out what cleaning up the chosen things together would take away.
// Those that cannot be cleaned up are listed, and the plan is that of the
// others.
func (s *server) plan(r *http.Request, p *cleanupConfirmPage) (chosen []*cleanupItem, err error) {
	err = s.options.Store.View(func(tx *store.Tx) error {
		v, err := s.snapshot(tx)
		if err != nil {
			return err
		}
		p.Seq = v.seq
		p.countTrouble(v)
		if chosen, err = chosenLeft(r, cleanupTable.list(v), v); err != nil || len(chosen) > maxCleanup {
			return err
		}
		possible := chosen
		p.cleanupPlan, err = planCleanup(tx, typedForMany, targetsOf(possible)...)
		if refused, ok := errors.AsType[landscape.CleanUpError](err); ok {
			possible = nil
			for _, l := range chosen {
				i := slices.IndexFunc(refused, func(r landscape.Refusal) bool { return r.Target == l.target })
				if i < 0 {
					possible = append(possible, l)
					continue
				}
				p.Refused = append(p.Refused, leftRefusal{Name: l.label(), Words: refusalWords(refused[i].Reason)})
			}
			p.cleanupPlan, err = planCleanup(tx, typedForMany, targetsOf(possible)...)
		}
		for _, l := range possible {
			p.Chosen = append(p.Chosen, s.newLeftRow(auth.From(r.Context()), l))
		}
		return err
	})
	return chosen, err
}

func targetsOf(things []*cleanupItem) []landscape.Target {
	targets := make([]landscape.Target, len(things))
	for i, l := range things {
		targets[i] = l.target
	}
	return targets
}

// cleanUpAll answers POST /cleanup: it cleans up all of the things, or none
// and asks again.
func (s *server) cleanUpAll(w http.ResponseWriter, r *http.Request) error {
	p := cleanupConfirmPage{Frame: s.newFrame(r, "Clean up")}
	chosen, err := s.plan(r, &p)
	status := http.StatusConflict
	switch {
	case err != nil:
		return err
	case len(chosen) == 0:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, "Choose what to clean up first.")
	case len(chosen) > maxCleanup:
		return s.showLeft(w, r, http.StatusUnprocessableEntity, tooMany)
	case len(p.Refused) > 0:
		p.Failure = "Nothing was changed: some of this cannot be cleaned up any more."
	case r.PostForm.Get("plan") != p.Plan:
		p.Failure = planChanged
	case p.Confirm != "" && strings.TrimSpace(r.PostForm.Get("confirm")) != p.Confirm:
		p.Failure, status = fmt.Sprintf("Nothing was changed: type %q to confirm.", p.Confirm), http.StatusUnprocessableEntity
	}
	if p.Failure != "" {
		return s.render(w, r, status, pageAsk, &p)
	}
	err = s.options.Store.CleanUp(r.Context(), actor(r.Context()), agreedTo(p.Plan), targetsOf(chosen)...)
	if _, refused := errors.AsType[landscape.CleanUpError](err); refused || errors.Is(err, errPlanChanged) { // this very moment
		return s.showLeft(w, r, http.StatusConflict, planChanged)
	}
	if err != nil {
		return err
	}
	news := chosen[0].label() + " was cleaned up."
	if len(chosen) > 1 {
		news = fmt.Sprintf("%d things were cleaned up.", len(chosen))
	}
	s.setFlash(w, r, news)
	http.Redirect(w, r, cleanupTable.path, http.StatusSeeOther)
	return nil
}
