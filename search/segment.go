package search

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	index "github.com/blevesearch/bleve_index_api"
	bleve "github.com/blevesearch/scorch_segment_api/v2"
	zap "github.com/blevesearch/zapx/v17"

	"trento/store/activity"
)

// segment is a segment of Bleve: an immutable index over a part of the log. Its
// documents are numbered in the order of the log. So a set of documents is
// sorted by time, a period is a range of numbers, and the number of hits is the
// number of bits in a set.
type segment struct {
	span         // part of the log that the segment covers; last is the position of the last document
	count int    // number of documents
	path  string // "" for a segment in memory
	bleve bleve.Segment

	mu        sync.Mutex
	termLists map[string]*termList // built when they are first needed
}

var zapPlugin zap.ZapPlugin

// newSegment indexes entries in memory. The segment covers the log from the
// position first to the last entry.
func newSegment(first activity.Position, entries []*activity.Entry) (*segment, error) {
	documents := make([]index.Document, len(entries))
	for i, e := range entries {
		documents[i] = newDocument(e)
	}
	b, _, err := zapPlugin.New(documents)
	if err != nil {
		return nil, err
	}
	return wrapSegment(span{first, entries[len(entries)-1].Position}, "", b), nil
}

func wrapSegment(covers span, path string, b bleve.Segment) *segment {
	return &segment{span: covers, count: int(b.Count()), path: path, bleve: b, termLists: map[string]*termList{}}
}

// mergeSegments merges neighbouring segments into one file, and opens it.
func mergeSegments(segments []*segment, path string) (*segment, error) {
	unfinished := path + partialSuffix
	if err := os.RemoveAll(unfinished); err != nil {
		return nil, err
	}
	parts := make([]bleve.Segment, len(segments))
	for i, s := range segments {
		parts[i] = s.bleve
	}
	if _, _, err := zapPlugin.Merge(parts, make([]*roaring.Bitmap, len(parts)), unfinished, nil, nil); err != nil {
		return nil, errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Rename(unfinished, path); err != nil {
		return nil, err
	}
	return openSegment(path, span{segments[0].first, segments[len(segments)-1].last})
}

// openSegment opens a file and checks it. The rest of the package relies on
// undamaged segments.
func openSegment(path string, covers span) (_ *segment, err error) {
	defer catchDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	b, err := zapPlugin.Open(path)
	if err != nil {
		return nil, err
	}
	s := wrapSegment(covers, path, b)
	if err := s.checkFile(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return s, nil
}

// errDamagedSegment means that a segment, whole when it was opened, cannot be read
// any more.
var errDamagedSegment = errors.New("damaged segment")

// catchDamage is deferred while a segment is read. Bleve panics on damaged files,
// and reading a mapped file faults if the disk cannot read it.
func catchDamage(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("%w: %v", errDamagedSegment, fault)
	}
}

// delete deletes the file of the segment. Running searches can still use it.
func (s *segment) delete() error {
	err := s.bleve.DecRef()
	if s.path != "" {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// checkFile compares the file with its checksum and with the span in its name.
func (s *segment) checkFile() error {
	file, ok := s.bleve.(interface {
		Data() []byte
		CRC() uint32
	})
	if !ok {
		return errors.New("no checksum")
	}
	data := file.Data()
	if crc32.ChecksumIEEE(data[:len(data)-crc32.Size]) != file.CRC() {
		return errors.New("damaged: the checksum differs")
	}
	if s.count == 0 {
		return errors.New("no documents")
	}
	first, err := s.position(0)
	if err != nil {
		return err
	}
	last, err := s.position(s.count - 1)
	if err != nil {
		return err
	}
	if first < s.first || last != s.last {
		return fmt.Errorf("holds %d to %d", first, last)
	}
	return nil
}

// position returns the position of the entry of a document.
func (s *segment) position(document int) (_ activity.Position, err error) {
	defer catchDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	id, err := s.bleve.DocID(uint64(document))
	if err != nil {
		return 0, err
	}
	if len(id) != 8 {
		return 0, fmt.Errorf("document %d has the id %x", document, id)
	}
	return activity.PositionOfKey(id), nil
}

// documentsWithin returns the range of documents within a span.
func (s *segment) documentsWithin(within span) (first, end int, err error) {
	from := func(bound activity.Position) int {
		return sort.Search(s.count, func(i int) bool {
			position, fault := s.position(i)
			err = errors.Join(err, fault)
			return position >= bound
		})
	}
	if within.isEmpty() || within.last < s.first || within.first > s.last {
		return 0, 0, nil
	}
	if end = s.count; within.last < s.last {
		end = from(within.last + 1)
	}
	if within.first > s.first {
		first = from(within.first)
	}
	return first, end, err
}

// dictionary finds the documents of a term in one field. It must not be shared
// between goroutines.
type dictionary struct {
	bleve.TermDictionary
	postings bleve.PostingsList // buffer, reused for each term
}

func (s *segment) dictionary(field string) (*dictionary, error) {
	d, err := s.bleve.Dictionary(field)
	return &dictionary{TermDictionary: d}, err
}

// addDocuments adds the documents that have a term to a set.
func (d *dictionary) addDocuments(set *roaring.Bitmap, term []byte) error {
	var err error
	if d.postings, err = d.PostingsList(term, nil, d.postings); err != nil {
		return err
	}
	d.postings.(*zap.PostingsList).OrInto(set)
	return nil
}

// termList returns the term list of a field.
func (s *segment) termList(field string) (*termList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.termLists[field]; v != nil {
		return v, nil
	}
	d, err := s.dictionary(field)
	if err != nil {
		return nil, err
	}
	v, err := newTermList(d)
	if err != nil {
		return nil, err
	}
	s.termLists[field] = v
	return v, nil
}
