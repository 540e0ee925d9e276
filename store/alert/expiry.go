package alert

import "time"

const day = 24 * time.Hour

// expiryDays are the days before a deadline at which people are told.
var expiryDays = []int{30, 14, 7, 3, 2, 1}

// Expiry is a key or certificate with a deadline.
type Expiry struct {
	Kind     Kind
	Thing    Thing
	Deadline time.Time // zero: it never expires
}

// StepOf returns how near a deadline is: 0 if nobody has to be told, and a
// number that grows by one each time that people have to be told again: 30, 14,
// 7, 3, 2 and 1 days before the deadline, at the deadline, and every week after
// it.
func StepOf(deadline, now time.Time) (step int) {
	left := deadline.Sub(now)
	if left <= 0 {
		return len(expiryDays) + 1 + int(-left/(7*day))
	}
	for _, days := range expiryDays {
		if left <= time.Duration(days)*day {
			step++
		}
	}
	return step
}

// CheckExpiry says what a deadline means for an alert now. before is the alert
// about the same key or certificate; nil if there is none. ok is false if it
// means nothing.
func CheckExpiry(before *Alert, e Expiry, now time.Time) (s Signal, ok bool) {
	s = Signal{Effect: Starts, Kind: e.Kind, Thing: e.Thing, Deadline: e.Deadline}
	if !e.Deadline.IsZero() {
		s.Step = StepOf(e.Deadline, now)
	}
	lasts := before != nil && !before.Over()
	switch {
	case s.Step == 0:
		s.Effect = Ends
		return s, lasts
	case lasts && before.Deadline.Equal(e.Deadline):
		return s, s.Step > before.Step
	}
	return s, true
}
