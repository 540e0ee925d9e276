package discovery

import "trento/store/fault"

// Details of problems that several places report.
const (
	detailBlank   = "can't be blank"
	detailInvalid = "is invalid"
	detailUnable  = "Unable to handle discovery."
	detailUnknown = "Unknown discovery type."
)

// wholeBody stands in the place of a field for a fault of the body as a whole.
const wholeBody = "/"

// unable refuses a payload of a form that no rule speaks about.
func unable() error { return &fault.Error{Detail: detailUnable} }
