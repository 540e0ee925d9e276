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

// migrations lead to the present layout of the file, one step a version; see
// kv.Migration.
var migrations = []kv.Migration{
	nil, // the first buckets
	nil, // the bucket agent_report
	normalizeUsernames,
	nil, // the bucket token_former
	recompressBodies,
	nil, // the buckets identity and used_attempt
}

// normalizeUsernames brings the names of users into the form of NormalUsername,
// in which they are looked up, and deletes the index of addresses: they are
// compared without letter case now, and too rarely for an index. A name whose
// normal form belongs to somebody else stays as it is: its owner signs in with
// it as before, and whoever manages users sees the two marked. The records keep
// their versions: what they say has not changed.
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

// recompressBodies compresses the bodies of reports and discards as entries of
// the log are. Zstandard with a dictionary made them a third smaller, which is
// nothing beside the log, and was a second compressor to know.
func recompressBodies(tx *kv.Tx) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, dictionary1), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer decoder.Close()
	for bucket, headOf := range map[*kv.Bucket]func(value []byte) int{
		// 32 bytes of hash and a flag, or 8 bytes of time and 32 of hash, then four
		// bytes with the length of what stands in front of the body.
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
