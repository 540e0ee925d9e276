package activity

// SeverityOf returns the severity of an entry about an event. It is evaluated
// once, when the entry is written. For an unknown type it returns Info.
func SeverityOf(e Event) Severity {
	if f, ok := e.(*Foreign); ok {
		if metadata, err := Encode(f); err == nil {
			e = Decode(f.Of, metadata) // the type may have a struct
		}
	}
	if j, ok := e.(eventWithSeverity); ok {
		return j.severity()
	}
	if d := definitionByType[e.Type()]; d != nil {
		return d.severity
	}
	return Info
}

// severityOfHealth returns the severity of a health.
func severityOfHealth(health string) Severity {
	switch health {
	case "warning":
		return Warning
	case "critical":
		return Critical
	}
	return Info
}

// severityOfKnownHealth returns the severity of a health that should never be
// unknown.
func severityOfKnownHealth(health string) Severity {
	if health == "unknown" {
		return Warning
	}
	return severityOfHealth(health)
}

// severityOfStatus returns the severity of the status of an SAP instance.
func severityOfStatus(status string) Severity {
	switch status {
	case "yellow":
		return Warning
	case "red":
		return Critical
	}
	return Info
}
