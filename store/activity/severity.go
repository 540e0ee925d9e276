package activity

import "strings"

// SeverityOf is the severity of an entry of type t with this metadata, as it
// is to be stored: judged once, when the entry is written and its metadata is
// complete. A type the catalogue does not know is Info.
func SeverityOf(t Type, metadata map[string]any) Severity {
	if d := byType[t]; d != nil {
		return d.severity(metadata)
	}
	return Info
}

func always(s Severity) func(facts) Severity {
	return func(facts) Severity { return s }
}

// bySignIn: only a failed sign-in has a reason.
func bySignIn(f facts) Severity {
	if _, failed := f["reason"]; failed {
		return Warning
	}
	return Info
}

// byHealth judges the health an entry reports, under whatever name
// ("health", "checks_health", "saptune_health").
func byHealth(f facts) Severity {
	severity := Info
	for key := range f {
		if !strings.HasSuffix(key, "health") {
			continue
		}
		switch f.text(key) {
		case "warning":
			severity = max(severity, Warning)
		case "critical":
			severity = max(severity, Critical)
		}
	}
	return severity
}

// byKnownHealth is byHealth for things whose health ought to be known.
func byKnownHealth(f facts) Severity {
	for key := range f {
		if strings.HasSuffix(key, "health") && f.text(key) == "unknown" {
			return Warning
		}
	}
	return byHealth(f)
}

func byInstanceStatus(f facts) Severity {
	switch f.text("status") {
	case "yellow":
		return Warning
	case "red":
		return Critical
	}
	return Info
}

func byResult(f facts) Severity {
	switch strings.ToUpper(f.text("result")) {
	case "UPDATED", "NOT_UPDATED":
		return Info
	}
	return Critical
}
