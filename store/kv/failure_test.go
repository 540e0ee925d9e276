package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"trento/store/failure"
	"trento/store/fault"
)

// openFailing opens a file in which commits fail with the error that refuse
// returns.
func openFailing(t *testing.T, refuse func() error) (f *file, failures *failure.List, log *bytes.Buffer) {
	t.Helper()
	log = new(bytes.Buffer)
	failures = failure.NewList(slog.New(slog.NewTextHandler(log, nil)), time.Now)
	schema, f := declare()
	var err error
	f.DB, err = Open(newPath(t), schema, Options{NoSync: true, Migrations: make([]Migration, 2), Failures: failures, BeforeCommit: refuse})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Verify(), f.Close()); err != nil {
			t.Error(err)
		}
	})
	return f, failures, log
}

func (f *file) write(key string) error {
	return f.Update(context.Background(), func(tx *Tx) error { return f.words.Put(tx, []byte(key), &word{Text: "word " + key}) })
}

func (f *file) has(t *testing.T, key string) (found bool) {
	t.Helper()
	if err := f.View(func(tx *Tx) error { found = f.words.Has(tx, []byte(key)); return nil }); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestRefusedCommits checks that all changes fail with the same kind of fault
// while the disk refuses writes. The failure is logged once, and the next
// successful change ends it.
func TestRefusedCommits(t *testing.T) {
	tests := map[string]struct {
		err  error
		says string
	}{
		"full":        {&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "is full"},
		"quota":       {syscall.EDQUOT, "quota"},
		"read-only":   {fmt.Errorf("pwrite: %w", syscall.EROFS), "read-only"},
		"limit":       {syscall.EFBIG, "may not grow"},
		"broken":      {syscall.EIO, "reports errors"},
		"text only":   {errors.New("file resize error: truncate x: no space left on device"), "is full"},
		"another one": {errors.New("out of luck"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var refusal error
				f, failures, log := openFailing(t, func() error { return refusal })
				if err := f.write("before"); err != nil {
					t.Fatal(err)
				}
				refusal = test.err
				for range 3 {
					err := f.write("during")
					kind, ok := fault.KindOf(err)
					if !ok || kind != fault.Unwritable || !errors.Is(err, test.err) {
						t.Fatalf("%v, want a fault that says that the change could not be stored", err)
					}
					if detail := fault.Of(err)[0].Detail; !strings.Contains(detail, test.says) {
						t.Errorf("detail %q, want one with %q", detail, test.says)
					}
				}
				if f.has(t, "during") || !f.has(t, "before") {
					t.Error("what is stored differs from what was answered")
				}
				present := failures.Present()
				if failures.Ready() || len(present) != 1 || present[0].Kind != failure.Writing || !strings.Contains(present[0].Text(), test.says) {
					t.Errorf("failures %v", present)
				}
				refusal = nil
				if err := f.write("after"); err != nil || !f.has(t, "after") {
					t.Fatal(err)
				}
				refusal = test.err
				if err := f.write("too large"); err == nil || failures.Ready() {
					t.Errorf("between: %v", err)
				}
				refusal = nil
				time.Sleep(settleTime)
				if err := f.write("later"); err != nil {
					t.Fatal(err)
				}
				if !failures.Ready() || len(failures.Past(failure.Writing)) != 1 {
					t.Error("the failure has not ended")
				}
				if lines := strings.Count(log.String(), "\n"); lines != 2 {
					t.Errorf("the log has %d lines, want one for the beginning and one for the end:\n%s", lines, log)
				}
			})
		})
	}
}

// A commit of more than five seconds is told while it lasts. A change that does
// not get its turn is refused and is not made later.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delay := time.Duration(0)
		f, failures, _ := openFailing(t, func() error { time.Sleep(delay); return nil })
		delay = time.Minute
		slow := make(chan error)
		go func() { slow <- f.write("slow") }()
		time.Sleep(slowCommit - time.Millisecond)
		if len(failures.Present()) > 0 {
			t.Errorf("too early: %v", failures.Present())
		}
		time.Sleep(2 * time.Millisecond)
		if present := failures.Present(); len(present) != 1 || present[0].Kind != failure.SlowDisk || !failures.Ready() {
			t.Errorf("failures %v, want a slow disk", present)
		}
		began := time.Now()
		if kind, _ := fault.KindOf(f.write("too late")); kind != fault.Unwritable || time.Since(began) != maxWait {
			t.Errorf("kind %v after %v", kind, time.Since(began))
		}
		if err := <-slow; err != nil || !f.has(t, "slow") || f.has(t, "too late") {
			t.Errorf("the slow change: %v", err)
		}
		delay = time.Second
		if err := f.write("fast"); err != nil || len(failures.Present()) > 0 {
			t.Errorf("%v, failures %v", err, failures.Present())
		}
	})
}

