package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/kv"
)

// TokenUse is a request with a personal access token, accepted or refused.
type TokenUse struct {
	UserID    int64             `json:"-"` // the owner of the token
	Position  activity.Position `json:"-"` // the place in the owner's log, and the time; assigned when the use is written
	At        time.Time         `json:"-"` // when the request came; used until Position is assigned
	TokenID   string            `json:"-"`
	TokenName string            `json:"token_name"` // the name of the token at that time
	Method    string            `json:"method"`
	Path      string            `json:"path"` // without the query
	Status    int               `json:"status"`
	Address   string            `json:"remote_address,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Via       string            `json:"via"`            // how the token was sent: bearer, basic, parameter or login
	Text      string            `json:"text,omitempty"` // TextReplaced or TextDeleted if the text is no longer valid
}

// OccurredOn returns the time of a use that has a Position.
func (u *TokenUse) OccurredOn() time.Time { return u.Position.Time() }

// The limits of the log of token uses: the uses of a user, beyond which the
// oldest are pruned; the uses in memory that wait to be written; and the stored
// bytes of a request's path and method.
const (
	maxTokenUses      = 50_000
	maxPendingUses    = 10_000
	maxUsePathBytes   = 512
	maxUseMethodBytes = 16
)

// tokenUsePruneBatchSize is the number of uses that one transaction prunes.
const tokenUsePruneBatchSize = 5_000

// pendingTokenUses are the token uses that have not been written to the file
// yet.
type pendingTokenUses struct {
	mu           sync.Mutex
	uses         []TokenUse
	droppedCount int // number of uses that were not kept since the last flush

	flushMutex sync.Mutex // held while uses are written to the file
}

// NoteTokenUse remembers a use for the log of the token's owner until
// FlushTokenUses writes it. It never waits: if there are too many uses, they
// are dropped, and the server's log says how many.
func (s *Store) NoteTokenUse(u TokenUse) {
	u.Method, u.Path, u.UserAgent = MaskTokens(u.Method), MaskTokens(u.Path), MaskTokens(u.UserAgent)
	u.Method, u.Path = u.Method[:min(len(u.Method), maxUseMethodBytes)], u.Path[:min(len(u.Path), maxUsePathBytes)]
	u.UserAgent = u.UserAgent[:min(len(u.UserAgent), maxUserAgentBytes)]
	w := &s.pendingUses
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.uses) >= maxPendingUses {
		w.droppedCount++
		return
	}
	w.uses = append(w.uses, u)
}

// FlushTokenUses writes the remembered uses to the log. It is called once a
// second, so that a busy script causes one commit a second instead of one per
// request.
func (s *Store) FlushTokenUses(ctx context.Context) error {
	w := &s.pendingUses
	w.flushMutex.Lock()
	defer w.flushMutex.Unlock()
	w.mu.Lock()
	batch, dropped := w.uses, w.droppedCount
	w.uses, w.droppedCount = nil, 0
	w.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	// The batch is no longer in memory. It must be written even if ctx is
	// cancelled.
	err := s.update(context.WithoutCancel(ctx), System(), func(tx *Tx) error { return tx.putTokenUses(batch) })
	if isUnwritable(err) {
		w.mu.Lock()
		defer w.mu.Unlock()
		kept := min(len(w.uses), maxPendingUses-len(batch))
		w.droppedCount += dropped + len(w.uses) - kept
		w.uses = append(batch, w.uses[:kept]...)
		return err
	}
	if dropped > 0 {
		s.options.Log.Warn("uses of tokens were not logged: too many at once", "dropped", dropped)
	}
	return err
}

// putTokenUses appends uses to the logs of their owners, in the order in which
// they were noted.
func (tx *Tx) putTokenUses(batch []TokenUse) error {
	byUser := make(map[int64][]TokenUse)
	used := make(map[string]TokenUse)
	for _, u := range batch {
		byUser[u.UserID] = append(byUser[u.UserID], u)
		if u.Text == "" {
			used[u.TokenID] = u
		}
	}
	for user, uses := range byUser {
		last := tx.lastTokenUse(user)
		for _, u := range uses {
			last = last.Next(u.At)
			value, err := encodeTokenUse(&u)
			if err != nil {
				return err
			}
			if err := tx.s.tokenUses.Put(tx.kv, tokenUseKey(user, last), value); err != nil {
				return err
			}
		}
		count := tx.countTokenUses(user) + len(uses)
		pruned, err := tx.pruneTokenUses(user, max(count-maxTokenUses, 0), time.Time{})
		if err != nil {
			return err
		}
		if err := tx.putTokenUseCount(user, count-pruned); err != nil {
			return err
		}
	}
	for id, u := range used {
		_, err := tx.Token(u.UserID, id)
		if errors.Is(err, ErrNotFound) {
			continue // the token was deleted meanwhile
		}
		if err == nil {
			err = tx.s.tokenLastUses.Put(tx.kv, []byte(id), kv.TimeBytes(u.At))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tokenUseKey returns the key of a use.
func tokenUseKey(user int64, p activity.Position) []byte { return append(userKey(user), p.Key()...) }

// tokenUseKeySize is the length of the key of a use in bytes.
const tokenUseKeySize = 16

func (tx *Tx) countTokenUses(user int64) int {
	count := tx.s.tokenUses.Get(tx.kv, userKey(user))
	if count == nil {
		return 0
	}
	return int(binary.BigEndian.Uint64(count))
}

func (tx *Tx) putTokenUseCount(user int64, n int) error {
	if n == 0 {
		return tx.s.tokenUses.Delete(tx.kv, userKey(user))
	}
	return tx.s.tokenUses.Put(tx.kv, userKey(user), kv.Key64(uint64(n)))
}

// lastTokenUse returns the position of the newest use of a user's tokens; 0 if
// there is none.
func (tx *Tx) lastTokenUse(user int64) activity.Position {
	for key := range tx.s.tokenUses.ScanBack(tx.kv, tokenUseKey(user, 0), tokenUseKey(user, ^activity.Position(0))) {
		return activity.PositionOfKey(key[8:])
	}
	return 0
}

// pruneTokenUses prunes the n oldest uses of a user and all uses before a time,
// but at most n or tokenUsePruneBatchSize, whichever is larger. It returns how
// many it has pruned.
func (tx *Tx) pruneTokenUses(user int64, n int, before time.Time) (pruned int, err error) {
	limit := activity.Position(0)
	if !before.IsZero() {
		limit = activity.PositionAt(before)
	}
	return tx.s.tokenUses.DeleteOldest(tx.kv, tokenUseKey(user, 0), tokenUseKey(user, ^activity.Position(0)), func(pruned int, key, _ []byte) bool {
		return (pruned < n || activity.PositionOfKey(key[8:]) < limit) && pruned < max(n, tokenUsePruneBatchSize)
	})
}

// PruneTokenUsesBefore prunes the uses before a time from the logs of all
// users, and the former texts that became invalid before that time. It uses
// several transactions.
func (s *Store) PruneTokenUsesBefore(ctx context.Context, before time.Time) error {
	var users []int64
	err := s.View(func(tx *Tx) error {
		for u, err := range tx.s.users.All(tx.kv) { // also deleted users
			if err != nil {
				return err
			}
			users = append(users, u.ID)
		}
		return nil
	})
	for _, user := range users {
		for pruned := tokenUsePruneBatchSize; err == nil && pruned == tokenUsePruneBatchSize; {
			err = s.update(ctx, System(), func(tx *Tx) (err error) {
				pruned, err = tx.pruneTokenUses(user, 0, before)
				if err != nil || pruned == 0 {
					return err
				}
				return tx.putTokenUseCount(user, tx.countTokenUses(user)-pruned)
			})
		}
	}
	if err != nil {
		return err
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		_, err := tx.s.formerTexts.DeleteWhere(tx.kv, func(f *FormerText) bool { return f.At.Before(before) })
		return err
	})
}

// TokenUses returns at most n uses of a user's tokens, newest first. If tokenID
// is not "", it returns only the uses of that token. It begins with the newest
// use before the position before, or with the newest of all if before is 0.
// next is the value of before for the next call; 0 if there are no more uses.
func (tx *Tx) TokenUses(userID int64, tokenID string, before activity.Position, n int) (uses []TokenUse, next activity.Position, err error) {
	var only []byte
	if tokenID != "" {
		id, err := uuid.Parse(tokenID)
		if err != nil {
			return nil, 0, nil // no token has such an id
		}
		only = id[:]
	}
	for key, value := range tx.s.tokenUses.ScanBack(tx.kv, tokenUseKey(userID, 0), tokenUseKey(userID, before-1)) {
		if only != nil && !slices.Equal(value[:min(len(value), len(only))], only) {
			continue
		}
		if len(uses) == n {
			return uses, uses[n-1].Position, nil
		}
		u, err := decodeTokenUse(key, value)
		if err != nil {
			return nil, 0, err
		}
		uses = append(uses, *u)
	}
	return uses, 0, nil
}

// TokenLastUsed returns when a token was used last, or nil if it was never
// used. It does not know the uses that FlushTokenUses has not written yet.
func (tx *Tx) TokenLastUsed(tokenID string) *time.Time {
	at := tx.s.tokenLastUses.Get(tx.kv, []byte(tokenID))
	if at == nil {
		return nil
	}
	t := kv.BytesTime(at)
	return &t
}

// encodeTokenUse encodes a use as the 16 bytes of its token's id, followed by
// JSON. The uses of one token are therefore found without decoding the others.
// BenchmarkTokenUses: finding the uses of one token takes a 40th of the time of
// decoding all, and reading the stored number of uses takes a 100th of the time
// of counting them.
func encodeTokenUse(u *TokenUse) ([]byte, error) {
	id, err := uuid.Parse(u.TokenID)
	if err != nil {
		return nil, fmt.Errorf("use of a token: %w", err)
	}
	document, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("use of a token: %w", err)
	}
	return append(id[:], document...), nil
}

func decodeTokenUse(key, value []byte) (*TokenUse, error) {
	if len(key) != tokenUseKeySize || len(value) < len(uuid.UUID{}) {
		return nil, fmt.Errorf("use of a token %x: too short", key)
	}
	u := &TokenUse{
		UserID: int64(binary.BigEndian.Uint64(key)), Position: activity.PositionOfKey(key[8:]),
		TokenID: uuid.UUID(value[:16]).String(),
	}
	if err := json.Unmarshal(value[16:], u); err != nil {
		return nil, fmt.Errorf("use of a token %x: %w", key, err)
	}
	u.At = u.OccurredOn()
	return u, nil
}

// verifyTokenUses checks that the stored number of uses of each user is right.
func (tx *Tx) verifyTokenUses() error {
	counted, found := make(map[int64]int), make(map[int64]int)
	for key, value := range tx.s.tokenUses.Scan(tx.kv, nil, nil) {
		if user := int64(binary.BigEndian.Uint64(key)); len(key) == userKeySize {
			counted[user] = tx.countTokenUses(user)
			continue
		}
		u, err := decodeTokenUse(key, value)
		if err != nil {
			return err
		}
		found[u.UserID]++
	}
	if !maps.Equal(counted, found) {
		return fmt.Errorf("uses of tokens by user are %v, counted %v", found, counted)
	}
	return nil
}

// verifyTokensUsed checks that each stored last use belongs to a token.
func (tx *Tx) verifyTokensUsed() error {
	tokens := make(map[string]bool)
	for t, err := range tx.AllTokens() {
		if err != nil {
			return err
		}
		tokens[t.ID] = true
	}
	for id, at := range tx.s.tokenLastUses.Scan(tx.kv, nil, nil) {
		if !tokens[string(id)] || len(at) != 8 {
			return fmt.Errorf("last use of %q: no such token, or no time", id)
		}
	}
	return nil
}
