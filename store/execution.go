package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"trento/store/activity"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/kv"
	"trento/store/landscape"
)

// CheckedGroup is what is known about the executions of a cluster or host. For
// agents, the cluster or host is a group.
type CheckedGroup struct {
	GroupID string            `json:"group_id"`
	Kind    check.SubjectKind `json:"target_type"`
	// Running is nil if no execution is under way.
	Running *RunningExecution `json:"running,omitempty"`
	// Last is the last execution that was completed; nil if there is none.
	Last *Execution `json:"last,omitempty"`
}

// RunningExecution is an execution that waits for facts.
type RunningExecution struct {
	check.Request
	StartedAt time.Time `json:"started_at"`
	By        string    `json:"by,omitempty"` // the user who asked for it; "" if the schedule did
}

// Execution is an execution that was completed, without its conclusion.
type Execution struct {
	ID          string            `json:"id"`
	GroupID     string            `json:"group_id"`
	Kind        check.SubjectKind `json:"target_type"`
	StartedAt   time.Time         `json:"started_at"` // to the microsecond
	CompletedAt time.Time         `json:"completed_at"`
	By          string            `json:"by,omitempty"`
	Result      check.Result      `json:"result"`
	Health      check.Result      `json:"health"` // the result that counts, in which waived failures do not
	Counts      check.Counts      `json:"counts"`
	TimeoutSum  int               `json:"timeouts,omitempty"` // how many agents did not answer
	// Conclusion is the key of the conclusion within the group. Executions with
	// equal conclusions share it.
	Conclusion string `json:"conclusion"`
}

// The retention of executions of a group.
const (
	// maxKeptExecutions is how many of the last executions are kept, whatever they
	// concluded.
	maxKeptExecutions = 50
	// executionAge is how long older ones are kept: of these the last one of
	// each day, and maxKeptExecutionChanges of those that concluded something else
	// than the one before.
	executionAge            = 30 * 24 * time.Hour
	maxKeptExecutionChanges = 200
)

// The reasons for which an execution cannot be started.
var (
	ErrExecutionRunning = &fault.Error{Kind: fault.Invalid, Detail: "Execution already running."}
	ErrExecutionIDUsed  = &fault.Error{Kind: fault.Invalid, Detail: "Execution id already used."}
)

func executionPrefix(group string) []byte { return append([]byte(group), 0) }

func executionKey(group string, startedAt time.Time, id string) []byte {
	key := binary.BigEndian.AppendUint64(executionPrefix(group), uint64(startedAt.UnixMicro()))
	return append(key, id...)
}

func (e *Execution) key() []byte { return executionKey(e.GroupID, e.StartedAt, e.ID) }

// executionTimes are the keys of the index by time, and executionIDs those of the
// index by id.
func executionTimes(e *Execution) []string {
	return []string{string(binary.BigEndian.AppendUint64(nil, uint64(e.StartedAt.UnixMicro()))) + e.ID}
}

func executionIDs(e *Execution) []string { return []string{e.ID} }

func conclusionKey(group, hash string) []byte { return append(executionPrefix(group), hash...) }

// CheckedGroup returns what is known about the executions of a cluster or host;
// ErrNotFound if there never was one. It is shared and must not be modified.
func (tx *Tx) CheckedGroup(id string) (*CheckedGroup, error) {
	return tx.s.checkedGroups.Get(tx.kv, []byte(id))
}

// CheckedGroups walks the groups with executions, in the order of their ids.
func (tx *Tx) CheckedGroups() iter.Seq2[*CheckedGroup, error] { return tx.s.checkedGroups.All(tx.kv) }

// CheckSubject returns a registered cluster or host as checks see it. It fails
// with ErrNotFound, or with ErrNotCheckable.
func (tx *Tx) CheckSubject(kind check.SubjectKind, id string) (*check.Subject, error) {
	if kind == check.HostSubject {
		h, err := tx.Host(landscape.HostID(id))
		if err != nil {
			return nil, err
		}
		s := check.NewHostSubject(h)
		return &s, nil
	}
	c, err := tx.Cluster(landscape.ClusterID(id))
	if err != nil {
		return nil, err
	}
	if !check.Checkable(c.Type) {
		return nil, ErrNotCheckable
	}
	ids, err := tx.RegisteredMembers(c.ID)
	if err != nil {
		return nil, err
	}
	var hosts []*landscape.Host
	systems := make(map[landscape.SAPSystemID]*landscape.SAPSystem)
	for _, id := range ids {
		h, err := tx.Host(id)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, h)
		if c.Type != landscape.ASCSERS {
			continue
		}
		for _, id := range tx.SAPSystemsOn(id) {
			if systems[id], err = tx.storedSAPSystem(id); err != nil {
				return nil, err
			}
		}
	}
	var all []*landscape.SAPSystem
	for _, system := range systems {
		all = append(all, system)
	}
	s := check.NewClusterSubject(c, hosts, all)
	return &s, nil
}

