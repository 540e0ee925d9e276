package ui

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/store/storetest"
	landscapepages "trento/ui/landscape"
)

// cleanUp does what somebody does who opens the dialog, types a name and goes
// on.
func (f *fixture) cleanUp(target, confirm string) *httptest.ResponseRecorder {
	f.t.Helper()
	page := parseMarkup(f.t, f.do(call{target: target, as: "admin"}).Body.String())
	plan, _ := attribute(page.one("#cleanup-form [name=plan]"), "value")
	action, _ := attribute(page.one("#cleanup-form"), "action")
	return f.do(call{method: "POST", target: action, as: "admin", form: url.Values{"plan": {plan}, "confirm": {confirm}}})
}

func (f *fixture) registered(tx *store.Tx, of any) bool {
	f.t.Helper()
	var err error
	switch id := of.(type) {
	case landscape.HostID:
		_, err = tx.Host(id)
	case landscape.ClusterID:
		_, err = tx.Cluster(id)
	case landscape.DatabaseID:
		_, err = tx.Database(id)
	case landscape.SAPSystemID:
		_, err = tx.SAPSystem(id)
	default:
		f.t.Fatalf("%T is nothing that can be registered", of)
	}
	return err == nil
}

// wantGone checks what is left of the landscape.
func (f *fixture) wantGone(gone, left []any) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		for _, id := range gone {
			if f.registered(tx, id) {
				f.t.Errorf("%v is still registered", id)
			}
		}
		for _, id := range left {
			if !f.registered(tx, id) {
				f.t.Errorf("%v is gone", id)
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// wantNews checks that the page a clean-up leads to says what was done, once.
func (f *fixture) wantNews(t *testing.T, w *httptest.ResponseRecorder, to, news string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		t.Fatalf("status %d, to %q, want %q\n%s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
	next := f.do(call{target: "/about", as: "admin", cookies: w.Result().Cookies()})
	has("#toasts .toast", news).check(t, parseMarkup(t, next.Body.String()))
	for _, c := range next.Result().Cookies() {
		if c.Name == "trento-news" && c.MaxAge < 0 {
			return
		}
	}
	t.Error("the news would be told again")
}

func hostCleanup(n int) string { return "/hosts/" + string(hostID(n)) + "/cleanup" }

func databaseCleanup(n int) string {
	return "/databases/" + string(prdID) + "/hosts/" + string(hostID(n)) + "/instances/00/cleanup"
}

func applicationCleanup(n int, number string) string {
	return "/sap_systems/" + string(nwpID) + "/hosts/" + string(hostID(n)) + "/instances/" + number + "/cleanup"
}

func TestCleanUpHost(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.silence(2, 3, 4, 5, 6)
	page := parseMarkup(t, f.do(call{target: "/hosts/" + string(hostID(1)), as: "admin"}).Body.String())
	has(".actions a[href="+hostCleanup(1)+"]", "Clean up").check(t, page)
	page = parseMarkup(t, f.do(call{target: "/hosts/" + string(hostID(1)), as: "plain"}).Body.String())
	has(".actions [aria-disabled=true]", "cleanup:host").check(t, page)
	hasNot(".actions a").check(t, page)

	w := f.do(call{target: hostCleanup(1), as: "admin"})
	checkMarkup(t, w.Body.String())
	page = parseMarkup(t, w.Body.String())
	for _, e := range []element{
		has("dialog#cleanup h2", "Clean up data discovered by agent on host hana01"), has(".going", "Database instances PRD 00 on hana01"),
		has(".going", "HANA databases PRD"), has(".going", "SAP systems NWP"), has(".going", "Place in the cluster hana_cluster"), has(".going", "Hosts hana01"),
		has("#cleanup-waiting", "Application instances that will wait for their database"), has("#cleanup-waiting", "on app01"),
		has("label[for=confirm]", "hana01"), has("#cleanup button", "Clean up host"), has("#cleanup a[href=/hosts/"+string(hostID(1))+"]", "Cancel"), has("h1", "Host Details: hana01"),
	} {
		e.check(t, page)
	}
	if strings.Contains(text(page.one(".going")), "Clusters") {
		t.Error("the cluster goes, though one of its hosts stays")
	}

	w = f.cleanUp(hostCleanup(1), "hana02")
	if w.Code != http.StatusUnprocessableEntity {
		t.Fatalf("with the wrong name: status %d", w.Code)
	}
	page = parseMarkup(t, w.Body.String())
	has("[role=alert]", "this is not the name").check(t, page)
	has("#confirm[value=hana02][aria-invalid=true]", "").check(t, page)
	f.wantGone(nil, []any{hostID(1), prdID, nwpID})

	f.wantNews(t, f.cleanUp(hostCleanup(1), " hana01 "), "/hosts", "Host hana01 was cleaned up.")
	f.wantGone([]any{hostID(1), prdID, nwpID}, []any{hostID(2), landscape.ClusterIDFromKey("hana")})
	if w := f.do(call{target: hostCleanup(1), as: "admin"}); w.Code != http.StatusNotFound {
		t.Errorf("what is gone can be cleaned up again: status %d", w.Code)
	}
	f.wantFlow(t, "host_cleanup_requested", "will wait for its database")
	log := f.do(call{target: "/activity_log?type=host_cleanup_requested&severity=warning", as: "admin"})
	has(".col-user", "admin").check(t, parseMarkup(t, log.Body.String()))
	page = parseMarkup(t, f.do(call{target: clusterPath("hana"), as: "plain"}).Body.String())
	has("#site-0 .lost", "hana01").check(t, page)

	// The last host takes its cluster along; that has to be typed, too. One
	// that takes nothing has not.
	page = parseMarkup(t, f.do(call{target: hostCleanup(7), as: "admin"}).Body.String())
	has(".going", "Clusters mix_cluster").check(t, page)
	f.wantNews(t, f.cleanUp(hostCleanup(7), "mix01"), "/hosts", "Host mix01 was cleaned up.")
	f.wantGone([]any{hostID(7), landscape.ClusterIDFromKey("mix")}, nil)
	f.host(8, "lone01")
	hasNot("#confirm").check(t, parseMarkup(t, f.do(call{target: hostCleanup(8), as: "admin"}).Body.String()))
	f.wantNews(t, f.cleanUp(hostCleanup(8), ""), "/hosts", "Host lone01 was cleaned up.")
}

// wantFlow checks that the flow of the newest entry of a type says something.
func (f *fixture) wantFlow(t *testing.T, of, want string) {
	t.Helper()
	f.indexed()
	var correlation string
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.EntriesBack(tx.Oldest(), tx.Newest()) {
			if err != nil {
				return err
			}
			if string(e.Type) == of {
				var metadata struct {
					ID string `json:"correlation_id"`
				}
				err := json.Unmarshal(e.Metadata, &metadata)
				correlation = metadata.ID
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	has("#flow", want).check(t, f.page(t, "/activity_log?correlation="+correlation, "admin"))
}

// TestRequirePlan checks that a clean-up is refused if its plan has grown since
// it was confirmed: the other host of the cluster goes, so the cluster would be
// removed, too.
func TestRequirePlan(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.silence(3, 4, 5, 6)
	target := landscape.Target{Host: hostID(1)}
	plan := func() (p landscapepages.CleanupPlan) {
		err := f.store.View(func(tx *store.Tx) (err error) {
			p, err = landscapepages.PlanCleanup(tx, "", target)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	agreed := plan().Plan
	if err := f.store.CleanUp(t.Context(), store.System(), nil, landscape.Target{Host: hostID(2)}); err != nil {
		t.Fatal(err)
	}
	if err := f.store.CleanUp(t.Context(), store.System(), landscapepages.RequirePlan(agreed), target); !errors.Is(err, landscapepages.ErrPlanChanged) {
		t.Errorf("more goes than was agreed: %v", err)
	}
	f.wantGone(nil, []any{hostID(1), landscape.ClusterIDFromKey("hana")})
	if err := f.store.CleanUp(t.Context(), store.System(), landscapepages.RequirePlan(plan().Plan), target); err != nil {
		t.Error(err)
	}
	f.wantGone([]any{hostID(1), landscape.ClusterIDFromKey("hana")}, nil)
}

// TestCleanUpRefused checks that a clean-up is refused for an agent that
// reports, for an instance that exists, and for a plan that has changed.
func TestCleanUpRefused(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	for target, words := range map[string]string{
		hostCleanup(1): "has just been heard", databaseCleanup(1): "lists it again", applicationCleanup(5, "01"): "lists it again",
	} {
		for method, status := range map[string]int{"GET": http.StatusOK, "POST": http.StatusConflict} {
			w := f.do(call{method: method, target: target, as: "admin", form: url.Values{}})
			if w.Code != status {
				t.Errorf("%s %s: status %d, want %d", method, target, w.Code, status)
			}
			page := parseMarkup(t, w.Body.String())
			has("#cleanup [role=alert]", words).check(t, page)
			hasNot("#cleanup-form").check(t, page)
		}
	}
	for _, target := range []string{hostCleanup(99), databaseCleanup(3), applicationCleanup(5, "77"), "/hosts/x/cleanup"} {
		if w := f.do(call{target: target, as: "admin"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", target, w.Code)
		}
	}
	f.silence(1, 2, 3, 4, 5, 6)
	w := f.do(call{method: "POST", target: hostCleanup(7), as: "admin", form: url.Values{"plan": {"another"}, "confirm": {"mix01"}}})
	if w.Code != http.StatusConflict {
		t.Errorf("a plan nobody has seen: status %d", w.Code)
	}
	has("#cleanup [role=alert]", "has changed since it was shown to you").check(t, parseMarkup(t, w.Body.String()))
	f.wantGone(nil, []any{hostID(1), hostID(7), prdID, nwpID})
}

func TestCleanUpInstances(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.loses(5, applicationElement("01", "ABAP|GATEWAY|ICMAN|IGS", landscape.Red))
	system, database := "/sap_systems/"+string(nwpID), "/databases/"+string(prdID)
	page := parseMarkup(t, f.do(call{target: system, as: "admin"}).Body.String())
	has("tr.absent", "Absent").check(t, page)
	has("tr.absent [role=img][title]", "Absent").check(t, page)
	has("tr.absent a[href="+applicationCleanup(5, "02")+"]", "Clean up").check(t, page)
	page = parseMarkup(t, f.do(call{target: "/hosts/" + string(hostID(5)), as: "plain"}).Body.String())
	has("tr.absent [aria-disabled=true]", "cleanup:application_instance").check(t, page)

	page = parseMarkup(t, f.do(call{target: applicationCleanup(5, "02"), as: "admin"}).Body.String())
	has("#cleanup h2", "Clean up absent instance 02 from NWP system").check(t, page)
	has(".going", "Application instances NWP 02 on app01").check(t, page)
	hasNot("#confirm").check(t, page)
	f.wantNews(t, f.cleanUp(applicationCleanup(5, "02"), ""), system, "Instance 02 of NWP was cleaned up.")
	f.wantGone(nil, []any{nwpID, prdID})

	// The only message server is the system.
	f.loses(3)
	if w := f.cleanUp(applicationCleanup(3, "00"), "nwp"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a system went without its name: status %d", w.Code)
	}
	f.wantNews(t, f.cleanUp(applicationCleanup(3, "00"), "NWP"), "/sap_systems", "Instance 00 of NWP was cleaned up.")
	f.wantGone([]any{nwpID}, []any{prdID})

	f.loses(2)
	f.wantNews(t, f.cleanUp(databaseCleanup(2), ""), database, "Instance 00 of PRD was cleaned up.")
	f.loses(1)
	f.wantNews(t, f.cleanUp(databaseCleanup(1), "PRD"), "/databases", "Instance 00 of PRD was cleaned up.")
	f.wantGone([]any{prdID}, []any{hostID(1), hostID(2)})
}

func TestNewsIsText(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	s := f.server(t)
	w := httptest.NewRecorder()
	s.SetFlash(w, httptest.NewRequest(http.MethodPost, "/x", nil), strings.Repeat("ש", 5000)+hostile)
	cookie := w.Result().Cookies()[0]
	if size := len(cookie.String()); size > 4000 {
		t.Errorf("the cookie has %d bytes; browsers drop more than 4096", size)
	}
	for _, value := range []string{cookie.Value, "%%%", "_____w"} {
		w := f.do(call{target: "/about", as: "ada", cookies: []*http.Cookie{{Name: "trento-news", Value: value}}})
		if w.Code != http.StatusOK {
			t.Errorf("%.20s: status %d", value, w.Code)
		}
		checkMarkup(t, w.Body.String())
	}
	fragment := f.do(call{target: "/about", as: "ada", cookies: []*http.Cookie{cookie}, header: http.Header{"X-Fragment": {"frame"}}})
	if len(fragment.Result().Cookies()) > 0 {
		t.Error("a fragment, which shows no news, takes them")
	}
}

// TestNotHeardYet checks that after a start no host is offered for clean-up
// whose agent may not have reported yet.
func TestNotHeardYet(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), &clock{now: time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)}
	before, err := store.Open(dir, store.Options{Now: c.Now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, clock: c, store: before}
	f.host(1, "hana01")
	f.beat(1)
	f.silence()
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	f = newFixtureOn(t, c, storetest.OpenIn(t, dir, c.Now))
	f.user("admin", 1)
	want := func(offered bool) {
		t.Helper()
		for target, link := range map[string]string{
			"/cleanup": "[value=host/" + string(hostID(1)) + "]", "/hosts": "#row-" + string(hostID(1)) + " a[href=" + hostCleanup(1) + "?return_to=%2Fhosts]",
			"/hosts/" + string(hostID(1)): ".actions a[href=" + hostCleanup(1) + "]",
		} {
			if got := len(f.page(t, target, "admin").all(link)) > 0; got != offered {
				t.Errorf("%s: offered %v, want %v", target, got, offered)
			}
		}
	}
	want(false)
	has("#cleanup [role=alert]", "has just been started").check(t, f.page(t, hostCleanup(1), "admin"))
	f.clock.pass(f.store.HeartbeatTimeout() + time.Second)
	want(true)
}
