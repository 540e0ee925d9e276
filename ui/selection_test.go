package ui

import (
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
