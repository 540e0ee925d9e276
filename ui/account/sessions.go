package account

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"trento/auth"
	"trento/store"
	"trento/ui/page"
)

// sessionList is a page of the sessions of one user: on the user's profile, or
// on the page on which user managers see the user.
type sessionList struct {
	Own      bool
	Rows     []sessionRow
	Total    int
	Others   int    // number of sessions other than the reader's present one
	Path     string // the paths for ending sessions begin with this
	Range    string // "1–10 of 12"; empty if all are on the page
	NewerURL string
	OlderURL string
}

// sessionRow is a session in the list.
type sessionRow struct {
	ID                string
	Device, UserAgent string
	Address           string
	Kind              string // "Console" or "API", and whether a token was used to sign in
	Created, LastSeen page.Timestamp
	Current           bool
}

// sessionsPerPage is the number of sessions on a page.
const sessionsPerPage = 10

// sessionPageParameter is the query parameter with the number of the page of
// sessions.
const sessionPageParameter = "sessions"

// newSessionList reads the sessions of a user, for a page at the given path.
// The query has the number of the page.
func (s *handlerBase) newSessionList(tx *store.Tx, reader *auth.Identity, u *store.User, path string, query url.Values) (sessionList, error) {
	list := sessionList{Own: path == "/profile", Path: path + "/sessions"}
	if !list.Own {
		list.Path = UserPath(u.ID, "sessions")
	}
	sessions, err := tx.Sessions(u.ID)
	if err != nil {
		return list, err
	}
	list.Total = len(sessions)
	for _, open := range sessions {
		if open.Hash != reader.SessionHash {
			list.Others++
		}
	}
	// A page that does not exist any more leads to the first.
	number, err := strconv.Atoi(query.Get(sessionPageParameter))
	if err != nil || number < 1 || (number-1)*sessionsPerPage >= len(sessions) {
		number = 1
	}
	from := (number - 1) * sessionsPerPage
	to := min(from+sessionsPerPage, len(sessions))
	at := func(n int) string {
		if n == 1 {
			return path + "#sessions"
		}
		return page.WithQuery(path, url.Values{sessionPageParameter: {strconv.Itoa(n)}}) + "#sessions"
	}
	if number > 1 {
		list.NewerURL = at(number - 1)
	}
	if to < len(sessions) {
		list.OlderURL = at(number + 1)
	}
	if len(sessions) > sessionsPerPage {
		list.Range = fmt.Sprintf("%d–%d of %d", from+1, to, len(sessions))
	}
	for _, open := range sessions[from:to] {
		row := s.newSessionRow(open)
		row.Current = open.Hash == reader.SessionHash
		list.Rows = append(list.Rows, row)
	}
	return list, nil
}

func (s *handlerBase) newSessionRow(open *store.Session) sessionRow {
	row := sessionRow{
		ID: open.ID, Device: deviceName(open.UserAgent), UserAgent: open.UserAgent, Address: open.Address,
		Kind: "Console", Created: s.Timestamp(open.CreatedAt), LastSeen: s.Timestamp(open.LastSeenAt),
	}
	if open.Kind == store.APISession {
		row.Kind = "API"
	}
	if open.Method == store.MethodToken {
		row.Kind += ", with a token"
	}
	return row
}

// endOneSession answers POST /profile/sessions/{id}/end.
func (s *profileHandlers) endOneSession(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	err := s.Store.EndSession(r.Context(), id.Actor(), id.User.ID, page.PathVar(r, "id"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.SetFlash(w, r, "The session was ended.")
	http.Redirect(w, r, "/profile#sessions", http.StatusSeeOther)
	return nil
}

// endOtherSessions answers POST /profile/sessions/end.
func (s *profileHandlers) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	id := auth.From(r.Context())
	if err := s.Store.EndOtherSessions(r.Context(), id.Actor(), id.User.ID, id.SessionHash); err != nil {
		return err
	}
	s.SetFlash(w, r, "All other sessions were ended.")
	http.Redirect(w, r, "/profile#sessions", http.StatusSeeOther)
	return nil
}

// endSessionOf answers GET and POST /users/{id}/sessions/{session}/end.
func (s *userHandlers) endSessionOf(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	var open *store.Session
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		open, err = tx.SessionOf(u.ID, page.PathVar(r, "session"))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return s.redirectToSessions(w, r, u, "The session had ended already.")
	}
	if err != nil {
		return err
	}
	row := s.newSessionRow(open)
	ask := page.Confirmation{
		Title: "End Session", Form: "confirmation-form", Verb: "End Session", Danger: true, Plan: "yes",
		Sentences: []string{fmt.Sprintf("The session of %s (%s, %s, signed in %s) ends at once. Signing in again is possible.", u.Username, row.Device, addressOrNone(row.Address), row.Created.Text())},
	}
	return s.endSessionsOf(w, r, u, &ask, fmt.Sprintf("The session of %s was ended.", u.Username), func(by store.Actor) error {
		return s.Store.EndSession(r.Context(), by, u.ID, open.ID)
	})
}

// endAllSessionsOf answers GET and POST /users/{id}/sessions/end.
func (s *userHandlers) endAllSessionsOf(w http.ResponseWriter, r *http.Request) error {
	u, err := s.userByID(r.Context(), page.PathVar(r, "id"))
	if err != nil {
		return err
	}
	ask := page.Confirmation{
		Title: "End All Sessions", Form: "confirmation-form", Verb: "End All Sessions", Danger: true, Plan: "yes",
		Sentences: []string{fmt.Sprintf("All sessions of %s end at once, those of the API included. Signing in again is possible; to prevent it, disable the user.", u.Username)},
	}
	keep := [32]byte{}
	if id := auth.From(r.Context()); id.User.ID == u.ID {
		keep = id.SessionHash
		ask.Sentences = append(ask.Sentences, "This is your own account: the session you are using now stays.")
	}
	return s.endSessionsOf(w, r, u, &ask, fmt.Sprintf("All sessions of %s were ended.", u.Username), func(by store.Actor) error {
		return s.Store.EndOtherSessions(r.Context(), by, u.ID, keep)
	})
}

// endSessionsOf ends sessions of another user: it shows the confirmation ask,
// and calls end once the reader has confirmed.
func (s *userHandlers) endSessionsOf(w http.ResponseWriter, r *http.Request, u *store.User, ask *page.Confirmation, done string, end func(store.Actor) error) error {
	ask.Action, ask.CloseURL = r.URL.Path, UserPath(u.ID, "edit")
	if r.Method != http.MethodPost || r.PostForm.Get("confirmed") != ask.Plan {
		return s.renderEditedUser(w, r, u, func(p *userPage) { p.Ask = ask })
	}
	if err := end(auth.From(r.Context()).Actor()); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.redirectToSessions(w, r, u, done)
}

func (s *userHandlers) redirectToSessions(w http.ResponseWriter, r *http.Request, u *store.User, news string) error {
	s.SetFlash(w, r, news)
	http.Redirect(w, r, UserPath(u.ID, "edit")+"#sessions", http.StatusSeeOther)
	return nil
}

// addressOrNone returns an address, or "no address" if it is empty.
func addressOrNone(text string) string {
	if text == "" {
		return "no address"
	}
	return text
}
