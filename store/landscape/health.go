package landscape

import "golang.org/x/mod/semver"

// HealthInputs are the parts that the health of a host is made of.
type HealthInputs struct {
	Checks          Health `json:"checks"`           // unknown takes no part
	Saptune         Health `json:"saptune"`          // unknown takes no part
	SoftwareUpdates Health `json:"software_updates"` // not set takes no part; unknown outweighs everything
}

// initialInputs are the inputs of a new host.
var initialInputs = HealthInputs{Checks: HealthUnknown, Saptune: HealthUnknown, SoftwareUpdates: HealthNotSet}

// weight orders healths: the heaviest of several wins.
var weight = map[Health]int{HealthPassing: 1, HealthWarning: 2, HealthCritical: 3, HealthUnknown: 4}

// Worst returns the heaviest of several healths; unknown without any.
func Worst(healths ...Health) Health {
	worst := HealthUnknown
	heaviest := 0
	for _, h := range healths {
		if weight[h] > heaviest {
			worst, heaviest = h, weight[h]
		}
	}
	return worst
}

// Overall returns the health that the inputs add up to.
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

// MinimumSaptune is the first version of saptune that reports its status.
const MinimumSaptune = "3.1.0"

// SaptuneOutdated reports whether a version of saptune is too old to report its
// status, or is not a version at all.
func SaptuneOutdated(version string) bool {
	return semver.Compare("v"+version, "v"+MinimumSaptune) < 0
}

// SaptuneHealth evaluates the tuning of a host. Tuning only matters where SAP
// software runs.
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
