package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trento/store/activity"
)

// TestExamine checks the answer about the installation, and that a support
// bundle is logged.
func TestExamine(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain2")
	f.user("setter2", 14)
	f.user("root2", 1)
	if got := f.get("setter2", "/api/v1/doctor"); got.status != http.StatusOK || !strings.Contains(got.body, `"urgency":"urgent","area":"Backups","what":"None."`) {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	const path = "/api/v1/support_bundles"
	f.post("setter2", path, "").expect(t, http.StatusForbidden, "*")
	f.post("root2", path, `{"everything":true}`).expect(t, http.StatusUnprocessableEntity, "*")
	if log := f.entries(activity.TypeSupportBundleCreation); len(log) != 0 {
		t.Errorf("logged %+v", log)
	}
	got := f.post("root2", path, "")
	if got.status != http.StatusOK || got.body != "bundle" || !strings.Contains(got.header.Get("Content-Disposition"), "trento-support-20260820T101530Z.tar.gz") {
		t.Errorf("status %d, %v: %s", got.status, got.header, got.body)
	}
	if log := f.entries(activity.TypeSupportBundleCreation); len(log) != 1 || log[0].Actor != "root2" || !strings.Contains(string(log[0].Metadata), `"size":6`) {
		t.Errorf("logged %+v", log)
	}
}
