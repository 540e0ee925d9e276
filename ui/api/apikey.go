package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// abilityAPIKeySettings is the ability to read the API key of the agents.
const abilityAPIKeySettings = "all:api_key_settings"

// showAPIKey answers GET /api/v1/settings/api_key with creation and expiry of
// the API key. Only users with the ability abilityAPIKeySettings get the key itself.
func (a *API) showAPIKey(w http.ResponseWriter, r *http.Request) error {
	var key *store.APIKey
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		key, err = tx.APIKey()
		return err
	})
	if err != nil {
		return err
	}
	return a.sendAPIKey(w, r, key)
}

// regenerateAPIKey answers PATCH /api/v1/settings/api_key. The former key stops
// working, so all agents need the new one.
func (a *API) regenerateAPIKey(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	expires := required(in.object(), "expire_at", orNull(asTime))
	rotate := optional(in.object(), "rotate_message_credential", asBool)
	if err := in.fault(); err != nil {
		return err
	}
	key, err := a.deps.Auth.RegenerateAPIKey(r.Context(), auth.From(r.Context()), expires, rotate != nil && *rotate)
	if err != nil {
		return err
	}
	return a.sendAPIKey(w, r, key)
}

func (a *API) sendAPIKey(w http.ResponseWriter, r *http.Request, key *store.APIKey) error {
	answer := struct {
		CreatedAt       timestamp  `json:"created_at"`
		GeneratedAPIKey *string    `json:"generated_api_key"`
		ExpireAt        *timestamp `json:"expire_at"`
	}{CreatedAt: timestamp(key.CreatedAt), ExpireAt: timestampOf(key.ExpiresAt)}
	if auth.From(r.Context()).Can(abilityAPIKeySettings) {
		text := a.deps.Auth.APIKeyText(key)
		answer.GeneratedAPIKey = &text
	}
	return send(w, http.StatusOK, answer)
}
