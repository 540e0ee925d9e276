package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"trento/store/activity"
)

// SessionKind tells what a session is for.
type SessionKind string

// The kinds of sessions: a browser's, or the grant behind a refresh token.
const (
	ConsoleSession SessionKind = "console"
	APISession     SessionKind = "api"
)

// Session is one sign-in. The secret that its owner holds is not stored, only
// its hash.
type Session struct {
	Hash       [32]byte    `json:"-"`
	UserID     int64       `json:"user_id"`
	Kind       SessionKind `json:"kind"`
	Method     string      `json:"method"` // how the user proved who they are: "password"
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
	LastSeenAt time.Time   `json:"last_seen_at"` // to within touchInterval
	Address    string      `json:"address"`
	UserAgent  string      `json:"user_agent"`
}

// touchInterval is how often the last use of a session is written down.
const touchInterval = 5 * time.Minute

// maxUserAgent bounds what a browser can make us store about itself.
const maxUserAgent = 512

// Session returns the session of a hash. ErrNotFound also says that it has
// expired.
func (tx *Tx) Session(hash [32]byte) (*Session, error) {
	stored := tx.btx.Bucket(bucketSession).Get(hash[:])
	if stored == nil {
		return nil, fmt.Errorf("session: %w", ErrNotFound)
	}
	session := Session{Hash: hash}
	if err := json.Unmarshal(stored, &session); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	if !tx.now.Before(session.ExpiresAt) {
		return nil, fmt.Errorf("session: %w", ErrNotFound)
	}
	return &session, nil
}

func (tx *Tx) putSession(session *Session) error {
	document, err := json.Marshal(session)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return tx.put(bucketSession, session.Hash[:], document)
}

// SignIn stores the session of a successful sign-in, together with its trace
// in the account and in the activity log. ErrNotFound means that the user has
// been disabled or deleted meanwhile.
func (s *Store) SignIn(ctx context.Context, session Session) error {
	session.UserAgent = session.UserAgent[:min(len(session.UserAgent), maxUserAgent)]
	return s.update(ctx, System(), func(tx *Tx) error {
		before, err := tx.User(session.UserID)
		if err != nil {
			return err
		}
		if !before.Enabled() {
			return fmt.Errorf("user %d: %w", before.ID, ErrNotFound)
		}
		after := *before
		after.LastLoginAt = &tx.now
		if err := tx.recordUser(&after); err != nil {
			return err
		}
		if err := tx.putSession(&session); err != nil {
			return err
		}
		return tx.log(before.Username, activity.LoginAttempt, map[string]any{})
	})
}

// SignInFailed leaves a refused sign-in in the activity log, under the name
// that was given.
func (s *Store) SignInFailed(ctx context.Context, username string) error {
	by := Actor{Name: activity.CutActor(username)}
	return s.AppendActivity(ctx, by, activity.LoginAttempt, map[string]any{
		"username": activity.CutActor(username), "reason": "Invalid credentials.",
	})
}

// AppendActivity logs something that changes nothing else in the file.
func (s *Store) AppendActivity(ctx context.Context, by Actor, t activity.Type, metadata map[string]any) error {
	return s.update(ctx, by, func(tx *Tx) error { return tx.log(by.Name, t, metadata) })
}

// SignOut ends a session. One that has ended already is no error.
func (s *Store) SignOut(ctx context.Context, hash [32]byte) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		if tx.btx.Bucket(bucketSession).Get(hash[:]) == nil {
			return nil
		}
		return tx.delete(bucketSession, hash[:])
	})
}

// TouchSession notes that a session is in use, every few minutes at most.
func (s *Store) TouchSession(ctx context.Context, used *Session) error {
	if s.Now().Sub(used.LastSeenAt) < touchInterval {
		return nil
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		session, err := tx.Session(used.Hash)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		session.LastSeenAt = tx.now.UTC()
		return tx.putSession(session)
	})
}

// ExpireSessions removes the sessions whose time is over.
func (s *Store) ExpireSessions(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		return tx.endSessionsWhere(func(session *Session) bool { return !tx.now.Before(session.ExpiresAt) })
	})
}

func (tx *Tx) endSessions(userID int64) error {
	return tx.endSessionsWhere(func(session *Session) bool { return session.UserID == userID })
}

func (tx *Tx) endSessionsWhere(ends func(*Session) bool) error {
	var doomed [][]byte
	err := tx.btx.Bucket(bucketSession).ForEach(func(k, v []byte) error {
		var session Session
		if err := json.Unmarshal(v, &session); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		if ends(&session) {
			doomed = append(doomed, k)
		}
		return nil
	})
	for _, k := range doomed {
		if err == nil {
			err = tx.delete(bucketSession, k)
		}
	}
	return err
}
