package ui

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trento/auth"
	"trento/store"
	"trento/store/message"
	"trento/store/storetest"
	activitypages "trento/ui/activity"
)

// subscription is an open stream of a test.
type subscription struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
	status int
}

// serve serves the console for real: a recorder cannot stream. It serves the
// present console, also after restart has replaced it.
func (f *fixture) serve() *httptest.Server {
	f.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) }))
	f.t.Cleanup(server.Close)
	return server
}

func (f *fixture) subscribe(t *testing.T, url, as string, header ...string) *subscription {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(f.cookies[as])
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return &subscription{t: t, lines: bufio.NewScanner(response.Body), cancel: cancel, status: response.StatusCode}
}

// event is one event of a stream.
type event struct{ name, id, data string }

// next waits for an event; its name is empty at the end of the stream.
func (s *subscription) next() event {
	s.t.Helper()
	var e event
	for s.lines.Scan() {
		key, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch key {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	return event{}
}

func (s *subscription) wants(name string) event {
	s.t.Helper()
	e := s.next()
	if e.name != name {
		s.t.Fatalf("event %+v, want %s", e, name)
	}
	return e
}

func changesOf(t *testing.T, e event) map[string][]string {
	t.Helper()
	var changes map[string][]string
	if err := json.Unmarshal([]byte(e.data), &changes); err != nil {
		t.Fatalf("data of %+v: %v", e, err)
	}
	return changes
}

func TestEventsTellChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.user("ada")
	server := f.serve()
	s := f.subscribe(t, server.URL+"/events", "ada")
	f.host(1, "hana01")
	e := s.wants("change")
	changes := changesOf(t, e)
	if fmt.Sprint(changes["host"]) != "["+string(hostID(1))+"]" || len(changes["activity"]) != 1 {
		t.Errorf("changes %v", changes)
	}
	var seq uint64
	if err := f.store.View(func(tx *store.Tx) error { seq = tx.LastChange(); return nil }); err != nil {
		t.Fatal(err)
	}
	if place, ok := f.auth.OpenCursor(ada, e.id); !ok || place != seq {
		t.Errorf("event %s is %d, %v, but the journal is at %d", e.id, place, ok, seq)
	}
	var news activitypages.Toast
	if err := json.Unmarshal([]byte(s.wants("toast").data), &news); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(news.Text, "hana01 is new") || news.URL != "/hosts/"+string(hostID(1)) {
		t.Errorf("toast %+v", news)
	}
}

// TestEventsTellConnections checks that pages are told of agents that connect
// for messages and disconnect, and of those that are refused. Agents without a
// registered host, and refusals, are only told to those who may see them.
func TestEventsTellConnections(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.user("plain")
	f.host(1, "hana01")
	e := f.messages(t)
	server := f.serve()
	keeper, plain := f.subscribe(t, server.URL+"/events", "keeper"), f.subscribe(t, server.URL+"/events", "plain")
	// told reads events until one names an agent, or a refusal.
	told := func(s *subscription, kind, id string) {
		t.Helper()
		for {
			for _, got := range changesOf(t, s.wants("change"))[kind] {
				if got == id {
					return
				}
				if s == plain && got != string(hostID(1)) {
					t.Errorf("plain is told of %s %s", kind, got)
				}
			}
		}
	}
	e.refuse()
	told(keeper, "agent_refusal", "*")
	e.connect(9, message.Checks)
	told(keeper, "agent_connection", string(hostID(9)))
	c := e.connect(1, message.Checks)
	told(keeper, "agent_connection", string(hostID(1)))
	told(plain, "agent_connection", string(hostID(1)))
	c.Close()
	told(plain, "agent_connection", string(hostID(1)))

	// A stream that begins after its page was made is told what happened since.
	late := f.subscribe(t, server.URL+"/events", "plain")
	told(late, "agent_connection", string(hostID(1)))
}

func TestEventsStartWhereThePageEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.host(1, "hana01")
	seq := f.cursor(t, "ada")
	f.host(2, "hana02")
	server := f.serve()
	for name, s := range map[string]*subscription{
		"page":          f.subscribe(t, server.URL+"/events?after="+seq, "ada"),
		"last event id": f.subscribe(t, server.URL+"/events?after=other", "ada", "Last-Event-ID", seq),
	} {
		if changes := changesOf(t, s.wants("change")); fmt.Sprint(changes["host"]) != "["+string(hostID(2))+"]" {
			t.Errorf("%s: changes %v, want only the host the page does not show", name, changes)
		}
	}
	f.user("bob")
	for name, cursor := range map[string]string{"a number": "999999", "no cursor": "nonsense", "a cursor of somebody else": f.cursor(t, "bob")} {
		if changes := changesOf(t, f.subscribe(t, server.URL+"/events?after="+cursor, "ada").wants("change")); len(changes["host"]) != 2 {
			t.Errorf("%s: changes %v, want all", name, changes)
		}
	}
}

