package mail

import "context"

// Check connects to the relay, begins TLS and signs in, and sends nothing. It
// returns the version of TLS, such as "TLS 1.3", or "" without TLS. It fails with
// an *Error.
func (r *Relay) Check(ctx context.Context) (tls string, err error) {
	d, failure := r.dial(ctx)
	if failure != nil {
		return "", failure
	}
	defer d.close()
	tls = d.tlsVersion()
	d.quit()
	return tls, nil
}
