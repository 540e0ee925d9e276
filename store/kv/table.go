package kv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
)

// VersionSize is the length of the version before a record, in bytes.
const VersionSize = 8

// Table is a bucket of JSON documents of one type. The documents are returned
// decoded and shared, and must not be modified.
//
// A decoded document is kept in a cache and returned again as long as the
// stored document is unchanged. A record is unchanged if it has the same
// version, any other document if it has the same bytes. A cached document is
// therefore never outdated. Benchmarks of package store: reading all hosts
// takes a fortieth of the time (BenchmarkHosts), and reading a session a fifth
// (BenchmarkSession).
type Table[T any] struct {
	*Bucket
	versionSize int // bytes before each document; 0 for a table without versions
	indexes     []tableIndex[T]
	setKey      func(document *T, key []byte)

	mu    sync.RWMutex
	cache map[string]cachedDocument[T]
}

type cachedDocument[T any] struct {
	stamp    string // version of a record, or bytes of another document
	document *T
}

type tableIndex[T any] struct {
	*Index
	keysOf func(*T) []string
}

// maxUnversionedCacheSize limits the cache of a table without versions, which also
// holds the stored bytes. Other caches are limited by the number of records.
const maxUnversionedCacheSize = 10_000

// NewRecords declares a table of records: each document is stored after a
// version of eight bytes, which is its place in the journal.
func NewRecords[T any](s *Schema, name, key string) *Table[T] {
	t := newTable[T](s, name, key, "record")
	t.versionSize = VersionSize
	s.records = append(s.records, t.Bucket)
	return t
}

// NewTable declares a table without versions and without a journal.
func NewTable[T any](s *Schema, name, key string) *Table[T] { return newTable[T](s, name, key, "JSON") }

func newTable[T any](s *Schema, name, key, form string) *Table[T] {
	t := &Table[T]{Bucket: s.NewBucket(name, key, fmt.Sprintf("%s: %T", form, *new(T))), cache: make(map[string]cachedDocument[T])}
	t.Verify(func(tx *Tx) error {
		for key, stored := range t.Scan(tx, nil, nil) {
			if _, err := t.unmarshal(key, stored); err != nil {
				return err
			}
		}
		return nil
	})
	return t
}

// SetKey sets a function that copies the key of a document into the document.
func (t *Table[T]) SetKey(set func(document *T, key []byte)) *Table[T] {
	t.setKey = set
	return t
}

// IndexedBy adds an index. keysOf returns the keys of a document in the index.
func (t *Table[T]) IndexedBy(x *Index, keysOf func(*T) []string) *Table[T] {
	t.indexes = append(t.indexes, tableIndex[T]{x, keysOf})
	x.tableEntries = append(x.tableEntries, func(tx *Tx, add func(key string, value []byte)) error {
		for key, stored := range t.Scan(tx, nil, nil) {
			document, err := t.decode(tx, key, stored)
			if err != nil {
				return err
			}
			for _, k := range keysOf(document) {
				add(k, x.valueFor(key))
			}
		}
		return nil
	})
	return t
}

// Has reports whether a document with the key exists.
func (t *Table[T]) Has(tx *Tx, key []byte) bool { return t.Bucket.Get(tx, key) != nil }

// Get returns the document with the key, or ErrNotFound.
func (t *Table[T]) Get(tx *Tx, key []byte) (*T, error) {
	stored := t.Bucket.Get(tx, key)
	if stored == nil {
		return nil, fmt.Errorf("%s %q: %w", t.name, key, ErrNotFound)
	}
	return t.decode(tx, key, stored)
}

// All iterates over the documents in the order of their keys. It skips damaged
// documents, so that one of them does not hide the others, and adds them to the
// failures.
func (t *Table[T]) All(tx *Tx) iter.Seq2[*T, error] { return t.WithPrefix(tx, nil) }

// WithPrefix iterates over the documents whose keys have a prefix, like All.
func (t *Table[T]) WithPrefix(tx *Tx, prefix []byte) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for key, stored := range t.ScanPrefix(tx, prefix) {
			document, err := t.decode(tx, key, stored)
			if errors.Is(err, ErrDamaged) {
				tx.NoteDamage(err)
				continue
			}
			if !yield(document, err) {
				return
			}
		}
	}
}

