package certificate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
	"trento/store/durable"
)

const (
	// selfSignedFile has certificate and key, in one file so that they are
	// always replaced together. trustFile has the certificate alone, for agents
	// and browsers that shall trust it.
	selfSignedFile = "self-signed.pem"
	trustFile      = "self-signed.crt"

	// selfSignedLife is the longest that all clients accept.
	selfSignedLife = 825 * 24 * time.Hour
	// selfSignedRenewal is the rest of its life at which a certificate is made
	// again.
	selfSignedRenewal = 30 * 24 * time.Hour
	// clockSkew is how far clocks of clients may be behind.
	clockSkew = time.Hour
)

// loadSelfSigned reads the self-signed certificate, or makes one if there is
// none that is valid for long enough.
func (k *Keeper) loadSelfSigned(ctx context.Context) (*tls.Certificate, error) {
	file := filepath.Join(k.options.Directory, selfSignedFile)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return k.makeSelfSigned(ctx)
	}
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("the self-signed certificate in %s cannot be used; delete the file, and a new one is made: %w", file, err)
	}
	host := k.options.Host // it may be another one than before
	if k.selfSignedEndsSoon(pair.Leaf) || host != "" && !covers(pair.Leaf, host) {
		return k.makeSelfSigned(ctx)
	}
	return &pair, nil
}

func (k *Keeper) selfSignedEndsSoon(leaf *x509.Certificate) bool {
	return leaf.NotAfter.Sub(k.now()) < selfSignedRenewal
}

// makeSelfSigned makes a certificate for the names of this machine, and keeps
// it.
func (k *Keeper) makeSelfSigned(ctx context.Context) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	names, addresses := k.options.Names(ctx)
	now := k.now()
	template := &x509.Certificate{
		SerialNumber: newSerialNumber(),
		Subject:      pkix.Name{Organization: []string{"Trento"}, CommonName: commonName(names)},
		DNSNames:     names, IPAddresses: addresses,
		NotBefore: now.Add(-clockSkew), NotAfter: now.Add(selfSignedLife - clockSkew),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// The tools of Linux distributions add only certificates of authorities
		// to the trusted ones. This one is trusted for its own names only, in
		// case its key is stolen.
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names, PermittedIPRanges: networks(addresses),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(private, cert...)
	if err := errors.Join(writeFile(k.options.Directory, selfSignedFile, both), writeFile(k.options.Directory, trustFile, cert)); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(both, both)
	return &pair, err
}

// networks returns networks of one address each.
func networks(addresses []net.IP) (all []*net.IPNet) {
	for _, a := range addresses {
		if v4 := a.To4(); v4 != nil {
			a = v4
		}
		all = append(all, &net.IPNet{IP: a, Mask: net.CIDRMask(8*len(a), 8*len(a))})
	}
	return all
}

// maxCommonName is the largest length of a common name, in characters.
const maxCommonName = 64

func commonName(names []string) string { return names[0][:min(len(names[0]), maxCommonName)] }

func newSerialNumber() *big.Int {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] &= 0x7f // a negative number is not allowed
	return new(big.Int).SetBytes(serial)
}

// encodeKey returns a private key in PEM format.
func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// writeFile replaces a file that only its owner can read in a directory, which
// it creates if necessary.
func writeFile(directory, name string, content []byte) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(directory, name), content, 0o600)
}
