package landscape_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// The targets in the world that running returns.
var (
	hostA    = landscape.Target{Host: "a"}
	hostB    = landscape.Target{Host: "b"}
	hostDB   = landscape.Target{Host: "db"}
	database = landscape.Target{Database: ore, Host: "db", Number: "10"}
	central  = landscape.Target{SAPSystem: lim, Host: "a", Number: "00"}
	dialog   = landscape.Target{SAPSystem: lim, Host: "b", Number: "01"}
)

// TestCleanUpTogether cleans up several targets at once: each thing is removed
// only once, and no target prevents another.
func TestCleanUpTogether(t *testing.T) {
	clustered := func(w *testLandscape) {
		w.cluster("a", "pier", "LIM00")
		w.cluster("b", "pier", "LIM00")
	}
	absent := func(hosts ...landscape.HostID) func(*testLandscape) {
		return func(w *testLandscape) {
			for _, host := range hosts {
				w.sap(host)
			}
		}
	}
	for name, test := range map[string]struct {
		prepare func(*testLandscape)
		targets []landscape.Target
		want    string // what is deregistered, in order
	}{
		"one host of a cluster": {clustered, []landscape.Target{hostB},
			"application_instance sap_system host_removed_from_cluster host"},
		"both hosts of a cluster": {clustered, []landscape.Target{hostA, hostB},
			"application_instance sap_system host_removed_from_cluster host application_instance host_removed_from_cluster cluster host"},
		"all hosts": {clustered, []landscape.Target{hostDB, hostA, hostB},
			"database_instance database sap_system host application_instance host_removed_from_cluster host application_instance host_removed_from_cluster cluster host"},
		"a host and its instance": {absent("a"), []landscape.Target{hostA, central},
			"application_instance sap_system host"},
		"a database and an application instance": {absent("db", "b"), []landscape.Target{database, dialog},
			"database_instance database sap_system application_instance"},
		"an application and a database instance": {absent("db", "b"), []landscape.Target{dialog, database},
			"application_instance sap_system database_instance database"},
		"everything": {absent("db", "a", "b"), []landscape.Target{hostB, hostA, hostDB, dialog, central, database},
			"application_instance sap_system application_instance database_instance database host host host"},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.t = t
			test.prepare(w)
			w.cleanUp(test.targets...)
			var got []string
			for _, e := range w.events {
				if what, ok := strings.CutSuffix(string(e.Type()), "_deregistered"); ok {
					got = append(got, what)
				} else if strings.HasSuffix(string(e.Type()), "_removed_from_cluster") {
					got = append(got, string(e.Type()))
				}
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("deregistered (-want +got):\n%s", diff)
			}
			for _, target := range test.targets {
				if target.IsHost() && w.hosts[target.Host].Registered() {
					t.Errorf("%s is still registered", target)
				}
			}
		})
	}
}

// TestCleanUpIsRefused checks that nothing is removed if one target cannot be,
// and that the error names all such targets.
func TestCleanUpIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		targets []landscape.Target
		want    []error // by target; nil where it could go
	}{
		"present database instance":    {[]landscape.Target{database}, []error{landscape.ErrPresent}},
		"present application instance": {[]landscape.Target{dialog}, []error{landscape.ErrPresent}},
		"stale is not absent":          {[]landscape.Target{central}, []error{landscape.ErrPresent}},
		"other number":                 {[]landscape.Target{{Database: ore, Host: "db", Number: "11"}}, []error{landscape.ErrUnknown}},
		"other host":                   {[]landscape.Target{{SAPSystem: lim, Host: "b", Number: "00"}}, []error{landscape.ErrUnknown}},
		"unknown system":               {[]landscape.Target{{SAPSystem: sal, Host: "a", Number: "00"}}, []error{landscape.ErrUnknown}},
		"unknown database":             {[]landscape.Target{{Database: "x", Host: "db", Number: "10"}}, []error{landscape.ErrUnknown}},
		"a database where a system should be": {
			[]landscape.Target{{SAPSystem: landscape.SAPSystemID(ore), Host: "db", Number: "10"}}, []error{landscape.ErrUnknown}},
		"unknown host": {[]landscape.Target{{Host: "z"}}, []error{landscape.ErrNotRegistered}},
		"live host":    {[]landscape.Target{hostDB}, []error{landscape.ErrLive}},
		"some of many": {[]landscape.Target{hostA, hostDB, dialog, hostB, {Host: "z"}},
			[]error{nil, landscape.ErrLive, landscape.ErrPresent, nil, landscape.ErrNotRegistered}},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.loseHeartbeat("a")
			w.live = map[landscape.HostID]bool{"db": true}
			cs, err := landscape.CleanUp(w, w.now, test.targets...)
			if cs.Changed() {
				t.Errorf("changes something: %v", describe(t, cs.Events))
			}
			joined, ok := err.(interface{ Unwrap() []error })
			if !ok {
				t.Fatalf("error %v", err)
			}
			for i, want := range test.want {
				about := func(reason error) bool {
					return strings.Contains(reason.Error(), "clean-up of "+test.targets[i].String()+":")
				}
				place := slices.IndexFunc(joined.Unwrap(), about)
				switch {
				case want == nil && place >= 0:
					t.Errorf("%s is refused: %v", test.targets[i], joined.Unwrap()[place])
				case want != nil && (place < 0 || !errors.Is(joined.Unwrap()[place], want) || !errors.Is(err, want)):
					t.Errorf("%s: %v, want %v", test.targets[i], err, want)
				}
			}
		})
	}
}
