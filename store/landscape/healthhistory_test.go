package landscape_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

var midnight = time.Date(2026, 8, 20, 0, 0, 0, 0, time.UTC)

// pointsOf reads points such as "3 critical stale": the state from three o'clock
// on.
func pointsOf(t *testing.T, lines ...string) (points []landscape.HealthPoint) {
	t.Helper()
	for _, line := range lines {
		words := strings.Fields(line)
		p := landscape.HealthPoint{HealthState: landscape.HealthState{Health: landscape.Health(words[1]), Registered: true}}
		var hour float64
		if _, err := fmt.Sscan(words[0], &hour); err != nil {
			t.Fatal(err)
		}
		p.At = midnight.Add(time.Duration(hour * float64(time.Hour)))
		for _, word := range words[2:] {
			p.Stale, p.Registered = p.Stale || word == "stale", p.Registered && word != "gone"
		}
		points = append(points, p)
	}
	return points
}

func shortIntervals(all []landscape.HealthInterval) (lines []string) {
	for _, i := range all {
		lines = append(lines, fmt.Sprintf("%.4g-%.4g %s", i.From.Sub(midnight).Hours(), i.To.Sub(midnight).Hours(), i.State))
	}
	return lines
}

// TestHealthIntervals checks the history of ten hours.
func TestHealthIntervals(t *testing.T) {
	tests := []struct {
		name          string
		points        []string
		want          []string
		percent       string
		interruptions int
		longest       float64 // hours
	}{
		{"nothing is known", nil, []string{"0-10 absent"}, "", 0, 0},
		{"it was so before", []string{"-5 passing"}, []string{"0-10 passing"}, "10000", 0, 0},
		{"registered in the middle", []string{"4 passing"}, []string{"0-4 absent", "4-10 passing"}, "10000", 0, 0},
		{"a warning is available", []string{"-1 passing", "5 warning"}, []string{"0-5 passing", "5-10 warning"}, "10000", 0, 0},
		{"critical is not", []string{"-1 passing", "5 critical", "7 passing"}, []string{"0-5 passing", "5-7 critical", "7-10 passing"}, "8000", 1, 2},
		{"silent is not", []string{"-1 passing", "5 passing stale", "5.5 passing"}, []string{"0-5 passing", "5-5.5 silent", "5.5-10 passing"}, "9500", 1, 0.5},
		{"critical and then silent are one interruption", []string{"-1 passing", "5 critical", "6 critical stale", "8 passing"}, []string{"0-5 passing", "5-6 critical", "6-8 silent", "8-10 passing"}, "7000", 1, 3},
		{"two interruptions", []string{"-1 critical", "1 passing", "5 critical", "8 warning"}, []string{"0-1 critical", "1-5 passing", "5-8 critical", "8-10 warning"}, "6000", 2, 3},
		{"unknown does not count", []string{"-1 unknown", "5 critical", "6 passing"}, []string{"0-5 unknown", "5-6 critical", "6-10 passing"}, "8000", 1, 1},
		{"only unknown", []string{"-1 unknown"}, []string{"0-10 unknown"}, "", 0, 0},
		{"away for a time", []string{"-1 passing", "2 passing gone", "6 passing"}, []string{"0-2 passing", "2-6 absent", "6-10 passing"}, "10000", 0, 0},
		{"away between two interruptions", []string{"-1 critical", "2 critical gone", "6 critical", "8 passing"}, []string{"0-2 critical", "2-6 absent", "6-8 critical", "8-10 passing"}, "3333", 2, 2},
		{"no time between", []string{"-1 passing", "5 critical", "5 passing"}, []string{"0-10 passing"}, "10000", 0, 0},
		{"at the beginning", []string{"0 critical", "5 passing"}, []string{"0-5 critical", "5-10 passing"}, "5000", 1, 5},
		{"at the end and later", []string{"-1 passing", "10 critical", "12 passing"}, []string{"0-10 passing"}, "10000", 0, 0},
		{"the clock went back", []string{"-1 passing", "6 critical", "4 warning", "8 critical", "9 passing"}, []string{"0-6 passing", "6-8 warning", "8-9 critical", "9-10 passing"}, "9000", 1, 1},
		{"never rounded up to all", []string{"-1 passing", "5 critical", "5.0001 passing"}, []string{"0-5 passing", "5-5 critical", "5-10 passing"}, "9999", 1, 0.0001},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			all := landscape.HealthIntervals(pointsOf(t, test.points...), midnight, midnight.Add(10*time.Hour))
			if diff := cmp.Diff(test.want, shortIntervals(all)); diff != "" {
				t.Errorf("intervals (-want +got):\n%s", diff)
			}
			a := landscape.AvailabilityOf(all)
			percent := ""
			if hundredths, ok := a.Percent(); ok {
				percent = fmt.Sprint(hundredths)
			}
			if percent != test.percent || a.Interruptions != test.interruptions || (a.Longest-time.Duration(test.longest*float64(time.Hour))).Abs() > time.Millisecond {
				t.Errorf("%s, %d interruptions, longest %s", percent, a.Interruptions, a.Longest)
			}
			if sum := a.Available + a.Unavailable + a.Uncounted; sum != 10*time.Hour {
				t.Errorf("the sum is %s", sum)
			}
		})
	}
	if all := landscape.HealthIntervals(pointsOf(t, "-1 passing"), midnight, midnight); len(all) != 0 || landscape.HealthStrip(all, 10) != nil {
		t.Errorf("an empty period has %v", all)
	}
}

