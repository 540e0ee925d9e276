package api

import (
	"net/http"

	"trento/auth"
)

// beginTOTP answers GET /api/v1/profile/totp_enrollment. Each request generates
// a new secret. The method is GET because existing clients use it.
func (a *API) beginTOTP(w http.ResponseWriter, r *http.Request) error {
	offered, err := a.deps.Auth.BeginTOTP(r.Context(), auth.From(r.Context()))
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, struct {
		Secret          string `json:"secret"`
		SecretQREncoded string `json:"secret_qr_encoded"`
	}{offered.Secret, offered.URI})
}

// confirmTOTP answers POST /api/v1/profile/totp_enrollment.
func (a *API) confirmTOTP(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	code := required(in.object(), "totp_code", asText)
	if err := in.fault(); err != nil {
		return err
	}
	enabled, err := a.deps.Auth.ConfirmTOTP(r.Context(), auth.From(r.Context()), code)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, struct {
		TOTPEnabledAt timestamp `json:"totp_enabled_at"`
	}{timestamp(enabled)})
}

// disableTOTP answers DELETE /api/v1/profile/totp_enrollment.
func (a *API) disableTOTP(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	by := in.confirmingUserOnly()
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Auth.EndTOTP(r.Context(), by))
}
