package ui

import (
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"trento/store"
	"trento/store/discovery"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
	landscapepages "trento/ui/landscape"
	"trento/ui/page"
)

// fleetFixture is a console with a landscape of all kinds of things.
func fleetFixture(t testing.TB, hosts int) *fixture {
	t.Helper()
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	land := fleet.New(7, hosts)
	for _, h := range land.Hosts() {
		for _, r := range h.Reports() {
			f.collect(r)
		}
		if err := f.store.Heartbeat(t.Context(), h.ID); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// collect stores what an agent reports. What waits for another host is taken
// by the store when that has reported.
func (f *fixture) collect(r fleet.Report) {
	f.t.Helper()
	envelope, err := discovery.Open(r.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	seen, err := discovery.Decode(envelope)
	if err != nil {
		f.t.Fatal(err)
	}
	err = f.store.Observe(f.t.Context(), store.Report{Observation: seen, Body: r.Body})
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, landscape.ErrNotRegistered) {
		f.t.Fatal(err)
	}
}

// land is the landscape of the fixture.
func (f *fixture) land() *page.Snapshot {
	f.t.Helper()
	var v *page.Snapshot
	err := f.store.View(func(tx *store.Tx) (err error) {
		v, err = page.ReadSnapshot(tx)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func (f *fixture) page(t *testing.T, target, as string) markup {
	t.Helper()
	w := f.do(call{target: target, as: as})
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d\n%s", target, w.Code, w.Body)
	}
	checkMarkup(t, w.Body.String())
	return parseMarkup(t, w.Body.String())
}

func TestOverviews(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 30)
	v := f.land()
	if len(v.Clusters) == 0 || len(v.Databases) == 0 || len(v.Systems) == 0 {
		t.Fatalf("%d clusters, %d databases, %d systems", len(v.Clusters), len(v.Databases), len(v.Systems))
	}
	s, db, c := v.Systems[0], v.Databases[0], v.Clusters[0]
	host := db.Instances[0].HostID
	for target, want := range map[string][]element{
		"/hosts?per_page=100": {
			has("#row-"+string(host)+" .col-sid a[href=/databases/"+string(db.ID)+"]", db.SID),
			has("#row-"+string(c.Members[0].HostID)+" .col-cluster a[href=/clusters/"+string(c.ID)+"]", page.ClusterName(c)),
			has("#filter-sid", "SID"), has("#filter-cluster", "Cluster"), has("#filter-tags", "Tags"), has("input[name=cleanup]", ""), hasNot(".col-do .button")},
		"/hosts?sid=" + db.SID:                              {has("#row-"+string(host), ""), has("a.chip", "SID: "+db.SID)},
		"/clusters":                                         {has("h1", "Clusters"), has("#rows", page.ClusterName(c))},
		"/clusters?name=" + page.ClusterName(c):             {has("#row-"+string(c.ID)+" .col-type .pill", landscapepages.ClusterTypeWord(string(c.Type))), has(".range", "of 1")},
		"/databases?sid=" + db.SID:                          {has("#row-"+string(db.ID)+" .col-summary", "critical"), hasNot(".instance-table"), has("a.turn[aria-expanded=false]", "")},
		"/databases?open=" + string(db.ID):                  {has("#inside-"+string(db.ID)+" .instance-table h2", "Database Instances"), has(".instance-table a[href=/hosts/"+string(host)+"]", ""), has("a.turn[aria-expanded=true][href=/databases]", "")},
		"/sap_systems?sid=" + s.SID:                         {has("#row-"+string(s.ID)+" .col-database a[href=/databases/"+string(s.DatabaseID)+"]", ""), has(".col-tenant", s.Tenant), has(".col-type", landscapepages.SystemType(s))},
		"/sap_systems?open=" + string(s.ID) + "&q=" + s.SID: {has(".instance-table h2", "Application Layer"), has(".instance-table h2", "Database Layer"), has("input[name=open][value="+string(s.ID)+"]", "")},
		"/sap_systems?q=nowhere":                            {has("h2", "No SAP system matches")},
		"/?sort=sid":                                        {has("#row-"+string(s.ID)+" .col-part .part[href=/sap_systems/"+string(s.ID)+"] .health[data-health-state]", ""), has("#latest", "Host")},
	} {
		page := f.page(t, target, "plain")
		for _, e := range want {
			e.check(t, page)
		}
	}
}

// TestOverviewCSV checks that every list has a CSV with its columns and all its
// rows.
func TestOverviewCSV(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 20)
	v := f.land()
	for target, rows := range map[string]int{
		"/hosts.csv": len(v.Hosts), "/clusters.csv": len(v.Clusters), "/databases.csv": len(v.Databases), "/sap_systems.csv": len(v.Systems), "/dashboard.csv": len(v.Systems), "/cleanup.csv": 0,
	} {
		w := f.do(call{target: target, as: "plain"})
		table, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(table) != rows+1 {
			t.Errorf("%s: %d lines, want a head and %d: %v", target, len(table), rows, err)
		}
	}
}

func TestDashboardOfNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	page := f.page(t, "/", "plain")
	has("h2", "Connect the first agent").check(t, page)
	has("a[href=/agents/connect]", "Connect an agent").check(t, page)
}

// TestStaleLandscape checks that stale things are marked on all pages, and that
// silent hosts can be cleaned up by users with the permission.
func TestStaleLandscape(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 20)
	f.silence()
	v := f.land()
	for _, target := range []string{"/hosts", "/clusters", "/databases", "/sap_systems", "/"} {
		page := f.page(t, target, "admin")
		if rows, stale := page.all("#rows tbody tr"), page.all("#rows tbody tr[data-stale]"); len(rows) == 0 || len(rows) != len(stale) {
			t.Errorf("%s: %d of %d rows are stale", target, len(stale), len(rows))
		}
	}
	host := string(v.Hosts[0].ID)
	has(".col-do a[href=/hosts/"+host+"/cleanup?return_to=%2Fhosts%3Fper_page%3D100]", "Clean up").check(t, f.page(t, "/hosts?per_page=100", "admin"))
	page := f.page(t, "/hosts?per_page=100", "plain")
	hasNot(".col-do a").check(t, page)
	has("#row-"+host+" .col-do [aria-disabled=true]", "not authorized").check(t, page)
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 10)
	f.user("tagger", 9) // all:database_tags
	v := f.land()
	host, db := "/hosts/"+string(v.Hosts[0].ID)+"/tags", "/databases/"+string(v.Databases[0].ID)+"/tags"
	script := http.Header{"X-Fragment": {"none"}}
	for _, tt := range []struct {
		name     string
		as       string
		target   string
		value    string
		header   http.Header
		status   int
		location string
	}{
		{"by nobody", "", host, "env1", nil, 303, "/session/new"},
		{"without the ability", "plain", host, "env1", nil, 403, ""},
		{"with another ability", "tagger", host, "env1", nil, 403, ""},
		{"with the ability", "tagger", db, "env1", nil, 303, "/databases?q=a#tags-" + string(v.Databases[0].ID)},
		{"a second time", "tagger", db, " env1 ", nil, 303, "/databases?q=a#tags-" + string(v.Databases[0].ID)},
		{"by the script", "admin", host, "größe_1", script, 204, ""},
		{"no tag", "admin", host, "two words", nil, 422, ""},
		{"no tag, by the script", "admin", host, "two words", script, 422, ""},
		{"nothing", "admin", host, "  ", nil, 422, ""},
		{"of what is not there", "admin", "/hosts/" + string(hostID(9999)) + "/tags", "env1", nil, 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := f.do(call{method: "POST", target: tt.target, as: tt.as, header: tt.header, form: url.Values{"value": {tt.value}, "return_to": {"/databases?q=a"}}})
			if w.Code != tt.status || w.Header().Get("Location") != tt.location {
				t.Fatalf("status %d to %q, want %d to %q\n%s", w.Code, w.Header().Get("Location"), tt.status, tt.location, w.Body)
			}
			if tt.status == 422 && tt.header == nil {
				page := parseMarkup(t, w.Body.String())
				has("input[name=value][aria-invalid=true][aria-describedby=value-error]", "").check(t, page)
				has("input[name=return_to][value=/databases?q=a]", "").check(t, page)
			}
		})
	}

	page := f.page(t, "/hosts?tags=gr%C3%B6%C3%9Fe_1", "admin")
	has("#rows .tag a", "größe_1").check(t, page)
	has(".tag button[value=größe_1]", "").check(t, page)
	has("#tag-suggestions option[value=größe_1]", "").check(t, page)
	has(".range", "Showing 1–1 of 1").check(t, page)
	page = f.page(t, "/databases", "plain")
	has(".tag a", "env1").check(t, page)
	has(".tag button[type=button][aria-disabled=true]", "").check(t, page)
	has(".tag-new[aria-disabled=true]", "all:database_tags").check(t, page)
	hasNot(".tag-add").check(t, page)

	for range 2 { // the second time there is none any more, which is fine
		if w := f.do(call{method: "POST", target: db + "/remove", as: "tagger", form: url.Values{"value": {"env1"}}}); w.Code != http.StatusSeeOther {
			t.Errorf("removal: status %d", w.Code)
		}
	}
	hasNot(".tag a").check(t, f.page(t, "/databases", "plain"))
}

