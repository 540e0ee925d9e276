package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/store/activity"
)

const logPath = "/api/v1/activity_log"

// page is the answer of the activity log.
type page struct {
	Data       []entry
	Pagination struct {
		StartCursor     *string `json:"start_cursor"`
		EndCursor       *string `json:"end_cursor"`
		First, Last     *int
		HasNextPage     bool `json:"has_next_page"`
		HasPreviousPage bool `json:"has_previous_page"`
	}
}

type entry struct {
	Type, Actor string
	Metadata    map[string]any
}

// logged appends an entry.
func (f *fixture) logged(actor string, t activity.Type, metadata map[string]any) {
	f.t.Helper()
	if err := f.store.AppendActivity(f.t.Context(), store.Actor{Name: actor}, &activity.Foreign{Of: t, Metadata: metadata}); err != nil {
		f.t.Fatal(err)
	}
}

// read reads a page of the log.
func (f *fixture) read(as, query string) (p page) {
	f.t.Helper()
	got := f.get(as, logPath+"?"+query)
	got.expect(f.t, http.StatusOK, "*")
	got.decode(f.t, &p)
	return p
}

// numbers tell entries apart.
func (p page) numbers() []int {
	numbers := []int{}
	for _, e := range p.Data {
		n, _ := e.Metadata["n"].(float64)
		numbers = append(numbers, int(n))
	}
	return numbers
}

func (p page) types() []string {
	types := []string{}
	for _, e := range p.Data {
		types = append(types, e.Type)
	}
	return types
}

const admin = 1 // all:all

// tagged writes entries that are numbered from 1, a second apart.
func (f *fixture) tagged(count int) {
	for n := 1; n <= count; n++ {
		f.clock.pass(time.Second)
		f.logged("ben", activity.TypeResourceTagging, map[string]any{"n": n, "added_tag": fmt.Sprint("tag", n%3)})
	}
}

// TestActivityLog compares a page with the text it is to be.
func TestActivityLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	f.post(agent, "/api/v1/hosts/"+agentID+"/heartbeat", "").expect(t, http.StatusNoContent, "")
	stored := f.entries(activity.TypeHeartbeatSucceeded)[0]
	cursor := stored.Position.Cursor()
	want := `{"data":[{"id":"` + stored.ID + `","type":"heartbeat_succeeded","actor":"system","severity":"debug",` +
		`"occurred_on":"` + stored.OccurredOn().Format("2006-01-02T15:04:05.000000Z") + `","metadata":` + string(stored.Metadata) + `}],` +
		`"pagination":{"start_cursor":"` + cursor + `","end_cursor":"` + cursor + `","first":25,"last":null,"has_next_page":false,"has_previous_page":false}}`
	f.get("root", logPath+"?type=heartbeat_succeeded").expect(t, http.StatusOK, want)

	f.get("root", logPath+"?type=nothing&last=3").expect(t, http.StatusOK,
		`{"data":[],"pagination":{"start_cursor":null,"end_cursor":null,"first":null,"last":3,"has_next_page":false,"has_previous_page":false}}`)
}

// TestActivityPages goes through the table of pages: which entries come, and
// what is said of those before and behind them. Of 60 entries 60 is the newest.
func TestActivityPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.tagged(60)
	cursors := make(map[int]string)
	for n, e := range f.entries(activity.TypeResourceTagging) {
		cursors[n+1] = e.Position.Cursor()
	}
	down := func(from, to int) []int {
		numbers := []int{}
		for n := from; n >= to; n-- {
			numbers = append(numbers, n)
		}
		return numbers
	}
	for _, test := range []struct {
		query          string
		want           []int
		next, previous bool
	}{
		{"", down(60, 36), true, false},
		{"first=10", down(60, 51), true, false},
		{"first=60", down(60, 1), false, false},
		{"first=100", down(60, 1), false, false},
		{"first=10&after=" + cursors[51], down(50, 41), true, true},
		{"after=" + cursors[51], down(50, 26), true, true},
		{"first=10&after=" + cursors[11], down(10, 1), false, true},
		{"first=10&after=" + cursors[1], down(0, 1), false, true},
		{"last=10", down(10, 1), false, true},
		{"last=60", down(60, 1), false, false},
		{"last=10&before=" + cursors[41], down(51, 42), true, true},
		{"before=" + cursors[10], down(35, 11), true, true},
		{"last=10&before=" + cursors[50], down(60, 51), true, false},
		{"last=10&before=" + cursors[60], down(0, 1), true, false},
		{"first=2&after=&before=%20", down(60, 59), true, false},
		{"last=2&before=", down(2, 1), false, true},
		{"first=%2B2", down(60, 59), true, false},
	} {
		query := strings.TrimPrefix(test.query+"&type=resource_tagging", "&")
		got := f.read("root", query)
		if diff := cmp.Diff(test.want, got.numbers()); diff != "" {
			t.Errorf("%s:\n%s", test.query, diff)
		}
		if p := got.Pagination; p.HasNextPage != test.next || p.HasPreviousPage != test.previous {
			t.Errorf("%s: next %v, previous %v", test.query, p.HasNextPage, p.HasPreviousPage)
		}
		if p := got.Pagination; (p.First == nil) == (p.Last == nil) {
			t.Errorf("%s: first %v, last %v", test.query, p.First, p.Last)
		}
	}
}

