package ui

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/landscape"
)

func listed(things []*hostItem) []string {
	var names []string
	for _, h := range things {
		names = append(names, h.Hostname)
	}
	return names
}

// sampleHosts are hosts in every kind of trouble.
func sampleHosts() []*hostItem {
	silent := time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC)
	hosts := []*landscape.Host{
		{HostFacts: landscape.HostFacts{Hostname: "fine", AgentVersion: "3.1.2"}, Health: landscape.HealthPassing, Heartbeat: landscape.HeartbeatPassing},
		{HostFacts: landscape.HostFacts{Hostname: "nobody-knows", AgentVersion: "3.10.0"}, Health: landscape.HealthUnknown, Heartbeat: landscape.HeartbeatUnknown},
		{HostFacts: landscape.HostFacts{Hostname: "Warned", AgentVersion: "1.2.0"}, Health: landscape.HealthWarning, Heartbeat: landscape.HeartbeatPassing},
		{HostFacts: landscape.HostFacts{Hostname: "silent", AgentVersion: "3.9.0"}, Health: landscape.HealthPassing, Heartbeat: landscape.HeartbeatCritical, StaleSince: &silent},
		{HostFacts: landscape.HostFacts{Hostname: "broken", AgentVersion: "3.9.0"}, Health: landscape.HealthCritical, Heartbeat: landscape.HeartbeatPassing, Cloud: &landscape.Cloud{Provider: "aws"}},
	}
	items := make([]*hostItem, len(hosts))
	for i, h := range hosts {
		h.ID = hostID(i)
		items[i] = newHostItem(h)
	}
	items[1].sids, items[1].tags = []string{"HA1", "PRD"}, []string{"env1"}
	items[4].sids, items[4].tags, items[4].cluster = []string{"PRD"}, []string{"env1", "new"}, link{Name: "hana_cluster"}
	return items
}

func TestOrder(t *testing.T) {
	for sort, want := range map[string]string{
		"":               "broken silent Warned nobody-knows fine",
		"hostname":       "broken fine nobody-knows silent Warned",
		"-hostname":      "Warned silent nobody-knows fine broken",
		"health":         "broken Warned nobody-knows fine silent",
		"agent_version":  "Warned fine broken silent nobody-knows",
		"-agent_version": "nobody-knows broken silent fine Warned",
		"heartbeat":      "silent nobody-knows broken fine Warned",
		"nonsense":       "broken silent Warned nobody-knows fine",
	} {
		c := hostsTable.parse(url.Values{"sort": {sort}}, 10)
		if got := strings.Join(listed(hostsTable.choose(sampleHosts(), c).things), " "); got != want {
			t.Errorf("sort=%s: %s, want %s", sort, got, want)
		}
	}
}

