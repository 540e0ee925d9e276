package store

import (
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

// FormerText is a text that a token had once and that is no longer valid. Its hash
// is stored, so that the owner's log shows who still uses it.
type FormerText struct {
	Hash    TokenHash `json:"-"`
	UserID  int64     `json:"user_id"`
	TokenID string    `json:"token_id"`
	Name    string    `json:"name"` // of the token at that time
	State   string    `json:"state"`
	At      time.Time `json:"at"` // since when the text is not valid
}

// maxFormerTexts is the largest number of stored texts. Beyond it the oldest
// are deleted.
const maxFormerTexts = 10_000

// FormerTextOf returns what the text with the hash was, or ErrNotFound.
func (tx *Tx) FormerTextOf(hash TokenHash) (*FormerText, error) {
	return tx.s.formerTexts.Get(tx.kv, hash[:])
}

// putFormerText stores that the present text of a token is no longer valid.
func (tx *Tx) putFormerText(t *Token, state string) error {
	err := tx.s.formerTexts.Put(tx.kv, t.Hash[:], &FormerText{Hash: t.Hash, UserID: t.UserID, TokenID: t.ID, Name: t.Name, State: state, At: tx.now})
	if err != nil || tx.s.formerTexts.Count(tx.kv) <= maxFormerTexts {
		return err
	}
	var oldest *FormerText
	for f, err := range tx.s.formerTexts.All(tx.kv) {
		if err != nil {
			return err
		}
		if oldest == nil || f.At.Before(oldest.At) {
			oldest = f
		}
	}
	return tx.s.formerTexts.Delete(tx.kv, oldest.Hash[:])
}

// UsedToken is a token with entries in the log of its owner's tokens. It may have
// been deleted.
type UsedToken struct {
	ID   string
	Name string // the name in its newest use
}

// UsedTokens returns the tokens that have entries in the log of a user's
// tokens, the most recently used first.
func (tx *Tx) UsedTokens(userID int64) (used []UsedToken, err error) {
	seen := make(map[uuid.UUID]bool)
	for key, value := range tx.s.tokenUses.ScanBack(tx.kv, useKey(userID, 0), useKey(userID, ^activity.Position(0))) {
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
