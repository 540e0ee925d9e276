package discovery

import (
	"cmp"
	"slices"
	"strings"
)

// Titles of problems, as clients of the collect endpoint know them.
const (
	titleSyntax  = "Bad Request"
	titleInvalid = "Invalid value"
	titleRefused = "Unprocessable Entity"
)

// Details of problems that several places report.
const (
	detailBlank   = "can't be blank"
	detailInvalid = "is invalid"
	detailUnable  = "Unable to handle discovery."
	detailUnknown = "Unknown discovery type."
)

// Stage says how far a report was read before it was refused.
type Stage int

// The stages of reading a report, in their order.
const (
	// StageSyntax: the body is not JSON, or nested too deeply. The caller answers
	// 400 and keeps nothing.
	StageSyntax Stage = iota + 1
	// StageEnvelope: the members around the payload are wrong. The caller answers
	// 422 and keeps nothing.
	StageEnvelope
	// StagePayload: the payload is wrong. The caller answers 422 and keeps the
	// body in the list of discarded reports.
	StagePayload
)

// Problem is one entry of the list of errors in an answer. Pointer is empty
// where the problem is not about a single field.
type Problem struct {
	Title   string
	Detail  string
	Pointer string
}

// Error says why a report is refused. It has one problem or more.
type Error struct {
	Stage    Stage
	Problems []Problem
}

// Error returns one line for logs and for the list of discarded reports. It
// names fields, never their values.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("discovery refused: ")
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		if p.Pointer != "" {
			b.WriteString(p.Pointer)
			b.WriteByte(' ')
		}
		b.WriteString(p.Detail)
	}
	return b.String()
}

func refuse(stage Stage, title, detail, pointer string) *Error {
	return &Error{Stage: stage, Problems: []Problem{{Title: title, Detail: detail, Pointer: pointer}}}
}

// unable refuses a payload of an unknown form.
func unable() *Error { return refuse(StagePayload, titleRefused, detailUnable, "") }

// problems are what is wrong with a report.
type problems []Problem

func (p *problems) add(pointer, detail string) {
	*p = append(*p, Problem{Title: titleInvalid, Detail: detail, Pointer: pointer})
}

// err returns an error that lists the problems by pointer; nil without any.
func (p problems) err(stage Stage) error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return &Error{Stage: stage, Problems: p}
}
