package search

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"trento/store"
	"trento/store/activity"
)

// groupSize is how many entries are indexed at a time, at most.
const groupSize = 4096

// crowd is how many shards in memory are worth a file.
const crowd = 8

const (
	// settleTime is how long to wait for company once an entry has landed.
	// Nobody notices: searches read what is not indexed yet from the log.
	settleTime = 100 * time.Millisecond
	// retryTime is how long to wait after a failure, say of a full disk.
	retryTime = 10 * time.Second
)

// Run indexes what the log holds and then follows it until ctx ends. Failures
// are logged and tried again; they make searches slower but not wrong.
func (x *Index) Run(ctx context.Context) error {
	changed, stop := x.store.Watch()
	defer stop()
	followed := make(chan struct{}, 1)
	var warming sync.WaitGroup
	warming.Go(func() {
		for range followed {
			if err := x.warm(ctx); err != nil && ctx.Err() == nil {
				x.log.Error("search index cannot be prepared", "cause", err)
			}
		}
	})
	defer warming.Wait()
	defer close(followed)
	for {
		pause := settleTime
		if err := x.follow(ctx); err == nil {
			select {
			case followed <- struct{}{}:
			default: // warming up from the time before
			}
			select {
			case <-ctx.Done():
			case <-changed:
			}
		} else if ctx.Err() == nil {
			x.log.Error("search index cannot follow the activity log", "cause", err)
			pause = retryTime
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// follow indexes everything the log holds now, and drops what it has dropped.
func (x *Index) follow(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, oldest, err := x.ends()
		if err != nil {
			return err
		}
		if err := x.prune(oldest); err != nil {
			return err
		}
		groups, err := x.backlog(runtime.GOMAXPROCS(0))
		if err != nil {
			return err
		}
		if len(groups) == 0 {
			return x.tidy()
		}
		if err := x.add(groups...); err != nil {
			return err
		}
	}
}

// backlog reads the next groups to index, at most so many.
func (x *Index) backlog(most int) (groups [][]*activity.Entry, err error) {
	after := x.indexed
	for len(groups) < most {
		group, err := x.next(after)
		if err != nil {
			return nil, err
		}
		if len(group) > 0 {
			groups = append(groups, group)
			after = group[len(group)-1].Position
		}
		if len(group) < groupSize {
			break
		}
	}
	return groups, nil
}

// next reads the group behind a position. Damaged entries are logged and
// passed over.
func (x *Index) next(after activity.Position) (group []*activity.Entry, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(after+1, lastPosition) {
			if err != nil {
				x.log.Error("activity log entry is not indexed", "cause", err)
				continue
			}
			if group = append(group, e); len(group) == groupSize {
				return nil
			}
		}
		return nil
	})
	return group, err
}

// add indexes the groups behind what is indexed, in memory, each on a core of
// its own. When all young shards make a full one together, they become that.
func (x *Index) add(groups ...[]*activity.Entry) error {
	shards, faults := make([]*shard, len(groups)), make([]error, len(groups))
	var making sync.WaitGroup
	first := x.indexed + 1
	for i, group := range groups {
		begin := first
		making.Go(func() { shards[i], faults[i] = newShard(begin, group) })
		first = group[len(group)-1].Position + 1
	}
	making.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	last := shards[len(shards)-1].last
	x.mu.Lock()
	x.shards = append(slices.Clip(x.shards), shards...)
	x.indexed = last
	x.mu.Unlock()
	x.log.Debug("indexed", "last", last)
	if from, total := x.young(); total >= x.size {
		return x.seal(from)
	}
	return nil
}

// young is where the shards begin that are neither full nor on their way to be,
// and the entries in them.
func (x *Index) young() (from, entries int) {
	oldest := 0
	if x.sealing != nil {
		oldest = x.sealing.end
	}
	for from = len(x.shards); from > oldest && x.shards[from-1].count < x.size; from-- {
		entries += x.shards[from-1].count
	}
	return from, entries
}

// sealing is the making of a full shard. It goes on while the next groups are
// indexed.
type sealing struct {
	from, end int // the shards it is made of
	done      chan struct{}
	merged    *shard
	err       error
}

// seal begins to make one shard of the last ones, once the one before is made.
func (x *Index) seal(from int) error {
	young := len(x.shards) - from
	if err := x.sealed(); err != nil {
		return err
	}
	from = len(x.shards) - young
	s := &sealing{from: from, end: len(x.shards), done: make(chan struct{})}
	shards := x.shards[from:]
	go func() {
		defer close(s.done)
		s.merged, s.err = x.mergeAll(shards)
	}()
	x.sealing = s
	return nil
}

// sealed waits for the shard that is being made, and puts it in its place.
func (x *Index) sealed() error {
	s := x.sealing
	if s == nil {
		return nil
	}
	<-s.done
	x.sealing = nil
	if s.err != nil {
		return s.err
	}
	return x.replace(s.from, s.end, s.merged)
}

// tidy writes shards in memory to a file once they are a crowd, together with
// the files before them that are no larger. So each file is larger than all
// that follow it: they stay few, and no entry is written often.
func (x *Index) tidy() error {
	if err := x.sealed(); err != nil {
		return err
	}
	from, total := x.inMemory()
	if len(x.shards)-from < crowd {
		return nil
	}
	for from > 0 && x.shards[from-1].count <= total && x.shards[from-1].count < x.size {
		from--
		total += x.shards[from].count
	}
	return x.merge(from)
}

// persist writes the shards in memory to a file.
func (x *Index) persist() error {
	if err := x.sealed(); err != nil {
		return err
	}
	if from, _ := x.inMemory(); from < len(x.shards) {
		return x.merge(from)
	}
	return nil
}

// inMemory is where the shards in memory begin, and the entries in them.
func (x *Index) inMemory() (from, entries int) {
	for from = len(x.shards); from > 0 && x.shards[from-1].path == ""; from-- {
		entries += x.shards[from-1].count
	}
	return from, entries
}

// merge makes one shard of the last ones.
func (x *Index) merge(from int) error {
	merged, err := x.mergeAll(x.shards[from:])
	if err != nil {
		return err
	}
	return x.replace(from, len(x.shards), merged)
}

func (x *Index) mergeAll(shards []*shard) (*shard, error) {
	covers := span{shards[0].first, shards[len(shards)-1].last}
	merged, err := mergeShards(shards, x.path(covers))
	if err != nil {
		return nil, fmt.Errorf("shard %s: %w", shardName(covers), err)
	}
	return merged, nil
}

// prune removes the shards all of whose entries the log has dropped. Of the
// one that holds some of both, searches see the rest only.
func (x *Index) prune(oldest activity.Position) error {
	if len(x.shards) == 0 || x.shards[0].last >= oldest {
		return nil
	}
	if err := x.sealed(); err != nil {
		return err
	}
	gone := 0
	for gone < len(x.shards) && x.shards[gone].last < oldest {
		gone++
	}
	return x.drop(gone, x.indexed)
}

// warm makes the vocabularies before somebody waits for them, those of ids
// last, which take longest. Young shards are spared: they are small, and soon
// replaced.
func (x *Index) warm(ctx context.Context) error {
	shards, _, release, err := x.acquire()
	if err != nil {
		return err
	}
	defer release()
	for _, field := range vocabularyFields {
		for _, s := range slices.Backward(shards) {
			if s.path == "" {
				continue
			}
			if _, err := s.vocabulary(field); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
