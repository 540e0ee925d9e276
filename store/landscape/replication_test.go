package landscape_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/landscape"
)

// replicated returns an instance of a replicated database. at has the site, the
// role and its source or status, as in "EAST primary ACTIVE" or "WEST
// secondary of EAST".
func replicated(host, at string, changes ...func(*landscape.DatabaseInstance)) landscape.DatabaseInstance {
	i := landscape.DatabaseInstance{Instance: landscape.Instance{
		HostID: landscape.HostID(host), Number: "00", InstanceFacts: landscape.InstanceFacts{Status: landscape.Green},
	}}
	words := strings.Fields(at)
	i.Site = &words[0]
	set := func(role, mode, operation string) { i.Role, i.Mode, i.OperationMode = &role, &mode, &operation }
	switch words[1] {
	case "primary":
		set(landscape.PrimaryRole, "primary", "primary")
		if len(words) > 2 {
			i.ReplicationStatus = &words[2]
		}
		one := 1
		i.Tier = &one
	case "secondary":
		set(landscape.SecondaryRole, "sync", "logreplay")
		if len(words) > 3 {
			i.SourceSite = &words[3]
		}
	}
	for _, change := range changes {
		change(&i)
	}
	return i
}

var replicationNoon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func stopped(i *landscape.DatabaseInstance) { i.Status = landscape.Gray }
func missing(i *landscape.DatabaseInstance) { i.AbsentSince = &replicationNoon }
func silent(i *landscape.DatabaseInstance)  { i.StaleSince = &replicationNoon }
func changed(minutes int) func(*landscape.DatabaseInstance) {
	return func(i *landscape.DatabaseInstance) {
		at := replicationNoon.Add(time.Duration(minutes) * time.Minute)
		i.ReplicationChangedAt = &at
	}
}
func onTier(tier int) func(*landscape.DatabaseInstance) {
	return func(i *landscape.DatabaseInstance) { i.Tier = &tier }
}
func ofSystem(sid string) func(*landscape.DatabaseInstance) {
	return func(i *landscape.DatabaseInstance) { i.SID = sid }
}
func withSiteID(id int) func(*landscape.DatabaseInstance) {
	return func(i *landscape.DatabaseInstance) { i.SiteID = &id }
}
func fromSiteID(id int) func(*landscape.DatabaseInstance) {
	return func(i *landscape.DatabaseInstance) { i.ActivePrimarySite = &id }
}

// hanaCluster returns a cluster that sees the sites in these states, as in
// "EAST Primary" and "WEST Secondary".
func hanaCluster(sync string, sites ...string) *landscape.Cluster {
	c := &landscape.Cluster{SyncChangedAt: &replicationNoon, ClusterFacts: landscape.ClusterFacts{State: "S_IDLE", HANA: &landscape.HANADetails{
		ReplicationMode: "sync", OperationMode: "logreplay", SecondarySyncState: sync,
	}}}
	for _, s := range sites {
		name, state, _ := strings.Cut(s, " ")
		c.HANA.Sites = append(c.HANA.Sites, landscape.HANASite{Name: name, State: state})
	}
	return c
}

