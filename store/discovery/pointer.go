package discovery

import (
	"strconv"
	"strings"
)

// ReadAt returns the beginning of the JSON text at a pointer in a payload or in
// a whole body. It returns "" if the pointer leads nowhere. All spellings of a
// name are equal, as in the decoders.
func ReadAt(text []byte, pointer string) string {
	v, err := checkJSON(text)
	if err != nil || pointer == "" {
		return ""
	}
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if step == "" {
			break
		}
		if v = v.valueBelow(step); v.isAbsent() {
			return ""
		}
	}
	return truncate(string(v), maxValueBytes)
}

// valueBelow returns a member of an object or an element of an array; "" if it is
// missing.
func (v value) valueBelow(name string) value {
	switch {
	case v.isObject():
		var found value
		for member, inner := range v.members() {
			if member == name {
				return inner
			}
			if normalizeName(member) == normalizeName(name) {
				found = inner
			}
		}
		return found
	case v.isArray():
		index, err := strconv.Atoi(name)
		if err != nil {
			return ""
		}
		for i, element := range v.elements() {
			if i == index {
				return element
			}
		}
	}
	return ""
}

// normalizeName returns the common form of a name for all discoveries:
// DataDiskNumber and data_disk_number are the same.
func normalizeName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return r
	}, name))
}
