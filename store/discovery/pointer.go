package discovery

import (
	"strconv"
	"strings"
)

// ReadAt returns the beginning of the JSON text that a problem points to in a
// payload, or in a body where the problem is about the envelope. It is empty
// where nothing stands there. Spellings of a name count as the same, as they do
// for the decoders.
func ReadAt(text []byte, pointer string) string {
	v, err := check(text)
	if err != nil || pointer == "" {
		return ""
	}
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if step == "" {
			break
		}
		if v = v.step(step); v.isAbsent() {
			return ""
		}
	}
	return truncate(string(v), maxRead)
}

// step returns a member of an object or an element of an array; an absent value
// where there is none.
func (v value) step(name string) value {
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

// normalizeName makes one name of DataDiskNumber, data_disk_number and the like,
// whatever the discovery.
func normalizeName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return r
	}, name))
}
