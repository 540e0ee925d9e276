package api

import "trento/auth"

// currentPasswordMember is the name of the member of a body with the repeated
// password. It is required for some changes, see auth.Identity.MustConfirm.
const currentPasswordMember = "current_password"

// confirmingUser returns the identity behind the request, with the repeated
// password from the body.
func (in *input) confirmingUser(body *object) *auth.Identity {
	id := auth.From(in.r.Context())
	if password := optional(body, currentPasswordMember, asText); password != nil {
		return id.Confirming(*password)
	}
	return id
}

// confirmingUserOnly is confirmingUser for routes whose body has no other
// member. If the user need not repeat the password, it does not read the body,
// because programs with a token send none.
func (in *input) confirmingUserOnly() *auth.Identity {
	if id := auth.From(in.r.Context()); !id.MustConfirm() {
		return id
	}
	return in.confirmingUser(in.optionalObject())
}
