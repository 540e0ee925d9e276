package discovery

import "trento/store/fault"

// The texts of problems that several functions report.
const (
	detailBlank        = "can't be blank"
	detailInvalid      = "is invalid"
	detailCannotHandle = "Unable to handle discovery."
	detailUnknown      = "Unknown discovery type."
)

// wholeBody is the field of a fault that concerns the body as a whole.
const wholeBody = "/"

// errUnknownForm returns the fault of a payload whose form no decoder knows.
func errUnknownForm() error { return &fault.Error{Detail: detailCannotHandle} }
