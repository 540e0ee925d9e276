package auth

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"trento/auth/sso"
	"trento/store"
)

// SAMLState is what single sign-on with SAML keeps from one start to the next:
// our key pair, which the identity provider knows, and the metadata of the
// provider, which may be down. Both are in the store. They are also written to a
// directory, for administrators, where the existing product keeps them.
type SAMLState struct {
	options SAMLStateOptions
	sealer  cipher.AEAD
	bits    int // of new keys
}

// SAMLStateOptions of NewSAMLState.
type SAMLStateOptions struct {
	Store       *store.Store
	Base        []byte // key material, see Secrets
	Host        string // the public name of this server
	Dir         string // for administrators
	MetadataURL string // where the metadata is fetched; empty where it is configured
	Now         func() time.Time
	Log         *slog.Logger
}

// The files in the directory.
const (
	samlCertificateFile = "cert/saml.pem"
	samlKeyFile         = "cert/saml_key.pem"
	samlMetadataFile    = "metadata.xml"
)

// NewSAMLState fails on key material that is too short.
func NewSAMLState(o SAMLStateOptions) (*SAMLState, error) {
	if len(o.Base) < minBaseSecret {
		return nil, fmt.Errorf("auth: %d bytes of key material, need %d", len(o.Base), minBaseSecret)
	}
	key, err := hkdf.Key(sha256.New, o.Base, nil, "trento SAML key", 32)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	sealer, err := newSealer(key)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	return &SAMLState{options: o, sealer: sealer, bits: samlKeyBits}, nil
}

// errSAMLKey begins with the sentence that the documentation of the existing
// product names.
//
//lint:ignore ST1005 see above
var errSAMLKey = errors.New("Error decrypting the SSO certificates. Was SECRET_KEY_BASE changed? Restore it, or make a new certificate with \"trento-web sso renew-certificate\", which the identity provider has to know")

// Complete puts the key pair and the metadata into options. The first time, the
// key pair is the one that an existing installation has left in the directory, or
// a new one.
func (s *SAMLState) Complete(ctx context.Context, o *sso.SAMLOptions) error {
	keys, err := s.keys(ctx)
	if err != nil {
		return err
	}
	if o.Key, err = s.unseal(keys.Present); err != nil {
		return err
	}
	if keys.Former != nil {
		former, err := s.unseal(*keys.Former)
		if err != nil {
			return err
		}
		o.FormerKeys = []*rsa.PrivateKey{former.Private}
	}
	o.KeepMetadata = s.keepMetadata
	if o.MetadataURL != "" {
		if o.Metadata, err = s.metadata(); err != nil {
			return err
		}
	}
	s.writeFiles(o.Key, o.Metadata)
	return nil
}

// RenewCertificate makes a new key pair. What the provider encrypts for the one
// before can still be read.
func (s *SAMLState) RenewCertificate(ctx context.Context) (*sso.SAMLKey, error) {
	former, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	key, err := newSAMLKey(s.options.Host, s.options.Now(), s.bits)
	if err != nil {
		return nil, err
	}
	keys, err := s.seal(key)
	if err != nil {
		return nil, err
	}
	if _, err := s.unseal(former.Present); err == nil {
		keys.Former = &former.Present
	}
	if err := s.options.Store.SetSAMLKeys(ctx, keys); err != nil {
		return nil, err
	}
	s.writeFiles(key, nil)
	return key, nil
}

// keys are those in the store. The first time they are put there.
func (s *SAMLState) keys(ctx context.Context) (keys *store.SAMLKeys, err error) {
	err = s.options.Store.View(func(tx *store.Tx) error {
		keys, err = tx.SAMLKeys()
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		return keys, err
	}
	key, err := readSAMLKey(s.options.Dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the certificate for SAML that is in SAML_SP_DIR: %w. Make it readable for this server to go on with it, or move it away to have a new one made", err)
	case key != nil:
		s.options.Log.Info("the certificate for SAML is the one in SAML_SP_DIR", "end", key.Certificate.NotAfter)
	default:
		if key, err = newSAMLKey(s.options.Host, s.options.Now(), s.bits); err != nil {
			return nil, err
		}
		s.options.Log.Info("a certificate for SAML was made", "end", key.Certificate.NotAfter)
	}
	sealed, err := s.seal(key)
	if err != nil {
		return nil, err
	}
	return &sealed, s.options.Store.SetSAMLKeys(ctx, sealed)
}

// seal encrypts a key. It is bound to its certificate.
func (s *SAMLState) seal(key *sso.SAMLKey) (store.SAMLKeys, error) {
	plain, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return store.SAMLKeys{}, fmt.Errorf("key for SAML: %w", err)
	}
	der := key.Certificate.Raw
	return store.SAMLKeys{Present: store.SAMLKey{Certificate: der, Key: s.sealer.Seal(nil, nil, plain, der)}}, nil
}

func (s *SAMLState) unseal(sealed store.SAMLKey) (*sso.SAMLKey, error) {
	plain, err := s.sealer.Open(nil, nil, sealed.Key, sealed.Certificate)
	if err != nil {
		return nil, errSAMLKey
	}
	certificate, err := x509.ParseCertificate(sealed.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate for SAML: %w", err)
	}
	return pairSAMLKey(certificate, plain)
}

// metadata is what was fetched at the address the last time; nil where that was
// never. The first time it is what an existing installation has left.
func (s *SAMLState) metadata() (document []byte, err error) {
	var kept *store.SAMLMetadata
	err = s.options.Store.View(func(tx *store.Tx) error {
		kept, err = tx.SAMLMetadata()
		return err
	})
	switch {
	case err == nil && kept.URL == s.options.MetadataURL:
		return kept.Document, nil
	case err == nil: // of another provider
		return nil, nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	document, err = os.ReadFile(filepath.Join(s.options.Dir, samlMetadataFile))
	if err != nil {
		return nil, nil // there is none, or none for us; it is fetched anyway
	}
	return document, nil
}

// keepMetadata keeps what was fetched.
func (s *SAMLState) keepMetadata(ctx context.Context, document []byte) error {
	s.writeFiles(nil, document)
	return s.options.Store.SetSAMLMetadata(ctx, store.SAMLMetadata{URL: s.options.MetadataURL, Document: document})
}

// writeFiles writes what there is to the directory. It is for administrators, so
// a directory that cannot be written stops nothing.
func (s *SAMLState) writeFiles(key *sso.SAMLKey, metadata []byte) {
	err := func() error {
		if key != nil {
			plain, err := privatePEM(key)
			if err != nil {
				return err
			}
			// The key first: it must never lie beside the certificate of another.
			if err := writeSAMLFile(s.options.Dir, samlKeyFile, plain, 0o600); err != nil {
				return err
			}
			if err := writeSAMLFile(s.options.Dir, samlCertificateFile, key.CertificatePEM(), 0o644); err != nil {
				return err
			}
		}
		if metadata != nil {
			return writeSAMLFile(s.options.Dir, samlMetadataFile, metadata, 0o644)
		}
		return nil
	}()
	if err != nil {
		s.options.Log.Warn("certificate and metadata cannot be written to SAML_SP_DIR; they are in the data directory in any case", "error", err)
	}
}

// writeSAMLFile replaces a file as a whole, unless it has that content.
func writeSAMLFile(dir, name string, content []byte, mode os.FileMode) error {
	file := filepath.Join(dir, name)
	if present, err := os.ReadFile(file); err == nil && bytes.Equal(present, content) {
		return os.Chmod(file, mode)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temporary := file + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(temporary, content, mode); err != nil {
		return err
	}
	return os.Rename(temporary, file)
}
