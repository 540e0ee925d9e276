package store

import (
	"encoding/binary"
	"fmt"
)

// Change is a record that was written: Kind is its bucket ("host", "tags"), Seq
// its place in the journal.
type Change struct {
	Seq  uint64
	Kind string
	ID   string // the key; for a user and a user's views the id in decimal, for a token its own id
}

// ChangedAfter returns the records written after the place seq, in the order
// of their last writing, limit of them at most.
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

// LastChange returns the journal position of the newest change; 0 before the
// first one.
func (tx *Tx) LastChange() uint64 { return tx.kv.LastChange() }

// Watch returns a channel that receives after every commit. Notifications carry
// no data and may merge, so the receiver reads the journal or the log. stop
// ends them.
func (s *Store) Watch() (changed <-chan struct{}, stop func()) { return s.db.Watch() }
