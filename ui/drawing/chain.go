package drawing

import "slices"

// chain places the boxes of a chain: in columns if that fits, otherwise one
// below the other.
func (l *layouter) chain(p *Placed, width int) (w, h int) {
	if !l.narrow {
		if w, h, fits := l.columns(p, width); fits {
			return w, h
		}
	}
	return l.lanes(p, width)
}

// columns places each box in the column behind that of its source. The first
// target of a box is in the same row, each further one in a row of its own.
func (l *layouter) columns(p *Placed, width int) (w, h int, fits bool) {
	boxes := make([]*Placed, len(p.Box.Inside))
	column, row := make([]int, len(boxes)), make([]int, len(boxes))
	hasTarget := make([]bool, len(boxes))
	rows, columns := 0, 0
	for i, b := range p.Box.Inside {
		boxes[i] = l.measure(b, width)
		line := p.lineTo(i)
		switch {
		case line == nil:
			row[i] = rows
			rows++
		case hasTarget[line.From]:
			column[i], row[i] = column[line.From]+1, rows
			rows++
		default:
			column[i], row[i] = column[line.From]+1, row[line.From]
			hasTarget[line.From] = true
		}
		columns = max(columns, column[i]+1)
	}
	widths, heights := make([]int, columns), make([]int, rows)
	for i, c := range boxes {
		widths[column[i]] = max(widths[column[i]], c.W)
		heights[row[i]] = max(heights[row[i]], c.H, lineRowHeight(p.lineTo(i)))
	}
	above, beside := p.hullRoom()
	x, y := make([]int, columns), make([]int, rows)
	w = beside
	for i := range widths {
		x[i] = w
		w += widths[i] + arrowWidth
	}
	w += beside - arrowWidth
	for i := range heights {
		y[i] = h + above
		h = y[i] + heights[i] + beside + gap
	}
	if w > width {
		return 0, 0, false
	}
	for i, c := range boxes {
		c.stretch(widths[column[i]]) // so that lines bend beside the whole column
		c.X, c.Y = x[column[i]], y[row[i]]
		c.room = c.Rect
	}
	p.Inside = boxes
	p.placeHulls()
	return w, h - gap, true
}

// hullRoom returns the room that hulls need above and beside the boxes.
func (p *Placed) hullRoom() (above, beside int) {
	for _, h := range p.Box.Hulls {
		above, beside = max(above, h.headHeight()), padding
	}
	return above, beside
}

// headHeight returns the height of the texts of a hull.
func (h Hull) headHeight() int { return header + lineHeight*len(h.Frame.Notes) }

// lineRowHeight returns the height of a row through which a line with its
// words runs in the middle.
func lineRowHeight(line *Line) int {
	if line == nil {
		return 0
	}
	return 2 * (lineHeight*max(len(line.Above), len(line.Below)) + padding)
}

// lanes places the boxes one below the other, and leaves lanes for lines at the
// left. The words of a line are above the box to which it leads.
func (l *layouter) lanes(p *Placed, width int) (w, h int) {
	p.inLanes = true
	above, beside := p.hullRoom()
	left := beside
	if n := p.countLanes(); n > 0 {
		left += n*lane + trunk - lane/2
	}
	for i, b := range p.Box.Inside {
		c := l.measure(b, width-left-beside)
		if i > 0 {
			h += gap
		}
		if p.beginsHull(i) {
			h += above
		}
		words := 0
		if line := p.lineTo(i); line != nil {
			words = lineHeight * (len(line.Above) + len(line.Below))
		}
		c.X, c.Y = left, h+words
		c.room = Rect{beside, h, 0, words + c.H}
		h += words + c.H
		if p.endsHull(i) {
			h += beside
		}
		w = max(w, c.right())
		p.Inside = append(p.Inside, c)
	}
	for _, c := range p.Inside {
		c.stretch(w - left)
		c.room.W = w - beside
	}
	p.placeHulls()
	return w + beside, h
}

// beginsHull reports whether a box is the first member of a hull.
func (p *Placed) beginsHull(i int) bool {
	return slices.ContainsFunc(p.Box.Hulls, func(h Hull) bool { return len(h.Members) > 0 && slices.Min(h.Members) == i })
}

// endsHull reports whether a box is the last member of a hull.
func (p *Placed) endsHull(i int) bool {
	return slices.ContainsFunc(p.Box.Hulls, func(h Hull) bool { return len(h.Members) > 0 && slices.Max(h.Members) == i })
}

// countLanes returns the number of lanes that the lines of a chain need: one
// for each source.
func (p *Placed) countLanes() int {
	sources := make(map[int]bool)
	for i := range p.Box.Inside {
		if line := p.lineTo(i); line != nil {
			sources[line.From] = true
		}
	}
	return min(len(sources), maxLanes)
}

// placeHulls places the frames around members of a chain. A frame that would
// surround other boxes as well is left out, because it would say what is not
// true.
func (p *Placed) placeHulls() {
	for _, hull := range p.Box.Hulls {
		if len(hull.Members) == 0 {
			continue
		}
		around := p.Inside[hull.Members[0]].room
		for _, i := range hull.Members[1:] {
			around = union(around, p.Inside[i].room)
		}
		head := hull.headHeight()
		frame := Rect{around.X - padding, around.Y - head, around.W + 2*padding, around.H + head + padding}
		isClear := !slices.ContainsFunc(p.Hulls, func(o *Placed) bool { return frame.Overlaps(o.Rect) })
		for i, c := range p.Inside {
			isClear = isClear && (slices.Contains(hull.Members, i) || !frame.Overlaps(c.room))
		}
		if isClear {
			p.Hulls = append(p.Hulls, &Placed{Box: *hull.Frame, Rect: frame, Head: Rect{W: frame.W, H: head}, OneLine: true, isHull: true})
		}
	}
}

func union(a, b Rect) Rect {
	x, y := min(a.X, b.X), min(a.Y, b.Y)
	return Rect{x, y, max(a.right(), b.right()) - x, max(a.bottom(), b.bottom()) - y}
}
