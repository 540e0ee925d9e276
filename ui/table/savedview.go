package table

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
	"trento/ui/api"
	"trento/ui/page"
)

// ViewMenu is the saved views of the reader for one list.
type ViewMenu struct {
	Screen string
	Query  string // query of the list at present, without what a view does not keep
	Return string
	Views  []viewLink
	Max    int // largest length of a name, in characters
}

// viewLink is a link to a saved view.
type viewLink struct {
	Name, URL string
	Current   bool // the list is in this state
}

// NewViewMenu returns the saved views of a reader for the list at a path. The
// query is the one of the list at present, without what a view does not keep,
// such as the page.
func NewViewMenu(tx *store.Tx, reader page.Reader, path string, query url.Values) (ViewMenu, error) {
	menu := ViewMenu{Screen: path, Query: query.Encode(), Return: reader.Here, Max: store.MaxViewName}
	views, err := tx.SavedViews(reader.Identity().User.ID)
	for _, v := range views {
		if v.Screen == path {
			menu.Views = append(menu.Views, viewLink{v.Name, page.AddressOf(path, v.Query), v.Query == menu.Query})
		}
	}
	return menu, err
}

// viewScreens are the lists that can have saved views.
var viewScreens = []string{
	"/hosts", "/clusters", "/databases", "/sap_systems", "/cleanup", "/availability", "/agents", "/catalog", "/activity_log", "/users", "/tokens",
}

// saveView answers POST /views: it saves the state of the list under a name.
func (s *Pages) saveView(w http.ResponseWriter, r *http.Request) error {
	view := store.SavedView{Screen: r.PostForm.Get("screen"), Name: r.PostForm.Get("name"), Query: r.PostForm.Get("query")}
	if !slices.Contains(viewScreens, view.Screen) {
		return page.ErrForm
	}
	// Parsing ensures that nothing but a query is stored.
	query, err := url.ParseQuery(view.Query)
	if err != nil || api.CheckQuery(view.Query) != nil {
		return page.ErrForm
	}
	view.Query = query.Encode()
	err = s.Store.SaveView(r.Context(), auth.From(r.Context()).User.ID, view)
	if wrong := fault.Fields(err); wrong != nil {
		s.SetFlash(w, r, "The view was not saved: its "+wrong.Error()+".")
		err = nil
	} else if err == nil {
		s.SetFlash(w, r, "The view was saved.")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}

// removeView answers POST /views/remove.
func (s *Pages) removeView(w http.ResponseWriter, r *http.Request) error {
	err := s.Store.DeleteView(r.Context(), auth.From(r.Context()).User.ID, r.PostForm.Get("screen"), r.PostForm.Get("name"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.SetFlash(w, r, "The view was removed.")
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}
