package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// tag is a tag in answers of the API.
type tag struct {
	ID           uint64        `json:"id"`
	Value        string        `json:"value"`
	ResourceID   string        `json:"resource_id"`
	ResourceType store.TagKind `json:"resource_type"`
	InsertedAt   timestamp     `json:"inserted_at"`
	UpdatedAt    timestamp     `json:"updated_at"`
}

// newTags returns the tags of a host, cluster, database or SAP system.
func newTags[ID ~string](kind store.TagKind, id ID, tags []store.Tag) []tag {
	answer := make([]tag, len(tags))
	for i, t := range tags {
		inserted := timestamp(t.InsertedAt) // tags are never updated
		answer[i] = tag{
			ID: t.ID, Value: t.Value, ResourceID: string(id), ResourceType: kind, InsertedAt: inserted, UpdatedAt: inserted,
		}
	}
	return answer
}

// addTag returns the handler of POST /api/v1/hosts/{id}/tags or of the same
// route for another kind. The host may be unknown.
func (a *API) addTag(kind store.TagKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id := pathID[string](in, "id")
		given := in.emptyObject()
		if r.Header.Get("Content-Type") != "" { // without one, existing clients expect the fault of an empty body
			given = in.lenientObject()
		}
		text := required(given, "value", asText)
		if err := in.fault(); err != nil {
			return err
		}
		if err := a.deps.Store.AddTag(r.Context(), auth.From(r.Context()).Actor(), kind, id, text); err != nil {
			return err
		}
		stored, err := store.CheckTag(text)
		if err != nil {
			return err
		}
		return send(w, http.StatusCreated, struct {
			Value string `json:"value"`
		}{stored})
	}
}

// removeTag returns the handler of DELETE /api/v1/hosts/{id}/tags/{value} or of
// the same route for another kind.
func (a *API) removeTag(kind store.TagKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		id := pathID[string](in, "id")
		if err := in.fault(); err != nil {
			return err
		}
		err := a.deps.Store.DeleteTag(r.Context(), auth.From(r.Context()).Actor(), kind, id, pathText(r, "value"))
		if err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// changeTags returns the handler of POST /api/v1/hosts/tags or of the same route
// for another kind: it changes the tags of several things, all or none.
func (a *API) changeTags(kind store.TagKind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		in := readInput(r)
		body := in.object()
		change := store.TagChange{Kind: kind, IDs: required(body, "ids", asListOf(asID))}
		replaceIfGiven(body, "add", asListOf(asText), &change.Add)
		replaceIfGiven(body, "remove", asListOf(asText), &change.Remove)
		if err := in.fault(); err != nil {
			return err
		}
		outcome, err := a.deps.Store.ChangeTags(r.Context(), auth.From(r.Context()).Actor(), change)
		if err != nil {
			return err
		}
		return send(w, http.StatusOK, struct {
			Changed   []string `json:"changed"`
			Unchanged []string `json:"unchanged"`
		}{orEmpty(outcome.Changed), orEmpty(outcome.Unchanged)})
	}
}
