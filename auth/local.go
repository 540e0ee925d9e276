package auth

import (
	"context"
	"net/http"

	"trento/store"
)

// localKey is the key of a context whose requests come from a command on this
// machine.
type localKey struct{}

// WithLocalCaller returns a context for requests of commands on this machine,
// such as trento-web get. They are identified as the default admin without a
// password. So the caller must make sure that nobody else can send them: whoever
// can, must be able to read the files of the server anyway.
func WithLocalCaller(ctx context.Context) context.Context {
	return context.WithValue(ctx, localKey{}, true)
}

// isLocalCaller reports whether a request has a context of WithLocalCaller.
func isLocalCaller(r *http.Request) bool { return r.Context().Value(localKey{}) != nil }

// identifyLocalCaller returns the identity behind a request of a command on this
// machine.
func (a *Auth) identifyLocalCaller(r *http.Request) (id *Identity, err error) {
	err = a.store.ViewIn(r.Context(), func(tx *store.Tx) error {
		id, err = a.localIdentity(tx)
		return err
	})
	return id, err
}

// localIdentity returns the default admin as the identity of a command on this
// machine.
func (a *Auth) localIdentity(tx *store.Tx) (*Identity, error) {
	user, err := tx.UserNamed(a.adminName)
	if err != nil {
		return nil, err
	}
	return &Identity{User: user, Via: ViaLocal, providerInCharge: a.provider != nil}, nil
}
