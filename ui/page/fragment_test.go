package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestSnapshotsAreBounded(t *testing.T) {
	s := NewSentFrames()
	for i := range 2*maxSentFrames + 3 {
		s.Keep(fmt.Sprint(i), 1, []piece{{hash: uint64(i)}})
	}
	if len(s.byID) != maxSentFrames || len(s.order) != maxSentFrames {
		t.Errorf("%d snapshots, %d in order", len(s.byID), len(s.order))
	}
	if s.knownPieces("0", 1) != nil || s.knownPieces(fmt.Sprint(maxSentFrames+2), 1) != nil {
		t.Error("what is old is remembered")
	}
	for _, i := range []int{maxSentFrames + 3, 2*maxSentFrames + 2} {
		if known := slices.Collect(maps.Keys(s.knownPieces(fmt.Sprint(i), 1))); !slices.Equal(known, []uint64{uint64(i)}) {
			t.Errorf("%d is %v", i, known)
		}
	}
}

func TestPieces(t *testing.T) {
	long := strings.Repeat("x", minPieceSize)
	for _, tt := range []struct{ page, want string }{
		{`<p id="before">` + long + `</p><div id="frame"><p id="a">` + long + `</p></div>`, "a"},
		{`<div id="frame"><p id="a">short</p><ul id="b"><li id="c">` + long + `<br><svg><use href="#i"/></svg></li></ul></div>`, "b c"},
		{`<!doctype html><div id="frame"><textarea id="t">a < b &lt;p id="no"&gt;` + long + `</textarea></div>`, "t"},
		{`<div id="frame"><p title="a > b" id="a" class="<p id=x>">` + long + `</p><h2 id="h">` + long + `</h2></div>`, "a h"},
		{`<div id="frame"><p id="a">` + long + `</div></p>`, ""},
		{`<div id="frame"><p id="a">` + long + `</p>`, ""},
		{`</div>`, ""}, {``, ""},
	} {
		var ids []string
		for _, p := range NewSentFrames().Pieces([]byte(tt.page)) {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%.60s: %q, want %q", tt.page, got, tt.want)
		}
	}
}
