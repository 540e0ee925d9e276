package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"trento/store/landscape"
)

// Verify checks everything that always holds of the file; doc.go lists it. It
// reads the whole file, and writers wait meanwhile: bbolt's own check looks at
// the list of free pages, which a writer changes.
func (s *Store) Verify() error {
	var faults []error
	err := s.db.Update(func(btx *bolt.Tx) error {
		tx := &Tx{s: s, btx: btx, now: s.Now()}
		for err := range btx.Check() {
			faults = append(faults, err)
		}
		faults = append(faults, tx.verifyJournal(), tx.verifyUsers(), tx.verifyTokens(), tx.verifySettings(), tx.verifyRelations(), tx.verifyEntries(), tx.verifyRest())
		return errUnchanged
	})
	if !errors.Is(err, errUnchanged) {
		return err
	}
	return errors.Join(faults...)
}

// verifyJournal checks that records and journal belong to each other one to
// one.
func (tx *Tx) verifyJournal() error {
	var faults []error
	records := 0
	journal := tx.btx.Bucket(bucketJournal)
	for bucket, decoded := range map[string]func() any{
		string(bucketHost):        func() any { return new(landscape.Host) },
		string(bucketCluster):     func() any { return new(landscape.Cluster) },
		string(bucketDatabase):    func() any { return new(landscape.Database) },
		string(bucketSAPSystem):   func() any { return new(landscape.SAPSystem) },
		string(bucketKept):        func() any { return new(landscape.LastSAPReport) },
		string(bucketTags):        func() any { return new(Tags) },
		string(bucketAgentReport): func() any { return new(AgentReports) },
		string(bucketView):        func() any { return new(SavedViews) },
		string(bucketUser):        func() any { return new(User) },
		string(bucketToken):       func() any { return new(Token) },
		string(bucketSetting):     func() any { return new(json.RawMessage) }, // each has a type of its own; see verifySettings
	} {
		faults = append(faults, tx.btx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			records++
			if len(v) < versionSize {
				return fmt.Errorf("%s %q: no version", bucket, k)
			}
			if !bytes.Equal(journal.Get(v[:versionSize]), journalValue([]byte(bucket), k)) {
				faults = append(faults, fmt.Errorf("%s %q: not in the journal under %x", bucket, k, v[:versionSize]))
			}
			if err := json.Unmarshal(v[versionSize:], decoded()); err != nil {
				faults = append(faults, fmt.Errorf("%s %q: %w", bucket, k, err))
			}
			return nil
		}))
	}
	if n := count(journal); n != records {
		faults = append(faults, fmt.Errorf("journal: %d entries for %d records", n, records))
	}
	return errors.Join(faults...)
}

// count counts keys by walking them: bbolt's own statistics include what a
// transaction has not written yet, and walk as well.
func count(b *bolt.Bucket) (n int) {
	cursor := b.Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		n++
	}
	return n
}

func (tx *Tx) verifyUsers() error {
	var faults []error
	users := 0
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		users++
		key := key64(uint64(u.ID))
		if !bytes.Equal(tx.btx.Bucket(bucketUsername).Get([]byte(u.Username)), key) {
			faults = append(faults, fmt.Errorf("user %d: not under its name", u.ID))
		}
	}
	if n := count(tx.btx.Bucket(bucketUsername)); n != users {
		faults = append(faults, fmt.Errorf("%d names for %d users", n, users))
	}
	return errors.Join(faults...)
}

