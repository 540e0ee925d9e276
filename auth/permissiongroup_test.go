package auth

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every ability is in exactly one group, so that the groups show each granted
// ability once.
func TestGroups(t *testing.T) {
	in := map[int]string{}
	var names []string
	for _, g := range PermissionGroups() {
		names = append(names, g.Name)
		if g.Label == "" || !slices.IsSorted(g.Abilities) {
			t.Errorf("group %+v", g)
		}
		for _, id := range g.Abilities {
			if id < 1 || id > len(abilities) || abilities[id-1].ID != id {
				t.Fatalf("%s has the ability %d, which is none", g.Name, id)
			}
			if in[id] != "" {
				t.Errorf("%v is in %s and in %s", abilities[id-1], in[id], g.Name)
			}
			in[id] = g.Name
		}
		if len(g.Abilities) == 1 && abilities[g.Abilities[0]-1].String() != g.Name {
			t.Errorf("%s stands for %v alone", g.Name, abilities[g.Abilities[0]-1])
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not by name: %v", names)
	}
	for _, a := range Abilities() {
		if in[a.ID] == "" {
			t.Errorf("%v is in no group", a)
		}
		switch {
		case isOperationAbility(a.ID) && !strings.HasPrefix(in[a.ID], "operation:"),
			a.Name == "cleanup" && in[a.ID] != "cleanup:all",
			strings.HasSuffix(a.Resource, "_tags") && in[a.ID] != "all:tags",
			strings.HasSuffix(a.Resource, "_settings") && in[a.ID] != "all:settings":
			t.Errorf("%v is in %s", a, in[a.ID])
		}
	}
}

func TestGrants(t *testing.T) {
	for _, tt := range []struct {
		name string
		held []int
		want string // groups, and what is missing of them
	}{
		{"nothing", nil, ""},
		{"one ability", []int{1}, "all:all"},
		{"a whole group", []int{13, 11, 12}, "cleanup:all"},
		{"a part of a group", []int{7, 10}, "all:tags -all:cluster_tags -all:database_tags"},
		{"several", []int{2, 3, 4, 14}, "all:checks_execution; all:settings -all:suma_settings -all:activity_logs_settings -all:alerting_settings -all:personal_access_token_settings; all:users"},
		{"no ability's id", []int{0, 37, -1, 2}, "all:users"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var words []string
			for _, g := range HeldGroups(tt.held) {
				word := g.Name
				for _, a := range g.Missing {
					word += " -" + a.String()
				}
				words = append(words, word)
			}
			if got := strings.Join(words, "; "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The presets are those of the user guide, in its order.
func TestProfiles(t *testing.T) {
	var got []string
	for _, p := range Presets() {
		var names []string
		for _, g := range HeldGroups(p.Abilities) {
			if len(g.Missing) > 0 {
				t.Errorf("%s has a part of %s", p.Name, g.Name)
			}
			names = append(names, g.Name)
		}
		got = append(got, p.Name+": "+strings.Join(names, " "))
	}
	want := []string{
		"User manager: all:users",
		"SAP Basis, display only: ",
		"SAP Basis, configuration: all:checks_selection all:settings all:tags",
		"SAP Basis, operation: all:checks_execution cleanup:all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
}

func TestDifference(t *testing.T) {
	for _, tt := range []struct {
		name           string
		before, after  []int
		added, removed string
	}{
		{"nothing", []int{1, 2}, []int{2, 1}, "", ""},
		{"a whole group", nil, []int{7, 8, 9, 10}, "all:tags", ""},
		{"the rest of a group", []int{7}, []int{7, 8, 9, 10}, "all:cluster_tags all:database_tags all:sap_system_tags", ""},
		{"a part of a group", []int{11, 12, 13}, []int{12}, "", "cleanup:database_instance cleanup:host"},
		{"both ways", []int{2, 3, 4}, []int{1, 3}, "all:all", "all:host_checks_execution all:users"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			added, removed := Difference(tt.before, tt.after)
			if got := strings.Join(added, " "); got != tt.added {
				t.Errorf("added %q, want %q", got, tt.added)
			}
			if got := strings.Join(removed, " "); got != tt.removed {
				t.Errorf("removed %q, want %q", got, tt.removed)
			}
		})
	}
}
