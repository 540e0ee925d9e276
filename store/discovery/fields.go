package discovery

import (
	"strconv"
	"strings"
)

// fields reads the members of one object by name and notes what is wrong with
// them. The casts are those agents have come to rely on: a blank text is no
// text, and a number may be written as a text.
type fields struct {
	members map[string]value
	rename  func(string) string // makes one name of all spellings; nil: names are exact
	pointer string              // of the object, relative to the payload
	wrong   *problems
}

// read takes the members of an object; of those with the same name the last
// one counts.
func read(v value, rename func(string) string, pointer string, wrong *problems) *fields {
	f := &fields{members: make(map[string]value), rename: rename, pointer: pointer, wrong: wrong}
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

// into reads the members of a member that is an object. Where it is absent or
// null, so are all of its members.
func (f *fields) into(name string) *fields {
	inner := &fields{rename: f.rename, pointer: f.pointer + "/" + name, wrong: f.wrong}
	if v := f.object(name); v != nil {
		return read(v, f.rename, inner.pointer, f.wrong)
	}
	return inner
}

// present tells the members of an object from those of an absent one.
func (f *fields) present() bool { return f.members != nil }

func (f *fields) add(name, detail string) { f.wrong.add(f.pointer+"/"+name, detail) }

// get is the value of a member that is neither absent nor null.
func (f *fields) get(name string) (value, bool) {
	v := f.members[f.key(name)]
	return v, !v.absent() && !v.null()
}

// optional is a text, or empty where there is none or a blank one.
func (f *fields) optional(name string) string {
	v, ok := f.get(name)
	if !ok {
		return ""
	}
	if !v.string() {
		f.add(name, detailInvalid)
		return ""
	}
	text := v.text()
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return text
}

// pointerTo is a text, or nil where there is none or a blank one.
func (f *fields) pointerTo(name string) *string {
	if text := f.optional(name); text != "" {
		return &text
	}
	return nil
}

// required is a text that must not be blank.
func (f *fields) required(name string) string {
	before := len(*f.wrong)
	text := f.optional(name)
	if text == "" && len(*f.wrong) == before {
		f.add(name, detailBlank)
	}
	return text
}

// integer is a whole number that must be there.
func (f *fields) integer(name string) int {
	v, ok := f.get(name)
	if !ok || blank(v) {
		f.add(name, detailBlank)
		return 0
	}
	n, ok := integer(v)
	if !ok {
		f.add(name, detailInvalid)
	}
	return n
}

// boolean is a truth value that must be there.
func (f *fields) boolean(name string) bool {
	v, ok := f.get(name)
	if !ok || blank(v) {
		f.add(name, detailBlank)
		return false
	}
	switch string(v) {
	case "true", `"true"`, `"1"`:
		return true
	case "false", `"false"`, `"0"`:
		return false
	}
	f.add(name, detailInvalid)
	return false
}

// object is a member that is an object; nil where it is absent or null.
func (f *fields) object(name string) value {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	if !v.object() {
		f.add(name, detailInvalid)
		return nil
	}
	return v
}

// array is a member that is an array; nil where it is absent or null.
func (f *fields) array(name string) value {
	v, ok := f.get(name)
	if !ok {
		return nil
	}
	if !v.array() {
		f.add(name, detailInvalid)
		return nil
	}
	return v
}

// texts is an array of texts without the blank ones. It is nil where it is
// absent or null.
func (f *fields) texts(name string) []string {
	v := f.array(name)
	if v.absent() {
		return nil
	}
	list := []string{}
	for _, element := range v.elements() {
		switch {
		case element.null() || blank(element):
		case element.string():
			list = append(list, element.text())
		default:
			f.add(name, detailInvalid)
			return list
		}
	}
	return list
}

// blank reports whether v is a text of white space only.
func blank(v value) bool { return v.string() && strings.TrimSpace(v.text()) == "" }

// integer reads a whole number, written as a number or as a text.
func integer(v value) (int, bool) {
	text := string(v)
	if v.string() {
		text = v.text()
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func indexed(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
