package api

import "trento/auth"

// currentPassword is the member of a body that confirms a change. It is
// required if only the cookie of the console identifies the user.
const currentPassword = "current_password"

// confirming returns the user of the request, with the password from the body.
func (in *input) confirming(body *object) *auth.Identity {
	id := auth.From(in.r.Context())
	if password := optional(body, currentPassword, asText); password != nil {
		return id.Confirming(*password)
	}
	return id
}

// confirmingOnly is confirming for routes whose body has no other member. It
// does not read the body if the user need not confirm: programs with a token
// send none.
func (in *input) confirmingOnly() *auth.Identity {
	if id := auth.From(in.r.Context()); !id.MustConfirm() {
		return id
	}
	return in.confirming(in.optionalObject())
}
