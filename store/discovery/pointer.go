package discovery

import (
	"strconv"
	"strings"
)

// ReadAt is the beginning of the JSON text at the place a problem points to in
// a payload, or in a body where the problem is one of the envelope. It is
// empty where nothing stands there. Spellings of names count as the same, as
// they do for the discoveries.
func ReadAt(text []byte, pointer string) string {
	v, err := check(text)
	if err != nil || pointer == "" {
		return ""
	}
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		if step == "" {
			break
		}
		if v = v.step(step); v.absent() {
			return ""
		}
	}
	return beginning(string(v), maxRead)
}

// step is a member of an object or an element of an array; absent where there
// is none.
func (v value) step(name string) value {
	switch {
	case v.object():
		var found value
		for member, inner := range v.members() {
			if member == name {
				return inner
			}
			if spelling(member) == spelling(name) {
				found = inner
			}
		}
		return found
	case v.array():
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

// spelling makes one name of DataDiskNumber, data_disk_number and the like.
func spelling(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return r
	}, name))
}
