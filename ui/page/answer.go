package page

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

// A form that is not carried out is answered with a page: the form again with
// its faults, or a question. In a browser such a page would be the answer to a
// POST, which cannot be reloaded or gone back to without sending the form
// again. So the page is kept here, in memory, for the session that it answers,
// and the browser is redirected to its address. The address holds a random
// name and nothing that was typed.

// answerParameter names the kept answer in an address.
const answerParameter = "answer"

// The limits of what is kept: answers of a session and of all. The oldest make
// room.
const (
	maxSessionAnswers = 8
	maxAnswers        = 256
)

// answer is the page that answers a form.
type answer struct {
	name    string // in addresses; nobody can guess it
	session [32]byte
	path    string // of the form
	status  int

	mu   sync.Mutex // held while the page is written
	page Page
}

// answers are the kept answers, the oldest first.
type answers struct {
	mu  sync.Mutex
	all []*answer
}

// keep returns the name under which the session of the answer gets it again.
func (a *answers) keep(kept *answer) string {
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
		oldest = slices.IndexFunc(a.all, func(other *answer) bool { return other.session == kept.session })
	} else if len(a.all) > maxAnswers {
		oldest = 0
	}
	if oldest >= 0 {
		a.all = slices.Delete(a.all, oldest, oldest+1)
	}
	return kept.name
}

// get returns an answer of a session; nil where it is not kept any more.
func (a *answers) get(session [32]byte, path, name string) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.all, func(kept *answer) bool { return kept.name == name && kept.session == session && kept.path == path })
	if i < 0 {
		return nil
	}
	return a.all[i]
}

// Forget drops the answers of a session that ends.
func (a *answers) Forget(session [32]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = slices.DeleteFunc(a.all, func(kept *answer) bool { return kept.session == session })
}

// navigates reports whether a browser would make a page of the answer. Browsers
// say so, over plain HTTP by what they accept; programs, and scripts of the
// console, get the answer at once.
func navigates(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// redirectToAnswer keeps a page that answers a form and sends the browser to
// it. It reports false where the page has to be sent as it is.
func (s *Console) redirectToAnswer(w http.ResponseWriter, r *http.Request, status int, p Page) bool {
	id := auth.From(r.Context())
	if r.Method != http.MethodPost || !navigates(r) || id == nil || p.PageFrame().User == nil {
		return false
	}
	name := s.Answers.keep(&answer{session: id.SessionHash, path: r.URL.Path, status: status, page: p})
	query := r.URL.Query()
	query.Set(answerParameter, name)
	http.Redirect(w, r, WithQuery(r.URL.Path, query), http.StatusSeeOther)
	return true
}

// ShowAnswer answers the GET of a kept answer. One that is not kept any more
// leads to the form as it opens.
func (s *Console) ShowAnswer(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	kept := s.Answers.get(auth.From(r.Context()).SessionHash, r.URL.Path, query.Get(answerParameter))
	if kept == nil {
		query.Del(answerParameter)
		http.Redirect(w, r, WithQuery(r.URL.Path, query), http.StatusSeeOther)
		return nil
	}
	api.LeaveUncompressed(w) // a password may have been typed
	kept.mu.Lock()
	defer kept.mu.Unlock()
	frame := kept.page.PageFrame()
	frame.Here = (&url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}).RequestURI()
	if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.ReadFrame(frame, tx) }); err != nil {
		return err
	}
	return s.Render(w, r, kept.status, kept.page)
}

// AsksForAnswer reports whether a request is the GET of a kept answer.
func AsksForAnswer(r *http.Request) bool {
	return Reads(r) && auth.From(r.Context()) != nil && r.URL.Query().Has(answerParameter)
}

// Reads reports whether a request changes nothing.
func Reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }
