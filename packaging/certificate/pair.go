package certificate

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
)

// pairFiles are the contents of the files with certificate and key, or why they
// cannot be read.
type pairFiles struct {
	certFile, keyFile string
	cert, key         []byte
	err               error
}

// readPairFiles reads the files. Symbolic links are followed each time, so that
// a certificate can be replaced by replacing a link.
func readPairFiles(certFile, keyFile string) pairFiles {
	p := pairFiles{certFile: certFile, keyFile: keyFile}
	if p.cert, p.err = os.ReadFile(certFile); p.err != nil {
		p.err = fmt.Errorf("TLS_CERT_FILE: %w", p.err)
		return p
	}
	if p.key, p.err = os.ReadFile(keyFile); p.err != nil {
		p.err = fmt.Errorf("TLS_KEY_FILE: %w", p.err)
	}
	return p
}

// equal reports whether two readings of the same files gave the same.
func (p pairFiles) equal(other pairFiles) bool {
	sameError := (p.err == nil) == (other.err == nil) && (p.err == nil || p.err.Error() == other.err.Error())
	return sameError && bytes.Equal(p.cert, other.cert) && bytes.Equal(p.key, other.key)
}

// parse returns the certificate with its key.
func (p pairFiles) parse() (*tls.Certificate, error) {
	if p.err != nil {
		return nil, p.err
	}
	if bytes.Contains(p.key, []byte("ENCRYPTED")) {
		return nil, fmt.Errorf("the key in TLS_KEY_FILE %s is encrypted with a password; \"openssl pkey -in FILE -out NEW-FILE\" writes it without one", p.keyFile)
	}
	pair, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, fmt.Errorf("the certificate in TLS_CERT_FILE %s and the key in TLS_KEY_FILE %s cannot be used: %w", p.certFile, p.keyFile, err)
	}
	return &pair, nil
}
