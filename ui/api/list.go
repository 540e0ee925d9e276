package api

import (
	"bufio"
	"net/http"
	"sync/atomic"

	"trento/store"
)

// row describes one object of a list.
type row[K comparable] struct {
	key   K          // the records from which the object is built
	build func() any // builds the object
	// uncached is the JSON of a further member, which does not depend on the
	// records, with a comma before it.
	uncached string
}

// listCache keeps the JSON of the objects in the list that was sent last.
// Records are never modified, so as long as the store returns the same records,
// the object is the same. Most of a landscape does not change from one request
// to the next. BenchmarkLists shows that the cache makes a list 4 to 15 times
// faster, with a tenth of the allocations.
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
			if object, err = marshal(r.build()); err != nil {
				return err
			}
		}
		objects[i], now[r.key] = object, object
		size += len(object) + len(r.uncached)
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
		_, _ = body.WriteString(rows[i].uncached)
		_ = body.WriteByte('}')
	}
	_ = body.WriteByte(']')
	_ = body.Flush()
	return nil
}

// firstTag returns a pointer that identifies a list of tags. It is nil for an
// empty list.
func firstTag(tags []store.Tag) *store.Tag {
	if len(tags) == 0 {
		return nil
	}
	return &tags[0]
}