// ErrNotCheckable means that there are no checks for a type of cluster.
var ErrNotCheckable = &fault.Error{Kind: fault.Invalid, Detail: "There are no checks for clusters of this type."}

// CheckSubjects returns the registered clusters and hosts for which checks are
// selected.
func (tx *Tx) CheckSubjects() ([]*check.Subject, error) {
	var subjects []*check.Subject
	for c, err := range tx.Clusters() {
		if err != nil {
			return nil, err
		}
		if len(c.SelectedChecks) == 0 || !check.Checkable(c.Type) {
			continue
		}
		s, err := tx.CheckSubject(check.ClusterSubject, string(c.ID))
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, s)
	}
	for h, err := range tx.Hosts() {
		if err != nil {
			return nil, err
		}
		if len(h.SelectedChecks) > 0 {
			s := check.NewHostSubject(h)
			subjects = append(subjects, &s)
		}
	}
	return subjects, nil
}

// StartExecution stores that an execution is under way. If a user asked for it,
// that is logged. It fails with ErrExecutionRunning or ErrExecutionIDUsed.
func (s *Store) StartExecution(ctx context.Context, by Actor, r check.Request) (*RunningExecution, error) {
	var running *RunningExecution
	by.Correlation = r.ExecutionID
	err := s.update(ctx, by, func(tx *Tx) error {
		group, err := tx.CheckedGroup(r.GroupID)
		if errors.Is(err, ErrNotFound) {
			group, err = &CheckedGroup{GroupID: r.GroupID}, nil
		}
		if err != nil {
			return err
		}
		if group.Running != nil {
			return ErrExecutionRunning
		}
		if tx.s.executionIDs.Get(tx.kv, []byte(r.ExecutionID)) != nil {
			return ErrExecutionIDUsed
		}
		running = &RunningExecution{Request: r, StartedAt: tx.now.Truncate(time.Microsecond)}
		if by.Name != activity.System {
			running.By = by.Name
		}
		after := *group
		after.Kind, after.Running = r.Kind, running
		err = tx.s.checkedGroups.Put(tx.kv, []byte(r.GroupID), &after)
		if running.By == "" {
			return err
		}
		return errors.Join(err, tx.logExecutionRequest(&r))
	})
	return running, err
}

func (tx *Tx) logExecutionRequest(r *check.Request) error {
	if r.Kind == check.HostSubject {
		return tx.log(tx.by.Name, &activity.HostChecksExecutionRequest{AboutHost: activity.AboutHost{HostID: r.GroupID}, ExecutionID: r.ExecutionID})
	}
	return tx.log(tx.by.Name, &activity.ClusterChecksExecutionRequest{AboutCluster: activity.AboutCluster{ClusterID: r.GroupID}, ExecutionID: r.ExecutionID})
}

// CompleteExecution stores the conclusion of an execution together with the
// health that follows from it, and logs what has changed. It fails with
// ErrNotFound if the execution is not under way.
func (s *Store) CompleteExecution(ctx context.Context, group, id string, c *check.Conclusion) (*Execution, error) {
	document, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("conclusion of execution %s: %w", id, err)
	}
	sum := sha256.Sum256(document)
	hash := hex.EncodeToString(sum[:])
	var done *Execution
	by := System()
	by.Correlation = id
	err = s.update(ctx, by, func(tx *Tx) error {
		g, err := tx.CheckedGroup(group)
		if err != nil {
			return err
		}
		if g.Running == nil || g.Running.ExecutionID != id {
			return fmt.Errorf("execution %s: %w", id, ErrNotFound)
		}
		result, health := c.Result()
		done = &Execution{
			ID: id, GroupID: group, Kind: g.Kind, StartedAt: g.Running.StartedAt, By: g.Running.By, CompletedAt: tx.now.Truncate(time.Microsecond),
			Result: result, Health: health, Counts: c.Count(), TimeoutSum: len(c.Timeouts), Conclusion: hash,
		}
		if tx.s.conclusions.Get(tx.kv, conclusionKey(group, hash)) == nil {
			err = tx.s.conclusions.Put(tx.kv, conclusionKey(group, hash), kv.Compress(nil, document))
		}
		after := *g
		after.Running, after.Last = nil, done
		return errors.Join(err,
			tx.s.executions.Put(tx.kv, done.key(), done), tx.s.checkedGroups.Put(tx.kv, []byte(group), &after),
			tx.setChecksHealth(g.Kind, group, landscape.Health(health)), tx.logCompletion(done, g.Last, c.Failed()), tx.thinExecutions(group))
	})
	return done, err
}

