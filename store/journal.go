package store

import (
	"encoding/binary"
	"fmt"
)

// Change is a record that was written. Kind is the name of its bucket, such as
// "host" or "tags". Seq is its place in the journal.
type Change struct {
	Seq  uint64
	Kind string
	ID   string // the key of the record; for a user and a user's views the user id in decimal, for a token the token id
}

// ChangedAfter returns at most limit records that were written after the
// journal place seq, in the order in which each was last written.
func (tx *Tx) ChangedAfter(seq uint64, limit int) ([]Change, error) {
	written, err := tx.kv.ChangedAfter(seq, limit)
	changes := make([]Change, len(written))
	for i, w := range written {
		changes[i] = Change{Seq: w.Seq, Kind: w.Bucket, ID: string(w.Key)}
		switch w.Bucket {
		case "user", "view":
			changes[i].ID = fmt.Sprint(binary.BigEndian.Uint64(w.Key))
		case "token":
			changes[i].ID = string(w.Key[userKeySize:])
		}
	}
	return changes, err
}

// LastChange returns the journal place of the newest change; 0 if nothing was
// ever written.
func (tx *Tx) LastChange() uint64 { return tx.kv.LastChange() }

// Watch returns a channel that receives a value after every commit. Several
// commits can cause one value. It carries no data, so the receiver reads the
// journal or the activity log. stop ends the notifications.
func (s *Store) Watch() (changed <-chan struct{}, stop func()) { return s.db.Watch() }
