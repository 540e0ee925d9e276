package amqp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// errUnexpectedTLS ends a connection that begins with TLS on the port without
// it.
var errUnexpectedTLS = errors.New("it uses TLS on the port without TLS: its facts-service-url begins with amqps://, but names the port of amqp://")

// tlsHandshake is the first byte of a connection with TLS.
const tlsHandshake = 22

// tlsReason says why a connection failed if the reason is TLS; else "". The
// Agents page and the log show it, because it is usually a mistake in the
// configuration of an agent.
func tlsReason(err error) string {
	var record tls.RecordHeaderError
	var remote *net.OpError
	switch {
	case errors.Is(err, errUnexpectedTLS):
		return err.Error()
	case errors.As(err, &record):
		return "it does not use TLS on the port with TLS: its facts-service-url begins with amqp://, but names the port of amqps://"
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fmt.Sprintf("it ended the TLS handshake (%v): its host may not trust the certificate of this server, or use a name that is not in it", remote.Err)
	}
	return ""
}
