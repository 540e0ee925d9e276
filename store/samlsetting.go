package store

import (
	"context"
	"errors"
)

const (
	settingSAMLKeys     = "saml_keys"
	settingSAMLMetadata = "saml_metadata"
)

// SAMLKeys are the key pairs with which this server signs and decrypts in SAML.
type SAMLKeys struct {
	Present SAMLKey  `json:"present"`
	Former  *SAMLKey `json:"former,omitempty"` // the key pair before the last renewal
}

// SAMLKey is a certificate with its private key.
type SAMLKey struct {
	Certificate []byte `json:"certificate"` // DER
	Key         []byte `json:"key"`         // encrypted by package auth
}

// SAMLMetadata is the SAML metadata that was last fetched from an identity
// provider.
type SAMLMetadata struct {
	URL      string `json:"url"`
	Document []byte `json:"document"`
}

// SAMLKeys returns the key pairs, or ErrNotFound.
func (tx *Tx) SAMLKeys() (*SAMLKeys, error) { return getSetting[SAMLKeys](tx, settingSAMLKeys) }

// SAMLMetadata returns the stored metadata, or ErrNotFound.
func (tx *Tx) SAMLMetadata() (*SAMLMetadata, error) {
	return getSetting[SAMLMetadata](tx, settingSAMLMetadata)
}

// SetSAMLKeys replaces the key pairs.
func (s *Store) SetSAMLKeys(ctx context.Context, keys SAMLKeys) error {
	return s.update(ctx, System(), func(tx *Tx) error { return tx.putSetting(settingSAMLKeys, keys) })
}

// SetSAMLMetadata replaces the stored metadata.
func (s *Store) SetSAMLMetadata(ctx context.Context, metadata SAMLMetadata) error {
	return s.update(ctx, System(), func(tx *Tx) error { return tx.putSetting(settingSAMLMetadata, metadata) })
}

// verifySAML checks that the stored SAML settings can be read.
func (tx *Tx) verifySAML() error {
	_, keys := tx.SAMLKeys()
	_, metadata := tx.SAMLMetadata()
	for _, err := range []error{keys, metadata} {
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}
