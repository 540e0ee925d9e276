package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"trento/store/kv"
	"trento/store/landscape"
)

// Report is one report of an agent: what it says, and the body it came in.
type Report struct {
	Observation landscape.Observation
	Body        []byte
}

// A report is stored as
//
//	32 bytes   SHA-256 of the body
//	1 byte     1 where the report waits for its host to be registered, else 0
//	4 bytes    length of the observation
//	the rest   the observation as JSON (only of a report that waits), and the
//	           body, compressed
//
// under the id of the agent and the kind. Only the newest one of each kind is
// kept.
const reportHead = sha256.Size + 1 + 4

func reportKey(agent landscape.HostID, kind landscape.Kind) []byte {
	return []byte(string(agent) + "/" + string(kind))
}

func observationSize(value []byte) int {
	return int(binary.BigEndian.Uint32(value[reportHead-4 : reportHead]))
}

func (tx *Tx) keepReport(r *Report, sum [sha256.Size]byte, waits bool) error {
	key := reportKey(r.Observation.Agent, r.Observation.Kind)
	flag := byte(0)
	var observation []byte
	if waits {
		flag = 1
		var err error
		if observation, err = json.Marshal(r.Observation); err != nil {
			return fmt.Errorf("report %s: %w", key, err)
		}
	}
	if old := tx.s.reports.Get(tx.kv, key); old != nil && bytes.Equal(old[:sha256.Size], sum[:]) && old[sha256.Size] == flag {
		return nil
	}
	value := append(sum[:], flag)
	value = binary.BigEndian.AppendUint32(value, uint32(len(observation)))
	value = append(value, observation...)
	return tx.s.reports.Put(tx.kv, key, kv.Compress(value, r.Body))
}

// observeWaiting applies the reports that came before their host: the agent
// sends some of them only four times an hour.
func (tx *Tx) observeWaiting(agent landscape.HostID) error {
	for _, kind := range landscape.Kinds {
		if !kind.NeedsHost() {
			continue
		}
		key := reportKey(agent, kind)
		value := tx.s.reports.Get(tx.kv, key)
		if value == nil || value[sha256.Size] == 0 {
			continue
		}
		length := observationSize(value)
		var seen landscape.Observation
		if err := json.Unmarshal(value[reportHead:reportHead+length], &seen); err != nil {
			return fmt.Errorf("report %s: %w", key, err)
		}
		changes, err := landscape.Observe(state{tx}, seen, tx.now)
		if err == nil {
			err = tx.apply(changes)
		}
		if err != nil {
			return fmt.Errorf("report %s: %w", key, err)
		}
		settled := bytes.Clone(value[:sha256.Size])
		settled = append(settled, 0, 0, 0, 0, 0)
		settled = append(settled, value[reportHead+length:]...)
		if err := tx.s.reports.Put(tx.kv, key, settled); err != nil {
			return err
		}
	}
	return nil
}

// keyProgram is where the file says which version of the program opened it.
var keyProgram = []byte("program")

// noteProgram notes which version of the program has the file open. After a
// start with another one, the next SAP report of each agent is judged in full.
func (s *Store) noteProgram() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		if string(s.meta.Get(tx.kv, keyProgram)) == s.options.Program {
			return nil
		}
		var toForget []landscape.LastSAPReport
		for k, err := range s.lastSAPReports.All(tx.kv) {
			if err != nil {
				return err
			}
			if !k.Forget && len(k.Elements) > 0 {
				toForget = append(toForget, *k)
			}
		}
		for _, k := range toForget {
			k.Forget = true
			if err := s.lastSAPReports.Put(tx.kv, []byte(k.Agent), &k); err != nil {
				return err
			}
		}
		return s.meta.Put(tx.kv, keyProgram, []byte(s.options.Program))
	})
}

// remember makes Unchanged know the body, once the change is durable.
func (tx *Tx) remember(r *Report, sum [sha256.Size]byte) {
	from := agentKind{r.Observation.Agent, r.Observation.Kind}
	tx.kv.AfterCommit(func() { tx.s.reportHashes.set(from, sum) })
}

// reportHashes are the hashes of the newest accepted body of each agent and kind
// since the start. They are not kept for the next one: this program may
// understand more of a report than the last one did, and what was to be
// forgotten must not be known again. BenchmarkUnchanged: a report that says
// nothing new takes a 50th of the time of decoding and comparing it.
type reportHashes struct {
	mu     sync.RWMutex
	byKey  map[agentKind][sha256.Size]byte
	hashes map[[sha256.Size]byte]agentKind
}

func (k *reportHashes) set(key agentKind, sum [sha256.Size]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.byKey[key]; ok {
		delete(k.hashes, old)
	}
	if k.byKey == nil {
		k.byKey, k.hashes = make(map[agentKind][sha256.Size]byte), make(map[[sha256.Size]byte]agentKind)
	}
	k.byKey[key] = sum
	k.hashes[sum] = key
}

func (k *reportHashes) remove(key agentKind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if sum, ok := k.byKey[key]; ok {
		delete(k.hashes, sum)
		delete(k.byKey, key)
	}
}

func (tx *Tx) verifyReports() error {
	var faults []error
	for key, value := range tx.s.reports.Scan(tx.kv, nil, nil) {
		if len(value) < reportHead {
			return fmt.Errorf("report %s: too short", key)
		}
		_, err := kv.Decompress(value[reportHead+observationSize(value):])
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