// cursor is the cursor in a page of a user.
func (f *fixture) cursor(t *testing.T, as string) string {
	t.Helper()
	cursor, _ := attribute(parseMarkup(t, f.do(call{target: "/hosts", as: as}).Body.String()).one("#frame"), "data-cursor")
	return cursor
}

// TestCursorsHideActivity checks that the cursors in pages and events do not
// reveal whether and how much happens that the user may not see.
func TestCursorsHideActivity(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss, plain := f.user("boss", 2), f.user("plain")
	s := f.subscribe(t, f.serve().URL+"/events", "plain")
	var cursors []string
	hidden := func(n int) {
		for i := range n {
			if _, err := f.auth.ChangeUser(t.Context(), &auth.Identity{User: boss, Via: auth.ViaSession}, f.user(fmt.Sprintf("u%d-%d", n, i)).ID, 1, auth.UserChange{Fullname: new("X")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range 4 {
		cursors = append(cursors, f.cursor(t, "plain"), f.cursor(t, "plain")) // nothing in between
		hidden(n)
		f.host(n, fmt.Sprint("h", n))
		cursors = append(cursors, s.wants("change").id)
		s.wants("toast")
	}
	seen, places := map[string]bool{}, map[uint64]bool{}
	for _, cursor := range cursors {
		if seen[cursor] {
			t.Errorf("%s comes twice: it tells that nothing happened in between", cursor)
		}
		if len(cursor) != len(cursors[0]) || strings.Trim(cursor, "0123456789") == "" {
			t.Errorf("cursor %q", cursor)
		}
		place, ok := f.auth.OpenCursor(plain, cursor)
		if !ok {
			t.Errorf("%s cannot be opened", cursor)
		}
		seen[cursor], places[place] = true, true
	}
	if len(places) < 5 {
		t.Errorf("%d places: the journal did not move", len(places))
	}
}

// TestEventsOfAHiddenStorm checks that many changes that a user may not see are
// not sent as "everything", and that a visible change among them is sent.
func TestEventsOfAHiddenStorm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain")
	f.user("boss", 2)
	plain, boss := f.cursor(t, "plain"), f.cursor(t, "boss")
	for n := range maxChanges + 5 {
		f.signedOutUser(fmt.Sprint("u", n))
		if n == maxChanges/2 {
			f.host(1, "hana01")
		}
	}
	server := f.serve()
	if changes := changesOf(t, f.subscribe(t, server.URL+"/events?after="+plain, "plain").wants("change")); fmt.Sprint(changes["host"]) != "["+string(hostID(1))+"]" || changes["user"] != nil {
		t.Errorf("changes %v", changes)
	}
	if changes := changesOf(t, f.subscribe(t, server.URL+"/events?after="+boss, "boss").wants("change")); fmt.Sprint(changes["user"]) != "[*]" {
		t.Errorf("changes for a user manager: %v", changes)
	}
}

func TestEventsOfAStormAreFew(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	for n := range maxChanges + 5 {
		f.host(n, fmt.Sprint("h", n))
	}
	s := f.subscribe(t, f.serve().URL+"/events?after=nothing", "ada")
	if changes := changesOf(t, s.wants("change")); fmt.Sprint(changes["host"]) != "[*]" {
		t.Errorf("%d changes are named one by one", len(changes["host"]))
	}
}

func TestEventsEndWithTheSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.user("ada")
	f.user("bob")
	server := f.serve()
	s := f.subscribe(t, server.URL+"/events", "ada")
	other := f.subscribe(t, server.URL+"/events", "bob")
	storetest.Disable(t, f.store, ada.ID)
	s.wants("signed-out")
	if e := s.next(); e.name != "" {
		t.Errorf("after the end comes %+v", e)
	}

	f.do(call{method: "POST", target: "/session/end", as: "bob"})
	other.wants("signed-out")
}

// TestEventsEndAtOnce checks that the end of a session ends its stream at the
// next change, without waiting for a ping, and no other stream.
func TestEventsEndAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, end := range map[string]func(f *fixture, boss *auth.Identity, ada *store.User, own *store.Session) error{
		"disabled": func(f *fixture, boss *auth.Identity, ada *store.User, _ *store.Session) error {
			_, err := f.auth.ChangeUser(ctx, boss, ada.ID, ada.LockVersion, auth.UserChange{Enabled: new(false)})
			return err
		},
		"deleted": func(f *fixture, boss *auth.Identity, ada *store.User, _ *store.Session) error {
			return f.auth.DeleteUser(ctx, boss, ada.ID)
		},
		"password changed by others": func(f *fixture, boss *auth.Identity, ada *store.User, _ *store.Session) error {
			_, err := f.auth.ChangeUser(ctx, boss, ada.ID, ada.LockVersion, auth.UserChange{Password: new("Tuesday-morning-7"), PasswordConfirmation: new("Tuesday-morning-7")})
			return err
		},
		"password changed elsewhere": func(f *fixture, _ *auth.Identity, ada *store.User, _ *store.Session) error {
			_, err := f.store.ChangeProfile(ctx, store.System(), ada.ID, store.ProfileChange{Password: &store.NewPassword{Hash: "x", Before: ada.PasswordHash}}, [32]byte{1})
			return err
		},
		"session ended by name": func(f *fixture, _ *auth.Identity, ada *store.User, own *store.Session) error {
			return f.store.EndSession(ctx, store.System(), ada.ID, own.ID)
		},
		"ended from another one": func(f *fixture, _ *auth.Identity, ada *store.User, _ *store.Session) error {
			return f.store.EndOtherSessions(ctx, store.System(), ada.ID, [32]byte{1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			ada, boss := f.user("ada"), f.user("boss", 1)
			server := f.serve()
			s, other := f.subscribe(t, server.URL+"/events", "ada"), f.subscribe(t, server.URL+"/events", "boss")
			var sessions []*store.Session
			if err := f.store.View(func(tx *store.Tx) (err error) {
				if ada, err = tx.User(ada.ID); err == nil {
					sessions, err = tx.Sessions(ada.ID)
				}
				return err
			}); err != nil || len(sessions) != 1 {
				t.Fatalf("%v, %v", sessions, err)
			}
			if err := end(f, (&auth.Identity{User: boss, Via: auth.ViaSession}).Confirming(testPassword), ada, sessions[0]); err != nil {
				t.Fatal(err)
			}
			s.wants("signed-out")
			if e := s.next(); e.name != "" {
				t.Errorf("after the end comes %+v", e)
			}
			if e := other.next(); e.name != "change" {
				t.Errorf("the stream of somebody else says %+v", e)
			}
		})
	}
}

// TestEventsAboutUsers checks that user managers receive changes of all users,
// and others only their own.
func TestEventsAboutUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss, ada := f.user("boss", 2), f.user("ada")
	f.user("bob")
	server := f.serve()
	seen := map[string]*subscription{"boss": nil, "ada": nil, "bob": nil}
	for name := range seen {
		seen[name] = f.subscribe(t, server.URL+"/events", name)
	}
	_, err := f.auth.ChangeUser(context.Background(), &auth.Identity{User: boss, Via: auth.ViaSession}, ada.ID, ada.LockVersion, auth.UserChange{Fullname: new("Ada")})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"boss": fmt.Sprint([]int64{ada.ID}), "ada": fmt.Sprint([]int64{ada.ID})} {
		if changes := changesOf(t, seen[name].wants("change")); fmt.Sprint(changes["user"]) != want {
			t.Errorf("%s is told %v", name, changes)
		}
	}
	f.host(1, "hana01")
	if changes := changesOf(t, seen["bob"].wants("change")); changes["user"] != nil || changes["host"] == nil {
		t.Errorf("bob is told %v", changes)
	}
}

