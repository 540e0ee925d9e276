package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// shownDisplay is a screen on a wall in answers of the API.
type shownDisplay struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	CodeUntil   *timestamp `json:"code_until"`   // nil: it has a browser
	ConnectedAt *timestamp `json:"connected_at"` // nil: it has no browser yet
	LastSeenAt  *timestamp `json:"last_seen_at"`
	Address     *string    `json:"address"`
	CreatedBy   string     `json:"created_by"`
	CreatedAt   timestamp  `json:"created_at"`
}

// displayWithCode is a new screen with its code, which is shown only once.
type displayWithCode struct {
	shownDisplay
	Code string `json:"code"`
}

func newShownDisplay(d *store.Display) shownDisplay {
	return shownDisplay{
		ID: d.ID, Name: d.Name, CodeUntil: timestampOrNull(d.CodeUntil), ConnectedAt: timestampOrNull(d.PairedAt), LastSeenAt: timestampOrNull(d.LastSeenAt),
		Address: textOrNull(d.Address), CreatedBy: d.CreatedBy, CreatedAt: timestamp(d.CreatedAt),
	}
}

// listDisplays answers GET /api/v1/displays.
func (a *API) listDisplays(w http.ResponseWriter, _ *http.Request) error {
	list := []shownDisplay{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		all, err := tx.Displays()
		for _, d := range all {
			list = append(list, newShownDisplay(d))
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, list)
}

// createDisplay answers POST /api/v1/displays. The answer has the code.
func (a *API) createDisplay(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	name := required(in.object(), "name", asText)
	if err := in.fault(); err != nil {
		return err
	}
	d, code, err := a.deps.Auth.NewDisplay(r.Context(), auth.From(r.Context()), name)
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, displayWithCode{newShownDisplay(d), code})
}

// deleteDisplay answers DELETE /api/v1/displays/{id}.
func (a *API) deleteDisplay(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.DeleteDisplay(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
