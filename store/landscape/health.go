package landscape

import "golang.org/x/mod/semver"

// HealthInputs are the health values from which the health of a host is
// computed.
type HealthInputs struct {
	Checks          Health `json:"checks"`           // ignored if unknown
	Saptune         Health `json:"saptune"`          // ignored if unknown
	SoftwareUpdates Health `json:"software_updates"` // ignored if not set; unknown outweighs all others
}

// initialInputs are the inputs of a new host.
var initialInputs = HealthInputs{Checks: HealthUnknown, Saptune: HealthUnknown, SoftwareUpdates: HealthNotSet}

// healthWeight orders health values: the overall health is the one with the
// largest weight.
var healthWeight = map[Health]int{HealthPassing: 1, HealthWarning: 2, HealthCritical: 3, HealthUnknown: 4}

// Worst returns the health with the largest weight; unknown if there are none.
func Worst(healths ...Health) Health {
	worst := HealthUnknown
	heaviest := 0
	for _, h := range healths {
		if healthWeight[h] > heaviest {
			worst, heaviest = h, healthWeight[h]
		}
	}
	return worst
}

// Overall returns the health of the host: the worst of the inputs that count.
func (in HealthInputs) Overall() Health {
	var parts []Health
	for _, h := range []Health{in.Checks, in.Saptune} {
		if h != HealthUnknown {
			parts = append(parts, h)
		}
	}
	if in.SoftwareUpdates != HealthNotSet {
		parts = append(parts, in.SoftwareUpdates)
	}
	return Worst(parts...)
}

// MinimumSaptune is the oldest version of saptune that reports its status.
const MinimumSaptune = "3.1.0"

// SaptuneOutdated reports whether a version of saptune is too old to report its
// status, or is not a valid version.
func SaptuneOutdated(version string) bool {
	return semver.Compare("v"+version, "v"+MinimumSaptune) < 0
}

// SaptuneHealth returns the health of the tuning of a host. It is always
// passing on a host without SAP software.
func SaptuneHealth(s *Saptune, sapRunning bool) Health {
	switch {
	case !sapRunning:
		return HealthPassing
	case s == nil || s.PackageVersion == nil || SaptuneOutdated(*s.PackageVersion):
		return HealthWarning
	case s.TuningState == nil:
		return HealthUnknown
	}
	switch *s.TuningState {
	case "compliant":
		return HealthPassing
	case "not tuned":
		return HealthWarning
	case "not compliant":
		return HealthCritical
	}
	return HealthUnknown
}
