package auth

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Ids, names and labels of abilities are stored in users and read by clients,
// so they must not change.
func TestAbilities(t *testing.T) {
	var got strings.Builder
	seen := map[string]bool{}
	for i, a := range Abilities() {
		fmt.Fprintf(&got, "%d %v %s\n", a.ID, a, a.Label)
		if a.ID != i+1 || seen[a.String()] {
			t.Errorf("ability %d: %v is out of order or stands twice", i, a)
		}
		seen[a.String()] = true
	}
	const file = "testdata/abilities.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("abilities (-want +got):\n%s", diff)
	}
}

func TestAbilitiesCannotBeChanged(t *testing.T) {
	Abilities()[0] = Ability{}
	if Abilities()[0].ID != 1 {
		t.Error("a caller has changed the catalogue")
	}
}

// all:all meets every demand for an ability, operation:all every demand for
// running an operation, and any other ability only the demand for itself.
func TestMetBy(t *testing.T) {
	operations := strings.Fields(`saptune_solution_apply:host saptune_solution_change:host maintenance_change:cluster
		start:application_instance stop:application_instance pacemaker_enable:cluster pacemaker_disable:cluster
		start:sap_system stop:sap_system start:database stop:database cluster_host_start:cluster cluster_host_stop:cluster
		reboot:host resource_refresh:cluster operation:all`)
	for _, a := range Abilities() {
		need := Needs(a.String())
		if got := need.isSatisfiedBy([]int{abilityOperations}); got != slices.Contains(operations, a.String()) {
			t.Errorf("operation:all meets %v: %v", a, got)
		}
		if !need.isSatisfiedBy([]int{abilityAll}) {
			t.Errorf("all:all does not meet %v", a)
		}
		for _, b := range Abilities() {
			if b.ID != abilityAll && b.ID != abilityOperations && need.isSatisfiedBy([]int{b.ID}) != (a == b) {
				t.Errorf("%v meets %v: %v", b, a, a != b)
			}
		}
		if need.isSatisfiedBy(nil) {
			t.Errorf("no ability at all meets %v", a)
		}
	}
}

func TestAccessString(t *testing.T) {
	for access, want := range map[Access]string{
		Public: "public", Agent: "agent", SignedIn: "signed in", Needs("all:users"): "all:users", 0: "nobody", 37: "nobody", OnWall: "signed in or a screen on a wall", -5: "nobody",
	} {
		if got := access.String(); got != want {
			t.Errorf("Access(%d).String() = %q, want %q", access, got, want)
		}
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	panics := func(what, name string, f func()) {
		defer func() {
			if recover() == nil {
				t.Errorf("%s(%q) does not panic", what, name)
			}
		}()
		f()
	}
	for _, name := range []string{"", "all", "all:tags", "all:users "} {
		panics("Needs", name, func() { Needs(name) })
		panics("WidenedBy", name, func() { TokenRule{}.WidenedBy(name) })
	}
	for _, name := range []string{"", "tag", "full", "GET /api/v1/hosts"} {
		panics("InSets", name, func() { InSets("tags", name) })
	}
}
