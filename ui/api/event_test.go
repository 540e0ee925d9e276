package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
	"trento/ui/stream"
)

const (
	eventsPath = "/api/v1/events"
	thirdID    = "0d9c2f1e-7b7a-5f0a-8a53-3f1f2f4f9b03"
)

// subscription is an open event stream.
type subscription struct {
	t      *testing.T
	schema *openapi3.Schema
	lines  *bufio.Scanner
	status int
	lastID string // also of comments
	cut    context.CancelFunc
}

// sentEvent is an event that came over a stream.
type sentEvent struct{ name, id, data string }

// subscribe opens a stream with a token. query may be "".
func (f *fixture) subscribe(token, query string, header ...string) *subscription {
	f.t.Helper()
	server := httptest.NewServer(f.handler)
	f.t.Cleanup(server.Close)
	ctx, cut := context.WithCancel(f.t.Context())
	f.t.Cleanup(cut)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+eventsPath+query, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", stream.ContentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { answer.Body.Close() })
	return &subscription{t: f.t, schema: document(f.t).Components.Schemas["Event"].Value, lines: bufio.NewScanner(answer.Body), status: answer.StatusCode, cut: cut}
}

// start waits until the stream has begun.
func (s *subscription) start() *subscription {
	s.t.Helper()
	for s.lastID == "" && s.lines.Scan() {
		s.readID()
	}
	return s
}

func (s *subscription) readID() {
	if id, ok := strings.CutPrefix(s.lines.Text(), "id: "); ok {
		s.lastID = id
	}
}

// next waits for an event. Its name is empty at the end of the stream.
func (s *subscription) next() (e sentEvent) {
	s.t.Helper()
	for s.lines.Scan() {
		s.readID()
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
	return sentEvent{}
}

// event waits for an event about an entry, and holds it to the schema.
func (s *subscription) event() (event stream.Event) {
	s.t.Helper()
	e := s.next()
	var data any
	if err := json.Unmarshal([]byte(e.data), &data); err != nil {
		s.t.Fatalf("event %+v: %v", e, err)
	}
	if err := s.schema.VisitJSON(data); err != nil {
		s.t.Errorf("event %+v: %v", e, err)
	}
	if err := json.Unmarshal([]byte(e.data), &struct {
		*stream.Event
		Severity any `json:"severity"`
	}{Event: &event}); err != nil {
		s.t.Fatalf("event %+v: %v", e, err)
	}
	if string(event.Type) != e.name || e.id == "" {
		s.t.Errorf("the event %+v has the type %s", e, event.Type)
	}
	return event
}

// TestEvents compares an event with the text it is to be.
func TestEvents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	s := f.subscribe(f.freshToken("root", "read_only"), "").start()
	if uses := f.get("root", "/api/v1/profile/token_authentications"); !strings.Contains(uses.body, `"`+eventsPath+`"`) {
		t.Errorf("the open stream is no use of the token: %s", uses.body)
	}
	f.register(agentID, "vega01")
	e := s.next()
	entry := f.entries(activity.TypeHostRegistered)[0]
	want := `{"id":"` + entry.ID + `","type":"host.registered","time":"` + entry.OccurredOn().Format("2006-01-02T15:04:05.000000Z") +
		`","severity":"info","message":"A new host was registered","actor":"system","resources":[{"kind":"host","id":"` + agentID +
		`","name":"vega01"}],"correlation_id":"` + entry.CorrelationID() + `","activity_type":"host_registered","metadata":` + string(entry.Metadata) + `}`
	if e.name != "host.registered" || e.data != want {
		t.Errorf("%s\n%s\nwant\n%s", e.name, e.data, want)
	}
}

