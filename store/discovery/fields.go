package discovery

import (
	"iter"
	"strconv"
	"strings"
)

// fields reads the members of an object by name. A member that cannot be read
// is noted as an omission and treated as missing. These conversions are needed
// for existing agents: a blank text counts as missing for every type, and a
// number or boolean may be written as a text.
type fields struct {
	members   map[string]value
	normalize func(string) string // returns the common form of a name that has several spellings; nil: names have one spelling

	source value   // the object itself; "" if it is missing
	parent *fields // the object that contains it; nil for the payload
	name   string  // name of the member in the parent
	index  int     // index in the member if that is an array; otherwise -1

	*findings
}

// readPayload reads the members of a payload that is an object.
func readPayload(v value, rename func(string) string, r *findings) *fields {
	return (&fields{normalize: rename, index: -1, findings: r}).readMembers(v)
}

// readElement reads the members of an object in a payload that is an array.
func readElement(v value, place int, r *findings) *fields {
	return (&fields{index: place, findings: r}).readMembers(v)
}

// readMembers reads the members of an object. Of members with the same name, the last
// one counts.
func (f *fields) readMembers(v value) *fields {
	f.source, f.members = v, make(map[string]value)
	for name, member := range v.members() {
		f.members[f.memberKey(name)] = member
	}
	return f
}

func (f *fields) memberKey(name string) string {
	if f.normalize == nil {
		return name
	}
	return f.normalize(name)
}

// pointer returns the JSON pointer of a member in the payload, with names as
// they are spelled there. The member may be missing.
func (f *fields) pointer(name string) string {
	if f.normalize != nil && !f.source.isAbsent() {
		key := f.normalize(name)
		for spelled := range f.source.members() {
			if f.normalize(spelled) == key {
				name = spelled
			}
		}
	}
	return f.path() + "/" + name
}

// path returns the JSON pointer of the object in the payload.
func (f *fields) path() string {
	path := ""
	if f.parent != nil {
		path = f.parent.pointer(f.name)
	}
	if f.index >= 0 {
		path += "/" + strconv.Itoa(f.index)
	}
	return path
}

// leaveOut notes that a member cannot be read, with the reason.
func (f *fields) leaveOut(name, detail string) {
	f.omit(f.pointer(name), detail, f.members[f.memberKey(name)])
}

// noteEmpty notes that a member without a value is missing, because every agent
// sends it.
func (f *fields) noteEmpty(name string) {
	if detail := f.emptyReason(name); detail != "" {
		f.leaveOut(name, detail)
	}
}

// emptyReason returns the reason why a member has no value; "" if it has one.
func (f *fields) emptyReason(name string) string {
	switch v := f.members[f.memberKey(name)]; {
	case v.isAbsent():
		return reasonIsMissing
	case v.isNull():
		return reasonIsNull
	case v.isBlank():
		return reasonIsEmpty
	}
	return ""
}

// nested reads the members of a member that is an object. If that is missing or
// null, all its members are missing.
func (f *fields) nested(name string) *fields {
	inner := &fields{normalize: f.normalize, parent: f, name: name, index: -1, findings: f.findings}
	if v := f.object(name); !v.isAbsent() {
		return inner.readMembers(v)
	}
	return inner
}

// isPresent reports whether the object is in the report.
func (f *fields) isPresent() bool { return f.members != nil }

// valueOf returns the value of a member. It returns false if the member is missing,
// null or a blank text.
func (f *fields) valueOf(name string) (value, bool) {
	v := f.members[f.memberKey(name)]
	return v, !v.isAbsent() && !v.isNull() && !v.isBlank()
}

// requiredText reads the text that identifies the thing a report is about. If
// it is missing, the report is refused.
func (f *fields) requiredText(name string) string {
	v, ok := f.valueOf(name)
	field := strings.ToLower(name)
	switch {
	case !ok:
		f.Errors.Add(field, detailBlank)
		return ""
	case !v.isString():
		f.Errors.Add(field, detailInvalid)
		return ""
	}
	return v.text()
}