func TestFiltersAndCounts(t *testing.T) {
	for query, want := range map[string]string{
		"":                               "broken silent Warned nobody-knows fine | critical:1 passing:2 unknown:1 warning:1 | stale 1",
		"health=passing":                 "silent fine | critical:1 passing:2 unknown:1 warning:1 | stale 1",
		"health=passing&health=critical": "broken silent fine | critical:1 passing:2 unknown:1 warning:1 | stale 1",
		"stale=true":                     "silent | passing:1 | stale 1",
		"stale=true&health=critical":     " | passing:1 | stale 0",
		"provider=aws":                   "broken | critical:1 | stale 0",
		"sid=PRD":                        "broken nobody-knows | critical:1 unknown:1 | stale 0",
		"sid=HA1&sid=PRD":                "broken nobody-knows | critical:1 unknown:1 | stale 0",
		"tags=new":                       "broken | critical:1 | stale 0",
		"sid=HA1&tags=new":               " |  | stale 0",
		"cluster=hana_cluster":           "broken | critical:1 | stale 0",
		"cleanup=true":                   "silent nobody-knows | passing:1 unknown:1 | stale 1",
		"q=prd":                          "broken nobody-knows | critical:1 unknown:1 | stale 0",
		"q=AWS":                          "broken | critical:1 | stale 0",
		"q=3.9+passing":                  "silent | passing:1 | stale 1",
		"q=nowhere":                      " |  | stale 0",
		"health=":                        "broken silent Warned nobody-knows fine | critical:1 passing:2 unknown:1 warning:1 | stale 1",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		s := hostsTable.choose(sampleHosts(), hostsTable.parse(q, 10))
		var counts []string
		for value, n := range s.counts[0] {
			counts = append(counts, fmt.Sprint(value, ":", n))
		}
		slices.Sort(counts)
		got := fmt.Sprintf("%s | %s | stale %d", strings.Join(listed(s.things), " "), strings.Join(counts, " "), s.flags[0])
		if got != want {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
	}
}

// TestCountsAreTrue: the number beside an option is the number of things that
// choosing it alone in its filter would show.
func TestCountsAreTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hosts []*hostItem
		for n := range rapid.IntRange(0, 12).Draw(t, "hosts") {
			h := &hostItem{Host: &landscape.Host{ID: hostID(n), HostFacts: landscape.HostFacts{Hostname: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")}}}
			h.tags = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 2, rapid.ID[string]).Draw(t, "tags")
			h.Health = rapid.SampledFrom([]landscape.Health{"passing", "warning", "critical", "unknown"}).Draw(t, "health")
			h.Cloud = &landscape.Cloud{Provider: rapid.SampledFrom([]string{"aws", "kvm"}).Draw(t, "provider")}
			if rapid.Bool().Draw(t, "stale") {
				h.StaleSince = new(time.Time)
			}
			hosts = append(hosts, h)
		}
		q := url.Values{}
		for key, values := range map[string][]string{"health": {"passing", "critical"}, "hostname": {"a", "b"}, "provider": {"aws"}, "stale": {"true"}, "q": {"a", "aws"}, "tags": {"x", "y"}} {
			if v := rapid.SampledFrom(append(values, "")).Draw(t, key); v != "" {
				q.Set(key, v)
			}
		}
		s := hostsTable.choose(hosts, hostsTable.parse(q, 10))
		for i, col := range hostsTable.columns {
			for value, n := range s.counts[i] {
				alone := url.Values{}
				for key, values := range q {
					alone[key] = values
				}
				alone.Set(col.key, value)
				if shown := len(hostsTable.choose(hosts, hostsTable.parse(alone, 10)).things); shown != n {
					t.Fatalf("%v: %s=%s says %d, shows %d", q, col.key, value, n, shown)
				}
			}
		}
		q.Set("stale", "true")
		if shown := len(hostsTable.choose(hosts, hostsTable.parse(q, 10)).things); shown != s.flags[0] {
			t.Fatalf("%v: stale says %d, shows %d", q, s.flags[0], shown)
		}
	})
}

func TestPagesOfAList(t *testing.T) {
	s := selection[int]{things: []int{0, 1, 2, 3, 4, 5, 6}}
	for _, tt := range []struct {
		page, size, want int
		things           []int
	}{
		{1, 3, 1, []int{0, 1, 2}}, {2, 3, 2, []int{3, 4, 5}}, {3, 3, 3, []int{6}}, {4, 3, 3, []int{6}}, {1, 10, 1, s.things},
	} {
		things, page := s.page(listQuery{page: tt.page, size: tt.size})
		if page != tt.want || !slices.Equal(things, tt.things) {
			t.Errorf("page %d of %d: %v on page %d", tt.page, tt.size, things, page)
		}
	}
	if things, page := (selection[int]{}).page(listQuery{page: 5, size: 3}); len(things) != 0 || page != 1 {
		t.Errorf("page of nothing: %v on page %d", things, page)
	}
}