// decode returns a stored document, from the cache if possible. A change does
// not fill the cache: it can still be rolled back, and its versions are then
// used again.
func (t *Table[T]) decode(tx *Tx, key, stored []byte) (*T, error) {
	stamp := stored
	if t.versionSize > 0 {
		stamp = stored[:min(t.versionSize, len(stored))]
	}
	t.mu.RLock()
	hit, ok := t.cache[string(key)]
	t.mu.RUnlock()
	if ok && hit.stamp == string(stamp) {
		return hit.document, nil
	}
	decoded, err := t.unmarshal(key, stored)
	if err != nil || tx.Writable() {
		return decoded, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.versionSize == 0 && len(t.cache) >= maxUnversionedCacheSize {
		clear(t.cache)
	}
	t.cache[string(key)] = cachedDocument[T]{string(stamp), decoded}
	return decoded, nil
}

func (t *Table[T]) unmarshal(key, stored []byte) (*T, error) {
	decoded := new(T)
	if err := json.Unmarshal(stored[min(t.versionSize, len(stored)):], decoded); err != nil {
		return nil, Damaged(fmt.Errorf("%s %q: %w", t.name, key, err))
	}
	if t.setKey != nil {
		t.setKey(decoded, key)
	}
	return decoded, nil
}

// Put stores a document with its index entries and, if it is a record, its
// journal entry.
func (t *Table[T]) Put(tx *Tx, key []byte, document *T) error {
	value, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("%s %s: %w", t.name, key, err)
	}
	stored := t.Bucket.Get(tx, key)
	if err := t.updateIndexes(tx, key, stored, document); err != nil {
		return err
	}
	if t.versionSize > 0 {
		version, err := tx.appendJournal(t.name, key, stored)
		if err != nil {
			return err
		}
		value = append(version, value...)
	}
	return t.Bucket.Put(tx, key, value)
}

// Delete deletes documents with their index and journal entries. Readers of the
// journal do not notice the deletion.
func (t *Table[T]) Delete(tx *Tx, keys ...[]byte) error {
	for _, key := range keys {
		stored := t.Bucket.Get(tx, key)
		if stored == nil {
			continue
		}
		if err := t.updateIndexes(tx, key, stored, nil); err != nil {
			return err
		}
		if t.versionSize > 0 {
			if err := tx.db.schema.journal.Delete(tx, stored[:VersionSize]); err != nil {
				return err
			}
		}
		if err := t.Bucket.Delete(tx, key); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			delete(t.cache, string(key))
		})
	}
	return nil
}

// DeleteWhere deletes the documents for which match returns true, and returns
// their number.
func (t *Table[T]) DeleteWhere(tx *Tx, match func(*T) bool) (int, error) {
	var keys [][]byte
	for key, stored := range t.Scan(tx, nil, nil) {
		document, err := t.decode(tx, key, stored)
		if err != nil {
			return 0, err
		}
		if match(document) {
			keys = append(keys, key)
		}
	}
	return len(keys), t.Delete(tx, keys...)
}

// updateIndexes replaces the index entries of the stored document by those of the new
// document, which is nil if the document is deleted.
func (t *Table[T]) updateIndexes(tx *Tx, key, stored []byte, document *T) error {
	for _, x := range t.indexes {
		var former, present []string
		if stored != nil {
			before, err := t.decode(tx, key, stored)
			if err != nil {
				return err
			}
			former = x.keysOf(before)
		}
		if document != nil {
			present = x.keysOf(document)
		}
		if slices.Equal(former, present) {
			continue
		}
		for _, k := range former {
			if err := x.Delete(tx, []byte(k)); err != nil {
				return err
			}
		}
		for _, k := range present {
			if err := x.Put(tx, []byte(k), x.valueFor(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Index is a bucket whose keys lead to documents of tables.
type Index struct {
	*Bucket
	unique       bool
	tableEntries []func(tx *Tx, add func(key string, value []byte)) error
}

// NewIndex declares an index without values, whose keys contain all
// information.
func NewIndex(s *Schema, name, key, value string) *Index { return newIndex(s, name, key, value, false) }

// NewUniqueIndex declares an index whose values are the keys of documents.
func NewUniqueIndex(s *Schema, name, key, value string) *Index {
	return newIndex(s, name, key, value, true)
}

func newIndex(s *Schema, name, key, value string, unique bool) *Index {
	x := &Index{Bucket: s.NewBucket(name, key, value), unique: unique}
	x.Verify(x.verifyEntries)
	return x
}

func (x *Index) valueFor(key []byte) []byte {
	if x.unique {
		return bytes.Clone(key)
	}
	return []byte{}
}

// verifyEntries checks that the index has exactly the entries of its documents.
func (x *Index) verifyEntries(tx *Tx) error {
	want, got := make(map[string]string), make(map[string]string)
	var faults []error
	for _, table := range x.tableEntries {
		faults = append(faults, table(tx, func(key string, value []byte) {
			if other, ok := want[key]; ok && other != string(value) {
				faults = append(faults, fmt.Errorf("%s %q: of both %q and %q", x.name, key, other, value))
			}
			want[key] = string(value)
		}))
	}
	for k, v := range x.Scan(tx, nil, nil) {
		got[string(k)] = string(v)
	}
	if !maps.Equal(got, want) {
		faults = append(faults, fmt.Errorf("%s is %q, want %q", x.name, got, want))
	}
	return errors.Join(faults...)
}
