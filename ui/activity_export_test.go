package ui

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
)

// tagged writes entries that are numbered from 1.
func (f *fixture) tagged(by string, n int) {
	f.t.Helper()
	for i := range n {
		event := &activity.ResourceTagging{TaggedResource: activity.TaggedResource{ResourceType: "host", Hostname: "hana01"}, Tag: fmt.Sprint("tag", i+1)}
		if err := f.store.AppendActivity(context.Background(), store.Actor{Name: by}, event); err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestActivityExport(t *testing.T) {
	t.Parallel()
	f := logFixture(t)
	table := f.do(call{target: "/activity_log.csv?type=resource_tagging&type=login_attempt", as: "plain"})
	records, err := csv.NewReader(table.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 3 || records[1][5] != "••••••••" || records[2][5] != "plain" || records[2][3] != `Tag "by-plain" added to Host "hana01"` {
		t.Errorf("table %q", records)
	}
	if h := table.Header(); !strings.Contains(h.Get("Content-Disposition"), "activity_log.csv") || h.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", h)
	}
	for _, record := range records[1:] {
		if at, err := time.Parse("2006-01-02T15:04:05.000000Z", record[0]); err != nil || at.IsZero() {
			t.Errorf("time %q: %v", record[0], err)
		}
	}
	if marked := f.do(call{target: "/activity_log.csv?type=resource_tagging&bom=true", as: "plain"}).Body.String(); !strings.HasPrefix(marked, "\uFEFFTime (UTC),") {
		t.Errorf("with a byte-order mark: %.40q", marked)
	}
	lines := f.do(call{target: "/activity_log.jsonl?type=resource_tagging&type=login_attempt", as: "plain"}).Body.String()
	var actors []string
	for line := range strings.Lines(lines) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if len(e) != 6 || e["type"] != "resource_tagging" || e["metadata"].(map[string]any)["hostname"] != "hana01" {
			t.Errorf("line %s", line)
		}
		actors = append(actors, fmt.Sprint(e["actor"]))
	}
	if !slices.Equal(actors, []string{"••••••••", "plain"}) {
		t.Errorf("actors %q", actors)
	}
	for _, file := range []string{"csv", "jsonl"} {
		for query, status := range map[string]int{
			"actor=admin": http.StatusForbidden, "search=" + strings.Repeat("x+", 70): http.StatusUnprocessableEntity,
			"search=nothing": http.StatusOK, `search="odd+AND`: http.StatusOK, "after=odd&first=odd": http.StatusOK,
		} {
			if w := f.do(call{target: "/activity_log." + file + "?" + query, as: "plain"}); w.Code != status {
				t.Errorf("%s, %.20s: %d", file, query, w.Code)
			}
		}
	}
}

// TestActivityExportFormulas checks that a spreadsheet does not read texts of
// agents as formulas.
func TestActivityExportFormulas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	if err := f.store.SignInFailed(t.Context(), "=HYPERLINK(1)"); err != nil {
		t.Fatal(err)
	}
	if body := f.do(call{target: "/activity_log.csv", as: "admin"}).Body.String(); !strings.Contains(body, ",'=HYPERLINK(1),") {
		t.Errorf("table %s", body)
	}
}

// TestActivityExportParts exports more than is read at once: every entry comes
// once, newest first, also while others are written.
func TestActivityExportParts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	const all = 2*search.MaxLimit + 7
	f.tagged("ada", all)
	server := f.serve()
	answer := f.export(server, "admin", "/activity_log.jsonl?type=resource_tagging")
	defer answer.Body.Close()
	d := json.NewDecoder(answer.Body)
	for n := all; n > 0; n-- {
		var e struct {
			Metadata struct {
				Tag string `json:"added_tag"`
			}
		}
		if err := d.Decode(&e); err != nil || e.Metadata.Tag != fmt.Sprint("tag", n) {
			t.Fatalf("%d to go: %q (%v)", n, e.Metadata.Tag, err)
		}
		if n == all {
			f.tagged("ada", 3) // too late for this export
		}
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last entry: %v", err)
	}
}

func (f *fixture) export(server *httptest.Server, as, target string) *http.Response {
	f.t.Helper()
	r, err := http.NewRequest(http.MethodGet, server.URL+target, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.AddCookie(f.cookies[as])
	answer, err := server.Client().Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer
}

// TestActivityExportEnds checks that a user who loses the permission gets no
// further piece, and that the client notices.
func TestActivityExportEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.tagged("ben", 3*search.MaxLimit)
	for name, end := range map[string]func(*store.User){
		"disabled": func(u *store.User) { storetest.Disable(t, f.store, u.ID) },
		"signed out": func(u *store.User) {
			f.do(call{method: "POST", target: "/session/end", as: u.Username})
		},
		"without the permission": func(u *store.User) {
			if _, err := f.store.ChangeUser(t.Context(), store.System(), u.ID, u.LockVersion, store.UserChange{Abilities: &[]int{}}); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := f.user(strings.ReplaceAll(name, " ", "-"), 17) // activity_log:users
			r := httptest.NewRequest(http.MethodGet, "/activity_log.csv?actor=ben", nil)
			r.AddCookie(f.cookies[u.Username])
			w := &cutWriter{httptest.NewRecorder(), func() { end(u) }}
			defer func() {
				if cause := recover(); cause != http.ErrAbortHandler || w.Body.Len() != (64<<10) {
					t.Errorf("after %d bytes: %v, want an end that is no end of file", w.Body.Len(), cause)
				}
			}()
			f.handler.ServeHTTP(w, r)
		})
	}
}
