package activity

import (
	"fmt"
	"strconv"
	"time"
)

// Retention is how long entries are kept, as a number of units.
type Retention struct {
	Value int  `json:"value"` // 1 to MaxRetention
	Unit  Unit `json:"unit"`
}

// Unit is a unit of time with a fixed length: a month has 30 days, and a year
// 365.
type Unit string

// The units.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
	Year  Unit = "year"
)

// Units lists all units, the shortest first.
var Units = []Unit{Day, Week, Month, Year}

var unitDays = map[Unit]int{Day: 1, Week: 7, Month: 30, Year: 365}

// MaxRetention is the largest value of a retention, in any unit.
const MaxRetention = 1_000_000

// DefaultRetention is the retention until a user changes it.
var DefaultRetention = Retention{1, Month}

// Faults returns the faults of the value and of the unit, for the user who has
// chosen them; "" for no fault.
func (r Retention) Faults() (value, unit string) {
	switch {
	case r.Value < 1:
		value = fmt.Sprintf("%d is smaller than inclusive minimum 1", r.Value)
	case r.Value > MaxRetention:
		value = fmt.Sprintf("%d is larger than inclusive maximum %d", r.Value, MaxRetention)
	}
	if unitDays[r.Unit] == 0 {
		unit = "Invalid value for enum"
	}
	return value, unit
}

// String returns the retention as text, such as "1 month" or "3 months".
func (r Retention) String() string {
	words := strconv.Itoa(r.Value) + " " + string(r.Unit)
	if r.Value != 1 {
		words += "s"
	}
	return words
}

// maxRetentionDays is longer than the log can be: positions are from 1970 to
// 2112.
const maxRetentionDays = 55_000

// Cutoff returns the time before which entries are too old at t.
func (r Retention) Cutoff(t time.Time) time.Time {
	return t.UTC().AddDate(0, 0, -min(r.Value*unitDays[r.Unit], maxRetentionDays))
}
