package certificate

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
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

const (
	// An authority is asked again after a pause that grows with each failure,
	// because authorities allow few failed attempts an hour.
	minACMEPause = 2 * time.Minute
	maxACMEPause = time.Hour
	// attemptTimeout is for one attempt to obtain a certificate, and
	// requestTimeout for each request to the authority in it.
	attemptTimeout = 5 * time.Minute
	requestTimeout = time.Minute
	// A certificate is renewed when the rest of its life is a third of it or
	// acmeRenewal, whichever is less.
	acmeRenewal = 30 * 24 * time.Hour

	accountFile = "acme-account.pem" // key of the account at authorities
)

// authority obtains certificates with ACME. It uses the client of the Go
// project, but not its autocert: that one does not tell why the authority could
// not reach the domain, which is what an administrator has to know.
type authority struct {
	ACME
	dir    string // directory for certificates and keys
	client *acme.Client

	retryAt time.Time
	pause   time.Duration // after the last failure; 0 if the last attempt succeeded

	mutex                sync.Mutex
	overHTTP             bool             // AnswerChallenges was called
	challengeCertificate *tls.Certificate // answers the present challenge over TLS
	path, text           string           // answer the present challenge over HTTP
}

func newAuthority(o ACME, files string) (*authority, error) {
	o.Directory = cmp.Or(o.Directory, acme.LetsEncryptURL)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("TLS_ACME_CA_FILE: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("TLS_ACME_CA_FILE %s has no certificate in PEM format", o.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return &authority{ACME: o, dir: files, client: &acme.Client{
		DirectoryURL: o.Directory, UserAgent: "trento-web", HTTPClient: &http.Client{Transport: transport, Timeout: requestTimeout},
	}}, nil
}

// certificateFile returns the name of the file with the certificate. Authorities
// have different files, so that another one is asked at once.
func (a *authority) certificateFile() string {
	host := ""
	if u, err := url.Parse(a.Directory); err == nil {
		host = u.Hostname()
	}
	return "acme-" + host + ".pem"
}

