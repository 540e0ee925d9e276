package landscape_test

import (
	"testing"

	. "trento/store/landscape"
)

func TestOverall(t *testing.T) {
	for _, test := range []struct {
		checks, saptune, updates, want Health
	}{
		{HealthUnknown, HealthUnknown, HealthNotSet, HealthUnknown},
		{HealthPassing, HealthUnknown, HealthNotSet, HealthPassing},
		{HealthUnknown, HealthWarning, HealthNotSet, HealthWarning},
		{HealthPassing, HealthWarning, HealthNotSet, HealthWarning},
		{HealthCritical, HealthWarning, HealthPassing, HealthCritical},
		{HealthCritical, HealthWarning, HealthUnknown, HealthUnknown},
		{HealthUnknown, HealthUnknown, HealthPassing, HealthPassing},
	} {
		in := HealthInputs{Checks: test.checks, Saptune: test.saptune, SoftwareUpdates: test.updates}
		if got := in.Overall(); got != test.want {
			t.Errorf("%+v: %s, want %s", in, got, test.want)
		}
	}
}

func TestSaptuneHealth(t *testing.T) {
	saptune := func(version, tuning string) *Saptune {
		s := &Saptune{PackageVersion: &version, TuningState: &tuning}
		if tuning == "" {
			s.TuningState = nil
		}
		return s
	}
	for _, test := range []struct {
		saptune    *Saptune
		sapRunning bool
		want       Health
	}{
		{nil, false, HealthPassing},
		{saptune("3.1.0", "not compliant"), false, HealthPassing},
		{nil, true, HealthWarning},
		{saptune("3.0.2", "compliant"), true, HealthWarning},
		{saptune("no version", "compliant"), true, HealthWarning},
		{saptune("3.1.0", "compliant"), true, HealthPassing},
		{saptune("3.2.1", "not tuned"), true, HealthWarning},
		{saptune("10.0.0", "not compliant"), true, HealthCritical},
		{saptune("3.1.0", ""), true, HealthUnknown},
		{saptune("3.1.0", "odd"), true, HealthUnknown},
	} {
		if got := SaptuneHealth(test.saptune, test.sapRunning); got != test.want {
			t.Errorf("%+v, SAP %v: %s, want %s", test.saptune, test.sapRunning, got, test.want)
		}
	}
}