func TestCleanupOfMany(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 20)
	f.silence()
	f.user("cleaner", 11) // cleanup:host
	v := f.land()
	page := f.page(t, "/cleanup?per_page=100", "cleaner")
	if boxes := page.all("#rows input[name=thing]"); len(boxes) != len(v.Hosts) {
		t.Fatalf("%d things for %d silent hosts", len(boxes), len(v.Hosts))
	}
	if boxes := f.page(t, "/cleanup?per_page=100", "plain").all("#rows input[form=choice][aria-disabled=true]"); len(boxes) != len(v.Hosts) {
		t.Errorf("somebody who may not can choose: %d of %d are disabled", len(boxes), len(v.Hosts))
	}
	gone := "host/" + string(hostID(9999))
	things := []string{"host/" + string(v.Databases[0].Instances[0].HostID), "host/" + string(v.Systems[0].Instances[0].HostID), gone}
	ask := func(as string) (int, markup) {
		w := f.do(call{method: "POST", target: "/cleanup/confirm", as: as, form: url.Values{"thing": things}})
		return w.Code, parseMarkup(t, w.Body.String())
	}
	if status, _ := ask("plain"); status != http.StatusForbidden {
		t.Errorf("asking without the ability: status %d", status)
	}
	status, asked := ask("cleaner")
	if status != http.StatusOK || len(f.land().Hosts) != len(v.Hosts) {
		t.Fatalf("asking: status %d, %d hosts left", status, len(f.land().Hosts))
	}
	has("h1", "Clean up 2 things?").check(t, asked)
	has(".results", string(hostID(9999))+" It has gone already").check(t, asked)
	plan, _ := attribute(asked.one("input[name=plan]"), "value")
	do := func(as, plan, typed string) (int, markup) {
		w := f.do(call{method: "POST", target: "/cleanup", as: as, form: url.Values{"thing": things, "plan": {plan}, "confirm": {typed}}})
		return w.Code, parseMarkup(t, w.Body.String())
	}
	// With something that has gone meanwhile nothing is done, and it is said.
	status, again := do("cleaner", plan, "clean up")
	if status != http.StatusConflict || len(f.land().Hosts) != len(v.Hosts) {
		t.Errorf("with a thing that is gone: status %d, %d hosts left", status, len(f.land().Hosts))
	}
	has("[role=alert]", "Nothing was changed").check(t, again)
	has(".results", string(hostID(9999))).check(t, again)
	if len(again.all("input[name=thing]")) != 2 {
		t.Error("the others cannot be confirmed anew")
	}
	things = things[:2]
	for _, tt := range []struct {
		as, plan, typed string
		status          int
	}{{"plain", plan, "clean up", 403}, {"cleaner", "another", "clean up", 409}, {"cleaner", plan, "no", 422}} {
		if status, _ := do(tt.as, tt.plan, tt.typed); status != tt.status || len(f.land().Hosts) != len(v.Hosts) {
			t.Errorf("%v: status %d, %d hosts left", tt, status, len(f.land().Hosts))
		}
	}
	w := f.do(call{method: "POST", target: "/cleanup", as: "cleaner", form: url.Values{"thing": things, "plan": {plan}, "confirm": {"clean up"}}})
	f.wantNews(t, w, "/cleanup", "2 things were cleaned up.")
	if left := len(f.land().Hosts); left != len(v.Hosts)-2 {
		t.Fatalf("%d of %d hosts left", left, len(v.Hosts))
	}
	status, again = do("cleaner", plan, "clean up")
	if status != http.StatusConflict {
		t.Errorf("once more: status %d", status)
	}
	has("h1", "Nothing can be cleaned up").check(t, again)
}

