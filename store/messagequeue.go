package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trento/store/fault"
	"trento/store/kv"
)

// maxQueueName is the largest length of the names of queues, exchanges and keys,
// in bytes.
const maxQueueName = 255

// Queue is a queue that survives restarts. Callers must limit the number of
// queues and the size of their content.
type Queue struct {
	Name     string    `json:"-"` // of at most 255 bytes of UTF-8, none of them zero
	Bindings []Binding `json:"bindings,omitempty"`
}

// Binding says which messages come into a queue.
type Binding struct {
	Exchange string `json:"exchange"`
	Key      string `json:"key"` // a pattern of the exchange
}

// QueuedMessage is a message that waits in a queue.
type QueuedMessage struct {
	Queue       string    `json:"-"`
	Sequence    uint64    `json:"-"` // messages of a queue are in this order
	ExpiresAt   time.Time `json:"-"` // to the microsecond; zero: it never expires
	Exchange    string    `json:"exchange,omitempty"`
	RoutingKey  string    `json:"routing_key,omitempty"`
	ContentType string    `json:"content_type,omitempty"`
	Body        []byte    `json:"-"`
}

// messageHeaderSize is the length of the header of a stored message: 8 bytes
// with the time at which it expires, or zero, and 4 bytes with the length of
// the JSON of its members. After the header follow this JSON and the body as it
// was sent.
const messageHeaderSize = 8 + 4

// checkNames checks names of queues, exchanges and keys.
func checkNames(names ...string) error {
	for _, name := range names {
		switch {
		case len(name) > maxQueueName:
			return fault.Field("queue", fmt.Sprintf("has a name of %d bytes; %d are the most", len(name), maxQueueName))
		case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
			return fault.Field("queue", "has a name that is no text")
		}
	}
	return nil
}

// messageKey returns the key of a message. Without a sequence, it returns the
// prefix of the keys of all messages of a queue.
func messageKey(queue string, sequence ...uint64) []byte {
	key := append([]byte(queue), 0)
	for _, n := range sequence {
		key = binary.BigEndian.AppendUint64(key, n)
	}
	return key
}

// PutQueue stores a queue. It writes nothing if the stored queue is equal. It
// fails with a fault if a name is too long or no text.
func (s *Store) PutQueue(ctx context.Context, q Queue) error {
	names := []string{q.Name}
	for _, b := range q.Bindings {
		names = append(names, b.Exchange, b.Key)
	}
	if err := checkNames(names...); err != nil {
		return err
	}
	if q.Name == "" {
		return fault.Field("queue", "has no name")
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		before, err := tx.s.queues.Get(tx.kv, []byte(q.Name))
		if errors.Is(err, ErrNotFound) {
			err = nil
		} else if err == nil && slices.Equal(before.Bindings, q.Bindings) {
			return nil
		}
		return errors.Join(err, tx.s.queues.Put(tx.kv, []byte(q.Name), &q))
	})
}

// DeleteQueue deletes a queue with the messages in it. It does nothing if the
// queue is not stored.
func (s *Store) DeleteQueue(ctx context.Context, name string) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		if !tx.s.queues.Has(tx.kv, []byte(name)) {
			return nil
		}
		var keys [][]byte
		for key := range tx.s.queuedMessages.ScanPrefix(tx.kv, messageKey(name)) {
			keys = append(keys, key)
		}
		return errors.Join(tx.s.queuedMessages.Delete(tx.kv, keys...), tx.s.queues.Delete(tx.kv, []byte(name)))
	})
}

// Queues walks the stored queues in the order of their names. A queue is shared
// and must not be modified.
func (tx *Tx) Queues() iter.Seq2[*Queue, error] { return tx.s.queues.All(tx.kv) }

