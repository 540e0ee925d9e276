package activity

// Message returns the sentence of the entry. For an unknown type it returns the
// name of the type.
func (e *Entry) Message() string {
	d := definitionByType[e.Type]
	if d == nil {
		return string(e.Type)
	}
	if d.message == textByEvent {
		return e.Event().(eventWithMessage).message()
	}
	return d.message
}

// Resource returns the kind of thing that the entry is about.
func (e *Entry) Resource() string {
	d := definitionByType[e.Type]
	if d == nil {
		return "Unrecognized resource"
	}
	if d.resource == textByEvent {
		return e.Event().(eventWithResource).resource()
	}
	return d.resource
}
