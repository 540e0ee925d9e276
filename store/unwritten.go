package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"trento/store/activity"
	"trento/store/failure"
	"trento/store/fault"
)

// People must be able to sign in and look while changes cannot be stored: that
// is when they are needed. So sign-ins and sign-outs are then kept in memory,
// and written as soon as that is possible again. They are lost if the server
// stops before.

// maxUnwritten limits the sign-ins, the sign-outs and the log entries about
// refused sign-ins in memory, each.
const maxUnwritten = 1000

// unwrittenSignIns are sign-ins that wait to be written.
type unwrittenSignIns struct {
	mu            sync.Mutex
	signIns       map[[32]byte]SignIn // by the hash of the session
	endedSessions map[[32]byte]bool   // stored sessions that were ended
	refused       []refusedSignIn
}

// refusedSignIn is a log entry about a refused sign-in.
type refusedSignIn struct {
	by    Actor
	event activity.Event
}

// isUnwritable reports whether a change failed because of the disk.
func isUnwritable(err error) bool {
	kind, ok := fault.KindOf(err)
	return ok && kind == fault.Unwritable
}

// signInUnwritten checks a sign-in as SignIn does, and keeps it in memory. It
// fails with cause if the sign-in would change more than that the user has
// signed in.
func (s *Store) signInUnwritten(in SignIn, cause error) (user *User, err error) {
	u := &s.unwrittenSignIns
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.signIns) >= maxUnwritten {
		return nil, cause
	}
	err = s.View(func(tx *Tx) error {
		if in.Person != nil {
			user, err = tx.accountAsStored(in.Person, cause)
		} else {
			user, err = tx.checkSignIn(&in)
		}
		if err != nil {
			return err
		}
		in.UserID = user.ID
		return tx.endWithToken(&in.Session)
	})
	if err != nil {
		return nil, err
	}
	for _, other := range u.signIns {
		switch {
		case other.Person != nil && in.Person != nil && other.Person.Attempt == in.Person.Attempt,
			other.CodeAt != nil && in.CodeAt != nil && other.UserID == in.UserID && !in.CodeAt.Truncate(codeLifetime).After(other.CodeAt.Truncate(codeLifetime)):
			return nil, fmt.Errorf("sign-in of user %d: %w: it was used before", in.UserID, ErrStale)
		}
	}
	if u.signIns == nil {
		u.signIns = make(map[[32]byte]SignIn)
	}
	u.signIns[in.Hash] = in
	return user, nil
}

// accountAsStored returns the user that is linked with a person. It fails with
// cause if there is none, or if the provider says something else about the
// person than is stored.
func (tx *Tx) accountAsStored(p *Person, cause error) (*User, error) {
	if tx.s.usedAttempts.Has(tx.kv, p.Attempt[:]) {
		return nil, fmt.Errorf("sign-in at the identity provider: %w: it was used before", ErrStale)
	}
	user, err := tx.linkedUser(p.Identity)
	switch {
	case err != nil:
		return nil, cause
	case !user.Enabled():
		return nil, fmt.Errorf("user %d: %w", user.ID, ErrDisabled)
	case p.Abilities != nil && !slices.Equal(normalizeAbilities(p.Abilities), user.Abilities):
		return nil, cause
	}
	return user, nil
}

// session returns a session in memory. ended says that the session was ended in
// memory, whether it is stored or not.
func (u *unwrittenSignIns) session(hash [32]byte) (session *Session, ended bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if in, ok := u.signIns[hash]; ok {
		return &in.Session, false
	}
	return nil, u.endedSessions[hash]
}

// sessionsOf returns the sessions of a user in memory.
func (u *unwrittenSignIns) sessionsOf(userID int64) (sessions []*Session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, in := range u.signIns {
		if in.UserID == userID {
			sessions = append(sessions, &in.Session)
		}
	}
	return sessions
}

// end ends a session in memory. It returns false if the session is stored and
// there is no room to remember that it was ended.
func (u *unwrittenSignIns) end(hash [32]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.signIns[hash]; ok {
		delete(u.signIns, hash)
		return true
	}
	if len(u.endedSessions) >= maxUnwritten {
		return false
	}
	if u.endedSessions == nil {
		u.endedSessions = make(map[[32]byte]bool)
	}
	u.endedSessions[hash] = true
	return true
}

