package table

import (
	"errors"
	"net/http"
	"net/url"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// ViewMenu is the saved views of one list: those of the reader and those that
// are shared with everybody.
type ViewMenu struct {
	Screen string
	Query  string // query of the list at present, without what a view does not keep
	Return string
	Own    []viewLink
	Shared []viewLink
	Shares bool // the reader may share views
	Max    int  // largest length of a name, in characters
}

// Count returns how many views there are.
func (m ViewMenu) Count() int { return len(m.Own) + len(m.Shared) }

// viewLink is a link to a saved view.
type viewLink struct {
	Name, URL string
	Current   bool // the list is in this state
	// ID and Origin are of a shared view. Origin says who has shared it, and when.
	ID, Origin string
}

// NewViewMenu returns the saved views of the list at a path for a reader. The
// query is the one of the list at present, without what a view does not keep,
// such as the page.
func NewViewMenu(tx *store.Tx, reader page.Reader, path string, query url.Values) (ViewMenu, error) {
	menu := ViewMenu{Screen: path, Query: query.Encode(), Return: reader.Here, Max: store.MaxViewName, Shares: reader.Can(page.AbilityUsers)}
	link := func(v store.SavedView) viewLink {
		return viewLink{Name: v.Name, URL: page.AddressOf(path, v.Query), Current: v.Query == menu.Query}
	}
	own, err := tx.SavedViews(reader.Identity().User.ID)
	if err != nil {
		return menu, err
	}
	for _, v := range own {
		if v.Screen == path {
			menu.Own = append(menu.Own, link(v))
		}
	}
	shared, err := api.SharedViewsFor(tx, reader.Identity())
	for _, v := range shared {
		if v.Screen == path {
			l := link(v.SavedView)
			l.ID, l.Origin = v.ID, originOf(v)
			menu.Shared = append(menu.Shared, l)
		}
	}
	return menu, err
}

// saveView answers POST /views: it saves the state of the list under a name.
func (s *Pages) saveView(w http.ResponseWriter, r *http.Request) error {
	view, err := postedView(r)
	if err != nil {
		return err
	}
	err = s.Store.SaveView(r.Context(), auth.From(r.Context()).User.ID, view)
	if wrong := fault.Fields(err); wrong != nil {
		return s.backToList(w, r, "The view was not saved: its "+wrong.Error()+".")
	}
	if err != nil {
		return err
	}
	return s.backToList(w, r, "The view was saved.")
}

// postedView returns the view in a form. The page has made its query, so a fault
// of it is one of the form.
func postedView(r *http.Request) (store.SavedView, error) {
	view, err := api.CheckView(store.SavedView{Screen: r.PostForm.Get("screen"), Name: r.PostForm.Get("name"), Query: r.PostForm.Get("query")})
	if err != nil {
		return view, page.ErrForm
	}
	return view, nil
}

// removeView answers POST /views/remove.
func (s *Pages) removeView(w http.ResponseWriter, r *http.Request) error {
	err := s.Store.DeleteView(r.Context(), auth.From(r.Context()).User.ID, r.PostForm.Get("screen"), r.PostForm.Get("name"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.backToList(w, r, "The view was removed.")
}

// backToList sends a browser back to the list that a form came from, with a
// message.
func (s *Pages) backToList(w http.ResponseWriter, r *http.Request, message string) error {
	s.SetFlash(w, r, message)
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}