// TestCleanupOfBothHosts checks that the confirmation lists things that are
// removed only because all their hosts are.
func TestCleanupOfBothHosts(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.silence()
	cluster := landscape.ClusterIDFromKey("hana")
	var things []string
	for _, n := range []int{1, 2} {
		things = append(things, "host/"+string(hostID(n)))
	}
	w := f.do(call{method: "POST", target: "/cleanup/confirm", as: "admin", form: url.Values{"thing": things}})
	checkMarkup(t, w.Body.String())
	page := parseMarkup(t, w.Body.String())
	panel := text(page.one(".panel"))
	for _, want := range []string{"Clusters 1 hana_cluster", "Hosts 2 hana01 hana02", "Place in the cluster 1 hana_cluster", "HANA databases 1 PRD", "SAP systems 1 NWP"} {
		if !strings.Contains(panel, want) {
			t.Errorf("%q is not on the list:\n%s", want, panel)
		}
	}
	plan, _ := attribute(page.one("input[name=plan]"), "value")
	w = f.do(call{method: "POST", target: "/cleanup", as: "admin", form: url.Values{"thing": things, "plan": {plan}, "confirm": {"clean up"}}})
	f.wantNews(t, w, "/cleanup", "2 things were cleaned up.")
	f.wantGone([]any{hostID(1), hostID(2), cluster, prdID, nwpID}, nil)
	log := f.page(t, "/activity_log?type=host_cleanup_requested&severity=warning", "admin")
	if n := len(log.all(".col-user")); n < 2 {
		t.Errorf("%d requests in the log", n)
	}
}