// TestEventFilters goes through the parameters.
func TestEventFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	token := f.freshToken("root", "read_only")
	begin := f.subscribe(token, "").start().lastID
	f.register(agentID, "vega01")
	f.register(otherID, "vega02")
	f.post(agent, "/api/v1/hosts/"+agentID+"/heartbeat", "").expect(t, http.StatusNoContent, "")
	f.logged("ben", activity.TypeResourceTagging, map[string]any{"resource_type": "cluster", "resource_id": thirdID, "added_tag": "x"})
	f.logged("root", activity.TypeActivityLogSettingsUpdate, map[string]any{})
	for query, want := range map[string]string{
		"type=host.registered":                                                  "host.registered host.registered",
		"type=host.registered,settings.changed":                                 "host.registered host.registered settings.changed",
		"type=host.registered&type=settings.changed":                            "host.registered host.registered settings.changed",
		"kind=cluster":                                                          "tag.added",
		"kind=host&id=" + otherID + "&type=host.registered":                     "host.registered",
		"kind=cluster&id=" + otherID + "&type=host.registered,settings.changed": "",
		"id=" + thirdID:                                                         "tag.added",
	} {
		s := f.subscribe(token, "?last_event_id="+url.QueryEscape(begin)+"&"+query)
		f.logged("root", activity.TypeUserCreation, map[string]any{"last": query})
		var got []string
		for s.lastID == "" || len(got) < len(strings.Fields(want)) { // the id follows after the events that are there
			if want == "" {
				s.start()
				break
			}
			got = append(got, string(s.event().Type))
		}
		s.cut()
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"kind=planet":          problems("/kind/0", "Invalid value for enum"),
		"type=host_registered": problems("/type/0", "Invalid value for enum"),
		"since=yesterday":      problems("/since", "Unexpected field: since"),
		"last_event_id[]=1":    problems("/last_event_id", "Invalid string. Got: array"),
		"id[x]=1":              problems("/id", "Invalid array. Got: object"),
	} {
		f.do(call{method: "GET", path: eventsPath + "?" + query, header: bearing(token)}).expect(t, http.StatusUnprocessableEntity, want)
	}
	f.do(call{method: "HEAD", path: eventsPath, header: bearing(token)}).expect(t, http.StatusOK, "")
	f.do(call{method: "GET", path: eventsPath, header: map[string]string{"Authorization": "Bearer " + token, "Accept": "text/html"}}).expect(t, http.StatusNotAcceptable, "*")
}

// TestEventsResume cuts a stream off again and again, and checks that every
// event comes once and in order, whether there was a restart in between or not.
func TestEventsResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	token := f.freshToken("root", "read_only")
	begin := f.subscribe(token, "").start().lastID
	written := 0
	write := func(n int) {
		for range n {
			f.logged("root", activity.TypeResourceTagging, map[string]any{"n": written})
			written++
		}
	}
	write(3)
	id := begin
	for next := 0; next < 700; {
		s := f.subscribe(token, "?type=tag.added", "Last-Event-ID", id)
		for range 1 + next/2 {
			var n struct{ N int }
			e := s.event()
			if err := json.Unmarshal(e.Metadata, &n); err != nil || n.N != next {
				t.Fatalf("event %d comes, %v, want %d", n.N, err, next)
			}
			if next++; next == written {
				write(next)
			}
		}
		id = s.lastID
		s.cut()
		if next%2 == 0 {
			other := newFixtureOn(t, f.store, f.clock) // as after a restart
			f.handler = other.handler
		}
	}
}

