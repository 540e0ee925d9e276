package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/packaging/doctor"
	"trento/store"
	"trento/store/finding"
)

// WriteSupport writes a support bundle of the running server.
func (x *examiner) WriteSupport(ctx context.Context, w io.Writer) error {
	r, err := x.Report(ctx, false)
	if err != nil {
		return err
	}
	files, err := x.server.supportFiles(r)
	if err != nil {
		return err
	}
	running, err := processFiles()
	if err != nil {
		return err
	}
	return doctor.WriteBundle(w, r.At, append(files, running...), doctor.NewMasker(x.server.secrets()))
}

// supportFiles returns the files of a bundle that describe an installation.
func (s *server) supportFiles(r *finding.Report) ([]doctor.BundleFile, error) {
	checks, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	var configuration bytes.Buffer
	if err := s.config.Print(&configuration); err != nil {
		return nil, err
	}
	files := []doctor.BundleFile{
		{Name: "checks.txt", Meaning: "what trento-web doctor says", Text: []byte(doctor.Text(r))},
		{Name: "checks.json", Meaning: "the same for programs", Text: checks},
		{Name: "configuration.txt", Meaning: "the configuration, its secrets masked", Text: configuration.Bytes()},
		{Name: "versions.txt", Meaning: "the program, its libraries, the system", Text: versions()},
	}
	if s.store == nil {
		return files, nil
	}
	stored, err := s.storedFiles()
	return append(files, stored...), err
}

