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

// VersionSize is the length of the version in front of a record, in bytes.
const VersionSize = 8

// Table is a bucket of JSON documents of one type. The documents are handed
// out decoded and shared, and must not be modified.
//
// A decoded document is used again as long as what is stored is the same, which
// the version of a record tells, and of other documents their bytes. So it can
// neither be outdated nor outlive what is stored. Benchmarks of package store:
// reading all hosts takes a fortieth of the time (BenchmarkHosts), a session a
// fifth (BenchmarkSession).
type Table[T any] struct {
	*Bucket
	versionSize int // in front of each document; 0 of a table without versions
	indexes     []tableIndex[T]
	setKey      func(document *T, key []byte)

	mu    sync.RWMutex
	cache map[string]cached[T]
}

type cached[T any] struct {
	stamp    string // version of a record, bytes of any other document
	document *T
}

type tableIndex[T any] struct {
	*Index
	keysOf func(*T) []string
}

// maxUnversioned bounds the cache of a table without versions, which holds the
// stored bytes as well. Other caches are bounded by their records.
const maxUnversioned = 10_000

// NewRecords declares a table whose documents are records: each has in front of
// it a version of eight bytes, which is its place in the journal.
func NewRecords[T any](s *Schema, name, key string) *Table[T] {
	t := newTable[T](s, name, key, "record")
	t.versionSize = VersionSize
	s.records = append(s.records, t.Bucket)
	return t
}

// NewTable declares a table without versions and without a journal.
func NewTable[T any](s *Schema, name, key string) *Table[T] { return newTable[T](s, name, key, "JSON") }

func newTable[T any](s *Schema, name, key, form string) *Table[T] {
	t := &Table[T]{Bucket: s.NewBucket(name, key, fmt.Sprintf("%s: %T", form, *new(T))), cache: make(map[string]cached[T])}
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

// SetKey sets a function that puts the key of a document into it.
func (t *Table[T]) SetKey(set func(document *T, key []byte)) *Table[T] {
	t.setKey = set
	return t
}

// IndexedBy adds an index. keysOf returns the keys under which it has a document.
func (t *Table[T]) IndexedBy(x *Index, keysOf func(*T) []string) *Table[T] {
	t.indexes = append(t.indexes, tableIndex[T]{x, keysOf})
	x.tables = append(x.tables, func(tx *Tx, add func(key string, value []byte)) error {
		for key, stored := range t.Scan(tx, nil, nil) {
			document, err := t.decode(tx, key, stored)
			if err != nil {
				return err
			}
			for _, k := range keysOf(document) {
				add(k, x.value(key))
			}
		}
		return nil
	})
	return t
}

// Has reports whether there is a document under a key.
func (t *Table[T]) Has(tx *Tx, key []byte) bool { return t.Bucket.Get(tx, key) != nil }

// Get returns the document under a key, or ErrNotFound.
func (t *Table[T]) Get(tx *Tx, key []byte) (*T, error) {
	stored := t.Bucket.Get(tx, key)
	if stored == nil {
		return nil, fmt.Errorf("%s %q: %w", t.name, key, ErrNotFound)
	}
	return t.decode(tx, key, stored)
}

// All walks the documents in the order of their keys.
func (t *Table[T]) All(tx *Tx) iter.Seq2[*T, error] { return t.WithPrefix(tx, nil) }

// WithPrefix walks the documents whose keys begin with a prefix.
func (t *Table[T]) WithPrefix(tx *Tx, prefix []byte) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		cursor := t.in(tx).Cursor()
		for key, stored := cursor.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, stored = cursor.Next() {
			if !yield(t.decode(tx, key, stored)) {
				return
			}
		}
	}
}

// decode returns what is stored, from the cache where it is there. A change does
// not fill the cache: it may yet be undone, and its versions be given out again.
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
	if t.versionSize == 0 && len(t.cache) >= maxUnversioned {
		clear(t.cache)
	}
	t.cache[string(key)] = cached[T]{string(stamp), decoded}
	return decoded, nil
}

func (t *Table[T]) unmarshal(key, stored []byte) (*T, error) {
	decoded := new(T)
	if err := json.Unmarshal(stored[min(t.versionSize, len(stored)):], decoded); err != nil {
		return nil, fmt.Errorf("%s %q: %w", t.name, key, err)
	}
	if t.setKey != nil {
		t.setKey(decoded, key)
	}
	return decoded, nil
}

// Put stores a document, its index entries and, of a record, its place in the
// journal.
func (t *Table[T]) Put(tx *Tx, key []byte, document *T) error {
	value, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("%s %s: %w", t.name, key, err)
	}
	stored := t.Bucket.Get(tx, key)
	if err := t.reindex(tx, key, stored, document); err != nil {
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

// Delete deletes documents with their index entries and places in the journal.
// Followers of the journal do not learn of it.
func (t *Table[T]) Delete(tx *Tx, keys ...[]byte) error {
	for _, key := range keys {
		stored := t.Bucket.Get(tx, key)
		if stored == nil {
			continue
		}
		if err := t.reindex(tx, key, stored, nil); err != nil {
			return err
		}
		if t.versionSize > 0 {
			if err := tx.schema.journal.Delete(tx, stored[:VersionSize]); err != nil {
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

// DeleteWhere deletes the documents that match, and returns how many there were.
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

// reindex replaces the index entries of the stored document by those of another
// one, which is nil where it is deleted.
func (t *Table[T]) reindex(tx *Tx, key, stored []byte, document *T) error {
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
			if err := x.Put(tx, []byte(k), x.value(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Index is a bucket that finds the documents of tables.
type Index struct {
	*Bucket
	unique bool
	tables []func(tx *Tx, add func(key string, value []byte)) error
}

// NewIndex declares an index without values: its keys say everything.
func NewIndex(s *Schema, name, key, value string) *Index { return newIndex(s, name, key, value, false) }

// NewUniqueIndex declares an index whose values are keys of documents.
func NewUniqueIndex(s *Schema, name, key, value string) *Index {
	return newIndex(s, name, key, value, true)
}

func newIndex(s *Schema, name, key, value string, unique bool) *Index {
	x := &Index{Bucket: s.NewBucket(name, key, value), unique: unique}
	x.Verify(x.compare)
	return x
}

func (x *Index) value(key []byte) []byte {
	if x.unique {
		return bytes.Clone(key)
	}
	return []byte{}
}

// compare checks that the entries of an index are those of the documents.
func (x *Index) compare(tx *Tx) error {
	want, got := make(map[string]string), make(map[string]string)
	var faults []error
	for _, table := range x.tables {
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
