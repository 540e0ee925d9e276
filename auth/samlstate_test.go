package auth

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trento/auth/sso"
	"trento/store"
	"trento/store/storetest"
)

// samlStart simulates repeated starts of a server with SAML.
type samlStart struct {
	t     *testing.T
	clock *clock
	store *store.Store
	log   bytes.Buffer
	SAMLStateOptions
}

func newSAMLStart(t *testing.T) *samlStart {
	c := newClock()
	s := &samlStart{t: t, clock: c, store: storetest.OpenAt(t, c.Now)}
	s.SAMLStateOptions = SAMLStateOptions{
		Store: s.store, Base: testSecrets.Base, Host: "trento.example.com", Dir: filepath.Join(t.TempDir(), "saml"),
		MetadataURL: "https://idp.example.com/metadata", Now: c.Now, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	return s
}

func (s *samlStart) state() *SAMLState {
	s.t.Helper()
	state, err := NewSAMLState(s.SAMLStateOptions)
	if err != nil {
		s.t.Fatal(err)
	}
	state.keyBits = minSAMLKeyBits // a longer one takes a second
	return state
}

func (s *samlStart) complete() (sso.SAMLOptions, error) {
	s.t.Helper()
	o := sso.SAMLOptions{MetadataURL: s.MetadataURL}
	err := s.state().Complete(s.t.Context(), &o)
	return o, err
}

func (s *samlStart) must() sso.SAMLOptions {
	s.t.Helper()
	o, err := s.complete()
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (s *samlStart) read(name string) []byte {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func TestSAMLCertificate(t *testing.T) {
	s := newSAMLStart(t)
	first := s.must()
	c := first.Key.Certificate
	switch {
	case c.Subject.CommonName != "Trento SAML SP" || len(c.DNSNames) != 1 || c.DNSNames[0] != "trento.example.com":
		t.Errorf("certificate of %s for %v", c.Subject, c.DNSNames)
	case !c.NotAfter.Equal(s.clock.now.AddDate(10, 0, 0)) || !c.NotBefore.Before(s.clock.now):
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	case c.PublicKey.(*rsa.PublicKey).N.BitLen() < 2048:
		t.Error("its key is short")
	}
	if err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		t.Errorf("not signed with its own key: %v", err)
	}
	if !bytes.Equal(s.read(samlCertificateFile), first.Key.CertificatePEM()) {
		t.Error("the file has another certificate")
	}
	if info, err := os.Stat(filepath.Join(s.Dir, samlKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file of the key: %v, %v", info, err)
	}
	if again := s.must(); !again.Key.Private.Equal(first.Key.Private) || !again.Key.Certificate.Equal(c) {
		t.Error("the next start has another key")
	}

	s.Host = "10.1.2.3:4000"
	if renewed, err := s.state().RenewCertificate(t.Context()); err != nil || len(renewed.Certificate.IPAddresses) != 1 {
		t.Errorf("certificate for an address: %v, %v", renewed, err)
	}
}

// TestSAMLCertificateRenewal checks that the next start uses the new
// certificate and keeps the former key for decryption.
func TestSAMLCertificateRenewal(t *testing.T) {
	s := newSAMLStart(t)
	first := s.must()
	renewed, err := s.state().RenewCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	certificate := renewed.Certificate
	o := s.must()
	if !o.Key.Certificate.Equal(certificate) || certificate.Equal(first.Key.Certificate) {
		t.Error("the certificate is not the new one")
	}
	if len(o.FormerKeys) != 1 || !o.FormerKeys[0].Equal(first.Key.Private) {
		t.Error("the former key is lost")
	}
	if !bytes.Equal(s.read(samlCertificateFile), o.Key.CertificatePEM()) {
		t.Error("the file has another certificate")
	}
}

// TestSAMLCertificateOtherKeyBase checks that a changed SECRET_KEY_BASE stops
// the start, and that a new certificate repairs that.
func TestSAMLCertificateOtherKeyBase(t *testing.T) {
	s := newSAMLStart(t)
	s.must()
	s.Base = bytes.Repeat([]byte("x"), minBaseSecret)
	if _, err := s.complete(); err == nil || !strings.HasPrefix(err.Error(), "Error decrypting the SSO certificates.") || !strings.Contains(err.Error(), "SECRET_KEY_BASE") {
		t.Errorf("error %v", err)
	}
	renewed, err := s.state().RenewCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	certificate := renewed.Certificate
	if o := s.must(); !o.Key.Certificate.Equal(certificate) || o.FormerKeys != nil {
		t.Error("the new certificate is not in force")
	}
}

// TestSAMLCertificateIsBound checks that a sealed key cannot be used with
// another certificate.
func TestSAMLCertificateIsBound(t *testing.T) {
	s := newSAMLStart(t)
	s.must()
	other := newSAMLStart(t).must()
	err := s.store.View(func(tx *store.Tx) error {
		keys, err := tx.SAMLKeys()
		if err != nil {
			return err
		}
		_, err = s.state().unsealKey(store.SAMLKey{Certificate: other.Key.Certificate.Raw, Key: keys.Present.Key})
		return err
	})
	if err == nil {
		t.Error("it was taken for the key of another certificate")
	}
}

// TestSAMLCertificateAdoption checks that the certificate of an existing
// installation is kept, because the identity provider knows it.
func TestSAMLCertificateAdoption(t *testing.T) {
	key, err := newSAMLKey("old.example.com", newClock().now, minSAMLKeyBits)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := encodePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key.Private)})
	other, err := newSAMLKey("other.example.com", newClock().now, minSAMLKeyBits)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		certificate, key []byte
		want             string // of the error; empty: adopted
	}{
		"PKCS #8":                {key.CertificatePEM(), pkcs8, ""},
		"PKCS #1":                {key.CertificatePEM(), pkcs1, ""},
		"key is missing":         {key.CertificatePEM(), nil, "move it away"},
		"of another certificate": {other.CertificatePEM(), pkcs8, "key of another certificate"},
		"no PEM":                 {[]byte("x"), pkcs8, "PEM"},
		"no key":                 {key.CertificatePEM(), key.CertificatePEM(), "no RSA key"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSAMLStart(t)
			if err := writeSAMLFile(s.Dir, samlCertificateFile, test.certificate, 0o644); err != nil {
				t.Fatal(err)
			}
			if test.key != nil {
				if err := writeSAMLFile(s.Dir, samlKeyFile, test.key, 0o640); err != nil {
					t.Fatal(err)
				}
			}
			o, err := s.complete()
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want …%s…", err, test.want)
				}
				if present := s.read(samlCertificateFile); !bytes.Equal(present, test.certificate) {
					t.Error("the file was changed")
				}
				return
			}
			if err != nil || !o.Key.Private.Equal(key.Private) {
				t.Fatalf("error %v", err)
			}
			if err := os.RemoveAll(s.Dir); err != nil {
				t.Fatal(err)
			}
			if again := s.must(); !again.Key.Private.Equal(key.Private) {
				t.Error("it is not kept")
			}
		})
	}
}

