package server_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"trento/packaging/servertest"
)

// TestKill kills the program again and again while agents report. It checks
// that every acknowledged report is stored, with its entry in the log, and that
// searches find it.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const agents, rounds = 8, 5
	var acknowledged [agents]int // the newest revision of each host that was accepted
	for round := range rounds {
		p := servertest.Start(t, dir, nil)
		checkRevisions(t, p.User(), &acknowledged)
		reporter := p.Agent()
		var accepted atomic.Int64
		enough := int64(20 + rand.IntN(150))
		var once sync.Once
		var all sync.WaitGroup
		for n := range agents {
			all.Go(func() {
				for revision := acknowledged[n] + 1; ; revision++ {
					status, _, err := reporter.Do("POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(n), revisionName(n, revision)))
					if err != nil {
						return // killed: this report may or may not have been stored
					}
					if status != 202 {
						t.Errorf("round %d: status %d", round, status)
						return
					}
					acknowledged[n] = revision
					if accepted.Add(1) >= enough {
						once.Do(p.Kill)
					}
				}
			})
		}
		all.Wait()
	}
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	p := servertest.Start(t, dir, nil)
	checkRevisions(t, p.User(), &acknowledged)
	p.Kill()

	// With a damaged index, the program starts and searches find everything.
	err := filepath.WalkDir(filepath.Join(dir, "index"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.WriteFile(path, []byte("damaged"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkRevisions(t, servertest.Start(t, dir, nil).User(), &acknowledged)
}

func revisionName(n, revision int) string { return fmt.Sprintf("kill%d-r%d", n, revision) }

// checkRevisions checks that each host has the acknowledged revision or the
// next one, whose answer was lost. It continues with the revision that it
// finds.
func checkRevisions(t *testing.T, c *servertest.Client, acknowledged *[8]int) {
	t.Helper()
	found := make(map[string]string)
	for _, h := range c.Hosts() {
		found[h.ID] = h.Hostname
	}
	for n := range acknowledged {
		switch found[servertest.AgentID(n)] {
		case revisionName(n, acknowledged[n]+1):
			acknowledged[n]++
		case revisionName(n, acknowledged[n]):
		case "":
			if acknowledged[n] == 0 {
				continue
			}
			fallthrough
		default:
			t.Fatalf("host %d is %q, acknowledged was revision %d", n, found[servertest.AgentID(n)], acknowledged[n])
		}
		for revision := max(1, acknowledged[n]-3); revision <= acknowledged[n]; revision++ {
			if got := c.Search(revisionName(n, revision)); len(got) != 1 {
				t.Errorf("%s: %d entries, want 1", revisionName(n, revision), len(got))
			}
		}
	}
}