// versions describes the program and the system.
func versions() []byte {
	var text strings.Builder
	fmt.Fprintf(&text, "trento-web %s\n%s/%s, %d CPUs\n", Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, file := range []string{"/etc/os-release", "/proc/version"} {
		if content, err := os.ReadFile(file); err == nil {
			fmt.Fprintf(&text, "\n%s:\n%s", file, content)
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintf(&text, "\n%s", info)
	}
	return []byte(text.String())
}

// storedFiles returns the files of a bundle with the numbers of stored records.
func (s *server) storedFiles() ([]doctor.BundleFile, error) {
	sizes, err := s.store.BucketSizes()
	if err != nil {
		return nil, err
	}
	var buckets, agents, entries strings.Builder
	layout, err := s.store.Layout()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&buckets, "layout %d\n%-16s %10s %14s\n", layout, "BUCKET", "KEYS", "BYTES")
	for _, b := range sizes {
		fmt.Fprintf(&buckets, "%-16s %10d %14d\n", b.Bucket, b.Keys, b.Bytes)
	}
	err = s.store.View(func(tx *store.Tx) error {
		if err := countAgents(&agents, tx); err != nil {
			return err
		}
		return listEntries(&entries, tx)
	})
	return []doctor.BundleFile{
		{Name: "buckets.txt", Meaning: "how much the data file holds", Text: []byte(buckets.String())},
		{Name: "agents.txt", Meaning: "how many agents there are, by version, heartbeat, and reports that cannot be used", Text: []byte(agents.String())},
		{Name: "activity.txt", Meaning: "time, severity and type of the newest entries of the activity log", Text: []byte(entries.String())},
	}, err
}

// countAgents writes how many agents have a version, a state of the heartbeat, or
// reports of a kind that cannot be used. It contains no names.
func countAgents(w io.Writer, tx *store.Tx) error {
	all, err := tx.Agents()
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, a := range all {
		if a.Host == nil {
			counts["without a host"]++
		} else {
			counts["version "+a.Host.AgentVersion]++
			counts["heartbeat "+string(a.Host.Heartbeat)]++
		}
		for i := range a.Status {
			if r := &a.Status[i]; r.Faulty() {
				counts[fmt.Sprintf("%s %s", r.Kind, r.Outcome)]++
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%6d %s\n", counts[key], key)
	}
	return nil
}

// maxListedEntries is the number of entries of the activity log in a support
// bundle.
const maxListedEntries = 500

// listEntries writes when which types were logged, the newest first. Actors and
// texts are left out.
func listEntries(w io.Writer, tx *store.Tx) error {
	listed := 0
	for e, err := range tx.EntriesBack(0, tx.Newest()) {
		if err != nil {
			return err
		}
		if listed++; listed > maxListedEntries {
			break
		}
		fmt.Fprintf(w, "%s %-8s %s\n", e.Position.Time().Format(time.RFC3339), e.Severity, e.Type)
	}
	return nil
}

// processFiles returns the files of a bundle that describe this process.
func processFiles() ([]doctor.BundleFile, error) {
	var goroutines, memory bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&goroutines, 1); err != nil {
		return nil, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(&memory, "heap in use %d\nheap idle %d\nheap returned %d\nobjects %d\nstacks %d\nfrom the system %d\ncollections %d\nlimit %d\ngoroutines %d\n",
		m.HeapInuse, m.HeapIdle, m.HeapReleased, m.HeapObjects, m.StackInuse, m.Sys, m.NumGC, debug.SetMemoryLimit(-1), runtime.NumGoroutine())
	return []doctor.BundleFile{
		{Name: "goroutines.txt", Meaning: "what the program does at this moment", Text: goroutines.Bytes()},
		{Name: "memory.txt", Meaning: "the memory that it uses, in bytes", Text: memory.Bytes()},
	}, nil
}

// secrets returns all secrets that the server knows in plain text.
func (s *server) secrets() []string {
	all := s.config.SecretValues()
	if text, err := os.ReadFile(filepath.Join(s.config.DataDir, auth.InitialPasswordFile)); err == nil {
		all = append(all, strings.TrimSpace(string(text)))
	}
	if s.auth == nil {
		return all
	}
	_ = s.store.View(func(tx *store.Tx) error { // a secret that cannot be read cannot be in the bundle either
		if key, err := tx.APIKey(); err == nil {
			all = append(all, s.auth.APIKeyText(key))
		}
		if c, err := s.auth.MessageCredential(tx); err == nil {
			all = append(all, c.Password)
		}
		if a, err := s.auth.AlertSettings(tx); err == nil {
			all = append(all, a.SMTPPassword, a.WebhookURL, a.WebhookSecret)
		}
		return nil
	})
	return all
}

// journalLines is the number of lines of the log of the service in a bundle, and
// journalTimeout how long reading them may take.
const (
	journalLines   = "3000"
	journalTimeout = 20 * time.Second
)

// Support writes a support bundle of the server of this machine, running or
// stopped. Beside what the server itself can say, it has the newest lines of its
// log.
func Support(ctx context.Context, in DoctorInput, w io.Writer) error {
	r, err := Doctor(ctx, in)
	if err != nil {
		return err
	}
	s := &server{config: in.Config, log: discardLog}
	var files []doctor.BundleFile
	answer, err := request(ctx, in.Config, http.MethodPost, "/api/v1/support_bundles", map[string]any{})
	switch {
	case err == nil:
		defer answer.Close()
		if files, err = doctor.ReadBundle(answer); err != nil {
			return err
		}
		files = append(files, doctor.BundleFile{Name: "doctor.txt", Meaning: "what trento-web doctor says beside the running server", Text: []byte(doctor.Text(r))})
	case errors.Is(err, ErrNotRunning):
		if files, err = s.filesOfStoppedServer(r); err != nil {
			return err
		}
	default:
		return err
	}
	files = append(files, serviceLog(ctx))
	return doctor.WriteBundle(w, r.At, files, doctor.NewMasker(s.secrets()))
}

// filesOfStoppedServer returns the files of a bundle of a server that is stopped. Data
// that cannot be opened are no obstacle: the checks say what is wrong with them.
func (s *server) filesOfStoppedServer(r *finding.Report) (files []doctor.BundleFile, err error) {
	if s.store, err = store.Open(s.config.DataDir, store.Options{Log: discardLog, Program: Version(), ReadOnly: true}); err != nil {
		s.store = nil
	}
	defer func() {
		if s.store != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	return s.supportFiles(r)
}

// serviceLog returns the newest lines of the log of the service.
func serviceLog(ctx context.Context) doctor.BundleFile {
	ctx, cancel := context.WithTimeout(ctx, journalTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "journalctl", "--unit", "trento-web", "--lines", journalLines, "--no-pager", "--output", "short-iso").CombinedOutput()
	if err != nil {
		out = append(out, fmt.Sprintf("journalctl: %v\n", cmp.Or(ctx.Err(), err))...)
	}
	return doctor.BundleFile{Name: "journal.txt", Meaning: "the newest lines of the log; they name users and addresses of clients", Text: out}
}
