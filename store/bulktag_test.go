package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

// TestChangeTags changes the tags of three things at once; a has x, b has X, and
// c was cleaned up.
func TestChangeTags(t *testing.T) {
	t.Parallel()
	many := func(n int, of string) (values []string) {
		for i := range n {
			values = append(values, fmt.Sprint(of, i))
		}
		return values
	}
	ids := map[string]string{"a": string(agent), "b": strings.Replace(string(agent), "6f0f7a5e", "00000001", 1), "c": strings.Replace(string(agent), "6f0f7a5e", "00000002", 1)}
	for name, test := range map[string]struct {
		things      string
		add, remove []string
		faults      []string // of fields
		detail      string   // in the first of them
		changed     string
		logged      int
	}{
		"one":                  {things: "a", add: []string{"new"}, changed: "a", logged: 1},
		"two":                  {things: "a b", add: []string{" new "}, changed: "a b", logged: 2},
		"several tags":         {things: "a b", add: []string{"new", "newer", "new"}, changed: "a b", logged: 4},
		"the same thing twice": {things: "a a a", add: []string{"new"}, changed: "a", logged: 1},
		"there already":        {things: "a", add: []string{"x"}},
		"some have it":         {things: "a b", remove: []string{"x"}, changed: "a", logged: 1},
		"nobody has it":        {things: "a b", remove: []string{"new"}},
		"other spelling":       {things: "a b", add: []string{"x"}, faults: []string{"ids/1"}, detail: "cannot have the tag x, which has already been taken by another spelling: X"},
		"respelled":            {things: "a b", add: []string{"x"}, remove: []string{"X"}, changed: "b", logged: 2},
		"gone":                 {things: "a c b", add: []string{"new"}, faults: []string{"ids/1"}, detail: "is not registered"},
		"gone, to be removed":  {things: "a c", remove: []string{"x"}, faults: []string{"ids/1"}, detail: "is not registered"},
		"never there":          {things: "nobody a ", add: []string{"new"}, faults: []string{"ids/0"}, detail: "is not registered"},
		"nothing chosen":       {add: []string{"new"}, faults: []string{"ids"}, detail: "can't be blank"},
		"no tag":               {things: "a", faults: []string{"add"}, detail: "can't be blank unless remove has a tag"},
		"blank tag":            {things: "a", add: []string{"new", " "}, faults: []string{"add/1"}, detail: "can't be blank"},
		"markup":               {things: "a", add: []string{"<b>"}, remove: []string{"a b", "\xff"}, faults: []string{"add/0", "remove/0", "remove/1"}, detail: "has invalid format"},
		"in and out":           {things: "a", add: []string{"new"}, remove: []string{"x", " new"}, faults: []string{"remove/1"}, detail: "is also to be added"},
		"too many tags":        {things: "a", add: many(MaxTagsChanged+1, "t"), faults: []string{"add"}, detail: "should have at most 10 item(s)"},
		"too many things":      {things: strings.Repeat("a ", MaxTagged+1), add: []string{"new"}, faults: []string{"ids"}, detail: "should have at most 500 item(s)"},
		"full":                 {things: "a b", add: many(MaxTagsChanged, "full"), faults: []string{"ids/1"}, detail: "is one too many: a resource has at most 100 tags"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := populated(t)
			for _, key := range []string{"b", "c"} {
				r := hostReport("vega-" + key)
				r.Observation.Agent = landscape.HostID(ids[key])
				observe(t, s, r)
			}
			c.advance(s.HeartbeatTimeout() * 2)
			if err := s.CleanUp(t.Context(), System(), nil, landscape.Target{Host: landscape.HostID(ids["c"])}); err != nil {
				t.Fatal(err)
			}
			tagged := map[string][]string{"a": {"x"}, "b": {"X"}, "c": {"x"}}
			if name == "full" {
				tagged["b"] = many(maxTags-MaxTagsChanged+1, "b")
			}
			for key, tags := range tagged {
				for _, tag := range tags {
					if err := s.AddTag(t.Context(), System(), HostTag, ids[key], tag); err != nil {
						t.Fatal(err)
					}
				}
			}
			before, seq := len(entries(t, s)), lastChange(t, s)
			change := TagChange{Kind: HostTag, Add: test.add, Remove: test.remove}
			for _, key := range strings.Fields(test.things) {
				change.IDs = append(change.IDs, ids[key]+strings.Repeat("?", len(key)-1))
			}
			outcome, err := s.ChangeTags(t.Context(), Actor{Name: "ann"}, change)
			checkFaults(t, err, test.faults, test.detail)
			var changed []string
			for _, key := range strings.Fields(test.changed) {
				changed = append(changed, ids[key])
			}
			if diff := cmp.Diff(changed, outcome.Changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			log := entries(t, s)[before:]
			if len(log) != test.logged || len(log) == 0 && lastChange(t, s) != seq {
				t.Errorf("%d entries, want %d; changes %d to %d", len(log), test.logged, seq, lastChange(t, s))
			}
			if ids := correlations(t, log); len(log) > 0 && (len(ids) != 1 || ids[0] == "") {
				t.Errorf("correlations %q", ids)
			}
			for _, e := range log {
				if e.Actor != "ann" || e.Type != activity.TypeResourceTagging && e.Type != activity.TypeResourceUntagging {
					t.Errorf("%s by %s", e.Type, e.Actor)
				}
			}
		})
	}
}

// checkFaults checks that an error has faults of exactly these fields.
func checkFaults(t *testing.T, err error, fields []string, detail string) {
	t.Helper()
	var got []string
	for _, f := range fault.Fields(err) {
		got = append(got, f.Field)
	}
	if !slices.Equal(got, fields) || len(fields) == 0 && err != nil {
		t.Fatalf("faults of %q, want %q: %v", got, fields, err)
	}
	if len(fields) > 0 && !strings.HasSuffix(fault.Fields(err)[0].Detail, detail) {
		t.Errorf("%q, want %q", fault.Fields(err)[0].Detail, detail)
	}
}

// TestChangeTagsOfKinds checks that an id of another kind is not registered, and
// that all kinds can be tagged.
func TestChangeTagsOfKinds(t *testing.T) {
	t.Parallel()
	s, _ := populated(t)
	var cluster, database string
	view(t, s, func(tx *Tx) error {
		for c, err := range tx.Clusters() {
			cluster = string(c.ID)
			if err != nil {
				return err
			}
		}
		for db, err := range tx.Databases() {
			database = string(db.ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	right := map[TagKind]string{HostTag: string(agent), ClusterTag: cluster, DatabaseTag: database}
	for _, kind := range []TagKind{HostTag, ClusterTag, DatabaseTag, SAPSystemTag, "other"} {
		for of, id := range right {
			outcome, err := s.ChangeTags(t.Context(), System(), TagChange{Kind: kind, IDs: []string{id}, Add: []string{"x"}})
			if (err == nil) != (of == kind) || (len(outcome.Changed) == 1) != (of == kind) {
				t.Errorf("a %s as a %s: %+v, %v", of, kind, outcome, err)
			}
			if invalid := new(fault.Error); of != kind && !errors.As(err, &invalid) {
				t.Errorf("a %s as a %s: %v", of, kind, err)
			}
		}
	}
}
