package store

import (
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
)

// The states of a token's text that is no longer valid.
const (
	TextReplaced = "replaced" // the token was regenerated
	TextDeleted  = "deleted"  // the token was deleted
)

// FormerText is a text of a token that is no longer valid. Its hash is stored,
// so that the log of the token's owner shows that somebody still uses it.
type FormerText struct {
	Hash    TokenHash `json:"-"`
	UserID  int64     `json:"user_id"`
	TokenID string    `json:"token_id"`
	Name    string    `json:"name"`  // the name of the token at that time
	State   string    `json:"state"` // TextReplaced or TextDeleted
	At      time.Time `json:"at"`    // when the text became invalid
}

// maxFormerTexts is the largest number of stored former texts. When it is
// exceeded, the oldest one is deleted.
const maxFormerTexts = 10_000

// FormerTextOf returns the former text with the hash, or ErrNotFound.
func (tx *Tx) FormerTextOf(hash TokenHash) (*FormerText, error) {
	return tx.s.formerTexts.Get(tx.kv, hash[:])
}

// putFormerText stores that the current text of a token is no longer valid.
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

// UsedToken is a token with entries in the log of its owner's token uses. The
// token may have been deleted.
type UsedToken struct {
	ID   string
	Name string // the name of the token in its newest entry
}

// UsedTokens returns the tokens with entries in the log of a user's token uses,
// the most recently used first.
func (tx *Tx) UsedTokens(userID int64) (used []UsedToken, err error) {
	seen := make(map[uuid.UUID]bool)
	for key, value := range tx.s.tokenUses.ScanBack(tx.kv, tokenUseKey(userID, 0), tokenUseKey(userID, ^activity.Position(0))) {
		var id uuid.UUID
		if copy(id[:], value) < len(id) || seen[id] {
			continue
		}
		seen[id] = true
		u, err := decodeTokenUse(key, value)
		if err != nil {
			return nil, err
		}
		used = append(used, UsedToken{ID: u.TokenID, Name: u.TokenName})
	}
	return used, nil
}
