package table

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/page"
)

// sharedViewPage asks whether a shared view should be replaced or removed.
type sharedViewPage struct {
	page.Frame
	Name, Origin string
	Screen       string
	Replaces     bool
	Action       string
	Now, Then    viewState // what it shows, and what it would show
	Return       string
	Plan         string // the query that the answer is about; see confirmedPlan
}

// Template implements page.Page.
func (*sharedViewPage) Template() string { return "sharedview" }

// viewState is what a view shows.
type viewState struct{ Words, URL, Query string }

func newViewState(screen, query string) viewState {
	values, _ := url.ParseQuery(query) // checked before it was stored
	var words []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		words = append(words, name+": "+strings.Join(values[name], ", "))
	}
	if len(words) == 0 {
		words = []string{"everything, in the usual order"}
	}
	return viewState{Words: strings.Join(words, "; "), URL: page.AddressOf(screen, query), Query: query}
}

// originOf says who has shared a view, and when.
func originOf(v *store.SharedView) string {
	return "by " + v.Author + ", " + v.CreatedAt.UTC().Format("02 Jan 2006")
}

// shareView answers POST /views/shared: it saves the state of the list for
// everybody. If there is a shared view with that name, it asks whether to replace
// it.
func (s *Pages) shareView(w http.ResponseWriter, r *http.Request) error {
	view, err := postedView(r)
	if err != nil {
		return err
	}
	var taken *store.SharedView
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		taken, err = tx.SharedViewNamed(view.Screen, view.Name)
		return err
	})
	if err == nil {
		return s.askAboutSharedView(w, r, taken, view.Query)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	by := auth.From(r.Context())
	_, err = s.Store.ShareView(r.Context(), by.Actor(), by.User.ID, view)
	if wrong := fault.Fields(err); wrong != nil {
		return s.backToList(w, r, "The view was not shared: its "+wrong.Error()+".")
	}
	if kind, ok := fault.KindOf(err); ok && kind == fault.Conflict {
		return s.backToList(w, r, "The view was not shared. "+err.Error())
	}
	if err != nil {
		return err
	}
	return s.backToList(w, r, "The view is shared with everybody.")
}

// replaceSharedView answers POST /views/shared/{id}/replace.
func (s *Pages) replaceSharedView(w http.ResponseWriter, r *http.Request) error {
	v, err := s.sharedView(r)
	if err != nil {
		return err
	}
	view, err := postedView(r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("confirmed") != confirmedPlan(v) {
		return s.askAboutSharedView(w, r, v, view.Query)
	}
	if _, err := s.Store.ChangeSharedView(r.Context(), auth.From(r.Context()).Actor(), v.ID, view.Query); err != nil {
		return err
	}
	return s.backToList(w, r, "The view “"+v.Name+"” was replaced for everybody.")
}

// removeSharedView answers POST /views/shared/{id}/remove. It asks first.
func (s *Pages) removeSharedView(w http.ResponseWriter, r *http.Request) error {
	v, err := s.sharedView(r)
	if errors.Is(err, store.ErrNotFound) {
		return s.backToList(w, r, "The view was removed already.")
	}
	if err != nil {
		return err
	}
	if r.PostForm.Get("confirmed") != confirmedPlan(v) {
		p := s.newSharedViewPage(r, "Remove a shared view", v)
		p.Action = "/views/shared/" + v.ID + "/remove"
		return s.renderSharedView(w, r, p)
	}
	if err := s.Store.DeleteSharedView(r.Context(), auth.From(r.Context()).Actor(), v.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.backToList(w, r, "The view “"+v.Name+"” was removed for everybody.")
}

func (s *Pages) sharedView(r *http.Request) (v *store.SharedView, err error) {
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		v, err = tx.SharedView(page.PathVar(r, "id"))
		return err
	})
	return v, err
}

// confirmedPlan is what a form sends back whose reader has seen the view as it
// is: what somebody else has changed meanwhile is asked about again.
func confirmedPlan(v *store.SharedView) string { return "shows " + v.Query }

// askAboutSharedView asks whether a shared view should show another query.
func (s *Pages) askAboutSharedView(w http.ResponseWriter, r *http.Request, v *store.SharedView, query string) error {
	if query == v.Query {
		return s.backToList(w, r, "The view is shared with everybody.")
	}
	p := s.newSharedViewPage(r, "Replace a shared view", v)
	p.Replaces, p.Action, p.Then = true, "/views/shared/"+v.ID+"/replace", newViewState(v.Screen, query)
	return s.renderSharedView(w, r, p)
}

func (s *Pages) newSharedViewPage(r *http.Request, title string, v *store.SharedView) *sharedViewPage {
	return &sharedViewPage{
		Frame: s.NewFrame(r, title), Name: v.Name, Origin: originOf(v), Now: newViewState(v.Screen, v.Query), Plan: confirmedPlan(v),
		Screen: v.Screen, Return: auth.LocalTarget(r.PostForm.Get("return_to")),
	}
}

func (s *Pages) renderSharedView(w http.ResponseWriter, r *http.Request, p *sharedViewPage) error {
	if err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error { return s.ReadFrame(&p.Frame, tx) }); err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, p)
}
