package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
)

// openSession is a session that has not ended, in answers of the API.
type openSession struct {
	ID            string    `json:"id"`
	Kind          string    `json:"kind"`     // console or api
	Method        string    `json:"method"`   // how the user proved who they are
	TokenID       *string   `json:"token_id"` // id of the token that the user signed in with
	RemoteAddress string    `json:"remote_address"`
	UserAgent     string    `json:"user_agent"`
	CreatedAt     timestamp `json:"created_at"`
	LastSeenAt    timestamp `json:"last_seen_at"`
	ExpiresAt     timestamp `json:"expires_at"`
	Current       bool      `json:"current"` // true for the session of the request itself
}

// sessionPage is a page of sessions, newest first.
type sessionPage struct {
	Data       []openSession `json:"data"`
	Pagination pagination    `json:"pagination"`
}

func newOpenSession(s *store.Session, id *auth.Identity) openSession {
	shown := openSession{
		ID: s.ID, Kind: string(s.Kind), Method: s.Method, RemoteAddress: s.Address, UserAgent: s.UserAgent,
		CreatedAt: timestamp(s.CreatedAt), LastSeenAt: timestamp(s.LastSeenAt), ExpiresAt: timestamp(s.ExpiresAt), Current: s.Hash == id.SessionHash,
	}
	if s.TokenID != "" {
		shown.TokenID = &s.TokenID
	}
	return shown
}

// sessionCursor returns the cursor of the page after a session. It contains the
// time and the id by which sessions are sorted, so it stays valid after the
// session has ended.
func sessionCursor(s *store.Session) string {
	return strconv.FormatInt(s.CreatedAt.UnixMicro(), 10) + "." + s.ID
}

// sessionsAfter returns the sessions after a cursor. The second result is false
// if the cursor cannot be parsed.
func sessionsAfter(sessions []*store.Session, cursor string) ([]*store.Session, bool) {
	micros, id, ok := strings.Cut(cursor, ".")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !ok {
		return nil, false
	}
	created := time.UnixMicro(at)
	i := slices.IndexFunc(sessions, func(s *store.Session) bool {
		c := created.Compare(s.CreatedAt.Truncate(time.Microsecond))
		return c > 0 || c == 0 && s.ID > id
	})
	if i < 0 {
		return nil, true
	}
	return sessions[i:], true
}

// listOwnSessions answers GET /api/v1/profile/sessions.
func (a *API) listOwnSessions(w http.ResponseWriter, r *http.Request) error {
	return a.sendSessions(w, readInput(r), auth.From(r.Context()).User.ID)
}

// listSessionsOf answers GET /api/v1/users/{id}/sessions.
func (a *API) listSessionsOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	return a.sendSessions(w, in, in.pathNumber("id"))
}

func (a *API) sendSessions(w http.ResponseWriter, in *input, user int64) error {
	size, after := in.queryPage()
	if err := in.fault(); err != nil {
		return err
	}
	var sessions []*store.Session
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		if _, err = tx.User(user); err == nil {
			sessions, err = tx.Sessions(user)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !isBlank(after) {
		var ok bool
		if sessions, ok = sessionsAfter(sessions, after); !ok {
			return errBadRequest
		}
	}
	page := sessionPage{Data: []openSession{}}
	for _, s := range sessions[:min(size, len(sessions))] {
		page.Data = append(page.Data, newOpenSession(s, auth.From(in.r.Context())))
		cursor := sessionCursor(s)
		page.Pagination.EndCursor = &cursor
	}
	page.Pagination.First, page.Pagination.HasNextPage = size, len(sessions) > size
	return send(w, http.StatusOK, page)
}

// endOwnSession answers DELETE /api/v1/profile/sessions/{session_id}.
func (a *API) endOwnSession(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	session := pathID[string](in, "session_id")
	if err := in.fault(); err != nil {
		return err
	}
	id := auth.From(r.Context())
	return sendNoContent(w, a.deps.Store.EndSession(r.Context(), id.Actor(), id.User.ID, session))
}

// endOwnSessions answers DELETE /api/v1/profile/sessions. It ends all sessions
// of the user except that of the request.
func (a *API) endOwnSessions(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	return sendNoContent(w, a.deps.Store.EndOtherSessions(r.Context(), id.Actor(), id.User.ID, id.SessionHash))
}

// endSessionOf answers DELETE /api/v1/users/{id}/sessions/{session_id}.
func (a *API) endSessionOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	user, session := in.pathNumber("id"), pathID[string](in, "session_id")
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Store.EndSession(r.Context(), auth.From(r.Context()).Actor(), user, session))
}

// endSessionsOf answers DELETE /api/v1/users/{id}/sessions. It does not end the
// session of the request.
func (a *API) endSessionsOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	user := in.pathNumber("id")
	if err := in.fault(); err != nil {
		return err
	}
	id := auth.From(r.Context())
	return sendNoContent(w, a.deps.Store.EndOtherSessions(r.Context(), id.Actor(), user, id.SessionHash))
}
