package drawing

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawBox draws a box with at most so many levels of boxes inside.
func drawBox(t *rapid.T, levels int) *Box {
	b := &Box{Name: rapid.StringN(0, 20, 40).Draw(t, "name"), Notes: make([]string, rapid.IntRange(0, 3).Draw(t, "notes"))}
	if levels == 0 {
		return b
	}
	b.Arranged = rapid.SampledFrom([]Arrangement{Flow, Stack, Chain}).Draw(t, "arranged")
	for n := range rapid.IntRange(0, 7).Draw(t, "inside") {
		b.Inside = append(b.Inside, drawBox(t, levels-1))
		if b.Arranged == Chain && n > 0 && rapid.IntRange(0, 3).Draw(t, "joined") > 0 {
			b.Lines = append(b.Lines, drawLine(t, rapid.IntRange(0, n-1).Draw(t, "from"), n))
		}
		if b.Arranged == Stack && n > 0 && rapid.Bool().Draw(t, "joined") {
			b.Lines = append(b.Lines, drawLine(t, n-1, n))
		}
	}
	if b.Arranged == Chain && len(b.Inside) > 1 && rapid.Bool().Draw(t, "hull") {
		members := rapid.SliceOfNDistinct(rapid.IntRange(0, len(b.Inside)-1), 1, 3, rapid.ID).Draw(t, "members")
		b.Hulls = append(b.Hulls, Hull{Frame: &Box{Name: "hull", Notes: make([]string, rapid.IntRange(0, 2).Draw(t, "hull notes"))}, Members: members})
	}
	return b
}

func drawLine(t *rapid.T, from, to int) Line {
	words := func(label string) []string { return make([]string, rapid.IntRange(0, 3).Draw(t, label)) }
	return Line{From: from, To: to, Above: words("above"), Below: words("below")}
}

// Whatever is drawn: boxes are inside the box around them and do not overlap,
// lines begin and end at the edges of their boxes and cross no other box, and
// a hull surrounds its members and nothing else.
func TestLayoutOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var boxes []*Box
		var lines []Line
		for n := range rapid.IntRange(0, 4).Draw(t, "boxes") {
			boxes = append(boxes, drawBox(t, 3))
			if n > 0 && rapid.Bool().Draw(t, "joined") {
				lines = append(lines, drawLine(t, n-1, n))
			}
		}
		for _, l := range []*Layout{New(boxes, lines, 1100, false), New(boxes, lines, 340, true)} {
			checkInside(t, Rect{W: l.Width, H: l.Height}, l.Boxes, l.Lines, nil)
		}
	})
}

func checkInside(t *rapid.T, around Rect, boxes []*Placed, lines []*PlacedLine, hulls []*Placed) {
	for i, b := range boxes {
		if !around.Contains(b.Rect) || !b.Rect.Contains(b.Head) || b.W <= 0 || b.H <= 0 {
			t.Fatalf("box %v with head %v is not inside %v", b.Rect, b.Head, around)
		}
		for _, o := range boxes[:i] {
			if b.Overlaps(o.Rect) {
				t.Fatalf("boxes %v and %v overlap", b.Rect, o.Rect)
			}
		}
		for _, c := range b.Inside {
			if c.Overlaps(b.Head) {
				t.Fatalf("box %v is over the texts of its frame %v", c.Rect, b.Head)
			}
		}
		checkInside(t, b.Rect, b.Inside, b.Lines, b.Hulls)
	}
	for _, l := range lines {
		checkLine(t, l, boxes)
	}
	for _, h := range hulls {
		if !around.Contains(h.Rect) {
			t.Fatalf("hull %v is not inside %v", h.Rect, around)
		}
		for _, b := range boxes {
			if h.Overlaps(b.Rect) && !h.Contains(b.Rect) || b.Overlaps(h.Head) {
				t.Fatalf("hull %v with head %v cuts box %v", h.Rect, h.Head, b.Rect)
			}
		}
	}
}

func checkLine(t *rapid.T, l *PlacedLine, boxes []*Placed) {
	if !onEdge(l.From.Rect, l.Points[0]) || !onEdge(l.To.Rect, l.Points[len(l.Points)-1]) {
		t.Fatalf("line %v does not join %v and %v", l.Points, l.From.Rect, l.To.Rect)
	}
	for i := 1; i < len(l.Points); i++ {
		a, b := l.Points[i-1], l.Points[i]
		if a.X != b.X && a.Y != b.Y {
			t.Fatalf("line %v is slanted", l.Points)
		}
		way := Rect{min(a.X, b.X), min(a.Y, b.Y), max(a.X-b.X, b.X-a.X), max(a.Y-b.Y, b.Y-a.Y)}
		for _, box := range boxes {
			if crosses(box.Rect, way) {
				t.Fatalf("line %v crosses box %v", l.Points, box.Rect)
			}
		}
	}
}

