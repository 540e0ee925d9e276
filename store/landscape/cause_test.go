package landscape

import "testing"

func TestCauseOf(t *testing.T) {
	parts := []healthPart{{"instance 00", HealthCritical}, {"instance 01", HealthWarning}, {"instance 02", HealthCritical}, {"instance 03", HealthCritical}, {"instance 04", HealthCritical}}
	for _, test := range []struct {
		health Health
		parts  []healthPart
		want   string
	}{
		{HealthCritical, parts, "instance 00, instance 02, instance 03 and 1 more"},
		{HealthCritical, parts[:3], "instance 00 and instance 02"},
		{HealthWarning, parts, "instance 01"},
		{HealthPassing, parts, ""},
		{HealthUnknown, []healthPart{{"checks", HealthUnknown}}, ""},
		{HealthCritical, nil, ""},
	} {
		if got := causeOf(test.health, test.parts); got != test.want {
			t.Errorf("%s of %v: %q, want %q", test.health, test.parts, got, test.want)
		}
	}
}
