package store

import (
	"encoding/json"
	"errors"
	"fmt"
)

// getSetting returns the setting with the name, or ErrNotFound.
func getSetting[T any](tx *Tx, name string) (*T, error) {
	document, err := tx.s.settings.Get(tx.kv, []byte(name))
	if err != nil {
		return nil, err
	}
	value := new(T)
	if err := json.Unmarshal(*document, value); err != nil {
		return nil, fmt.Errorf("setting %s: %w", name, err)
	}
	return value, nil
}

func (tx *Tx) putSetting(name string, value any) error {
	document, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return tx.s.settings.Put(tx.kv, []byte(name), (*json.RawMessage)(&document))
}

// verifySettings checks that each setting can be read as its type.
func (tx *Tx) verifySettings() error {
	_, key := tx.APIKey()
	_, tokens := tx.TokenSettings()
	_, retention := tx.Retention()
	return errors.Join(key, tokens, retention, tx.verifySAML(), tx.verifyMessageCredential(), tx.verifyAlertSettings())
}
