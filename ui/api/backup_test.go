package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trento/store"
	"trento/store/activity"
	"trento/store/backup"
)

// TestBackup: the answer can be restored, is in the activity log, and is for
// those with all permissions only.
func TestBackup(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain2")
	f.user("root2", 1)
	const path, passphrase = "/api/v1/backups", "four words of a song"
	backUp := func(as, body string) answer { return f.do(call{as: as, method: "POST", path: path, body: body}) }
	backUp("plain2", "").expect(t, http.StatusForbidden, "*")
	backUp("root2", `{"passphrase":"short"}`).expect(t, http.StatusUnprocessableEntity, "*")
	backUp("root2", `{"passphrase":1}`).expect(t, http.StatusUnprocessableEntity, "*")
	if log := f.entries(activity.TypeBackupCreation); len(log) != 0 {
		t.Errorf("logged %+v", log)
	}
	for body, secret := range map[string]string{"": "", `{"passphrase":null}`: "", `{"passphrase":"` + passphrase + `"}`: passphrase} {
		got := backUp("root2", body)
		if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Disposition"), "attachment; filename=trento-20260820T101530Z.trento-backup") {
			t.Fatalf("%s: status %d, %v", body, got.status, got.header)
		}
		dir := t.TempDir()
		m, err := backup.Extract(strings.NewReader(got.body), secret, dir, nil)
		if err != nil || m.Program != version || m.StoreID != f.store.ID() {
			t.Fatalf("%s: %+v, %v", body, m, err)
		}
		if err := backup.Check(dir, store.Options{NoSync: true}); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	log := f.entries(activity.TypeBackupCreation)
	if len(log) != 3 || log[0].Actor != "root2" || !strings.Contains(string(log[0].Metadata), `"destination":"download"`) || strings.Contains(string(log[0].Metadata), "song") {
		t.Errorf("logged %+v", log)
	}
}