// cutWriter is a client for whom something happens after the first piece.
type cutWriter struct {
	*httptest.ResponseRecorder
	then func()
}

func (w *cutWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(b)
	if w.then != nil {
		w.then()
		w.then = nil
	}
	return n, err
}

// longTable makes the table of hosts several pieces long, also compressed. Few
// hosts with long names do that in less time than many hosts.
func (f *fixture) longTable() {
	f.t.Helper()
	random := rand.NewChaCha8([32]byte{})
	for n := range 100 {
		name := make([]byte, 2<<10)
		random.Read(name) // never fails
		f.host(n, hex.EncodeToString(name))
	}
}

// TestDownloadEndsWithTheSession checks that a user who is signed out during a
// download gets no further piece.
func TestDownloadEndsWithTheSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.longTable()
	r := httptest.NewRequest(http.MethodGet, "/hosts.csv", nil)
	r.AddCookie(f.cookies["ada"])
	whole := httptest.NewRecorder()
	f.handler.ServeHTTP(whole, r.Clone(t.Context()))
	if whole.Body.Len() <= (64 << 10) {
		t.Fatalf("only %d bytes, which is one piece", whole.Body.Len())
	}
	w := &cutWriter{httptest.NewRecorder(), func() { f.do(call{method: "POST", target: "/session/end", as: "ada"}) }}
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler || w.Body.Len() != (64<<10) {
			t.Errorf("after %d bytes: %v, want an end that is no end of file", w.Body.Len(), cause)
		}
	}()
	f.handler.ServeHTTP(w, r)
}

func TestEventsEndWithTheServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	server := httptest.NewUnstartedServer(f.handler)
	base, stop := context.WithCancel(context.Background())
	server.Config.BaseContext = func(net.Listener) context.Context { return base }
	server.Start()
	t.Cleanup(server.Close)
	s := f.subscribe(t, server.URL+"/events", "ada")
	stop()
	s.wants("stopping")
}

func TestEventsNeedASession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if w := f.do(call{target: "/events", header: http.Header{"X-Fragment": {"frame"}}}); w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
	f.user("ada")
	if w := f.do(call{method: "HEAD", target: "/events", as: "ada"}); w.Code != http.StatusOK {
		t.Errorf("HEAD: status %d", w.Code)
	}
}

// TestEventsKeepUserManagement checks that the stream sends nothing about
// entries of user management to users who may not see them.
func TestEventsKeepUserManagement(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.user("plain")
	server := f.serve()
	boss, plain := f.subscribe(t, server.URL+"/events", "admin"), f.subscribe(t, server.URL+"/events", "plain")
	if err := f.store.SignInFailed(context.Background(), "mallory"); err != nil {
		t.Fatal(err)
	}
	if changes := changesOf(t, boss.wants("change")); len(changes["activity"]) != 1 {
		t.Errorf("changes for a user manager: %v", changes)
	}
	f.host(1, "hana01")
	if changes := changesOf(t, plain.wants("change")); len(changes["host"]) != 1 {
		t.Errorf("the first event of a plain user is %v, want the host", changes)
	}
}
