package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// migrations lead from an empty file to the present layout, one step a
// version. A step may rely on exactly the state the steps before it left, and
// is never changed once it was released.
var migrations = []func(*bolt.Tx) error{
	createBuckets,
	createAgentReports,
	normalizeUsernames,
	createFormerTokens,
}

// migrate brings the file to the present version, in one transaction. A file
// that holds something is copied aside first.
func (s *Store) migrate(path string) error {
	version, err := s.version()
	if err != nil || version == len(migrations) {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("layout %d, this program knows %d: %w", version, len(migrations), ErrNewer)
	}
	if version > 0 {
		if err := s.copyAside(fmt.Sprintf("%s.v%d", path, version)); err != nil {
			return fmt.Errorf("copy before migration: %w", err)
		}
	}
	return s.db.Update(func(btx *bolt.Tx) error {
		for i, step := range migrations[version:] {
			if err := step(btx); err != nil {
				return fmt.Errorf("migration %d: %w", version+i+1, err)
			}
		}
		return btx.Bucket(bucketMeta).Put(keyVersion, key64(uint64(len(migrations))))
	})
}

func (s *Store) version() (version int, err error) {
	err = s.db.View(func(btx *bolt.Tx) error {
		if meta := btx.Bucket(bucketMeta); meta != nil {
			version = int(binary.BigEndian.Uint64(meta.Get(keyVersion)))
		}
		return nil
	})
	return version, err
}

func (s *Store) copyAside(path string) error {
	return s.db.View(func(btx *bolt.Tx) error {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = btx.WriteTo(f)
		return errors.Join(err, f.Sync(), f.Close())
	})
}

// createFormerTokens makes room for the texts that tokens had before.
func createFormerTokens(btx *bolt.Tx) error {
	_, err := btx.CreateBucket(bucketFormerToken)
	return err
}

func createBuckets(btx *bolt.Tx) error {
	for _, name := range [][]byte{
		bucketMeta, bucketHost, bucketCluster, bucketDatabase, bucketSAPSystem, bucketKept, bucketTags, bucketView, bucketRelation,
		bucketUser, bucketToken, bucketTokenHash, bucketTokenUse, bucketTokenUsed, bucketSetting, bucketUsername, bucketEmail1, bucketJournal,
		bucketActivity, bucketReport, bucketHeartbeat, bucketSession, bucketDiscard,
	} {
		if _, err := btx.CreateBucket(name); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	id := uuid.New()
	return btx.Bucket(bucketMeta).Put(keyID, id[:])
}

// createAgentReports makes room for how the reports of agents have fared.
func createAgentReports(btx *bolt.Tx) error {
	_, err := btx.CreateBucket(bucketAgentReport)
	return err
}

// bucketEmail1 was an index of addresses as they were written. Addresses are
// compared without letter case now, and too rarely for an index.
var bucketEmail1 = []byte("email")

// normalizeUsernames brings the names of users into the form of NormalUsername,
// in which they are looked up, and removes the index of addresses. A name whose
// normal form belongs to somebody else stays as it is: its owner signs in with
// it as before, and whoever manages users sees the two marked. The records keep
// their versions: what they say has not changed.
func normalizeUsernames(btx *bolt.Tx) error {
	users, index := btx.Bucket(bucketUser), btx.Bucket(bucketUsername)
	renamed := make(map[string]string)
	err := index.ForEach(func(name, _ []byte) error {
		if normal := NormalUsername(string(name)); normal != string(name) {
			renamed[string(name)] = normal
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		normal := renamed[name]
		if index.Get([]byte(normal)) != nil {
			continue
		}
		id := bytes.Clone(index.Get([]byte(name)))
		stored := users.Get(id)
		var u map[string]any
		decoder := json.NewDecoder(bytes.NewReader(stored[versionSize:]))
		decoder.UseNumber()
		if err := decoder.Decode(&u); err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		u["username"] = normal
		document, err := json.Marshal(u)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		version := bytes.Clone(stored[:versionSize])
		if err := errors.Join(users.Put(id, append(version, document...)), index.Delete([]byte(name)), index.Put([]byte(normal), id)); err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
	}
	return btx.DeleteBucket(bucketEmail1)
}
