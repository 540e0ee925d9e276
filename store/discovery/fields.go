package discovery

import (
	"iter"
	"strconv"
	"strings"
)

// fields reads the members of one object by name. What cannot be read is noted
// as an omission, and then is as good as absent. The casts are those agents
// have come to rely on: a blank text is no value, whatever is expected, and a
// number or a truth value may be written as a text.
type fields struct {
	members map[string]value
	rename  func(string) string // makes one name of all spellings; nil: names are exact

	source value   // the object itself; empty where it is absent
	in     *fields // the object it stands in; nil for the payload
	name   string  // of the member it is, or whose element it is
	place  int     // of the element; -1 where it is the member itself

	*reading
}

// readPayload takes the members of a payload that is an object.
func readPayload(v value, rename func(string) string, r *reading) *fields {
	return (&fields{rename: rename, place: -1, reading: r}).read(v)
}

// readElement takes the members of an object in a payload that is an array.
func readElement(v value, place int, r *reading) *fields {
	return (&fields{place: place, reading: r}).read(v)
}

// read takes the members of an object; of those with the same name the last
// one counts.
func (f *fields) read(v value) *fields {
	f.source, f.members = v, make(map[string]value)
	for name, member := range v.members() {
		f.members[f.key(name)] = member
	}
	return f
}

func (f *fields) key(name string) string {
	if f.rename == nil {
		return name
	}
	return f.rename(name)
}

// pointer is where a member stands in the payload, or where it would. Names
// are spelled as they are there.
func (f *fields) pointer(name string) string {
	if f.rename != nil && !f.source.absent() {
		key := f.rename(name)
		for spelled := range f.source.members() {
			if f.rename(spelled) == key {
				name = spelled
			}
		}
	}
	return f.path() + "/" + name
}

// path is where the object itself stands in the payload.
func (f *fields) path() string {
	path := ""
	if f.in != nil {
		path = f.in.pointer(f.name)
	}
	if f.place >= 0 {
		path += "/" + strconv.Itoa(f.place)
	}
	return path
}

// leaveOut notes that a member cannot be read, and why.
func (f *fields) leaveOut(name, detail string) {
	f.omit(f.pointer(name), detail, f.members[f.key(name)])
}

// noteNothing notes that a member should be there, where it is not, or where
// there is nothing in it.
func (f *fields) noteNothing(name string) {
	if detail := f.nothing(name); detail != "" {
		f.leaveOut(name, detail)
	}
}

// nothing says in which way there is nothing in a member; empty where there
// is something.
func (f *fields) nothing(name string) string {
	switch v := f.members[f.key(name)]; {
	case v.absent():
		return isMissing
	case v.null():
		return isNull
	case v.blank():
		return isEmpty
	}
	return ""
}

// into reads the members of a member that is an object. Where it is absent or
// null, so are all of its members.
func (f *fields) into(name string) *fields {
	inner := &fields{rename: f.rename, in: f, name: name, place: -1, reading: f.reading}
	if v := f.object(name); !v.absent() {
		return inner.read(v)
	}
	return inner
}

// present tells the members of an object from those of an absent one.
func (f *fields) present() bool { return f.members != nil }

// get is the value of a member that is neither absent nor null nor a blank
// text.
func (f *fields) get(name string) (value, bool) {
	v := f.members[f.key(name)]
	return v, !v.absent() && !v.null() && !v.blank()
}

// identity is the text that identifies a report. Without it the report is
// refused.
func (f *fields) identity(name string) string {
	v, ok := f.get(name)
	pointer := "/" + strings.ToLower(name)
	switch {
	case !ok:
		f.problems.add(pointer, detailBlank)
		return ""
	case !v.string():
		f.problems.add(pointer, detailInvalid)
		return ""
	}
	return v.text()
}

// text is a text, or empty where there is none or a blank one.
func (f *fields) text(name string) string {
	v, ok := f.get(name)
	if ok && !v.string() {
		f.leaveOut(name, noText)
		ok = false
	}
	if !ok {
		return ""
	}
	return v.text()
}

// expected is text where the agent ought to send one: that there is none is
// noted.
func (f *fields) expected(name string) string {
	f.noteNothing(name)
	return f.text(name)
}

// textOrNil is a text, or nil where there is none or a blank one.
func (f *fields) textOrNil(name string) *string { return orNil(f.text(name)) }

// integer is a whole number, or nil where there is none.
func (f *fields) integer(name string) *int {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	n, ok := integer(v)
	if !ok {
		f.leaveOut(name, noInteger)
		return nil
	}
	return &n
}

// expectedInteger is integer where the agent ought to send one.
func (f *fields) expectedInteger(name string) *int {
	f.noteNothing(name)
	return f.integer(name)
}

// boolean is a truth value, or nil where there is none.
func (f *fields) boolean(name string) *bool {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	text := string(v)
	if v.string() {
		text = v.text()
	}
	b, ok := pacemakerBoolean(text)
	if !ok {
		f.leaveOut(name, noBoolean)
		return nil
	}
	return &b
}

// expectedBoolean is boolean where the agent ought to send one.
func (f *fields) expectedBoolean(name string) *bool {
	f.noteNothing(name)
	return f.boolean(name)
}

// pacemakerBoolean reads a truth value as Pacemaker does, and is not ok where
// the text is none.
func pacemakerBoolean(text string) (b, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y", "1":
		return true, true
	case "false", "no", "off", "n", "0":
		return false, true
	}
	return false, false
}

// isTrue reports whether a truth value is known to be true.
func isTrue(b *bool) bool { return b != nil && *b }

// object is a member that is an object; absent where there is none.
func (f *fields) object(name string) value {
	v, ok := f.get(name)
	if ok && !v.object() {
		f.leaveOut(name, noObject)
		ok = false
	}
	if !ok {
		return ""
	}
	return v
}

// array is a member that is an array; absent where there is none.
func (f *fields) array(name string) value {
	v, ok := f.get(name)
	if ok && !v.array() {
		f.leaveOut(name, noArray)
		ok = false
	}
	if !ok {
		return ""
	}
	return v
}

// each reads the elements of an array of objects one by one, without those
// that are none. Agents write null where they have nothing to list.
func (f *fields) each(name string) iter.Seq[*fields] {
	return func(yield func(*fields) bool) {
		v := f.array(name)
		if v.absent() {
			return
		}
		for i, element := range v.elements() {
			inner := &fields{rename: f.rename, in: f, name: name, place: i, reading: f.reading}
			if !element.object() {
				f.omit(inner.path(), noObject, element)
				continue
			}
			if !yield(inner.read(element)) {
				return
			}
		}
	}
}

// texts is an array of texts without the blank ones; nil where there is none.
func (f *fields) texts(name string) []string {
	v := f.array(name)
	if v.absent() {
		return nil
	}
	list := []string{}
	for i, element := range v.elements() {
		switch {
		case element.null() || element.blank():
		case element.string():
			list = append(list, element.text())
		default:
			f.omit(f.pointer(name)+"/"+strconv.Itoa(i), noText, element)
		}
	}
	return list
}

// integer reads a whole number that counts something or is an id: none of
// them is below zero. It may be written as a number or as a text.
func integer(v value) (int, bool) {
	text := string(v)
	if v.string() {
		text = v.text()
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
