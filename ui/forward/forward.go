// Package forward sends entries of the activity log to systems that security
// teams already run: to a syslog server (RFC 5424 over TLS, RFC 5425) and to a
// receiver of OpenTelemetry logs (OTLP over HTTP). It has no queue and
// does not repeat failed attempts: package server does.
//
// Receivers get the events that programs get from the API, see [stream.Event]. Each
// has the id of its entry, so a receiver can recognise one that it gets twice.
package forward

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"trento/store/activity"
)

// The limits of sending.
const (
	dialTimeout = 10 * time.Second
	sendTimeout = 30 * time.Second // for one group of entries
)

// RefusedError means that a receiver works but will never accept some of the
// entries.
type RefusedError struct {
	Reason string
	// OthersTaken means that the receiver has accepted all other entries.
	// Otherwise it has accepted none, and the others can be sent again without
	// the refused ones.
	OthersTaken bool
}

func (e *RefusedError) Error() string { return "the receiver refused entries: " + e.Reason }

// Status is the state of the forwarding to one receiver.
type Status struct {
	Receiver Receiver
	Address  string
	Position activity.Position // of the last entry that the receiver has
	SentAt   time.Time         // when that entry was sent; zero: none since the start of the server
	Failure  string            // why entries cannot be sent, see Reason; "" if there is no failure
	Since    time.Time         // since when entries cannot be sent
}

// Receiver is a kind of receiver. At most one receiver of each kind can be
// configured.
type Receiver string

// The kinds of receivers.
const (
	ToSyslog Receiver = "syslog"
	ToOTLP   Receiver = "otlp"
)

// Label returns the name of the receiver for users.
func (r Receiver) Label() string {
	if r == ToSyslog {
		return "syslog server"
	}
	return "OpenTelemetry receiver"
}

// TLS names the files that secure a connection. They are read again for each
// connection, so that replaced certificates are used.
type TLS struct {
	CAFile            string // authorities that are trusted; "": those of the system
	CertFile, KeyFile string // certificate of this server; "": none
}

// config returns the TLS settings for a connection to host.
func (t TLS) config(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		text, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificate in PEM format", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Reason returns why entries could not be sent, in a form that all users may
// see: without addresses and without texts of the receiver.
func Reason(err error) string {
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var timeout net.Error
	var status *StatusError
	switch {
	case errors.As(err, &name):
		return "Its name cannot be resolved."
	case errors.As(err, &authority):
		return "Its certificate is from an authority that is not trusted."
	case errors.As(err, &host):
		return "Its certificate is for another name."
	case errors.As(err, &invalid):
		return "Its certificate is not valid now."
	case errors.As(err, &status):
		return fmt.Sprintf("It answers with status %d.", status.Status)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "It refuses the connection."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "It does not answer in time."
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return "A file with a certificate or key cannot be read."
	case strings.Contains(err.Error(), "tls: "):
		return "TLS could not be agreed on."
	}
	return "The connection breaks."
}
