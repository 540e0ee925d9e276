package discovery

import (
	"unicode/utf8"

	"trento/store/landscape"
)

// What is wrong with something that is left out.
const (
	isMissing    = "is missing"
	isNull       = "is null"
	isEmpty      = "is empty"
	noText       = "is not a text"
	noInteger    = "is not a whole number, 0 or more"
	noBoolean    = "is neither true nor false"
	noObject     = "is not an object"
	noArray      = "is not a list"
	noTime       = "is not a time"
	noAddress    = "is not an IP address"
	noPrefix     = "is not a prefix length"
	noNumber     = "is not an instance number"
	noPair       = "is not a pair of states"
	otherVersion = "is not the version of the package"
	noCurrent    = "does not list the instance itself"
	noHANA       = "does not name a tenant: the system works on no SAP HANA database"
	noInstance   = "does not name an SAP instance"
	noInstances  = "does not name the SAP instances of the cluster"
	tooLarge     = "names more SAP systems than can be taken over"
	notKnown     = "is not a known value"
)

// reading is a report while it is read: what is wrong with what identifies
// it, for which it is refused, and what else could not be read, which is left
// out.
type reading struct {
	problems
	omissions []landscape.Omission
	omitted   int // all of them: omissions has an end
}

// Bounds of an omission, in bytes: it must not repeat half of the report.
const (
	maxPointer = 300
	maxRead    = 100
)

// omit notes what is left out; v is what stands there, if anything does.
func (r *reading) omit(pointer, detail string, v value) {
	r.omitted++
	if len(r.omissions) < landscape.MaxOmissions {
		r.omissions = append(r.omissions, landscape.Omission{
			Pointer: beginning(pointer, maxPointer), Detail: detail, Read: beginning(string(v), maxRead),
		})
	}
}

// since reports whether something was left out after a count of omissions was
// taken.
func (r *reading) since(omitted int) bool { return r.omitted > omitted }

// beginning is as much of a text as fits into so many bytes.
func beginning(text string, size int) string {
	if len(text) <= size {
		return visible(text)
	}
	const mark = "…"
	end := size - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return visible(text[:end]) + mark
}
