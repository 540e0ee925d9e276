package activity

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"trento/store/activity"
)

// TestFoldEntries checks which entries are one row, and which of them comes
// first.
func TestFoldEntries(t *testing.T) {
	entry := func(position int, severity activity.Severity, correlation string) *activity.Entry {
		e := &activity.Entry{Position: activity.Position(position), Severity: severity, Type: activity.TypeHeartbeatFailed, Metadata: []byte(`{"host_id":"h"}`)}
		if correlation != "" {
			e.Metadata = fmt.Appendf(nil, `{"host_id":"h","correlation_id":%q}`, correlation)
		}
		return e
	}
	for name, tt := range map[string]struct {
		entries []*activity.Entry // newest first
		want    string
	}{
		"nothing":                   {nil, ""},
		"without a correlation":     {[]*activity.Entry{entry(2, activity.Info, ""), entry(1, activity.Info, "")}, "2 | 1"},
		"the cause first":           {[]*activity.Entry{entry(3, activity.Info, "a"), entry(2, activity.Info, "a"), entry(1, activity.Info, "a")}, "1 3 2"},
		"the most severe first":     {[]*activity.Entry{entry(3, activity.Info, "a"), entry(2, activity.Critical, "a"), entry(1, activity.Warning, "a")}, "2 3 1"},
		"others stand between them": {[]*activity.Entry{entry(4, activity.Info, "a"), entry(3, activity.Info, "b"), entry(2, activity.Info, "a"), entry(1, activity.Info, "")}, "2 4 | 3 | 1"},
	} {
		var groups []string
		for _, group := range foldEntries(tt.entries) {
			var positions []string
			for _, e := range group {
				positions = append(positions, fmt.Sprint(uint64(e.Position)))
			}
			groups = append(groups, strings.Join(positions, " "))
		}
		if got := strings.Join(groups, " | "); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestFoldAddresses checks that the state of the rows is in the address, and not
// in that of another page.
func TestFoldAddresses(t *testing.T) {
	q := parseLogQuery(url.Values{"open": {"a"}, "search": {"x"}}, defaultEntries)
	for name, tt := range map[string]struct{ got, want string }{
		"open another":     {q.toggleURL("b"), "/activity_log?open=a&open=b&search=x"},
		"close it":         {q.toggleURL("a"), "/activity_log?search=x"},
		"a row each":       {q.foldURL(), "/activity_log?rows=entries&search=x"},
		"folded again":     {parseLogQuery(url.Values{"rows": {"entries"}}, defaultEntries).foldURL(), "/activity_log"},
		"at the newest":    {"/activity_log?" + q.fromNewest().values().Encode(), "/activity_log?search=x"},
		"exports have all": {"?" + parseLogQuery(url.Values{"rows": {"entries"}, "open": {"a"}}, defaultEntries).filterValues().Encode(), "?"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", name, tt.got, tt.want)
		}
	}
	many := url.Values{"open": strings.Split(strings.Repeat("x,", 30)+"y", ",")}
	if open := parseLogQuery(many, defaultEntries).openGroups; len(open) > maxOpen {
		t.Errorf("%d rows are open", len(open))
	}
}
