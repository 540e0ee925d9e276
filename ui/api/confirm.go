package api

import "trento/auth"

// currentPassword is the member in which a request shows the password once
// more, where nothing but the cookie of the console speaks for the user.
const currentPassword = "current_password"

// confirming is who asks, with the password that the body shows once more.
func (in *input) confirming(body *object) *auth.Identity {
	id := auth.From(in.r.Context())
	if password := optional(body, currentPassword, asText); password != nil {
		return id.Confirming(*password)
	}
	return id
}

// confirmingOnly is confirming for requests whose body says nothing else. Of a
// program, which shows what it may do with each request, no body is read.
func (in *input) confirmingOnly() *auth.Identity {
	if id := auth.From(in.r.Context()); !id.MustConfirm() {
		return id
	}
	return in.confirming(in.optionalObject())
}
