// Package drawing places the boxes of a drawing and the lines between them. It
// knows nothing of SAP systems and of HTML: it takes boxes that contain boxes,
// and returns where each of them is.
//
// A page draws the result as inline SVG: frames, lines, arrow heads and symbols
// are shapes. The texts are HTML inside the SVG (foreignObject), because only
// HTML cuts off a name of 200 characters, isolates a name that is written from
// right to left, and shows what a browser has no glyph for without running
// into its neighbour. So a box has a size that does not depend on its text, and
// the server can place everything without measuring fonts. The policy of the
// console forbids style attributes, which rules out boxes that are placed by
// CSS.
//
// Containment says where something is: an instance is inside its host, the
// host inside its site, the site inside its cluster, and a virtual address inside
// the host that holds it now. Lines are left for what crosses: replication
// and dependency. A line therefore always joins two boxes of the same frame.
//
// Two layouts of one drawing are made, for wide and for narrow screens. In the
// wide one, the sites of a chain are beside each other, and its lines go from
// left to right. In the narrow one everything is one below the other, and the
// lines of a chain run in lanes at the left. A chain that does not fit becomes
// narrow as well.
package drawing

// Arrangement is the way in which the boxes inside a frame are placed.
type Arrangement int

// The arrangements. Flow places boxes beside each other, in as many rows as they
// need. Stack places them one below the other. Chain places each box to the
// right of the box from which its line comes.
const (
	Flow Arrangement = iota
	Stack
	Chain
)

// Box is a thing in a drawing. If there are boxes inside, it is a frame around
// them.
type Box struct {
	Kind   string // in words, such as "Host"
	Icon   string // name of the symbol of its kind; "" for none
	Name   string
	URL    string // address of its page; "" if it has none
	Health Mark
	Notes  []string // more about it, a line each
	Stale  string   // since when nothing was reported, in words; "" if it is up to date
	More   string   // a sentence that is shown while somebody points at the box or has its focus
	Absent bool

	Inside   []*Box
	Arranged Arrangement
	// Lines join the boxes inside. In a Chain, a box has at most one line to
	// it, and comes after the box from which the line comes.
	Lines []Line
	// Hulls are frames around some of the boxes of a Chain.
	Hulls []Hull
}

// Mark is a state, by shape and word.
type Mark struct {
	Shape string // name of the symbol; "" for none
	Word  string
}

// Line leads from one box to another. From and To are indexes in Inside.
type Line struct {
	From, To int
	Kind     string // in words, such as "Replication"
	Mark     Mark
	// Above and Below are the words at the line: how, and in what state. The
	// mark comes before the words below.
	Above, Below []string
	Dashed       bool // a line of the weaker kind
	Broken       bool
	Reason       string // why it is broken, or not known to work
}

// Hull is a frame around boxes that have no frame of their own. Frame has
// nothing inside. Members are indexes in Inside.
type Hull struct {
	Frame   *Box
	Members []int
}

func (b *Box) isFrame() bool { return len(b.Inside) > 0 }
