package search

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"
	"sync"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/search/query"

	"trento/store/activity"
)

// format is the layout of the documents and of what they are found by. Any
// change of document.go raises it, and all shards of the old layout are built
// again.
const format = "1"

// What a shard says about itself, beside its documents.
var (
	keyFormat = []byte("trento.format")
	keyStore  = []byte("trento.store") // id of the store the entries are from
	keyLast   = []byte("trento.last")  // key of the last indexed position
)

// lockTimeout is how long to wait for another process to let go of a shard.
const lockTimeout = "1s"

// removedSuffix marks a directory that is being removed: half a shard must
// never be taken for one.
const removedSuffix = ".removed"

// shard is one Bleve index. Only Run writes to it.
type shard struct {
	path  string
	first activity.Position // where its part of the log begins
	last  activity.Position // as stored; first-1 in an empty shard
	count uint64            // documents
	bleve bleve.Index
	users sync.WaitGroup // searches under way
}

// createShard makes an empty shard that covers the log from first on.
func createShard(path string, first activity.Position, storeID string) (*shard, error) {
	mapping := bleve.NewIndexMapping() // never used: documents are built by hand
	mapping.DefaultMapping.Dynamic = false
	b, err := bleve.NewUsing(path, mapping, scorch.Name, scorch.Name, map[string]any{"bolt_timeout": lockTimeout})
	if err != nil {
		return nil, err
	}
	s := &shard{path: path, first: first, last: first - 1, bleve: b}
	batch := b.NewBatch()
	batch.SetInternal(keyFormat, []byte(format))
	batch.SetInternal(keyStore, []byte(storeID))
	batch.SetInternal(keyLast, s.last.Key())
	if err := b.Batch(batch); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return s, nil
}

// openShard opens a shard that is known to be whole. Its errors are ErrInUse,
// and whatever makes the shard useless.
func openShard(path string, first activity.Position, storeID string) (_ *shard, err error) {
	// Damaged files make Bleve and bbolt panic, and mapped ones fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("damaged: %v", fault)
		}
	}()
	if err := checkShard(path); err != nil {
		return nil, err
	}
	b, err := openBleve(path, false)
	if err != nil {
		return nil, err
	}
	s := &shard{path: path, first: first, bleve: b}
	if err := s.load(storeID); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return s, nil
}

// load reads what the shard says about itself.
func (s *shard) load(storeID string) error {
	for _, want := range []struct {
		key   []byte
		value string
	}{{keyFormat, format}, {keyStore, storeID}} {
		got, err := s.bleve.GetInternal(want.key)
		if err != nil {
			return err
		}
		if string(got) != want.value {
			return fmt.Errorf("%s is %q instead of %q", want.key, got, want.value)
		}
	}
	last, err := s.bleve.GetInternal(keyLast)
	if err != nil {
		return err
	}
	if len(last) != 8 || activity.PositionOfKey(last)+1 < s.first {
		return fmt.Errorf("%s is %x", keyLast, last)
	}
	s.last = activity.PositionOfKey(last)
	s.count, err = s.bleve.DocCount()
	return err
}

// checkShard reads every segment of a shard before anything works on it: a
// damaged one would bring down a goroutine of Bleve's, and with it whoever
// waits for that.
func checkShard(path string) (err error) {
	b, err := openBleve(path, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	inner, err := b.Advanced()
	if err != nil {
		return err
	}
	reader, err := inner.Reader()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	snapshot, ok := reader.(*scorch.IndexSnapshot)
	if !ok {
		return errors.New("not a scorch index")
	}
	for _, segment := range snapshot.Segments() {
		file, ok := segment.Segment().(interface {
			Data() []byte
			CRC() uint32
		})
		if !ok {
			return fmt.Errorf("segment %d has no checksum", segment.Id())
		}
		data := file.Data()
		if crc32.ChecksumIEEE(data[:len(data)-crc32.Size]) != file.CRC() {
			return fmt.Errorf("segment %d is damaged", segment.Id())
		}
	}
	return nil
}

func openBleve(path string, readOnly bool) (bleve.Index, error) {
	b, err := bleve.OpenUsing(path, map[string]any{"bolt_timeout": lockTimeout, "read_only": readOnly})
	// Bleve passes on the error of bbolt, which is package store's to import.
	if err != nil && err.Error() == "timeout" {
		return nil, ErrInUse
	}
	return b, err
}

// close waits for the searches under way.
func (s *shard) close() error {
	s.users.Wait()
	return s.bleve.Close()
}

func removeShard(path string) error {
	removed := path + removedSuffix
	if err := os.Rename(path, removed); err != nil {
		return err
	}
	return os.RemoveAll(removed)
}

// add indexes entries that follow the last one. Documents and position become
// durable together.
func (s *shard) add(entries []*activity.Entry) error {
	batch := s.bleve.NewBatch()
	for _, e := range entries {
		if err := batch.IndexAdvanced(newDocument(e)); err != nil {
			return fmt.Errorf("entry %s: %w", e.ID, err)
		}
	}
	last := entries[len(entries)-1].Position
	batch.SetInternal(keyLast, last.Key())
	if err := s.bleve.Batch(batch); err != nil {
		return err
	}
	s.last = last
	s.count += uint64(len(entries))
	return nil
}

// find lists the first positions within the span that the query finds, in
// walking order.
func (s *shard) find(ctx context.Context, q query.Query, within span, forward bool, most int) ([]activity.Position, error) {
	request := bleve.NewSearchRequestOptions(q, most, 0, false)
	request.Score = "none"
	// Ids sort as positions do. The span's far end needs no telling: hits
	// arrive in order, and those beyond it are cut off.
	order := "-_id"
	if forward {
		order = "_id"
	}
	request.SortBy([]string{order})
	if before, ok := within.before(forward); ok {
		request.SetSearchAfter([]string{string(before.Key())})
	}
	result, err := s.bleve.SearchInContext(ctx, request)
	if err != nil {
		return nil, err
	}
	var found []activity.Position
	for _, hit := range result.Hits {
		p := activity.PositionOfKey([]byte(hit.ID))
		if !within.contains(p) {
			break
		}
		found = append(found, p)
	}
	return found, nil
}
