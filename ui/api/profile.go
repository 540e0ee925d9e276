package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// profile is a user in answers to that user.
type profile struct {
	ID                      int64         `json:"id"`
	Fullname                string        `json:"fullname"`
	Username                string        `json:"username"`
	Email                   string        `json:"email"`
	Abilities               []ability     `json:"abilities"`
	PersonalAccessTokens    []tokenOfUser `json:"personal_access_tokens"`
	PasswordChangeRequested bool          `json:"password_change_requested"`
	TOTPEnabled             bool          `json:"totp_enabled"`
	AnalyticsEnabled        bool          `json:"analytics_enabled"`
	AnalyticsEULAAccepted   bool          `json:"analytics_eula_accepted"`
	AIConfiguration         *struct{}     `json:"ai_configuration"` // always null: this server has no assistant
	IDPUser                 bool          `json:"idp_user"`
	Timezone                string        `json:"timezone"`
	CreatedAt               timestamp     `json:"created_at"`
	UpdatedAt               timestamp     `json:"updated_at"`
}

// showProfile answers GET /api/v1/profile.
func (a *API) showProfile(w http.ResponseWriter, r *http.Request) error {
	return a.sendProfile(w, auth.From(r.Context()).User.ID)
}

func (a *API) sendProfile(w http.ResponseWriter, id int64) error {
	var answer profile
	err := a.deps.Store.View(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		tokens, err := tokensOfUser(tx, u)
		answer = profile{
			ID: u.ID, Fullname: u.Fullname, Username: u.Username, Email: u.Email,
			Abilities: abilitiesOf(u), PersonalAccessTokens: tokens,
			PasswordChangeRequested: u.PasswordChangeRequestedAt != nil, TOTPEnabled: u.TOTPEnabledAt != nil,
			AnalyticsEnabled: u.AnalyticsEnabledAt != nil, AnalyticsEULAAccepted: u.AnalyticsEULAAcceptedAt != nil,
			IDPUser: len(u.Identities) > 0, Timezone: u.Timezone, CreatedAt: timestamp(u.CreatedAt), UpdatedAt: timestamp(u.UpdatedAt),
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// changeProfile answers PATCH /api/v1/profile. While an identity provider is in
// charge, it refuses names, addresses and passwords as unexpected members.
func (a *API) changeProfile(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.object()
	c := auth.ProfileChange{
		Timezone:              optional(given, "timezone", asText),
		AnalyticsEnabled:      optional(given, "analytics_enabled", asBool),
		AnalyticsEULAAccepted: optional(given, "analytics_eula_accepted", asBool),
	}
	if a.deps.Auth.Provider() == nil {
		c.Fullname = optional(given, "fullname", asText)
		c.Email = optional(given, "email", asText)
		c.Password = optional(given, "password", asText)
		c.PasswordConfirmation = optional(given, "password_confirmation", asText)
		c.CurrentPassword = optional(given, currentPasswordMember, asText)
	}
	if err := in.fault(); err != nil {
		return err
	}
	u, err := a.deps.Auth.ChangeProfile(r.Context(), auth.From(r.Context()), c)
	if err != nil {
		return err
	}
	warnOfPassword(w, c.Password, u.Username)
	return a.sendProfile(w, u.ID)
}
