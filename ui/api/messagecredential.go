package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// showMessageCredential answers GET /api/v1/settings/message_credential: with
// what agents sign in for messages. Only users with abilityAPIKeySettings get the
// password.
func (a *API) showMessageCredential(w http.ResponseWriter, r *http.Request) error {
	var credential auth.MessageCredential
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		credential, err = a.deps.Auth.MessageCredential(tx)
		return err
	})
	if err != nil {
		return err
	}
	answer := struct {
		User       string     `json:"user"`
		Password   *string    `json:"password"`
		CreatedAt  *timestamp `json:"created_at"`
		Configured bool       `json:"configured"`
	}{User: credential.User, Configured: credential.Configured}
	if !credential.Configured {
		answer.CreatedAt = timestampOf(&credential.CreatedAt)
	}
	if auth.From(r.Context()).Can(abilityAPIKeySettings) {
		answer.Password = &credential.Password
	}
	return send(w, http.StatusOK, answer)
}

// rotateMessageCredential answers POST /api/v1/settings/message_credential. The
// former password stops working, so all agents need the new one.
func (a *API) rotateMessageCredential(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Auth.RotateMessageCredential(r.Context(), auth.From(r.Context())); err != nil {
		return err
	}
	return a.showMessageCredential(w, r)
}
