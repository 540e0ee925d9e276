package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"trento/auth"
	"trento/store"
	"trento/store/fault"
)

// viewScreen is a list that can have saved views. The ability is the one
// without which nobody sees the list; "" if everybody does.
type viewScreen struct{ path, ability string }

var viewScreens = []viewScreen{
	{"/hosts", ""}, {"/clusters", ""}, {"/databases", ""}, {"/sap_systems", ""}, {"/cleanup", ""}, {"/availability", ""}, {"/catalog", ""}, {"/activity_log", ""},
	{"/agents", abilityAPIKeySettings}, {"/users", "all:users"}, {"/tokens", "all:users"},
}

// maxViewQuery is the largest length of the query of a view, in characters. The
// store limits its encoded form.
const maxViewQuery = 2000

// ViewScreens returns the paths of the lists that can have saved views, each with
// the ability without which nobody sees the list.
func ViewScreens() map[string]string {
	screens := make(map[string]string, len(viewScreens))
	for _, s := range viewScreens {
		screens[s.path] = s.ability
	}
	return screens
}

// unsavedParameters say where in a list a reader is, and what is open there.
// Views do not keep them.
var unsavedParameters = []string{"page", "open", "peek", "entry", "correlation", "after", "before", "refreshRate"}

// CheckView returns a view with its query in the normal form, or a fault of
// screen or query.
func CheckView(view store.SavedView) (store.SavedView, error) {
	if !slices.ContainsFunc(viewScreens, func(s viewScreen) bool { return s.path == view.Screen }) {
		return view, fault.Field("screen", "is not a list that has views")
	}
	var err error
	view.Query, err = normalViewQuery(view.Query)
	return view, err
}

// normalViewQuery returns the query of a view in the normal form, or a fault of
// query.
func normalViewQuery(text string) (string, error) {
	if utf8.RuneCountInString(text) > maxViewQuery {
		return "", fault.Field("query", "is too long")
	}
	query, err := url.ParseQuery(text)
	if err != nil || CheckQuery(text) != nil || strings.HasPrefix(text, "?") {
		return "", fault.Field("query", "is not the query of an address, such as health=critical")
	}
	for _, name := range unsavedParameters {
		if query.Has(name) {
			return "", fault.Field("query", "must not have "+name+": views do not keep it")
		}
	}
	return query.Encode(), nil
}

// SharedViewsFor returns the shared views that a user can open: those of lists
// that the user sees, with filters that the user may use.
func SharedViewsFor(tx *store.Tx, id *auth.Identity) ([]*store.SharedView, error) {
	all, err := tx.SharedViews()
	return slices.DeleteFunc(all, func(v *store.SharedView) bool { return !canOpenView(id, v.SavedView) }), err
}

func canOpenView(id *auth.Identity, v store.SavedView) bool {
	for _, s := range viewScreens {
		if s.path == v.Screen && s.ability != "" && !id.Can(s.ability) {
			return false
		}
	}
	query, err := url.ParseQuery(v.Query)
	if err != nil || v.Screen != "/activity_log" {
		return err == nil
	}
	return !slices.ContainsFunc(query["actor"], func(actor string) bool { return !ViewerOf(id).seesActor(actor) })
}

// sharedView is a shared view in answers of the API.
type sharedView struct {
	ID        string    `json:"id"`
	Screen    string    `json:"screen"`
	Name      string    `json:"name"`
	Query     string    `json:"query"`
	Author    string    `json:"created_by"`
	AuthorID  int64     `json:"created_by_id"`
	CreatedAt timestamp `json:"created_at"`
	UpdatedAt timestamp `json:"updated_at"`
}

func newSharedView(v *store.SharedView) sharedView {
	return sharedView{
		ID: v.ID, Screen: v.Screen, Name: v.Name, Query: v.Query, Author: v.Author, AuthorID: v.AuthorID,
		CreatedAt: timestamp(v.CreatedAt), UpdatedAt: timestamp(v.UpdatedAt),
	}
}

// listSharedViews answers GET /api/v1/views.
func (a *API) listSharedViews(w http.ResponseWriter, r *http.Request) error {
	list := []sharedView{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		all, err := SharedViewsFor(tx, auth.From(r.Context()))
		for _, v := range all {
			list = append(list, newSharedView(v))
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, list)
}

// shareView answers POST /api/v1/views.
func (a *API) shareView(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	body := in.object()
	view := store.SavedView{Screen: required(body, "screen", asText), Name: required(body, "name", asText), Query: required(body, "query", asText)}
	if err := in.fault(); err != nil {
		return err
	}
	view, err := CheckView(view)
	if err != nil {
		return err
	}
	by := auth.From(r.Context())
	shared, err := a.deps.Store.ShareView(r.Context(), by.Actor(), by.User.ID, view)
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, newSharedView(shared))
}

// changeSharedView answers PATCH /api/v1/views/{id}.
func (a *API) changeSharedView(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, query := pathID[string](in, "id"), required(in.object(), "query", asText)
	if err := in.fault(); err != nil {
		return err
	}
	query, err := normalViewQuery(query)
	if err != nil {
		return err
	}
	changed, err := a.deps.Store.ChangeSharedView(r.Context(), auth.From(r.Context()).Actor(), id, query)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, newSharedView(changed))
}

// deleteSharedView answers DELETE /api/v1/views/{id}.
func (a *API) deleteSharedView(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.DeleteSharedView(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