func TestHealthStrip(t *testing.T) {
	tests := []struct {
		name   string
		points []string
		want   []string
	}{
		{"one state", []string{"-1 passing"}, []string{"0-10 passing"}},
		{"a minute is not lost", []string{"-1 passing", "5.2 critical", "5.21 passing"}, []string{"0-5 passing", "5-6 critical", "6-10 passing"}},
		{"the most urgent state wins", []string{"-1 passing", "5.2 warning", "5.3 passing stale", "5.4 passing"}, []string{"0-5 passing", "5-6 silent", "6-10 passing"}},
		{"at a border", []string{"-1 passing", "5 critical", "6 passing"}, []string{"0-5 passing", "5-6 critical", "6-10 passing"}},
		{"registered within a part", []string{"4.5 passing"}, []string{"0-4 absent", "4-10 passing"}},
	}
	for _, test := range tests {
		all := landscape.HealthIntervals(pointsOf(t, test.points...), midnight, midnight.Add(10*time.Hour))
		if diff := cmp.Diff(test.want, shortIntervals(landscape.HealthStrip(all, 10))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	var many []string
	for n := range 10000 {
		many = append(many, fmt.Sprintf("%f %s", float64(n)/1000, []string{"critical", "passing"}[n%2]))
	}
	all := landscape.HealthIntervals(pointsOf(t, many...), midnight, midnight.Add(10*time.Hour))
	if len(all) != 10000 || len(landscape.HealthStrip(all, 10)) != 1 {
		t.Errorf("%d intervals", len(all))
	}
}

func TestIntervalsAfter(t *testing.T) {
	all := landscape.HealthIntervals(pointsOf(t, "-1 passing", "5 critical", "6 passing"), midnight, midnight.Add(10*time.Hour))
	for hour, want := range map[int][]string{
		-1: {"0-5 passing", "5-6 critical", "6-10 passing"},
		5:  {"5-6 critical", "6-10 passing"},
		7:  {"7-10 passing"},
		10: nil,
	} {
		if diff := cmp.Diff(want, shortIntervals(landscape.IntervalsAfter(all, midnight.Add(time.Duration(hour)*time.Hour)))); diff != "" {
			t.Errorf("from %d (-want +got):\n%s", hour, diff)
		}
	}
	if diff := cmp.Diff([]string{"0-5 passing", "5-6 critical", "6-10 passing"}, shortIntervals(all)); diff != "" {
		t.Errorf("the intervals have changed (-want +got):\n%s", diff)
	}
}