// TestDamagedPages overwrites each page of a file in turn. Whatever is damaged,
// nothing but an error happens, and the error says that the file is damaged.
func TestDamagedPages(t *testing.T) {
	if raceDetector {
		runWithoutRaceDetector(t)
		return
	}
	path := newPath(t)
	f := open(t, path)
	err := f.Update(t.Context(), func(tx *Tx) error {
		for i := range 300 {
			key := fmt.Sprintf("%04d", i)
			if err := errors.Join(f.words.Put(tx, []byte(key), &word{Text: key}), f.plain.Put(tx, Key64(uint64(i)), nil)); err != nil {
				return err
			}
		}
		return nil
	})
	var used int64 // bytes before the free end of the file
	err = errors.Join(err, f.View(func(tx *Tx) error { used = tx.bolt.Size(); return nil }), f.Close())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole = whole[:used]
	size := os.Getpagesize()
	random := rand.New(rand.NewPCG(1, 2))
	damagedRuns := 0
	for page := 0; page < len(whole)/size; page++ {
		for _, how := range []func(b []byte){
			func(b []byte) { clear(b) },
			func(b []byte) {
				for i := range b {
					b[i] = byte(random.Uint32())
				}
			},
			func(b []byte) { b[random.IntN(64)] ^= 0xff },
		} {
			content := slices.Clone(whole)
			how(content[page*size : (page+1)*size])
			broken := filepath.Join(t.TempDir(), "broken.db")
			if err := os.WriteFile(broken, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if useDamaged(t, broken, page) {
				damagedRuns++
			}
		}
	}
	if damagedRuns < 10 {
		t.Errorf("damage was noticed %d times only", damagedRuns)
	}
}

// runWithoutRaceDetector runs the test in a process without the race detector.
// With it, the compiler adds checks of pointers, which end the process where
// bbolt follows a pointer that a damaged page holds.
func runWithoutRaceDetector(t *testing.T) {
	t.Helper()
	out, err := exec.Command("go", "test", "-count=1", "-v", "-run", "^"+t.Name()+"$", ".").CombinedOutput()
	if passed := bytes.Contains(out, []byte("--- PASS: "+t.Name())); err != nil || !passed {
		t.Errorf("%v\n%s", err, out)
	}
}

// useDamaged reads and writes a damaged file, and reports whether the damage was
// noticed.
func useDamaged(t *testing.T, path string, page int) (noticed bool) {
	t.Helper()
	schema, f := declare()
	failures := failure.NewList(slog.New(slog.DiscardHandler), time.Now)
	check := func(what string, err error) {
		if err == nil {
			return
		}
		noticed = true
		if kind, _ := fault.KindOf(err); kind != fault.Damaged && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNewer) {
			t.Errorf("page %d, %s: %v, want a fault that says that the file is damaged", page, what, err)
		}
	}
	var err error
	if f.DB, err = Open(path, schema, Options{NoSync: true, Migrations: make([]Migration, 2), Failures: failures}); err != nil {
		check("open", err)
		return noticed
	}
	check("read", f.View(func(tx *Tx) error {
		for _, err := range f.words.All(tx) {
			if err != nil {
				return err
			}
		}
		for range f.plain.Scan(tx, nil, nil) {
			continue
		}
		return nil
	}))
	for i := range 10 {
		check("write", f.write(fmt.Sprintf("%04d", i*33)))
	}
	f.Verify() // may find anything, but must return
	return noticed || len(failures.Present()) > 0
}

// TestCutFile cuts the file while it is mapped, so that reading it faults, as it
// does where a disk cannot read a sector.
func TestCutFile(t *testing.T) {
	path := newPath(t)
	schema, f := declare()
	failures := failure.NewList(slog.New(slog.DiscardHandler), time.Now)
	var err error
	if f.DB, err = Open(path, schema, Options{NoSync: true, Migrations: make([]Migration, 2), Failures: failures}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.write("one"), os.Truncate(path, 0)); err != nil {
		t.Fatal(err)
	}
	err = f.View(func(tx *Tx) error { f.words.Has(tx, []byte("one")); return nil })
	if !errors.Is(err, ErrDamaged) || !failures.Has(failure.Data) {
		t.Errorf("reading: %v", err)
	}
	if err := f.write("two"); !errors.Is(err, ErrDamaged) {
		t.Errorf("writing: %v", err)
	}
	if err := f.Verify(); !errors.Is(err, ErrDamaged) {
		t.Errorf("verifying: %v", err)
	}
}

// Other panics are no damage.
func TestGuardLeavesOtherPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic of a reader was taken for damage")
		}
	}()
	_ = open(t, newPath(t)).View(func(*Tx) error { panic("a mistake") })
}
