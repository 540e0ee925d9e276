package store

import (
	"context"
	"errors"
)

const (
	keySAMLKeys     = "saml_keys"
	keySAMLMetadata = "saml_metadata"
)

// SAMLKeys are the key pairs with which this server takes part in SAML.
type SAMLKeys struct {
	Present SAMLKey  `json:"present"`
	Former  *SAMLKey `json:"former,omitempty"` // the one before it was renewed
}

// SAMLKey is a certificate with its key.
type SAMLKey struct {
	Certificate []byte `json:"certificate"` // DER
	Key         []byte `json:"key"`         // as package auth seals it
}

// SAMLMetadata is what was fetched of an identity provider the last time.
type SAMLMetadata struct {
	URL      string `json:"url"`
	Document []byte `json:"document"`
}

// SAMLKeys returns the key pairs, or ErrNotFound.
func (tx *Tx) SAMLKeys() (*SAMLKeys, error) { return getSetting[SAMLKeys](tx, keySAMLKeys) }

// SAMLMetadata returns what was fetched the last time, or ErrNotFound.
func (tx *Tx) SAMLMetadata() (*SAMLMetadata, error) {
	return getSetting[SAMLMetadata](tx, keySAMLMetadata)
}

// SetSAMLKeys replaces the key pairs.
func (s *Store) SetSAMLKeys(ctx context.Context, keys SAMLKeys) error {
	return s.update(ctx, System(), func(tx *Tx) error { return tx.putSetting(keySAMLKeys, keys) })
}

// SetSAMLMetadata replaces what was fetched.
func (s *Store) SetSAMLMetadata(ctx context.Context, metadata SAMLMetadata) error {
	return s.update(ctx, System(), func(tx *Tx) error { return tx.putSetting(keySAMLMetadata, metadata) })
}

// verifySAML reads what is there.
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
