package page

import (
	"errors"
	"net"
	"syscall"

	"trento/auth"
)

// Refusal is auth.ErrForbidden that knows what is missing.
type Refusal struct {
	Ability string
	Action  string // "To filter the activity log by other users"
}

func (e *Refusal) Error() string { return "needs " + e.Ability }

func (e *Refusal) Unwrap() error { return auth.ErrForbidden }

// What is wrong with a request before any handler has seen it.
var (
	ErrNoRoute     = errors.New("no such page")
	ErrMethod      = errors.New("method not allowed")
	ErrCrossOrigin = errors.New("sent by another site")
	ErrForm        = errors.New("form cannot be read")
)

// IgnoreGone drops the error of a client that has hung up: there is nobody
// left to answer, and nothing is wrong with us.
func IgnoreGone(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