// deleteSessions deletes the sessions for which match returns true, stored or in
// memory, and returns how many.
func (tx *Tx) deleteSessions(match func(*Session) bool) (int, error) {
	u := &tx.s.unwrittenSignIns
	u.mu.Lock()
	var ended [][32]byte
	for hash, in := range u.signIns {
		if match(&in.Session) {
			ended = append(ended, hash)
		}
	}
	u.mu.Unlock()
	if len(ended) > 0 {
		tx.kv.AfterCommit(func() {
			u.mu.Lock()
			defer u.mu.Unlock()
			for _, hash := range ended {
				delete(u.signIns, hash)
			}
		})
	}
	n, err := tx.s.sessions.DeleteWhere(tx.kv, match)
	return n + len(ended), err
}

// logRefused adds a log entry about a refused sign-in. If it cannot be stored, it
// is kept in memory: the caller has to learn that the sign-in was refused.
func (s *Store) logRefused(ctx context.Context, by Actor, e activity.Event) error {
	err := s.AppendActivity(ctx, by, e)
	if !isUnwritable(err) {
		return err
	}
	u := &s.unwrittenSignIns
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.refused) < maxUnwritten {
		u.refused = append(u.refused, refusedSignIn{by, e})
	}
	return nil
}

// WriteUnwritten tries whether changes can be stored again, if that failed. It
// then logs from when until when it was not possible, and stores the sign-ins
// and sign-outs in memory.
func (s *Store) WriteUnwritten(ctx context.Context) error {
	if err := s.logInterruptions(ctx); err != nil {
		return err
	}
	u := &s.unwrittenSignIns
	u.mu.Lock()
	signIns, ended, refused := maps.Clone(u.signIns), maps.Clone(u.endedSessions), u.refused
	u.refused = nil
	u.mu.Unlock()
	for i, r := range refused {
		if err := s.AppendActivity(ctx, r.by, r.event); err != nil {
			u.mu.Lock()
			u.refused = append(slices.Clone(refused[i:]), u.refused...)
			u.mu.Unlock()
			return err
		}
	}
	for hash, in := range signIns {
		if err := s.writeSignIn(ctx, hash, in); err != nil {
			return err
		}
	}
	for hash := range ended {
		if err := s.update(ctx, System(), func(tx *Tx) error { return tx.s.sessions.Delete(tx.kv, hash[:]) }); err != nil {
			return err
		}
		u.mu.Lock()
		delete(u.endedSessions, hash)
		u.mu.Unlock()
	}
	return nil
}

// writeSignIn writes a sign-in, which so far is only in memory, to the file. If
// the user may not sign in any more, the session ends.
func (s *Store) writeSignIn(ctx context.Context, hash [32]byte, in SignIn) error {
	err := s.update(ctx, System(), func(tx *Tx) error {
		if session, _ := s.unwrittenSignIns.session(hash); session == nil {
			return nil // it was ended meanwhile
		}
		_, err := tx.signIn(in)
		return err
	})
	if isUnwritable(err) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		s.options.Log.Warn("a session has ended because its sign-in could not be stored", "user", in.UserID, "error", err)
	}
	s.unwrittenSignIns.mu.Lock()
	defer s.unwrittenSignIns.mu.Unlock()
	delete(s.unwrittenSignIns.signIns, hash)
	return nil
}

// logInterruptions logs the times in which no change could be stored. If that has
// not ended, it only tries.
func (s *Store) logInterruptions(ctx context.Context) error {
	if s.failures.Has(failure.Writing) {
		if err := s.tryWriting(ctx); err != nil {
			return err
		}
	}
	past := s.failures.Past(failure.Writing)
	if len(past) == 0 {
		return nil
	}
	err := s.update(ctx, System(), func(tx *Tx) error {
		for _, f := range past {
			if err := tx.log(activity.System, &activity.WritingInterruption{From: f.Since.UTC(), Until: f.Until.UTC(), Reason: f.Cause.Text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.failures.Forget(failure.Writing, past[len(past)-1].Since)
	}
	return err
}

// tryWriting makes a change that changes nothing.
func (s *Store) tryWriting(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		return tx.s.meta.Put(tx.kv, programKey, slices.Clone(tx.s.meta.Get(tx.kv, programKey)))
	})
}