// TestActivityPaging walks there and back, and misses and repeats nothing,
// even where many entries have the same microsecond.
func TestActivityPaging(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.tagged(5)
	for n := 6; n <= 30; n++ {
		f.logged("ben", activity.TypeResourceTagging, map[string]any{"n": n})
	}
	var there, back []int
	query := "first=7"
	var p page
	for {
		p = f.read("root", query+"&type=resource_tagging")
		there = append(there, p.numbers()...)
		if !p.Pagination.HasNextPage {
			break
		}
		query = "first=7&after=" + *p.Pagination.EndCursor
	}
	back = p.numbers()
	for p.Pagination.HasPreviousPage {
		p = f.read("root", "last=7&before="+*p.Pagination.StartCursor+"&type=resource_tagging")
		back = append(p.numbers(), back...)
	}
	want := make([]int, 30)
	for i := range want {
		want[i] = 30 - i
	}
	if diff := cmp.Diff(want, there); diff != "" {
		t.Errorf("there:\n%s", diff)
	}
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("back:\n%s", diff)
	}
}

// TestActivityFilters goes through the parameters that select entries.
func TestActivityFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	start := f.clock.now
	for n, e := range []struct {
		actor string
		t     activity.Type
		tag   string
	}{
		{"ben", activity.TypeResourceTagging, "Blue"},
		{"cat", activity.TypeResourceTagging, "green"},
		{"ben", activity.TypeResourceUntagging, "blue sky"},
		{"system", activity.TypeHeartbeatFailed, "x"},       // warning
		{"system", activity.TypeHeartbeatSucceeded, "y"},    // debug
		{"be", activity.TypeClearingSUMASettings, "20.5"},   // warning
		{"system", activity.TypeOperationCompleted, "blue"}, // critical
	} {
		f.clock.pass(time.Second)
		f.logged(e.actor, e.t, map[string]any{"n": n + 1, "tag": e.tag})
	}
	at := func(n int, layout string) string {
		return url.QueryEscape(start.Add(time.Duration(n) * time.Second).UTC().Format(layout))
	}
	const micros, spaced = "2006-01-02T15:04:05.000000Z", "2006-01-02 15:04:05.000000+00:00"
	east := url.QueryEscape(start.Add(3 * time.Second).In(time.FixedZone("", 2*3600)).Format(time.RFC3339Nano))
	for _, test := range []struct {
		query string
		want  []int
	}{
		{"", []int{7, 6, 5, 4, 3, 2, 1}},
		{"type=resource_tagging", []int{2, 1}},
		{"type[]=resource_tagging&type[]=heartbeat_failed", []int{4, 2, 1}},
		{"type=resource_tagging&type=&type=resource_tagging", []int{2, 1}},
		{"type=tagging", []int{}},
		{"type=", []int{7, 6, 5, 4, 3, 2, 1}},
		{"actor=ben", []int{3, 1}},
		{"actor=ben&actor[]=cat", []int{3, 2, 1}},
		{"actor=be", []int{6}},
		{"actor=BEN", []int{}},
		{"actor=zoe", []int{}},
		{"actor=%20", []int{7, 6, 5, 4, 3, 2, 1}},
		{"severity=critical", []int{7}},
		{"severity[]=warning&severity[]=debug", []int{6, 5, 4}},
		{"severity=debug&severity=info&severity=warning&severity=critical", []int{7, 6, 5, 4, 3, 2, 1}},
		{"search=blue", []int{7, 1}},
		{"search=BLUE*", []int{7, 3, 1}},
		{"search=" + url.QueryEscape(`"blue sky" OR ==2`), []int{3, 2}},
		{"search=%20", []int{7, 6, 5, 4, 3, 2, 1}},
		{"search=(blue)", []int{}},
		{"search=blue&actor=ben&type=resource_tagging", []int{1}},
		{"from_date=" + at(5, micros), []int{7, 6, 5}},
		{"to_date=" + at(2, micros), []int{2, 1}},
		{"from_date=" + at(2, spaced) + "&to_date=" + at(3, spaced), []int{3, 2}},
		{"from_date=" + east + "&to_date=" + east, []int{3}},
		{"from_date=" + at(4, micros) + "&to_date=" + at(3, micros), []int{}},
		{"to_date=0001-01-01T00:00:00Z", []int{}},
		{"from_date=0001-01-01T00:00:00Z", []int{7, 6, 5, 4, 3, 2, 1}},
		{"from_date=9999-12-31T23:59:59.999999999Z", []int{}},
		{"to_date=9999-12-31T23:59:59Z", []int{7, 6, 5, 4, 3, 2, 1}},
	} {
		// The entries of signing in are left out by what they do not have.
		got := f.read("root", test.query)
		got.Data = slices.DeleteFunc(got.Data, func(e entry) bool { return e.Metadata["n"] == nil })
		if diff := cmp.Diff(test.want, got.numbers()); diff != "" {
			t.Errorf("%s:\n%s", test.query, diff)
		}
	}
}

