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

// Report is a decoded report of an agent, with its body.
type Report struct {
	Observation landscape.Observation
	Body        []byte
}

// Observe applies a report. A nil error means that the report is accepted and
// on disk. ErrNotFound means that the thing the report is about is not
// registered. The parts that can be used later are then stored, and applied
// when the thing is registered.
func (s *Store) Observe(ctx context.Context, r Report) error {
	var rejected error
	sum := sha256.Sum256(r.Body)
	err := s.update(ctx, System(), func(tx *Tx) error {
		rejected = nil
		changes, err := landscape.Observe(landscapeState{tx}, r.Observation, tx.now)
		refused := errors.Is(err, landscape.ErrNotRegistered) || errors.Is(changes.Blocked, landscape.ErrNotRegistered)
		if err != nil && !errors.Is(err, landscape.ErrNotRegistered) {
			return err
		}
		if err := tx.applyChanges(changes); err != nil {
			return err
		}
		if err := tx.recordDecodedReport(&r.Observation, refused); err != nil {
			return err
		}
		if err := tx.recordMachine(&r.Observation); err != nil {
			return err
		}
		if refused {
			rejected = ErrNotFound
			return tx.putReport(&r, sum, r.Observation.Kind.NeedsHost())
		}
		if !r.Observation.Kind.RepetitionMatters() || !changes.Changed() {
			tx.rememberBody(&r, sum)
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
//	1 byte     1 if the report waits for its host to be registered, else 0
//	4 bytes    length of the observation
//	the rest   the observation as JSON (only of a report that waits), and the
//	           body, compressed
//
// The key consists of the agent's id and the kind. Only the newest report of
// each kind is kept. reportHeaderSize is the length of the first three fields
// in bytes.
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

// applyWaitingReports applies the reports that came before their host was
// registered. The agent sends some kinds only four times an hour.
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
		changes, err := landscape.Observe(landscapeState{tx}, waiting, tx.now)
		if err == nil {
			err = tx.applyChanges(changes)
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

// programKey is the key of the version of the program that opened the file
// last.
var programKey = []byte("program")

// recordProgram stores the version of the program. If another version opened
// the file before, the next SAP report of each agent is evaluated in full.
func (s *Store) recordProgram() error {
	return s.update(context.Background(), System(), func(tx *Tx) error {
		if string(s.meta.Get(tx.kv, programKey)) == s.options.Program {
			return nil
		}
		var toInvalidate []landscape.LastSAPReport
		for k, err := range s.lastSAPReports.All(tx.kv) {
			if err != nil {
				return err
			}
			if !k.Invalidated && len(k.Elements) > 0 {
				toInvalidate = append(toInvalidate, *k)
			}
		}
		for _, k := range toInvalidate {
			k.Invalidated = true
			if err := s.lastSAPReports.Put(tx.kv, []byte(k.Agent), &k); err != nil {
				return err
			}
		}
		return s.meta.Put(tx.kv, programKey, []byte(s.options.Program))
	})
}

// Unchanged reports whether a body is identical to the last accepted body of
// the same agent and kind. Such a report need not be decoded. Agents repeat
// their reports every ten seconds.
func (s *Store) Unchanged(body []byte) bool {
	sum := sha256.Sum256(body)
	s.reportHashes.mu.RLock()
	from, ok := s.reportHashes.sourceOf[sum]
	s.reportHashes.mu.RUnlock()
	if ok {
		s.reportCounts.countReport(from.agent, from.kind, s.Now())
	}
	return ok
}

// deleteReports deletes the stored reports of an agent. After a clean-up, only
// a new report may restore the data.
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

// invalidateReport causes the next report of the agent and kind to be evaluated
// even if its body is unchanged.
func (tx *Tx) invalidateReport(agent landscape.HostID, kind landscape.Kind) {
	tx.kv.AfterCommit(func() { tx.s.reportHashes.forgetHash(agentAndKind{agent, kind}) })
}

// rememberBody makes Unchanged return true for the body of the report from now on.
func (tx *Tx) rememberBody(r *Report, sum [sha256.Size]byte) {
	from := agentAndKind{r.Observation.Agent, r.Observation.Kind}
	tx.kv.AfterCommit(func() { tx.s.reportHashes.setHash(from, sum) })
}

// reportHashes holds the hash of the newest accepted body of each agent and
// kind since the start. The hashes are not stored, for two reasons: another
// version of the program may decode more of a report, and an invalidated report
// must stay invalidated. BenchmarkUnchanged: recognising an unchanged report
// takes a 50th of the time of decoding and comparing it.
type reportHashes struct {
	mu       sync.RWMutex
	hashOf   map[agentAndKind][sha256.Size]byte
	sourceOf map[[sha256.Size]byte]agentAndKind
}

func (h *reportHashes) setHash(key agentAndKind, sum [sha256.Size]byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old, ok := h.hashOf[key]; ok {
		delete(h.sourceOf, old)
	}
	if h.hashOf == nil {
		h.hashOf, h.sourceOf = make(map[agentAndKind][sha256.Size]byte), make(map[[sha256.Size]byte]agentAndKind)
	}
	h.hashOf[key] = sum
	h.sourceOf[sum] = key
}

func (h *reportHashes) forgetHash(key agentAndKind) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sum, ok := h.hashOf[key]; ok {
		delete(h.sourceOf, sum)
		delete(h.hashOf, key)
	}
}

// ReportedOn lists the instances in the last SAP report of an agent, also those
// that belong to no registered system or database. It lists none if there was
// no report.
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
