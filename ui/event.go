package ui

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
	"trento/ui/stream"
)

// The server tells the browser which records have changed, not how. The script
// fetches the page again and finds the differences itself. So events may be
// merged, lost or repeated.
const (
	// maxChanges limits the ids in an event. Beyond it, the event says
	// "everything".
	maxChanges = 200
	// changesPerRead is the number of changes that are read from the journal at
	// a time.
	changesPerRead = 1000
	// maxToasts limits the toasts of one event. The browser shows some of them,
	// and the others in a list.
	maxToasts = 20
)

// allIDs stands for all ids of a kind in an event.
const allIDs = "*"

// streamEvents answers GET /events, the event stream of a browser tab. An event
// "change" maps kinds to the ids that have changed; the id of the event is a
// position in the journal, sealed for the user. Connections of agents are not in
// the journal; see addConnections. An event "toast" is a message
// to show. The last event is "signed-out", or "stopping" when the server stops.
func (s *server) streamEvents(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead {
		return nil // the answer to a HEAD would never end
	}
	id := auth.From(r.Context())
	if !s.streamLimit.Add(id.User.ID) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many open streams", http.StatusServiceUnavailable)
		return nil
	}
	defer s.streamLimit.Remove(id.User.ID)
	changed, stop := s.Store.Watch()
	defer stop()
	var connected <-chan struct{} // never receives if agents connect elsewhere
	if s.Endpoint != nil {
		var stopWatching func()
		connected, stopWatching = s.Endpoint.Watch()
		defer stopWatching()
	}

	// The position comes first: from the header of the stream on, a client relies
	// on being told of every change.
	st := consoleStream{s: s, id: id}
	if err := st.setStart(r); err != nil {
		return err
	}
	out, err := stream.Open(w)
	if st.out = out; err == nil {
		err = st.run(r, changed, connected)
	}
	if errors.Is(err, auth.ErrSignedOut) {
		err = out.Send("signed-out", "", nil)
	}
	if err != nil {
		// Part of the answer is sent, so its status cannot change. The client
		// notices and connects again.
		s.Log.Debug("stream ended", "id", page.RequestID(r.Context()), "error", err)
	}
	return nil
}

// consoleStream is the open stream of a browser tab.
type consoleStream struct {
	s      *server
	id     *auth.Identity
	viewer activitypages.Viewer
	// managesUsers reports whether the user receives changes of other users.
	managesUsers bool
	// readsAgents reports whether the user receives changes of agents without a
	// registered host.
	readsAgents          bool
	out                  *stream.Stream
	failuresVersion      int               // how often the list of failures had changed when it was sent
	lastChange           uint64            // the last change that was sent
	lastConnectionChange uint64            // the last change of connections for messages that was sent
	refusals             int               // the number of refused requests of agents that was sent
	lastEntry            activity.Position // the last entry that was read
}

func (st *consoleStream) run(r *http.Request, changed, connected <-chan struct{}) error {
	if err := st.sendChanges(); err != nil {
		return err
	}
	// Refused requests of agents are noticed at a ping, if nothing else happens.
	return st.out.Run(r.Context(), st.sendChanges, st.out.Ping, changed, connected)
}

// setStart sets the position of the stream: after the last event that the client
// got, or after the newest change that its page includes.
func (st *consoleStream) setStart(r *http.Request) error {
	st.setConnectionStart()
	st.failuresVersion = st.s.Store.Failures().Changes()
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("after")
	}
	return st.s.Store.View(func(tx *store.Tx) error {
		st.lastEntry, st.lastChange = tx.Newest(), tx.LastChange()
		if known == "" {
			return nil
		}
		// A cursor that cannot be opened, or is ahead of the journal, comes
		// from another user or another store: everything may have changed.
		place, ok := st.s.Auth.OpenCursor(st.id.User, known)
		if !ok || place > st.lastChange {
			place = 0
		}
		st.lastChange = place
		return nil
	})
}

// sendChanges sends what has changed since the last event.
func (st *consoleStream) sendChanges() error {
	var changes map[string][]string
	var toasts []activitypages.Toast
	err := st.s.Store.View(func(tx *store.Tx) (err error) {
		if err = st.checkSession(tx); err != nil {
			return err
		}
		if changes, err = st.changesByKind(tx); err != nil {
			return err
		}
		if err = st.addConnections(tx, changes); err != nil {
			return err
		}
		if n := st.s.Store.Failures().Changes(); n != st.failuresVersion {
			st.failuresVersion, changes = n, st.allChanged() // all pages show what fails
		}
		logged, toastsNow, err := st.newToasts(tx)
		if logged {
			changes["activity"] = []string{allIDs}
		}
		toasts = toastsNow
		return err
	})
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		if err := st.out.Send("change", st.s.Auth.SealCursor(st.id.User, st.lastChange), changes); err != nil {
			return err
		}
	}
	for _, t := range toasts {
		if err := st.out.Send("toast", "", t); err != nil {
			return err
		}
	}
	return nil
}