// TestSAMLDirectory checks that a directory that cannot be written stops
// nothing.
func TestSAMLDirectory(t *testing.T) {
	s := newSAMLStart(t)
	s.Dir = "/proc/trento" // where not even root can make one
	s.must()
	if !strings.Contains(s.log.String(), "cannot be written to SAML_SP_DIR") {
		t.Errorf("log: %s", s.log.String())
	}
}

// TestSAMLMetadataKept checks that the next start knows the fetched metadata if
// the address is the same.
func TestSAMLMetadataKept(t *testing.T) {
	s := newSAMLStart(t)
	if o := s.must(); o.Metadata != nil {
		t.Errorf("metadata %s", o.Metadata)
	}
	if err := s.state().storeMetadata(t.Context(), []byte("<fetched/>")); err != nil {
		t.Fatal(err)
	}
	if o := s.must(); string(o.Metadata) != "<fetched/>" || string(s.read(samlMetadataFile)) != "<fetched/>" {
		t.Errorf("metadata %s", o.Metadata)
	}
	s.MetadataURL = "https://other.example.com/metadata"
	if o := s.must(); o.Metadata != nil {
		t.Errorf("metadata of another provider: %s", o.Metadata)
	}

	left := newSAMLStart(t)
	if err := writeSAMLFile(left.Dir, samlMetadataFile, []byte("<left/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := left.must(); string(o.Metadata) != "<left/>" {
		t.Errorf("what an existing installation has left: %s", o.Metadata)
	}

	content := newSAMLStart(t)
	o := sso.SAMLOptions{Metadata: []byte("<configured/>")}
	if err := content.state().Complete(t.Context(), &o); err != nil {
		t.Fatal(err)
	}
	if string(o.Metadata) != "<configured/>" || string(content.read(samlMetadataFile)) != "<configured/>" {
		t.Errorf("metadata of the configuration: %s", o.Metadata)
	}
}
