package ui

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"trento/store"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
)

// TestSnapshotIsCurrent checks that a snapshot that is updated again and again
// equals one that is read from the store.
func TestSnapshotIsCurrent(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	s := f.server(t)
	tag := func(kind store.TagKind, id, value string) {
		if err := f.store.AddTag(t.Context(), store.System(), kind, id, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"the first", func() {}},
		{"nothing", func() {}},
		{"tags", func() {
			tag(store.HostTag, string(hostID(1)), "prod")
			tag(store.ClusterTag, string(landscape.ClusterIDFromKey("hana")), "prod")
			tag(store.DatabaseTag, string(prdID), "prod")
			tag(store.SAPSystemTag, string(nwpID), "prod")
			tag(store.HostTag, string(hostID(77)), "early")
		}},
		{"a tag less", func() {
			if err := f.store.DeleteTag(t.Context(), store.System(), store.ClusterTag, string(landscape.ClusterIDFromKey("hana")), "prod"); err != nil {
				t.Fatal(err)
			}
		}},
		{"a new host", func() { f.host(77, "late01") }},
		{"a host before all others", func() { f.host(0, "first01") }},
		{"a new name", func() { f.host(2, "renamed") }},
		{"a user", func() { f.user("bea") }},
		{"silence", func() { f.silence() }},
		{"a clean-up", func() {
			err := f.store.CleanUp(t.Context(), store.System(), nil, landscape.Target{Host: hostID(1)}, landscape.Target{Host: hostID(2)})
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"a return", func() { f.host(1, "hana01") }},
		{"an execution", func() {
			r := check.Request{ExecutionID: "00000000-0000-4000-8000-0000000000a1", GroupID: string(hostID(1)), Kind: check.HostSubject}
			if _, err := f.store.StartExecution(t.Context(), store.System(), r); err != nil {
				t.Fatal(err)
			}
			if _, err := f.store.CompleteExecution(t.Context(), r.GroupID, r.ExecutionID, new(check.Conclusion)); err != nil {
				t.Fatal(err)
			}
		}},
		{"many changes", func() {
			for n := range 501 {
				tag(store.HostTag, string(hostID(1)), fmt.Sprint("many", n%2))
				if err := f.store.DeleteTag(t.Context(), store.System(), store.HostTag, string(hostID(1)), fmt.Sprint("many", n%2)); err != nil {
					t.Fatal(err)
				}
			}
			f.host(1000, "many")
		}},
	} {
		step.do()
		err := f.store.View(func(tx *store.Tx) error {
			got, err := s.Snapshot(tx)
			if err != nil {
				return err
			}
			want, err := page.ReadSnapshot(tx)
			if err != nil {
				return err
			}
			if got.Seq != want.Seq || !reflect.DeepEqual(got.Tags, want.Tags) || !reflect.DeepEqual(got.Running, want.Running) ||
				!slices.Equal(got.Hosts, want.Hosts) || !slices.Equal(got.Clusters, want.Clusters) ||
				!slices.Equal(got.Databases, want.Databases) || !slices.Equal(got.Systems, want.Systems) ||
				!reflect.DeepEqual(got.HostByID, want.HostByID) || !maps.Equal(got.LastExecutions, want.LastExecutions) {
				t.Errorf("after %s: the snapshot is not what a new one is", step.name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSnapshotOfAnOlderRead checks that a transaction older than the last
// snapshot gets a snapshot of its own.
func TestSnapshotOfAnOlderRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.host(1, "hana01")
	s := f.server(t)
	err := f.store.View(func(old *store.Tx) error {
		f.host(2, "hana02")
		for _, want := range []struct {
			tx    *store.Tx
			hosts int
		}{{nil, 2}, {old, 1}, {nil, 2}} {
			read := func(tx *store.Tx) error {
				v, err := s.Snapshot(tx)
				if err == nil && len(v.Hosts) != want.hosts {
					t.Errorf("%d hosts, want %d", len(v.Hosts), want.hosts)
				}
				return err
			}
			var err error
			if want.tx != nil {
				err = read(want.tx)
			} else {
				err = f.store.View(read)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
