package kv

import (
	"bytes"
	"encoding/binary"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Key64 encodes a number for a key: eight bytes, which sort like the numbers.
func Key64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// TimeBytes encodes a time for a value: microseconds since 1970 in eight bytes.
func TimeBytes(t time.Time) []byte { return Key64(uint64(t.UnixMicro())) }

// BytesTime reads what TimeBytes wrote.
func BytesTime(b []byte) time.Time { return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() }

// Bucket is a bucket of bytes. What its methods return must not be modified,
// nor used after the transaction.
type Bucket struct {
	name   []byte
	rows   []row
	verify []func(*Tx) error
}

func (b *Bucket) in(tx *Tx) *bolt.Bucket { return tx.bolt.Bucket(b.name) }

// Get returns the value of a key; nil if there is none.
func (b *Bucket) Get(tx *Tx, key []byte) []byte { return b.in(tx).Get(key) }

// Put stores a value.
func (b *Bucket) Put(tx *Tx, key, value []byte) error {
	tx.dirty = true
	return b.in(tx).Put(key, value)
}

// appendFill is how full Append makes pages; otherwise bbolt leaves them half
// empty. By BenchmarkAppend a value of 160 bytes takes 206 bytes of the file,
// and 377 with Put.
const appendFill = 0.95

// Append is Put in a bucket whose keys only grow.
func (b *Bucket) Append(tx *Tx, key, value []byte) error {
	b.in(tx).FillPercent = appendFill
	return b.Put(tx, key, value)
}

// Delete deletes keys. Do not call it during a scan, which may then skip keys:
// collect them first.
func (b *Bucket) Delete(tx *Tx, keys ...[]byte) error {
	for _, key := range keys {
		tx.dirty = true
		if err := b.in(tx).Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// DeleteOldest deletes keys of a range from its beginning on, as long as they
// are to go: n is how many have gone before. It returns how many went.
func (b *Bucket) DeleteOldest(tx *Tx, from, to []byte, goes func(n int, k, v []byte) bool) (int, error) {
	var keys [][]byte
	for k, v := range b.Scan(tx, from, to) {
		if !goes(len(keys), k, v) {
			break
		}
		keys = append(keys, k)
	}
	return len(keys), b.Delete(tx, keys...)
}

// First returns the first key; nil in an empty bucket.
func (b *Bucket) First(tx *Tx) []byte {
	key, _ := b.in(tx).Cursor().First()
	return key
}

// Last returns the last key; nil in an empty bucket.
func (b *Bucket) Last(tx *Tx) []byte {
	key, _ := b.in(tx).Cursor().Last()
	return key
}

// Count counts the keys by walking them: bbolt's own statistics include what a
// transaction has not written yet, and walk as well.
func (b *Bucket) Count(tx *Tx) (n int) {
	for range b.Scan(tx, nil, nil) {
		n++
	}
	return n
}

// Sequence returns the sequence number of the bucket.
func (b *Bucket) Sequence(tx *Tx) uint64 { return b.in(tx).Sequence() }

// NextSequence raises Sequence by one.
func (b *Bucket) NextSequence(tx *Tx) (uint64, error) {
	tx.dirty = true
	return b.in(tx).NextSequence()
}

// SetSequence sets Sequence.
func (b *Bucket) SetSequence(tx *Tx, n uint64) error {
	tx.dirty = true
	return b.in(tx).SetSequence(n)
}

// Scan iterates over a range of keys, both ends included. If to is nil it ends
// with the bucket.
func (b *Bucket) Scan(tx *Tx, from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		cursor := b.in(tx).Cursor()
		for k, v := cursor.Seek(from); k != nil && (to == nil || bytes.Compare(k, to) <= 0); k, v = cursor.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// ScanBack is Scan from the end to the beginning.
func (b *Bucket) ScanBack(tx *Tx, from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		cursor := b.in(tx).Cursor()
		k, v := cursor.Seek(to)
		switch {
		case k == nil:
			k, v = cursor.Last()
		case bytes.Compare(k, to) > 0:
			k, v = cursor.Prev()
		}
		for ; k != nil && bytes.Compare(k, from) >= 0; k, v = cursor.Prev() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// ScanPrefix walks the keys that begin with a prefix.
func (b *Bucket) ScanPrefix(tx *Tx, prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		for k, v := range b.Scan(tx, prefix, nil) {
			if !bytes.HasPrefix(k, prefix) || !yield(k, v) {
				return
			}
		}
	}
}
