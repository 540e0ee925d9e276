package ui

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/backup"
)

// TestBackup downloads backups from the settings, with and without a passphrase.
func TestBackup(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	const passphrase = "four words of a song"
	download := func(as, passphrase, again string) (status int, body []byte) {
		t.Helper()
		w := f.do(call{method: "POST", target: "/settings/backup", as: as, form: url.Values{"passphrase": {passphrase}, "passphrase_confirmation": {again}}})
		if w.Code == http.StatusOK && w.Header().Get("Content-Type") != "application/octet-stream" {
			t.Errorf("headers %v", w.Header())
		}
		return w.Code, w.Body.Bytes()
	}
	for _, secret := range []string{"", passphrase} {
		status, body := download("admin", secret, secret)
		if status != http.StatusOK {
			t.Fatalf("status %d: %.300s", status, body)
		}
		dir := t.TempDir()
		if _, err := backup.Extract(bytes.NewReader(body), secret, dir, nil); err != nil {
			t.Fatal(err)
		}
		if err := backup.Check(dir, store.Options{NoSync: true}); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []struct{ passphrase, again, want string }{
		{"short", "short", "Should be at least 12 character(s)"}, {passphrase, passphrase + "x", "Does not match the passphrase"}, {"", passphrase, "Does not match the passphrase"},
	} {
		status, body := download("admin", wrong.passphrase, wrong.again)
		if status != http.StatusUnprocessableEntity {
			t.Fatalf("%v: status %d", wrong, status)
		}
		checkMarkup(t, string(body))
		has("#backup-form .field-error", wrong.want).check(t, parseMarkup(t, string(body)))
		if bytes.Contains(body, []byte("song")) {
			t.Error("the passphrase is in the page")
		}
	}
	if status, _ := download("plain", "", ""); status != http.StatusForbidden {
		t.Errorf("as somebody without the permission: status %d", status)
	}
	if w := f.do(call{target: "/settings/backup", as: "plain"}); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "all:all") {
		t.Errorf("the page, as somebody without the permission: status %d", w.Code)
	}
	has(".message", "Backup was made").check(t, parseMarkup(t, f.do(call{target: "/activity_log?type=backup_creation", as: "admin"}).Body.String()))
}

// TestBackupSchedule: the settings show where regular backups are, when the
// newest was made, and that one is missing.
func TestBackupSchedule(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	dir := t.TempDir()
	source := &backup.Source{Store: f.store, Dir: t.TempDir()}
	schedule := &backup.Schedule{Source: source, Dir: filepath.Join(dir, "backups"), Interval: time.Hour, Keep: 7}
	o := f.options
	o.Backup, o.BackupSchedule = source, schedule
	f.restart(o)
	shows := func(as string, want ...element) {
		t.Helper()
		text := f.do(call{target: "/settings/backup", as: as}).Body.String()
		checkMarkup(t, text)
		for _, e := range want {
			e.check(t, parseMarkup(t, text))
		}
	}
	shows("admin", has("#backup dd", "Every hour into"), has("#backup dd", "not encrypted"), has("#backup dd", "None yet"), has("#backup .critical", "Overdue"))
	if err := schedule.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows("admin", hasNot("#backup .critical"))
	f.clock.pass(3 * time.Hour)
	shows("admin", has("#backup .critical", "Overdue"))
	shows("plain", hasNot("#backup dd"))
	if err := os.RemoveAll(schedule.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(schedule.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shows("admin", has("#backup .critical", "cannot be read"))
}
