// Package certificate keeps the TLS certificate of the server, and replaces it
// while the server runs. It reads the certificate from files of the
// administrator, makes a self-signed one, or obtains one from a certificate
// authority with ACME.
//
// A handshake never waits for a file or an authority: it gets the certificate
// that is in use at that moment. Connections that are open keep theirs. If a new
// certificate cannot be used, the present one stays in use, and Status and the
// log say why.
package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
)

// Options are what New needs. CertFile and KeyFile, or SelfSigned, or ACME say
// where the certificate comes from.
type Options struct {
	CertFile, KeyFile string // PEM files of the administrator; they may be one file
	SelfSigned        bool
	ACME              *ACME
	// Directory is for certificates that are made or obtained, and their keys.
	Directory string
	// Names returns host names and addresses for a self-signed certificate. It
	// is called when one is made.
	Names func(context.Context) ([]string, []net.IP)
	// Host is the host name by which the server is known; "" if nobody has said
	// so. A certificate without it is reported.
	Host string
	Now  func() time.Time
	Log  *slog.Logger
}

// Keeper keeps the certificate. All methods are safe for concurrent use.
type Keeper struct {
	options   Options
	now       func() time.Time
	log       *slog.Logger
	authority *authority // nil without ACME
	current   atomic.Pointer[tls.Certificate]

	mutex       sync.Mutex
	files       pairFiles // as they were when they were last looked at
	failure     string    // why there is no newer certificate; "" if there is no reason
	lastWarning time.Time // of a certificate that ends soon
}

// New returns a Keeper. It has no certificate before Load.
func New(o Options) (k *Keeper, err error) {
	k = &Keeper{options: o, now: o.Now, log: o.Log}
	if o.ACME != nil {
		k.authority, err = newAuthority(*o.ACME, o.Directory)
	}
	return k, err
}

// Load reads the certificate, or makes one if it is self-signed. It fails if the
// certificate cannot be used, except for its age: agents of a server that does
// not start would not report at all. With ACME it reads what was obtained
// earlier; the first certificate comes with Renew. Until then a self-signed one
// is used.
func (k *Keeper) Load(ctx context.Context) error {
	var pair *tls.Certificate
	var err error
	switch {
	case k.authority != nil:
		if pair = k.authority.storedCertificate(); pair == nil {
			pair, err = k.loadSelfSigned(ctx)
		}
	case k.options.SelfSigned:
		pair, err = k.loadSelfSigned(ctx)
	default:
		k.files = readPairFiles(k.options.CertFile, k.options.KeyFile)
		pair, err = k.files.parse()
	}
	if err != nil {
		return err
	}
	k.use(pair)
	k.warn()
	return nil
}

// Renew replaces the certificate if its files have changed, if it has to be made
// again, or if the authority has a new one. It must be called every few seconds.
func (k *Keeper) Renew(ctx context.Context) {
	switch {
	case k.authority != nil:
		k.obtain(ctx)
	case k.options.SelfSigned:
		if k.selfSignedEndsSoon(k.current.Load().Leaf) {
			pair, err := k.makeSelfSigned(ctx)
			k.replace(pair, err)
		}
	default:
		k.reload()
	}
	k.warn()
}

// reload reads the files again, and uses them if they have changed.
func (k *Keeper) reload() {
	files := readPairFiles(k.options.CertFile, k.options.KeyFile)
	k.mutex.Lock()
	changed := !files.equal(k.files)
	k.files = files
	k.mutex.Unlock()
	if !changed {
		return
	}
	pair, err := files.parse()
	if err == nil && k.now().After(pair.Leaf.NotAfter) {
		err = errors.New("the new certificate has expired")
	}
	k.replace(pair, err)
}

// replace uses a new certificate, unless there is an error. An error is logged
// when it is another one than before.
func (k *Keeper) replace(pair *tls.Certificate, err error) {
	failure := ""
	if err != nil {
		failure = err.Error()
	}
	k.mutex.Lock()
	repeated := failure == k.failure
	k.failure = failure
	k.mutex.Unlock()
	switch {
	case err == nil && !bytes.Equal(pair.Leaf.Raw, k.current.Load().Leaf.Raw):
		k.use(pair)
		k.log.Info("a new TLS certificate is in use", "names", names(pair.Leaf), "issuer", issuer(pair.Leaf), "until", pair.Leaf.NotAfter, "fingerprint", fingerprint(pair.Leaf))
	case err != nil && !repeated:
		k.log.Error("the TLS certificate could not be replaced, so the present one stays in use", "error", err)
	}
}

// use makes a certificate the present one.
func (k *Keeper) use(pair *tls.Certificate) {
	k.current.Store(pair)
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.lastWarning = time.Time{}
}

const warnEvery = 24 * time.Hour

// warn logs once a day what is wrong with the present certificate.
func (k *Keeper) warn() {
	now, leaf := k.now(), k.current.Load().Leaf
	faults := k.faults(leaf)
	k.mutex.Lock()
	due := now.Sub(k.lastWarning) >= warnEvery
	if due {
		k.lastWarning = now
	}
	k.mutex.Unlock()
	if !due {
		return
	}
	for _, fault := range faults {
		k.log.Warn("TLS certificate: "+fault, "names", names(leaf), "until", leaf.NotAfter)
	}
}

// ServerConfig returns the settings of TLS listeners.
func (k *Keeper) ServerConfig() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if k.authority != nil {
			if pair, ok, err := k.authority.answerChallenge(hello); ok {
				return pair, err
			}
		}
		return k.current.Load(), nil
	}}
	if k.authority != nil {
		c.NextProtos = []string{acme.ALPNProto}
	}
	return c
}

// ClientConfig returns the settings of a client in this process that connects to
// this server. The client accepts the present certificate under any name, and
// nothing else.
func (k *Keeper) ClientConfig() *tls.Config {
	return &tls.Config{
		// VerifyConnection takes the place of the usual checks, which fail for
		// names that are not in the certificate, such as localhost.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, k.current.Load().Leaf.Raw) {
				return errors.New("this is not the certificate of this server")
			}
			return nil
		},
	}
}

// covers reports whether clients that connect to host accept a certificate.
func covers(leaf *x509.Certificate, host string) bool { return leaf.VerifyHostname(host) == nil }
