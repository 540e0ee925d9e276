package activity

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/search"
	"trento/store/activity"
)

func TestLater(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "", 0: "", time.Microsecond: "+1 ms", 118 * time.Millisecond: "+118 ms", 3*time.Second + 290*time.Millisecond: "+3.2 s",
		time.Minute: "+1 min 0 s", 125 * time.Second: "+2 min 5 s", 90 * time.Minute: "+1 h 30 min", 50 * time.Hour: "+50 h 0 min",
	} {
		if got := timeSinceBegin(d); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}

func TestLogQueryAddress(t *testing.T) {
	for _, address := range []string{
		"", "search=a+b", "actor=ada&actor=system", "severity=debug&type=host_registered", "from_date=24h&to_date=1h",
		"from_date=custom&from_date=2026-08-20T10%3A15%3A30.000Z", "first=50", "first=50&refreshRate=30000", "after=" + activity.Position(77).Cursor() + "&first=10",
		"before=" + activity.Position(77).Cursor() + "&last=20", "last=20",
	} {
		q, err := url.ParseQuery(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := parseLogQuery(q, 20).values().Encode(); got != address {
			t.Errorf("%s became %s", address, got)
		}
	}
	for _, typed := range []string{"2026-08-20T10:15", "2026-08-20T12:15:00+02:00", "2026-08-20T10:15:00.000Z"} {
		d := parseDate([]string{customDate, typed})
		if want := time.Date(2026, 8, 20, 10, 15, 0, 0, time.UTC); !d.time(time.Time{}).Equal(want) {
			t.Errorf("%s: %v, want %v", typed, d.time(time.Time{}), want)
		}
	}
}

func TestLogSteps(t *testing.T) {
	entries := []*activity.Entry{{Position: 9}, {Position: 5}}
	for _, tt := range []struct {
		name, address string
		page          search.Page
		want          string // the steps there are
	}{
		{"all on one page", "", search.Page{Entries: entries}, ""},
		{"first of many", "", search.Page{Entries: entries, More: true}, "next-page last-page"},
		{"in the middle", "after=" + activity.Position(20).Cursor(), search.Page{Entries: entries, More: true}, "first-page prev-page next-page last-page"},
		{"the end", "after=" + activity.Position(20).Cursor(), search.Page{Entries: entries}, "first-page prev-page"},
		{"the end, by its link", "last=20", search.Page{Entries: entries, More: true}, "first-page prev-page"},
		{"back at the start", "last=20&before=" + activity.Position(2).Cursor(), search.Page{Entries: entries}, "next-page last-page"},
		{"nothing left behind a cursor", "after=" + activity.Position(2).Cursor(), search.Page{}, "first-page"},
	} {
		q, err := url.ParseQuery(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range parseLogQuery(q, 20).pageLinks(tt.page) {
			if s.URL != "" {
				got = append(got, s.Name)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTree(t *testing.T) {
	known := func(id string) Thing {
		return map[string]Thing{"h1": {"hana01", "/hosts/" + "h1"}}[id]
	}
	tree, cut := newTree(json.RawMessage(`{"z":"text","a":[1.50,true,null],"o":{"host_id":"`+"h1"+`"},"e":{}}`), known)
	want := []metadataValue{
		{Key: "z", Text: "text", Kind: "text"},
		{Key: "a", Text: "3 values", Kind: "list", Children: []metadataValue{
			{Key: "1", Text: "1.50", Kind: "number"}, {Key: "2", Text: "true", Kind: "word"}, {Key: "3", Text: "null", Kind: "word"},
		}},
		{Key: "o", Text: "1 value", Kind: "object", Children: []metadataValue{{Key: "host_id", Text: "h1", Kind: "text", URL: "/hosts/" + "h1"}}},
		{Key: "e", Text: "0 values", Kind: "object"},
	}
	if diff := cmp.Diff(want, tree); diff != "" || cut != 0 {
		t.Errorf("cut %d: %s", cut, diff)
	}
	long := json.RawMessage(`{"l":[` + strings.Repeat("1,", 3*maxShownValues) + `1]}`)
	if tree, cut := newTree(long, known); cut != maxShownValues || len(tree) != 1 || len(tree[0].Children) > maxShownValues {
		t.Errorf("a long entry: cut %d, %d values", cut, len(tree))
	}
}

// TestThings checks that each thing of an entry is named once, and is a link
// while it has a page.
func TestThings(t *testing.T) {
	host, cluster, database, system := "h1", "c1", "d1", "s1"
	known := func(id string) Thing {
		return map[string]Thing{
			host: {"hana01", "/hosts/" + host}, cluster: {cluster, "/clusters/" + cluster},
			database: {"PRD", "/databases/" + database}, system: {"NWP", "/sap_systems/" + system},
		}[id]
	}
	tests := []struct {
		name  string
		event activity.Event
		want  []Thing
	}{
		{"nothing", &activity.LoginAttempt{Username: "ada"}, nil},
		{"host by its former name", &activity.HostRestored{AboutHost: activity.AboutHost{HostID: host, Hostname: "old"}}, []Thing{{"old", "/hosts/" + host}}},
		{"host that is gone", &activity.HostDeregistered{AboutHost: activity.AboutHost{HostID: "h2", Hostname: "hana02"}}, []Thing{{"hana02", ""}}},
		{"gone without a name", &activity.HostDeregistered{AboutHost: activity.AboutHost{HostID: "h2"}}, nil},
		{"cluster without a name", &activity.ClusterRestored{AboutCluster: activity.AboutCluster{ClusterID: cluster}}, []Thing{{cluster, "/clusters/" + cluster}}},
		{"node of a cluster", &activity.HostAddedToCluster{AboutCluster: activity.AboutCluster{ClusterID: cluster}, AboutHost: activity.AboutHost{HostID: host}},
			[]Thing{{cluster, "/clusters/" + cluster}, {"hana01", "/hosts/" + host}}},
		{"database", &activity.DatabaseRestored{AboutDatabase: activity.AboutDatabase{DatabaseID: database, SID: "PRD"}}, []Thing{{"PRD", "/databases/" + database}}},
		{"system on a database", &activity.SAPSystemRegistered{AboutSAPSystem: activity.AboutSAPSystem{SAPSystemID: system, SID: "NWP"}, DatabaseID: database}, []Thing{{"NWP", "/sap_systems/" + system}}},
		{"instance", &activity.ApplicationInstanceMarkedAbsent{AboutApplicationInstance: activity.AboutApplicationInstance{
			AboutSAPSystem: activity.AboutSAPSystem{SAPSystemID: system, SID: "NWP"}, AboutHost: activity.AboutHost{HostID: host, Hostname: "hana01"},
		}}, []Thing{{"NWP", "/sap_systems/" + system}, {"hana01", "/hosts/" + host}}},
		{"moved instance", &activity.ApplicationInstanceMoved{AboutSAPSystem: activity.AboutSAPSystem{SAPSystemID: system}, OldHostID: "h2", NewHostID: host},
			[]Thing{{"NWP", "/sap_systems/" + system}, {"hana01", "/hosts/" + host}}},
		{"clean-up of a database", &activity.DatabaseCleanupRequested{
			AboutDatabaseInstance: activity.AboutDatabaseInstance{AboutDatabase: activity.AboutDatabase{DatabaseID: database, SID: "PRD"}}, SAPSystemID: database,
		}, []Thing{{"PRD", "/databases/" + database}}},
		{"tag", &activity.ResourceTagging{TaggedResource: activity.TaggedResource{
			ResourceID: cluster, ResourceType: "cluster", Name: activity.Nullable[string]{Given: true, Value: new("hana_cluster")},
		}}, []Thing{{"hana_cluster", "/clusters/" + cluster}}},
		{"user", &activity.UserDeletion{AboutUser: activity.AboutUser{UserID: 7, Username: "ada"}}, []Thing{{"ada", ""}}},
		{"own token", &activity.PersonalAccessTokenExpiration{Name: "ci"}, nil},
		{"token of another", &activity.PersonalAccessTokenExpiration{Name: "ci", TokenOwner: activity.TokenOwner{UserID: 7, Username: "ada"}}, []Thing{{"ada", ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, entryThings(newEntry(t, tt.event), known)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
