package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"trento/store/kv"
)

// oldFile puts a file with an older layout into a new data directory. Each file
// was written and compacted by the last version with its layout.
func oldFile(t *testing.T, name string) (dir string) {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	f, err := os.Create(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, unpacked)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestMigrationOfUsernames opens v1.db. It has usernames that are not in
// Unicode normal form (2, 3), one of which normalises to that of user 4, one
// that looks like admin (5), one with a wide space (6), and two e-mail
// addresses that differ only in case (3, 4).
func TestMigrationOfUsernames(t *testing.T) {
	dir := oldFile(t, "v1.db.gz")
	s := open(t, dir, newClock())
	if _, err := os.Stat(filepath.Join(dir, FileName+".v1")); err != nil {
		t.Errorf("no copy of the old file: %v", err)
	}
	view(t, s, func(tx *Tx) error {
		for typed, id := range map[string]int64{
			"admin": 1, "Jose\u0301": 2, "JOS\u00c9": 2, "rene\u0301": 3, "ren\u00e9": 4, "\u0430dmin": 5, "ann lee": 6, "Ann\u00a0Lee": 6,
		} {
			if u, err := tx.UserNamed(typed); err != nil || u.ID != id {
				t.Errorf("%+q is %+v, %v; want user %d", typed, u, err, id)
			}
		}
		for id, want := range map[int64]string{2: "jos\u00e9", 3: "rene\u0301", 4: "ren\u00e9", 6: "ann lee"} {
			u, err := tx.User(id)
			if err != nil || u.Username != want || u.PasswordHash != "hash" || u.LockVersion != 1 {
				t.Errorf("user %d is %+v, %v", id, u, err)
			}
		}
		if tokens, err := tx.Tokens(2); err != nil || len(tokens) != 1 {
			t.Errorf("tokens %v, %v", tokens, err)
		}
		return nil
	})

	// Users with conflicting names can still be changed, but no change may cause
	// another conflict.
	for _, id := range []int64{3, 4, 5} {
		if _, err := s.ChangeUser(t.Context(), System(), id, 1, UserChange{Fullname: new("Other")}); err != nil {
			t.Errorf("user %d: %v", id, err)
		}
	}
	if _, err := s.CreateUser(t.Context(), System(), NewUser{Username: "RENE\u0301", Email: "third@example.com"}); !clash(err, "username") {
		t.Errorf("a third one of the name: %v", err)
	}
	if err := s.DeleteTag(t.Context(), System(), HostTag, "c4a4a5a0-0000-4000-8000-000000000001", "prod"); err != nil {
		t.Errorf("one of two tags that look alike: %v", err)
	}
}

// TestMigrationOfBodies opens v4.db. It has a cloud report that waits for its
// host, a host report that waits for nothing, and a payload that could not be
// decoded.
func TestMigrationOfBodies(t *testing.T) {
	s := open(t, oldFile(t, "v4.db.gz"), newClock())
	cloud, host := cloudReport("kvm"), hostReport("vega02")
	host.Observation.Agent = "11111111-2222-4333-8444-555555555555"
	view(t, s, func(tx *Tx) error {
		for _, r := range []Report{cloud, host} {
			value := tx.s.reports.Get(tx.kv, reportKey(r.Observation.Agent, r.Observation.Kind))
			if body, err := kv.Decompress(value[reportHeaderSize+observationSize(value):]); err != nil || !bytes.Equal(body, r.Body) {
				t.Errorf("body %s, %v; want %s", body, err, r.Body)
			}
		}
		for d, err := range tx.Discards() {
			if err != nil || d.Reason != "broken" || string(d.Body) != "{\x01 broken" {
				t.Errorf("discard %+v, %v", d, err)
			}
		}
		return nil
	})
	observe(t, s, hostReport("vega01"))
	if h := theHost(t, s); h.Cloud == nil || h.Cloud.Provider != "kvm" {
		t.Errorf("the report that waited was not applied: %+v", h.Cloud)
	}
}

// TestStoredFiles checks that every file in testdata can be migrated to the
// current layout and passes Verify. A file of each release is kept; v9.db is
// from release 0.9.0 and has six hosts.
func TestStoredFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/v*.db.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := open(t, oldFile(t, filepath.Base(file)), newClock()) // the file is verified when it is closed
			if layout, err := s.Layout(); err != nil || layout != len(migrations) {
				t.Errorf("layout %d, %v; want %d", layout, err, len(migrations))
			}
		})
	}
}

func TestFileOfRelease(t *testing.T) {
	s := open(t, oldFile(t, "v9.db.gz"), newClock())
	view(t, s, func(tx *Tx) error {
		hosts := 0
		for _, err := range tx.Hosts() {
			if err != nil {
				t.Error(err)
			}
			hosts++
		}
		if hosts != 6 {
			t.Errorf("%d hosts, want 6", hosts)
		}
		if u, err := tx.UserNamed("admin"); err != nil || u.PasswordHash == "" {
			t.Errorf("the first user is %+v, %v", u, err)
		}
		return nil
	})
}

// TestFileWithChecks opens v12.db, which has six hosts, a cluster with two
// executions, a customised value and a waiver, and a screen on the wall.
func TestFileWithChecks(t *testing.T) {
	s := open(t, oldFile(t, "v12.db.gz"), newClock())
	view(t, s, func(tx *Tx) error {
		displays, err := tx.Displays()
		if err != nil || len(displays) != 1 || displays[0].Name != "Control room" {
			t.Errorf("displays %+v, %v", displays, err)
		}
		waivers, err := tx.Waivers()
		if err != nil || len(waivers) != 1 || waivers[0].CheckID != "7A0102" {
			t.Errorf("waivers %+v, %v", waivers, err)
		}
		return nil
	})
}
