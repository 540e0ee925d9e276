package page

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"trento/auth"
	"trento/store/fault"
)

// Missing returns auth.ErrForbidden with a sentence that names the missing
// permission and its purpose, such as "To filter the activity log by other
// users".
func Missing(permission, purpose string) error {
	return &fault.Error{
		Kind:   fault.Forbidden,
		Detail: fmt.Sprintf("%s you need the permission %s. Somebody with the permission all:users can grant it to you.", purpose, permission),
		Cause:  auth.ErrForbidden,
	}
}

// Faults that are found before any handler sees the request.
var (
	ErrNoRoute     = fault.New(fault.NotFound, "no such page")
	ErrMethod      = fault.New(fault.WrongMethod, "method not allowed")
	ErrCrossOrigin = fault.New(fault.CrossOrigin, "sent by another site")
	ErrForm        = fault.New(fault.Malformed, "form cannot be read")
)

// IgnoreGone drops the error of a client that has closed the connection: nobody
// is left to answer, and nothing is wrong on our side.
func IgnoreGone(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
