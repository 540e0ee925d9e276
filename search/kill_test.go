package search

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
)

// killDir makes the test binary the process that is going to be killed.
const killDir = "TRENTO_SEARCH_TEST_KILL_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes entries and indexes them at the same time, and says
// so line by line.
func writeUntilKilled(dir string) error {
	s, err := store.Open(dir+"/store", store.Options{NoSync: true})
	if err != nil {
		return err
	}
	x, err := Open(dir+"/index", s, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	x.segmentSize = 50
	write := func(n int) error {
		metadata := map[string]any{"n": n, "hostname": fmt.Sprintf("host%d", n%10)}
		return s.AppendActivity(context.Background(), store.System(), &activity.Foreign{Of: activity.TypeHeartbeatFailed, Metadata: metadata})
	}
	// However early the end comes, there is an index to survive it.
	if err := errors.Join(write(0), x.follow(context.Background()), x.flush()); err != nil {
		return err
	}
	failed := make(chan error)
	go func() {
		for {
			if err := x.follow(context.Background()); err != nil {
				failed <- err
			}
		}
	}()
	for n := 0; ; n++ {
		select {
		case err := <-failed:
			return err
		default:
		}
		if err := write(n); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKill kills a process while it writes and indexes, again and again. Each
// time searches are right at once, and what was indexed is not indexed anew.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 4 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), killDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for acknowledged := 0; acknowledged < 120+37*round && lines.Scan(); acknowledged++ {
			continue
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it has been killed
		checkKilled(t, dir)
	}
}

func checkKilled(t *testing.T, dir string) {
	t.Helper()
	s := openStore(t, dir+"/store", time.Now)
	x, err := Open(dir+"/index", s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if x.indexedUpTo == 0 {
		t.Error("nothing of the index has survived")
	}
	for range 2 {
		for _, query := range []string{"host7", "*7", ">=100", "host3 AND <100"} {
			expect(t, x, activity.Filter{Search: parse(t, query)}, Walk{Limit: MaxLimit})
		}
		follow(t, x)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
