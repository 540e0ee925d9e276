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

// Observe takes in one report. A nil error means that it is accepted and on
// disk. ErrNotFound means that what it is about is not registered: what can be
// used of it later is stored, and applied as soon as that is registered.
func (s *Store) Observe(ctx context.Context, r Report) error {
	var rejected error
	sum := sha256.Sum256(r.Body)
	err := s.update(ctx, System(), func(tx *Tx) error {
		rejected = nil
		changes, err := landscape.Observe(state{tx}, r.Observation, tx.now)
		refused := errors.Is(err, landscape.ErrNotRegistered) || errors.Is(changes.Blocked, landscape.ErrNotRegistered)
		if err != nil && !errors.Is(err, landscape.ErrNotRegistered) {
			return err
		}
		if err := tx.apply(changes); err != nil {
			return err
		}
		if err := tx.recordObserved(&r.Observation, refused); err != nil {
			return err
		}
		if err := tx.noteMachine(&r.Observation); err != nil {
			return err
		}
		if refused {
			rejected = ErrNotFound
			return tx.putReport(&r, sum, r.Observation.Kind.NeedsHost())
		}
		if !r.Observation.Kind.SaysMoreRepeated() || !changes.Changed() {
			tx.markSeen(&r, sum)
		}
		if !changes.Changed() {
			return nil
		}
		if err := tx.putReport(&r, sum, false); err != nil {
			return err
		}
		if r.Observation.Kind == landscape.HostDiscovery {
			return tx.applyWaitingReports(r.Observation.Agent)
		}
		return nil
	})
	return errors.Join(err, rejected)
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
const reportHeaderSize = sha256.Size + 1 + 4

func reportKey(agent landscape.HostID, kind landscape.Kind) []byte {
	return []byte(string(agent) + "/" + string(kind))
}

func observationSize(value []byte) int {
	return int(binary.BigEndian.Uint32(value[reportHeaderSize-4 : reportHeaderSize]))
}

func (tx *Tx) putReport(r *Report, sum [sha256.Size]byte, waits bool) error {
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

// applyWaitingReports applies the reports that came before their host: the agent
// sends some of them only four times an hour.
func (tx *Tx) applyWaitingReports(agent landscape.HostID) error {
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
		var waiting landscape.Observation
		if err := json.Unmarshal(value[reportHeaderSize:reportHeaderSize+length], &waiting); err != nil {
			return fmt.Errorf("report %s: %w", key, err)
		}
		changes, err := landscape.Observe(state{tx}, waiting, tx.now)
		if err == nil {
			err = tx.apply(changes)
		}
		if err != nil {
			return fmt.Errorf("report %s: %w", key, err)
		}
		applied := bytes.Clone(value[:sha256.Size])
		applied = append(applied, 0, 0, 0, 0, 0)
		applied = append(applied, value[reportHeaderSize+length:]...)
		if err := tx.s.reports.Put(tx.kv, key, applied); err != nil {
			return err
		}
	}
	return nil
}

// keyProgram holds the version of the program that opened the file last.
var keyProgram = []byte("program")

// recordProgram writes down which version of the program opens the file. After
// a start with another one, the next SAP report of each agent is evaluated in
// full.
func (s *Store) recordProgram() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		if string(s.meta.Get(tx.kv, keyProgram)) == s.options.Program {
			return nil
		}
		var toForget []landscape.LastSAPReport
		for k, err := range s.lastSAPReports.All(tx.kv) {
			if err != nil {
				return err
			}
			if !k.Invalidated && len(k.Elements) > 0 {
				toForget = append(toForget, *k)
			}
		}
		for _, k := range toForget {
			k.Invalidated = true
			if err := s.lastSAPReports.Put(tx.kv, []byte(k.Agent), &k); err != nil {
				return err
			}
		}
		return s.meta.Put(tx.kv, keyProgram, []byte(s.options.Program))
	})
}

// Unchanged reports whether a body is, byte for byte, the last one that was
// accepted from its agent. Such a report says nothing new and need not be
// decoded: agents repeat themselves every ten seconds.
func (s *Store) Unchanged(body []byte) bool {
	sum := sha256.Sum256(body)
	s.reportHashes.mu.RLock()
	from, ok := s.reportHashes.hashes[sum]
	s.reportHashes.mu.RUnlock()
	if ok {
		s.reportCounts.add(from.agent, from.kind, s.Now())
	}
	return ok
}

// deleteReports deletes the stored reports of an agent: only a new one may bring
// back what was cleaned up.
func (tx *Tx) deleteReports(agent landscape.HostID) error {
	if err := tx.deleteAgentReports(agent); err != nil {
		return err
	}
	for _, kind := range landscape.Kinds {
		tx.invalidateReport(agent, kind)
		if err := tx.s.reports.Delete(tx.kv, reportKey(agent, kind)); err != nil {
			return err
		}
	}
	return nil
}

// invalidateReport has the next report of an agent and kind evaluated even if it
// says nothing new.
func (tx *Tx) invalidateReport(agent landscape.HostID, kind landscape.Kind) {
	tx.kv.AfterCommit(func() { tx.s.reportHashes.forget(agentKind{agent, kind}) })
}

// markSeen has Unchanged recognise the body of a report from now on.
func (tx *Tx) markSeen(r *Report, sum [sha256.Size]byte) {
	from := agentKind{r.Observation.Agent, r.Observation.Kind}
	tx.kv.AfterCommit(func() { tx.s.reportHashes.set(from, sum) })
}

// reportHashes are the hashes of the newest accepted body of each agent and kind
// since the start. They are not stored: another version of the program may
// understand more of a report, and what was invalidated must stay so.
// BenchmarkUnchanged: a report that says
// nothing new takes a 50th of the time of decoding and comparing it.
type reportHashes struct {
	mu     sync.RWMutex
	byKey  map[agentKind][sha256.Size]byte
	hashes map[[sha256.Size]byte]agentKind
}

func (h *reportHashes) set(key agentKind, sum [sha256.Size]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old, ok := h.byKey[key]; ok {
		delete(h.hashes, old)
	}
	if h.byKey == nil {
		h.byKey, h.hashes = make(map[agentKind][sha256.Size]byte), make(map[[sha256.Size]byte]agentKind)
	}
	h.byKey[key] = sum
	h.hashes[sum] = key
}

func (h *reportHashes) forget(key agentKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sum, ok := h.byKey[key]; ok {
		delete(h.hashes, sum)
		delete(h.byKey, key)
	}
}

// ReportedOn lists the instances that the last SAP report of an agent has
// named, also those that belong to nothing registered; none without a report.
func (tx *Tx) ReportedOn(id landscape.HostID) ([]landscape.StoredElement, error) {
	kept, err := tx.s.lastSAPReports.Get(tx.kv, []byte(id))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return kept.Elements, nil
}

func (tx *Tx) verifyReports() error {
	var faults []error
	for key, value := range tx.s.reports.Scan(tx.kv, nil, nil) {
		if len(value) < reportHeaderSize {
			return fmt.Errorf("report %s: too short", key)
		}
		_, err := kv.Decompress(value[reportHeaderSize+observationSize(value):])
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
