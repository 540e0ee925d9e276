package api

import (
	"bufio"
	"net/http"
	"sync/atomic"

	"trento/store"
)

// row is an object of a list.
type row[K comparable] struct {
	key   K          // the records the object is made of
	shape func() any // makes it
	// more is a member that does not follow from the records, with a comma in
	// front of it.
	more string
}

// listCache keeps the JSON of the objects of a list as they were sent last.
// Records are never modified: as long as the store hands out the same ones, the
// object is the same, and most of a landscape does not change from one list to
// the next. By BenchmarkLists a list is sent 4 to 15 times faster than without,
// with a tenth of the allocations.
type listCache[K comparable] struct {
	last atomic.Pointer[map[K][]byte]
}

// send answers with a list. What is not in it any more is forgotten.
func (c *listCache[K]) send(w http.ResponseWriter, rows []row[K]) error {
	var known map[K][]byte
	if last := c.last.Load(); last != nil {
		known = *last
	}
	now := make(map[K][]byte, len(rows))
	objects := make([][]byte, len(rows))
	size := len("[]") + max(len(rows)-1, 0)
	for i, r := range rows {
		object, ok := known[r.key]
		if !ok {
			var err error
			if object, err = marshal(r.shape()); err != nil {
				return err
			}
		}
		objects[i], now[r.key] = object, object
		size += len(object) + len(r.more)
	}
	c.last.Store(&now)

	w.Header().Set("Cache-Control", "no-store")
	writeHeader(w, http.StatusOK, size)
	body := bufio.NewWriterSize(w, 64<<10)
	_ = body.WriteByte('[')
	for i, object := range objects {
		if i > 0 {
			_ = body.WriteByte(',')
		}
		_, _ = body.Write(object[:len(object)-1])
		_, _ = body.WriteString(rows[i].more)
		_ = body.WriteByte('}')
	}
	_ = body.WriteByte(']')
	_ = body.Flush()
	return nil
}

// firstTag returns a pointer that identifies a list of tags in the key of an
// object.
func firstTag(tags []store.Tag) *store.Tag {
	if len(tags) == 0 {
		return nil
	}
	return &tags[0]
}