// setChecksHealth stores what follows from the result of checks. It does nothing
// if the cluster or host is not registered any more, or has no checks.
func (tx *Tx) setChecksHealth(kind check.SubjectKind, id string, health landscape.Health) error {
	var changes *landscape.Changeset
	var err error
	if kind == check.HostSubject {
		h, failed := tx.Host(landscape.HostID(id))
		if err = failed; err == nil && len(h.SelectedChecks) > 0 {
			changes, err = landscape.SetHostChecksHealth(landscapeState{tx}, h.ID, health, tx.now)
		}
	} else {
		c, failed := tx.Cluster(landscape.ClusterID(id))
		if err = failed; err == nil && len(c.SelectedChecks) > 0 {
			changes, err = landscape.SetClusterChecksHealth(landscapeState{tx}, c.ID, health, tx.now)
		}
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || changes == nil {
		return err
	}
	return tx.applyChanges(changes)
}

// logCompletion logs the result of an execution if it is another one than that of
// the execution before.
func (tx *Tx) logCompletion(done, before *Execution, failed []string) error {
	if before != nil && before.Result == done.Result {
		return nil
	}
	e := &activity.ChecksExecutionCompleted{
		CheckedThing: tx.checkedThing(done.Kind, done.GroupID), ExecutionID: done.ID, Result: string(done.Result), FailedChecks: failed,
	}
	if before != nil {
		previous := string(before.Result)
		e.PreviousResult = &previous
	}
	return tx.log(activity.System, e)
}

// checkedThing returns the cluster or host for the log.
func (tx *Tx) checkedThing(kind check.SubjectKind, id string) activity.CheckedThing {
	if kind == check.HostSubject {
		thing := activity.CheckedThing{HostID: id}
		if h, err := tx.storedHost(landscape.HostID(id)); err == nil {
			thing.Name = h.Hostname
		}
		return thing
	}
	thing := activity.CheckedThing{ClusterID: id}
	if c, err := tx.storedCluster(landscape.ClusterID(id)); err == nil && c.Name != nil {
		thing.Name = *c.Name
	}
	return thing
}

// thinExecutions removes old executions of a group, and conclusions that no
// execution has any more.
func (tx *Tx) thinExecutions(group string) error {
	all, err := tx.ExecutionsOf(group)
	if err != nil || len(all) <= maxKeptExecutions {
		return err
	}
	remove := superfluousExecutions(all, tx.now)
	if len(remove) == 0 {
		return nil
	}
	used := make(map[string]bool)
	var keys [][]byte
	for _, e := range all {
		if remove[e.ID] {
			keys = append(keys, e.key())
		} else {
			used[e.Conclusion] = true
		}
	}
	err = tx.s.executions.Delete(tx.kv, keys...)
	var unused [][]byte
	prefix := executionPrefix(group)
	for key := range tx.s.conclusions.ScanPrefix(tx.kv, prefix) {
		if !used[string(key[len(prefix):])] {
			unused = append(unused, slices.Clone(key))
		}
	}
	return errors.Join(err, tx.s.conclusions.Delete(tx.kv, unused...))
}

// superfluousExecutions returns the ids of the executions that need not be kept. all are
// the executions of a group, newest first.
func superfluousExecutions(all []*Execution, now time.Time) map[string]bool {
	remove := make(map[string]bool)
	day, changes := "", 0
	for i, e := range all {
		date := e.StartedAt.UTC().Format(time.DateOnly)
		lastOfDay := date != day
		day = date
		changed := i+1 < len(all) && all[i+1].Conclusion != e.Conclusion
		switch {
		case i < maxKeptExecutions:
		case now.Sub(e.StartedAt) > executionAge:
			remove[e.ID] = true
		case lastOfDay:
		case changed && changes < maxKeptExecutionChanges:
			changes++
		default:
			remove[e.ID] = true
		}
	}
	return remove
}

// ExecutionsOf returns the completed executions of a group, newest first. They
// are shared and must not be modified.
func (tx *Tx) ExecutionsOf(group string) ([]*Execution, error) {
	var all []*Execution
	for e, err := range tx.s.executions.WithPrefix(tx.kv, executionPrefix(group)) {
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.Reverse(all)
	return all, nil
}

// ExecutionsBack walks all completed executions, newest first.
func (tx *Tx) ExecutionsBack() iter.Seq2[*Execution, error] {
	return func(yield func(*Execution, error) bool) {
		end := bytes.Repeat([]byte{0xff}, 9) // after all keys
		for _, key := range tx.s.executionTimes.ScanBack(tx.kv, nil, end) {
			if !yield(tx.s.executions.Get(tx.kv, key)) {
				return
			}
		}
	}
}

// CountExecutions returns the number of completed executions of all groups.
func (tx *Tx) CountExecutions() int { return tx.s.executionTimes.Count(tx.kv) }

// Execution returns a completed execution, or ErrNotFound.
func (tx *Tx) Execution(id string) (*Execution, error) {
	key := tx.s.executionIDs.Get(tx.kv, []byte(id))
	if key == nil {
		return nil, ErrNotFound
	}
	return tx.s.executions.Get(tx.kv, key)
}

// Conclusion returns what came out of a completed execution.
func (tx *Tx) Conclusion(e *Execution) (*check.Conclusion, error) {
	document, err := tx.conclusionDocument(e)
	if err != nil {
		return nil, err
	}
	c := new(check.Conclusion)
	if err := json.Unmarshal(document, c); err != nil {
		return nil, kv.Damaged(fmt.Errorf("conclusion of execution %s: %w", e.ID, err))
	}
	return c, nil
}

// conclusionDocument returns the conclusion of an execution as JSON.
func (tx *Tx) conclusionDocument(e *Execution) ([]byte, error) {
	stored := tx.s.conclusions.Get(tx.kv, conclusionKey(e.GroupID, e.Conclusion))
	if stored == nil {
		return nil, kv.Damaged(fmt.Errorf("the conclusion of execution %s is missing", e.ID))
	}
	return kv.Decompress(stored)
}

// CheckOutcomes returns how each check came out in completed executions of one
// group, by the id of the check. All checks have one outcome for each execution,
// in the order of the executions. If only is not "", it is the one check to
// return. It decodes only the results of conclusions: for 30 conclusions of 100
// checks on 4 hosts BenchmarkCheckOutcomes is 9 times as fast as with
// Conclusion.
func (tx *Tx) CheckOutcomes(executions []*Execution, only string) (map[string][]check.Outcome, error) {
	outcomes := make(map[string][]check.Outcome)
	results := make(map[string]map[string]check.Result) // by the key of the conclusion
	for i, e := range executions {
		if results[e.Conclusion] == nil {
			document, err := tx.conclusionDocument(e)
			if err != nil {
				return nil, err
			}
			results[e.Conclusion] = resultsIn(document, only)
		}
		for id, result := range results[e.Conclusion] {
			if outcomes[id] == nil {
				outcomes[id] = make([]check.Outcome, len(executions))
				for j, other := range executions {
					outcomes[id][j] = check.Outcome{At: other.StartedAt, ExecutionID: other.ID}
				}
			}
			outcomes[id][i].Result = result
		}
	}
	return outcomes, nil
}

// resultsIn returns the result of each check, or only of one, in a conclusion.
func resultsIn(document []byte, only string) map[string]check.Result {
	results := make(map[string]check.Result)
	gjson.GetBytes(document, "check_results").ForEach(func(_, d gjson.Result) bool {
		if id := d.Get("check_id").String(); only == "" || id == only {
			results[id] = check.Result(d.Get("result").String())
		}
		return true
	})
	return results
}

// verifyExecutions checks that each execution has a conclusion that can be read,
// and each conclusion an execution.
func (tx *Tx) verifyExecutions() error {
	used := make(map[string]bool)
	for e, err := range tx.s.executions.All(tx.kv) {
		if err != nil {
			return err
		}
		key := string(conclusionKey(e.GroupID, e.Conclusion))
		if used[key] {
			continue
		}
		used[key] = true
		if _, err := tx.Conclusion(e); err != nil {
			return err
		}
	}
	for key := range tx.s.conclusions.Scan(tx.kv, nil, nil) {
		if !used[string(key)] {
			return fmt.Errorf("conclusion %q belongs to no execution", key)
		}
	}
	return nil
}
