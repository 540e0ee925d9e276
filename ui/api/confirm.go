package api

import "trento/auth"

// currentPassword is the member of a body that confirms a change. It is required
// where a cookie of the console is all that identifies the user.
const currentPassword = "current_password"

// confirming returns the user of the request, with the password from the body.
func (in *input) confirming(body *object) *auth.Identity {
	id := auth.From(in.r.Context())
	if password := optional(body, currentPassword, asText); password != nil {
		return id.Confirming(*password)
	}
	return id
}

// confirmingOnly is confirming for routes whose body has no other member. The
// body is not read if the user need not confirm: programs with a token send none.
func (in *input) confirmingOnly() *auth.Identity {
	if id := auth.From(in.r.Context()); !id.MustConfirm() {
		return id
	}
	return in.confirming(in.optionalObject())
}