// TestAddresses: the whole state of a list is in its address, and every link
// keeps what it does not change.
func TestAddresses(t *testing.T) {
	q := url.Values{"q": {"a b"}, "health": {"critical", "warning"}, "sort": {"-memory"}, "page": {"2"}, "per_page": {"20"}, "stale": {"true"}}
	c := hostsTable.parse(q, 10)
	if diff := cmp.Diff(q, c.query()); diff != "" {
		t.Error(diff)
	}
	hosts := make([]*hostItem, 45)
	for i := range hosts {
		hosts[i] = &hostItem{Host: &landscape.Host{ID: hostID(i), StaleSince: new(time.Time), Health: landscape.HealthCritical, HostFacts: landscape.HostFacts{Hostname: "a b"}}}
	}
	l := hostsTable.listing(c, hostsTable.choose(hosts, c))
	for _, chip := range l.Chips {
		if strings.Contains(chip.URL, "&page=") || !strings.Contains(chip.URL, "sort=-memory") {
			t.Errorf("without %s %s: %s", chip.Label, chip.Value, chip.URL)
		}
	}
	if len(l.Chips) != 4 || l.Chips[1].URL != "/hosts?health=warning&per_page=20&q=a+b&sort=-memory&stale=true" {
		t.Errorf("chips %+v", l.Chips)
	}
	if l.ResetURL != "/hosts?per_page=20&sort=-memory" {
		t.Errorf("reset: %s", l.ResetURL)
	}
	if l.Pager.Range != "Showing 21–40 of 45" || !strings.HasPrefix(string(l.Pager.Export), "/hosts.csv?health=critical") {
		t.Errorf("pager %+v", l.Pager)
	}
	want := []step{
		{"first-page", "First page", "first", "/hosts?health=critical&health=warning&per_page=20&q=a+b&sort=-memory&stale=true"},
		{"prev-page", "Previous page", "left", "/hosts?health=critical&health=warning&per_page=20&q=a+b&sort=-memory&stale=true"},
		{"next-page", "Next page", "right", "/hosts?health=critical&health=warning&page=3&per_page=20&q=a+b&sort=-memory&stale=true"},
		{"last-page", "Last page", "last", "/hosts?health=critical&health=warning&page=3&per_page=20&q=a+b&sort=-memory&stale=true"},
	}
	if diff := cmp.Diff(want, l.Pager.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestLongFacetsAreCut(t *testing.T) {
	hosts := make([]*hostItem, maxOptions+20)
	for i := range hosts {
		hosts[i] = &hostItem{Host: &landscape.Host{ID: hostID(i), HostFacts: landscape.HostFacts{Hostname: fmt.Sprintf("h%04d", i)}}}
	}
	last := hosts[len(hosts)-1].Hostname
	c := hostsTable.parse(url.Values{"hostname": {last, "gone"}}, 10)
	f := hostsTable.listing(c, hostsTable.choose(hosts, c)).Facets[1]
	if len(f.Options) > maxOptions+2 || f.Hidden < 19 || !f.Long {
		t.Errorf("%d options, %d hidden", len(f.Options), f.Hidden)
	}
	for _, chosen := range []string{last, "gone"} {
		if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == chosen && o.Chosen }) {
			t.Errorf("%s is chosen but cannot be unchosen", chosen)
		}
	}
}

func TestMemoryAndVersions(t *testing.T) {
	for mb, want := range map[int]string{0: "0 MB", 512: "512 MB", 1024: "1 GB", 1536: "1.5 GB", 65536: "64 GB", 128717: "125 GB", 3145728: "3072 GB"} {
		if got := memory(mb); got != want {
			t.Errorf("%d MB: %s, want %s", mb, got, want)
		}
	}
	for version, want := range map[string]bool{"1.9.9": true, "2.0.0": false, "3.1.2": false, "": false, "devel": false, "2.0.0-rc1": true} {
		if outdated(version) != want {
			t.Errorf("agent %s outdated: %v", version, !want)
		}
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)
	for age, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago",
		23 * time.Hour: "23 h ago", 24 * time.Hour: "1 day ago", 50 * time.Hour: "2 days ago", -90 * time.Minute: "in 1 h",
	} {
		if got := (Timestamp{now.Add(-age), now}).Ago(); got != want {
			t.Errorf("%v: %q, want %q", age, got, want)
		}
	}
	m := Timestamp{time.Date(2024, 8, 14, 12, 21, 0, 0, time.FixedZone("", 2*3600)), now}
	if m.Text() != "14 Aug 2024, 10:21:00 UTC" || m.ISO() != "2024-08-14T10:21:00Z" {
		t.Errorf("%s, %s", m.Text(), m.ISO())
	}
}
