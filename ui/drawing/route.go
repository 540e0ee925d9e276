package drawing

// route finds the way of every line inside a box.
func (l *layouter) route(p *Placed) {
	lanes := laneAssignment{}
	for i, to := range p.Inside {
		if line := p.lineTo(i); line != nil {
			from := p.Inside[line.From]
			placed := &PlacedLine{Line: *line, From: from, To: to, FromName: from.Name}
			switch {
			case p.Box.Arranged == Stack:
				placed.routeDown()
			case p.inLanes:
				placed.routeThroughLane(p, lanes.laneOf(line.From))
			default:
				placed.routeAcross()
			}
			p.Lines, to.Incoming = append(p.Lines, placed), placed
		}
		l.route(to)
	}
}

// routeDown leads from the lower edge of a box to the upper edge of the box below.
func (l *PlacedLine) routeDown() {
	x := l.To.X + 3*padding
	l.Points = []Point{{x, l.From.bottom()}, {x, l.To.Y}}
	l.BelowAt = Rect{x + padding, l.From.bottom() + gap/2, l.To.right() - x - padding, arrowHeight - gap}
}

// routeAcross leads from the right edge of a box to the left edge of a box in the
// next column.
func (l *PlacedLine) routeAcross() {
	y := l.To.Y + min(l.To.H, max(l.From.H, lineRowHeight(&l.Line)))/2
	start := l.From.Y + min(l.From.H, max(l.To.H, lineRowHeight(&l.Line)))/2
	if l.From.Y == l.To.Y {
		y = l.From.Y + min(l.From.H, l.To.H)/2
		start = y
	}
	bend := l.From.right() + trunk
	l.Points = []Point{{l.From.right(), start}}
	if start != y {
		l.Points = append(l.Points, Point{bend, start}, Point{bend, y})
	}
	l.Points = append(l.Points, Point{l.To.X, y})
	above, below := lineHeight*len(l.Above), lineHeight*len(l.Below)
	words := Rect{X: bend + padding/2, W: l.To.X - bend - padding/2 - headSize}
	l.AboveAt = Rect{words.X, y - above - 2, words.W, above}
	l.BelowAt = Rect{words.X, y + 4, words.W, below}
}

// routeThroughLane leads from the left edge of a box down a lane to the left edge of
// a box further below.
func (l *PlacedLine) routeThroughLane(p *Placed, n int) {
	x := l.To.X - trunk - n*lane + lane/2
	start, end := l.From.bottom()-header/2, l.To.Y+header/2
	l.Points = []Point{{l.From.X, start}, {x, start}, {x, end}, {l.To.X, end}}
	above, below := lineHeight*len(l.Above), lineHeight*len(l.Below)
	l.AboveAt = Rect{l.To.X, l.To.Y - above - below, l.To.W, above}
	l.BelowAt = Rect{l.To.X, l.To.Y - below, l.To.W, below}
}

// laneAssignment gives each source in a chain a lane of its own, as far as
// there are lanes.
type laneAssignment map[int]int

func (a laneAssignment) laneOf(source int) int {
	n, known := a[source]
	if !known {
		n = len(a) % maxLanes
		a[source] = n
	}
	return n
}

// Shaft returns the way of the line in the language of SVG paths.
func (l *PlacedLine) Shaft() string { return path(l.Points) }

// Head returns the arrow head at the end of the line.
func (l *PlacedLine) Head() string {
	if len(l.Points) < 2 {
		return ""
	}
	before, end := l.Points[len(l.Points)-2], l.Points[len(l.Points)-1]
	if before.Y == end.Y {
		return path([]Point{{end.X - headSize, end.Y - headSize/2}, end, {end.X - headSize, end.Y + headSize/2}})
	}
	return path([]Point{{end.X - headSize/2, end.Y - headSize}, end, {end.X + headSize/2, end.Y - headSize}})
}

// Break returns two strokes through the middle of the longest part of the line:
// the sign that it is broken.
func (l *PlacedLine) Break() string {
	const r = 5
	var at Point
	longest := 0
	for i := 1; i < len(l.Points); i++ {
		a, b := l.Points[i-1], l.Points[i]
		if length := max(a.X-b.X, b.X-a.X) + max(a.Y-b.Y, b.Y-a.Y); length > longest {
			longest, at = length, Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2}
		}
	}
	return path([]Point{{at.X - r, at.Y - r}, {at.X + r, at.Y + r}}) + path([]Point{{at.X - r, at.Y + r}, {at.X + r, at.Y - r}})
}
