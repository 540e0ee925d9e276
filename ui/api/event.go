package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
	"trento/ui/stream"
)

// eventsPath is the path of the event stream.
const eventsPath = "/api/v1/events"

// maxEntriesPerRead is the number of entries of the log that a stream reads at a
// time.
const maxEntriesPerRead = 500

// errTooManyStreams: the user, or all users together, have too many streams.
var errTooManyStreams = &fault.Error{Kind: fault.TooOften, Detail: "Too many event streams are open. Close one, or try again later."}

// eventTokenRule returns which tokens may use the event stream.
func eventTokenRule() auth.TokenRule {
	return auth.InSets("read_only").WidenedBy("all:users", "activity_log:users")
}

// streamEvents answers GET /api/v1/events. Every entry of the activity log is an
// event. The id of an event is its position in the log, sealed for the user:
// otherwise the ids that a client gets while nothing is sent would tell when
// something happened that the user may not see. Before events are sent, it is
// checked that the user may still use the stream.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	filter, resumed := in.eventFilter(), in.queryText("last_event_id")
	if err := in.fault(); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		return nil // the answer to a HEAD would never end
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		resumed = id
	}
	id := auth.From(r.Context())
	if !a.deps.Streams.Add(id.User.ID) {
		w.Header().Set("Retry-After", retryAfter)
		return errTooManyStreams
	}
	defer a.deps.Streams.Remove(id.User.ID)
	changed, stop := a.deps.Store.Watch()
	defer stop()
	// The position comes first: from the header of the stream on, a client relies
	// on being sent every event.
	s := eventStream{api: a, id: id, filter: filter}
	if err := s.setStart(resumed); err != nil {
		return err
	}
	out, err := stream.Open(w)
	if s.out = out; err == nil {
		err = s.run(r, changed)
	}
	switch {
	case errors.Is(err, auth.ErrSignedOut):
		err = out.Send("signed-out", "", nil)
	case errors.Is(err, auth.ErrForbidden):
		err = out.Send("forbidden", "", nil)
	}
	if err != nil {
		// Part of the answer is sent, so its status cannot change. The client
		// notices and connects again.
		a.deps.Log.Debug("event stream ended", "id", w.Header().Get(RequestIDHeader), "error", err)
	}
	return nil
}

// eventFilter selects events. An empty list selects all.
type eventFilter struct {
	topics []activity.Topic
	kinds  []activity.ThingKind
	ids    []string
}

// eventKinds are the kinds of things that events name.
var eventKinds = []activity.ThingKind{activity.HostThing, activity.ClusterThing, activity.DatabaseThing, activity.SAPSystemThing, activity.UserThing}

// eventFilter reads the parameters of a filter. Each is a list, separated by
// commas or given several times.
func (in *input) eventFilter() (f eventFilter) {
	for i, text := range in.queryWords("type") {
		topic := activity.Topic(text)
		if !topic.Known() && topic != activity.TopicOther {
			in.refuse("type/"+strconv.Itoa(i), "Invalid value for enum")
		}
		f.topics = append(f.topics, topic)
	}
	for i, text := range in.queryWords("kind") {
		kind := activity.ThingKind(text)
		if !slices.Contains(eventKinds, kind) {
			in.refuse("kind/"+strconv.Itoa(i), "Invalid value for enum")
		}
		f.kinds = append(f.kinds, kind)
	}
	f.ids = in.queryWords("id")
	return f
}

// queryWords reads a list of words, which are separated by commas or given as
// several parameters.
func (in *input) queryWords(name string) (words []string) {
	for _, text := range in.queryList(name) {
		for word := range strings.SplitSeq(text, ",") {
			if word != "" {
				words = append(words, word)
			}
		}
	}
	return words
}

// match reports whether the filter selects an event. One thing that the event
// names must have one of the kinds and one of the ids.
func (f *eventFilter) match(e *stream.Event) bool {
	if len(f.topics) > 0 && !slices.Contains(f.topics, e.Type) {
		return false
	}
	if len(f.kinds)+len(f.ids) == 0 {
		return true
	}
	return slices.ContainsFunc(e.Resources, func(r stream.Resource) bool {
		return (len(f.kinds) == 0 || slices.Contains(f.kinds, r.Kind)) && (len(f.ids) == 0 || slices.Contains(f.ids, r.ID))
	})
}

