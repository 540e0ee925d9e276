package server

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"trento/packaging/servertest"
	"trento/store"
	"trento/store/activity"
	"trento/store/failure"
	"trento/store/storetest"
	"trento/ui/forward"
)

// logReceiver is a receiver of OpenTelemetry logs.
type logReceiver struct {
	t      *testing.T
	server *httptest.Server

	mu     sync.Mutex
	ids    []string // of the entries that have arrived
	status func(ids []string) int
}

func newLogReceiver(t *testing.T) *logReceiver {
	t.Helper()
	r := &logReceiver{t: t}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (l *logReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := gzip.NewReader(r.Body)
	if err != nil {
		l.t.Error(err)
		return
	}
	text, err := io.ReadAll(body)
	if err != nil {
		l.t.Error(err)
	}
	var request collector.ExportLogsServiceRequest
	if err := proto.Unmarshal(text, &request); err != nil {
		l.t.Error(err)
	}
	var ids []string
	for _, record := range request.ResourceLogs[0].ScopeLogs[0].LogRecords {
		ids = append(ids, record.Attributes[0].Value.GetStringValue())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status != nil {
		if status := l.status(ids); status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
	}
	l.ids = append(l.ids, ids...)
}

// answer sets the status of the answers.
func (l *logReceiver) answer(status func(ids []string) int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *logReceiver) received() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids)
}

// forwardTest is a store whose log is forwarded.
type forwardTest struct {
	t        *testing.T
	now      time.Time
	store    *store.Store
	receiver *logReceiver
	*forwarder
}

func newForwardTest(t *testing.T) *forwardTest {
	t.Helper()
	f := &forwardTest{t: t, now: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), receiver: newLogReceiver(t)}
	f.store = storetest.OpenAt(t, func() time.Time { return f.now })
	f.restart()
	return f
}

// restart replaces the forwarder by a new one, as after a crash.
func (f *forwardTest) restart() {
	f.t.Helper()
	address, err := url.Parse(f.receiver.server.URL + "/v1/logs")
	if err != nil {
		f.t.Fatal(err)
	}
	f.forwarder = &forwarder{
		store: f.store, log: slog.New(slog.DiscardHandler), failure: failure.OTLP,
		receiver: forward.NewOTLP(address, forward.TLS{}, nil, "1.0", f.store.ID()), status: forward.Status{Receiver: forward.ToOTLP},
	}
}

// forward sends entries until all are sent, or until an attempt fails.
func (f *forwardTest) forward() error {
	f.t.Helper()
	for {
		more, err := f.sendNext(f.t.Context())
		if err != nil {
			f.noteFailure(f.t.Context(), err)
		}
		if err != nil || !more {
			return err
		}
	}
}

// log writes entries.
func (f *forwardTest) log(n int) {
	f.t.Helper()
	for range n {
		f.now = f.now.Add(time.Millisecond)
		if err := f.store.LogBackup(context.Background(), store.System(), "/backups", 1, false); err != nil {
			f.t.Fatal(err)
		}
	}
}

// entries returns the ids of all entries after a time.
func (f *forwardTest) entries(after time.Time) (ids []string) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(activity.PositionAt(after)+1<<12, tx.Newest()) {
			if err != nil {
				return err
			}
			ids = append(ids, e.ID)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return ids
}

