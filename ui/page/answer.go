package page

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

// Some forms are answered with a page: the form with its faults, or a question.
// A browser could not reload such an answer to a POST, or return to it, without
// sending the form again. So the page is kept in memory for the session, and
// the browser is redirected to its address. The address has a random name and
// nothing of the input.

// answerParameter is the query parameter with the name of a kept answer.
const answerParameter = "answer"

// The limits of kept answers: per session and in total. Beyond them the oldest
// are forgotten.
const (
	maxSessionAnswers = 8
	maxAnswers        = 256
)

// keptAnswer is the page that answers a form.
type keptAnswer struct {
	name    string // random; part of the address
	session [32]byte
	path    string // path of the form
	status  int

	mu   sync.Mutex // held while the page is written
	page Page
}

// keptAnswers are the kept answers, the oldest first.
type keptAnswers struct {
	mu  sync.Mutex
	all []*keptAnswer
}

// keep keeps an answer and returns its name.
func (a *keptAnswers) keep(kept *keptAnswer) string {
	name := make([]byte, 16)
	rand.Read(name)
	kept.name = base64.RawURLEncoding.EncodeToString(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, kept)
	own := 0
	for _, other := range a.all {
		if other.session == kept.session {
			own++
		}
	}
	oldest := -1
	if own > maxSessionAnswers {
		oldest = slices.IndexFunc(a.all, func(other *keptAnswer) bool { return other.session == kept.session })
	} else if len(a.all) > maxAnswers {
		oldest = 0
	}
	if oldest >= 0 {
		a.all = slices.Delete(a.all, oldest, oldest+1)
	}
	return kept.name
}

// get returns an answer of a session; nil if it is not kept any more.
func (a *keptAnswers) get(session [32]byte, path, name string) *keptAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.all, func(kept *keptAnswer) bool { return kept.name == name && kept.session == session && kept.path == path })
	if i < 0 {
		return nil
	}
	return a.all[i]
}

// Forget forgets the answers of a session.
func (a *keptAnswers) Forget(session [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = slices.DeleteFunc(a.all, func(kept *keptAnswer) bool { return kept.session == session })
}

// isPageNavigation reports whether a browser will show the answer as a page.
// Browsers say so in a header, or over plain HTTP by what they accept. Programs
// and the scripts of the console get the answer directly.
func isPageNavigation(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// redirectToAnswer keeps a page that answers a form and redirects to it. It
// returns false if the page has to be sent directly.
func (s *Console) redirectToAnswer(w http.ResponseWriter, r *http.Request, status int, p Page) bool {
	id := auth.From(r.Context())
	if r.Method != http.MethodPost || !isPageNavigation(r) || id == nil || p.PageFrame().User == nil {
		return false
	}
	name := s.Answers.keep(&keptAnswer{session: id.SessionHash, path: r.URL.Path, status: status, page: p})
	query := r.URL.Query()
	query.Set(answerParameter, name)
	http.Redirect(w, r, WithQuery(r.URL.Path, query), http.StatusSeeOther)
	return true
}

// ShowAnswer answers the GET of a kept answer. If it is not kept any more, it
// redirects to the empty form.
func (s *Console) ShowAnswer(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	kept := s.Answers.get(auth.From(r.Context()).SessionHash, r.URL.Path, query.Get(answerParameter))
	if kept == nil {
		query.Del(answerParameter)
		http.Redirect(w, r, WithQuery(r.URL.Path, query), http.StatusSeeOther)
		return nil
	}
	api.LeaveUncompressed(w) // the input may contain a password
	kept.mu.Lock()
	defer kept.mu.Unlock()
	frame := kept.page.PageFrame()
	frame.Reader = s.newReader(r)
	if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.ReadFrame(frame, tx) }); err != nil {
		return err
	}
	return s.Render(w, r, kept.status, kept.page)
}

// AsksForAnswer reports whether a request is the GET of a kept answer.
func AsksForAnswer(r *http.Request) bool {
	return IsReadOnly(r) && auth.From(r.Context()) != nil && r.URL.Query().Has(answerParameter)
}

// IsReadOnly reports whether the method of a request permits no change.
func IsReadOnly(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}
