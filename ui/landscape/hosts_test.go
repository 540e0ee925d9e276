package landscape

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
	"trento/ui/page"
	"trento/ui/table"
)

func hostnames(things []*HostItem) []string {
	var names []string
	for _, h := range things {
		names = append(names, h.Hostname)
	}
	return names
}

// sampleHosts returns hosts with every kind of problem.
func sampleHosts() []*HostItem {
	silent := time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC)
	hosts := []*landscape.Host{
		{HostFacts: landscape.HostFacts{Hostname: "fine", AgentVersion: "3.1.2"}, Health: landscape.HealthPassing, Heartbeat: landscape.HeartbeatPassing},
		{HostFacts: landscape.HostFacts{Hostname: "nobody-knows", AgentVersion: "3.10.0"}, Health: landscape.HealthUnknown, Heartbeat: landscape.HeartbeatUnknown},
		{HostFacts: landscape.HostFacts{Hostname: "Warned", AgentVersion: "1.2.0"}, Health: landscape.HealthWarning, Heartbeat: landscape.HeartbeatPassing},
		{HostFacts: landscape.HostFacts{Hostname: "silent", AgentVersion: "3.9.0"}, Health: landscape.HealthPassing, Heartbeat: landscape.HeartbeatCritical, StaleSince: &silent},
		{HostFacts: landscape.HostFacts{Hostname: "broken", AgentVersion: "3.9.0"}, Health: landscape.HealthCritical, Heartbeat: landscape.HeartbeatPassing, Cloud: &landscape.Cloud{Provider: "aws"}},
	}
	items := make([]*HostItem, len(hosts))
	for i, h := range hosts {
		h.ID = landscape.HostID(fmt.Sprint(i))
		items[i] = newHostItem(h)
	}
	items[1].Sids, items[1].Tags = []string{"HA1", "PRD"}, []string{"env1"}
	items[4].Sids, items[4].Tags, items[4].Cluster = []string{"PRD"}, []string{"env1", "new"}, page.Link{Name: "hana_cluster"}
	return items
}

func TestHostOrder(t *testing.T) {
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
		c := HostsTable.Parse(url.Values{"sort": {sort}}, 10)
		if got := strings.Join(hostnames(HostsTable.Selected(sampleHosts(), c).Things), " "); got != want {
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
		s := HostsTable.Selected(sampleHosts(), HostsTable.Parse(q, 10))
		var counts []string
		for value, n := range s.Counts[0] {
			counts = append(counts, fmt.Sprint(value, ":", n))
		}
		slices.Sort(counts)
		got := fmt.Sprintf("%s | %s | stale %d", strings.Join(hostnames(s.Things), " "), strings.Join(counts, " "), s.Flags[0])
		if got != want {
			t.Errorf("%s: %s\nwant %s", query, got, want)
		}
	}
}

// TestFilterCounts checks that the number beside an option of a filter is the
// number of things that are shown if only this option is chosen.
func TestFilterCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hosts []*HostItem
		for n := range rapid.IntRange(0, 12).Draw(t, "hosts") {
			h := &landscape.Host{ID: landscape.HostID(fmt.Sprint(n)), HostFacts: landscape.HostFacts{Hostname: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")}}
			tags := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y", "z"}), 0, 2, rapid.ID[string]).Draw(t, "tags")
			h.Health = rapid.SampledFrom([]landscape.Health{"passing", "warning", "critical", "unknown"}).Draw(t, "health")
			h.Cloud = &landscape.Cloud{Provider: rapid.SampledFrom([]string{"aws", "kvm"}).Draw(t, "provider")}
			if rapid.Bool().Draw(t, "stale") {
				h.StaleSince = new(time.Time)
			}
			hosts = append(hosts, newHostItem(h, tags...))
		}
		q := url.Values{}
		for key, values := range map[string][]string{"health": {"passing", "critical"}, "hostname": {"a", "b"}, "provider": {"aws"}, "stale": {"true"}, "q": {"a", "aws"}, "tags": {"x", "y"}} {
			if v := rapid.SampledFrom(append(values, "")).Draw(t, key); v != "" {
				q.Set(key, v)
			}
		}
		s := HostsTable.Selected(hosts, HostsTable.Parse(q, 10))
		for i, col := range HostsTable.Columns {
			for value, n := range s.Counts[i] {
				alone := url.Values{}
				for key, values := range q {
					alone[key] = values
				}
				alone.Set(col.Key, value)
				if shown := len(HostsTable.Selected(hosts, HostsTable.Parse(alone, 10)).Things); shown != n {
					t.Fatalf("%v: %s=%s says %d, shows %d", q, col.Key, value, n, shown)
				}
			}
		}
		q.Set("stale", "true")
		if shown := len(HostsTable.Selected(hosts, HostsTable.Parse(q, 10)).Things); shown != s.Flags[0] {
			t.Fatalf("%v: stale says %d, shows %d", q, s.Flags[0], shown)
		}
	})
}