// types returns the types of the newest entries, oldest first.
func (f *forwardTest) types(n int) (types []activity.Type) {
	f.t.Helper()
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.EntriesBack(0, tx.Newest()) {
			if err != nil || len(types) == n {
				return err
			}
			types = append([]activity.Type{e.Type}, types...)
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return types
}

// TestForwarding checks that all entries arrive in order, also after a crash.
func TestForwarding(t *testing.T) {
	f := newForwardTest(t)
	f.log(3)
	began := f.now
	if err := f.forward(); err != nil || len(f.receiver.received()) > 0 {
		t.Fatalf("at first: %v, received %v", err, f.receiver.received())
	}
	f.log(forwardBatchSize*2 + 7)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	if got := f.receiver.received(); !slices.Equal(got, f.entries(began)) {
		t.Fatalf("%d entries arrived, want %d", len(got), len(f.entries(began)))
	}

	f.restart() // the position was not stored since the beginning
	f.log(1)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	got := slices.Compact(slices.Sorted(slices.Values(f.receiver.received())))
	if want := slices.Sorted(slices.Values(f.entries(began))); !slices.Equal(got, want) {
		t.Errorf("%d entries arrived after a crash, want %d", len(got), len(want))
	}

	f.now = f.now.Add(savePeriod)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	before := len(f.receiver.received())
	f.restart()
	if err := f.forward(); err != nil || len(f.receiver.received()) != before {
		t.Errorf("a stored position is not used: %v, %d entries more", err, len(f.receiver.received())-before)
	}
}

// TestForwardingInterruption checks that a receiver which was down gets all
// entries later. Users are told if it is down for long.
func TestForwardingInterruption(t *testing.T) {
	f := newForwardTest(t)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	began := f.now
	f.receiver.answer(func([]string) int { return http.StatusServiceUnavailable })
	f.log(2)
	if err := f.forward(); err == nil || f.store.Failures().Has(failure.OTLP) || f.Status().Failure != "It answers with status 503." {
		t.Fatalf("at first: %v, %+v, %v", err, f.Status(), f.store.Failures().Present())
	}
	f.now = f.now.Add(announceFailureAfter)
	for range 2 {
		if err := f.forward(); err == nil {
			t.Fatal("no failure")
		}
	}
	if types := f.types(3); !f.store.Failures().Has(failure.OTLP) || !slices.Equal(types, []activity.Type{activity.TypeBackupCreation, activity.TypeBackupCreation, activity.TypeForwardingInterruption}) {
		t.Fatalf("after a minute: %v, entries %v", f.store.Failures().Present(), types)
	}

	f.receiver.answer(nil)
	for range 2 {
		if err := f.forward(); err != nil {
			t.Fatal(err)
		}
	}
	if types := f.types(1); f.store.Failures().Has(failure.OTLP) || f.Status().Failure != "" || types[0] != activity.TypeForwardingResumption {
		t.Errorf("afterwards: %v, %+v, %v", f.store.Failures().Present(), f.Status(), types)
	}
	if got := f.receiver.received(); !slices.Equal(got, f.entries(began)) {
		t.Errorf("%d entries arrived, want %d", len(got), len(f.entries(began)))
	}
}

// TestForwardingAfterPruning checks that users are told if entries were pruned
// before they could be sent.
func TestForwardingAfterPruning(t *testing.T) {
	f := newForwardTest(t)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	f.receiver.answer(func([]string) int { return http.StatusServiceUnavailable })
	f.log(5)
	if err := f.forward(); err == nil {
		t.Fatal("no failure")
	}
	f.now = f.now.Add(time.Hour)
	if _, err := f.store.PruneActivityBefore(t.Context(), f.now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	f.log(1)
	f.receiver.answer(nil)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	var told string
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.EntriesBack(0, tx.Newest()) {
			told = string(e.Metadata)
			return err
		}
		return nil
	})
	if err != nil || !strings.Contains(told, `"entries_may_be_missing":true`) {
		t.Errorf("the newest entry says %s (%v)", told, err)
	}
}

// TestForwardingOfRefusedEntry checks that a refused entry does not delay the
// others.
func TestForwardingOfRefusedEntry(t *testing.T) {
	f := newForwardTest(t)
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	began := f.now
	f.log(20)
	all := f.entries(began)
	refused := all[13]
	f.receiver.answer(func(ids []string) int {
		if slices.Contains(ids, refused) {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	if err := f.forward(); err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == refused })
	if got := f.receiver.received(); !slices.Equal(got, want) {
		t.Errorf("arrived: %s", fmt.Sprint(got))
	}
}

// TestForwardingSurvivesKills checks that no entry is lost if the process is
// killed several times.
func TestForwardingSurvivesKills(t *testing.T) {
	receiver, dir := newLogReceiver(t), t.TempDir()
	var want []string
	for round := range 3 {
		program := servertest.Start(t, dir, nil, "FORWARD_OTLP_URL="+receiver.server.URL)
		user := program.User()
		for i := range 5 {
			tag := fmt.Sprintf(`{"value":"tag-%d-%d"}`, round, i)
			user.Must(http.StatusCreated, "POST", "/api/v1/hosts/0fc07435-7ee2-54ca-b0de-fb27ffdc5deb/tags", []byte(tag), nil)
		}
		var page struct{ Data []servertest.Entry }
		user.Must(http.StatusOK, "GET", "/api/v1/activity_log?first=100&type=resource_tagging", nil, &page)
		want = nil
		for _, e := range page.Data {
			want = append(want, e.ID)
		}
		if round == 1 { // the others are killed while entries are on the way
			servertest.Soon(t, "an entry arrives", func() bool { return slices.Contains(receiver.received(), want[0]) })
		}
		if round < 2 {
			program.Kill()
			continue
		}
		servertest.Soon(t, "all entries arrive", func() bool {
			got := receiver.received()
			return !slices.ContainsFunc(want, func(id string) bool { return !slices.Contains(got, id) })
		})
		var forwarding []struct {
			Receiver     string
			WaitingSince *time.Time `json:"waiting_since"`
		}
		servertest.Soon(t, "nothing waits", func() bool {
			user.Must(http.StatusOK, "GET", "/api/v1/settings/forwarding", nil, &forwarding)
			return len(forwarding) == 1 && forwarding[0].WaitingSince == nil
		})
	}
	if len(want) != 15 {
		t.Errorf("%d entries, want 15", len(want))
	}
}
