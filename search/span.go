package search

import (
	"math"

	"trento/store/activity"
)

// lastPosition is the largest possible position. No log gets that far.
const lastPosition = activity.Position(math.MaxUint64)

// span is a part of the log: the positions from first to last, both included.
// It is empty if last is smaller than first.
type span struct{ first, last activity.Position }

func (s span) isEmpty() bool { return s.first > s.last }

func (s span) contains(p activity.Position) bool { return s.first <= p && p <= s.last }

func (s span) intersect(other span) span {
	return span{max(s.first, other.first), min(s.last, other.last)}
}

// partAfter returns the part of the span that follows p in the direction of a walk.
func (s span) partAfter(p activity.Position, forward bool) span {
	switch {
	case forward && p == lastPosition, !forward && p == 0:
		return span{1, 0}
	case forward:
		return span{max(s.first, p+1), s.last}
	default:
		return span{s.first, min(s.last, p-1)}
	}
}
