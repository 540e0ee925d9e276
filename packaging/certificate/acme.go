package certificate

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME says from which certificate authority certificates are obtained. Asking
// it accepts its terms.
type ACME struct {
	Domain    string // for which the certificates are
	Email     string // where the authority sends warnings; "" for none
	Directory string // URL of the authority; "" for Let's Encrypt
	// CAFile has the certificates that are trusted for Directory, in PEM; "" for
	// those of the system.
	CAFile string
}

// challengeProtocol is the protocol with which an authority checks over TLS
// whether the domain leads to this server.
const challengeProtocol = acme.ALPNProto

// authority obtains certificates with ACME, and renews them at two thirds of
// their life or 30 days before they end.
type authority struct {
	domain  string
	manager *autocert.Manager
	retryAt time.Time
	pause   time.Duration // after the last failure; 0 if the last attempt succeeded
}

const (
	// The first pause is longer than the manager remembers a failure. Authorities
	// allow few failed attempts an hour.
	minACMEPause = 90 * time.Second
	maxACMEPause = time.Hour
	// acmeRequestTimeout is for a single request to the authority.
	acmeRequestTimeout = time.Minute
)

func newAuthority(o ACME, directory string) (*authority, error) {
	client := &acme.Client{DirectoryURL: cmp.Or(o.Directory, acme.LetsEncryptURL), UserAgent: "trento-web"}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("TLS_ACME_CA_FILE: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("TLS_ACME_CA_FILE %s has no certificate in PEM format", o.CAFile)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		client.HTTPClient = &http.Client{Transport: transport, Timeout: acmeRequestTimeout}
	}
	a := &authority{domain: o.Domain}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(directory, "acme")), Email: o.Email, Client: client,
		HostPolicy: func(_ context.Context, host string) error {
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			if host != o.Domain {
				return fmt.Errorf("%q is not the domain of this server", host)
			}
			return nil
		},
	}
	return a, nil
}

// asks reports whether a handshake is one with which the authority checks the
// domain.
func (a *authority) asks(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == challengeProtocol
}

// obtained returns the certificate that was obtained and kept before the last
// stop; nil if there is none.
func (a *authority) obtained(ctx context.Context) *tls.Certificate {
	text, err := a.manager.Cache.Get(ctx, a.domain)
	if err != nil {
		return nil
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil
	}
	return &pair
}

// certificate returns the newest certificate of the authority. If there is none,
// it asks for one, which can take minutes.
func (a *authority) certificate(ctx context.Context) (*tls.Certificate, error) {
	type answer struct {
		pair *tls.Certificate
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // the manager knows no context; at a stop it is left behind
		pair, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
			ServerName: a.domain, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		})
		answers <- answer{pair, err}
	}()
	select {
	case got := <-answers:
		return got.pair, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// obtain uses the newest certificate of the authority. After a failure it waits
// before it asks again, longer each time.
func (k *Keeper) obtain(ctx context.Context) {
	a := k.authority
	if k.now().Before(a.retryAt) {
		return
	}
	pair, err := a.certificate(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err == nil:
		a.pause = 0
	default:
		a.pause = min(max(2*a.pause, minACMEPause), maxACMEPause)
		a.retryAt = k.now().Add(a.pause)
		err = fmt.Errorf("the authority gave none for %s: %w", a.domain, err)
	}
	k.replace(pair, err)
}
