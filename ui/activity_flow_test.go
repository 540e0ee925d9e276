package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

// flowOf is the page of the flow that an entry belongs to, by its link.
func (f *fixture) flowOf(t *testing.T, query, as string) (page markup, address string) {
	t.Helper()
	list := f.page(t, "/activity_log?"+query, as)
	open, _ := attribute(list.all("a.message")[0], "href")
	address, _ = attribute(f.page(t, open, as).one("#entry .more-link"), "href")
	return f.page(t, address, as), address
}

// TestFlow follows the clean-up of a host with everything on it: one line, the
// cause before its effects, reached from any of its entries.
func TestFlow(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	f.silence(2)
	f.cleanUp(hostCleanup(1), "hana01")
	page, address := f.flowOf(t, "type=host_cleanup_requested", "plain")
	steps := page.texts("#flow a[data-entry]")
	waiting := []string{
		"Application instance 00 will wait for its database", "Application instance 01 will wait for its database",
		"Application instance 02 will wait for its database", "Application instance 10 will wait for its database",
	}
	if end := len(steps) - len(waiting); end < 6 || steps[0] != "Host cleanup requested" || steps[end-1] != "Host was deregistered" || !slices.Equal(steps[end:], waiting) {
		t.Fatalf("flow %q", steps)
	}
	for _, e := range []element{
		has("h1", fmt.Sprint("Related Events ", len(steps))), has(".flow-begin", "begun by ••••••••"), has("#flow .what .thing a", "hana02"),
		has("a[href=/activity_log]", "Back to Activity Log"), has("#flow", "Database instance was deregistered"), hasNot(".steps"), has("#frame[data-live=activity]", ""),
	} {
		e.check(t, page)
	}
	if _, other := f.flowOf(t, "type=host_deregistered", "plain"); other != address {
		t.Errorf("another entry leads to %s, not to %s", other, address)
	}
	all, _ := attribute(page.all(".head .actions a")[0], "href")
	listed := messages(f.page(t, strings.Replace(all, "first=20", "first=50", 1), "plain"))
	slices.Reverse(listed)
	if !slices.Equal(listed, steps) {
		t.Errorf("the log has %q, the flow %q", listed, steps)
	}
	open, _ := attribute(page.all("#flow a[data-entry]")[0], "href")
	opened := f.page(t, open, "plain")
	for _, e := range []element{has("dialog#entry .entry-message", "Host cleanup requested"), has("#flow", "Host was deregistered"), has("dialog[data-close-to="+address+"]", "")} {
		e.check(t, opened)
	}
	has(".flow-begin", "begun by admin").check(t, f.page(t, address, "admin"))
}

// TestFlowOfNothing checks that an unknown flow and one that the reader may not
// see get the same answer.
func TestFlowOfNothing(t *testing.T) {
	t.Parallel()
	f := logFixture(t)
	const hidden = "00000000-0000-4000-8000-00000000aaaa"
	if err := f.store.AppendActivity(t.Context(), store.Actor{Name: "admin"}, &activity.Foreign{Of: activity.TypeProfileUpdate, Metadata: map[string]any{"correlation_id": hidden}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		as, id string
		status int
	}{
		{"admin", hidden, 200}, {"plain", hidden, 404}, {"reader", hidden, 404}, {"plain", "00000000-0000-4000-8000-00000000bbbb", 404},
		{"admin", "hana01", 404}, {"admin", `" OR *`, 404}, {"admin", strings.Repeat("x", 4000), 404}, {"admin", strings.Repeat("x", 5000), 414},
	} {
		if w := f.do(call{target: "/activity_log?" + url.Values{"correlation": {tt.id}}.Encode(), as: tt.as}); w.Code != tt.status {
			t.Errorf("%.40q as %s: %d", tt.id, tt.as, w.Code)
		}
	}
}

// TestLongFlow walks through a flow of several pages and back.
func TestLongFlow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	const id, all = "00000000-0000-4000-8000-00000000cccc", 2*100 + 30
	for n := range all {
		f.clock.pass(700 * time.Millisecond)
		metadata := map[string]any{"correlation_id": id, "check_id": fmt.Sprintf("%03d", n)}
		if err := f.store.AppendActivity(context.Background(), store.System(), &activity.Foreign{Of: activity.TypeCheckCustomizationApplied, Metadata: metadata}); err != nil {
			t.Fatal(err)
		}
	}
	f.indexed()
	read := func(target, step string) (names []string, next string) {
		t.Helper()
		page := f.page(t, target, "admin")
		has("h1 .count", fmt.Sprint(all)).check(t, page)
		has(".flow-begin", "over 2 min 40 s").check(t, page)
		for _, link := range page.all("a[data-testid=" + step + "]") {
			next, _ = attribute(link, "href")
		}
		return page.texts("#flow a[data-entry]"), next
	}
	var walked []string
	target, last := "/activity_log?correlation="+id, ""
	for target != "" {
		messages, next := read(target, "next-page")
		walked, target, last = append(walked, messages...), next, target
	}
	if len(walked) != all || walked[0] != "Check 000 was customized" || walked[all-1] != "Check 229 was customized" || !slices.IsSorted(walked) {
		t.Errorf("walked through %d: %v", len(walked), walked)
	}
	_, back := read(last, "prev-page")
	if messages, _ := read(back, "first-page"); messages[0] != "Check 100 was customized" || len(messages) != 100 {
		t.Errorf("back: %d from %s on", len(messages), messages[0])
	}
	_, end := read("/activity_log?correlation="+id, "last-page")
	if names, next := read(end, "next-page"); names[len(names)-1] != "Check 229 was customized" || len(names) != 100 || next != "" {
		t.Errorf("end: %d up to %s, next %q", len(names), names[len(names)-1], next)
	}
	if names, _ := read("/activity_log?correlation="+id+"&after=odd", "next-page"); names[0] != walked[0] {
		t.Errorf("an odd place: from %s on", names[0])
	}
}

// TestActivityOfThings checks that every page of a thing ends with its newest
// entries and a link to all of them.
func TestActivityOfThings(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	for path, id := range map[string]string{
		"/hosts/": string(hostID(1)), "/clusters/": string(landscape.ClusterIDFromKey("hana")), "/databases/": string(prdID), "/sap_systems/": string(nwpID),
	} {
		page := f.page(t, path+id, "admin")
		has("#activity .timeline a", "registered").check(t, page)
		address, _ := attribute(page.one("#activity .more-link"), "href")
		q, err := url.Parse(address)
		if err != nil || q.Path != "/activity_log" || q.Query().Get("search") != id || len(q.Query()["severity"]) != len(activity.Severities) {
			t.Errorf("%s leads to %s", path, address)
		}
		w := f.do(call{target: address, as: "admin"})
		has(".message", "registered").check(t, parseMarkup(t, w.Body.String()))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}
