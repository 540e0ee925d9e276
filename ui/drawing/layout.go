package drawing

import (
	"slices"
	"strconv"
)

// Sizes in units of a drawing. A unit is a sixteenth of the size of the
// browser's text.
const (
	lineHeight  = 17
	padding     = 8   // inside a frame
	leafPadding = 5   // above and below the texts of a box
	gap         = 10  // between boxes
	header      = 28  // of a frame
	leafWidth   = 160 // of a box in a wide layout
	arrowWidth  = 150 // between the columns of a chain: lines with their words
	arrowHeight = 46  // between boxes of a stack that a line joins
	lane        = 14  // width of a lane for lines at the left of a narrow chain
	maxLanes    = 3
	trunk       = 16 // distance from a box to the bend of a line
	headSize    = 7  // of an arrow head
)

// Rect is a place in a drawing.
type Rect struct{ X, Y, W, H int }

func (r Rect) right() int  { return r.X + r.W }
func (r Rect) bottom() int { return r.Y + r.H }

// Overlaps reports whether two rectangles have more than an edge in common.
func (r Rect) Overlaps(o Rect) bool {
	return r.X < o.right() && o.X < r.right() && r.Y < o.bottom() && o.Y < r.bottom()
}

// Contains reports whether o is inside r.
func (r Rect) Contains(o Rect) bool {
	return r.X <= o.X && r.Y <= o.Y && o.right() <= r.right() && o.bottom() <= r.bottom()
}

// Placed is a box with its place.
type Placed struct {
	Box
	Rect
	// Head is the place of the texts of the box: all of it, or the upper end of a
	// frame.
	Head Rect
	// OneLine reports whether the word of its state is beside the name, instead
	// of below it.
	OneLine bool
	Hulls   []*Placed
	Lines   []*PlacedLine
	Inside  []*Placed
	// Incoming is the line that leads to the box; nil if there is none.
	Incoming *PlacedLine

	isHull  bool
	inLanes bool // it is a Chain whose boxes are one below the other
	room    Rect // the box and the words of the line to it, inside a Chain
}

// Shape returns the shape of its state.
func (p *Placed) Shape() string {
	if p.Absent {
		return "absent"
	}
	return p.Health.Shape
}

// IsFrame reports whether it is a frame around boxes.
func (p *Placed) IsFrame() bool { return p.Box.isFrame() || p.isHull }

// PlacedLine is a line with its way.
type PlacedLine struct {
	Line
	From, To *Placed
	FromName string
	Points   []Point
	// AboveAt and BelowAt are the places of the words; empty if there are none.
	AboveAt, BelowAt Rect
}

// Point is a corner or an end of a line.
type Point struct{ X, Y int }

// Layout is a drawing that is placed.
type Layout struct {
	Width, Height int
	Boxes         []*Placed
	Lines         []*PlacedLine
}

// New places the boxes of a drawing, one below the other, in at most the given
// width. lines join boxes that follow each other.
func New(boxes []*Box, lines []Line, width int, narrow bool) *Layout {
	l := layouter{narrow: narrow}
	root := &Placed{Box: Box{Inside: boxes, Lines: lines, Arranged: Stack}}
	for _, b := range boxes {
		root.Inside = append(root.Inside, l.measure(b, width))
	}
	w, h := l.stack(root)
	root.move(0, 0)
	l.route(root)
	return &Layout{Width: w, Height: h, Boxes: root.Inside, Lines: root.Lines}
}

// layouter measures boxes from the inside outwards. While it does, the place of
// a box is relative to the box around it.
type layouter struct {
	narrow bool
}

// measure returns a box with its size, and everything inside it in its place.
func (l *layouter) measure(b *Box, width int) *Placed {
	p := &Placed{Box: *b, OneLine: true}
	if !b.isFrame() {
		p.W, p.OneLine = width, l.narrow
		lines := 1 + len(b.Notes)
		if !l.narrow {
			p.W = min(width, leafWidth)
			lines++
		}
		p.H = 2*leafPadding + lineHeight*lines
		p.Head = Rect{0, 0, p.W, p.H}
		return p
	}
	p.Head = Rect{0, 0, 0, header + lineHeight*len(b.Notes)}
	inner := width - 2*padding
	var w, h int
	switch {
	case b.Arranged == Chain:
		w, h = l.chain(p, inner)
	case b.Arranged == Flow && !l.narrow:
		w, h = l.flow(p, inner)
	default:
		for _, c := range b.Inside {
			p.Inside = append(p.Inside, l.measure(c, inner))
		}
		w, h = l.stack(p)
	}
	for _, c := range p.Inside {
		c.X, c.Y = c.X+padding, c.Y+p.Head.H
	}
	for _, c := range p.Hulls {
		c.X, c.Y = c.X+padding, c.Y+p.Head.H
	}
	p.W, p.H = w+2*padding, h+p.Head.H+padding
	p.Head.W = p.W
	return p
}

// stack places the boxes inside one below the other, all as wide as the widest.
func (l *layouter) stack(p *Placed) (w, h int) {
	for _, c := range p.Inside {
		w = max(w, c.W)
	}
	for i, c := range p.Inside {
		if i > 0 {
			h += gap
			if p.lineTo(i) != nil {
				h += arrowHeight - gap
			}
		}
		c.stretch(w)
		c.X, c.Y = 0, h
		h += c.H
	}
	return w, h
}

// flow places the boxes inside beside each other, in rows.
func (l *layouter) flow(p *Placed, width int) (w, h int) {
	x, rowHeight := 0, 0
	for _, b := range p.Box.Inside {
		c := l.measure(b, width)
		if x > 0 && x+c.W > width {
			x, h, rowHeight = 0, h+rowHeight+gap, 0
		}
		c.X, c.Y = x, h
		x += c.W + gap
		rowHeight = max(rowHeight, c.H)
		w = max(w, c.X+c.W)
		p.Inside = append(p.Inside, c)
	}
	return w, h + rowHeight
}

// stretch makes a box wider.
func (p *Placed) stretch(width int) {
	more := width - p.W
	if more <= 0 {
		return
	}
	p.W, p.Head.W = width, width
	if p.Box.Arranged == Stack {
		for _, c := range p.Inside {
			c.stretch(c.W + more)
		}
	}
}

// move makes the places absolute.
func (p *Placed) move(x, y int) {
	p.X, p.Y = p.X+x, p.Y+y
	p.Head.X, p.Head.Y = p.X, p.Y
	for _, c := range p.Inside {
		c.move(p.X, p.Y)
	}
	for _, c := range p.Hulls {
		c.move(p.X, p.Y)
	}
}

// lineTo returns the line that leads to a box inside; nil if there is none.
func (p *Placed) lineTo(i int) *Line {
	at := slices.IndexFunc(p.Box.Lines, func(l Line) bool { return l.To == i && l.From >= 0 && l.From < i })
	if at < 0 {
		return nil
	}
	return &p.Box.Lines[at]
}

// path returns a way in the language of SVG paths.
func path(points []Point) string {
	text := []byte{}
	for i, p := range points {
		command := byte('L')
		if i == 0 {
			command = 'M'
		}
		text = strconv.AppendInt(append(text, command), int64(p.X), 10)
		text = strconv.AppendInt(append(text, ' '), int64(p.Y), 10)
	}
	return string(text)
}
