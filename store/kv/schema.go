package kv

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// Schema declares the buckets of a file. All declarations must be made before
// the file is opened.
type Schema struct {
	// Meta describes the file itself. Other packages may add their own keys.
	Meta    *Bucket
	journal *Bucket
	buckets []*Bucket
	records []*Bucket // the buckets whose records are in the journal
}

// keyDescription describes one kind of key in a bucket, and its values.
type keyDescription struct{ key, value string }

// The keys in the bucket Meta that this package writes.
var (
	keyID      = []byte("id")
	keyVersion = []byte("version")
)

// NewSchema returns a schema with the buckets that every file has.
func NewSchema() *Schema {
	s := new(Schema)
	s.Meta = s.NewBucket("meta", `"id"`, "16 random bytes: which file this is").
		Row(`"version"`, "8 bytes: how many migrations have run")
	s.journal = s.NewBucket("journal", "version (8)", "bucket, 0x00, key: the record last written then")
	return s
}

// NewBucket declares a bucket. key and value are descriptions of its keys and
// values.
func (s *Schema) NewBucket(name, key, value string) *Bucket {
	b := (&Bucket{name: []byte(name)}).Row(key, value)
	s.buckets = append(s.buckets, b)
	return b
}

// Row describes another kind of key in the bucket, and its values.
func (b *Bucket) Row(key, value string) *Bucket {
	b.keyDescriptions = append(b.keyDescriptions, keyDescription{key, value})
	return b
}

// Verify adds a check of a rule that always holds for the bucket.
func (b *Bucket) Verify(check func(*Tx) error) { b.checks = append(b.checks, check) }

// String returns a description of the buckets with their keys and values, one
// per line.
func (s *Schema) String() string {
	var names, keys int
	for _, b := range s.buckets {
		names = max(names, len(b.name))
		for _, r := range b.keyDescriptions {
			keys = max(keys, len(r.key))
		}
	}
	var lines strings.Builder
	for _, b := range s.buckets {
		name := string(b.name)
		for _, r := range b.keyDescriptions {
			fmt.Fprintf(&lines, "%-*s  %-*s  %s\n", names, name, keys, r.key, r.value)
			name = ""
		}
	}
	return lines.String()
}

// createBuckets creates the missing buckets.
func (s *Schema) createBuckets(tx *Tx) error {
	for _, b := range s.buckets {
		if _, err := tx.bolt.CreateBucketIfNotExists(b.name); err != nil {
			return fmt.Errorf("bucket %s: %w", b.name, err)
		}
	}
	return nil
}

// Verify checks the pages of the file, that each record has its journal entry
// and each entry its record, and the checks of all buckets. It reads the whole
// file. Changes wait meanwhile, because bbolt's check reads the list of free
// pages, which a change modifies.
func (db *DB) Verify() error {
	var faults []error
	run := db.updateWithoutWriter
	if db.readOnly {
		run = db.View
	}
	err := run(func(tx *Tx) error {
		if err := tx.readPages(); err != nil {
			return err
		}
		for err := range tx.bolt.Check(bolt.WithKVStringer(keyText{})) {
			faults = append(faults, err)
		}
		faults = append(faults, db.schema.verifyJournal(tx))
		for _, bucket := range db.schema.buckets {
			for _, check := range bucket.checks {
				faults = append(faults, check(tx))
			}
		}
		return errUnchanged
	})
	if !errors.Is(err, errUnchanged) {
		return err
	}
	return errors.Join(faults...)
}

// keyText shows keys in what bbolt's check finds.
type keyText struct{}

// KeyToString is called in the goroutine of the check. A key that is out of order
// may point anywhere, so from here on a fault must not end the process.
func (keyText) KeyToString(key []byte) string {
	debug.SetPanicOnFault(true)
	return fmt.Sprintf("%x", key[:min(len(key), 64)])
}

// ValueToString is never called by the check.
func (keyText) ValueToString([]byte) string { return "" }

// readPages reads all pages in use. bbolt's check reads them in a goroutine of
// its own, which would end the process if one of them cannot be read.
func (tx *Tx) readPages() error {
	return tx.bolt.ForEach(func(_ []byte, b *bolt.Bucket) error {
		var before []byte
		return b.ForEach(func(k, _ []byte) error {
			checkOrder(before, k)
			before = k
			b.Get(k) // compares with the keys of the pages above
			return nil
		})
	})
}

func (s *Schema) verifyJournal(tx *Tx) error {
	var faults []error
	records := 0
	for _, b := range s.records {
		for k, v := range b.Scan(tx, nil, nil) {
			records++
			if len(v) < VersionSize {
				return fmt.Errorf("%s %q: no version", b.name, k)
			}
			if !bytes.Equal(s.journal.Get(tx, v[:VersionSize]), journalValue(b.name, k)) {
				faults = append(faults, fmt.Errorf("%s %q: not in the journal under %x", b.name, k, v[:VersionSize]))
			}
		}
	}
	if n := s.journal.Count(tx); n != records {
		faults = append(faults, fmt.Errorf("journal: %d entries for %d records", n, records))
	}
	return errors.Join(faults...)
}
