package auth

import (
	"crypto/rand"
	"crypto/rsa"
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

	"trento/auth/sso"
)

// The properties of the certificate for SAML. Administrators copy it to the
// identity provider by hand, so it is valid for many years.
const (
	samlCertificateName  = "Trento SAML SP"
	samlKeyBits          = 3072
	minSAMLKeyBits       = 2048 // smallest accepted size of a key that was not made here
	samlCertificateYears = 10
)

// newSAMLKey generates a key pair and a certificate for a server with the name
// host.
func newSAMLKey(host string, now time.Time, bits int) (*sso.SAMLKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("key for SAML: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("certificate for SAML: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: samlCertificateName},
		NotBefore:    now.Add(-time.Hour), // the clock of the provider may be behind
		NotAfter:     now.AddDate(samlCertificateYears, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if address := net.ParseIP(host); address != nil {
		template.IPAddresses = []net.IP{address}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate for SAML: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate for SAML: %w", err)
	}
	return &sso.SAMLKey{Private: key, Certificate: certificate}, nil
}

// readSAMLKey reads the certificate and key in a directory. It returns nil if
// the directory has no certificate.
func readSAMLKey(dir string) (*sso.SAMLKey, error) {
	certificate, err := readPEM(filepath.Join(dir, samlCertificateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := readPEM(filepath.Join(dir, samlKeyFile))
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", samlCertificateFile, err)
	}
	pair, err := parseSAMLKey(parsed, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", samlKeyFile, err)
	}
	return pair, nil
}

// readPEM returns the content of the first PEM block of a file.
func readPEM(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not in PEM format", file)
	}
	return block.Bytes, nil
}

// parseSAMLKey parses the private key of a certificate. It fails if the key
// does not belong to the certificate.
func parseSAMLKey(certificate *x509.Certificate, der []byte) (*sso.SAMLKey, error) {
	var key any
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			return nil, errors.New("it is no RSA key without a password")
		}
	}
	private, ok := key.(*rsa.PrivateKey)
	switch {
	case !ok || private.N.BitLen() < minSAMLKeyBits:
		return nil, fmt.Errorf("it is no RSA key of %d bits or more", minSAMLKeyBits)
	case !private.PublicKey.Equal(certificate.PublicKey):
		return nil, errors.New("it is the key of another certificate")
	}
	return &sso.SAMLKey{Private: private, Certificate: certificate}, nil
}

// encodePrivateKey returns the private key in PEM format.
func encodePrivateKey(key *sso.SAMLKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return nil, fmt.Errorf("key for SAML: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
