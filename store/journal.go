package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
)

// Change names a record that was written: Kind is its bucket ("host", "tags"),
// Seq its place in the journal.
type Change struct {
	Seq  uint64
	Kind string
	ID   string // its key; of a user and a user's views the id in decimal, of a token its own
}

// journalValue is what the journal says about a record. A record that is
// written again moves to the end, so the journal is never longer than the
// number of records.
func journalValue(bucket, key []byte) []byte {
	return bytes.Join([][]byte{bucket, key}, []byte{0})
}

// ChangedAfter returns the records written after the place seq, in the order
// of their last writing, limit of them at most.
func (tx *Tx) ChangedAfter(seq uint64, limit int) ([]Change, error) {
	var changes []Change
	for k, v := range scanBytes(tx.btx.Bucket(bucketJournal), key64(seq+1), key64(^uint64(0))) {
		if len(changes) == limit {
			break
		}
		kind, id, ok := bytes.Cut(v, []byte{0})
		if !ok {
			return nil, fmt.Errorf("journal entry %x: no kind", k)
		}
		c := Change{Seq: binary.BigEndian.Uint64(k), Kind: string(kind), ID: string(id)}
		if c.Kind == string(bucketUser) || c.Kind == string(bucketView) {
			c.ID = fmt.Sprint(binary.BigEndian.Uint64(id))
		}
		if c.Kind == string(bucketToken) {
			c.ID = string(id[8:])
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// LastChange is the place of the newest change; 0 where there is none.
func (tx *Tx) LastChange() uint64 {
	k, _ := tx.btx.Bucket(bucketJournal).Cursor().Last()
	if k == nil {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}

// watchers are those who want to know that something was committed.
type watchers struct {
	mu    sync.Mutex
	slots map[chan struct{}]struct{}
}

// Watch returns a channel that is poked after every commit. The poke carries
// no data and pokes may merge: whoever wakes asks the journal or the log what
// there is. stop ends it.
func (s *Store) Watch() (changed <-chan struct{}, stop func()) {
	slot := make(chan struct{}, 1)
	w := &s.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slots == nil {
		w.slots = make(map[chan struct{}]struct{})
	}
	w.slots[slot] = struct{}{}
	return slot, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.slots, slot)
	}
}

func (w *watchers) poke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for slot := range w.slots {
		select {
		case slot <- struct{}{}:
		default:
		}
	}
}
