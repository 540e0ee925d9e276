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

// TokenUse is a request that was made with a personal access token, whether it
// was refused or not.
type TokenUse struct {
	UserID    int64             `json:"-"` // the owner of the token
	Position  activity.Position `json:"-"` // the place in the owner's log and the time; given when it is written
	At        time.Time         `json:"-"` // when the request came, until it has a position
	TokenID   string            `json:"-"`
	TokenName string            `json:"token_name"` // as it was then
	Method    string            `json:"method"`
	Path      string            `json:"path"` // without the query
	Status    int               `json:"status"`
	Address   string            `json:"remote_address,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Via       string            `json:"via"`            // how the token was shown: bearer, basic, parameter or login
	Text      string            `json:"text,omitempty"` // TextReplaced or TextDeleted where the text is no longer valid
}

// OccurredOn is the time of a use that is in the log.
func (u *TokenUse) OccurredOn() time.Time { return u.Position.Time() }

// The limits of the log: uses of a user, of which the oldest make room; uses that
// wait to be written; bytes of what a request says.
const (
	maxTokenUses   = 50_000
	maxPendingUses = 10_000
	maxUsePath     = 512
	maxUseMethod   = 16
)

// pruneChunk is how many uses one transaction prunes.
const pruneChunk = 5_000

// pendingTokenUses are the uses that have not been written yet.
type pendingTokenUses struct {
	mu      sync.Mutex
	pending []TokenUse
	dropped int

	writing sync.Mutex // held while a batch is on its way into the file
}

// NoteTokenUse notes a use for the log of the token's owner. FlushTokenUses
// writes it. NoteTokenUse never waits: where more arrives than is written, uses
// are dropped, and the server's log says how many.
func (s *Store) NoteTokenUse(u TokenUse) {
	u.Method, u.Path, u.UserAgent = MaskTokens(u.Method), MaskTokens(u.Path), MaskTokens(u.UserAgent)
	u.Method, u.Path = u.Method[:min(len(u.Method), maxUseMethod)], u.Path[:min(len(u.Path), maxUsePath)]
	u.UserAgent = u.UserAgent[:min(len(u.UserAgent), maxUserAgent)]
	w := &s.pendingUses
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) >= maxPendingUses {
		w.dropped++
		return
	}
	w.pending = append(w.pending, u)
}

// FlushTokenUses writes the uses noted so far into the log. Called once a
// second, it makes a busy script cost a commit a second and not one a request.
func (s *Store) FlushTokenUses(ctx context.Context) error {
	w := &s.pendingUses
	w.writing.Lock()
	defer w.writing.Unlock()
	w.mu.Lock()
	batch, dropped := w.pending, w.dropped
	w.pending, w.dropped = nil, 0
	w.mu.Unlock()
	if dropped > 0 {
		s.options.Log.Warn("uses of tokens were not logged: too many at once", "dropped", dropped)
	}
	if len(batch) == 0 {
		return nil
	}
	// Once taken, the batch must be written, even if ctx ends.
	return s.update(context.WithoutCancel(ctx), System(), func(tx *Tx) error { return tx.putUses(batch) })
}

// putUses appends uses to the logs of their owners, in the order in which they
// were noted.
func (tx *Tx) putUses(batch []TokenUse) error {
	byUser := make(map[int64][]TokenUse)
	used := make(map[string]TokenUse)
	for _, u := range batch {
		byUser[u.UserID] = append(byUser[u.UserID], u)
		if u.Text == "" {
			used[u.TokenID] = u
		}
	}
	for user, uses := range byUser {
		last := tx.lastUse(user)
		for _, u := range uses {
			last = last.Next(u.At)
			value, err := encodeUse(&u)
			if err != nil {
				return err
			}
			if err := tx.s.tokenUses.Put(tx.kv, useKey(user, last), value); err != nil {
				return err
			}
		}
		count := tx.countUses(user) + len(uses)
		pruned, err := tx.pruneUses(user, max(count-maxTokenUses, 0), time.Time{})
		if err != nil {
			return err
		}
		if err := tx.putUseCount(user, count-pruned); err != nil {
			return err
		}
	}
	for id, u := range used {
		_, err := tx.Token(u.UserID, id)
		if errors.Is(err, ErrNotFound) {
			continue // it was deleted meanwhile
		}
		if err == nil {
			err = tx.s.tokensUsed.Put(tx.kv, []byte(id), kv.TimeBytes(u.At))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// useKey is the key of a use.
func useKey(user int64, p activity.Position) []byte { return append(userKey(user), p.Key()...) }

// useKeySize is the length of the key of a use.
const useKeySize = 16

func (tx *Tx) countUses(user int64) int {
	count := tx.s.tokenUses.Get(tx.kv, userKey(user))
	if count == nil {
		return 0
	}
	return int(binary.BigEndian.Uint64(count))
}

func (tx *Tx) putUseCount(user int64, n int) error {
	if n == 0 {
		return tx.s.tokenUses.Delete(tx.kv, userKey(user))
	}
	return tx.s.tokenUses.Put(tx.kv, userKey(user), kv.Key64(uint64(n)))
}

// lastUse is the position of the newest use of a user's tokens; 0 where there
// is none.
func (tx *Tx) lastUse(user int64) activity.Position {
	for key := range tx.s.tokenUses.ScanBack(tx.kv, useKey(user, 0), useKey(user, ^activity.Position(0))) {
		return activity.PositionOfKey(key[8:])
	}
	return 0
}

// pruneUses prunes the oldest uses of a user: the first n, and those before a
// time; no more than n or pruneChunk, whichever is larger. It returns how many
// it has pruned.
func (tx *Tx) pruneUses(user int64, n int, before time.Time) (pruned int, err error) {
	limit := activity.Position(0)
	if !before.IsZero() {
		limit = activity.PositionAt(before)
	}
	return tx.s.tokenUses.DeleteOldest(tx.kv, useKey(user, 0), useKey(user, ^activity.Position(0)), func(pruned int, key, _ []byte) bool {
		return (pruned < n || activity.PositionOfKey(key[8:]) < limit) && pruned < max(n, pruneChunk)
	})
}

// PruneTokenUsesBefore prunes the uses before a time from the logs of all users,
// in as many transactions as it takes, and the former texts of tokens that are
// older.
func (s *Store) PruneTokenUsesBefore(ctx context.Context, before time.Time) error {
	var users []int64
	err := s.View(func(tx *Tx) error {
		for u, err := range tx.s.users.All(tx.kv) { // deleted ones, too
			if err != nil {
				return err
			}
			users = append(users, u.ID)
		}
		return nil
	})
	for _, user := range users {
		for pruned := pruneChunk; err == nil && pruned == pruneChunk; {
			err = s.update(ctx, System(), func(tx *Tx) (err error) {
				pruned, err = tx.pruneUses(user, 0, before)
				if err != nil || pruned == 0 {
					return err
				}
				return tx.putUseCount(user, tx.countUses(user)-pruned)
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

// TokenUses returns the newest uses of a user's tokens, of one of them where
// tokenID is not empty, newest first, n of them at most. They begin behind the
// position before, or with the newest one where that is 0. next is where to go
// on, 0 where there are no more.
func (tx *Tx) TokenUses(userID int64, tokenID string, before activity.Position, n int) (uses []TokenUse, next activity.Position, err error) {
	var only []byte
	if tokenID != "" {
		id, err := uuid.Parse(tokenID)
		if err != nil {
			return nil, 0, nil // there is no such token
		}
		only = id[:]
	}
	for key, value := range tx.s.tokenUses.ScanBack(tx.kv, useKey(userID, 0), useKey(userID, before-1)) {
		if only != nil && !slices.Equal(value[:min(len(value), len(only))], only) {
			continue
		}
		if len(uses) == n {
			return uses, uses[n-1].Position, nil
		}
		u, err := decodeUse(key, value)
		if err != nil {
			return nil, 0, err
		}
		uses = append(uses, *u)
	}
	return uses, 0, nil
}

// TokenLastUsed is when a token was shown last, nil where it never was. What
// FlushTokenUses has not written yet does not count.
func (tx *Tx) TokenLastUsed(tokenID string) *time.Time {
	at := tx.s.tokensUsed.Get(tx.kv, []byte(tokenID))
	if at == nil {
		return nil
	}
	t := kv.BytesTime(at)
	return &t
}

// A use is stored as the 16 bytes of the id of its token, so that the uses of
// one can be told from the others without decoding them, and JSON.
// BenchmarkTokenUses: finding the uses of one takes a 40th of the time, and
// counting all with the stored number a 100th.
func encodeUse(u *TokenUse) ([]byte, error) {
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

func decodeUse(key, value []byte) (*TokenUse, error) {
	if len(key) != useKeySize || len(value) < len(uuid.UUID{}) {
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

// verifyTokenUses checks that the uses of each user are as many as is written.
func (tx *Tx) verifyTokenUses() error {
	counted, found := make(map[int64]int), make(map[int64]int)
	for key, value := range tx.s.tokenUses.Scan(tx.kv, nil, nil) {
		if user := int64(binary.BigEndian.Uint64(key)); len(key) == userKeySize {
			counted[user] = tx.countUses(user)
			continue
		}
		u, err := decodeUse(key, value)
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

// verifyTokensUsed checks that the last uses are those of tokens.
func (tx *Tx) verifyTokensUsed() error {
	tokens := make(map[string]bool)
	for t, err := range tx.AllTokens() {
		if err != nil {
			return err
		}
		tokens[t.ID] = true
	}
	for id, at := range tx.s.tokensUsed.Scan(tx.kv, nil, nil) {
		if !tokens[string(id)] || len(at) != 8 {
			return fmt.Errorf("last use of %q: no such token, or no time", id)
		}
	}
	return nil
}
