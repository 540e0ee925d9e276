package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
)

// Text states of a use: whether the text that was shown is still that of the
// token.
const (
	TextReplaced = "replaced" // the token was regenerated since
	TextDeleted  = "deleted"  // the token was deleted since
)

// FormerText is a text that was one of a token once and is good for nothing any
// more. It is remembered, as its hash, so that whoever still shows it is seen
// in the log of the owner's tokens.
type FormerText struct {
	UserID  int64     `json:"user_id"`
	TokenID string    `json:"token_id"`
	Name    string    `json:"name"` // of the token then
	State   string    `json:"state"`
	At      time.Time `json:"at"` // since when it is good for nothing
}

// maxFormerTexts is how many texts are remembered; the oldest make room.
const maxFormerTexts = 10_000

// FormerTextOf returns what the text with the hash was, or ErrNotFound.
func (tx *Tx) FormerTextOf(hash TokenHash) (*FormerText, error) {
	document := tx.btx.Bucket(bucketFormerToken).Get(hash[:])
	if document == nil {
		return nil, fmt.Errorf("former text of a token: %w", ErrNotFound)
	}
	return decodeFormerText(document)
}

func decodeFormerText(document []byte) (*FormerText, error) {
	f := new(FormerText)
	if err := json.Unmarshal(document, f); err != nil {
		return nil, fmt.Errorf("former text of a token: %w", err)
	}
	return f, nil
}

// retireText remembers that a token has the text of the hash no longer.
func (tx *Tx) retireText(t *Token, state string) error {
	document, err := json.Marshal(FormerText{UserID: t.UserID, TokenID: t.ID, Name: t.Name, State: state, At: tx.now.UTC()})
	if err != nil {
		return fmt.Errorf("former text of a token: %w", err)
	}
	if err := tx.put(bucketFormerToken, t.Hash[:], document); err != nil {
		return err
	}
	if count(tx.btx.Bucket(bucketFormerToken)) <= maxFormerTexts {
		return nil
	}
	var oldest []byte
	var since time.Time
	err = tx.btx.Bucket(bucketFormerToken).ForEach(func(hash, document []byte) error {
		f, err := decodeFormerText(document)
		if err == nil && (oldest == nil || f.At.Before(since)) {
			oldest, since = bytes.Clone(hash), f.At
		}
		return err
	})
	return errors.Join(err, tx.delete(bucketFormerToken, oldest))
}

// forgetTexts removes the former texts that match.
func (tx *Tx) forgetTexts(match func(*FormerText) bool) error {
	var toDelete [][]byte
	err := tx.btx.Bucket(bucketFormerToken).ForEach(func(hash, document []byte) error {
		f, err := decodeFormerText(document)
		if err == nil && match(f) {
			toDelete = append(toDelete, bytes.Clone(hash))
		}
		return err
	})
	for _, hash := range toDelete {
		err = errors.Join(err, tx.delete(bucketFormerToken, hash))
	}
	return err
}

// UsedToken is a token that has entries in the log of its owner's tokens. It
// may be deleted.
type UsedToken struct {
	ID   string
	Name string // in its newest entry
}

// UsedTokens returns the tokens that have entries in the log of a user's
// tokens, the most recently used first.
func (tx *Tx) UsedTokens(userID int64) (used []UsedToken, err error) {
	seen := make(map[uuid.UUID]bool)
	for key, value := range scanBytesBack(tx.btx.Bucket(bucketTokenUse), useKey(userID, 0), useKey(userID, ^activity.Position(0))) {
		var id uuid.UUID
		if copy(id[:], value) < len(id) || seen[id] {
			continue
		}
		seen[id] = true
		u, err := decodeUse(key, value)
		if err != nil {
			return nil, err
		}
		used = append(used, UsedToken{ID: u.TokenID, Name: u.TokenName})
	}
	return used, nil
}