// TestActivityErrors goes through the table of errors, as somebody who may not
// ask for others, so that the order of the checks shows.
func TestActivityErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.user("root", admin)
	f.tagged(1)
	cursor := f.entries(activity.TypeResourceTagging)[0].Position.Cursor()
	badRequest := general(http.StatusBadRequest)
	long := strings.Repeat("a", activity.MaxSearchLength+1)
	for _, test := range []struct {
		as, query string
		status    int
		want      string
	}{
		{nobody, "foo=1", 401, signedOut},
		{"root", "foo=1", 422, problems("/foo", "Unexpected field: foo")},
		{"root", "zoo=1&foo=1&first=abc", 422, problems("/foo", "Unexpected field: foo")},
		{"root", "refreshRate=5000", 422, problems("/refreshRate", "Unexpected field: refreshRate")},
		{"root", "First=1", 422, problems("/First", "Unexpected field: First")},
		{"root", strings.Repeat("x", 50) + "=1", 422, problems("/"+strings.Repeat("x", 40), "Unexpected field: "+strings.Repeat("x", 40))},
		{"root", "first=abc", 422, problems("/first", "Invalid integer. Got: string")},
		{"root", "first=", 422, problems("/first", "Invalid integer. Got: string")},
		{"root", "first=1.5", 422, problems("/first", "Invalid integer. Got: string")},
		{"root", "first=0x1", 422, problems("/first", "Invalid integer. Got: string")},
		{"root", "first=1&first=2", 422, problems("/first", "Invalid integer. Got: array")},
		{"root", "last[]=1", 422, problems("/last", "Invalid integer. Got: array")},
		{"root", "search=a&search=b", 422, problems("/search", "Invalid string. Got: array")},
		{"root", "after[x]=1", 422, problems("/after", "Invalid string. Got: object")},
		{"root", "severity[x]=info", 422, problems("/severity", "Invalid array. Got: object")},
		{"root", "from_date=yesterday", 422, problems("/from_date", `Invalid format. Expected :"date-time"`)},
		{"root", "to_date=2026-08-20T10:00:00", 422, problems("/to_date", `Invalid format. Expected :"date-time"`)},
		{"root", "to_date=2026-08-20", 422, problems("/to_date", `Invalid format. Expected :"date-time"`)},
		{"root", "to_date=2026-02-30T10:00:00Z", 422, problems("/to_date", `Invalid format. Expected :"date-time"`)},
		{"root", "to_date=", 422, problems("/to_date", `Invalid format. Expected :"date-time"`)},
		{"root", "severity=info&severity=error", 422, problems("/severity/1", "Invalid value for enum")},
		{"root", "severity[]=INFO", 422, problems("/severity/0", "Invalid value for enum")},
		{"root", "severity=", 422, problems("/severity/0", "Invalid value for enum")},
		{"root", "search=" + long, 422, problems("/search", activity.ErrSearchTooLong.Error())},
		{"root", "search=" + strings.Repeat("a+", 65), 422, problems("/search", activity.ErrSearchTooLong.Error())},
		{"root", strings.Repeat("type=a&", 201), 414, problems("/type", "should have at most 200 value(s)")},
		{"root", "to_date=x&first=y&severity=z", 422, problems("/first", "Invalid integer. Got: string", "/severity/0", "Invalid value for enum", "/to_date", `Invalid format. Expected :"date-time"`)},
		{"ann", "first=abc&actor=root", 422, problems("/first", "Invalid integer. Got: string")},
		{"ann", "actor=root&first=0", 403, forbidden},
		{"ann", "actor=ann&actor=root", 403, forbidden},
		{"ann", "actor=nobody-at-all", 403, forbidden},
		{"ann", "actor=ANN", 403, forbidden},
		{"ann", "actor=" + url.QueryEscape("••••••••"), 403, forbidden},
		{"root", "first=0", 400, badRequest},
		{"root", "first=-1", 400, badRequest},
		{"root", "first=101", 400, badRequest},
		{"root", "last=101", 400, badRequest},
		{"root", "first=99999999999999999999", 400, badRequest},
		{"root", "first=-99999999999999999999", 400, badRequest},
		{"root", "first=1&last=1", 400, badRequest},
		{"root", "first=1&before=" + cursor, 400, badRequest},
		{"root", "last=1&after=" + cursor, 400, badRequest},
		{"root", "after=" + cursor + "&before=" + cursor, 400, badRequest},
		{"root", "after=b3BhcXVl", 400, badRequest},
		{"root", "after=" + cursor[:len(cursor)-1], 400, badRequest},
		{"root", "after=" + strings.ToUpper(cursor), 400, badRequest},
		{"root", "before=" + activity.Position(0).Cursor(), 400, badRequest},
		{"root", "search=%zz", 400, badRequest},
		{"root", "search=%ff", 400, badRequest},
		{"root", "search=a;b", 400, badRequest},
	} {
		got := f.get(test.as, logPath+"?"+test.query)
		if got.status != test.status || got.body != test.want {
			t.Errorf("%.80s as %s: %d %s\nwant %d %s", test.query, test.as, got.status, got.body, test.status, test.want)
		}
	}
}