// TestEventsReset checks that a client is told when events may have been missed.
func TestEventsReset(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	token := f.freshToken("root", "read_only")
	f.logged("root", activity.TypeResourceTagging, map[string]any{})
	old := f.subscribe(token, "").start().lastID
	foreign := f.subscribe(f.freshToken("ann", "read_only"), "").start().lastID
	log := f.entries()
	unwritten := f.auth.SealCursor(f.account("root"), uint64(log[len(log)-1].Position+1))
	f.clock.pass(40 * 24 * time.Hour)
	token = f.freshToken("root", "read_only")
	f.logged("root", activity.TypeResourceTagging, map[string]any{})
	wants := func(id, reason string) {
		t.Helper()
		s := f.subscribe(token, "", "Last-Event-ID", id)
		if e := s.next(); e.name != "reset" || !strings.HasPrefix(e.data, `{"reason":"`+reason+`","message":"`) || e.id == "" {
			t.Errorf("%+v, want a reset: %s", e, reason)
		}
		f.logged("root", activity.TypeResourceUntagging, map[string]any{})
		if e := s.event(); e.Type != "tag.removed" {
			t.Errorf("after the reset comes %+v", e)
		}
		s.cut()
	}
	wants(foreign, "unknown")
	wants("nonsense", "unknown")
	wants(unwritten, "unknown")
	if e := f.subscribe(token, "?type=tag.added&last_event_id="+url.QueryEscape(old)).event(); e.Type != "tag.added" {
		t.Errorf("an old id that is still known leads to %+v", e)
	}
	if _, err := f.store.PruneActivityBefore(t.Context(), f.clock.now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	wants(old, "expired")
}

// TestEventsArePrivate checks that entries about users reach those only who
// manage users, and names of others those only who may see them.
func TestEventsArePrivate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("plain")
	f.user("reader", 17) // activity_log:users
	boss, plain, reader := f.subscribe(f.freshToken("root", "full"), "").start(), f.subscribe(f.freshToken("plain", "full"), "").start(), f.subscribe(f.freshToken("reader", "read_only"), "").start()
	if err := f.store.SignInFailed(t.Context(), "mallory"); err != nil {
		t.Fatal(err)
	}
	f.logged("root", activity.TypeResourceTagging, map[string]any{})
	for boss.event().Type != "user.sign_in" { // after the entries about the tokens
	}
	if e := boss.event(); e.Actor != "root" || e.Type != "tag.added" {
		t.Errorf("root gets %+v", e)
	}
	if e := plain.event(); e.Actor != "••••••••" || e.Type != "tag.added" {
		t.Errorf("a plain user gets %+v", e)
	}
	if e := reader.event(); e.Actor != "root" || e.Type != "tag.added" {
		t.Errorf("a reader of names gets %+v", e)
	}
}

// TestEventsEnd checks that a stream ends at once when its client may not use it
// any more.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want string
		end  func(f *fixture, token *store.Token) error
	}{
		"deleted": {"signed-out", func(f *fixture, token *store.Token) error {
			return f.store.DeleteAllTokens(context.Background(), store.System(), token.UserID)
		}},
		"expired": {"signed-out", func(f *fixture, token *store.Token) error {
			_, err := f.auth.ExpireToken(context.Background(), &auth.Identity{User: f.account("ann")}, token.ID)
			return err
		}},
		"narrowed": {"forbidden", func(f *fixture, token *store.Token) error {
			_, err := f.auth.ChangeToken(context.Background(), &auth.Identity{User: f.account("ann")}, token.ID, auth.TokenChange{Scopes: []string{"tags"}})
			return err
		}},
		"disabled": {"signed-out", func(f *fixture, token *store.Token) error {
			storetest.Disable(f.t, f.store, token.UserID)
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.user("ann")
			token, text, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: f.account("ann")}, auth.NewToken{Name: "ci", Scopes: []string{"read_only"}})
			if err != nil {
				t.Fatal(err)
			}
			s := f.subscribe(text, "").start()
			if err := c.end(f, token); err != nil {
				t.Fatal(err)
			}
			f.logged("root", activity.TypeResourceTagging, map[string]any{})
			if e := s.next(); e.name != c.want {
				t.Errorf("the last event is %+v, want %s", e, c.want)
			}
			if e := s.next(); e.name != "" {
				t.Errorf("after the end comes %+v", e)
			}
		})
	}
}

// TestEventsAreLimited checks that a user cannot open more streams than there
// may be, and that one that was closed makes room.
func TestEventsAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	token := f.freshToken("ann", "read_only")
	open := make([]*subscription, stream.MaxStreamsOfUser)
	for i := range open {
		open[i] = f.subscribe(token, "").start()
	}
	refused := f.do(call{method: "GET", path: eventsPath, header: bearing(token)})
	if refused.expect(t, http.StatusTooManyRequests, "*"); refused.header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
	open[0].cut()
	for range 1000 {
		if s := f.subscribe(token, ""); s.status == http.StatusOK {
			return
		}
	}
	t.Error("no stream can be opened after one was closed")
}

// TestEventTypes checks that the description lists the types that there are.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	described := fmt.Sprint(document(t).Components.Schemas["EventType"].Value.Enum)
	if served := fmt.Sprint(append(activity.Topics(), activity.TopicOther, activity.TopicTest)); described != served {
		t.Errorf("described are %s\nserved are %s", described, served)
	}
}
