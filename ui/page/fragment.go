package page

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"hash/maphash"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// An open page is fetched again whenever something changes, and most of it
// stays the same. So the answer carries the id of a snapshot of the frame, and
// the script sends that id with its next request. The answer then leaves out
// the elements that the browser already has, and the script fills them in. Only
// whole elements with an id are left out: a row, a menu, a panel.

const (
	// FragmentHeader asks for one block of a page instead of the whole page, as
	// in "frame; snapshot=5Zv2cB9qQ1aV".
	FragmentHeader = "X-Fragment"
	// minPieceSize is the smallest size of an element that is left out, in bytes.
	minPieceSize = 200
	// maxPieces limits the pieces that are kept of a frame.
	maxPieces = 1000
	// maxSentFrames limits the snapshots that are kept. Each piece takes 8
	// bytes.
	maxSentFrames = 2048
)

// requestedFragment returns the block that a request asks for, and the id of
// the snapshot that the browser has.
func requestedFragment(r *http.Request) (block, snapshot string) {
	block, rest, _ := strings.Cut(r.Header.Get(FragmentHeader), ";")
	snapshot, _ = strings.CutPrefix(strings.TrimSpace(rest), "snapshot=")
	return block, snapshot
}

// piece is an element of a page that can be left out.
type piece struct {
	tag, ID    string // as in the page
	Start, End int    // offsets in the page
	hash       uint64
}

// sentFrames keeps the frames that were sent to browsers recently, each as the
// hashes of its pieces. A browser whose snapshot is not kept any more gets the
// whole frame.
type sentFrames struct {
	seed maphash.Seed

	mu    sync.Mutex
	byID  map[string]sentFrame
	order []string // ids, as a ring buffer
	next  int      // index in order of the oldest id
}

type sentFrame struct {
	user   int64
	pieces map[uint64]struct{}
}

// NewSentFrames returns an empty collection.
func NewSentFrames() *sentFrames {
	return &sentFrames{seed: maphash.MakeSeed(), byID: make(map[string]sentFrame)}
}

// newSnapshotID returns a random id.
func newSnapshotID() string {
	id := make([]byte, 9)
	_, _ = rand.Read(id) // never fails
	return base64.RawURLEncoding.EncodeToString(id)
}

// Keep keeps the pieces of a frame that is sent to a user.
func (s *sentFrames) Keep(id string, user int64, pieces []piece) {
	shown := sentFrame{user: user, pieces: make(map[uint64]struct{}, len(pieces))}
	for _, p := range pieces {
		shown.pieces[p.hash] = struct{}{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) < maxSentFrames {
		s.order = append(s.order, id)
	} else {
		delete(s.byID, s.order[s.next])
		s.order[s.next] = id
		s.next = (s.next + 1) % maxSentFrames
	}
	s.byID[id] = shown
}

// knownPieces returns the hashes of the pieces in a snapshot of a user; nil if
// the snapshot is not kept any more.
func (s *sentFrames) knownPieces(id string, user int64) map[uint64]struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if shown, ok := s.byID[id]; ok && shown.user == user {
		return shown.pieces
	}
	return nil
}

// Pieces returns the pieces of the frame in a page, in the order in which they
// begin. It returns none if the tags of the page are not properly nested.
func (s *sentFrames) Pieces(page []byte) []piece {
	type element struct {
		name  []byte
		piece int // index in the list, or -1
	}
	var found []piece
	var open []element
	inFrame := false
	for t := (markupTag{}); t.next(page); {
		switch {
		case t.isEndTag:
			if len(open) == 0 || !bytes.Equal(open[len(open)-1].name, t.name) {
				return nil
			}
			if e := open[len(open)-1]; e.piece >= 0 {
				found[e.piece].End = t.end
			}
			open = open[:len(open)-1]
		case !t.hasNoEnd:
			e := element{t.name, -1}
			if id := t.id(page); len(id) > 0 {
				if inFrame && len(found) < maxPieces {
					e.piece = len(found)
					found = append(found, piece{tag: string(t.name), ID: string(id), Start: t.start})
				}
				inFrame = inFrame || string(id) == "frame"
			}
			open = append(open, e)
		}
	}
	if len(open) > 0 {
		return nil
	}
	found = slices.DeleteFunc(found, func(p piece) bool { return p.End-p.Start < minPieceSize })
	for i := range found {
		found[i].hash = maphash.Bytes(s.seed, page[found[i].Start:found[i].End])
	}
	return found
}

// markupTag is a tag of a page. Reading tags this way is faster than a parser.
// It relies on the output of html/template: attributes have double quotes or
// none, and every other < is escaped.
type markupTag struct {
	name       []byte
	isEndTag   bool // it ends an element
	hasNoEnd   bool // its element has no end tag
	start, end int
}

// next advances to the next tag. It returns false if there is none.
func (t *markupTag) next(page []byte) bool {
	for at := t.end; ; at++ {
		i := bytes.IndexByte(page[at:], '<')
		if i < 0 {
			return false
		}
		at += i
		from := at + 1
		t.isEndTag = from < len(page) && page[from] == '/'
		if t.isEndTag {
			from++
		}
		to := from
		for to < len(page) && (page[to] >= 'a' && page[to] <= 'z' || page[to] >= '0' && page[to] <= '9') {
			to++
		}
		if to == from {
			continue // <!doctype>
		}
		end := to
		for quotes := 0; ; {
			i := bytes.IndexByte(page[end:], '>')
			if i < 0 {
				return false
			}
			quotes += bytes.Count(page[end:end+i], []byte{'"'})
			if end += i + 1; quotes%2 == 0 {
				break
			}
		}
		t.name, t.start, t.end = page[from:to], at, end
		t.hasNoEnd = page[end-2] == '/' || voidElements[string(t.name)]
		return true
	}
}

// id returns the value of the id attribute, as in the page.
func (t *markupTag) id(page []byte) []byte {
	_, rest, _ := bytes.Cut(page[t.start:t.end], []byte(` id="`))
	id, _, _ := bytes.Cut(rest, []byte{'"'})
	return id
}

// voidElements are the elements without an end tag that our pages use.
var voidElements = map[string]bool{"br": true, "col": true, "hr": true, "img": true, "input": true, "link": true, "meta": true, "wbr": true}

// removePieces returns a frame without the pieces that the browser has.
func removePieces(frame []byte, pieces []piece, known map[uint64]struct{}) []byte {
	var out bytes.Buffer
	at := 0
	for _, p := range pieces {
		if _, ok := known[p.hash]; !ok || p.Start < at {
			continue // it must be sent, or is inside a piece that is left out
		}
		out.Write(frame[at:p.Start])
		out.WriteString("<" + p.tag + ` id="` + p.ID + `" data-unchanged></` + p.tag + ">")
		at = p.End
	}
	out.Write(frame[at:])
	return out.Bytes()
}
