package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The buckets; doc.go draws what is in them.
var (
	bucketMeta        = []byte("meta")
	bucketHost        = []byte("host")
	bucketCluster     = []byte("cluster")
	bucketDatabase    = []byte("database")
	bucketSAPSystem   = []byte("sap_system")
	bucketKept        = []byte("kept")
	bucketTags        = []byte("tags")
	bucketView        = []byte("view")
	bucketRelation    = []byte("relation")
	bucketUser        = []byte("user")
	bucketSetting     = []byte("setting")
	bucketToken       = []byte("token")
	bucketTokenHash   = []byte("token_hash")
	bucketTokenUse    = []byte("token_use")
	bucketTokenUsed   = []byte("token_used")
	bucketFormerToken = []byte("token_former")
	bucketUsername    = []byte("username")
	bucketJournal     = []byte("journal")
	bucketActivity    = []byte("activity")
	bucketReport      = []byte("report")
	bucketHeartbeat   = []byte("heartbeat")
	bucketSession     = []byte("session")
	bucketDiscard     = []byte("discard")
	bucketAgentReport = []byte("agent_report")

	keyID      = []byte("id")
	keyVersion = []byte("version")
	keyProgram = []byte("program")
	keyExpired = []byte("expired")
)

// versionSize is the length of the version in front of a record.
const versionSize = 8

func key64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func timeBytes(t time.Time) []byte { return key64(uint64(t.UnixMicro())) }

func bytesTime(b []byte) time.Time { return time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC() }

// put writes a value that is not a record.
func (tx *Tx) put(bucket, key, value []byte) error {
	tx.dirty = true
	return tx.btx.Bucket(bucket).Put(key, value)
}

func (tx *Tx) delete(bucket, key []byte) error {
	tx.dirty = true
	return tx.btx.Bucket(bucket).Delete(key)
}

// record stores a record and its journal entry. It is the only way to write
// one.
func (tx *Tx) record(bucket, key []byte, value any) error {
	document, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("%s %s: %w", bucket, key, err)
	}
	tx.dirty = true
	b, journal := tx.btx.Bucket(bucket), tx.btx.Bucket(bucketJournal)
	if old := b.Get(key); old != nil {
		if err := journal.Delete(old[:versionSize]); err != nil {
			return err
		}
	}
	sequence, err := journal.NextSequence()
	if err != nil {
		return err
	}
	version := key64(sequence)
	if err := journal.Put(version, journalValue(bucket, key)); err != nil {
		return err
	}
	return b.Put(key, append(version, document...))
}

// cache holds decoded records by key and version. It can never be wrong: a
// record that was written has a version that no record had before.
type cache[T any] struct {
	mu      sync.RWMutex
	records map[string]cached[T]
}

type cached[T any] struct {
	version uint64
	value   *T
}

// decode returns the record behind a stored value, from the cache where it
// holds this version. Inside a change the cache is only asked, never filled:
// the change may yet be undone, and its versions be given out again.
func decode[T any](tx *Tx, c *cache[T], key, stored []byte) (*T, error) {
	version := binary.BigEndian.Uint64(stored)
	c.mu.RLock()
	hit, ok := c.records[string(key)]
	c.mu.RUnlock()
	if ok && hit.version == version {
		return hit.value, nil
	}
	value := new(T)
	if err := json.Unmarshal(stored[versionSize:], value); err != nil {
		return nil, fmt.Errorf("record %q: %w", key, err)
	}
	if tx.btx.Writable() {
		return value, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.records == nil {
		c.records = make(map[string]cached[T])
	}
	c.records[string(key)] = cached[T]{version, value}
	return value, nil
}

// erase removes a record and its journal entry. Only records that others show
// as their own go this way: those who watch learn of it by nothing but what is
// written beside it.
func erase[T any](tx *Tx, bucket []byte, c *cache[T], key []byte) error {
	if stored := tx.btx.Bucket(bucket).Get(key); stored != nil {
		if err := tx.delete(bucketJournal, stored[:versionSize]); err != nil {
			return err
		}
	}
	tx.after = append(tx.after, func() { c.forget(key) })
	return tx.delete(bucket, key)
}

func (c *cache[T]) forget(key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.records, string(key))
}

// get returns the record of a key, or ErrNotFound.
func get[T any](tx *Tx, bucket []byte, c *cache[T], key []byte) (*T, error) {
	stored := tx.btx.Bucket(bucket).Get(key)
	if stored == nil {
		return nil, fmt.Errorf("%s %q: %w", bucket, key, ErrNotFound)
	}
	return decode(tx, c, key, stored)
}

// scan walks the records of a bucket in the order of their keys.
func scan[T any](tx *Tx, bucket []byte, c *cache[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		cursor := tx.btx.Bucket(bucket).Cursor()
		for key, stored := cursor.First(); key != nil; key, stored = cursor.Next() {
			if !yield(decode(tx, c, key, stored)) {
				return
			}
		}
	}
}

// scanBytes walks a range of keys, both ends included.
func scanBytes(b *bolt.Bucket, from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		cursor := b.Cursor()
		for k, v := cursor.Seek(from); k != nil && bytes.Compare(k, to) <= 0; k, v = cursor.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// scanBytesBack is scanBytes from the end to the beginning.
func scanBytesBack(b *bolt.Bucket, from, to []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		cursor := b.Cursor()
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
