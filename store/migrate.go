package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"trento/store/kv"
)

// migrations are the steps to the current layout of the file, one per version;
// see kv.Migration.
var migrations = []kv.Migration{
	nil, // the first buckets
	nil, // the bucket agent_report
	normalizeUsernames,
	nil, // the bucket token_former
	recompressBodies,
	nil,                // the buckets identity and used_attempt
	nil,                // the buckets message_queue and queued_message
	nil,                // the bucket report_time
	nil,                // the buckets alert and alert_delivery
	nil,                // the buckets webhook, webhook_state and webhook_delivery
	indexHealthChanges, // and the bucket health_change
	nil,                // the buckets of displays, executions, customisations and waivers
	nil,                // the buckets of shared views and of profiles of checks
}

// normalizeUsernames changes the names of users to the form of NormalUsername,
// by which they are looked up. It also deletes the index of e-mail addresses,
// which are now compared without regard to letter case, and so rarely that an
// index is not needed. If another user already has the normal form of a name,
// the name stays as it is: its user signs in with it as before, and the list of
// users marks both. The records keep their versions, so that followers of the
// journal do not read them again.
func normalizeUsernames(tx *kv.Tx) error {
	users, index := tx.Bucket("user"), tx.Bucket("username")
	renamed := make(map[string]string)
	for name := range index.Scan(tx, nil, nil) {
		if normal := NormalUsername(string(name)); normal != string(name) {
			renamed[string(name)] = normal
		}
	}
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		normal := renamed[name]
		if index.Get(tx, []byte(normal)) != nil {
			continue
		}
		id := bytes.Clone(index.Get(tx, []byte(name)))
		stored := users.Get(tx, id)
		var u map[string]any
		decoder := json.NewDecoder(bytes.NewReader(stored[kv.VersionSize:]))
		decoder.UseNumber()
		if err := decoder.Decode(&u); err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		u["username"] = normal
		document, err := json.Marshal(u)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		version := bytes.Clone(stored[:kv.VersionSize])
		if err := errors.Join(users.Put(tx, id, append(version, document...)), index.Delete(tx, []byte(name)), index.Put(tx, []byte(normal), id)); err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
	}
	return tx.DeleteBucket("email")
}

// recompressBodies compresses the bodies of reports and discards with S2, as
// the log entries are. With Zstandard and a dictionary, they were a third
// smaller. That is little compared with the size of the log, and did not
// justify a second compressor.
func recompressBodies(tx *kv.Tx) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, metadataDictionary1), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer decoder.Close()
	for bucket, headOf := range map[*kv.Bucket]func(value []byte) int{
		// A report begins with 32 bytes of hash and a flag, a discard with 8
		// bytes of time and 32 bytes of hash. The next four bytes are the
		// length of the data between them and the body.
		tx.Bucket("report"):  func(v []byte) int { return 37 + int(binary.BigEndian.Uint32(v[33:])) },
		tx.Bucket("discard"): func(v []byte) int { return 44 + int(binary.BigEndian.Uint32(v[40:])) },
	} {
		recompressed := make(map[string][]byte)
		for key, value := range bucket.Scan(tx, nil, nil) {
			head := headOf(value)
			body, err := decoder.DecodeAll(value[head:], nil)
			if err != nil {
				return fmt.Errorf("body of %q: %w", key, err)
			}
			recompressed[string(key)] = kv.Compress(bytes.Clone(value[:head]), body)
		}
		for key, value := range recompressed {
			if err := bucket.Put(tx, []byte(key), value); err != nil {
				return err
			}
		}
	}
	return nil
}
