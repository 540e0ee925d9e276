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

// viewMenu is the named views of the reader on one list.
type viewMenu struct {
	Screen string
	Query  string // of the list as it is now, without the page
	Return string
	Views  []viewLink
	Max    int // characters of a name
}

// viewLink leads to a saved view.
type viewLink struct {
	Name, URL string
	Current   bool // the list looks like this now
}

// fillViews puts the saved views of the reader into a page.
func (p *Page) fillViews(s *page.Console, r *http.Request, query url.Values) error {
	p.Views = viewMenu{Screen: p.Path, Query: query.Encode(), Return: page.Here(r), Max: store.MaxViewName}
	return s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		views, err := tx.SavedViews(auth.From(r.Context()).User.ID)
		for _, v := range views {
			if v.Screen == p.Path {
				p.Views.Views = append(p.Views.Views, viewLink{v.Name, page.AddressOf(p.Path, v.Query), v.Query == p.Views.Query})
			}
		}
		return err
	})
}

// viewScreens are the tables whose look can be saved.
var viewScreens = []string{"/hosts", "/clusters", "/databases", "/sap_systems", "/cleanup", "/users", "/tokens"}

// saveView answers POST /views: keep the list as it is under a name.
func (s *Pages) saveView(w http.ResponseWriter, r *http.Request) error {
	view := store.SavedView{Screen: r.PostForm.Get("screen"), Name: r.PostForm.Get("name"), Query: r.PostForm.Get("query")}
	if !slices.Contains(viewScreens, view.Screen) {
		return page.ErrForm
	}
	// What is kept is a query and nothing else that a link could be made of.
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
