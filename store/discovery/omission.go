package discovery

import (
	"unicode/utf8"

	"trento/store/fault"
	"trento/store/landscape"
)

// The reasons for an omission. Each is the end of a sentence.
const (
	reasonIsMissing    = "is missing"
	reasonIsNull       = "is null"
	reasonIsEmpty      = "is empty"
	notText            = "is not a text"
	notInteger         = "is not a whole number, 0 or more"
	notBoolean         = "is neither true nor false"
	notObject          = "is not an object"
	notArray           = "is not a list"
	notTime            = "is not a time"
	notAddress         = "is not an IP address"
	notPrefix          = "is not a prefix length"
	notInstanceNumber  = "is not an instance number"
	notStatePair       = "is not a pair of states"
	reasonOtherVersion = "is not the version of the package"
	notListed          = "does not list the instance itself"
	notOnHANA          = "does not name a tenant: the system works on no SAP HANA database"
	reasonNoInstance   = "does not name an SAP instance"
	reasonNoInstances  = "does not name the SAP instances of the cluster"
	reasonTooLarge     = "names more SAP systems than can be taken over"
	reasonNotKnown     = "is not a known value"
)

// findings collects the faults of a report, because of which it is refused, and
// its omissions, the parts that were left out.
type findings struct {
	fault.Errors
	omissions    []landscape.Omission
	omittedCount int // number of all omissions; the list of omissions is limited
}

// The limits of an omission in bytes. It must not repeat large parts of the
// report.
const (
	maxPointerBytes = 300
	maxValueBytes   = 100
)

// omit notes that a part is left out, with its position, the reason, and its
// value if it has one.
func (r *findings) omit(pointer, detail string, v value) {
	r.omittedCount++
	if len(r.omissions) < landscape.MaxOmissions {
		r.omissions = append(r.omissions, landscape.Omission{
			Pointer: truncate(pointer, maxPointerBytes), Detail: detail, Read: truncate(string(v), maxValueBytes),
		})
	}
}

// omittedSince reports whether more was left out since findings.omitted had the
// given value.
func (r *findings) omittedSince(omitted int) bool { return r.omittedCount > omitted }

// truncate returns the beginning of a text, at most size bytes.
func truncate(text string, size int) string {
	if len(text) <= size {
		return replaceControls(text)
	}
	const mark = "…"
	end := size - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return replaceControls(text[:end]) + mark
}
