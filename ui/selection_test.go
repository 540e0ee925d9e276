package ui

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"trento/store"
	"trento/store/check"
	"trento/ui/execution"
)

// catalogueFixture returns a console whose catalogue has the checks of the program and
// a file that is broken.
func catalogueFixture(t *testing.T) *fixture {
	f := newFixture(t)
	catalogue := check.NewCatalogue(check.Builtin(), []check.File{{Path: "/checks/BAD.yaml", Name: "BAD.yaml", Content: []byte("id: [")}})
	catalogue.Directories = []check.Directory{{Path: "/checks", Files: 1}}
	o := f.options
	o.Executions = execution.New(execution.Options{Store: f.store, Catalogue: func() *check.Catalogue { return catalogue }})
	f.restart(o)
	f.user("root", 1)
	f.user("plain")
	return f
}

// TestCatalogue looks at the catalogue as different readers, with filters.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	f := catalogueFixture(t)
	all := f.page(t, "/catalog", "root")
	has("#check-7A0101 h4", "What to do").check(t, all)
	has("#broken", "BAD.yaml").check(t, all)
	has("#source", "/checks").check(t, all)
	if n := len(all.all("details.check")); n != len(check.Builtin()) {
		t.Errorf("%d checks, want %d", n, len(check.Builtin()))
	}
	plain := f.page(t, "/catalog", "plain")
	if len(plain.all("#broken")) > 0 || len(plain.all("#source")) > 0 {
		t.Error("the directories of the server are shown to everybody")
	}
	for query, want := range map[string]string{
		"target=host":                            "7A0601 7A0602 7A0603 7A0604",
		"q=token+FENCE":                          "7A0101",
		"group=SBD&severity=warning":             "7A0302",
		"target=cluster&provider=gcp&q=watchdog": "",
		"target=host&cluster_type=ascs_ers":      "7A0601 7A0602 7A0603 7A0604", // of no meaning for hosts
		"target=cluster&cluster_type=nothing":    "",
	} {
		var ids []string
		for _, row := range f.page(t, "/catalog?"+query, "plain").all("details.check") {
			id, _ := attribute(row, "id")
			ids = append(ids, strings.TrimPrefix(id, "check-"))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// TestSelection selects checks of a host, and looks at what cannot be selected.
func TestSelection(t *testing.T) {
	t.Parallel()
	f := catalogueFixture(t)
	id := f.host(1, "hana01")
	path := "/hosts/" + string(id) + "/settings"
	has("#selection-form", "saptune has tuned the host").check(t, f.page(t, path, "root"))
	has("#selection-form button", "Save Checks Selection").check(t, f.page(t, path, "plain"))
	if status, _, _ := f.post("plain", path, "check", "7A0601"); status != http.StatusForbidden {
		t.Errorf("somebody without the permission: status %d", status)
	}
	if status, _, to := f.post("root", path, "check", "7A0604", "check", "7A0601", "check", "GONE01"); status != http.StatusSeeOther || to != path {
		t.Errorf("status %d, to %s", status, to)
	}
	if err := f.store.View(func(tx *store.Tx) error {
		h, err := tx.Host(id)
		if err == nil && strings.Join(h.SelectedChecks, " ") != "7A0601 7A0604 GONE01" {
			t.Errorf("selected are %v", h.SelectedChecks)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	saved := f.page(t, path, "root")
	has("input[value=7A0604][checked]", "").check(t, saved)
	has("legend", "No longer in the catalogue").check(t, saved)
	has("#check-7A0601 .pill", "Selected on 1 host").check(t, f.page(t, "/catalog?target=host", "plain"))
	if w := f.do(call{target: "/hosts/11111111-2222-4333-8444-555555555555/settings", as: "root"}); w.Code != http.StatusNotFound {
		t.Errorf("of a host that is not there: status %d", w.Code)
	}
}

// customFixture returns a console with a check whose values have every type, and
// with a host.
func customFixture(t *testing.T) (f *fixture, path string) {
	f = newFixture(t)
	catalogue := check.NewCatalogue([]check.File{{Path: "AAAA01.yaml", Name: "AAAA01.yaml", Content: []byte(`
id: "AAAA01"
name: Values of the <kernel>
group: Kernel
description: The limits are as wanted
remediation: Set them
metadata: {target_type: host}
facts: [{name: limit, gatherer: sysctl@v1, argument: limit}]
values:
  - {name: limit, default: 5, conditions: [{value: 7, when: env.provider == "azure"}]}
  - {name: mode, default: fast}
  - {name: on, default: true}
  - {name: ratio, default: 0.5}
  - {name: fixed, default: 1, customization_disabled: true}
expectations: [{name: as_wanted, expect: facts.limit == values.limit && values.on}]
`)}, {Path: "AAAA02.yaml", Name: "AAAA02.yaml", Content: []byte(`
id: "AAAA02"
name: Nothing to customise
group: Kernel
description: It compares with nothing
remediation: None
metadata: {target_type: host}
facts: [{name: limit, gatherer: sysctl@v1, argument: limit}]
expectations: [{name: positive, expect: facts.limit > 0}]
`)}})
	if len(catalogue.Checks) != 2 {
		t.Fatal(catalogue.Broken)
	}
	f.options.Executions = execution.New(execution.Options{Store: f.store, Catalogue: func() *check.Catalogue { return catalogue }})
	f.restart(f.options)
	f.user("keeper", 18) // all:check_customization
	f.user("plain")
	return f, "/hosts/" + string(f.host(1, "vega01")) + "/settings"
}

// customized returns the customised values of AAAA01 as texts.
func (f *fixture) customized(t *testing.T) string {
	t.Helper()
	var all []string
	if err := f.store.View(func(tx *store.Tx) error {
		for c, err := range tx.Customizations() {
			if err != nil {
				return err
			}
			for _, v := range c.Values {
				all = append(all, fmt.Sprintf("%s=%#v", v.Name, v.Value))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestCustomization customises the values of a check for a host, with right and
// wrong input, and resets them.
func TestCustomization(t *testing.T) {
	t.Parallel()
	f, path := customFixture(t)
	values := path + "/AAAA01/values"
	has("#check-AAAA01 a[href="+values+"]", "Customise values…").check(t, f.page(t, path, "plain"))
	hasNot("#check-AAAA02 a").check(t, f.page(t, path, "plain"))
	for as, want := range map[string][]element{
		"plain":  {has("fieldset[disabled]", ""), has(".banner", "all:check_customization"), hasNot("a.danger")},
		"keeper": {hasNot("fieldset[disabled]"), has("#value-1[value=5]", ""), has("#value-1-words", "Default here: 5, a whole number. Used by the expectation as_wanted."), has("#value-2[value=fast]", ""), has("#value-3 option[selected]", "true"), has("#fixed", "ratio"), has("#fixed", "The check does not allow another value."), has("#agreed[required]", ""), hasNot("a.danger")},
	} {
		shown := f.page(t, values, as)
		for _, e := range append(want, has("h1", "Values of the <kernel>")) {
			e.check(t, shown)
		}
	}
	for _, tt := range []struct {
		name, as string
		form     []string
		status   int
		want     string  // what is customised afterwards
		shows    element // on the form
	}{
		{"without the permission", "plain", []string{"value:limit", "6", "agreed", "true"}, http.StatusForbidden, "", has("title", "")},
		{"without consent", "keeper", []string{"value:limit", "6"}, http.StatusUnprocessableEntity, "", has("#agreed-words", "Required field")},
		{"a text for a number", "keeper", []string{"value:limit", "six", "agreed", "true"}, http.StatusUnprocessableEntity, "", has("#value-1[aria-invalid][value=six]", "")},
		{"the reason", "keeper", []string{"value:limit", "5.5", "agreed", "true"}, http.StatusUnprocessableEntity, "", has("#value-1-words .field-error", "Must be a whole number")},
		{"too large", "keeper", []string{"value:limit", "2147483648", "agreed", "true"}, http.StatusUnprocessableEntity, "", has(".banner a[href=#value-1]", "limit")},
		{"no boolean", "keeper", []string{"value:on", "maybe", "agreed", "true"}, http.StatusUnprocessableEntity, "", has(".banner li", "Must be true or false")},
		{"too long", "keeper", []string{"value:mode", strings.Repeat("x", 1001), "agreed", "true"}, http.StatusUnprocessableEntity, "", has("#value-2-words .field-error", "at most 1000")},
		{"one wrong of two", "keeper", []string{"value:limit", "6", "value:on", "", "agreed", "true"}, http.StatusUnprocessableEntity, "", has("#value-1[value=6]", "")},
		{"nothing changed", "keeper", []string{"value:limit", "5"}, http.StatusSeeOther, "", element{}},
		{"zero and false", "keeper", []string{"value:limit", "0", "value:on", "false", "agreed", "true"}, http.StatusSeeOther, "limit=0 on=false", element{}},
		{"untouched stays", "keeper", []string{"value:limit", "9", "shown:limit", "9", "value:mode", "", "shown:mode", "fast"}, http.StatusSeeOther, `limit=0 mode="" on=false`, element{}},
		{"the default", "keeper", []string{"value:limit", "5", "value:on", "true"}, http.StatusSeeOther, `mode=""`, element{}},
		{"a value that cannot be customised", "keeper", []string{"value:fixed", "3", "value:ratio", "2"}, http.StatusSeeOther, `mode=""`, element{}},
		{"negative", "keeper", []string{"value:limit", " -3 "}, http.StatusSeeOther, `limit=-3 mode=""`, element{}},
	} {
		status, shown, to := f.post(tt.as, values, tt.form...)
		if got := f.customized(t); status != tt.status || got != tt.want || status == http.StatusSeeOther && to != path+"#check-AAAA01" {
			t.Errorf("%s: status %d, to %s, customised are %s, want %s", tt.name, status, to, got, tt.want)
		}
		if tt.shows.selector != "" {
			tt.shows.check(t, shown)
		}
	}
	has("#check-AAAA01 .pill", "modified").check(t, f.page(t, path, "plain"))
	has("#check-AAAA01 .pill", "modified on 1").check(t, f.page(t, "/catalog", "plain"))
	has("#check-AAAA01 a[href="+values+"]", "vega01").check(t, f.page(t, "/catalog", "plain"))
	has("label .pill", "modified").check(t, f.page(t, values, "plain"))

	reset := values + "/reset"
	ask := f.page(t, reset, "keeper")
	has("dialog li", "limit: -3 → 5").check(t, ask)
	has("dialog button", "Reset to defaults").check(t, ask)
	if status, _, _ := f.post("plain", reset, "confirmed", "yes"); status != http.StatusForbidden {
		t.Errorf("somebody without the permission resets: status %d", status)
	}
	if status, _, _ := f.post("keeper", reset); status != http.StatusOK || f.customized(t) == "" {
		t.Errorf("unconfirmed: status %d", status)
	}
	back := strings.TrimSuffix(path, "/settings") + "/executions/last"
	if status, _, to := f.post("keeper", reset, "confirmed", "yes", "return_to", back); status != http.StatusSeeOther || to != back || f.customized(t) != "" {
		t.Errorf("status %d, to %s, customised are %s", status, to, f.customized(t))
	}
	if status, _, _ := f.post("keeper", reset, "confirmed", "yes"); status != http.StatusNotFound {
		t.Errorf("a second time: status %d", status)
	}
	if status, _, to := f.post("keeper", values, "return_to", "/users"); status != http.StatusSeeOther || to != path+"#check-AAAA01" {
		t.Errorf("leads to %s", to)
	}
	for _, gone := range []string{path + "/GONE/values", "/hosts/x/settings/AAAA01/values", strings.Replace(path, "hosts", "clusters", 1) + "/AAAA01/values"} {
		if w := f.do(call{target: gone, as: "keeper"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", gone, w.Code)
		}
	}
}

// testCustomizing checks that a wrong value gets the focus with what was typed,
// and that the default is only restored after a question.
func testCustomizing(tab *tab) {
	tab.checking(1)
	path := "/hosts/" + string(tab.host(1, "vega01")) + "/settings"
	tab.signedIn()
	tab.live(path)
	tab.clickOn(aLink, "Customise values… of AAAA00")
	tab.until("document.activeElement !== null && location.pathname.endsWith('/values')")
	tab.page().find(aField, "wanted").click()
	tab.press("x")
	tab.clickOn(aButton, "Save Values")
	tab.until("document.activeElement?.getAttribute('aria-invalid') === 'true'")
	tab.wants("document.activeElement.value.includes('x')", "true")
	tab.ask("document.activeElement.select()")
	tab.press("8")
	tab.clickOn(aBox, "I deviate from what the check recommends on purpose")
	tab.clickOn(aButton, "Save Values")
	tab.says("Check was customized successfully")
	tab.until("location.hash === '#check-AAAA00' && document.body.innerText.includes('modified')")
	tab.clickOn(aLink, "Customise values… of AAAA00")
	tab.clickOn(aLink, "Reset to defaults…")
	tab.until("document.activeElement?.textContent === 'Cancel'")
	tab.clickOn(aButton, "Reset to defaults")
	tab.says("Customization was reset!")
	tab.until("!document.querySelector('#check-AAAA00').innerText.includes('modified')")
}
