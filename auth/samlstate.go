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
	"trento/store/durable"
)

// SAMLState keeps the key pair of this server and the metadata of the identity
// provider for SAML, so that a restart does not change the key and works while
// the provider is down. Both are in the store. Copies are written to a
// directory for administrators, the one where existing installations keep these
// files.
type SAMLState struct {
	options SAMLStateOptions
	sealer  cipher.AEAD
	keyBits int // size of new keys
}

// SAMLStateOptions are the options of NewSAMLState.
type SAMLStateOptions struct {
	Store       *store.Store
	Base        []byte // key material, see Secrets
	Host        string // public name of this server
	Dir         string // directory with copies of the files for administrators
	MetadataURL string // address of the metadata; "" if the metadata itself is configured
	Now         func() time.Time
	Log         *slog.Logger
}

// The names of the files in SAMLStateOptions.Dir.
const (
	samlCertificateFile = "cert/saml.pem"
	samlKeyFile         = "cert/saml_key.pem"
	samlMetadataFile    = "metadata.xml"
)

// NewSAMLState returns a SAMLState. It fails if the key material is too short.
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
	return &SAMLState{options: o, sealer: sealer, keyBits: samlKeyBits}, nil
}

// errSAMLKeySealed says that the stored key cannot be decrypted. It begins with
// the sentence that administrators find in the documentation of existing
// installations.
var errSAMLKeySealed = errors.New("Error decrypting the SSO certificates. Was SECRET_KEY_BASE changed? Restore it, or make a new certificate with \"trento-web sso renew-certificate\", which the identity provider has to know")

// Complete puts the key pair and the metadata into o. If the store has no key
// pair yet, it takes the one that an existing installation has left in the
// directory, or generates one.
func (s *SAMLState) Complete(ctx context.Context, o *sso.SAMLOptions) error {
	keys, err := s.loadOrCreateKeys(ctx)
	if err != nil {
		return err
	}
	if o.Key, err = s.unsealKey(keys.Present); err != nil {
		return err
	}
	if keys.Former != nil {
		former, err := s.unsealKey(*keys.Former)
		if err != nil {
			return err
		}
		o.FormerKeys = []*rsa.PrivateKey{former.Private}
	}
	o.KeepMetadata = s.storeMetadata
	if o.MetadataURL != "" {
		if o.Metadata, err = s.loadMetadata(); err != nil {
			return err
		}
	}
	s.writeFiles(o.Key, o.Metadata)
	return nil
}

// RenewCertificate generates a new key pair and stores it. It keeps the former
// private key, so that answers that the provider still encrypts for it can be
// read.
func (s *SAMLState) RenewCertificate(ctx context.Context) (*sso.SAMLKey, error) {
	former, err := s.loadOrCreateKeys(ctx)
	if err != nil {
		return nil, err
	}
	key, err := newSAMLKey(s.options.Host, s.options.Now(), s.keyBits)
	if err != nil {
		return nil, err
	}
	keys, err := s.sealKey(key)
	if err != nil {
		return nil, err
	}
	if _, err := s.unsealKey(former.Present); err == nil {
		keys.Former = &former.Present
	}
	if err := s.options.Store.SetSAMLKeys(ctx, keys); err != nil {
		return nil, err
	}
	s.writeFiles(key, nil)
	return key, nil
}

// loadOrCreateKeys returns the stored key pairs. If the store has none, it
// stores the pair in the directory or a new one.
func (s *SAMLState) loadOrCreateKeys(ctx context.Context) (keys *store.SAMLKeys, err error) {
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
		if key, err = newSAMLKey(s.options.Host, s.options.Now(), s.keyBits); err != nil {
			return nil, err
		}
		s.options.Log.Info("a certificate for SAML was made", "end", key.Certificate.NotAfter)
	}
	sealed, err := s.sealKey(key)
	if err != nil {
		return nil, err
	}
	return &sealed, s.options.Store.SetSAMLKeys(ctx, sealed)
}

// sealKey encrypts a private key, bound to its certificate: it cannot be decrypted
// beside another certificate.
func (s *SAMLState) sealKey(key *sso.SAMLKey) (store.SAMLKeys, error) {
	plain, err := x509.MarshalPKCS8PrivateKey(key.Private)
	if err != nil {
		return store.SAMLKeys{}, fmt.Errorf("key for SAML: %w", err)
	}
	der := key.Certificate.Raw
	return store.SAMLKeys{Present: store.SAMLKey{Certificate: der, Key: s.sealer.Seal(nil, nil, plain, der)}}, nil
}

func (s *SAMLState) unsealKey(sealed store.SAMLKey) (*sso.SAMLKey, error) {
	plain, err := s.sealer.Open(nil, nil, sealed.Key, sealed.Certificate)
	if err != nil {
		return nil, errSAMLKeySealed
	}
	certificate, err := x509.ParseCertificate(sealed.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate for SAML: %w", err)
	}
	return parseSAMLKey(certificate, plain)
}

// loadMetadata returns the metadata that was fetched last from the configured
// address, or nil if it was never fetched. If the store has none, it returns
// the file that an existing installation has left.
func (s *SAMLState) loadMetadata() (document []byte, err error) {
	var kept *store.SAMLMetadata
	err = s.options.Store.View(func(tx *store.Tx) error {
		kept, err = tx.SAMLMetadata()
		return err
	})
	switch {
	case err == nil && kept.URL == s.options.MetadataURL:
		return kept.Document, nil
	case err == nil: // the stored metadata is that of another provider
		return nil, nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	document, err = os.ReadFile(filepath.Join(s.options.Dir, samlMetadataFile))
	if err != nil {
		return nil, nil // no file, or not readable: the metadata will be fetched
	}
	return document, nil
}

// storeMetadata stores metadata that was fetched.
func (s *SAMLState) storeMetadata(ctx context.Context, document []byte) error {
	s.writeFiles(nil, document)
	return s.options.Store.SetSAMLMetadata(ctx, store.SAMLMetadata{URL: s.options.MetadataURL, Document: document})
}

// writeFiles writes the key pair and the metadata to the directory, each unless
// it is nil. The files are only copies for administrators, so an error is
// logged and stops nothing.
func (s *SAMLState) writeFiles(key *sso.SAMLKey, metadata []byte) {
	err := func() error {
		if key != nil {
			plain, err := encodePrivateKey(key)
			if err != nil {
				return err
			}
			// The key is written first, so that a new certificate never lies
			// beside an old key.
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

// writeSAMLFile replaces a file atomically. It leaves a file that has the
// content already.
func writeSAMLFile(dir, name string, content []byte, mode os.FileMode) error {
	file := filepath.Join(dir, name)
	if present, err := os.ReadFile(file); err == nil && bytes.Equal(present, content) {
		return os.Chmod(file, mode)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(file, content, mode)
}