func chainLines(c landscape.ReplicationChain) []string {
	lines := []string{}
	for _, s := range c.Sites {
		line := fmt.Sprintf("%s %s tier %d, %d at", s.Name, orElse(s.Role, "without a role"), s.Tier, len(s.Instances))
		if s.Source >= 0 {
			line += fmt.Sprintf(", from %s by %s/%s", c.Sites[s.Source].Name, s.Mode, s.OperationMode)
		}
		if s.State != "" {
			line += ", " + string(s.State)
		}
		if s.Status != "" {
			line += " " + s.Status
		}
		if s.Since != nil {
			line += s.Since.Format(" since 15:04")
		}
		if s.Reason != "" {
			line += ": " + s.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func TestReplicationChain(t *testing.T) {
	type all = []landscape.DatabaseInstance
	for name, tt := range map[string]struct {
		instances all
		clusters  []*landscape.Cluster
		want      []string
	}{
		"no replication": {all{{Instance: landscape.Instance{HostID: "a"}}}, nil, []string{}},
		"nothing":        {nil, nil, []string{}},
		"two sites": {all{replicated("b", "WEST secondary of EAST", onTier(2)), replicated("a", "EAST primary ACTIVE")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE"}},
		"broken": {all{replicated("a", "EAST primary ERROR", changed(5)), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, broken ERROR since 12:05: site EAST reports an error"}},
		"catching up": {all{replicated("a", "EAST primary SYNCING", changed(1)), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, catching up SYNCING since 12:01: site WEST does not have all data yet"}},
		"no status": {all{replicated("a", "EAST primary"), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, unknown: site EAST does not report the state of the replication"}},
		"multi-tier": {all{replicated("a", "EAST primary ACTIVE"), replicated("c", "FAR secondary of WEST"), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE", "FAR Secondary tier 3, 1 at, from WEST by sync/logreplay, active ACTIVE"}},
		"multi-target": {all{replicated("a", "EAST primary ACTIVE"), replicated("c", "WEST secondary of EAST", onTier(2)), replicated("b", "NORTH secondary of EAST", onTier(2))}, nil, []string{
			"EAST Primary tier 1, 1 at", "NORTH Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE"}},
		"multi-target with an error": {all{replicated("a", "EAST primary ERROR"), replicated("c", "FAR secondary of EAST"), replicated("b", "WEST secondary of EAST")},
			[]*landscape.Cluster{hanaCluster("SOK", "EAST Primary", "WEST Secondary")}, []string{
				"EAST Primary tier 1, 1 at", "FAR Secondary tier 2, 1 at, from EAST by sync/logreplay, broken ERROR: site EAST reports an error, and does not say for which of its sites",
				"WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active SOK"}},
		"the cluster disagrees": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary of EAST")},
			[]*landscape.Cluster{hanaCluster("SFAIL", "EAST Primary", "WEST Failed")}, []string{
				"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, broken SFAIL since 12:00: the cluster says that site WEST is not in sync"}},
		"a stopped cluster says nothing": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary of EAST")},
			[]*landscape.Cluster{{ClusterFacts: landscape.ClusterFacts{State: landscape.ClusterStateStopped, HANA: hanaCluster("SFAIL", "WEST Failed").HANA}}}, []string{
				"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE"}},
		"scale-out": {all{replicated("a1", "EAST primary ACTIVE"), replicated("a2", "EAST primary ACTIVE", stopped), replicated("b1", "WEST secondary of EAST"), replicated("b2", "WEST secondary of EAST", missing)}, nil, []string{
			"EAST Primary tier 1, 2 at", "WEST Secondary tier 2, 2 at, from EAST by sync/logreplay, active ACTIVE"}},
		"the hosts of a site disagree": {all{replicated("a1", "EAST secondary of WEST", silent), replicated("a2", "EAST primary ACTIVE"), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 2 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE"}},
		"the secondary is stopped": {all{replicated("a", "EAST primary ACTIVE", withSiteID(1)), replicated("b", "WEST secondary", stopped, fromSiteID(1), onTier(2))}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, broken: site WEST does not run"}},
		"the secondary is absent": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary of EAST", missing)}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, broken since 12:00: site WEST does not run"}},
		"the primary is stopped": {all{replicated("a", "EAST primary", stopped), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, broken: site EAST, from which it replicates, does not run"}},
		"the primary is silent": {all{replicated("a", "EAST primary ACTIVE", silent), replicated("b", "WEST secondary of EAST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, unknown ACTIVE since 12:00: what site EAST reported is out of date"}},
		"after a takeover": {all{replicated("a", "EAST primary", stopped), replicated("b", "WEST primary ERROR", changed(2))}, nil, []string{
			"WEST Primary tier 1, 1 at", "EAST Primary tier 1, 1 at, broken since 12:02: site EAST does not run, and does not replicate from site WEST yet"}},
		"two primaries": {all{replicated("a", "EAST primary ACTIVE", changed(1)), replicated("b", "WEST primary ACTIVE", changed(3))}, nil, []string{
			"WEST Primary tier 1, 1 at", "EAST Primary tier 1, 1 at, broken since 12:03: site WEST and site EAST both say that they are the primary site"}},
		"an unknown source": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary of LOST")}, nil, []string{
			"EAST Primary tier 1, 1 at", "LOST without a role tier 0, 0 at", "WEST Secondary tier 0, 1 at, from LOST by sync/logreplay, unknown: no agent reports from site LOST"}},
		"no source": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary")}, nil, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 0, 1 at, unknown: site WEST does not say from which site it replicates"}},
		"one of two without a replication": {all{replicated("a", "EAST primary ACTIVE"), {Instance: landscape.Instance{HostID: "x", InstanceFacts: landscape.InstanceFacts{Status: landscape.Green}}}}, nil, []string{
			"EAST Primary tier 1, 1 at", " without a role tier 0, 1 at, unknown: the site without a name reports no system replication"}},
		"a circle": {all{replicated("a", "EAST secondary of WEST", onTier(2)), replicated("b", "WEST secondary of EAST", onTier(3))}, nil, []string{
			"EAST Secondary tier 2, 1 at, unknown: the sites say that they replicate in a circle, so one of the reports is out of date",
			"WEST Secondary tier 3, 1 at, from EAST by sync/logreplay, unknown: site EAST does not report the state of the replication"}},
		"from itself": {all{replicated("a", "EAST secondary of EAST")}, nil, []string{
			"EAST Secondary tier 0, 1 at, unknown: the sites say that they replicate in a circle, so one of the reports is out of date"}},
		"only the cluster is known": {nil, []*landscape.Cluster{hanaCluster("SOK", "EAST Primary", "WEST Secondary")}, []string{
			"EAST Primary tier 1, 0 at", "WEST Secondary tier 2, 0 at, from EAST by sync/logreplay, active SOK"}},
		"only the cluster is known, not in sync": {nil, []*landscape.Cluster{hanaCluster("SFAIL", "EAST Primary", "WEST Failed")}, []string{
			"EAST Primary tier 1, 0 at", "WEST Secondary tier 2, 0 at, from EAST by sync/logreplay, broken SFAIL since 12:00: the cluster says that site WEST is not in sync"}},
		"the second site has no agent": {all{replicated("a", "EAST primary ACTIVE")}, []*landscape.Cluster{hanaCluster("SOK", "EAST Primary", "WEST Secondary")}, []string{
			"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 0 at, from EAST by sync/logreplay, active ACTIVE"}},
		"a second database in the cluster": {all{{Instance: landscape.Instance{HostID: "b", SID: "QAS"}}}, []*landscape.Cluster{hanaCluster("SOK", "EAST Primary", "WEST Secondary")}, []string{}},
		"the cluster of another database": {all{replicated("a", "EAST primary ACTIVE", ofSystem("QAS")), replicated("b", "WEST secondary of EAST", ofSystem("QAS"))},
			[]*landscape.Cluster{hanaCluster("SFAIL", "EAST Primary", "WEST Failed")}, []string{
				"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE"}},
		"a third site beside the cluster": {all{replicated("a", "EAST primary ACTIVE"), replicated("b", "WEST secondary of EAST"), replicated("c", "FAR secondary of WEST")},
			[]*landscape.Cluster{hanaCluster("SOK", "EAST Primary", "WEST Secondary")}, []string{
				"EAST Primary tier 1, 1 at", "WEST Secondary tier 2, 1 at, from EAST by sync/logreplay, active ACTIVE", "FAR Secondary tier 3, 1 at, from WEST by sync/logreplay, active ACTIVE"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := chainLines(landscape.ReplicationChainOf(tt.instances, tt.clusters...))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("chain (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever sites report, the chain has each instance once, and each site is
// behind its source.
func TestReplicationChainOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"A", "B", "C", "D"}
		site := rapid.SampledFrom(names)
		var instances []landscape.DatabaseInstance
		for n := range rapid.IntRange(0, 8).Draw(t, "instances") {
			at := site.Draw(t, "site") + rapid.SampledFrom([]string{" primary", " primary ACTIVE", " primary ERROR", " secondary", " nothing"}).Draw(t, "role")
			if strings.HasSuffix(at, "secondary") && rapid.Bool().Draw(t, "has a source") {
				at += " of " + site.Draw(t, "source")
			}
			var changes []func(*landscape.DatabaseInstance)
			for _, change := range []func(*landscape.DatabaseInstance){stopped, missing, silent, changed(n), onTier(n - 1), withSiteID(n), fromSiteID(n % 3)} {
				if rapid.Bool().Draw(t, "changed") {
					changes = append(changes, change)
				}
			}
			instances = append(instances, replicated(fmt.Sprint(n), at, changes...))
		}
		var clusters []*landscape.Cluster
		if rapid.Bool().Draw(t, "in a cluster") {
			clusters = append(clusters, hanaCluster("SOK", site.Draw(t, "first")+" Primary", site.Draw(t, "second")+" Failed"))
		}
		chain := landscape.ReplicationChainOf(instances, clusters...)
		seen := 0
		for n, s := range chain.Sites {
			seen += len(s.Instances)
			if s.Source >= n {
				t.Fatalf("site %s is before its source", s.Name)
			}
			if s.Role == landscape.SecondaryRole && s.State == "" || s.State == landscape.ReplicationBroken && s.Reason == "" {
				t.Fatalf("site %s: state %q, reason %q", s.Name, s.State, s.Reason)
			}
		}
		if seen != len(instances) && chain.IsReplicated() {
			t.Fatalf("%d of %d instances", seen, len(instances))
		}
	})
}

// The record says since when a replication is as it is. What was first reported
// has no such time.
func TestReplicationChangedAt(t *testing.T) {
	w := newWorld(t)
	broken := func(e *landscape.Element) { failed := "ERROR"; e.Database.ReplicationStatus = &failed }
	times := func() (at []*time.Time) {
		for _, i := range w.databases[ore].Instances {
			at = append(at, i.ReplicationChangedAt)
		}
		return at
	}
	w.sap("db", primary())
	w.sap("d2", secondary())
	if got := times(); got[0] != nil || got[1] != nil {
		t.Errorf("changed at %v before anything has changed", got)
	}
	w.sap("db", primary(broken))
	failed := w.now
	w.sap("db", primary(broken, status(landscape.Red)))
	if got := times(); got[1] != nil && !got[1].Equal(failed) || got[0] != nil && !got[0].Equal(failed) || got[0] == nil && got[1] == nil {
		t.Errorf("changed at %v, want one at %v", got, failed)
	}
}
