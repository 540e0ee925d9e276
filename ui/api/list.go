package api

import (
	"bufio"
	"net/http"
	"sync/atomic"

	"trento/store"
)

// row is an object of a list.
type row[K comparable] struct {
	key   K          // the records from which the object is built
	shape func() any // builds the object
	// more is a further member, which does not depend on the records. It begins
	// with a comma.
	more string
}

// listCache keeps the JSON of the objects in a list as they were sent last.
// Records are never modified, so while the store returns the same records, the
// object is the same. Most of a landscape does not change from one list to the
// next. By BenchmarkLists a list is sent 4 to 15 times faster than without the
// cache, with a tenth of the allocations.
type listCache[K comparable] struct {
	last atomic.Pointer[map[K][]byte]
}

// send answers with a list. It forgets objects that are no longer in the list.
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
