package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"trento/store/kv"
)

// maxDiscards is the largest number of stored payloads. A payload is truncated
// at maxDiscardBytes, which is enough to find the problem. discardHeaderSize is
// the number of bytes before the reason; see Discard.
const (
	maxDiscards     = 500
	maxDiscardBytes = 256 << 10

	discardHeaderSize = 8 + sha256.Size + 4
)

// Discard is a payload that could not be decoded. It is stored as the time (8
// bytes), the SHA-256 of the body (32 bytes), the length of the reason (4
// bytes), the reason, and the compressed body.
type Discard struct {
	At     time.Time
	Reason string
	Body   []byte // truncated at 256 KiB
}

// putDiscard stores a payload that could not be decoded, so that a corrected
// decoder can be tested with it. It prunes the oldest payloads if there are too
// many. It stores no payload twice.
func (tx *Tx) putDiscard(body []byte, reason string) error {
	body = body[:min(len(body), maxDiscardBytes)]
	sum := sha256.Sum256(body)
	for _, v := range tx.s.discards.Scan(tx.kv, nil, nil) {
		if bytes.Equal(v[8:min(len(v), discardHeaderSize-4)], sum[:]) {
			return nil
		}
	}
	sequence, err := tx.s.discards.NextSequence(tx.kv)
	if err != nil {
		return err
	}
	if err := tx.pruneDiscards(sequence); err != nil {
		return err
	}
	value := append(kv.TimeBytes(tx.now), sum[:]...)
	value = binary.BigEndian.AppendUint32(value, uint32(len(reason)))
	value = append(value, reason...)
	return tx.s.discards.Put(tx.kv, kv.Key64(sequence), kv.Compress(value, body))
}

// PruneDiscards prunes the payloads that are older than Options.DiscardAge.
func (s *Store) PruneDiscards(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		return tx.pruneDiscards(tx.s.discards.Sequence(tx.kv) + 1)
	})
}

// pruneDiscards prunes the payloads that are too old, and those that are too
// many once the payload with the sequence number next is added. The oldest
// payloads come first, so it stops at the first payload that stays.
func (tx *Tx) pruneDiscards(next uint64) error {
	oldest := tx.now.Add(-tx.s.options.DiscardAge)
	_, err := tx.s.discards.DeleteOldest(tx.kv, nil, nil, func(_ int, k, v []byte) bool {
		return binary.BigEndian.Uint64(k)+maxDiscards <= next || kv.BytesTime(v[:8]).Before(oldest)
	})
	return err
}

// Discards walks the payloads that could not be decoded, oldest first.
func (tx *Tx) Discards() iter.Seq2[*Discard, error] {
	return func(yield func(*Discard, error) bool) {
		for k, v := range tx.s.discards.Scan(tx.kv, nil, nil) {
			if !yield(tx.readDiscard(k, v)) {
				return
			}
		}
	}
}

func (tx *Tx) readDiscard(k, v []byte) (*Discard, error) {
	if len(v) < discardHeaderSize || uint64(len(v)-discardHeaderSize) < uint64(binary.BigEndian.Uint32(v[discardHeaderSize-4:])) {
		return nil, fmt.Errorf("discard %x: too short", k)
	}
	end := discardHeaderSize + int(binary.BigEndian.Uint32(v[discardHeaderSize-4:]))
	body, err := kv.Decompress(v[end:])
	if err != nil {
		return nil, fmt.Errorf("discard %x: %w", k, err)
	}
	return &Discard{At: kv.BytesTime(v[:8]), Reason: string(v[discardHeaderSize:end]), Body: body}, nil
}

func (tx *Tx) verifyDiscards() error {
	var faults []error
	for _, err := range tx.Discards() {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
