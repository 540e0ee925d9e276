package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"trento/store"
	"trento/store/landscape"
)

// TestBulkTags goes from the chosen rows of the list to the changed tags.
func TestBulkTags(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.user("tagger", 7)
	f.user("cleaner", 11)
	f.user("plain")
	for n, name := range []string{"hana01", "hana02", "hana03"} {
		f.host(n+1, name)
	}
	tag := func(n int, value string) {
		if err := f.store.AddTag(t.Context(), store.System(), store.HostTag, string(hostID(n)), value); err != nil {
			t.Fatal(err)
		}
	}
	tag(2, "prod")
	tag(3, "PROD")
	thing := func(n int) string { return "host/" + string(hostID(n)) }

	list := f.page(t, "/hosts", "tagger")
	has("#choice button[value=add]", "Add tag…").check(t, list)
	has("input[name=thing][value="+thing(1)+"]", "").check(t, list)
	has("#choice button[aria-disabled=true]", "Clean up… . You are not authorized for this action: it needs the permission cleanup:host.").check(t, list)
	has("#choice button[aria-disabled=true]", "Remove tag…").check(t, f.page(t, "/hosts", "cleaner"))
	hasNot("#choice").check(t, f.page(t, "/clusters", "cleaner"))
	hasNot("#choice").check(t, f.page(t, "/hosts", "plain"))
	hasNot("[name=thing]").check(t, f.page(t, "/hosts", "plain"))

	chosen := []string{"thing", thing(1), "thing", thing(2), "thing", thing(3), "thing", thing(99), "return_to", "/hosts?page=2"}
	with := func(more ...string) []string { return append(chosen[:len(chosen):len(chosen)], more...) }
	status, page, _ := f.post("tagger", "/hosts/tags/confirm", with("do", "add")...)
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	has("h1", "Add tags to 3 hosts").check(t, page)
	has("input[name=value][autofocus]", "").check(t, page)
	has("section", "1 host is not registered any more and is left out.").check(t, page)
	status, page, _ = f.post("tagger", "/hosts/tags/confirm", with("do", "add", "value", " prod ")...)
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	for _, e := range []element{
		has("h1", "Add the tag prod?"), has("h2", "1 host gets it"), has("h2", "1 host has it already"), has("h2", "1 host cannot get it and is left out"),
		has("li", "hana03 cannot have the tag prod, which has already been taken by another spelling: PROD"), has("a[href=/hosts?page=2][autofocus]", "Cancel"),
		has("button.primary", "Add the tag to 1 host"), hasNot("[name=thing][value=" + thing(3) + "]"),
	} {
		e.check(t, page)
	}
	w := f.do(call{method: "POST", target: "/hosts/tags", as: "tagger", form: form("do", "add", "value", "prod", "thing", thing(1), "thing", thing(2), "return_to", "/hosts?page=2")})
	if w.Header().Get("Location") != "/hosts?page=2" {
		t.Errorf("status %d, to %s", w.Code, w.Header().Get("Location"))
	}
	news := f.do(call{target: "/about", as: "tagger", cookies: w.Result().Cookies()}).Body.String()
	has("#toasts .toast", "The tag prod was added to 1 host; 1 had it already.").check(t, parseMarkup(t, news))

	_, page, _ = f.post("tagger", "/hosts/tags/confirm", with("do", "remove")...)
	has("label", "prod on 2 hosts").check(t, page)
	_, page, _ = f.post("tagger", "/hosts/tags/confirm", with("do", "remove", "value", "prod", "value", "PROD")...)
	has("h1", "Remove the tags prod and PROD?").check(t, page)
	has("h2", "3 hosts lose one of them or more").check(t, page)

	// What has changed meanwhile changes nothing and is asked again.
	status, page, _ = f.post("tagger", "/hosts/tags", with("do", "add", "value", "new")...)
	if status != http.StatusConflict {
		t.Errorf("with a thing that is gone: status %d", status)
	}
	has("[role=alert]", "Nothing was changed").check(t, page)
	has("button.primary", "Add the tag to 3 hosts").check(t, page)
	f.wantTags(t, 1, "prod")
	f.wantTags(t, 2, "prod")
	f.wantFlow(t, "resource_tagging", `Tag "prod" added to Host "hana01"`)
}

