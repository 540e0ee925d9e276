package activity

// SeverityOf is the severity of an entry about an event, as it is to be stored:
// judged once, when the entry is written. A type the catalogue does not know is
// Info.
func SeverityOf(e Event) Severity {
	if f, ok := e.(*Foreign); ok {
		if metadata, err := Encode(f); err == nil {
			e = Decode(f.Of, metadata) // of a type that has a struct, perhaps
		}
	}
	if j, ok := e.(judge); ok {
		return j.severity()
	}
	if d := byType[e.Type()]; d != nil {
		return d.severity
	}
	return Info
}

// severityOf is how bad a health is.
func severityOf(health string) Severity {
	switch health {
	case "warning":
		return Warning
	case "critical":
		return Critical
	}
	return Info
}

// severityOfKnown is severityOf for things whose health ought to be known.
func severityOfKnown(health string) Severity {
	if health == "unknown" {
		return Warning
	}
	return severityOf(health)
}

// severityOfStatus is how bad the status of an SAP instance is.
func severityOfStatus(status string) Severity {
	switch status {
	case "yellow":
		return Warning
	case "red":
		return Critical
	}
	return Info
}