// storedCertificate returns the certificate that was obtained before the last stop; nil if
// there is none for the domain.
func (a *authority) storedCertificate() *tls.Certificate {
	text, err := os.ReadFile(filepath.Join(a.dir, a.certificateFile()))
	if err != nil {
		return nil
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil || !covers(pair.Leaf, a.Domain) {
		return nil
	}
	return &pair
}

// mustRenew reports whether a certificate of the authority should be renewed.
func mustRenew(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Sub(now) <= min(acmeRenewal, leaf.NotAfter.Sub(leaf.NotBefore)/3)
}

// obtain asks the authority for a certificate if there is none, or if it should
// be renewed. After a failure it waits before it asks again.
func (k *Keeper) obtain(ctx context.Context) {
	a, now := k.authority, k.now()
	if leaf := k.current.Load().Leaf; now.Before(a.retryAt) || !isSelfSigned(leaf) && !mustRenew(leaf, now) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	pair, err := a.request(limited)
	if ctx.Err() != nil {
		return // the server stops
	}
	if err == nil {
		a.pause = 0
	} else {
		a.pause = min(max(2*a.pause, minACMEPause), maxACMEPause)
		a.retryAt = k.now().Add(a.pause)
		err = fmt.Errorf("the authority gave no certificate for %s: %w", a.Domain, err)
	}
	k.replace(pair, err)
}

// request obtains a certificate and keeps it.
func (a *authority) request(ctx context.Context) (*tls.Certificate, error) {
	if err := a.register(ctx); err != nil {
		return nil, err
	}
	order, err := a.order(ctx, a.answerHandshake)
	if a.overHTTP && err != nil && ctx.Err() == nil {
		var second error
		if order, second = a.order(ctx, a.answerHTTP); second != nil {
			err = fmt.Errorf("%w; %w", err, second)
		} else {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	return a.issue(ctx, order)
}

// register makes an account at the authority, unless there is one.
func (a *authority) register(ctx context.Context) (err error) {
	if a.client.Key == nil {
		if a.client.Key, err = a.accountKey(); err != nil {
			return err
		}
	}
	account := &acme.Account{}
	if a.Email != "" {
		account.Contact = []string{"mailto:" + a.Email}
	}
	_, err = a.client.Register(ctx, account, acme.AcceptTOS)
	if errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil
	}
	return err
}

// accountKey returns the key of the account. It is made at the first time.
func (a *authority) accountKey() (*ecdsa.PrivateKey, error) {
	file := filepath.Join(a.dir, accountFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		text, err := encodeKey(key)
		if err != nil {
			return nil, err
		}
		return key, writeFile(a.dir, accountFile, text)
	}
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := key.(*ecdsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, fmt.Errorf("%s has no key; delete the file, and a new account is made", file)
}

// order returns an order for the domain that the authority has authorized.
// answer prepares the answer to a challenge.
func (a *authority) order(ctx context.Context, answer func(*acme.Authorization) (*acme.Challenge, error)) (*acme.Order, error) {
	order, err := a.client.AuthorizeOrder(ctx, acme.DomainIDs(a.Domain))
	if err != nil {
		return nil, err
	}
	defer a.forgetAnswer()
	for _, address := range order.AuthzURLs {
		authorization, err := a.client.GetAuthorization(ctx, address)
		if err != nil {
			return nil, err
		}
		if authorization.Status != acme.StatusPending {
			continue
		}
		challenge, err := answer(authorization)
		if err != nil {
			return nil, err
		}
		if _, err := a.client.Accept(ctx, challenge); err != nil {
			return nil, err
		}
		if _, err := a.client.WaitAuthorization(ctx, address); err != nil {
			return nil, err
		}
	}
	return a.client.WaitOrder(ctx, order.URI)
}

// answerHandshake prepares for a check over TLS.
func (a *authority) answerHandshake(z *acme.Authorization) (*acme.Challenge, error) {
	challenge, err := find(z, "tls-alpn-01")
	if err != nil {
		return nil, err
	}
	pair, err := a.client.TLSALPN01ChallengeCert(challenge.Token, a.Domain)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.challengeCertificate = &pair
	return challenge, err
}

// answerHTTP prepares for a check over HTTP.
func (a *authority) answerHTTP(z *acme.Authorization) (*acme.Challenge, error) {
	challenge, err := find(z, "http-01")
	if err != nil {
		return nil, err
	}
	text, err := a.client.HTTP01ChallengeResponse(challenge.Token)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.path, a.text = a.client.HTTP01ChallengePath(challenge.Token), text
	return challenge, err
}

func find(z *acme.Authorization, kind string) (*acme.Challenge, error) {
	for _, challenge := range z.Challenges {
		if challenge.Type == kind {
			return challenge, nil
		}
	}
	return nil, fmt.Errorf("the authority does not offer the check %s", kind)
}

func (a *authority) forgetAnswer() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.challengeCertificate, a.path, a.text = nil, "", ""
}

// issue completes an order with a new key, and keeps the certificate.
func (a *authority) issue(ctx context.Context, order *acme.Order) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{a.Domain}}, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := a.client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return nil, err
	}
	text, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	for _, der := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	return &pair, writeFile(a.dir, a.certificateFile(), text)
}

// answerChallenge returns the certificate for a handshake with which the
// authority checks the domain. ok is false for all other handshakes.
func (a *authority) answerChallenge(hello *tls.ClientHelloInfo) (pair *tls.Certificate, ok bool, err error) {
	if len(hello.SupportedProtos) != 1 || hello.SupportedProtos[0] != acme.ALPNProto {
		return nil, false, nil
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.challengeCertificate == nil || hello.ServerName != a.Domain {
		return nil, true, errors.New("there is no challenge")
	}
	return a.challengeCertificate, true, nil
}

// AnswerChallenges returns a handler that answers an authority that checks over
// HTTP whether the domain leads to this server. Everything else goes to next.
func (k *Keeper) AnswerChallenges(next http.Handler) http.Handler {
	a := k.authority
	if a == nil {
		return next
	}
	a.overHTTP = true
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mutex.Lock()
		path, text := a.path, a.text
		a.mutex.Unlock()
		if path == "" || r.URL.Path != path {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(text)) // the authority asks again
	})
}