// verifyTokens checks that each token has an owner and stands under its hash,
// and that the uses are as many as is written.
func (tx *Tx) verifyTokens() error {
	var faults []error
	tokens := make(map[string]bool)
	for t, err := range tx.AllTokens() {
		if err != nil {
			return err
		}
		tokens[t.ID] = true
		if _, err := tx.User(t.UserID); err != nil {
			faults = append(faults, fmt.Errorf("token of nobody: %w", err))
		}
		if !bytes.Equal(tx.btx.Bucket(bucketTokenHash).Get(t.Hash[:]), tokenKey(t.UserID, t.ID)) {
			faults = append(faults, fmt.Errorf("token %s: not under its hash", t.ID))
		}
	}
	if n := count(tx.btx.Bucket(bucketTokenHash)); n != len(tokens) {
		faults = append(faults, fmt.Errorf("%d hashes for %d tokens", n, len(tokens)))
	}
	faults = append(faults, tx.btx.Bucket(bucketTokenUsed).ForEach(func(id, at []byte) error {
		if !tokens[string(id)] || len(at) != 8 {
			return fmt.Errorf("last use of %q: no such token, or no time", id)
		}
		return nil
	}))
	counted, found := make(map[int64]int), make(map[int64]int)
	faults = append(faults, tx.btx.Bucket(bucketTokenUse).ForEach(func(k, v []byte) error {
		if user := int64(binary.BigEndian.Uint64(k)); len(k) == 8 {
			counted[user] = tx.countUses(user)
			return nil
		}
		u, err := decodeUse(k, v)
		if err == nil {
			found[u.UserID]++
		}
		return err
	}))
	if !maps.Equal(counted, found) {
		faults = append(faults, fmt.Errorf("uses of tokens by user are %v, counted %v", found, counted))
	}
	return errors.Join(faults...)
}

// verifySettings reads each setting as what it is.
func (tx *Tx) verifySettings() error {
	_, key := tx.APIKey()
	_, rules := tx.TokenSettings()
	_, kept := tx.Retention()
	return errors.Join(key, rules, kept)
}

// verifyRelations checks that the relations are those of the records.
func (tx *Tx) verifyRelations() error {
	var want []string
	err := errors.Join(
		relationsOf(&want, scan(tx, bucketHost, &tx.s.hosts), hostRelations),
		relationsOf(&want, scan(tx, bucketDatabase, &tx.s.databases), databaseRelations),
		relationsOf(&want, scan(tx, bucketSAPSystem, &tx.s.sapSystems), sapSystemRelations),
		relationsOf(&want, scan(tx, bucketKept, &tx.s.kept), keptRelations),
	)
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for k := range scanBytes(tx.btx.Bucket(bucketRelation), nil, []byte{0xff}) {
		got = append(got, string(k))
	}
	if !slices.Equal(want, got) {
		err = errors.Join(err, fmt.Errorf("relations are %q, want %q", got, want))
	}
	return err
}

func relationsOf[T any](keys *[]string, records iter.Seq2[*T, error], relations func(*T) []string) error {
	for record, err := range records {
		if err != nil {
			return err
		}
		*keys = append(*keys, relations(record)...)
	}
	return nil
}

func (tx *Tx) verifyEntries() error {
	var faults []error
	for key, value := range scanBytes(tx.btx.Bucket(bucketActivity), nil, tx.Newest().Key()) {
		e, err := tx.decodeEntry(key, value) // not what is remembered of it
		if err == nil && !json.Valid(e.Metadata) {
			err = fmt.Errorf("activity %d: metadata is not JSON", e.Position)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// verifyRest reads what has no other bucket to agree with.
func (tx *Tx) verifyRest() error {
	var faults []error
	for _, err := range tx.Discards() {
		faults = append(faults, err)
	}
	faults = append(faults, tx.btx.Bucket(bucketSession).ForEach(func(k, v []byte) error {
		var session Session
		if err := json.Unmarshal(v, &session); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		u, err := tx.User(session.UserID)
		if err != nil {
			return fmt.Errorf("session of nobody: %w", err)
		}
		if !u.Enabled() {
			return fmt.Errorf("session of user %d, who is disabled", u.ID)
		}
		if session.TokenID != "" {
			if _, err := tx.Token(u.ID, session.TokenID); err != nil {
				return fmt.Errorf("session of no token: %w", err)
			}
		}
		return nil
	}))
	faults = append(faults, tx.btx.Bucket(bucketReport).ForEach(func(k, v []byte) error {
		if len(v) < reportHead {
			return fmt.Errorf("report %s: too short", k)
		}
		_, err := tx.s.zip.decompress(v[reportHead+observationSize(v):])
		return err
	}))
	return errors.Join(faults...)
}