// AddQueuedMessage stores a message as the last one of its queue, and returns
// its sequence, which no other message of any queue has or had. When it
// returns, the message is on disk. It fails with ErrNotFound if the queue is
// not stored.
func (s *Store) AddQueuedMessage(ctx context.Context, m QueuedMessage) (sequence uint64, err error) {
	if err := checkNames(m.Exchange, m.RoutingKey, m.ContentType); err != nil {
		return 0, err
	}
	value, err := m.encode()
	if err != nil {
		return 0, err
	}
	err = s.update(ctx, System(), func(tx *Tx) error {
		if !tx.s.queues.Has(tx.kv, []byte(m.Queue)) {
			return fmt.Errorf("queue %q: %w", m.Queue, ErrNotFound)
		}
		if sequence, err = tx.s.queuedMessages.NextSequence(tx.kv); err != nil {
			return err
		}
		return tx.s.queuedMessages.Put(tx.kv, messageKey(m.Queue, sequence), value)
	})
	return sequence, err
}

func (m *QueuedMessage) encode() ([]byte, error) {
	members, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("message of queue %q: %w", m.Queue, err)
	}
	value := make([]byte, 8, messageHeaderSize+len(members)+len(m.Body))
	if !m.ExpiresAt.IsZero() {
		value = append(value[:0], kv.TimeBytes(m.ExpiresAt)...)
	}
	value = binary.BigEndian.AppendUint32(value, uint32(len(members)))
	return append(append(value, members...), m.Body...), nil
}

// expiryOfMessage returns when a stored message expires; ok is false if it never
// expires.
func expiryOfMessage(value []byte) (at time.Time, ok bool) {
	at = kv.BytesTime(value[:8])
	return at, at.UnixMicro() != 0
}

// DeleteQueuedMessages deletes messages of a queue. Messages that are not
// stored are ignored.
func (s *Store) DeleteQueuedMessages(ctx context.Context, queue string, sequences []uint64) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		for _, sequence := range sequences {
			key := messageKey(queue, sequence)
			if tx.s.queuedMessages.Get(tx.kv, key) == nil {
				continue
			}
			if err := tx.s.queuedMessages.Delete(tx.kv, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// PruneQueuedMessages deletes the messages that have expired.
func (s *Store) PruneQueuedMessages(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		var keys [][]byte
		for key, value := range tx.s.queuedMessages.Scan(tx.kv, nil, nil) {
			if at, expires := expiryOfMessage(value); expires && !tx.now.Before(at) {
				keys = append(keys, key)
			}
		}
		return tx.s.queuedMessages.Delete(tx.kv, keys...)
	})
}

// QueuedMessages calls a function with each stored message, expired or not, in
// the order of queues and sequences, and ends with the first error. The
// messages belong to the function.
func (tx *Tx) QueuedMessages(each func(*QueuedMessage) error) error {
	for key, value := range tx.s.queuedMessages.Scan(tx.kv, nil, nil) {
		m, err := readQueuedMessage(key, value)
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
	}
	return nil
}

func readQueuedMessage(key, value []byte) (*QueuedMessage, error) {
	queue, sequence, _ := bytes.Cut(key, []byte{0})
	if len(sequence) != 8 || len(value) < messageHeaderSize || uint64(len(value)-messageHeaderSize) < uint64(binary.BigEndian.Uint32(value[8:])) {
		return nil, fmt.Errorf("queued message %q: too short", key)
	}
	m := &QueuedMessage{Queue: string(queue), Sequence: binary.BigEndian.Uint64(sequence)}
	if at, ok := expiryOfMessage(value); ok {
		m.ExpiresAt = at
	}
	body := messageHeaderSize + int(binary.BigEndian.Uint32(value[8:]))
	if err := json.Unmarshal(value[messageHeaderSize:body], m); err != nil {
		return nil, fmt.Errorf("queued message %q: %w", key, err)
	}
	m.Body = bytes.Clone(value[body:])
	return m, nil
}

// verifyQueuedMessages checks that each message can be read, is in a queue that
// is stored, and that no later message can get its sequence.
func (tx *Tx) verifyQueuedMessages() error {
	var faults []error
	last := tx.s.queuedMessages.Sequence(tx.kv)
	err := tx.QueuedMessages(func(m *QueuedMessage) error {
		if !tx.s.queues.Has(tx.kv, []byte(m.Queue)) {
			faults = append(faults, fmt.Errorf("queued message %d: queue %q is not stored", m.Sequence, m.Queue))
		}
		if m.Sequence > last {
			faults = append(faults, fmt.Errorf("queued message %d: the last one is %d", m.Sequence, last))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}