// TestWhyTellsSince checks that a row says since when a thing has its health,
// beside the text that a narrow column cuts off.
func TestWhyTellsSince(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.loses(5, applicationElement("01", "ABAP|GATEWAY|ICMAN|IGS", landscape.Red))
	f.clock.pass(2 * time.Hour)
	row := "#row-" + string(nwpID) + " "
	page := f.page(t, "/sap_systems", "plain")
	has(row+".col-reason .ago time[datetime]", "2 h ago").check(t, page)
	has(row+".col-reason", "since").check(t, page)
	hasNot(row+".col-reason .value .ago").check(t, page)
}

// form returns the fields of a form.
func form(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return form
}

// wantTags checks the tags of a host.
func (f *fixture) wantTags(t *testing.T, n int, want ...string) {
	t.Helper()
	var got []string
	err := f.store.View(func(tx *store.Tx) error {
		tags, err := tx.Tags(store.HostTag, string(hostID(n)))
		for _, tag := range tags {
			got = append(got, tag.Value)
		}
		return err
	})
	if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("host %d has the tags %q, want %q (%v)", n, got, want, err)
	}
}

// TestBulkTagsRefused sends forms that nobody is offered, and checks that they
// change nothing.
func TestBulkTagsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("tagger", 7)
	f.user("other", 8, 9, 10, 11)
	f.host(1, "hana01")
	own := "host/" + string(hostID(1))
	eleven := []string{"do", "add", "thing", own, "value", "1 2 3 4 5 6 7 8 9 10 11"}
	many := []string{"do", "add", "value", "x"}
	for range store.MaxTagged + 1 {
		many = append(many, "thing", own)
	}
	for name, test := range map[string]struct {
		as     string
		form   []string
		status int
		words  string
	}{
		"another kind":      {"other", []string{"do", "add", "value", "x", "thing", own}, 403, ""},
		"nothing chosen":    {"tagger", []string{"do", "add", "value", "x"}, 422, "Choose at least one host first."},
		"a cluster":         {"tagger", []string{"do", "add", "value", "x", "thing", "cluster/" + string(hostID(1))}, 422, "Choose at least one host first."},
		"no ids":            {"tagger", []string{"do", "add", "value", "x", "thing", "host/<b>", "thing", "host", "thing", "/"}, 422, "Choose at least one host first."},
		"too many":          {"tagger", many, 422, "Choose at most 500 hosts at once."},
		"a blank tag":       {"tagger", []string{"do", "add", "value", " ", "thing", own}, 422, "Type the tag first."},
		"markup":            {"tagger", []string{"do", "add", "value", "<script>", "thing", own}, 422, "Only letters, digits"},
		"too many tags":     {"tagger", eleven, 422, "At most 10 tags at once."},
		"something else":    {"tagger", []string{"do", "drop", "value", "x", "thing", own}, 400, ""},
		"nothing to do":     {"tagger", []string{"value", "x", "thing", own}, 400, ""},
		"not UTF-8":         {"tagger", []string{"do", "add", "value", "\xff", "thing", own}, 400, ""},
		"to somewhere else": {"tagger", []string{"do", "add", "value", "<", "thing", own, "return_to", "//evil.example"}, 422, "Only letters"},
	} {
		t.Run(name, func(t *testing.T) {
			w := f.do(call{method: "POST", target: "/hosts/tags", as: test.as, form: form(test.form...)})
			if w.Code != test.status || strings.Contains(w.Body.String(), "evil.example") {
				t.Errorf("status %d\n%s", w.Code, w.Body)
			}
			if test.words != "" {
				has("[role=alert]", test.words).check(t, parseMarkup(t, w.Body.String()))
				checkMarkup(t, w.Body.String())
			}
		})
	}
	f.wantTags(t, 1)
}

