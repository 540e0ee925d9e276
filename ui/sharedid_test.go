package ui

import (
	"strings"
	"testing"

	"trento/store/landscape"
)

// TestSharedIDIsTold checks that the page of a host names the machines that
// share its id and says what to do, and that the activity log has one entry
// about it.
func TestSharedIDIsTold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	target := "/hosts/" + string(f.host(1, "cloned01"))
	other := facts(2, "cloned02")
	for range 4 {
		if page := f.page(t, target, "admin"); len(page.all("#shared-id")) > 0 {
			break
		}
		f.observe(1, landscape.Observation{Host: &other})
		f.host(1, "cloned01")
	}
	page := f.page(t, target, "admin")
	banner := strings.Join(strings.Fields(text(page.one("#shared-id"))), " ")
	for _, want := range []string{
		"2 machines report under the id of this host", "cloned01 (10.0.0.2) and cloned02 (10.0.0.3)",
		"systemd-machine-id-setup", "systemctl restart trento-agent",
	} {
		if !strings.Contains(banner, want) {
			t.Errorf("the banner does not say %q: %s", want, banner)
		}
	}
	has("#attention", "shares its id with 1 other machine").check(t, f.page(t, "/", "admin"))
	for range 3 {
		f.observe(1, landscape.Observation{Host: &other})
		f.host(1, "cloned01")
	}
	f.indexed()
	log := f.page(t, "/activity_log?type=host_id_shared", "admin")
	if rows := log.all("#rows a.message"); len(rows) != 1 || !strings.Contains(text(rows[0]), "2 machines report under one id: cloned01 (10.0.0.2") {
		t.Errorf("%d entries in the log", len(rows))
	}
}
