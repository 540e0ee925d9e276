package ui

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
)

// unequal matches the parts in which two otherwise equal answers differ: random
// ids, and cursors, which TestCursorsHideActivity checks.
var unequal = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}| data-(?:cursor|snapshot)="[^"]*"`)

// TestActivityPrivacy compares what a user without abilities can find out about
// three logs: one with entries about users, one without them, and one in which
// other users have done the same. The answers must be equal for every request.
func TestActivityPrivacy(t *testing.T) {
	t.Parallel()
	type written struct {
		actor    string
		t        activity.Type
		metadata map[string]any
		hidden   bool
	}
	const flow = "00000000-0000-4000-8000-0000000000ff"
	tag := map[string]any{"resource_id": string(hostID(1)), "resource_type": "host", "added_tag": "needle", "hostname": "hana01", "correlation_id": flow}
	entries := []written{
		{"ben", activity.TypeResourceTagging, tag, false},
		{"ben", activity.TypeLoginAttempt, map[string]any{}, true},
		{"mallory", activity.TypeLoginAttempt, map[string]any{"username": "mallory", "reason": "Invalid credentials."}, true},
		{"plain", activity.TypeResourceTagging, tag, false},
		{"ben", activity.TypeProfileUpdate, map[string]any{"email": "needle", "n": 42, "correlation_id": flow}, true},
		{"system", activity.TypeHeartbeatFailed, map[string]any{"host_id": string(hostID(1)), "hostname": "hana01"}, false},
		{"root", activity.TypeUserCreation, map[string]any{"username": "zoe", "fullname": "needle"}, true},
		{"ben", activity.TypeActivityLogSettingsUpdate, map[string]any{"retention_time": map[string]any{"value": 42, "unit": "day"}}, false},
		{"root", activity.TypeUserDeletion, map[string]any{"user_id": 42, "username": "zoe"}, true},
		{"root", activity.TypePersonalAccessTokenCreation, map[string]any{"name": "needle", "correlation_id": flow}, true},
	}
	world := func(change func(*written) bool) *fixture {
		f := newFixture(t)
		f.user("plain")
		for _, e := range entries {
			f.clock.pass(time.Second)
			if !change(&e) {
				continue
			}
			if err := f.store.AppendActivity(context.Background(), store.Actor{Name: e.actor}, &activity.Foreign{Of: e.t, Metadata: e.metadata}); err != nil {
				t.Fatal(err)
			}
		}
		f.clock.pass(time.Second)
		return f
	}
	real := world(func(*written) bool { return true })
	worlds := map[string]*fixture{
		"without entries about users": world(func(e *written) bool { return !e.hidden }),
		"of others": world(func(e *written) bool {
			if e.actor == "ben" || e.actor == "root" {
				e.actor = "catherine"
			}
			return true
		}),
	}
	for _, indexed := range []bool{false, true} {
		if indexed {
			real.indexed()
			for _, f := range worlds {
				f.indexed()
			}
		}
		for _, target := range probes(flow) {
			want := real.do(call{target: target, as: "plain"})
			for name, f := range worlds {
				got := f.do(call{target: target, as: "plain"})
				if got.Code != want.Code || !equalBut(unequal, got.Body.String(), want.Body.String()) {
					t.Errorf("%s tells a world %s (%d) from the real one (%d)", target, name, got.Code, want.Code)
				}
			}
			for _, secret := range []string{"ben", "mallory", "zoe"} {
				body := strings.ReplaceAll(want.Body.String(), target, "")
				// A random cursor may contain a short secret by chance.
				if !strings.Contains(target, secret) && strings.Contains(body, secret) && strings.Contains(unequal.ReplaceAllString(body, ""), secret) {
					t.Errorf("%s tells of %s", target, secret)
				}
			}
		}
	}
}

// probes returns addresses that read the log, including those that an attacker
// might try.
func probes(flow string) []string {
	var queries []url.Values
	for _, words := range []string{"", "needle", "*", "mallory", "ben", "zoe", "==42", "Invalid*", "needle AND 42", flow, "plain@example.com"} {
		queries = append(queries, url.Values{"search": {words}}, url.Values{"search": {words}, "severity": {"debug", "info", "warning", "critical"}})
	}
	for _, actor := range []string{"plain", "system", "ben", "nobody-at-all", "••••••••", "no_username", "Plain", "p"} {
		queries = append(queries, url.Values{"actor": {actor}}, url.Values{"actor": {"plain", actor}})
	}
	for _, name := range []string{"login_attempt", "user_creation", "profile_update", "resource_tagging", "personal_access_token_creation"} {
		queries = append(queries, url.Values{"type": {name}}, url.Values{"type": {name, "heartbeat_failed"}, "search": {"needle OR hana01"}})
	}
	for _, moment := range []string{"2026-08-20T10:15:31Z", "2026-08-20T10:15:32Z", "2026-08-20T10:15:35Z", "2026-08-20T10:15:40Z"} {
		at, _ := time.Parse(time.RFC3339, moment)
		cursor := activity.PositionAt(at).Cursor() // the entry of that second
		queries = append(queries,
			url.Values{"from_date": {moment}, "severity": {"debug", "info", "warning", "critical"}}, url.Values{"to_date": {moment}}, url.Values{"from_date": {moment}, "to_date": {moment}},
			url.Values{"entry": {cursor}}, url.Values{"after": {cursor}, "first": {"1"}}, url.Values{"before": {cursor}, "last": {"1"}}, url.Values{"correlation": {flow}, "after": {cursor}})
	}
	queries = append(queries, url.Values{"first": {"1"}}, url.Values{"last": {"1"}}, url.Values{"last": {"2"}, "severity": {"warning"}}, url.Values{"correlation": {flow}})
	var targets []string
	for _, q := range queries {
		for _, path := range []string{"/activity_log", "/activity_log.csv", "/activity_log.jsonl", "/api/v1/activity_log"} {
			targets = append(targets, path+"?"+q.Encode())
		}
	}
	return append(targets, "/", "/hosts/"+string(hostID(1)))
}