// TestCleanUpFromList chooses hosts and systems in their lists.
func TestCleanUpFromList(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.loses(5, applicationElement("01", "ABAP|GATEWAY|ICMAN|IGS", landscape.Red))
	_, page, _ := f.post("admin", "/cleanup/confirm", "thing", "sap_system/"+string(nwpID), "return_to", "/sap_systems")
	has("h1", "Clean up 1 thing?").check(t, page)
	has("[name=thing][value=application/"+string(nwpID)+"/"+string(hostID(5))+"/02]", "").check(t, page)
	has("a[href=/sap_systems][autofocus]", "Cancel").check(t, page)
	plan, _ := attribute(page.one("[name=plan]"), "value")
	status, _, to := f.post("admin", "/cleanup", "plan", plan, "return_to", "/sap_systems", "thing", "application/"+string(nwpID)+"/"+string(hostID(5))+"/02")
	if status != http.StatusSeeOther || to != "/sap_systems" {
		t.Errorf("status %d, to %s", status, to)
	}
	_, page, _ = f.post("admin", "/cleanup/confirm", "thing", "database/"+string(prdID), "thing", "database/none", "thing", "sap_system/"+string(nwpID))
	has("h1", "Nothing can be cleaned up").check(t, page)
	for _, name := range []string{"PRD", "The HANA database", "NWP"} {
		has("li", name+" It has no absent instance.").check(t, page)
	}
	f.wantGone(nil, []any{nwpID, prdID})
}

// testBulkTags chooses rows with the mouse and with keys, adds a tag to them, and
// removes it again.
func testBulkTags(tab *tab) {
	for n, name := range []string{"hana01", "hana02", "hana03"} {
		tab.host(n+1, name)
	}
	tab.loadAxe()
	tab.signedIn()
	tab.live("/hosts")
	tab.row(1).click(aBox, "Choose hana01")
	tab.wants("document.getElementById('chosen').textContent", "1 chosen")
	tab.press(kb.ArrowDown + " ") // from the box to the next row
	tab.wants("document.getElementById('chosen').textContent", "2 chosen")
	tab.clickOn(aButton, "Add tag…")
	tab.until("document.activeElement.name === 'value'")
	tab.findsNoBarrierInAnyLook("adding tags")
	tab.fitsScreen("adding tags")
	tab.press("night" + kb.Enter)
	tab.until("document.activeElement.textContent === 'Cancel'")
	tab.findsNoBarrierInAnyLook("confirming tags")
	tab.wants("document.querySelector('h1').textContent", "Add the tag night?")
	tab.clickOn(aButton, "Add the tag to 2 hosts")
	tab.until(exists(rowOf(2) + " .tag button[value=night]"))
	tab.wants("document.getElementById('toasts').textContent.includes('The tag night was added to 2 hosts.')", "true")
	tab.wants("document.querySelectorAll('#rows .tag button[value=night]').length", "2")
	tab.live("/hosts")
	tab.clickOn(aBox, "Choose all on this page")
	tab.wants("document.getElementById('chosen').textContent", "3 chosen")
	tab.clickOn(aButton, "Remove tag…")
	tab.clickOn(aBox, "night on 2 hosts")
	tab.clickOn(aButton, "Show what changes")
	tab.clickOn(aButton, "Remove the tag from 2 hosts")
	tab.until("location.pathname === '/hosts'")
	tab.wants("document.getElementById('toasts').textContent.includes('The tag night was removed from 2 hosts; 1 did not have it.')", "true")
	tab.wants("document.querySelectorAll('#rows .tag button[value=night]').length", "0")
}
