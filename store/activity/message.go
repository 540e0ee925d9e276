package activity

// Message is the sentence of the entry. Entries of unknown types say the name
// of their type.
func (e *Entry) Message() string {
	d := byType[e.Type]
	if d == nil {
		return string(e.Type)
	}
	if d.message == byEvent {
		return e.Event().(messenger).message()
	}
	return d.message
}

// Resource is the kind of thing the entry is about.
func (e *Entry) Resource() string {
	d := byType[e.Type]
	if d == nil {
		return "Unrecognized resource"
	}
	if d.resource == byEvent {
		return e.Event().(holder).resource()
	}
	return d.resource
}
