package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// FoundThing is a thing that a search has found, in answers of the API.
type FoundThing struct {
	Kind    string            `json:"kind"` // host, cluster, database, sap_system or user
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Health  *landscape.Health `json:"health"`  // null for users
	Matched []string          `json:"matched"` // the columns of the console with one of the words
	API     string            `json:"api"`     // address of the thing in the API
	Console string            `json:"console"` // address of its page
	// Distance says how well the name matches, 0 for the best.
	Distance int `json:"-"`
}

// defaultSearchLimit is how many things a search answers with, unless the client asks
// for another number.
const defaultSearchLimit = 25

// search answers GET /api/v1/search with the things that contain all words: first
// those with the name that was searched for, then those whose names begin with
// it.
func (a *API) search(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	if in.parameter("q") == nil {
		in.refuse("q", "Missing field: q")
	}
	words, limit := in.searchWords(), defaultSearchLimit
	if given := in.queryInteger("limit"); given != nil {
		if limit = *given; limit < 1 || limit > maxPageSize {
			in.refuse("limit", fmt.Sprintf("must be from 1 to %d", maxPageSize))
		}
	}
	if err := in.fault(); err != nil {
		return err
	}
	var found []FoundThing
	if words != "" {
		err := a.deps.Store.View(func(tx *store.Tx) (err error) {
			found, err = a.deps.Find(tx, words, auth.From(r.Context()).Can("all:users"))
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(found, func(x, y FoundThing) int { return cmp.Compare(x.Distance, y.Distance) })
	w.Header().Set("X-Total-Count", strconv.Itoa(len(found)))
	return sendValidated(w, r, orEmpty(found[:min(len(found), limit)]))
}
