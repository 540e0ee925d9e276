package ui

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"trento/store"
	"trento/store/activity"
)

// logFixture is a console with a log of every severity and actor.
func logFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.user("admin", 1)
	f.user("reader", 17) // activity_log:users
	f.user("plain")
	f.host(1, "hana01")
	f.beat(1)
	f.silence()
	for _, actor := range []string{"plain", "reader"} {
		event := &activity.ResourceTagging{
			TaggedResource: activity.TaggedResource{ResourceID: string(hostID(1)), ResourceType: "host", Hostname: "hana01"}, Tag: "by-" + actor,
		}
		if err := f.store.AppendActivity(context.Background(), store.Actor{Name: actor}, event); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func messages(page markup) []string { return page.texts("#rows tbody .message") }

func TestActivityLog(t *testing.T) {
	t.Parallel()
	f := logFixture(t)
	tests := []struct {
		name, query, as string
		status          int
		page            []element
	}{
		{"first visit", "", "admin", 200, []element{
			has("h1", "Activity Log"), has(".message", "Host heartbeat failed"), has(".message", "User logged in"),
			has("th", "Time (UTC)"), has("[data-testid=log-level-warning]", ""), hasNot("[data-testid=log-level-debug]"),
			has("th .thing a[href=/hosts/"+string(hostID(1))+"]", "hana01"), has("select[name=refreshRate]", "5m"), hasNot(".chips"), hasNot("dialog#entry")}},
		{"all severities", "severity=debug&severity=info&severity=warning&severity=critical", "admin", 200, []element{
			has("[data-testid=log-level-debug]", ""), has("a.chip", "Severity: Debug")}},
		{"one severity", "severity=warning", "admin", 200, []element{has(".message", "Host heartbeat failed"), hasNot("[data-testid=log-level-info]")}},
		{"user management is hidden", "", "plain", 200, []element{
			has(".message", "heartbeat failed"), hasNot("input[value=login_attempt]"), has("td.col-user", "plain"), has("td.col-user", "••••••••"), has("td.col-user", "system")}},
		{"a reader of names", "", "reader", 200, []element{has("td.col-user", "plain"), hasNot("input[value=login_attempt]"), has("input[name=actor][value=plain]", "")}},
		{"names to choose from", "", "plain", 200, []element{has("input[name=actor][value=plain]", ""), has("input[name=actor][value=system]", ""), hasNot("input[name=actor][value=admin]")}},
		{"somebody else's name", "actor=admin", "plain", 403, []element{has("h1", "Access to this page is forbidden"), has("p", "activity_log:users"), has("nav[aria-label=Main]", "")}},
		{"nobody's name", "actor=no-such-user", "plain", 403, nil},
		{"my name", "actor=plain", "plain", 200, []element{has(".message", `Tag "by-plain" added to Host "hana01"`), has("a.chip", "User: plain")}},
		{"a type", "type=heartbeat_failed", "admin", 200, []element{has(".message", "Host heartbeat failed"), has("a.chip", "Type: Heartbeat Failed"), has("input[value=heartbeat_failed][checked]", "")}},
		{"a type one may not see", "type=login_attempt", "plain", 200, []element{has("h2", "No data available"), hasNot("#rows")}},
		{"a search", "search=by-reader", "admin", 200, []element{has(".message", "by-reader"), has("a.chip", "Metadata: by-reader")}},
		{"an unfinished search", `search="by-reader`, "admin", 200, []element{has(".message", "by-reader"), has(".hint li", "A quote is opened")}},
		{"counted", "type=heartbeat_failed&severity=debug&severity=warning", "plain", 200, []element{has("h1 .count", "1"), has(".range", "1 entry")}},
		{"the newest of more", "first=10&severity=debug&severity=info", "admin", 200, []element{has(".range", "The newest 10 of 11 entries"), has("tbody[data-total=11]", "")}},
		{"live", "refreshRate=live", "admin", 200, []element{hasNot("#rows[data-announce]"), has("option[value=live][selected]", "Live"), hasNot("#frame[data-refresh]"), has("#frame[data-live=activity]", "")}},
		{"not live", "", "admin", 200, []element{has("#rows[data-announce]", ""), has("option[value=live]", "Live")}},
		{"exports", "search=by-reader&first=10&refreshRate=5000", "plain", 200, []element{
			has("a[href=/activity_log.csv?search=by-reader][download]", ""), has("a[href=/activity_log.jsonl?search=by-reader][download]", "")}},
		{"a search for nothing", "search=by", "admin", 200, []element{has("h2", "No data available"), has(".hint", "*by*"), has("a[href=/activity_log]", "Reset Filters")}},
		{"a search in vain for a field", "search=hostname:hana01", "admin", 200, []element{has(".hint", "hana01")}},
		{"small operators", "search=a+and+hana01", "admin", 200, []element{has(".hint", "AND")}},
		{"a search that is too long", "search=" + strings.Repeat("x+", 70), "admin", 200, []element{has(".hint", "64 terms"), hasNot("#rows")}},
		{"the future", "from_date=2030-01-01T00:00", "admin", 200, []element{has("h2", "No data available"), has("a.chip", "From date: 01 Jan 2030, 00:00:00 UTC"), has("input[type=datetime-local][value=2030-01-01T00:00:00]", "")}},
		{"the last hour", "from_date=1h", "admin", 200, []element{has(".message", "heartbeat failed"), has("a.chip", "From date: 1h ago"), has("input[name=from_date][value=1h][checked]", "")}},
		{"auto-refresh", "refreshRate=5000", "admin", 200, []element{has("#frame[data-refresh=5]", ""), has("noscript", `http-equiv="refresh" content="5"`), has("option[value=5000][selected]", "")}},
		{"odd refresh", "refreshRate=1", "admin", 200, []element{hasNot("#frame[data-refresh]")}},
		{"second page", "first=10&after=" + activity.PositionAt(f.clock.Now()).Cursor(), "admin", 200, []element{has("select#refresh-rate[aria-disabled=true]", ""), has("#frame[data-live=]", "")}},
		{"odd cursor", "after=nonsense", "admin", 200, []element{has(".message", "heartbeat failed")}},
		{"an entry there is not", "entry=nonsense", "admin", 404, []element{has("h1", "Not Found")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			w := f.do(call{target: withQuestion("/activity_log", tt.query), as: tt.as})
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			page := parseMarkup(t, w.Body.String())
			checkMarkup(t, w.Body.String())
			for _, e := range tt.page {
				e.check(t, page)
			}
		})
	}
}

func withQuestion(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

func TestActivityEntry(t *testing.T) {
	t.Parallel()
	f := logFixture(t)
	list := parseMarkup(t, f.do(call{target: "/activity_log?type=heartbeat_failed&first=10", as: "admin"}).Body.String())
	target, _ := attribute(list.all("a.message")[0], "href")
	w := f.do(call{target: target, as: "plain"})
	page := parseMarkup(t, w.Body.String())
	for _, e := range []element{
		has("dialog#entry h2", "Activity Details"), has("#entry .entry-message", "Host heartbeat failed hana01"), has("#entry dl", "Heartbeat Failed"),
		has("#entry dl", "Warning"), has("#entry .tree-key", "host_id"), has("#entry .tree a[href=/hosts/"+string(hostID(1))+"]", string(hostID(1))),
		has("#entry pre", `"hostname": "hana01"`), has("#entry a[data-close]", "Close"), has("#rows", "Host heartbeat failed"),
	} {
		e.check(t, page)
	}
	closes, _ := attribute(page.one("#entry"), "data-close-to")
	if closes != "/activity_log?first=10&type=heartbeat_failed" {
		t.Errorf("closes to %s", closes)
	}
	permanent, _ := attribute(page.one("#entry-address"), "href")
	alone := parseMarkup(t, f.do(call{target: permanent, as: "plain"}).Body.String())
	for _, e := range []element{has("dialog#entry .entry-message", "Host heartbeat failed hana01"), has("#rows", `Tag "by-plain" added`), has("#entry-address", permanent)} {
		e.check(t, alone)
	}

	logins := parseMarkup(t, f.do(call{target: "/activity_log?type=login_attempt", as: "admin"}).Body.String())
	hiddenEntry, _ := attribute(logins.all("a.message")[0], "href")
	if w := f.do(call{target: hiddenEntry, as: "admin"}); w.Code != http.StatusOK {
		t.Errorf("an entry about users: %d for a user manager", w.Code)
	}
	if w := f.do(call{target: hiddenEntry, as: "plain"}); w.Code != http.StatusNotFound {
		t.Errorf("an entry about users: %d for others", w.Code)
	}
}

// TestActivityPages walks through the whole log and back.
func TestActivityPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	for n := range 30 {
		f.host(n, fmt.Sprintf("h%02d", n))
	}
	var names []string
	follow := func(target, step string) (page markup, next string) {
		t.Helper()
		page = parseMarkup(t, f.do(call{target: target, as: "admin"}).Body.String())
		for _, link := range page.all("a[data-testid=" + step + "]") {
			next, _ = attribute(link, "href")
		}
		return page, next
	}
	target := "/activity_log?type=host_registered&first=20"
	var last string
	for target != "" {
		page, next := follow(target, "next-page")
		names = append(names, page.texts("#rows tbody .thing")...)
		last, target = target, next
	}
	if len(names) != 30 || names[0] != "h29" || names[29] != "h00" {
		t.Errorf("forward: %d entries, %v", len(names), names)
	}
	page, back := follow(last, "prev-page")
	if got := page.texts("#rows tbody .thing"); len(got) != 10 {
		t.Errorf("last page: %v", got)
	}
	page, next := follow(back, "next-page")
	if got := page.texts("#rows tbody .thing"); len(got) != 20 || got[0] != "h29" || next == "" {
		t.Errorf("back: %v, next %q", got, next)
	}
	hasNot("a[data-testid=first-page]").check(t, page)
	_, end := follow("/activity_log?type=host_registered&first=20", "last-page")
	page, next = follow(end, "next-page")
	if got := page.texts("#rows tbody .thing"); len(got) != 20 || got[19] != "h00" || next != "" {
		t.Errorf("last page by its link: %v, next %q", got, next)
	}
}