// text reads a text; "" if it is missing or blank.
func (f *fields) text(name string) string {
	v, ok := f.valueOf(name)
	if ok && !v.isString() {
		f.leaveOut(name, notText)
		ok = false
	}
	if !ok {
		return ""
	}
	return v.text()
}

// expectedText does the same as text, and notes an omission if the text is
// missing, because every agent sends it.
func (f *fields) expectedText(name string) string {
	f.noteEmpty(name)
	return f.text(name)
}

// textOrNil reads a text; nil if it is missing or blank.
func (f *fields) textOrNil(name string) *string { return nilIfEmpty(f.text(name)) }

// integer reads a whole number; nil if there is none.
func (f *fields) integer(name string) *int {
	v, ok := f.valueOf(name)
	if !ok {
		return nil
	}
	n, ok := parseInteger(v)
	if !ok {
		f.leaveOut(name, notInteger)
		return nil
	}
	return &n
}

// expectedInteger does the same as integer, and notes an omission if the number
// is missing, because every agent sends it.
func (f *fields) expectedInteger(name string) *int {
	f.noteEmpty(name)
	return f.integer(name)
}

// boolean reads a boolean; nil if there is none.
func (f *fields) boolean(name string) *bool {
	v, ok := f.valueOf(name)
	if !ok {
		return nil
	}
	text := string(v)
	if v.isString() {
		text = v.text()
	}
	b, ok := pacemakerBoolean(text)
	if !ok {
		f.leaveOut(name, notBoolean)
		return nil
	}
	return &b
}

// expectedBoolean does the same as boolean, and notes an omission if the value
// is missing, because every agent sends it.
func (f *fields) expectedBoolean(name string) *bool {
	f.noteEmpty(name)
	return f.boolean(name)
}

// pacemakerBoolean parses a boolean in any form that Pacemaker accepts. ok is
// false for other texts.
func pacemakerBoolean(text string) (b, ok bool) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "y", "1":
		return true, true
	case "false", "no", "off", "n", "0":
		return false, true
	}
	return false, false
}

// isTrue reports whether a boolean is known to be true.
func isTrue(b *bool) bool { return b != nil && *b }

// object returns a member that is an object; an absent value if there is none.
func (f *fields) object(name string) value {
	v, ok := f.valueOf(name)
	if ok && !v.isObject() {
		f.leaveOut(name, notObject)
		ok = false
	}
	if !ok {
		return ""
	}
	return v
}

// array returns a member that is an array; an absent value if there is none.
func (f *fields) array(name string) value {
	v, ok := f.valueOf(name)
	if ok && !v.isArray() {
		f.leaveOut(name, notArray)
		ok = false
	}
	if !ok {
		return ""
	}
	return v
}

// objects iterates over the objects in an array and leaves out other elements.
// Agents write null for an empty list.
func (f *fields) objects(name string) iter.Seq[*fields] {
	return func(yield func(*fields) bool) {
		v := f.array(name)
		if v.isAbsent() {
			return
		}
		for i, element := range v.elements() {
			inner := &fields{normalize: f.normalize, parent: f, name: name, index: i, findings: f.findings}
			if !element.isObject() {
				f.omit(inner.path(), notObject, element)
				continue
			}
			if !yield(inner.readMembers(element)) {
				return
			}
		}
	}
}

// texts reads an array of texts, without blank ones; nil if there is no array.
func (f *fields) texts(name string) []string {
	v := f.array(name)
	if v.isAbsent() {
		return nil
	}
	list := []string{}
	for i, element := range v.elements() {
		switch {
		case element.isNull() || element.isBlank():
		case element.isString():
			list = append(list, element.text())
		default:
			f.omit(f.pointer(name)+"/"+strconv.Itoa(i), notText, element)
		}
	}
	return list
}

// parseInteger returns a whole number that is not negative. It may be written as a
// number or as a text. It returns false for other values.
func parseInteger(v value) (int, bool) {
	text := string(v)
	if v.isString() {
		text = v.text()
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

func nilIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
