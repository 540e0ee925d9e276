package discovery

import (
	"unicode/utf8"

	"trento/store/fault"
	"trento/store/landscape"
)

// The reasons why something is left out, as the end of a sentence.
const (
	isMissing         = "is missing"
	isNull            = "is null"
	isEmpty           = "is empty"
	notText           = "is not a text"
	notInteger        = "is not a whole number, 0 or more"
	notBoolean        = "is neither true nor false"
	notObject         = "is not an object"
	notArray          = "is not a list"
	notTime           = "is not a time"
	notAddress        = "is not an IP address"
	notPrefix         = "is not a prefix length"
	notInstanceNumber = "is not an instance number"
	notPair           = "is not a pair of states"
	isOtherVersion    = "is not the version of the package"
	notListed         = "does not list the instance itself"
	notOnHANA         = "does not name a tenant: the system works on no SAP HANA database"
	namesNoInstance   = "does not name an SAP instance"
	namesNoInstances  = "does not name the SAP instances of the cluster"
	isTooLarge        = "names more SAP systems than can be taken over"
	isNotKnown        = "is not a known value"
)

// findings are what is found wrong while a report is read: faults, for which
// it is refused, and omissions, which are left out of what is decoded.
type findings struct {
	fault.Errors
	omissions []landscape.Omission
	omitted   int // how many there were; omissions is limited
}

// Limits of an omission, in bytes: it must not repeat half of the report.
const (
	maxPointer = 300
	maxRead    = 100
)

// omit notes what is left out, and the value that stands there, if any.
func (r *findings) omit(pointer, detail string, v value) {
	r.omitted++
	if len(r.omissions) < landscape.MaxOmissions {
		r.omissions = append(r.omissions, landscape.Omission{
			Pointer: truncate(pointer, maxPointer), Detail: detail, Read: truncate(string(v), maxRead),
		})
	}
}

// omittedSince reports whether anything was left out since omitted had a value.
func (r *findings) omittedSince(omitted int) bool { return r.omitted > omitted }

// truncate returns the beginning of a text that fits into a number of bytes.
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
