package auth

import (
	"errors"
	"net/http"
	"trento/auth/remote"
)

// keyRefusal is the error of CheckAPIKey: why an API key is refused. It is an
// ErrSignedOut.
type keyRefusal string

const (
	noAPIKey      keyRefusal = "the request has no API key"
	wrongAPIKey   keyRefusal = "the API key is not the present one"
	expiredAPIKey keyRefusal = "the API key has expired"
)

func (r keyRefusal) Error() string { return "auth: " + string(r) }

func (keyRefusal) Is(target error) bool { return target == ErrSignedOut }

// permitAgent decides whether a request of an agent is permitted, and records
// why it is not.
func (a *Auth) permitAgent(r *http.Request) error {
	err := a.CheckAPIKey(r.Header.Get(apiKeyHeader))
	if reason, refused := errors.AsType[keyRefusal](err); refused {
		a.agentRefusals.Add(a.log, "request of an agent refused", a.ClientAddress(r), string(reason), a.now())
		return ErrSignedOut // the agent is not told the reason
	}
	return err
}

// AgentRefusals lists the addresses from which requests of agents were refused
// since the start because of their API key, the latest first. total is the
// number of all such requests. The keys themselves are recorded nowhere.
func (a *Auth) AgentRefusals() (list []remote.Refusal, total int) {
	return a.agentRefusals.List()
}
