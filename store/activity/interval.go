package activity

import (
	"cmp"
	"math"
	"slices"
)

// Interval is a range of numbers that includes both ends. Numbers are 64-bit
// floats. A range that excludes an end is expressed with the next float inside
// the range.
type Interval struct{ Min, Max float64 }

// intervals is a set of numbers as disjoint intervals in ascending order.
type intervals []Interval

func (set intervals) contains(n float64) bool {
	for _, in := range set {
		if in.Min <= n && n <= in.Max {
			return true
		}
	}
	return false
}

// union returns the numbers that are in one of the sets.
func (set intervals) union(other intervals) intervals {
	all := slices.SortedFunc(slices.Values(slices.Concat(set, other)), func(a, b Interval) int {
		return cmp.Compare(a.Min, b.Min)
	})
	var merged intervals
	for _, in := range all {
		if last := len(merged) - 1; last >= 0 && in.Min <= merged[last].Max {
			merged[last].Max = max(merged[last].Max, in.Max)
			continue
		}
		merged = append(merged, in)
	}
	return merged
}

// intersect returns the numbers that are in both sets.
func (set intervals) intersect(other intervals) intervals {
	var common intervals
	for _, a := range set {
		for _, b := range other {
			if in := (Interval{max(a.Min, b.Min), min(a.Max, b.Max)}); in.Min <= in.Max {
				common = append(common, in)
			}
		}
	}
	return common
}

// numbersMatching returns the set of numbers x for which "x operator n" is
// true.
func numbersMatching(operator string, n float64) intervals {
	var set intervals
	switch operator {
	case "==":
		set = intervals{{n, n}}
	case ">=":
		set = intervals{{n, math.Inf(1)}}
	case "<=":
		set = intervals{{math.Inf(-1), n}}
	case ">":
		if !math.IsInf(n, 1) {
			set = intervals{{math.Nextafter(n, math.Inf(1)), math.Inf(1)}}
		}
	case "<":
		if !math.IsInf(n, -1) {
			set = intervals{{math.Inf(-1), math.Nextafter(n, math.Inf(-1))}}
		}
	case "!=":
		set = slices.Concat(numbersMatching("<", n), numbersMatching(">", n))
	}
	return set
}