// TestListURLs checks that the URL contains the whole state of a list, and that
// each link changes only its own part of the state.
func TestListURLs(t *testing.T) {
	q := url.Values{"q": {"a b"}, "health": {"critical", "warning"}, "sort": {"-memory"}, "page": {"2"}, "per_page": {"20"}, "stale": {"true"}}
	c := HostsTable.Parse(q, 10)
	if diff := cmp.Diff(q, c.Query()); diff != "" {
		t.Error(diff)
	}
	hosts := make([]*HostItem, 45)
	for i := range hosts {
		hosts[i] = newHostItem(&landscape.Host{ID: landscape.HostID(fmt.Sprint(i)), StaleSince: new(time.Time), Health: landscape.HealthCritical, HostFacts: landscape.HostFacts{Hostname: "a b"}})
	}
	l := HostsTable.View(c, HostsTable.Selected(hosts, c))
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
	want := []table.Step{
		{Name: "first-page", Label: "First page", Icon: "first", URL: "/hosts?health=critical&health=warning&per_page=20&q=a+b&sort=-memory&stale=true"},
		{Name: "prev-page", Label: "Previous page", Icon: "left", URL: "/hosts?health=critical&health=warning&per_page=20&q=a+b&sort=-memory&stale=true"},
		{Name: "next-page", Label: "Next page", Icon: "right", URL: "/hosts?health=critical&health=warning&page=3&per_page=20&q=a+b&sort=-memory&stale=true"},
		{Name: "last-page", Label: "Last page", Icon: "last", URL: "/hosts?health=critical&health=warning&page=3&per_page=20&q=a+b&sort=-memory&stale=true"},
	}
	if diff := cmp.Diff(want, l.Pager.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestLongFiltersAreShortened(t *testing.T) {
	hosts := make([]*HostItem, 220)
	for i := range hosts {
		hosts[i] = newHostItem(&landscape.Host{ID: landscape.HostID(fmt.Sprint(i)), HostFacts: landscape.HostFacts{Hostname: fmt.Sprintf("h%04d", i)}})
	}
	last := hosts[len(hosts)-1].Hostname
	c := HostsTable.Parse(url.Values{"hostname": {last, "gone"}}, 10)
	f := HostsTable.View(c, HostsTable.Selected(hosts, c)).Facets[1]
	if len(f.Options) > 202 || f.Hidden < 19 || !f.Long {
		t.Errorf("%d options, %d hidden", len(f.Options), f.Hidden)
	}
	for _, chosen := range []string{last, "gone"} {
		if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Value == chosen && o.Chosen }) {
			t.Errorf("%s is chosen but cannot be unchosen", chosen)
		}
	}
}

func TestMemoryAndVersions(t *testing.T) {
	for mb, want := range map[int]string{0: "0 MB", 512: "512 MB", 1024: "1 GB", 1536: "1.5 GB", 65536: "64 GB", 128717: "125 GB", 3145728: "3072 GB"} {
		if got := formatMemory(mb); got != want {
			t.Errorf("%d MB: %s, want %s", mb, got, want)
		}
	}
	for version, want := range map[string]bool{"1.9.9": true, "2.0.0": false, "3.1.2": false, "": false, "devel": false, "2.0.0-rc1": true} {
		if isOutdated(version) != want {
			t.Errorf("agent %s outdated: %v", version, !want)
		}
	}
}
