package ui

import (
	"encoding/binary"
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
	"trento/ui/stream"
)

// wallKinds are the kinds of records whose changes a screen on a wall shows.
var wallKinds = []string{"host", "cluster", "database", "sap_system", "agent_report"}

// streamWall answers GET /wall/events, the event stream of a screen on a wall. An
// event "change" says that something on it may have changed, and not what: a
// screen has no user, and learns no ids. One is sent at the start, so a screen
// that connects again misses nothing. The stream ends with the event
// "signed-out" as soon as the display is removed or the user may not see it any
// more.
func (s *server) streamWall(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead {
		return nil // the answer to a HEAD would never end
	}
	st := wallStream{s: s, id: auth.From(r.Context()), r: r}
	viewer, err := st.viewer()
	if err != nil {
		return err
	}
	if !s.streamLimit.Add(viewer) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many open streams", http.StatusServiceUnavailable)
		return nil
	}
	defer s.streamLimit.Remove(viewer)
	changed, stop := s.Store.Watch()
	defer stop()
	out, err := stream.Open(w)
	if st.out = out; err == nil {
		if err = st.send(); err == nil {
			err = out.Run(r.Context(), st.send, out.Ping, changed, nil)
		}
	}
	if errors.Is(err, auth.ErrSignedOut) {
		err = out.Send("signed-out", "", nil)
	}
	if err != nil {
		s.Log.Debug("stream ended", "id", page.RequestID(r.Context()), "error", err)
	}
	return nil
}

// wallStream is the open stream of a screen on a wall.
type wallStream struct {
	s               *server
	id              *auth.Identity // nil: a display
	r               *http.Request
	out             *stream.Stream
	started         bool
	last            uint64 // the last change that was looked at
	failuresVersion int    // how often the list of failures had changed when it was sent
}

// viewer returns by what the streams of a user or display are counted. No user
// has a negative id.
func (st *wallStream) viewer() (int64, error) {
	if st.id != nil {
		return st.id.User.ID, nil
	}
	var d *store.Display
	err := st.s.Store.View(func(tx *store.Tx) (err error) {
		d, err = st.s.Auth.DisplayOf(tx, st.r)
		return err
	})
	if err != nil {
		return 0, err
	}
	id, err := uuid.Parse(d.ID)
	return -1 - int64(binary.BigEndian.Uint64(id[:8])>>1), err
}

// send sends an event if something may have changed that the screen shows.
func (st *wallStream) send() error {
	shown := !st.started
	err := st.s.Store.View(func(tx *store.Tx) (err error) {
		if st.id != nil {
			_, err = st.s.Auth.Revalidate(tx, st.id)
		} else {
			_, err = st.s.Auth.DisplayOf(tx, st.r)
		}
		if err != nil {
			return err
		}
		if n := st.s.Store.Failures().Changes(); n != st.failuresVersion {
			st.failuresVersion, shown = n, true
		}
		if shown {
			st.last = tx.LastChange()
			return nil
		}
		shown, err = st.hasChanged(tx)
		return err
	})
	st.started = true
	if err != nil || !shown {
		return err
	}
	changes := make(map[string][]string)
	for _, kind := range wallKinds {
		changes[kind] = []string{allIDs}
	}
	return st.out.Send("change", "", changes)
}

// hasChanged reports whether a record of wallKinds has changed since the last
// look. Of very many changes it takes that for granted.
func (st *wallStream) hasChanged(tx *store.Tx) (bool, error) {
	list, err := tx.ChangedAfter(st.last, changesPerRead)
	if err != nil || len(list) == 0 {
		return false, err
	}
	st.last = tx.LastChange()
	if len(list) == changesPerRead {
		return true, nil
	}
	return slices.ContainsFunc(list, func(c store.Change) bool { return slices.Contains(wallKinds, c.Kind) }), nil
}
