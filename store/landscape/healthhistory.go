package landscape

import "time"

// HealthPoint is the health state that a thing has from a time on.
type HealthPoint struct {
	At time.Time
	HealthState
}

// ShownState is a health state as a history shows it: a health, or why there is
// none.
type ShownState string

// The shown states, apart from the health values.
const (
	StateSilent ShownState = "silent" // the thing, or something in it, does not report
	StateAbsent ShownState = "absent" // the thing is not part of the landscape
)

// Shown returns the state as a history shows it.
func (s HealthState) Shown() ShownState {
	switch {
	case !s.Registered:
		return StateAbsent
	case s.Stale:
		return StateSilent
	}
	return ShownState(EvaluatedHealth(string(s.Health)))
}

// stateUrgency orders shown states: a part of a strip shows the most urgent
// state in it.
var stateUrgency = map[ShownState]int{
	StateAbsent: 0, ShownState(HealthPassing): 1, ShownState(HealthUnknown): 2, ShownState(HealthWarning): 3, StateSilent: 4, ShownState(HealthCritical): 5,
}

// available reports whether a thing in the state is available, and whether the
// state counts for its availability.
func (s ShownState) available() (available, counts bool) {
	switch s {
	case ShownState(HealthPassing), ShownState(HealthWarning):
		return true, true
	case ShownState(HealthCritical), StateSilent:
		return false, true
	}
	return false, false
}

// HealthInterval is a time in which a thing had one shown state.
type HealthInterval struct {
	From, To time.Time
	State    ShownState
}

// Duration returns the length of the interval.
func (i HealthInterval) Duration() time.Duration { return i.To.Sub(i.From) }

// HealthIntervals returns the intervals of a period, without gaps. Points are in
// the order in which they happened; the first may be before the period. Before
// the first point, the thing was not part of the landscape. A point whose time
// is before that of an earlier one, because the clock went back, counts from the
// time of the earlier one. Intervals without a length are left out. If the
// period is empty, there are none.
func HealthIntervals(points []HealthPoint, from, to time.Time) []HealthInterval {
	var all []HealthInterval
	add := func(state ShownState, end time.Time) {
		begin := from
		if n := len(all); n > 0 {
			begin = all[n-1].To
		}
		switch n := len(all); {
		case !end.After(begin):
		case n > 0 && all[n-1].State == state:
			all[n-1].To = end
		default:
			all = append(all, HealthInterval{begin, end, state})
		}
	}
	state, reached := StateAbsent, from
	for _, p := range points {
		if p.At.After(reached) {
			reached = p.At
		}
		if reached.After(to) {
			break
		}
		add(state, reached)
		state = p.Shown()
	}
	add(state, to)
	return all
}

// Availability says how long a thing was available in a period. It was available
// while its health was passing or warning and it reported. It was not available
// while its health was critical, or it, or something in it, did not report. The
// rest of the time does not count: its health was unknown, or it was not part
// of the landscape.
type Availability struct {
	Available, Unavailable, Uncounted time.Duration
	Interruptions                     int           // how often it was not available
	Longest                           time.Duration // of the interruptions
}

// AvailabilityOf returns the availability in some intervals. Intervals in which
// the thing was not available and that follow one another are one interruption.
func AvailabilityOf(intervals []HealthInterval) Availability {
	var a Availability
	var interruption time.Duration
	for _, i := range intervals {
		available, counts := i.State.available()
		switch {
		case !counts:
			a.Uncounted += i.Duration()
		case available:
			a.Available += i.Duration()
		default:
			a.Unavailable += i.Duration()
		}
		if available || !counts {
			interruption = 0
			continue
		}
		if interruption == 0 {
			a.Interruptions++
		}
		interruption += i.Duration()
		a.Longest = max(a.Longest, interruption)
	}
	return a
}

// Percent returns the share of the counted time in which the thing was
// available, in hundredths of a percent, rounded down: it is 10000 only without
// an interruption. ok is false if no time counts.
func (a Availability) Percent() (hundredths int, ok bool) {
	counted := a.Available + a.Unavailable
	if counted == 0 {
		return 0, false
	}
	return int(float64(a.Available) / float64(counted) * 10000), true
}

// HealthStrip returns the intervals of a period as at most n parts, whose
// borders are at multiples of an nth of the period. Each part has the most
// urgent state in it, so that a short interruption is not lost.
func HealthStrip(intervals []HealthInterval, n int) []HealthInterval {
	if len(intervals) == 0 {
		return nil
	}
	from, to := intervals[0].From, intervals[len(intervals)-1].To
	border := func(cell int) time.Time {
		return from.Add(time.Duration(float64(to.Sub(from)) * float64(cell) / float64(n)))
	}
	var parts []HealthInterval
	next := 0 // the first interval that does not end before the cell
	for cell := range n {
		begin, end := border(cell), border(cell+1)
		for next < len(intervals)-1 && !intervals[next].To.After(begin) {
			next++
		}
		state := intervals[next].State
		for _, i := range intervals[next:] {
			if !i.From.Before(end) {
				break
			}
			if stateUrgency[i.State] > stateUrgency[state] {
				state = i.State
			}
		}
		if k := len(parts); k > 0 && parts[k-1].State == state {
			parts[k-1].To = end
			continue
		}
		parts = append(parts, HealthInterval{begin, end, state})
	}
	return parts
}

// IntervalsAfter returns the part of some intervals that is not before a time.
func IntervalsAfter(intervals []HealthInterval, from time.Time) []HealthInterval {
	for k, i := range intervals {
		if i.To.After(from) {
			rest := append([]HealthInterval(nil), intervals[k:]...)
			if rest[0].From.Before(from) {
				rest[0].From = from
			}
			return rest
		}
	}
	return nil
}