// eventStream is an open stream of events.
type eventStream struct {
	api    *API
	out    *stream.Stream
	id     *auth.Identity
	filter eventFilter
	last   activity.Position // the last entry that was read
}

// placedEvent is an event with its position in the log.
type placedEvent struct {
	at activity.Position
	stream.Event
}

func (s *eventStream) run(r *http.Request, changed <-chan struct{}) error {
	if err := s.send(); err != nil {
		return err
	}
	setID := func() error { return s.out.SetID(s.seal(s.last)) }
	if err := setID(); err != nil {
		return err
	}
	return s.out.Run(r.Context(), s.send, setID, changed, nil)
}

// setStart sets the position of the stream: after the event that the client
// names, or after the newest entry. A text that is no id, or the id of another
// user, leads to the event "reset" as an id does that is too old.
func (s *eventStream) setStart(resumed string) error {
	if resumed != "" {
		place, ok := s.api.deps.Auth.OpenCursor(s.id.User, resumed)
		if s.last = activity.Position(place); !ok {
			s.last = ^activity.Position(0) // no entry is there
		}
		return nil
	}
	return s.api.deps.Store.View(func(tx *store.Tx) error {
		s.last = tx.Newest()
		return nil
	})
}

func (s *eventStream) seal(p activity.Position) string {
	return s.api.deps.Auth.SealCursor(s.id.User, uint64(p))
}

// resetEvent tells a client that it may have missed events.
type resetEvent struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// send sends the events since the last call.
func (s *eventStream) send() error {
	for {
		events, reset, more, err := s.read()
		if err != nil {
			return err
		}
		if reset != nil {
			if err := s.out.Send("reset", s.seal(s.last), reset); err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := s.out.Send(string(e.Type), s.seal(e.at), e.Event); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// read reads some entries that follow the last one that was read. It returns the
// events among them that the user may see now and wants, and whether there are
// more entries. reset is not nil if it is not known what has followed the last
// entry; the stream then goes on with the newest one.
func (s *eventStream) read() (events []placedEvent, reset *resetEvent, more bool, err error) {
	err = s.api.deps.Store.View(func(tx *store.Tx) error {
		id, err := s.api.deps.Auth.PermitAgain(tx, s.id, auth.SignedIn, eventTokenRule(), http.MethodGet+" "+eventsPath)
		if err != nil {
			return err
		}
		viewer, newest := ViewerOf(id), tx.Newest()
		if reset = s.checkPosition(tx); reset != nil {
			s.last = newest
			return nil
		}
		read := 0
		for entry, err := range tx.Entries(s.last+1, newest) {
			if err != nil {
				return err
			}
			if read++; read > maxEntriesPerRead {
				more = true
				return nil
			}
			s.last = entry.Position
			if !viewer.Sees(entry) {
				continue
			}
			if e := stream.NewEvent(entry, viewer.Actor(entry.Actor)); s.filter.match(&e) {
				events = append(events, placedEvent{entry.Position, e})
			}
		}
		s.last = newest
		return nil
	})
	return events, reset, more, err
}

// checkPosition returns the reset for a stream whose last entry is not in the
// log. Every id that a client gets is the position of an entry, so that entry
// was pruned, or it was written after the backup that this log is from.
func (s *eventStream) checkPosition(tx *store.Tx) *resetEvent {
	if s.last == tx.Newest() {
		return nil
	}
	switch _, err := tx.Entry(s.last); {
	case !errors.Is(err, store.ErrNotFound):
		return nil // the entry is there, even if it is damaged
	case s.last < tx.Oldest():
		return &resetEvent{"expired", "Events after this id are not kept any more. Read what you need anew; the stream goes on from now."}
	}
	return &resetEvent{"unknown", "This server does not know this id. Read what you need anew; the stream goes on from now."}
}