// checkSession fails if the session is not valid any more. It reads what the user may
// see at present.
func (st *consoleStream) checkSession(tx *store.Tx) error {
	id, err := st.s.Auth.Revalidate(tx, st.id)
	if err == nil {
		st.viewer, err = activitypages.NewViewer(id)
		st.managesUsers, st.readsAgents = id.Can(page.AbilityUsers), id.Can(page.AbilityAPIKey)
	}
	return err
}

// changesByKind returns the ids of changed records by kind. Changes of users and
// tokens go only to users who manage users, and to the user concerned, as the
// kind "self". Changes that are not sent do not count against the limit:
// otherwise many of them would cause "everything".
func (st *consoleStream) changesByKind(tx *store.Tx) (map[string][]string, error) {
	changes, told := make(map[string][]string), 0
	for told <= maxChanges {
		list, err := tx.ChangedAfter(st.lastChange, changesPerRead)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			st.lastChange = c.Seq
			concerned, err := st.isVisible(tx, c)
			if err != nil {
				return nil, err
			}
			if concerned {
				changes[c.Kind] = append(changes[c.Kind], c.ID)
				told++
			}
			if c.Kind == "user" && c.ID == strconv.FormatInt(st.id.User.ID, 10) {
				changes["self"] = []string{allIDs}
			}
		}
		if len(list) < changesPerRead {
			break
		}
	}
	if told > maxChanges {
		st.lastChange = tx.LastChange()
		return st.allChanged(), nil
	}
	return changes, nil
}

// connectionLookback is how long before the start of a stream a change of
// connections is sent. The page was made shortly before.
const connectionLookback = 10 * time.Second

// setConnectionStart sets the position in the changes of connections.
func (st *consoleStream) setConnectionStart() {
	if st.s.Endpoint != nil {
		st.lastConnectionChange = st.s.Endpoint.LastChangeBefore(st.s.Store.Now().Add(-connectionLookback))
	}
	_, st.refusals = st.s.Auth.AgentRefusals()
}

// addConnections adds the agents whose connections for messages have changed,
// and whether any agent was refused.
func (st *consoleStream) addConnections(tx *store.Tx, changes map[string][]string) error {
	refused := false
	if _, refusals := st.s.Auth.AgentRefusals(); refusals != st.refusals {
		st.refusals, refused = refusals, true
	}
	if st.s.Endpoint != nil {
		since := st.s.Endpoint.ChangedAfter(st.lastConnectionChange)
		st.lastConnectionChange, refused = since.Last, refused || since.Refused
		if since.All {
			changes[kindConnection] = []string{allIDs}
		}
		for _, agent := range since.Agents {
			visible, err := st.isAgentVisible(tx, agent)
			if err != nil {
				return err
			}
			if visible {
				changes[kindConnection] = append(changes[kindConnection], agent)
			}
		}
	}
	if refused && st.readsAgents {
		changes["agent_refusal"] = []string{allIDs}
	}
	return nil
}

// kindConnection is the kind of a change of an agent's connections for
// messages. It is not in the journal: connections are not stored.
const kindConnection = "agent_connection"

// isAgentVisible reports whether the user may be told of a change of an agent.
func (st *consoleStream) isAgentVisible(tx *store.Tx, id string) (bool, error) {
	if _, err := tx.Host(landscape.HostID(id)); !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	return st.readsAgents, nil
}

// allChanged returns allIDs for all kinds that the user may see.
func (st *consoleStream) allChanged() map[string][]string {
	kinds := []string{"host", "cluster", "database", "sap_system", "tags", "token", "view", "setting", "agent_report", "checked_group", "waiver", "customization", "self"}
	if st.managesUsers {
		kinds = append(kinds, "user", "display")
	}
	all := make(map[string][]string)
	for _, kind := range kinds {
		all[kind] = []string{allIDs}
	}
	return all
}

// isVisible reports whether the user may be told of a change.
func (st *consoleStream) isVisible(tx *store.Tx, c store.Change) (bool, error) {
	own := c.ID == strconv.FormatInt(st.id.User.ID, 10)
	switch c.Kind {
	case "user":
		return own || st.managesUsers, nil
	case "agent_report":
		return st.isAgentVisible(tx, c.ID)
	case "view":
		return own, nil
	case "display":
		return st.managesUsers, nil
	case "token":
		if st.managesUsers {
			return true, nil
		}
		_, err := tx.Token(st.id.User.ID, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return true, nil
}

// newToasts reads the entries written since the last event. It returns whether
// the viewer may see any of them, and their toasts, oldest first.
func (st *consoleStream) newToasts(tx *store.Tx) (logged bool, toasts []activitypages.Toast, err error) {
	newest := tx.Newest()
	if newest <= st.lastEntry {
		return false, nil, nil
	}
	from := st.lastEntry + 1
	st.lastEntry = newest
	looked := 0
	for e, err := range tx.EntriesBack(from, newest) {
		if err != nil {
			return false, nil, err
		}
		if looked++; looked > maxChanges {
			break
		}
		if !st.viewer.Sees(e) {
			continue
		}
		logged = true
		if t, ok := activitypages.NewToast(e); ok {
			toasts = append(toasts, t)
		}
	}
	slices.Reverse(toasts)
	return logged, activitypages.MostImportant(toasts, maxToasts), nil
}
