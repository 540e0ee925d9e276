package ui

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
)

// The console is told what has changed, never how: its script fetches the
// page again and finds the differences itself. So events may be merged, lost
// and repeated, and a page is never more wrong than a reload.
const (
	// eventPause is the least time between two events of a stream.
	eventPause = time.Second
	// pingPeriod keeps proxies from cutting an idle stream; it also bounds how
	// long the stream of an expired session lives.
	pingPeriod = 25 * time.Second
	// eventDeadline is how long a client may take to accept an event.
	eventDeadline = 10 * time.Second
	// maxChanges bounds what one event names; beyond it is everything.
	maxChanges = 200
	// changesRead is how many changes are read at a time.
	changesRead = 1000
	// maxToasts bounds how many things are announced at once. The browser shows
	// a few of them and lists the others.
	maxToasts = 20
	// maxStreams and maxStreamsOfUser bound the open streams.
	maxStreams       = 1000
	maxStreamsOfUser = 50
)

// everything stands for all ids of a kind.
const everything = "*"

// streams counts the open streams.
type streams struct {
	mu     sync.Mutex
	total  int
	byUser map[int64]int
}

// enter takes a place for a stream, if there is one.
func (s *streams) enter(user int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= maxStreams || s.byUser[user] >= maxStreamsOfUser {
		return false
	}
	if s.byUser == nil {
		s.byUser = make(map[int64]int)
	}
	s.total++
	s.byUser[user]++
	return true
}

func (s *streams) leave(user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.byUser[user]--; s.byUser[user] == 0 {
		delete(s.byUser, user)
	}
}

// streamEvents answers GET /events, the one stream of a browser tab. An event of
// the kind "change" maps kinds to the ids that have changed; its id is a
// cursor into the journal, sealed for the user. "toast" is news to show. The
// last event is "signed-out", or "stopping" when the server stops.
func (s *server) streamEvents(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead {
		return nil // there is no end to what a HEAD would have to wait for
	}
	id := auth.From(r.Context())
	if !s.streams.enter(id.User.ID) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many open streams", http.StatusServiceUnavailable)
		return nil
	}
	defer s.streams.leave(id.User.ID)
	changed, stop := s.Store.Watch()
	defer stop()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	st := stream{s: s, id: id, out: http.NewResponseController(w), w: w}
	err := st.run(r, changed)
	if errors.Is(err, auth.ErrSignedOut) {
		err = st.send("signed-out", "", nil)
	}
	if err != nil {
		// What was sent cannot be taken back: the client notices and comes again.
		s.Log.Debug("stream ended", "id", page.RequestID(r.Context()), "error", err)
	}
	return nil
}

// stream is one open stream.
type stream struct {
	s      *server
	id     *auth.Identity
	viewer activitypages.Viewer
	// managesUsers: is told what becomes of other users.
	managesUsers bool
	// readsAgents: is told what becomes of agents without a registered host.
	readsAgents bool
	w           http.ResponseWriter
	out         *http.ResponseController
	seq         uint64            // the change told last
	seen        activity.Position // the entry looked at last
}

func (st *stream) run(r *http.Request, changed <-chan struct{}) error {
	if err := st.start(r); err != nil {
		return err
	}
	ping := time.NewTicker(pingPeriod)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return st.send("stopping", "", nil)
		case <-ping.C:
			if err = st.s.Store.View(st.check); err == nil {
				err = st.write(": still here\n\n")
			}
		case <-changed:
			if err = st.tell(); err == nil {
				err = pause(r.Context())
			}
		}
		if err != nil {
			return err
		}
	}
}

// pause lets changes gather, so that a storm of them is a few events.
func pause(ctx context.Context) error {
	t := time.NewTimer(eventPause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done(): // the loop sees it, too, and says goodbye
	}
	return nil
}

// start places the stream behind what its client knows: the last event it
// got, or the change its page is as new as.
func (st *stream) start(r *http.Request) error {
	known := r.Header.Get("Last-Event-ID")
	if known == "" {
		known = r.URL.Query().Get("after")
	}
	err := st.s.Store.View(func(tx *store.Tx) error {
		st.seen, st.seq = tx.Newest(), tx.LastChange()
		if known == "" {
			return nil
		}
		// A cursor that cannot be opened, or is ahead of the journal, is of
		// another user or another file: tell everything.
		place, ok := st.s.Auth.OpenCursor(st.id.User, known)
		if !ok || place > st.seq {
			place = 0
		}
		st.seq = place
		return nil
	})
	if err != nil {
		return err
	}
	if err := st.write("retry: 2000\n\n"); err != nil {
		return err
	}
	return st.tell()
}

