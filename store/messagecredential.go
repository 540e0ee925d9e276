package store

import (
	"context"
	"errors"
	"time"

	"trento/store/activity"
)

const settingMessageCredential = "message_credential"

// MessageCredential is what agents sign in with at the endpoint for messages.
type MessageCredential struct {
	User     string `json:"user"`
	Password []byte `json:"password"` // encrypted by package auth
	// Generation grows by one with each rotation.
	Generation uint64    `json:"generation"`
	CreatedAt  time.Time `json:"created_at"`
}

// NewMessageCredential is a credential to store.
type NewMessageCredential struct {
	User     string
	Password []byte // encrypted by package auth
}

// MessageCredential returns the stored credential, or ErrNotFound.
func (tx *Tx) MessageCredential() (*MessageCredential, error) {
	return getSetting[MessageCredential](tx, settingMessageCredential)
}

// EnsureMessageCredential stores the first credential, which is not logged. If
// there is one already, it does nothing.
func (s *Store) EnsureMessageCredential(ctx context.Context, c NewMessageCredential) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		_, err := tx.MessageCredential()
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		_, err = tx.putMessageCredential(c)
		return err
	})
}

// RotateMessageCredential replaces the credential. The previous one is invalid
// from this moment.
func (s *Store) RotateMessageCredential(ctx context.Context, by Actor, c NewMessageCredential) (rotated *MessageCredential, err error) {
	err = s.update(ctx, by, func(tx *Tx) error {
		rotated, err = tx.rotateMessageCredential(c)
		return err
	})
	return rotated, err
}

func (tx *Tx) rotateMessageCredential(c NewMessageCredential) (*MessageCredential, error) {
	rotated, err := tx.putMessageCredential(c)
	if err != nil {
		return nil, err
	}
	return rotated, tx.log(tx.by.Name, &activity.MessageCredentialRotation{User: c.User})
}

func (tx *Tx) putMessageCredential(c NewMessageCredential) (*MessageCredential, error) {
	stored := &MessageCredential{User: c.User, Password: c.Password, Generation: 1, CreatedAt: tx.now.UTC()}
	switch before, err := tx.MessageCredential(); {
	case err == nil:
		stored.Generation = before.Generation + 1
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	return stored, tx.putSetting(settingMessageCredential, stored)
}

// verifyMessageCredential checks that the credential can be read if there is
// one.
func (tx *Tx) verifyMessageCredential() error {
	if _, err := tx.MessageCredential(); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}