// TestActivityVisibility lets viewers of every kind look for what they may not
// see, in every way there is.
func TestActivityVisibility(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.user("root", admin)
	f.user("manager", 2)          // all:users
	f.user("auditor", 17)         // activity_log:users
	f.user("settings", 14, 16)    // something else
	f.user("operator", 35)        // operation:all
	f.clock.pass(time.Hour / 100) // less than the tokens live
	f.logged("ben", activity.TypeResourceTagging, map[string]any{"n": 1, "tag": "needle"})
	f.logged("ann", activity.TypeResourceTagging, map[string]any{"n": 2, "tag": "needle"})
	f.logged("system", activity.TypeHostRegistered, map[string]any{"n": 3, "tag": "needle"})
	f.logged("ben", activity.TypeProfileUpdate, map[string]any{"n": 4, "tag": "needle", "email": "ben@example.com"})
	f.logged("ann", activity.TypeLoginAttempt, map[string]any{"n": 5, "tag": "needle"})
	const mask = "••••••••"
	for viewer, test := range map[string]struct {
		numbers []int
		actors  []string
		asks    int // status of a filter by others
	}{
		"root":     {[]int{5, 4, 3, 2, 1}, []string{"ann", "ben", "system", "ann", "ben"}, 200},
		"manager":  {[]int{5, 4, 3, 2, 1}, []string{"ann", "ben", "system", "ann", "ben"}, 200},
		"auditor":  {[]int{3, 2, 1}, []string{"system", "ann", "ben"}, 200},
		"ann":      {[]int{3, 2, 1}, []string{"system", "ann", mask}, 403},
		"settings": {[]int{3, 2, 1}, []string{"system", mask, mask}, 403},
		"operator": {[]int{3, 2, 1}, []string{"system", mask, mask}, 403},
	} {
		t.Run(viewer, func(t *testing.T) {
			f.t = t
			// has_next_page must not betray what is left out either.
			query := "search=needle&first=" + fmt.Sprint(len(test.numbers))
			got := f.read(viewer, query)
			actors := []string{}
			for _, e := range got.Data {
				actors = append(actors, e.Actor)
			}
			if diff := cmp.Diff(test.numbers, got.numbers()); diff != "" {
				t.Errorf("entries:\n%s", diff)
			}
			if diff := cmp.Diff(test.actors, actors); diff != "" {
				t.Errorf("actors:\n%s", diff)
			}
			if got.Pagination.HasNextPage {
				t.Error("says that there is more")
			}
			sees := slices.Contains(test.numbers, 4)
			for _, query := range []string{"type=profile_update", "search=ben@example.com", "type=login_attempt&actor=system", "type=profile_update&last=5"} {
				if got := f.read(viewer, query); len(got.Data) > 0 && !sees || got.Pagination.HasPreviousPage && !sees {
					t.Errorf("%s finds %v", query, got.types())
				}
			}
			f.get(viewer, logPath+"?actor=ben").expect(t, test.asks, "*")
			f.get(viewer, logPath+"?actor=system&actor="+viewer).expect(t, http.StatusOK, "*")
		})
	}
}