// tell sends what has changed since the last time, if anything.
func (st *stream) tell() error {
	var changes map[string][]string
	var toasts []activitypages.Toast
	err := st.s.Store.View(func(tx *store.Tx) (err error) {
		if err = st.check(tx); err != nil {
			return err
		}
		if changes, err = st.changes(tx); err != nil {
			return err
		}
		logged, toastsNow, err := st.news(tx)
		if logged {
			changes["activity"] = []string{everything}
		}
		toasts = toastsNow
		return err
	})
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		if err := st.send("change", st.s.Auth.SealCursor(st.id.User, st.seq), changes); err != nil {
			return err
		}
	}
	for _, t := range toasts {
		if err := st.send("toast", "", t); err != nil {
			return err
		}
	}
	return nil
}

// check looks whether the session still holds, and what its user may see now.
func (st *stream) check(tx *store.Tx) error {
	id, err := st.s.Auth.Revalidate(tx, st.id)
	if err == nil {
		st.viewer, err = activitypages.NewViewer(id)
		st.managesUsers, st.readsAgents = id.Can(page.AbilityUsers), id.Can(page.AbilityAPIKey)
	}
	return err
}

// changes maps kinds to what has changed of them. Of users and their tokens
// only those who manage users are told, and each user of what is their own;
// "self" is the user who watches. What is not told does not count either: a
// storm of it must not show as "everything".
func (st *stream) changes(tx *store.Tx) (map[string][]string, error) {
	changes, told := make(map[string][]string), 0
	for told <= maxChanges {
		list, err := tx.ChangedAfter(st.seq, changesRead)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			st.seq = c.Seq
			concerned, err := st.concerns(tx, c)
			if err != nil {
				return nil, err
			}
			if concerned {
				changes[c.Kind] = append(changes[c.Kind], c.ID)
				told++
			}
			if c.Kind == "user" && c.ID == strconv.FormatInt(st.id.User.ID, 10) {
				changes["self"] = []string{everything}
			}
		}
		if len(list) < changesRead {
			break
		}
	}
	if told > maxChanges {
		st.seq = tx.LastChange()
		return st.allChanged(), nil
	}
	return changes, nil
}

// allChanged names everything of every kind the user may be told of.
func (st *stream) allChanged() map[string][]string {
	kinds := []string{"host", "cluster", "database", "sap_system", "tags", "token", "view", "setting", "agent_report", "self"}
	if st.managesUsers {
		kinds = append(kinds, "user")
	}
	all := make(map[string][]string)
	for _, kind := range kinds {
		all[kind] = []string{everything}
	}
	return all
}

// concerns reports whether a change is one to be told.
func (st *stream) concerns(tx *store.Tx, c store.Change) (bool, error) {
	own := c.ID == strconv.FormatInt(st.id.User.ID, 10)
	switch c.Kind {
	case "user":
		return own || st.managesUsers, nil
	case "agent_report":
		if _, err := tx.Host(landscape.HostID(c.ID)); !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
		return st.readsAgents, nil
	case "view":
		return own, nil
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

// news looks at the entries written since the last time: whether there are
// any for this viewer, and which are worth a toast, oldest first.
func (st *stream) news(tx *store.Tx) (logged bool, toasts []activitypages.Toast, err error) {
	newest := tx.Newest()
	if newest <= st.seen {
		return false, nil, nil
	}
	from := st.seen + 1
	st.seen = newest
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
	return logged, activitypages.Heaviest(toasts, maxToasts), nil
}

// send writes one event. Its data is one line of JSON.
func (st *stream) send(event, id string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text := "event: " + event + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	return st.write(text + "data: " + string(body) + "\n\n")
}

// write sends text at once, or gives up in good time: one client that does
// not read must hold nothing. The deadline is lifted again, because over
// HTTP/2 it would end an idle stream.
func (st *stream) write(text string) error {
	if err := st.out.SetWriteDeadline(time.Now().Add(eventDeadline)); err != nil {
		return err
	}
	if _, err := st.w.Write([]byte(text)); err != nil {
		return err
	}
	if err := st.out.Flush(); err != nil {
		return err
	}
	return st.out.SetWriteDeadline(time.Time{})
}