// crosses reports whether a part of a line is inside a box.
func crosses(box, way Rect) bool {
	return box.X < way.right() && way.X < box.right() && box.Y < way.Y && way.Y < box.bottom() ||
		box.Y < way.bottom() && way.Y < box.bottom() && box.X < way.X && way.X < box.right()
}

func onEdge(r Rect, p Point) bool {
	return r.X <= p.X && p.X <= r.right() && r.Y <= p.Y && p.Y <= r.bottom() &&
		(p.X == r.X || p.X == r.right() || p.Y == r.Y || p.Y == r.bottom())
}

// What a drawing of sites looks like: columns behind each other where they fit,
// lanes where they do not.
func TestChains(t *testing.T) {
	site := func(inside ...*Box) *Box {
		return &Box{Name: "site", Arranged: Stack, Inside: append(inside, &Box{Name: "host"})}
	}
	arrow := func(from, to int) Line {
		return Line{From: from, To: to, Above: []string{"sync"}, Below: []string{"ACTIVE"}}
	}
	for name, tt := range map[string]struct {
		box    *Box
		width  int
		places []string // column and row of each box, by their edges
		hulls  int
	}{
		"one":             {&Box{Inside: []*Box{site()}}, 1100, []string{"0 0"}, 0},
		"two":             {&Box{Inside: []*Box{site(), site()}, Lines: []Line{arrow(0, 1)}}, 1100, []string{"0 0", "1 0"}, 0},
		"multi-tier":      {&Box{Inside: []*Box{site(), site(), site()}, Lines: []Line{arrow(0, 1), arrow(1, 2)}}, 1100, []string{"0 0", "1 0", "2 0"}, 0},
		"multi-target":    {&Box{Inside: []*Box{site(), site(), site()}, Lines: []Line{arrow(0, 1), arrow(0, 2)}}, 1100, []string{"0 0", "1 0", "1 1"}, 0},
		"five in a row":   {&Box{Inside: []*Box{site(), site(), site(), site(), site()}, Lines: []Line{arrow(0, 1), arrow(1, 2), arrow(2, 3), arrow(3, 4)}}, 1100, []string{"0 0", "0 1", "0 2", "0 3", "0 4"}, 0},
		"two on a phone":  {&Box{Inside: []*Box{site(), site()}, Lines: []Line{arrow(0, 1)}}, 340, []string{"0 0", "0 1"}, 0},
		"two primaries":   {&Box{Inside: []*Box{site(), site()}}, 1100, []string{"0 0", "0 1"}, 0},
		"a cluster":       {&Box{Inside: []*Box{site(), site(), site()}, Lines: []Line{arrow(0, 1), arrow(1, 2)}, Hulls: []Hull{{&Box{Name: "c"}, []int{0, 1}}}}, 1100, []string{"0 0", "1 0", "2 0"}, 1},
		"a torn cluster":  {&Box{Inside: []*Box{site(), site(), site()}, Lines: []Line{arrow(0, 1), arrow(1, 2)}, Hulls: []Hull{{&Box{Name: "c"}, []int{0, 2}}}}, 1100, []string{"0 0", "1 0", "2 0"}, 0},
		"nobody's circle": {&Box{Inside: []*Box{site(), site()}, Lines: []Line{arrow(1, 0), arrow(0, 0)}}, 1100, []string{"0 0", "0 1"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tt.box.Arranged = Chain
			p := New([]*Box{tt.box}, nil, tt.width, tt.width < 500).Boxes[0]
			var xs, ys []int
			for _, b := range p.Inside {
				xs, ys = append(xs, b.X), append(ys, b.Y)
			}
			rank := func(all []int, at int) int {
				return slices.Index(slices.Compact(slices.Sorted(slices.Values(all))), at)
			}
			var got []string
			for _, b := range p.Inside {
				got = append(got, fmt.Sprint(rank(xs, b.X), " ", rank(ys, b.Y)))
			}
			if diff := cmp.Diff(tt.places, got); diff != "" {
				t.Errorf("places (-want +got):\n%s", diff)
			}
			if len(p.Hulls) != tt.hulls {
				t.Errorf("%d hulls, want %d", len(p.Hulls), tt.hulls)
			}
		})
	}
}

func TestArrows(t *testing.T) {
	l := New([]*Box{{Name: "a"}, {Name: "b"}}, []Line{{From: 0, To: 1}}, 300, false).Lines[0]
	if got, want := l.Shaft()+" "+l.Head()+" "+l.Break(), "M24 44L24 90 M21 83L24 90L27 83 M19 62L29 72M19 72L29 62"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
